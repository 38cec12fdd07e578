package witness

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"os"
	"strings"
	"unicode"

	"filippo.io/mldsa"

	"parley"
)

// Signature types of C2SP signed-note verifier keys.
const (
	TypeEd     byte = 0x01 // Ed25519: a log's signature
	TypeCosign byte = 0x04 // Ed25519 cosignature/v1
	TypePQ     byte = 0x06 // ML-DSA-44 cosignature
)

// Key is a witness's name and private keys. Name and keys stay together for
// the witness's life: charters pin both.
type Key struct {
	Name string
	Ed   ed25519.PrivateKey
	PQ   *mldsa.PrivateKey // nil: no ML-DSA-44 cosignatures
}

const keyFileHead = "parley-witness-key/1"

// CreateKey draws both keys and writes them to a new file that only its owner
// can read. It refuses a file that exists.
func CreateKey(path, name string) (*Key, error) {
	if err := checkKeyName(name); err != nil {
		return nil, err
	}
	seeds := make([]byte, 64)
	rand.Read(seeds)
	var b bytes.Buffer
	b.WriteString(keyFileHead + "\nname " + name + "\n")
	b.WriteString("ed25519 " + base64.StdEncoding.EncodeToString(seeds[:32]) + "\n")
	b.WriteString("ml-dsa-44 " + base64.StdEncoding.EncodeToString(seeds[32:]) + "\n")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, parley.Errorf(CodeKeyFile, "key file: %w", err)
	}
	if err := writeSync(f, b.Bytes()); err != nil {
		return nil, parley.Errorf(CodeKeyFile, "key file: %w", err)
	}
	return ParseKey(b.Bytes())
}

// LoadKey reads a key file. It refuses one that others can read.
func LoadKey(path string) (*Key, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, parley.Errorf(CodeKeyFile, "key file: %w", err)
	}
	if privateModes && st.Mode().Perm()&0o077 != 0 {
		return nil, parley.Errorf(CodeKeyFile, "key file %s has mode %04o; others can read it", path, st.Mode().Perm())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, parley.Errorf(CodeKeyFile, "key file: %w", err)
	}
	return ParseKey(b)
}

// ParseKey reads the text of a key file. The ml-dsa-44 line may be absent.
func ParseKey(b []byte) (*Key, error) {
	bad := func(why string) error { return parley.Errorf(CodeKeyFile, "key file: %s", why) }
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	if len(lines) < 3 || len(lines) > 4 || lines[0] != keyFileHead {
		return nil, bad("it is not a " + keyFileHead + " file")
	}
	name, ok := strings.CutPrefix(lines[1], "name ")
	if !ok {
		return nil, bad("the second line is not a name")
	}
	if err := checkKeyName(name); err != nil {
		return nil, err
	}
	seed := func(line, word string) ([]byte, error) {
		s, ok := strings.CutPrefix(line, word+" ")
		v, err := base64.StdEncoding.Strict().DecodeString(s)
		if !ok || err != nil || len(v) != 32 {
			return nil, bad("there is no " + word + " line with a seed of 32 bytes")
		}
		return v, nil
	}
	s, err := seed(lines[2], "ed25519")
	if err != nil {
		return nil, err
	}
	k := &Key{Name: name, Ed: ed25519.NewKeyFromSeed(s)}
	if len(lines) == 4 {
		if s, err = seed(lines[3], "ml-dsa-44"); err != nil {
			return nil, err
		}
		if k.PQ, err = mldsa.NewPrivateKey(mldsa.MLDSA44(), s); err != nil {
			return nil, bad("the ml-dsa-44 seed is not usable")
		}
	}
	return k, nil
}

// Witness is the key's public part as a charter names it.
func (k *Key) Witness() parley.Witness {
	w := parley.Witness{Name: k.Name, Ed: k.Ed.Public().(ed25519.PublicKey)}
	if k.PQ != nil {
		w.PQ = k.PQ.PublicKey().Bytes()
	}
	return w
}

// VKeys are the C2SP verifier keys: what the operator gives to others.
func (k *Key) VKeys() []string {
	w := k.Witness()
	vs := []string{VKey(k.Name, TypeCosign, w.Ed)}
	if w.PQ != nil {
		vs = append(vs, VKey(k.Name, TypePQ, w.PQ))
	}
	return vs
}

// VKey is a C2SP signed-note verifier key: name+id+base64(type ‖ key).
func VKey(name string, typ byte, key []byte) string {
	data := append([]byte{typ}, key...)
	h := sha256.Sum256(append([]byte(name+"\n"), data...))
	return name + "+" + hex.EncodeToString(h[:4]) + "+" + base64.StdEncoding.EncodeToString(data)
}

// ParseVKey reads a verifier key of one of the three types.
func ParseVKey(s string) (name string, typ byte, key []byte, err error) {
	name, rest, _ := strings.Cut(s, "+")
	_, b64, ok := strings.Cut(rest, "+")
	data, err := base64.StdEncoding.Strict().DecodeString(b64)
	if !ok || err != nil || len(data) < 1 {
		return "", 0, nil, parley.Errorf(parley.CodeKey, "%q is not a verifier key, name+id+base64", s)
	}
	if err := checkKeyName(name); err != nil {
		return "", 0, nil, err
	}
	typ, key = data[0], data[1:]
	switch typ {
	case TypeEd, TypeCosign:
		err = parley.CheckEd(key)
	case TypePQ:
		err = parley.CheckPQ(key)
	default:
		err = parley.Errorf(parley.CodeKey, "verifier key of %s has type %#02x; 1, 4 and 6 are known", name, typ)
	}
	if err != nil {
		return "", 0, nil, err
	}
	if VKey(name, typ, key) != s {
		return "", 0, nil, parley.Errorf(parley.CodeKey, "the verifier key of %s does not fit its own id; it was copied wrongly", name)
	}
	return name, typ, key, nil
}

// ParseWitness reads the verifier keys that a witness's operator gives out, one
// or two, as a charter names the witness.
func ParseWitness(vkeys ...string) (parley.Witness, error) {
	var w parley.Witness
	for _, v := range vkeys {
		name, typ, key, err := ParseVKey(v)
		if err != nil {
			return w, err
		}
		if w.Name != "" && w.Name != name {
			return w, parley.Errorf(parley.CodeName, "the keys belong to two witnesses, %s and %s", w.Name, name)
		}
		w.Name = name
		switch {
		case typ == TypeCosign && w.Ed == nil:
			w.Ed = key
		case typ == TypePQ && w.PQ == nil:
			w.PQ = key
		default:
			return w, parley.Errorf(parley.CodeKey, "%s: a witness has one Ed25519 cosignature key (type 4), one ML-DSA-44 key (type 6), or both", name)
		}
	}
	if w.Name == "" {
		return w, parley.Errorf(parley.CodeKey, "a witness without a key")
	}
	return w, nil
}

// checkKeyName refuses what is not a C2SP key name of at most 255 bytes.
func checkKeyName(s string) error {
	if s == "" || len(s) > 255 || strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || r == '+' || r == unicode.ReplacementChar
	}) {
		return parley.Errorf(parley.CodeName, "%q is not a key name: 1 to 255 bytes without spaces, control characters or plus", s)
	}
	return nil
}
