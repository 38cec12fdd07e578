package hotline

import (
	"strings"
	"testing"

	"parley"
)

// The four receipts, each by its own statement, and the clocks they start.
func TestFourReceipts(t *testing.T) {
	w := newWorld(t)
	m := w.at("10:00").say(india, &Text{Text: "x", Ack: AckPrincipal, ReplyBy: unix(clock("2025-05-10T12:00Z")),
		Info: parley.AudienceOf(saudi), InfoLane: parley.Routine}, parley.Flash, pakistan, saudi)
	step := func(want Step, duties ...string) {
		t.Helper()
		if a := w.reader(india, m, pakistan); a.Step != want {
			t.Errorf("step %s, want %s", a.Step, want)
		}
		same(t, w.duties(india, m), duties)
	}
	saudis := "1 deliver 16:00"
	step(StepSent, "1 deliver 10:10", "2 answer 12:00", saudis)
	w.at("10:01").receipt(pakistan, m)
	step(StepReceived, "2 open 10:11", "2 answer 12:00", saudis)
	w.at("10:05").answer(pakistan, m, Opened, "")
	step(StepOpened, "2 pass 10:15", "2 answer 12:00", saudis)
	w.at("10:20").answer(pakistan, m, Passed, "")
	step(StepPassed, "2 answer 12:00", saudis)
	w.at("10:30").answer(pakistan, m, Standby, "")
	step(StepPassed, "2 answer 12:00", saudis)
	w.at("12:30")
	step(StepPassed, "2 answer 12:00 late", saudis)
	w.say(pakistan, &Text{Text: "Our answer.", Relation: Reply, About: &m}, parley.Flash, india)
	step(StepAnswered, saudis)
	w.receipt(saudi, m)
	step(StepAnswered, "3 open 18:30")
	w.answer(saudi, m, Opened, "")
	step(StepAnswered)
	a := w.reader(saudi, m, pakistan)
	if a.Received.Clock != pakistan || a.Received.Time != unix(clock("2025-05-10T10:01Z")) || a.Passed.Ref == nil {
		t.Errorf("the marks do not say whose clock and word they are: %+v", a)
	}
}

// Where an answer in substance is asked for, Roger is none.
func TestRogerIsNoSubstance(t *testing.T) {
	w := newWorld(t)
	m := w.say(india, &Text{Text: "x", Ack: AckSubstantive, ReplyBy: unix(w.now) + 60}, parley.Routine, pakistan)
	w.answer(pakistan, m, Roger, "")
	if a := w.reader(india, m, pakistan); !a.Waiting {
		t.Errorf("%+v", a)
	}
	w.answer(pakistan, m, Unable, "")
	if a := w.reader(india, m, pakistan); a.Waiting {
		t.Errorf("%+v", a)
	}
}

// An answer by somebody who was not asked is shown and changes nothing.
func TestStranger(t *testing.T) {
	w := newWorld(t)
	m := w.say(india, &Text{Text: "x"}, parley.Flash, pakistan)
	w.put(saudi, Draft(&Answer{m, Wilco, "gladly"}, parley.Flash, parley.ToAll))
	v := w.message(india, m)
	if len(v.Addressees) != 1 || v.Addressees[0].Step != StepSent || v.Addressees[0].Opened.Given() {
		t.Errorf("it changed something: %+v", v.Addressees)
	}
	if len(v.Responses) != 1 || v.Responses[0].Addressed || v.Responses[0].Counts || v.Responses[0].Text != "gladly" {
		t.Errorf("it is not shown for what it is: %+v", v.Responses)
	}
}

// Two answers that contradict each other both stand, the newest first.
func TestConflict(t *testing.T) {
	w := newWorld(t)
	m := w.say(india, &Text{Text: "x"}, parley.Flash, pakistan)
	w.at("01:00").answer(pakistan, m, Wilco, "")
	w.at("02:00").answer(pakistan, m, Negative, "")
	v := w.message(india, m)
	if !v.Addressees[0].Conflict || len(v.Responses) != 2 || v.Responses[0].Code != Negative || len(v.Notes) != 1 {
		t.Errorf("%+v\n%+v\n%q", v.Addressees, v.Responses, v.Notes)
	}
}

// What cannot change an earlier message is shown with the reason.
func TestWithoutEffect(t *testing.T) {
	w := newWorld(t)
	m := w.say(india, &Text{Text: "x"}, parley.Flash, pakistan)
	for _, c := range []struct {
		by   parley.Party
		text Text
		want string
	}{
		{pakistan, Text{Relation: Cancels}, "which is by India"},
		{india, Text{Type: Exercise, Relation: Cancels}, "of type operation"},
		{pakistan, Text{Type: Exercise, Relation: Reply}, "of type operation"},
		{saudi, Text{Relation: Reply}, "not from a reader"},
	} {
		c.text.About = &m
		r := w.put(c.by, Draft(&c.text, parley.Flash, parley.ToAll))
		if v := w.message(india, m); v.Withdrawn != nil || v.Addressees[0].Step != StepSent {
			t.Errorf("%s by member %d changed the message: %+v", c.text.Relation, c.by, v)
		}
		if n := w.message(india, r).Notes; len(n) != 1 || !strings.Contains(n[0], c.want) {
			t.Errorf("notes %q, want one with %q", n, c.want)
		}
	}
	w.say(india, &Text{Text: "Not valid.", Relation: Cancels, About: &m}, parley.Flash, pakistan)
	if v := w.message(india, m); v.Withdrawn == nil {
		t.Error("its author's cancellation did not count")
	}
	same(t, w.duties(india, m), nil)
}

// What stands under a revoked key is shown and changes nothing.
func TestRevoked(t *testing.T) {
	w := newWorld(t)
	m := w.say(india, &Text{Text: "x"}, parley.Flash, pakistan)
	a := w.answer(pakistan, m, Wilco, "")
	d := New(w.c, india)
	w.all[0].tell(d)
	p := *w.all[1].posted
	p.Standing = parley.AfterRevocation
	d.Apply(p)
	v, _ := d.Message(m)
	if v.Addressees[0].Opened.Given() || len(v.Responses) != 1 || v.Responses[0].Ref != a || v.Responses[0].Counts {
		t.Errorf("%+v %+v", v.Addressees, v.Responses)
	}
	if d.life[pakistan] != 0 {
		t.Error("an entry under a revoked key proves life")
	}
	d.Apply(*w.all[1].posted) // its standing is mended
	if v, _ = d.Message(m); !v.Addressees[0].Opened.Given() {
		t.Error("the mended standing is not seen")
	}
}

// A proposal whose standing is mended stands in the registry, once.
func TestMendedProposal(t *testing.T) {
	w := newWorld(t)
	w.openLine(Line{Number: 1})
	d := New(w.c, india)
	for _, standing := range []parley.Standing{parley.AfterRevocation, parley.InForce, parley.InForce} {
		for _, e := range w.all {
			p := *e.posted
			p.Standing = standing
			d.Apply(p)
		}
	}
	if got := d.Lines(w.now); len(got) != 1 || got[0].Line == nil || len(got[0].Proposals) != 1 {
		t.Errorf("%+v", got)
	}
}

func TestMalformed(t *testing.T) {
	w := newWorld(t)
	r := w.put(india, parley.Draft{Lane: parley.Flash, Kind: KindText, Body: []byte{0x83, 0, 0}})
	info := Draft(&Text{Text: "x", Info: parley.AudienceOf(saudi)}, parley.Flash, parley.AudienceOf(pakistan))
	w.put(india, info)
	d := w.desks[pakistan]
	v := w.message(pakistan, r)
	if d.Malformed() != 2 || v.Text != nil || v.Malformed == nil || len(d.Due(w.now)) != 0 {
		t.Errorf("%d malformed, %+v", d.Malformed(), v)
	}
	if got := parley.CodeOf(d.Messages(Filter{})[0].Malformed); got != CodeInfo {
		t.Errorf("an info addressee who is no reader: %s", got)
	}
}

func TestFilter(t *testing.T) {
	w := newWorld(t)
	w.openLine(Line{Number: 1})
	a := w.at("01:00").say(india, &Text{Line: 1, Text: "a"}, parley.Flash, pakistan)
	w.at("02:00").say(pakistan, &Text{Text: "b"}, parley.Deferred, india)
	c := w.at("03:00").say(india, &Text{Text: "c"}, parley.Routine)
	list := func(f Filter) string {
		s := ""
		for _, m := range w.desks[india].Messages(f) {
			s += m.Text.Text
		}
		return s
	}
	for want, f := range map[string]Filter{
		"cba": {}, "a": {Line: 1}, "ca": {Author: india}, "b": {Reader: india}, "c": {Limit: 1}, "ba": {Before: unix(clock("2025-05-10T03:00Z"))},
	} {
		if got := list(f); got != want {
			t.Errorf("%+v lists %q, want %q", f, got, want)
		}
	}
	w.answer(pakistan, a, Roger, "")
	if got := list(Filter{Open: true}); got != "c" { // DEFERRED has no handling time
		t.Errorf("open: %q", got)
	}
	_ = c
}
