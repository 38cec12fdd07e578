package station

import (
	"bytes"
	"slices"

	"parley"
	"parley/frame"
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
		clear(m.lacked)
		clear(m.sought)
		m.keyless = asking{}
		m.check = nil
		clear(m.listed)
		for _, k := range st.grants {
			delete(k.sent, m.Index)
		}
		m.dropNoKey()
	}
	st.sendHave(m)
	if !e.Bulk {
		st.sealHeads(false)
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
	m.lost = false
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
		m.lost = m.lost || h.Size < l.rcpt[m.Index]
		st.compare(m, l, h, first)
	}
	for _, l := range st.order {
		m.lost = m.lost || l.rcpt[m.Index] > 0 && !said[l] && len(f.Heads) < parley.MaxHeads
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
	if own && h.Size > l.head.Size && h.Size <= l.size() {
		// An old record came back beside newer keys. Who says to hold this head
		// has the signature that is missing here.
		st.wantOne(m, l, h.Size-1, frame.FormHeads, frame.WantGap)
	}
	switch {
	case h.Size > l.size() && own:
		// Somebody knows more of us than we do: ask for the proof.
		m.asked[l] = true
		st.wantOne(m, l, h.Size-1, frame.FormHeads, frame.WantStart)
		if l.stray != 0 { // its GENERATION may carry keys of ours that this store does not know
			st.wantMissing(m, l, h.Size)
		}
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
		} else if passed(l.stuck.since, st.now.Unix(), stuckAfter) {
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
