package officer

import (
	"crypto/sha256"

	"github.com/go-webauthn/webauthn/webauthn"

	"parley"
	"parley/release"
)

// software is the key of an officer of a demonstration.
func (b *Book) software(o ID) *release.Software {
	return release.NewSoftware(sha256.Sum256(append(b.secret.demo[:], o.String()...)))
}

// BeginSubmit asks the drafter's passkey to stand for the bytes that he saw.
func (b *Book) BeginSubmit(s *Session, id uint64, digest parley.Hash) (*Ceremony, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.beginStep(s, release.StepDraft, id, digest)
}

// BeginRelease asks the releaser's passkey to let them go out.
func (b *Book) BeginRelease(s *Session, id uint64, digest parley.Hash) (*Ceremony, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.beginStep(s, release.StepRelease, id, digest)
}

func (b *Book) beginStep(s *Session, step release.Step, id uint64, digest parley.Hash) (*Ceremony, error) {
	d, persons, err := b.admit(s, step, id, digest, release.ID{})
	if err != nil {
		return nil, err
	}
	if err := b.limits.allow(perApprove, "step", s.Officer.String(), b.cfg.Now()); err != nil {
		return nil, err
	}
	if v := b.live[s.Hash].views[id]; v.digest != digest || b.cfg.Now().Sub(v.at) < LookLimit {
		return nil, parley.Errorf(CodeQuick, "draft %d was not read long enough", id)
	}
	c := &ceremony{purpose: forSubmit, session: s.Hash, officer: s.Officer, draft: id, rev: d.Rev, digest: digest, step: step, persons: persons}
	if step == release.StepRelease {
		c.purpose = forRelease
	}
	if err := b.random(c.nonce[:]); err != nil {
		return nil, err
	}
	if b.cfg.Demo {
		return b.ask(c, nil)
	}
	challenge := release.Challenge(b.cfg.Channel, b.cfg.Party, step, c.nonce, digest)
	o, data, err := b.auth.BeginLogin(userOf(b.state.active(s.Officer)), webauthn.WithChallenge(challenge[:]))
	if err != nil {
		return nil, parley.Errorf(CodePasskey, "%w", err)
	}
	c.data = *data
	return b.ask(c, o)
}

// admit is everything that must hold for a step, asked when it begins and
// again when it ends. key is the passkey that did it; zero while none did.
func (b *Book) admit(s *Session, step release.Step, id uint64, digest parley.Hash, key release.ID) (*draft, uint8, error) {
	action := SubmitDraft
	if step == release.StepRelease {
		action = ReleaseDraft
	}
	if err := b.may(s, action, Object{Draft: id}); err != nil {
		return nil, 0, err
	}
	d, out, err := b.standing(id, digest)
	if err != nil {
		return nil, 0, err
	}
	persons := uint8(b.persons(d))
	if step == release.StepDraft {
		if d.State != Drafting && d.State != Returned {
			return nil, 0, parley.Errorf(CodeState, "draft %d is %s", id, d.State)
		}
	} else if err := b.admitRelease(s, d, persons, key); err != nil {
		return nil, 0, err
	}
	if d.Roster {
		err = b.admitRoster(d, out)
	} else if persons == 2 {
		err = b.admitKeys(s, step, key)
	}
	return d, persons, err
}

// admitRelease: the drafter stands for it, still may, and is another person
// with another key; or the rule asks for one person only.
func (b *Book) admitRelease(s *Session, d *draft, persons uint8, key release.ID) error {
	if persons == 1 {
		if d.State > Returned {
			return parley.Errorf(CodeState, "draft %d is %s", d.ID, d.State)
		}
	} else {
		if d.State != Submitted {
			return parley.Errorf(CodeState, "draft %d is %s", d.ID, d.State)
		}
		if d.Drafter == s.Officer {
			return parley.Errorf(CodeSame, "officer %d drafted it", s.Officer)
		}
		if d.draftKey == key {
			return parley.Errorf(CodeSameKey, "passkey %s drafted it", key.Short())
		}
		p := b.state.active(d.Drafter)
		if p == nil || p.Roles&Drafter == 0 || p.key(d.draftKey) == nil {
			return parley.Errorf(CodeState, "its drafter, or the passkey that signed it, is not in the book any more; return it")
		}
		if !d.Roster && !b.inRoster(d.draftKey, release.StepDraft) {
			return parley.Errorf(CodeRoster, "the drafter's passkey is not in the roster; return the draft, or post the roster")
		}
	}
	if c := b.state.active(s.Officer).key(key); c != nil && b.state.bound && c.Synced {
		return parley.Errorf(CodeSynced, "passkey %s may exist on several devices", key.Short())
	}
	return nil
}

var notTwo = map[string]string{
	"officers": "there are not two officers of whom one drafts and another releases",
	"unposted": "the roster of keys was not posted yet",
	"former":   "the roster that was posted does not name two of the officers of now",
}

// admitKeys asks whether what two persons sign could be checked by the other
// side: by keys of the roster that was posted.
func (b *Book) admitKeys(s *Session, step release.Step, key release.ID) error {
	if !b.twoAble() {
		return parley.Errorf(CodeTwo, "%s", notTwo[b.whyNotTwo()])
	}
	if key != (release.ID{}) {
		if !b.inRoster(key, step) {
			return parley.Errorf(CodeRoster, "passkey %s is not in the roster for this", key.Short())
		}
		return nil
	}
	for _, c := range b.state.active(s.Officer).creds {
		if b.inRoster(c.Key, step) {
			return nil
		}
	}
	return parley.Errorf(CodeRoster, "no passkey of this officer is in the roster for this")
}

func (b *Book) inRoster(key release.ID, step release.Step) bool {
	if b.state.roster == nil {
		return false
	}
	o := b.state.roster.Find(key)
	return o != nil && o.Functions.Allows(step)
}

// FinishSubmit takes the drafter's assertion.
func (b *Book) FinishSubmit(s *Session, id string, answer []byte) (*Draft, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d, err := b.finishStep(s, forSubmit, id, answer)
	if err != nil {
		return nil, err
	}
	return b.draft(d)
}

// FinishRelease takes the releaser's. What it returns must be posted, exactly
// once; then call Posted or NotPosted. Nobody else can release the draft, and
// a process that ends here asks the record at its next start (Settle).
func (b *Book) FinishRelease(s *Session, id string, answer []byte) (*Ready, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	d, err := b.finishStep(s, forRelease, id, answer)
	if err != nil {
		return nil, err
	}
	return b.ready(d)
}

func (b *Book) finishStep(s *Session, p purpose, id string, answer []byte) (*draft, error) {
	if s == nil {
		return nil, parley.Errorf(CodeSession, "nobody is signed in here")
	}
	c, err := b.answered(id, p, s)
	if err != nil {
		return nil, b.refuseAnswer(s, err)
	}
	a, err := b.assert(c, answer)
	var d *draft
	if err == nil {
		var persons uint8
		d, persons, err = b.admit(s, c.step, c.draft, c.digest, a.cred.Key)
		if err == nil && (d.Rev != c.rev || persons != c.persons) {
			err = parley.Errorf(CodeStale, "draft %d, or its rule, was changed meanwhile", c.draft)
		}
	}
	if err == nil {
		err = b.asPeer(d, c, a)
	}
	if err != nil {
		return nil, b.refuseStep(s, c, a, err)
	}
	x := b.batch(s)
	h, err := b.keep(x, encode(&approval{a.approval}))
	if err != nil {
		return nil, err
	}
	v := &approved{name: ActSubmitted, Draft: c.draft, Rev: c.rev, Approval: h, Count: a.count, BackedUp: a.backedUp, At: x.now}
	if p == forRelease {
		v.name, v.Persons = ActReleasing, c.persons
		v.Stated = c.persons == 2 && (!d.Roster || b.rosterBase() == b.state.roster)
	}
	x.by = &Session{Hash: s.Hash, Officer: s.Officer, Key: a.cred.Key}
	return d, b.commit(x.add(object("draft", c.draft), v))
}

// assert checks the answer; in a demonstration the book signs by itself.
func (b *Book) assert(c *ceremony, answer []byte) (*assertion, error) {
	if !b.cfg.Demo {
		a, err := b.verify(c, answer)
		if a != nil {
			a.approval.Nonce = c.nonce
		}
		return a, err
	}
	p := b.state.active(c.officer)
	if p == nil || len(p.creds) == 0 {
		return nil, parley.Errorf(CodePasskey, "the officer has no key")
	}
	return &assertion{person: p, cred: p.creds[0], approval: b.software(p.ID).Approve(b.cfg.RPID, b.cfg.Origins[0], b.cfg.Channel,
		b.cfg.Party, c.step, c.nonce, c.digest)}, nil
}

// asPeer checks an approval as the other side will, before it is kept.
func (b *Book) asPeer(d *draft, c *ceremony, a *assertion) error {
	roster := b.state.roster
	if d.Roster {
		roster = b.rosterBase()
	} else if c.persons == 1 {
		return nil // nothing of it goes out
	}
	_, err := release.Verify(roster, b.cfg.Channel, b.cfg.Party, c.step, c.digest, &a.approval)
	return err
}

// refuseAnswer enters an answer to no open question, which a replay is.
func (b *Book) refuseAnswer(s *Session, err error) error {
	if gone := b.alive(s.Hash); gone != nil {
		return gone
	}
	if b.limits.allow(perDenied, "answer", s.Officer.String(), b.cfg.Now()) != nil {
		return err
	}
	if failed := b.commit(b.batch(s).add("", &refusal{name: ActStepRefused, Why: clip(err.Error(), 512)})); failed != nil {
		return failed
	}
	return err
}

// refuseStep enters a refused step in the journal.
func (b *Book) refuseStep(s *Session, c *ceremony, a *assertion, err error) error {
	switch parley.CodeOf(err) {
	case CodeForbidden, CodeSession: // entered by may, or nobody's
		return err
	}
	x := b.batch(s).add(object("draft", c.draft), &refusal{name: ActStepRefused, Why: clip(err.Error(), 512)})
	if a != nil && parley.CodeOf(err) == CodeCloned {
		x.add(object("officer", uint64(a.person.ID)), &gone{name: ActCloned, Officer: a.person.ID, Key: a.cred.Key})
	}
	if failed := b.commit(x); failed != nil {
		return failed
	}
	return err
}
