package sim

import (
	"math/rand/v2"
	"time"

	"parley"
	"parley/frame"
	"parley/journal"
	"parley/station"
)

// trick is something that a modified node does. The hostile member's own
// stations are real ones: what changes is what gets in and out of them, and
// what is sent beside them under the member's own keys.
type trick string

const (
	equivocate trick = "equivocate" // two processes go on from one disk, each facing other members
	withhold   trick = "withhold"   // entries never go to one member
	mute       trick = "mute"       // receipts never go to one member
	hollow     trick = "hollow"     // receipts over what it does not hold, has not opened, or nobody wrote
	replay     trick = "replay"     // frames it has seen come again, in other places, to other members
	misgrant   trick = "misgrant"   // one member gets keys that open nothing
	flood      trick = "flood"      // far more frames than anybody needs
	liar       trick = "lying clock"
	forge      trick = "forge"   // a lane of well-signed entries that break the rules
	slander    trick = "slander" // false proofs of forks, false HAVE and HEADS
	stale      trick = "stale"   // what it said of its record an hour ago, again and again
)

var tricks = []trick{equivocate, withhold, mute, hollow, replay, misgrant, flood, liar, forge, slander, stale}

// forgeLane is where forged entries go; the hostile member's stations write
// nothing else there.
const forgeLane = parley.Deferred

// turn makes a node hostile.
func (w *World) turn(n *node) {
	n.lies = map[trick]bool{}
	for _, t := range w.plan.Hostile {
		n.lies[t] = true
		w.stats.add("hostile: "+string(t), 1)
	}
	n.rng = rand.New(rand.NewPCG(w.Seed, 0xbad))
	if n.lies[liar] {
		n.skew = time.Duration(w.rng.IntN(20*365*24)-10*365*24) * time.Hour
	}
}

// victim is the member that a hostile node singles out.
func (n *node) victim() parley.Party {
	return n.w.ch.Members[n.w.Seed%uint64(len(n.w.ch.Members)-1)].Index
}

// split lets the hostile member run twice from one disk: each process faces
// some of the others, and what they write differs.
func (w *World) split(n *node) {
	if len(w.byMember[n.me]) > 1 || !n.up() || !n.st.Ready() {
		return
	}
	w.stats.add("equivocation", 1)
	w.say("%s goes on as two", n)
	twin := w.add(n.me, n.disk.image())
	twin.lies, twin.rng, twin.skew, twin.serial = n.lies, n.rng, n.skew, n.serial
	for _, l := range w.links {
		for i, end := range l.ends {
			if other := l.ends[1-i]; end == n && w.faces(twin, other) {
				l.end()
				l.ends[i] = twin
			}
		}
	}
	twin.boot()
	w.serve(twin)
}

// hostileOut is what leaves instead of a frame that the station sends.
func (n *node) hostileOut(s station.Send) [][]byte {
	b := s.Frame
	n.remember(b)
	k := kind(b)
	v := s.To == n.victim()
	switch {
	case n.lies[withhold] && v && (k == frame.TypeEntry || k == frame.TypeOpen || k == frame.TypeBlind):
		return nil
	case n.lies[mute] && v && k == frame.TypeReceipt:
		return nil
	case n.lies[misgrant] && v && k == frame.TypeGrant:
		c := append([]byte(nil), b...)
		c[len(c)/2] ^= 1
		return [][]byte{c}
	case n.lies[stale] && k == frame.TypeHave && len(n.haves) > 0 && n.rng.IntN(4) > 0:
		return [][]byte{n.haves[0]}
	case k == frame.TypeHave && len(n.haves) < 4:
		n.haves = append(n.haves, b)
	}
	return [][]byte{b}
}

// hostileIn is what a hostile node's station is shown of a frame: nothing of
// what its forged lane brought about. Honest nodes get the frame.
func (l *link) hostileIn(to *node, b []byte) []byte {
	if to.honest() {
		return b
	}
	to.remember(b)
	if !to.lies[forge] {
		return b
	}
	f, err := frame.Decode(b)
	if err != nil {
		return b
	}
	switch f := f.(type) {
	case *frame.Have:
		var hs []parley.Head
		for _, h := range f.Heads {
			if h.Party != to.me || h.Lane != forgeLane {
				hs = append(hs, h)
			}
		}
		f.Heads = hs
		return frame.Encode(f)
	case *frame.Receipt:
		if f.Lane == forgeLane {
			return nil
		}
	case *frame.Heads:
		if c, err := journal.ParseCheckpoint(f.Note); err == nil {
			if id, err := parley.ParseOrigin(c.Origin); err == nil && id.Party == to.me && id.Lane == forgeLane {
				return nil
			}
		}
	}
	return b
}

// remember keeps some frames for later.
func (n *node) remember(b []byte) {
	if len(n.seen) < 300 {
		n.seen = append(n.seen, b)
	} else {
		n.seen[n.rng.IntN(len(n.seen))] = b
	}
}

// mischief lets a hostile node act now and then.
func (w *World) mischief(n *node, stop *bool) {
	if n.lies[equivocate] {
		w.after(w.jitter(30*time.Second), func() { w.split(n) })
	}
	var act func()
	act = func() {
		w.after(w.jitter(4*time.Second), func() {
			if *stop {
				return
			}
			if n.up() && n.st.Ready() {
				n.misbehave()
			}
			act()
		})
	}
	act()
}

// misbehave sends what the node's tricks make, beside its station.
func (n *node) misbehave() {
	times := 1
	if n.lies[flood] {
		times = 30
	}
	for range times {
		to := n.w.ch.Members[n.rng.IntN(len(n.w.ch.Members)-1)].Index
		var made [][]byte
		if n.lies[replay] && len(n.seen) > 0 {
			made = append(made, n.again())
		}
		if n.lies[hollow] {
			made = append(made, n.hollow()...)
		}
		if n.lies[slander] {
			made = append(made, n.slander()...)
		}
		if n.lies[flood] {
			made = append(made, n.junk())
		}
		for _, b := range made {
			n.w.stats.add("hostile frame", 1)
			n.throw(to, b)
		}
	}
	if n.lies[forge] {
		n.forge()
	}
}

// throw brings a frame to a member, on either connection.
func (n *node) throw(to parley.Party, b []byte) {
	for _, l := range n.w.links {
		for i, end := range l.ends {
			if end == n && l.ends[1-i].me == to {
				l.carry(i, letter{n.rng.IntN(2) == 0, b})
			}
		}
	}
}

// again is a frame seen before, as it was or moved to another lane, log, place
// or size.
func (n *node) again() []byte {
	b := append([]byte(nil), n.seen[n.rng.IntN(len(n.seen))]...)
	if n.rng.IntN(2) == 0 {
		at := []int{1, 2, 3, 4, 5, n.rng.IntN(len(b))}[n.rng.IntN(6)] % len(b)
		b[at] ^= 1 << n.rng.IntN(8)
	}
	return b
}

func (n *node) junk() []byte {
	b := make([]byte, 1+n.rng.IntN(400))
	for i := range b {
		b[i] = byte(n.rng.Uint32())
	}
	b[0] = 1<<5 | b[0]&0x1f
	return b
}

func (n *node) hash() (h parley.Hash) {
	for i := range h {
		h[i] = byte(n.rng.Uint32())
	}
	return h
}
