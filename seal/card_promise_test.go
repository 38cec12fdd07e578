package seal

import (
	"crypto/ed25519"
	"testing"

	"parley"
)

// The words of a card are compared by voice as they stand on the screen. A card
// whose address could draw other words there, or hide them, is refused, though
// its root has signed it.
func TestCardAddressDrawsNothing(t *testing.T) {
	r := source(9)
	root, _, err := NewRoot(r)
	if err != nil {
		t.Fatal(err)
	}
	node, _, err := NewNode(r, 0)
	if err != nil {
		t.Fatal(err)
	}
	good, err := NewCard("Avaria", "[fe80::1%eth0]:7443", root, node)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseCard(good.Encode()); err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{
		"a.example:1\n  words    babab babab", "a.example:1\x1b[8m", "a.example:1\x9b2J", "\u202ea.example:1",
		"a.example:1 b", "a.example:1\u200b", "a.example:1\x00", "exämple:1",
	} {
		if _, err := NewCard("Avaria", addr, root, node); parley.CodeOf(err) != CodeCard {
			t.Errorf("made with %+q: %v", addr, err)
		}
		c := *good
		c.Addr = addr
		c.Sig = ed25519.Sign(root.Ed, append([]byte(cardLabel), c.signed()...))
		if _, err := ParseCard(c.Encode()); err == nil {
			t.Errorf("read with %+q", addr)
		}
	}
}
