package parley

import "time"

// What a node shows is a fold over entries, and what a party owes is a
// question to that fold. These are the things that pass between the record and
// the desks.

// Standing says how the record holds an entry.
type Standing uint8

const (
	InForce          Standing = 0
	Malformed        Standing = 1 // fits its commitment but breaks a rule of its format: evidence, no effect
	AfterRevocation  Standing = 2 // written under a revoked key: kept, changes no state
	DisputedCitation Standing = 3 // cites a head that differs from ours: in force, flagged
	BeforeBreak      Standing = 4 // of a superseded generation, beyond the size that its successor cited
)

var standingNames = [...]string{"", "MALFORMED", "AFTER REVOCATION", "DISPUTED CITATION", "SENT BEFORE THE BREAK"}

func (s Standing) String() string { return standingNames[s] }

// Effective reports whether a desk may let the entry change its state.
func (s Standing) Effective() bool { return s != Malformed && s != AfterRevocation }

// Posted is one opened entry as a desk sees it. Entries arrive in the order in
// which this node stored them; the fold must come out the same for every order
// that keeps each log's own order.
type Posted struct {
	Ref      Ref
	Entry    *Entry
	Standing Standing
	Stored   time.Time // when this node stored it, by its own clock: local, not shared
}

// Receipted tells a desk that member By holds a log up to Head.Size, and has
// opened what is addressed to it. It is a proof of life of By's node.
type Receipted struct {
	By     Party
	Head   Head
	Time   uint64    // of the receipt, by By's clock
	Stored time.Time // when this node verified it
}

// Duty is something a party owes by a time: an answer, an acknowledgement, a
// test. Desks compute duties; nothing is resolved automatically.
type Duty struct {
	Ref   Ref    // what it is about
	Owner Party  // who owes it
	With  Party  // the member on its other side, where one is; 0 none
	What  string // stable word, such as "open", "answer", "test"
	Lane  Lane
	By    time.Time // when it falls due
	Late  bool      // By has passed
	Text  string    // one line for the officer
}
