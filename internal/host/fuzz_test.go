package host

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley"
	"parley/internal/mutate"
	"parley/journal"
	"parley/journal/journaltest"
	"parley/seal"
)

// What this package reads from files. Files of one form are written again byte
// for byte; those that people type are only held to give no panic, an error
// with a remedy, and the same value when written and read again.

func refused(t testing.TB, b []byte, err error) bool {
	t.Helper()
	if err != nil && parley.CodeOf(err).Remedy() == "" {
		t.Errorf("%v has no remedy\ninput: %q", err, b)
	}
	return err != nil
}

func FuzzNodeKey(f *testing.F) {
	size := 0
	for n := 32; n < 512 && size == 0; n += 32 {
		if _, err := parseNodeKey(encodeNodeKey(0, make([]byte, n))); err == nil {
			size = n
		}
	}
	in := [][]byte{encodeNodeKey(0, bytes.Repeat([]byte{1}, size)), encodeNodeKey(7, bytes.Repeat([]byte{2}, size))}
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) bool {
		_, err := parseNodeKey(b)
		if refused(t, b, err) {
			return false
		}
		lines := strings.Split(string(b), "\n")
		if seeds, err := hex.DecodeString(lines[2]); err != nil || hex.EncodeToString(seeds) != lines[2] {
			t.Errorf("two forms of one key: %q", b)
		}
		return true
	})
}

// FuzzSettings goes through a file in memory where there is one.
func FuzzSettings(f *testing.F) {
	dir := f.TempDir()
	if _, err := os.Stat("/dev/shm"); err == nil {
		if dir, err = os.MkdirTemp("/dev/shm", "parley-fuzz"); err != nil {
			f.Fatal(err)
		}
		f.Cleanup(func() { os.RemoveAll(dir) })
	}
	in := [][]byte{[]byte("listen 0.0.0.0:7443\npeer Pakistan 192.0.2.7:7443\nwitness monitor https://witness.example/\n"), []byte("# nothing\n\n")}
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) bool {
		if err := os.WriteFile(filepath.Join(dir, fileConfig), b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := LoadSettings(dir)
		if refused(t, b, err) {
			return false
		}
		if err := s.check(); err != nil {
			t.Errorf("%q was read and cannot be written: %v", b, err)
		}
		return true
	})
}

func FuzzKeyRequest(f *testing.F) {
	c := journaltest.New(2, 0, nil)
	r := &KeyRequest{Name: "India", Channel: c.ID, Member: 1, Why: WhyStolen, Gen: parley.Gen{1}, Keys: c.Member(1).NodeKeys(1).Public}
	mutate.Fuzz(f, [][]byte{r.Encode()}, func(t testing.TB, b []byte) bool {
		r, err := ParseKeyRequest(b)
		return !refused(t, b, err) && mutate.Same(t, b, err, func() []byte { return r.Encode() })
	})
}

func FuzzKeyAnswer(f *testing.F) {
	c := journaltest.New(2, 0, nil)
	a := &KeyAnswer{Channel: c.ID, Member: 1, Gen: parley.Gen{1}, RootKeys: c.Member(1).RootKeys(c.ID, parley.Gen{1}, c.Member(1).NodeKeys(1).Public)}
	root, err := seal.RootFromSeeds(bytes.Repeat([]byte{1}, 64))
	if err != nil {
		f.Fatal(err)
	}
	if a.Card, err = seal.SignCard(c.Member(1).Name, "", root, a.RootKeys.Keys); err != nil {
		f.Fatal(err)
	}
	mutate.Fuzz(f, [][]byte{a.Encode()}, func(t testing.TB, b []byte) bool {
		a, err := ParseKeyAnswer(b)
		return !refused(t, b, err) && mutate.Same(t, b, err, func() []byte { return a.Encode() })
	})
}

// FuzzShare: a share that was typed is read as one share or refused; its check
// finds whatever was changed of its value and of its first lines.
func FuzzShare(f *testing.F) {
	s := &Share{Party: "India", Root: "words", Set: "set", X: 1, Need: 2, Of: 3, value: bytes.Repeat([]byte{7}, 64)}
	good := s.Encode()
	mutate.Fuzz(f, [][]byte{good}, func(t testing.TB, b []byte) bool {
		x, err := ParseShare("share", b)
		if refused(t, b, err) {
			return false
		}
		if again, err := ParseShare("share", x.Encode()); err != nil || !bytes.Equal(again.Encode(), x.Encode()) {
			t.Errorf("%q is read, written and not read again: %v", b, err)
		}
		return true
	})
}

func FuzzStatements(f *testing.F) {
	s := journaltest.NewSample()
	var in [][]byte
	if row, err := s.Store.Row(s.Second.Log, 0); err == nil && row.Content != nil {
		x := &Statement{Log: s.Second.Log, Salt: row.Content.Salt, Entry: row.Content.Entry}
		copy(x.Sig[:], row.Sig)
		in = append(in, EncodeStatements([]*Statement{x}))
	}
	in = append(in, EncodeStatements(nil))
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) bool {
		ss, err := ParseStatements(b, s.Channel.Charter)
		return !refused(t, b, err) && mutate.Same(t, b, err, func() []byte { return EncodeStatements(ss) })
	})
}

// FuzzBackup has in the first byte which section of a backup follows.
func FuzzBackup(f *testing.F) {
	log := parley.LogID{Channel: parley.Hash{1}, Party: 1, Lane: parley.Routine, Gen: parley.Gen{1}}
	head := &backupHead{Name: "India", Member: 1, Charter: []byte{1}, Card: []byte{1}, Config: []byte("listen :1\n")}
	state := &journal.LogState{Log: log, Size: 3, Head: &journal.SignedHead{Log: log, Size: 3, Sig: make([]byte, 64)}}
	row := &journal.Row{Log: log, Sig: make([]byte, 64), Content: &journal.Content{Entry: []byte("x")}}
	in := [][]byte{append([]byte{0}, head.encode()...), append([]byte{1}, encodeState(state)...), append([]byte{2}, appendRow(nil, row)...),
		append([]byte{3}, appendCosig(nil, &journal.Cosig{Log: log, Size: 1, Name: "north"})...)}
	mutate.FuzzIn(f, in, 1, func(t testing.TB, b []byte) bool {
		if len(b) == 0 {
			return false
		}
		what, b := b[0]%4, b[1:]
		var again []byte
		var err error
		switch d := parley.NewDecoder(b, 3); what {
		case 0:
			var h *backupHead
			if h, err = parseBackupHead(b); err == nil {
				again = h.encode()
			}
		case 1:
			var s *journal.LogState
			if s, err = parseState(b, log.Channel); err == nil {
				again = encodeState(s)
			}
		case 2:
			r := parseRow(d)
			if err = d.End(); err == nil {
				again = appendRow(nil, &r)
			}
		case 3:
			c := parseCosig(d)
			if err = d.End(); err == nil {
				again = appendCosig(nil, &c)
			}
		}
		return mutate.Same(t, b, err, func() []byte { return again })
	})
}
