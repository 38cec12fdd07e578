package hotline

import (
	"slices"
	"testing"
	"time"

	"parley"
)

func texts(d *Desk, refs []parley.Ref) (out []string) {
	for _, r := range refs {
		if m, ok := d.Message(r); ok && m.Text != nil {
			out = append(out, m.Text.Text)
		}
	}
	return out
}

// Pages of a timeline hold every entry of the line once, newest first, in the
// same order on every desk; an entry that claims to be older than the one
// before it in its log stands behind that one.
func TestTimelinePages(t *testing.T) {
	w := newWorld(t)
	w.openLine(Line{Number: 1})
	w.openLine(Line{Number: 2})
	one := uint8(1)
	var want []string
	for i := range 40 {
		w.now = w.now.Add(time.Minute)
		by, text := india, "m"+string(rune('A'+i))
		if i%3 == 0 {
			by = pakistan
		}
		w.skew = 0
		if i == 20 {
			w.skew = -time.Hour // a clock that went back: the order of its log holds
		}
		lane := parley.Lane(i % 2)
		if i == 19 || i == 20 {
			lane = parley.Flash
		}
		w.say(by, &Text{Line: 1, Text: text}, lane)
		w.skew = 0
		w.say(by, &Text{Line: 2, Text: "other"}, lane)
		want = append(want, text)
	}
	slices.Reverse(want)
	for _, p := range []parley.Party{india, pakistan} {
		var got []string
		tl := Timeline{Line: &one, Kinds: []parley.Kind{KindText}, Limit: 7}
		for pages := 0; ; pages++ {
			s := w.desks[p].Stretch(tl)
			got = append(got, texts(w.desks[p], s.Refs)...)
			if len(s.Refs) > 7 || pages > 10 {
				t.Fatalf("page %d of %d entries", pages, len(s.Refs))
			}
			if tl.Before = s.Next; s.Next == nil {
				break
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%d entries on the pages, want %d: %v", len(got), len(want), got)
		}
		slices.Sort(got)
		if len(slices.Compact(got)) != len(want) {
			t.Errorf("an entry stands twice: %v", got)
		}
	}
	all := func(p parley.Party) []parley.Ref { return w.desks[p].Stretch(Timeline{Line: &one}).Refs }
	if !slices.Equal(all(india), all(pakistan)) {
		t.Error("the desks differ in the order")
	}
	got := texts(w.desks[india], all(india))
	if i, j := slices.Index(got, want[40-1-18]), slices.Index(got, want[40-1-20]); i < j {
		t.Errorf("%q of the clock that went back stands behind what its log holds before it: %v", want[40-1-20], got)
	}
}

// The order does not depend on the order of arrival of the logs.
func TestTimelineArrival(t *testing.T) {
	w := newWorld(t)
	w.openLine(Line{Number: 1})
	for i := range 30 {
		w.now = w.now.Add(time.Duration(i%5) * time.Second)
		w.skew = time.Duration(i%7-3) * time.Minute
		w.say([]parley.Party{india, pakistan}[i%2], &Text{Line: 1, Text: "x"}, parley.Lane(i%3))
	}
	late := New(w.c, saudi)
	logs := map[logKey][]event{}
	var keys []logKey
	for _, e := range w.all {
		if e.posted == nil {
			continue
		}
		k := keyOf(e.posted.Ref)
		if logs[k] == nil {
			keys = append(keys, k)
		}
		logs[k] = append(logs[k], e)
	}
	slices.Reverse(keys)
	for _, k := range keys { // one log after the other, as a start reads them
		for _, e := range logs[k] {
			e.tell(late)
		}
	}
	if a, b := w.desks[india].Stretch(Timeline{}), late.Stretch(Timeline{}); !slices.Equal(a.Refs, b.Refs) {
		t.Errorf("the order depends on the arrival:\n%v\n%v", a.Refs, b.Refs)
	}
}

// A search finds words in any case and says where to go on when its share of
// work is done.
func TestTimelineSearch(t *testing.T) {
	w := newWorld(t)
	w.say(pakistan, &Text{Text: "A convoy was HALTED."}, parley.Priority)
	for range 50 {
		w.now = w.now.Add(time.Second)
		w.say(india, &Text{Text: "quiet"}, parley.Priority)
	}
	d := w.desks[india]
	tl := Timeline{Words: "Convoy", Look: 20, Limit: 5}
	s := d.Stretch(tl)
	if len(s.Refs) != 0 || s.Next == nil {
		t.Fatalf("the first share: %+v", s)
	}
	for s.Next != nil {
		tl.Before = s.Next
		s = d.Stretch(tl)
	}
	if got := texts(d, s.Refs); !slices.Equal(got, []string{"A convoy was HALTED."}) {
		t.Errorf("found %v", got)
	}
	if got := d.Stretch(Timeline{Author: pakistan}); len(got.Refs) != 1 {
		t.Errorf("by author: %v", got.Refs)
	}
	if got := d.Stretch(Timeline{Types: []Type{Exercise}}); len(got.Refs) != 0 {
		t.Errorf("exercises: %v", got.Refs)
	}
}

// Messages cross if each was written before its author held the other's. Both
// halves are needed, and each is judged by one clock.
func TestCrossed(t *testing.T) {
	w := newWorld(t)
	w.openLine(Line{Number: 1})
	crossed := func(r parley.Ref) []parley.Ref { return w.desks[saudi].Crossed(r, 5) }

	w.at("01:00")
	a := w.say(india, &Text{Line: 1, Text: "a"}, parley.Flash)
	w.at("01:01")
	w.skew = -10 * time.Hour // Pakistan's clock is far off: its own times are compared with each other only
	b := w.say(pakistan, &Text{Line: 1, Text: "b"}, parley.Flash)
	w.skew = 0
	if got := crossed(a); !slices.Equal(got, []parley.Ref{b}) {
		t.Errorf("without receipts %v crossed with %v", got, a)
	}
	w.at("01:02")
	w.receipt(india, b)
	w.receiptAt(pakistan, a, w.now.Add(-10*time.Hour))
	if got := crossed(a); !slices.Equal(got, []parley.Ref{b}) {
		t.Errorf("with later receipts %v crossed with a", got)
	}
	if got := crossed(b); !slices.Equal(got, []parley.Ref{a}) {
		t.Errorf("crossing is not mutual: %v", got)
	}

	w.at("01:05")
	c := w.say(india, &Text{Line: 1, Text: "c, which knew b"}, parley.Flash)
	w.at("01:06")
	w.receiptAt(pakistan, c, w.now.Add(-10*time.Hour))
	w.at("01:07")
	w.skew = -10 * time.Hour
	d := w.say(pakistan, &Text{Line: 1, Text: "d, which knew c"}, parley.Flash)
	w.skew = 0
	if got := crossed(c); len(got) != 0 {
		t.Errorf("%v crossed with c, whose author held b and whose reader held c", got)
	}
	if got := crossed(d); len(got) != 0 {
		t.Errorf("%v crossed with d", got)
	}
	e := w.say(india, &Text{Line: 1, Type: Exercise, Text: "EXERCISE"}, parley.Flash)
	if got := crossed(e); len(got) != 0 {
		t.Errorf("an exercise crossed with %v", got)
	}
}

// receiptAt is a receipt with a time by its giver's own clock.
func (w *world) receiptAt(by parley.Party, r parley.Ref, at time.Time) {
	p := parley.Receipted{By: by, Head: parley.Head{Party: r.Party, Lane: r.Lane, Gen: r.Gen, Size: r.Index + 1}, Time: unix(at), Stored: w.now}
	for _, d := range w.desks {
		d.Proof(p)
	}
}

// What waits to be opened is listed by precedence, then age, until the member
// says anything about it; what it wrote and others owe about is counted.
func TestUnopened(t *testing.T) {
	w := newWorld(t)
	slow := w.say(pakistan, &Text{Text: "slow"}, parley.Priority)
	w.at("00:05")
	fast := w.say(pakistan, &Text{Text: "fast"}, parley.Flash)
	ask := w.say(pakistan, &Query{Ask: DidYouSend, Text: "Did you?"}, parley.Immediate)
	w.say(pakistan, &Text{Text: "bulk"}, parley.Deferred)
	refs := func() (out []parley.Ref) {
		for _, u := range w.desks[india].Unopened() {
			out = append(out, u.Ref)
		}
		return out
	}
	if got := refs(); !slices.Equal(got, []parley.Ref{fast, ask, slow}) {
		t.Fatalf("waiting: %v", got)
	}
	if u := w.desks[india].Unopened()[0]; !u.By.Equal(w.now.Add(10*time.Minute)) || u.Lane != parley.Flash {
		t.Errorf("the handling time: %+v", u)
	}
	if n := w.desks[pakistan].Unanswered(); n != 3 {
		t.Errorf("Pakistan waits for %d, want 3", n)
	}
	said := w.answer(india, fast, Opened, "by hand")
	w.answer(india, ask, Standby, "")
	if a, about, ok := w.desks[pakistan].AnswerOf(said); !ok || about != fast || a.Code != Opened || a.Text != "by hand" || !a.Counts {
		t.Errorf("the answer: %+v about %s", a, about)
	}
	if _, _, ok := w.desks[pakistan].AnswerOf(fast); ok {
		t.Error("a message is no answer")
	}
	if got := refs(); !slices.Equal(got, []parley.Ref{slow}) {
		t.Errorf("after two were opened: %v", got)
	}
}

// Openings measure from the reader's receipt to the reader's first word.
func TestOpenings(t *testing.T) {
	w := newWorld(t)
	w.openLine(Line{Number: 1})
	for i, wait := range []int{1, 3, 20, 0} {
		w.at([]string{"01:00", "02:00", "03:00", "04:00"}[i])
		r := w.say(pakistan, &Text{Line: 1, Text: "x"}, parley.Flash)
		w.receipt(india, r)
		if wait > 0 {
			w.now = w.now.Add(time.Duration(wait) * time.Minute)
			w.answer(india, r, Opened, "")
		}
	}
	o := w.desks[saudi].Openings(1, india, 100)[parley.Flash]
	if o.Opened != 3 || o.Waiting != 1 || o.Late != 1 || o.Median != 3*time.Minute || o.Longest != 20*time.Minute {
		t.Errorf("%+v", o)
	}
}

// A chain holds what belongs together, from wherever one looks.
func TestChain(t *testing.T) {
	w := newWorld(t)
	a := w.say(pakistan, &Text{Text: "a"}, parley.Priority)
	w.at("00:01")
	b := w.say(india, &Text{Text: "b", Relation: Reply, About: &a}, parley.Priority)
	w.at("00:02")
	c := w.say(india, &Text{Text: "c", Relation: Corrects, About: &b, Paragraphs: []uint16{1}}, parley.Priority)
	w.say(india, &Text{Text: "apart"}, parley.Priority)
	for _, from := range []parley.Ref{a, b, c} {
		if got := w.desks[india].Chain(from, 10); !slices.Equal(got, []parley.Ref{a, b, c}) {
			t.Errorf("from %s: %v", from, got)
		}
	}
	if got := w.desks[india].Chain(a, 2); len(got) != 2 {
		t.Errorf("bounded: %v", got)
	}
}

// Heard lists entries of one member on the line, and HeldBy since when a node
// holds an entry.
func TestHeard(t *testing.T) {
	w := newWorld(t)
	w.openLine(Line{Number: 1})
	w.at("05:00")
	r := w.say(pakistan, &Text{Line: 1, Text: "x"}, parley.Priority)
	w.at("05:10")
	w.say(pakistan, &Text{Text: "elsewhere"}, parley.Priority)
	if got := w.desks[india].Heard(1, pakistan, unix(clock("2025-05-10T04:00Z")), 10); !slices.Equal(got, []uint64{unix(clock("2025-05-10T05:00Z"))}) {
		t.Errorf("heard %v", got)
	}
	if _, ok := w.desks[saudi].HeldBy(india, r); ok {
		t.Error("held without a receipt")
	}
	w.receipt(india, r)
	if at, ok := w.desks[saudi].HeldBy(india, r); !ok || at != unix(w.now) {
		t.Errorf("held since %d, %v", at, ok)
	}
	if at, _ := w.desks[saudi].HeldBy(pakistan, r); at != unix(clock("2025-05-10T05:00Z")) {
		t.Errorf("its author holds it since %d", at)
	}
}

// A rule of a line holds for whatever is said on it: an answer and a
// translation belong to the line of what they are about.
func TestLineOf(t *testing.T) {
	w := newWorld(t)
	say := func(b Body) parley.Draft { return Draft(b, parley.Flash, parley.ToAll) }
	text := w.put(india, say(&Text{Type: Exercise, Line: 3, Text: "EXERCISE."}))
	loose := w.put(india, say(&Text{Type: Exercise, Text: "EXERCISE. On no line."}))
	proposal := w.put(india, say(&Line{Number: 5, Serial: 1, Name: "EXERCISE", Level: "x", Members: parley.AudienceOf(india, pakistan)}))
	translation := w.put(pakistan, say(&Translation{About: text, Language: "ur", Status: Courtesy, Text: "مشق۔"}))
	nobody := text
	nobody.Index = 99
	for _, c := range []struct {
		name string
		d    parley.Draft
		want uint8
	}{
		{"a text", say(&Text{Type: Exercise, Line: 2, Text: "EXERCISE."}), 2},
		{"a call", say(&Attempt{Type: Exercise, Line: 4, Caller: india, Called: parley.AudienceOf(pakistan), At: 1, Outcome: Connected}), 4},
		{"a proposal", say(&Line{Number: 7, Serial: 1, Name: "EXERCISE", Level: "x", Members: parley.AudienceOf(india, pakistan)}), 7},
		{"an answer to a text", say(&Answer{About: text, Code: Wilco}), 3},
		{"an answer to a text on no line", say(&Answer{About: loose, Code: Wilco}), 0},
		{"an answer to a proposal", say(&Answer{About: proposal, Code: Wilco}), 5},
		{"an answer about a translation", say(&Answer{About: translation, Code: SayAgain}), 3},
		{"a translation", say(&Translation{About: text, Language: "hi", Status: Courtesy, Text: "अभ्यास।"}), 3},
		{"a question about a text", say(&Query{Type: Exercise, Ask: DidYouSend, About: &text}), 3},
		{"a question about nothing here", say(&Query{Type: Exercise, Ask: DidYouSend, Text: "A call."}), 0},
		{"an answer to what is not here", say(&Answer{About: nobody, Code: Wilco}), 0},
		{"what is no body", parley.Draft{Lane: parley.Flash, Kind: KindText, To: parley.ToAll, Body: []byte{1}}, 0},
	} {
		if got := w.desks[pakistan].LineOf(c.d); got != c.want {
			t.Errorf("%s is on line %d, want %d", c.name, got, c.want)
		}
	}
}
