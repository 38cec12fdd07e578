package station

import (
	"fmt"
	"slices"

	"parley"
	"parley/frame"
	"parley/journal"
)

// Bounds of what a station keeps for a peer that is ahead or wrong.
const (
	maxHeld  = 1024    // leaves held beyond the own count, per log
	maxKept  = 8 << 20 // bytes of leaves and frames held on the word of one member
	maxNoKey = 64      // frames that wait for a grant, per member
	maxStray = 320     // logs of unknown generations that one member names
	window   = 256     // own entries sent ahead of a member's receipt, per log
	keepRoot = 64      // newest roots kept in memory, per log
)

// log is one log as this station holds it.
type log struct {
	id      parley.LogID
	origin  string
	hint    uint16
	tree    journal.Tree
	head    journal.SignedHead // newest head with the author's signature
	rcpt    map[parley.Party]uint64
	mine    uint64             // size of the newest own receipt
	owed    bool               // a receipt is due
	beat    uint64             // time of the newest own receipt
	sealed  uint64             // size of the newest own seal
	pqDay   uint64             // day of the newest own ML-DSA cosignature
	witness map[string]uint64  // greatest size that each witness of the charter cosigned
	stamps  map[stampKey]stamp // newest cosignature of each signer

	suspect  uint64       // no entry before it is AFTER REVOCATION
	unsealed int64        // when held frames were last opened before their turn, unix seconds
	stray    parley.Party // who named it, while its generation is not known
	forked   bool
	shut     bool // CLOSING stands
	held     map[uint64]*heldLeaf
	early    []frame.Receipt            // receipts over sizes not reached yet
	claim    *parley.Head               // of an own log: a longer head that others hold
	claimed  *journal.SignedHead        // signed by its author, beyond what we hold
	blank    map[uint64]parley.Audience // of an own lost log: entries whose content others hold
	asking   map[parley.Party]bool      // members asked for our own receipts, after a restore
	heard    bool                       // they have answered
	allow    bool                       // one frame is let through beyond the quota
	allowed  bool                       // and one OPEN: no key here may open the frame

	stuck struct {
		size  uint64
		since int64
	}

	fresh map[uint64]*journal.Row // rows of the step under way
	signs map[uint64]*signature   // and their signatures, if own
	roots [keepRoot]struct {
		size uint64
		root parley.Hash
	}
}

// heldLeaf is a leaf that waits for those before it or for a signed head.
type heldLeaf struct {
	leaf    journal.Leaf
	content *journal.Content
	sig     []byte // author's signature at its own size, or nil
	raw     []byte // the ENTRY frame, if it must still be opened in order
	by      parley.Party
}

// bytes is about what a held leaf takes of the memory.
func (h *heldLeaf) bytes() int {
	n := 256 + len(h.raw)
	if h.content != nil {
		n += len(h.content.Entry)
	}
	return n
}

type stampKey struct {
	name string
	pq   bool
}

type stamp struct{ size, time uint64 }

// restamp is how much newer, in seconds, a cosignature over the same size must
// be to be worth a commit.
const restamp = 5

// news reports whether a cosignature says more than the newest of its signer:
// a greater size, the same size some time later, or the same size at a time
// that can be, after one of the future. The rest are repeats, and whoever sends
// them should not make this node verify and write.
func (st *Station) news(l *log, name string, pq bool, size, time uint64) bool {
	s, ok := l.stamps[stampKey{name, pq}]
	return !ok || size > s.size || size == s.size && (time >= s.time+restamp || st.ahead(s.time) && !st.ahead(time))
}

// cosigned keeps a verified cosignature.
func (st *Station) cosigned(l *log, c journal.Cosig) {
	l.stamps[stampKey{c.Name, c.PQ}] = stamp{c.Size, c.Time}
	st.fx.batch.Cosigs = append(st.fx.batch.Cosigs, c)
}

func (st *Station) log(id parley.LogID) *log {
	k := place{id.Party, id.Lane, id.Gen}
	if l := st.logs[k]; l != nil {
		return l
	}
	l := &log{id: id, origin: id.Origin(), hint: id.Hint(),
		rcpt: map[parley.Party]uint64{}, held: map[uint64]*heldLeaf{}, fresh: map[uint64]*journal.Row{}, signs: map[uint64]*signature{}, witness: map[string]uint64{}, stamps: map[stampKey]stamp{}}
	st.logs[k] = l
	i, _ := slices.BinarySearchFunc(st.order, l, func(a, b *log) int { return parley.CompareLog(a.name(), b.name()) })
	st.order = slices.Insert(st.order, i, l)
	return l
}

// named is the log that a member names. A log whose generation is not known is
// only a claim: of those a member may bring up a bounded number.
func (st *Station) named(m *member, id parley.LogID) *log {
	if l := st.logs[place{id.Party, id.Lane, id.Gen}]; l != nil {
		return l
	}
	author := st.members[id.Party]
	if author == nil {
		return nil
	}
	if author.generation(id.Gen) != nil {
		return st.log(id)
	}
	if m.strays >= maxStray {
		m.dropped++
		return nil
	}
	m.strays++
	l := st.log(id)
	l.stray = m.Index
	return l
}

func (l *log) size() uint64 { return l.tree.Size() }

// quorumSize is the greatest size over which witnesses that make the charter's
// quorum have cosigned.
func (st *Station) quorumSize(l *log) uint64 {
	var best uint64
	for _, size := range l.witness {
		if size > best && st.quorum.Met(func(w string) bool { return l.witness[w] >= size }) {
			best = size
		}
	}
	return best
}

// name is the log's place in every order.
func (l *log) name() parley.Head {
	return parley.Head{Party: l.id.Party, Lane: l.id.Lane, Gen: l.id.Gen}
}

// cite is the log's head as an entry or HAVE cites it.
func (l *log) cite() parley.Head {
	return parley.Head{Party: l.id.Party, Lane: l.id.Lane, Gen: l.id.Gen, Size: l.tree.Size(), Root: l.tree.Root()}
}

func (l *log) noteRoot() {
	r := &l.roots[l.tree.Size()%keepRoot]
	r.size, r.root = l.tree.Size(), l.tree.Root()
}

// row reads a row, committed or of the step under way.
func (st *Station) row(l *log, index uint64) (*journal.Row, error) {
	if r := l.fresh[index]; r != nil {
		return r, nil
	}
	if index >= l.size() {
		return nil, parley.Errorf(journal.CodeNotHeld, "entry %d of %s is not held", index, l.id)
	}
	return st.cfg.Record.Row(l.id, index)
}

// hashes reads the log's tree hashes, those of the step under way included.
func (st *Station) hashes(l *log) journal.Hashes {
	return journal.HashesOf(func(index uint64) ([]parley.Hash, bool) {
		if r := l.fresh[index]; r != nil {
			return r.Hashes, true
		}
		return nil, false
	}, st.cfg.Record.Hashes(l.id))
}

// rootAt is the root of the first size leaves of a log; size is at most l.size().
func (st *Station) rootAt(l *log, size uint64) (parley.Hash, bool) {
	if r := &l.roots[size%keepRoot]; r.size == size && size > 0 {
		return r.root, true
	}
	if size > l.size() {
		return parley.Hash{}, false
	}
	root, err := journal.RootAt(size, st.hashes(l))
	return root, err == nil
}

// appendLeaf adds one leaf to a log and its row to the batch.
func (st *Station) appendLeaf(l *log, leaf journal.Leaf, c *journal.Content, sig []byte, standing parley.Standing) *journal.Row {
	index := l.size()
	r := &journal.Row{Log: l.id, Index: index, Leaf: leaf, Sig: sig, Content: c, Standing: standing,
		Hashes: l.tree.Append(leaf.Hash()), Stored: uint64(max(st.now.UnixMilli(), 0))}
	l.noteRoot()
	st.unhold(l, index)
	l.fresh[index] = r
	st.fx.batch.Rows = append(st.fx.batch.Rows, *r)
	st.changed[l] = true
	return r
}

// posted tells the desks of an opened entry.
func (st *Station) posted(l *log, r *journal.Row, e *parley.Entry) {
	if e == nil {
		return
	}
	st.fx.out.Posted = append(st.fx.out.Posted, parley.Posted{
		Ref:   parley.Ref{Party: l.id.Party, Lane: l.id.Lane, Gen: l.id.Gen, Index: r.Index, Leaf: r.Leaf.Hash()},
		Entry: e, Standing: r.Standing, Stored: st.now,
	})
}

func (st *Station) name(p parley.Party) string {
	if m := st.members[p]; m != nil {
		return m.Name
	}
	return fmt.Sprintf("member %d", p)
}
