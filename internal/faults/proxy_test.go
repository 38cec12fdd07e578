package faults

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"
)

// line is a connection through a proxy to an end that returns what it gets.
func line(t *testing.T) (*Proxy, net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(c, c); c.Close() }()
		}
	}()
	p, err := NewProxy(ln.Addr().String(), 1)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(20 * time.Second))
	t.Cleanup(func() { c.Close(); p.Close(); ln.Close() })
	return p, c
}

// echo sends n bytes and reads them back.
func echo(t *testing.T, c net.Conn, n int) {
	t.Helper()
	out := bytes.Repeat([]byte("abcdefg"), n/7+1)[:n]
	go c.Write(out)
	got := make([]byte, n)
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, out) {
		t.Fatalf("%d bytes do not come back whole: %v", n, err)
	}
}

// Whatever the rules, bytes pass whole and in order, unless the rules say so.
func TestProxyPasses(t *testing.T) {
	for name, r := range map[string]Rules{
		"a good line": {}, "latency and jitter": {Latency: 5 * time.Millisecond, Jitter: 20 * time.Millisecond},
		"byte by byte": {Slice: 1}, "a slow line": {Rate: 200_000}, "a late end": {Linger: 30 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, c := line(t)
			p.Both(r)
			echo(t, c, 30_000)
			c.(*net.TCPConn).CloseWrite()
			if b, err := io.ReadAll(c); err != nil || len(b) > 0 {
				t.Errorf("the end comes as %d bytes and %v", len(b), err)
			}
		})
	}
}

func TestProxyFaults(t *testing.T) {
	p, c := line(t)
	p.Set(Down, Rules{Cut: true})
	c.Write([]byte("hello"))
	c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, err := c.Read(make([]byte, 5)); n > 0 || err == nil {
		t.Fatal("a cut direction passes bytes")
	}
	if p.Bytes[Up].Load() != 5 {
		t.Errorf("%d bytes passed the other direction, not 5", p.Bytes[Up].Load())
	}
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	p.Heal()
	if _, err := io.ReadFull(c, make([]byte, 5)); err != nil {
		t.Fatal("what was held does not come when the line is healed:", err)
	}
	p.Set(Up, Rules{Garble: 100})
	out := make([]byte, 20_000)
	go c.Write(out)
	got := make([]byte, len(out))
	if _, err := io.ReadFull(c, got); err != nil || bytes.Equal(got, out) {
		t.Errorf("nothing was changed (%v)", err)
	}
	p.Set(Up, Rules{Reset: 1000}) // counts from the connection's beginning
	c.Write(make([]byte, 1000))
	if _, err := io.ReadAll(c); err == nil {
		t.Error("no reset")
	}
	p.Both(Rules{})
	p.Refuse(true)
	if d, err := net.Dial("tcp", p.Addr()); err == nil {
		d.SetDeadline(time.Now().Add(20 * time.Second))
		if _, err := d.Read(make([]byte, 1)); err == nil {
			t.Error("a proxy that refuses answers")
		}
		d.Close()
	}
	p.Refuse(false)
	d, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	d.SetDeadline(time.Now().Add(20 * time.Second))
	echo(t, d, 100)
	p.Kill()
	if _, err := d.Read(make([]byte, 1)); err == nil {
		t.Error("a killed connection lives")
	}
}
