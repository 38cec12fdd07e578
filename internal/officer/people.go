package officer

import (
	"time"

	"parley"
	"parley/release"
)

// linkSlack allows for a clock that was set back a little since a link was
// made; a link that would last longer than it may is refused.
const linkSlack = time.Minute

// officer is a person for the caller.
func (b *Book) officer(p *person) Officer {
	o := p.Officer
	o.Keys = nil
	for _, c := range p.creds {
		k := c.Passkey
		if b.state.roster != nil {
			r := b.state.roster.Find(c.Key)
			k.InRoster = r != nil && r.Title == p.Title && r.Functions == b.functions(p, c)
		}
		o.Keys = append(o.Keys, k)
	}
	return o
}

// Officers lists everybody, also those who were removed, by number.
func (b *Book) Officers() (list []Officer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.state.people() {
		list = append(list, b.officer(p))
	}
	return list
}

// Officer is one of them.
func (b *Book) Officer(o ID) (*Officer, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.state.officers[o]
	if p == nil {
		return nil, false
	}
	out := b.officer(p)
	return &out, true
}

// AddOfficer enters a new officer and makes his one-time link. In a
// demonstration he needs none.
func (b *Book) AddOfficer(s *Session, who Identity) (o ID, token string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, ManageOfficers, Object{}); err != nil {
		return 0, "", err
	}
	return b.enter(s, who)
}

func (b *Book) enter(s *Session, who Identity) (o ID, token string, err error) {
	if err := b.checkIdentity(0, who); err != nil {
		return 0, "", err
	}
	handle := make([]byte, 16)
	if err := b.random(handle); err != nil {
		return 0, "", err
	}
	o = b.state.nextID
	x := b.batch(s).add(object("officer", uint64(o)), &identity{name: ActOfficer, Officer: o, Handle: handle, Who: who})
	if b.cfg.Demo {
		k := b.software(o).Officer(who.Title, release.MayDraft)
		x.add(object("officer", uint64(o)), &passkeyEvent{Officer: o, Alg: k.Alg, Raw: k.Key, Label: "software key of the demonstration"})
		return o, "", b.commit(x)
	}
	if token, err = b.newLink(x, o, false); err != nil {
		return 0, "", err
	}
	return o, token, b.commit(x)
}

// DemoOfficer enters an officer of a demonstration, who may sign in at once.
func (b *Book) DemoOfficer(who Identity) (ID, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.cfg.Demo {
		return 0, parley.Errorf(CodeForbidden, "this is no demonstration")
	}
	o, _, err := b.enter(nil, who)
	return o, err
}

// NewLink makes a new link for an officer who has not enrolled yet.
func (b *Book) NewLink(s *Session, o ID) (token string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, ManageOfficers, Object{Officer: o}); err != nil {
		return "", err
	}
	if p := b.state.officers[o]; p == nil || p.State != Invited {
		return "", parley.Errorf(CodeOfficer, "officer %d does not wait for a link; after a loss, ask for recovery", o)
	}
	x := b.batch(s)
	if token, err = b.newLink(x, o, false); err != nil {
		return "", err
	}
	return token, b.commit(x)
}

// ChangeOfficer changes name, title, roles and language. A change of roles
// ends the officer's sessions.
func (b *Book) ChangeOfficer(s *Session, o ID, who Identity) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, ManageOfficers, Object{Officer: o}); err != nil {
		return err
	}
	p := b.state.officers[o]
	if p == nil || p.State == Removed {
		return parley.Errorf(CodeOfficer, "there is no officer %d", o)
	}
	if err := b.checkIdentity(o, who); err != nil {
		return err
	}
	if p.State == Active && p.Roles&^who.Roles&Administrator != 0 && b.state.administrators() == 1 {
		return parley.Errorf(CodeLast, "officer %d is the last administrator", o)
	}
	x := b.batch(s).add(object("officer", uint64(o)), &identity{name: ActChanged, Officer: o, Who: who})
	if p.Roles != who.Roles {
		b.endAll(x, o, "roles changed")
	}
	return b.commit(x)
}

// RemoveOfficer removes an officer for good: sessions end, passkeys and links
// are void, and so are approvals that he gave and that did not go out.
func (b *Book) RemoveOfficer(s *Session, o ID) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, ManageOfficers, Object{Officer: o}); err != nil {
		return err
	}
	p := b.state.officers[o]
	if p == nil || p.State == Removed {
		return parley.Errorf(CodeOfficer, "there is no officer %d", o)
	}
	if p.State == Active && p.Roles&Administrator != 0 && b.state.administrators() == 1 {
		return parley.Errorf(CodeLast, "officer %d is the last administrator", o)
	}
	x := b.batch(s)
	b.endAll(x, o, "officer removed")
	return b.commit(x.add(object("officer", uint64(o)), &gone{name: ActRemoved, Officer: o}))
}
