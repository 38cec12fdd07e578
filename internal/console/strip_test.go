package console

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/docket"
	"parley/hotline"
	"parley/internal/node"
)

// desk is a docket of member 1 that a test tells what happened.
type desk struct {
	c    *parley.Charter
	d    *docket.Docket
	now  time.Time
	size map[[2]uint8]uint64
}

func newDesk() *desk {
	c := &parley.Charter{Name: "test", Rules: parley.DefaultRules(), Members: []parley.Member{{Index: 1, Name: "India"}, {Index: 2, Name: "Pakistan"},
		{Index: 3, Role: parley.RoleMediator, Name: "Saudi Arabia"}}}
	return &desk{c, docket.New(c, 1), time.Date(2026, 5, 10, 4, 0, 0, 0, time.UTC), map[[2]uint8]uint64{}}
}

func (x *desk) say(by parley.Party, b hotline.Body, lane parley.Lane) parley.Ref {
	k := [2]uint8{uint8(by), uint8(lane)}
	r := parley.Ref{Party: by, Lane: lane, Gen: parley.Gen{byte(by)}, Index: x.size[k], Leaf: parley.Hash{byte(by), byte(lane), byte(x.size[k])}}
	x.size[k]++
	x.d.Apply(parley.Posted{Ref: r, Entry: hotline.Draft(b, lane, parley.ToAll).Entry(x.now, nil), Stored: x.now})
	return r
}

func (x *desk) line(number uint8) {
	r := x.say(1, &hotline.Line{Number: number, Serial: 1, Name: "line", Level: "l", Members: parley.AudienceOf(1, 2), Grace: 300,
		Schedule: &hotline.Schedule{First: 2, Start: uint64(x.now.Unix()) + 3600, Every: 3600}}, parley.Routine)
	x.say(2, &hotline.Answer{About: r, Code: hotline.Wilco}, parley.Routine)
}

func (x *desk) strip() *Strip { return facts(node.View{Docket: x.d, Now: x.now}, x.c, 1) }

// The strip's state follows the desks' proofs, and silence never looks calm.
func TestStripStates(t *testing.T) {
	x := newDesk()
	want := func(what, state string) *Strip {
		t.Helper()
		s := x.strip()
		if s.State != state {
			t.Errorf("%s: %q, want %q", what, s.State, state)
		}
		return s
	}
	s := want("nobody was ever heard", "stale")
	if !s.Proof.IsZero() || s.ProofBy != "Pakistan" {
		t.Errorf("proof %v by %q", s.Proof, s.ProofBy)
	}
	x.say(2, &hotline.Text{Text: "x"}, parley.Routine)
	want("no line is in force", "none")
	x.line(1)
	want("a new line", "untested")
	both := func() {
		for p := range parley.Party(2) {
			x.say(p+1, &hotline.Text{Line: 1, Text: "test"}, parley.Routine)
		}
	}
	both()
	if s := want("both heard on it", "alive"); s.Number != 1 || s.Test.IsZero() || s.Caller != "Pakistan" {
		t.Errorf("line %d, test %v by %q", s.Number, s.Test, s.Caller)
	}
	x.now = x.now.Add(2*time.Minute + slack - time.Second)
	s = want("within two heartbeats", "alive")
	if !s.StaleAt.After(x.now) {
		t.Errorf("it turns at %v, now is %v", s.StaleAt, x.now)
	}
	x.now = x.now.Add(2 * time.Second)
	if s := want("after them", "stale"); s.StaleAt.After(x.now) {
		t.Error("the browser would not have turned it")
	}
	x.now = x.now.Add(time.Hour + 10*time.Minute)
	want("a test was missed", "cause-unknown")
	x.now = x.now.Add(4 * time.Hour)
	want("three were", "down")
	both()
	want("heard again", "alive")
	x.line(2)
	x.say(1, &hotline.Attempt{Line: 2, Caller: 1, Called: parley.AudienceOf(2), At: uint64(x.now.Unix()), Outcome: hotline.Cut}, parley.Immediate)
	if s := want("another line is cut", "down"); s.Number != 2 || s.More != 1 {
		t.Errorf("the strip shows line %d and %d more", s.Number, s.More)
	}
}

// A clock that is behind is no silence.
func TestStripSkew(t *testing.T) {
	x := newDesk()
	s := &Strip{Rest: 60, Now: x.now}
	x.d.Apply(parley.Posted{Ref: parley.Ref{Party: 2, Lane: 3}, Stored: x.now,
		Entry: hotline.Draft(&hotline.Text{Text: "x"}, parley.Routine, parley.ToAll).Entry(x.now.Add(-10*time.Minute), nil)})
	s.proofs(x.d.Hotline, x.c, []parley.Party{2}, map[parley.Party]int64{2: -600})
	if s.State == "stale" || !s.StaleAt.After(x.now) {
		t.Errorf("a peer whose clock is ten minutes behind: %q until %v", s.State, s.StaleAt)
	}
}

// What waits in: what is meant before what is played, then by precedence and
// age; FLASH, IMMEDIATE and what is late sound.
func TestStripAlarms(t *testing.T) {
	x := newDesk()
	x.line(1)
	say := func(typ hotline.Type, lane parley.Lane) parley.Ref {
		x.now = x.now.Add(time.Second)
		return x.say(2, &hotline.Text{Line: 1, Type: typ, Text: "text"}, lane)
	}
	played := say(hotline.Exercise, parley.Flash)
	routine := say(hotline.Operation, parley.Routine)
	immediate := say(hotline.Operation, parley.Immediate)
	flash := say(hotline.Operation, parley.Flash)
	s := x.strip()
	var got []parley.Ref
	for _, a := range s.Alarms {
		got = append(got, a.Ref)
	}
	if !slices.Equal(got, []parley.Ref{flash, immediate, played}) {
		t.Errorf("alarms %v", got)
	}
	if s.Unopened != 4 || s.Oldest.Ref != flash || s.Oldest.Late || s.Oldest.From != "Pakistan" {
		t.Errorf("%d wait, first %+v", s.Unopened, s.Oldest)
	}
	x.now = x.now.Add(7 * time.Hour)
	if s := x.strip(); !slices.ContainsFunc(s.Alarms, func(a Unopened) bool { return a.Ref == routine && a.Late }) || s.Overdue != 4 {
		t.Errorf("after seven hours: %d overdue, alarms %+v", s.Overdue, s.Alarms)
	}
	for range 30 {
		say(hotline.Operation, parley.Flash)
	}
	if s := x.strip(); len(s.Alarms) != maxAlarms || s.Unopened != 34 {
		t.Errorf("%d alarms of %d", len(s.Alarms), s.Unopened)
	}
	mine := x.say(1, &hotline.Text{Line: 1, Text: "ours"}, parley.Priority)
	if s := x.strip(); s.Unanswered != 1 {
		t.Errorf("%d of ours wait, want 1 (%s)", s.Unanswered, mine)
	}
}

// The strip of the last day: what was not watched is no gap, a gap is, and the
// last one lasts.
func TestHistory(t *testing.T) {
	x := newDesk()
	x.line(1)
	x.now = x.now.Add(12 * time.Hour)
	began := x.now.Add(-6 * time.Hour)
	var beats []int64
	for m := range 6 * 60 {
		if m >= 100 && m < 130 || m >= 340 {
			continue
		}
		beats = append(beats, began.Unix()/60+int64(m))
	}
	var watched []int64
	for m := range 6*60 + 1 {
		if m < 200 || m >= 300 { // this node was stopped meanwhile
			watched = append(watched, began.Unix()/60+int64(m))
		}
	}
	beats = slices.DeleteFunc(beats, func(m int64) bool {
		return m >= began.Unix()/60+200 && m < began.Unix()/60+301 && m != began.Unix()/60+250
	})
	beats = append(beats, x.now.Add(-20*time.Hour).Unix()/60) // from the record, of before this console began
	h := history(x.d.Hotline, 1, 2, "Pakistan", slices.Sorted(slices.Values(beats)), watched, x.now, 2*time.Minute)
	var got []string
	for _, g := range slices.Backward(h.Gaps) {
		until := "now"
		if !g.Until.IsZero() {
			until = g.Until.Sub(began).String()
		}
		got = append(got, fmt.Sprintf("%v to %s silent %v", g.From.Sub(began), until, g.Silent))
	}
	want := []string{"-18h0m0s to -14h0m0s silent false", "-13h59m0s to 0s silent false", "1h40m0s to 2h10m0s silent true",
		"3h20m0s to 4h10m0s silent false", "4h11m0s to 5h1m0s silent false", "5h40m0s to now silent true"}
	if !slices.Equal(got, want) || h.Silent != 2 {
		t.Fatalf("pauses\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !covered(h) {
		t.Error("a minute is drawn twice, or a silence is drawn as anything")
	}
	if h.Entries != 0 || len(h.Ticks) != 0 { // the answer to the proposal stands on no line
		t.Errorf("%d entries", h.Entries)
	}
	for _, sp := range h.Spans {
		if sp.X < 0 || sp.Width < 1 || sp.X+sp.Width > daySpan+1 {
			t.Errorf("a span %+v", sp)
		}
	}
	if empty := history(x.d.Hotline, 1, 2, "Pakistan", nil, []int64{x.now.Unix() / 60}, x.now, time.Minute); empty.Silent != 0 || len(empty.Unknown) != 1 || empty.Unknown[0] != (Span{0, daySpan + 1}) {
		t.Errorf("a console that has just begun: %+v", empty)
	}
}

// covered reports that every minute is drawn once, or not at all as a silence.
func covered(h History) bool {
	var drawn [daySpan + 1]int
	for _, sp := range append(slices.Clone(h.Spans), h.Unknown...) {
		for x := sp.X; x < sp.X+sp.Width; x++ {
			drawn[x]++
		}
	}
	for _, g := range h.Gaps {
		for at := g.From; g.Silent && (at.Before(g.Until) || g.Until.IsZero() && !at.After(h.To)); at = at.Add(time.Minute) {
			drawn[int(at.Sub(h.From)/time.Minute)]++
		}
	}
	return !slices.ContainsFunc(drawn[:], func(n int) bool { return n != 1 })
}

// Zones come from the settings or the names; what is no zone is refused.
func TestZones(t *testing.T) {
	x := newDesk()
	zs, err := zonesOf(x.c, 1, map[string]string{"Pakistan": "-03:30"})
	if err != nil || len(zs) != 2 || zs[0].name != "India" || zs[1].name != "Pakistan" {
		t.Fatalf("%v %v", zs, err)
	}
	s := &Server{zones: zs}
	if got := s.clocks(x.now); got[0].Clock != "09:30" || got[0].Label != "IST" || got[1].Clock != "00:30" || got[1].Label != "-03:30" || got[1].Offset != -12600 {
		t.Errorf("%+v", got)
	}
	for _, bad := range []map[string]string{{"Pakistan": "noon"}, {"Pakistan": ""}, {"Nepal": "+05:45"}} {
		if _, err := zonesOf(x.c, 1, bad); parley.CodeOf(err) != CodeAddr {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// Without a certificate the console listens on loopback only.
func TestListensOnLoopbackOnly(t *testing.T) {
	for addr, ok := range map[string]bool{"127.0.0.1:0": true, "localhost:0": true, "[::1]:0": true, "0.0.0.0:0": false, ":0": false, "nonsense": false} {
		s := &Server{cfg: Config{Addr: addr}, hosts: map[string]bool{}, origin: map[string]bool{}}
		err := s.listen()
		if err == nil {
			s.ln.Close()
		}
		if err != nil && strings.Contains(err.Error(), "cannot assign requested address") {
			continue // a machine without that loopback
		}
		if (err == nil) != ok || err != nil && parley.CodeOf(err) != CodeAddr {
			t.Errorf("%s: %v", addr, err)
		}
		if err == nil && !strings.HasPrefix(s.URL(), "http://localhost:") {
			t.Errorf("%s: officers open %s", addr, s.URL())
		}
	}
}

// Places and cursors come back as they were written, and nothing else is read.
func TestPlaces(t *testing.T) {
	r := parley.Ref{Party: 2, Lane: parley.Immediate, Gen: parley.Gen{0xab, 1}, Index: 17}
	if got, ok := parsePlace(placeOf(r)); !ok || got != r {
		t.Errorf("%q is read as %v", placeOf(r), got)
	}
	c := &hotline.Cursor{Order: 99, Ref: r}
	if got := parseCursor(formatCursor(c)); got == nil || *got != *c {
		t.Errorf("%q is read as %+v", formatCursor(c), got)
	}
	for _, bad := range []string{"", "2-flash-17", "0-flash-0000000000000000-1", "99-flash-0000000000000000-1", "2-loud-0000000000000000-1", "2-flash-00-1", "2-flash-0000000000000000--1", "2-flash-0000000000000000-1-1"} {
		if _, ok := parsePlace(bad); ok {
			t.Errorf("%q is read", bad)
		}
	}
	for _, bad := range []string{"", "x", "1-", "x-" + placeOf(r)} {
		if parseCursor(bad) != nil {
			t.Errorf("the cursor %q is read", bad)
		}
	}
}

// Only the number of the entry acknowledges it.
func TestSameNumber(t *testing.T) {
	r := parley.Ref{Party: 2, Lane: parley.Flash, Index: 17}
	for typed, want := range map[string]bool{"2/FLASH/17": true, " 2/flash/17\n": true, "2 / Flash / 17": true, r.Long(): true, "2/FLASH/1": false, "2/FLASH/171": false, "17": false, "": false, "\u202e2/FLASH/17": true} {
		if sameNumber(typed, r) != want {
			t.Errorf("%q: %v", typed, !want)
		}
	}
}

// Agreed phrases are translated paragraph by paragraph; nothing else is.
func TestTranslations(t *testing.T) {
	text := phrases[1].en + "\n\nAt 0412Z."
	got := translations(text, "en", "ur")
	if len(got) != 1 || got[0].Whole || got[0].Dir != "rtl" || got[0].Parts[0].Text != phrases[1].ur || got[0].Parts[1] != (TranslatedPart{Text: "At 0412Z."}) {
		t.Errorf("%+v", got)
	}
	if got := translations(text, "en", "en"); got != nil {
		t.Errorf("into its own language: %+v", got)
	}
	if got := translations("Something else.", "en", "hi"); got != nil {
		t.Errorf("no phrase: %+v", got)
	}
	seen := map[string]bool{}
	for _, p := range phrases {
		for _, s := range []string{p.code, p.en, p.hi, p.ur} {
			if s == "" || seen[s] {
				t.Errorf("%s: %q is empty or stands twice", p.code, s)
			}
			seen[s] = true
		}
	}
}
