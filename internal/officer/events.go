package officer

import (
	"fmt"
	"strings"
	"time"

	"parley"
	"parley/release"
)

// events reads an act's event.
var events = map[Act]func() event{
	ActOpened:        func() event { return &opened{} },
	ActLink:          func() event { return &linkEvent{} },
	ActLinkRefused:   func() event { return &refusal{name: ActLinkRefused} },
	ActOfficer:       func() event { return &identity{name: ActOfficer} },
	ActChanged:       func() event { return &identity{name: ActChanged} },
	ActRemoved:       func() event { return &gone{name: ActRemoved} },
	ActPasskey:       func() event { return &passkeyEvent{} },
	ActPasskeyGone:   func() event { return &gone{name: ActPasskeyGone} },
	ActCloned:        func() event { return &gone{name: ActCloned} },
	ActSignIn:        func() event { return &signedIn{} },
	ActRefused:       func() event { return &refusal{name: ActRefused} },
	ActSessionEnd:    func() event { return &sessionEnd{} },
	ActDenied:        func() event { return &refusal{name: ActDenied} },
	ActStepRefused:   func() event { return &refusal{name: ActStepRefused} },
	ActNote:          func() event { return &refusal{name: ActNote} },
	ActWatch:         func() event { return &watchEvent{name: ActWatch} },
	ActHanding:       func() event { return &watchEvent{name: ActHanding} },
	ActSaved:         func() event { return &saved{} },
	ActSubmitted:     func() event { return &approved{name: ActSubmitted} },
	ActReleasing:     func() event { return &approved{name: ActReleasing} },
	ActReturned:      func() event { return &moved{name: ActReturned} },
	ActNotPosted:     func() event { return &moved{name: ActNotPosted} },
	ActDropped:       func() event { return &moved{name: ActDropped} },
	ActPosted:        func() event { return &posted{} },
	ActRoster:        func() event { return &rosterEvent{} },
	ActRules:         func() event { return &rulesEvent{name: ActRules} },
	ActRulesSet:      func() event { return &rulesEvent{name: ActRulesSet} },
	ActRecovery:      func() event { return &recoveryEvent{name: ActRecovery} },
	ActRecoveryTwo:   func() event { return &recoveryEvent{name: ActRecoveryTwo} },
	ActAside:         func() event { return &asideEvent{} },
	ActAsideGone:     func() event { return &asideGone{} },
	ActRecoveryEnded: func() event { return &recoveryEvent{name: ActRecoveryEnded} },
}

// unfit is the error of an event that does not follow from those before it.
func unfit(e *entry, format string, args ...any) error {
	return parley.Errorf(CodeBook, "%s: %s", e.Act, fmt.Sprintf(format, args...))
}

// opened is the first entry: whose book it is, for ever.
type opened struct {
	Party parley.Party
	RPID  string
	Demo  bool
}

func (v *opened) act() Act { return ActOpened }
func (v *opened) fields(c *coder) {
	number(c, &v.Party, parley.MaxParty)
	c.text(&v.RPID, release.MaxRPID)
	c.bool(&v.Demo)
}
func (v *opened) apply(s *state, e *entry) error {
	s.opened = v
	return nil
}

// linkEvent is a one-time link; the journal holds the hash of its token.
type linkEvent struct {
	Hash    parley.Hash
	Officer ID
	Again   bool
	Until   time.Time
}

func (v *linkEvent) act() Act { return ActLink }
func (v *linkEvent) fields(c *coder) {
	c.hash(&v.Hash)
	c.officer(&v.Officer)
	c.bool(&v.Again)
	c.time(&v.Until)
}
func (v *linkEvent) apply(s *state, e *entry) error {
	if v.Officer == 0 && s.nextID != 1 {
		return unfit(e, "there are officers already")
	}
	s.dropLinks(v.Officer) // one link for one officer
	s.links[v.Hash] = &link{v.Hash, v.Officer, v.Again, v.Until}
	return nil
}

func (s *state) dropLinks(o ID) {
	for h, l := range s.links {
		if l.officer == o {
			delete(s.links, h)
		}
	}
}

// refusal is what was refused, or merely noted; with Void it ends the links of
// the officer in the entry's object.
type refusal struct {
	name Act
	Why  string
	Void bool
}

func (v *refusal) act() Act { return v.name }
func (v *refusal) fields(c *coder) {
	c.text(&v.Why, 512)
	c.bool(&v.Void)
}
func (v *refusal) apply(s *state, e *entry) error {
	if v.Void {
		s.dropLinks(0)
	}
	return nil
}
func (v *refusal) detail() string { return v.Why }

// identity enters an officer, or changes one.
type identity struct {
	name    Act
	Officer ID
	Handle  []byte
	Who     Identity
}

func (v *identity) act() Act { return v.name }
func (v *identity) fields(c *coder) {
	c.officer(&v.Officer)
	c.bytes(&v.Handle, 64)
	c.text(&v.Who.Name, 128)
	c.text(&v.Who.Title, 64)
	number(c, &v.Who.Roles, uint64(AllRoles))
	c.text(&v.Who.Language, 35)
}
func (v *identity) apply(s *state, e *entry) error {
	p := s.officers[v.Officer]
	if v.name == ActOfficer {
		if p != nil || v.Officer != s.nextID || len(v.Handle) == 0 {
			return unfit(e, "officer %d", v.Officer)
		}
		p = &person{Officer: Officer{ID: v.Officer, Since: e.Time}, handle: v.Handle}
		s.officers[v.Officer] = p
		s.nextID++
	} else if p == nil || p.State == Removed {
		return unfit(e, "officer %d", v.Officer)
	}
	p.Name, p.Title, p.Roles, p.Language = v.Who.Name, v.Who.Title, v.Who.Roles, v.Who.Language
	s.warn(e, v.Officer, time.Time{})
	return nil
}
func (v *identity) detail() string { return v.Who.Title + ": " + v.Who.Roles.String() }

// gone removes an officer or a passkey, or says that a passkey may be copied.
type gone struct {
	name    Act
	Officer ID
	Key     release.ID
	Why     string
}

func (v *gone) act() Act { return v.name }
func (v *gone) fields(c *coder) {
	c.officer(&v.Officer)
	c.key(&v.Key)
	c.text(&v.Why, 128)
}
func (v *gone) apply(s *state, e *entry) error {
	p := s.officers[v.Officer]
	if p == nil {
		return unfit(e, "officer %d", v.Officer)
	}
	switch v.name {
	case ActRemoved:
		p.State, p.creds = Removed, nil
		s.dropLinks(v.Officer)
		delete(s.recover, v.Officer)
	case ActPasskeyGone:
		if p.key(v.Key) == nil {
			return unfit(e, "passkey %s", v.Key.Short())
		}
		p.removeKey(v.Key)
	}
	s.warn(e, v.Officer, time.Time{})
	return nil
}
func (v *gone) detail() string {
	if v.Key == (release.ID{}) {
		return v.Why
	}
	return strings.TrimSpace("passkey " + v.Key.Short() + " " + v.Why)
}

func (p *person) removeKey(id release.ID) {
	for i, c := range p.creds {
		if c.Key == id {
			p.creds = append(p.creds[:i:i], p.creds[i+1:]...)
			return
		}
	}
}
