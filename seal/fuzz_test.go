package seal

import (
	"bytes"
	"crypto/ed25519"
	"testing"

	"parley"
	"parley/internal/mutate"
)

// FuzzCard works below the signature: what has a card's form is signed anew by
// the harness's root, so that the rules behind the signature are reached. What
// is accepted is written again byte for byte.
func FuzzCard(f *testing.F) {
	root, err := RootFromSeeds(bytes.Repeat([]byte{1}, 64))
	if err != nil {
		f.Fatal(err)
	}
	seeds := make([]byte, sizeNode)
	for i := range seeds {
		seeds[i] = byte(i)
	}
	node, err := NodeFromSeeds(0, seeds)
	if err != nil {
		f.Fatal(err)
	}
	var in [][]byte
	for _, addr := range []string{"", "192.0.2.7:7443"} {
		c, err := NewCard("India", addr, root, node)
		if err != nil {
			f.Fatal(err)
		}
		in = append(in, c.Encode())
		if _, err := ParseCard(c.Encode()); err != nil {
			f.Fatal(err)
		}
	}
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) bool {
		if n := len(b) - 66; n > 0 { // the signature and its head stand at the end
			b = parley.AppendBytes(bytes.Clone(b[:n]), ed25519.Sign(root.Ed, append([]byte(cardLabel), b[:n]...)))
		}
		c, err := ParseCard(b)
		if err != nil && parley.CodeOf(err).Remedy() == "" {
			t.Errorf("%v has no remedy\ninput: %x", err, b)
		}
		return mutate.Same(t, b, err, func() []byte { return c.Encode() })
	})
}

// FuzzDecrypt: nothing but what was sealed opens.
func FuzzDecrypt(f *testing.F) {
	key, nonce := Key{1}, [12]byte{2}
	sealed := Encrypt(key, nonce, []byte("additional"), []byte("the entry"))
	mutate.Fuzz(f, [][]byte{sealed}, func(t testing.TB, b []byte) bool {
		pt, err := Decrypt(key, nonce, []byte("additional"), b)
		if (err == nil) != bytes.Equal(b, sealed) {
			t.Errorf("%x opens as %q, %v", b, pt, err)
		}
		return err == nil
	})
}
