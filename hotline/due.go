package hotline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley"
)

// What a duty of this desk asks for.
const (
	DutyDeliver  = "deliver"   // the author's: no receipt yet; try the next carrier
	DutyOpen     = "open"      // the duty officer's, within the handling time
	DutyPass     = "pass"      // to the principal, where the author asked for that
	DutyAnswer   = "answer"    // by the author's reply-by time
	DutyConfirm  = "confirm"   // a query
	DutyCallBack = "call-back" // an unanswered call
	DutyEscalate = "escalate"  // the caller's: try the line's next line
	DutyTest     = "test"      // the caller's: the scheduled test
)

// testNotice is how long before its time a scheduled test is listed.
const testNotice = time.Hour

// Due lists what each member owes, soonest first. The clock of a duty starts
// with the receipt of the owner's node, by that node's clock; an entry that
// has not arrived is the author's duty to deliver.
//
// A handling time runs once for opening and once more, from opening, for
// passing to the principal. Entries in DEFERRED have none.
func (d *Desk) Due(now time.Time) []parley.Duty {
	var out []parley.Duty
	d.eachDue(now, func(x parley.Duty, reader parley.Party) {
		d.say(&x, reader)
		out = append(out, x)
	})
	slices.SortFunc(out, bySoonest)
	return out
}

// bySoonest orders duties by their time; of equal times the higher precedence
// comes first.
func bySoonest(a, b parley.Duty) int {
	return cmp.Or(a.By.Compare(b.By), cmp.Compare(a.Lane, b.Lane), a.Ref.Compare(b.Ref),
		cmp.Compare(a.Owner, b.Owner), cmp.Compare(a.What, b.What), cmp.Compare(a.Text, b.Text))
}

// eachDue calls f with everything that members owe, in no order. What concerns
// a message or a query has no text yet; reader is who has not received or
// opened it.
func (d *Desk) eachDue(now time.Time, f func(x parley.Duty, reader parley.Party)) {
	give := func(x parley.Duty, reader parley.Party) {
		x.Late = x.By.Before(now)
		f(x, reader)
	}
	for _, r := range d.open {
		if r.kind != KindAttempt {
			d.duties(r, give)
		}
	}
	for _, x := range d.calling() {
		give(x, 0)
	}
	for _, n := range d.lineNumbers() {
		if l := d.current(n); l != nil {
			for _, x := range d.testDuties(l, now) {
				give(x, 0)
			}
		}
	}
}

// byCall orders calls by the time they were made.
func byCall(a, b *record) int {
	return cmp.Or(cmp.Compare(a.body.(*Attempt).At, b.body.(*Attempt).At), byPlace(a, b))
}

// owes reports whether anybody may owe something about r.
func (d *Desk) owes(r *record) bool {
	if r.kind == KindAttempt {
		o := r.body.(*Attempt).Outcome
		return o != Connected && o != Refused && len(d.callDuties(r)) > 0
	}
	if d.withdrawn(r) != nil {
		return false
	}
	switch b := r.body.(type) {
	case *Text:
		for a := range d.eachAddressee(r, b) {
			if a.owed(b) != 0 {
				return true
			}
		}
		return false
	case *Query:
		return slices.ContainsFunc(r.readers.Parties(), func(p parley.Party) bool {
			return d.follow(&Addressee{Party: p}, r) == 0
		})
	}
	return false
}

// owed is the set of things that a reader owes about a message.
type owed uint8

const (
	owesOpen owed = 1 << iota
	owesPass
	owesAnswer
)

func (a *Addressee) owed(t *Text) owed {
	var o owed
	_, timed := HandlingTime(a.Lane)
	final := a.Answered.Given() || a.Declined.Given()
	switch {
	case timed && !a.Opened.Given():
		o = owesOpen
	case timed && !a.Info && t.Ack == AckPrincipal && !a.Passed.Given() && !final:
		o = owesPass
	}
	if a.Waiting && t.ReplyBy != 0 {
		o |= owesAnswer
	}
	return o
}

// duties gives f what is owed about a message or a query, without texts.
func (d *Desk) duties(r *record, f func(x parley.Duty, reader parley.Party)) {
	if d.withdrawn(r) != nil {
		return
	}
	switch b := r.body.(type) {
	case *Text:
		for a := range d.eachAddressee(r, b) {
			d.stepDuties(r, b, &a, f)
		}
	case *Query:
		for _, p := range r.readers.Parties() {
			a := Addressee{Party: p, Lane: r.ref.Lane}
			if said := d.follow(&a, r); said == 0 {
				f(d.first(r, &a, DutyConfirm), p)
			}
		}
	}
}

// stepDuties gives f what is owed about a message with one addressee.
func (d *Desk) stepDuties(r *record, t *Text, a *Addressee, f func(x parley.Duty, reader parley.Party)) {
	o := a.owed(t)
	if o&owesOpen != 0 {
		f(d.first(r, a, DutyOpen), a.Party)
	}
	if o&owesPass != 0 {
		step, _ := HandlingTime(a.Lane)
		f(parley.Duty{Ref: r.ref, Owner: a.Party, What: DutyPass, Lane: a.Lane, By: at(a.Opened.Time).Add(step)}, a.Party)
	}
	if o&owesAnswer != 0 {
		f(parley.Duty{Ref: r.ref, Owner: a.Party, What: DutyAnswer, Lane: a.Lane, By: at(t.ReplyBy)}, a.Party)
	}
}

// say puts a duty about a message or a query into words.
func (d *Desk) say(x *parley.Duty, reader parley.Party) {
	r := d.records[x.Ref]
	if x.Text != "" || r == nil {
		return
	}
	_, typ := r.line()
	what := x.Ref.String()
	if t, ok := r.body.(*Text); ok {
		what = t.name() + " " + what
	}
	switch x.What {
	case DutyDeliver:
		x.With = reader
		x.Text = fmt.Sprintf("%sNo receipt from %s for %s.", typ.tag(), d.Name(reader), x.Ref)
	case DutyOpen:
		x.Text = "Open " + what + "."
	case DutyPass:
		x.Text = "Pass " + what + " to the principal."
	case DutyAnswer:
		x.Text = "Answer " + what + "."
	case DutyConfirm:
		x.Text = typ.tag() + "Answer the query " + x.Ref.String() + "."
	}
}

// first is the duty that the handling time of an entry sets: its reader's
// once the receipt is there, its author's until then.
func (d *Desk) first(r *record, a *Addressee, what string) parley.Duty {
	step, _ := HandlingTime(a.Lane)
	if step == 0 {
		step, _ = HandlingTime(parley.Routine)
	}
	if !a.Received.Given() {
		return parley.Duty{Ref: r.ref, Owner: r.ref.Party, What: DutyDeliver, Lane: a.Lane, By: at(r.time).Add(step)}
	}
	return parley.Duty{Ref: r.ref, Owner: a.Party, What: what, Lane: a.Lane, By: at(a.Received.Time).Add(step)}
}

// name is what officers call the message: its type, unless it is meant.
func (t *Text) name() string {
	if t.Type == Operation {
		return "message"
	}
	return t.Type.Banner()[:len(t.Type.String())] + " message"
}

// tag stands before a duty that is not meant: "EXERCISE: ". Empty for operation.
func (t Type) tag() string {
	if t == Operation {
		return ""
	}
	return strings.ToUpper(t.String()) + ": "
}

// calling lists what is owed about calls. Of several unanswered calls by one
// member to the same others, the first one's clock counts.
func (d *Desk) calling() []parley.Duty {
	type series struct {
		line   uint8
		caller parley.Party
		called parley.Audience
		typ    Type
	}
	seen := map[series]bool{}
	var out []parley.Duty
	for _, r := range d.calls { // earliest first
		if d.open[r.ref] == nil {
			continue
		}
		b := r.body.(*Attempt)
		k := series{b.Line, b.Caller, b.Called, b.Type}
		if seen[k] {
			continue
		}
		if ds := d.callDuties(r); len(ds) > 0 {
			seen[k] = true
			out = append(out, ds...)
		}
	}
	return out
}

// callDuties lists what is owed about a call that did not come through: the
// one called calls back, the caller tries the next line. A later call between the
// two on the same line, whoever records it, ends both; so does any final answer
// of the one called. A talk on another line ends only the caller's.
func (d *Desk) callDuties(r *record) []parley.Duty {
	b := r.body.(*Attempt)
	step, ok := HandlingTime(r.ref.Lane)
	if !ok {
		step, _ = HandlingTime(parley.Routine)
	}
	var out []parley.Duty
	for _, p := range b.Called.Parties() {
		if d.talked[talkOf(b, p)] >= b.At {
			continue
		}
		a := Addressee{Party: p}
		if d.follow(&a, r) != 0 {
			continue
		}
		out = append(out, parley.Duty{Ref: r.ref, Owner: p, With: b.Caller, What: DutyCallBack, Lane: r.ref.Lane, By: at(b.At).Add(step),
			Text: fmt.Sprintf("%sCall back %s (%s at %s).", b.Type.tag(), d.Name(b.Caller), b.Outcome, zulu(b.At))})
	}
	if l := d.current(b.Line); l != nil && len(out) > 0 && l.Next != 0 &&
		d.onLine[onLine{l.Next, b.Caller, b.Type}] < b.At {
		out = append(out, parley.Duty{Ref: r.ref, Owner: b.Caller, What: DutyEscalate, Lane: r.ref.Lane, By: at(b.At).Add(step),
			Text: fmt.Sprintf("%sThe call at %s came to nothing (%s); try line %d.", b.Type.tag(), zulu(b.At), b.Outcome, l.Next)})
	}
	return out
}

// testDuties lists the scheduled tests of a line that their callers owe: the
// newest one that was missed, and the next one from an hour before.
func (d *Desk) testDuties(l *inForce, now time.Time) []parley.Duty {
	var out []parley.Duty
	add := func(s slot, ok bool) {
		if !ok || s.free || s.at < l.since || d.lastOn(l.Number, s.caller)+uint64(l.Grace) >= s.at {
			return
		}
		out = append(out, parley.Duty{Ref: l.ref, Owner: s.caller, What: DutyTest, Lane: parley.Routine, By: at(s.at + uint64(l.Grace)),
			Text: fmt.Sprintf("Test line %d (%s), set for %s.", l.Number, l.Name, zulu(s.at))})
	}
	t := unix(now)
	add(l.last(t))
	if s, ok := l.next(t); ok && at(s.at).Sub(now) <= testNotice {
		add(s, true)
	}
	return out
}

// lastOn is the newest proof of a member's life on a line, in any type of
// traffic.
func (d *Desk) lastOn(line uint8, p parley.Party) uint64 {
	var t uint64
	for typ := range maxType + 1 {
		t = max(t, d.onLine[onLine{line, p, typ}])
	}
	return t
}

// zulu prints a time as people on a watch write it: 100345Z MAY 25.
func zulu(s uint64) string { return dtg(at(s)) }
