package carrier

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"

	"parley"
)

// ALPN is the protocol name in the TLS handshake.
const ALPN = "parley/1"

// certificate wraps a key in the least certificate that TLS demands. Nobody
// looks at anything but the key in it, so its dates are fixed and no clock is
// read; Ed25519 makes it the same at every start.
func certificate(key ed25519.PrivateKey) (tls.Certificate, error) {
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "parley"},
		NotBefore:    time.Unix(0, 0),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), // RFC 5280 4.1.2.5: no end
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// tlsConfig is what both ends share. The trust decision is not TLS's: it is
// made on the raw public key, by the dialer in VerifyConnection and by the
// accepting end after the handshake.
func tlsConfig(cert tls.Certificate) *tls.Config {
	return &tls.Config{
		Certificates:                []tls.Certificate{cert},
		MinVersion:                  tls.VersionTLS13,
		MaxVersion:                  tls.VersionTLS13,
		CurvePreferences:            []tls.CurveID{tls.X25519MLKEM768},
		NextProtos:                  []string{ALPN},
		SessionTicketsDisabled:      true,
		DynamicRecordSizingDisabled: true, // whole batches in few records
	}
}

// server asks for a certificate but does not demand one, so that having none
// looks to the other end like having a wrong one: judge decides, after HELLO.
func (c *Carrier) server() *tls.Config {
	t := tlsConfig(c.cert)
	t.ClientAuth = tls.RequestClientCert
	return t
}

// client checks the other end's key inside the handshake, before our own
// certificate leaves: a stranger at the address does not learn who calls.
func (c *Carrier) client(p parley.Party) *tls.Config {
	t := tlsConfig(c.cert)
	t.InsecureSkipVerify = true // no authority exists; the pins are checked below
	t.VerifyConnection = func(s tls.ConnectionState) error {
		if !pinned(c.cfg.Pins(p), peerKey(s)) {
			return parley.Errorf(CodeKey, "the other end's TLS key, %s, is none of member %d", presented(s), p)
		}
		return nil
	}
	return t
}

// peerKey is the other end's Ed25519 key, whose possession the handshake has
// proved; nil if it has none or one of another kind.
func peerKey(s tls.ConnectionState) []byte {
	if len(s.PeerCertificates) == 0 {
		return nil
	}
	key, _ := s.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	return key
}

// presented names the key that the other end showed, of whatever kind: who
// stands between, such as a proxy that opens connections, can be found by it.
func presented(s tls.ConnectionState) string {
	if key := peerKey(s); key != nil {
		return name(key)
	}
	if len(s.PeerCertificates) == 0 {
		return name(nil)
	}
	c := s.PeerCertificates[0]
	return fmt.Sprintf("%s with SHA-256 %x", c.PublicKeyAlgorithm, sha256.Sum256(c.RawSubjectPublicKeyInfo))
}

func pinned(pins [][]byte, key []byte) bool {
	for _, pin := range pins {
		if len(key) == ed25519.PublicKeySize && bytes.Equal(pin, key) {
			return true
		}
	}
	return false
}

// owner is the other member for whom key is pinned, or 0.
func (c *Carrier) owner(key []byte) parley.Party {
	for p := parley.Party(1); p <= parley.MaxParty; p++ {
		if p != c.cfg.Me && pinned(c.cfg.Pins(p), key) {
			return p
		}
	}
	return 0
}
