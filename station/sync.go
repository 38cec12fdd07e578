package station

import (
	"bytes"
	"crypto/ed25519"
	"slices"

	"parley"
	"parley/frame"
	"parley/journal"
	"parley/seal"
)

// linkUp starts the comparison with a member: HAVE both ways on every new
// connection.
func (st *Station) linkUp(e Up) {
	m := st.members[e.Peer]
	if m == nil || e.Peer == st.me {
		return
	}
	was := m.connected()
	m.up[flag(e.Bulk)] = true
	if !was {
		m.have = false
		clear(m.asked)
		clear(m.heads)
		clear(m.wanted)
		m.check = nil
		clear(m.listed)
		for _, k := range st.grants {
			delete(k.sent, m.Index)
		}
		m.dropNoKey()
	}
	st.sendHave(m)
	if !e.Bulk {
		st.sealFor(m)
	}
}

func (st *Station) linkDown(e Down) {
	m := st.members[e.Peer]
	if m == nil {
		return
	}
	m.up[flag(e.Bulk)] = false
	if !m.connected() {
		m.have = false
	}
	// What was under way on this connection may be lost: send again from what
	// the member has receipted, once it has said what it holds.
	for l := range m.cursor {
		m.cursor[l] = min(m.cursor[l], max(l.rcpt[m.Index], m.theirs[l].Size))
	}
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// sendHave says which logs this node holds, and which of the member's keys.
func (st *Station) sendHave(m *member) {
	bulk, ok := m.link(true)
	if !ok {
		return
	}
	var f frame.Have
	for _, l := range st.order {
		if l.size() > 0 && len(f.Heads) < parley.MaxHeads {
			f.Heads = append(f.Heads, l.cite())
		}
	}
	for _, k := range m.reads {
		f.Keys = append(f.Keys, k.id)
	}
	slices.SortFunc(f.Keys, func(a, b [8]byte) int { return bytes.Compare(a[:], b[:]) })
	st.fx.send(m.Index, bulk, frame.Encode(&f))
}

// receiveHave compares a member's record with ours. What it says of its own
// and others' logs is a claim: only signed heads convince.
func (st *Station) receiveHave(m *member, f *frame.Have) {
	first := !m.have
	m.have = true
	clear(m.listed)
	for _, k := range f.Keys {
		m.listed[seal.KeyID(k)] = true
	}
	if !first {
		st.regrant(m) // granted, and not there: after a restore, say
	}
	said := map[*log]bool{}
	for _, h := range f.Heads {
		if st.members[h.Party] == nil {
			continue
		}
		l := st.named(m, h.Log(st.ch))
		if l == nil {
			continue
		}
		said[l] = true
		m.theirs[l] = h
		st.compare(m, l, h, first)
	}
	for _, l := range st.order {
		if l.id.Party == st.me && !said[l] {
			delete(m.theirs, l)
			if first {
				m.cursor[l] = 0
			}
		}
	}
	st.grantLive(m)
	st.tryFinish()
}

// stuckAfter is how long a log may lie behind its author's word, seconds.
const stuckAfter = 5

// compare looks at one head of a HAVE.
func (st *Station) compare(m *member, l *log, h parley.Head, first bool) {
	own := l.id.Party == st.me
	switch {
	case h.Size > l.size() && own:
		// Somebody knows more of us than we do: ask for the proof.
		m.asked[l] = true
		st.wantOne(m, l, h.Size-1, frame.FormHeads, frame.WantStart)
	case h.Size > l.size() && m.Index != l.id.Party && (l.stray != 0 || !st.members[l.id.Party].connected()):
		// The author is away, or can no longer show how this generation began;
		// this member can hand its entries on.
		st.askHead(m, l)
		st.wantMissing(m, l, h.Size)
	case h.Size > l.size() && m.Index == l.id.Party && !first:
		// The author pushes its entries by itself; only where nothing has
		// come for a while were they lost on the way.
		if l.stuck.size != l.size() || l.stuck.since == 0 {
			l.stuck.size, l.stuck.since = l.size(), st.now.Unix()
		} else if st.now.Unix()-l.stuck.since >= stuckAfter {
			l.stuck.since = st.now.Unix()
			st.wantMissing(m, l, h.Size)
		}
	case h.Size > 0 && h.Size <= l.size():
		if root, ok := st.rootAt(l, h.Size); ok && root != h.Root && !l.forked {
			st.askHead(m, l)
			st.sendHeadUrgent(m, l)
			return
		}
		if own && first {
			m.cursor[l] = h.Size
		}
		if m.Index != l.id.Party && l.rcpt[m.Index] < h.Size && h.Size == l.size() {
			st.askHead(m, l) // its receipt was lost
		}
	}
}

func (st *Station) sendHeadUrgent(m *member, l *log) {
	if bulk, ok := m.link(true); ok {
		st.sendHead(m, l, bulk)
	}
}

// receiveWant answers what a member asks for, within its budget.
// Entries go to whom they are addressed; everybody may have their leaves.
func (st *Station) receiveWant(m *member, f *frame.Want) {
	for _, w := range f.Items {
		l := st.logs[place{w.Party, w.Lane, w.Gen}]
		if l == nil || l.size() == 0 || m.budget <= 0 {
			continue
		}
		if w.Form == frame.FormHeads {
			m.budget -= leastCost
			st.sendNote(m, l)
			if w.Reason == frame.WantStart {
				st.sendReceipted(m, l)
			}
			continue
		}
		if w.First >= l.size() {
			continue
		}
		last := min(w.Last, l.size()-1, w.First+window-1)
		if w.Form == frame.FormBlind {
			last = min(w.Last, l.size()-1, w.First+maxChunk-1)
		}
		if w.Reason == frame.WantNoKey {
			st.regrant(m)
		}
		st.answerRange(m, l, w.First, last, w.Form)
	}
}

// answerRange sends entries first to last. Those of another author are of use
// only under its signed head: the greatest that this node has of them follows.
func (st *Station) answerRange(m *member, l *log, first, last uint64, form uint8) {
	var signed *journal.Row
	for i := first; i <= last && m.budget > 0; i++ {
		r, err := st.row(l, i)
		if err != nil {
			return
		}
		m.budget -= st.answer(m, l, r, form)
		if len(r.Sig) == 64 {
			signed = r
		}
	}
	bulk, ok := m.link(l.id.Lane.Urgent())
	switch {
	case !ok || l.id.Party == st.me:
	case last+1 == l.size():
		st.sendHeadUrgent(m, l)
	case signed != nil:
		st.sendHeadAt(m, l, signed, bulk)
	}
}

// leastCost is what an answer takes of a member's budget at least: reading and
// signing cost more than the bytes.
const leastCost = 1000

// answer sends one wanted entry and returns about what that cost.
func (st *Station) answer(m *member, l *log, r *journal.Row, form uint8) int64 {
	bulk, ok := m.link(l.id.Lane.Urgent())
	if !ok {
		return 0
	}
	readable := r.Content != nil && (r.Leaf.To.Includes(m.Index) || l.id.Party == m.Index)
	switch {
	case form == frame.FormBlind:
		st.sendBlind(m, l, r, bulk)
		if l.id.Party != st.me {
			return 110
		}
	case l.id.Party == st.me && form != frame.FormOpen:
		st.sendEntry(m, l, r.Index, true)
	case r.Content != nil && st.sendClear(m, l, r, bulk):
	case readable && st.sendOpen(m, l, r, l.id.Party == st.me):
	default:
		st.sendBlind(m, l, r, bulk)
	}
	n := int64(leastCost)
	if r.Content != nil {
		n += int64(len(r.Content.Entry))
	}
	return n
}

// sendClear hands on an entry that travels in the clear, if its author's
// signature at its own size is held.
func (st *Station) sendClear(m *member, l *log, r *journal.Row, bulk bool) bool {
	e, err := parley.ParseEntry(r.Content.Entry)
	if err != nil || !e.Kind.Clear() {
		return false
	}
	f := &frame.Clear{Author: l.id.Party, Lane: l.id.Lane, ChannelHint: st.chHint, Gen: l.id.Gen,
		Index: uint16(r.Index), Salt: r.Content.Salt, Entry: r.Content.Entry}
	if l.id.Party == st.me {
		if s := st.signatureAt(l, r.Index); s != nil {
			st.sendSigned(m, bulk, s, func(sig [64]byte) frame.Frame { f.Sig = sig; return f })
			return true
		}
	}
	if len(r.Sig) != 64 {
		return false
	}
	f.Sig = [64]byte(r.Sig)
	st.fx.send(m.Index, bulk, frame.Encode(f))
	return true
}

// sendNote sends the newest signed head of a log with every cosignature on it.
func (st *Station) sendNote(m *member, l *log) {
	bulk, ok := m.link(true)
	key := st.logKey(l)
	if !ok || key == nil || l.head.Size == 0 {
		return
	}
	c := journal.Checkpoint{Origin: l.origin, Size: l.head.Size, Root: l.head.Root,
		Lines: []journal.Line{journal.HeadLine(l.origin, key, l.head.Sig)}}
	cs, err := st.cfg.Record.Cosigs(l.id, l.head.Size)
	for _, x := range cs {
		if err == nil && x.Size == l.head.Size && len(c.Lines) < 60 {
			if line, ok := st.line(l, x); ok {
				c.Lines = append(c.Lines, line)
			}
		}
	}
	st.fx.send(m.Index, bulk, frame.Encode(&frame.Heads{Note: c.Encode()}))
}

// line writes a stored cosignature as the note line of its signer.
func (st *Station) line(l *log, c journal.Cosig) (journal.Line, bool) {
	if p := st.receiptSigner(c.Name); p != 0 {
		k := st.members[p].newestKeys()
		if c.PQ {
			return journal.SealLine(c.Name, k.RcptPQ, c.Cosignature), true
		}
		return journal.CosignLine(c.Name, k.RcptEd, c.Cosignature), true
	}
	if c.Name == l.origin && c.PQ {
		if g := st.members[l.id.Party].generation(l.id.Gen); g != nil {
			return journal.SealLine(c.Name, g.key.LogPQ, c.Cosignature), true
		}
	}
	for _, w := range st.cfg.Charter.Witnesses {
		if w.Name == c.Name && !c.PQ && w.Ed != nil {
			return journal.CosignLine(c.Name, w.Ed, c.Cosignature), true
		}
		if w.Name == c.Name && c.PQ && w.PQ != nil {
			return journal.SealLine(c.Name, w.PQ, c.Cosignature), true
		}
	}
	return journal.Line{}, false
}

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
		key = st.keyOfLine(st.members[id.Party], c)
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

// receiveLine takes one cosignature of a head that is also ours.
func (st *Station) receiveLine(m *member, l *log, c *journal.Checkpoint, line journal.Line) {
	cs, ok := line.Cosignature()
	if !ok || line.Name == l.origin && len(line.Sig) == 64 {
		return
	}
	cosig := journal.Cosig{Log: l.id, Size: c.Size, Name: line.Name, PQ: len(cs.Sig) != parley.SizeEdSig, Cosignature: cs}
	if !l.news(cosig.Name, cosig.PQ, c.Size, cs.Time) {
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
