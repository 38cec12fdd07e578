package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"parley"
)

func mark(n uint64) Mark {
	return Mark{Gen: parley.Gen{7}, Sizes: [5]uint64{n, n + 1, n + 2, 0, n}}
}

// reread opens the file, which must give the mark want (nil: missing).
func reread(t *testing.T, path string, want *Mark) *HighWater {
	t.Helper()
	h, got, err := OpenHighWater(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.f.Close() })
	switch {
	case want == nil && got != nil:
		t.Fatalf("mark %v, want none", *got)
	case want != nil && (got == nil || *got != *want):
		t.Fatalf("mark %v, want %v", got, *want)
	}
	return h
}

func set(t *testing.T, h *HighWater, ms ...Mark) {
	t.Helper()
	for _, m := range ms {
		if err := h.Set(m); err != nil {
			t.Fatal(err)
		}
	}
}

func TestHighWater(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mark")
	h := reread(t, path, nil)
	for n := range uint64(5) {
		m := mark(n)
		set(t, h, m, m)
		h = reread(t, path, &m) // without Close: the process was killed
	}
	if h.Set(mark(3)) == nil {
		t.Error("a mark fell within its generation")
	}
	m := Mark{Gen: parley.Gen{8}}
	set(t, h, m)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	reread(t, path, &m)
}

// A mark that is returned is on the disk, also one that a killed process left
// in the system's memory: a power cut does not take back what a start saw.
func TestHighWaterIsDurableOnceRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mark")
	set(t, reread(t, path, nil), mark(1), mark(2)) // the second waits for no disk
	var synced []byte
	fsync = func(f *os.File) (err error) {
		synced, err = os.ReadFile(f.Name())
		return errors.Join(err, f.Sync())
	}
	t.Cleanup(func() { fsync = (*os.File).Sync })
	m := mark(2)
	reread(t, path, &m)
	after := filepath.Join(t.TempDir(), "after a power cut")
	if err := os.WriteFile(after, synced, 0o600); err != nil {
		t.Fatal(err)
	}
	reread(t, after, &m)
}

// A torn write spoils the slot being written; the other one counts, and the
// next mark goes into the spoiled slot.
func TestHighWaterTorn(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mark")
	set(t, reread(t, path, nil), mark(1), mark(2), mark(3))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	newest, older := mark(3), mark(2)
	at := slotStride // the third mark went into slot 1
	for i := range slotSize {
		for bit := range 8 {
			torn := append([]byte(nil), whole...)
			torn[at+i] ^= 1 << bit
			if _, _, ok := parseSlot(torn[at : at+slotSize]); ok {
				t.Fatalf("bit %d of byte %d is not guarded", bit, i)
			}
		}
		// Everything from byte i on was not written.
		torn := append([]byte(nil), whole...)
		for k := i; k < slotSize; k++ {
			torn[at+k] ^= 0x55
		}
		copied := filepath.Join(dir, "torn")
		if err := os.WriteFile(copied, torn, 0o600); err != nil {
			t.Fatal(err)
		}
		set(t, reread(t, copied, &older), newest)
		reread(t, copied, &newest)
	}
	// The file ends before the second slot, or inside it.
	for _, size := range []int{slotSize, slotStride, slotStride + slotSize - 1} {
		if err := os.WriteFile(path, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		reread(t, path, &older)
	}
}

func TestHighWaterBothBad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mark")
	set(t, reread(t, path, nil), mark(1), mark(2))
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[20] ^= 1
	b[slotStride+20] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	m := mark(1)
	set(t, reread(t, path, nil), m)
	reread(t, path, &m)
}
