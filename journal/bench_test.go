package journal_test

import (
	"bytes"
	"crypto/sha256"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley"
	"parley/journal"
	"parley/journal/journaltest"
)

// parallel is a hook as cmd/parley-verify supplies it.
func parallel(jobs []func()) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(jobs); i = int(next.Add(1)) - 1 {
				jobs[i]()
			}
		})
	}
	wg.Wait()
}

// longRecord is two members' exchange of n entries, each citing the other's
// newest head, with a receipt and a witness every hundred.
func longRecord(t testing.TB, n int) []byte {
	c := journaltest.New(3, 2, nil)
	m := &journaltest.Mem{}
	a := c.Writer(m, 1, parley.Routine, 1, &parley.Generation{})
	b := c.Writer(m, 2, parley.Routine, 1, &parley.Generation{})
	text := strings.Repeat("exercise traffic ", 10)[:160]
	for i := range n / 2 {
		at := uint64(journaltest.Time + i)
		a.Add(journaltest.Text(parley.ToAll, at, text, b.Head()))
		b.Add(journaltest.Text(parley.ToAll, at, text, a.Head()))
		if i%100 == 99 {
			a.Receipt(2, at)
			b.Receipt(1, at)
			a.Witness(0, at)
			a.Witness(1, at)
		}
	}
	return record(t, &journal.Export{Charter: c.Signed, Store: m, Exporter: 1, Key: c.Member(1).Keys.Rcpt, Time: journaltest.Time})
}

// BenchmarkVerifyRecord measures entries per second on a record of 100,000
// entries, and in the same run the floor: SHA-256 over the file's bytes.
func BenchmarkVerifyRecord(b *testing.B) {
	const n = 100_000
	file := longRecord(b, n)
	b.SetBytes(int64(len(file)))
	b.ResetTimer()
	for b.Loop() {
		if err := journal.VerifyRecord(bytes.NewReader(file), journal.Verify{Run: parallel}, nil); err != nil {
			b.Fatal(err)
		}
	}
	perSecond := n * float64(b.N) / b.Elapsed().Seconds()
	start := time.Now()
	for range 5 {
		sha256.Sum256(file)
	}
	floor := 5 * n / time.Since(start).Seconds()
	b.ReportMetric(perSecond, "entries/s")
	b.ReportMetric(floor, "floor-entries/s")
	b.ReportMetric(float64(len(file))/n, "bytes/entry")
}
