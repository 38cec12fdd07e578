package journal_test

import (
	"bytes"
	"runtime"
	"sync"
	"testing"

	"parley"
	"parley/journal"
	"parley/journal/journaltest"
)

// smallRecord holds little, so that every bit of it can be tried.
func smallRecord(t testing.TB) []byte {
	c := journaltest.New(2, 1, nil)
	m := &journaltest.Mem{}
	w := c.Writer(m, 1, parley.Flash, 1, &parley.Generation{})
	w.Add(journaltest.Text(parley.ToAll, journaltest.Time, "exercise"))
	w.Blind(journaltest.Text(parley.ToNobody, journaltest.Time, "committed"))
	w.Receipt(2, journaltest.Time+1)
	w.Witness(0, journaltest.Time+2)
	return record(t, &journal.Export{Charter: c.Signed, Store: m, Exporter: 2, Key: c.Member(2).Keys.Rcpt,
		Time: journaltest.Time, Forks: []*journal.Fork{w.ForkOf(1, 3)}})
}

// flips checks that a file with any of the given bits changed is refused with
// a code. It returns how often each code was given.
func flips(t *testing.T, file []byte, bits []int, check func([]byte) error) map[parley.Code]int {
	t.Helper()
	var mu sync.Mutex
	codes := map[parley.Code]int{}
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			b := bytes.Clone(file)
			for k := w; k < len(bits); k += workers {
				i := bits[k]
				b[i/8] ^= 1 << (i % 8)
				err := check(b)
				b[i/8] ^= 1 << (i % 8)
				code := parley.CodeOf(err)
				if code == "" {
					t.Errorf("bit %d of byte %d (of %d) was changed: %v", i%8, i/8, len(file), err)
					return
				}
				mu.Lock()
				codes[code]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return codes
}

// bitsOf chooses the bits to try: one of each byte, in turn; of the charter
// and the policy, which are long and slow to check, one of every step-th byte.
// That the checksums find every bit is TestEveryBitIsCovered's.
func bitsOf(file []byte, step int) (bits []int) {
	kind, secs := journaltest.Split(file)
	at := 0
	add := func(n, step int) {
		for i := at; i < at+n; i += step {
			bits = append(bits, i*8+i/step*3%8)
		}
		at += n
	}
	add(len(kind), 1)
	for _, s := range secs {
		add(5, 1)
		if s.Tag == 'C' || s.Tag == 'P' {
			add(len(s.Payload), step)
		} else {
			add(len(s.Payload), 1)
		}
		add(32, 1)
	}
	return bits
}

func TestRecordFlips(t *testing.T) {
	t.Parallel()
	b := smallRecord(t)
	if _, _, err := verify(b, journal.Verify{}); err != nil {
		t.Fatal(err)
	}
	bits := bitsOf(b, 5)
	codes := flips(t, b, bits, func(b []byte) error { return journal.VerifyRecord(bytes.NewReader(b), journal.Verify{}, nil) })
	t.Logf("%d of %d bits tried: %v", len(bits), len(b)*8, codes)
}
