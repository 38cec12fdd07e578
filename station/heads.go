package station

import (
	"crypto/ed25519"

	"parley"
	"parley/frame"
	"parley/journal"
)

// receiveHeads takes a signed head with its lines. Each line is verified by
// itself; bad ones are dropped and counted.
func (st *Station) receiveHeads(m *member, f *frame.Heads) {
	defer st.tryFinish()
	c, err := journal.ParseCheckpoint(f.Note)
	if err != nil {
		m.dropped++
		return
	}
	id, err := parley.ParseOrigin(c.Origin)
	if err != nil || id.Channel != st.ch || st.members[id.Party] == nil {
		m.dropped++
		return
	}
	l := st.named(m, id)
	if l == nil {
		return
	}
	if c.Size >= m.theirs[l].Size {
		delete(m.asked, l)
	}
	delete(l.asking, m.Index)
	key := st.logKey(l)
	if key == nil { // a generation that this node does not know, under one of its author's keys
		if key = st.keyOfLine(st.members[id.Party], c); key == nil {
			key = st.keyOfHeld(st.members[id.Party], l)
		}
	}
	var signed bool
	for _, line := range c.Lines {
		if key != nil && line.IsHead(c.Origin, key) && journal.VerifyHead(key, c.Origin, c.Size, c.Root, line.Sig) {
			signed = true
			st.judgeHead(m, l, journal.SignedHead{Log: id, Size: c.Size, Root: c.Root, Sig: line.Sig})
		}
	}
	if !signed {
		m.dropped++
		return
	}
	if root, ok := st.rootAt(l, c.Size); !ok || root != c.Root || l.forked {
		return
	}
	for _, line := range c.Lines {
		st.receiveLine(m, l, c, line)
	}
}

// keyOfLine is the key of a member that a head's line claims to be signed by.
func (st *Station) keyOfLine(m *member, c *journal.Checkpoint) ed25519.PublicKey {
	for _, k := range m.keys {
		for _, line := range c.Lines {
			if line.IsHead(c.Origin, k.LogEd) {
				return k.LogEd
			}
		}
	}
	return nil
}

// keyOfHeld is the key that a held GENERATION brings, by its author's root: a
// log whose key was replaced since reaches a late reader entry by entry, and
// only its newest head is signed.
func (st *Station) keyOfHeld(m *member, l *log) ed25519.PublicKey {
	h := l.held[0]
	if h == nil || h.content == nil || l.size() > 0 {
		return nil
	}
	e, err := parley.ParseEntry(h.content.Entry)
	if err != nil || e.Kind != parley.KindGeneration {
		return nil
	}
	g, err := parley.ParseGeneration(e.Body)
	if err != nil || !st.rootSigned(m, l.id.Gen, g.RootKeys) {
		return nil
	}
	return g.RootKeys.Keys.LogEd
}

// receiveLine takes one cosignature of a head that is also ours.
func (st *Station) receiveLine(m *member, l *log, c *journal.Checkpoint, line journal.Line) {
	cs, ok := line.Cosignature()
	if !ok || line.Name == l.origin && len(line.Sig) == 64 {
		return
	}
	cosig := journal.Cosig{Log: l.id, Size: c.Size, Name: line.Name, PQ: len(cs.Sig) != parley.SizeEdSig, Cosignature: cs}
	if !st.news(l, cosig.Name, cosig.PQ, c.Size, cs.Time) {
		return
	}
	if p := st.receiptSigner(line.Name); p != 0 {
		if p == l.id.Party || !st.receiptLine(l, p, c, line, cosig) {
			m.dropped++
		}
		return
	}
	if g := st.members[l.id.Party].generation(l.id.Gen); line.Name == l.origin && g != nil && line.IsSeal(l.origin, g.key.LogPQ) {
		if journal.VerifySeal(g.key.LogPQ, l.origin, cs, l.origin, c.Size, c.Root) {
			st.cosigned(l, cosig)
			st.answerSeal(m, l, c.Size, c.Root)
		}
		return
	}
	st.witnessLine(l, c, line, cosig)
}

// receiptLine takes a receipt, or a seal, of a member. Its own old receipts
// tell a restored node what it has stated before.
func (st *Station) receiptLine(l *log, p parley.Party, c *journal.Checkpoint, line journal.Line, cosig journal.Cosig) bool {
	for _, k := range st.members[p].keys {
		if line.IsCosign(line.Name, k.RcptEd) && journal.VerifyCosign(k.RcptEd, cosig.Cosignature, l.origin, c.Size, c.Root) {
			st.countReceipt(l, p, c.Size, c.Root, cosig.Cosignature)
			return true
		}
		if line.IsSeal(line.Name, k.RcptPQ) && journal.VerifySeal(k.RcptPQ, line.Name, cosig.Cosignature, l.origin, c.Size, c.Root) {
			st.cosigned(l, cosig)
			return true
		}
	}
	return false
}
