package station

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"parley"
)

// race delivers, as one step, some frames of one or two connections that are
// chosen by lot: each connection keeps its order, and nothing else does.
func (w *world) race() {
	w.t.Helper()
	first := w.mail[w.rng.IntN(len(w.mail))]
	var events []Event
	for range 1 + w.rng.IntN(2) {
		n := 1 + w.rng.IntN(40)
		var ev Frames
		rest := w.mail[:0:0]
		for _, l := range w.mail {
			if l.from != first.from || l.to != first.to || l.bulk != first.bulk || len(ev.Frames) == n {
				rest = append(rest, l)
			} else if w.wires[[2]parley.Party{l.from, l.to}] {
				if w.trace != nil {
					w.trace(l.from, l.to, l.frame)
				}
				ev.Frames = append(ev.Frames, l.frame)
			} else {
				n--
			}
		}
		w.mail = rest
		ev.From = first.from
		events = append(events, ev)
		first.bulk = !first.bulk
	}
	w.step(first.to, events...)
}

func newRace(t *testing.T, members int, seed uint64) *world {
	w := newWorld(t, members)
	w.rng = rand.New(rand.NewPCG(seed, 7))
	return w
}

// Whatever way the two connections race and frames are batched, a member that
// missed several generations reads them all, and the newest stays in use.
func TestLateJoinerOfSeveralGenerations(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newRace(t, 3, seed)
			w.boots += int(10 * seed) // other random generations
			w.connectAll()
			w.cut(1, 3)
			w.cut(2, 3)
			var refs []parley.Ref
			for range 3 {
				refs = append(refs, w.post(1, parley.Routine, parley.ToAll, "before the restore"))
				w.settle()
				w.cut(1, 2)
				w.boot(1, w.nodes[1].store, true)
				w.connect(1, 2)
				w.settle()
				w.pass(12*time.Second, time.Second)
			}
			w.connect(1, 3)
			w.settle()
			w.pass(3*time.Minute, time.Second)
			if g := w.nodes[3].members[1].current(); g == nil || g.gen != w.nodes[1].Gen() {
				t.Fatalf("member 3 takes %v for the newest generation, not %s", g, w.nodes[1].Gen())
			}
			for _, r := range refs {
				w.reads(3, r, "before the restore")
			}
			ref := w.post(1, parley.Flash, parley.ToAll, "after them")
			w.settle()
			w.reads(3, ref, "after them")
			w.agree()
		})
	}
}

// A long backlog of a generation that is over comes by OPEN, from its author
// or, if it is away, from another member.
func TestLongBacklogOfAnOldGeneration(t *testing.T) {
	for _, from := range []parley.Party{1, 2} {
		t.Run(fmt.Sprint("from member ", from), func(t *testing.T) {
			w := newRace(t, 3, 1)
			w.connectAll()
			w.cut(1, 3)
			w.cut(2, 3)
			var refs []parley.Ref
			for i := range 700 {
				refs = append(refs, w.post(1, parley.Priority, parley.ToAll, fmt.Sprint("line ", i)))
			}
			w.settle()
			w.cut(1, 2)
			w.boot(1, w.nodes[1].store, true)
			w.connect(1, 2)
			w.settle()
			w.pass(12*time.Second, time.Second)
			if from == 2 {
				w.cut(1, 2)
			}
			w.connect(from, 3)
			w.settle()
			w.pass(4*time.Minute, time.Second)
			for i, r := range refs {
				w.reads(3, r, fmt.Sprint("line ", i))
				if t.Failed() {
					t.Fatal("entry ", i)
				}
			}
		})
	}
}

// KEYS that wait before their GENERATION comes are taken once.
func TestKeysBeforeTheGeneration(t *testing.T) {
	w := newWorld(t, 2)
	w.connect(1, 2)
	var clear []letter // member 1's GENERATION and KEYS for member 2
	w.trace = func(from, to parley.Party, b []byte) {
		if from == 1 && b[0]&31 == 11 && len(b) > 2 && b[1]>>5 == byte(parley.Routine) {
			clear = append(clear, letter{from: from, to: to, frame: b})
		}
	}
	w.settle()
	w.trace = nil
	w.cut(1, 2)
	w.boot(2, emptyStore(), false)
	w.step(2, Frames{1, [][]byte{clear[1].frame}})
	w.step(2, Frames{1, [][]byte{clear[0].frame, clear[1].frame}})
	id := parley.LogID{Channel: w.ch.ID, Party: 1, Lane: parley.Routine, Gen: w.nodes[1].Gen()}
	l := w.nodes[2].log(id)
	if l.size() != 2 || l.head.Size != 2 || l.tree.Root() != w.nodes[1].log(id).tree.Root() {
		t.Errorf("member 2 holds %d entries under a head of %d", l.size(), l.head.Size)
	}
}

// A restored node asks for its own receipts before it gives the first one: an
// author that signs a second history meanwhile does not get it receipted.
func TestRestoredNodeContradictsNoOwnReceipt(t *testing.T) {
	for _, told := range []bool{true, false} {
		t.Run(fmt.Sprint("member 3 is there: ", told), func(t *testing.T) {
			w := newWorld(t, 3)
			w.connectAll()
			w.post(1, parley.Flash, parley.ToAll, "common")
			w.settle()
			author, reader := copyStore(t, w.nodes[1].store), copyStore(t, w.nodes[2].store)
			first := w.post(1, parley.Flash, parley.ToAll, "one")
			w.settle()
			w.received(first, 2, 3)
			for _, pair := range [][2]parley.Party{{1, 2}, {1, 3}, {2, 3}} {
				w.cut(pair[0], pair[1])
			}
			w.boot(1, author, false)
			w.boot(2, reader, true)
			w.connect(1, 2)
			w.settle()
			w.pass(11*time.Second, time.Second)
			if told {
				w.connect(2, 3)
				w.settle()
			}
			second := w.post(1, parley.Flash, parley.ToAll, "two")
			if second.Index != first.Index || second.Gen != first.Gen {
				t.Fatalf("%s and %s are no fork", first.Long(), second.Long())
			}
			w.settle()
			w.pass(70*time.Second, time.Second)
			got := w.nodes[1].Received(second.Log(w.ch.ID), 2) > second.Index
			if got == told {
				t.Errorf("member 2 receipted the second history: %v", got)
			}
			if told && w.nodes[2].alarm(AlarmFork) == nil {
				t.Error("member 2 does not see the fork")
			}
		})
	}
}
