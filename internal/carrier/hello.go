package carrier

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"time"

	"parley"
	"parley/frame"
)

// Version is the version of the protocol in HELLO.
const Version = 1

func (c *Carrier) hello(bulk bool) []byte {
	return frame.AppendStream(nil, frame.Encode(&frame.Hello{
		Version: Version, Channel: c.cfg.Channel, Member: c.cfg.Me,
		Bulk: bulk, Boot: c.cfg.Boot, Token: c.cfg.Token,
	}))
}

// bound limits all that happens before a connection is up to the time that is
// allowed for it, and to the life of the carrier. The caller calls the result
// when it is over.
func (c *Carrier) bound(n *conn) (stop func() bool) {
	n.raw.SetDeadline(time.Now().Add(c.cfg.Handshake))
	return context.AfterFunc(c.ctx, func() { n.raw.Close() })
}

// answer does the accepting end's part: handshake, the other's HELLO, and only
// if all of it is right our own. Up to judge nothing depends on what is wrong,
// so the other end sees every refusal alike.
func (c *Carrier) answer(n *conn) (err error) {
	defer c.bound(n)()
	n.tls = tls.Server(n.raw, c.server())
	if err := n.tls.HandshakeContext(c.ctx); err != nil {
		return parley.Errorf(CodeTLS, "handshake: %w", err)
	}
	n.r = bufio.NewReaderSize(n.tls, chunk)
	first, err := frame.ReadStream(n.r, maxHello)
	if err := c.judge(n, first, err); err != nil {
		return err
	}
	if err := c.admit(n); err != nil {
		return err
	}
	if _, err := n.tls.Write(c.hello(n.bulk)); err != nil {
		c.leave(n)
		return parley.Errorf(CodeLost, "HELLO: %w", err)
	}
	return nil
}

// greet does the dialing end's part. The other end's key is checked within the
// handshake.
func (c *Carrier) greet(n *conn, p parley.Party, bulk bool) error {
	defer c.bound(n)()
	n.tls = tls.Client(n.raw, c.client(p))
	if err := n.tls.HandshakeContext(c.ctx); err != nil {
		if parley.CodeOf(err) != "" {
			return err
		}
		return parley.Errorf(CodeTLS, "handshake: %w", err)
	}
	if _, err := n.tls.Write(c.hello(bulk)); err != nil {
		return parley.Errorf(CodeLost, "HELLO: %w", err)
	}
	n.r = bufio.NewReaderSize(n.tls, chunk)
	first, err := frame.ReadStream(n.r, maxHello)
	if err != nil && parley.CodeOf(err) == "" {
		return parley.Errorf(CodeRefused, "the other end closed before its HELLO: %w", err)
	}
	if err := c.judge(n, first, err); err != nil {
		return err
	}
	if n.bulk != bulk {
		return parley.Errorf(CodeHello, "the other end answered for the other kind of connection")
	}
	return c.admit(n)
}

// maxHello bounds the first frame: room for a HELLO of a later version, so
// that the log can tell its version from garbage.
const maxHello = 256

// judge decides on a connection by its TLS state and first frame (or the error
// that came instead), and fills in who it is. The order is the log's: the key
// first, because without it nothing else says who was there.
func (c *Carrier) judge(n *conn, first []byte, err error) error {
	s := n.tls.ConnectionState()
	n.key = peerKey(s)
	n.party = c.owner(n.key)
	switch {
	case n.party == 0:
		return parley.Errorf(CodeKey, "the other end's TLS key %s is no member's", presented(s))
	case s.NegotiatedProtocol != ALPN:
		return parley.Errorf(CodeTLS, "the other end did not ask for %s", ALPN)
	case err != nil:
		return parley.Errorf(CodeHello, "no HELLO: %w", err)
	}
	f, err := frame.Decode(first)
	h, ok := f.(*frame.Hello)
	switch {
	case parley.CodeOf(err) == frame.CodeFrameVersion:
		return parley.Errorf(CodeVersion, "the first frame: %w", err)
	case err != nil:
		return parley.Errorf(CodeHello, "the first frame: %w", err)
	case !ok:
		return parley.Errorf(CodeHello, "the first frame is %s", f.Type())
	case h.Version != Version:
		return parley.Errorf(CodeVersion, "the other end speaks version %d, this node %d", h.Version, Version)
	case h.Channel != c.cfg.Channel:
		return parley.Errorf(CodeChannel, "the other end is in channel %s, this node in %s", h.Channel, c.cfg.Channel)
	case h.Member != n.party:
		return parley.Errorf(CodeMember, "the other end says member %d, its key is member %d's", h.Member, n.party)
	}
	n.bulk, n.boot, n.token = h.Bulk, h.Boot, h.Token
	if t, ok := n.raw.Conn.(*net.TCPConn); ok && n.bulk {
		t.SetWriteBuffer(bulkBuffer)
	}
	return nil
}

func name(key []byte) string {
	if key == nil {
		return "(none)"
	}
	return parley.Hash(key).String()
}
