package hotline

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"parley"
)

func ref(p parley.Party, i uint64) *parley.Ref {
	return &parley.Ref{Party: p, Lane: parley.Flash, Gen: parley.Gen{7}, Index: i, Leaf: parley.Hash{1, 2, 3}}
}

// bodies use every field of every kind.
func bodies() []Body {
	return []Body{
		&Text{Text: "a"},
		&Text{Type: Exercise, Line: 2, Text: "خط پر رابطہ\n\tहॉटलाइन", Subject: "subject", Ack: AckSubstantive, ReplyBy: 1746862200,
			Relation: Corrects, About: ref(1, 4), Paragraphs: []uint16{2, 9}, Info: parley.AudienceOf(3), InfoLane: parley.Routine,
			Citations: []Citation{{ref(2, 1), ""}, {nil, "our note of 8 May"}, {ref(1, 3), "paragraph 2"}},
			Handling:  NoRelay, Language: "ur-PK", Governs: true, Reservation: "Without prejudice.", Drafter: "desk officer", Releaser: "director"},
		&Text{Text: "", Releaser: "director"},
		&Answer{*ref(1, 2), Declined, "no reason"},
		&Line{Number: 1, Serial: 1, Name: "military", Level: "military operations", Members: parley.AudienceOf(1, 2), Medium: Voice,
			Schedule: &Schedule{First: 2, Start: 5, Every: 86400}, Holidays: []uint32{20000, 20001}, Next: 2, Grace: 600},
		&Line{Number: 2, Serial: 3, Name: "advisers", Members: parley.AudienceOf(1, 2, 20),
			Schedule: &Schedule{First: 20, Days: 0b0000010, Minutes: []uint16{0, 1439}}, Grace: 60},
		&Line{Number: 99, Serial: 1, Name: "x", Members: parley.AudienceOf(1, 2)},
		&Attempt{Exercise, 1, 2, parley.AudienceOf(1), 1746848700, NoAnswer, "rang twelve times"},
		&Query{Drill, 1, DidYouOpen, ref(1, 2), ""},
		&Query{Operation, 0, DidYouSend, nil, "A call at 20:00Z."},
		&Translation{About: *ref(1, 2), Language: "ur", Text: "خط پر رابطہ"},
		&Translation{*ref(2, 2), "hi-Deva-IN", Machine, "1. एक\n\t2. दो", "विषय", ""},
		&Translation{*ref(1, 7), "en", Official, "x", "", "Ministry, translation service"},
	}
}

func TestBodiesRoundTrip(t *testing.T) {
	for _, b := range bodies() {
		got, err := Parse(b.Kind(), b.Encode())
		if err != nil || !reflect.DeepEqual(got, b) {
			t.Errorf("%+v\nbecame %+v (%v)", b, got, err)
		}
	}
}

func TestTextIsShort(t *testing.T) {
	m := &Text{Line: 1, Type: Exercise, Text: strings.Repeat("x", 160)}
	if n := len(m.Encode()) - 160; n != 5 {
		t.Errorf("a plain message of 160 characters costs %d bytes over its text, not 5", n)
	}
}

// Names read back, and no two are alike.
func TestNames(t *testing.T) {
	check := func(names []string, parse func(string) (int, error)) {
		t.Helper()
		for i, n := range names {
			if n == "" {
				continue
			}
			if got, err := parse(strings.ToUpper(n)); err != nil || got != i {
				t.Errorf("%q reads as %d (%v), not %d", n, got, err, i)
			}
			if slices.Index(names, n) != i {
				t.Errorf("%q stands for two things", n)
			}
		}
		if _, err := parse(""); err == nil {
			t.Error("the empty word is read as a name")
		}
	}
	check(typeNames, func(s string) (int, error) { v, err := ParseType(s); return int(v), err })
	check(ackNames, func(s string) (int, error) { v, err := ParseAck(s); return int(v), err })
	check(handlingNames, func(s string) (int, error) { v, err := ParseHandling(s); return int(v), err })
	check(relationNames, func(s string) (int, error) { v, err := ParseRelation(s); return int(v), err })
	check(codeNames, func(s string) (int, error) { v, err := ParseCode(s); return int(v), err })
	check(outcomeNames, func(s string) (int, error) { v, err := ParseOutcome(s); return int(v), err })
	check(askNames, func(s string) (int, error) { v, err := ParseAsk(s); return int(v), err })
	check(statusNames, func(s string) (int, error) { v, err := ParseStatus(s); return int(v), err })
	check(mediumNames, func(s string) (int, error) { v, err := ParseMedium(s); return int(v), err })
}

// The schedule's arithmetic agrees with counting day by day.
func TestSchedule(t *testing.T) {
	start := unix(clock("2025-05-08T12:30Z")) // a Thursday
	for _, s := range []*Schedule{
		{First: 2, Start: start, Days: 0b0000010, Minutes: []uint16{8 * 60}}, // Tuesdays 08:00
		{First: 1, Start: start, Days: 0b1111111, Minutes: []uint16{0, 12*60 + 30, 1439}},
		{First: 1, Days: 0b1000000, Minutes: []uint16{60}},
		{First: 1, Start: start, Every: 86400},
		{First: 1, Start: start, Every: 301},
	} {
		l := &Line{Members: parley.AudienceOf(1, 2), Schedule: s}
		n := s.count(start - 1)
		if s.Start != 0 && n != 0 {
			t.Errorf("%+v: %d tests before its start", s, n)
		}
		for at := start; at < start+15*day; at += 60 {
			hit := s.Every != 0 && (at-s.Start)%uint64(s.Every) == 0
			weekday := (at/day + 3) % 7 // 1 January 1970 was a Thursday
			if s.Days&(1<<weekday) != 0 && slices.Contains(s.Minutes, uint16(at%day/60)) {
				hit = true
			}
			before := n
			n = s.count(at)
			if s.Every == 301 {
				continue
			}
			if hit != (n == before+1) || n < before || n > before+1 {
				t.Fatalf("%+v at %s: hit %v, %d then %d tests", s, zulu(at), hit, before, n)
			}
			if hit {
				if got := l.slot(n - 1); got.at != at {
					t.Fatalf("%+v: test %d at %s, want %s", s, n-1, zulu(got.at), zulu(at))
				}
			}
		}
		for i := range uint64(5) {
			a, b := l.slot(i), l.slot(i+1)
			if s.count(a.at) != i+1 || s.count(b.at-1) != i+1 || a.caller == b.caller || i == 0 && a.caller != s.First {
				t.Fatalf("%+v: tests %d and %d: %+v %+v", s, i, i+1, a, b)
			}
		}
	}
}

func TestBanner(t *testing.T) {
	for typ, want := range map[Type]string{Operation: "", Exercise: "EXERCISE EXERCISE EXERCISE", Drill: "DRILL DRILL DRILL", Test: "TEST TEST TEST"} {
		if got := typ.Banner(); got != want {
			t.Errorf("%s: banner %q", typ, got)
		}
	}
}
