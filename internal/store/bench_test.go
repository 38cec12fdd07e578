package store

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"parley/internal/store/storetest"
	"parley/journal"
)

// text is an entry of ordinary size: a message of 160 characters with its
// header fields and citations.
var text = string(bytes.Repeat([]byte("message "), 40))

// floor appends n bytes to a file and fsyncs it: what durability costs
// without a store.
func floor(b *testing.B, f *os.File, n int) time.Duration {
	start := time.Now()
	if _, err := f.Write(make([]byte, n)); err != nil {
		b.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

// BenchmarkCommit commits batches of rows as a receiver does, each with a
// head, a receipt and a small value, and between them does the bare floor, so
// that both see the same disk. ratio is the floor's time per batch over the
// store's: 1 is as fast as the bare file.
func BenchmarkCommit(b *testing.B) {
	for _, per := range []int{1, 16, 64} {
		b.Run(fmt.Sprint("rows=", per), func(b *testing.B) {
			dir := b.TempDir()
			s, err := Open(filepath.Join(dir, "record.db"), Options{DataKey: testKey})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			f, err := os.Create(filepath.Join(dir, "floor"))
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			l := storetest.NewLog(1)
			var bare, own time.Duration
			for b.Loop() {
				batch := benchBatch(l, per)
				bare += floor(b, f, per*(len(text)+32+28+64+32+64)+300)
				start := time.Now()
				if err := s.Commit(&batch); err != nil {
					b.Fatal(err)
				}
				own += time.Since(start)
			}
			n := float64(b.N)
			b.ReportMetric(n/own.Seconds(), "commits/s")
			b.ReportMetric(n*float64(per)/own.Seconds(), "rows/s")
			b.ReportMetric(n/bare.Seconds(), "floor-commits/s")
			b.ReportMetric(bare.Seconds()/own.Seconds(), "ratio")
		})
	}
}

func benchBatch(l *storetest.Log, per int) journal.Batch {
	var batch journal.Batch
	for range per {
		batch.Rows = append(batch.Rows, l.Next(text))
	}
	batch.Heads = []journal.SignedHead{l.Head()}
	batch.Cosigs = []journal.Cosig{{Log: l.ID, Size: l.Tree.Size(), Name: journal.ReceiptName(l.ID.Channel, 2),
		Cosignature: journal.Cosignature{Time: 1_746_800_000, Sig: make([]byte, 64)}}}
	batch.Puts = []journal.Put{{Space: "outbox", Key: "next", Value: fmt.Append(nil, l.Tree.Size())}}
	return batch
}
