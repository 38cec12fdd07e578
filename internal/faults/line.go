package faults

import (
	"net"
	"sync"
	"time"
)

// inFlight bounds what one direction of a connection holds, in bytes: a line
// with latency has bytes under way, and not without an end.
const inFlight = 256 << 10

// delay holds what is under way, in order.
type delay struct {
	mu    sync.Mutex
	news  *sync.Cond
	parts []part
	size  int
	ended bool // nothing more comes
	dead  bool // nothing more is taken
}

type part struct {
	b   []byte
	due time.Time
}

func newDelay() *delay {
	d := &delay{}
	d.news = sync.NewCond(&d.mu)
	return d
}

// put waits for room; it reports false if nobody takes any more.
func (d *delay) put(b []byte, due time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.size > 0 && d.size+len(b) > inFlight && !d.dead {
		d.news.Wait()
	}
	d.parts = append(d.parts, part{b, due})
	d.size += len(b)
	d.news.Broadcast()
	return !d.dead
}

func (d *delay) finish() {
	d.mu.Lock()
	d.ended = true
	d.news.Broadcast()
	d.mu.Unlock()
}

func (d *delay) kill() {
	d.mu.Lock()
	d.dead = true
	d.news.Broadcast()
	d.mu.Unlock()
}

// next waits for the next part; false at the end.
func (d *delay) next() (part, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.parts) == 0 && !d.ended {
		d.news.Wait()
	}
	if len(d.parts) == 0 {
		return part{}, false
	}
	x := d.parts[0]
	d.parts = d.parts[1:]
	d.size -= len(x.b)
	d.news.Broadcast()
	return x, true
}

// write does what the rules say with the bytes of one direction.
func (p *Proxy) write(c *pair, d Direction, to *net.TCPConn, in *delay) {
	defer in.kill()
	total := 0
	r, _ := p.get(d)
	if len(r.Garbage) > 0 {
		to.Write(r.Garbage)
	}
	for {
		x, more := in.next()
		if !more {
			r, _ := p.get(d)
			if p.sleep(r.Linger) {
				to.CloseWrite()
			}
			return
		}
		if !p.sleep(time.Until(x.due)) {
			return
		}
		for len(x.b) > 0 {
			r, ok := p.passable(d)
			if !ok {
				return
			}
			n := len(x.b)
			if r.Slice > 0 {
				n = min(n, r.Slice)
			}
			if r.Rate > 0 {
				n = min(n, max(r.Rate/20, 1))
			}
			if r.Rate > 0 && !p.sleep(p.turn(d, n, r.Rate)) {
				return
			}
			if r.Reset > 0 && total+n >= r.Reset {
				to.Write(x.b[:max(r.Reset-total, 0)])
				c.end(true)
				return
			}
			b := x.b[:n]
			if x.b = x.b[n:]; r.Garble > 0 && p.chance(int64(r.Garble)) < int64(n) {
				b[p.chance(int64(n))] ^= byte(1 + p.chance(255))
			}
			if _, err := to.Write(b); err != nil {
				c.end(true)
				return
			}
			total += n
			p.Bytes[d].Add(int64(n))
		}
	}
}

// turn is how long n bytes wait until the line has carried them: all
// connections share one line.
func (p *Proxy) turn(d Direction, n, rate int) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.busy[d].Before(now) {
		p.busy[d] = now
	}
	p.busy[d] = p.busy[d].Add(time.Duration(n) * time.Second / time.Duration(rate))
	return p.busy[d].Sub(now)
}

// passable waits while a direction is cut and returns its rules; false if the
// proxy was closed.
func (p *Proxy) passable(d Direction) (Rules, bool) {
	for {
		r, news := p.get(d)
		if !r.Cut {
			return r, true
		}
		select {
		case <-news:
		case <-p.closed:
			return r, false
		}
	}
}

// sleep reports false if the proxy was closed meanwhile.
func (p *Proxy) sleep(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-p.closed:
		return false
	}
}
