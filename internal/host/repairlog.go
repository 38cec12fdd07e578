package host

import (
	"bytes"
	"cmp"
	"maps"
	"slices"

	"parley"
	"parley/internal/store"
	"parley/journal"
)

// mending is one log on its way from damaged to whole.
type mending struct {
	r      *repair
	id     parley.LogID
	saved  *store.SavedLog // nil: nothing is left of it
	target uint64          // entries that the record is known to have held
	end    uint64          // entries that it will hold
	head   *journal.SignedHead
	leaves []parley.Hash          // leaf hashes, zero where not known
	bad    map[uint64]*badEntry   // damaged or missing
	signed map[uint64][]signature // heads known to be signed by the author, by size
	cosigs bool                   // cosignatures were lost
	offers []journal.Cosig        // cosignatures from copies

	beyondHead *journal.SignedHead // of a copy that holds more
	beyond     []parley.Hash       // and its leaves from target on

	last         uint64          // when the entry written before came
	lastStanding parley.Standing // and how it stands
}

type signature struct {
	root parley.Hash // zero: not known, the tree must give it
	sig  []byte
}

// badEntry is a damaged entry with what was found of it so far.
type badEntry struct {
	rest   *store.Remains // nil: nothing is left
	leaf   *journal.Leaf
	text   *journal.Content
	sig    []byte
	proven bool   // the leaf lies under a signed head
	own    bool   // sealed by this party itself: the leaf is its own commitment
	from   string // who gave it
}

// survey makes a plan for every log: what is whole, what is not, how far it
// must reach.
func (r *repair) survey(files []*recordFile) error {
	r.ring = journal.NewKeyring(r.charter, r.signed.Channel())
	names := r.names(files)
	r.saved.Adopt(names)
	if err := r.announce(files); err != nil {
		return err
	}
	have := map[parley.LogID]bool{}
	for _, l := range r.saved.Logs {
		if l.ID.Channel != r.signed.Channel() || r.charter.Member(l.ID.Party) == nil {
			r.lose("a log of another channel or of no member: %s", l.ID)
			continue
		}
		have[l.ID] = true
		r.logs = append(r.logs, r.plan(l))
	}
	r.ownSizes(have)
	return nil
}

// ownSizes adds the own logs of which nothing is left but their size in the
// high-water file.
func (r *repair) ownSizes(have map[parley.LogID]bool) {
	if r.mark == nil {
		return
	}
	for lane, size := range r.mark.Sizes {
		id := parley.LogID{Channel: r.signed.Channel(), Party: r.me, Lane: parley.Lane(lane), Gen: r.mark.Gen}
		if size > 0 && !have[id] {
			m := &mending{r: r, id: id, target: size, bad: map[uint64]*badEntry{}, signed: map[uint64][]signature{}, cosigs: true}
			m.read()
			m.settle()
			r.logs = append(r.logs, m)
		}
	}
}

// names are the logs that anything at hand names, for rows that lost theirs.
func (r *repair) names(files []*recordFile) (ids []parley.LogID) {
	gens := map[parley.Party]map[parley.Gen]bool{}
	add := func(p parley.Party, g parley.Gen) {
		if gens[p] == nil {
			gens[p] = map[parley.Gen]bool{}
		}
		gens[p][g] = true
	}
	for _, l := range r.saved.Logs {
		add(l.ID.Party, l.ID.Gen)
	}
	for _, f := range files {
		for id := range f.heads {
			add(id.Party, id.Gen)
		}
	}
	if r.mark != nil {
		add(r.me, r.mark.Gen)
	}
	add(r.me, r.gen)
	for p, gs := range gens {
		for g := range gs {
			for lane := range parley.Lane(parley.Lanes) {
				ids = append(ids, parley.LogID{Channel: r.signed.Channel(), Party: p, Lane: lane, Gen: g})
			}
		}
	}
	return ids
}

// announce gathers the changes of keys, from the record and the files.
func (r *repair) announce(files []*recordFile) error {
	found, err := journal.FindRootKeys(salvaged{r.saved}, r.charter, r.signed.Channel())
	if err != nil {
		return err
	}
	for _, f := range files {
		found = append(found, f.keys...)
	}
	r.pins = map[parley.Party]*parley.Keys{}
	for i := range r.charter.Members {
		r.pins[r.charter.Members[i].Index] = r.charter.Members[i].Keys
	}
	for _, a := range found {
		if err := r.ring.Announce(a); err != nil {
			return err
		}
		if a.Keys.Serial > r.pins[a.Party].Serial {
			r.pins[a.Party] = a.Keys.Keys
		}
	}
	return nil
}

// salvaged shows what is whole of a damaged record to those who read records.
type salvaged struct{ s *store.Salvage }

func (v salvaged) Logs() (out []journal.LogState, err error) {
	for _, l := range v.s.Logs {
		out = append(out, journal.LogState{Log: l.ID, Size: l.Rows, Head: l.Head})
	}
	return out, nil
}

func (v salvaged) Row(id parley.LogID, i uint64) (*journal.Row, error) {
	for _, l := range v.s.Logs {
		if l.ID == id {
			if row, _ := l.Row(i); row != nil {
				return row, nil
			}
		}
	}
	return nil, parley.Errorf(journal.CodeNotHeld, "log %s, entry %d is not held", id, i)
}

func (v salvaged) Rows(id parley.LogID, from, to uint64, f func(*journal.Row) error) error {
	for i := from; i < to; i++ {
		if row, err := v.Row(id, i); err == nil {
			if err := f(row); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v salvaged) Cosigs(parley.LogID, uint64) ([]journal.Cosig, error) { return nil, nil }

// plan reads a log once and notes what is damaged.
func (r *repair) plan(l *store.SavedLog) *mending {
	m := &mending{r: r, id: l.ID, saved: l, bad: map[uint64]*badEntry{}, signed: map[uint64][]signature{}, cosigs: len(l.Names) > 0 || r.saved.Loose > 0 || r.saved.Holes > 0}
	m.target = l.Rows
	if h := l.Head; h != nil && h.Size > 0 {
		if _, err := r.ring.VerifyHead(*h); err == nil {
			m.sign(h.Size, h.Root, h.Sig)
			m.target = max(m.target, h.Size)
		}
	}
	for _, c := range l.Cosigs { // this node's own word: it held that much
		if c.Name == journal.ReceiptName(r.signed.Channel(), r.me) && !c.PQ {
			m.target = max(m.target, c.Size)
		}
	}
	if l.ID.Party == r.me && l.ID.Gen == r.gen && r.mark != nil && r.mark.Gen == r.gen {
		m.target = max(m.target, r.mark.Sizes[l.ID.Lane])
	}
	m.read()
	m.settle()
	return m
}

// read goes through the rows.
func (m *mending) read() {
	m.leaves = make([]parley.Hash, m.target)
	for i := range m.target {
		row, rest := (*journal.Row)(nil), (*store.Remains)(nil)
		if m.saved != nil {
			row, rest = m.saved.Row(i)
		}
		if row == nil {
			m.bad[i] = m.local(i, rest)
			continue
		}
		m.leaves[i] = row.Leaf.Hash()
		if row.Sig != nil {
			m.sign(i+1, parley.Hash{}, row.Sig)
		}
		m.r.Progress("reading", i+1, m.target)
	}
}

// local is what the damaged row itself offers.
func (m *mending) local(i uint64, rest *store.Remains) *badEntry {
	b := &badEntry{rest: rest}
	if rest == nil {
		return b
	}
	b.from = "the damaged record itself"
	if leaf, ok := rest.Leaf(); ok {
		b.leaf = &leaf
	}
	if c, commit, ok := rest.Content(); ok {
		b.text = c
		to := parley.ToAll
		if e, err := parley.ParseEntry(c.Entry); err == nil {
			to = e.To
		} else if b.leaf != nil {
			to = b.leaf.To
		}
		b.leaf = &journal.Leaf{To: to, Commit: commit}
		b.own = m.id.Party == m.r.me
	}
	if sig := rest.Sig(); len(sig) == parley.SizeEdSig {
		b.sig = sig
	}
	return b
}

func (m *mending) sign(size uint64, root parley.Hash, sig []byte) {
	for _, s := range m.signed[size] {
		if bytes.Equal(s.sig, sig) {
			return
		}
	}
	m.signed[size] = append(m.signed[size], signature{root, sig})
}

// settle recomputes the tree with everything that was found, and proves, from
// one signed head to the next, that the leaves are those that the author
// signed.
func (m *mending) settle() {
	var tree journal.Tree
	next, unknown, open := uint64(0), false, false
	newest := uint64(0) // signed; those between need no proof where nothing was damaged
	for size := range m.signed {
		newest = max(newest, size)
	}
	for i := range m.target {
		leaf := m.leaves[i]
		if b := m.bad[i]; b != nil {
			if unknown = unknown || b.leaf == nil; b.leaf != nil {
				leaf = b.leaf.Hash()
			}
		}
		tree.Append(leaf)
		if b := m.bad[i]; b != nil {
			open = open || !b.proven
		}
		if unknown || m.signed[i+1] == nil || !open && i+1 < newest || !m.verified(i+1, tree.Root()) {
			continue
		}
		open = false
		for ; next <= i; next++ {
			if b := m.bad[next]; b != nil {
				b.proven = true
			}
		}
	}
	if m.further(&tree, unknown) {
		for ; next < m.target; next++ {
			if b := m.bad[next]; b != nil {
				b.proven = true
			}
		}
	}
	m.end = m.target
	for i, b := range m.bad {
		// What was sealed here by this party itself is what it committed to,
		// though nobody may have a signature over it yet.
		if !b.proven && !(b.own && b.leaf != nil) {
			m.end = min(m.end, i)
		}
	}
}

// chooseHead finds the newest signed head that the repaired log will hold.
func (m *mending) chooseHead() {
	if m.head != nil && m.head.Size <= m.end && m.signed[m.end] == nil {
		return
	}
	m.head = nil
	sizes := slices.Sorted(maps.Keys(m.signed))
	for _, size := range slices.Backward(sizes) {
		if size > m.end || size == 0 {
			continue
		}
		var tree journal.Tree
		for i := range size {
			tree.Append(m.leaf(i))
		}
		if m.verified(size, tree.Root()) {
			return
		}
	}
}

// follow notes a head of a copy that holds more than this record did: the
// leaves up to it come from the copy, and only serve to prove those before.
func (m *mending) follow(h journal.SignedHead) {
	if h.Size > m.target && h.Size-m.target <= mostBeyond {
		m.beyondHead, m.beyond = &h, make([]parley.Hash, h.Size-m.target)
	}
}

// mostBeyond bounds how many entries more than this record a copy may hold to
// be of use where the newest own signature is lost.
const mostBeyond = 1 << 20

// further reports whether the tree, with the leaves that a copy has beyond it,
// comes to the copy's signed head.
func (m *mending) further(tree *journal.Tree, unknown bool) bool {
	if unknown || m.beyondHead == nil {
		return false
	}
	t := *tree
	for _, leaf := range m.beyond {
		if leaf == (parley.Hash{}) {
			return false
		}
		t.Append(leaf)
	}
	if t.Root() != m.beyondHead.Root {
		return false
	}
	_, err := m.r.ring.VerifyHead(*m.beyondHead)
	return err == nil
}

// verified reports whether the author signed this root at this size. A
// signature that does not fit is forgotten.
func (m *mending) verified(size uint64, root parley.Hash) bool {
	for _, s := range m.signed[size] {
		h := journal.SignedHead{Log: m.id, Size: size, Root: root, Sig: s.sig}
		if s.root != (parley.Hash{}) && s.root != root {
			continue
		}
		if _, err := m.r.ring.VerifyHead(h); err == nil {
			if m.head == nil || m.head.Size < size {
				m.head = &h
			}
			return true
		}
	}
	return false
}

// lacks reports whether a copy may have anything for the log: entries, their
// texts, cosignatures, or the author's signature on the newest head.
func (m *mending) lacks() bool {
	return len(m.wanted()) > 0 || m.cosigs || m.headless()
}

func (m *mending) headless() bool { return m.target > 0 && m.head == nil }

// wanted lists what a copy should give, in order: entries without a proven
// leaf, and those whose text this party held or should hold.
func (m *mending) wanted() (idx []uint64) {
	for i, b := range m.bad {
		if !b.proven || b.text == nil && m.readable(b) {
			idx = append(idx, i)
		}
	}
	slices.Sort(idx)
	return idx
}

// readable reports whether this party held the text of an entry.
func (m *mending) readable(b *badEntry) bool { return b.leaf == nil || m.readableAs(*b.leaf, b) }

// readableAs is readable of the entry with another leaf.
func (m *mending) readableAs(leaf journal.Leaf, b *badEntry) bool {
	return m.id.Party == m.r.me || leaf.To.Includes(m.r.me) || b.rest != nil && b.rest.HadContent()
}

// give takes an entry from a copy. It counts once settle has proved it.
func (m *mending) give(i uint64, leaf journal.Leaf, c *journal.Content, sig []byte, from string) {
	if i >= m.target && i-m.target < uint64(len(m.beyond)) {
		m.beyond[i-m.target] = leaf.Hash()
	}
	b := m.bad[i]
	if b == nil {
		return
	}
	// The file of another reader may open what was written for that reader only.
	if c != nil && (!m.readableAs(leaf, b) || journal.CheckLeaf(m.id.Origin(), i, leaf, c) != nil) {
		c = nil
	}
	switch {
	case b.proven && leaf != *b.leaf:
		return
	case !b.proven && b.own:
		return
	case !b.proven:
		b.leaf, b.from = &leaf, from
		if b.text = c; c != nil {
			break
		}
	case b.text == nil && c != nil:
		b.text, b.from = c, from
	}
	if b.sig == nil && len(sig) == parley.SizeEdSig {
		b.sig = sig
	}
	if len(sig) == parley.SizeEdSig {
		m.sign(i+1, parley.Hash{}, sig)
	}
}

// leaf is the leaf hash of an entry of the repaired record.
func (m *mending) leaf(i uint64) parley.Hash {
	if b := m.bad[i]; b != nil {
		return b.leaf.Hash()
	}
	return m.leaves[i]
}

// row is an entry of the repaired record; tree is the log's before it.
func (m *mending) row(i uint64, tree *journal.Tree) (*journal.Row, error) {
	hashes := tree.Append(m.leaf(i))
	b := m.bad[i]
	if b == nil {
		row, _ := m.saved.Row(i)
		if row == nil {
			return nil, parley.Errorf(CodeNotRepaired, "log %s, entry %d could be read a moment ago and now cannot: the disk is failing", m.id, i)
		}
		row.Hashes = hashes
		m.last, m.lastStanding = row.Stored, row.Standing
		return row, nil
	}
	row := &journal.Row{Log: m.id, Index: i, Leaf: *b.leaf, Content: b.text, Hashes: hashes, Standing: m.standing(i, b), Stored: m.last}
	h := journal.SignedHead{Log: m.id, Size: i + 1, Root: tree.Root(), Sig: b.sig}
	if b.sig != nil {
		if _, err := m.r.ring.VerifyHead(h); err == nil {
			row.Sig = b.sig
		}
	}
	if b.rest == nil || !b.rest.Complete(row) {
		m.r.untimed++
		if row.Stored == 0 {
			row.Stored = uint64(max(m.r.Now().UnixMilli(), 0))
		}
	}
	m.last, m.lastStanding = row.Stored, row.Standing
	return row, nil
}

// standing judges an entry anew, as far as it and its neighbour tell: what
// stood before it beyond a break does so behind it, too.
func (m *mending) standing(i uint64, b *badEntry) parley.Standing {
	if b.text != nil {
		e, err := parley.ParseEntry(b.text.Entry)
		if err != nil || journal.CheckEntry(m.r.charter, m.id, i, b.leaf.To, b.text.Entry, e) != nil {
			return parley.Malformed
		}
	}
	if s := m.lastStanding; s == parley.BeforeBreak || s == parley.AfterRevocation {
		return s
	}
	return parley.InForce
}

// goodCosigs are the cosignatures that were kept, and those of copies where
// some were lost. Each of the latter is verified over the tree.
func (m *mending) goodCosigs() []journal.Cosig {
	var out []journal.Cosig
	if m.saved != nil {
		out = slices.DeleteFunc(slices.Clone(m.saved.Cosigs), func(c journal.Cosig) bool { return c.Size > m.end || c.Size == 0 })
	}
	if !m.cosigs || m.head == nil {
		return out
	}
	author, err := m.r.ring.VerifyHead(*m.head)
	if err != nil {
		return out
	}
	kept := slices.Clone(out)
	offers := slices.SortedFunc(slices.Values(m.offers), func(a, b journal.Cosig) int { return cmp.Compare(a.Size, b.Size) })
	var tree journal.Tree
	for _, c := range offers {
		if c.Size == 0 || c.Size > m.end {
			continue
		}
		for tree.Size() < c.Size {
			tree.Append(m.leaf(tree.Size()))
		}
		// Where this party kept any of a signer and size, it kept the first and
		// the last that it saw; a copy's would push them out.
		same := func(o journal.Cosig) bool { return o.Size == c.Size && o.Name == c.Name && o.PQ == c.PQ }
		if !slices.ContainsFunc(kept, same) && m.r.ring.VerifyCosig(&c, tree.Root(), author) == nil {
			out = append(out, c)
		}
	}
	return out
}
