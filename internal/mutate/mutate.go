// Package mutate changes bytes as an adversary of a decoder does, and runs a
// decoder over millions of changed inputs within one process.
//
// It knows CBOR. A fuzzer of bytes alone hardly ever meets two swapped items
// of a list, a list with one item twice, or an integer in more bytes than it
// needs, each in an input that is right otherwise; here these are the common
// changes. What it does not do is watch coverage: "go test -fuzz" does, and
// what that finds, committed in testdata/fuzz, is where this package starts.
//
//	func FuzzEntry(f *testing.F) {
//		mutate.Fuzz(f, seeds, func(t testing.TB, b []byte) bool {
//			e, err := parley.ParseEntry(b)
//			return mutate.Same(t, b, err, func() []byte { return e.Encode() })
//		})
//	}
//
// Everything is drawn from a seed, so a run can be repeated.
package mutate

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
)

// Mutator draws changes. It is not safe for concurrent use.
type Mutator struct {
	r    *rand.Rand
	pool [][]byte // other inputs, to splice from

	own, others tree // of the input, and of another one
}

// New makes a mutator whose changes follow from seed. Pool holds inputs of the
// same format; parts of them are put into others.
func New(seed uint64, pool [][]byte) *Mutator {
	return &Mutator{r: rand.New(rand.NewPCG(seed, 0)), pool: pool}
}

// Intn draws a number below n.
func (m *Mutator) Intn(n int) int { return m.r.IntN(n) }

// Change returns a copy of b with one to three changes. Half of them are made
// to its CBOR items, if it has any.
func (m *Mutator) Change(b []byte) []byte {
	for n := 1 + m.r.IntN(3); n > 0; n-- {
		if m.r.IntN(2) == 0 {
			if c, ok := m.Items(b); ok {
				b = c
				continue
			}
		}
		b = m.Bytes(b)
	}
	return b
}

// Bytes returns a copy of b with one change that knows nothing of its format.
func (m *Mutator) Bytes(b []byte) []byte {
	at := m.r.IntN(len(b) + 1)
	to := at + m.r.IntN(min(len(b)-at, 1+m.r.IntN(64))+1)
	switch m.r.IntN(10) {
	case 0, 1, 2: // one bit
		if at < len(b) {
			b = bytes.Clone(b)
			b[at] ^= 1 << m.r.IntN(8)
		}
		return b
	case 3: // one byte
		if at < len(b) {
			b = bytes.Clone(b)
			b[at] = byte(m.r.IntN(256))
		}
		return b
	case 4: // the end is missing
		return bytes.Clone(b[:at])
	case 5: // a part is missing
		return join(b[:at], b[to:])
	case 6: // a part twice
		return join(b[:to], b[at:])
	case 7: // a few bytes more
		more := make([]byte, 1+m.r.IntN(4))
		for i := range more {
			more[i] = byte(m.r.IntN(256))
		}
		return join(b[:at], more, b[at:])
	case 8: // a number
		if at+8 <= len(b) {
			b = bytes.Clone(b)
			binary.BigEndian.PutUint64(b[at:], m.number())
		}
		return b
	}
	o := m.other() // a part of another input
	from := m.r.IntN(len(o) + 1)
	upto := from + m.r.IntN(min(len(o)-from, 1+m.r.IntN(256))+1)
	if m.r.IntN(2) == 0 {
		to = min(len(b), at+upto-from)
	}
	return join(b[:at], o[from:upto], b[to:])
}

func (m *Mutator) other() []byte {
	if len(m.pool) == 0 {
		return nil
	}
	return m.pool[m.r.IntN(len(m.pool))]
}

// edges are the numbers at which formats change their minds.
var edges = []uint64{
	0, 1, 2, 3, 4, 5, 20, 21, 22, 23, 24, 25, 31, 32, 33, 59, 60, 63, 64, 65, 99, 100, 255, 256, 257,
	1023, 1024, 1025, 4095, 4096, 4097, 1<<15 - 1, 1 << 15, 1<<16 - 1, 1 << 16, 1<<20 - 1, 1 << 20, 1<<20 + 1,
	1<<21 - 1, 1 << 21, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1<<53 - 1, 1 << 53, 1<<63 - 1, 1 << 63, 1<<64 - 1,
}

// number draws a number, most often an edge.
func (m *Mutator) number() uint64 {
	if m.r.IntN(3) > 0 {
		return edges[m.r.IntN(len(edges))]
	}
	return m.r.Uint64() >> m.r.IntN(64)
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
