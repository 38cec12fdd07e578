// Package ed25519 is a stand-in whose signatures are hashes: for simulated
// worlds only. Keys and signatures have the sizes of RFC 8032.
package ed25519

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha512"
	"errors"
	"io"
)

const (
	PublicKeySize  = 32
	PrivateKeySize = 64
	SignatureSize  = 64
	SeedSize       = 32
)

type PublicKey []byte

func (pub PublicKey) Equal(x crypto.PublicKey) bool {
	p, ok := x.(PublicKey)
	return ok && bytes.Equal(pub, p)
}

type PrivateKey []byte

func (priv PrivateKey) Public() crypto.PublicKey { return PublicKey(bytes.Clone(priv[32:])) }

func (priv PrivateKey) Equal(x crypto.PrivateKey) bool {
	p, ok := x.(PrivateKey)
	return ok && bytes.Equal(priv, p)
}

func (priv PrivateKey) Seed() []byte { return bytes.Clone(priv[:32]) }

func (priv PrivateKey) Sign(_ io.Reader, message []byte, _ crypto.SignerOpts) ([]byte, error) {
	return Sign(priv, message), nil
}

type Options struct {
	Hash    crypto.Hash
	Context string
}

func (o *Options) HashFunc() crypto.Hash { return o.Hash }

func GenerateKey(random io.Reader) (PublicKey, PrivateKey, error) {
	if random == nil {
		random = rand.Reader
	}
	seed := make([]byte, SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return nil, nil, err
	}
	k := NewKeyFromSeed(seed)
	return PublicKey(k[32:]), k, nil
}

func NewKeyFromSeed(seed []byte) PrivateKey {
	pub := sha512.Sum512_256(append([]byte("stand-in key"), seed...))
	return append(bytes.Clone(seed), pub[:]...)
}

func digest(pub, message []byte) [64]byte {
	h := sha512.New()
	h.Write([]byte("stand-in signature"))
	h.Write(pub)
	h.Write(message)
	return [64]byte(h.Sum(nil))
}

func Sign(priv PrivateKey, message []byte) []byte {
	sig := digest(priv[32:], message)
	return sig[:]
}

func Verify(pub PublicKey, message, sig []byte) bool {
	if len(pub) != PublicKeySize {
		panic("ed25519: bad public key length")
	}
	want := digest(pub, message)
	return bytes.Equal(sig, want[:])
}

func VerifyWithOptions(pub PublicKey, message, sig []byte, _ *Options) error {
	if !Verify(pub, message, sig) {
		return errors.New("ed25519: invalid signature")
	}
	return nil
}
