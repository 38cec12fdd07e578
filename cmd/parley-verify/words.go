package main

import (
	"strings"

	"parley"
	"parley/hotline"
	"parley/journal"
	"parley/release"
)

// said is what an entry of a desk says, as a line of the report: false for a
// kind that no desk here knows, and for an entry that breaks a rule.
func said(c *parley.Charter, log parley.LogID, p *parley.Posted, self bool) (journal.Finding, bool) {
	l := journal.Finding{Status: journal.Claimed, SelfAsserted: self, Log: &log, Entry: &p.Ref.Index, Text: "its author says:"}
	if p.Standing == parley.Malformed {
		return l, false
	}
	if release.Owns(p.Entry.Kind) {
		words, err := release.FormatEntry(p.Ref, p.Entry)
		if err != nil {
			return outside(l, err), true
		}
		l.Words = words
		return l, true
	}
	if !hotline.Owns(p.Entry.Kind) {
		return l, false
	}
	var b strings.Builder
	t, typed, err := hotline.FormatEntry(&b, c, p.Ref, p.Entry)
	if err != nil {
		return outside(l, err), true
	}
	if typed {
		l.Type = t.String()
	}
	l.Words = b.String()
	return l, true
}

// speaks reports whether an entry is of a kind that two persons may release.
func speaks(p *parley.Posted) bool {
	return hotline.Owns(p.Entry.Kind) || p.Entry.Kind == release.KindRoster
}

// outside says that an entry breaks a rule of its desk, so that it has no
// words: it is kept, and changes nothing.
func outside(l journal.Finding, err error) journal.Finding {
	l.Status, l.Text = journal.Flagged, "it breaks a rule of its kind and has no effect: "+err.Error()
	return l
}
