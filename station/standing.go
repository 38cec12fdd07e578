package station

import (
	"parley"
	"parley/journal"
)

// standing says how the record holds an entry (protocol 7.3, 7.4).
func (st *Station) standing(m *member, l *log, in *incoming) parley.Standing {
	if in.bad {
		return parley.Malformed
	}
	g := st.members[l.id.Party].generation(l.id.Gen)
	if cited, over := g.cited(l); over && in.index >= cited {
		if !g.replaced.root {
			return parley.BeforeBreak
		}
		if !st.otherHolds(l, in.index) {
			return parley.AfterRevocation
		}
	}
	if in.entry != nil && st.disputed(m, l, in.entry) {
		return parley.DisputedCitation
	}
	return parley.InForce
}

// reinstate judges anew what was taken as AFTER REVOCATION among the entries
// first to size: a receipt of another member that covers it, or a generation
// that cites it, may become known later (spec/journal.md J16, J17).
func (st *Station) reinstate(l *log, first, size uint64) {
	g := st.members[l.id.Party].generation(l.id.Gen)
	if _, over := g.cited(l); !over {
		return
	}
	first = max(first, l.suspect)
	least, size := uint64(parley.MaxUint), min(size, l.size())
	for i := first; i < size; i++ {
		if r, err := st.row(l, i); err == nil && r.Standing == parley.AfterRevocation && !st.reinstated(l, r) {
			least = min(least, i)
		}
	}
	if first == l.suspect && size == l.size() {
		l.suspect = max(least, first)
	}
}

// reinstated puts one entry in force if nothing speaks against it any more.
func (st *Station) reinstated(l *log, r *journal.Row) bool {
	if r.Content == nil {
		return false // judged when it is opened
	}
	author := st.members[l.id.Party]
	in := incoming{index: r.Index, leaf: r.Leaf, content: r.Content}
	st.judge(l, &in)
	standing := st.standing(author, l, &in)
	if standing == parley.AfterRevocation {
		return false
	}
	r.Standing = standing
	l.fresh[r.Index] = r
	st.fx.batch.Opened = append(st.fx.batch.Opened, journal.Opened{Log: l.id, Index: r.Index, Content: *r.Content, Standing: standing})
	if in.entry != nil {
		st.act(author, l, r, in.entry)
		st.posted(l, r, in.entry)
	}
	return true
}

// otherHolds reports whether a member other than this one and the author has
// receipted a head over the entry.
func (st *Station) otherHolds(l *log, index uint64) bool {
	for p, size := range l.rcpt {
		if p != st.me && p != l.id.Party && size > index {
			return true
		}
	}
	return false
}

// disputed reports whether an entry cites a head that differs from ours. The
// citer is asked for the cited author's signature; until it comes nothing
// about the cited log changes: nobody is accused without two signatures.
func (st *Station) disputed(m *member, l *log, e *parley.Entry) bool {
	found := false
	for _, h := range e.Seen {
		c := st.logs[place{h.Party, h.Lane, h.Gen}]
		if c == nil || h.Size > c.size() || h.Size == 0 {
			continue
		}
		if root, ok := st.rootAt(c, h.Size); ok && root != h.Root {
			found = true
			st.fx.alarm(AlarmDisputed, l.id.Party, st.name(l.id.Party)+" cites a head of "+st.name(h.Party)+" that differs from ours", nil)
			st.askHead(m, c)
		}
	}
	return found
}
