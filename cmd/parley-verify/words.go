package main

import (
	"strings"

	"parley"
	"parley/hotline"
	"parley/journal"
	"parley/release"
)

// said is what an entry of a desk says, as a line of the report: false for a
// kind that no desk here knows, and for an entry that breaks a rule. Of an
// entry that is about another one typeOf tells the type, if it is at hand.
func said(c *parley.Charter, log parley.LogID, p *parley.Posted, self bool, typeOf func(parley.Ref) (hotline.Type, bool)) (journal.Finding, bool) {
	l := journal.Finding{Status: journal.Claimed, SelfAsserted: self, Log: &log, Entry: &p.Ref.Index, Text: "its author says:"}
	var err error
	switch {
	case p.Standing == parley.Malformed:
		return l, false
	case release.Owns(p.Entry.Kind):
		l.Words, err = release.FormatEntry(p.Ref, p.Entry)
	case hotline.Owns(p.Entry.Kind):
		var b strings.Builder
		var t hotline.Type
		var typed bool
		if t, typed, err = hotline.FormatEntry(&b, c, p.Ref, p.Entry, typeOf); typed {
			l.Type = t.String()
		}
		l.Words = b.String()
	default:
		return l, false
	}
	if err != nil { // it has no words: it is kept, and changes nothing
		l.Status, l.Type, l.Words, l.Text = journal.Flagged, "", "", "it breaks a rule of its kind and has no effect: "+err.Error()
	}
	return l, true
}

// speaks reports whether an entry is of a kind that officers let out.
func speaks(p *parley.Posted) bool {
	return hotline.Owns(p.Entry.Kind) || p.Entry.Kind == release.KindRoster
}
