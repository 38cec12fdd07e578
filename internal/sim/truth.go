package sim

import (
	"parley"
	"parley/frame"
	"parley/journal"
	"parley/station"
)

// truth is what really happened, as only the simulator sees it, and the judge
// of every step.
type truth struct {
	w *World
	// leaves are what honest authors made durable, and so may have signed.
	leaves map[parley.LogID][]parley.Hash
	// marked are their sizes when a high-water file was last written: nothing
	// beyond is signed.
	marked map[parley.LogID]uint64
	// given are the sizes that honest members ever receipted, made durable.
	given map[parley.Party]map[parley.LogID]uint64
	// lost are entries of honest authors whose last good copy went with a disk.
	lost map[spot]bool
}

type spot struct {
	log   parley.LogID
	index uint64
}

func newTruth(w *World) *truth {
	return &truth{w: w, leaves: map[parley.LogID][]parley.Hash{}, marked: map[parley.LogID]uint64{},
		given: map[parley.Party]map[parley.LogID]uint64{}, lost: map[spot]bool{}}
}

// committed judges a batch that became durable.
func (t *truth) committed(n *node, b *journal.Batch) {
	for i := range b.Rows {
		t.row(n, &b.Rows[i])
	}
	if !n.honest() {
		return
	}
	name := journal.ReceiptName(t.w.ch.ID, n.me)
	for _, c := range b.Cosigs {
		if c.Name == name && !c.PQ {
			t.gave(n, c.Log, c.Size)
		}
	}
}

// row: one content for each place in an honest author's logs, and nobody holds
// what that author did not write.
func (t *truth) row(n *node, r *journal.Row) {
	if !t.w.honest(r.Log.Party) {
		return
	}
	ls, leaf := t.leaves[r.Log], r.Leaf.Hash()
	switch i := r.Index; {
	case i < uint64(len(ls)) && ls[i] != leaf:
		t.w.fail("%s holds another entry %d of %s than was there before: two contents in one place", n, i, r.Log)
	case i > uint64(len(ls)), i == uint64(len(ls)) && n.me != r.Log.Party:
		t.w.fail("%s holds entry %d of %s, which its author has not written", n, i, r.Log)
	case i == uint64(len(ls)):
		t.leaves[r.Log] = append(ls, leaf)
	}
}

// gave: a receipt states that every leaf is held, and what is addressed to the
// signer is opened.
func (t *truth) gave(n *node, log parley.LogID, size uint64) {
	g := t.given[n.me]
	if g == nil {
		g = map[parley.LogID]uint64{}
		t.given[n.me] = g
	}
	from := g[log]
	if size > from {
		t.w.stats.add("receipt", 1)
	}
	t.holds(n, log, 0, size)
	g[log] = max(from, size)
}

// holds fails unless a node's disk has entries [from, to), opened where they
// are addressed to it.
func (t *truth) holds(n *node, log parley.LogID, from, to uint64) {
	for i := from; i < to; i++ {
		r, err := n.disk.Row(log, i)
		if err != nil {
			t.w.fail("%s receipted %s up to %d and does not hold entry %d", n, log, to, i)
		}
		if r.Content == nil && r.Leaf.To.Includes(n.me) {
			t.w.fail("%s receipted %s up to %d and has not opened entry %d", n, log, to, i)
		}
	}
}

// receipted: an honest member's receipt was given by that member.
func (t *truth) receipted(n *node, r parley.Receipted) {
	if n.honest() && t.w.honest(r.By) && r.Head.Size > t.given[r.By][r.Head.Log(t.w.ch.ID)] {
		t.w.fail("%s shows a receipt of member %d over %d entries of %s, which that member did not give", n, r.By, r.Head.Size, r.Head.Log(t.w.ch.ID))
	}
}

// posted: what an officer was told to be stored is stored.
func (t *truth) posted(n *node, ref parley.Ref) {
	r, err := n.disk.Row(ref.Log(t.w.ch.ID), ref.Index)
	if err != nil || r.Leaf.Hash() != ref.Leaf || r.Content == nil {
		t.w.fail("%s told its officer that %s is stored: %v", n, ref, err)
	}
}

// alarmed: nobody honest is convicted, and a proof is one.
func (t *truth) alarmed(n *node, a station.Alarm) {
	if a.Code != station.AlarmFork || !n.honest() {
		return
	}
	if t.w.honest(a.Party) {
		t.w.fail("%s convicts the honest member %d: %s", n, a.Party, a.Text)
	}
	if err := t.w.proof(a.Evidence); err != nil {
		t.w.fail("%s accuses member %d with a proof that proves nothing: %v", n, a.Party, err)
	}
}

// proof checks a fork proof as a stranger would, against the party's keys.
func (w *World) proof(evidence []byte) error {
	f, err := journal.ParseFork(evidence)
	if err != nil {
		return err
	}
	for s := range w.serials[f.Log.Party] + 1 {
		if err = f.Check(w.nodeKeys(f.Log.Party, s).Public.LogEd); err == nil {
			return nil
		}
	}
	return err
}

// sent: what is urgent does not go behind bulk.
func (t *truth) sent(n *node, s station.Send) {
	if !s.Bulk || !n.honest() || kind(s.Frame) != frame.TypeEntry || !parley.Lane(s.Frame[1]>>5).Urgent() {
		return
	}
	for _, l := range n.st.Links() {
		if l.Party == s.To && l.Urgent {
			t.w.fail("%s sends an urgent entry as bulk", n)
		}
	}
}

// booted: what was receipted before the process ended is there.
func (t *truth) booted(n *node) {
	if !n.honest() {
		return
	}
	name := journal.ReceiptName(t.w.ch.ID, n.me)
	logs, _ := n.disk.Logs()
	for _, l := range logs {
		for _, c := range l.Newest {
			if c.Name == name && !c.PQ {
				t.holds(n, l.Log, 0, c.Size)
			}
		}
	}
}

// copied reports whether an honest node other than n holds an entry, opened if
// it is addressed to anybody.
func (t *truth) copied(n *node, log parley.LogID, r *journal.Row) bool {
	for _, o := range t.w.nodes {
		if o == n || !o.honest() || t.w.careless[o.me] {
			continue
		}
		x, err := o.disk.Row(log, r.Index)
		if err == nil && (x.Content != nil || r.Content == nil) {
			return true
		}
	}
	return false
}

// wellCopied reports whether all acknowledged entries of honest authors that a
// node holds have a good copy elsewhere.
func (t *truth) wellCopied(n *node) bool {
	logs, _ := n.disk.Logs()
	for _, l := range logs {
		if !t.w.honest(l.Log.Party) {
			continue
		}
		var acked uint64
		for _, g := range t.given {
			acked = max(acked, g[l.Log])
		}
		err := n.disk.Rows(l.Log, 0, min(acked, l.Size), func(r *journal.Row) error {
			if r.Leaf.To != parley.ToNobody && !t.copied(n, l.Log, r) {
				return errDisk
			}
			return nil
		})
		if err != nil {
			return false
		}
	}
	return true
}

// mark notes that a high-water file was written: what is durable now may be
// signed from now on, that of earlier generations too.
func (t *truth) mark(n *node) {
	for log := range t.leaves {
		if log.Party == n.me {
			t.marked[log] = max(t.marked[log], n.disk.Size(log))
		}
	}
}

// replaced notes what went with a disk for ever. What was durable there and
// not marked was never signed: its place is free again.
func (t *truth) replaced(n *node, old *disk) {
	logs, _ := old.Logs()
	for _, l := range logs {
		if !t.w.honest(l.Log.Party) {
			continue
		}
		old.Rows(l.Log, 0, l.Size, func(r *journal.Row) error {
			x, err := n.disk.Row(l.Log, r.Index)
			if (err != nil || x.Content == nil && r.Content != nil) && !t.copied(n, l.Log, r) {
				t.lost[spot{l.Log, r.Index}] = true
			}
			return nil
		})
		if keep := max(t.marked[l.Log], size(n, l.Log)); l.Log.Party == n.me && uint64(len(t.leaves[l.Log])) > keep {
			for i := range t.leaves[l.Log][keep:] {
				delete(t.lost, spot{l.Log, keep + uint64(i)})
			}
			if t.leaves[l.Log] = t.leaves[l.Log][:keep]; keep == 0 {
				delete(t.leaves, l.Log)
			}
		}
	}
	t.returned(n)
}

// returned notes what an old image brings back that had gone with a disk: never
// signed there, and signed now.
func (t *truth) returned(n *node) {
	logs, _ := n.disk.Logs()
	for _, l := range logs {
		if l.Log.Party != n.me || !n.honest() {
			continue
		}
		for i := uint64(len(t.leaves[l.Log])); i < l.Size; i++ {
			if r, err := n.disk.Row(l.Log, i); err == nil {
				t.leaves[l.Log] = append(t.leaves[l.Log], r.Leaf.Hash())
			}
		}
	}
}
