package hotline

import (
	"cmp"
	"slices"
	"time"

	"parley"
)

// LineMember is what is known of a member of a line.
type LineMember struct {
	Party parley.Party
	Last  uint64 // newest proof of life on this line: an entry or answer of its own, 0 none
	Node  uint64 // newest proof of life of any kind, receipts of its node included
}

// Proposal is one proposed wording of a line.
type Proposal struct {
	Ref      parley.Ref
	Author   parley.Party
	Time     uint64
	Line     *Line
	Accepted []parley.Party
	Refused  []parley.Party // answered Negative, Unable or Declined, or withdrew
	Waiting  []parley.Party
}

// LineView is a line of the registry.
type LineView struct {
	Number    uint8
	Line      *Line      // the wording in force; nil if none
	Ref       parley.Ref // of it
	Since     uint64     // when its last member accepted it, by that member's clock
	Proposals []Proposal // all, newest serial first
	Clash     bool       // two accepted wordings have one serial; neither holds
	Condition Condition
	Played    *Condition // within an exercise or drill, where calls were played that make a difference
	Members   []LineMember
	LastTest  uint64       // set time of the newest test that fell due, 0 none
	NextTest  uint64       // 0 none
	Caller    parley.Party // who calls then
}

// inForce is a wording that all members of the line accepted.
type inForce struct {
	*Line
	ref   parley.Ref
	since uint64
}

func (d *Desk) lineNumbers() []uint8 {
	var ns []uint8
	for n := range d.lines {
		ns = append(ns, n)
	}
	slices.Sort(ns)
	return ns
}

// Lines lists the lines of the registry by number.
func (d *Desk) Lines(now time.Time) []*LineView {
	var out []*LineView
	for _, n := range d.lineNumbers() {
		out = append(out, d.lineView(n, now))
	}
	return out
}

func (d *Desk) lineView(n uint8, now time.Time) *LineView {
	v := &LineView{Number: n}
	v.Proposals = d.proposals(n)
	_, v.Clash = choose(v.Proposals)
	l := d.current(n)
	if l == nil {
		v.Condition = Condition{Text: "No wording of this line is accepted by all its members."}
		return v
	}
	v.Line, v.Ref, v.Since = l.Line, l.ref, l.since
	for _, p := range l.Members.Parties() {
		v.Members = append(v.Members, LineMember{p, d.lastOn(n, p), d.life[p]})
	}
	v.Condition = d.condition(l, now, false)
	if played := d.condition(l, now, true); played.Text != v.Condition.Text {
		played.Text = "EXERCISE OR DRILL: " + played.Text
		v.Played = &played
	}
	if s, ok := l.last(unix(now)); ok && s.at >= l.since {
		v.LastTest = s.at
	}
	if s, ok := l.next(unix(now)); ok {
		v.NextTest, v.Caller = s.at, s.caller
	}
	return v
}

// proposals lists all wordings of a line with who accepts them.
func (d *Desk) proposals(n uint8) []Proposal {
	var out []Proposal
	for _, r := range d.lines[n] {
		if !r.counts() {
			continue
		}
		p := Proposal{Ref: r.ref, Author: r.ref.Party, Time: r.time, Line: r.body.(*Line)}
		for _, m := range p.Line.Members.Parties() {
			switch d.stand(r, m) {
			case saidYes:
				p.Accepted = append(p.Accepted, m)
			case saidNo:
				p.Refused = append(p.Refused, m)
			default:
				p.Waiting = append(p.Waiting, m)
			}
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Proposal) int {
		return cmp.Or(cmp.Compare(b.Line.Serial, a.Line.Serial), a.Ref.Compare(b.Ref))
	})
	return out
}

// stand is a member's newest word on a proposal: Wilco accepts, Negative,
// Unable and Declined refuse. The author accepts by proposing.
func (d *Desk) stand(r *record, m parley.Party) said {
	word := d.newestWord(r, m)
	switch {
	case word == nil && m == r.ref.Party:
		return saidYes
	case word == nil:
		return 0
	case word.body.(*Answer).Code == Wilco:
		return saidYes
	}
	return saidNo
}

func (d *Desk) newestWord(r *record, m parley.Party) *record {
	var word *record
	for _, x := range d.about[r.ref] {
		a, ok := x.body.(*Answer)
		if !ok || x.ref.Party != m || !d.bears(x, r) {
			continue
		}
		if a.Code == Wilco || a.Code == Negative || a.Code == Unable || a.Code == Declined {
			word = newer(word, x)
		}
	}
	return word
}

// choose is the accepted proposal of the greatest serial. If two have the same
// serial, neither holds (clash) and the next lower one is chosen.
func choose(ps []Proposal) (p *Proposal, clash bool) {
	for i := 0; i < len(ps); {
		j, accepted := i, 0
		for ; j < len(ps) && ps[j].Line.Serial == ps[i].Line.Serial; j++ {
			if len(ps[j].Refused) == 0 && len(ps[j].Waiting) == 0 {
				p = &ps[j]
				accepted++
			}
		}
		if accepted == 1 {
			return p, clash
		}
		clash = clash || accepted > 1
		i = j
	}
	return nil, clash
}

// current is the wording of line n that is in force, nil if none is.
func (d *Desk) current(n uint8) *inForce {
	p, _ := choose(d.proposals(n))
	if p == nil {
		return nil
	}
	since := p.Time
	r := d.records[p.Ref]
	for _, m := range p.Accepted {
		if w := d.newestWord(r, m); w != nil {
			since = max(since, w.time)
		}
	}
	return &inForce{p.Line, p.Ref, since}
}
