package store

import (
	"bytes"
	"cmp"
	"database/sql"
	"encoding/binary"
	"hash/crc32"
	"math"
	"slices"
	"strconv"

	"parley"
	"parley/journal"
)

const cosigColumns = `c.signer, s.name, s.pq, c.size, c.first_time, c.first_sig, c.last_time, c.last_sig, c.sum`

// signer is a row of the table signers, with the newest cosignature that is
// held of it.
type signer struct {
	id     int64
	newest journal.Cosig
	fresh  bool // planned, and not in the table yet
}

// cosigPair is a row of cosigs; first and last may be one.
type cosigPair struct {
	signer      int64
	first, last journal.Cosig
}

// sum guards names and times of signers whose keys nobody knows any more.
func (p *cosigPair) sum() int64 {
	buf := sums.Get().(*[]byte)
	b := appendLog((*buf)[:0], p.first.Log)
	for _, c := range []*journal.Cosig{&p.first, &p.last} {
		b = binary.BigEndian.AppendUint64(b, c.Size)
		b = binary.BigEndian.AppendUint64(b, c.Time)
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(c.Name))), c.Name...)
		b = append(strconv.AppendBool(b, c.PQ), c.Sig...)
	}
	sum := crc32.Checksum(b, castagnoli)
	*buf = b
	sums.Put(buf)
	return int64(sum)
}

func scanCosigs(l parley.LogID, sc scanner) (*cosigPair, error) {
	var id, size, first, last, sum int64
	var name, firstSig, lastSig []byte
	var pq bool
	if err := sc.Scan(&id, &name, &pq, &size, &first, &firstSig, &last, &lastSig, &sum); err != nil {
		return nil, misshapen(err)
	}
	c := journal.Cosig{Log: l, Size: uint64(size), Name: string(name), PQ: pq,
		Cosignature: journal.Cosignature{Time: uint64(first), Sig: firstSig}}
	p := &cosigPair{id, c, c}
	if last != first {
		p.last.Cosignature = journal.Cosignature{Time: uint64(last), Sig: lastSig}
	}
	if p.sum() != sum {
		return nil, parley.Errorf(journal.CodeDamaged, "log %s: the checksum of the cosignatures of %q over size %d differs", l, name, size)
	}
	return p, nil
}

// cosigned notes a cosignature in the plan: its signer, and whether it is the
// newest of it.
func (c *change) cosigned(cosig *journal.Cosig, nextID *int64) {
	own := *cosig
	own.Sig = bytes.Clone(cosig.Sig)
	sg := c.new.signer(cosig)
	if sg == nil {
		c.new.signers = append(slices.Clip(c.new.signers), signer{*nextID, own, true})
		*nextID++
		return
	}
	if n := &sg.newest; cmp.Or(cmp.Compare(own.Size, n.Size), cmp.Compare(own.Time, n.Time)) > 0 {
		c.new.signers = slices.Clone(c.new.signers)
		c.new.signer(cosig).newest = own
	}
}

func (r *logRow) signer(c *journal.Cosig) *signer {
	for i := range r.signers {
		if n := &r.signers[i].newest; n.Name == c.Name && n.PQ == c.PQ {
			return &r.signers[i]
		}
	}
	return nil
}

// putSigners adds the rows of signers that a log did not have.
func (s *SQLite) putSigners(r *logRow) error {
	for i := range r.signers {
		sg := &r.signers[i]
		if !sg.fresh {
			continue
		}
		if _, err := s.write.newSigner.Exec(sg.id, r.id, []byte(sg.newest.Name), sg.newest.PQ); err != nil {
			return err
		}
		sg.fresh = false
	}
	return nil
}

// putCosig keeps the cosignature if it is the first or the last of its size
// and signer. Nearly every one is the only one: that is tried first.
func (s *SQLite) putCosig(id int64, c *journal.Cosig) error {
	n, err := s.execCosig(s.write.newCosig, &cosigPair{id, *c, *c})
	if n > 0 || err != nil {
		return err
	}
	pair, err := scanCosigs(c.Log, s.write.cosigs.QueryRow(id, int64(c.Size)))
	switch {
	case err != nil:
		return err
	case c.Time < pair.first.Time:
		pair.first = *c
	case c.Time > pair.last.Time:
		pair.last = *c
	default:
		return nil
	}
	_, err = s.execCosig(s.write.cosig, pair)
	return err
}

// execCosig writes a pair and reports how many rows that made.
func (s *SQLite) execCosig(st *sql.Stmt, p *cosigPair) (int64, error) {
	first, last := p.first.Cosignature, p.last.Cosignature
	lastSig := nonNil(last.Sig)
	if first.Time == last.Time {
		lastSig = nil
	}
	s.growth += 64 + len(first.Sig) + len(lastSig)
	res, err := st.Exec(p.signer, int64(p.first.Size), int64(first.Time), nonNil(first.Sig), int64(last.Time), lastSig, p.sum())
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// readSigners adds to the logs who cosigned them, each with its newest
// cosignature: that of the greatest size and, at that size, the greatest time.
func (s *SQLite) readSigners(logs []*logRow, bad func(error) error) error {
	for _, r := range logs {
		pairs, err := s.pairs(s.read.newest, &r.state, bad, r.id)
		if err != nil {
			return err
		}
		for _, p := range pairs {
			r.signers = append(r.signers, signer{id: p.signer, newest: p.last})
		}
	}
	return nil
}

// newest lists the newest cosignatures by name, Ed25519 before ML-DSA-44.
func (r *logRow) newest() (cs []journal.Cosig) {
	for i := range r.signers {
		cs = append(cs, r.signers[i].newest)
	}
	slices.SortFunc(cs, func(a, b journal.Cosig) int {
		switch {
		case a.Name != b.Name:
			return cmp.Compare(a.Name, b.Name)
		case b.PQ:
			return -1
		}
		return 1
	})
	return cs
}

// pairs reads rows of cosigs. It leaves out damaged ones unless bad returns
// the error.
func (s *SQLite) pairs(query *sql.Stmt, st *journal.LogState, bad func(error) error, args ...any) ([]*cosigPair, error) {
	rows, err := query.Query(args...)
	if err != nil {
		return nil, classify(err, "reading cosignatures")
	}
	defer rows.Close()
	var pairs []*cosigPair
	for rows.Next() {
		pair, err := scanCosigs(st.Log, rows)
		if parley.CodeOf(err) == journal.CodeDamaged {
			err = bad(err)
			pair = nil
		}
		if err != nil {
			return nil, classify(err, "reading cosignatures")
		}
		if pair != nil {
			pairs = append(pairs, pair)
		}
	}
	return pairs, classify(rows.Err(), "reading cosignatures")
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
	return s.cosigs(lr, from, math.MaxInt64, refuse)
}

// EachCosig is journal.Store.EachCosig.
func (s *SQLite) EachCosig(l parley.LogID, f func(*journal.Cosig) error) error {
	if err := s.usable(); err != nil {
		return err
	}
	lr := s.log(l)
	if lr == nil {
		return nil
	}
	const sizes = 4096 // at a time
	for from := uint64(0); ; from += sizes {
		to := from + sizes - 1
		last := to >= lr.state.Size
		if last {
			to = math.MaxInt64
		}
		cs, err := s.cosigs(lr, from, to, refuse)
		if err != nil {
			return err
		}
		for i := range cs {
			if err := f(&cs[i]); err != nil {
				return err
			}
		}
		if last {
			return nil
		}
	}
}

// refuse is the bad of those who want sound rows only.
func refuse(err error) error { return err }

// cosigs reads those over sizes from to to.
func (s *SQLite) cosigs(lr *logRow, from, to uint64, bad func(error) error) ([]journal.Cosig, error) {
	pairs, err := s.pairs(s.read.cosigs, &lr.state, bad, lr.id, int64(from), int64(to))
	if err != nil {
		return nil, err
	}
	var cs []journal.Cosig
	for _, p := range pairs {
		cs = append(cs, p.first)
		if p.last.Time != p.first.Time {
			cs = append(cs, p.last)
		}
	}
	slices.SortStableFunc(cs, func(a, b journal.Cosig) int {
		return cmp.Or(cmp.Compare(a.Size, b.Size), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Time, b.Time))
	})
	return cs, nil
}
