package officer

import (
	"cmp"
	"slices"
	"time"

	"parley"
)

// AskRecovery is the first of two officers who let a third enrol again.
func (b *Book) AskRecovery(s *Session, o ID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, ApproveChange, Object{Officer: o}); err != nil {
		return err
	}
	switch {
	case s.Officer == o:
		return parley.Errorf(CodeSame, "nobody asks for himself")
	case b.state.active(o) == nil || b.state.recover[o] != nil:
		return parley.Errorf(CodeOfficer, "officer %d is not active, or recovery was asked for already", o)
	}
	return b.commit(b.batch(s).add(object("officer", uint64(o)), &recoveryEvent{name: ActRecovery, Officer: o}))
}

// ApproveRecovery is the second. The link can be made 24 hours later.
func (b *Book) ApproveRecovery(s *Session, o ID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, ApproveChange, Object{Officer: o}); err != nil {
		return err
	}
	r := b.state.recover[o]
	switch {
	case r == nil || r.Approved != 0:
		return parley.Errorf(CodeOfficer, "no recovery of officer %d waits for a second officer", o)
	case s.Officer == o || s.Officer == r.Asked:
		return parley.Errorf(CodeSame, "another officer must approve it")
	case b.state.active(r.Asked) == nil:
		return parley.Errorf(CodeSame, "the officer who asked is no officer any more; ask again")
	}
	if err := b.second(s, r.Since); err != nil {
		return err
	}
	open := b.cfg.Now().Add(RecoveryDelay)
	return b.commit(b.batch(s).add(object("officer", uint64(o)), &recoveryEvent{name: ActRecoveryTwo, Officer: o, Open: open}))
}

// second asks whether an officer counts as the second person of a change that
// was begun at since. An administrator alone can enter an officer and enrol
// him with a passkey of his own; so, once a roster was posted, only officers
// that stand in it count, whom two let in. Where it names no two of the
// officers of now, a day must pass, in which everybody is told.
func (b *Book) second(s *Session, since time.Time) error {
	r := b.state.roster
	switch {
	case r == nil:
		return nil
	case b.pair(r):
		for _, c := range b.state.active(s.Officer).creds {
			if r.Find(c.Key) != nil {
				return nil
			}
		}
		return parley.Errorf(CodeRoster, "no passkey of this officer is in the roster that was posted")
	case b.cfg.Now().Sub(since) < RecoveryDelay:
		return parley.Errorf(CodeWait, "the roster names no two officers of now; it can be approved 24 hours after it was begun")
	}
	return nil
}

// StopRecovery ends it: the officer himself may, and everybody who could
// approve.
func (b *Book) StopRecovery(s *Session, o ID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	action := ApproveChange
	if s != nil && s.Officer == o {
		action = ManageSelf
	}
	if err := b.may(s, action, Object{Officer: o}); err != nil {
		return err
	}
	if b.state.recover[o] == nil {
		return parley.Errorf(CodeOfficer, "no recovery of officer %d is open", o)
	}
	return b.commit(b.batch(s).add(object("officer", uint64(o)), &recoveryEvent{name: ActRecoveryEnded, Officer: o}))
}

// RecoveryLink makes the link once its time has come. Enrolling with it
// removes the officer's former passkeys and ends his sessions.
func (b *Book) RecoveryLink(s *Session, o ID) (token string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, ApproveChange, Object{Officer: o}); err != nil {
		return "", err
	}
	r := b.state.recover[o]
	if r == nil || r.Approved == 0 {
		return "", parley.Errorf(CodeOfficer, "no recovery of officer %d was approved", o)
	}
	if now := b.cfg.Now(); now.Before(r.Open) {
		return "", parley.Errorf(CodeWait, "the link can be made at %s", r.Open.UTC().Format(time.RFC3339))
	}
	x := b.batch(s)
	if token, err = b.newLink(x, o, true); err != nil {
		return "", err
	}
	return token, b.commit(x)
}

// Recoveries lists those that are open.
func (b *Book) Recoveries() (list []Recovery) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.state.recover {
		x := *r
		x.Name = b.state.name(r.Officer)
		list = append(list, x)
	}
	slices.SortFunc(list, func(a, c Recovery) int { return cmp.Compare(a.Officer, c.Officer) })
	return list
}
