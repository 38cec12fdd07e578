package station

import (
	"parley"
	"parley/frame"
	"parley/journal"
)

// hold keeps a leaf beyond the own count that came from m, bounded. What the
// author sends goes before what others say of its log.
func (st *Station) hold(m *member, l *log, index uint64, h *heldLeaf) {
	if index < l.size() || index >= l.size()+maxHeld || l.forked {
		return
	}
	h.by = m.Index
	if old := l.held[index]; old != nil {
		same := old.raw == nil && h.raw == nil && h.leaf == old.leaf
		if same && h.sig == nil {
			h.sig = old.sig
		}
		if same && h.content == nil && old.content != nil {
			old.sig = h.sig
			return
		}
		if !same && old.by == l.id.Party && h.by != l.id.Party {
			return
		}
	}
	if m.kept+h.bytes() > maxKept {
		m.dropped++
		return
	}
	st.unhold(l, index)
	m.kept += h.bytes()
	l.held[index] = h
}

// unhold forgets a held leaf.
func (st *Station) unhold(l *log, index uint64) {
	if h := l.held[index]; h != nil {
		st.members[h.by].kept -= h.bytes()
		delete(l.held, index)
	}
}

// receiveElsewhere takes a frame whose index is not the log's next.
func (st *Station) receiveElsewhere(m *member, l *log, index uint64, f frame.Frame, raw []byte) {
	if index < l.size() {
		st.receiveAgain(m, l, index, f)
		return
	}
	switch f := f.(type) {
	case *frame.Entry:
		old := l.held[index]
		st.hold(m, l, index, &heldLeaf{raw: raw})
		if f.Lane <= parley.Immediate && (old == nil || old.raw == nil) {
			st.showEarly(m, l, index, f)
		}
	case *frame.Blind:
		h := &heldLeaf{leaf: journal.Leaf{To: f.To, Commit: f.Commit}}
		if f.Sig != ([64]byte{}) {
			h.sig = f.Sig[:]
		}
		st.hold(m, l, index, h)
	case *frame.Clear:
		c := &journal.Content{Salt: f.Salt, Entry: f.Entry}
		st.hold(m, l, index, &heldLeaf{leaf: journal.Leaf{Commit: journal.Commit(l.origin, index, f.Salt, f.Entry)}, content: c, sig: f.Sig[:]})
		if e, err := parley.ParseEntry(f.Entry); err == nil && e.Kind == parley.KindKeys {
			st.applyKeys(st.members[l.id.Party], l.id.Gen, index, e.Body)
		}
	}
	st.wantGap(m, l, index)
}

// showEarly shows an urgent entry that opens before those that precede it:
// OUT OF ORDER, NOT RECEIPTED. It is not in the record yet.
func (st *Station) showEarly(m *member, l *log, index uint64, f *frame.Entry) {
	k, text, ok := st.decrypt(m, l, index, f)
	if !ok {
		return
	}
	if full, ok := st.fullForm(f, text); ok {
		e, err := parley.ParseEntry(full)
		if err == nil && journal.CheckEntry(st.cfg.Charter, l.id, index, k.to, full, e) == nil {
			st.fx.out.Early = append(st.fx.out.Early, Early{l.id, index, e})
		}
	}
}

// wantGap asks a member for what is missing before a held leaf or a signed
// head, at most once a second, and less often while nothing comes. What the same member has sent already is not
// asked for again.
func (st *Station) wantGap(m *member, l *log, before uint64) {
	if before <= l.size() || !m.wanted.due(l, st.now.Unix()) {
		return
	}
	first := l.size()
	for h := l.held[first]; h != nil && h.by == m.Index && st.complete(l, h); h = l.held[first] {
		first++
	}
	if first >= before {
		st.askHead(m, l)
		return
	}
	form := frame.FormFull
	if m.Index != l.id.Party {
		form = frame.FormOpen
	}
	st.want(m, frame.WantItem{Party: l.id.Party, Lane: l.id.Lane, Gen: l.id.Gen,
		First: first, Last: before - 1, Form: uint8(form), Reason: frame.WantGap})
}

// complete reports whether a held leaf can be counted once its turn comes:
// those that this node may read must be opened first, except its own.
func (st *Station) complete(l *log, h *heldLeaf) bool {
	return h.raw != nil || h.content != nil || !h.leaf.To.Includes(st.me) || l.id.Party == st.me
}

// askHead asks a member for its newest signed head of a log and the
// cosignatures on it, at most once in two seconds.
func (st *Station) askHead(m *member, l *log) {
	if t, ok := m.heads[l]; ok && !passed(t, st.now.Unix(), 2) {
		return
	}
	m.heads[l] = st.now.Unix()
	st.wantOne(m, l, 0, frame.FormHeads, frame.WantGap)
}

func (st *Station) wantOne(m *member, l *log, index uint64, form, reason uint8) {
	st.want(m, frame.WantItem{Party: l.id.Party, Lane: l.id.Lane, Gen: l.id.Gen, First: index, Last: index, Form: form, Reason: reason})
}

func (st *Station) want(m *member, items ...frame.WantItem) {
	if bulk, ok := m.link(true); ok {
		st.fx.send(m.Index, bulk, frame.Encode(&frame.Want{Items: items}))
	}
}

// drainHeld appends held leaves that now continue the log.
func (st *Station) drainHeld(m *member, l *log) {
	for !l.forked {
		h := l.held[l.size()]
		if h == nil {
			break
		}
		if h.raw != nil {
			f, err := frame.Decode(h.raw)
			st.unhold(l, l.size())
			author := st.members[l.id.Party]
			if err != nil {
				break
			}
			index := l.size()
			in, ok := st.open(author, l, index, f, h.raw, true)
			if !ok || !st.accept(author, l, []incoming{in}) {
				if ok {
					st.refuse(author, l, in)
				}
				break
			}
			continue
		}
		if h.sig == nil || !st.complete(l, h) {
			if l.claimed != nil && st.adoptHeld(m, l, *l.claimed) {
				continue
			}
			break
		}
		index := l.size()
		in := st.fromHeld(l, index, h)
		if !st.accept(st.members[l.id.Party], l, []incoming{in}) {
			if st.logKey(l) != nil && l.held[index] == h {
				by := st.members[h.by]
				st.unhold(l, index)
				st.refuse(by, l, in)
			}
			break
		}
	}
	st.retryEarlyReceipts(l)
}

func (st *Station) fromHeld(l *log, index uint64, h *heldLeaf) incoming {
	in := incoming{index: index, leaf: h.leaf, content: h.content, sig: h.sig}
	if h.content != nil {
		st.judge(l, &in)
		if index == 0 && st.logKey(l) == nil && h.sig != nil {
			st.firstOf(l, &in)
		}
	}
	return in
}

// heldRun is what is held from the log's end up to size, all of it, or nil.
// What came sealed is opened for it, at most once a second: an OPEN may stand
// before it that only a later head covers. What no key opens is asked for.
func (st *Station) heldRun(l *log, size uint64) (run []incoming) {
	sealed := false
	for i := l.size(); i < size; i++ {
		x := l.held[i]
		if x == nil || !st.complete(l, x) {
			return nil
		}
		sealed = sealed || x.raw != nil
	}
	if sealed && !passed(l.unsealed, st.now.Unix(), 1) {
		return nil
	}
	if sealed {
		l.unsealed = st.now.Unix()
	}
	author := st.members[l.id.Party]
	for i := l.size(); i < size; i++ {
		x := l.held[i]
		if x.raw == nil {
			in := st.fromHeld(l, i, x)
			in.sig = nil
			run = append(run, in)
			continue
		}
		f, err := frame.Decode(x.raw)
		if err != nil {
			return nil
		}
		in, ok := st.open(author, l, i, f, x.raw, false)
		if !ok {
			st.wantKey(author, l, i, frame.FormFull)
			return nil
		}
		in.sig = nil
		run = append(run, in)
	}
	return run
}

// wantElided asks for the full forms of what was filled in here, and reports
// whether there was any: it may have been filled in otherwise than was meant.
func (st *Station) wantElided(l *log, run []incoming) (any bool) {
	for _, in := range run {
		if in.elided {
			st.wantOne(st.members[l.id.Party], l, in.index, frame.FormFull, frame.WantFull)
			any = true
		}
	}
	return any
}

// adoptHeld takes leaves that came without a signature of their own (by OPEN,
// or BLIND from another member) as soon as an author-signed head covers them
// all: in one step, with one receipt. Leaves that this node may read must be
// opened first, except those of its own lost logs.
func (st *Station) adoptHeld(m *member, l *log, h journal.SignedHead) bool {
	if h.Size <= l.size() || h.Size > l.size()+maxHeld {
		return false
	}
	run := st.heldRun(l, h.Size)
	if run == nil {
		return false
	}
	t := l.tree
	for i := range run {
		t.Append(run[i].leaf.Hash())
	}
	if t.Root() != h.Root {
		if !st.wantElided(l, run) && st.logKey(l) != nil {
			st.beginCheck(m, l, h)
		}
		return false
	}
	run[len(run)-1].sig = h.Sig
	// The GENERATION itself may have come without a signature of its own.
	if first := &run[0]; st.logKey(l) == nil {
		if first.index != 0 || first.entry == nil || first.entry.Kind != parley.KindGeneration {
			return false
		}
		if body, err := parley.ParseGeneration(first.entry.Body); err != nil || !st.firstUnder(l, body, h) {
			return false
		}
	}
	if !st.accept(m, l, run) {
		return false
	}
	if l.claimed != nil && l.claimed.Size <= l.size() {
		l.claimed = nil
	}
	if l.claimed != nil && m.Index != st.me {
		st.wantMissing(m, l, l.claimed.Size)
	}
	return true
}

// keepNoKey keeps a frame that no granted key opens, until a grant comes. It
// is never dropped silently: the author is asked.
func (st *Station) keepNoKey(m *member, lane parley.Lane, raw []byte) {
	st.keepRaw(m, raw)
	st.sayHave(m)
}

// wantKey asks a member for an entry that no key here opens, at most once a
// second for each log: what it answers may not open either.
func (st *Station) wantKey(m *member, l *log, index uint64, form uint8) {
	if m.lacked.due(l, st.now.Unix()) {
		st.wantOne(m, l, index, form, frame.WantNoKey)
	}
}

// askForKeys asks again for entries that are next in their log and not opened:
// the author, or, if it is away, whoever else may read them.
func (st *Station) askForKeys() {
	for _, l := range st.order {
		h := l.held[l.size()]
		if h == nil || l.forked || st.complete(l, h) {
			continue
		}
		if m := st.members[l.id.Party]; m.connected() {
			st.wantKey(m, l, l.size(), frame.FormOpen)
			continue
		}
		for _, m := range st.peers() {
			if m.connected() && h.leaf.To.Includes(m.Index) {
				st.wantKey(m, l, l.size(), frame.FormOpen)
			}
		}
	}
	for _, m := range st.peers() {
		g := m.current()
		if len(m.noKey) == 0 || g == nil || !m.connected() {
			continue
		}
		for lane := range parley.Lane(parley.Lanes) {
			if l := st.logs[place{m.Index, lane, g.gen}]; l != nil && m.lacked[l] != nil && !l.forked {
				st.wantKey(m, l, l.size(), frame.FormFull)
			}
		}
	}
}

func (st *Station) keepRaw(m *member, raw []byte) {
	if len(m.noKey) < maxNoKey && m.kept+len(raw) <= maxKept {
		m.noKey = append(m.noKey, raw)
		m.kept += len(raw)
	}
}

// sayHave says what this node holds because something did not fit, at most
// once a second, and less often while no grant comes of it: a small frame must not call forth a large one each time.
func (st *Station) sayHave(m *member) {
	if m.keyless.due(st.now.Unix(), m.granted) {
		st.sendHave(m)
	}
}

// retryNoKey offers kept frames again.
func (st *Station) retryNoKey(m *member) {
	raws := m.noKey
	m.dropNoKey()
	if len(raws) > 0 {
		st.receive(m.Index, raws)
	}
}

func (m *member) dropNoKey() {
	for _, b := range m.noKey {
		m.kept -= len(b)
	}
	m.noKey = nil
}

// retryHeld offers what waited for a generation.
func (st *Station) retryHeld(m *member) {
	st.retryNoKey(m)
	for _, l := range st.order {
		if l.id.Party == m.Index && len(l.held) > 0 {
			st.drainHeld(m, l)
		}
	}
}
