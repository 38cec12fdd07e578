package sim

import (
	"time"

	"parley/frame"
	"parley/station"
)

// link joins two nodes of different members: an urgent and a bulk connection,
// both of which come and go together. A direction that stalls keeps what is
// sent, as TCP does, and ends the connections if it lasts; links of packets
// lose it.
type link struct {
	w    *World
	ends [2]*node
	cut  bool    // nothing can be dialled
	held [2]bool // the direction from ends[i] stalls
	up   bool
	dead [2]bool // an end's process has ended; the other has not noticed yet
	era  int     // counts the connections: frames of an earlier one are void

	stalled time.Time       // since when a direction stalls
	wait    [2][]letter     // what a stalled direction keeps
	last    [2][2]time.Time // when the newest frame of a stream arrives
	trying  bool
}

type letter struct {
	bulk  bool
	frame []byte
}

// patience is how long a connection lives with a direction that stalls.
const patience = 60 * time.Second

func (l *link) open() bool { return !l.cut && !l.held[0] && !l.held[1] }

// try plans to connect, if that is possible and not done.
func (l *link) try() {
	if l.up || l.trying || !l.open() || !l.ends[0].up() || !l.ends[1].up() {
		return
	}
	l.trying = true
	l.w.after(l.w.jitter(3*time.Second), func() {
		l.trying = false
		if l.up || !l.open() || !l.ends[0].up() || !l.ends[1].up() {
			return
		}
		l.up = true
		l.era++
		l.last = [2][2]time.Time{}
		l.w.stats.add("connection", 1)
		for i, n := range l.ends {
			peer := l.ends[1-i].me
			n.feed(station.Up{Peer: peer, Bulk: false})
			era := l.era
			l.w.after(l.w.jitter(50*time.Millisecond), func() {
				if l.era == era && l.up && n.up() && !l.dead[0] && !l.dead[1] {
					n.feed(station.Up{Peer: peer, Bulk: true})
				}
			})
		}
	})
}

// end breaks the connections; both ends notice.
func (l *link) end() {
	if !l.up {
		return
	}
	dead := l.dead
	l.up, l.dead = false, [2]bool{}
	l.era++
	l.wait = [2][]letter{}
	for i, n := range l.ends {
		if n.up() && !dead[i] {
			peer := l.ends[1-i].me
			n.feed(station.Down{Peer: peer, Bulk: false})
			n.feed(station.Down{Peer: peer, Bulk: true})
		}
	}
	l.try()
}

// drop is called when one end has died: what it sent still arrives, and then
// the other end notices.
func (l *link) drop(n *node) {
	for i, end := range l.ends {
		if end == n && l.up {
			l.dead[i] = true
			era := l.era
			l.w.after(l.w.plan.Latency+l.w.jitter(time.Second), func() {
				if l.era == era {
					l.end()
				}
			})
		}
	}
}

// stall stops one direction, or lets it go on.
func (l *link) stall(from int, on bool) {
	if l.held[from] == on {
		return
	}
	l.held[from] = on
	if on {
		l.stalled = l.w.now
		era := l.era
		l.w.after(patience, func() {
			if l.era == era && (l.held[0] || l.held[1]) && l.w.now.Sub(l.stalled) >= patience {
				l.end()
			}
		})
		return
	}
	kept := l.wait[from]
	l.wait[from] = nil
	for _, x := range kept {
		l.carry(from, x)
	}
	l.try()
}

// carry moves one frame.
func (l *link) carry(from int, x letter) {
	w := l.w
	if !l.up {
		return
	}
	if l.held[from] {
		if w.plan.Packets {
			w.stats.add("frame lost in a stalled direction", 1)
		} else {
			l.wait[from] = append(l.wait[from], x)
		}
		return
	}
	at := w.now.Add(w.jitter(w.plan.Latency))
	if w.plan.Packets && !w.healing {
		if w.chance(w.plan.Loss) {
			w.stats.add("frame lost", 1)
			return
		}
		if w.chance(w.plan.Duplicate) {
			w.stats.add("frame repeated", 1)
			l.arrive(from, x, at.Add(w.jitter(5*time.Second)))
		}
		if w.chance(w.plan.Reorder) {
			w.stats.add("frame delayed", 1)
			l.arrive(from, x, at.Add(w.jitter(2*time.Second)))
			return
		}
	}
	if last := &l.last[from][bit(x.bulk)]; at.Before(*last) {
		at = *last
	} else {
		*last = at
	}
	l.arrive(from, x, at)
}

func (l *link) arrive(from int, x letter, at time.Time) {
	era, to := l.era, l.ends[1-from]
	l.w.at(at, func() {
		if l.era != era || l.dead[1-from] || !to.up() {
			return
		}
		l.w.stats.Frames++
		if l.w.trace != nil {
			l.w.say("%s > %s: %s", l.ends[from], to, describe(x))
		}
		l.w.stats.Bytes += uint64(len(x.frame))
		if b := l.hostileIn(to, x.frame); b != nil {
			to.feed(station.Frames{From: l.ends[from].me, Frames: [][]byte{b}})
		}
	})
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// send brings a step's frames to the links; a process that ends in the middle
// sends only some of them.
func (n *node) send(sends []station.Send, f fate) {
	if f == midSending && len(sends) > 0 {
		sends = sends[:n.w.rng.IntN(len(sends))]
	}
	for _, s := range sends {
		n.w.truth.sent(n, s)
		frames := [][]byte{s.Frame}
		if !n.honest() {
			frames = n.hostileOut(s)
		}
		for _, l := range n.w.links {
			for i, end := range l.ends {
				if end == n && l.ends[1-i].me == s.To {
					for _, b := range frames {
						l.carry(i, letter{s.Bulk, b})
					}
				}
			}
		}
	}
}

// kind is the type of a frame, by its first byte.
func kind(b []byte) frame.Type { return frame.Type(b[0] & 0x1f) }
