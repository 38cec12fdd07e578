package release

import (
	"cmp"
	"fmt"

	"parley"
)

// State says what is known of an entry's release.
type State uint8

const (
	NotStated State = iota // no RELEASE stands before the entry; no reproach
	Held                   // two keys of the roster released exactly this entry
	Broken                 // a RELEASE stands before it and does not hold
)

var stateNames = [...]string{"not stated", "released by two persons", "release does not hold"}

func (s State) String() string { return stateNames[s] }

// Status is what the record says of the release of one entry.
type Status struct {
	Ref      parley.Ref // the entry
	State    State
	By       *parley.Ref // the RELEASE; nil if NotStated
	Drafted  Signer      // if Held
	Released Signer      // if Held
	Roster   parley.Ref  // if Held: which the release rests on
	Serial   uint64      // of that roster
	Demo     bool        // it is a demonstration's: its keys lay with the node
	Why      error       // if Broken: a stable code, and a sentence
}

// String is one line for an officer.
func (s Status) String() string {
	switch s.State {
	case Held:
		demo := ""
		if s.Demo {
			demo = "DEMONSTRATION: "
		}
		return fmt.Sprintf("%sreleased by two persons: drafted by key %s (%s), released by key %s (%s), roster %d",
			demo, s.Drafted.Key.Short(), s.Drafted.Title, s.Released.Key.Short(), s.Released.Title, s.Serial)
	case Broken:
		return "release does not hold: " + s.Why.Error()
	}
	return "release not stated"
}

// Line is what the record says of the release of an entry, in one line that
// also says who named the keys.
func (d *Desk) Line(r parley.Ref) string {
	s := d.Of(r)
	if v := d.Version(s.Roster); s.State == Held && v != nil {
		return fmt.Sprintf("%s (%s)", s, v.Change)
	}
	return s.String()
}

// Of is what the record says of the release of an entry. Of an entry that this
// node does not hold, or of a RELEASE, nothing is stated.
func (d *Desk) Of(r parley.Ref) Status {
	st := Status{Ref: r}
	s, f := d.pair(r)
	if s == nil {
		return st
	}
	st.State, st.By = Broken, &s.ref
	n, err := d.rests(s, f)
	if err == nil {
		st.Drafted, st.Released, err = s.body.approved(n.body, d.where(), r.Party)
	}
	if err == nil {
		err = d.unused(s.body.uses(r.Party), func(o *speech) bool { return earlier(o, s) })
	}
	if err != nil {
		st.Drafted, st.Released, st.Why = Signer{}, Signer{}, err
		return st
	}
	st.State, st.Roster, st.Serial, st.Demo = Held, n.ref, n.body.Serial, n.body.Demo
	return st
}

// pair is an entry with the RELEASE before it, nil if there is none.
func (d *Desk) pair(r parley.Ref) (*speech, *follower) {
	f := d.followers[placeOf(r)]
	if f == nil || f.ref != r || f.kind == KindRelease || r.Index == 0 {
		return nil, nil
	}
	before := placeOf(r)
	before.index--
	if s := d.speeches[before]; s != nil {
		return s, f
	}
	return nil, nil
}

// rests judges everything but the signatures: that the RELEASE and its entry
// count and fit each other, and that the roster was in force.
func (d *Desk) rests(s *speech, f *follower) (*naming, error) {
	switch {
	case s.bad != nil:
		return nil, s.bad
	case !s.standing.Effective() || !f.standing.Effective():
		return nil, parley.Errorf(CodeStanding, "the release is %s, its entry %s", standing(s.standing), standing(f.standing))
	}
	if err := fits(s, f); err != nil {
		return nil, err
	}
	n := d.rosters[s.body.Roster]
	if n == nil || !n.counts() || n.ref.Gen == s.ref.Gen && n.ref.Lane == s.ref.Lane && n.ref.Index >= s.ref.Index {
		return nil, parley.Errorf(CodeNoRoster, "roster %s, on which the release rests, is not in this record", s.body.Roster.Long())
	}
	if by := d.replaced(n, s, f); by != nil {
		return nil, parley.Errorf(CodeOldRoster, "roster %d had been replaced by roster %d, %s", n.body.Serial, by.body.Serial, by.ref)
	}
	return n, nil
}

func standing(s parley.Standing) string { return cmp.Or(s.String(), "in force") }

// fits reports whether a sound RELEASE speaks for just this entry.
func fits(s *speech, f *follower) error {
	if s.to != f.to {
		return parley.Errorf(CodeAudience, "the release is addressed to %#x, the entry to %#x", uint32(s.to), uint32(f.to))
	}
	if s.body.Digest != f.digest {
		return parley.Errorf(CodeDigest, "the release is for %s, the entry is %s", s.body.Digest.Short(), f.digest.Short())
	}
	return nil
}

// replaced is a roster of a greater serial that stood before the RELEASE: in
// the same log by its place, in another by the times that their author
// claims. The entry released does not replace the roster that releases it.
func (d *Desk) replaced(n *naming, s *speech, f *follower) *naming {
	list := d.named[n.ref.Party]
	for i := len(list) - 1; i >= 0 && list[i].body.Serial > n.body.Serial; i-- {
		o := list[i]
		same := o.ref.Lane == s.ref.Lane && o.ref.Gen == s.ref.Gen
		if o.counts() && o.ref != f.ref && (same && o.ref.Index < s.ref.Index || !same && o.time < s.time) {
			return o
		}
	}
	return nil
}

// unused reports whether no other RELEASE that the caller counts as earlier
// spent one of the approvals on an entry. An approval is good for the first
// entry of its log that it stands before; where it stands in two generations,
// for the one of the smaller claimed time.
func (d *Desk) unused(us [2]use, earlier func(*speech) bool) error {
	for _, u := range us {
		for _, o := range d.uses[u] {
			if !o.standing.Effective() || !earlier(o) {
				continue
			}
			next := placeOf(o.ref)
			next.index++
			if f := d.followers[next]; f.standing.Effective() {
				return parley.Errorf(CodeUsed, "the same approval stands before %s already", f.ref)
			}
		}
	}
	return nil
}

func earlier(a, b *speech) bool {
	if a == b {
		return false
	}
	if a.ref.Gen == b.ref.Gen && a.ref.Lane == b.ref.Lane {
		return a.ref.Index < b.ref.Index
	}
	return cmp.Or(cmp.Compare(a.time, b.time), a.ref.Compare(b.ref)) < 0
}
