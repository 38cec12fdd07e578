package store

import (
	"fmt"

	"parley"
	"parley/journal"
)

// verifyTails checks the end of every log before the record is used.
func (s *SQLite) verifyTails() error {
	states, err := s.Logs()
	if err != nil {
		return err
	}
	for i := range states {
		st := &states[i]
		err := s.verifyTail(s.log(st.Log).id, st)
		if parley.CodeOf(err) == journal.CodeNotHeld {
			return parley.Errorf(journal.CodeDamaged, "log %s: the end of %d entries cannot be recomputed: %w", st.Log, st.Size, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// maxTail is how many of a log's last rows are recomputed at the start.
const maxTail = 256

// verifyTail recomputes the end of a log: that its last row is where its size
// says, that the tree hashes of the last rows follow from their leaves, and
// that the newest signed head has the root of those hashes. It reads about
// log2(size) rows and the tail; the whole is for Check.
func (s *SQLite) verifyTail(id int64, st *journal.LogState) error {
	var last int64
	if err := s.read.last.QueryRow(id).Scan(&last); err != nil {
		return classify(err, "reading the end of a log")
	}
	if uint64(last) != st.Size {
		return damaged(st.Log, min(st.Size, uint64(last)), fmt.Sprintf("the log has %d entries and should have %d", last, st.Size))
	}
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
