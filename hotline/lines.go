package hotline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley"
)

// Health is the state of a line, as far as proofs show it.
type Health uint8

const (
	NotInForce   Health = iota // proposed, not accepted by all its members, or withdrawn
	Untested                   // no test has fallen due and nothing newer is known
	Alive                      // no member has missed a test or a call since its last proof
	Degraded                   // a member is silent here and proves its life elsewhere
	CauseUnknown               // a member is silent here, and nothing tells why
	Down                       // reported cut, or three tests missed with no proof of life anywhere
)

var healthNames = []string{"not in force", "untested", "alive", "degraded", "cause unknown", "down"}

func (h Health) String() string { return healthNames[h] }

// freshWithoutTests is how long a proof of life holds on a line without tests.
const freshWithoutTests = day

// testsToDown is how many tests in a row must be missed for a line to be down.
const testsToDown = 3

// Condition is the state of a line and the proofs it rests on. It says since
// when and who is silent, never why or by whose fault.
type Condition struct {
	Health Health
	Since  uint64         // of the first thing that was missed; 0 if none
	Silent []parley.Party // members without a proof of life on the line since then
	Text   string         // one sentence
}

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

// condition computes a line's state from proofs. Calls played in exercises and
// drills count only if played is set: a played silence is not a silence.
func (d *Desk) condition(l *inForce, now time.Time, played bool) Condition {
	if cut := d.cut(l, played); cut != nil {
		a := cut.body.(*Attempt)
		return Condition{Down, a.At, a.Called.Parties(), fmt.Sprintf(
			"%s reported the line cut at %s; no proof of life on it since.", d.Name(cut.ref.Party), zulu(a.At))}
	}
	c := Condition{Health: Alive}
	var said []string
	for _, p := range l.Members.Parties() {
		since, what, tests := d.missed(l, p, now, played)
		if since == 0 {
			continue
		}
		if c.Since == 0 || since < c.Since {
			c.Since = since
		}
		health, tail := d.gravity(l, p, since, tests)
		c.Health = max(c.Health, health)
		c.Silent = append(c.Silent, p)
		said = append(said, what+"; "+tail)
	}
	if c.Silent == nil {
		return d.healthy(l, now)
	}
	c.Text = strings.Join(said, ". ") + ". Cause unknown."
	return c
}

// gravity says what a member's silence on the line means: it may be heard on
// another line, or its node may be; else nothing tells.
func (d *Desk) gravity(l *inForce, p parley.Party, since uint64, tests int) (Health, string) {
	for _, n := range d.lineNumbers() {
		if n != l.Number && d.lastOn(n, p) >= since {
			return Degraded, fmt.Sprintf("heard on line %d since", n)
		}
	}
	switch {
	case d.life[p] >= since:
		return Degraded, "its node proved life since"
	case tests >= testsToDown:
		return Down, "no proof of life anywhere since"
	}
	return CauseUnknown, "no proof of life anywhere since"
}

// missed says what member p has missed since its newest proof of life on the
// line: tests, a call, or both; since is the first of them, 0 if none.
func (d *Desk) missed(l *inForce, p parley.Party, now time.Time, played bool) (since uint64, what string, tests int) {
	since, tests = d.missedTests(l, p, unix(now))
	switch {
	case tests >= testsToDown:
		what = fmt.Sprintf("%s missed the last %d tests, the first at %s", d.Name(p), tests, zulu(since))
	case tests > 0:
		what = fmt.Sprintf("%s missed the test at %s", d.Name(p), zulu(since))
	}
	call := d.missedCall(l, p, played)
	if call == nil {
		return since, what, tests
	}
	at := call.body.(*Attempt).At
	if since == 0 || at < since {
		since = at
	}
	if what != "" {
		what += ", and "
	}
	return since, fmt.Sprintf("%sthe call to %s at %s was not answered, as %s recorded",
		what, d.Name(p), zulu(at), d.Name(call.ref.Party)), tests
}

// missedTests counts the tests, at most testsToDown, that fell due since p's
// newest proof of life on the line; since is the first of those counted.
func (d *Desk) missedTests(l *inForce, p parley.Party, now uint64) (since uint64, n int) {
	grace := uint64(l.Grace)
	if l.Schedule == nil || now <= grace {
		return 0, 0
	}
	proof := d.lastOn(l.Number, p)
	for i := l.Schedule.count(now - grace - 1); i > 0 && n < testsToDown; i-- {
		s := l.slot(i - 1)
		if s.at < l.since || proof+grace >= s.at {
			break
		}
		if !s.free {
			since, n = s.at, n+1
		}
	}
	return since, n
}

// missedCall is the first call to p on the line that was not answered and that
// p has not proved life on the line since.
func (d *Desk) missedCall(l *inForce, p parley.Party, played bool) *record {
	for _, r := range d.calls {
		a := r.body.(*Attempt)
		if a.Line == l.Number && r.counts() && (a.Outcome == NoAnswer || a.Outcome == Busy) && a.Called.Includes(p) &&
			a.At > d.lastOn(l.Number, p) && (played || !a.Type.played()) {
			return r
		}
	}
	return nil
}

// played reports whether what happens within the type is only played.
func (t Type) played() bool { return t == Exercise || t == Drill }

// cut is the newest call that found the line cut, if nobody called in it has
// proved life on the line since.
func (d *Desk) cut(l *inForce, played bool) *record {
	var found *record
	for _, r := range d.calls {
		a := r.body.(*Attempt)
		if a.Line != l.Number || !r.counts() || a.Outcome != Cut || a.Type.played() && !played {
			continue
		}
		found = r // calls stand earliest first
	}
	if found == nil {
		return nil
	}
	a := found.body.(*Attempt)
	for _, p := range a.Called.Parties() {
		if d.lastOn(l.Number, p) > a.At {
			return nil
		}
	}
	return found
}

// healthy is the condition of a line on which nothing was missed.
func (d *Desk) healthy(l *inForce, now time.Time) Condition {
	oldest := uint64(parley.MaxUint)
	for _, p := range l.Members.Parties() {
		oldest = min(oldest, d.lastOn(l.Number, p))
	}
	switch {
	case oldest == 0:
		return Condition{Health: Untested, Text: "Not every member has been heard on this line yet."}
	case l.Schedule == nil && oldest+freshWithoutTests < unix(now):
		return Condition{Health: Untested, Text: "No tests are agreed, and the last proof is more than a day old (" + zulu(oldest) + ")."}
	}
	return Condition{Health: Alive, Text: "Every member heard; the oldest proof is of " + zulu(oldest) + "."}
}
