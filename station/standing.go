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

// reinstate puts in force what was taken as AFTER REVOCATION before the receipt
// of another member that covers it was known here: receipts of entries first to
// size have come (spec/journal.md J16).
func (st *Station) reinstate(l *log, first, size uint64) {
	g := st.members[l.id.Party].generation(l.id.Gen)
	cited, over := g.cited(l)
	if !over || !g.replaced.root {
		return
	}
	for i := max(cited, first); i < min(size, l.size()); i++ {
		r, err := st.row(l, i)
		if err != nil || r.Standing != parley.AfterRevocation || r.Content == nil {
			continue
		}
		in := incoming{index: i, leaf: r.Leaf, content: r.Content}
		st.judge(l, &in)
		if r.Standing = st.standing(st.members[l.id.Party], l, &in); r.Standing == parley.AfterRevocation {
			continue
		}
		st.fx.batch.Opened = append(st.fx.batch.Opened, journal.Opened{Log: l.id, Index: i, Content: *r.Content, Standing: r.Standing})
		if in.entry != nil {
			st.act(st.members[l.id.Party], l, r, in.entry)
			st.posted(l, r, in.entry)
		}
	}
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
