package console

import (
	"net/http"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/node"
	"parley/internal/officer"
)

// LinesPage is the registry: every line with its state and what it rests on.
type LinesPage struct {
	Page
	Lines []LineRow
	Loose int // messages on no line were written

	CanDraft bool
}

// LineRow is one line of the registry.
type LineRow struct {
	Number   uint8
	Name     string
	Level    string
	State    string
	Text     string // the desk's sentence, English
	Silent   []string
	Since    time.Time // of the first thing that the silent ones missed
	Played   string
	Medium   hotline.Medium
	InForce  bool
	Mine     bool // this party is on it
	Holders  []Holder
	Fallback []uint8 // lines to try in turn
	Next     time.Time
	Caller   string
	History  []History
	Speed    []Speed
	Waiting  []string // for whose word the newest wording waits
	Proposal *parley.Ref
	Clash    bool
}

// Holder is a member of a line with its newest proofs.
type Holder struct {
	Name string
	Line time.Time // on this line
	Node time.Time // of any kind
	Me   bool
}

// Speed is how fast one member opens messages of one precedence on a line.
type Speed struct {
	Name string
	hotline.Opening
	Limit time.Duration
}

// openingsLook is how many entries of a line the times to open look back.
const openingsLook = 2000

func (s *Server) lines(w http.ResponseWriter, q *request) error {
	p := LinesPage{Page: s.page(q, "lines", q.loc.T("nav.lines"))}
	p.Refresh, p.CanDraft = true, q.person.Can(officer.DraftMessage)
	err := s.cfg.Host.Node.Do(q.Context(), func(v node.View) {
		for _, l := range v.Docket.Hotline.Lines(v.Now) {
			p.Lines = append(p.Lines, s.lineRow(v, l))
		}
		none := uint8(0)
		p.Loose = len(v.Docket.Hotline.Stretch(hotline.Timeline{Line: &none, Limit: 1}).Refs)
	})
	if err != nil {
		return err
	}
	return s.render(w, q, http.StatusOK, "lines", &p)
}

// lineRow is everything that the registry says of one line.
func (s *Server) lineRow(v node.View, l *hotline.LineView) LineRow {
	c, me, d := s.cfg.Host.Charter(), s.cfg.Host.Me(), v.Docket.Hotline
	r := LineRow{Number: l.Number, State: healthKey(l.Condition.Health), Text: l.Condition.Text, InForce: l.Line != nil, Clash: l.Clash}
	if l.Played != nil {
		r.Played = l.Played.Text
	}
	r.Since = moment(l.Condition.Since)
	for _, m := range l.Condition.Silent {
		r.Silent = append(r.Silent, d.Name(m))
	}
	wording := l.Line
	for i := range l.Proposals {
		p := &l.Proposals[i]
		if wording == nil {
			wording = p.Line
		}
		if p.Ref == l.Ref {
			break // the ones after it are older
		}
		if len(p.Waiting) > 0 && len(p.Refused) == 0 && r.Proposal == nil {
			r.Proposal = &p.Ref
			for _, m := range p.Waiting {
				r.Waiting = append(r.Waiting, d.Name(m))
			}
		}
	}
	if wording != nil {
		r.Name, r.Level, r.Medium, r.Mine = wording.Name, wording.Level, wording.Medium, wording.Members.Includes(me)
	}
	r.Fallback = fallback(d, l, v.Now)
	if l.NextTest > 0 {
		r.Next, r.Caller = time.Unix(int64(l.NextTest), 0).UTC(), d.Name(l.Caller)
	}
	rest := 2*time.Duration(c.Rules.Heartbeat)*time.Second + slack
	for _, m := range l.Members {
		r.Holders = append(r.Holders, Holder{d.Name(m.Party), moment(m.Last), moment(m.Node), m.Party == me})
		beats, watched := s.pulse.since(m.Party, v.Now.Add(-24*time.Hour))
		r.History = append(r.History, history(d, l.Number, m.Party, d.Name(m.Party), beats, watched, v.Now, rest))
		for _, o := range d.Openings(l.Number, m.Party, openingsLook) {
			if o.Opened+o.Waiting > 0 {
				limit, _ := hotline.HandlingTime(o.Lane)
				r.Speed = append(r.Speed, Speed{d.Name(m.Party), o, limit})
			}
		}
	}
	return r
}

// fallback follows the lines that are to be tried in turn when one is not
// answered.
func fallback(d *hotline.Desk, l *hotline.LineView, now time.Time) (ns []uint8) {
	seen := map[uint8]bool{l.Number: true}
	for at := l; at != nil && at.Line != nil && at.Line.Next != 0 && !seen[at.Line.Next]; at = lineNumbered(d, at.Line.Next, now) {
		seen[at.Line.Next] = true
		ns = append(ns, at.Line.Next)
	}
	return ns
}

// moment is a claim in seconds as a time, zero for none.
func moment(s uint64) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(int64(min(s, 253402300799)), 0).UTC()
}
