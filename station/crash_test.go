package station

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"parley"
)

// rounds is how often a property is tried: few by default, PARLEY_ROUNDS for
// a long search.
func rounds(few int) int {
	if n, err := strconv.Atoi(os.Getenv("PARLEY_ROUNDS")); err == nil {
		return n
	}
	return few
}

// wake boots the nodes that died, over what their stores hold, and joins them
// to those they were joined to.
func (w *world) wake() {
	w.t.Helper()
	for _, p := range w.ch.Charter.Others(0) {
		if !w.nodes[p].down {
			continue
		}
		rest := w.mail[:0:0]
		for _, l := range w.mail {
			if l.from != p && l.to != p {
				rest = append(rest, l)
			}
		}
		w.mail = rest
		w.boot(p, w.nodes[p].store, false)
		for _, q := range w.ch.Charter.Others(p) {
			if w.wires[[2]parley.Party{p, q}] {
				w.step(q, Down{p, false}, Down{p, true})
				w.connect(p, q)
			}
		}
	}
}

// receipted fails unless each receipt that a member holds is true: its signer
// has those leaves and has opened what is addressed to it.
func (w *world) receipted() {
	w.t.Helper()
	for _, p := range w.ch.Charter.Others(0) {
		for _, l := range w.nodes[p].Logs() {
			for by, size := range l.Receipts {
				if by == l.Log.Party {
					continue
				}
				for i := range size {
					r, err := w.nodes[by].store.Row(l.Log, i)
					if err != nil {
						w.t.Fatalf("member %d receipted %s up to %d and has no row %d", by, l.Log, size, i)
					}
					if r.Leaf.To.Includes(by) && r.Content == nil {
						w.t.Fatalf("member %d receipted %s up to %d and has not opened %d", by, l.Log, size, i)
					}
				}
			}
		}
	}
}

// A process may end before or after any commit, with its frames lost, and the
// record stays one: nothing acknowledged is lost, nothing is signed twice with
// another content, and nobody is accused.
func TestCrashesAnywhere(t *testing.T) {
	for seed := range rounds(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newRace(t, 3, uint64(seed))
			w.connectAll()
			quiet, deaths := false, 0
			w.die = func(p parley.Party) bool {
				die := !quiet && w.rng.IntN(25) == 0
				if die {
					deaths++
				}
				return die
			}
			refs := map[parley.Ref]string{}
			var alarms []Alarm
			for i := range 40 {
				p := parley.Party(1 + w.rng.IntN(3))
				text := fmt.Sprint("entry ", i)
				to := []parley.Audience{parley.ToAll, parley.ToAll, parley.AudienceOf(p%3 + 1)}[w.rng.IntN(3)]
				var ref parley.Ref
				w.step(p, Post{Lane: parley.Lane(w.rng.IntN(5)), Kind: parley.KindText, To: to, Body: []byte(text),
					Done: func(r parley.Ref, err error) { ref = r }})
				if !w.nodes[p].down && w.nodes[p].Ready() { // the caller was told
					refs[ref] = text
				}
				for range w.rng.IntN(12) {
					if len(w.mail) > 0 {
						w.race()
					}
				}
				for _, n := range w.nodes {
					alarms = append(alarms, n.alarms...)
					n.alarms = nil
				}
				w.wake()
				if w.rng.IntN(4) == 0 {
					w.now = w.now.Add(time.Second)
					w.step(p, Tick{})
				}
			}
			quiet = true
			w.wake()
			w.settle()
			w.pass(5*time.Minute, time.Second)
			for _, n := range w.nodes {
				alarms = append(alarms, n.alarms...)
			}
			if deaths == 0 {
				t.Error("no process died")
			}
			if len(alarms) > 0 {
				t.Errorf("alarms: %v", alarms)
			}
			for ref, text := range refs {
				for _, p := range w.ch.Charter.Others(0) {
					r, err := w.nodes[p].store.Row(ref.Log(w.ch.ID), ref.Index)
					if err != nil || r.Leaf.Hash() != ref.Leaf {
						t.Errorf("member %d: %s: %v, another content", p, ref.Long(), err)
					} else if p == ref.Party || r.Leaf.To.Includes(p) {
						w.reads(p, ref, text)
					}
				}
			}
			w.agree()
			w.receipted()
		})
	}
}
