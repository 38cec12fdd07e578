package station

import (
	"testing"
	"time"

	"parley"
)

// A party that lost its record gets what it wrote privately back from the
// reader, even if it is started again before that reader is there.
func TestPrivateEntriesComeBackAfterARestart(t *testing.T) {
	w := newWorld(t, 3)
	w.connectAll()
	ref := w.post(1, parley.Routine, parley.AudienceOf(2), "for two alone")
	w.settle()
	w.received(ref, 2, 3)

	w.cutAll()
	store := emptyStore()
	w.boot(1, store, true)
	w.connect(1, 3)
	w.settle()
	w.pass(90*time.Second, time.Second)
	w.cutAll()
	w.boot(1, store, false)
	w.connect(1, 2)
	w.connect(1, 3)
	w.settle()
	w.pass(5*time.Minute, time.Second)
	w.reads(1, ref, "for two alone")
}

// Many of them come back at the pace of the line, not of a clock.
func TestManyPrivateEntriesComeBack(t *testing.T) {
	w := newWorld(t, 3)
	w.connectAll()
	var refs []parley.Ref
	for range 200 { // no two side by side
		refs = append(refs, w.post(1, parley.Routine, parley.AudienceOf(2), "for two alone"))
		w.post(1, parley.Routine, parley.AudienceOf(3), "for three alone")
	}
	w.settle()
	w.cutAll()
	w.boot(1, emptyStore(), true)
	w.connect(1, 3)
	w.settle()
	w.pass(90*time.Second, time.Second)
	w.connect(1, 2)
	w.settle()
	w.pass(time.Minute, time.Second)
	for _, ref := range refs {
		w.reads(1, ref, "for two alone")
	}
}

// A log of many windows comes back without a pause between them.
func TestALongLogComesBackWithoutPauses(t *testing.T) {
	w := newWorld(t, 3)
	w.connectAll()
	var refs []parley.Ref
	for range 300 {
		refs = append(refs, w.post(1, parley.Routine, parley.AudienceOf(2), "for two alone"))
		w.post(1, parley.Routine, parley.AudienceOf(3), "for three alone")
		refs = append(refs, w.post(1, parley.Routine, parley.ToAll, "for two alone"))
	}
	w.settle()
	w.cutAll()
	w.boot(1, emptyStore(), true)
	w.connectAll()
	w.settle()
	w.pass(30*time.Second, time.Second)
	for _, ref := range refs {
		w.reads(1, ref, "for two alone")
	}
}
