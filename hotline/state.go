package hotline

import (
	"fmt"
	"iter"
	"math/bits"
	"slices"

	"parley"
)

// addressees computes the state of a message with each of its readers.
func (d *Desk) addressees(r *record, t *Text) []Addressee {
	return slices.Collect(d.eachAddressee(r, t))
}

// eachAddressee goes through the same, those for action first, without a list
// of them: what is due asks it of every open message.
func (d *Desk) eachAddressee(r *record, t *Text) iter.Seq[Addressee] {
	return func(yield func(Addressee) bool) {
		action := uint32(t.Action(r.readers))
		for v := uint64(action) | uint64(t.Info&r.readers)<<32; v != 0; v &= v - 1 {
			bit := bits.TrailingZeros64(v)
			a := Addressee{Party: parley.Party(bit), Lane: r.ref.Lane}
			if bit >= 32 {
				a.Party, a.Info, a.Lane = parley.Party(bit-32), true, t.InfoLane
			}
			if a.Party == 0 {
				continue // the mark of nobody, which is no member
			}
			said := d.follow(&a, r)
			a.Waiting = !a.Info && t.asks() && !said.settles(t.Ack)
			if !yield(a) {
				return
			}
		}
	}
}

// asks reports whether the message asks for an answer.
func (t *Text) asks() bool { return t.ReplyBy != 0 || t.Ack == AckSubstantive }

// said is the set of final words that a reader gave about a message.
type said uint8

const (
	saidRoger said = 1 << iota
	saidYes
	saidNo
	saidDeclined
	saidReply // an answer in words
)

func saidOf(c Code) said {
	switch c {
	case Roger:
		return saidRoger
	case Wilco, Affirm:
		return saidYes
	case Negative, Unable:
		return saidNo
	case Declined:
		return saidDeclined
	case 0:
		return saidReply
	}
	return 0
}

// settles reports whether this is what was asked for: where an answer in
// substance is asked for, Roger is none.
func (s said) settles(ack Ack) bool {
	if ack == AckSubstantive {
		s &^= saidRoger
	}
	return s != 0
}

// conflict reports whether the words contradict each other.
func (s said) conflict() bool {
	has := func(w said) bool { return s&w != 0 }
	return has(saidYes) && has(saidNo) || has(saidDeclined) && has(saidYes|saidNo|saidReply)
}

// follow fills in what reader a.Party has said about r, in any order of
// arrival.
func (d *Desk) follow(a *Addressee, r *record) said {
	if t, ok := d.heldSince(a.Party, r.ref); ok {
		a.Received = Mark{t, a.Party, nil}
	}
	if a.Party == d.me && !r.stored.IsZero() {
		a.Received = Mark{unix(r.stored), d.me, nil}
	}
	var all said
	var opened, passed, word, answered, declined *record
	for _, x := range d.about[r.ref] {
		code, ok := wordOf(x)
		if !ok || x.ref.Party != a.Party || !d.bears(x, r) {
			continue
		}
		opened, word = older(opened, x), newer(word, x)
		switch all |= saidOf(code); {
		case code == Passed:
			passed = older(passed, x)
		case code == Declined:
			declined = newer(declined, x)
		case saidOf(code) != 0:
			answered = newer(answered, x)
		}
	}
	a.Opened, a.Passed, a.Answered, a.Declined = markOf(opened), markOf(passed), markOf(answered), markOf(declined)
	if word != nil {
		code, _ := wordOf(word)
		a.Standby, a.SayAgain = code == Standby, code == SayAgain
	}
	a.Conflict = all.conflict()
	a.Step = a.step(answered, declined)
	return all
}

func (a *Addressee) step(answered, declined *record) Step {
	switch {
	case declined != nil && newer(answered, declined) == declined:
		return StepDeclined
	case answered != nil:
		return StepAnswered
	case a.Passed.Given():
		return StepPassed
	case a.Opened.Given():
		return StepOpened
	case a.Received.Given():
		return StepReceived
	}
	return StepSent
}

// wordOf is the answer code of x, 0 for a reply in words; false for anything
// else that refers to an entry.
func wordOf(x *record) (Code, bool) {
	switch b := x.body.(type) {
	case *Answer:
		return b.Code, true
	case *Text:
		return 0, b.Relation == Reply
	}
	return 0, false
}

// older and newer choose between two records by newest; a nil one loses.
func older(a, b *record) *record {
	if a == nil || newest(b, a) > 0 {
		return b
	}
	return a
}

func newer(a, b *record) *record {
	if a == nil || newest(b, a) < 0 {
		return b
	}
	return a
}

func markOf(r *record) Mark {
	if r == nil {
		return Mark{}
	}
	return Mark{r.time, r.ref.Party, &r.ref}
}

// notes says what an officer should notice about a message. They state, they
// accuse nobody.
func (d *Desk) notes(r *record, t *Text, as []Addressee) []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if s := r.standing.String(); s != "" {
		add("Standing: %s.", s)
	}
	if t.About != nil {
		d.noteRelation(r, t, add)
	}
	if ref := d.withdrawn(r); ref != nil {
		add("Withdrawn by its author in %s.", ref)
	}
	for _, a := range as {
		if a.Conflict {
			add("%s has given answers that differ; all stand.", d.Name(a.Party))
		}
		if a.SayAgain {
			add("%s asks for it again: not understood.", d.Name(a.Party))
		}
	}
	return out
}

func (d *Desk) noteRelation(r *record, t *Text, add func(string, ...any)) {
	m := d.records[*t.About]
	if m == nil {
		add("It %s %s, which is not in this record.", verbs[t.Relation], t.About)
		return
	}
	old, ok := m.body.(*Text)
	if !ok {
		add("It %s %s, which is no message.", verbs[t.Relation], t.About)
		return
	}
	if old.Type != t.Type {
		add("It %s %s, which is of type %s; that changes nothing there.", verbs[t.Relation], t.About, old.Type)
	}
	own := t.Relation == Corrects || t.Relation == Cancels || t.Relation == Supersedes
	if own && m.ref.Party != r.ref.Party {
		add("It %s %s, which is by %s; that changes nothing there.", verbs[t.Relation], t.About, d.Name(m.ref.Party))
	}
	if t.Relation == Reply && !d.bears(r, m) && old.Type == t.Type {
		add("It replies to %s, but is not from a reader to its author; that changes nothing there.", t.About)
	}
	if t.Relation == Relays && !old.Handling.MayRelay() {
		add("It relays %s, which its author marked %s.", t.About, old.Handling)
	}
}

var verbs = [...]string{"", "replies to", "corrects", "cancels", "supersedes", "relays"}

// Name is a member's name in the charter.
func (d *Desk) Name(p parley.Party) string { return nameIn(d.charter, p) }
