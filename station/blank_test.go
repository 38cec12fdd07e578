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
