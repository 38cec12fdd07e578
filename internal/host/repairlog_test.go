package host

import (
	"testing"

	"parley"
	"parley/journal"
)

// A copy that another reader exported opens what was written for that reader
// only. Of a damaged entry its place is taken from there, and its text only if
// it was for this party as well.
func TestRepairTakesNoTextOfOthers(t *testing.T) {
	for _, c := range []struct {
		to   parley.Audience
		text bool
	}{{parley.AudienceOf(3), false}, {parley.AudienceOf(2), true}, {parley.ToAll, true}, {parley.ToNobody, false}} {
		id := parley.LogID{Party: 1, Lane: parley.Flash}
		m := &mending{r: &repair{me: 2}, id: id, target: 1, bad: map[uint64]*badEntry{0: {}}, signed: map[uint64][]signature{}}
		list := (&parley.List{Items: []string{"one"}}).Encode()
		text := &journal.Content{Entry: (&parley.Entry{Kind: parley.KindList, To: c.to, Body: list}).Encode()}
		leaf := journal.Leaf{To: c.to, Commit: journal.Commit(id.Origin(), 0, text.Salt, text.Entry)}
		m.give(0, leaf, text, nil, "the copy of party 3")
		if b := m.bad[0]; b.leaf == nil || *b.leaf != leaf || (b.text != nil) != c.text {
			t.Errorf("to %v: the leaf is %v, the text %v", c.to, b.leaf, b.text)
		}
	}
}
