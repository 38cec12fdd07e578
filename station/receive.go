package station

import (
	"parley"
	"parley/frame"
	"parley/journal"
	"parley/seal"
)

// incoming is an opened frame that claims a place in a log.
type incoming struct {
	index   uint64
	leaf    journal.Leaf
	content *journal.Content
	entry   *parley.Entry // nil if not opened or malformed
	bad     bool          // fits its commitment but breaks a rule
	sig     []byte        // nil if the frame carried none
	elided  bool
}

// receive takes frames of one member's connection, in order. Frames that do
// not decode, of reserved types, or that claim what the sender may not say are
// dropped and counted: nothing in them can be trusted enough to answer.
func (st *Station) receive(from parley.Party, raws [][]byte) {
	m := st.members[from]
	if m == nil || from == st.me {
		return
	}
	fs := make([]frame.Frame, len(raws))
	for i, b := range raws {
		f, err := frame.Decode(b)
		if err != nil {
			m.dropped++
			continue
		}
		fs[i] = f
	}
	for i := 0; i < len(fs); {
		switch f := fs[i].(type) {
		case *frame.Entry, *frame.Blind, *frame.Clear:
			i += st.receiveRun(m, fs[i:], raws[i:])
			continue
		case *frame.Receipt:
			st.receiveReceipt(m, f)
		case *frame.Heads:
			st.receiveHeads(m, f)
		case *frame.Have:
			st.receiveHave(m, f)
		case *frame.Want:
			st.receiveWant(m, f)
		case *frame.Open:
			st.receiveOpen(m, f)
		case *frame.Grant:
			st.receiveGrant(m, f)
		case *frame.Ping:
			st.receivePing(m, f)
		}
		i++
	}
}

// target is the log that a frame claims a place in, and the index it claims.
func (st *Station) target(m *member, f frame.Frame) (l *log, index uint64, ok bool) {
	switch f := f.(type) {
	case *frame.Entry:
		g := m.current()
		if g == nil {
			return nil, 0, false
		}
		l = st.log(parley.LogID{Channel: st.ch, Party: m.Index, Lane: f.Lane, Gen: g.gen})
		index, ok = frame.Near(f.Index, l.size())
	case *frame.Clear:
		if f.ChannelHint != st.chHint {
			return nil, 0, false
		}
		l = st.named(m, parley.LogID{Channel: st.ch, Party: f.Author, Lane: f.Lane, Gen: f.Gen})
		if l == nil {
			return nil, 0, false
		}
		index, ok = frame.Near(f.Index, l.size())
	case *frame.Blind:
		if l = st.hinted(f); l != nil {
			index, ok = frame.Near(f.Index, l.size())
		}
	}
	return l, index, ok
}

// hinted is the log that a BLIND means. A log that somebody only names could be
// made to share the hint of another: it comes after all known ones, and first
// among its like if its held GENERATION is by its author's root. What is held
// for it counts only once a signed head covers it.
func (st *Station) hinted(f *frame.Blind) *log {
	var named *log
	for _, x := range st.order {
		if x.id.Party != f.Author || x.id.Lane != f.Lane || x.hint != f.Hint {
			continue
		}
		if x.stray == 0 {
			return x
		}
		if named == nil || st.keyOfHeld(st.members[f.Author], named) == nil {
			named = x
		}
	}
	return named
}

// receiveRun takes the longest run of frames that continue one log and returns
// how many frames it used. A run is verified by the signature over its last
// head, which covers every leaf before it; only if that fails are its frames
// judged one by one.
func (st *Station) receiveRun(m *member, fs []frame.Frame, raws [][]byte) int {
	l, index, ok := st.target(m, fs[0])
	if e, isEntry := fs[0].(*frame.Entry); isEntry && l == nil {
		st.keepNoKey(m, e.Lane, raws[0])
		return 1
	}
	// What is held already comes again when a receipt was lost: that is nobody's
	// new message.
	if !ok || l.forked || index >= l.size() && !st.withinQuota(m, l, len(raws[0]), false) {
		m.dropped++
		return 1
	}
	if b, isBlind := fs[0].(*frame.Blind); isBlind && st.checkLeaf(m, l, index, journal.Leaf{To: b.To, Commit: b.Commit}) {
		return 1
	}
	if index != l.size() {
		st.receiveElsewhere(m, l, index, fs[0], raws[0])
		return 1
	}
	var run []incoming
	n := 0
	for ; n < len(fs); n++ {
		if n > 0 && index == 0 {
			break // GENERATION keeps its own signature, so that any member can hand it on
		}
		if n > 0 {
			next, at, ok := st.target(m, fs[n])
			if !ok || next != l || at != index+uint64(n) || !st.withinQuota(m, l, len(raws[n]), false) {
				break
			}
		}
		in, ok := st.open(m, l, index+uint64(n), fs[n], raws[n], n == 0)
		if !ok {
			break
		}
		run = append(run, in)
	}
	if n == 0 {
		return 1
	}
	if !st.accept(m, l, run) {
		for i, in := range run {
			if in.index == l.size() && !st.accept(m, l, run[i:i+1]) {
				st.refuse(m, l, in)
				break
			}
		}
	}
	st.drainHeld(m, l)
	return n
}

// open reads what a frame says of the entry at index. It reports false if the
// frame cannot be used now; with lone it has then done what the rules ask
// (keep it, or ask for the key or the full form).
func (st *Station) open(m *member, l *log, index uint64, f frame.Frame, raw []byte, lone bool) (incoming, bool) {
	in := incoming{index: index}
	switch f := f.(type) {
	case *frame.Clear:
		in.sig = f.Sig[:]
		in.content = &journal.Content{Salt: f.Salt, Entry: f.Entry}
		in.leaf = journal.Leaf{To: parley.ToAll, Commit: journal.Commit(l.origin, index, f.Salt, f.Entry)}
		e, err := parley.ParseEntry(f.Entry)
		if err == nil && !e.Kind.Clear() {
			return in, false // only three kinds travel in the clear
		}
		if err == nil && e.Kind == parley.KindKeys {
			st.applyKeys(st.members[l.id.Party], l.id.Gen, index, e.Body)
		}
		st.judge(l, &in)
		if st.logKey(l) == nil && !(index == 0 && e != nil && st.firstOf(l, &in)) {
			if lone && l.id.Lane != parley.Routine {
				st.hold(m, l, index, &heldLeaf{leaf: in.leaf, content: in.content, sig: in.sig})
				st.want(m, frame.WantItem{Party: l.id.Party, Lane: parley.Routine, Gen: l.id.Gen, Form: frame.FormFull, Reason: frame.WantGap})
			}
			return in, false
		}
		return in, true
	case *frame.Blind:
		if f.Sig != ([64]byte{}) {
			in.sig = f.Sig[:]
		}
		in.leaf = journal.Leaf{To: f.To, Commit: f.Commit}
		if l.id.Party == st.me || f.To.Includes(st.me) || in.sig == nil || st.logKey(l) == nil {
			if lone {
				st.hold(m, l, index, &heldLeaf{leaf: in.leaf, sig: in.sig})
				if f.To.Includes(st.me) {
					st.wantKey(m, l, index, frame.FormOpen)
				}
				st.drainHeld(m, l)
			}
			return in, false
		}
		return in, true
	case *frame.Entry:
		in.sig = f.Sig[:]
		k, text, ok := st.decrypt(m, l, index, f)
		if !ok {
			if lone {
				st.keepNoKey(m, f.Lane, raw)
				st.wantKey(m, l, index, frame.FormFull)
			}
			return in, false
		}
		full, ok := st.fullForm(f, text)
		if !ok {
			if lone {
				st.wantOne(m, l, index, frame.FormFull, frame.WantFull)
			}
			return in, false
		}
		in.elided = f.Compact
		in.content = &journal.Content{Salt: seal.Salt(k.K, l.origin, index), Entry: full}
		in.leaf = journal.Leaf{To: k.to, Commit: journal.Commit(l.origin, index, in.content.Salt, full)}
		st.judge(l, &in)
		return in, true
	}
	return in, false
}

// decrypt finds the granted key that opens an ENTRY frame.
func (st *Station) decrypt(m *member, l *log, index uint64, f *frame.Entry) (*peerKey, []byte, bool) {
	for _, k := range m.reads {
		if k.id.Hint() != f.Hint {
			continue
		}
		if pt, err := seal.Decrypt(seal.EntryKey(k.K, l.origin, index), f.Nonce, f.Header(), f.Sealed); err == nil {
			return k, pt, true
		}
	}
	return nil, nil, false
}

func (st *Station) fullForm(f *frame.Entry, text []byte) ([]byte, bool) {
	if f.Deflated {
		var ok bool
		if text, ok = st.zip.inflate(text, int(st.cfg.Charter.Rules.MaxEntry)+1024); !ok {
			return nil, false
		}
	}
	if f.Compact {
		return st.refill(text)
	}
	return text, true
}

// judge reads the entry and notes whether its bytes break a rule. Such an
// entry is evidence, not a blockage: if it fits the signed head it is stored,
// receipted and shown as MALFORMED.
func (st *Station) judge(l *log, in *incoming) {
	e, err := parley.ParseEntry(in.content.Entry)
	if err == nil {
		err = journal.CheckEntry(st.cfg.Charter, l.id, in.index, in.leaf.To, in.content.Entry, e)
	}
	if err == nil && e.Kind == parley.KindGeneration {
		if g, err2 := parley.ParseGeneration(e.Body); err2 == nil && g.RootKeys != nil {
			err = g.RootKeys.Verify(st.ch, st.members[l.id.Party].Member, l.id.Gen)
		}
	}
	if err == nil && e.Kind == parley.KindOpening {
		err = checkOpening(l.id, e.Body)
	}
	in.entry, in.bad = e, err != nil
	if in.bad {
		in.entry = nil
	}
}

// accept appends a run of leaves if the signature over the last head fits, and
// does what the entries say. It changes nothing if it does not.
func (st *Station) accept(m *member, l *log, run []incoming) bool {
	key := st.logKey(l)
	last := &run[len(run)-1]
	if key == nil || last.sig == nil {
		return false
	}
	t := l.tree
	for i := range run {
		t.Append(run[i].leaf.Hash())
	}
	if !journal.VerifyHead(key, l.origin, t.Size(), t.Root(), last.sig) {
		return false
	}
	for i := range run {
		in := &run[i]
		var sig []byte
		if in == last {
			sig = in.sig
		}
		st.take(m, l, in, sig)
	}
	l.head = journal.SignedHead{Log: l.id, Size: t.Size(), Root: t.Root(), Sig: last.sig}
	st.dirty[l] = true
	l.owed = l.id.Party != st.me
	if run[0].index == 0 {
		st.retryHeld(st.members[l.id.Party])
	}
	return true
}

// take stores one verified leaf and lets it act.
func (st *Station) take(m *member, l *log, in *incoming, sig []byte) {
	in.bad = in.bad || l.shut // nothing follows CLOSING
	r := st.appendLeaf(l, in.leaf, in.content, sig, st.standing(m, l, in))
	if r.Standing == parley.AfterRevocation {
		l.suspect = min(l.suspect, r.Index)
	}
	if in.bad {
		st.fx.alarm(AlarmMalformed, l.id.Party, st.name(l.id.Party)+" signed an entry that breaks a rule: "+l.id.String(), nil)
		return
	}
	if l.id.Party == st.me && in.content == nil && in.leaf.To != parley.ToNobody {
		st.lacks(l, in.index, in.leaf.To)
	}
	if in.entry == nil {
		st.opensNow(r)
		return
	}
	st.act(m, l, r, in.entry)
	st.posted(l, r, in.entry)
}

// act does what entries of the protocol's own kinds ask of a station.
func (st *Station) act(m *member, l *log, r *journal.Row, e *parley.Entry) {
	if !r.Standing.Effective() {
		return
	}
	author := st.members[l.id.Party]
	switch e.Kind {
	case parley.KindGeneration:
		// New root keys may come after another lane made the generation known.
		if body, err := parley.ParseGeneration(e.Body); err == nil {
			if g := author.generation(l.id.Gen); g != nil {
				st.newPeerGeneration(author, l.id.Gen, body, g.key)
			}
		}
	case parley.KindKeys:
		st.applyKeys(author, l.id.Gen, r.Index, e.Body)
	case parley.KindClosing:
		l.shut = true
	case parley.KindOpening:
		st.openLater(l, r, e.Body)
	case parley.KindNotice:
		if n, err := parley.ParseNotice(e.Body); err == nil {
			st.receiveNotice(author, n)
		}
	}
}
