package store

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"parley/internal/store/storetest"
	"parley/journal"
)

// Whichever bit of the write-ahead log of a killed process flips: the start
// refuses, because acknowledged commits would go with it, and what was
// acknowledged is read out of the log all the same; or nothing is changed by
// it. Without the position beside the lock the newest commit could not be told
// from one that a power cut tore. All bits, with a large PARLEY_STORE_DOSE.
func TestEveryBitOfTheLog(t *testing.T) {
	s := openNew(t)
	l := storetest.NewLog(0)
	for i := range 6 {
		r := l.Next(fmt.Sprint("entry ", i))
		commit(t, s, journal.Batch{Rows: []journal.Row{r}, Heads: []journal.SignedHead{l.Head()},
			Puts: []journal.Put{{Space: "state", Key: "n", Value: fmt.Append(nil, i)}, {Space: "keys", Key: "k", Value: []byte("secret"), Secret: true}}})
	}
	want, err := dump(s.path)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, suffix := range []string{"", "-wal", ".lock"} {
		b, err := os.ReadFile(s.path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		files[suffix] = b
	}
	path := filepath.Join(t.TempDir(), "record.db")
	put := func(suffix string, b []byte) {
		t.Helper()
		if err := os.WriteFile(path+suffix, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lay := func() {
		os.Remove(path + "-shm")
		for suffix, b := range files {
			put(suffix, b)
		}
	}
	flips, refused, mended, harmless := 0, 0, 0, 0
	for bit := 0; bit < 8*len(files["-wal"]); bit += 1 + 32749/dose(1) {
		flips++
		lay()
		b := bytes.Clone(files["-wal"])
		b[bit/8] ^= 1 << (bit % 8)
		put("-wal", b)
		if CheckLog(path) == nil {
			o, err := Open(path, Options{DataKey: testKey})
			if err != nil {
				t.Fatalf("bit %d of byte %d: %v, and the log was not refused", bit%8, bit/8, err)
			}
			o.Close()
			if got, err := dump(path); err != nil || got != want {
				t.Errorf("bit %d of byte %d: what was acknowledged changes, and nobody says so (%v)", bit%8, bit/8, err)
			}
			harmless++
			continue
		}
		refused++
		_, err := Open(path, Options{DataKey: testKey})
		wantCode(t, err, journal.CodeDamaged)
		got, x, err := kept(path, false)
		if err != nil || got != want || x.WAL {
			t.Errorf("bit %d of byte %d: not everything is read out of the log (%v)", bit%8, bit/8, err)
			continue
		}
		mended++
	}
	t.Logf("%d flips in %d bytes of log: %d refused, %d of them put right, %d change nothing", flips, len(files["-wal"]), refused, mended, harmless)
	if refused == 0 {
		t.Error("nothing was refused; the test proves nothing")
	}

	lay()
	os.Remove(path + "-wal")
	_, err = Open(path, Options{DataKey: testKey})
	wantCode(t, err, journal.CodeDamaged)
	lay()
	put("-wal", files["-wal"][:len(files["-wal"])-walFrame]) // without the newest frame
	_, err = Open(path, Options{DataKey: testKey})
	wantCode(t, err, journal.CodeDamaged)
}
