package release

import (
	"time"

	"parley"
)

// backwards is how far, in seconds, the clock may stand before an own release
// and a roster still wait for it. A roster that claims an earlier time than a
// release of the old one would make that release look late. Where the clock
// was further off, changing the officers goes before the look of that release.
const backwards = 3600

// Check asks whether this member may post a draft of this desk now, alone. A
// RELEASE never goes alone: CheckTogether judges it.
func (d *Desk) Check(p parley.Draft, now time.Time) error {
	b, err := d.checkDraft(p)
	if err != nil {
		return err
	}
	r, ok := b.(*Roster)
	if !ok {
		return parley.Errorf(CodeAlone, "a release is posted without the entry that it speaks for")
	}
	if list := d.named[d.me]; len(list) > 0 {
		if last := list[len(list)-1].body.Serial; r.Serial <= last {
			return parley.Errorf(CodeSerial, "the next roster has a serial above %d, not %d", last, r.Serial)
		}
	}
	if t := uint64(max(now.Unix(), 0)); t < d.spoke && d.spoke-t < backwards {
		return parley.Errorf(CodeClock, "the newest release claims %s", time.Unix(int64(d.spoke), 0).UTC().Format("2006-01-02 15:04:05Z"))
	}
	return nil
}

func (d *Desk) checkDraft(p parley.Draft) (Body, error) {
	b, err := Parse(p.Kind, p.Body)
	if err != nil {
		return nil, err
	}
	if p.Lane >= parley.Lanes {
		return nil, parley.Errorf(parley.CodeOutOfRange, "lane %d", p.Lane)
	}
	if err := p.To.CheckIn(d.charter, d.me); err != nil {
		return nil, err
	}
	return b, b.CheckIn(d.me, p.Lane, p.To)
}

// CheckTogether asks whether words, a RELEASE, may be posted with next right
// behind it: that it speaks for exactly this draft, rests on this member's
// newest roster, holds, and was not used before. What next says is for its own
// desk to check.
func (d *Desk) CheckTogether(words, next parley.Draft, now time.Time) error {
	b, err := d.checkDraft(words)
	if err != nil {
		return err
	}
	r, ok := b.(*Release)
	if !ok {
		return parley.Errorf(CodeAlone, "an entry of kind %d does not release another", words.Kind)
	}
	switch {
	case next.Kind == KindRelease:
		return parley.Errorf(CodeNotReleasing, "a release speaks for a release")
	case next.Lane != words.Lane || next.To != words.To:
		return parley.Errorf(CodeAudience, "the release goes to %#x in %s, the entry to %#x in %s", uint32(words.To), words.Lane, uint32(next.To), next.Lane)
	case r.Digest != Digest(next):
		return parley.Errorf(CodeDigest, "the release is for %s, the entry is %s", r.Digest.Short(), Digest(next).Short())
	}
	n := d.current(d.me)
	if n == nil {
		return parley.Errorf(CodeNoRoster, "this party has no roster")
	}
	if n.ref != r.Roster {
		return parley.Errorf(CodeOldRoster, "the release rests on %s; roster %d stands at %s", r.Roster, n.body.Serial, n.ref)
	}
	if _, _, err := r.approved(n.body, d.where(), d.me); err != nil {
		return err
	}
	return d.unused(r.uses(d.me), func(*speech) bool { return true })
}

// Compose makes the draft of a RELEASE for next, resting on this member's
// newest roster. It checks nothing; CheckTogether does, when both are posted.
func (d *Desk) Compose(next parley.Draft, drafted, released Approval) (parley.Draft, error) {
	n := d.current(d.me)
	if n == nil {
		return parley.Draft{}, parley.Errorf(CodeNoRoster, "this party has no roster")
	}
	r := &Release{Digest: Digest(next), Roster: n.ref, Drafted: drafted, Released: released}
	return Draft(r, next.Lane, next.To), nil
}
