package release

import (
	"testing"
	"time"

	"parley"
)

// A roster that two officers of the former one released is shown as such, any
// other as made by the node alone.
func TestRosterChanges(t *testing.T) {
	b := newBook()
	if b.desk.Roster(india) != nil || b.desk.History(india, 0) != nil {
		t.Error("a roster from nothing")
	}
	demo := roster(1)
	demo.Demo = true
	first := b.roster(india, demo)
	draft := func(r *Roster) parley.Draft { return Draft(r, parley.Routine, parley.ToAll) }
	real := b.release(india, first, draft(roster(2)), "a", "b")
	three := b.release(india, real, draft(roster(3)), "a", "d")
	four := b.roster(india, roster(4))
	five := b.release(india, three, draft(roster(5)), "a", "b") // not by the newest roster's word
	six := b.release(india, five, draft(&Roster{Serial: 9, RPID: rpID, Origins: []string{origin}}), "c", "d")
	for _, c := range []struct {
		ref   parley.Ref
		want  Change
		notes int
	}{{first, First, 0}, {real, ByNode, 1}, {three, ByOfficers, 0}, {four, ByNode, 0}, {five, ByNode, 0}, {six, ByOfficers, 0}} {
		v := b.desk.Version(c.ref)
		if v.Change != c.want || len(v.Notes) != c.notes {
			t.Errorf("roster %d: %s, %v", v.Roster.Serial, v.Change, v.Notes)
		}
	}
	all := b.desk.History(india, 0)
	if len(all) != 6 || all[0].Ref != six || all[5].Ref != first || len(b.desk.History(india, 2)) != 2 {
		t.Errorf("history %v", all)
	}
	if now := b.desk.Roster(india); now.Ref != six || len(now.Roster.Keys) != 0 {
		t.Errorf("the newest roster is %v", now)
	}
	if s := b.desk.Of(b.release(india, six, text("hello"), "a", "b")); parley.CodeOf(s.Why) != CodeUnknownKey {
		t.Errorf("released though there are no officers: %v", s)
	}
}

// What was released under a roster stays released when the roster changes,
// and a roster that was replaced releases nothing any more.
func TestRosterReplaced(t *testing.T) {
	b := newBook()
	one := b.roster(india, roster(1))
	before := b.release(india, one, text("before"), "a", "b")
	two := roster(2)
	two.Keys = two.Keys[1:] // the first officer has left
	on := b.roster(india, two)
	if s := b.desk.Of(before); s.State != Held || s.Serial != 1 {
		t.Errorf("before: %v", s)
	}
	if s := b.desk.Of(b.release(india, one, text("after"), "a", "b")); parley.CodeOf(s.Why) != CodeOldRoster {
		t.Errorf("by the old roster: %v", s)
	}
	if s := b.desk.Of(b.release(india, on, text("by the old key"), "a", "b")); parley.CodeOf(s.Why) != CodeUnknownKey {
		t.Errorf("by the key that left: %v", s)
	}
	if s := b.desk.Of(b.release(india, on, text("as it should be"), "b", "d")); s.State != Held {
		t.Error(s)
	}
	// In ROUTINE itself the place decides, whatever times are claimed.
	b.clock = start - 1000
	slow := text("dated back")
	slow.Lane = parley.Routine
	if s := b.desk.Of(b.release(india, one, slow, "a", "b")); parley.CodeOf(s.Why) != CodeOldRoster {
		t.Errorf("dated back: %v", s)
	}
}

// A roster that comes later than the release cannot be swapped in.
func TestRosterSwappedLater(t *testing.T) {
	b := newBook()
	own := roster(1)
	own.Keys = own.Keys[2:]
	on := b.roster(india, own)
	ref := b.release(india, on, text("hello"), "a", "b") // keys that the roster does not name
	b.roster(india, roster(2))
	if s := b.desk.Of(ref); parley.CodeOf(s.Why) != CodeUnknownKey {
		t.Error(s)
	}
	// In one log a release cannot rest on what stands behind it.
	slow := text("hello")
	slow.Lane = parley.Routine
	ahead := parley.Ref{Party: india, Lane: parley.Routine, Gen: b.gen, Index: 4, Leaf: parley.Hash{4}}
	entry := b.release(india, ahead, slow, "a", "b")
	b.desk.Apply(parley.Posted{Ref: ahead, Entry: Draft(roster(3), parley.Routine, parley.ToAll).Entry(time.Unix(start+100, 0), nil)})
	if s := b.desk.Of(entry); parley.CodeOf(s.Why) != CodeNoRoster {
		t.Errorf("resting on what stands behind: %v", s)
	}
}

// Of two rosters with one serial the earlier counts, and both are noted.
func TestSerialTwice(t *testing.T) {
	b := newBook()
	first := b.roster(india, roster(1))
	r := roster(1)
	r.Keys = r.Keys[:2]
	second := b.roster(india, r)
	if now := b.desk.Roster(india); now.Ref != first || len(now.Notes) != 1 {
		t.Errorf("%+v", now)
	}
	if v := b.desk.Version(second); len(v.Notes) != 1 {
		t.Errorf("%+v", v)
	}
}
