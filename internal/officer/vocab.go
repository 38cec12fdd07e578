package officer

import (
	"encoding/json"
	"strings"
	"time"

	"parley"
	"parley/release"
)

// ID is an officer's number in the book, from 1. Numbers are never used again.
type ID uint32

// Roles is what an officer may do, a set.
type Roles uint8

// The four roles.
const (
	Drafter       Roles = 1 << iota // writes and submits messages
	Releaser                        // lets messages go out
	Reader                          // reads the record
	Administrator                   // officers, rules, settings

	AllRoles = Drafter | Releaser | Reader | Administrator
)

var roleNames = [...]string{"drafter", "releaser", "reader", "administrator"}

// Names lists the roles of the set.
func (r Roles) Names() (names []string) {
	for i, n := range roleNames {
		if r&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return names
}

func (r Roles) String() string {
	if r == 0 {
		return "none"
	}
	return strings.Join(r.Names(), ", ")
}

// ParseRole reads the name of one role.
func ParseRole(s string) (Roles, error) {
	for i, n := range roleNames {
		if s == n {
			return 1 << i, nil
		}
	}
	return 0, parley.Errorf(CodeOfficer, "no role %q; roles are drafter, releaser, reader, administrator", s)
}

// State of an officer.
type State uint8

const (
	Invited State = iota // entered in the book, no passkey yet
	Active
	Removed // for good
)

func (s State) String() string { return [...]string{"invited", "active", "removed"}[s] }

// Officer is one person who serves the party.
type Officer struct {
	ID       ID
	Name     string // of the person; never leaves the book
	Title    string // of the office, unique; stands in the roster that others see
	Roles    Roles
	Language string // BCP 47, of the pages; empty for the browser's
	State    State
	Since    time.Time
	Keys     []Passkey // removed ones are not among them
}

// Passkey is a credential of an officer.
type Passkey struct {
	Key      release.ID // as rosters and releases name it
	Label    string     // what the officer calls it
	Alg      release.Alg
	Added    time.Time
	Used     time.Time // zero: not yet
	Synced   bool      // may exist on several devices (backup eligible)
	BackedUp bool      // did, when last used
	Model    string    // AAGUID of the authenticator, in hex; empty if it does not say
	InRoster bool      // stands, as it is now, in the roster that was last posted
}

// Session is one signed-in browser of an officer.
type Session struct {
	Hash    parley.Hash // of its token: names the session, opens nothing
	Officer ID
	Name    string
	Title   string
	Roles   Roles
	Key     release.ID // the passkey it was opened with; zero in a demonstration
	Since   time.Time
	Seen    time.Time
	Ends    time.Time // at the latest
}

// SignIn is what opening a session gives: the token for the cookie, once.
type SignIn struct {
	Token   string
	Session *Session
}

// Ceremony is a question to an authenticator. Options is what
// PublicKeyCredential.parseCreationOptionsFromJSON or
// parseRequestOptionsFromJSON reads, inside {"publicKey": …}. The browser's
// answer (PublicKeyCredential.toJSON) comes back with ID.
type Ceremony struct {
	ID      string
	Options json.RawMessage
	Demo    bool // no authenticator is asked: the answer is empty
}

// Enrolment is what a one-time link is for.
type Enrolment struct {
	First   bool // no officer exists yet: ask for name and title
	Again   bool // an officer enrols again, after a recovery
	Officer ID   // zero if First
	Name    string
	Title   string
	Until   time.Time
}

// Identity is what an administrator, or the first officer, enters.
type Identity struct {
	Name     string
	Title    string
	Roles    Roles
	Language string
}

// Watch is who has the watch. Officer 0: nobody, and Since is zero.
type Watch struct {
	Officer ID
	Name    string
	Title   string
	Since   time.Time
	From    ID        // who had it before; 0: nobody
	Note    string    // of the officer who took it
	Handing string    // the hand-over note of its holder, once he offers it
	Offered time.Time // zero: he does not
}

// Rule says for messages of one line and precedence how many persons it takes,
// and who. Line 0 holds for every line that has no rule of its own.
type Rule struct {
	Line    uint64
	Lane    parley.Lane
	Persons int  // 1 or 2
	Draft   []ID // who may submit; empty: everybody with the role
	Release []ID // who may release; empty: everybody with the role
}

// Content is what a draft says. Body is the canonical encoding of its kind;
// the book does not look into it.
type Content struct {
	Line    uint64
	Message parley.Draft
	Subject string // a short display text for lists; stays in the book
	Form    []byte // whatever the page needs to edit the draft again; at most 256 KiB
}

// DraftState says how far a draft has come.
type DraftState uint8

const (
	Drafting  DraftState = iota // being written
	Submitted                   // its drafter stands for it; awaits release
	Returned                    // back to its drafter, with a reason
	Releasing                   // approved; whether it was posted is not known yet
	Released                    // posted
	Dropped                     // given up
)

func (s DraftState) String() string {
	return [...]string{"drafting", "submitted", "returned", "releasing", "released", "dropped"}[s]
}

// Open reports whether anything can still happen to the draft.
func (s DraftState) Open() bool { return s < Released }

// Draft is a message on its way out.
type Draft struct {
	ID uint64
	Content
	Rev      uint64      // counts edits
	Digest   parley.Hash // release.Digest of the message
	By       ID          // who saved it last
	Saved    time.Time
	State    DraftState
	Changed  time.Time
	Persons  int    // how many the rule asks for now
	Drafter  ID     // who submitted it; 0: nobody, or void since an edit
	Releaser ID     // who released it
	Reason   string // why it was returned, or void
	Ref      *parley.Ref
	Roster   bool // it is the roster of keys, made by the book
}

// Ready is a draft that was released: post it now, exactly once.
type Ready struct {
	Draft    uint64
	Message  parley.Draft
	Digest   parley.Hash
	Two      bool             // post a RELEASE of both approvals with it, in one batch
	Drafted  release.Approval // if Two
	Released release.Approval
	Since    time.Time // when it was released, by the machine's clock

	// Taken reports that an entry is another draft already.
	Taken func(parley.Ref) bool
}

// Standing is what officers should know at a glance about the book itself.
type Standing struct {
	Officers   int    // active ones with a passkey
	TwoPersons bool   // messages that take two persons can go out
	Reason     string // why they cannot: "officers" (too few), "unposted" (no roster), "former" (it names others)
	RosterDue  bool   // keys or titles differ from the roster that was last posted
	Warnings   []Warning
}

// Warning is something that every officer is told.
type Warning struct {
	Act     Act
	Time    time.Time
	Officer ID     // whom it concerns; 0: nobody in particular
	Name    string // of that officer
	Until   time.Time
}

// Recovery is an officer's way back after the loss of every passkey.
type Recovery struct {
	Officer  ID
	Name     string
	Asked    ID
	Approved ID // the second officer; 0: not yet
	Since    time.Time
	Open     time.Time // when the link can be made; zero: not approved yet
}

// Record is one entry of the journal, for people.
type Record struct {
	Index   uint64
	Time    time.Time
	Act     Act
	Actor   ID // 0: nobody was signed in, or the book itself
	Name    string
	Session string // first eight digits of the session's hash; empty: none
	Key     string // first eight digits of the passkey's ID; empty: none
	Object  string // what it was done to, such as "draft 12"
	Detail  string // short, in words; never the content of a message
	Leaf    parley.Hash
}
