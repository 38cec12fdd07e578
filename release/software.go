package release

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"

	"parley"
)

// Software is a passkey made of bytes: the private key lies with its user, and
// nobody is present or verified, whatever its flags say. It serves
// demonstrations, whose rosters are marked, simulations and tests.
type Software struct{ key *ecdsa.PrivateKey }

// NewSoftware is the ES256 passkey of a seed, always the same for one seed.
func NewSoftware(seed [32]byte) *Software {
	for {
		if k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:]); err == nil {
			return &Software{k}
		}
		seed = sha256.Sum256(seed[:]) // one seed in 2^32 is no number below the order
	}
}

// Officer is the roster's line for the key.
func (s *Software) Officer(title string, f Functions) Officer {
	return Officer{Alg: ES256, Key: s.PublicKey(), Title: title, Functions: f}
}

// PublicKey is the 65-byte point.
func (s *Software) PublicKey() []byte {
	b, err := s.key.PublicKey.Bytes()
	if err != nil {
		panic("release: " + err.Error()) // a point of P-256 always has bytes
	}
	return b
}

// Approve signs a step of a draft as a browser at origin would: present and
// verified, in the order of members that section 5.8.1.1 of WebAuthn gives.
// Its signatures are deterministic (RFC 6979).
func (s *Software) Approve(rpID, origin string, channel parley.Hash, author parley.Party, step Step, nonce, digest parley.Hash) Approval {
	a := Approval{Key: KeyID(ES256, s.PublicKey()), Nonce: nonce}
	challenge := Challenge(channel, author, step, nonce, digest)
	a.ClientData = []byte(`{"type":"webauthn.get","challenge":"` + base64.RawURLEncoding.EncodeToString(challenge[:]) +
		`","origin":"` + origin + `","crossOrigin":false}`)
	rp := sha256.Sum256([]byte(rpID))
	a.AuthData = append(rp[:], flagUP|flagUV, 0, 0, 0, 0)
	a.Signature = s.Sign(a.AuthData, a.ClientData)
	return a
}

// Sign is the signature of an assertion with these authenticator data and
// client data.
func (s *Software) Sign(authData, clientData []byte) []byte {
	client := sha256.Sum256(clientData)
	hash := sha256.Sum256(append(authData[:len(authData):len(authData)], client[:]...))
	sig, err := s.key.Sign(nil, hash[:], crypto.SHA256)
	if err != nil {
		panic("release: " + err.Error()) // deterministic signing draws nothing and cannot fail
	}
	return sig
}
