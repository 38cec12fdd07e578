package journal

import (
	"crypto/ed25519"
	"io"
	"slices"

	"parley"
)

// Held is the part of a store that an export reads; every Store has it.
type Held interface {
	Logs() ([]LogState, error)
	Row(log parley.LogID, index uint64) (*Row, error)
	Rows(log parley.LogID, from, to uint64, f func(*Row) error) error
	Cosigs(log parley.LogID, from uint64) ([]Cosig, error)
}

// Export says what to write, and as whom. The store may grow meanwhile: the
// export holds what was signed when WriteRecord began.
type Export struct {
	Charter  *parley.SignedCharter
	Store    Held
	Forks    []*Fork
	Exporter parley.Party
	Key      ed25519.PrivateKey // the exporter's receipt key
	Time     uint64             // seconds since 1970, by the exporter's clock

	// Open decides which of the openings that the store holds are written;
	// nil writes them all. GENERATION, KEYS and ROOTKEYS are always written.
	Open func(*Row) bool
}

// WriteRecord writes the whole record of a channel, one block of entries in
// memory at a time. Only what an author signed is written: an own entry that
// is committed but not yet signed stays out. A store that does not hold what
// was signed is CodeDamaged, and nothing that was written may be kept.
func WriteRecord(w io.Writer, x *Export) error {
	charter, err := parley.ParseCharter(x.Charter.Charter)
	if err != nil {
		return err
	}
	if m := x.Charter.Missing(charter); m != nil {
		return parley.Errorf(parley.CodeUnsigned, "the charter lacks the signature of member %d", m[0])
	}
	e := &exporter{Export: x, out: newSectionWriter(w, FileRecord)}
	e.keys = NewKeyring(charter, x.Charter.Channel())
	if err := e.survey(); err != nil {
		return err
	}
	e.inventory()
	e.out.put(tagCharter, x.Charter.Encode())
	for _, a := range e.announced {
		e.out.put(tagKeys, a.Encode())
	}
	for i := range e.logs {
		if err := e.log(&e.logs[i]); err != nil {
			return err
		}
	}
	for _, f := range x.Forks {
		e.out.put(tagFork, f.Encode())
	}
	return e.out.end(ed25519.Sign(x.Key, endMessage(e.keys.Channel, e.out.check)))
}

type exporter struct {
	*Export
	out       *sectionWriter
	keys      *Keyring
	logs      []exportLog
	announced []*Announced
}

// exportLog is a log with the newest head known of it and the newest head of
// which the entries are held.
type exportLog struct {
	known parley.Head
	held  SignedHead
}

// survey reads the heads and the changes of keys.
func (e *exporter) survey() error {
	states, err := e.Store.Logs()
	if err != nil {
		return err
	}
	for _, st := range states {
		if st.Log.Channel != e.keys.Channel || st.Head == nil {
			continue
		}
		l := exportLog{known: headOf(st.Head)}
		if l.held, err = e.heldHead(st); err != nil {
			return err
		}
		e.logs = append(e.logs, l)
	}
	slices.SortFunc(e.logs, func(a, b exportLog) int { return parley.CompareLog(a.known, b.known) })
	e.announced, err = FindRootKeys(e.Store, e.keys.Charter, e.keys.Channel)
	return err
}

func headOf(h *SignedHead) parley.Head {
	return parley.Head{Party: h.Log.Party, Lane: h.Log.Lane, Gen: h.Log.Gen, Size: h.Size, Root: h.Root}
}

// heldHead is the newest signed head of which every leaf is held: the newest
// one, or else the last row that carries a signature.
func (e *exporter) heldHead(st LogState) (SignedHead, error) {
	if st.Head.Size <= st.Size {
		return *st.Head, nil
	}
	h := SignedHead{Log: st.Log, Root: new(Tree).Root()}
	var tree Tree
	err := e.Store.Rows(st.Log, 0, st.Size, func(r *Row) error {
		tree.Append(r.Leaf.Hash())
		if r.Sig != nil {
			h.Size, h.Root, h.Sig = tree.Size(), tree.Root(), r.Sig
		}
		return nil
	})
	return h, err
}

func (e *exporter) inventory() {
	v := &Inventory{Exporter: e.Exporter, Channel: e.keys.Channel, Time: e.Time}
	for _, l := range e.logs {
		v.Logs = append(v.Logs, l.known)
	}
	for _, f := range e.Forks {
		v.Forks = append(v.Forks, forkHash(f.Encode()))
	}
	body := v.Encode()
	e.out.put(tagInventory, encodeSigned(body, ed25519.Sign(e.Key, InventoryMessage(body))))
}

func (e *exporter) log(l *exportLog) error {
	h := &l.held
	e.out.put(tagLog, encodeLog(headOf(h), h.Sig))
	if h.Size == 0 {
		return e.out.err
	}
	stored, err := e.Store.Cosigs(h.Log, 1)
	if err != nil {
		return err
	}
	var cosigs []fileCosig
	for _, c := range stored {
		if s, ok := e.keys.signer(h.Log, c.Name); ok && c.Size <= h.Size && c.Time != 0 {
			cosigs = append(cosigs, fileCosig{s, c.PQ, c.Size, c.Cosignature})
		}
	}
	slices.SortFunc(cosigs, compareCosigs)
	b := block{out: e.out, cosigs: cosigs}
	var tree Tree
	origin := h.Log.Origin()
	err = e.Store.Rows(h.Log, 0, h.Size, func(r *Row) error {
		tree.Append(r.Leaf.Hash())
		c := r.Content
		if c != nil {
			if err := CheckLeaf(origin, r.Index, r.Leaf, c); err != nil {
				return parley.Errorf(CodeDamaged, "log %s: %w", h.Log, err)
			}
		}
		if c != nil && e.Open != nil && !alwaysOpen(c.Entry) && !e.Open(r) {
			c = nil
		}
		b.add(r.Leaf, c)
		return e.out.err
	})
	b.flush()
	switch {
	case err != nil:
		return err
	case b.next != h.Size:
		return parley.Errorf(CodeDamaged, "the store gave %d of %d entries of log %s", b.next, h.Size, h.Log)
	case tree.Root() != h.Root:
		return parley.Errorf(CodeDamaged, "the entries of log %s are not those of its signed head", h.Log)
	}
	return e.out.err
}

// block gathers the leaves of one E section.
type block struct {
	out    *sectionWriter
	cosigs []fileCosig // of this size and greater
	leaves []byte
	n      int
	next   uint64
}

func (b *block) add(l Leaf, c *Content) {
	b.leaves = appendLeaf(b.leaves, l, c)
	b.n++
	b.next++
	if b.n == blockLeafs || len(b.leaves) >= blockBytes {
		b.flush()
	}
}

func (b *block) flush() {
	if b.n == 0 {
		return
	}
	k := 0
	for k < len(b.cosigs) && b.cosigs[k].size <= b.next {
		k++
	}
	for part := range slices.Chunk(b.cosigs[:k], maxCosigs) {
		b.out.put(tagCosigs, encodeCosigs(part))
	}
	b.cosigs = b.cosigs[k:]
	p := parley.AppendUint(parley.AppendArray(nil, 2), b.next-uint64(b.n))
	p = append(parley.AppendArray(p, b.n), b.leaves...)
	b.out.put(tagEntries, p)
	b.leaves, b.n = b.leaves[:0], 0
}
