package store

import (
	"fmt"

	"parley"
	"parley/journal"
)

// maxTail is how many of a log's last rows are recomputed at the start.
const maxTail = 256

// verifyTail recomputes the end of a log: that its last row is where its size
// says, that the tree hashes of the last rows follow from their leaves, and
// that the newest signed head has the root of those hashes. It reads about
// log2(size) rows and the tail; the whole is for Check.
func (s *SQLite) verifyTail(r *logRow) error {
	st := &r.state
	if r.last != st.Size {
		return damaged(st.Log, min(st.Size, r.last), fmt.Sprintf("the log has %d entries and should have %d", r.last, st.Size))
	}
	err := s.recomputeTail(st)
	if parley.CodeOf(err) == journal.CodeNotHeld {
		return damaged(st.Log, st.Size-1, err.(*parley.Error).Msg)
	}
	return err
}

func (s *SQLite) recomputeTail(st *journal.LogState) error {
	if st.Size == 0 {
		return nil
	}
	start := st.Size - 1
	if h := st.Head; h != nil && 0 < h.Size && h.Size <= st.Size && st.Size-h.Size < maxTail {
		start = h.Size - 1
	}
	tree, err := journal.LoadTree(start, s.Hashes(st.Log))
	if err != nil {
		return err
	}
	err = s.Rows(st.Log, start, st.Size, func(r *journal.Row) error {
		for level, h := range tree.Append(r.Leaf.Hash()) {
			if h != r.Hashes[level] {
				return damaged(st.Log, r.Index, fmt.Sprintf("the tree hash of level %d differs", level))
			}
		}
		return s.checkHead(st, tree)
	})
	if err != nil || st.Head == nil || st.Head.Size >= start {
		return err
	}
	old, err := journal.LoadTree(st.Head.Size, s.Hashes(st.Log))
	if err != nil {
		return err
	}
	return s.checkHead(st, old)
}

// checkHead compares the tree with the newest signed head where that is of
// the same size.
func (s *SQLite) checkHead(st *journal.LogState, tree *journal.Tree) error {
	if h := st.Head; h != nil && h.Size == tree.Size() && h.Root != tree.Root() {
		return parley.Errorf(journal.CodeDamaged, "log %s, entry %d: the root at size %d differs from the signed head",
			st.Log, max(h.Size, 1)-1, h.Size)
	}
	return nil
}
