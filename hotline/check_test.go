package hotline

import (
	"testing"

	"parley"
)

// What may not be said, each with the code that goes back to the drafter.
func TestCheck(t *testing.T) {
	w := newWorld(t)
	m := w.say(india, &Text{Text: "First."}, parley.Flash, pakistan, saudi)
	ex := w.say(india, &Text{Type: Exercise, Text: "EXERCISE. First."}, parley.Flash)
	secret := w.say(india, &Text{Text: "For the mediator.", Handling: MediatorOnly}, parley.Flash, saudi)
	call := w.say(india, &Attempt{Caller: india, Called: parley.AudienceOf(pakistan), At: unix(w.now), Outcome: NoAnswer}, parley.Flash)
	ans := w.answer(pakistan, m, Roger, "")
	nowhere := *ref(saudi, 77)
	now := unix(w.now)

	w.refused(CodeUnmarked, india, &Text{Text: " EXERCISE: go"}, pakistan)
	w.refused(CodeUnmarked, india, &Text{Subject: "TEST", Text: "x"}, pakistan)
	w.refused("", india, &Text{Text: "EXERCISES of next week are notified."}, pakistan)
	w.refused(CodePast, india, &Text{Text: "x", ReplyBy: now}, pakistan)
	w.refused(CodeNoClock, india, &Text{Text: "x", Ack: AckSubstantive}, pakistan)
	w.refused(CodeNoLine, india, &Text{Text: "x", Line: 9}, pakistan)
	w.refused(CodeNoSuchEntry, india, &Text{Text: "x", Citations: []Citation{{&nowhere, ""}}}, pakistan)
	w.refused(CodeWrongType, india, &Text{Text: "x", Citations: []Citation{{&ex, ""}}}, pakistan)
	w.refused("", india, &Text{Type: Exercise, Text: "x", Citations: []Citation{{&m, ""}}}, pakistan)
	w.refused(CodeInfo, india, &Text{Text: "x", Info: parley.AudienceOf(saudi), InfoLane: parley.Flash}, pakistan, saudi)
	w.refused(CodeInfo, india, &Text{Text: "x", Info: parley.AudienceOf(saudi), InfoLane: parley.Routine}, saudi)
	w.refused(CodeInfo, india, &Text{Text: "x", Info: parley.AudienceOf(saudi), InfoLane: parley.Routine}, pakistan)
	w.refused("", india, &Text{Text: "x", Info: parley.AudienceOf(saudi), InfoLane: parley.Routine}, pakistan, saudi)
	w.refused(parley.CodeAudience, india, &Text{Text: "x"}, pakistan, 9)

	rel := func(r Relation, about parley.Ref) *Text { return &Text{Text: "x", Relation: r, About: &about} }
	w.refused(CodeNoSuchEntry, india, rel(Reply, nowhere), saudi)
	w.refused(CodeNoSuchEntry, india, rel(Reply, ans), pakistan)
	w.refused(CodeWrongType, pakistan, rel(Reply, ex), india)
	w.refused(CodeNotAddressed, pakistan, rel(Reply, m), saudi)
	w.refused(CodeNotAddressed, india, rel(Reply, m), pakistan)
	w.refused(CodeNoSuchEntry, monitor, rel(Reply, m), india)
	w.refused("", pakistan, rel(Reply, m), india)
	w.refused(CodeNotYours, pakistan, rel(Cancels, m))
	w.refused(CodeNotAddressed, india, rel(Corrects, m), pakistan)
	w.refused("", india, rel(Corrects, m), pakistan, saudi)
	w.refused(CodeNoRelay, saudi, rel(Relays, secret), pakistan)
	w.refused("", saudi, rel(Relays, m), monitor)

	w.refused(CodeNoSuchEntry, india, &Answer{ans, Roger, ""}, pakistan)
	w.refused(CodeNoSuchEntry, india, &Answer{nowhere, Roger, ""}, saudi)
	w.refused(CodeNotAddressed, india, &Answer{m, Roger, ""}, pakistan)
	w.refused(CodeNotAddressed, saudi, &Answer{m, Roger, ""}, pakistan)
	w.refused("", pakistan, &Answer{call, Affirm, ""}, india)

	w.refused(CodePast, india, &Attempt{Caller: india, Called: parley.AudienceOf(saudi), At: now + 1, Outcome: Busy})
	w.refused(CodeCaller, saudi, &Attempt{Caller: india, Called: parley.AudienceOf(pakistan), At: now, Outcome: Busy})
	w.refused(CodeCaller, india, &Attempt{Caller: india, Called: parley.AudienceOf(9), At: now, Outcome: Busy})
	w.refused("", pakistan, &Attempt{Caller: india, Called: parley.AudienceOf(pakistan), At: now, Outcome: Connected})
	w.refused(CodeLineMembers, india, &Line{Number: 1, Serial: 1, Name: "x", Members: parley.AudienceOf(india, 9)})
	w.refused(CodeLineMembers, india, &Line{Number: 1, Serial: 1, Name: "x", Members: parley.AudienceOf(india, saudi)}, pakistan)
	w.refused(CodeLineSerial, india, &Line{Number: 1, Serial: 2, Name: "x", Members: parley.AudienceOf(india, saudi)})

	w.refused(CodeNotAddressed, india, &Query{Ask: DidYouOpen, About: &m}, monitor)
	w.refused(CodeNotAddressed, pakistan, &Query{Ask: DidYouSend, About: &m}, saudi)
	w.refused(CodeWrongType, pakistan, &Query{Ask: DidYouSend, About: &ex}, india)
	w.refused("", india, &Query{Ask: DidYouOpen, About: &m}, pakistan)

	cancel := rel(Cancels, m)
	w.say(india, cancel, parley.Flash, pakistan, saudi)
	w.refused(CodeWithdrawn, pakistan, rel(Reply, m), india)
	w.refused(CodeWithdrawn, saudi, &Answer{m, Wilco, ""}, india)
	w.refused("", saudi, &Answer{m, Opened, ""}, india)
	w.refused(CodeUnknownKind, india, other{&Query{}})
}

// An entry of another desk is cited by its place; a place of this desk only
// with its content.
func TestCiteAnotherDesk(t *testing.T) {
	w := newWorld(t)
	other := w.put(pakistan, parley.Draft{Lane: parley.Routine, Kind: 40})
	own := w.say(pakistan, &Text{Text: "x"}, parley.Routine)
	w.refused("", india, &Text{Text: "x", Citations: []Citation{{Ref: &other}}})
	own.Leaf[0]++
	w.refused(CodeNoSuchEntry, india, &Text{Text: "x", Citations: []Citation{{Ref: &own}}})
	other.Index = 9
	w.refused(CodeNoSuchEntry, india, &Text{Text: "x", Citations: []Citation{{Ref: &other}}})
}

// other is a body of a kind that no desk here writes.
type other struct{ *Query }

func (other) Kind() parley.Kind { return 31 }
func (other) Encode() []byte    { return []byte{0x80} }
