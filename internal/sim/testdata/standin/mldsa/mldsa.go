// Package mldsa is a stand-in whose signatures are hashes: for simulated worlds
// only. Keys and signatures have the sizes of ML-DSA-44 (FIPS 204).
package mldsa

import (
	"bytes"
	"crypto"
	"crypto/sha512"
	"errors"
	"io"
)

const (
	PrivateKeySize       = 32
	MLDSA44PublicKeySize = 1312
	MLDSA44SignatureSize = 2420
)

type Parameters struct{}

func MLDSA44() Parameters { return Parameters{} }

func (Parameters) PublicKeySize() int { return MLDSA44PublicKeySize }
func (Parameters) SignatureSize() int { return MLDSA44SignatureSize }
func (Parameters) String() string     { return "ML-DSA-44" }

type Options struct{ Context string }

func (*Options) HashFunc() crypto.Hash { return 0 }

// stretch is a hash of its parts, n bytes long: its beginning repeats.
func stretch(n int, parts ...[]byte) []byte {
	h := sha512.New()
	for _, p := range parts {
		h.Write(p)
	}
	sum := h.Sum(nil)
	return bytes.Repeat(sum, n/len(sum)+1)[:n]
}

type PrivateKey struct {
	seed   []byte
	public PublicKey
}

func GenerateKey(Parameters) (*PrivateKey, error) { return nil, errors.New("mldsa: a stand-in") }

func NewPrivateKey(params Parameters, seed []byte) (*PrivateKey, error) {
	if len(seed) != PrivateKeySize {
		return nil, errors.New("mldsa: invalid seed length")
	}
	return &PrivateKey{bytes.Clone(seed), PublicKey{params, stretch(params.PublicKeySize(), []byte("stand-in key"), seed)}}, nil
}

func (sk *PrivateKey) Public() crypto.PublicKey { return sk.PublicKey() }

func (sk *PrivateKey) Equal(x crypto.PrivateKey) bool {
	o, ok := x.(*PrivateKey)
	return ok && bytes.Equal(sk.seed, o.seed)
}

func (sk *PrivateKey) PublicKey() *PublicKey { return &sk.public }

func (sk *PrivateKey) Bytes() []byte { return bytes.Clone(sk.seed) }

func (sk *PrivateKey) Sign(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return sk.SignDeterministic(message, opts)
}

func (sk *PrivateKey) SignDeterministic(message []byte, _ crypto.SignerOpts) ([]byte, error) {
	return sk.public.sign(message), nil
}

type PublicKey struct {
	params Parameters
	raw    []byte
}

func NewPublicKey(params Parameters, encoding []byte) (*PublicKey, error) {
	if len(encoding) != params.PublicKeySize() {
		return nil, errors.New("mldsa: invalid public key length")
	}
	return &PublicKey{params, bytes.Clone(encoding)}, nil
}

func (pk *PublicKey) sign(message []byte) []byte {
	return stretch(pk.params.SignatureSize(), []byte("stand-in signature"), pk.raw, message)
}

func (pk *PublicKey) Bytes() []byte { return bytes.Clone(pk.raw) }

func (pk *PublicKey) Equal(x crypto.PublicKey) bool {
	o, ok := x.(*PublicKey)
	return ok && bytes.Equal(pk.raw, o.raw)
}

func (pk *PublicKey) Parameters() Parameters { return pk.params }

func Verify(pk *PublicKey, message, signature []byte, _ *Options) error {
	if !bytes.Equal(signature, pk.sign(message)) {
		return errors.New("mldsa: invalid signature")
	}
	return nil
}
