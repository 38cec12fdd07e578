package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	mrand "math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"parley"
	"parley/internal/control"
	"parley/internal/faults"
)

// badNet is a world whose nodes reach each other through proxies only, one
// for each direction of dialing.
type badNet struct {
	*world
	proxies map[[2]*party]*faults.Proxy // by who dials and whom
}

// newLines makes a world and its proxies; the nodes do not run yet.
func newBadNet(t *testing.T, names ...string) *badNet {
	t.Helper()
	n := &badNet{newWorld(t, names...), map[[2]*party]*faults.Proxy{}}
	for _, p := range n.parties {
		ln, err := net.Listen("tcp", "127.0.0.1:0") // an address that is free now, and likely to be in a moment
		if err != nil {
			t.Fatal(err)
		}
		p.addr, p.via = ln.Addr().String(), map[*party]string{}
		ln.Close()
	}
	for i, from := range n.parties {
		for j, to := range n.parties {
			if from == to {
				continue
			}
			x, err := faults.NewProxy(to.addr, uint64(i*len(names)+j))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { x.Close() })
			n.proxies[[2]*party{from, to}], from.via[to] = x, x.Addr()
		}
	}
	return n
}

// start starts all nodes and waits until they are ready.
func (n *badNet) start() *badNet {
	n.t.Helper()
	for _, p := range n.parties {
		p.serve()
	}
	for _, p := range n.parties {
		p.ready()
	}
	return n
}

// between sets the rules of all bytes that go from one party to another,
// whoever dialed.
func (n *badNet) between(from, to *party, r faults.Rules) {
	n.proxies[[2]*party{from, to}].Set(faults.Up, r)
	n.proxies[[2]*party{to, from}].Set(faults.Down, r)
}

// kill resets the connections of two parties.
func (n *badNet) kill(a, b *party) {
	n.proxies[[2]*party{a, b}].Kill()
	n.proxies[[2]*party{b, a}].Kill()
}

// heal makes all lines good; what hangs ends at once.
func (n *badNet) heal() {
	for _, p := range n.proxies {
		p.Heal()
		p.Kill()
	}
}

// settled waits until every member has receipted all of the others, and checks
// that every node shows each text once, that the records are sound, and that
// nothing was raised.
func (n *badNet) settled(texts map[string]bool, expected ...string) {
	n.t.Helper()
	for _, p := range n.parties {
		for _, o := range n.parties {
			if o != p {
				p.received(o)
			}
		}
	}
	for _, p := range n.parties {
		found := map[string]int{}
		for _, m := range p.inbox() {
			found[m.Text]++
		}
		for text := range texts {
			if found[text] != 1 {
				n.t.Errorf("%s shows %q %d times", p.name, text, found[text])
			}
		}
		if len(found) != len(texts) {
			n.t.Errorf("%s shows %d texts of %d", p.name, len(found), len(texts))
		}
	}
	n.quiet(expected...)
	var sound sync.WaitGroup
	for _, p := range n.parties {
		p.node.stop()
		sound.Go(p.fsck)
	}
	sound.Wait()
}

// step is how far a message has come with an addressee, as its author shows it.
func (p *party) step(text string, by *party) string {
	for _, m := range p.inbox() {
		for _, a := range m.Addressees {
			if m.Text == text && a.Name == by.name {
				return a.Step
			}
		}
	}
	return ""
}

// With one direction dead nobody claims "received", whichever direction it is;
// when it is back the receipt comes, and the message was not repeated.
func TestOneDirectionLost(t *testing.T) {
	t.Parallel()
	n := newBadNet(t, "Avaria", "Borduria").start()
	a, b := n.parties[0], n.parties[1]
	texts := map[string]bool{"EXERCISE. before": true}
	a.say(parley.Flash, "EXERCISE. before")
	a.received(b)
	for _, c := range []struct {
		text     string
		from, to *party
		arrives  bool
	}{{"EXERCISE. no way back", b, a, true}, {"EXERCISE. no way there", a, b, false}} {
		n.between(c.from, c.to, faults.Rules{Cut: true})
		texts[c.text] = true
		a.say(parley.Flash, c.text)
		if c.arrives {
			b.has(c.text)
		}
		for range 20 {
			time.Sleep(50 * time.Millisecond)
			if s := a.step(c.text, b); s != "sent" {
				t.Fatalf("%s: the author shows %q", c.text, s)
			}
		}
		n.heal()
		b.has(c.text)
		a.received(b)
	}
	n.settled(texts)
}

// A line of 64 kbit/s and 2 s each way comes up and carries a FLASH past a
// backlog that was there before it.
func TestSlowLine(t *testing.T) {
	t.Parallel()
	n := newBadNet(t, "Avaria", "Borduria")
	for _, p := range n.proxies {
		p.Both(faults.Rules{Latency: 2 * time.Second, Jitter: 200 * time.Millisecond, Rate: 8000})
	}
	n.start()
	a, b := n.parties[0], n.parties[1]
	texts := map[string]bool{}
	say := func(lane parley.Lane, text string) {
		texts[text] = true
		a.say(lane, text)
	}
	say(parley.Routine, "EXERCISE. the first")
	b.has("EXERCISE. the first")
	eventually(t, "both connections are up", func() bool {
		l := a.status().Links
		return len(l) == 1 && l[0].Urgent && l[0].Bulk
	})
	rng := mrand.New(mrand.NewPCG(1, 1))
	for i := range 40 {
		var noise strings.Builder // that no compression shortens much
		for range 1500 {
			noise.WriteByte(byte('!' + rng.IntN(90)))
		}
		say(parley.Routine, fmt.Sprintf("EXERCISE. bulk %d %s", i, noise.String()))
	}
	say(parley.Flash, "EXERCISE. at once")
	b.has("EXERCISE. at once")
	if got := len(b.inbox()); got == len(texts) {
		t.Errorf("the FLASH came after all of the %d messages before it", got-1)
	}
	n.heal()
	n.settled(texts)
}

// Resets after any number of bytes, byte by byte, changed bytes, half-closed
// ends, storms of them: nothing is lost or repeated, and nodes do not gather
// descriptors.
func TestBrokenConnections(t *testing.T) {
	t.Parallel()
	n := newBadNet(t, "Avaria", "Borduria").start()
	a, b := n.parties[0], n.parties[1]
	texts := map[string]bool{}
	before, measured := faults.Process(b.node.cmd.Process.Pid)
	rng := mrand.New(mrand.NewPCG(7, 7))
	storm := number(t, "PARLEY_STORM", 40)
	for i := range storm {
		for _, p := range n.proxies {
			for _, d := range []faults.Direction{faults.Up, faults.Down} {
				p.Set(d, []faults.Rules{{Reset: 1 + rng.IntN(5000)}, {Slice: 1}, {Garble: 3000}, {},
					{Garbage: []byte("HTTP/1.0 400 Bad Request\r\n\r\n")}, {Linger: 100 * time.Millisecond}, {Latency: 20 * time.Millisecond, Slice: 100}}[rng.IntN(7)])
			}
			if i%4 == 3 {
				p.Kill()
			}
		}
		for _, p := range n.parties {
			text := fmt.Sprintf("EXERCISE. %s %d", p.name, i)
			texts[text] = true
			p.say([]parley.Lane{parley.Flash, parley.Priority, parley.Routine}[i%3], text)
		}
		time.Sleep(time.Duration(rng.IntN(150)) * time.Millisecond)
	}
	n.heal()
	a.received(b)
	b.received(a)
	eventually(t, "no more descriptors are open than before the storm", func() bool {
		after, _ := faults.Process(b.node.cmd.Process.Pid)
		return !measured || after.Descriptors <= before.Descriptors+8
	})
	n.settled(texts)
}

// Where a member's address leads to a captive portal, to nowhere, to a
// stranger, or through a proxy that opens TLS, the node says so, names the key
// that it was shown, and goes on once the way is free.
func TestWrongAddress(t *testing.T) {
	t.Parallel()
	portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "<html>Welcome to the hotel. Please accept our terms.</html>")
	}))
	defer portal.Close()
	n := newBadNet(t, "Avaria", "Borduria")
	a, b := n.parties[0], n.parties[1]
	key, cert := impostor(t)
	between := intercept(t, cert, b.addr)
	way := n.proxies[[2]*party{a, b}]
	n.proxies[[2]*party{b, a}].Refuse(true)

	way.Lead(portal.Listener.Addr().String())
	a.serve()
	b.serve()
	a.ready()
	a.node.said(`code=carrier-tls .*handshake`)
	way.Lead(between)
	a.node.said(`code=carrier-key .*` + key)
	if s := b.node.stderr(); strings.Contains(s, "connection up") {
		t.Errorf("somebody was let in:\n%s", s)
	}
	a.say(parley.Flash, "EXERCISE. waits for the right way")
	if s := a.step("EXERCISE. waits for the right way", b); s != "sent" {
		t.Errorf("the author shows %s", s)
	}
	n.heal()
	way.Lead(b.addr)
	b.has("EXERCISE. waits for the right way")
	n.settled(map[string]bool{"EXERCISE. waits for the right way": true}, "carrier-key", "carrier-tls")

	a.via[b] = "no-such-name.invalid:7443"
	a.serve().node.said(`code=carrier-dial .*no-such-name`)
	a.node.stop()
}

// impostor is a certificate such as a proxy that opens TLS makes, and what an
// officer should read of its key.
func impostor(t *testing.T) (key string, cert tls.Certificate) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(c.RawSubjectPublicKeyInfo)), tls.Certificate{Certificate: [][]byte{der}, PrivateKey: k}
}

// intercept opens TLS connections to target, as a company's proxy does.
func intercept(t *testing.T, cert tls.Certificate, target string) string {
	t.Helper()
	cfg := &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"parley/1"}, InsecureSkipVerify: true}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				d, err := tls.Dial("tcp", target, cfg)
				if err != nil {
					return
				}
				defer d.Close()
				go io.Copy(d, c)
				io.Copy(c, d)
			}()
		}
	}()
	return ln.Addr().String()
}

// Five nodes whose lines are clogged in changing sets, in one direction or
// both, slowed and reset (FoundationDB's swizzle), with a partition of weeks
// in the middle as far as the lines are concerned: both sides go on, and after
// the healing all converge, without a fork.
//
// The large dose: PARLEY_SWIZZLE=300 PARLEY_SEED=1 go test ./cmd/parley -run TestSwizzle -timeout 60m
func TestSwizzleClog(t *testing.T) {
	t.Parallel()
	rounds, seed := number(t, "PARLEY_SWIZZLE", 6), number(t, "PARLEY_SEED", time.Now().UnixNano())
	t.Logf("PARLEY_SEED=%d", seed)
	chance := mrand.New(mrand.NewPCG(uint64(seed), 5))
	n := newBadNet(t, "Avaria", "Borduria", "Carpania", "Drosia", "Elbonia").start()
	texts := map[string]bool{}
	say := func(i int) {
		for _, p := range n.parties {
			text := fmt.Sprintf("EXERCISE. %s %d", p.name, i)
			texts[text] = true
			p.say([]parley.Lane{parley.Flash, parley.Priority, parley.Routine}[chance.IntN(3)], text)
		}
	}
	for i := range int(rounds) {
		if i == int(rounds)/2 { // two sides that do not hear of each other
			for j, p := range n.parties {
				for k, o := range n.parties {
					if j < 2 != (k < 2) {
						n.between(p, o, faults.Rules{Cut: true})
					}
				}
			}
			say(1_000_000)
			text := "EXERCISE. within one side"
			texts[text] = true
			n.parties[0].say(parley.Flash, text)
			n.parties[1].has(text)
			n.heal()
		}
		order := chance.Perm(len(n.parties))
		clogged := order[:1+chance.IntN(4)]
		for _, j := range clogged { // one after the other
			for k := range n.parties {
				if k != j {
					r := []faults.Rules{{Cut: true}, {Rate: 2000}, {Latency: time.Second}, {Reset: 500 + chance.IntN(4000)}}[chance.IntN(4)]
					n.between(n.parties[j], n.parties[k], r)
					if chance.IntN(2) == 0 {
						n.between(n.parties[k], n.parties[j], r)
					}
				}
			}
			time.Sleep(time.Duration(chance.IntN(120)) * time.Millisecond)
		}
		say(i)
		for _, j := range chance.Perm(len(n.parties)) { // and healed in another order
			for k := range n.parties {
				if k != j {
					n.between(n.parties[j], n.parties[k], faults.Rules{})
					n.between(n.parties[k], n.parties[j], faults.Rules{})
					if chance.IntN(3) == 0 {
						n.kill(n.parties[j], n.parties[k])
					}
				}
			}
			time.Sleep(time.Duration(chance.IntN(120)) * time.Millisecond)
		}
	}
	n.heal()
	n.settled(texts)
}

// Where packets are really lost, in both directions, all arrives, and costs
// no more than the line can bear.
func TestPacketLoss(t *testing.T) {
	t.Parallel()
	ns, err := faults.NewNet()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("NOT TESTED: real packet loss: ", err)
	}
	t.Cleanup(ns.Close)
	w := newWorld(t, "Avaria", "Borduria")
	a, b := w.parties[0], w.parties[1]
	for i, p := range w.parties {
		p.run = []string{"ip", "netns", "exec", ns.Names[i]}
		p.addr = ns.Addrs[i] + ":7443"
	}
	a.serve()
	b.serve()
	a.ready()
	b.ready()
	a.say(parley.Flash, "EXERCISE. a good line")
	b.has("EXERCISE. a good line")
	for _, loss := range []int{10, 30} {
		for end := range w.parties {
			if err := ns.Lose(end, loss); err != nil {
				t.Fatal(err)
			}
		}
		text := fmt.Sprintf("EXERCISE. %d of a hundred lost", loss)
		for i := range 5 {
			a.say(parley.Flash, fmt.Sprint(text, " ", i))
			b.say(parley.Routine, fmt.Sprint(text, " back ", i))
		}
		a.received(b)
		b.received(a)
	}
	if err := ns.Lose(0, 100); err != nil { // one way only
		t.Fatal(err)
	}
	a.say(parley.Flash, "EXERCISE. no receipt can come")
	b.has("EXERCISE. no receipt can come")
	if s := a.step("EXERCISE. no receipt can come", b); s != "sent" {
		t.Errorf("the author shows %s", s)
	}
	for end := range w.parties {
		ns.Lose(end, 0)
	}
	a.received(b)
	w.quiet()
	var unread []control.Message
	for _, m := range b.inbox() {
		if m.Text == "" {
			unread = append(unread, m)
		}
	}
	if len(unread) > 0 {
		t.Errorf("unread: %v", unread)
	}
	a.node.stop()
	b.node.stop()
	a.fsck()
	b.fsck()
}
