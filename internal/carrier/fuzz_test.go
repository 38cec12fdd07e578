package carrier

import (
	"bytes"
	"crypto/tls"
	"net"
	"testing"

	"parley"
	"parley/frame"
	"parley/internal/mutate"
)

// FuzzHello: behind a finished handshake by member 2's key, only member 2's HELLO
// for this channel and version lets a connection in; whatever else comes is
// refused with a code, and changes nothing of who is thought to be there.
func FuzzHello(f *testing.F) {
	n := start(f, 1, nil)
	ours, theirs := net.Pipe()
	server, client := tls.Server(ours, n.server()), tls.Client(theirs, rawTLS(2))
	done := make(chan error)
	go func() { done <- client.Handshake() }()
	if err := server.Handshake(); err != nil {
		f.Fatal(err)
	}
	if err := <-done; err != nil {
		f.Fatal(err)
	}
	in := [][]byte{stream(hello(2)), stream(hello(1)), stream(&frame.Ping{}), stream(&frame.Hello{Version: 2, Channel: channel, Member: 2, Bulk: true})}
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) bool {
		c := &conn{c: n.Carrier, raw: &counted{Conn: ours}, tls: server}
		first, err := frame.ReadStream(bytes.NewReader(b), maxHello)
		err = n.judge(c, first, err)
		if err != nil {
			if parley.CodeOf(err).Remedy() == "" {
				t.Errorf("%v has no code or no remedy\ninput: %x", err, b)
			}
			if c.bulk || c.boot != [8]byte{} || c.token != 0 {
				t.Errorf("refused, and yet it says who it is: %x", b)
			}
			return false
		}
		h := &frame.Hello{Version: 1, Channel: channel, Member: 2, Bulk: c.bulk, Boot: c.boot, Token: c.token}
		if !bytes.HasPrefix(b, stream(h)) {
			t.Errorf("let in by %x, which is not %x", b, stream(h))
		}
		return true
	})
}
