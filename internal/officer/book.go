package officer

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"parley"
	"parley/journal"
)

// Times that the book keeps.
const (
	IdleLimit     = 15 * time.Minute // a session without use
	SessionLimit  = 8 * time.Hour    // a session in any case
	FreshLimit    = 5 * time.Minute  // since signing in, for changes of officers and rules
	LinkLimit     = 30 * time.Minute // a one-time link
	CeremonyLimit = time.Minute      // a question to a passkey
	LookLimit     = 2 * time.Second  // at least, between reading and approving
	RecoveryDelay = 24 * time.Hour   // also for a roster that the former one's officers cannot release

	maxSessions = 2 // of one officer; the oldest ends
	setupTries  = 5
	maxDrafts   = 256 // open at once
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
type Book struct {
	cfg    Config
	origin string // of the journal's heads
	auth   *webauthn.WebAuthn
	limits *limits

	// mu guards all below.
	mu         sync.Mutex
	db         *sql.DB
	conn       *sql.Conn
	secret     *secrets
	state      *state
	tree       journal.Tree
	hashes     []parley.Hash // of the tree, by tlog.StoredHashIndex
	texts      map[parley.Hash][]byte
	live       map[parley.Hash]*liveSession
	seenBefore map[parley.Hash]time.Time // before this start
	ceremonies map[string]*ceremony
	wrong      int   // tokens tried during set-up
	failed     error // set once; every later call returns it
}

// Open opens the book, or makes a new one. It reads and folds the whole
// journal: about 0.01 ms for each entry.
func Open(cfg Config) (_ *Book, err error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	cfg.Origins = slices.Compact(slices.Sorted(slices.Values(cfg.Origins)))
	b := &Book{cfg: cfg, state: newState(), limits: newLimits(), texts: map[parley.Hash][]byte{}, live: map[parley.Hash]*liveSession{},
		seenBefore: map[parley.Hash]time.Time{}, ceremonies: map[string]*ceremony{}}
	if err := b.checkConfig(); err != nil {
		return nil, err
	}
	if b.auth, err = relyingParty(cfg); err != nil {
		return nil, err
	}
	if b.db, b.conn, err = openDatabase(cfg.Path); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			b.conn.Close()
			b.db.Close()
		}
	}()
	if err := b.openJournal(); err != nil {
		return nil, err
	}
	return b, nil
}

// checkConfig lets the desk of rosters judge what would stand in one.
func (b *Book) checkConfig() error {
	if b.cfg.Party == 0 || b.cfg.Party > parley.MaxParty || b.cfg.Name == "" {
		return parley.Errorf(CodeOther, "the book has no party")
	}
	return b.wanted(1).Check()
}

func (b *Book) openJournal() error {
	var n int64
	if err := b.conn.QueryRowContext(bg, `SELECT count(*) FROM entries`).Scan(&n); err != nil {
		return classify(err)
	}
	var err error
	if b.secret, err = openKey(b.cfg.Path, n == 0, b.cfg.Rand); err != nil {
		return err
	}
	b.origin = originOf(b.cfg.Party, b.public())
	if err := b.load(); err != nil {
		return err
	}
	if b.state.opened == nil {
		return b.commit(b.batch(nil).add("book", &opened{Party: b.cfg.Party, RPID: b.cfg.RPID, Demo: b.cfg.Demo}))
	}
	switch o := b.state.opened; {
	case o.Party != b.cfg.Party:
		return parley.Errorf(CodeOther, "the book is member %d's, not member %d's", o.Party, b.cfg.Party)
	case o.RPID != b.cfg.RPID:
		return parley.Errorf(CodeOther, "the passkeys of this book are bound to %s, not to %s", o.RPID, b.cfg.RPID)
	case o.Demo != b.cfg.Demo:
		return parley.Errorf(CodeOther, "a demonstration's book never becomes a real one, nor the other way")
	}
	return errors.Join(b.loadTexts(), b.loadSeen())
}

// Close ends the book. Open sessions go on after the next Open.
func (b *Book) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.db == nil {
		return nil
	}
	for h, l := range b.live {
		if b.state.sessions[h] != nil {
			b.touch(h, l.seen)
		}
	}
	err := errors.Join(b.conn.Close(), b.db.Close())
	b.db = nil
	b.failed = parley.Errorf(CodeFailed, "the book is closed")
	return err
}

// object names what an entry is about.
func object(kind string, id uint64) string {
	return kind + " " + itoa(id)
}

// clip shortens a text for the journal, at a rune.
func clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "")
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}
