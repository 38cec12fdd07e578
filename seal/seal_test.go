package seal

import (
	"bytes"
	"crypto/ed25519"
	"math/rand/v2"
	"strings"
	"testing"

	"parley"
)

func source(n byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{n}) }

func TestGrantOpensForItsReaderOnly(t *testing.T) {
	a, err := NewKEM([32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := NewKEM([32]byte{2})
	k := Key{3}
	ct, err := WrapKey(a.Public(), []byte("info"), k)
	if err != nil || len(ct) != SizeGrant || len(a.Public()) != parley.SizeKEM {
		t.Fatalf("grant of %d bytes, key of %d, %v", len(ct), len(a.Public()), err)
	}
	if got, err := a.Unwrap([]byte("info"), ct); err != nil || got != k {
		t.Fatalf("reader: %v", err)
	}
	if _, err := b.Unwrap([]byte("info"), ct); parley.CodeOf(err) != CodeOpen {
		t.Errorf("another node opened the grant: %v", err)
	}
	if _, err := a.Unwrap([]byte("other"), ct); parley.CodeOf(err) != CodeOpen {
		t.Errorf("the grant opened under other words: %v", err)
	}
	if err := CheckKEM(make([]byte, 10)); parley.CodeOf(err) != parley.CodeKey {
		t.Errorf("a short KEM key passed: %v", err)
	}
}

// No two places, labels or keys may share a derived key.
func TestDerivationsAreApart(t *testing.T) {
	seen := map[[32]byte]string{}
	add := func(name string, k [32]byte) {
		if old, ok := seen[k]; ok {
			t.Errorf("%s and %s derive the same key", name, old)
		}
		seen[k] = name
	}
	k := Key{1}
	add("salt 1", Salt(k, "o", 1))
	add("salt 11", Salt(k, "o", 11))
	add("salt o1", Salt(k, "o1", 1))
	add("entry 1", EntryKey(k, "o", 1))
	add("open 1", OpenKey(k, "o", 1, parley.Hash{}))
	add("open 1 other leaf", OpenKey(k, "o", 1, parley.Hash{1}))
	add("other key", Salt(Key{2}, "o", 1))
}

func TestDecryptRefusesEveryFlippedBit(t *testing.T) {
	k, nonce, aad := Key{1}, [12]byte{2}, []byte("header")
	ct := Encrypt(k, nonce, aad, []byte("text"))
	for i := range ct {
		ct[i] ^= 1
		if _, err := Decrypt(k, nonce, aad, ct); err == nil {
			t.Fatalf("byte %d changed and the text still opened", i)
		}
		ct[i] ^= 1
	}
	if _, err := Decrypt(k, nonce, []byte("Header"), ct); err == nil {
		t.Error("the header changed and the text still opened")
	}
}

func TestCard(t *testing.T) {
	root, _, err := NewRoot(source(1))
	if err != nil {
		t.Fatal(err)
	}
	node, _, err := NewNode(source(2), 1)
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewCard("India", "127.0.0.1:7001", root, node)
	if err != nil {
		t.Fatal(err)
	}
	b := c.Encode()
	got, err := ParseCard(b)
	if err != nil {
		t.Fatal(err)
	}
	if got.Words() != c.Words() || len(strings.Fields(c.Words())) != 8 {
		t.Errorf("words %q and %q", got.Words(), c.Words())
	}
	for i := range b {
		b[i] ^= 4
		if _, err := ParseCard(b); err == nil {
			t.Fatalf("byte %d changed and the card still passes", i)
		}
		b[i] ^= 4
	}
}

func TestRootKeysBindMemberGenerationAndChannel(t *testing.T) {
	root, _, _ := NewRoot(source(1))
	node, _, _ := NewNode(source(2), 2)
	m := &parley.Member{Index: 1, RootEd: root.EdPublic(), RootPQ: root.PQPublic()}
	ch, gen := parley.Hash{7}, parley.Gen{8}
	rk := root.SignKeys(ch, 1, gen, node.Public(m.RootEd, m.RootPQ))
	if err := rk.Verify(ch, m, gen); err != nil {
		t.Fatal(err)
	}
	if rk.Verify(parley.Hash{9}, m, gen) == nil || rk.Verify(ch, m, parley.Gen{}) == nil {
		t.Error("a ROOTKEYS statement fits another channel or generation")
	}
	m.Index = 2
	if rk.Verify(ch, m, gen) == nil {
		t.Error("a ROOTKEYS statement fits another member")
	}
	d := parley.NewDecoder(parley.AppendRootKeys(nil, rk), 5)
	back := d.RootKeys()
	if d.End() != nil || !bytes.Equal(back.Ed, rk.Ed) {
		t.Error("ROOTKEYS do not survive their encoding")
	}
	if !ed25519.Verify(m.RootEd, parley.CharterMessage(ch), root.SignCharter(ch, 1).Ed) {
		t.Error("the charter signature does not verify")
	}
}
