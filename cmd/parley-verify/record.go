package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"parley"
	"parley/hotline"
	"parley/journal"
	"parley/release"
)

// mostBroken is how many releases that do not hold a report without --entries
// names one by one.
const mostBroken = 20

// place is where an entry of a channel stands.
type place struct {
	log   parley.LogID
	index uint64
}

// meaning is what the desks say of the entries of a record that was accepted.
// It keeps the entries themselves only if each of them is to be printed.
type meaning struct {
	*journal.Accepted
	self     bool
	entries  map[place]*parley.Posted // nil without --entries
	desk     *release.Desk
	opened   []*parley.Opening
	once     map[parley.Ref]bool // opened: one opening of an entry is enough
	releases []place
	released []place // entries behind one of them, of which it says something
	status   map[place]release.Status
	printed  map[place]bool
}

// read goes through an accepted file once more, from its beginning, and gives
// every opened entry to the desk.
func read(f io.ReadSeeker, a *journal.Accepted, o *options) (*meaning, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	m := &meaning{Accepted: a, self: o.channel == nil, desk: release.New(a.Charter, 0), once: map[parley.Ref]bool{},
		status: map[place]release.Status{}, printed: map[place]bool{}}
	if o.entries {
		m.entries = map[place]*parley.Posted{}
	}
	err := journal.ReadRecord(bufio.NewReader(f), journal.Visit{Entry: m.entry})
	if err != nil {
		return nil, fmt.Errorf("the file changed while it was read: %w", err)
	}
	for _, x := range m.opened {
		m.open(x)
	}
	m.judge()
	return m, nil
}

// judge asks the desk, on all processors, about what stands behind a RELEASE.
func (m *meaning) judge() {
	states := make([]release.Status, len(m.releases))
	var jobs []func()
	for i, r := range m.releases {
		if next, ok := m.RefOf(r.log, r.index+1); ok {
			jobs = append(jobs, func() { states[i] = m.desk.Of(next) })
		}
	}
	parallel(jobs)
	for i, r := range m.releases {
		next := place{r.log, r.index + 1}
		if _, twice := m.status[next]; !twice && states[i].State != release.NotStated {
			m.status[next] = states[i]
			m.released = append(m.released, next)
		}
	}
}

// entry takes in one entry. The file was accepted before, but may have been
// written to since: what is taken in must be what its author committed to.
func (m *meaning) entry(log parley.LogID, index uint64, lf journal.Leaf, c *journal.Content) error {
	if !m.Holds(log, index, lf.Hash()) {
		return errors.New("another entry stands at its place")
	}
	if c == nil {
		return nil
	}
	if journal.Commit(log.Origin(), index, c.Salt, c.Entry) != lf.Commit {
		return errors.New("an entry says something else")
	}
	e, err := parley.ParseEntry(c.Entry)
	if err != nil {
		return nil // bytes that are no entry; the report says so
	}
	r := parley.Ref{Party: log.Party, Lane: log.Lane, Gen: log.Gen, Index: index, Leaf: lf.Hash()}
	p := parley.Posted{Ref: r, Entry: e, Standing: m.Standing(log, index)}
	m.apply(p)
	if e.Kind == parley.KindOpening && p.Standing.Effective() {
		if x, _, err := parley.ParseOpening(e.Body); err == nil && !m.once[x.Ref] {
			m.once[x.Ref] = true
			m.opened = append(m.opened, x)
		}
	}
	return nil
}

// open takes in what a commitment in this record turned out to say.
func (m *meaning) open(x *parley.Opening) {
	log := x.Ref.Log(m.Channel)
	e, err := parley.ParseEntry(x.Entry)
	if err != nil || journal.CheckOpening(log, x) != nil || !m.Holds(log, x.Ref.Index, x.Ref.Leaf) {
		return
	}
	p := parley.Posted{Ref: x.Ref, Entry: e, Standing: m.Standing(log, x.Ref.Index)}
	if journal.CheckEntry(m.Charter, log, x.Ref.Index, parley.ToNobody, x.Entry, e) != nil {
		p.Standing = parley.Malformed
	}
	m.apply(p)
}

func (m *meaning) apply(p parley.Posted) {
	m.desk.Apply(p)
	at := place{p.Ref.Log(m.Channel), p.Ref.Index}
	if m.entries != nil {
		m.entries[at] = &p
	}
	if p.Entry.Kind == release.KindRelease {
		m.releases = append(m.releases, at)
	}
}

// typeOf is the type of an entry of this record, false if it is not opened here.
func (m *meaning) typeOf(r parley.Ref) (hotline.Type, bool) {
	p := m.entries[place{r.Log(m.Channel), r.Index}]
	if p == nil || p.Ref != r {
		return 0, false
	}
	return hotline.TypeOf(p.Entry, m.typeOf)
}

// beside lists what the desks add behind a line of the report.
func (m *meaning) beside(l *journal.Finding) []journal.Finding {
	if l.Status != journal.Claimed || l.Entry == nil || m.entries == nil {
		return nil
	}
	return m.words(place{*l.Log, *l.Entry})
}

func (m *meaning) words(at place) (out []journal.Finding) {
	if m.printed[at] {
		return nil
	}
	m.printed[at] = true
	if p := m.entries[at]; p != nil {
		if x, ok := said(m.Charter, at.log, p, m.self, m.typeOf); ok {
			out = append(out, x)
		}
	}
	if st, ok := m.status[at]; ok {
		out = append(out, statusLine(at, st, m.self))
	}
	return out
}

// statusLine says what the record says of the release of an entry.
func statusLine(at place, st release.Status, self bool) journal.Finding {
	l := journal.Finding{Status: journal.Proved, SelfAsserted: self, Log: &at.log, Entry: &at.index, Text: st.Words()}
	switch st.State {
	case release.Broken:
		l.Status = journal.Flagged
	case release.NotStated:
		l.Status = journal.Limit
	}
	return l
}

// sum is what stands before the last line: with --entries what was opened later
// than written; how many entries were released by whose keys; and, unless they
// stood with their entries, those whose release does not hold.
func (m *meaning) sum() (out []journal.Finding) {
	if m.entries != nil {
		for _, x := range m.opened {
			out = append(out, m.words(place{x.Ref.Log(m.Channel), x.Ref.Index})...)
		}
	}
	held, demo, broken := map[parley.Party]int{}, map[parley.Party]int{}, 0
	for _, at := range m.released {
		switch st := m.status[at]; {
		case st.State == release.Held && st.Demo:
			demo[at.log.Party]++
		case st.State == release.Held:
			held[at.log.Party]++
		case st.State == release.Broken:
			if broken++; m.entries == nil && broken <= mostBroken {
				out = append(out, statusLine(at, st, m.self))
			}
		}
	}
	if broken > 0 {
		out = append(out, journal.Finding{Status: journal.Flagged, SelfAsserted: m.self, Text: fmt.Sprintf("releases that do not hold: %d", broken)})
	}
	for _, x := range m.Charter.Members {
		proved := func(n int, demo string) {
			if n > 0 {
				out = append(out, journal.Finding{Status: journal.Proved, SelfAsserted: m.self,
					Text: fmt.Sprintf("%sreleased by two keys that %s (member %d) had named: entries %d", demo, x.Name, x.Index, n)})
			}
		}
		proved(held[x.Index], "")
		proved(demo[x.Index], release.DemoMark)
	}
	return out
}
