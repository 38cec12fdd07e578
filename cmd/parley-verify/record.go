package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"parley"
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
	behind   map[place]bool // behind a RELEASE
	released []parley.Ref
	status   map[place]release.Status
	opened   []*parley.Opening
}

// read goes through an accepted file once more, from its beginning, and gives
// every opened entry to the desk.
func read(f io.ReadSeeker, a *journal.Accepted, o *options) (*meaning, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	m := &meaning{Accepted: a, self: o.channel == nil, desk: release.New(a.Charter, 0), behind: map[place]bool{}, status: map[place]release.Status{}}
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
	states := make([]release.Status, len(m.released))
	jobs := make([]func(), len(states))
	for i, r := range m.released {
		jobs[i] = func() { states[i] = m.desk.Of(r) }
	}
	parallel(jobs)
	for i, r := range m.released {
		m.status[place{r.Log(a.Channel), r.Index}] = states[i]
	}
	return m, nil
}

func (m *meaning) entry(log parley.LogID, index uint64, lf journal.Leaf, c *journal.Content) error {
	if !m.Holds(log, index, lf.Hash()) {
		return errors.New("another entry stands at its place")
	}
	if c == nil {
		return nil
	}
	e, err := parley.ParseEntry(c.Entry)
	if err != nil {
		return nil // bytes that are no entry; the report says so
	}
	r := parley.Ref{Party: log.Party, Lane: log.Lane, Gen: log.Gen, Index: index, Leaf: lf.Hash()}
	p := parley.Posted{Ref: r, Entry: e, Standing: m.Standing(log, index)}
	m.apply(p)
	if e.Kind == parley.KindOpening && p.Standing.Effective() {
		if x, _, err := parley.ParseOpening(e.Body); err == nil {
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
	if m.behind[at] && p.Entry.Kind != release.KindRelease {
		delete(m.behind, at)
		m.released = append(m.released, p.Ref)
	}
	if p.Entry.Kind == release.KindRelease {
		m.behind[place{at.log, at.index + 1}] = true
	}
}

// beside lists what the desks add behind a line of the report.
func (m *meaning) beside(l *journal.Finding) (out []journal.Finding) {
	if l.Status != journal.Claimed || l.Entry == nil || m.entries == nil {
		return nil
	}
	at := place{*l.Log, *l.Entry}
	if p := m.entries[at]; p != nil {
		if x, ok := said(m.Charter, at.log, p, m.self); ok {
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

// sum is what stands about releases before the last line: how many of whom,
// and, unless they stood with their entries, those that do not hold.
func (m *meaning) sum() (out []journal.Finding) {
	held, demo, broken := map[parley.Party]int{}, map[parley.Party]int{}, 0
	for _, r := range m.released {
		at := place{r.Log(m.Channel), r.Index}
		switch st := m.status[at]; {
		case st.State == release.Held && st.Demo:
			demo[r.Party]++
		case st.State == release.Held:
			held[r.Party]++
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
