package console

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/node"
)

// Strip is what stands on top of every page and never scrolls away. Its state
// is what the proofs say at Now; from StaleAt on the browser turns it by
// itself, so that a dead node leaves no green screen.
type Strip struct {
	State   string // class and catalogue key: alive, degraded, cause-unknown, down, untested, none, stale
	Number  uint8  // of the line that is shown: of this party's lines the one in the worst state; 0 none
	Line    string
	Played  bool // an exercise or drill plays another state
	More    int  // other lines of this party
	Proof   time.Time
	ProofBy string    // whose newest proof is the oldest
	StaleAt time.Time // no proof until then: the strip turns
	Test    time.Time // next scheduled test, zero if none
	Caller  string

	Unopened   int // in
	Oldest     *Unopened
	Alarms     []Unopened // FLASH and IMMEDIATE, and whatever is late: these sound
	Unanswered int        // out
	Drafts     int        // that wait for a releaser
	News       int        // about officers, for every officer
	Overdue    int        // this party's
	Theirs     int        // overdue of the other members
	Skews      []Skew
	Forks      int
	Watch      string // who has it
	WatchSince time.Time
	Clocks     []zoneTime
	Now        time.Time
	Ready      bool // the node's start-up is over
	Rest       int  // seconds between heartbeats
}

// Unopened is one entry that waits for the duty officer.
type Unopened struct {
	Ref  parley.Ref
	Lane parley.Lane
	Type hotline.Type
	By   time.Time
	From string
	Late bool
}

// Skew is the clock of a peer against this node's.
type Skew struct {
	Name    string
	Seconds int64
	Up      bool
}

// slack is how much later than two heartbeats a proof may come before the
// strip turns.
const slack = 15 * time.Second

// facts computes the strip's part that comes from the desks. It runs inside
// node.Do; v.Station may be nil in tests of desks alone.
func facts(v node.View, c *parley.Charter, me parley.Party) *Strip {
	s := &Strip{State: "none", Now: v.Now.UTC(), Rest: int(c.Rules.Heartbeat)}
	d := v.Docket.Hotline
	skew := map[parley.Party]int64{}
	if v.Station != nil {
		s.Ready = v.Station.Ready()
		for _, l := range v.Station.Links() {
			skew[l.Party] = l.Skew
			s.Skews = append(s.Skews, Skew{c.Member(l.Party).Name, l.Skew, l.Urgent})
		}
		for _, l := range v.Station.Logs() {
			if l.Forked {
				s.Forks++
			}
		}
	}
	s.line(d, c, me, v.Now)
	members := parties(c, me)
	if l := lineNumbered(d, s.Number, v.Now); l != nil {
		members = nil
		for _, m := range l.Members {
			if m.Party != me {
				members = append(members, m.Party)
			}
		}
	}
	s.proofs(d, c, members, skew)
	s.waiting(d, c, v.Now)
	s.Unanswered = d.Unanswered()
	ours, theirs := v.Docket.Urgent(v.Now, 0)
	s.Overdue, s.Theirs = ours.Late, theirs.Late
	return s
}

// waiting counts what waits for the duty officer, and names the first of it and
// of what sounds. There may be a flood of it: no more is kept than is named.
func (s *Strip) waiting(d *hotline.Desk, c *parley.Charter, now time.Time) {
	first := func(a, b hotline.Unopened) int { // what is meant comes before what is played
		return cmp.Or(cmp.Compare(min(a.Type, 1), min(b.Type, 1)), a.Compare(b))
	}
	var oldest *hotline.Unopened
	var sounds []hotline.Unopened
	d.Waiting(func(u hotline.Unopened) {
		if s.Unopened++; oldest == nil || first(u, *oldest) < 0 {
			x := u
			oldest = &x
		}
		if u.Lane > parley.Immediate && !u.By.Before(now) {
			return
		}
		if i, _ := slices.BinarySearchFunc(sounds, u, first); i < maxAlarms {
			sounds = slices.Insert(sounds, i, u)
			sounds = sounds[:min(len(sounds), maxAlarms)]
		}
	})
	row := func(u hotline.Unopened) Unopened {
		return Unopened{u.Ref, u.Lane, u.Type, u.By, c.Member(u.Ref.Party).Name, u.By.Before(now)}
	}
	if oldest != nil {
		x := row(*oldest)
		s.Oldest = &x
	}
	for _, u := range sounds {
		s.Alarms = append(s.Alarms, row(u))
	}
}

// maxAlarms is how many waiting entries the strip names; the rest is counted.
const maxAlarms = 8

// parties lists the other members that are parties, or all others if none is.
func parties(c *parley.Charter, me parley.Party) (ps []parley.Party) {
	for _, m := range c.Members {
		if m.Index != me && m.Role == parley.RoleParty {
			ps = append(ps, m.Index)
		}
	}
	if ps == nil {
		ps = c.Others(me)
	}
	return ps
}

// line chooses the line that the strip shows: of those in force that this
// member is on, the one in the worst state; of equal ones the lowest number.
func (s *Strip) line(d *hotline.Desk, c *parley.Charter, me parley.Party, now time.Time) {
	worst := hotline.NotInForce
	for _, l := range d.Lines(now) {
		if l.Line == nil || !l.Line.Members.Includes(me) {
			continue
		}
		if h := l.Condition.Health; s.Number == 0 || h > worst {
			worst = h
			s.State, s.Number, s.Line, s.Played = healthKey(h), l.Number, l.Line.Name, l.Played != nil
		}
		s.More++
		if t := time.Unix(int64(l.NextTest), 0).UTC(); l.NextTest > 0 && (s.Test.IsZero() || t.Before(s.Test)) {
			s.Test, s.Caller = t, c.Member(l.Caller).Name
		}
	}
	s.More = max(0, s.More-1)
}

// healthKey is the state's word in the catalogue and the style sheet.
func healthKey(h hotline.Health) string {
	return [...]string{"not-in-force", "untested", "alive", "degraded", "cause-unknown", "down"}[h]
}

func lineNumbered(d *hotline.Desk, n uint8, now time.Time) *hotline.LineView {
	for _, l := range d.Lines(now) {
		if l.Number == n && l.Line != nil {
			return l
		}
	}
	return nil
}

// proofs finds the member whose newest proof of life is the oldest, and until
// when the next proof must come. A peer whose clock is behind claims earlier
// times; that is no silence.
func (s *Strip) proofs(d *hotline.Desk, c *parley.Charter, members []parley.Party, skew map[parley.Party]int64) {
	wait := 2*time.Duration(s.Rest)*time.Second + slack
	for i, p := range members {
		life := time.Unix(int64(d.Life(p)), 0).UTC()
		until := life.Add(wait)
		if k := skew[p]; k < 0 {
			until = until.Add(time.Duration(-k) * time.Second)
		}
		if i == 0 || until.Before(s.StaleAt) {
			s.StaleAt, s.ProofBy, s.Proof = until, c.Member(p).Name, life
		}
	}
	if s.Proof.Unix() == 0 {
		s.Proof = time.Time{}
	}
	if len(members) > 0 && s.StaleAt.Before(s.Now) && s.State != "down" && s.State != "cause-unknown" {
		s.State = "stale"
	}
}

// strip is the strip of a request: the desks' facts, computed at most once a
// moment for all browsers, with what the book of officers adds.
func (s *Server) strip(q *request) *Strip {
	base, err := s.facts.get(q.Context(), s, func(v node.View) *Strip { return facts(v, s.cfg.Host.Charter(), s.cfg.Host.Me()) })
	if err != nil {
		return nil // the page has no strip then, and says so
	}
	out := *base
	out.Now = q.now.UTC()
	if len(out.Alarms) > 0 {
		out.Alarms = append([]Unopened(nil), out.Alarms...)
	}
	if !out.StaleAt.IsZero() && out.StaleAt.Before(out.Now) && out.State != "down" && out.State != "cause-unknown" {
		out.State = "stale"
	}
	out.Clocks = s.clocks(q.now)
	s.people(&out)
	return &out
}

// stripPage is the strip alone, which the script fetches when something
// changed.
func (s *Server) stripPage(w http.ResponseWriter, q *request) error {
	p := s.page(q, "strip", "")
	return s.renderPart(w, q, http.StatusOK, "error", "strip", &p)
}
