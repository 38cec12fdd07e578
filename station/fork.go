package station

import (
	"parley"
	"parley/frame"
	"parley/journal"
)

// checking is an investigation: somebody holds a signed head that does not
// fit our leaves. All leaves under it are fetched from that member and
// compared with ours.
type checking struct {
	log    *log
	since  int64 // when leaves were last asked for, unix seconds
	head   journal.SignedHead
	tree   journal.Tree
	rows   map[uint64][]parley.Hash // tree hashes of their leaves
	leaves []journal.Leaf
}

const (
	maxCheck  = 1 << 16 // leaves of an investigation; beyond it the proof must be made by hand
	maxChunk  = 1024    // leaves asked for at once
	checkTime = 60      // seconds for each chunk, after which another member is asked
)

// refuse handles a frame that opened but whose head's signature does not fit
// our leaves: a compact form is asked for in full; otherwise CHECK (7.7).
func (st *Station) refuse(m *member, l *log, in incoming) {
	if in.elided {
		st.wantOne(m, l, in.index, frame.FormFull, frame.WantFull)
		return
	}
	st.sayHave(m)
	if t, ok := m.heads[l]; !ok || passed(t, st.now.Unix(), 2) {
		st.sendHeadUrgent(m, l)
		st.askHead(m, l)
	}
}

// receiveAgain takes a frame for a place that is filled. If its signature fits
// our root it is a repeat, and the stored receipt goes out again. If it fits
// the root with the other leaf in that place, the author signed two histories.
func (st *Station) receiveAgain(m *member, l *log, index uint64, f frame.Frame) {
	var sig [64]byte
	switch f := f.(type) {
	case *frame.Entry:
		sig = f.Sig
	case *frame.Blind:
		sig = f.Sig
	case *frame.Clear:
		sig = f.Sig
	}
	key := st.logKey(l)
	if key == nil || sig == ([64]byte{}) {
		return
	}
	root, ok := st.rootAt(l, index+1)
	if !ok {
		return
	}
	if journal.VerifyHead(key, l.origin, index+1, root, sig[:]) {
		st.resendReceipt(m, l)
		return
	}
	in, ok := st.openAt(m, l, index, f)
	if !ok {
		return
	}
	t, err := journal.LoadTree(index, st.hashes(l))
	if err != nil {
		return
	}
	t.Append(in.leaf.Hash())
	if other := t.Root(); journal.VerifyHead(key, l.origin, index+1, other, sig[:]) {
		st.forked(m, l, journal.SignedHead{Log: l.id, Size: index + 1, Root: other, Sig: sig[:]}, nil)
		return
	}
	st.refuse(m, l, in)
}

// openAt opens a frame for a place that is filled, without keeping anything.
func (st *Station) openAt(m *member, l *log, index uint64, f frame.Frame) (incoming, bool) {
	in := incoming{index: index}
	switch f := f.(type) {
	case *frame.Blind:
		in.leaf = journal.Leaf{To: f.To, Commit: f.Commit}
		return in, true
	case *frame.Clear:
		in.leaf = journal.Leaf{Commit: journal.Commit(l.origin, index, f.Salt, f.Entry)}
		return in, true
	case *frame.Entry:
		return st.open(m, l, index, f, nil, false)
	}
	return in, false
}

// judgeHead compares a head that its author signed with our own leaves.
func (st *Station) judgeHead(m *member, l *log, h journal.SignedHead) {
	switch {
	case l.forked:
	case l.id.Party == st.me && h.Size > l.size():
		if l.claim != nil && st.adoptHeld(m, l, h) {
			st.drainHeld(m, l)
			return
		}
		l.claim = &parley.Head{Party: st.me, Lane: l.id.Lane, Gen: l.id.Gen, Size: h.Size, Root: h.Root}
		if l.claimed == nil || l.claimed.Size < h.Size {
			l.claimed = &h
		}
		st.ownStale(l, m.Name+" holds a longer "+l.id.Lane.String()+" log of this party than this node: the store is stale")
		st.wantMissing(m, l, h.Size)
	case h.Size > l.size():
		if st.adoptHeld(m, l, h) {
			st.drainHeld(m, l)
			return
		}
		if l.claimed == nil || l.claimed.Size < h.Size {
			l.claimed = &h
		}
		st.wantMissing(m, l, h.Size)
	case h.Size > 0:
		root, ok := st.rootAt(l, h.Size)
		switch {
		case !ok:
		case root == h.Root && l.id.Party == st.me && h.Size > l.head.Size:
			// Own entries came back without the signature that this party once
			// gave, and its key is gone: a reader has kept it.
			l.head = h
			st.dirty[l] = true
		case root == h.Root:
		case l.id.Party == st.me:
			st.ownStale(l, "another history of this party's "+l.id.Lane.String()+" log is signed with its key")
		default:
			st.forked(m, l, h, nil)
		}
	}
}

// wantMissing asks for the leaves up to size: from the author by ENTRY, from
// another member by OPEN.
func (st *Station) wantMissing(m *member, l *log, size uint64) {
	st.wantGap(m, l, min(size, l.size()+maxHeld))
}

// beginCheck fetches all leaves under a signed head from the member that
// showed it: one investigation at a time with each member, so that one that
// withholds the leaves keeps no other from being asked.
func (st *Station) beginCheck(m *member, l *log, h journal.SignedHead) {
	if h.Size > maxCheck || l.forked || m.check != nil && !passed(m.check.since, st.now.Unix(), checkTime) {
		return
	}
	m.check = &checking{log: l, head: h, rows: map[uint64][]parley.Hash{}}
	st.wantChunk(m)
}

func (st *Station) wantChunk(m *member) {
	c := m.check
	c.since = st.now.Unix()
	id, first := c.log.id, c.tree.Size()
	st.want(m, frame.WantItem{Party: id.Party, Lane: id.Lane, Gen: id.Gen, First: first,
		Last: min(first+maxChunk, c.head.Size) - 1, Form: frame.FormBlind, Reason: frame.WantGap})
}

// checkLeaf takes the next leaf of an investigation, and judges when it has
// all of them. It reports whether the leaf was asked for.
func (st *Station) checkLeaf(m *member, l *log, index uint64, leaf journal.Leaf) bool {
	c := m.check
	if c == nil || c.log != l || index != c.tree.Size() {
		return false
	}
	c.rows[index] = c.tree.Append(leaf.Hash())
	c.leaves = append(c.leaves, leaf)
	if c.tree.Size() < c.head.Size {
		if c.tree.Size()%maxChunk == 0 {
			st.wantChunk(m)
		}
		return true
	}
	m.check = nil
	st.judgeCheck(m, l, c)
	return true
}

// judgeCheck compares the history that a member sent with ours.
func (st *Station) judgeCheck(m *member, l *log, c *checking) {
	if c.tree.Root() != c.head.Root {
		return // the member did not send the leaves of that head; ask again at the next HAVE
	}
	n := min(l.size(), c.head.Size)
	theirs := journal.HashesOf(func(i uint64) ([]parley.Hash, bool) { hs, ok := c.rows[i]; return hs, ok }, nil)
	other, err := journal.RootAt(n, theirs)
	if err != nil {
		return
	}
	if ours, ok := st.rootAt(l, n); ok && ours != other {
		st.forked(m, l, c.head, theirs)
		return
	}
	for i := n; i < c.head.Size; i++ {
		// The leaves lie under the author's signature: they replace what was held.
		if h := l.held[i]; h == nil || h.raw != nil || h.leaf != c.leaves[i] {
			st.unhold(l, i)
			st.hold(m, l, i, &heldLeaf{leaf: c.leaves[i]})
		}
	}
	if !st.adoptHeld(m, l, c.head) {
		st.wantMissing(m, l, c.head.Size)
	}
}

// forked records that an author signed two histories, with the proof, and
// tells everybody. h is the head that does not fit ours; theirs are the tree
// hashes of its history if it is longer than ours. It stops this log only.
func (st *Station) forked(m *member, l *log, h journal.SignedHead, theirs journal.Hashes) {
	ours := l.head
	hashes := theirs
	if h.Size <= ours.Size {
		hashes = st.hashes(l)
	}
	if hashes == nil {
		return
	}
	f, err := journal.ProveFork(h, ours, hashes)
	if err != nil || f.Check(st.logKey(l)) != nil {
		return
	}
	st.stop(l)
	proof := f.Encode()
	st.fx.put("fork", l.origin, proof, false)
	st.fx.alarm(AlarmFork, l.id.Party, st.name(l.id.Party)+" signed two histories of its "+l.id.Lane.String()+" log; the proof is kept", proof)
	st.notices = append(st.notices, parley.Notice{Code: parley.NoticeFork, Evidence: proof})
}

// stop ends a forked log: nothing waits for it any more.
func (st *Station) stop(l *log) {
	l.forked = true
	for i := range l.held {
		st.unhold(l, i)
	}
}

// receiveNotice takes another member's notice. A fork is believed for its
// proof, not for its sender.
func (st *Station) receiveNotice(author *member, n *parley.Notice) {
	if n.Code != parley.NoticeFork {
		if n.Code == parley.NoticeRunsTwice || n.Code == parley.NoticeLeaving {
			st.fx.alarm(n.Code, author.Index, author.Name+" gives notice: "+n.Code, n.Evidence)
		}
		return
	}
	f, err := journal.ParseFork(n.Evidence)
	if err != nil || f.Log.Channel != st.ch || st.members[f.Log.Party] == nil {
		return
	}
	l := st.logs[place{f.Log.Party, f.Log.Lane, f.Log.Gen}]
	if l == nil || l.forked || f.Check(st.logKey(l)) != nil {
		return
	}
	st.stop(l)
	st.fx.put("fork", l.origin, n.Evidence, false)
	if author.Index == l.id.Party && author.Index != st.me {
		st.notices = append(st.notices, *n) // it may show its own notice to some only
	}
	st.fx.alarm(AlarmFork, l.id.Party, st.name(l.id.Party)+" signed two histories of its "+l.id.Lane.String()+" log; "+author.Name+" sent the proof, and it holds", n.Evidence)
}

// sendNotices appends the notices that this step gave rise to.
func (st *Station) sendNotices() {
	if st.phase != phaseRunning {
		return
	}
	ns := st.notices
	st.notices = nil
	for i := range ns {
		for _, lane := range []parley.Lane{parley.Immediate, parley.Priority, parley.Routine} { // one may be closed by a fork
			if _, err := st.appendOwn(lane, parley.KindNotice, parley.ToAll, ns[i].Encode()); err == nil {
				break
			}
		}
	}
}
