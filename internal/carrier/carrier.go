package carrier

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"net"
	"sync"
	"time"

	"parley"
	"parley/frame"
)

// Carrier keeps the connections of one node in one channel.
type Carrier struct {
	cfg  Config
	cert tls.Certificate
	ln   net.Listener // nil if it does not listen

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	door door // connections not yet let in

	mu      sync.Mutex // guards what follows, and peer.addr, slots, total
	running bool
	peers   [parley.MaxParty + 1]*peer
}

// peer is what is known of one member.
type peer struct {
	party parley.Party
	turn  chan struct{}    // held by the one connection that is being admitted
	wake  [2]chan struct{} // tells the dialer of a kind to look again

	addr    string
	dialing bool     // its dialers run
	slots   [2]*conn // the live urgent and bulk connection; emptied after Down
	total   Stats    // of connections that ended
}

func kind(bulk bool) int {
	if bulk {
		return 1
	}
	return 0
}

// New checks the configuration and starts to listen. Run does the rest.
func New(cfg Config) (*Carrier, error) {
	cfg.defaults()
	if cfg.Me < 1 || cfg.Me > parley.MaxParty {
		return nil, parley.Errorf(CodeMember, "member number %d", cfg.Me)
	}
	if len(cfg.TLSKey) != ed25519.PrivateKeySize || cfg.Token > parley.MaxUint {
		return nil, parley.Errorf(CodeKey, "no TLS key, or a lease token above 2^53-1")
	}
	if cfg.Pins == nil || cfg.Up == nil || cfg.Down == nil || cfg.Frame == nil {
		panic("carrier: Pins, Up, Down and Frame are required")
	}
	c := &Carrier{cfg: cfg, door: door{all: cfg.Pending, each: cfg.PendingIP}}
	var err error
	if c.cert, err = certificate(cfg.TLSKey); err != nil {
		return nil, parley.Errorf(CodeTLS, "the node's certificate: %w", err)
	}
	for p := range c.peers {
		c.peers[p] = &peer{
			party: parley.Party(p),
			turn:  make(chan struct{}, 1),
			wake:  [2]chan struct{}{make(chan struct{}, 1), make(chan struct{}, 1)},
			addr:  cfg.Peers[parley.Party(p)],
		}
	}
	if cfg.Listen != "" {
		if c.ln, err = net.Listen("tcp", cfg.Listen); err != nil {
			return nil, parley.Errorf(CodeListen, "listen on %s: %w", cfg.Listen, err)
		}
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c, nil
}

// Addr is where the carrier listens; nil if it does not.
func (c *Carrier) Addr() net.Addr {
	if c.ln == nil {
		return nil
	}
	return c.ln.Addr()
}

// Run accepts and dials until ctx ends or Close is called, then closes all
// connections, waits for their last callbacks and returns nil. It may be
// called once.
func (c *Carrier) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, c.cancel)()
	c.mu.Lock()
	c.running = true
	for _, p := range c.peers {
		c.startDialing(p)
	}
	c.mu.Unlock()
	if c.ln != nil {
		c.wg.Add(1)
		go c.accept()
	}
	<-c.ctx.Done()
	c.mu.Lock()
	c.running = false
	for _, p := range c.peers {
		for _, n := range p.slots {
			if n != nil {
				n.close(stopped())
			}
		}
	}
	c.mu.Unlock()
	if c.ln != nil {
		c.ln.Close()
	}
	c.wg.Wait()
	return nil
}

// Close makes Run return. It does not wait and may be called from a callback.
func (c *Carrier) Close() error {
	c.cancel()
	if c.ln != nil {
		return c.ln.Close()
	}
	return nil
}

func stopped() error { return parley.Errorf(CodeStopped, "the node was stopped") }

// Send queues frames for a peer's urgent or bulk connection, all or none, and
// never blocks. The frames must not be changed afterwards. It reports false if
// there is no such connection, or if its queue is full: then the connection is
// closed, and HAVE repairs when it is up again. An empty frame or one above
// frame.MaxFrame panics.
func (c *Carrier) Send(p parley.Party, bulk bool, frames ...[]byte) bool {
	for _, f := range frames {
		if len(f) == 0 || len(f) > frame.MaxFrame {
			panic("carrier: a frame that no stream may carry")
		}
	}
	n := c.live(p, bulk)
	return n != nil && n.send(frames)
}

func (c *Carrier) live(p parley.Party, bulk bool) *conn {
	if int(p) >= len(c.peers) {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.peers[p].slots[kind(bulk)]
}

// SetPeer changes the address at which a member is dialed; "" stops dialing.
// Live connections stay.
func (c *Carrier) SetPeer(p parley.Party, addr string) {
	if p < 1 || p > parley.MaxParty {
		return
	}
	c.mu.Lock()
	c.peers[p].addr = addr
	c.startDialing(c.peers[p])
	c.mu.Unlock()
	c.Kick(p)
}

// Kick dials a member at once if a connection is missing, whatever pause the
// dialer is in.
func (c *Carrier) Kick(p parley.Party) {
	if p < 1 || p > parley.MaxParty {
		return
	}
	for _, w := range c.peers[p].wake {
		select {
		case w <- struct{}{}:
		default:
		}
	}
}

// Repin closes the connections whose key is no longer pinned. Call it when the
// answers of Config.Pins have changed.
func (c *Carrier) Repin() {
	for p := parley.Party(1); p <= parley.MaxParty; p++ {
		for _, n := range []*conn{c.live(p, false), c.live(p, true)} {
			if n != nil && !pinned(c.cfg.Pins(p), n.key) {
				n.close(parley.Errorf(CodeKey, "the TLS key of member %d was replaced", p))
			}
		}
	}
}

// refuse logs why a connection was not let in, and tells the caller. That two
// dialed at once concerns nobody.
func (c *Carrier) refuse(p parley.Party, remote string, err error) {
	if parley.CodeOf(err) == CodeReplaced {
		c.cfg.Log.Debug("connection not needed", "member", int(p), "remote", remote, "err", err)
		return
	}
	if skipped, ok := c.door.mayLog(time.Now()); ok {
		c.cfg.Log.Warn("connection refused", "member", int(p), "remote", remote,
			"code", string(parley.CodeOf(err)), "err", err, "unlogged", skipped)
	}
	if c.cfg.Refused != nil {
		c.cfg.Refused(p, remote, err)
	}
}
