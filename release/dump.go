package release

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"parley"
)

// Dump prints all facts that desks share, in one fixed order: two desks that
// were given the same entries print the same, whatever the order. It verifies
// every release.
func (d *Desk) Dump() string {
	var b strings.Builder
	for _, r := range slices.SortedFunc(maps.Keys(d.rosters), parley.Ref.Compare) {
		n := d.rosters[r]
		fmt.Fprintf(&b, "roster %s %s time %d %s\n", r.Long(), r.Leaf.Short(), n.time, n.standing)
		if n.bad != nil {
			fmt.Fprintf(&b, "  malformed %s\n", parley.CodeOf(n.bad))
			continue
		}
		fmt.Fprintf(&b, "  %x\n", n.body.Encode())
		if v := d.Version(r); v != nil {
			fmt.Fprintf(&b, "  %s, current %v, %d notes\n", v.Change, d.current(r.Party) == n, len(v.Notes))
		}
	}
	var refs []parley.Ref
	for at, f := range d.followers {
		if at.index--; d.speeches[at] != nil {
			refs = append(refs, f.ref)
		}
	}
	for _, s := range d.speeches {
		refs = append(refs, s.ref)
	}
	slices.SortFunc(refs, parley.Ref.Compare)
	for _, r := range slices.Compact(refs) {
		s := d.Of(r)
		fmt.Fprintf(&b, "%s %s: %s %s %x %x roster %s\n", r.Long(), r.Leaf.Short(), s.State, parley.CodeOf(s.Why), s.Drafted.Key, s.Released.Key, s.Roster.Long())
	}
	return b.String()
}
