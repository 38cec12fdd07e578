package station

import (
	"fmt"
	"testing"
	"time"

	"parley"
	"parley/frame"
	"parley/journal"
)

func TestMessageCrossesAndIsReceipted(t *testing.T) {
	for _, n := range []int{2, 3, 5} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			w := newWorld(t, n)
			w.connectAll()
			ref := w.post(1, parley.Flash, parley.ToAll, "all units hold")
			w.settle()
			for _, p := range w.ch.Charter.Others(1) {
				w.reads(p, ref, "all units hold")
				w.received(ref, p)
			}
			answer := w.post(2, parley.Flash, parley.ToAll, "holding")
			w.settle()
			w.reads(1, answer, "holding")
			w.received(answer, 1)
			w.agree()
			for p, n := range w.nodes {
				if len(n.alarms) > 0 {
					t.Errorf("member %d has alarms: %v", p, n.alarms)
				}
			}
		})
	}
}

func TestPrivateEntryIsHeldByAllAndReadByOne(t *testing.T) {
	w := newWorld(t, 3)
	w.connectAll()
	ref := w.post(1, parley.Priority, parley.AudienceOf(3), "for the mediator only")
	w.settle()
	w.reads(3, ref, "for the mediator only")
	w.received(ref, 2, 3)
	r, err := w.nodes[2].store.Row(ref.Log(w.ch.ID), ref.Index)
	if err != nil || r.Content != nil || r.Leaf.To != parley.AudienceOf(3) {
		t.Errorf("member 2 holds %+v, %v; it should hold the leaf alone", r, err)
	}
	w.agree()
}

func TestPostedWhileApartArrivesOnce(t *testing.T) {
	w := newWorld(t, 3)
	w.connectAll()
	w.cut(1, 2)
	var refs []parley.Ref
	for i := range 600 {
		refs = append(refs, w.post(1, parley.Routine, parley.ToAll, fmt.Sprint("line ", i)))
	}
	w.settle()
	w.connect(1, 2)
	w.settle()
	w.pass(3*time.Second, time.Second)
	for i, ref := range refs {
		w.reads(2, ref, fmt.Sprint("line ", i))
	}
	w.received(refs[599], 2, 3)
	seen := map[parley.Ref]int{}
	for _, p := range w.nodes[2].posted {
		seen[p.Ref]++
		if seen[p.Ref] > 1 {
			t.Fatalf("%s was shown twice", p.Ref)
		}
	}
	w.agree()
}

// A member that the author cannot reach gets its entries through another.
func TestEntriesTravelThroughTheMediator(t *testing.T) {
	w := newWorld(t, 3)
	w.connectAll()
	w.cut(1, 2)
	ref := w.post(1, parley.Immediate, parley.ToAll, "through the mediator")
	w.settle()
	w.pass(2*time.Minute, time.Second)
	w.reads(2, ref, "through the mediator")
}

func TestLostFramesAreRepaired(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	drop := 0
	var refs []parley.Ref
	for i := range 40 {
		refs = append(refs, w.post(1, parley.Priority, parley.ToAll, fmt.Sprint("order ", i)))
		if drop++; drop%3 == 0 {
			w.mail = nil
		}
		w.settle()
	}
	w.pass(3*time.Minute, time.Second)
	for i, ref := range refs {
		w.reads(2, ref, fmt.Sprint("order ", i))
	}
	w.agree()
}

// Nothing may leave before the batch is durable, and nothing may be signed.
func TestNothingLeavesUncommitted(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	n := w.nodes[1]
	fx := n.Step(w.now, Post{Lane: parley.Flash, Kind: parley.KindText, Body: []byte("x")})
	out, err := fx.Commit(func(*journal.Batch, *Mark) error { return fmt.Errorf("disk") })
	if err == nil || out != nil {
		t.Fatalf("frames %v came out of a batch that was not committed", out)
	}
	for _, s := range fx.signs {
		if s.sig != nil {
			t.Error("a head was signed before its batch was durable")
		}
	}
}

func TestRestartGoesOnInTheSameGeneration(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	w.post(1, parley.Flash, parley.ToAll, "before")
	w.settle()
	gen := w.nodes[1].Gen()
	w.cut(1, 2)
	n := w.boot(1, w.nodes[1].store, false)
	w.connect(1, 2)
	w.settle()
	if n.Gen() != gen || !n.Ready() {
		t.Fatalf("generation %s became %s", gen, n.Gen())
	}
	ref := w.post(1, parley.Flash, parley.ToAll, "after")
	w.settle()
	w.reads(2, ref, "after")
	w.agree()
}

// A store restored from a backup never signs a second history: the peer knows
// more, and a new generation starts.
func TestRestoredBackupStartsANewGeneration(t *testing.T) {
	for _, doubt := range []bool{false, true} {
		t.Run(fmt.Sprint("doubt ", doubt), func(t *testing.T) {
			w := newWorld(t, 3)
			w.connectAll()
			w.post(1, parley.Flash, parley.ToAll, "in the backup")
			w.settle()
			backup := copyStore(t, w.nodes[1].store)
			lost := w.post(1, parley.Flash, parley.ToAll, "after the backup")
			w.settle()
			gen := w.nodes[1].Gen()
			w.cut(1, 2)
			w.cut(1, 3)
			n := w.boot(1, backup, doubt)
			w.connect(1, 2)
			w.connect(1, 3)
			w.settle()
			w.pass(90*time.Second, time.Second)
			if n.Gen() == gen {
				t.Fatal("the restored node goes on in its old generation")
			}
			ref := w.post(1, parley.Flash, parley.ToAll, "new life")
			w.settle()
			w.reads(2, ref, "new life")
			w.reads(3, ref, "new life")
			w.reads(1, lost, "after the backup")
			for p, n := range w.nodes {
				if n.alarm(AlarmFork) != nil {
					t.Errorf("member %d sees a fork", p)
				}
			}
			w.pass(90*time.Second, time.Second)
			w.agree()
		})
	}
}

// A restored node whose receipts have to wait gets long logs at the pace of the
// line all the same, and what it wrote to one reader alone.
func TestRestoredNodeDoesNotWaitForWindows(t *testing.T) {
	w := newWorld(t, 3)
	w.connectAll()
	w.post(2, parley.Routine, parley.ToAll, "in the backup")
	w.settle()
	backup := copyStore(t, w.nodes[1].store)
	var two, three, mine parley.Ref // each cites what its author saw of the others
	for i := range 40 {
		two = w.post(2, parley.Routine, parley.ToAll, fmt.Sprint("two ", i))
		w.settle()
		three = w.post(3, parley.Routine, parley.ToAll, fmt.Sprint("three ", i))
		mine = w.post(1, parley.Routine, parley.AudienceOf(2), fmt.Sprint("mine ", i))
		w.settle()
	}
	w.cut(1, 2)
	w.cut(1, 3)
	for i := range 4 * window {
		two = w.post(2, parley.Routine, parley.ToAll, fmt.Sprint("later ", i))
	}
	w.settle()
	w.boot(1, backup, true)
	elided := 0 // they cite what the restored node has receipted, and lost
	w.trace = func(_, to parley.Party, b []byte) {
		if f, err := frame.Decode(b); err == nil && to == 1 {
			if e, ok := f.(*frame.Entry); ok && e.Compact {
				elided++
			}
		}
	}
	w.connect(1, 2)
	w.connect(1, 3)
	w.settle()
	w.pass(5*time.Second, time.Second)
	if elided > 0 {
		t.Errorf("%d entries came in a form that the restored node could not open", elided)
	}
	w.reads(1, two, fmt.Sprint("later ", 4*window-1))
	w.reads(1, three, "three 39")
	w.reads(1, mine, "mine 39")
}

// A wiped node gets its own record back from its peers.
func TestWipedNodeRecoversFromPeers(t *testing.T) {
	w := newWorld(t, 3)
	w.connectAll()
	mine := w.post(1, parley.Routine, parley.AudienceOf(2), "mine to you")
	theirs := w.post(2, parley.Routine, parley.ToAll, "theirs")
	w.settle()
	w.cut(1, 2)
	w.cut(1, 3)
	w.boot(1, emptyStore(), true)
	w.connect(1, 2)
	w.connect(1, 3)
	w.settle()
	w.pass(3*time.Minute, time.Second)
	w.reads(1, mine, "mine to you")
	w.reads(1, theirs, "theirs")
	ref := w.post(1, parley.Flash, parley.ToAll, "back")
	w.settle()
	w.reads(2, ref, "back")
	w.agree()
}
