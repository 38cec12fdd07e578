package hotline

import (
	"slices"
	"strings"
	"testing"
	"time"

	"parley"
)

func same(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

// The call of 10 May 2025 that was not answered at 09:15 Indian time: clock,
// escalation to the next line, talk four hours later.
func TestUnansweredCall(t *testing.T) {
	w := newWorld(t)
	w.openLine(Line{Number: 1, Level: "military operations", Medium: Voice, Next: 3})
	w.openLine(Line{Number: 3, Level: "ministries", Medium: Voice})
	w.at("03:46")
	call := w.say(pakistan, &Attempt{Line: 1, Caller: pakistan, Called: parley.AudienceOf(india), At: unix(clock("2025-05-10T03:45Z")), Outcome: NoAnswer}, parley.Flash)
	same(t, w.duties(india, call), []string{"1 call-back 03:55", "2 escalate 03:55"})
	w.at("04:30")
	same(t, w.duties(india, call), []string{"1 call-back 03:55 late", "2 escalate 03:55 late"})
	v := w.health(1, CauseUnknown)
	if !slices.Equal(v.Condition.Silent, []parley.Party{india}) || !strings.Contains(v.Condition.Text, "as Pakistan recorded") {
		t.Errorf("the silence is not stated as its recorder's word: %+v", v.Condition)
	}

	w.say(pakistan, &Attempt{Line: 3, Caller: pakistan, Called: parley.AudienceOf(india), At: unix(w.now), Outcome: Connected}, parley.Flash)
	same(t, w.duties(india, call), []string{"1 call-back 03:55 late"}) // the line itself is not answered yet
	w.at("07:46")
	talk := w.say(india, &Attempt{Line: 1, Caller: india, Called: parley.AudienceOf(pakistan), At: unix(clock("2025-05-10T07:45Z")), Outcome: Connected}, parley.Flash)
	w.answer(pakistan, talk, Affirm, "")
	w.health(1, Alive)
	same(t, w.duties(india, call), nil)
	c := w.desks[pakistan].Calls(Filter{Line: 1})
	if first := c[len(c)-1]; first.Ref != call || first.Waited != 4*time.Hour {
		t.Errorf("waited %v after the first attempt, want 4 h", first.Waited)
	}
}

// Trying the next line ends the caller's duty, not that of the one called.
func TestEscalation(t *testing.T) {
	w := newWorld(t)
	w.openLine(Line{Number: 1, Medium: Voice, Next: 3})
	w.openLine(Line{Number: 3, Medium: Voice})
	w.at("03:45")
	to := parley.AudienceOf(india)
	call := w.say(pakistan, &Attempt{Line: 1, Caller: pakistan, Called: to, At: unix(w.now), Outcome: NoAnswer}, parley.Flash)
	w.at("04:00")
	again := w.say(pakistan, &Attempt{Line: 1, Caller: pakistan, Called: to, At: unix(w.now), Outcome: Busy}, parley.Flash)
	same(t, w.duties(india, again), nil) // the first call's clock counts
	w.say(pakistan, &Text{Line: 3, Text: "Line 1 does not answer."}, parley.Immediate, india)
	same(t, w.duties(pakistan, call), []string{"1 call-back 03:55 late"})
	w.answer(india, call, Declined, "not now")
	same(t, w.duties(pakistan, call), nil) // declined is an answer
}

// A call that was refused is not an unanswered one (February 2023).
func TestDeclinedIsNotUnanswered(t *testing.T) {
	w := newWorld(t)
	w.openLine(Line{Number: 1, Medium: Voice})
	w.at("10:00")
	call := w.say(india, &Attempt{Line: 1, Caller: india, Called: parley.AudienceOf(pakistan), At: unix(w.now), Outcome: Refused}, parley.Flash)
	ask := w.say(india, &Text{Line: 1, Text: "Request a talk.", ReplyBy: unix(w.now) + 1800}, parley.Flash, pakistan)
	w.receipt(pakistan, ask)
	if v := w.lineOf(india, 1); v.Condition.Health == CauseUnknown || v.Condition.Silent != nil {
		t.Errorf("a refused call counts as silence: %+v", v.Condition)
	}
	same(t, w.duties(india, call), nil)
	same(t, w.duties(india, ask), []string{"2 open 10:10", "2 answer 10:30"})
	w.at("10:05")
	w.answer(pakistan, ask, Declined, "The atmosphere is not right.")
	same(t, w.duties(india, ask), nil)
	a := w.reader(india, ask, pakistan)
	if a.Step != StepDeclined || a.Waiting || a.Answered.Given() {
		t.Errorf("declined: %+v", a)
	}
	w.health(1, Alive) // who declines is alive
}

// A hoax caller (November 2008): anybody may ask "did you send this?", and the
// answer is the one asked's own.
func TestDidYouSendThis(t *testing.T) {
	w := newWorld(t)
	w.at("2008-11-28T20:00Z")
	q := w.say(pakistan, &Query{Ask: DidYouSend, Text: "A caller who says he speaks for your ministry threatens force."}, parley.Flash, india)
	w.receipt(india, q)
	same(t, w.duties(pakistan, q), []string{"1 confirm 20:10"})
	w.answer(india, q, Negative, "No such call was made.")
	same(t, w.duties(pakistan, q), nil)
	qs := w.desks[pakistan].Questions(Filter{})
	if len(qs) != 1 || qs[0].Addressees[0].Waiting || qs[0].Responses[0].Code != Negative {
		t.Errorf("question: %+v", qs[0])
	}
}

// The missed morning call of 4 October 2022: another line works, the afternoon
// call is answered, and the cause was never known.
func TestMissedMorningCall(t *testing.T) {
	w := newWorld(t)
	w.at("2022-10-03T00:00Z")
	week := &Schedule{First: india, Start: unix(w.now), Days: 0b11111, Minutes: []uint16{0, 8 * 60}} // 09:00 and 17:00 in Seoul
	w.openLine(Line{Number: 1, Name: "liaison", Medium: Voice, Schedule: week, Grace: 900})
	w.openLine(Line{Number: 2, Name: "military", Medium: Voice})
	test := func(line uint8, answered bool) {
		a := &Attempt{Type: Test, Line: line, Caller: india, Called: parley.AudienceOf(pakistan), At: unix(w.now), Outcome: NoAnswer}
		if answered {
			a.Outcome = Connected
		}
		r := w.say(india, a, parley.Routine)
		if answered {
			w.answer(pakistan, r, Affirm, "")
		}
	}
	w.at("08:00")
	test(1, true)
	w.health(1, Alive)
	w.at("2022-10-04T00:01Z")
	test(1, false)
	w.at("00:30")
	w.health(1, CauseUnknown)
	w.at("01:00")
	test(2, true)
	v := w.health(1, Degraded)
	if !strings.Contains(v.Condition.Text, "heard on line 2") || !strings.Contains(v.Condition.Text, "Cause unknown") {
		t.Errorf("the other line is not named, or a cause is: %s", v.Condition.Text)
	}
	w.health(2, Alive)
	w.at("08:01")
	test(1, true)
	w.health(1, Alive)
}

// A date of the joint calendar excuses a missed test; after three tests missed
// with no life anywhere the line is down, and still nobody says why.
func TestTestsMissed(t *testing.T) {
	w := newWorld(t)
	start := unix(w.now)
	holiday := uint32(start/day) + 1
	w.openLine(Line{Number: 1, Grace: 600, Holidays: []uint32{holiday},
		Schedule: &Schedule{First: pakistan, Start: start + 3600, Every: day}})
	v := w.lineOf(india, 1)
	if v.Caller != pakistan || v.NextTest != start+3600 {
		t.Errorf("first test: caller %d at %d", v.Caller, v.NextTest)
	}
	line := v.Ref
	w.at("00:30")
	same(t, w.duties(india, line), []string{"2 test 01:10"})
	w.at("01:05")
	probe := w.say(pakistan, &Text{Type: Test, Line: 1, Text: "The quick brown fox.", Ack: AckDutyOfficer}, parley.Routine, india)
	w.answer(india, probe, Opened, "")
	same(t, w.duties(india, line), nil)
	w.health(1, Alive)

	w.at("2025-05-11T02:00Z") // the holiday; India's turn
	same(t, w.duties(india, line), nil)
	w.health(1, Alive)
	w.at("2025-05-12T00:59Z")
	same(t, w.duties(india, line), []string{"2 test 01:10"})
	w.at("01:11")
	same(t, w.duties(india, line), []string{"2 test 01:10 late"})
	v = w.health(1, CauseUnknown)
	if len(v.Condition.Silent) != 2 {
		t.Errorf("both were silent at the test: %+v", v.Condition)
	}
	w.at("2025-05-14T01:11Z")
	v = w.health(1, Down)
	if !strings.Contains(v.Condition.Text, "Cause unknown") {
		t.Error(v.Condition.Text)
	}
	w.receipt(india, probe) // a node proves life
	w.receipt(pakistan, probe)
	w.health(1, Degraded)
}

// An old entry that arrives by a detour proves nothing about now, and neither
// does one dated in the future.
func TestProofOfLifeIsBounded(t *testing.T) {
	d := New(testCharter(), india)
	e := Draft(&Text{Line: 1, Text: "x"}, parley.Routine, parley.ToAll).Entry(time.Unix(1000, 0), nil)
	d.Apply(parley.Posted{Ref: parley.Ref{Party: pakistan, Lane: 3}, Entry: e, Stored: time.Unix(9000, 0)})
	if got := d.lastOn(1, pakistan); got != 1000 {
		t.Errorf("an entry of 1000 that came at 9000 proves life at %d", got)
	}
	e = Draft(&Text{Line: 1, Text: "x"}, parley.Routine, parley.ToAll).Entry(time.Unix(90000, 0), nil)
	d.Apply(parley.Posted{Ref: parley.Ref{Party: pakistan, Lane: 3, Index: 1}, Entry: e, Stored: time.Unix(9500, 0)})
	if got := d.life[pakistan]; got != 9500 {
		t.Errorf("an entry dated 90000 that came at 9500 proves life at %d", got)
	}
}

// What is played in an exercise never changes the state that is meant.
func TestPlayedSilence(t *testing.T) {
	w := newWorld(t)
	w.openLine(Line{Number: 1, Medium: Voice})
	a := w.say(india, &Text{Line: 1, Text: "x"}, parley.Routine, pakistan)
	w.answer(pakistan, a, Roger, "")
	w.at("01:00")
	w.say(india, &Attempt{Type: Exercise, Line: 1, Caller: india, Called: parley.AudienceOf(pakistan), At: unix(w.now), Outcome: Cut}, parley.Flash)
	v := w.health(1, Alive)
	if v.Played == nil || v.Played.Health != Down || !strings.HasPrefix(v.Played.Text, "EXERCISE") {
		t.Errorf("played: %+v", v.Played)
	}
	w.say(india, &Attempt{Line: 1, Caller: india, Called: parley.AudienceOf(pakistan), At: unix(w.now), Outcome: Cut}, parley.Flash)
	w.health(1, Down)
}

func TestLineInForce(t *testing.T) {
	w := newWorld(t)
	both := parley.AudienceOf(india, pakistan)
	l := &Line{Number: 4, Serial: 1, Name: "coast guards", Members: both}
	r := w.say(india, l, parley.Routine)
	w.health(4, NotInForce)
	w.refused(CodeNoLine, india, &Text{Line: 4, Text: "x"}, pakistan)
	w.put(saudi, Draft(&Answer{r, Wilco, ""}, parley.Routine, parley.ToAll)) // no member of the line
	w.health(4, NotInForce)
	w.answer(pakistan, r, Roger, "")
	w.health(4, NotInForce)
	w.at("01:00").answer(pakistan, r, Wilco, "")
	if v := w.health(4, Untested); v.Since != unix(w.now) {
		t.Errorf("in force since %d", v.Since)
	}
	w.refused(CodeNotOnLine, saudi, &Text{Line: 4, Text: "x"}, pakistan)
	w.refused(CodeLineSerial, india, l)

	changed := *l
	changed.Serial, changed.Name = 2, "coast guards and navies"
	r2 := w.at("02:00").say(pakistan, &changed, parley.Routine)
	if v := w.health(4, Untested); v.Line.Serial != 1 {
		t.Error("a change holds before it is accepted")
	}
	w.at("03:00").answer(india, r2, Wilco, "")
	if v := w.health(4, Untested); v.Line.Serial != 2 {
		t.Error("the accepted change does not hold")
	}
	w.at("04:00").answer(india, r2, Negative, "withdrawn")
	if v := w.health(4, Untested); v.Line.Serial != 1 {
		t.Error("after the withdrawal the older wording does not hold")
	}
}

// Two accepted wordings of one serial: neither holds, nothing is resolved.
func TestLineClash(t *testing.T) {
	w := newWorld(t)
	both := parley.AudienceOf(india, pakistan)
	p := Draft(&Line{Number: 1, Serial: 1, Name: "a", Members: both}, parley.Routine, parley.ToAll)
	q := Draft(&Line{Number: 1, Serial: 1, Name: "b", Members: both}, parley.Routine, parley.ToAll)
	a, b := w.put(india, p), w.put(pakistan, q) // at the same time
	w.answer(pakistan, a, Wilco, "")
	if v := w.health(1, Untested); v.Line.Name != "a" || v.Clash {
		t.Errorf("%+v", v)
	}
	w.answer(india, b, Wilco, "")
	if v := w.health(1, NotInForce); !v.Clash {
		t.Error("the clash is not shown")
	}
}
