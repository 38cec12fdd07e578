package store

import (
	"bytes"
	"crypto/ed25519"
	"iter"
	"maps"
	"slices"

	"parley"
	"parley/journal"
)

// What names a log and a signer stands twice, in a row and in the index beside
// the table. Neither has a checksum: where they differ, the one is right with
// which what hangs on it fits.

// logLine is a row of the table logs, or of its index.
type logLine struct {
	id    int64
	name  parley.LogID
	named bool // the name has a valid form
	size  uint64
	head  *journal.SignedHead
}

func (x *logLine) setName(c []column) {
	channel, party, lane, gen := c[0].bytes, c[1].num, c[2].num, c[3].bytes
	if len(channel) != 32 || len(gen) != 8 || party < 1 || party > parley.MaxParty || lane < 0 || lane >= parley.Lanes {
		return
	}
	x.name = parley.LogID{Channel: parley.Hash(channel), Party: parley.Party(party), Lane: parley.Lane(lane), Gen: parley.Gen(gen)}
	x.named = true
}

func logRowOf(id int64, c []column) logLine {
	x := logLine{id: id}
	x.setName(c[1:5])
	if size := c[5].num; size >= 0 && size <= parley.MaxUint {
		x.size = uint64(size)
	}
	if h := c[6].num; h >= 0 && len(c[7].bytes) == 32 && c[8].bytes != nil {
		x.head = &journal.SignedHead{Size: uint64(h), Root: parley.Hash(c[7].bytes), Sig: bytes.Clone(c[8].bytes)}
	}
	return x
}

func logIndexOf(c []column) logLine {
	x := logLine{id: c[4].num}
	x.setName(c[:4])
	return x
}

// signerLine is a row of the table signers, or of its index.
type signerLine struct {
	id, log int64
	name    string
	pq      bool
}

func signerRowOf(id int64, c []column) signerLine {
	return signerLine{id, c[1].num, string(c[2].bytes), c[3].num != 0}
}

func signerIndexOf(c []column) signerLine {
	return signerLine{c[3].num, c[0].num, string(c[1].bytes), c[2].num != 0}
}

// who are the signers with a number, as the table and its index name them.
func (s *Salvage) who(id int64) iter.Seq[signerLine] {
	return func(yield func(signerLine) bool) {
		for _, lines := range [][]signerLine{s.found.signers, s.found.signerIndex} {
			for _, w := range lines {
				if w.id == id && !yield(w) {
					return
				}
			}
		}
	}
}

// sums reports whether a row's checksum fits.
func (l *SavedLog) sums(p place) bool {
	raw := l.s.raw(p)
	return raw != nil && raw.sumFits(l.ID)
}

// fits reports whether any row of the log has the checksum that it must have
// under this name.
func (l *SavedLog) fits(id parley.LogID) bool {
	for idx, places := range l.s.found.entries[l.id] {
		for _, p := range places {
			if raw := l.s.raw(p); raw != nil {
				if _, faults := l.s.inspect(id, raw); len(faults) == 0 && raw.idx == int64(idx) {
					return true
				}
			}
		}
	}
	return false
}

// gatherLogs names the logs and gives each its entries. Entries whose log has
// lost its name stay where they are: Adopt finds the name.
func (s *Salvage) gatherLogs() {
	names := map[int64][]parley.LogID{}
	for _, x := range slices.Concat(s.found.logs, s.found.logIndex) {
		if x.named {
			names[x.id] = append(names[x.id], x.name)
		}
	}
	for id, name := range s.names {
		names[id] = append(names[id], name)
	}
	s.Logs, s.byID = nil, map[int64]*SavedLog{}
	for _, id := range slices.Sorted(maps.Keys(names)) {
		l := &SavedLog{s: s, id: id, cells: s.found.entries[id]}
		l.ID = l.choose(names[id])
		s.byID[id] = l
		s.addLog(l)
	}
	for i := range s.found.logs {
		s.addLine(&s.found.logs[i])
	}
	for _, l := range s.Logs {
		l.count()
	}
	slices.SortFunc(s.Logs, func(a, b *SavedLog) int { return bytes.Compare(appendLog(nil, a.ID), appendLog(nil, b.ID)) })
}

// choose finds a log's name among those that stand under its number: the one with
// which its rows fit, or else the one that is named most often.
func (l *SavedLog) choose(names []parley.LogID) parley.LogID {
	times, best := map[parley.LogID]int{}, names[0]
	for _, n := range names {
		if times[n]++; times[n] > times[best] {
			best = n
		}
	}
	for n := range times {
		if len(times) > 1 && l.fits(n) {
			return n
		}
	}
	return best
}

// addLog adds a log. Its row and its index may have it under different numbers:
// then the one counts under which the entries stand.
func (s *Salvage) addLog(l *SavedLog) {
	n := slices.IndexFunc(s.Logs, func(o *SavedLog) bool { return o.ID == l.ID })
	if n < 0 {
		s.Logs = append(s.Logs, l)
	} else if len(l.cells) > len(s.Logs[n].cells) {
		s.Logs[n] = l
	}
}

// addLine takes a log's size and newest head from its row. A row that has the
// name of another log's, while the log under its number has none, lost its own.
func (s *Salvage) addLine(x *logLine) {
	l, numbered := s.of(x.name), s.byID[x.id]
	named := func(y logLine) bool { return y.named && y.name == numbered.ID }
	if l == nil || !x.named || l != numbered && numbered != nil && !slices.ContainsFunc(s.found.logs, named) {
		if l = numbered; l == nil || l.Whole {
			return
		}
	}
	l.Whole, l.Size, l.Head = true, x.size, nil
	if x.head != nil {
		h := *x.head
		h.Log = l.ID
		l.Head = &h
	}
}

// count finds how far the rows reach. One beyond the end that does not prove
// itself is one from before it.
func (l *SavedLog) count() {
	for idx, places := range l.cells {
		if !l.Whole || idx < l.Size || slices.ContainsFunc(places, l.sums) {
			l.Rows = max(l.Rows, idx+1)
		}
	}
	for idx := range l.s.put[l.ID] {
		l.Rows = max(l.Rows, idx+1)
	}
}

// Adopt offers names of logs for entries whose own name is lost: a name is
// right if the checksum of a row fits with it. It reports whether it helped.
func (s *Salvage) Adopt(names []parley.LogID) bool {
	helped := false
	for id := range s.found.entries {
		if l := s.byID[id]; l != nil && l.fits(l.ID) {
			continue
		}
		for _, name := range names {
			l := &SavedLog{ID: name, s: s, id: id}
			if l.fits(name) && !slices.ContainsFunc(s.Logs, func(o *SavedLog) bool { return o.ID == name }) {
				s.names[id], helped = name, true
				break
			}
		}
	}
	if helped {
		s.gatherLogs()
		s.gatherCosigs()
	}
	return helped
}

// rehome finds the place of rows in which the log or the index is what was
// hit: they stand under another entry's name.
func (s *Salvage) rehome() {
	for id, m := range s.found.entries {
		l := s.byID[id]
		if l == nil && len(m) > 1 {
			continue // of a log that lost its name
		}
		for idx, places := range m {
			m[idx] = slices.DeleteFunc(places, func(p place) bool {
				if l != nil && l.sums(p) {
					return false
				}
				row := s.mendRow(p)
				if row != nil {
					s.putRight(row)
				}
				return row != nil
			})
			if len(m[idx]) == 0 {
				delete(m, idx)
			}
		}
	}
	s.gatherLogs()
}

// putRight keeps a row in which a bit was put right.
func (s *Salvage) putRight(row *journal.Row) {
	if s.put[row.Log] == nil {
		s.put[row.Log] = map[uint64]*journal.Row{}
	}
	s.put[row.Log][row.Index] = row
	s.Mended++
}

// mendRow tries every single bit of a row that its checksum covers, its name
// among them.
func (s *Salvage) mendRow(p place) (row *journal.Row) {
	cs, _ := s.file.cells(p.page, s.file.page(p.page))
	b := cs[p.n].payload
	fits := func([]byte) bool {
		raw := rawOf(b)
		if raw == nil {
			return false
		}
		l := s.byID[raw.log]
		if l == nil || !raw.sumFits(l.ID) { // most bits end here
			return false
		}
		got, faults := s.inspect(l.ID, raw)
		if len(faults) == 0 {
			row = got
		}
		return len(faults) == 0
	}
	c, ok := record(b)
	if !ok || len(c) != columnsOfEntries || len(b) > mostBits {
		return nil
	}
	content := c[6]
	_ = mendBit(b[:content.at], fits) || mendBit(b[content.at+len(content.bytes):], fits)
	return row
}

// proven reports whether a row proves itself: by its checksum or its seal, or
// by standing in its table and its index alike.
func (s *Salvage) proven(x *cell) bool {
	c, ok := record(x.payload)
	if !ok {
		return false
	}
	switch form := shape(c); {
	case len(c) == columnsOfEntries && entryShape(form):
		l := s.byID[c[0].num]
		if l == nil {
			return false
		}
		_, faults := s.inspect(l.ID, rawOf(x.payload))
		return len(faults) == 0
	case len(c) == columnsOfCosigs:
		return s.cosig(x.payload) != nil
	case form == shapeVals:
		return s.value(x.payload) != nil
	case slices.ContainsFunc(c, func(c column) bool { return c.loose }):
		return false
	case form == shapeLogs+"nn" || form == shapeLogs+"bb" && len(c[7].bytes) == 32 && len(c[8].bytes) == ed25519.SignatureSize:
		return hasLog(s.found.logIndex, logRowOf(x.rowid, c))
	case form == shapeLogsIndex:
		return hasLog(s.found.logs, logIndexOf(c))
	case form == shapeSigners:
		return slices.Contains(s.found.signerIndex, signerRowOf(x.rowid, c))
	case form == shapeSignersIdx:
		return slices.Contains(s.found.signers, signerIndexOf(c))
	}
	return shape(c) == shapeMeta
}

func hasLog(lines []logLine, x logLine) bool {
	return x.named && slices.ContainsFunc(lines, func(o logLine) bool { return o.id == x.id && o.name == x.name })
}
