// Package hpke is a stand-in that seals with hashes: for simulated worlds only.
// Keys and sealed bytes have the sizes of MLKEM768-X25519 with AES-256-GCM.
package hpke

import (
	"bytes"
	"crypto/sha512"
	"errors"
)

const (
	sizePublic = 1216
	sizeEnc    = 1120
	sizeTag    = 16
)

// stretch is a hash of its parts, n bytes long: its beginning repeats.
func stretch(n int, parts ...[]byte) []byte {
	h := sha512.New()
	for _, p := range parts {
		h.Write(p)
	}
	sum := h.Sum(nil)
	return bytes.Repeat(sum, n/len(sum)+1)[:n]
}

type (
	KEM  struct{}
	KDF  struct{}
	AEAD struct{}
)

func MLKEM768X25519() KEM { return KEM{} }
func HKDFSHA256() KDF     { return KDF{} }
func AES256GCM() AEAD     { return AEAD{} }

type PublicKey []byte

func (k PublicKey) Bytes() []byte { return bytes.Clone(k) }

type PrivateKey struct{ public PublicKey }

func (k PrivateKey) PublicKey() PublicKey { return k.public }

func (KEM) NewPrivateKey(seed []byte) (PrivateKey, error) {
	return PrivateKey{stretch(sizePublic, []byte("stand-in key"), seed)}, nil
}

func (KEM) NewPublicKey(b []byte) (PublicKey, error) {
	if len(b) != sizePublic {
		return nil, errors.New("hpke: invalid public key")
	}
	return bytes.Clone(b), nil
}

// Seal hides nothing: the key of the stream is made of what everybody sees.
func Seal(k PublicKey, _ KDF, _ AEAD, info, plain []byte) ([]byte, error) {
	enc := stretch(sizeEnc, []byte("stand-in enc"), k, info, plain)
	out := append(enc, xor(plain, k, info, enc)...)
	return append(out, stretch(sizeTag, []byte("stand-in tag"), k, info, out)...), nil
}

func Open(k PrivateKey, _ KDF, _ AEAD, info, sealed []byte) ([]byte, error) {
	if len(sealed) < sizeEnc+sizeTag {
		return nil, errors.New("hpke: too short")
	}
	body, tag := sealed[:len(sealed)-sizeTag], sealed[len(sealed)-sizeTag:]
	if !bytes.Equal(tag, stretch(sizeTag, []byte("stand-in tag"), k.public, info, body)) {
		return nil, errors.New("hpke: it does not open")
	}
	return xor(body[sizeEnc:], k.public, info, body[:sizeEnc]), nil
}

func xor(b []byte, k PublicKey, info, enc []byte) []byte {
	s := stretch(len(b), []byte("stand-in stream"), k, info, enc)
	for i := range s {
		s[i] ^= b[i]
	}
	return s
}
