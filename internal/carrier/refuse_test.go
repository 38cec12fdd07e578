package carrier

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"parley"
	"parley/frame"
)

// rawTLS is what an honest member p dials with; tests spoil it.
func rawTLS(p parley.Party) *tls.Config {
	cert, err := certificate(key(p, 0))
	if err != nil {
		panic(err)
	}
	c := tlsConfig(cert)
	c.InsecureSkipVerify = true
	return c
}

func hello(p parley.Party) *frame.Hello {
	return &frame.Hello{Version: 1, Channel: channel, Member: p, Boot: [8]byte{0xaa}, Token: 100}
}

func stream(f frame.Frame) []byte { return frame.AppendStream(nil, frame.Encode(f)) }

// rawPeer is a connection by hand to a node.
type rawPeer struct {
	*tls.Conn
	raw *counted
}

func dialTLS(t *testing.T, addr string, cfg *tls.Config) (*rawPeer, error) {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	raw := &counted{Conn: nc}
	p := &rawPeer{tls.Client(raw, cfg), raw}
	return p, p.Handshake()
}

func dialRaw(t *testing.T, addr string, cfg *tls.Config, h *frame.Hello) *rawPeer {
	t.Helper()
	p, err := dialTLS(t, addr, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Write(stream(h)); err != nil {
		t.Fatal(err)
	}
	return p
}

// mustRead reads a frame.
func (p *rawPeer) mustRead(t *testing.T) []byte {
	t.Helper()
	b, err := frame.ReadStream(p, frame.MaxFrame)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Whatever is wrong with who completes a TLS 1.3 handshake, it sees the same:
// one close_notify record and the end, not a byte of ours. The log and Refused
// know the reason.
func TestOneRefusalForAll(t *testing.T) {
	with := func(change func(h *frame.Hello)) []byte {
		h := hello(2)
		change(h)
		return stream(h)
	}
	good := stream(hello(2))
	noCert := rawTLS(2)
	noCert.Certificates = nil
	noALPN := rawTLS(2)
	noALPN.NextProtos = nil
	foreign := frame.AppendStream(nil, append([]byte{2 << 5}, make([]byte, 60)...))
	for _, c := range []struct {
		name string
		tls  *tls.Config
		send []byte
		want string
	}{
		{"key of nobody", rawTLS(9), good, "refused 0 carrier-key"},
		{"no certificate", noCert, good, "refused 0 carrier-key"},
		{"own key", rawTLS(1), with(func(h *frame.Hello) { h.Member = 1 }), "refused 0 carrier-key"},
		{"other channel", rawTLS(2), with(func(h *frame.Hello) { h.Channel[31] ^= 1 }), "refused 2 carrier-channel"},
		{"other version", rawTLS(2), with(func(h *frame.Hello) { h.Version = 2 }), "refused 2 carrier-version"},
		{"frames of another version", rawTLS(2), foreign, "refused 2 carrier-version"},
		{"other member", rawTLS(2), with(func(h *frame.Hello) { h.Member = 3 }), "refused 2 carrier-member"},
		{"no protocol name", noALPN, good, "refused 2 carrier-tls"},
		{"another frame first", rawTLS(2), stream(&frame.Ping{}), "refused 2 carrier-hello"},
		{"bad HELLO", rawTLS(2), frame.AppendStream(nil, []byte{1 << 5, 1, 2, 3}), "refused 2 carrier-hello"},
		{"great length", rawTLS(2), []byte{0xff, 0xff, 0xff}, "refused 2 carrier-hello"},
		{"length zero", rawTLS(2), []byte{0, 0, 0}, "refused 2 carrier-hello"},
		{"half a HELLO, then nothing", rawTLS(2), good[:20], "refused 2 carrier-hello"},
		{"nothing", rawTLS(2), nil, "refused 2 carrier-hello"},
		{"nothing from a stranger", rawTLS(9), nil, "refused 0 carrier-key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := start(t, 1, func(cfg *Config) {
				if len(c.send) < 3 || len(c.send) == 20 { // those that must run out of time
					cfg.Handshake = 2 * time.Second
				}
			})
			p, err := dialTLS(t, a.addr(), c.tls)
			if err != nil {
				t.Fatal(err)
			}
			before := p.raw.in.Load()
			p.Write(c.send)
			if got, err := io.ReadAll(p); err != nil || len(got) != 0 {
				t.Errorf("the other end reads %x, %v; want a plain end", got, err)
			}
			// An encrypted close_notify: header 5, alert 2, type 1, tag 16.
			if n := p.raw.in.Load() - before; n != 24 {
				t.Errorf("the other end gets %d bytes after the handshake, want 24", n)
			}
			a.wait(0, c.want)
			if a.seen("up") != 0 {
				t.Error("the connection came up")
			}
		})
	}
}

// Where TLS itself fails it says so with its own alerts; nobody comes in.
func TestHandshakeRefusals(t *testing.T) {
	old := rawTLS(2)
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	classical := rawTLS(2)
	classical.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP256}
	otherALPN := rawTLS(2)
	otherALPN.NextProtos = []string{"h2"}
	a := start(t, 1, func(c *Config) { c.Handshake = 500 * time.Millisecond })
	for name, cfg := range map[string]*tls.Config{"TLS 1.2": old, "classical curves": classical, "other protocol": otherALPN} {
		from := a.seen("")
		if _, err := dialTLS(t, a.addr(), cfg); err == nil {
			t.Errorf("%s: the handshake succeeds", name)
		}
		a.wait(from, "refused 0 carrier-tls")
	}
	for name, garbage := range map[string]string{"text": "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "nothing": "", "half a record": "\x16\x03\x01\x02\x00\x01"} {
		from := a.seen("")
		nc, err := net.Dial("tcp", a.addr())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		nc.SetDeadline(time.Now().Add(20 * time.Second))
		io.WriteString(nc, garbage)
		if _, err := io.ReadAll(nc); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: not closed", name)
		}
		a.wait(from, "refused 0 carrier-tls")
	}
	if a.seen("up") != 0 {
		t.Error("a connection came up")
	}
}

// ticketTrap is told of any session ticket that a server sends.
type ticketTrap struct {
	mu  sync.Mutex
	got int
}

func (c *ticketTrap) Get(string) (*tls.ClientSessionState, bool) { return nil, false }
func (c *ticketTrap) Put(string, *tls.ClientSessionState) {
	c.mu.Lock()
	c.got++
	c.mu.Unlock()
}

func TestWhatIsNegotiated(t *testing.T) {
	a := start(t, 1, nil)
	cfg := rawTLS(2)
	cfg.CurvePreferences = nil // offer what Go offers
	cfg.ServerName = "a session is stored under a name"
	trap := new(ticketTrap)
	cfg.ClientSessionCache = trap
	p := dialRaw(t, a.addr(), cfg, hello(2))
	f, err := frame.Decode(p.mustRead(t))
	if err != nil {
		t.Fatal(err)
	}
	h := f.(*frame.Hello)
	if h.Member != 1 || h.Channel != channel || h.Version != 1 || h.Bulk || h.Token != 100 {
		t.Errorf("the node's HELLO is %+v", h)
	}
	s := p.ConnectionState()
	if s.Version != tls.VersionTLS13 || s.CurveID != tls.X25519MLKEM768 || s.NegotiatedProtocol != ALPN || s.DidResume {
		t.Errorf("negotiated version %x, group %v, protocol %q, resumed %v", s.Version, s.CurveID, s.NegotiatedProtocol, s.DidResume)
	}
	if k, _ := s.PeerCertificates[0].PublicKey.(ed25519.PublicKey); !pinned(pins(1), k) {
		t.Error("the node shows another key than its own")
	}
	// A ticket would have come before the answer to a frame.
	a.wait(0, "up 2 urgent")
	a.Send(2, false, []byte("frame"))
	p.mustRead(t)
	if trap.got != 0 {
		t.Errorf("%d session tickets", trap.got)
	}
}

// A live connection that breaks the stream's form is closed.
func TestBadLengthAfterHello(t *testing.T) {
	for _, bad := range [][]byte{{0xff, 0xff, 0xff}, {0, 0, 0}} {
		a := start(t, 1, nil)
		p := dialRaw(t, a.addr(), rawTLS(2), hello(2))
		p.mustRead(t)
		p.Write(bad)
		a.wait(0, "down 2 urgent carrier-stream")
	}
}

func TestCrowdAtTheDoor(t *testing.T) {
	a := start(t, 1, func(c *Config) { c.PendingIP = 3 })
	var idle []net.Conn
	for range 4 {
		nc, err := net.Dial("tcp", a.addr())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		idle = append(idle, nc)
	}
	a.wait(0, "refused 0 carrier-crowded")
	// Once they leave there is room again.
	for _, nc := range idle {
		nc.Close()
	}
	for range 3 {
		_, _ = a.wait(0, "refused 0 carrier-tls")
	}
	for a.seen("refused 0 carrier-tls") < 3 {
		time.Sleep(time.Millisecond)
	}
	dialRaw(t, a.addr(), rawTLS(2), hello(2)).mustRead(t)
}

// Strangers can fill neither the places of addresses that members came from
// nor, by coming often, the processor.
func TestDoorKeepsPlacesForMembers(t *testing.T) {
	now := time.Now()
	d := door{all: 8, each: 8}
	d.member("home")
	for range 10 {
		d.enter("stranger", now)
	}
	if d.waiting != 6 {
		t.Errorf("strangers hold %d places of 8", d.waiting)
	}
	if in := []bool{d.enter("home", now), d.enter("home", now), d.enter("home", now)}; !in[0] || !in[1] || in[2] {
		t.Errorf("an address that a member came from gets %v of two places left", in)
	}
	for range 8 {
		d.exit("stranger")
	}
	d.waiting = 0
	in := 0
	for range 10_000 {
		if d.enter("stranger", now) {
			in++
			d.exit("stranger")
		}
	}
	if in > strangersSize {
		t.Errorf("%d handshakes of strangers at one moment", in)
	}
	if !d.enter("home", now) {
		t.Error("the strangers' rate binds members")
	}
	for i := range 2 * maxKnown {
		d.member(fmt.Sprint(i))
	}
	if len(d.known) > maxKnown || d.known[len(d.known)-1] != fmt.Sprint(2*maxKnown-1) {
		t.Errorf("%d addresses are known", len(d.known))
	}
}

// answerPings makes a hand-made peer look alive until its connection ends.
func (p *rawPeer) answerPings() <-chan error {
	end := make(chan error, 1)
	go func() {
		for {
			b, err := frame.ReadStream(p, frame.MaxFrame)
			if err != nil {
				end <- err
				return
			}
			if f, err := frame.Decode(b); err == nil && f.Type() == frame.TypePing {
				p.Write(stream(&frame.Ping{Pong: true}))
			}
		}
	}()
	return end
}

func TestTwoInstances(t *testing.T) {
	second := func(token uint64) *frame.Hello {
		h := hello(2)
		h.Boot, h.Token = [8]byte{0xbb}, token
		return h
	}
	for _, c := range []struct {
		name    string
		token   uint64
		alive   bool
		want    string
		refused bool
	}{
		{"a greater lease replaces", 101, true, "up 2 urgent bb token 101", false},
		{"a lesser one is refused", 99, true, "refused 2 carrier-stale", true},
		{"an equal one is an alarm", 100, true, "refused 2 carrier-twice", true},
		{"a lesser one replaces the dead", 99, false, "up 2 urgent bb token 99", false},
		{"an equal one replaces the dead", 100, false, "up 2 urgent bb token 100", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := start(t, 1, func(cfg *Config) {
				if !c.alive {
					cfg.Probe = 50 * time.Millisecond
				}
			})
			first := dialRaw(t, a.addr(), rawTLS(2), hello(2))
			first.mustRead(t)
			a.wait(0, "up 2 urgent aa")
			var end <-chan error
			if c.alive {
				end = first.answerPings()
			}
			p := dialRaw(t, a.addr(), rawTLS(2), second(c.token))
			a.wait(0, c.want)
			if c.refused {
				if _, err := p.Read(make([]byte, 1)); err != io.EOF {
					t.Errorf("the refused instance reads %v", err)
				}
				if a.seen("down") != 0 {
					t.Error("the live instance was closed")
				}
				return
			}
			// The old one had its Down before the new one's Up.
			_, at := a.wait(0, "down 2 urgent")
			a.wait(at, "up 2 urgent bb")
			p.mustRead(t)
			if c.alive {
				<-end
			}
		})
	}
}

// Stopping a node ends what is only half let in, at once.
func TestStopDuringHandshake(t *testing.T) {
	a := start(t, 1, func(c *Config) { c.Handshake = time.Hour })
	nc, err := net.Dial("tcp", a.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	p, err := dialTLS(t, a.addr(), rawTLS(2))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	stopped := make(chan struct{})
	go func() { a.stop(); close(stopped) }()
	select {
	case <-stopped:
	case <-ctx.Done():
		t.Fatal("a waiting connection holds up the stop")
	}
	if _, err := p.Read(make([]byte, 1)); err == nil {
		t.Error("the connection lives on")
	}
}

// rawServer is a hand-made member p that lets the first urgent connection in,
// keeps it alive, and reports how it ends.
func rawServer(t *testing.T, p parley.Party) (addr string, end <-chan error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	ended := make(chan error, 1)
	go func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { nc.Close() })
			s := &rawPeer{Conn: tls.Server(nc, rawTLS(p))}
			b, err := frame.ReadStream(s, frame.MaxFrame)
			if f, _ := frame.Decode(b); err != nil || f.(*frame.Hello).Bulk {
				nc.Close()
				continue
			}
			ln.Close()
			s.Write(stream(hello(p)))
			ended <- <-s.answerPings()
		}
	}()
	return ln.Addr().String(), ended
}

// Of two connections of one kind with the same node, both ends keep the same:
// the newer of one dialer, and the one that the lower number dialed.
func TestTwoConnectionsOfOneNode(t *testing.T) {
	t.Run("the dialer's newer one", func(t *testing.T) {
		a := start(t, 1, nil)
		old := dialRaw(t, a.addr(), rawTLS(2), hello(2))
		old.mustRead(t)
		a.wait(0, "up 2 urgent")
		dialRaw(t, a.addr(), rawTLS(2), hello(2)).mustRead(t)
		_, at := a.wait(0, "down 2 urgent carrier-replaced")
		a.wait(at, "up 2 urgent")
	})
	t.Run("the lower number's, coming second", func(t *testing.T) {
		b := start(t, 2, nil)
		addr, end := rawServer(t, 1)
		b.SetPeer(1, addr)
		b.wait(0, "up 1 urgent")
		dialRaw(t, b.addr(), rawTLS(1), hello(1)).mustRead(t)
		_, at := b.wait(0, "down 1 urgent carrier-replaced")
		b.wait(at, "up 1 urgent")
		<-end
	})
	t.Run("the lower number's, coming first", func(t *testing.T) {
		a := start(t, 1, nil)
		addr, end := rawServer(t, 2)
		a.SetPeer(2, addr)
		a.wait(0, "up 2 urgent")
		p := dialRaw(t, a.addr(), rawTLS(2), hello(2))
		if _, err := p.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the higher number's connection reads %v", err)
		}
		select {
		case err := <-end:
			t.Errorf("the lower number's connection ended: %v", err)
		default:
		}
		if a.seen("down") != 0 {
			t.Error("the lower number's connection went down")
		}
	})
}
