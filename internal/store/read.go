package store

import (
	"database/sql"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
	"modernc.org/sqlite"

	"parley"
	"parley/journal"
)

const rowColumns = `idx, audience, commitment, hashes, sig, content, standing, stored, sum`

type readStmts struct {
	logs, row, rows, hash, cosigs, newest, values *sql.Stmt
}

func (r *readStmts) prepare(db *sql.DB) error {
	for _, p := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&r.logs, `SELECT id, channel, party, lane, gen, size, head_size, head_root, head_sig,
			(SELECT coalesce(max(idx) + 1, 0) FROM entries WHERE log = id) FROM logs ORDER BY id`},
		{&r.row, `SELECT ` + rowColumns + ` FROM entries WHERE log = ?1 AND idx = ?2`},
		{&r.rows, `SELECT ` + rowColumns + ` FROM entries WHERE log = ?1 AND idx >= ?2 AND idx < ?3 ORDER BY idx`},
		{&r.hash, `SELECT substr(hashes, 32 * ?3 + 1, 32) FROM entries WHERE log = ?1 AND idx = ?2`},
		{&r.cosigs, `SELECT ` + cosigColumns + ` FROM signers s JOIN cosigs c ON c.signer = s.id AND c.size BETWEEN ?2 AND ?3
			WHERE s.log = ?1 ORDER BY c.size, s.name, s.pq`},
		{&r.newest, `SELECT ` + cosigColumns + ` FROM signers s JOIN cosigs c ON c.signer = s.id
			AND c.size = (SELECT max(size) FROM cosigs WHERE signer = s.id) WHERE s.log = ?1`},
		{&r.values, `SELECT key, value, secret, sum FROM vals WHERE space = ?1 ORDER BY key`},
	} {
		st, err := db.Prepare(p.text)
		if err != nil {
			return err
		}
		*p.stmt = st
	}
	return nil
}

func damaged(l parley.LogID, index uint64, what string) error {
	return parley.Errorf(journal.CodeDamaged, "log %s, entry %d: %s", l, index, what)
}

func notHeld(l parley.LogID, index uint64) error {
	return parley.Errorf(journal.CodeNotHeld, "log %s, entry %d is not held", l, index)
}

// readLogs reads the table logs, and with it, in one snapshot, where each
// log's rows end.
func (s *SQLite) readLogs() (logs []*logRow, err error) {
	rows, err := s.read.logs.Query()
	if err != nil {
		return nil, classify(err, "reading the logs")
	}
	defer rows.Close()
	for rows.Next() {
		var r logRow
		var channel, gen, root, sig []byte
		var size, headSize, last int64
		st := &r.state
		if err := rows.Scan(&r.id, &channel, &st.Log.Party, &st.Log.Lane, &gen, &size, &headSize, &root, &sig, &last); err != nil {
			return nil, misshapen(err)
		}
		if len(channel) != 32 || len(gen) != 8 || size < 0 || headSize < 0 || sig != nil && len(root) != 32 {
			return nil, parley.Errorf(journal.CodeDamaged, "row %d of the logs has no valid form", r.id)
		}
		st.Log.Channel, st.Log.Gen, st.Size, r.last = parley.Hash(channel), parley.Gen(gen), uint64(size), uint64(last)
		if sig != nil {
			st.Head = &journal.SignedHead{Log: st.Log, Size: uint64(headSize), Root: parley.Hash(root), Sig: sig}
		}
		logs = append(logs, &r)
	}
	return logs, classify(rows.Err(), "reading the logs")
}

// log finds a log's committed state, nil if the record has none.
func (s *SQLite) log(l parley.LogID) *logRow {
	s.logsMu.RLock()
	defer s.logsMu.RUnlock()
	return s.logs[l]
}

// Logs lists every log of which the record has a row, a head or a
// cosignature, by channel, party, lane and generation. A store opened
// read-only shows the logs as they were when it was opened.
func (s *SQLite) Logs() ([]journal.LogState, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	s.logsMu.RLock()
	defer s.logsMu.RUnlock()
	states := make([]journal.LogState, 0, len(s.logs))
	for _, r := range s.logs {
		st := r.state
		if st.Head != nil {
			h := *st.Head
			h.Sig = slices.Clone(h.Sig)
			st.Head = &h
		}
		st.Newest = r.newest()
		states = append(states, st)
	}
	slices.SortFunc(states, func(a, b journal.LogState) int {
		return slices.Compare(appendLog(nil, a.Log), appendLog(nil, b.Log))
	})
	return states, nil
}

// rawRow is a row of entries as SQLite gives it.
type rawRow struct {
	log                                  int64 // as Salvage reads it
	idx, audience, standing, stored, sum int64
	commitment, hashes, sig, content     []byte
}

type scanner interface{ Scan(...any) error }

func scanRow(sc scanner) (*rawRow, error) {
	var r rawRow
	err := sc.Scan(&r.idx, &r.audience, &r.commitment, &r.hashes, &r.sig, &r.content, &r.standing, &r.stored, &r.sum)
	return &r, misshapen(err)
}

// misshapen tells a column of the wrong type, which only a damaged file can
// have, from an error of SQLite.
func misshapen(err error) error {
	var e *sqlite.Error
	if err == nil || errors.Is(err, sql.ErrNoRows) || errors.As(err, &e) {
		return err
	}
	return parley.Errorf(journal.CodeDamaged, "a row has no valid form: %w", err)
}

// row gives a raw row its form, without its content; nil if it has none.
func (raw *rawRow) row(l parley.LogID) *journal.Row {
	index := uint64(raw.idx)
	if len(raw.commitment) != 32 || len(raw.hashes) != 32*(1+bits.TrailingZeros64(^index)) ||
		raw.audience < 0 || raw.audience > math.MaxUint32 || raw.standing < 0 || raw.standing > math.MaxUint8 {
		return nil
	}
	r := &journal.Row{
		Log: l, Index: index,
		Leaf:     journal.Leaf{To: parley.Audience(raw.audience), Commit: parley.Hash(raw.commitment)},
		Sig:      raw.sig,
		Standing: parley.Standing(raw.standing),
		Stored:   uint64(raw.stored),
	}
	for h := range slices.Chunk(raw.hashes, 32) {
		r.Hashes = append(r.Hashes, parley.Hash(h))
	}
	return r
}

// sumFits reports whether the checksum fits, which says nothing of the content.
func (raw *rawRow) sumFits(l parley.LogID) bool {
	r := raw.row(l)
	return r != nil && rowSum(r, raw.hashes) == raw.sum
}

// inspect makes a row of what SQLite gave and names everything that is wrong
// with it: flipped bits anywhere in a used column do not get past.
func (s *SQLite) inspect(l parley.LogID, raw *rawRow) (*journal.Row, []string) {
	r := raw.row(l)
	if r == nil {
		return nil, []string{"the row has no valid form"}
	}
	index := r.Index
	var faults []string
	if rowSum(r, raw.hashes) != raw.sum {
		faults = append(faults, "the row's checksum differs")
	}
	if r.Leaf.Hash() != r.Hashes[0] {
		faults = append(faults, "the leaf hash does not fit the commitment and the audience")
	}
	if raw.content != nil {
		c, ok := s.box.openContent(l, index, raw.content)
		switch {
		case !ok:
			faults = append(faults, "the content does not decrypt")
		case journal.Commit(l.Origin(), index, c.Salt, c.Entry) != r.Leaf.Commit:
			faults = append(faults, "the content does not fit the commitment")
		}
		r.Content = c
	}
	return r, faults
}

// Row implements journal.Reader. The leaf and the content are checked on
// every read; CodeDamaged names what differs.
func (s *SQLite) Row(l parley.LogID, index uint64) (*journal.Row, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	lr := s.log(l)
	if lr == nil || index > parley.MaxUint {
		return nil, notHeld(l, index)
	}
	raw, err := scanRow(s.read.row.QueryRow(lr.id, int64(index)))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, notHeld(l, index)
	}
	if err != nil {
		return nil, classify(err, "reading an entry")
	}
	r, faults := s.inspect(l, raw)
	if len(faults) > 0 {
		return nil, damaged(l, index, faults[0])
	}
	return r, nil
}

// Limits of what Rows holds in memory at once.
const (
	chunkRows  = 256
	chunkBytes = 1 << 20
)

// chunk reads rows from index on, up to a limit. No read transaction stays
// open between chunks: a slow reader must not keep the write-ahead log from
// being emptied.
func (s *SQLite) chunk(log int64, from, to uint64) ([]*rawRow, error) {
	rows, err := s.read.rows.Query(log, int64(from), int64(min(to, from+chunkRows, parley.MaxUint)))
	if err != nil {
		return nil, classify(err, "reading entries")
	}
	defer rows.Close()
	var raws []*rawRow
	for n := 0; n < chunkBytes && rows.Next(); {
		raw, err := scanRow(rows)
		if err != nil {
			return nil, classify(err, "reading entries")
		}
		n += len(raw.content) + len(raw.hashes) + 200
		raws = append(raws, raw)
	}
	return raws, classify(rows.Err(), "reading entries")
}

// Rows implements journal.Store. Where the log ends before to it gives
// CodeNotHeld, after the rows that there are; a hole is CodeDamaged. f may
// call the store.
func (s *SQLite) Rows(l parley.LogID, from, to uint64, f func(*journal.Row) error) error {
	if err := s.usable(); err != nil {
		return err
	}
	var size uint64
	lr := s.log(l)
	if lr != nil {
		size = lr.state.Size
	}
	for from < min(to, size) {
		raws, err := s.chunk(lr.id, from, min(to, size))
		if err != nil {
			return err
		}
		if len(raws) == 0 {
			return damaged(l, from, "the row is missing")
		}
		for _, raw := range raws {
			if uint64(raw.idx) != from {
				return damaged(l, from, "the row is missing")
			}
			r, faults := s.inspect(l, raw)
			if len(faults) > 0 {
				return damaged(l, from, faults[0])
			}
			if err := f(r); err != nil {
				return err
			}
			from++
		}
	}
	if from < to {
		return notHeld(l, from)
	}
	return nil
}

// hashes reads a log's stored tree hashes.
type hashes struct {
	s *SQLite
	l parley.LogID
}

// Hashes implements journal.Reader. Reading a hash that the log does not have
// gives CodeNotHeld.
func (s *SQLite) Hashes(l parley.LogID) journal.Hashes { return hashes{s, l} }

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	if err := h.s.usable(); err != nil {
		return nil, err
	}
	lr := h.s.log(h.l)
	out := make([]tlog.Hash, len(indexes))
	for i, x := range indexes {
		level, n := tlog.SplitStoredHashIndex(x)
		var b []byte
		err := sql.ErrNoRows
		if lr != nil {
			err = h.s.read.hash.QueryRow(lr.id, (n+1)<<level-1, level).Scan(&b)
		}
		if errors.Is(err, sql.ErrNoRows) {
			return nil, parley.Errorf(journal.CodeNotHeld, "log %s has no tree hash %d of level %d", h.l, n, level)
		}
		if err != nil {
			return nil, classify(err, "reading tree hashes")
		}
		if len(b) != 32 {
			return nil, damaged(h.l, uint64((n+1)<<level-1), fmt.Sprintf("the tree hash of level %d is missing", level))
		}
		out[i] = tlog.Hash(b)
	}
	return out, nil
}
