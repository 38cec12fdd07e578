package hotline

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"parley"
)

// Members of the test channel, in alphabetical order.
const (
	india parley.Party = 1 + iota
	pakistan
	saudi
	monitor
)

func testCharter() *parley.Charter {
	return &parley.Charter{Name: "test", Members: []parley.Member{
		{Index: india, Name: "India"}, {Index: pakistan, Name: "Pakistan"},
		{Index: saudi, Role: parley.RoleMediator, Name: "Saudi Arabia"},
		{Index: monitor, Role: parley.RoleObserver, Name: "Monitor"}}}
}

// event is an entry or a receipt, as a desk is told.
type event struct {
	posted  *parley.Posted
	receipt *parley.Receipted
}

func (e event) tell(d *Desk) {
	if e.posted != nil {
		d.Apply(*e.posted)
	} else {
		d.Proof(*e.receipt)
	}
}

// world is a channel in which entries arrive everywhere at once.
type world struct {
	t     *testing.T
	c     *parley.Charter
	now   time.Time
	skew  time.Duration // of the author's clock
	desks map[parley.Party]*Desk
	size  map[logKey]uint64
	all   []event
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, c: testCharter(), now: clock("2025-05-10T00:00Z"), desks: map[parley.Party]*Desk{}, size: map[logKey]uint64{}}
	for _, m := range w.c.Members {
		w.desks[m.Index] = New(w.c, m.Index)
	}
	return w
}

func clock(s string) time.Time {
	t, err := time.Parse("2006-01-02T15:04Z", s)
	if err != nil {
		panic(err)
	}
	return t
}

// at sets the clock: "03:45" of the current day, or a full time.
func (w *world) at(s string) *world {
	if len(s) == 5 {
		s = w.now.Format("2006-01-02T") + s + "Z"
	}
	w.now = clock(s)
	return w
}

// put posts a draft without asking Check, to everybody whom it addresses.
func (w *world) put(by parley.Party, p parley.Draft) parley.Ref {
	log := logKey{by, p.Lane, parley.Gen{byte(by)}}
	e := p.Entry(w.now.Add(w.skew), nil)
	leaf := sha256.Sum256(fmt.Appendf(e.Encode(), "%v %d", log, w.size[log]))
	post := parley.Posted{Ref: parley.Ref{Party: by, Lane: p.Lane, Gen: log.gen, Index: w.size[log], Leaf: leaf}, Entry: e, Stored: w.now}
	w.size[log]++
	w.all = append(w.all, event{posted: &post})
	for _, d := range w.desks {
		if d.me == by || e.To.Includes(d.me) {
			d.Apply(post)
		}
	}
	return post.Ref
}

// say posts a draft that Check must allow.
func (w *world) say(by parley.Party, b Body, lane parley.Lane, to ...parley.Party) parley.Ref {
	w.t.Helper()
	p := Draft(b, lane, w.c.Address(by, parley.AudienceOf(to...)))
	if len(to) == 0 {
		p.To = parley.ToAll
	}
	if err := w.desks[by].Check(p, w.now); err != nil {
		w.t.Fatalf("%s may not say %+v: %v", w.c.Member(by).Name, b, err)
	}
	return w.put(by, p)
}

// refused checks that a draft is refused with the code.
func (w *world) refused(code parley.Code, by parley.Party, b Body, to ...parley.Party) {
	w.t.Helper()
	p := Draft(b, parley.Priority, w.c.Address(by, parley.AudienceOf(to...)))
	if len(to) == 0 {
		p.To = parley.ToAll
	}
	err := w.desks[by].Check(p, w.now)
	if parley.CodeOf(err) != code {
		w.t.Errorf("%s says %+v: got %v, want %s", w.c.Member(by).Name, b, err, code)
	}
}

func (w *world) answer(by parley.Party, about parley.Ref, c Code, text string) parley.Ref {
	w.t.Helper()
	p, err := w.desks[by].Answer(about, c, text)
	if err == nil {
		err = w.desks[by].Check(p, w.now)
	}
	if err != nil {
		w.t.Fatalf("%s may not answer %s to %s: %v", w.c.Member(by).Name, c, about, err)
	}
	return w.put(by, p)
}

// receipt: by states that it holds the log of r up to r.
func (w *world) receipt(by parley.Party, r parley.Ref) {
	p := parley.Receipted{By: by, Head: parley.Head{Party: r.Party, Lane: r.Lane, Gen: r.Gen, Size: r.Index + 1}, Time: unix(w.now), Stored: w.now}
	w.all = append(w.all, event{receipt: &p})
	for _, d := range w.desks {
		d.Proof(p)
	}
}

// openLine puts a line of India and Pakistan in force.
func (w *world) openLine(l Line) parley.Ref {
	w.t.Helper()
	if l.Members == 0 {
		l.Members = parley.AudienceOf(india, pakistan)
	}
	if l.Serial == 0 {
		l.Serial = 1
	}
	if l.Name == "" {
		l.Name = fmt.Sprintf("line %d", l.Number)
	}
	r := w.say(india, &l, parley.Routine)
	w.answer(pakistan, r, Wilco, "")
	return r
}

func (w *world) lineOf(by parley.Party, n uint8) *LineView {
	w.t.Helper()
	for _, l := range w.desks[by].Lines(w.now) {
		if l.Number == n {
			return l
		}
	}
	w.t.Fatalf("no line %d", n)
	return nil
}

// health checks the state of a line on the desks of both its members.
func (w *world) health(n uint8, want Health) *LineView {
	w.t.Helper()
	var v *LineView
	for _, p := range []parley.Party{india, pakistan} {
		if v = w.lineOf(p, n); v.Condition.Health != want {
			w.t.Errorf("%s: line %d is %q to member %d, want %q: %s", w.now.Format(time.RFC3339), n, v.Condition.Health, p, want, v.Condition.Text)
		}
	}
	return v
}

// duties of one owner about one entry, as words in order.
func (w *world) duties(by parley.Party, about parley.Ref) []string {
	var out []string
	for _, x := range w.desks[by].Due(w.now) {
		if x.Ref == about {
			s := fmt.Sprintf("%d %s %s", x.Owner, x.What, x.By.Format("15:04"))
			if x.Late {
				s += " late"
			}
			out = append(out, s)
		}
	}
	return out
}

func (w *world) message(by parley.Party, r parley.Ref) *Message {
	w.t.Helper()
	m, ok := w.desks[by].Message(r)
	if !ok {
		w.t.Fatalf("member %d has no message %s", by, r)
	}
	return m
}

func (w *world) reader(by parley.Party, r parley.Ref, of parley.Party) Addressee {
	w.t.Helper()
	for _, a := range w.message(by, r).Addressees {
		if a.Party == of {
			return a
		}
	}
	w.t.Fatalf("%s is not addressed to member %d", r, of)
	return Addressee{}
}
