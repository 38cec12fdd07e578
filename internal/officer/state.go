package officer

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"time"

	"parley"
	"parley/release"
)

// state is the fold of the journal. It is only changed by events.
type state struct {
	last     time.Time
	opened   *opened
	officers map[ID]*person
	sessions map[parley.Hash]*openSession
	drafts   map[uint64]*draft
	links    map[parley.Hash]*link
	recover  map[ID]*Recovery
	watches  []Watch // in the order of their beginning
	rules    []Rule
	bound    bool // releasers' passkeys stay on their device
	proposed *rulesEvent
	proposer ID
	askedAt  time.Time       // when the rules were proposed
	roster   *release.Roster // last posted; nil: none
	rosterAt parley.Ref
	warnings []Warning
	nextID   ID
	nextDoc  uint64

	asides    map[uint64]*aside
	nextAside uint64
}

// person is an officer with what only the book needs.
type person struct {
	Officer
	handle []byte // WebAuthn's user handle: random, the same for every passkey
	creds  []*credential
}

// credential is a passkey with what checks its signatures.
type credential struct {
	Passkey
	id    []byte // WebAuthn's credential ID; empty in a demonstration
	cose  []byte // the public key as the authenticator wrote it
	raw   []byte // the same as rosters write it
	count uint32
}

type openSession struct {
	hash    parley.Hash
	officer ID
	key     release.ID
	since   time.Time
}

type link struct {
	hash    parley.Hash
	officer ID // 0: the first officer
	again   bool
	until   time.Time
}

// draft is a Draft with its approvals; texts are named by their hash.
type draft struct {
	Draft
	text     parley.Hash // encoded content
	drafted  parley.Hash // encoded approval; zero: none
	released parley.Hash
	draftKey release.ID
	stated   bool // a RELEASE goes with it

	releasedAt time.Time
}

func newState() *state {
	return &state{officers: map[ID]*person{}, sessions: map[parley.Hash]*openSession{}, drafts: map[uint64]*draft{},
		links: map[parley.Hash]*link{}, recover: map[ID]*Recovery{}, rules: defaultRules(), nextID: 1, nextDoc: 1,
		asides: map[uint64]*aside{}, nextAside: 1}
}

// take reads one encoded entry and folds it.
func (s *state) take(data []byte) error {
	var e entry
	if err := decode(data, &e); err != nil {
		return err
	}
	make := events[e.Act]
	if make == nil {
		return parley.Errorf(CodeBook, "an entry of the unknown kind %q", e.Act)
	}
	if e.Time.Before(s.last) {
		return parley.Errorf(CodeBook, "an entry is older than the one above it")
	}
	if (s.opened == nil) != (e.Act == ActOpened) {
		return parley.Errorf(CodeBook, "the journal does not begin as a book of officers")
	}
	ev := make()
	if err := decode(e.Data, ev); err != nil {
		return err
	}
	if err := ev.apply(s, &e); err != nil {
		return err
	}
	s.last = e.Time
	return nil
}

// texts lists the texts that open drafts and asides need.
func (s *state) texts() map[parley.Hash]bool {
	need := map[parley.Hash]bool{}
	for _, d := range s.drafts {
		for _, h := range d.held() {
			need[h] = true
		}
	}
	for _, a := range s.asides {
		need[a.text] = true
	}
	return need
}

// held lists a draft's texts; those of a closed draft are gone.
func (d *draft) held() (hs []parley.Hash) {
	if !d.State.Open() {
		return nil
	}
	for _, h := range []parley.Hash{d.text, d.drafted, d.released} {
		if h != (parley.Hash{}) {
			hs = append(hs, h)
		}
	}
	return hs
}

func (s *state) people() []*person {
	return slices.SortedFunc(maps.Values(s.officers), func(a, b *person) int { return cmp.Compare(a.ID, b.ID) })
}

func (s *state) active(o ID) *person {
	if p := s.officers[o]; p != nil && p.State == Active {
		return p
	}
	return nil
}

func (s *state) name(o ID) string {
	if p := s.officers[o]; p != nil {
		return p.Name
	}
	return ""
}

func (p *person) key(id release.ID) *credential {
	for _, c := range p.creds {
		if c.Key == id {
			return c
		}
	}
	return nil
}

// byCredential finds who holds a credential.
func (s *state) byCredential(id []byte) (*person, *credential) {
	for _, p := range s.officers {
		for _, c := range p.creds {
			if len(c.id) > 0 && bytes.Equal(c.id, id) {
				return p, c
			}
		}
	}
	return nil, nil
}

// sessionsOf lists the open sessions of an officer, oldest first.
func (s *state) sessionsOf(o ID) []*openSession {
	var list []*openSession
	for _, x := range s.sessions {
		if x.officer == o {
			list = append(list, x)
		}
	}
	slices.SortFunc(list, func(a, b *openSession) int {
		return cmp.Or(a.since.Compare(b.since), bytes.Compare(a.hash[:], b.hash[:]))
	})
	return list
}

func (s *state) administrators() (n int) {
	for _, p := range s.officers {
		if p.State == Active && p.Roles&Administrator != 0 && len(p.creds) > 0 {
			n++
		}
	}
	return n
}

// warn keeps what every officer is told, the newest 64.
func (s *state) warn(e *entry, o ID, until time.Time) {
	s.warnings = append(s.warnings, Warning{Act: e.Act, Time: e.Time, Officer: o, Name: s.name(o), Until: until})
	if n := len(s.warnings) - 64; n > 0 {
		s.warnings = s.warnings[n:]
	}
}

// rule is the rule in force for a line and precedence.
func (s *state) rule(line uint64, lane parley.Lane) Rule {
	var general Rule
	for _, r := range s.rules {
		switch {
		case r.Lane == lane && r.Line == line:
			return r
		case r.Lane == lane && r.Line == 0:
			general = r
		}
	}
	general.Line = line
	return general
}

// defaultRules: two persons for what starts at once, one for the rest.
func defaultRules() (rs []Rule) {
	for lane := range parley.Lane(parley.Lanes) {
		n := 1
		if lane <= parley.Immediate {
			n = 2
		}
		rs = append(rs, Rule{Lane: lane, Persons: n})
	}
	return rs
}
