package station

import (
	"bytes"

	"parley"
	"parley/frame"
	"parley/journal"
	"parley/seal"
)

// pumpAll sends every connected member what it lacks of this party's logs, in
// the order of lanes, at most a window ahead of its receipts. New entries and
// the backlog after a break take the same path.
func (st *Station) pumpAll() {
	if st.phase != phaseRunning {
		return
	}
	for _, m := range st.peers() {
		if m.connected() && m.have {
			st.pump(m)
		}
	}
}

// peers lists the other members, ascending.
func (st *Station) peers() []*member {
	var ms []*member
	for _, p := range st.cfg.Charter.Others(st.me) {
		ms = append(ms, st.members[p])
	}
	return ms
}

func (st *Station) pump(m *member) {
	// The ROUTINE lane's GENERATION and KEYS go first: they hold the keys that
	// all other frames need.
	for _, l := range st.order {
		if l.id.Party == st.me && l.id.Lane == parley.Routine && m.cursor[l] < 2 {
			st.pumpLog(m, l, 2)
		}
	}
	for _, l := range st.order {
		if l.id.Party == st.me {
			st.pumpLog(m, l, l.size())
		}
	}
}

func (st *Station) pumpLog(m *member, l *log, end uint64) {
	ahead := uint64(window)
	if !bytes.Equal(st.logKey(l), st.keys.Log.EdPublic()) {
		ahead = maxHeld // only its last head is still signed: all must lie under it
	}
	end = min(end, l.size(), max(l.rcpt[m.Index], m.theirs[l].Size)+ahead)
	for m.cursor[l] < end {
		if !st.sendEntry(m, l, m.cursor[l], false) {
			return
		}
		m.cursor[l]++
	}
}

// link picks the connection: lanes 0 to 2 and everything that other frames
// wait for are urgent.
func (m *member) link(urgent bool) (bulk, ok bool) {
	if urgent && m.up[0] || !m.up[1] {
		return false, m.up[0]
	}
	return true, true
}

// sendEntry sends one entry of an own log to a member in the form that fits
// it: CLEAR, ENTRY, OPEN or BLIND. It reports false if the member cannot be
// served now, because its key is not known or its connection is down.
func (st *Station) sendEntry(m *member, l *log, index uint64, full bool) bool {
	r, err := st.row(l, index)
	if err != nil {
		return false
	}
	bulk, ok := m.link(l.id.Lane.Urgent())
	if !ok {
		return false
	}
	if r.Content == nil || !r.Leaf.To.Includes(m.Index) {
		return st.sendBlind(m, l, r, bulk)
	}
	e, err := parley.ParseEntry(r.Content.Entry)
	if err != nil {
		return st.sendBlind(m, l, r, bulk)
	}
	s := st.signatureAt(l, index)
	if s == nil { // the key of that generation is gone
		return st.sendOpen(m, l, r, true)
	}
	if e.Kind.Clear() {
		ctl, _ := m.link(true)
		f := &frame.Clear{Author: st.me, Lane: l.id.Lane, ChannelHint: st.chHint, Gen: l.id.Gen,
			Index: uint16(index), Salt: r.Content.Salt, Entry: r.Content.Entry}
		st.sendSigned(m, ctl, s, func(sig [64]byte) frame.Frame { f.Sig = sig; return f })
		return true
	}
	if m.kem == nil {
		return false
	}
	k := st.keyOf(l, r)
	if k == nil || l.id.Gen != st.gen {
		return st.sendOpen(m, l, r, true)
	}
	st.ensureGranted(m, k)
	f := &frame.Entry{Lane: l.id.Lane, Hint: k.id.Hint(), Index: uint16(index)}
	text := r.Content.Entry
	if !full && len(e.Seen) > 0 && st.holdsAll(m, e.Seen) {
		text, f.Compact = elide(e), true
	}
	if small := st.zip.deflate(text); small != nil {
		text, f.Deflated = small, true
	}
	st.random(f.Nonce[:])
	f.Sealed = seal.Encrypt(seal.EntryKey(k.K, l.origin, index), f.Nonce, f.Header(), text)
	st.sendSigned(m, bulk, s, func(sig [64]byte) frame.Frame { f.Sig = sig; return f })
	return true
}

func (st *Station) sendSigned(m *member, bulk bool, s *signature, build func(sig [64]byte) frame.Frame) {
	st.fx.sends = append(st.fx.sends, pending{to: m.Index, bulk: bulk, sign: s, frame: func(sig []byte) []byte {
		return frame.Encode(build([64]byte(sig)))
	}})
}

// signatureAt is the own signature on the head that ends with entry index: of
// this step, or made again (Ed25519 is deterministic); nil if the log's key is
// no longer held.
func (st *Station) signatureAt(l *log, index uint64) *signature {
	if s := l.signs[index]; s != nil {
		return s
	}
	if !st.logKey(l).Equal(st.keys.Log.Ed.Public()) {
		return nil
	}
	root, ok := st.rootAt(l, index+1)
	if !ok {
		return nil
	}
	s := &signature{origin: l.origin, size: index + 1, root: root, key: st.keys.Log.Ed}
	st.fx.signs = append(st.fx.signs, s)
	return s
}

// holdsAll reports whether the member has receipted, or written, every head. The
// receipts of one that lost its disk prove that it held them once.
func (st *Station) holdsAll(m *member, hs []parley.Head) bool {
	if m.lost {
		return false
	}
	for _, h := range hs {
		l := st.logs[place{h.Party, h.Lane, h.Gen}]
		if l == nil || h.Party != m.Index && l.rcpt[m.Index] < h.Size {
			return false
		}
		if g := st.members[h.Party].current(); g == nil || g.gen != h.Gen {
			return false
		}
	}
	return true
}

func (st *Station) sendBlind(m *member, l *log, r *journal.Row, bulk bool) bool {
	f := &frame.Blind{Author: l.id.Party, Lane: l.id.Lane, Hint: l.hint, Index: uint16(r.Index),
		To: r.Leaf.To, Commit: r.Leaf.Commit}
	if l.id.Party == st.me {
		if s := st.signatureAt(l, r.Index); s != nil {
			st.sendSigned(m, bulk, s, func(sig [64]byte) frame.Frame { f.Sig = sig; return f })
			return true
		}
	}
	copy(f.Sig[:], r.Sig)
	st.fx.send(m.Index, bulk, frame.Encode(f))
	if l.id.Party == st.me && r.Index+1 == l.size() {
		st.sendHead(m, l, bulk) // under a key that is gone: nothing else signs these leaves
	}
	return true
}

// sendOpen sends an opened entry of any author to a member that may read it,
// under this node's own key for that member alone. With head, the author's
// signed head over it follows, without which the reader cannot count it.
func (st *Station) sendOpen(m *member, l *log, r *journal.Row, head bool) bool {
	if m.kem == nil || r.Content == nil {
		return false
	}
	bulk, ok := m.link(l.id.Lane.Urgent())
	if !ok {
		return false
	}
	k := st.audienceKey(st.only(m.Index))
	st.ensureGranted(m, k)
	f := &frame.Open{Author: l.id.Party, Lane: l.id.Lane, KeyHint: k.id.Hint(), ChannelHint: st.chHint,
		Gen: l.id.Gen, Index: r.Index, Leaf: r.Leaf.Hash()}
	st.random(f.Nonce[:])
	pt := append(append(make([]byte, 0, 32+len(r.Content.Entry)), r.Content.Salt[:]...), r.Content.Entry...)
	f.Sealed = seal.Encrypt(seal.OpenKey(k.K, l.origin, r.Index, f.Leaf), f.Nonce, f.Header(), pt)
	st.fx.send(m.Index, bulk, frame.Encode(f))
	if head {
		st.sendHeadAt(m, l, r, bulk)
	}
	return true
}

// sendHeadAt sends the head that ends with a row, if its signature is held or,
// for an own log, can be made. If not, the newest head follows the last row.
func (st *Station) sendHeadAt(m *member, l *log, r *journal.Row, bulk bool) {
	key := st.logKey(l)
	root, ok := st.rootAt(l, r.Index+1)
	if key == nil || !ok {
		return
	}
	note := func(sig []byte) frame.Frame {
		c := journal.Checkpoint{Origin: l.origin, Size: r.Index + 1, Root: root,
			Lines: []journal.Line{journal.HeadLine(l.origin, key, sig)}}
		return &frame.Heads{Note: c.Encode()}
	}
	var s *signature
	if l.id.Party == st.me {
		s = st.signatureAt(l, r.Index)
	}
	switch {
	case s != nil:
		st.sendSigned(m, bulk, s, func(sig [64]byte) frame.Frame { return note(sig[:]) })
	case len(r.Sig) == 64:
		st.fx.send(m.Index, bulk, frame.Encode(note(r.Sig)))
	case r.Index+1 == l.size():
		st.sendHead(m, l, bulk)
	}
}

// sendHead sends the newest signed head of a log as a note.
func (st *Station) sendHead(m *member, l *log, bulk bool) {
	if l.head.Size == 0 {
		return
	}
	if key := st.logKey(l); key != nil {
		c := journal.Checkpoint{Origin: l.origin, Size: l.head.Size, Root: l.head.Root,
			Lines: []journal.Line{journal.HeadLine(l.origin, key, l.head.Sig)}}
		st.fx.send(m.Index, bulk, frame.Encode(&frame.Heads{Note: c.Encode()}))
	}
}

// only is the audience of one member alone.
func (st *Station) only(p parley.Party) parley.Audience {
	if len(st.members) == 2 {
		return parley.ToAll
	}
	return parley.AudienceOf(p)
}
