package officer

import (
	"time"

	"parley"
	"parley/release"
)

// passkeyEvent adds a passkey, by a link or by its officer.
type passkeyEvent struct {
	Officer  ID
	ID       []byte
	COSE     []byte
	Alg      release.Alg
	Raw      []byte
	Count    uint32
	Synced   bool
	BackedUp bool
	Model    string
	Label    string
	Link     parley.Hash // zero: none
}

func (v *passkeyEvent) act() Act { return ActPasskey }
func (v *passkeyEvent) fields(c *coder) {
	c.officer(&v.Officer)
	c.bytes(&v.ID, 1023) // SPEC (WebAuthn): at most 1023 bytes
	c.bytes(&v.COSE, 1024)
	number(c, &v.Alg, 8)
	c.bytes(&v.Raw, 65)
	number(c, &v.Count, 1<<32-1)
	c.bool(&v.Synced)
	c.bool(&v.BackedUp)
	c.text(&v.Model, 32)
	c.text(&v.Label, 64)
	c.hash(&v.Link)
}
func (v *passkeyEvent) apply(s *state, e *entry) error {
	p, key := s.officers[v.Officer], release.KeyID(v.Alg, v.Raw)
	if p == nil || p.State == Removed {
		return unfit(e, "officer %d", v.Officer)
	}
	for _, o := range s.officers {
		if o.key(key) != nil {
			return parley.Errorf(CodeKnownKey, "this passkey is enrolled already")
		}
	}
	if _, c := s.byCredential(v.ID); c != nil {
		return parley.Errorf(CodeKnownKey, "this passkey is enrolled already")
	}
	if l := s.links[v.Link]; l != nil && l.again {
		p.creds = nil // lost, or in other hands
		delete(s.recover, v.Officer)
	}
	delete(s.links, v.Link)
	s.dropLinks(v.Officer)
	p.State = Active
	p.creds = append(p.creds, &credential{Passkey: Passkey{Key: key, Label: v.Label, Alg: v.Alg, Added: e.Time, Synced: v.Synced,
		BackedUp: v.BackedUp, Model: v.Model}, id: v.ID, cose: v.COSE, raw: v.Raw, count: v.Count})
	s.warn(e, v.Officer, time.Time{})
	return nil
}
func (v *passkeyEvent) detail() string {
	return "passkey " + release.KeyID(v.Alg, v.Raw).Short()
}

// signedIn opens a session.
type signedIn struct {
	Officer  ID
	Session  parley.Hash
	Key      release.ID
	Count    uint32
	BackedUp bool
	From     string // address of the browser
}

func (v *signedIn) act() Act { return ActSignIn }
func (v *signedIn) fields(c *coder) {
	c.officer(&v.Officer)
	c.hash(&v.Session)
	c.key(&v.Key)
	number(c, &v.Count, 1<<32-1)
	c.bool(&v.BackedUp)
	c.text(&v.From, 64)
}
func (v *signedIn) detail() string { return "from " + v.From }
func (v *signedIn) apply(s *state, e *entry) error {
	p := s.active(v.Officer)
	if p == nil || s.sessions[v.Session] != nil {
		return unfit(e, "officer %d", v.Officer)
	}
	if c := p.key(v.Key); c != nil {
		c.use(e, v.Count, v.BackedUp)
	} else if v.Key != (release.ID{}) {
		return unfit(e, "passkey %s", v.Key.Short())
	}
	s.sessions[v.Session] = &openSession{v.Session, v.Officer, v.Key, e.Time}
	return nil
}

func (c *credential) use(e *entry, count uint32, backedUp bool) {
	c.Used, c.count, c.BackedUp = e.Time, count, backedUp
}

// sessionEnd ends a session; Why is one of a few words.
type sessionEnd struct {
	Session parley.Hash
	Why     string
}

func (v *sessionEnd) act() Act { return ActSessionEnd }
func (v *sessionEnd) fields(c *coder) {
	c.hash(&v.Session)
	c.text(&v.Why, 64)
}
func (v *sessionEnd) apply(s *state, e *entry) error {
	if s.sessions[v.Session] == nil {
		return unfit(e, "session %s", v.Session.Short())
	}
	delete(s.sessions, v.Session)
	return nil
}
func (v *sessionEnd) detail() string { return "session " + v.Session.Short() + ": " + v.Why }

// watchEvent takes the watch or offers it.
type watchEvent struct {
	name Act
	Note string
}

func (v *watchEvent) act() Act        { return v.name }
func (v *watchEvent) fields(c *coder) { c.text(&v.Note, 2000) }
func (v *watchEvent) apply(s *state, e *entry) error {
	var now *Watch
	if n := len(s.watches); n > 0 {
		now = &s.watches[n-1]
	}
	if v.name == ActHanding {
		if now == nil || now.Officer != e.Actor {
			return unfit(e, "officer %d does not have the watch", e.Actor)
		}
		now.Handing, now.Offered = v.Note, e.Time
		return nil
	}
	w := Watch{Officer: e.Actor, Since: e.Time, Note: v.Note}
	if now != nil {
		w.From = now.Officer
	}
	s.watches = append(s.watches, w)
	return nil
}

// recoveryEvent asks for an officer's way back, approves it, or ends it.
type recoveryEvent struct {
	name    Act
	Officer ID
	Open    time.Time
}

func (v *recoveryEvent) act() Act { return v.name }
func (v *recoveryEvent) fields(c *coder) {
	c.officer(&v.Officer)
	c.time(&v.Open)
}
func (v *recoveryEvent) apply(s *state, e *entry) error {
	r := s.recover[v.Officer]
	switch v.name {
	case ActRecovery:
		if s.active(v.Officer) == nil || r != nil {
			return unfit(e, "officer %d", v.Officer)
		}
		s.recover[v.Officer] = &Recovery{Officer: v.Officer, Asked: e.Actor, Since: e.Time}
	case ActRecoveryTwo:
		if r == nil || r.Approved != 0 || r.Asked == e.Actor || v.Officer == e.Actor {
			return unfit(e, "officer %d", v.Officer)
		}
		r.Approved, r.Open = e.Actor, v.Open
	default:
		if r == nil {
			return unfit(e, "officer %d", v.Officer)
		}
		delete(s.recover, v.Officer)
		s.dropLinks(v.Officer)
	}
	s.warn(e, v.Officer, v.Open)
	return nil
}
