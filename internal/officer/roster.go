package officer

import (
	"bytes"

	"parley"
	"parley/release"
)

// DraftRoster keeps the roster as it should be as a draft, which two officers
// approve like any message: those of the roster that is in force, so that the
// other side sees who changed it. Where the former roster has no two officers
// left, those of the new one approve it after 24 hours, and the other side
// sees that the node alone changed it.
func (b *Book) DraftRoster(s *Session) (*Draft, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, PostRoster, Object{}); err != nil {
		return nil, err
	}
	if !b.pair(b.wanted(1)) {
		return nil, parley.Errorf(CodeTwo, "the roster needs two officers: one who drafts, another who releases")
	}
	r := b.nextRoster()
	if !b.rosterDue() {
		return nil, parley.Errorf(CodeState, "the roster that was posted is as it should be")
	}
	for _, d := range b.state.drafts {
		if !d.Roster || d.State >= Releasing {
			if d.Roster && d.State == Releasing {
				return nil, parley.Errorf(CodeState, "a roster is being posted")
			}
			continue
		}
		out, err := b.draft(d)
		if err != nil || bytes.Equal(out.Message.Body, r.Encode()) {
			return out, err
		}
		x := b.batch(s).add(object("draft", d.ID), &moved{name: ActDropped, Draft: d.ID, Why: "a newer roster"})
		x.drop = d.held()
		if err := b.commit(x); err != nil {
			return nil, err
		}
	}
	if err := r.Check(); err != nil {
		return nil, err
	}
	return b.newDraft(s, Content{Message: release.Draft(r, parley.Routine, parley.ToAll), Subject: "Roster " + itoa(r.Serial)}, true)
}

func (b *Book) nextRoster() *release.Roster {
	if b.state.roster == nil {
		return b.wanted(1)
	}
	return b.wanted(b.state.roster.Serial + 1)
}

// rosterDue reports whether the posted roster differs from what it should be.
func (b *Book) rosterDue() bool {
	if b.state.roster == nil {
		return b.pair(b.wanted(1))
	}
	return !bytes.Equal(b.wanted(b.state.roster.Serial).Encode(), b.state.roster.Encode())
}

// pair reports whether a roster has two different active officers, one with a
// key that drafts and another with a key that releases, and both have the key.
func (b *Book) pair(r *release.Roster) bool {
	if r == nil {
		return false
	}
	draft, let := map[ID]bool{}, map[ID]bool{}
	for _, p := range b.state.officers {
		for _, c := range p.creds {
			if k := r.Find(c.Key); k != nil && p.State == Active {
				if k.Functions.Allows(release.StepDraft) && p.Roles&Drafter != 0 {
					draft[p.ID] = true
				}
				if k.Functions.Allows(release.StepRelease) && p.Roles&Releaser != 0 {
					let[p.ID] = true
				}
			}
		}
	}
	for d := range draft {
		for l := range let {
			if d != l {
				return true
			}
		}
	}
	return false
}

// rosterBase is the roster by whose keys the next one is approved.
func (b *Book) rosterBase() *release.Roster {
	if b.pair(b.state.roster) {
		return b.state.roster
	}
	return b.nextRoster()
}

// admitRoster: the draft is still what the roster should be, and where nobody
// of the former one is left to approve it, a day has passed.
func (b *Book) admitRoster(d *draft, out *Draft) error {
	if !bytes.Equal(out.Message.Body, b.nextRoster().Encode()) {
		return parley.Errorf(CodeStale, "officers changed since this roster was made; make it again")
	}
	if b.state.roster != nil && !b.pair(b.state.roster) && b.cfg.Now().Sub(d.Saved) < RecoveryDelay && d.State == Submitted {
		return parley.Errorf(CodeWait, "the former roster has no two officers left; this one can be released 24 hours after it was made")
	}
	return nil
}

// NoteRoster tells the book which roster of this party the record holds as its
// newest: call it at start and when it changed. The book learns its own that
// way after it was lost.
func (b *Book) NoteRoster(ref parley.Ref, r *release.Roster) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state.roster != nil && (r.Serial < b.state.roster.Serial || bytes.Equal(r.Encode(), b.state.roster.Encode())) {
		return nil
	}
	return b.commit(b.batch(nil).add("roster", &rosterEvent{Ref: ref, Body: r.Encode()}))
}

// twoAble reports whether what takes two persons can go out.
func (b *Book) twoAble() bool { return b.pair(b.state.roster) }

// whyNotTwo is empty if it can, else a word (Standing.Reason).
func (b *Book) whyNotTwo() string {
	switch {
	case b.twoAble():
		return ""
	case !b.pair(b.wanted(1)):
		return "officers"
	case b.state.roster == nil:
		return "unposted"
	}
	return "former"
}

// wanted is the roster as it should be with the given serial.
func (b *Book) wanted(serial uint64) *release.Roster {
	r := &release.Roster{Serial: serial, Demo: b.cfg.Demo, RPID: b.cfg.RPID, Origins: b.cfg.Origins}
	for _, p := range b.state.people() {
		if p.State != Active {
			continue
		}
		for _, c := range p.creds {
			if f := b.functions(p, c); f != 0 {
				r.Keys = append(r.Keys, release.Officer{Alg: c.Alg, Key: c.raw, Title: p.Title, Functions: f})
			}
		}
	}
	return r
}

// functions is what a key may do in the roster.
func (b *Book) functions(p *person, c *credential) (f release.Functions) {
	if p.Roles&Drafter != 0 {
		f |= release.MayDraft
	}
	if p.Roles&Releaser != 0 && !(b.state.bound && c.Synced) {
		f |= release.MayRelease
	}
	return f
}
