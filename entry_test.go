package parley

import (
	"testing"
)

func TestEntryTooLarge(t *testing.T) {
	e := Entry{Kind: 40}
	e.Body = make([]byte, MaxEntry-len(e.Encode())-4)
	b := e.Encode()
	if len(b) != MaxEntry {
		t.Fatalf("an entry of %d bytes", len(b))
	}
	if _, err := ParseEntry(b); err != nil {
		t.Errorf("an entry of %d bytes: %v", len(b), err)
	}
	e.Body = append(e.Body, 0)
	if _, err := ParseEntry(e.Encode()); CodeOf(err) != CodeTooLarge {
		t.Errorf("one byte more: %v", err)
	}
}

func TestRefNames(t *testing.T) {
	r := Ref{Party: 2, Lane: Flash, Gen: Gen{0xaa, 7: 0xbb}, Index: 17}
	if r.String() != "2/FLASH/17" || r.Long() != "2/FLASH/aa000000000000bb/17" {
		t.Errorf("%s, %s", r, r.Long())
	}
}
