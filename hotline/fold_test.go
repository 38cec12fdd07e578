package hotline

import (
	"maps"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"parley"
)

// history lets all members act at random for a while, and returns what each
// was told.
func history(t *testing.T, seed uint64, steps int) *world {
	w := newWorld(t)
	rng := rand.New(rand.NewPCG(seed, 1))
	for range steps {
		w.now = w.now.Add(time.Duration(rng.IntN(1200)) * time.Second)
		by := parley.Party(1 + rng.IntN(4))
		ops := Operations(rng, w.desks[by], w.now)
		if len(ops) == 0 {
			continue
		}
		op := ops[rng.IntN(len(ops))]
		if op.Kind == KindAnswer && rng.IntN(2) == 0 { // answers may stand in any log, clocks may be wrong
			op.Lane = parley.Lane(rng.IntN(parley.Lanes))
		}
		w.skew = time.Duration(rng.IntN(3600)-1800) * time.Second
		r := w.put(by, op)
		if rng.IntN(2) == 0 {
			w.receipt(parley.Party(1+rng.IntN(4)), r)
		}
		if rng.IntN(20) == 0 { // somebody writes what is no message
			w.put(by, parley.Draft{Lane: parley.Routine, Kind: KindText, Body: []byte{0x80}})
		}
	}
	for i := range w.all { // some entries stand under a revoked key
		if p := w.all[i].posted; p != nil && rng.IntN(15) == 0 {
			p.Standing = parley.AfterRevocation
		}
	}
	return w
}

// told is what member m was told, in a random order that keeps each log's own.
// Receipts move freely.
func (w *world) told(m parley.Party, rng *rand.Rand) []event {
	var out []event
	logs := map[logKey][]event{}
	var keys []logKey
	for _, e := range w.all {
		if e.receipt != nil {
			out = append(out, e)
			continue
		}
		if r := e.posted.Ref; r.Party == m || e.posted.Entry.To.Includes(m) {
			k := keyOf(r)
			if logs[k] == nil {
				keys = append(keys, k)
			}
			logs[k] = append(logs[k], e)
		}
	}
	for len(keys) > 0 {
		i := rng.IntN(len(keys))
		k := keys[i]
		out = append(out, logs[k][0])
		if logs[k] = logs[k][1:]; len(logs[k]) == 0 {
			keys = append(keys[:i], keys[i+1:]...)
		}
	}
	return scatter(out, rng)
}

// scatter moves every receipt to a random place.
func scatter(es []event, rng *rand.Rand) []event {
	var posts, receipts []event
	for _, e := range es {
		if e.receipt != nil {
			receipts = append(receipts, e)
		} else {
			posts = append(posts, e)
		}
	}
	rng.Shuffle(len(receipts), func(i, j int) { receipts[i], receipts[j] = receipts[j], receipts[i] })
	var out []event
	for len(posts)+len(receipts) > 0 {
		from := &posts
		if rng.IntN(len(posts)+len(receipts)) >= len(posts) {
			from = &receipts
		}
		out, *from = append(out, (*from)[0]), (*from)[1:]
	}
	return out
}

// shown is everything the desk shows.
func shown(d *Desk, now time.Time) []any {
	return []any{d.Dump(), d.Due(now), d.Lines(now), d.Messages(Filter{}), d.Messages(Filter{Open: true, Limit: 5}),
		d.Calls(Filter{}), d.Questions(Filter{}), d.Stray(), d.Unplaced(), d.Malformed(), maps.Clone(d.life), maps.Clone(d.onLine)}
}

// The fold is the same for every order of arrival that keeps each log's own.
func TestFoldAnyOrder(t *testing.T) {
	for seed := range uint64(12) {
		w := history(t, seed, 250)
		rng := rand.New(rand.NewPCG(seed, 2))
		for m := parley.Party(1); m <= 4; m++ {
			var want []any
			for try := range 4 {
				d := New(w.c, m)
				for _, e := range w.told(m, rng) {
					e.tell(d)
				}
				got := shown(d, w.now)
				if try == 0 {
					want = got
					continue
				}
				for i := range want {
					if !reflect.DeepEqual(got[i], want[i]) {
						t.Fatalf("seed %d, member %d: part %d differs:\n%v\n%v", seed, m, i, got[i], want[i])
					}
				}
			}
		}
	}
}

// A repeated entry or receipt changes nothing.
func TestFoldTwice(t *testing.T) {
	w := history(t, 99, 200)
	d := New(w.c, india)
	es := w.told(india, rand.New(rand.NewPCG(1, 1)))
	for _, e := range es {
		e.tell(d)
	}
	want := shown(d, w.now)
	for _, e := range es {
		e.tell(d)
	}
	if !reflect.DeepEqual(shown(d, w.now), want) {
		t.Error("telling a desk everything twice changed it")
	}
}

// Two desks given the same entries show the same, whoever they belong to:
// members differ only in what was addressed to them.
func TestFoldSameForAll(t *testing.T) {
	w := history(t, 7, 250)
	var want string
	for m := parley.Party(1); m <= 4; m++ {
		d := New(w.c, m)
		for _, e := range w.all {
			if e.receipt != nil || e.posted.Entry.To == parley.ToAll {
				e.tell(d)
			}
		}
		if got := d.Dump(); m == 1 {
			want = got
		} else if got != want {
			t.Errorf("member %d sees another record:\n%s\n%s", m, got, want)
		}
	}
	if len(want) < 1000 {
		t.Errorf("the history is too small to mean anything:\n%s", want)
	}
}

// An answer that arrives before its message is kept and counts when it comes.
func TestAnswerFirst(t *testing.T) {
	w := newWorld(t)
	m := w.say(india, &Text{Text: "x"}, parley.Flash)
	w.answer(pakistan, m, Opened, "")
	d := New(w.c, saudi)
	w.all[1].tell(d)
	if s := d.Stray(); len(s) != 1 || s[0].Code != Opened {
		t.Errorf("the early answer is not shown: %+v", s)
	}
	w.all[0].tell(d)
	v, _ := d.Message(m)
	if len(d.Stray()) != 0 || v.Addressees[0].Step != StepOpened {
		t.Errorf("the early answer did not count: %+v", v.Addressees)
	}
}

// The simulator's operations reach every kind.
func TestOperationsReach(t *testing.T) {
	w := history(t, 3, 400)
	n := map[parley.Kind]int{}
	for _, e := range w.all {
		if e.posted != nil {
			n[e.posted.Entry.Kind]++
		}
	}
	for _, k := range []parley.Kind{KindText, KindAnswer, KindLine, KindAttempt, KindQuery, KindTranslation} {
		if n[k] < 5 {
			t.Errorf("kind %d occurs %d times in 400 steps", k, n[k])
		}
	}
	inForce := 0
	for _, v := range w.desks[india].Lines(w.now) {
		if v.Line != nil {
			inForce++
		}
	}
	if inForce == 0 {
		t.Error("no line was ever put in force")
	}
}

func BenchmarkApply(b *testing.B) {
	c := testCharter()
	p := Draft(&Text{Line: 1, Text: "A message of some length, as they are sent over a line in quiet times: nothing to report."}, parley.Routine, parley.ToAll)
	b.ReportAllocs()
	d := New(c, pakistan)
	for i := range b.N {
		r := parley.Ref{Party: india, Lane: 3, Index: uint64(i)}
		now := time.Unix(int64(i), 0)
		d.Apply(parley.Posted{Ref: r, Entry: p.Entry(now, nil), Stored: now})
		d.Proof(parley.Receipted{By: pakistan, Head: parley.Head{Party: india, Lane: 3, Size: uint64(i) + 1}, Time: uint64(i), Stored: now})
		a := Draft(&Answer{About: r, Code: Opened}, parley.Routine, parley.ToAll)
		d.Apply(parley.Posted{Ref: parley.Ref{Party: pakistan, Lane: 3, Index: uint64(i)}, Entry: a.Entry(now, nil), Stored: now})
	}
}
