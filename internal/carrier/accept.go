package carrier

import (
	"net"
	"net/netip"
	"slices"
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
	if !c.door.enter(host, time.Now()) {
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
	c.door.member(host)
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
// from filling the places, the processor and the log. Addresses from which
// members came before have a quarter of the places to themselves, and do not
// share the strangers' rate.
type door struct {
	all, each int

	mu      sync.Mutex
	waiting int
	from    map[string]int
	known   []string // where members came from, the latest last
	news    bucket   // connections of strangers
	lines   bucket
	skipped int
}

// Handshakes of strangers: so many a second, and at once. One takes about half
// a millisecond of a processor.
const (
	strangersRate = 100
	strangersSize = 400
	maxKnown      = 4 * parley.MaxParty
)

func (d *door) enter(host string, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := d.all
	if !slices.Contains(d.known, host) {
		all -= d.all / 4
		if d.news.size == 0 {
			d.news = bucket{rate: strangersRate, size: strangersSize, level: strangersSize, last: now}
		}
		if d.news.take(1, now) > 0 {
			d.news.level++
			return false
		}
	}
	if d.waiting >= all || d.from[host] >= d.each {
		return false
	}
	if d.from == nil {
		d.from = map[string]int{}
	}
	d.waiting++
	d.from[host]++
	return true
}

// member notes that a member came from host.
func (d *door) member(host string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.known = slices.DeleteFunc(d.known, func(h string) bool { return h == host })
	d.known = append(d.known, host)
	d.known = d.known[max(0, len(d.known)-maxKnown):]
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
