package officer

import (
	"path/filepath"
	"testing"

	"parley"
)

// BenchmarkNote is one entry made durable: the write-ahead log and the head
// beside it are fsync'd.
func BenchmarkNote(b *testing.B) {
	k := benchBook(b, 0)
	for b.Loop() {
		if err := k.Note(nil, "bench", "one entry"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpen opens a book of ten thousand entries: about a year of a post
// with four officers.
func BenchmarkOpen(b *testing.B) {
	k := benchBook(b, 10000)
	for b.Loop() {
		if err := k.Close(); err != nil {
			b.Fatal(err)
		}
		var err error
		if k, err = Open(k.cfg); err != nil {
			b.Fatal(err)
		}
	}
	k.Close()
}

func benchBook(b *testing.B, entries int) *Book {
	k, err := Open(Config{Path: filepath.Join(b.TempDir(), "officers.db"), Channel: parley.Hash{7}, Party: 1, Name: "ALFA", RPID: "localhost",
		Origins: []string{origin}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { k.Close() })
	for entries > 0 {
		x := k.batch(nil)
		for range min(entries, 1000) {
			x.add("bench", &refusal{name: ActNote, Why: "one of many entries"})
			entries--
		}
		if err := k.commit(x); err != nil {
			b.Fatal(err)
		}
	}
	return k
}
