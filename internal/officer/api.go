package officer

import (
	"io"
	"time"

	"parley"
	"parley/release"
)

// Config says where the book lies and whose it is. RPID, Party and Demo are
// fixed by the first Open; another value later is refused (CodeOther).
type Config struct {
	Path    string // of officers.db; the key and the newest head lie beside it
	Channel parley.Hash
	Party   parley.Party
	Name    string   // of the party, shown by authenticators
	RPID    string   // host name to which passkeys are bound
	Origins []string // exact addresses of the console
	Demo    bool     // officers without passkeys; the roster says so for ever

	Now  func() time.Time // nil: time.Now
	Rand io.Reader        // nil: crypto/rand
}

// Book is the open book of officers.
type Book struct{ cfg Config }

var notBuilt = parley.Errorf(CodeNotBuilt, "not built")

func Open(cfg Config) (*Book, error) { return nil, notBuilt }
func (b *Book) Close() error         { return notBuilt }

// First officer, links, enrolment.
func (b *Book) NeedsSetup() bool                                               { return false }
func (b *Book) SetupToken() (token string, err error)                          { return "", notBuilt }
func (b *Book) OpenLink(from, token string) (*Enrolment, error)                { return nil, notBuilt }
func (b *Book) BeginEnrol(from, token string, who Identity) (*Ceremony, error) { return nil, notBuilt }
func (b *Book) FinishEnrol(from, token, ceremony, label string, answer []byte) (*SignIn, error) {
	return nil, notBuilt
}

// Signing in and sessions.
func (b *Book) BeginSignIn(from string) (*Ceremony, error) { return nil, notBuilt }
func (b *Book) FinishSignIn(from, ceremony string, answer []byte) (*SignIn, error) {
	return nil, notBuilt
}
func (b *Book) DemoSignIn(from string, o ID) (*SignIn, error) { return nil, notBuilt }

// Session finds the session of a token and keeps it alive; Peek does not.
func (b *Book) Session(token string) (*Session, error)       { return nil, notBuilt }
func (b *Book) Peek(token string) (*Session, error)          { return nil, notBuilt }
func (b *Book) SignOut(s *Session) error                     { return notBuilt }
func (b *Book) Sessions(s *Session, o ID) ([]Session, error) { return nil, notBuilt }
func (b *Book) EndSession(s *Session, h parley.Hash) error   { return notBuilt }

// May is nil if the policy lets the session do it; a refusal is audited.
func (b *Book) May(s *Session, a Action, o Object) error { return notBuilt }

// Can is May without the audit, for pages that show what is possible.
func (b *Book) Can(s *Session, a Action, o Object) bool { return false }

// Officers.
func (b *Book) Officers() []Officer                                     { return nil }
func (b *Book) Officer(o ID) (*Officer, bool)                           { return nil, false }
func (b *Book) AddOfficer(s *Session, who Identity) (ID, string, error) { return 0, "", notBuilt }
func (b *Book) NewLink(s *Session, o ID) (token string, err error)      { return "", notBuilt }
func (b *Book) ChangeOfficer(s *Session, o ID, who Identity) error      { return notBuilt }
func (b *Book) RemoveOfficer(s *Session, o ID) error                    { return notBuilt }
func (b *Book) BeginAddPasskey(s *Session) (*Ceremony, error)           { return nil, notBuilt }
func (b *Book) FinishAddPasskey(s *Session, ceremony, label string, answer []byte) error {
	return notBuilt
}
func (b *Book) RemovePasskey(s *Session, o ID, k release.ID) error { return notBuilt }

// Recovery.
func (b *Book) AskRecovery(s *Session, o ID) error                      { return notBuilt }
func (b *Book) ApproveRecovery(s *Session, o ID) error                  { return notBuilt }
func (b *Book) StopRecovery(s *Session, o ID) error                     { return notBuilt }
func (b *Book) RecoveryLink(s *Session, o ID) (token string, err error) { return "", notBuilt }
func (b *Book) Recoveries() []Recovery                                  { return nil }

// The watch.
func (b *Book) Watch() Watch                             { return Watch{} }
func (b *Book) WatchHistory(n int) []Watch               { return nil }
func (b *Book) TakeWatch(s *Session, note string) error  { return notBuilt }
func (b *Book) OfferWatch(s *Session, note string) error { return notBuilt }

// Rules.
func (b *Book) Rules() (all []Rule, deviceBound bool)                       { return nil, false }
func (b *Book) RuleFor(line uint64, lane parley.Lane) Rule                  { return Rule{} }
func (b *Book) ProposeRules(s *Session, all []Rule, deviceBound bool) error { return notBuilt }
func (b *Book) ProposedRules() (all []Rule, deviceBound bool, by ID, ok bool) {
	return nil, false, 0, false
}
func (b *Book) ApproveRules(s *Session) error { return notBuilt }
func (b *Book) DropRules(s *Session) error    { return notBuilt }

// Drafts. Rev is that which the page was made from; 0 with ID 0: a new draft.
func (b *Book) SaveDraft(s *Session, id, rev uint64, c Content) (*Draft, error) { return nil, notBuilt }
func (b *Book) Drafts() []Draft                                                 { return nil }
func (b *Book) History(n int) []Draft                                           { return nil }

// Draft is a draft; View also notes that the session sees these bytes now.
func (b *Book) Draft(id uint64) (*Draft, error)            { return nil, notBuilt }
func (b *Book) View(s *Session, id uint64) (*Draft, error) { return nil, notBuilt }

// digest is that of the bytes which the officer saw.
func (b *Book) BeginSubmit(s *Session, id uint64, digest parley.Hash) (*Ceremony, error) {
	return nil, notBuilt
}
func (b *Book) FinishSubmit(s *Session, ceremony string, answer []byte) (*Draft, error) {
	return nil, notBuilt
}
func (b *Book) BeginRelease(s *Session, id uint64, digest parley.Hash) (*Ceremony, error) {
	return nil, notBuilt
}
func (b *Book) FinishRelease(s *Session, ceremony string, answer []byte) (*Ready, error) {
	return nil, notBuilt
}
func (b *Book) ReturnDraft(s *Session, id uint64, digest parley.Hash, reason string) error {
	return notBuilt
}
func (b *Book) DropDraft(s *Session, id uint64) error { return notBuilt }

// Posted says that the record holds a released draft, NotPosted that the node
// refused it and the record does not hold it: then it awaits release again.
func (b *Book) Posted(id uint64, ref parley.Ref) error { return notBuilt }
func (b *Book) NotPosted(id uint64, why string) error  { return notBuilt }

// Settle asks about every draft that is still releasing; call it at start.
func (b *Book) Settle(find func(*Ready) (parley.Ref, bool, error)) error { return notBuilt }

// Roster. NoteRoster tells the book which roster of this party the record
// holds as newest; call it at start and after each change of it.
func (b *Book) NoteRoster(ref parley.Ref, r *release.Roster) error { return notBuilt }

// DraftRoster saves the roster as it should be as a draft that takes two persons.
func (b *Book) DraftRoster(s *Session) (*Draft, error) { return nil, notBuilt }

// Standing, journal.
func (b *Book) Standing() Standing { return Standing{} }

// Note enters something the console did or refused: an export, a print.
func (b *Book) Note(s *Session, object, detail string) error { return notBuilt }

// Audit lists n entries before index from (0: from the end), newest first.
func (b *Book) Audit(s *Session, from uint64, n int) (rs []Record, size uint64, err error) {
	return nil, 0, notBuilt
}
func (b *Book) Prove(s *Session, index uint64) (*Proof, error) { return nil, notBuilt }

// Proof shows that an entry stands in the journal under its signed head.
type Proof struct {
	Index uint64
	Entry []byte
	Path  []parley.Hash
	Head  []byte // C2SP checkpoint, signed by the book's key
	Key   []byte // Ed25519, 32 bytes
}
