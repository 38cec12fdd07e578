package station

import (
	"parley"
	"parley/frame"
	"parley/journal"
)

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
		form := w.Form
		if w.Reason == frame.WantNoKey && form == frame.FormFull {
			st.regrant(m)
			form = frame.FormOpen // the key may be one that the member does not take: of a time far from its own
		}
		st.answerRange(m, l, w.First, last, form)
	}
}

// answerRange sends entries first to last. Those of another author are of use
// only under its signed head: the greatest that this node has of them follows.
func (st *Station) answerRange(m *member, l *log, first, last uint64, form uint8) {
	var signed, before *journal.Row // before what nobody here can open for the member
	blank := false
	for i := first; i <= last && m.budget > 0; i++ {
		r, err := st.row(l, i)
		if err != nil {
			return
		}
		m.budget -= st.answer(m, l, r, form)
		blank = blank || r.Content == nil && r.Leaf.To.Includes(m.Index)
		if len(r.Sig) == 64 {
			signed = r
			if !blank {
				before = r
			}
		}
	}
	bulk, ok := m.link(l.id.Lane.Urgent())
	if ok && l.id.Party != st.me && blank && before != nil {
		st.sendHeadAt(m, l, before, bulk)
	}
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
		k := st.givenUnder(l, p, c)
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

// givenUnder are the keys of a member under which a stored receipt was given:
// its root may have replaced them since.
func (st *Station) givenUnder(l *log, p parley.Party, c journal.Cosig) *parley.Keys {
	keys := st.members[p].keys
	root, ok := st.rootAt(l, c.Size)
	for i := len(keys) - 1; ok && i > 0; i-- {
		if c.PQ && journal.VerifySeal(keys[i].RcptPQ, c.Name, c.Cosignature, l.origin, c.Size, root) ||
			!c.PQ && journal.VerifyCosign(keys[i].RcptEd, c.Cosignature, l.origin, c.Size, root) {
			return keys[i]
		}
	}
	return keys[0]
}
