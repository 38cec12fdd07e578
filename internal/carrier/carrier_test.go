package carrier

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"parley"
	"parley/frame"
)

var channel = parley.Hash{0xc4, 0xa1}

// key is member p's TLS key; the n-th after a change of keys.
func key(p parley.Party, n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(append(bytes.Repeat([]byte{0x5e}, 30), byte(p), n))
}

func pins(p parley.Party) [][]byte {
	if p > 4 {
		return nil
	}
	return [][]byte{key(p, 0).Public().(ed25519.PublicKey), key(p, 1).Public().(ed25519.PublicKey)}
}

// node is a carrier whose callbacks become lines that a test waits for:
// "up 2 urgent 01", "down 2 bulk carrier-lost", "frame 2 urgent <text>",
// "refused 2 carrier-twice".
type node struct {
	*Carrier
	t    testing.TB
	stop func()
	mute chan struct{} // while open, Frame blocks

	mu    sync.Mutex
	lines []string
	news  chan struct{}
}

func kindName(bulk bool) string {
	if bulk {
		return "bulk"
	}
	return "urgent"
}

func (n *node) note(format string, args ...any) {
	n.mu.Lock()
	n.lines = append(n.lines, fmt.Sprintf(format, args...))
	close(n.news)
	n.news = make(chan struct{})
	n.mu.Unlock()
}

// wait returns the first line from index from on that starts with one of the
// prefixes, and the index after it.
func (n *node) wait(from int, prefixes ...string) (string, int) {
	n.t.Helper()
	end := time.After(20 * time.Second)
	for {
		n.mu.Lock()
		for i, l := range n.lines[from:] {
			for _, p := range prefixes {
				if strings.HasPrefix(l, p) {
					n.mu.Unlock()
					return l, from + i + 1
				}
			}
		}
		news := n.news
		n.mu.Unlock()
		select {
		case <-news:
		case <-end:
			n.mu.Lock()
			defer n.mu.Unlock()
			n.t.Fatalf("member %d: no %q among %q", n.cfg.Me, prefixes, n.lines[from:])
		}
	}
}

func (n *node) seen(prefix string) (count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range n.lines {
		if strings.HasPrefix(l, prefix) {
			count++
		}
	}
	return count
}

// start runs a node with short times; change sets what a test needs.
func start(t testing.TB, me parley.Party, change func(*Config)) *node {
	t.Helper()
	n := &node{t: t, news: make(chan struct{})}
	cfg := Config{
		Channel: channel, Me: me, TLSKey: key(me, 0), Pins: pins, Listen: "127.0.0.1:0",
		Boot: [8]byte{byte(me)}, Token: 100, RetryMin: time.Millisecond, RetryMax: 50 * time.Millisecond,
		Patience: time.Millisecond,
		Up: func(p parley.Party, bulk bool, boot [8]byte, token uint64) {
			n.note("up %d %s %02x token %d", p, kindName(bulk), boot[0], token)
		},
		Down: func(p parley.Party, bulk bool, err error) {
			n.note("down %d %s %s", p, kindName(bulk), parley.CodeOf(err))
		},
		Refused: func(p parley.Party, _ string, err error) { n.note("refused %d %s", p, parley.CodeOf(err)) },
	}
	cfg.Frame = func(p parley.Party, bulk bool, b []byte) {
		n.mu.Lock()
		mute := n.mute
		n.mu.Unlock()
		if mute != nil {
			<-mute
		}
		if f, err := frame.Decode(b); err == nil {
			if ping, ok := f.(*frame.Ping); ok {
				if !ping.Pong {
					n.Send(p, bulk, frame.Encode(&frame.Ping{Pong: true, ID: ping.ID}))
				}
				return
			}
		}
		n.note("frame %d %s %s", p, kindName(bulk), b[:min(len(b), 40)])
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if n.Carrier, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	var once sync.Once
	n.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	t.Cleanup(n.stop)
	return n
}

func (n *node) addr() string { return n.Addr().String() }

// pair is members 1 and 2, both connections up; 1 knows the address of 2.
func pair(t *testing.T, change1, change2 func(*Config)) (*node, *node) {
	t.Helper()
	b := start(t, 2, change2)
	a := start(t, 1, change1)
	a.SetPeer(2, b.addr())
	bothUp(a, 2)
	bothUp(b, 1)
	return a, b
}

func bothUp(n *node, p parley.Party) {
	n.t.Helper()
	n.wait(0, fmt.Sprintf("up %d urgent", p))
	n.wait(0, fmt.Sprintf("up %d bulk", p))
}

func TestFramesBothWays(t *testing.T) {
	a, b := pair(t, nil, nil)
	if l, _ := a.wait(0, "up 2 urgent"); l != "up 2 urgent 02 token 100" {
		t.Errorf("Up told %q", l)
	}
	for _, bulk := range []bool{false, true} {
		if !a.Send(2, bulk, []byte("from one"), []byte("again")) || !b.Send(1, bulk, []byte("from two")) {
			t.Fatal("Send refused a frame on a live connection")
		}
		b.wait(0, "frame 1 "+kindName(bulk)+" from one")
		b.wait(0, "frame 1 "+kindName(bulk)+" again")
		a.wait(0, "frame 2 "+kindName(bulk)+" from two")
	}
	if a.Send(3, false, []byte("nobody")) || a.Send(77, true, []byte("nobody")) {
		t.Error("Send to a member without a connection")
	}
	b.stop()
	a.wait(0, "down 2 urgent")
	a.wait(0, "down 2 bulk")
	b.wait(0, "down 1 urgent carrier-stopped")
	if a.Send(2, false, []byte("gone")) {
		t.Error("Send after the connection went down")
	}
}

// Frames of one connection come whole, in order, whatever their size.
func TestOrderAndSizes(t *testing.T) {
	const n = 300
	var mu sync.Mutex
	var got [][]byte
	full := make(chan struct{})
	a, _ := pair(t, func(c *Config) { c.Queue = 64 << 20 }, func(c *Config) {
		c.Frame = func(_ parley.Party, _ bool, b []byte) {
			mu.Lock()
			defer mu.Unlock()
			if got = append(got, b); len(got) == n {
				close(full)
			}
		}
	})
	var want [][]byte
	for i := range n {
		size := 1 + i*i*7%40000
		if i == 150 {
			size = frame.MaxFrame
		}
		f := bytes.Repeat([]byte{byte(i)}, size)
		want = append(want, f)
		if !a.Send(2, true, f) {
			t.Fatalf("frame %d refused", i)
		}
	}
	select {
	case <-full:
	case <-time.After(20 * time.Second):
		t.Fatal("not all frames came")
	}
	mu.Lock()
	defer mu.Unlock()
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Fatalf("frame %d of %d bytes came as %d bytes", i, len(want[i]), len(got[i]))
		}
	}
}

// What the benchmark counts: frame bytes, and the cost of lengths and records.
// A lone frame costs 3 bytes of length and 22 of TLS; frames sent together
// share the record.
func TestStatsAndCoalescing(t *testing.T) {
	a, b := pair(t, nil, nil)
	before := a.Stats(2)
	a.Send(2, false, bytes.Repeat([]byte("x"), 256))
	b.wait(0, "frame 1 urgent xxx")
	s := a.Stats(2)
	if d := s.FrameBytesOut - before.FrameBytesOut; d != 256 {
		t.Errorf("%d frame bytes for a frame of 256", d)
	}
	if d := s.WireOut - before.WireOut; d != 256+3+22 {
		t.Errorf("%d bytes on the wire for a frame of 256", d)
	}
	var many [][]byte
	for range 100 {
		many = append(many, bytes.Repeat([]byte("y"), 99))
	}
	many = append(many, []byte("last"))
	before = s
	a.Send(2, false, many...)
	b.wait(0, "frame 1 urgent last")
	s = a.Stats(2)
	if d := s.FramesOut - before.FramesOut; d != 101 {
		t.Errorf("%d frames counted", d)
	}
	if d := s.WireOut - before.WireOut; d != 100*(99+3)+4+3+22 {
		t.Errorf("%d bytes on the wire for %d of frames: not one record", d, 100*99+4)
	}
	if r := b.Stats(1); r.FrameBytesIn != s.FrameBytesOut || r.FramesIn != s.FramesOut || r.WireIn != s.WireOut {
		t.Errorf("one end sent %+v, the other received %+v", s, r)
	}
	// What ended still counts.
	b.stop()
	a.wait(0, "down 2 urgent")
	a.wait(0, "down 2 bulk")
	if e := a.Stats(2); e.FrameBytesOut < s.FrameBytesOut || e.WireOut < s.WireOut {
		t.Errorf("counts shrank from %+v to %+v", s, e)
	}
}

// A pair meets when only the higher number knows an address, and when both do.
func TestWhoDials(t *testing.T) {
	t.Run("only the higher can reach the lower", func(t *testing.T) {
		a := start(t, 1, nil)
		b := start(t, 2, func(c *Config) { c.Listen = ""; c.Peers = map[parley.Party]string{1: a.addr()} })
		bothUp(a, 2)
		bothUp(b, 1)
		if b.Addr() != nil {
			t.Error("a node that does not listen has an address")
		}
	})
	t.Run("the higher does not once the lower has", func(t *testing.T) {
		elsewhere, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer elsewhere.Close()
		called := make(chan struct{}, 9)
		go func() {
			for {
				c, err := elsewhere.Accept()
				if err != nil {
					return
				}
				c.Close()
				called <- struct{}{}
			}
		}()
		const patience = 300 * time.Millisecond
		b := start(t, 2, func(c *Config) {
			c.Patience = patience
			c.Peers = map[parley.Party]string{1: elsewhere.Addr().String()}
		})
		a := start(t, 1, func(c *Config) { c.Peers = map[parley.Party]string{2: b.addr()} })
		bothUp(a, 2)
		bothUp(b, 1)
		for len(called) > 0 { // a slow machine
			<-called
		}
		select {
		case <-called:
			t.Error("dialed beside two live connections")
		case <-time.After(2 * patience):
		}
	})
	t.Run("both at once", func(t *testing.T) {
		a, b := start(t, 1, nil), start(t, 2, nil)
		a.SetPeer(2, b.addr())
		b.SetPeer(1, a.addr())
		bothUp(a, 2)
		bothUp(b, 1)
		// Whichever of the two connections stands, frames pass in the end.
		for i := range 10000 {
			f := fmt.Appendf(nil, "try %05d", i)
			a.Send(2, false, f)
			b.Send(1, false, f)
			if a.seen("frame 2 urgent") > 0 && b.seen("frame 1 urgent") > 0 {
				break
			}
			time.Sleep(time.Millisecond)
		}
		a.wait(0, "frame 2 urgent")
		b.wait(0, "frame 1 urgent")
		if n := a.seen("refused") + b.seen("refused"); n != 0 {
			t.Errorf("%d alarms about dialing at once", n)
		}
	})
}

func TestRestartReconnects(t *testing.T) {
	a, b := pair(t, nil, nil)
	addr := b.addr()
	b.stop()
	_, from := a.wait(0, "down 2 urgent")
	start(t, 2, func(c *Config) { c.Listen = addr; c.Boot = [8]byte{0x22}; c.Token = 101 })
	a.wait(from, "up 2 urgent 22 token 101")
	a.wait(from, "up 2 bulk 22 token 101")
}

// A member's node that moves is dialed at its new address.
func TestMovedPeer(t *testing.T) {
	a, b := pair(t, nil, nil)
	b.stop()
	_, from := a.wait(0, "down 2 urgent")
	moved := start(t, 2, func(c *Config) { c.Boot = [8]byte{0x23}; c.Token = 101 })
	a.SetPeer(2, moved.addr())
	a.wait(from, "up 2 urgent 23")
}

// A reader that blocks stops its own connection and no other.
func TestBackpressureIsPerPeer(t *testing.T) {
	a, b := pair(t, nil, nil)
	c := start(t, 3, func(c *Config) { c.Peers = map[parley.Party]string{1: a.addr()} })
	bothUp(c, 1)
	mute := make(chan struct{})
	b.mu.Lock()
	b.mute = mute
	b.mu.Unlock()
	a.Send(2, false, []byte("blocks"))
	big := make([]byte, 1<<20)
	for i := 0; a.Send(2, false, big); i++ {
		if i == 1000 {
			t.Fatal("a thousand megabytes wait, and the queue is not full")
		}
	}
	a.wait(0, "down 2 urgent carrier-overflow")
	a.Send(3, false, []byte("passes"))
	c.wait(0, "frame 1 urgent passes")
	a.Send(2, true, []byte("meanwhile")) // b's bulk reader blocks on it too
	if n := b.seen("frame"); n != 0 {
		t.Errorf("%d frames passed a reader that blocks", n)
	}
	close(mute)
	b.mu.Lock()
	b.mute = nil
	b.mu.Unlock()
	// After the overflow the connection comes back by itself.
	_, from := a.wait(0, "down 2 urgent carrier-overflow")
	a.wait(from, "up 2 urgent")
	b.wait(0, "frame 1 bulk meanwhile")
	for !a.Send(2, false, []byte("again")) {
		time.Sleep(time.Millisecond)
	}
	b.wait(0, "frame 1 urgent again")
}

func TestSilenceCloses(t *testing.T) {
	a, _ := pair(t, func(c *Config) { c.Idle = 50 * time.Millisecond }, nil)
	_, from := a.wait(0, "down 2 urgent carrier-silent")
	a.wait(from, "up 2 urgent")
}

// dripping gives one byte at a time and counts the deadlines it is set.
type dripping struct {
	net.Conn
	r         io.Reader
	deadlines int
}

func (d *dripping) Read(b []byte) (int, error)      { return d.r.Read(b[:1]) }
func (d *dripping) SetReadDeadline(time.Time) error { d.deadlines++; return nil }

// A connection that moves is not silent, however long a frame takes.
func TestSlowFrameIsNotSilence(t *testing.T) {
	f := frame.AppendStream(nil, []byte("slowly"))
	d := &dripping{r: bytes.NewReader(f)}
	if _, err := frame.ReadStream(&counted{Conn: d, idle: time.Minute}, frame.MaxFrame); err != nil {
		t.Fatal(err)
	}
	if d.deadlines != len(f) {
		t.Errorf("%d bytes one by one moved the deadline %d times", len(f), d.deadlines)
	}
}

func TestRevokedKeyIsClosed(t *testing.T) {
	var mu sync.Mutex
	revoked := false
	a, _ := pair(t, func(c *Config) {
		c.Pins = func(p parley.Party) [][]byte {
			mu.Lock()
			defer mu.Unlock()
			if revoked && p == 2 {
				return pins(2)[1:]
			}
			return pins(p)
		}
	}, nil)
	a.Repin()
	if a.seen("down") != 0 {
		t.Fatal("closed a connection whose key is pinned")
	}
	mu.Lock()
	revoked = true
	mu.Unlock()
	a.Repin()
	a.wait(0, "down 2 urgent carrier-key")
	a.wait(0, "down 2 bulk carrier-key")
	a.wait(0, "refused 2 carrier-key") // and the dialer turns the old key away
}

// The dialer checks the key before it shows its own certificate.
func TestDialedStranger(t *testing.T) {
	b := start(t, 3, nil) // a member, but not the one that is dialed
	a := start(t, 1, nil)
	a.SetPeer(2, b.addr())
	a.wait(0, "refused 2 carrier-key")
	b.wait(0, "refused 0 carrier-tls")
	if a.seen("up")+b.seen("up") != 0 {
		t.Error("a connection with the wrong member came up")
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, change := range []func(*Config){
		func(c *Config) { c.Me = 0 },
		func(c *Config) { c.Me = 21 },
		func(c *Config) { c.TLSKey = nil },
		func(c *Config) { c.Token = 1 << 53 },
		func(c *Config) { c.Listen = "no such host:port" },
	} {
		cfg := Config{Channel: channel, Me: 1, TLSKey: key(1, 0), Pins: pins,
			Up:    func(parley.Party, bool, [8]byte, uint64) {},
			Down:  func(parley.Party, bool, error) {},
			Frame: func(parley.Party, bool, []byte) {}}
		change(&cfg)
		if _, err := New(cfg); parley.CodeOf(err).Remedy() == "" {
			t.Errorf("%v has no code with a remedy", err)
		}
	}
}

func TestOriginAtTheDoor(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.7:400":              "192.0.2.7",
		"[::ffff:192.0.2.7]:400":     "192.0.2.7",
		"[2001:db8:1:2:3:4:5:6]:400": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:400":         "fe80::/64",
	} {
		if got := origin(in); got != want {
			t.Errorf("origin(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestLogIsBounded(t *testing.T) {
	var d door
	now := time.Unix(1e9, 0)
	lines := 0
	for range 1000 {
		if _, ok := d.mayLog(now); ok {
			lines++
		}
	}
	if lines != 40 {
		t.Errorf("%d lines at once, want 40", lines)
	}
	skipped, ok := d.mayLog(now.Add(3 * time.Second))
	if !ok || skipped != 960 {
		t.Errorf("after three seconds: %v, %d unlogged; want a line that says 960", ok, skipped)
	}
}
