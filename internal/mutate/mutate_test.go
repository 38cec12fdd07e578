package mutate

import (
	"bytes"
	"testing"
)

var sample = []byte("\x85\x0a\x00\x1a\x68\x1f\x07\x80\x80\x47\x82\xf6\x81\x63abc")

// A change to an item leaves the lengths around it right: what comes out is
// still items, unless the change was to put something else there.
func TestItemsKeepTheRest(t *testing.T) {
	m := New(1, [][]byte{sample})
	whole, deep := 0, 0
	for range 10000 {
		b, ok := m.Items(sample)
		if !ok {
			t.Fatal("the sample is no list")
		}
		if it := new(tree).parse(b); it != nil && it.end == len(b) {
			whole++
			if !bytes.Contains(b, []byte("abc")) && bytes.HasPrefix(b, sample[:8]) {
				deep++
			}
		}
	}
	if whole < 5000 || deep < 300 {
		t.Errorf("of 10000 changed lists %d are items to their end and %d differ inside the inner list", whole, deep)
	}
}

// The same seed makes the same changes.
func TestSeed(t *testing.T) {
	a, b := New(7, [][]byte{sample}), New(7, [][]byte{sample})
	for range 1000 {
		if !bytes.Equal(a.Change(sample), b.Change(sample)) {
			t.Fatal("two mutators of one seed differ")
		}
	}
}

// Every kind of change that the package comment promises occurs.
func TestKinds(t *testing.T) {
	m := New(3, [][]byte{sample})
	want := map[string][]byte{
		"long integer":  []byte("\x18\x0a"),
		"swapped items": []byte("\x82\x81\x63abc\xf6"),
		"twice":         []byte("\x83\xf6\x81\x63abc\x81\x63abc"),
		"null":          []byte("\x00\xf6\x80"),
	}
	for range 200000 {
		b := m.Change(sample)
		for name, part := range want {
			if bytes.Contains(b, part) {
				delete(want, name)
			}
		}
	}
	for name := range want {
		t.Errorf("no change of the kind %q", name)
	}
}
