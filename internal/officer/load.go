package officer

import (
	"errors"
	"os"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"parley"
	"parley/journal"
)

// load reads every entry, folds it, and compares the tree with the newest
// signed heads, in the database and beside it.
func (b *Book) load() error {
	rows, err := b.conn.QueryContext(bg, `SELECT idx, data, sig FROM entries ORDER BY idx`)
	if err != nil {
		return classify(err)
	}
	defer rows.Close()
	var sig []byte
	for rows.Next() {
		var idx int64
		var data []byte
		if err := rows.Scan(&idx, &data, &sig); err != nil {
			return classify(err)
		}
		if uint64(idx) != b.tree.Size() {
			return parley.Errorf(CodeBook, "entry %d of the journal is missing", b.tree.Size())
		}
		if err := b.state.take(data); err != nil {
			return parley.Errorf(CodeBook, "entry %d of the journal: %w", idx, err)
		}
		b.hashes = append(b.hashes, b.tree.Append(leaf(data))...)
	}
	if err := rows.Err(); err != nil {
		return classify(err)
	}
	if n := b.tree.Size(); n > 0 && !journal.VerifyHead(b.public(), b.origin, n, b.tree.Root(), sig) {
		return parley.Errorf(CodeBook, "the journal is not what the book's key signed: an entry was changed, or the key")
	}
	return b.checkHead()
}

// checkHead compares the journal with the head that lies beside it. The
// journal may be longer, never shorter, and never other.
func (b *Book) checkHead() error {
	raw, err := os.ReadFile(beside(b.cfg.Path, ".head"))
	if errors.Is(err, os.ErrNotExist) && b.tree.Size() <= 1 {
		return nil // the first start was cut off
	}
	if err != nil {
		return parley.Errorf(CodeBook, "the newest head of the book cannot be read: %w", err)
	}
	cp, err := b.openNote(raw)
	if err != nil {
		return err
	}
	if cp.Size > b.tree.Size() {
		return parley.Errorf(CodeBook, "the journal has %d entries and had %d: it was cut short, or put back from a copy", b.tree.Size(), cp.Size)
	}
	if root, err := journal.RootAt(cp.Size, b.hashReader()); err != nil || root != cp.Root {
		return parley.Errorf(CodeBook, "the journal does not continue the one whose head lies beside it")
	}
	return nil
}

func (b *Book) openNote(raw []byte) (*journal.Checkpoint, error) {
	cp, err := journal.ParseCheckpoint(raw)
	if err != nil {
		return nil, parley.Errorf(CodeBook, "the newest head of the book: %w", err)
	}
	if len(cp.Lines) != 1 || cp.Origin != b.origin || !cp.Lines[0].IsHead(b.origin, b.public()) ||
		!journal.VerifyHead(b.public(), b.origin, cp.Size, cp.Root, cp.Lines[0].Sig) {
		return nil, parley.Errorf(CodeBook, "the newest head of the book is not signed by its key")
	}
	return cp, nil
}

// hashReader reads the stored hashes of the tree, which are all in memory: 64
// bytes for each entry.
func (b *Book) hashReader() journal.Hashes {
	return tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(at))
		for i, n := range at {
			if n < 0 || n >= int64(len(b.hashes)) {
				return nil, parley.Errorf(CodeProof, "there is no such hash in the journal")
			}
			out[i] = tlog.Hash(b.hashes[n])
		}
		return out, nil
	})
}

// loadTexts reads the texts of open drafts. One that is missing, or that no
// draft needs, was taken out or put in by hand.
func (b *Book) loadTexts() error {
	rows, err := b.conn.QueryContext(bg, `SELECT hash, sealed FROM blobs`)
	if err != nil {
		return classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		var hash, sealed []byte
		if err := rows.Scan(&hash, &sealed); err != nil {
			return classify(err)
		}
		if len(hash) != 32 {
			return parley.Errorf(CodeBook, "a text of a draft has no hash")
		}
		plain, err := b.secret.openBlob(parley.Hash(hash), sealed)
		if err != nil {
			return err
		}
		b.texts[parley.Hash(hash)] = plain
	}
	if err := rows.Err(); err != nil {
		return classify(err)
	}
	needed := b.state.texts()
	for h := range needed {
		if b.texts[h] == nil {
			return parley.Errorf(CodeBook, "the text of a draft is missing")
		}
	}
	if len(needed) != len(b.texts) {
		return parley.Errorf(CodeBook, "there is a text that belongs to no draft")
	}
	return nil
}

// loadSeen reads when sessions were last used. A session that the journal does
// not know is no session, whatever the table says.
func (b *Book) loadSeen() error {
	rows, err := b.conn.QueryContext(bg, `SELECT hash, seen FROM sessions`)
	if err != nil {
		return classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		var hash []byte
		var seen int64
		if err := rows.Scan(&hash, &seen); err != nil {
			return classify(err)
		}
		if len(hash) == 32 {
			b.seenBefore[parley.Hash(hash)] = time.UnixMilli(seen)
		}
	}
	return classify(rows.Err())
}
