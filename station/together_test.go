package station

import (
	"bytes"
	"testing"

	"parley"
)

// together posts entries that belong together and returns what each was told.
func (w *world) together(p parley.Party, before, after []Event, posts ...Post) (refs []parley.Ref, errs []error) {
	w.t.Helper()
	var group Together
	for _, x := range posts {
		x.Done = func(r parley.Ref, err error) { refs, errs = append(refs, r), append(errs, err) }
		group = append(group, x)
	}
	w.step(p, append(append(before, group), after...)...)
	return refs, errs
}

// Entries that belong together stand side by side, whatever else is posted in
// the same step, and also if they wait for the end of the start-up.
func TestTogetherStandsSideBySide(t *testing.T) {
	w := newWorld(t, 2)
	other := Post{Lane: parley.Flash, Kind: parley.KindText, Body: []byte("other")}
	pair := []Post{{Lane: parley.Flash, Kind: 33, Body: []byte("speech")}, {Lane: parley.Flash, Kind: parley.KindText, Body: []byte("words")}}
	var refs []parley.Ref
	var errs []error
	group := Together{}
	for _, x := range pair {
		x.Done = func(r parley.Ref, err error) { refs, errs = append(refs, r), append(errs, err) }
		group = append(group, x)
	}
	w.step(1, other, group, other) // not connected: the start-up is not over
	if len(refs) != 0 {
		t.Fatal("written before the start-up was over")
	}
	w.connectAll()
	check := func(refs []parley.Ref, errs []error) {
		t.Helper()
		if len(refs) != 2 || errs[0] != nil || errs[1] != nil || refs[1].Index != refs[0].Index+1 || refs[0].Gen != refs[1].Gen {
			t.Fatalf("%v %v", refs, errs)
		}
		w.settle()
		w.reads(2, refs[0], "speech")
		w.reads(2, refs[1], "words")
	}
	check(refs, errs)
	refs, errs = w.together(1, []Event{other}, []Event{other}, pair...)
	check(refs, errs)
	w.agree()
}

// If one of them may not be written, none is.
func TestTogetherOrNone(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	good := Post{Lane: parley.Flash, Kind: 33, Body: []byte("speech")}
	for name, second := range map[string]Post{
		"too large":       {Lane: parley.Flash, Kind: parley.KindText, Body: bytes.Repeat([]byte("x"), int(w.ch.Charter.Rules.MaxEntry))},
		"another lane":    {Lane: parley.Routine, Kind: parley.KindText, Body: []byte("x")},
		"to its author":   {Lane: parley.Flash, Kind: parley.KindText, To: parley.AudienceOf(1), Body: []byte("x")},
		"not for all":     {Lane: parley.Flash, Kind: parley.KindNotice, To: parley.ToNobody, Body: (&parley.Notice{Code: "x"}).Encode()},
		"not in its form": {Lane: parley.Flash, Kind: parley.KindList, Body: []byte("x")},
	} {
		size, posted := w.ownFlash(), len(w.nodes[1].posted)
		refs, errs := w.together(1, nil, nil, good, second)
		if len(errs) != 2 || errs[0] == nil || errs[1] == nil || parley.CodeOf(errs[0]) != parley.CodeOf(errs[1]) || refs[0] != (parley.Ref{}) {
			t.Errorf("%s: %v %v", name, refs, errs)
		}
		if now := w.ownFlash(); now != size || len(w.nodes[1].posted) != posted {
			t.Errorf("%s: the log grew from %d to %d", name, size, now)
		}
	}
	// The lane goes on as if nothing had been asked.
	ref := w.post(1, parley.Flash, parley.ToAll, "next")
	w.settle()
	w.reads(2, ref, "next")
}

// A process that ends in the step has written both or neither.
func TestTogetherThroughCrashes(t *testing.T) {
	for _, lost := range []bool{true, false} {
		w := newWorld(t, 2)
		w.connectAll()
		before, store := w.ownFlash(), w.nodes[1].store
		fx := w.nodes[1].Step(w.now, Together{{Lane: parley.Flash, Kind: 33, Body: []byte("speech")}, {Lane: parley.Flash, Kind: parley.KindText, Body: []byte("words")}})
		want := before
		if !lost { // else the process ends before the batch is committed
			want += 2
			if err := store.Commit(&fx.batch); err != nil {
				t.Fatal(err)
			}
		}
		w.cutAll()
		w.boot(1, store, false)
		w.connectAll()
		if now := w.ownFlash(); now != want {
			t.Errorf("lost %v: %d entries, not %d", lost, now, want)
		}
	}
}

// ownFlash is how many entries member 1 has written in FLASH.
func (w *world) ownFlash() uint64 {
	n := w.nodes[1]
	return n.logs[place{1, parley.Flash, n.gen}].size()
}
