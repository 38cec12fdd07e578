package seal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"strings"

	"parley"
)

// Card is how a party introduces itself: name, root keys and node keys, signed
// by the root. It is public. Who receives one compares its words with the
// holder by voice before putting it into a charter.
type Card struct {
	Name   string
	RootEd []byte
	RootPQ []byte
	Keys   *parley.Keys
	Addr   string // where the node listens, host:port, if it says so; printable ASCII
	Sig    []byte // of the root's Ed25519 key
}

const cardLabel = "parley/card/1\n"

func (c *Card) signed() []byte {
	b := parley.AppendArray(nil, 7)
	b = parley.AppendUint(b, 1)
	b = parley.AppendText(b, c.Name)
	b = parley.AppendBytes(b, c.RootEd)
	b = parley.AppendBytes(b, c.RootPQ)
	b = parley.AppendKeys(b, c.Keys)
	return parley.AppendText(b, c.Addr)
}

// NewCard makes and signs a card.
func NewCard(name, addr string, r *Root, n *Node) (*Card, error) {
	if err := parley.CheckName(name); err != nil {
		return nil, err
	}
	if err := checkAddr(addr); err != nil {
		return nil, err
	}
	return SignCard(name, addr, r, n.Public(r.EdPublic(), r.PQPublic()))
}

// SignCard makes a card for keys of which only the public halves are at hand.
func SignCard(name, addr string, r *Root, k *parley.Keys) (*Card, error) {
	if err := parley.CheckName(name); err != nil {
		return nil, err
	}
	c := &Card{Name: name, Addr: addr, RootEd: r.EdPublic(), RootPQ: r.PQPublic(), Keys: k}
	c.Sig = ed25519.Sign(r.Ed, append([]byte(cardLabel), c.signed()...))
	return c, nil
}

// Encode is the card's canonical form: [1, name, rootEd, rootPQ, keys, addr, sig].
func (c *Card) Encode() []byte { return parley.AppendBytes(c.signed(), c.Sig) }

// ParseCard reads a card and checks its signature and the possession of its keys.
func ParseCard(b []byte) (*Card, error) {
	if len(b) > 16<<10 {
		return nil, parley.Errorf(parley.CodeTooLarge, "a card of %d bytes", len(b))
	}
	d := parley.NewDecoder(b, 4)
	var c Card
	d.Array(7, 7)
	if v := d.Uint(parley.MaxUint); d.Err() == nil && v != 1 {
		return nil, parley.Errorf(parley.CodeVersion, "card version %d", v)
	}
	c.Name = d.Text(1, 64)
	c.RootEd = d.Bytes(parley.SizeEd, parley.SizeEd)
	c.RootPQ = d.Bytes(parley.SizePQ, parley.SizePQ)
	c.Keys = d.Keys()
	c.Addr = d.Text(0, 256)
	c.Sig = d.Bytes(parley.SizeEdSig, parley.SizeEdSig)
	if err := d.End(); err != nil {
		return nil, parley.Errorf(CodeCard, "card: %w", err)
	}
	if !bytes.Equal(c.Encode(), b) {
		return nil, parley.Errorf(CodeCard, "the card does not re-encode to the same bytes")
	}
	if err := parley.CheckName(c.Name); err != nil {
		return nil, err
	}
	if err := checkAddr(c.Addr); err != nil {
		return nil, err
	}
	if err := parley.CheckEd(c.RootEd); err != nil {
		return nil, err
	}
	if err := parley.CheckPQ(c.RootPQ); err != nil {
		return nil, err
	}
	if !ed25519.Verify(c.RootEd, append([]byte(cardLabel), c.signed()...), c.Sig) {
		return nil, parley.Errorf(CodeCard, "the card's signature does not fit")
	}
	return &c, c.Keys.Check(parley.RootID(c.RootEd, c.RootPQ))
}

// checkAddr refuses an address that could move the cursor, hide or repeat what
// stands beside it: people compare the words on the screen by voice.
func checkAddr(addr string) error {
	for _, r := range addr {
		if r <= ' ' || r > '~' {
			return parley.Errorf(CodeCard, "the address %+q contains the character %U; host:port has none such", addr, r)
		}
	}
	return nil
}

// Words is the card's fingerprint for reading aloud.
func (c *Card) Words() string {
	h := sha256.Sum256(append([]byte("parley/words/1\n"), c.Encode()...))
	return Words(h[:])
}

// Words writes the first 16 bytes of a hash as eight pronounceable words of
// five letters: consonant, vowel, consonant, vowel, consonant, two bytes a
// word, in the proquint alphabet (Wilkerson 2009). They need no word list and
// can be read aloud in any language.
func Words(hash []byte) string {
	const con, vow = "bdfghjklmnprstvz", "aiou"
	var ws []string
	for i := 0; i < 16; i += 2 {
		v := uint16(hash[i])<<8 | uint16(hash[i+1])
		ws = append(ws, string([]byte{con[v>>12], vow[v>>10&3], con[v>>6&15], vow[v>>4&3], con[v&15]}))
	}
	return strings.Join(ws, " ")
}
