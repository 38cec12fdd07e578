package carrier

import (
	"time"

	"parley"
	"parley/frame"
)

// admit makes a judged connection the live one of its peer and kind, or says
// why another one stands. One connection of a peer is admitted at a time; what
// it replaces is closed first and has had its Down.
func (c *Carrier) admit(n *conn) error {
	p := c.peers[n.party]
	limit := time.NewTimer(c.cfg.Handshake)
	defer limit.Stop()
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-limit.C:
		return parley.Errorf(CodeReplaced, "other connections of member %d are being settled", n.party)
	case <-c.ctx.Done():
		return stopped()
	}
	c.mu.Lock()
	olds := p.slots
	c.mu.Unlock()
	for _, o := range olds {
		if o == nil || o.boot == n.boot && o.bulk != n.bulk {
			continue
		}
		if err := c.contest(n, o); err != nil {
			return err
		}
		select {
		case <-o.done:
		case <-limit.C:
			return parley.Errorf(CodeReplaced, "the older connection of member %d does not end", n.party)
		case <-c.ctx.Done():
			return stopped()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.running {
		return stopped()
	}
	p.slots[kind(n.bulk)] = n
	return nil
}

// contest closes the live connection o in favour of n, or says why n loses.
func (c *Carrier) contest(n, o *conn) error {
	same := o.boot == n.boot
	switch {
	case same && (n.dialed == o.dialed || c.lowerDialed(n)):
		// The dialer has given up the old one, or both dialed at once.
		o.close(parley.Errorf(CodeReplaced, "replaced by a newer connection of the same node"))
		return nil
	case !same && n.token > o.token:
		o.close(parley.Errorf(CodeStale, "member %d has a newer instance", n.party))
		return nil
	case !c.alive(o):
		o.close(parley.Errorf(CodeSilent, "silent for %s after a PING", c.cfg.Probe))
		return nil
	case same:
		return parley.Errorf(CodeReplaced, "member %d has this connection already", n.party)
	case n.token == o.token:
		return parley.Errorf(CodeTwice, "member %d runs twice? Two instances, %x and %x, show lease %d", n.party, o.boot, n.boot, n.token)
	}
	return parley.Errorf(CodeStale, "instance %x of member %d has lease %d, the live one %d", n.boot, n.party, n.token, o.token)
}

// lowerDialed reports whether the lower of the two numbers dialed n.
func (c *Carrier) lowerDialed(n *conn) bool { return n.dialed == (c.cfg.Me < n.party) }

// alive sends a PING on a live connection and reports whether anything comes
// before the probe's time is over.
func (c *Carrier) alive(o *conn) bool {
	before := o.raw.in.Load()
	o.send([][]byte{frame.Encode(&frame.Ping{Time: uint64(max(0, time.Now().Unix()))})})
	end := time.NewTimer(c.cfg.Probe)
	defer end.Stop()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-look.C:
			if o.raw.in.Load() != before {
				return true
			}
		case <-o.closed:
			return false
		case <-end.C:
			return false
		case <-c.ctx.Done():
			return true
		}
	}
}

// leave empties n's slot and keeps its counts.
func (c *Carrier) leave(n *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.peers[n.party]
	if p.slots[kind(n.bulk)] == n {
		p.slots[kind(n.bulk)] = nil
		p.total.add(n.stats())
	}
	close(n.done)
	select {
	case p.wake[kind(n.bulk)] <- struct{}{}:
	default:
	}
}
