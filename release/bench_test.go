package release

import (
	"fmt"
	"testing"

	"parley"
)

// BenchmarkOf is the question about one released entry: two signatures.
func BenchmarkOf(b *testing.B) {
	k := newBook()
	on := k.roster(india, roster(1))
	var refs []parley.Ref
	for i := range 64 {
		refs = append(refs, k.release(india, on, text(fmt.Sprint(i)), "a", "b"))
	}
	for i := 0; b.Loop(); i++ {
		if s := k.desk.Of(refs[i%len(refs)]); s.State != Held {
			b.Fatal(s)
		}
	}
}

// BenchmarkApply is what an entry costs at the start of a node: with a release
// before it, and without.
func BenchmarkApply(b *testing.B) {
	for _, released := range []bool{false, true} {
		b.Run(fmt.Sprintf("released=%v", released), func(b *testing.B) {
			k := newBook()
			on := k.roster(india, roster(1))
			for i := range 256 {
				if released {
					k.release(india, on, text(fmt.Sprint(i)), "a", "b")
				} else {
					k.add(india, text(fmt.Sprint(i)))
				}
			}
			for b.Loop() {
				d := New(channel, pakistan)
				for _, p := range k.all {
					d.Apply(p)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(k.all)), "ns/entry")
		})
	}
}
