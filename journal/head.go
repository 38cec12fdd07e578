package journal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"filippo.io/mldsa"

	"parley"
)

// Signature types of C2SP signed-note key IDs.
const (
	typeEd   = 0x01 // Ed25519 over the note text: the author's signature
	typeCosi = 0x04 // Ed25519 cosignature/v1, with a time: receipts and witnesses
	typePQ   = 0x06 // ML-DSA-44 cosignature: seals
)

// HeadText is the body of the C2SP checkpoint for a head: what is signed.
func HeadText(origin string, size uint64, root parley.Hash) []byte {
	b := make([]byte, 0, len(origin)+70)
	b = append(b, origin...)
	b = append(b, '\n')
	b = strconv.AppendUint(b, size, 10)
	b = append(b, '\n')
	b = base64.StdEncoding.AppendEncode(b, root[:])
	return append(b, '\n')
}

// SignHead is the author's signature on a head. Ed25519 is deterministic, so
// signing the same head again gives the same bytes.
func SignHead(key ed25519.PrivateKey, origin string, size uint64, root parley.Hash) []byte {
	return ed25519.Sign(key, HeadText(origin, size, root))
}

// VerifyHead checks an author's signature on a head.
func VerifyHead(key ed25519.PublicKey, origin string, size uint64, root parley.Hash, sig []byte) bool {
	return len(key) == ed25519.PublicKeySize && ed25519.Verify(key, HeadText(origin, size, root), sig)
}

// ReceiptName is the key name under which a member gives receipts.
func ReceiptName(ch parley.Hash, member parley.Party) string {
	return fmt.Sprintf("parley/%s/%d/receipt", ch, member)
}

// Cosignature is a timestamped signature on a head: a member's receipt, a
// witness's cosignature, or an ML-DSA-44 seal (C2SP tlog-cosignature).
type Cosignature struct {
	Time uint64 // seconds since 1970, by the signer's clock
	Sig  []byte // 64 bytes Ed25519 or 2420 bytes ML-DSA-44
}

func cosiText(t uint64, text []byte) []byte {
	b := strconv.AppendUint([]byte("cosignature/v1\ntime "), t, 10)
	return append(append(b, '\n'), text...)
}

// Cosign makes an Ed25519 cosignature/v1 at time t.
func Cosign(key ed25519.PrivateKey, t uint64, origin string, size uint64, root parley.Hash) Cosignature {
	return Cosignature{t, ed25519.Sign(key, cosiText(t, HeadText(origin, size, root)))}
}

// VerifyCosign checks an Ed25519 cosignature/v1.
func VerifyCosign(key ed25519.PublicKey, c Cosignature, origin string, size uint64, root parley.Hash) bool {
	return len(key) == ed25519.PublicKeySize && len(c.Sig) == ed25519.SignatureSize && c.Time <= parley.MaxUint &&
		ed25519.Verify(key, cosiText(c.Time, HeadText(origin, size, root)), c.Sig)
}

// sealMessage is the cosigned_message of C2SP tlog-cosignature v1.1 for the
// whole tree [0, size).
func sealMessage(name string, t uint64, origin string, size uint64, root parley.Hash) []byte {
	b := []byte("subtree/v1\n\x00")
	b = append(append(b, byte(len(name))), name...)
	b = binary.BigEndian.AppendUint64(b, t)
	b = append(append(b, byte(len(origin))), origin...)
	b = binary.BigEndian.AppendUint64(b, 0)
	b = binary.BigEndian.AppendUint64(b, size)
	return append(b, root[:]...)
}

// Seal makes an ML-DSA-44 cosignature under a key name: the origin for the
// author's seal, ReceiptName for a member's.
func Seal(key *mldsa.PrivateKey, name string, t uint64, origin string, size uint64, root parley.Hash) (Cosignature, error) {
	sig, err := key.SignDeterministic(sealMessage(name, t, origin, size, root), nil)
	return Cosignature{t, sig}, err
}

// VerifySeal checks an ML-DSA-44 cosignature. One with time 0, or with one that
// no file could hold, counts for nothing and does not verify.
func VerifySeal(key []byte, name string, c Cosignature, origin string, size uint64, root parley.Hash) bool {
	return c.Time != 0 && c.Time <= parley.MaxUint && len(name) < 256 && len(origin) < 256 &&
		parley.VerifyPQ(key, sealMessage(name, c.Time, origin, size, root), c.Sig)
}

// Line is one signature line of a C2SP signed note.
type Line struct {
	Name string
	ID   [4]byte
	Sig  []byte // for cosignatures: 8 bytes of time, then the signature
}

// KeyID is the C2SP key ID of a key: the first four bytes of
// SHA-256(name ‖ "\n" ‖ type ‖ key).
func keyID(name string, typ byte, key []byte) (id [4]byte) {
	h := sha256.New()
	h.Write([]byte(name))
	h.Write([]byte{'\n', typ})
	h.Write(key)
	copy(id[:], h.Sum(nil))
	return
}

func (l Line) String() string {
	return "— " + l.Name + " " + base64.StdEncoding.EncodeToString(append(l.ID[:], l.Sig...)) + "\n"
}

// HeadLine is an author's signature as a note line.
func HeadLine(origin string, key ed25519.PublicKey, sig []byte) Line {
	return Line{origin, keyID(origin, typeEd, key), sig}
}

// CosignLine is an Ed25519 cosignature as a note line.
func CosignLine(name string, key ed25519.PublicKey, c Cosignature) Line {
	return Line{name, keyID(name, typeCosi, key), append(binary.BigEndian.AppendUint64(nil, c.Time), c.Sig...)}
}

// SealLine is an ML-DSA-44 cosignature as a note line.
func SealLine(name string, key []byte, c Cosignature) Line {
	return Line{name, keyID(name, typePQ, key), append(binary.BigEndian.AppendUint64(nil, c.Time), c.Sig...)}
}

// Cosignature splits the time off a cosignature line.
func (l Line) Cosignature() (Cosignature, bool) {
	if len(l.Sig) < 8 {
		return Cosignature{}, false
	}
	return Cosignature{binary.BigEndian.Uint64(l.Sig), l.Sig[8:]}, true
}

// IsHead reports whether l claims to be the signature of an author with this key.
func (l Line) IsHead(origin string, key []byte) bool {
	return l.Name == origin && l.ID == keyID(origin, typeEd, key)
}

// IsCosign reports whether l claims to be an Ed25519 cosignature by this key.
func (l Line) IsCosign(name string, key []byte) bool {
	return l.Name == name && l.ID == keyID(name, typeCosi, key)
}

// IsSeal reports whether l claims to be an ML-DSA-44 cosignature by this key.
func (l Line) IsSeal(name string, key []byte) bool {
	return l.Name == name && l.ID == keyID(name, typePQ, key)
}

// Checkpoint is a C2SP checkpoint: a head with signature lines.
type Checkpoint struct {
	Origin string
	Size   uint64
	Root   parley.Hash
	Lines  []Line
}

// Encode is the checkpoint as a signed note.
func (c *Checkpoint) Encode() []byte {
	b := append(HeadText(c.Origin, c.Size, c.Root), '\n')
	for _, l := range c.Lines {
		b = append(b, l.String()...)
	}
	return b
}

// Limits of a checkpoint note.
const (
	maxNote  = 1 << 20
	maxLines = 64
)

// ParseCheckpoint reads a signed checkpoint with at most 64 signature lines.
// It checks the form only; whose lines verify is for the caller. Extension
// lines are refused: Parley's heads have none.
func ParseCheckpoint(b []byte) (*Checkpoint, error) {
	bad := func(why string) error { return parley.Errorf(CodeCheckpoint, "checkpoint: %s", why) }
	if len(b) > maxNote {
		return nil, parley.Errorf(parley.CodeTooLarge, "a checkpoint of %d bytes", len(b))
	}
	text, sigs, ok := bytes.Cut(b, []byte("\n\n"))
	if !ok {
		return nil, bad("there is no empty line before the signatures")
	}
	f := strings.Split(string(text), "\n")
	if len(f) != 3 {
		return nil, bad("the text has not three lines")
	}
	c := &Checkpoint{Origin: f[0]}
	var err error
	if c.Origin == "" || len(c.Origin) > 255 || strings.ContainsAny(c.Origin, " +") {
		return nil, bad("the origin is not a key name")
	}
	c.Size, err = strconv.ParseUint(f[1], 10, 64)
	if err != nil || c.Size > parley.MaxUint || strconv.FormatUint(c.Size, 10) != f[1] {
		return nil, bad("the size is not a plain decimal number")
	}
	root, ok := decode64(f[2])
	if !ok || len(root) != 32 {
		return nil, bad("the root is not 32 bytes of base64")
	}
	c.Root = parley.Hash(root)
	if c.Lines, err = ParseLines(sigs); err != nil {
		return nil, err
	}
	return c, nil
}

// decode64 reads padded base64 in its one form. The standard library would pass
// over line breaks inside.
func decode64(s string) ([]byte, bool) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	return b, err == nil && !strings.ContainsAny(s, "\r\n")
}

// ParseLines reads signature lines, each ended by a newline.
func ParseLines(b []byte) ([]Line, error) {
	bad := func(why string) error { return parley.Errorf(CodeCheckpoint, "signature line: %s", why) }
	if len(b) == 0 {
		return nil, nil
	}
	if b[len(b)-1] != '\n' {
		return nil, bad("the last line does not end")
	}
	rows := strings.Split(string(b[:len(b)-1]), "\n")
	if len(rows) > maxLines {
		return nil, parley.Errorf(parley.CodeLength, "%d signature lines, at most %d are allowed", len(rows), maxLines)
	}
	var ls []Line
	for _, row := range rows {
		rest, ok := strings.CutPrefix(row, "— ")
		name, b64, ok2 := strings.Cut(rest, " ")
		if !ok || !ok2 || name == "" || strings.Contains(name, "+") {
			return nil, bad("not “— name base64”")
		}
		sig, ok := decode64(b64)
		if !ok || len(sig) < 5 {
			return nil, bad("the signature is not base64")
		}
		ls = append(ls, Line{name, [4]byte(sig), sig[4:]})
	}
	return ls, nil
}
