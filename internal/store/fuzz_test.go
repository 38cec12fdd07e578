package store

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"parley"
	"parley/internal/mutate"
)

// FuzzSlot: a slot of the high-water file that is accepted is the one that would
// be written; the harness fits the checksum to what it changes.
func FuzzSlot(f *testing.F) {
	in := [][]byte{appendSlot(nil, 1, Mark{Gen: parley.Gen{1}, Sizes: [parley.Lanes]uint64{1, 2, 3, 4, 5}}), appendSlot(nil, 1<<60, Mark{})}
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) bool {
		slot := make([]byte, slotSize) // as OpenHighWater reads it
		copy(slot, b)
		accepted := false
		for _, s := range [][]byte{slot, appendSum(slot)} {
			if seq, m, ok := parseSlot(s); ok {
				accepted = true
				if again := appendSlot(nil, seq, m); !bytes.Equal(again, s) {
					t.Errorf("%x is read and written as %x", s, again)
				}
			}
		}
		return accepted && len(b) == slotSize
	})
}

func appendSum(slot []byte) []byte {
	good := appendSlot(nil, 0, Mark{})
	body := bytes.Clone(slot[:len(slot)-32])
	copy(body, good[:len(slotMagic)])
	h := sha256.Sum256(body)
	return append(body, h[:]...)
}
