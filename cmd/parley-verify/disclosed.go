package main

import (
	"fmt"
	"slices"

	"parley"
	"parley/hotline"
	"parley/journal"
	"parley/release"
)

// together is what the disclosed entries of one channel say of each other, in
// whatever order the files come. Each was accepted by itself before.
type together struct {
	charter *parley.Charter
	channel parley.Hash
	self    bool
	shown   []*journal.Shown
	at      map[place]*journal.Shown
	logs    map[parley.LogID]*shownLog
	newest  map[parley.Party]uint64 // serial of keys that some file shows
	desk    *release.Desk
}

// shownLog is what the files show of one log.
type shownLog struct {
	heads  map[uint64]parley.Hash // roots by size
	forked bool                   // its author signed two histories
	closed uint64                 // entries up to its CLOSING, 0 if none is shown
}

func newTogether(a *journal.Accepted, self bool) *together {
	return &together{charter: a.Charter, channel: a.Channel, self: self, at: map[place]*journal.Shown{},
		logs: map[parley.LogID]*shownLog{}, newest: map[parley.Party]uint64{}}
}

func (t *together) add(x *journal.Shown) {
	log := x.Ref.Log(t.channel)
	l := t.logs[log]
	if l == nil {
		l = &shownLog{heads: map[uint64]parley.Hash{}}
		t.logs[log] = l
	}
	if root, ok := l.heads[x.Size]; ok && root != x.Root {
		l.forked = true
	}
	l.heads[x.Size] = x.Root
	t.newest[log.Party] = max(t.newest[log.Party], x.Newest)
	at := place{log, x.Ref.Index}
	if old := t.at[at]; old != nil {
		l.forked = l.forked || old.Ref != x.Ref
		return
	}
	if x.Entry.Kind == parley.KindClosing && x.Standing.Effective() && (l.closed == 0 || x.Ref.Index < l.closed) {
		l.closed = x.Ref.Index + 1
	}
	t.at[at] = x
	t.shown = append(t.shown, x)
}

// fold gives the entries to the desk once all files are read.
func (t *together) fold() {
	t.desk = release.New(t.charter, 0)
	slices.SortFunc(t.shown, func(a, b *journal.Shown) int { return a.Ref.Compare(b.Ref) })
	for _, x := range t.shown {
		p := x.Posted
		if l := t.logs[p.Ref.Log(t.channel)]; l.closed > 0 && p.Ref.Index >= l.closed {
			p.Standing = parley.Malformed
		}
		t.desk.Apply(p)
	}
}

// typeOf is the type of a disclosed entry, false if it is not among the files.
func (t *together) typeOf(r parley.Ref) (hotline.Type, bool) {
	x := t.at[place{r.Log(t.channel), r.Index}]
	if x == nil || x.Ref != r {
		return 0, false
	}
	return hotline.TypeOf(x.Entry, t.typeOf)
}

// of lists what the files together say of one of their entries: whether its
// author signed two histories, and how it was released.
func (t *together) of(x *journal.Shown) []journal.Finding {
	at := place{x.Ref.Log(t.channel), x.Ref.Index}
	line := func(s journal.Status, format string, args ...any) journal.Finding {
		return journal.Finding{Status: s, SelfAsserted: t.self, Log: &at.log, Entry: &at.index, Text: fmt.Sprintf(format, args...)}
	}
	if t.logs[at.log].forked {
		return []journal.Finding{line(journal.Flagged, "these files show two histories of this log: its author signed both, and neither is built on; ask for the fork proof")}
	}
	if x.Entry.Kind == release.KindRelease {
		return t.lacks(x, line)
	}
	if at.index == 0 { // entry 0 begins the log and releases nothing
		return nil
	}
	before := x.Ref
	before.Index--
	prior := t.at[place{at.log, before.Index}]
	switch {
	case prior != nil && prior.Entry.Kind == release.KindRelease:
		return t.released(x, prior, line)
	case !speaks(&x.Posted):
		return nil
	case prior != nil || before.Index == 0:
		return []journal.Finding{statusLine(at, t.desk.Of(x.Ref), t.self)}
	case x.Entry.Kind == release.KindRoster:
		return []journal.Finding{line(journal.Limit, "whether two officers released this roster, or the node posted it alone: entry %s shows it", before.Long())}
	}
	return []journal.Finding{line(journal.Missing, "two-person release not shown: if two persons released it, disclose entry %s and the roster that it names", before.Long())}
}

type lineFunc func(s journal.Status, format string, args ...any) journal.Finding

// lacks names the files without which a RELEASE proves nothing.
func (t *together) lacks(x *journal.Shown, line lineFunc) (out []journal.Finding) {
	next := x.Ref
	next.Index++
	if t.at[place{next.Log(t.channel), next.Index}] == nil {
		out = append(out, line(journal.Missing, "two-person release not shown: disclose entry %s, which this one releases", next.Long()))
	}
	if r := names(x); r != nil && t.rosterOf(x) == nil {
		out = append(out, line(journal.Missing, "two-person release not shown: disclose the roster %s", r.Long()))
	}
	return out
}

// released says how x was released by the RELEASE before it. The three entries
// must be of one history of their logs, and signed with keys in force; where
// that depends on what only a record shows, nothing is proved.
func (t *together) released(x, by *journal.Shown, line lineFunc) []journal.Finding {
	roster := t.rosterOf(by)
	if r := names(by); r != nil && roster == nil {
		return []journal.Finding{line(journal.Missing, "two-person release not shown: disclose the roster %s", r.Long())}
	}
	for _, e := range []*journal.Shown{x, by, roster} {
		switch {
		case e == nil:
		case t.logs[e.Ref.Log(t.channel)].forked:
			return []journal.Finding{line(journal.Flagged, "two-person release not shown: these files show two histories of the log of %s; ask for the fork proof", e.Ref.Long())}
		case e.Serial < t.newest[e.Ref.Party]:
			return []journal.Finding{line(journal.Flagged, "two-person release not shown: the key that signed %s was replaced later (serial %d); whether it stands, only a record shows", e.Ref.Long(), t.newest[e.Ref.Party])}
		}
	}
	st := t.desk.Of(x.Ref)
	out := []journal.Finding{statusLine(place{x.Ref.Log(t.channel), x.Ref.Index}, st, t.self)}
	if st.State != release.Held {
		return out
	}
	if x.Size != by.Size {
		out = append(out, line(journal.Limit, "that the release stands before it in one history of the log: the files show them under heads of %d and %d entries", by.Size, x.Size))
	}
	return append(out, line(journal.Limit, "whether that roster had been replaced before, or an approval been used before: only a record shows it"))
}

// rosterOf is the roster on which a RELEASE rests, nil if no file shows it.
func (t *together) rosterOf(by *journal.Shown) *journal.Shown {
	r := names(by)
	if r == nil {
		return nil
	}
	x := t.at[place{r.Log(t.channel), r.Index}]
	if x == nil || x.Ref != *r {
		return nil
	}
	return x
}

// names is the roster on which a RELEASE rests, nil of anything else.
func names(x *journal.Shown) *parley.Ref {
	if x.Entry.Kind != release.KindRelease {
		return nil
	}
	b, err := release.Parse(x.Entry.Kind, x.Entry.Body)
	if err != nil {
		return nil
	}
	return &b.(*release.Release).Roster
}
