package parley

import (
	"bytes"
	"testing"

	"parley/spec"
)

func vector(t testing.TB, name string) *spec.Vector {
	t.Helper()
	vs, err := spec.Vectors()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vs {
		if v.Name == name+".txt" {
			return v
		}
	}
	t.Fatalf("no vector %s", name)
	return nil
}

// Every single bit of a charter matters: changing it gives an error or another
// channel, and no signature fits any more.
func TestCharterBits(t *testing.T) {
	good, _, err := ParseSignedCharter(vector(t, "charter/signed-in-force").Input)
	if err != nil {
		t.Fatal(err)
	}
	ch := good.Channel()
	for i := 0; i < len(good.Charter); i += 7 {
		s := *good
		s.Charter = append([]byte{}, good.Charter...)
		s.Charter[i] ^= 1 << (i % 8)
		if c, err := ParseCharter(s.Charter); err == nil && c.Channel() == ch {
			t.Fatalf("byte %d does not count", i)
		}
		if i%131 == 0 {
			if _, _, err := ParseSignedCharter(s.Encode()); err == nil {
				t.Fatalf("byte %d is not signed", i)
			}
		}
	}
}

func TestGatherSignatures(t *testing.T) {
	full, c, err := ParseSignedCharter(vector(t, "charter/signed-in-force").Input)
	if err != nil {
		t.Fatal(err)
	}
	s := &SignedCharter{Charter: full.Charter}
	if m := s.Missing(c); len(m) != 2 {
		t.Fatalf("missing %v", m)
	}
	s.Add(full.Sigs[1])
	if m := s.Missing(c); len(m) != 1 || m[0] != 1 {
		t.Errorf("missing %v, want member 1", m)
	}
	s.Add(CharterSig{Index: 1, Ed: make([]byte, 64), PQ: make([]byte, SizePQSig)})
	s.Add(full.Sigs[0]) // replaces the bad one
	if m := s.Missing(c); len(m) != 0 {
		t.Errorf("missing %v", m)
	}
	if !bytes.Equal(s.Encode(), full.Encode()) {
		t.Error("a signed charter is written otherwise")
	}
}

func TestCharterTooLarge(t *testing.T) {
	if _, err := ParseCharter(make([]byte, MaxCharter+1)); CodeOf(err) != CodeTooLarge {
		t.Errorf("a large charter: %v", err)
	}
	if _, _, err := ParseSignedCharter(make([]byte, 1<<20)); CodeOf(err) != CodeTooLarge {
		t.Errorf("a large signed charter: %v", err)
	}
}

func TestMembers(t *testing.T) {
	c, err := ParseCharter(vector(t, "charter/two-members").Input)
	if err != nil {
		t.Fatal(err)
	}
	if c.Member(0) != nil || c.Member(3) != nil || c.Member(2).Name != "Borland" {
		t.Error("Member finds another")
	}
	if o := c.Others(1); len(o) != 1 || o[0] != 2 {
		t.Errorf("others %v", o)
	}
}
