package station

import (
	"crypto/ed25519"

	"parley"
	"parley/journal"
)

// Event is one thing that happened to a station.
type Event interface{ event() }

// Start is the first event. Doubt says that the store may be behind what this
// party has signed: the high-water file is missing or ahead, the store is a
// copy, or the operator declared a restore (protocol 7.8, case c).
type Start struct{ Doubt bool }

// Up and Down tell that a connection of a member came up or went down.
type Up struct {
	Peer parley.Party
	Bulk bool
}
type Down struct {
	Peer parley.Party
	Bulk bool
}

// Frames are frames that arrived from a member on one connection, in order.
type Frames struct {
	From   parley.Party
	Frames [][]byte
}

// Post appends an entry to an own lane. The caller has let the desk check it.
// Done, if set, is called in the step with where the entry stands.
type Post struct {
	Lane parley.Lane
	Kind parley.Kind
	To   parley.Audience
	Body []byte
	Done func(parley.Ref, error)
}

// Together appends entries to one own lane, adjacent and in one batch, or none
// of them: where one may not be written, every Done is told why.
type Together []Post

// Tick tells that time has passed; send one about every second.
type Tick struct{}

// Witnessed brings the verified cosignatures of witnesses on an own head.
type Witnessed struct{ Cosigs []journal.Cosig }

// WitnessAhead tells that a witness knows a greater size of an own log than
// this node: the store is stale (protocol 7.8, case b).
type WitnessAhead struct {
	Log  parley.LogID
	Size uint64
}

// SealNow seals every own head at once, before a disclosure.
type SealNow struct{}

// Close ends the channel in favour of a successor that is in force.
type Close struct {
	Successor parley.Hash
	Finals    []parley.Head
}

// Renew starts a new generation on the operator's word: with keys that the
// root signed for exactly this generation, or, without, after a restore.
type Renew struct {
	Reason   parley.Reason
	Gen      parley.Gen // that RootKeys is signed for; drawn if RootKeys is nil
	RootKeys *parley.RootKeys
	Keys     KeySet // the private keys that RootKeys announces
}

func (Start) event()        {}
func (Up) event()           {}
func (Down) event()         {}
func (Frames) event()       {}
func (Post) event()         {}
func (Together) event()     {}
func (Tick) event()         {}
func (Witnessed) event()    {}
func (WitnessAhead) event() {}
func (SealNow) event()      {}
func (Close) event()        {}
func (Renew) event()        {}

// Send is one frame for one member. Bulk frames never stand before urgent ones.
type Send struct {
	To    parley.Party
	Bulk  bool
	Frame []byte
}

// Alarm is something that an officer must know now. Code is stable; Evidence
// is a fork proof where the alarm accuses somebody.
type Alarm struct {
	Code     string
	Party    parley.Party
	Text     string
	Evidence []byte
}

// Codes of alarms.
const (
	AlarmFork      = "fork"
	AlarmStale     = "stale-store"
	AlarmTwice     = "runs-twice"
	AlarmForeign   = "unknown-own-generation"
	AlarmUnsigned  = "never-signed" // own entries whose key is gone
	AlarmClock     = "clock-offset"
	AlarmQuota     = "quota"
	AlarmMalformed = "malformed"
	AlarmDisputed  = "disputed-citation"
	AlarmRevoked   = "after-revocation"
	AlarmNewKeys   = "new-keys"
)

// Mark is what the high-water file must hold before anything is signed.
type Mark struct {
	Gen   parley.Gen
	Sizes [parley.Lanes]uint64
}

// Out is what a committed step allows and tells.
type Out struct {
	Sends    []Send
	Posted   []parley.Posted
	Receipts []parley.Receipted
	Alarms   []Alarm
	Early    []Early
}

// Early is an entry of lane 0 or 1 that opened before those that precede it
// have arrived: shown at once, OUT OF ORDER, NOT RECEIPTED.
type Early struct {
	Log   parley.LogID
	Index uint64
	Entry *parley.Entry
}

// signature is an own head that is signed once its batch is durable.
type signature struct {
	origin string
	size   uint64
	root   parley.Hash
	key    ed25519.PrivateKey // the log's, which Renew may replace within the step
	sig    []byte
}

type pending struct {
	to    parley.Party
	bulk  bool
	sign  *signature              // nil for frames that need no own signature
	frame func(sig []byte) []byte // called after sign is signed
}

// Effects is what one step wants done.
type Effects struct {
	st    *Station
	batch journal.Batch
	signs []*signature
	sends []pending
	moved bool // own lanes grew: write the high-water mark
	out   Out
}

// Commit persists the batch and then, only then, signs own heads and returns
// the frames. persist gets nil for the mark when no own lane grew. If persist
// fails nothing was signed, and the station must not be used again.
func (fx *Effects) Commit(persist func(*journal.Batch, *Mark) error) (*Out, error) {
	if !fx.batch.Empty() || fx.moved {
		var m *Mark
		if fx.moved {
			m = fx.st.mark()
		}
		if err := persist(&fx.batch, m); err != nil {
			return nil, err
		}
	}
	for _, s := range fx.signs {
		s.sig = journal.SignHead(s.key, s.origin, s.size, s.root)
	}
	out := fx.out
	out.Sends = make([]Send, 0, len(fx.sends))
	for _, p := range fx.sends {
		var sig []byte
		if p.sign != nil {
			sig = p.sign.sig
		}
		out.Sends = append(out.Sends, Send{p.to, p.bulk, p.frame(sig)})
	}
	fx.st.signed(fx.signs)
	return &out, nil
}

func (fx *Effects) send(to parley.Party, bulk bool, frame []byte) {
	fx.sends = append(fx.sends, pending{to: to, bulk: bulk, frame: func([]byte) []byte { return frame }})
}

func (fx *Effects) alarm(code string, p parley.Party, text string, evidence []byte) {
	fx.out.Alarms = append(fx.out.Alarms, Alarm{code, p, text, evidence})
}

func (fx *Effects) put(space, key string, value []byte, secret bool) {
	fx.batch.Puts = append(fx.batch.Puts, journal.Put{Space: space, Key: key, Value: value, Secret: secret})
}
