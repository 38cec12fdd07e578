package carrier

import (
	"bufio"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"parley"
	"parley/frame"
)

// conn is one connection, from the first byte to Down.
type conn struct {
	c      *Carrier
	raw    *counted
	tls    *tls.Conn
	r      *bufio.Reader
	dialed bool // by us

	// Known after HELLO and constant from then on.
	key   []byte
	party parley.Party
	bulk  bool
	boot  [8]byte
	token uint64

	frames counters // of frames; raw has those of TCP

	mu    sync.Mutex // guards what follows
	queue [][]byte
	size  int // bytes waiting or being written
	err   error

	wake   chan struct{} // frames are waiting
	closed chan struct{} // close was called
	done   chan struct{} // Down has returned, or the connection never came up
}

// perFrame is what a waiting frame costs beside its bytes, so that many small
// frames cannot hold more memory than Config.Queue says.
const perFrame = 64

func (c *Carrier) newConn(nc net.Conn, dialed bool) *conn {
	return &conn{c: c, raw: &counted{Conn: nc}, dialed: dialed,
		wake: make(chan struct{}, 1), closed: make(chan struct{}), done: make(chan struct{})}
}

// close ends the connection; the first reason stands. It does not wait and
// cuts off whatever is being read or written.
func (n *conn) close(why error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.err != nil {
		return
	}
	n.err = why
	n.queue = nil
	close(n.closed)
	n.raw.Close()
}

func (n *conn) send(frames [][]byte) bool {
	n.mu.Lock()
	size := n.size
	for _, f := range frames {
		size += len(f) + perFrame
	}
	if n.err != nil {
		n.mu.Unlock()
		return false
	}
	if size > n.c.cfg.Queue {
		n.mu.Unlock()
		n.close(parley.Errorf(CodeOverflow, "%d bytes wait for member %d, more than %d", size, n.party, n.c.cfg.Queue))
		return false
	}
	n.queue = append(n.queue, frames...)
	n.size = size
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
	return true
}

// take returns what waits and forgets the batch that was written.
func (n *conn) take(written int) [][]byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	batch := n.queue
	n.queue = nil
	n.size -= written
	return batch
}

// write is the writer's goroutine. A lone frame leaves at once; whatever
// gathers meanwhile leaves together, in as few records as it fits.
func (n *conn) write() {
	defer n.c.wg.Done()
	w := bufio.NewWriterSize(timedWriter{n.tls, n.c.cfg.Write}, chunk)
	written := 0
	for {
		batch := n.take(written)
		if written = 0; batch == nil {
			if err := w.Flush(); err != nil {
				n.close(lost(err))
				return
			}
			select {
			case <-n.wake:
			case <-n.closed:
				return
			}
			continue
		}
		for _, f := range batch {
			l := len(f)
			n.frames.out.Add(uint64(l))
			n.frames.outN.Add(1)
			w.WriteByte(byte(l >> 16)) // an error sticks to w
			w.WriteByte(byte(l >> 8))
			w.WriteByte(byte(l))
			if _, err := w.Write(f); err != nil {
				n.close(lost(err))
				return
			}
			written += l + perFrame
		}
	}
}

// run is the life of an admitted connection: Up, frames, Down.
func (n *conn) run() {
	c := n.c
	n.raw.SetDeadline(time.Time{})
	c.wg.Add(1)
	go n.write()
	c.cfg.Log.Info("connection up", "member", int(n.party), "bulk", n.bulk, "dialed", n.dialed, "remote", n.raw.RemoteAddr().String())
	c.cfg.Up(n.party, n.bulk, n.boot, n.token)
	n.close(n.read())
	c.cfg.Log.Info("connection down", "member", int(n.party), "bulk", n.bulk, "code", string(parley.CodeOf(n.err)), "err", n.err)
	c.cfg.Down(n.party, n.bulk, n.err)
	c.leave(n)
}

func (n *conn) read() error {
	n.raw.idle = n.c.cfg.Idle
	brake := bucket{rate: float64(n.c.cfg.Rate), size: float64(n.c.cfg.Rate), level: float64(n.c.cfg.Rate), last: time.Now()}
	for {
		f, err := frame.ReadStream(n.r, frame.MaxFrame)
		if err != nil {
			return lost(err)
		}
		n.frames.in.Add(uint64(len(f)))
		n.frames.inN.Add(1)
		if d := brake.take(len(f), time.Now()); d > 0 {
			select {
			case <-time.After(d):
			case <-n.closed:
			}
		}
		select {
		case <-n.closed: // no frame after the decision to close
			return nil
		default:
		}
		n.c.cfg.Frame(n.party, n.bulk, f)
	}
}

// lost gives the error of a live connection its code.
func lost(err error) error {
	switch {
	case parley.CodeOf(err) != "":
		return parley.Errorf(CodeStream, "%w", err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return parley.Errorf(CodeSilent, "nothing moved in time: %w", err)
	}
	return parley.Errorf(CodeLost, "%w", err)
}

// chunk is how much is written under one deadline, and the greatest TLS record.
const chunk = 16 << 10

// timedWriter gives each 16 KiB a deadline of its own, so that a large frame
// may take its time on a slow line as long as it moves.
type timedWriter struct {
	*tls.Conn
	d time.Duration
}

func (w timedWriter) Write(b []byte) (n int, err error) {
	for err == nil && n < len(b) {
		var m int
		w.SetWriteDeadline(time.Now().Add(w.d))
		m, err = w.Conn.Write(b[n:min(n+chunk, len(b))])
		n += m
	}
	return n, err
}

// bucket is a token bucket in bytes, or lines.
type bucket struct {
	rate, size, level float64
	last              time.Time
}

// take removes n and returns how long to wait until the level is not below
// zero.
func (b *bucket) take(n int, now time.Time) time.Duration {
	b.level = min(b.size, b.level+b.rate*now.Sub(b.last).Seconds()) - float64(n)
	b.last = now
	if b.level >= 0 {
		return 0
	}
	return time.Duration(-b.level / b.rate * float64(time.Second))
}
