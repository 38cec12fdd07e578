package hotline

import (
	"fmt"
	"slices"
	"strings"

	"parley"
)

// Dump prints all facts that desks share, in one fixed order: two desks that
// were given the same entries and receipts print the same, whatever the order.
// What only this node knows (when it stored something) is left out.
func (d *Desk) Dump() string {
	var b strings.Builder
	for _, r := range d.sorted() {
		fmt.Fprintf(&b, "%s %s kind %d to %#x time %d", r.ref.Long(), r.ref.Leaf.Short(), r.kind, uint32(r.to), r.time)
		if s := r.standing.String(); s != "" {
			fmt.Fprintf(&b, " %s", s)
		}
		if r.bad != nil {
			fmt.Fprintf(&b, " malformed %s\n", parley.CodeOf(r.bad))
			continue
		}
		fmt.Fprintf(&b, " %x\n", r.body.Encode())
		d.dumpState(&b, r)
	}
	for _, n := range d.lineNumbers() {
		l := d.current(n)
		if l == nil {
			fmt.Fprintf(&b, "line %d not in force\n", n)
			continue
		}
		fmt.Fprintf(&b, "line %d %s since %d\n", n, l.ref.Long(), l.since)
	}
	return b.String()
}

func (d *Desk) sorted() []*record {
	var all []*record
	for _, r := range d.records {
		all = append(all, r)
	}
	slices.SortFunc(all, byPlace)
	return all
}

func (d *Desk) dumpState(b *strings.Builder, r *record) {
	for _, p := range r.readers.Parties() {
		a := Addressee{Party: p}
		said := d.follow(&a, r)
		received, ok := d.heldSince(p, r.ref)
		fmt.Fprintf(b, "  reader %d received %v %d opened %d passed %d answered %d declined %d said %05b\n",
			p, ok, received, a.Opened.Time, a.Passed.Time, a.Answered.Time, a.Declined.Time, said)
	}
	for _, x := range d.responses(r) {
		fmt.Fprintf(b, "  said %s code %d relation %d counts %v\n", x.Ref.Long(), x.Code, x.Relation, x.Counts)
	}
	for _, x := range d.Translations(r.ref) {
		fmt.Fprintf(b, "  beside %s %s", x.Ref.Long(), x.Fit)
		if x.Replaced != nil {
			fmt.Fprintf(b, " by %s", x.Replaced.Long())
		}
		b.WriteByte('\n')
	}
	if w := d.withdrawn(r); w != nil {
		fmt.Fprintf(b, "  withdrawn %s\n", w.Long())
	}
}
