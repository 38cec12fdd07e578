// Package faults puts a bad network between real processes.
//
// A Proxy listens on loopback and hands connections on to one address. Each
// direction has its Rules, which may change at any time and hold for what
// lies in the proxy already:
//
//	p, err := faults.NewProxy(target, seed)
//	p.Set(faults.Up, faults.Rules{Latency: time.Second, Rate: 8000})
//	p.Set(faults.Down, faults.Rules{Cut: true})
//
// Loss of packets is not its business, since under TCP it shows as delay; for
// real loss see Namespace. It is help for tests and the large doses, and no
// part of what runs in earnest.
package faults

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Direction says whose bytes a rule is about.
type Direction int

const (
	Up   Direction = iota // from who dialed
	Down                  // to who dialed
)

// Rules of one direction. The zero value is a good line.
type Rules struct {
	Latency time.Duration // of every byte
	Jitter  time.Duration // more of it, up to that much by chance; never out of order
	Rate    int           // bytes a second, all connections together; 0: no bound
	Cut     bool          // nothing passes, and nobody is told; what was sent meanwhile passes when it heals
	Reset   int           // after so many bytes the connection is reset, once for each; 0: never
	Slice   int           // at most so many bytes at once; 1 is byte by byte
	Garble  int           // one byte in about so many is changed; 0: none
	Garbage []byte        // said before the first byte of this direction
	Linger  time.Duration // between the end of one side and the word of it to the other
}

// Proxy is one address on a bad line.
type Proxy struct {
	ln net.Listener

	mu     sync.Mutex
	target string
	rules  [2]Rules
	busy   [2]time.Time  // until when the line carries what has its turn already
	news   chan struct{} // closed when the rules change
	deaf   bool          // takes no connections
	conns  map[*pair]struct{}
	rng    *rand.Rand

	wg       sync.WaitGroup
	closed   chan struct{}
	Accepted atomic.Int64    // connections so far
	Bytes    [2]atomic.Int64 // passed so far, by direction
}

// pair is one connection through the proxy: near is who dialed.
type pair struct{ near, far *net.TCPConn }

// end ends both sides, with a reset if hard.
func (c *pair) end(hard bool) {
	for _, x := range []*net.TCPConn{c.near, c.far} {
		if hard {
			x.SetLinger(0)
		}
		x.Close()
	}
}

// NewProxy listens on loopback for connections to target. What happens by
// chance follows from seed.
func NewProxy(target string, seed uint64) (*Proxy, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{ln: ln, target: target, news: make(chan struct{}), closed: make(chan struct{}),
		conns: map[*pair]struct{}{}, rng: rand.New(rand.NewPCG(seed, 0))}
	p.wg.Go(p.accept)
	return p, nil
}

// Addr is where it listens.
func (p *Proxy) Addr() string { return p.ln.Addr().String() }

// Close ends all connections.
func (p *Proxy) Close() error {
	err := p.ln.Close()
	close(p.closed)
	p.Kill()
	p.wg.Wait()
	return err
}

// Set changes the rules of a direction.
func (p *Proxy) Set(d Direction, r Rules) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules[d] = r
	close(p.news)
	p.news = make(chan struct{})
}

// Both changes the rules of both directions.
func (p *Proxy) Both(r Rules) { p.Set(Up, r); p.Set(Down, r) }

// Lead hands new connections on to another address, as a false name service
// or a captive portal does.
func (p *Proxy) Lead(target string) {
	p.mu.Lock()
	p.target = target
	p.mu.Unlock()
}

// Heal makes it a good line.
func (p *Proxy) Heal() { p.Both(Rules{}); p.Refuse(false) }

// Refuse closes new connections at once, or takes them again.
func (p *Proxy) Refuse(yes bool) {
	p.mu.Lock()
	p.deaf = yes
	p.mu.Unlock()
}

// Kill resets every connection there is.
func (p *Proxy) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.end(true)
	}
}

// get is the rules as they are, and a channel that tells when they change.
func (p *Proxy) get(d Direction) (Rules, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rules[d], p.news
}

// chance is a number from 0 to below n.
func (p *Proxy) chance(n int64) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rng.Int64N(max(n, 1))
}

func (p *Proxy) accept() {
	for {
		near, err := p.ln.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(10 * time.Millisecond) // out of descriptors
			continue
		}
		p.Accepted.Add(1)
		p.mu.Lock()
		deaf := p.deaf
		p.mu.Unlock()
		if deaf {
			near.(*net.TCPConn).SetLinger(0)
			near.Close()
			continue
		}
		p.wg.Go(func() { p.join(near.(*net.TCPConn)) })
	}
}

// join carries one connection to its end.
func (p *Proxy) join(near *net.TCPConn) {
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	x, err := net.DialTimeout("tcp", target, 10*time.Second)
	if err != nil {
		near.SetLinger(0)
		near.Close()
		return
	}
	c := &pair{near, x.(*net.TCPConn)}
	p.mu.Lock()
	p.conns[c] = struct{}{}
	p.mu.Unlock()
	select {
	case <-p.closed:
		c.end(true)
	default:
	}
	var both sync.WaitGroup
	both.Go(func() { p.carry(c, Up, c.near, c.far) })
	both.Go(func() { p.carry(c, Down, c.far, c.near) })
	both.Wait()
	c.end(false)
	p.mu.Lock()
	delete(p.conns, c)
	p.mu.Unlock()
}

// carry moves the bytes of one direction until one side ends.
func (p *Proxy) carry(c *pair, d Direction, from, to *net.TCPConn) {
	pipe := newDelay()
	var out sync.WaitGroup
	out.Go(func() { p.write(c, d, to, pipe) })
	buf := make([]byte, 16<<10)
	var due time.Time
	for {
		n, err := from.Read(buf)
		if n > 0 {
			r, _ := p.get(d)
			wait := r.Latency + time.Duration(p.chance(int64(r.Jitter)+1))
			if at := time.Now().Add(wait); at.After(due) {
				due = at
			}
			if !pipe.put(append([]byte(nil), buf[:n]...), due) {
				break
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				c.end(true) // a reset travels at once
			}
			break
		}
	}
	pipe.finish()
	out.Wait()
}
