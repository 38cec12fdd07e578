package carrier

import (
	"net"
	"sync/atomic"
	"time"

	"parley"
)

// Stats counts what went between this node and one peer since the carrier was
// made, both connections together. Frame bytes are those of the frames alone;
// wire bytes are all that TCP carried: lengths, HELLOs, TLS and its
// handshakes, but not the handshakes of connections that were refused.
type Stats struct {
	FramesIn, FramesOut         uint64
	FrameBytesIn, FrameBytesOut uint64
	WireIn, WireOut             uint64
}

func (s *Stats) add(t Stats) {
	s.FramesIn += t.FramesIn
	s.FramesOut += t.FramesOut
	s.FrameBytesIn += t.FrameBytesIn
	s.FrameBytesOut += t.FrameBytesOut
	s.WireIn += t.WireIn
	s.WireOut += t.WireOut
}

// Stats is a peer's count at this moment.
func (c *Carrier) Stats(p parley.Party) Stats {
	if int(p) >= len(c.peers) {
		return Stats{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.peers[p].total
	for _, n := range c.peers[p].slots {
		if n != nil {
			s.add(n.stats())
		}
	}
	return s
}

func (n *conn) stats() Stats {
	return Stats{
		FramesIn: n.frames.inN.Load(), FramesOut: n.frames.outN.Load(),
		FrameBytesIn: n.frames.in.Load(), FrameBytesOut: n.frames.out.Load(),
		WireIn: n.raw.in.Load(), WireOut: n.raw.out.Load(),
	}
}

type counters struct{ in, out, inN, outN atomic.Uint64 }

// counted is the TCP connection under TLS: it counts bytes and, once idle is
// set, gives every read a deadline of its own, so that a large frame on a slow
// line is not taken for silence.
type counted struct {
	net.Conn
	in, out atomic.Uint64
	idle    time.Duration // set and read by the reader's goroutine only
}

func (c *counted) Read(b []byte) (int, error) {
	if c.idle > 0 {
		c.SetReadDeadline(time.Now().Add(c.idle))
	}
	n, err := c.Conn.Read(b)
	c.in.Add(uint64(n))
	return n, err
}

func (c *counted) Write(b []byte) (int, error) {
	// Counted first: the other end's answer may be here before Write returns.
	c.out.Add(uint64(len(b)))
	n, err := c.Conn.Write(b)
	c.out.Add(-uint64(len(b) - n))
	return n, err
}
