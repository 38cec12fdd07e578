package store

import (
	"bytes"
	"database/sql"
	"errors"
	"math/bits"

	"parley"
	"parley/journal"
)

type writeStmts struct {
	begin, commit, rollback             *sql.Stmt
	newLog, setLog, row, opened, reopen *sql.Stmt
	newSigner, cosigs, newCosig, cosig  *sql.Stmt
	value, putValue, delValue           *sql.Stmt

	all []*sql.Stmt
}

// close must come before the connection's Close, which would otherwise leave
// SQLite's connection open for their sake, and the write-ahead log with it.
func (w *writeStmts) close() error {
	var errs []error
	for _, st := range w.all {
		errs = append(errs, st.Close())
	}
	return errors.Join(errs...)
}

func (w *writeStmts) prepare(c *sql.Conn) error {
	for _, p := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&w.begin, `BEGIN IMMEDIATE`},
		{&w.commit, `COMMIT`},
		{&w.rollback, `ROLLBACK`},
		{&w.newLog, `INSERT INTO logs (id, channel, party, lane, gen, size, head_size) VALUES (?1, ?2, ?3, ?4, ?5, 0, 0)`},
		{&w.setLog, `UPDATE logs SET size = ?1, head_size = ?2, head_root = ?3, head_sig = ?4 WHERE id = ?5 AND size = ?6 AND head_size = ?7`},
		{&w.row, `INSERT INTO entries (log, ` + rowColumns + `) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)`},
		{&w.opened, `SELECT ` + rowColumns + ` FROM entries WHERE log = ?1 AND idx = ?2`},
		{&w.reopen, `UPDATE entries SET content = ?3, standing = ?4, sum = ?5 WHERE log = ?1 AND idx = ?2`},
		{&w.newSigner, `INSERT INTO signers (id, log, name, pq) VALUES (?1, ?2, ?3, ?4)`},
		{&w.cosigs, `SELECT ` + cosigColumns + ` FROM cosigs c JOIN signers s ON s.id = c.signer WHERE c.signer = ?1 AND c.size = ?2`},
		{&w.newCosig, `INSERT INTO cosigs (signer, size, first_time, first_sig, last_time, last_sig, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (signer, size) DO NOTHING`},
		{&w.cosig, `INSERT OR REPLACE INTO cosigs (signer, size, first_time, first_sig, last_time, last_sig, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`},
		{&w.value, `SELECT value, secret FROM vals WHERE space = ?1 AND key = ?2`},
		{&w.putValue, `INSERT OR REPLACE INTO vals (space, key, value, secret, sum) VALUES (?1, ?2, ?3, ?4, ?5)`},
		{&w.delValue, `DELETE FROM vals WHERE space = ?1 AND key = ?2`},
	} {
		st, err := c.PrepareContext(bg, p.text)
		if err != nil {
			return err
		}
		*p.stmt = st
		w.all = append(w.all, st)
	}
	return nil
}

// change is what a batch does to one log's row.
type change struct {
	old, new logRow
	fresh    bool // the log has no row yet
}

// Commit makes b durable in one transaction (see journal.Store). Besides rows
// out of order it refuses, with CodeConflict, the content of a row that the
// record does not have. Every other error has the code CodeFailed or
// CodeFull; after it every call of the store fails the same way.
func (s *SQLite) Commit(b *journal.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(); err != nil {
		return err
	}
	if b.Empty() {
		return nil
	}
	if s.readOnly {
		return parley.Errorf(CodeFailed, "the record %s is open for reading only", s.path)
	}
	changes, err := s.plan(b)
	if err == nil {
		err = s.transact(b, changes)
	}
	if parley.CodeOf(err) == journal.CodeConflict {
		return err
	}
	if err != nil {
		return s.poison(err)
	}
	s.logsMu.Lock()
	for _, c := range changes {
		s.logs[c.new.state.Log] = &c.new
		s.signers += len(c.new.signers) - len(c.old.signers)
	}
	s.logsMu.Unlock()
	if err := errors.Join(s.noteCommit(), s.stillOurs()); err != nil {
		return s.poison(err)
	}
	if err := s.checkpoint(); err != nil {
		return s.poison(err)
	}
	return nil
}

// plan checks the batch against the committed state, before anything is
// written.
func (s *SQLite) plan(b *journal.Batch) ([]*change, error) {
	var changes []*change
	byLog := map[parley.LogID]*change{}
	// Rows of logs and signers are numbered from 1 and never deleted.
	nextLog, nextSigner := int64(len(s.logs))+1, int64(s.signers)+1
	touch := func(l parley.LogID) *change {
		c := byLog[l]
		if c == nil {
			c = &change{}
			if r := s.logs[l]; r != nil {
				c.old = *r
			} else {
				c.fresh = true
				c.old = logRow{id: nextLog, state: journal.LogState{Log: l}}
				nextLog++
			}
			c.new = c.old
			byLog[l] = c
			changes = append(changes, c)
		}
		return c
	}
	for i := range b.Rows {
		r := &b.Rows[i]
		st := &touch(r.Log).new.state
		if r.Index != st.Size {
			return nil, parley.Errorf(journal.CodeConflict, "log %s has %d entries; entry %d cannot follow", r.Log, st.Size, r.Index)
		}
		if want := 1 + bits.TrailingZeros64(^r.Index); len(r.Hashes) != want {
			return nil, parley.Errorf(CodeFailed, "entry %d of log %s completes %d tree hashes, not %d", r.Index, r.Log, want, len(r.Hashes))
		}
		st.Size++
	}
	for i := range b.Opened {
		o := &b.Opened[i]
		if st := &touch(o.Log).new.state; o.Index >= st.Size {
			return nil, parley.Errorf(journal.CodeConflict, "log %s has %d entries; entry %d cannot be opened", o.Log, st.Size, o.Index)
		}
	}
	for i := range b.Heads {
		h := b.Heads[i]
		if st := &touch(h.Log).new.state; st.Head == nil || h.Size > st.Head.Size {
			h.Sig = bytes.Clone(h.Sig)
			st.Head = &h
		}
	}
	for i := range b.Cosigs {
		touch(b.Cosigs[i].Log).cosigned(&b.Cosigs[i], &nextSigner)
	}
	return changes, nil
}

func (s *SQLite) transact(b *journal.Batch, changes []*change) (err error) {
	if _, err := s.write.begin.Exec(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			s.write.rollback.Exec() // in memory only; the process ends anyway
		}
	}()
	rows := make(map[parley.LogID]*logRow, len(changes))
	for _, c := range changes {
		rows[c.new.state.Log] = &c.new
		if err := s.putLog(c); err != nil {
			return err
		}
		if err := s.putSigners(&c.new); err != nil {
			return err
		}
	}
	for i := range b.Rows {
		if err := s.putRow(rows[b.Rows[i].Log].id, &b.Rows[i]); err != nil {
			return err
		}
	}
	for i := range b.Opened {
		if err := s.putOpened(rows[b.Opened[i].Log].id, &b.Opened[i]); err != nil {
			return err
		}
	}
	for i := range b.Cosigs {
		c := &b.Cosigs[i]
		if err := s.putCosig(rows[c.Log].signer(c).id, c); err != nil {
			return err
		}
	}
	for i := range b.Puts {
		if err := s.put(&b.Puts[i]); err != nil {
			return err
		}
	}
	_, err = s.write.commit.Exec()
	s.growth += 5 * 4096
	return err
}

// putLog moves a log's row from its old to its new state: the compare and
// swap that notices a second writer.
func (s *SQLite) putLog(c *change) error {
	l, st := c.new.state.Log, &c.new.state
	if c.fresh {
		if _, err := s.write.newLog.Exec(c.new.id, l.Channel[:], int64(l.Party), int64(l.Lane), l.Gen[:]); err != nil {
			return err
		}
	}
	if st.Size == c.old.state.Size && st.Head == c.old.state.Head {
		return nil
	}
	size, root, sig := headColumns(st.Head)
	oldSize, _, _ := headColumns(c.old.state.Head)
	res, err := s.write.setLog.Exec(int64(st.Size), size, root, sig, c.new.id, int64(c.old.state.Size), oldSize)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return parley.Errorf(journal.CodeConflict, "log %s was changed by somebody else", l)
	}
	return nil
}

func headColumns(h *journal.SignedHead) (size int64, root, sig []byte) {
	if h == nil {
		return 0, nil, nil
	}
	return int64(h.Size), h.Root[:], nonNil(h.Sig)
}

// nonNil keeps an empty slice from becoming NULL.
func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func (s *SQLite) putRow(log int64, r *journal.Row) error {
	hashes := make([]byte, 0, 32*len(r.Hashes))
	for i := range r.Hashes {
		hashes = append(hashes, r.Hashes[i][:]...)
	}
	var content []byte
	if r.Content != nil {
		content = s.box.sealContent(r.Log, r.Index, r.Content)
	}
	s.growth += 128 + len(hashes) + len(r.Sig) + len(content)
	_, err := s.write.row.Exec(log, int64(r.Index), int64(r.Leaf.To), r.Leaf.Commit[:], hashes, r.Sig, content,
		int64(r.Standing), int64(r.Stored), rowSum(r, hashes))
	return err
}

// putOpened adds the content to a row. The row is checked first, so that its
// sum is not renewed over a flipped bit.
func (s *SQLite) putOpened(log int64, o *journal.Opened) error {
	raw, err := scanRow(s.write.opened.QueryRow(log, int64(o.Index)))
	if err != nil {
		return err
	}
	r, faults := s.inspect(o.Log, raw)
	if len(faults) > 0 {
		return damaged(o.Log, o.Index, faults[0])
	}
	r.Standing = o.Standing
	content := s.box.sealContent(o.Log, o.Index, &o.Content)
	s.growth += 4096
	_, err = s.write.reopen.Exec(log, int64(o.Index), content, int64(o.Standing), rowSum(r, raw.hashes))
	return err
}

// checkpointAt is the estimated size of the write-ahead log, in bytes, at
// which it is copied into the database.
const checkpointAt = 4 << 20

// checkpoint moves the write-ahead log into the database when it has grown,
// and empties it when secrets were destroyed. SQLite would do the first by
// itself, but it would hide a failed fsync.
func (s *SQLite) checkpoint() error {
	if s.unclean {
		return s.truncateLog()
	}
	if s.growth < checkpointAt {
		return nil
	}
	s.growth = 0
	if _, err := s.conn.ExecContext(bg, "PRAGMA wal_checkpoint(PASSIVE)"); err != nil {
		return err
	}
	return s.remember()
}

// truncateLog empties the write-ahead log and cuts it to nothing, so that
// destroyed secrets leave no bytes in it. Where a reader of another process
// stands in the way it is tried again after the next Commit.
func (s *SQLite) truncateLog() error {
	if err := s.forgetMark(); err != nil {
		return err
	}
	var busy, frames, moved int64
	err := s.conn.QueryRowContext(bg, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved)
	if err != nil {
		return classify(err, "emptying the write-ahead log")
	}
	s.unclean = busy != 0
	s.growth = 0
	return s.remember()
}
