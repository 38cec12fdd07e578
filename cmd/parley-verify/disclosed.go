package main

import (
	"fmt"

	"parley"
	"parley/journal"
	"parley/release"
)

// together is what the disclosed entries of one channel say of each other.
// Each was accepted by itself before.
type together struct {
	charter *parley.Charter
	channel parley.Hash
	self    bool
	desk    *release.Desk
	at      map[place]*parley.Posted
	refs    map[parley.Ref]bool
	twice   map[place]bool // two entries of one place: its author signed two histories
}

func newTogether(a *journal.Accepted, self bool) *together {
	return &together{charter: a.Charter, channel: a.Channel, self: self, desk: release.New(a.Charter, 0),
		at: map[place]*parley.Posted{}, refs: map[parley.Ref]bool{}, twice: map[place]bool{}}
}

func (t *together) add(p *parley.Posted) {
	at := place{p.Ref.Log(t.channel), p.Ref.Index}
	t.refs[p.Ref] = true
	if old := t.at[at]; old != nil {
		t.twice[at] = t.twice[at] || old.Ref != p.Ref
		return
	}
	t.at[at] = p
	t.desk.Apply(*p)
}

// of lists what the files together say of the release of one of their entries.
func (t *together) of(p *parley.Posted) []journal.Finding {
	at := place{p.Ref.Log(t.channel), p.Ref.Index}
	line := func(s journal.Status, format string, args ...any) journal.Finding {
		return journal.Finding{Status: s, SelfAsserted: t.self, Log: &at.log, Entry: &at.index, Text: fmt.Sprintf(format, args...)}
	}
	if t.twice[at] {
		return []journal.Finding{line(journal.Flagged, "another of these files shows another entry at this place: its author signed two histories; ask for the fork proof")}
	}
	if p.Entry.Kind == release.KindRelease {
		next := p.Ref
		next.Index++
		if t.at[place{at.log, next.Index}] == nil {
			return []journal.Finding{line(journal.Missing, "two-person release not shown: disclose entry %s, which this one releases", next)}
		}
		return nil
	}
	if !speaks(p) || at.index == 0 {
		return nil
	}
	before := p.Ref
	before.Index--
	prior := t.at[place{at.log, before.Index}]
	if prior == nil && before.Index == 0 { // entry 0 begins the log and releases nothing
		return []journal.Finding{statusLine(at, t.desk.Of(p.Ref), t.self)}
	}
	if prior == nil {
		return []journal.Finding{line(journal.Missing, "two-person release not shown: if two persons released it, disclose entry %s and the roster that it names", before)}
	}
	st := t.desk.Of(p.Ref)
	if r := names(prior); r != nil && !t.refs[*r] && parley.CodeOf(st.Why) == release.CodeNoRoster {
		return []journal.Finding{line(journal.Missing, "two-person release not shown: disclose the roster %s", r)}
	}
	out := []journal.Finding{statusLine(at, st, t.self)}
	if st.State == release.Held {
		out = append(out, line(journal.Limit, "whether that roster had been replaced before, or an approval been used before: only a record shows it"))
	}
	return out
}

// names is the roster on which a RELEASE rests, nil of anything else.
func names(p *parley.Posted) *parley.Ref {
	if p.Entry.Kind != release.KindRelease {
		return nil
	}
	b, err := release.Parse(p.Entry.Kind, p.Entry.Body)
	if err != nil {
		return nil
	}
	return &b.(*release.Release).Roster
}
