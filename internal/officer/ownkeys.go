package officer

import (
	"parley"
	"parley/release"
)

// BeginAddPasskey asks for a further passkey of the session's officer.
func (b *Book) BeginAddPasskey(s *Session) (*Ceremony, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.permit(s, OwnPasskeys); err != nil {
		return nil, err
	}
	if err := b.limits.allow(perEnrol, "enrol", s.Officer.String(), b.cfg.Now()); err != nil {
		return nil, err
	}
	o, data, err := b.beginCreate(userOf(b.state.active(s.Officer)))
	if err != nil {
		return nil, err
	}
	return b.ask(&ceremony{purpose: forPasskey, officer: s.Officer, session: s.Hash, data: *data}, o)
}

// permit is may for what an officer does to himself.
func (b *Book) permit(s *Session, a Action) error {
	if s == nil {
		return parley.Errorf(CodeSession, "nobody is signed in here")
	}
	return b.may(s, a, Object{Officer: s.Officer})
}

// FinishAddPasskey takes it.
func (b *Book) FinishAddPasskey(s *Session, id, label string, answer []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.permit(s, OwnPasskeys); err != nil {
		return err
	}
	c, err := b.answered(id, forPasskey, s)
	if err != nil {
		return err
	}
	p := b.state.active(s.Officer)
	v, err := b.create(c, userOf(p), answer)
	if err != nil {
		return err
	}
	v.Officer, v.Label = s.Officer, clip(label, 64)
	if err := b.fits(v, p.Roles); err != nil {
		return err
	}
	return b.commit(b.batch(s).add(object("officer", uint64(s.Officer)), v))
}

// RemovePasskey removes one's own passkey, but for the last, or, as
// administrator, another's. Sessions that it opened end, and approvals that it
// gave do not hold any more.
func (b *Book) RemovePasskey(s *Session, o ID, k release.ID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	action := ManageOfficers
	if s != nil && s.Officer == o {
		action = OwnPasskeys
	}
	if err := b.may(s, action, Object{Officer: o}); err != nil {
		return err
	}
	p := b.state.active(o)
	if p == nil || p.key(k) == nil {
		return parley.Errorf(CodeOfficer, "there is no such passkey")
	}
	if len(p.creds) == 1 && (s.Officer == o || p.Roles&Administrator != 0 && b.state.administrators() == 1) {
		return parley.Errorf(CodeLast, "this is the last passkey")
	}
	x := b.batch(s).add(object("officer", uint64(o)), &gone{name: ActPasskeyGone, Officer: o, Key: k})
	for _, open := range b.state.sessionsOf(o) {
		if open.key == k || s.Officer != o {
			b.end(x, open.hash, "passkey removed")
		}
	}
	return b.commit(x)
}
