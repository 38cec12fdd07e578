package store

import (
	"cmp"
	"database/sql"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"slices"
	"strconv"

	"parley"
	"parley/journal"
)

const cosigColumns = `size, name, pq, first_time, first_sig, last_time, last_sig, sum`

// cosigPair is a row of cosigs; first and last may be one.
type cosigPair struct{ first, last journal.Cosig }

// sum guards names and times of signers whose keys nobody knows any more.
func (p *cosigPair) sum() int64 {
	b := appendLog(make([]byte, 0, 512), p.first.Log)
	for _, c := range []*journal.Cosig{&p.first, &p.last} {
		b = binary.BigEndian.AppendUint64(b, c.Size)
		b = binary.BigEndian.AppendUint64(b, c.Time)
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(c.Name))), c.Name...)
		b = append(strconv.AppendBool(b, c.PQ), c.Sig...)
	}
	return int64(crc32.Checksum(b, castagnoli))
}

func scanCosigs(l parley.LogID, sc scanner) (*cosigPair, error) {
	var size, first, last, sum int64
	var name, firstSig, lastSig []byte
	var pq bool
	if err := sc.Scan(&size, &name, &pq, &first, &firstSig, &last, &lastSig, &sum); err != nil {
		return nil, misshapen(err)
	}
	c := journal.Cosig{Log: l, Size: uint64(size), Name: string(name), PQ: pq,
		Cosignature: journal.Cosignature{Time: uint64(first), Sig: firstSig}}
	p := &cosigPair{first: c, last: c}
	if last != first {
		p.last.Cosignature = journal.Cosignature{Time: uint64(last), Sig: lastSig}
	}
	if p.sum() != sum {
		return nil, parley.Errorf(journal.CodeDamaged, "log %s: the checksum of the cosignatures of %q over size %d differs", l, name, size)
	}
	return p, nil
}

// putCosig keeps the cosignature if it is the first or the last of its size
// and signer.
func (s *SQLite) putCosig(log int64, c *journal.Cosig) error {
	pair, err := scanCosigs(c.Log, s.write.cosigs.QueryRow(log, int64(c.Size), []byte(c.Name), c.PQ))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		pair = &cosigPair{first: *c, last: *c}
	case err != nil:
		return err
	case c.Time < pair.first.Time:
		pair.first = *c
	case c.Time > pair.last.Time:
		pair.last = *c
	default:
		return nil
	}
	first, last := pair.first.Cosignature, pair.last.Cosignature
	lastSig := nonNil(last.Sig)
	if first.Time == last.Time {
		lastSig = nil
	}
	s.growth += 200 + len(first.Sig) + len(lastSig)
	_, err = s.write.cosig.Exec(log, int64(c.Size), []byte(c.Name), c.PQ, int64(first.Time), nonNil(first.Sig),
		int64(last.Time), lastSig, pair.sum())
	return err
}

// Cosigs implements journal.Reader.
func (s *SQLite) Cosigs(l parley.LogID, from uint64) ([]journal.Cosig, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	lr := s.log(l)
	if lr == nil || from > parley.MaxUint {
		return nil, nil
	}
	return s.cosigs(lr, from, math.MaxInt64, func(err error) error { return err })
}

// cosigs reads those over sizes from to to. It leaves out damaged ones unless
// bad returns the error.
func (s *SQLite) cosigs(lr *logRow, from, to uint64, bad func(error) error) ([]journal.Cosig, error) {
	rows, err := s.read.cosigs.Query(lr.id, int64(from), int64(to))
	if err != nil {
		return nil, classify(err, "reading cosignatures")
	}
	defer rows.Close()
	var cs []journal.Cosig
	for rows.Next() {
		pair, err := scanCosigs(lr.state.Log, rows)
		if parley.CodeOf(err) == journal.CodeDamaged {
			if err := bad(err); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, classify(err, "reading cosignatures")
		}
		cs = append(cs, pair.first)
		if pair.last.Time != pair.first.Time {
			cs = append(cs, pair.last)
		}
	}
	slices.SortStableFunc(cs, func(a, b journal.Cosig) int {
		return cmp.Or(cmp.Compare(a.Size, b.Size), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Time, b.Time))
	})
	return cs, classify(rows.Err(), "reading cosignatures")
}
