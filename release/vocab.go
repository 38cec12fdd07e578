package release

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"

	"parley"
)

// Kinds of this desk.
const (
	KindRoster  parley.Kind = 32
	KindRelease parley.Kind = 33
)

// Owns reports whether entries of kind k belong to this desk.
func Owns(k parley.Kind) bool { return k == KindRoster || k == KindRelease }

// Alg is a signature algorithm: the COSE number without its sign, because the
// encoding has no negative integers.
type Alg uint8

const (
	ES256 Alg = 7 // ECDSA on P-256 with SHA-256, COSE -7
	EdDSA Alg = 8 // Ed25519, COSE -8
)

func (a Alg) String() string {
	switch a {
	case ES256:
		return "ES256"
	case EdDSA:
		return "Ed25519"
	}
	return "algorithm " + strconv.Itoa(int(a))
}

// Step is what an officer does with a draft.
type Step uint8

const (
	StepDraft   Step = 1 // wrote it, or stands for it, and submits it
	StepRelease Step = 2 // lets it go out
)

func (s Step) String() string {
	switch s {
	case StepDraft:
		return "draft"
	case StepRelease:
		return "release"
	}
	return "step " + strconv.Itoa(int(s))
}

// Functions is what a key may do, a set.
type Functions uint8

const (
	MayDraft   Functions = 1
	MayRelease Functions = 2
)

// Allows reports whether the set has the function that a step needs.
func (f Functions) Allows(s Step) bool {
	return s == StepDraft && f&MayDraft != 0 || s == StepRelease && f&MayRelease != 0
}

// ID names a key: the first 16 bytes of SHA-256 over the algorithm, one byte,
// and the key.
type ID [16]byte

func (i ID) String() string { return hex.EncodeToString(i[:]) }

// Short is the first eight hex digits, for people; never compare by it.
func (i ID) Short() string { return hex.EncodeToString(i[:4]) }

// KeyID is the name of a public key: a 65-byte uncompressed point for ES256,
// 32 bytes for EdDSA.
func KeyID(alg Alg, key []byte) (id ID) {
	h := sha256.Sum256(append([]byte{byte(alg)}, key...))
	copy(id[:], h[:])
	return id
}

// Digest binds a draft: its precedence, kind, addressees and body.
//
//	SHA-256("parley/draft/1\n" ‖ CBOR [lane, kind, to, body])
func Digest(p parley.Draft) parley.Hash {
	b := parley.AppendArray([]byte("parley/draft/1\n"), 4)
	b = parley.AppendUint(b, uint64(p.Lane))
	b = parley.AppendUint(b, uint64(p.Kind))
	b = parley.AppendUint(b, uint64(p.To))
	return sha256.Sum256(parley.AppendBytes(b, p.Body))
}

// Challenge is what an officer's authenticator signs for one step of one
// draft. The nonce is 32 fresh random bytes; an approval is good for one entry
// only, and a nonce used twice is found.
//
//	SHA-256("parley/release/1\n" ‖ channel ‖ author ‖ step ‖ nonce ‖ digest)
func Challenge(channel parley.Hash, author parley.Party, step Step, nonce, digest parley.Hash) parley.Hash {
	b := append([]byte("parley/release/1\n"), channel[:]...)
	b = append(b, byte(author), byte(step))
	b = append(b, nonce[:]...)
	return sha256.Sum256(append(b, digest[:]...))
}
