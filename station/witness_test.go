package station

import (
	"testing"
	"time"

	"parley"
	"parley/journal"
)

// A member that was away when a witness cosigned learns of it later.
func TestCosignaturesReachWhoWasAway(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	ref := w.post(1, parley.Flash, parley.ToAll, "witnessed while apart")
	w.settle()
	w.cut(1, 2)
	n := w.nodes[1]
	l := n.log(ref.Log(w.ch.ID))
	c := journal.Cosign(w.ch.Witnesses[0].Ed, uint64(w.now.Unix()), l.origin, l.size(), l.tree.Root())
	w.step(1, Witnessed{Cosigs: []journal.Cosig{{Log: l.id, Size: l.size(), Name: w.ch.Witnesses[0].Name, Cosignature: c}}})
	if n.quorumSize(l) != l.size() {
		t.Fatalf("the author counts %d entries as witnessed", n.quorumSize(l))
	}
	w.connect(1, 2)
	w.settle()
	w.pass(2*time.Minute, time.Second)
	reader := w.nodes[2]
	if got := reader.quorumSize(reader.log(l.id)); got != l.size() {
		t.Errorf("the reader counts %d of %d entries as witnessed", got, l.size())
	}
}

// A desk hears of the own node's receipts as of the others'.
func TestOwnReceiptsAreTold(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	ref := w.post(1, parley.Flash, parley.ToAll, "x")
	w.settle()
	for _, r := range w.nodes[2].rcpts {
		if r.By == 2 && r.Head.Party == 1 && r.Head.Lane == parley.Flash && r.Head.Size > ref.Index {
			return
		}
	}
	t.Error("the reader's desks were not told of its own receipt")
}
