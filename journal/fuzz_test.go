package journal

import (
	"bytes"
	"testing"

	"parley"
	"parley/internal/mutate"
	"parley/spec"
)

// Every decoder of this package: what it accepts, it writes again byte for
// byte, and what it refuses has a code with a remedy. Whole files are in
// fuzzfile_test.go.

func seeds(f *testing.F, page, op string) (in [][]byte) {
	vs, err := spec.Vectors()
	if err != nil {
		f.Fatal(err)
	}
	for _, v := range vs {
		if v.Page == page && v.Params["op"] == op {
			in = append(in, v.Input)
		}
	}
	if len(in) == 0 {
		f.Fatalf("no vectors of %s with op %s", page, op)
	}
	return in
}

// sections are the payloads of a tag in the vectors of whole files.
func sections(f *testing.F, tag byte) (in [][]byte) {
	for _, b := range seeds(f, "disclosure", "file") {
		kind, ok := KindOf(b)
		if !ok {
			continue
		}
		r, err := newSectionReader(bytes.NewReader(b), kind)
		for err == nil {
			var s *section
			if s, err = r.next(); err == nil && s.tag == tag {
				in = append(in, s.payload)
			}
		}
	}
	if len(in) == 0 {
		f.Fatalf("no section %c in the vectors", tag)
	}
	return in
}

func accepts(t testing.TB, b []byte, err error, encode func() []byte) bool {
	t.Helper()
	if err != nil && parley.CodeOf(err).Remedy() == "" {
		t.Errorf("%v has no code or no remedy\ninput: %x", err, b)
	}
	return mutate.Same(t, b, err, encode)
}

func FuzzCheckpoint(f *testing.F) {
	in := append(seeds(f, "journal", "head"), seeds(f, "receipts", "line")...)
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) bool {
		c, err := ParseCheckpoint(b)
		return accepts(t, b, err, func() []byte { return c.Encode() })
	})
}

func FuzzLines(f *testing.F) {
	var in [][]byte
	for _, b := range append(seeds(f, "journal", "head"), seeds(f, "receipts", "line")...) {
		if _, lines, ok := bytes.Cut(b, []byte("\n\n")); ok {
			in = append(in, lines)
		}
	}
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) bool {
		ls, err := ParseLines(b)
		return accepts(t, b, err, func() (again []byte) {
			for _, l := range ls {
				again = append(again, l.String()...)
			}
			return again
		})
	})
}

func FuzzTlogProof(f *testing.F) {
	mutate.Fuzz(f, seeds(f, "disclosure", "tlog-proof"), func(t testing.TB, b []byte) bool {
		p, err := ParseTlogProof(b)
		return accepts(t, b, err, func() []byte { return p.Encode() })
	})
}

func FuzzFork(f *testing.F) {
	mutate.Fuzz(f, seeds(f, "journal", "fork"), func(t testing.TB, b []byte) bool {
		p, err := ParseFork(b)
		return accepts(t, b, err, func() []byte { return p.Encode() })
	})
}

func FuzzInventory(f *testing.F) {
	in := append(seeds(f, "disclosure", "inventory"), (&Inventory{Exporter: 1, Forks: []parley.Hash{{1}, {2}}}).Encode())
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) bool {
		v, err := ParseInventory(b)
		return accepts(t, b, err, func() []byte { return v.Encode() })
	})
}

func FuzzAnnounced(f *testing.F) {
	var in [][]byte
	for _, b := range seeds(f, "keys", "rootkeys") {
		if rk, err := parley.ParseRootKeys(b); err == nil {
			in = append(in, (&Announced{Party: 2, Gen: parley.Gen{1}, Keys: rk}).Encode())
		}
	}
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) bool {
		a, err := ParseAnnounced(b)
		return accepts(t, b, err, func() []byte { return a.Encode() })
	})
}

// The sections that only this package reads.

func FuzzSectionI(f *testing.F) {
	mutate.Fuzz(f, sections(f, tagInventory), func(t testing.TB, b []byte) bool {
		body, sig, err := parseSigned(b)
		return accepts(t, b, err, func() []byte { return encodeSigned(body, sig) })
	})
}

func FuzzSectionL(f *testing.F) {
	in := append(sections(f, tagLog), encodeLog(parley.Head{Party: 1, Root: new(Tree).Root()}, nil))
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) bool {
		h, sig, err := parseLog(b)
		return accepts(t, b, err, func() []byte { return encodeLog(h, sig) })
	})
}

func FuzzSectionS(f *testing.F) {
	mutate.Fuzz(f, sections(f, tagCosigs), func(t testing.TB, b []byte) bool {
		cs, err := parseCosigs(b)
		return accepts(t, b, err, func() []byte { return encodeCosigs(cs) })
	})
}

func FuzzSectionE(f *testing.F) {
	mutate.Fuzz(f, sections(f, tagEntries), func(t testing.TB, b []byte) bool {
		first, ls, err := parseEntries(b)
		return accepts(t, b, err, func() []byte {
			again := parley.AppendArray(parley.AppendUint(parley.AppendArray(nil, 2), first), len(ls))
			for _, l := range ls {
				var c *Content
				if l.entry != nil {
					c = &Content{Salt: l.salt, Entry: l.entry}
				}
				again = appendLeaf(again, l.Leaf, c)
			}
			return again
		})
	})
}

// FuzzFrameOfFiles: whatever a file holds, its sections are read to an end
// within bounds, and a file whose sections all fit their checks is the one that
// a writer would have written.
func FuzzFrameOfFiles(f *testing.F) {
	mutate.Fuzz(f, seeds(f, "disclosure", "file"), func(t testing.TB, b []byte) bool {
		kind, ok := KindOf(b)
		if !ok {
			return false
		}
		var again bytes.Buffer
		out := newSectionWriter(&again, kind)
		var sig []byte
		err := readAll(bytes.NewReader(b), kind, 1024, func(s *section) error {
			out.put(s.tag, s.payload)
			return nil
		})
		if err == nil {
			err = out.end(sig)
		}
		return accepts(t, b, err, again.Bytes)
	})
}
