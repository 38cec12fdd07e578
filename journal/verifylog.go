package journal

import (
	"golang.org/x/mod/sumdb/tlog"

	"parley"
)

// logCheck is what is kept of one log of a record.
type logCheck struct {
	log    parley.LogID
	origin string
	known  parley.Head   // as the inventory lists it
	head   parley.Head   // of which the leaves are in the file
	keys   *parley.Keys  // under which the author signed it
	tree   Tree          // as far as read
	hashes []parley.Hash // in the order of tlog.StoredHashIndex
	marks  []mark        // verified cosignatures, by size
	sums   []entrySum    // if a line per entry is wanted
	blind  []run         // leaves without an opening
	flags  []flag
	events []event

	pending []fileCosig // of sizes within the next block
	lastCos fileCosig   // the last cosignature read, for the order
	late    int         // cosignatures ahead of the verifier's clock

	later     map[uint64]parley.Ref // entries opened by a later OPENING
	closed    uint64                // first entry after a CLOSING, 0 if there is none
	standings []standing

	sigErr  error  // first cosignature that does not fit; decided at the log's end
	badSize uint64 // its size
	good    uint64 // greatest size below it that a cosignature confirms
}

// mark is a verified cosignature, without its bytes.
type mark struct {
	size, time uint64
	signer     uint8
	pq         bool
}

// run is a range of leaves of one audience.
type run struct {
	from, to uint64 // to is excluded
	audience parley.Audience
}

// entrySum is what a line about an opened entry says.
type entrySum struct {
	kind   parley.Kind
	time   uint64
	to     parley.Audience
	opened bool
}

// flag says what is wrong with an entry that is nevertheless in the record.
type flag struct {
	index    uint64
	standing parley.Standing
	why      string
}

// event is an entry whose meaning reaches beyond itself.
type event struct {
	index uint64
	gen   *parley.Generation
	open  *parley.Opening
	fork  []byte // evidence of a NOTICE "fork"
	close bool
}

// cite is a head or a reference in an entry.
type cite struct {
	head   parley.Head // of a reference: size = index + 1, root = leaf hash
	isRef  bool
	inBody bool   // not in seen
	by     uint64 // index of the citing entry
}

// task is one S or E section of a log.
type task struct {
	sec *section
	log *logCheck

	first  uint64
	leaves []fileLeaf
	hashes []parley.Hash
	sums   []entrySum
	flags  []flag
	events []event
	cites  []cite
	err    error // the section's form, or an opening that does not fit
}

func (v *verifier) startLog(sec *section) error {
	want := v.inv.Logs[len(v.logs)]
	h, sig, err := parseLog(sec.payload)
	if err != nil {
		return within(sec, err)
	}
	l := &logCheck{log: h.Log(v.keys.Channel), known: want, head: h}
	l.origin = l.log.Origin()
	if l.log != want.Log(v.keys.Channel) {
		return parley.Errorf(CodeInventory, "section %d: log %s stands where the inventory lists log %s", sec.n, l.log, want.Log(v.keys.Channel))
	}
	if v.charter.Member(h.Party) == nil {
		return parley.Errorf(CodeInventory, "log %s is of a member that the charter does not have", l.log)
	}
	if h.Size > want.Size || h.Size == want.Size && h.Root != want.Root {
		return parley.Errorf(CodeInventory, "log %s: the file holds the head of size %d, the inventory lists another of size %d", l.log, h.Size, want.Size)
	}
	if h.Size > 0 {
		if l.keys, err = v.keys.VerifyHead(SignedHead{l.log, h.Size, h.Root, sig}); err != nil {
			return err
		}
	}
	v.logs = append(v.logs, l)
	v.cur = l
	return nil
}

// endLog closes the current log, if there is one: all leaves read, the root as
// signed, every cosignature fitting.
func (v *verifier) endLog() error {
	if v.cur == nil {
		return nil
	}
	if err := v.flush(); err != nil {
		return err
	}
	l := v.cur
	v.cur = nil
	if l.tree.Size() != l.head.Size {
		if l.sigErr != nil {
			return l.sigErr
		}
		return parley.Errorf(CodeSection, "log %s ends after %d of %d entries", l.log, l.tree.Size(), l.head.Size)
	}
	if len(l.pending) > 0 {
		return parley.Errorf(CodeSection, "log %s: cosignatures of size %d follow its last entry", l.log, l.pending[0].size)
	}
	if l.tree.Root() != l.head.Root {
		if l.sigErr != nil {
			return parley.Errorf(CodeRoot, "log %s: an entry between %d and %d is not the one that was signed", l.log, l.good, l.badSize-1)
		}
		return parley.Errorf(CodeRoot, "log %s: an entry between %d and %d is not the one that was signed", l.log, l.good, l.head.Size-1)
	}
	return l.sigErr
}

// flush checks what was gathered of the current log: first every section by
// itself, which may run at once, then in order the tree, then the signatures.
func (v *verifier) flush() error {
	batch, hurt := v.batch, v.hurt
	v.batch, v.bytes, v.hurt = v.batch[:0:0], 0, nil
	var jobs []func()
	for _, t := range batch {
		if t.sec.tag == tagEntries {
			jobs = append(jobs, func() { v.checkBlock(t) })
		}
	}
	v.run(jobs)
	var sigs []*sigCheck
	for _, t := range batch {
		more, err := v.apply(t)
		if err != nil {
			return err
		}
		sigs = append(sigs, more...)
		if t.sec.tag == tagEntries && !t.sec.intact {
			if hurt != nil {
				return hurt.damage()
			}
			return t.sec.damage()
		}
	}
	if err := v.signatures(sigs, hurt != nil); err != nil {
		return err
	}
	if hurt != nil {
		return hurt.damage()
	}
	return nil
}

// apply adds a checked section to its log, and returns the cosignatures whose
// roots are now known.
func (v *verifier) apply(t *task) ([]*sigCheck, error) {
	l := t.log
	if t.sec.tag == tagCosigs {
		return nil, v.applyCosigs(t)
	}
	if t.leaves != nil && t.first != l.tree.Size() {
		return nil, parley.Errorf(CodeSection, "section %d: entries of log %s from %d on stand where those from %d on are due", t.sec.n, l.log, t.first, l.tree.Size())
	}
	if t.err != nil {
		return nil, parley.Errorf(parley.CodeOf(t.err), "section %d (entries of log %s): %w", t.sec.n, l.log, t.err)
	}
	if l.tree.Size()+uint64(len(t.leaves)) > l.head.Size {
		return nil, parley.Errorf(CodeSection, "section %d: log %s has more entries than its head counts", t.sec.n, l.log)
	}
	var sigs []*sigCheck
	for i, h := range t.hashes {
		l.hashes = l.tree.appendTo(l.hashes, h)
		for len(l.pending) > 0 && l.pending[0].size == l.tree.Size() {
			sigs = append(sigs, &sigCheck{log: l, c: l.pending[0], root: l.tree.Root()})
			l.pending = l.pending[1:]
		}
		if lf := &t.leaves[i]; lf.entry == nil {
			l.addBlind(l.tree.Size()-1, lf.To)
		}
	}
	if len(l.pending) > 0 {
		return nil, parley.Errorf(CodeSection, "section %d: a cosignature of size %d stands before entries that end at %d", t.sec.n, l.pending[0].size, l.tree.Size())
	}
	if v.Entries {
		l.sums = append(l.sums, t.sums...)
	}
	l.flags = append(l.flags, t.flags...)
	l.events = append(l.events, t.events...)
	for _, c := range t.cites {
		v.cites = append(v.cites, citation{c, l})
	}
	return sigs, nil
}

func (v *verifier) applyCosigs(t *task) error {
	l := t.log
	cs, err := parseCosigs(t.sec.payload)
	if err != nil {
		return parley.Errorf(parley.CodeOf(err), "section %d (receipts and witnesses of log %s): %w", t.sec.n, l.log, err)
	}
	if len(l.pending)+len(cs) > maxPending {
		return parley.Errorf(parley.CodeTooLarge, "section %d: more than %d cosignatures of log %s before the entries that they are over", t.sec.n, maxPending, l.log)
	}
	for _, c := range cs {
		switch {
		case c.size <= l.tree.Size() || c.size > l.head.Size || c.size > l.tree.Size()+blockLeafs:
			return parley.Errorf(CodeSection, "section %d: a cosignature of size %d of log %s stands in the wrong place", t.sec.n, c.size, l.log)
		case l.lastCos.size != 0 && compareCosigs(l.lastCos, c) >= 0:
			return parley.Errorf(parley.CodeNotSorted, "section %d: cosignatures of log %s are not sorted", t.sec.n, l.log)
		case c.signer == 0 && !c.pq,
			c.signer > 0 && c.signer < firstWitness && (c.signer == int(l.log.Party) || v.charter.Member(parley.Party(c.signer)) == nil),
			c.signer >= firstWitness+len(v.charter.Witnesses):
			return parley.Errorf(CodeReceipt, "section %d: a cosignature over log %s by signer %d, whom the charter does not have", t.sec.n, l.log, c.signer)
		}
		l.lastCos = c
		l.pending = append(l.pending, c)
	}
	return nil
}

// addBlind notes an unopened leaf.
func (l *logCheck) addBlind(i uint64, to parley.Audience) {
	if n := len(l.blind); n > 0 && l.blind[n-1].to == i && l.blind[n-1].audience == to {
		l.blind[n-1].to++
		return
	}
	l.blind = append(l.blind, run{i, i + 1, to})
}

// rootAt is the root that the log had at a size, at most as far as read.
func (l *logCheck) rootAt(size uint64) parley.Hash {
	t := Tree{size: size}
	var start uint64
	for k := 53; k >= 0; k-- {
		if size>>k&1 == 1 {
			t.edge[k] = l.hashes[tlog.StoredHashIndex(k, int64(start>>k))]
			start += 1 << k
		}
	}
	return t.Root()
}

func (l *logCheck) leafHash(i uint64) parley.Hash { return l.hashes[tlog.StoredHashIndex(0, int64(i))] }
