package journaltest

import (
	"bytes"
	"cmp"
	"slices"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"parley"
	"parley/journal"
)

// Mem is a journal.Store in memory. It keeps the store contract; only
// durability is missing. The zero Mem is empty and ready; it may be used from
// several goroutines. Rows handed out are copies of the struct, but share
// their slices: a reader must not write to them.
type Mem struct {
	mu     sync.Mutex
	logs   map[parley.LogID]*memLog
	values map[string]map[string][]byte
	secret map[[2]string]bool // of values, by space and key
}

type memLog struct {
	rows   []journal.Row
	hashes memHashes
	head   *journal.SignedHead
	cosigs []journal.Cosig
}

var _ journal.Store = (*Mem)(nil)

type memHashes []tlog.Hash

func (h memHashes) ReadHashes(ix []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(ix))
	for i, x := range ix {
		if x < 0 || x >= int64(len(h)) {
			return nil, parley.Errorf(journal.CodeNotHeld, "no tree hash %d", x)
		}
		out[i] = h[x]
	}
	return out, nil
}

func (m *Mem) log(id parley.LogID) *memLog {
	l := m.logs[id]
	if l == nil {
		if m.logs == nil {
			m.logs = map[parley.LogID]*memLog{}
		}
		l = &memLog{}
		m.logs[id] = l
	}
	return l
}

// Commit adds a batch, or refuses all of it with CodeConflict.
func (m *Mem) Commit(b *journal.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := map[parley.LogID]uint64{}
	size := func(id parley.LogID) uint64 {
		n, ok := next[id]
		if l := m.logs[id]; !ok && l != nil {
			n = uint64(len(l.rows))
		}
		return n
	}
	for i := range b.Rows {
		r := &b.Rows[i]
		if n := size(r.Log); r.Index != n {
			return parley.Errorf(journal.CodeConflict, "row %d of log %s, which has %d rows", r.Index, r.Log, n)
		}
		next[r.Log] = r.Index + 1
	}
	for _, o := range b.Opened {
		if o.Index >= size(o.Log) {
			return parley.Errorf(journal.CodeConflict, "content for row %d of log %s, which has %d rows", o.Index, o.Log, size(o.Log))
		}
	}
	for _, r := range b.Rows {
		l := m.log(r.Log)
		l.rows = append(l.rows, r)
		for _, h := range r.Hashes {
			l.hashes = append(l.hashes, tlog.Hash(h))
		}
	}
	for _, o := range b.Opened {
		r := &m.log(o.Log).rows[o.Index]
		r.Content, r.Standing = &o.Content, o.Standing
	}
	for _, h := range b.Heads {
		if l := m.log(h.Log); l.head == nil || l.head.Size <= h.Size {
			l.head = &h
		}
	}
	for _, c := range b.Cosigs {
		m.log(c.Log).cosign(c)
	}
	for _, p := range b.Puts {
		m.put(p)
	}
	return nil
}

// cosign keeps, per size and signer, the cosignatures of least and of greatest time.
func (l *memLog) cosign(c journal.Cosig) {
	var same []journal.Cosig
	rest := slices.DeleteFunc(l.cosigs, func(x journal.Cosig) bool {
		if x.Size == c.Size && x.Name == c.Name && x.PQ == c.PQ {
			same = append(same, x)
			return true
		}
		return false
	})
	same = append(same, c)
	slices.SortStableFunc(same, func(a, b journal.Cosig) int { return cmp.Compare(a.Time, b.Time) })
	if n := len(same); n > 1 && same[0].Time == same[n-1].Time {
		same = same[:1]
	} else if n > 2 {
		same = []journal.Cosig{same[0], same[n-1]}
	}
	l.cosigs = append(rest, same...)
	slices.SortStableFunc(l.cosigs, func(a, b journal.Cosig) int {
		return cmp.Or(cmp.Compare(a.Size, b.Size), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Time, b.Time))
	})
}

// newest lists, per signer and kind of key, the cosignature of the greatest
// size and then time: the last of each, since they are sorted so.
func (l *memLog) newest() (cs []journal.Cosig) {
	for _, c := range l.cosigs {
		i := slices.IndexFunc(cs, func(x journal.Cosig) bool { return x.Name == c.Name && x.PQ == c.PQ })
		if i < 0 {
			i, cs = len(cs), append(cs, c)
		}
		cs[i] = c
	}
	slices.SortStableFunc(cs, func(a, b journal.Cosig) int {
		switch {
		case a.Name != b.Name:
			return cmp.Compare(a.Name, b.Name)
		case a.PQ == b.PQ:
			return 0
		case b.PQ:
			return -1
		}
		return 1
	})
	return cs
}

func (m *Mem) put(p journal.Put) {
	if p.Value == nil {
		delete(m.values[p.Space], p.Key)
		delete(m.secret, [2]string{p.Space, p.Key})
		return
	}
	if p.Secret {
		if m.secret == nil {
			m.secret = map[[2]string]bool{}
		}
		m.secret[[2]string{p.Space, p.Key}] = true
	}
	if m.values == nil {
		m.values = map[string]map[string][]byte{}
	}
	if m.values[p.Space] == nil {
		m.values[p.Space] = map[string][]byte{}
	}
	m.values[p.Space][p.Key] = bytes.Clone(p.Value)
}

// Row is one row.
func (m *Mem) Row(id parley.LogID, index uint64) (*journal.Row, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.logs[id]
	if l == nil || index >= uint64(len(l.rows)) {
		return nil, parley.Errorf(journal.CodeNotHeld, "no row %d of log %s", index, id)
	}
	r := l.rows[index]
	return &r, nil
}

// Hashes reads a log's tree hashes as they are now.
func (m *Mem) Hashes(id parley.LogID) journal.Hashes {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l := m.logs[id]; l != nil {
		return l.hashes
	}
	return memHashes(nil)
}

// Size is the number of entries of a log.
func (m *Mem) Size(id parley.LogID) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l := m.logs[id]; l != nil {
		return uint64(len(l.rows))
	}
	return 0
}

// Cosigs lists a log's cosignatures of at least size from.
func (m *Mem) Cosigs(id parley.LogID, from uint64) ([]journal.Cosig, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var cs []journal.Cosig
	if l := m.logs[id]; l != nil {
		for _, c := range l.cosigs {
			if c.Size >= from {
				cs = append(cs, c)
			}
		}
	}
	return cs, nil
}

// EachCosig is journal.Store.EachCosig.
func (m *Mem) EachCosig(id parley.LogID, f func(*journal.Cosig) error) error {
	cs, err := m.Cosigs(id, 0)
	for i := range cs {
		if err := f(&cs[i]); err != nil {
			return err
		}
	}
	return err
}

// Logs lists the logs by party, lane and generation.
func (m *Mem) Logs() ([]journal.LogState, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var ls []journal.LogState
	for id, l := range m.logs {
		s := journal.LogState{Log: id, Size: uint64(len(l.rows))}
		if l.head != nil {
			h := *l.head
			s.Head = &h
		}
		s.Newest = l.newest()
		ls = append(ls, s)
	}
	slices.SortFunc(ls, func(a, b journal.LogState) int {
		return cmp.Or(bytes.Compare(a.Log.Channel[:], b.Log.Channel[:]), cmp.Compare(a.Log.Party, b.Log.Party),
			cmp.Compare(a.Log.Lane, b.Log.Lane), bytes.Compare(a.Log.Gen[:], b.Log.Gen[:]))
	})
	return ls, nil
}

// Rows calls f with rows [from, to).
func (m *Mem) Rows(id parley.LogID, from, to uint64, f func(*journal.Row) error) error {
	for i := from; i < to; i++ {
		r, err := m.Row(id, i)
		if err != nil {
			return err
		}
		if err := f(r); err != nil {
			return err
		}
	}
	return nil
}

// Values calls f with every value of a space, by key.
func (m *Mem) Values(space string, f func(string, []byte) error) error {
	m.mu.Lock()
	var keys []string
	for k := range m.values[space] {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	vals := make([][]byte, len(keys))
	for i, k := range keys {
		vals[i] = bytes.Clone(m.values[space][k])
	}
	m.mu.Unlock()
	for i, k := range keys {
		if err := f(k, vals[i]); err != nil {
			return err
		}
	}
	return nil
}

// Close does nothing.
func (m *Mem) Close() error { return nil }
