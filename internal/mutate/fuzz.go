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
// environment variable PARLEY_FUZZ, or 2,000.
func Runs() int {
	if n, err := strconv.Atoi(os.Getenv("PARLEY_FUZZ")); err == nil {
		return n
	}
	return 2000
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
	for _, s := range seeds {
		f.Add(s)
	}
	if flag := os.Args; !strings.Contains(strings.Join(flag, " "), "-test.fuzz=") {
		run(f, append(seeds, corpus(f)...), check)
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

func run(f *testing.F, seeds [][]byte, check func(testing.TB, []byte) bool) {
	f.Helper()
	n := Runs()
	if len(seeds) == 0 || n == 0 {
		return
	}
	seed, _ := strconv.ParseUint(os.Getenv("PARLEY_FUZZ_SEED"), 10, 64)
	pool := append([][]byte(nil), seeds...)
	m := New(seed, pool)
	began, said, accepted := time.Now(), time.Now(), 0
	var b []byte
	defer func() {
		if p := recover(); p != nil {
			f.Fatalf("panic: %v\ninput: %s", p, hex.EncodeToString(b))
		}
	}()
	for i := range n {
		b = m.Change(pool[m.r.IntN(len(pool))])
		if len(b) > 1<<17 {
			continue
		}
		if check(f, b) {
			accepted++
			if len(pool) < 4*len(seeds)+256 {
				pool = append(pool, b)
			} else { // the seeds stay
				pool[len(seeds)+m.r.IntN(len(pool)-len(seeds))] = b
			}
			m.pool = pool
		}
		if i%1024 == 0 && time.Since(said) > 10*time.Second {
			said = time.Now()
			f.Logf("%s: %d of %d inputs, %d accepted, %s", f.Name(), i, n, accepted, said.Sub(began).Round(time.Second))
		}
	}
	f.Logf("%s: %d inputs, %d accepted, %s", f.Name(), n, accepted, time.Since(began).Round(time.Millisecond))
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
