package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"parley"
	"parley/frame"
	"parley/internal/faults"
	"parley/internal/host"
)

// siege keeps connections to one address open from many sources at once until
// it is lifted, each doing what one of the attacks does.
type siege struct {
	stop    chan struct{}
	wg      sync.WaitGroup
	attacks []func(c net.Conn)
}

// patience of one connection of a siege: it outlasts the time that a node
// gives to whoever is not let in.
const siegeTime = 25 * time.Second

// besiege opens so many connections at any moment; network and address are
// those of net.Dial. Sources are addresses of the loopback network.
func besiege(network, address string, many int, attacks ...func(c net.Conn)) *siege {
	s := &siege{stop: make(chan struct{}), attacks: attacks}
	for i := range many {
		s.wg.Go(func() {
			for k := i; ; k++ {
				select {
				case <-s.stop:
					return
				default:
				}
				d := net.Dialer{Timeout: 2 * time.Second}
				if network == "tcp" && runtime.GOOS == "linux" {
					d.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i%100))}
				}
				c, err := d.Dial(network, address)
				if err != nil {
					time.Sleep(20 * time.Millisecond)
					continue
				}
				c.SetDeadline(time.Now().Add(siegeTime))
				gone := make(chan struct{})
				go func() { s.attacks[k%len(s.attacks)](c); c.Close(); close(gone) }()
				select {
				case <-gone:
					time.Sleep(20 * time.Millisecond)
				case <-s.stop:
					c.Close()
					<-gone
				}
			}
		})
	}
	return s
}

func (s *siege) lift() {
	close(s.stop)
	s.wg.Wait()
}

// rest waits until the other end closes.
func rest(c net.Conn) {
	for b := make([]byte, 1024); ; {
		if _, err := c.Read(b); err != nil {
			return
		}
	}
}

// drip sends a text slowly.
func drip(text string) func(net.Conn) {
	return func(c net.Conn) {
		for i := range len(text) {
			if _, err := c.Write([]byte{text[i]}); err != nil {
				return
			}
			time.Sleep(300 * time.Millisecond)
		}
		rest(c)
	}
}

// over speaks TLS with a key, and then says something.
func over(key ed25519.PrivateKey, alpn string, say []byte) func(net.Conn) {
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		panic(err)
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, NextProtos: []string{alpn}}
	return func(c net.Conn) {
		t := tls.Client(c, cfg)
		if t.Handshake() == nil {
			t.Write(say)
			rest(t)
		}
	}
}

// strangers are attacks by whoever finds the address.
func strangers() []func(net.Conn) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	hello := "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("x", 500)
	return []func(net.Conn){
		rest,        // says nothing
		drip(hello), // a handshake byte by byte
		func(c net.Conn) { c.Write([]byte(hello[:200])); rest(c) },
		func(c net.Conn) { c.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); rest(c) },
		over(key, "parley/1", nil),                            // never says HELLO
		over(key, "h2", []byte("PRI * HTTP/2.0\r\n\r\n")),     // another protocol
		over(key, "parley/1", []byte{0xff, 0xff, 0xff, 0, 1}), // a length without end
		func(c net.Conn) {},                                   // goes at once
	}
}

// A node that may open few descriptors is besieged by hundreds of strangers
// who hold what they get, and by a member's own connections without number.
// The others' lines live on, an officer is answered, a member that lost its
// connection comes back, and neither memory nor descriptors run out.
func TestSiege(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "Avaria", "Borduria", "Carpania")
	a, b, c := w.parties[0], w.parties[1], w.parties[2]
	if runtime.GOOS == "linux" {
		b.run = []string{"prlimit", "--nofile=96:96"}
	}
	b.serve()
	a.serve() // dials nobody that dials it
	texts := 0
	talk := func() {
		t.Helper()
		for range 5 {
			text := fmt.Sprintf("EXERCISE. during the siege %d", texts)
			texts++
			a.say(parley.Flash, text)
			b.has(text) // over its control socket
		}
		a.received(b)
	}
	a.ready()
	b.ready()
	talk()
	before, measured := faults.Process(b.node.cmd.Process.Pid)
	s := besiege("tcp", b.addr, int(number(t, "PARLEY_SIEGE", 400)), strangers()...)
	talk()
	time.Sleep(time.Second)
	a.node.stop()
	a.serve().ready()
	talk()
	s.lift()

	keys, err := host.LoadKeys(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	var mine []func(net.Conn)
	for i := range byte(40) {
		h := &frame.Hello{Version: 1, Channel: w.channel, Member: 3, Bulk: i%2 == 1, Boot: [8]byte{i % 7}, Token: uint64(i)}
		mine = append(mine, over(keys.TLS, "parley/1", append(frame.AppendStream(nil, frame.Encode(h)), 0xff, 0xff, 0xff)),
			over(keys.TLS, "parley/1", frame.AppendStream(nil, frame.Encode(h))))
	}
	s = besiege("tcp", b.addr, 100, mine...)
	talk()
	time.Sleep(time.Second)
	talk()
	s.lift()

	if after, _ := faults.Process(b.node.cmd.Process.Pid); measured && after.Peak > before.Peak+100<<20 {
		t.Errorf("%d MiB were resident at most before the siege, and %d after", before.Peak>>20, after.Peak>>20)
	} else {
		t.Logf("before %+v, after %+v", before, after)
	}
	w.quiet("carrier-twice", "carrier-stale", "carrier-replaced", "carrier-stream", "carrier-hello")
	a.node.stop()
	b.node.stop()
	b.fsck()
}

// The control socket and a witness under connections that hold what they get:
// nodes go on meanwhile, and all is as before when they are gone.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "Avaria", "Borduria")
	a, b := w.parties[0], w.parties[1]
	w.witness()
	a.serve()
	b.serve()
	a.ready()
	b.ready()
	slow := []func(net.Conn){rest, drip("POST /v1/post HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{{{{{{{"),
		func(c net.Conn) {
			c.Write([]byte("GET /v1/messages HTTP/1.1\r\nHost: x\r\n\r\n"))
			time.Sleep(time.Second)
		},
		func(c net.Conn) { c.Write([]byte(strings.Repeat("x", 1<<20))); rest(c) },
		drip("POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nold 5\n")}
	sieges := []*siege{besiege("unix", a.dir+"/node.sock", 150, slow...),
		besiege("tcp", strings.TrimPrefix(w.url, "http://"), 150, slow...)}
	for i := range 10 {
		text := fmt.Sprint("EXERCISE. slow clients ", i)
		a.say(parley.Flash, text)
		b.has(text)
	}
	a.received(b)
	for _, s := range sieges {
		s.lift()
	}
	resp, err := http.Get(w.url)
	if err != nil {
		t.Fatal("the witness no longer answers:", err)
	}
	resp.Body.Close()
	eventually(t, "all is witnessed", func() bool {
		for _, l := range a.status().Logs {
			if l.Member == 1 && l.Witnessed < l.Size {
				return false
			}
		}
		return true
	})
	w.quiet()
}
