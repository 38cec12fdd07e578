package officer

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"

	"parley"
	"parley/release"
)

// newLink adds a one-time link for an officer to a batch: 128 random bits, of
// which the journal gets the hash.
func (b *Book) newLink(x *batch, o ID, again bool) (token string, err error) {
	raw := make([]byte, 16)
	if err := b.random(raw); err != nil {
		return "", err
	}
	until, about := x.now.Add(LinkLimit), object("officer", uint64(o))
	if o == 0 {
		about = "first officer"
	}
	x.add(about, &linkEvent{Hash: sha256.Sum256(raw), Officer: o, Again: again, Until: until})
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// NeedsSetup reports that the book has no officer yet.
func (b *Book) NeedsSetup() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.state.officers) == 0
}

// SetupToken makes the one-time link of the first officer, for whoever sees
// the node start. A former one ends; so it does after five wrong tokens.
func (b *Book) SetupToken() (token string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.state.officers) > 0 || b.cfg.Demo {
		return "", parley.Errorf(CodeLink, "the book has officers")
	}
	x := b.batch(nil)
	if token, err = b.newLink(x, 0, false); err != nil {
		return "", err
	}
	b.wrong = 0
	return token, b.commit(x)
}

// findLink finds the link of a token, or refuses and says so in the journal.
func (b *Book) findLink(from, token string) (*link, error) {
	now := b.cfg.Now()
	if err := b.limits.allow(perAddress, "link", from, now); err != nil {
		return nil, err
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil && len(raw) == 16 {
		// A link's beginning comes from the journal, whose time never goes back.
		l := b.state.links[parley.Hash(sha256.Sum256(raw))]
		if l != nil && !now.After(l.until) && l.until.Sub(now) <= LinkLimit+linkSlack {
			return l, nil
		}
	}
	b.wrong++
	void := b.wrong >= setupTries && len(b.state.officers) == 0
	x := b.batch(nil).add("address "+clip(from, 48), &refusal{name: ActLinkRefused, Void: void})
	if failed := b.commit(x); failed != nil {
		return nil, failed
	}
	return nil, parley.Errorf(CodeLink, "the link is not valid, was used, or is too old")
}

// OpenLink says what a link is for. It does not use it up.
func (b *Book) OpenLink(from, token string) (*Enrolment, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, err := b.findLink(from, token)
	if err != nil {
		return nil, err
	}
	e := &Enrolment{First: l.officer == 0, Again: l.again, Officer: l.officer, Until: l.until}
	if p := b.state.officers[l.officer]; p != nil {
		e.Name, e.Title = p.Name, p.Title
	}
	return e, nil
}

// BeginEnrol asks the browser for a new passkey. who is the first officer, who
// gets every role; it is not used otherwise.
func (b *Book) BeginEnrol(from, token string, who Identity) (*Ceremony, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, err := b.findLink(from, token)
	if err != nil {
		return nil, err
	}
	if err := b.limits.allow(perEnrol, "enrol", from, b.cfg.Now()); err != nil {
		return nil, err
	}
	c := &ceremony{purpose: forEnrol, officer: l.officer, link: l.hash}
	var u *user
	if l.officer == 0 {
		who.Roles = AllRoles
		if err := b.checkIdentity(0, who); err != nil {
			return nil, err
		}
		c.user = make([]byte, 16)
		if err := b.random(c.user); err != nil {
			return nil, err
		}
		c.who, u = who, &user{handle: c.user, name: who.Name, title: who.Title}
	} else {
		u = userOf(b.state.officers[l.officer])
	}
	o, data, err := b.beginCreate(u)
	if err != nil {
		return nil, err
	}
	c.data = *data
	return b.ask(c, o)
}

// FinishEnrol takes the new passkey, uses up the link, and signs in.
func (b *Book) FinishEnrol(from, token, id, label string, answer []byte) (*SignIn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, err := b.findLink(from, token)
	if err != nil {
		return nil, err
	}
	c, err := b.answered(id, forEnrol, nil)
	if err != nil {
		return nil, err
	}
	if c.link != l.hash || c.officer != l.officer {
		return nil, parley.Errorf(CodeLink, "the question to the passkey was for another link")
	}
	x, o := b.batch(nil), l.officer
	u := &user{handle: c.user, name: c.who.Name, title: c.who.Title}
	if o == 0 {
		o = b.state.nextID
		x.add(object("officer", uint64(o)), &identity{name: ActOfficer, Officer: o, Handle: c.user, Who: c.who})
	} else {
		u = userOf(b.state.officers[o])
	}
	v, err := b.create(c, u, answer)
	if err != nil {
		return nil, b.refuseLink(from, err)
	}
	v.Officer, v.Label, v.Link = o, clip(label, 64), l.hash
	roles := c.who.Roles
	if p := b.state.officers[o]; p != nil {
		roles = p.Roles
	}
	if err := b.fits(v, roles); err != nil {
		return nil, err
	}
	x.add(object("officer", uint64(o)), v)
	b.endAll(x, o, "enrolled again")
	return b.openFirst(x, from, o, v)
}

// openFirst opens the session of an officer whom the same batch enrols.
func (b *Book) openFirst(x *batch, from string, o ID, v *passkeyEvent) (*SignIn, error) {
	if err := b.commit(x); err != nil {
		return nil, err
	}
	p := b.state.active(o)
	return b.openSession(b.batch(nil), from, p, release.KeyID(v.Alg, v.Raw), v.Count, v.BackedUp)
}

func (b *Book) refuseLink(from string, err error) error {
	if failed := b.commit(b.batch(nil).add("address "+clip(from, 48), &refusal{name: ActLinkRefused, Why: clip(err.Error(), 512)})); failed != nil {
		return failed
	}
	return err
}

// fits refuses a passkey that is enrolled already, and one that the policy
// does not want of its officer.
func (b *Book) fits(v *passkeyEvent, roles Roles) error {
	_, known := b.state.byCredential(v.ID)
	for _, p := range b.state.officers {
		if known == nil {
			known = p.key(release.KeyID(v.Alg, v.Raw))
		}
	}
	if known != nil {
		return parley.Errorf(CodeKnownKey, "this passkey is enrolled already")
	}
	if b.state.bound && v.Synced && roles&Releaser != 0 {
		return parley.Errorf(CodeSynced, "the passkey may exist on several devices")
	}
	return nil
}

// checkIdentity checks what was entered for officer o, 0 for a new one.
func (b *Book) checkIdentity(o ID, who Identity) error {
	if parley.CheckName(who.Name) != nil || parley.CheckName(who.Title) != nil {
		return parley.Errorf(CodeOfficer, "a name and a title of 1 to 64 bytes, without control characters, are needed")
	}
	if who.Roles == 0 || who.Roles > AllRoles || len(who.Language) > 35 {
		return parley.Errorf(CodeOfficer, "an officer has at least one of the four roles")
	}
	if slices.ContainsFunc(b.state.people(), func(p *person) bool { return p.ID != o && p.State != Removed && p.Title == who.Title }) {
		return parley.Errorf(CodeTitle, "the title %q is taken", who.Title)
	}
	return nil
}
