package hotline

import (
	"fmt"
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

// Condition is the state of a line and the proofs it rests on. It says since
// when and who is silent, never why or by whose fault.
type Condition struct {
	Health Health
	Since  uint64         // of the first thing that was missed; 0 if none
	Silent []parley.Party // members without a proof of life on the line since then
	Text   string         // one sentence
}

// testsToDown is how many tests in a row must be missed for a line to be down.
const testsToDown = 3

// freshWithoutTests is how long a proof of life holds on a line without tests.
const freshWithoutTests = day

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
