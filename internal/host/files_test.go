package host

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"parley"
	"parley/internal/store"
)

// Whichever bit flips in the other files of a party's directory: a start or
// fsck refuses it, or it changes nothing that the party does. All bits:
//
//	PARLEY_ROT=1 go test ./internal/host -run TestEveryBitOfTheFiles -v
func TestEveryBitOfTheFiles(t *testing.T) {
	long(t)
	dir, _, _ := complete(t)
	root, err := OpenRoot(filepath.Join(dir, fileRoot), "pass")
	if err != nil {
		t.Fatal(err)
	}
	card, err := LoadCard(dir)
	if err != nil {
		t.Fatal(err)
	}
	settings, err := LoadSettings(dir)
	if err != nil {
		t.Fatal(err)
	}
	record := func(key [32]byte) error {
		s, err := store.Open(filepath.Join(dir, fileRecord), store.Options{DataKey: key, ReadOnly: true})
		if err == nil {
			s.Close()
		}
		return err
	}
	// start is what a node's start reads of the files, and what fsck checks.
	start := func() (err error) {
		keys, err := LoadKeys(dir)
		if err != nil {
			return err
		}
		c, err := LoadCard(dir)
		if err != nil {
			return err
		}
		if err := sameParty(dir, keys, c); err != nil {
			return err
		}
		if _, _, _, err := LoadCharter(dir); err != nil {
			return err
		}
		if _, err := LoadSettings(dir); err != nil {
			return err
		}
		return record(keys.Data)
	}
	if err := start(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file string
		step int
		// harmless says why a flip that nobody refuses changes nothing.
		harmless func() (why string, ok bool)
	}{
		{fileNode, 3, func() (string, bool) {
			keys, err := LoadKeys(dir)
			return "the serial number, which the channel knows better", err == nil && keys.Serial != card.Keys.Serial
		}},
		{fileCard, 61, func() (string, bool) { return "", false }},
		{fileCharter, 211, func() (string, bool) { return "", false }},
		{fileConfig, 1, func() (string, bool) {
			now, err := LoadSettings(dir)
			if err == nil && fmt.Sprint(now) == fmt.Sprint(settings) {
				return "white space", true
			}
			return "an address: who answers there must have the pinned key, and status shows the line as down",
				err == nil && fmt.Sprint(now) != fmt.Sprint(settings)
		}},
		{fileRoot, 29, func() (string, bool) { return "", false }},
	} {
		path := filepath.Join(dir, c.file)
		sound, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		codes, why := map[parley.Code]int{}, map[string]int{}
		for bit := 0; bit < 8*len(sound); bit += rot(c.step) {
			b := bytes.Clone(sound)
			b[bit/8] ^= 1 << (bit % 8)
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			err := start()
			if c.file == fileRoot {
				var r any
				if r, err = OpenRoot(path, "pass"); err == nil && fmt.Sprint(r) == fmt.Sprint(root) {
					t.Errorf("%s, bit %d: %q opens as before", c.file, bit, b[bit/8])
				}
			}
			if err != nil {
				codes[parley.CodeOf(err)]++
				if parley.CodeOf(err).Remedy() == "" {
					t.Errorf("%s, bit %d: %v has no remedy", c.file, bit, err)
				}
				continue
			}
			reason, ok := c.harmless()
			if !ok {
				t.Errorf("%s, bit %d of byte %d (%q): nobody refuses it", c.file, bit%8, bit/8, sound[bit/8])
			}
			why[reason]++
		}
		t.Logf("%s, %d bytes: refused %v, harmless %v", c.file, len(sound), codes, why)
		if err := os.WriteFile(path, sound, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Whichever bit of the high-water file flips: it is not taken for a mark that
// was never written.
func TestEveryBitOfTheMark(t *testing.T) {
	path := filepath.Join(t.TempDir(), "highwater")
	h, _, err := store.OpenHighWater(path)
	if err != nil {
		t.Fatal(err)
	}
	known := map[store.Mark]bool{}
	for i := range uint64(5) {
		m := store.Mark{Gen: parley.Gen{7}, Sizes: [parley.Lanes]uint64{i, 2 * i}}
		if err := h.Set(m); err != nil {
			t.Fatal(err)
		}
		known[m] = true
	}
	h.Close()
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	older := 0
	for bit := 0; bit < 8*len(sound); bit += rot(7) {
		b := bytes.Clone(sound)
		b[bit/8] ^= 1 << (bit % 8)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		h, m, err := store.OpenHighWater(path)
		if err != nil {
			t.Fatal(err)
		}
		h.Close()
		if m == nil || !known[*m] {
			t.Fatalf("bit %d of byte %d: the mark is %v", bit%8, bit/8, m)
		}
		if m.Sizes[0] < 4 {
			older++
		}
	}
	t.Logf("%d flips: the mark before in %d of them, which is older than the record and accuses nobody; the newest in the others", 8*len(sound)/rot(7), older)
}
