package station

import (
	"testing"
	"time"

	"parley"
)

// A clock that was ten years ahead for one second stops nothing once it is
// right again: the line's proof of life goes on, and keys are renewed.
func TestClockForwardAndBack(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	w.post(1, parley.Flash, parley.ToAll, "before")
	w.settle()
	real := w.now
	w.now = real.Add(10 * 365 * 24 * time.Hour)
	w.step(1, Tick{}) // the others' clocks are right
	w.now = real
	w.settle()
	n := w.nodes[1]
	beat := func() uint64 {
		for _, l := range n.order {
			if l.id.Party == 2 && l.id.Lane == parley.Flash {
				return l.beat
			}
		}
		return 0
	}
	b0 := beat()
	pings := n.pings
	w.pass(10*time.Minute, time.Second)
	if n.pings == pings {
		t.Error("no PING any more")
	}
	if beat() == b0 {
		t.Error("no heartbeat any more on FLASH of 2")
	}
	ref := w.post(1, parley.Flash, parley.ToAll, "after")
	w.settle()
	w.reads(2, ref, "after")
	ref = w.post(2, parley.Flash, parley.ToAll, "after too")
	w.settle()
	w.reads(1, ref, "after too")
	pub := string(w.nodes[2].members[1].kem.pub)
	w.pass(time.Duration(4*w.ch.Charter.Rules.Window)*time.Second, 6*time.Hour)
	if pub == string(w.nodes[2].members[1].kem.pub) {
		t.Error("the KEM key of 1 was not renewed in four windows")
	}
}

// A node that starts while its clock is years ahead, alone, is ready soon after
// the clock was set right.
func TestStartWhileTheClockIsAhead(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	w.settle()
	w.cutAll()
	real := w.now
	w.now = real.Add(10 * 365 * 24 * time.Hour)
	n := w.boot(1, emptyStore(), true)
	w.now = real
	w.pass(15*time.Second, time.Second)
	if !n.Ready() {
		t.Error("it still waits for its peers")
	}
	w.connect(1, 2)
	w.settle()
	w.pass(2*time.Minute, time.Second)
	ref := w.post(2, parley.Flash, parley.ToAll, "after")
	w.settle()
	w.reads(1, ref, "after")
	w.received(ref, 1)
}

// What waits on a busy machine or a slow line is no wrong clock; a clock that is
// behind is seen all the same.
func TestAFrameThatWaitedIsNoWrongClock(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	w.settle()
	w.now = w.now.Add(20 * time.Second)
	w.step(1, Tick{})
	w.step(2, Tick{})
	w.now = w.now.Add(100 * time.Second) // the PINGs are under way
	w.settle()
	w.now = w.now.Add(20 * time.Second)
	w.settle()
	if a := w.nodes[1].alarm(AlarmClock); a != nil {
		t.Error(a.Text)
	}
	real := w.now
	w.now = real.Add(20 * time.Second)
	w.step(1, Tick{})
	mail := w.mail
	w.mail, w.now = nil, real.Add(-time.Hour) // by the clock of 2
	for _, l := range mail {
		w.step(l.to, Frames{l.from, [][]byte{l.frame}})
	}
	w.now = real.Add(20 * time.Second)
	w.settle()
	if w.nodes[1].alarm(AlarmClock) == nil {
		t.Error("a clock an hour behind is not seen")
	}
}
