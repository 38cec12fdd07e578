package journaltest

import (
	"testing"

	"parley"
	"parley/journal"
)

// The store refuses a batch as a whole when a row is out of order, and keeps
// the first and the last cosignature only.
func TestMemContract(t *testing.T) {
	ch := New(3, 2, nil)
	s := &Mem{}
	w := ch.Writer(s, 1, parley.Flash, 1, &parley.Generation{})
	row := journal.Row{Log: w.Log, Index: 2}
	other := journal.Row{Log: ch.Log(2, parley.Flash, 1)}
	if err := s.Commit(&journal.Batch{Rows: []journal.Row{other, row}}); parley.CodeOf(err) != journal.CodeConflict {
		t.Fatalf("a row out of order: %v", err)
	}
	ls, _ := s.Logs()
	if len(ls) != 1 || ls[0].Size != 1 || ls[0].Head == nil || ls[0].Head.Root != w.Root() {
		t.Fatalf("a refused batch left something behind: %+v", ls)
	}
	for _, at := range []uint64{5, 3, 9, 7} {
		w.Receipt(2, at)
	}
	cs, _ := s.Cosigs(w.Log, 1)
	if len(cs) != 2 || cs[0].Time != 3 || cs[1].Time != 9 {
		t.Fatalf("cosignatures kept: %+v", cs)
	}
	if r, err := journal.RootAt(1, s.Hashes(w.Log)); err != nil || r != w.Root() {
		t.Fatalf("stored hashes give another root: %v", err)
	}
}
