package journal

import "parley"

// Batch is what must become durable as one, before anything it allows may be
// signed or sent. A store commits it in one transaction.
type Batch struct {
	Rows   []Row
	Opened []Opened
	Heads  []SignedHead
	Cosigs []Cosig
	Puts   []Put
}

// Empty reports whether there is nothing to commit.
func (b *Batch) Empty() bool {
	return len(b.Rows)+len(b.Opened)+len(b.Heads)+len(b.Cosigs)+len(b.Puts) == 0
}

// Content is what opens a leaf: its salt and the entry's canonical bytes.
type Content struct {
	Salt  parley.Hash
	Entry []byte
}

// Row is one entry of one log as the record holds it. Rows of a log are
// committed in order: a store refuses a row whose index is not the log's size.
type Row struct {
	Log      parley.LogID
	Index    uint64
	Leaf     Leaf
	Hashes   []parley.Hash // the tree hashes that this leaf completes (Tree.Append)
	Sig      []byte        // the author's signature on the head of size Index+1; nil if not held
	Content  *Content      // nil while the leaf is not opened to this node
	Standing parley.Standing
	Stored   uint64 // unix milliseconds when this node stored it
}

// Opened is the content of a row that was stored without it.
type Opened struct {
	Log      parley.LogID
	Index    uint64
	Content  Content
	Standing parley.Standing
}

// SignedHead is a head with its author's signature. A store keeps the newest
// per log.
type SignedHead struct {
	Log  parley.LogID
	Size uint64
	Root parley.Hash
	Sig  []byte
}

// Cosig is a stored cosignature: a receipt, a witness's, or a seal. Per log,
// size and signer a store keeps the one of the least and the one of the
// greatest time. Name is the key name as in the note line; PQ marks ML-DSA-44.
type Cosig struct {
	Log  parley.LogID
	Size uint64
	Name string
	PQ   bool
	Cosignature
}

// Put sets a small local value: a key of a window, a fork proof, a state of
// the station. A nil Value deletes. Secret values are sealed at rest and are
// never part of a backup.
type Put struct {
	Space  string
	Key    string
	Value  []byte
	Secret bool
}

// LogState is what a store knows of a log at start.
type LogState struct {
	Log  parley.LogID
	Size uint64
	Head *SignedHead // newest author-signed head, nil if none
	// Newest holds, for each key name and kind of signature, the cosignature
	// of the greatest size and, at that size, the greatest time.
	Newest []Cosig
}

// Reader is the part of a store that the pure rooms may read: what has been
// committed before. Reading is deterministic.
type Reader interface {
	// Row is one row; an error with code "not-held" if there is none.
	Row(log parley.LogID, index uint64) (*Row, error)
	// Hashes reads the log's tree hashes.
	Hashes(log parley.LogID) Hashes
	// Cosigs lists the cosignatures of a log of at least the given size, by
	// size, name and time.
	Cosigs(log parley.LogID, from uint64) ([]Cosig, error)
}

// Store is the durable record of one node. What Commit has returned is durable
// (fsync'd) and is seen by every later call. Commit fails with CodeConflict,
// and changes nothing, unless each log's first new row has the log's stored
// size as its index. Every other error of Commit is fatal: the caller must end
// the process, and the next start verifies the tail.
type Store interface {
	Reader
	Commit(b *Batch) error
	Logs() ([]LogState, error)
	// Rows calls f with rows [from, to) of a log, in order, until f fails.
	Rows(log parley.LogID, from, to uint64, f func(*Row) error) error
	// EachCosig calls f with every cosignature of a log, by size, name and
	// time, until f fails. Few are in memory at a time.
	EachCosig(log parley.LogID, f func(*Cosig) error) error
	// Values calls f with every value of a space, by key, until f fails.
	Values(space string, f func(key string, value []byte) error) error
	Close() error
}

// Codes of stores.
const (
	CodeConflict parley.Code = "store-conflict"
	CodeNotHeld  parley.Code = "not-held"
	CodeDamaged  parley.Code = "store-damaged"
)

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeConflict: "Another process wrote to this record. Make sure that only one node uses the directory, then start again.",
	CodeNotHeld:  "This node does not hold that entry. Check the number, or wait until the lines are up.",
	CodeDamaged:  "The store does not match what was signed. Run parley fsck, and restore or recover from the peers.",
})
