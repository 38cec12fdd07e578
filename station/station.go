package station

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"io"
	"slices"
	"time"

	"parley"
	"parley/journal"
	"parley/seal"
)

// KeySet is a node's private keys.
type KeySet = *seal.Node

// Record is the durable state that a station starts from and reads while it
// runs. journal.Store satisfies it.
type Record interface {
	journal.Reader
	Logs() ([]journal.LogState, error)
	Values(space string, f func(key string, value []byte) error) error
}

// Config is what a station is made of.
type Config struct {
	Charter *parley.Charter
	Me      parley.Party
	Keys    KeySet
	Rand    io.Reader
	Record  Record
}

// place names a log inside the channel.
type place struct {
	party parley.Party
	lane  parley.Lane
	gen   parley.Gen
}

// Station is one party's protocol machine in one channel.
type Station struct {
	cfg    Config
	ch     parley.Hash
	chHint uint16
	quorum *parley.Quorum
	me     parley.Party
	keys   KeySet

	now     time.Time
	fx      *Effects
	logs    map[place]*log
	order   []*log // by party, lane, generation
	members map[parley.Party]*member

	// Own side.
	gen      parley.Gen // current own generation; zero before the first
	grants   []*ownKey  // own audience keys, live ones
	kems     []*kem     // own KEM keys, newest last
	queue    [][]Post   // posted before the start-up ended
	notices  []parley.Notice
	changed  map[*log]bool              // logs that grew since the own entry that cited them
	dirty    map[*log]bool              // logs whose newest head is not stored yet
	openings map[parley.Hash]parley.Ref // where an OPENING stands that came before its commitment, by leaf
	closed   bool
	closing  *Close // asked for before the start-up ended
	zip      squeezer

	// Start-up.
	phase   phase
	waitTil time.Time
	doubt   bool
	stale   bool
	hushed  time.Time // until when receipts wait for what members know of ours
	foreign bool      // a generation of this party became known that this node did not start

	// Time.
	newest    uint64 // newest verified time of another's cosignature
	pings     uint32
	pinged    [pingKept]int64 // when they went out, unix seconds, by number
	lastBeat  int64
	lastPing  int64
	lastSeal  int64
	lastQuota int64
}

type phase uint8

const (
	phaseNew phase = iota
	phaseStarting
	phaseRunning
)

// member is what the station knows of another member, or of itself.
type member struct {
	*parley.Member
	rcptName string
	keys     []*parley.Keys // every node key set known, newest last
	gens     []*generation  // in the order in which they became known
	kem      *peerKem
	reads    []*peerKey // audience keys that the member granted to us

	// The connection.
	up      [2]bool       // urgent, bulk
	have    bool          // HAVE received since it came up
	asked   map[*log]bool // own logs of which the member says to hold more, until it has shown the head
	keyless asking        // HAVE, for want of a key
	granted uint64        // keys accepted since the start
	cursor  map[*log]uint64
	theirs  map[*log]parley.Head // newest HAVE
	lost    bool                 // by it the member holds less than it has receipted
	listed  map[seal.KeyID]bool  // own keyids that the newest HAVE listed
	heads   map[*log]int64       // when its head of a log was asked for
	wanted  asks                 // its entries
	lacked  asks                 // entries that no key here opens
	sought  map[*log]*seeking    // own entries that this node lost and the member may hold
	noKey   [][]byte             // frames that wait for a grant
	check   *checking            // an investigation with it
	strays  int                  // logs of unknown generations that it named
	regrant bool                 // keys that it lacks go out again at a tick
	kept    int                  // bytes of held leaves and frames that came from it
	skew    int64                // of the member's clock against ours, seconds
	skewed  int64                // when the last alarm about it was raised, unix seconds
	dropped int                  // frames and lines that were of no use

	// Bounds.
	budget  int64                // bytes of answers to WANT left
	used    [parley.Lanes]uint64 // quota used today
	day     int64
	alarmed [parley.Lanes]bool
}

// generation is one generation of a member's logs.
type generation struct {
	gen      parley.Gen
	key      *parley.Keys
	prev     []parley.Gen
	cites    []parley.Head
	root     bool // signed by the root
	replaced *generation
}

func (m *member) connected() bool { return m.up[0] || m.up[1] }

// current is the member's newest generation that nothing supersedes.
func (m *member) current() *generation {
	for i := len(m.gens) - 1; i >= 0; i-- {
		if m.gens[i].replaced == nil {
			return m.gens[i]
		}
	}
	return nil
}

func (m *member) generation(g parley.Gen) *generation {
	for _, x := range m.gens {
		if x.gen == g {
			return x
		}
	}
	return nil
}

// newestKeys are the keys that the member's root announced last.
func (m *member) newestKeys() *parley.Keys { return m.keys[len(m.keys)-1] }

// New makes a station and loads its state from the record.
func New(cfg Config) (*Station, error) {
	st := &Station{
		cfg: cfg, ch: cfg.Charter.Channel(), me: cfg.Me, keys: cfg.Keys,
		logs: map[place]*log{}, members: map[parley.Party]*member{},
		changed: map[*log]bool{}, dirty: map[*log]bool{}, openings: map[parley.Hash]parley.Ref{},
	}
	var err error
	if st.quorum, err = cfg.Charter.Quorum(); err != nil {
		return nil, err
	}
	st.chHint = uint16(st.ch[0])<<8 | uint16(st.ch[1])
	for i := range cfg.Charter.Members {
		m := &cfg.Charter.Members[i]
		st.members[m.Index] = &member{Member: m, keys: []*parley.Keys{m.Keys}, budget: budgetMax,
			cursor: map[*log]uint64{}, asked: map[*log]bool{}, heads: map[*log]int64{}, wanted: asks{}, lacked: asks{}, sought: map[*log]*seeking{}, theirs: map[*log]parley.Head{}, listed: map[seal.KeyID]bool{}}
	}
	if st.members[st.me] == nil {
		return nil, parley.Errorf(CodeMember, "the charter has no member %d", st.me)
	}
	if err := st.load(); err != nil {
		return nil, err
	}
	if !st.ownKeysKnown() && st.keys.Serial <= st.members[st.me].newestKeys().Serial {
		return nil, parley.Errorf(CodeMember, "the node's log key is not the one that the channel knows for %s", st.members[st.me].Name)
	}
	return st, nil
}

// ownKeysKnown reports whether the channel, as far as it is known here, has the
// node's own log key in force. A record that was restored from before a renewal
// does not know it yet: then the start-up waits for a member that does.
func (st *Station) ownKeysKnown() bool {
	return bytes.Equal(st.members[st.me].newestKeys().LogEd, st.keys.Log.EdPublic())
}

// load rebuilds the memory from what is durable.
func (st *Station) load() error {
	states, err := st.cfg.Record.Logs()
	if err != nil {
		return err
	}
	slices.SortFunc(states, func(a, b journal.LogState) int {
		return cmp.Or(cmp.Compare(a.Log.Party, b.Log.Party), -cmp.Compare(a.Log.Lane, b.Log.Lane), bytes.Compare(a.Log.Gen[:], b.Log.Gen[:]))
	})
	for _, s := range states {
		if s.Log.Channel != st.ch || st.members[s.Log.Party] == nil || s.Size == 0 {
			continue
		}
		l := st.log(s.Log)
		t, err := journal.LoadTree(s.Size, st.cfg.Record.Hashes(s.Log))
		if err != nil {
			return err
		}
		l.tree = *t
		l.noteRoot()
		if s.Head != nil {
			l.head = *s.Head
		}
		for _, c := range s.Newest {
			l.stamps[stampKey{c.Name, c.PQ}] = stamp{c.Size, c.Time}
			if p := st.receiptSigner(c.Name); p != 0 && !c.PQ {
				l.rcpt[p] = max(l.rcpt[p], c.Size)
				if p == st.me {
					l.mine, l.beat = c.Size, c.Time
				}
			} else if c.Name != l.origin && p == 0 {
				l.witness[c.Name] = max(l.witness[c.Name], c.Size)
			}
		}
		l.owed = l.id.Party != st.me && l.mine < l.size() // the process ended in its start-up
	}
	return st.loadValues()
}

// Step feeds events to the machine and returns what must be made durable, and
// then sent. The effects of the step before must have been committed.
func (st *Station) Step(now time.Time, events ...Event) *Effects {
	st.now = now
	st.fx = &Effects{st: st}
	for _, l := range st.order {
		clear(l.fresh)
		clear(l.signs)
	}
	// New keys come first: what is written in the step that brings them is
	// signed under them. Under the old ones it would never be signed if the
	// process ended between the commit and the signature.
	for _, e := range events {
		if r, ok := e.(Renew); ok {
			st.renew(r)
		}
	}
	for _, e := range events {
		st.handle(e)
	}
	st.merge()
	st.giveReceipts()
	st.pumpAll()
	if len(st.fx.batch.Rows) > 0 { // a batch of receipts alone stays small; tick stores the rest
		st.storeHeads()
	}
	fx := st.fx
	st.fx = nil
	return fx
}

func (st *Station) handle(e Event) {
	switch e := e.(type) {
	case Start:
		st.start(e)
	case Up:
		st.linkUp(e)
	case Down:
		st.linkDown(e)
	case Frames:
		st.receive(e.From, e.Frames)
	case Post:
		st.post([]Post{e})
	case Together:
		st.post(e)
	case Tick:
		st.tick()
	case Witnessed:
		st.witnessed(e)
	case WitnessAhead:
		st.witnessAhead(e)
	case SealNow:
		st.sealHeads(true)
		st.storeHeads()
	case Close:
		st.close(e)
	}
}

// unix is the step's time in seconds, never negative.
func (st *Station) unix() uint64 { return uint64(max(st.now.Unix(), 0)) }

func (st *Station) random(b []byte) {
	if _, err := io.ReadFull(st.cfg.Rand, b); err != nil {
		panic("station: no randomness: " + err.Error())
	}
}

// logKey is the Ed25519 key that signs the heads of a log, nil if its
// generation is not known yet.
func (st *Station) logKey(l *log) ed25519.PublicKey {
	if g := st.members[l.id.Party].generation(l.id.Gen); g != nil {
		return g.key.LogEd
	}
	return nil
}

// mark is what the high-water file must hold.
func (st *Station) mark() *Mark {
	m := &Mark{Gen: st.gen}
	for lane := range parley.Lane(parley.Lanes) {
		if l := st.logs[place{st.me, lane, st.gen}]; l != nil {
			m.Sizes[lane] = l.tree.Size()
		}
	}
	return m
}

// signed takes the signatures that Commit made. They are stored with the next
// batch: Ed25519 is deterministic, so a crash in between loses nothing.
func (st *Station) signed(ss []*signature) {
	for _, s := range ss {
		id, err := parley.ParseOrigin(s.origin)
		if err != nil {
			panic(err)
		}
		if l := st.log(id); s.size > l.head.Size {
			l.head = journal.SignedHead{Log: id, Size: s.size, Root: s.root, Sig: s.sig}
			st.dirty[l] = true
		}
	}
}

func (st *Station) storeHeads() {
	for _, l := range st.order {
		if st.dirty[l] {
			st.fx.batch.Heads = append(st.fx.batch.Heads, l.head)
			delete(st.dirty, l)
		}
	}
}
