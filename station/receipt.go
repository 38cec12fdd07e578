package station

import (
	"parley"
	"parley/frame"
	"parley/journal"
)

// giveReceipts signs a receipt for every log that grew in this step: stored in
// the same batch as the entries, sent to all members after it. Its statement:
// at this time I durably hold every leaf of this log up to this size, I have
// opened and stored every entry addressed to me, and it is consistent with
// everything I cosigned before.
func (st *Station) giveReceipts() {
	if st.phase != phaseRunning {
		return // whether the store is stale is not known yet
	}
	for _, l := range st.order {
		if l.owed && !l.forked && l.head.Size == l.size() && st.mayReceipt(l) && !st.mustWait(l) {
			l.owed = false
			st.receipt(l)
		}
	}
	st.sendNotices()
}

// mayReceipt is false for a log under a revoked key beyond what its successor
// cites, unless another member has already receipted that head.
func (st *Station) mayReceipt(l *log) bool {
	g := st.members[l.id.Party].generation(l.id.Gen)
	cited, over := g.cited(l)
	if !over || !g.replaced.root {
		return true
	}
	return l.size() <= cited || st.otherHolds(l, l.size()-1)
}

// receipt cosigns the log's newest head at the present time.
func (st *Station) receipt(l *log) {
	now := st.unix()
	if !st.ahead(l.beat) { // what an own clock that was wrong has stated is not repeated
		now = max(now, l.beat)
	}
	now = min(now, 1<<32-1)
	root := l.tree.Root()
	c := journal.Cosign(st.keys.Rcpt.Ed, now, l.origin, l.size(), root)
	st.cosigned(l, journal.Cosig{Log: l.id, Size: l.size(), Name: st.receiptName(st.me), Cosignature: c})
	l.mine, l.beat = l.size(), now
	l.rcpt[st.me] = l.size()
	st.fx.out.Receipts = append(st.fx.out.Receipts, parley.Receipted{By: st.me, Head: l.cite(), Time: now, Stored: st.now})
	st.sendReceipt(l, l.size(), c, 0)
}

// ahead reports whether a time lies so far ahead of the own clock that it was
// no honest one.
func (st *Station) ahead(t uint64) bool { return t > st.unix()+maxSkew }

// sendReceipt sends a receipt to one member, or to all if to is 0.
func (st *Station) sendReceipt(l *log, size uint64, c journal.Cosignature, to parley.Party) {
	f := &frame.Receipt{Lane: l.id.Lane, Cosigner: st.me, Hint: l.hint, Size: uint16(size), Time: uint32(c.Time)}
	copy(f.Sig[:], c.Sig)
	b := frame.Encode(f)
	for _, m := range st.peers() {
		if to != 0 && to != m.Index {
			continue
		}
		if bulk, ok := m.link(l.id.Lane.Urgent()); ok {
			st.fx.send(m.Index, bulk, b)
		}
	}
}

// resendReceipt sends the stored newest receipt again to a member that asks by
// repeating an entry.
func (st *Station) resendReceipt(m *member, l *log) {
	cs, err := st.cfg.Record.Cosigs(l.id, l.mine)
	if err != nil {
		return
	}
	name := journal.ReceiptName(st.ch, st.me)
	for _, c := range cs {
		if c.Name == name && !c.PQ && c.Size == l.mine {
			st.sendReceipt(l, c.Size, c.Cosignature, m.Index)
			return
		}
	}
}

// receiptSigner is the member whose receipts carry a key name, 0 if none.
func (st *Station) receiptSigner(name string) parley.Party {
	for p := range st.members {
		if name == st.receiptName(p) {
			return p
		}
	}
	return 0
}

func (st *Station) receiptName(p parley.Party) string {
	m := st.members[p]
	if m.rcptName == "" {
		m.rcptName = journal.ReceiptName(st.ch, p)
	}
	return m.rcptName
}

// receiveReceipt takes a RECEIPT frame of any member.
func (st *Station) receiveReceipt(m *member, f *frame.Receipt) {
	c := st.members[f.Cosigner]
	if c == nil || f.Cosigner == st.me {
		m.dropped++
		return
	}
	for _, l := range st.order {
		if l.hint != f.Hint || l.id.Lane != f.Lane || l.id.Party == f.Cosigner {
			continue
		}
		size, ok := frame.Near(f.Size, l.size())
		if !ok {
			continue
		}
		if size > l.size() {
			if len(l.early) < 16 {
				l.early = append(l.early, *f)
			}
			return
		}
		root, ok := st.rootAt(l, size)
		if !ok {
			continue
		}
		if !st.news(l, st.receiptName(f.Cosigner), false, size, uint64(f.Time)) {
			return
		}
		cs := journal.Cosignature{Time: uint64(f.Time), Sig: f.Sig[:]}
		for i := len(c.keys) - 1; i >= 0; i-- {
			if journal.VerifyCosign(c.keys[i].RcptEd, cs, l.origin, size, root) {
				st.countReceipt(l, f.Cosigner, size, root, cs)
				return
			}
		}
		// It does not fit our root of that size: ask its signer for the
		// author's signature on what it holds.
		st.askHead(c, l)
		return
	}
	m.dropped++
}

func (st *Station) retryEarlyReceipts(l *log) {
	early := l.early
	l.early = nil
	for i := range early {
		if m := st.members[early[i].Cosigner]; m != nil {
			st.receiveReceipt(m, &early[i])
		}
	}
}

// countReceipt records a verified receipt of a member. A time more than half a
// minute ahead of our clock is kept and proves nothing about time.
func (st *Station) countReceipt(l *log, by parley.Party, size uint64, root parley.Hash, c journal.Cosignature) {
	st.cosigned(l, journal.Cosig{Log: l.id, Size: size, Name: st.receiptName(by), Cosignature: c})
	before := l.rcpt[by]
	l.rcpt[by] = max(before, size)
	if by != st.me && by != l.id.Party {
		st.reinstate(l, before, size)
	}
	if by == st.me { // given before this store was restored
		if l.mine = max(l.mine, size); !st.ahead(c.Time) {
			l.beat = max(l.beat, c.Time)
		}
	} else {
		st.witnessTime(c.Time)
	}
	st.fx.out.Receipts = append(st.fx.out.Receipts, parley.Receipted{By: by, Time: c.Time, Stored: st.now,
		Head: parley.Head{Party: l.id.Party, Lane: l.id.Lane, Gen: l.id.Gen, Size: size, Root: root}})
}

func (st *Station) witnessTime(t uint64) {
	if !st.ahead(t) {
		st.newest = max(st.newest, t)
	}
}

// sealHeads seals own heads with ML-DSA-44: those that grew since their seal,
// each of them at most once a minute, or all at once before a disclosure.
func (st *Station) sealHeads(all bool) {
	for _, l := range st.order {
		if l.id.Party != st.me || l.id.Gen != st.gen || l.forked || l.head.Size == 0 {
			continue
		}
		if !st.logKey(l).Equal(st.keys.Log.Ed.Public()) {
			continue // a record of before new keys: they do not seal what the old ones signed
		}
		if l.head.Size > l.sealed || all {
			st.seal(l)
		}
	}
}

func (st *Station) seal(l *log) {
	h := l.head
	c, err := journal.Seal(st.keys.Log.PQ, l.origin, max(st.unix(), 1), l.origin, h.Size, h.Root)
	if err != nil {
		return
	}
	l.sealed = h.Size
	st.cosigned(l, journal.Cosig{Log: l.id, Size: h.Size, Name: l.origin, PQ: true, Cosignature: c})
	note := journal.Checkpoint{Origin: l.origin, Size: h.Size, Root: h.Root, Lines: []journal.Line{
		journal.HeadLine(l.origin, st.keys.Log.EdPublic(), h.Sig),
		journal.SealLine(l.origin, st.keys.Log.PQPublic(), c),
	}}
	b := frame.Encode(&frame.Heads{Note: note.Encode()})
	for _, m := range st.peers() {
		if bulk, ok := m.link(false); ok {
			st.fx.send(m.Index, bulk, b)
		}
	}
}

// answerSeal gives our ML-DSA cosignature on a head that its author sealed, at
// most daily for each log. Before the node has started it may hold keys that no
// generation announced: with an older record beside newer keys.
func (st *Station) answerSeal(m *member, l *log, size uint64, root parley.Hash) {
	day := st.unix()/86400 + 1
	if st.phase != phaseRunning || l.id.Party == st.me || size > l.mine || l.pqDay == day {
		return
	}
	name := st.receiptName(st.me)
	c, err := journal.Seal(st.keys.Rcpt.PQ, name, max(st.unix(), 1), l.origin, size, root)
	if err != nil {
		return
	}
	l.pqDay = day
	st.cosigned(l, journal.Cosig{Log: l.id, Size: size, Name: name, PQ: true, Cosignature: c})
	key := st.logKey(l)
	if key == nil || l.head.Size != size {
		return
	}
	note := journal.Checkpoint{Origin: l.origin, Size: size, Root: root, Lines: []journal.Line{
		journal.HeadLine(l.origin, key, l.head.Sig),
		journal.SealLine(name, st.keys.Rcpt.PQPublic(), c),
	}}
	b := frame.Encode(&frame.Heads{Note: note.Encode()})
	for _, p := range st.peers() {
		if bulk, ok := p.link(false); ok {
			st.fx.send(p.Index, bulk, b)
		}
	}
}

// witnessed stores cosignatures of witnesses on own heads, already verified by
// the caller against the charter, and shows them to the members.
func (st *Station) witnessed(e Witnessed) {
	for _, c := range e.Cosigs {
		l := st.logs[place{c.Log.Party, c.Log.Lane, c.Log.Gen}]
		if l == nil {
			continue
		}
		root, ok := st.rootAt(l, c.Size)
		if !ok {
			continue
		}
		st.cosigned(l, c)
		l.witness[c.Name] = max(l.witness[c.Name], c.Size)
		if !c.PQ {
			st.witnessTime(c.Time)
		}
		line, ok := st.line(l, c)
		s := st.signatureAt(l, c.Size-1)
		if !ok || s == nil {
			continue
		}
		key := st.keys.Log.EdPublic()
		for _, m := range st.peers() {
			if bulk, ok := m.link(false); ok {
				st.fx.sends = append(st.fx.sends, pending{to: m.Index, bulk: bulk, sign: s, frame: func(sig []byte) []byte {
					note := journal.Checkpoint{Origin: l.origin, Size: c.Size, Root: root,
						Lines: []journal.Line{journal.HeadLine(l.origin, key, sig), line}}
					return frame.Encode(&frame.Heads{Note: note.Encode()})
				}})
			}
		}
	}
}

// witnessLine stores a witness's cosignature that came with a head.
func (st *Station) witnessLine(l *log, c *journal.Checkpoint, line journal.Line, cosig journal.Cosig) {
	for _, w := range st.cfg.Charter.Witnesses {
		if w.Ed != nil && line.IsCosign(w.Name, w.Ed) && journal.VerifyCosign(w.Ed, cosig.Cosignature, l.origin, c.Size, c.Root) {
			st.cosigned(l, cosig)
			l.witness[w.Name] = max(l.witness[w.Name], c.Size)
			st.witnessTime(cosig.Time)
		}
		if w.PQ != nil && line.IsSeal(w.Name, w.PQ) && journal.VerifySeal(w.PQ, w.Name, cosig.Cosignature, l.origin, c.Size, c.Root) {
			st.cosigned(l, cosig)
			l.witness[w.Name] = max(l.witness[w.Name], c.Size)
		}
	}
}
