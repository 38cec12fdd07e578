package store

import (
	"crypto/ed25519"
	"fmt"
	"math"

	"parley"
	"parley/journal"
)

// Finding is one thing that Check found wrong.
type Finding struct {
	Log   *parley.LogID // nil: not of one log
	Index int64         // the entry, or -1
	What  string
}

func (f Finding) String() string {
	switch {
	case f.Log == nil:
		return f.What
	case f.Index < 0:
		return fmt.Sprintf("log %s: %s", f.Log, f.What)
	}
	return fmt.Sprintf("log %s, entry %d: %s", f.Log, f.Index, f.What)
}

// Verifiers tell Check whose signatures to expect; nil fields and nil or
// unknown keys leave the signatures unchecked.
type Verifiers struct {
	// LogKey is the author's key of a log, nil if unknown.
	LogKey func(parley.LogID) ed25519.PublicKey
	// Cosig verifies a cosignature over the root of its size. known is false
	// if the signer's key is not known.
	Cosig func(c *journal.Cosig, root parley.Hash) (ok, known bool)
}

// Check recomputes the whole record: every leaf, from its content where that
// is held, every tree hash, the newest signed heads, the authors' signatures,
// the cosignatures and the values, and lets SQLite check its own structure.
// It calls report for everything that is wrong, and progress with the entries
// done from time to time. It changes nothing, holds little in memory, and may
// run beside a node; entries added meanwhile are left out. The error is of
// reading; what is wrong with the record is a Finding.
func Check(s *SQLite, v Verifiers, progress func(done, total uint64), report func(Finding)) error {
	if err := s.usable(); err != nil {
		return err
	}
	if err := s.checkStructure(report); err != nil {
		return err
	}
	logs, err := s.readLogs()
	if err != nil {
		return err
	}
	var done, total uint64
	for _, r := range logs {
		total += r.state.Size
	}
	for _, r := range logs {
		c := &checker{s: s, v: v, row: *r, report: report,
			step: func(n int) { done += uint64(n); progress(done, total) }}
		if err := c.log(); err != nil {
			return err
		}
	}
	return s.checkValues(report)
}

// checkStructure asks SQLite.
func (s *SQLite) checkStructure(report func(Finding)) error {
	rows, err := s.readers.Query("PRAGMA integrity_check")
	if err != nil {
		return classify(err, "checking the database's structure")
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return classify(err, "checking the database's structure")
		}
		if text != "ok" {
			report(Finding{Index: -1, What: "database structure: " + text})
		}
	}
	return classify(rows.Err(), "checking the database's structure")
}

func (s *SQLite) checkValues(report func(Finding)) error {
	rows, err := s.readers.Query("SELECT DISTINCT space FROM vals ORDER BY space")
	if err != nil {
		return classify(err, "reading values")
	}
	defer rows.Close()
	var spaces []string
	for rows.Next() {
		var space []byte
		if err := rows.Scan(&space); err != nil {
			return classify(err, "reading values")
		}
		spaces = append(spaces, string(space))
	}
	if err := rows.Err(); err != nil {
		return classify(err, "reading values")
	}
	for _, space := range spaces {
		vs, err := s.values(space)
		if err != nil {
			return err
		}
		for _, v := range vs {
			if _, err := s.unseal(space, v); err != nil {
				report(Finding{Index: -1, What: err.(*parley.Error).Msg})
			}
		}
	}
	return nil
}

// checker goes through one log.
type checker struct {
	s      *SQLite
	v      Verifiers
	row    logRow
	report func(Finding)
	step   func(n int)

	tree journal.Tree
	key  ed25519.PublicKey
}

func (c *checker) bad(index uint64, format string, args ...any) {
	c.report(Finding{&c.row.state.Log, int64(index), fmt.Sprintf(format, args...)})
}

func (c *checker) badCosig(err error) error {
	c.report(Finding{Index: -1, What: err.(*parley.Error).Msg})
	return nil
}

func (c *checker) log() error {
	st := &c.row.state
	if c.v.LogKey != nil {
		c.key = c.v.LogKey(st.Log)
	}
	for next := uint64(0); next < st.Size; {
		raws, err := c.s.chunk(c.row.id, next, st.Size)
		if err != nil {
			return err
		}
		if len(raws) == 0 || uint64(raws[0].idx) != next {
			c.bad(next, "the row is missing; the rest of the log was not checked")
			return nil
		}
		cosigs, err := c.s.cosigs(&c.row, next+1, next+uint64(len(raws)), c.badCosig)
		if err != nil {
			return err
		}
		for _, raw := range raws {
			if uint64(raw.idx) != next {
				c.bad(next, "the row is missing; the rest of the log was not checked")
				return nil
			}
			cosigs = c.entry(raw, cosigs)
			next++
		}
		c.step(len(raws))
	}
	if c.row.last != st.Size {
		c.bad(min(c.row.last, st.Size), "the log has %d entries and should have %d", c.row.last, st.Size)
	}
	return c.beyond()
}

// beyond checks what was signed over no entry, or over more than are held.
func (c *checker) beyond() error {
	st := &c.row.state
	if h := st.Head; h != nil && (h.Size == 0 || h.Size > st.Size) {
		if c.key != nil && !journal.VerifyHead(c.key, st.Log.Origin(), h.Size, h.Root, h.Sig) {
			c.report(Finding{&st.Log, -1, fmt.Sprintf("the signature of the head of size %d does not fit", h.Size)})
		}
	}
	for _, r := range [][2]uint64{{0, 0}, {st.Size + 1, math.MaxInt64}} {
		cosigs, err := c.s.cosigs(&c.row, r[0], r[1], c.badCosig)
		if err != nil {
			return err
		}
		for i := range cosigs {
			c.report(Finding{&st.Log, -1, fmt.Sprintf("a cosignature of %s is over size %d; the log has %d entries", cosigs[i].Name, cosigs[i].Size, st.Size)})
		}
	}
	return nil
}

// entry checks one row, adds its leaf to the tree, and checks what was signed
// over the tree that it completes. It returns the cosignatures of later sizes.
func (c *checker) entry(raw *rawRow, cosigs []journal.Cosig) []journal.Cosig {
	st := &c.row.state
	index := uint64(raw.idx)
	r, faults := c.s.inspect(st.Log, raw)
	for _, f := range faults {
		c.bad(index, "%s", f)
	}
	var leaf parley.Hash
	if r != nil {
		leaf = r.Leaf.Hash()
	}
	for level, h := range c.tree.Append(leaf) {
		if r != nil && level > 0 && r.Hashes[level] != h {
			c.bad(index, "the tree hash of level %d differs", level)
		}
	}
	size := c.tree.Size()
	signed := func(sig []byte) bool {
		return c.key == nil || journal.VerifyHead(c.key, st.Log.Origin(), size, c.tree.Root(), sig)
	}
	if r != nil && r.Sig != nil && !signed(r.Sig) {
		c.bad(index, "the author's signature does not fit the tree of size %d", size)
	}
	if h := st.Head; h != nil && h.Size == size {
		if h.Root != c.tree.Root() {
			c.bad(index, "the root at size %d differs from the signed head", size)
		}
		if !signed(h.Sig) {
			c.bad(index, "the signature of the head of size %d does not fit", size)
		}
	}
	for ; len(cosigs) > 0 && cosigs[0].Size == size; cosigs = cosigs[1:] {
		if c.v.Cosig == nil {
			continue
		}
		if ok, known := c.v.Cosig(&cosigs[0], c.tree.Root()); known && !ok {
			c.bad(index, "the cosignature of %s over size %d, time %d, does not fit", cosigs[0].Name, size, cosigs[0].Time)
		}
	}
	return cosigs
}
