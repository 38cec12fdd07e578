package officer

import (
	"fmt"
	"time"

	"parley"
	"parley/release"
)

// saved is a new draft or an edit, which voids what was approved before.
type saved struct {
	Draft  uint64
	Rev    uint64
	Line   uint64
	Lane   parley.Lane
	Text   parley.Hash // of the content, kept apart
	Roster bool
}

func (v *saved) act() Act { return ActSaved }
func (v *saved) fields(c *coder) {
	number(c, &v.Draft, parley.MaxUint)
	number(c, &v.Rev, parley.MaxUint)
	number(c, &v.Line, parley.MaxUint)
	number(c, &v.Lane, parley.Lanes-1)
	c.hash(&v.Text)
	c.bool(&v.Roster)
}
func (v *saved) apply(s *state, e *entry) error {
	d := s.drafts[v.Draft]
	switch {
	case d == nil && v.Draft == s.nextDoc && v.Rev == 1:
		d = &draft{Draft: Draft{ID: v.Draft, Roster: v.Roster}}
		s.drafts[v.Draft] = d
		s.nextDoc++
	case d == nil || v.Rev != d.Rev+1 || d.State > Returned || d.Roster:
		return unfit(e, "draft %d", v.Draft)
	}
	if d.Drafter != 0 {
		d.Reason = ""
	}
	d.Rev, d.By, d.Saved, d.Changed, d.text = v.Rev, e.Actor, e.Time, e.Time, v.Text
	d.Line, d.Message.Lane = v.Line, v.Lane
	d.void()
	if d.State == Submitted {
		d.State = Drafting
	}
	return nil
}
func (v *saved) detail() string { return fmt.Sprintf("%s, revision %d", v.Lane, v.Rev) }

// void forgets the approvals.
func (d *draft) void() {
	d.Drafter, d.Releaser, d.drafted, d.released, d.draftKey = 0, 0, parley.Hash{}, parley.Hash{}, release.ID{}
}

// approved is the drafter's step or the releaser's.
type approved struct {
	name     Act
	Draft    uint64
	Rev      uint64
	Approval parley.Hash // the assertion, kept apart
	Count    uint32
	BackedUp bool
	Persons  uint8
	Stated   bool      // both approvals go out, as a RELEASE
	At       time.Time // by the machine's clock, which the journal's never follows back
}

func (v *approved) act() Act { return v.name }
func (v *approved) fields(c *coder) {
	number(c, &v.Draft, parley.MaxUint)
	number(c, &v.Rev, parley.MaxUint)
	c.hash(&v.Approval)
	number(c, &v.Count, 1<<32-1)
	c.bool(&v.BackedUp)
	number(c, &v.Persons, 2)
	c.bool(&v.Stated)
	c.time(&v.At)
}
func (v *approved) apply(s *state, e *entry) error {
	d, p := s.drafts[v.Draft], s.active(e.Actor)
	if d == nil || p == nil || d.Rev != v.Rev {
		return unfit(e, "draft %d", v.Draft)
	}
	c := p.key(e.Key)
	if c == nil {
		return unfit(e, "passkey %s", e.Key.Short())
	}
	if v.name == ActSubmitted {
		if d.State != Drafting && d.State != Returned {
			return unfit(e, "draft %d is %s", v.Draft, d.State)
		}
		d.State, d.Drafter, d.drafted, d.draftKey, d.Reason = Submitted, e.Actor, v.Approval, e.Key, ""
	} else {
		two := v.Persons == 2
		if d.State > Returned || two && (d.State != Submitted || d.Drafter == e.Actor || d.draftKey == e.Key) {
			return unfit(e, "draft %d is %s", v.Draft, d.State)
		}
		d.State, d.Releaser, d.released, d.Persons, d.stated = Releasing, e.Actor, v.Approval, int(v.Persons), v.Stated
		d.releasedAt = v.At
	}
	d.Changed = e.Time
	c.use(e, v.Count, v.BackedUp)
	return nil
}

// moved returns a draft, gives it up, or says that it was not posted.
type moved struct {
	name  Act
	Draft uint64
	Why   string
}

func (v *moved) act() Act { return v.name }
func (v *moved) fields(c *coder) {
	number(c, &v.Draft, parley.MaxUint)
	c.text(&v.Why, 2000)
}
func (v *moved) apply(s *state, e *entry) error {
	d := s.drafts[v.Draft]
	if d == nil || !d.State.Open() || (v.name == ActNotPosted) != (d.State == Releasing) {
		return unfit(e, "draft %d", v.Draft)
	}
	switch v.name {
	case ActReturned:
		d.State = Returned
		d.void()
	case ActDropped:
		d.State = Dropped
	default: // its drafter still stands for it, if he did
		d.State, d.Releaser, d.released = Submitted, 0, parley.Hash{}
		if d.Drafter == 0 {
			d.State = Drafting
		}
	}
	d.Reason, d.Changed = v.Why, e.Time
	return nil
}
func (v *moved) detail() string { return v.Why }

// posted says where the record holds a draft.
type posted struct {
	Draft uint64
	Ref   parley.Ref
}

func (v *posted) act() Act { return ActPosted }
func (v *posted) fields(c *coder) {
	number(c, &v.Draft, parley.MaxUint)
	c.ref(&v.Ref)
}
func (v *posted) apply(s *state, e *entry) error {
	d := s.drafts[v.Draft]
	if d == nil || d.State != Releasing {
		return unfit(e, "draft %d", v.Draft)
	}
	if s.taken(v.Ref) {
		return unfit(e, "%s is another draft already", v.Ref)
	}
	d.State, d.Ref, d.Changed = Released, &v.Ref, e.Time
	return nil
}

// taken reports that an entry is a draft that was posted.
func (s *state) taken(ref parley.Ref) bool {
	for _, d := range s.drafts {
		if d.Ref != nil && *d.Ref == ref {
			return true
		}
	}
	return false
}

func (v *posted) detail() string { return v.Ref.String() }

// rosterEvent is the roster that the record holds as this party's newest.
type rosterEvent struct {
	Ref  parley.Ref
	Body []byte
}

func (v *rosterEvent) act() Act { return ActRoster }
func (v *rosterEvent) fields(c *coder) {
	c.ref(&v.Ref)
	c.bytes(&v.Body, maxRecord/2)
}
func (v *rosterEvent) apply(s *state, e *entry) error {
	body, err := release.Parse(release.KindRoster, v.Body)
	if err != nil {
		return err
	}
	s.roster, s.rosterAt = body.(*release.Roster), v.Ref
	s.warn(e, 0, time.Time{})
	return nil
}
func (v *rosterEvent) detail() string { return v.Ref.String() }

// rulesEvent proposes rules, or puts the proposed ones in force; without any
// rule it withdraws the proposal.
type rulesEvent struct {
	name  Act
	Rules []Rule
	Bound bool
}

func (v *rulesEvent) act() Act { return v.name }
func (v *rulesEvent) fields(c *coder) {
	each(c, &v.Rules, 512, func(r *Rule) {
		c.group(func() {
			number(c, &r.Line, parley.MaxUint)
			number(c, &r.Lane, parley.Lanes-1)
			n := uint8(r.Persons)
			number(c, &n, 2)
			r.Persons = int(n)
			each(c, &r.Draft, 64, func(o *ID) { c.officer(o) })
			each(c, &r.Release, 64, func(o *ID) { c.officer(o) })
		})
	})
	c.bool(&v.Bound)
}
func (v *rulesEvent) apply(s *state, e *entry) error {
	if v.name == ActRules {
		s.proposed, s.proposer, s.askedAt = v, e.Actor, e.Time
		if len(v.Rules) == 0 {
			s.proposed, s.proposer = nil, 0
		}
	} else {
		if s.proposed == nil || s.proposer == e.Actor {
			return unfit(e, "nobody else proposed them")
		}
		s.rules, s.bound, s.proposed, s.proposer = v.Rules, v.Bound, nil, 0
	}
	s.warn(e, e.Actor, time.Time{})
	return nil
}
func (v *rulesEvent) detail() string { return fmt.Sprintf("%d rules", len(v.Rules)) }
