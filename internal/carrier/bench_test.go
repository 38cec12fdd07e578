package carrier

import (
	"crypto/tls"
	"io"
	"net"
	"testing"

	"parley"
	"parley/frame"
)

// BenchmarkRoundTrip sends a frame of 256 bytes and waits for one of 74, the
// sizes of a message and its receipt: over two carriers, and over a bare TLS
// connection as the floor.
func BenchmarkRoundTrip(b *testing.B) {
	entry, receipt := make([]byte, 256), make([]byte, 74)
	b.Run("carrier", func(b *testing.B) {
		back := make(chan struct{})
		var other *node
		other = start(b, 2, func(c *Config) {
			c.Frame = func(p parley.Party, bulk bool, _ []byte) { other.Send(p, bulk, receipt) }
		})
		a := start(b, 1, func(c *Config) {
			c.Peers = map[parley.Party]string{2: other.addr()}
			c.Frame = func(parley.Party, bool, []byte) { back <- struct{}{} }
		})
		bothUp(a, 2)
		for b.Loop() {
			a.Send(2, false, entry)
			<-back
		}
	})
	b.Run("floor", func(b *testing.B) {
		cert, _ := certificate(key(2, 0))
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		defer ln.Close()
		go func() {
			nc, _ := ln.Accept()
			s := tls.Server(nc, tlsConfig(cert))
			for {
				if _, err := frame.ReadStream(s, frame.MaxFrame); err != nil {
					return
				}
				s.Write(frame.AppendStream(nil, receipt))
			}
		}()
		nc, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		defer nc.Close()
		c := tls.Client(nc, rawTLS(1))
		buf := make([]byte, 77)
		for b.Loop() {
			c.Write(frame.AppendStream(nil, entry))
			if _, err := io.ReadFull(c, buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}
