package witness

import (
	"bytes"
	"testing"

	"parley"
	"parley/internal/mutate"
	"parley/journal"
)

// FuzzRequest: an add-checkpoint request that is accepted has one form.
func FuzzRequest(f *testing.F) {
	l := newLog("log.example").grow(3)
	in := [][]byte{(&request{0, nil, l.note()}).append(nil), (&request{7, make([]parley.Hash, 3), l.note()}).append(nil), []byte("old 1\n\nx")}
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) bool {
		r, err := parseRequest(b)
		if err != nil {
			if parley.CodeOf(err).Remedy() == "" {
				t.Errorf("%v has no remedy", err)
			}
			return false
		}
		parseHead(r.Note)
		return mutate.Same(t, b, nil, func() []byte { return r.append(nil) })
	})
}

// FuzzAdd: no body makes the server cosign without a signature of the log.
func FuzzAdd(f *testing.F) {
	l := newLog("log.example").grow(3)
	good := (&request{0, nil, l.note()}).append(nil)
	s := open(f, Config{Logs: []LogKey{l.logKey()}})
	in := [][]byte{good, bytes.Replace(good, []byte("old 0"), []byte("old 3"), 1)}
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) bool {
		_, no := s.add(b)
		if no == nil && !bytes.Contains(b, l.note()[:60]) {
			t.Errorf("cosigned: %q", b)
		}
		return false
	})
}

// FuzzVKey: a verifier key that is accepted has one form, and a witness may be
// made of it.
func FuzzVKey(f *testing.F) {
	l := newLog("log.example")
	in := [][]byte{[]byte(l.logKey().VKey()), []byte(VKey("north", TypeCosign, l.logKey().Key)), []byte(VKey("north", TypePQ, make([]byte, parley.SizePQ)))}
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) bool {
		name, typ, key, err := ParseVKey(string(b))
		if err != nil && parley.CodeOf(err).Remedy() == "" {
			t.Errorf("%v has no remedy", err)
		}
		ParseWitness(string(b))
		return mutate.Same(t, b, err, func() []byte { return []byte(VKey(name, typ, key)) })
	})
}

// FuzzLogs: a list of logs in either format; every log of it has a key that can
// be written again.
func FuzzLogs(f *testing.F) {
	l := newLog("log.example")
	in := [][]byte{[]byte("log.example " + l.logKey().VKey() + "\n# comment\n"),
		[]byte("logs/v0\n\nvkey " + l.logKey().VKey() + "\norigin other.example\nqpd 86400\ncontact who\n")}
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) bool {
		logs, err := ParseLogs(bytes.NewReader(b))
		if err != nil && parley.CodeOf(err).Remedy() == "" {
			t.Errorf("%v has no remedy", err)
		}
		for _, l := range logs {
			if _, _, _, err := ParseVKey(l.VKey()); err != nil {
				t.Errorf("a log was read whose key cannot be written: %v", err)
			}
		}
		return err == nil
	})
}

// FuzzKeyFile: a key file that is read gives the keys that its text says.
func FuzzKeyFile(f *testing.F) {
	in := [][]byte{[]byte(keyFileHead + "\nname north\ned25519 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"),
		[]byte(keyFileHead + "\nname north\ned25519 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nml-dsa-44 AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")}
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) bool {
		k, err := ParseKey(b)
		if err != nil {
			if parley.CodeOf(err).Remedy() == "" {
				t.Errorf("%v has no remedy", err)
			}
			return false
		}
		if lines := bytes.Count(bytes.TrimSuffix(b, []byte("\n")), []byte("\n")); len(k.VKeys()) != lines-1 {
			t.Errorf("%q has %d keys", b, len(k.VKeys()))
		}
		return true
	})
}

// FuzzVerify: of the lines that a witness answers, only those that the charter's
// witnesses made for this head are taken.
func FuzzVerify(f *testing.F) {
	l := newLog("log.example").grow(3)
	n, err := journal.ParseCheckpoint(l.note())
	if err != nil {
		f.Fatal(err)
	}
	c := &parley.Charter{}
	in := [][]byte{[]byte(n.Lines[0].String())}
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) bool {
		lines, err := journal.ParseLines(b)
		if err != nil {
			return false
		}
		if good, _ := Verify(c, lines, n.Origin, n.Size, n.Root); len(good) > 0 {
			t.Errorf("a cosignature of a charter without witnesses: %q", b)
		}
		return true
	})
}
