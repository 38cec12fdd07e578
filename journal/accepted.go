package journal

import (
	"cmp"
	"slices"

	"parley"
)

// Accepted is a file that was found whole. A program that knows more than the
// journal does, such as the desks, may now say what the entries mean.
type Accepted struct {
	Channel   parley.Hash
	Charter   *parley.Charter
	Disclosed *Shown // of a disclosure its entry, MALFORMED or not; nil of a record

	logs map[parley.LogID]*logCheck
}

// Shown is the entry of a disclosure, and under what it is shown.
type Shown struct {
	parley.Posted
	Size   uint64      // of the head that its author signed
	Root   parley.Hash // of that head
	Serial uint64      // of the key that signed it
	Newest uint64      // of the author's keys that the file shows
}

func (o *Verify) accept(a *Accepted) error {
	if o.Accepted == nil {
		return nil
	}
	return o.Accepted(a)
}

// Holds reports whether a record holds an entry of this leaf at a place.
func (a *Accepted) Holds(log parley.LogID, index uint64, leaf parley.Hash) bool {
	l := a.logs[log]
	return l != nil && index < l.head.Size && l.leafHash(index) == leaf
}

// RefOf is the entry at a place of a record; false if it holds none.
func (a *Accepted) RefOf(log parley.LogID, index uint64) (parley.Ref, bool) {
	l := a.logs[log]
	if l == nil || index >= l.head.Size {
		return parley.Ref{}, false
	}
	return parley.Ref{Party: log.Party, Lane: log.Lane, Gen: log.Gen, Index: index, Leaf: l.leafHash(index)}, true
}

// Standing is how an opened entry of a record stands, as its report says it. A
// broken format goes before everything else, and what takes away the effect of
// an entry before what only flags it.
func (a *Accepted) Standing(log parley.LogID, index uint64) (is parley.Standing) {
	l := a.logs[log]
	if l == nil {
		return parley.InForce
	}
	if l.closed > 0 && index >= l.closed {
		return parley.Malformed
	}
	i, _ := slices.BinarySearchFunc(l.flags, index, func(f flag, at uint64) int { return cmp.Compare(f.index, at) })
	for ; i < len(l.flags) && l.flags[i].index == index; i++ {
		is = worse(is, l.flags[i].standing)
	}
	for _, s := range l.standings {
		if s.from <= index && index < s.to {
			is = worse(is, s.is)
		}
	}
	return is
}

func worse(a, b parley.Standing) parley.Standing {
	for _, s := range []parley.Standing{parley.Malformed, parley.AfterRevocation, parley.BeforeBreak, parley.DisputedCitation} {
		if a == s || b == s {
			return s
		}
	}
	return parley.InForce
}
