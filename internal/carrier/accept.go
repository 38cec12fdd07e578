package carrier

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"parley"
)

// accept takes connections until the listener closes.
func (c *Carrier) accept() {
	defer c.wg.Done()
	for {
		nc, err := c.ln.Accept()
		if err != nil {
			if c.ctx.Err() != nil {
				return
			}
			// Out of descriptors, most likely: others must go first.
			c.cfg.Log.Error("cannot accept connections", "err", err)
			select {
			case <-time.After(time.Second):
			case <-c.ctx.Done():
				return
			}
			continue
		}
		c.wg.Add(1)
		go c.receive(nc)
	}
}

func (c *Carrier) receive(nc net.Conn) {
	defer c.wg.Done()
	remote := nc.RemoteAddr().String()
	host := origin(remote)
	if !c.door.enter(host) {
		nc.Close()
		c.refuse(0, remote, parley.Errorf(CodeCrowded, "too many connections wait to be let in, from %s or altogether", host))
		return
	}
	if t, ok := nc.(*net.TCPConn); ok {
		t.SetKeepAliveConfig(keepAlive)
	}
	n := c.newConn(nc, false)
	err := c.answer(n)
	if err != nil {
		n.tls.Close()
		c.door.exit(host)
		if c.ctx.Err() == nil {
			c.refuse(n.party, remote, err)
		}
		return
	}
	c.door.exit(host)
	n.run()
}

// origin is what counts as one address at the door: an IPv4 address, or an
// IPv6 network of 64 bits, since whoever has one address there has them all.
func origin(remote string) string {
	a, err := netip.ParseAddrPort(remote)
	if err != nil {
		return remote
	}
	ip := a.Addr().Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	site, _ := ip.Prefix(64)
	return site.String()
}

// door counts the connections that are not let in yet, and keeps strangers
// from filling the log.
type door struct {
	all, each int

	mu      sync.Mutex
	waiting int
	from    map[string]int
	lines   bucket
	skipped int
}

func (d *door) enter(host string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waiting >= d.all || d.from[host] >= d.each {
		return false
	}
	if d.from == nil {
		d.from = map[string]int{}
	}
	d.waiting++
	d.from[host]++
	return true
}

func (d *door) exit(host string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiting--
	if d.from[host]--; d.from[host] == 0 {
		delete(d.from, host)
	}
}

// mayLog allows a line every three seconds, forty at once, and says how many
// were not written before this one.
func (d *door) mayLog(now time.Time) (skipped int, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lines.size == 0 {
		d.lines = bucket{rate: 1. / 3, size: 40, level: 40, last: now}
	}
	if d.lines.take(1, now) > 0 {
		d.lines.level++
		d.skipped++
		return 0, false
	}
	skipped, d.skipped = d.skipped, 0
	return skipped, true
}
