package carrier

import (
	"math/rand/v2"
	"net"
	"time"

	"parley"
)

var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 4}

// startDialing starts a peer's two dialers once it has an address. c.mu is
// held.
func (c *Carrier) startDialing(p *peer) {
	if !c.running || p.dialing || p.addr == "" || p.party == c.cfg.Me || p.party == 0 {
		return
	}
	p.dialing = true
	c.wg.Add(2)
	go c.keep(p, false)
	go c.keep(p, true)
}

// keep is the dialer of one peer and kind. It sleeps while a connection is
// live, whoever dialed it, or while there is no address.
func (c *Carrier) keep(p *peer, bulk bool) {
	defer c.wg.Done()
	wake := p.wake[kind(bulk)]
	pause := c.firstPause(p)
	said := parley.Code("")
	for c.ctx.Err() == nil {
		c.mu.Lock()
		addr, live := p.addr, p.slots[kind(bulk)] != nil
		c.mu.Unlock()
		if live || addr == "" {
			select {
			case <-wake:
			case <-c.ctx.Done():
			}
			pause = c.firstPause(p)
			continue
		}
		if pause > 0 {
			if !c.rest(pause, wake) {
				pause = 0 // kicked, or a connection came and went: look again
				continue
			}
			c.mu.Lock()
			live = p.slots[kind(bulk)] != nil
			c.mu.Unlock()
			if live { // the other end dialed meanwhile
				continue
			}
		}
		begin := time.Now()
		err := c.dial(p.party, addr, bulk)
		switch code := parley.CodeOf(err); {
		case err == nil:
			said = ""
		case c.ctx.Err() != nil:
		case code == CodeDial || code == CodeRefused:
			// Expected for as long as the other node is away: say it once.
			if said != code {
				said = code
				c.cfg.Log.Warn("cannot connect", "member", int(p.party), "bulk", bulk, "addr", addr, "code", string(code), "err", err)
			}
		default:
			c.refuse(p.party, addr, err)
		}
		if err == nil && time.Since(begin) > c.cfg.RetryMax {
			pause = max(c.firstPause(p), c.cfg.RetryMin)
		} else {
			pause = min(max(2*pause, c.cfg.RetryMin), c.cfg.RetryMax)
		}
		select {
		case <-wake: // the end of our own connection is no reason to hurry
		default:
		}
	}
}

// firstPause leaves the first attempt to the lower number.
func (c *Carrier) firstPause(p *peer) time.Duration {
	if c.cfg.Me > p.party {
		return c.cfg.Patience
	}
	return 0
}

// rest sleeps for d, less up to half of it by chance so that nodes that lost
// their line together do not come back together. It reports false if woken.
func (c *Carrier) rest(d time.Duration, wake <-chan struct{}) bool {
	t := time.NewTimer(d - rand.N(d/2+1))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-wake:
	case <-c.ctx.Done():
	}
	return false
}

// dial sets up one connection and runs it to its end. The error says why it
// did not come up; nil if it did.
func (c *Carrier) dial(p parley.Party, addr string, bulk bool) error {
	d := net.Dialer{Timeout: c.cfg.Handshake, KeepAliveConfig: keepAlive}
	nc, err := d.DialContext(c.ctx, "tcp", addr)
	if err != nil {
		return parley.Errorf(CodeDial, "%w", err)
	}
	n := c.newConn(nc, true)
	if err := c.greet(n, p, bulk); err != nil {
		n.tls.Close()
		return err
	}
	n.run()
	return nil
}
