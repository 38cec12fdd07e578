// Package docket joins the desks of one member: every entry goes to each desk,
// every question to all of them. It is what the node keeps and the officers'
// pages ask.
//
// A new desk is one line in New and one field. Desks do not know each other;
// a case on one desk cites an entry of another by its Ref.
//
// The package is pure. A Docket is not safe for use by several goroutines at
// once; reading it by several is safe while nobody writes.
package docket

import (
	"cmp"
	"slices"
	"time"

	"parley"
	"parley/hotline"
	"parley/release"
)

// Desk is what every desk offers. Apply takes in an entry of any kind and
// keeps what is its own; Proof takes in a verified receipt. Check says whether
// a draft of one of the desk's kinds may be released now. Due lists what
// members owe.
type Desk interface {
	Apply(parley.Posted)
	Proof(parley.Receipted)
	Check(parley.Draft, time.Time) error
	Due(now time.Time) []parley.Duty
}

// seat is a desk with the kinds that belong to it.
type seat struct {
	owns func(parley.Kind) bool
	Desk
}

// Docket is all desks of one member.
type Docket struct {
	Hotline *hotline.Desk
	Release *release.Desk

	seats   []seat
	unknown []Unknown
	seen    map[parley.Ref]bool // of unknown
}

// Unknown is an entry of a kind that no desk here knows. It is kept, receipted
// and shown as unknown: a newer program may read it.
type Unknown struct {
	Ref  parley.Ref
	Kind parley.Kind
	Time uint64 // its author's claim
	Size int    // bytes of its body
}

// New is the empty docket of member me in the channel of charter ch.
func New(ch *parley.Charter, me parley.Party) *Docket {
	d := &Docket{Hotline: hotline.New(ch, me), Release: release.New(ch, me), seen: map[parley.Ref]bool{}}
	d.seats = []seat{{hotline.Owns, d.Hotline}, {release.Owns, d.Release}}
	return d
}

// Apply gives an entry to every desk.
func (d *Docket) Apply(p parley.Posted) {
	for _, s := range d.seats {
		s.Apply(p)
	}
	if k := p.Entry.Kind; protocol(k) || d.seat(k) != nil || d.seen[p.Ref] {
		return
	}
	d.seen[p.Ref] = true
	d.unknown = append(d.unknown, Unknown{p.Ref, p.Entry.Kind, p.Entry.Time, len(p.Entry.Body)})
}

// protocol reports the kinds that the station handles; no desk shows them.
func protocol(k parley.Kind) bool {
	switch k {
	case parley.KindKeys, parley.KindList, parley.KindOpening, parley.KindNotice, parley.KindGeneration,
		parley.KindManifest, parley.KindRootKeys, parley.KindClosing:
		return true
	}
	return false
}

func (d *Docket) seat(k parley.Kind) *seat {
	for i := range d.seats {
		if d.seats[i].owns(k) {
			return &d.seats[i]
		}
	}
	return nil
}

// Proof gives a verified receipt to every desk.
func (d *Docket) Proof(p parley.Receipted) {
	for _, s := range d.seats {
		s.Proof(p)
	}
}

// Check asks the desk that owns the draft's kind whether it may be released.
func (d *Docket) Check(p parley.Draft, now time.Time) error {
	s := d.seat(p.Kind)
	if s == nil {
		return parley.Errorf(hotline.CodeUnknownKind, "no desk writes entries of kind %d", p.Kind)
	}
	return s.Check(p, now)
}

// CheckTogether asks whether drafts may be released now that are posted side by
// side: each by its own desk, and a RELEASE with the draft behind it.
func (d *Docket) CheckTogether(now time.Time, drafts ...parley.Draft) error {
	for i, p := range drafts {
		var err error
		if p.Kind == release.KindRelease && i+1 < len(drafts) {
			err = d.Release.CheckTogether(p, drafts[i+1], now)
		} else {
			err = d.Check(p, now)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Due lists what members owe, of all desks, soonest first; of equal times the
// higher precedence first.
func (d *Docket) Due(now time.Time) []parley.Duty {
	var out []parley.Duty
	for _, s := range d.seats {
		out = append(out, s.Due(now)...)
	}
	slices.SortStableFunc(out, func(a, b parley.Duty) int {
		return cmp.Or(a.By.Compare(b.By), cmp.Compare(a.Lane, b.Lane))
	})
	return out
}

// Urgent is Due for who shows the soonest of it. Of the desks the hotline's
// alone knows duties.
func (d *Docket) Urgent(now time.Time, most int) (ours, theirs hotline.Owed) {
	return d.Hotline.Urgent(now, most)
}

// Unknown lists the entries of unknown kinds, in order of their places.
func (d *Docket) Unknown() []Unknown {
	us := slices.Clone(d.unknown)
	slices.SortFunc(us, func(a, b Unknown) int { return a.Ref.Compare(b.Ref) })
	return us
}
