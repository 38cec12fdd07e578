package station

import (
	"parley"
	"parley/frame"
	"parley/journal"
	"parley/seal"
)

// receiveOpen takes an entry opened to this node alone: of an earlier window,
// of an author who is away, or an own one that this node lost.
func (st *Station) receiveOpen(m *member, f *frame.Open) {
	if f.ChannelHint != st.chHint || st.members[f.Author] == nil {
		return
	}
	id := parley.LogID{Channel: st.ch, Party: f.Author, Lane: f.Lane, Gen: f.Gen}
	only := st.only(st.me)
	for _, k := range m.reads {
		if k.id.Hint() != f.KeyHint || k.to != only {
			continue
		}
		pt, err := seal.Decrypt(seal.OpenKey(k.K, id.Origin(), f.Index, f.Leaf), f.Nonce, f.Header(), f.Sealed)
		if err != nil || len(pt) < 33 {
			continue
		}
		if l := st.named(m, id); l != nil && !l.forked && st.withinQuota(m, l, len(pt), true) {
			st.opened(m, l, f, parley.Hash(pt[:32]), pt[32:])
		}
		return
	}
	st.sayHave(m)
}

func (st *Station) opened(m *member, l *log, f *frame.Open, salt parley.Hash, text []byte) {
	c := &journal.Content{Salt: salt, Entry: text}
	commit := journal.Commit(l.origin, f.Index, salt, text)
	to, ok := audienceOf(f.Leaf, commit, text)
	if !ok || !(to.Includes(st.me) || f.Author == st.me) {
		return
	}
	leaf := journal.Leaf{To: to, Commit: commit}
	if f.Index >= l.size() {
		st.hold(m, l, f.Index, &heldLeaf{leaf: leaf, content: c})
		st.drainHeld(m, l)
		return
	}
	r, err := st.row(l, f.Index)
	if err != nil || r.Content != nil || r.Leaf != leaf {
		return
	}
	st.found(m, l, f.Index)
	in := incoming{index: f.Index, leaf: leaf, content: c}
	st.judge(l, &in)
	r.Content, r.Standing = c, st.standing(m, l, &in)
	st.fx.batch.Opened = append(st.fx.batch.Opened, journal.Opened{Log: l.id, Index: f.Index, Content: *c, Standing: r.Standing})
	if in.entry != nil {
		st.act(m, l, r, in.entry)
		st.posted(l, r, in.entry)
	}
}

// audienceOf finds the outer audience of an opened entry: the inner one, if
// the leaf fits it. For bytes that are no entry every single audience is not
// worth trying: the sender's BLIND form says it.
func audienceOf(leaf, commit parley.Hash, text []byte) (parley.Audience, bool) {
	if e, err := parley.ParseEntry(text); err == nil && journal.LeafHash(e.To, commit) == leaf {
		return e.To, true
	}
	return 0, journal.LeafHash(parley.ToAll, commit) == leaf
}
