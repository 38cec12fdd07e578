package station

import (
	"bytes"
	"testing"
	"time"

	"parley"
	"parley/journal"
	"parley/seal"
)

// secrets counts the audience keys that a store still holds.
func secrets(t *testing.T, s journal.Store, space string) int {
	t.Helper()
	n := 0
	if err := s.Values(space, func(string, []byte) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

// Keys outlive their window by the grace and no longer; entries of every
// window stay readable, and what was not receipted in time comes by OPEN.
func TestWindowsEndAndKeysAreDestroyed(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	first := w.post(1, parley.Priority, parley.ToAll, "first window")
	w.settle()
	var old []seal.KeyID
	for _, k := range w.nodes[2].members[1].reads {
		if k.from <= uint64(w.now.Unix()) { // not the next window's, granted ahead
			old = append(old, k.id)
		}
	}
	w.cut(1, 2)
	late := w.post(1, parley.Priority, parley.ToAll, "written while apart")
	r := w.ch.Charter.Rules
	w.connect(1, 2) // heartbeats must prove the time to both
	w.mail = nil    // but the entry is lost on the way
	w.pass(time.Duration(r.Window+r.Grace+2*86400)*time.Second, 4*time.Hour)
	w.pass(2*time.Minute, time.Second)
	for _, id := range old {
		for _, k := range w.nodes[2].members[1].reads {
			if k.id == id {
				t.Errorf("key %x is still held after its window and grace", id)
			}
		}
		for _, k := range w.nodes[1].grants {
			if k.id == id {
				t.Errorf("own key %x is still held after its window and grace", id)
			}
		}
	}
	if n := secrets(t, w.nodes[2].store, "peer-key"); n == 0 || n > 4 {
		t.Errorf("%d granted keys are stored", n)
	}
	w.reads(2, first, "first window")
	w.reads(2, late, "written while apart")
	now := w.post(1, parley.Flash, parley.ToAll, "new window")
	w.settle()
	w.reads(2, now, "new window")
	w.agree()
}

// A lying clock alone does not burn keys: the proof of time must come from
// another.
func TestFalseClockBurnsNoKeys(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	w.post(1, parley.Flash, parley.ToAll, "now")
	w.settle()
	before := len(w.nodes[1].grants)
	n := w.nodes[1]
	w.cut(1, 2)
	real := w.now
	w.now = real.Add(10 * 365 * 24 * time.Hour)
	w.step(1, Tick{})
	w.now = real
	kept := 0
	for _, k := range n.grants {
		if k.from <= uint64(real.Unix()) && uint64(real.Unix()) < k.until {
			kept++
		}
	}
	if kept < 1 || len(n.grants) < before {
		t.Errorf("%d of %d keys of the present window left", kept, before)
	}
}

// Every window a node announces a new KEM key and forgets the one before in
// time.
func TestKemKeysRotate(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	pub := bytes.Clone(w.nodes[2].members[1].kem.pub)
	w.pass(time.Duration(4*w.ch.Charter.Rules.Window)*time.Second, 6*time.Hour)
	if bytes.Equal(pub, w.nodes[2].members[1].kem.pub) {
		t.Error("the KEM key was never renewed")
	}
	if n := secrets(t, w.nodes[1].store, "kem"); n > 4 {
		t.Errorf("%d KEM keys are kept", n)
	}
	ref := w.post(2, parley.Flash, parley.ToAll, "still readable")
	w.settle()
	w.reads(1, ref, "still readable")
}
