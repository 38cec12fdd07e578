package store

import (
	"fmt"
	"math"
	"strings"
	"time"

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

// Verifiers tell Check whose signatures to expect; nil fields and unknown keys
// leave the signatures unchecked.
type Verifiers struct {
	// Head verifies the author's signature on a head. known is false if the
	// author's key of that log is not known.
	Head func(log parley.LogID, size uint64, root parley.Hash, sig []byte) (ok, known bool)
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
	if err := s.checkStrays(report); err != nil {
		return err
	}
	return s.checkValues(report)
}

// checkStrays looks for cosignatures that no log leads to.
func (s *SQLite) checkStrays(report func(Finding)) error {
	var n int
	err := s.readers.QueryRow(`SELECT count(*) FROM cosigs WHERE signer NOT IN
		(SELECT s.id FROM signers s JOIN logs l ON l.id = s.log)`).Scan(&n)
	if n > 0 {
		report(Finding{Index: -1, What: fmt.Sprintf("cosignatures of no signer that the record knows: %d", n)})
	}
	return classify(err, "reading cosignatures")
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
		for _, line := range strings.Split(text, "\n") {
			if line != "ok" && !strings.HasPrefix(line, "***") {
				report(Finding{Index: -1, What: "database structure: " + line})
			}
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
}

// signed reports whether a signature of the author fits, or cannot be checked;
// proved, that it could be checked and fits.
func (c *checker) signed(size uint64, root parley.Hash, sig []byte) (fits, proved bool) {
	if c.v.Head == nil {
		return true, false
	}
	ok, known := c.v.Head(c.row.state.Log, size, root, sig)
	return ok || !known, ok && known
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
		if fits, _ := c.signed(h.Size, h.Root, h.Sig); !fits {
			c.report(Finding{&st.Log, -1, fmt.Sprintf("the signature of the head of size %d does not fit", h.Size)})
		}
	}
	for _, r := range [][2]uint64{{1 << 63, 0}, {st.Size + 1, math.MaxInt64}} { // as signed numbers, as SQLite has them
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
// All that is wrong with the entry is one finding.
func (c *checker) entry(raw *rawRow, cosigs []journal.Cosig) []journal.Cosig {
	st := &c.row.state
	index := uint64(raw.idx)
	r, faults := c.s.inspect(st.Log, raw)
	if r == nil || len(faults) > 0 {
		c.bad(index, "%s", strings.Join(faults, ", "))
		return c.resume(index+1, r, cosigs)
	}
	for level, h := range c.tree.Append(r.Leaf.Hash()) {
		if level > 0 && r.Hashes[level] != h {
			faults = append(faults, fmt.Sprintf("the tree hash of level %d differs", level))
		}
	}
	size := c.tree.Size()
	signed := func(sig []byte) bool {
		fits, _ := c.signed(size, c.tree.Root(), sig)
		return fits
	}
	if r.Sig != nil && !signed(r.Sig) {
		faults = append(faults, fmt.Sprintf("the author's signature does not fit the tree of size %d", size))
	}
	if h := st.Head; h != nil && h.Size == size {
		if h.Root != c.tree.Root() {
			faults = append(faults, fmt.Sprintf("the root at size %d differs from the signed head", size))
		} else if !signed(h.Sig) {
			faults = append(faults, fmt.Sprintf("the signature of the head of size %d does not fit", size))
		}
	}
	for ; len(cosigs) > 0 && cosigs[0].Size == size; cosigs = cosigs[1:] {
		if c.v.Cosig == nil {
			continue
		}
		if ok, known := c.v.Cosig(&cosigs[0], c.tree.Root()); known && !ok {
			faults = append(faults, fmt.Sprintf("the cosignature of %s over size %d, of %s, does not fit",
				cosigs[0].Name, size, utc(cosigs[0].Time)))
		}
	}
	if len(faults) > 0 {
		c.bad(index, "%s", strings.Join(faults, ", "))
	}
	return cosigs
}

// resume goes on behind a damaged entry, so that one damaged leaf does not make
// all that follow look wrong: with the leaf as it is, if the author's signature
// or the content says so, and else with the tree hashes as they are stored.
func (c *checker) resume(size uint64, r *journal.Row, cosigs []journal.Cosig) []journal.Cosig {
	for len(cosigs) > 0 && cosigs[0].Size <= size {
		cosigs = cosigs[1:]
	}
	id := c.row.state.Log
	next := c.tree
	if r != nil {
		next.Append(r.Leaf.Hash())
		proved := false
		if r.Sig != nil {
			_, proved = c.signed(size, next.Root(), r.Sig)
		}
		if proved || r.Content != nil && journal.Commit(id.Origin(), size-1, r.Content.Salt, r.Content.Entry) == r.Leaf.Commit {
			c.tree = next
			return cosigs
		}
	}
	if stored, err := journal.LoadTree(size, hashes{c.s, id}); err == nil {
		c.tree = *stored
	} else {
		c.tree.Append(parley.Hash{})
	}
	return cosigs
}

// utc writes a time of the protocol for people.
func utc(seconds uint64) string {
	if seconds > 1<<38 {
		return fmt.Sprintf("%d seconds since 1970", seconds)
	}
	return time.Unix(int64(seconds), 0).UTC().Format("2006-01-02 15:04:05Z")
}
