package mutate

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Runs is how many inputs Fuzz tries in this process: the number in the
// environment variable PARLEY_FUZZ, or 500.
func Runs() int {
	if n, err := strconv.Atoi(os.Getenv("PARLEY_FUZZ")); err == nil {
		return n
	}
	return 500
}

// Fuzz is a fuzz target. Under "go test -fuzz" it is an ordinary one. Without,
// it first runs check on Runs inputs changed from the seeds and the committed
// corpus, in this process: some ten times as many in the same time, and
// reaching where only whole CBOR items lead.
//
// Check returns whether it accepted the input; such inputs are changed further.
// It reports through t, and must not keep or change b.
func Fuzz(f *testing.F, seeds [][]byte, check func(t testing.TB, b []byte) bool) {
	f.Helper()
	FuzzIn(f, seeds, 0, check)
}

// FuzzSlow is FuzzIn with a fiftieth of the inputs, for checks that verify a
// whole file with all its signatures.
func FuzzSlow(f *testing.F, seeds [][]byte, first int, check func(t testing.TB, b []byte) bool) {
	f.Helper()
	fuzz(f, seeds, first, Runs()/50, check)
}

// FuzzIn is Fuzz where what the first bytes of an input say is no part of its
// format, such as which decoder it is for: they are kept, or changed alone.
func FuzzIn(f *testing.F, seeds [][]byte, first int, check func(t testing.TB, b []byte) bool) {
	f.Helper()
	fuzz(f, seeds, first, Runs(), check)
}

func fuzz(f *testing.F, seeds [][]byte, first, n int, check func(t testing.TB, b []byte) bool) {
	f.Helper()
	for _, s := range seeds {
		f.Add(s)
	}
	if !strings.Contains(strings.Join(os.Args, " "), "-test.fuzz=") {
		run(f, append(seeds, corpus(f)...), first, n, check)
	}
	f.Fuzz(func(t *testing.T, b []byte) { check(t, b) })
}

// Same reports whether err says that b was accepted, and fails if it was and
// encode gives other bytes.
func Same(t testing.TB, b []byte, err error, encode func() []byte) bool {
	t.Helper()
	if err != nil {
		return false
	}
	if again := encode(); !bytes.Equal(again, b) {
		t.Fatalf("two encodings of one value:\n%x is accepted, and encodes to\n%x", b, again)
	}
	return true
}

func run(f *testing.F, seeds [][]byte, first, n int, check func(testing.TB, []byte) bool) {
	f.Helper()
	if len(seeds) == 0 || n == 0 {
		return
	}
	seed, _ := strconv.ParseUint(os.Getenv("PARLEY_FUZZ_SEED"), 10, 64)
	pool := append([][]byte(nil), seeds...)
	m := New(seed, pool)
	most := 1024 // an input that grows on and on only takes time
	for _, s := range seeds {
		most = max(most, len(s))
	}
	began, said, accepted := time.Now(), time.Now(), 0
	var b []byte
	defer func() {
		if p := recover(); p != nil {
			f.Fatalf("panic: %v\ninput: %s", p, hex.EncodeToString(b))
		}
	}()
	for i := range n {
		b = pool[m.r.IntN(len(pool))]
		for range 2 { // short inputs more often: they take less time and hide as much
			if o := pool[m.r.IntN(len(pool))]; len(o) < len(b) {
				b = o
			}
		}
		b = m.changeBehind(b, first)
		if check(f, b) {
			accepted++
			if len(b) > most {
				continue
			}
			if len(pool) < 4*len(seeds)+256 {
				pool = append(pool, b)
			} else { // the seeds stay
				pool[len(seeds)+m.r.IntN(len(pool)-len(seeds))] = b
			}
			m.pool = pool
		}
		if f.Failed() {
			f.Fatalf("input %d: %x", i, b)
		}
		if i%1024 == 0 && time.Since(said) > 10*time.Second {
			said = time.Now()
			f.Logf("%s: %d of %d inputs, %d accepted, %s", f.Name(), i, n, accepted, said.Sub(began).Round(time.Second))
		}
	}
	f.Logf("%s: %d inputs, %d accepted, %s", f.Name(), n, accepted, time.Since(began).Round(time.Millisecond))
}

// changeBehind is Change behind the first bytes, now and then among them.
func (m *Mutator) changeBehind(b []byte, first int) []byte {
	if first == 0 || len(b) < first || m.r.IntN(64) == 0 {
		return m.Change(b)
	}
	whole := m.pool
	m.pool = [][]byte{b[first:]}
	if o := whole[m.r.IntN(len(whole))]; len(o) > first {
		m.pool[0] = o[first:]
	}
	out := join(b[:first], m.Change(b[first:]))
	m.pool = whole
	return out
}

// corpus reads what the fuzzer's committed inputs hold.
func corpus(f *testing.F) (out [][]byte) {
	names, _ := filepath.Glob(filepath.Join("testdata", "fuzz", f.Name(), "*"))
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		line, ok := strings.CutPrefix(string(text), "go test fuzz v1\n[]byte(")
		s, err := strconv.Unquote(strings.TrimSuffix(strings.TrimSpace(line), ")"))
		if ok && err == nil {
			out = append(out, []byte(s))
		}
	}
	return out
}
