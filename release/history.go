package release

import (
	"fmt"

	"parley"
)

// Change says how a roster came to replace the one before it.
type Change uint8

const (
	First      Change = iota // there was none before: the node's word alone
	ByOfficers               // two officers of the former roster released it
	ByNode                   // by the node alone
)

var changeNames = [...]string{"the first, by the node alone", "released by two officers of the former roster", "by the node alone"}

func (c Change) String() string { return changeNames[c] }

// Version is a roster as it stands in the record.
type Version struct {
	Ref      parley.Ref
	Time     uint64 // its author's claim, seconds since 1970
	Standing parley.Standing
	Roster   *Roster
	Change   Change
	Status   Status   // of the release of its own entry
	Notes    []string // what an officer should notice, one sentence each
}

// Roster is the newest roster of a member that counts, nil if it has none.
func (d *Desk) Roster(p parley.Party) *Version {
	if n := d.current(p); n != nil {
		return d.version(n)
	}
	return nil
}

// History lists the rosters of a member that are or were in force, newest
// first, at most limit, 0 all.
func (d *Desk) History(p parley.Party, limit int) []*Version {
	var out []*Version
	list := d.named[p]
	for i := len(list) - 1; i >= 0 && (limit == 0 || len(out) < limit); i-- {
		if list[i].counts() {
			out = append(out, d.version(list[i]))
		}
	}
	return out
}

// Version is one roster, nil if r is none that counts.
func (d *Desk) Version(r parley.Ref) *Version {
	if n := d.rosters[r]; n != nil && n.counts() {
		return d.version(n)
	}
	return nil
}

// current is the roster of the greatest serial. Of two with one serial it is
// the one that claims the smaller time, then the smaller place: a node cannot
// replace a roster without taking a new serial.
func (d *Desk) current(p parley.Party) *naming {
	var best *naming
	list := d.named[p]
	for i := len(list) - 1; i >= 0; i-- {
		n := list[i]
		if best != nil && n.body.Serial < best.body.Serial {
			break
		}
		if n.counts() && (best == nil || before(n, best)) {
			best = n
		}
	}
	return best
}

func before(a, b *naming) bool {
	if a.ref.Lane == b.ref.Lane && a.ref.Gen == b.ref.Gen {
		return a.ref.Index < b.ref.Index
	}
	return a.time < b.time || a.time == b.time && a.ref.Compare(b.ref) < 0
}

// former is the roster before n: of the greatest serial below its own.
func (d *Desk) former(n *naming) (f *naming) {
	for _, o := range d.named[n.ref.Party] {
		if o.counts() && o.body.Serial < n.body.Serial && (f == nil || o.body.Serial > f.body.Serial) {
			f = o
		}
	}
	return f
}

func (d *Desk) version(n *naming) *Version {
	v := &Version{Ref: n.ref, Time: n.time, Standing: n.standing, Roster: n.body, Status: d.Of(n.ref)}
	f := d.former(n)
	switch {
	case f == nil:
		v.Change = First
	case v.Status.State == Held && (n.body.Demo || !v.Status.Demo):
		v.Change = ByOfficers
	default:
		v.Change = ByNode
	}
	if f != nil && f.body.Demo && !n.body.Demo {
		v.Notes = append(v.Notes, fmt.Sprintf("The former roster %d was a demonstration's: its keys lay with the node, and a release by them says nothing.", f.body.Serial))
	}
	for _, o := range d.named[n.ref.Party] {
		if o != n && o.counts() && o.body.Serial == n.body.Serial {
			v.Notes = append(v.Notes, fmt.Sprintf("Another roster with serial %d stands at %s.", n.body.Serial, o.ref))
		}
	}
	return v
}
