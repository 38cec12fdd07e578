package officer

import (
	"crypto/sha256"
	"encoding/base64"
	"time"

	"parley"
	"parley/release"
)

// liveSession is what a session needs within one run of the process. Its times
// keep the monotonic clock: a jump of the wall clock neither ends a session nor
// makes it last.
type liveSession struct {
	since, seen, wrote time.Time
	views              map[uint64]view // drafts that its page shows, with what they said
}

type view struct {
	digest parley.Hash
	at     time.Time
}

// BeginSignIn asks for any passkey of this console. from is the address of the
// browser.
func (b *Book) BeginSignIn(from string) (*Ceremony, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.limits.allow(perAddress, "ask", from, b.cfg.Now()); err != nil {
		return nil, err
	}
	o, data, err := b.auth.BeginDiscoverableLogin()
	if err != nil {
		return nil, parley.Errorf(CodeSignIn, "%w", err)
	}
	return b.ask(&ceremony{purpose: forSignIn, data: *data}, o)
}

// FinishSignIn opens a session for the officer whose passkey answered. Every
// refusal has the code CodeSignIn, whoever it was, except of a passkey that may
// be copied (CodeCloned) and of too many tries; the journal says why.
func (b *Book) FinishSignIn(from, id string, answer []byte) (*SignIn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.limits.allow(perAddress, "answer", from, b.cfg.Now()); err != nil {
		return nil, err
	}
	c, err := b.answered(id, forSignIn, nil)
	var a *assertion
	if err == nil {
		a, err = b.verify(c, answer)
	}
	if err == nil {
		err = b.limits.allow(perAccount, "account", a.person.ID.String(), b.cfg.Now())
	}
	if err != nil {
		return nil, b.refuseSignIn(from, a, err)
	}
	return b.openSession(b.batch(nil), from, a.person, a.cred.Key, a.count, a.backedUp)
}

func (b *Book) refuseSignIn(from string, a *assertion, err error) error {
	x := b.batch(nil).add("address "+clip(from, 48), &refusal{name: ActRefused, Why: clip(err.Error(), 512)})
	if a != nil && parley.CodeOf(err) == CodeCloned {
		x.add(object("officer", uint64(a.person.ID)), &gone{name: ActCloned, Officer: a.person.ID, Key: a.cred.Key})
	}
	if failed := b.commit(x); failed != nil {
		return failed
	}
	switch parley.CodeOf(err) {
	case CodeCloned, CodeTooMany:
		return err
	}
	return parley.Errorf(CodeSignIn, "nobody was signed in")
}

// openSession commits x with a new session of p. Above the limit of sessions
// the officer's oldest ends.
func (b *Book) openSession(x *batch, from string, p *person, key release.ID, count uint32, backedUp bool) (*SignIn, error) {
	raw := make([]byte, 32)
	if err := b.random(raw); err != nil {
		return nil, err
	}
	hash := parley.Hash(sha256.Sum256(raw))
	if x.by == nil {
		x.by = &Session{Hash: hash, Officer: p.ID, Key: key}
	}
	open := b.state.sessionsOf(p.ID)
	for len(open) >= maxSessions {
		b.end(x, open[0].hash, "signed in elsewhere")
		open = open[1:]
	}
	x.add(object("officer", uint64(p.ID)), &signedIn{Officer: p.ID, Session: hash, Key: key, Count: count, BackedUp: backedUp, From: clip(from, 64)})
	if err := b.commit(x); err != nil {
		return nil, err
	}
	now := b.cfg.Now()
	b.live[hash] = &liveSession{since: now, seen: now, views: map[uint64]view{}}
	return &SignIn{Token: base64.RawURLEncoding.EncodeToString(raw), Session: b.session(hash)}, nil
}

// end adds the end of a session to a batch.
func (b *Book) end(x *batch, h parley.Hash, why string) {
	if b.state.sessions[h] != nil {
		x.add("session "+h.Short(), &sessionEnd{Session: h, Why: why})
		x.ended = append(x.ended, h)
	}
}

// endAll adds the end of every session of an officer.
func (b *Book) endAll(x *batch, o ID, why string) {
	for _, s := range b.state.sessionsOf(o) {
		b.end(x, s.hash, why)
	}
}

// DemoSignIn opens a session of an officer of a demonstration, without a
// passkey.
func (b *Book) DemoSignIn(from string, o ID) (*SignIn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.state.active(o)
	if !b.cfg.Demo || p == nil {
		return nil, parley.Errorf(CodeSignIn, "nobody was signed in")
	}
	return b.openSession(b.batch(nil), from, p, p.creds[0].Key, 0, false)
}

// session is an open session for the caller.
func (b *Book) session(h parley.Hash) *Session {
	o, l := b.state.sessions[h], b.live[h]
	p := b.state.active(o.officer)
	return &Session{Hash: h, Officer: p.ID, Name: p.Name, Title: p.Title, Roles: p.Roles, Key: o.key, Since: l.since, Seen: l.seen,
		Ends: l.since.Add(SessionLimit)}
}

// Session finds the session of a token and notes that a person uses it.
func (b *Book) Session(token string) (*Session, error) { return b.find(token, true) }

// Peek finds it without that, for what a page asks by itself.
func (b *Book) Peek(token string) (*Session, error) { return b.find(token, false) }

func (b *Book) find(token string, used bool) (*Session, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != 32 {
		return nil, parley.Errorf(CodeSession, "nobody is signed in here")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed != nil {
		return nil, b.failed
	}
	// The map is looked up by a hash: how long it takes says nothing of tokens.
	h := parley.Hash(sha256.Sum256(raw))
	if err := b.alive(h); err != nil {
		return nil, err
	}
	if l := b.live[h]; used {
		l.seen = b.cfg.Now()
		if d := l.seen.Sub(l.wrote); l.wrote.IsZero() || d > time.Minute || d < 0 {
			l.wrote = l.seen
			if err := b.touch(h, l.seen); err != nil {
				return nil, err
			}
		}
	}
	return b.session(h), nil
}

// alive refuses a session that is not open, and ends one whose time is over.
func (b *Book) alive(h parley.Hash) error {
	o := b.state.sessions[h]
	if o == nil || b.state.active(o.officer) == nil {
		return parley.Errorf(CodeSession, "the session has ended")
	}
	l := b.live[h]
	if l == nil { // opened before this start: by the wall clock
		l = &liveSession{since: o.since, seen: o.since, views: map[uint64]view{}}
		if at, ok := b.seenBefore[h]; ok && at.After(l.seen) {
			l.seen = at
		}
		b.live[h] = l
	}
	now, why := b.cfg.Now(), ""
	switch idle, age := now.Sub(l.seen), now.Sub(l.since); {
	case idle > IdleLimit:
		why = "not used"
	case age > SessionLimit:
		why = "too old"
	case idle < -time.Minute || age < -time.Minute:
		why = "the clock went back"
	default:
		return nil
	}
	x := b.batch(nil)
	b.end(x, h, why)
	if err := b.commit(x); err != nil {
		return err
	}
	return parley.Errorf(CodeSession, "the session has ended: %s", why)
}

// SignOut ends a session.
func (b *Book) SignOut(s *Session) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.alive(s.Hash); err != nil {
		return err
	}
	x := b.batch(s)
	b.end(x, s.Hash, "signed out")
	return b.commit(x)
}

// Sessions lists the open sessions of an officer, oldest first.
func (b *Book) Sessions(s *Session, o ID) (list []Session, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	action := SeeSessions
	if s != nil && s.Officer == o {
		action = ManageSelf
	}
	if err := b.may(s, action, Object{Officer: o}); err != nil {
		return nil, err
	}
	for _, x := range b.state.sessionsOf(o) {
		if b.alive(x.hash) == nil {
			list = append(list, *b.session(x.hash))
		}
	}
	return list, nil
}

// EndSession ends a session of one's own, or, as administrator, another's.
func (b *Book) EndSession(s *Session, h parley.Hash) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.state.sessions[h]
	if o == nil {
		return parley.Errorf(CodeSession, "the session has ended")
	}
	if err := b.may(s, manageOf(s, o.officer), Object{Officer: o.officer}); err != nil {
		return err
	}
	x := b.batch(s)
	b.end(x, h, "ended by officer "+s.Officer.String())
	return b.commit(x)
}

// manageOf is the action of managing an officer: oneself or another.
func manageOf(s *Session, o ID) Action {
	if s != nil && s.Officer == o {
		return ManageSelf
	}
	return ManageOfficers
}
