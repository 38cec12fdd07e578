package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/internal/store/storetest"
	"parley/journal"
)

// scan looks for needles in every file beside the record: the database, its
// write-ahead log, the shared memory and whatever else was left.
func scan(t *testing.T, s *SQLite, needles ...[]byte) (found []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(filepath.Dir(s.path), "*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("files %v: %v", files, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, n := range needles {
			if bytes.Contains(b, n) {
				found = append(found, fmt.Sprintf("needle %d in %s", i, filepath.Base(name)))
			}
		}
	}
	return found
}

// A copied disk shows no content and no secret without the key, neither in
// the write-ahead log nor in the database. Commitments are visible: they show
// that the scan would find content.
func TestNoPlaintextAtRest(t *testing.T) {
	s := openNew(t)
	l := storetest.NewLog(1)
	canaries := [][]byte{[]byte("canary-content"), []byte("canary-opened"), []byte("canary-secret"), {0x5a, 1, 0, 0, 0, 0, 0, 0}}
	var b journal.Batch
	for range 300 {
		b.Rows = append(b.Rows, l.Next(strings.Repeat("canary-content ", 20)))
	}
	b.Rows = append(b.Rows, l.Blind("canary-opened"))
	b.Opened = []journal.Opened{l.Opened(300, "canary-opened")}
	b.Puts = []journal.Put{{Space: "keys", Key: "k", Value: []byte("canary-secret"), Secret: true}}
	commit(t, s, b)
	for _, place := range []string{"write-ahead log", "database"} {
		if found := scan(t, s, canaries...); len(found) > 0 {
			t.Errorf("%s: %v", place, found)
		}
		if len(scan(t, s, b.Rows[7].Leaf.Commit[:])) == 0 {
			t.Errorf("%s: not even the commitment was found", place)
		}
		if err := s.truncateLog(); err != nil {
			t.Fatal(err)
		}
	}
}

// A secret that is deleted or replaced leaves no bytes, not even sealed ones,
// through all the moving of rows between pages that a b-tree does.
func TestDestroyedSecretsAreGone(t *testing.T) {
	s := openNew(t)
	rng := rand.New(rand.NewPCG(1, 2))
	held := map[string][]byte{} // the sealed bytes that are in the file
	var gone [][]byte
	sealed := func(key string) []byte {
		var b []byte
		if err := s.readers.QueryRow("SELECT value FROM vals WHERE space = ? AND key = ?", []byte("keys"), []byte(key)).Scan(&b); err != nil {
			t.Fatal(err)
		}
		return b
	}
	for range 400 {
		key := fmt.Sprint(rng.IntN(60))
		p := journal.Put{Space: "keys", Key: key, Secret: true}
		if rng.IntN(3) > 0 {
			p.Value = make([]byte, 16+rng.IntN(900))
			for i := range p.Value {
				p.Value[i] = byte(rng.Uint32())
			}
		}
		commit(t, s, journal.Batch{Puts: []journal.Put{p}})
		if old := held[key]; old != nil {
			gone = append(gone, old)
			delete(held, key)
		}
		if p.Value != nil {
			held[key] = sealed(key)
		}
	}
	// Long blobs are cut at page borders: look for pieces from their inside.
	var pieces [][]byte
	for _, g := range gone {
		for i := 0; i+32 <= len(g); i += 64 {
			pieces = append(pieces, g[i:i+16])
		}
	}
	if found := scan(t, s, pieces...); len(found) > 0 {
		t.Errorf("%d of %d pieces of %d destroyed secrets are left, such as %s", len(found), len(pieces), len(gone), found[0])
	}
	some := 0
	for _, h := range held {
		some += len(scan(t, s, h[4:20]))
	}
	if some == 0 {
		t.Error("not even the secrets that are held were found")
	}
}

func TestWrongKey(t *testing.T) {
	s := openNew(t)
	s.Close()
	wrong := testKey
	wrong[31] ^= 1
	for _, readOnly := range []bool{false, true} {
		_, err := Open(s.path, Options{DataKey: wrong, ReadOnly: readOnly})
		wantCode(t, err, CodeKey)
	}
	openAt(t, s.path) // and nothing was harmed
}
