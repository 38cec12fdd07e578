package parley

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"filippo.io/mldsa"
)

// Sizes of suite 1, in bytes.
const (
	SizeEd    = ed25519.PublicKeySize // 32
	SizePQ    = 1312                  // ML-DSA-44 public key, FIPS 204
	SizeEdSig = ed25519.SignatureSize // 64
	SizePQSig = 2420                  // ML-DSA-44 signature
	MaxTLS    = 8                     // TLS keys a member may announce
)

// Use says what an announced Ed25519 key signs. It is part of the proof of
// possession, so a key announced for one use proves nothing for the other.
type Use byte

const (
	UseLog     Use = 1
	UseReceipt Use = 2
)

// Keys are the public keys of a member's node, announced by its root in the
// charter or in ROOTKEYS.
type Keys struct {
	Serial uint64
	LogEd  []byte // signs heads
	LogPQ  []byte // seals heads
	RcptEd []byte // cosigns others' heads: receipts
	RcptPQ []byte
	TLS    [][]byte  // Ed25519 keys of the node's certificates
	Proofs [2][]byte // possession of LogEd and of RcptEd
}

// RootID is what a proof of possession is bound to: the holder's two root keys.
func RootID(rootEd, rootPQ []byte) Hash {
	return sha256.Sum256(append(bytes.Clone(rootEd), rootPQ...))
}

// PossessionMessage is what an announced key signs to prove that its holder
// has it (spec/keys.md).
func PossessionMessage(root Hash, use Use, key []byte) []byte {
	b := append([]byte("parley/possess/1\n"), root[:]...)
	return append(append(b, byte(use)), key...)
}

// AppendKeys appends the encoding of k.
func AppendKeys(b []byte, k *Keys) []byte {
	b = AppendArray(b, 7)
	b = AppendUint(b, k.Serial)
	for _, key := range [][]byte{k.LogEd, k.LogPQ, k.RcptEd, k.RcptPQ} {
		b = AppendBytes(b, key)
	}
	b = AppendArray(b, len(k.TLS))
	for _, key := range k.TLS {
		b = AppendBytes(b, key)
	}
	b = AppendArray(b, 2)
	b = AppendBytes(b, k.Proofs[0])
	return AppendBytes(b, k.Proofs[1])
}

// Keys reads a member's keys.
func (d *Decoder) Keys() *Keys {
	var k Keys
	d.Array(7, 7)
	k.Serial = d.Uint(MaxUint)
	k.LogEd = d.Bytes(SizeEd, SizeEd)
	k.LogPQ = d.Bytes(SizePQ, SizePQ)
	k.RcptEd = d.Bytes(SizeEd, SizeEd)
	k.RcptPQ = d.Bytes(SizePQ, SizePQ)
	for range d.Array(1, MaxTLS) {
		k.TLS = append(k.TLS, d.Bytes(SizeEd, SizeEd))
	}
	d.Array(2, 2)
	k.Proofs[0] = d.Bytes(SizeEdSig, SizeEdSig)
	k.Proofs[1] = d.Bytes(SizeEdSig, SizeEdSig)
	return &k
}

// Check reports whether the keys are valid and different, and possession of
// the two signing keys is proved towards the given root.
func (k *Keys) Check(root Hash) error {
	if err := distinct(k.All()); err != nil {
		return err
	}
	eds := append([][]byte{k.LogEd, k.RcptEd}, k.TLS...)
	for _, key := range eds {
		if err := CheckEd(key); err != nil {
			return err
		}
	}
	for _, key := range [][]byte{k.LogPQ, k.RcptPQ} {
		if err := CheckPQ(key); err != nil {
			return err
		}
	}
	if !ed25519.Verify(k.LogEd, PossessionMessage(root, UseLog, k.LogEd), k.Proofs[0]) {
		return Errorf(CodePossession, "no proof of possession of the log key")
	}
	if !ed25519.Verify(k.RcptEd, PossessionMessage(root, UseReceipt, k.RcptEd), k.Proofs[1]) {
		return Errorf(CodePossession, "no proof of possession of the receipt key")
	}
	return nil
}

// All lists every public key in k, for the rule that no key occurs twice.
func (k *Keys) All() [][]byte {
	return append([][]byte{k.LogEd, k.LogPQ, k.RcptEd, k.RcptPQ}, k.TLS...)
}

func distinct(keys [][]byte) error {
	seen := make(map[string]bool, len(keys))
	for _, k := range keys {
		if seen[string(k)] {
			return Errorf(CodeKeyRepeated, "a public key occurs twice")
		}
		seen[string(k)] = true
	}
	return nil
}

// fieldPrime is 2^255-19, little-endian.
var fieldPrime = func() (p [32]byte) {
	for i := range p {
		p[i] = 0xff
	}
	p[0], p[31] = 0xed, 0x7f
	return
}()

// smallOrder are the y coordinates, little-endian, of the points of order 1,
// 2, 4 and 8 on edwards25519; the sign bit is masked off before comparing.
var smallOrder = func() (ys [5][32]byte) {
	for i, s := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		b, err := hex.DecodeString(s)
		if err != nil {
			panic(err)
		}
		copy(ys[i][:], b)
	}
	return
}()

// CheckEd refuses an Ed25519 public key that is not canonical or has small
// order: such keys let one signature fit more than one meaning. That the key
// lies on the curve shows when its first signature verifies.
func CheckEd(key []byte) error {
	if len(key) != SizeEd {
		return Errorf(CodeKey, "an Ed25519 key of %d bytes", len(key))
	}
	y := [32]byte(key)
	y[31] &= 0x7f
	canonical := false
	for i := 31; i >= 0; i-- {
		if y[i] != fieldPrime[i] {
			canonical = y[i] < fieldPrime[i]
			break
		}
	}
	if !canonical {
		return Errorf(CodeKey, "an Ed25519 key that is not canonical")
	}
	for _, s := range smallOrder {
		if y == s {
			return Errorf(CodeKey, "an Ed25519 key of small order")
		}
	}
	return nil
}

// CheckPQ refuses what is not an ML-DSA-44 public key.
func CheckPQ(key []byte) error {
	if _, err := mldsa.NewPublicKey(mldsa.MLDSA44(), key); err != nil {
		return Errorf(CodeKey, "not an ML-DSA-44 key: %w", err)
	}
	return nil
}

// VerifyPQ checks an ML-DSA-44 signature with the empty context.
func VerifyPQ(key, msg, sig []byte) bool {
	pk, err := mldsa.NewPublicKey(mldsa.MLDSA44(), key)
	return err == nil && mldsa.Verify(pk, msg, sig, nil) == nil
}

// RootKeys replaces a member's node keys: a statement by its root (kind 16,
// and inside GENERATION).
type RootKeys struct {
	Serial uint64
	Keys   *Keys
	Ed, PQ []byte // signatures of the two root keys
}

// RootKeysMessage is what both root keys sign to put keys in force for
// generation gen of the member (spec/keys.md).
func RootKeysMessage(ch Hash, member Party, serial uint64, gen Gen, keys *Keys) []byte {
	h := sha256.Sum256(AppendKeys(nil, keys))
	b := append([]byte("parley/rootkeys/1\n"), ch[:]...)
	b = append(b, byte(member))
	b = binary.BigEndian.AppendUint64(b, serial)
	b = append(b, gen[:]...)
	return append(b, h[:]...)
}

// AppendRootKeys appends the encoding of r.
func AppendRootKeys(b []byte, r *RootKeys) []byte {
	b = AppendArray(b, 4)
	b = AppendUint(b, r.Serial)
	b = AppendKeys(b, r.Keys)
	b = AppendBytes(b, r.Ed)
	return AppendBytes(b, r.PQ)
}

// RootKeys reads a ROOTKEYS statement.
func (d *Decoder) RootKeys() *RootKeys {
	var r RootKeys
	d.Array(4, 4)
	r.Serial = d.Uint(MaxUint)
	r.Keys = d.Keys()
	r.Ed = d.Bytes(SizeEdSig, SizeEdSig)
	r.PQ = d.Bytes(SizePQSig, SizePQSig)
	if d.err == nil && r.Keys.Serial != r.Serial {
		d.Fail(Errorf(CodeSerial, "serial %d around keys of serial %d", r.Serial, r.Keys.Serial))
	}
	return &r
}

// Verify checks both root signatures and the keys themselves.
func (r *RootKeys) Verify(ch Hash, m *Member, gen Gen) error {
	msg := RootKeysMessage(ch, m.Index, r.Serial, gen, r.Keys)
	if !ed25519.Verify(m.RootEd, msg, r.Ed) || !VerifyPQ(m.RootPQ, msg, r.PQ) {
		return Errorf(CodeSignature, "the root of member %d did not sign these keys", m.Index)
	}
	if err := distinct(append(r.Keys.All(), m.RootEd, m.RootPQ)); err != nil {
		return err
	}
	return r.Keys.Check(RootID(m.RootEd, m.RootPQ))
}
