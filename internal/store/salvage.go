package store

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"parley"
	"parley/journal"
)

// Salvage reads a record that may be damaged anywhere: header, schema, pages,
// rows, write-ahead log. It goes through all pages by itself and keeps every
// row that proves itself by its checksum and its seal. It writes nothing.
//
// A row in which a single bit differs from what its checksum, its seal and its
// commitment together say is put right: that is the commonest rot, and the one
// that needs nobody's help.
//
// It holds the places of the rows in memory, about 100 bytes for each entry,
// and reads the rows again when they are asked for.
type Salvage struct {
	Logs   []*SavedLog
	Values []journal.Put // by space and key; secret ones opened
	Lost   []string      // what could not be kept and does not belong to an entry
	Loose  int           // cosignatures that could not be kept and whose signer cannot be told
	Mended int           // rows, pages and log frames in which one bit was put right

	// WAL says that acknowledged commits at the end of the write-ahead log are
	// not, or not surely, all here.
	WAL bool
	// Holes counts pages and rows of which nothing can be told: pages that are
	// neither rows, nor the rest of long ones, nor free. What stood there may be
	// missed by nobody.
	Holes int
	// Key reports whether the data key opened anything that it sealed. False
	// with rows in it means the wrong key.
	Key bool

	path  string
	box   sealer
	file  *pageFile
	exact bool // put no bits right; for tests of the other ways
	byID  map[int64]*SavedLog
	names map[int64]parley.LogID                   // of logs that lost theirs, as Adopt found them
	put   map[parley.LogID]map[uint64]*journal.Row // rows in which a bit was put right
	found found
}

// SavedLog is one log of a damaged record.
type SavedLog struct {
	ID     parley.LogID
	Size   uint64              // of its row; 0 if that is lost
	Rows   uint64              // one more than the greatest index of which anything is left
	Head   *journal.SignedHead // as it stands there, not verified
	Whole  bool                // the row of the table logs was found
	Cosigs []journal.Cosig     // whose checksum fits
	Names  []string            // signers of whom a cosignature was damaged

	s     *Salvage
	id    int64
	cells map[uint64][]place
}

type place struct {
	page uint32
	n    uint16
}

// found is what the pages hold, before it is sorted by logs.
type found struct {
	entries              map[int64]map[uint64][]place
	logs, logIndex       []logLine
	signers, signerIndex []signerLine
	cosigs               []foundCell
	vals                 []foundCell
	odd                  []uint32       // pages in which something could not be read
	long                 []cellAt       // rows that go on in other pages
	strange              map[uint32]int // rows of no table, by page
}

// cellAt is where a row begins.
type cellAt struct {
	page uint32
	at   int
}

type foundCell struct {
	payload []byte
	page    uint32
}

// The shapes of the tables' records (see record), n|b standing for both.
const (
	shapeMeta        = "tb"
	shapeLogs        = "nbiibii" // and the head, or null for it
	shapeLogsIndex   = "biibi"
	shapeSigners     = "nibi"
	shapeSignersIdx  = "ibii"
	shapeVals        = "bbbii"
	columnsOfEntries = 10
	columnsOfCosigs  = 7
	columnsOfLogs    = 9
)

// OpenSalvage reads what is left of the record at path.
func OpenSalvage(path string, key [32]byte) (*Salvage, error) { return openSalvage(path, key, false) }

// OpenSalvageExact is OpenSalvage that puts no single bits right, as damage of
// whole sectors leaves it. It is for tests of what copies can mend.
func OpenSalvageExact(path string, key [32]byte) (*Salvage, error) {
	return openSalvage(path, key, true)
}

func openSalvage(path string, key [32]byte, exact bool) (_ *Salvage, err error) {
	s := &Salvage{path: path, box: newSealer(key), exact: exact,
		names: map[int64]parley.LogID{}, put: map[parley.LogID]map[uint64]*journal.Row{}}
	wal, err := readWAL(path+"-wal", true)
	if err != nil {
		return nil, err
	}
	s.Mended += len(wal.mended)
	if s.file, err = openPages(path, wal); err != nil {
		return nil, err
	}
	for pass := 0; ; pass++ { // again with what was put right, so that more rows can prove themselves
		s.found = found{entries: map[int64]map[uint64][]place{}, strange: map[uint32]int{}}
		for n := uint32(2); n <= s.file.pages; n++ { // the first holds the schema
			s.scan(n)
		}
		s.gatherLogs()
		if s.exact || pass == 2 || !s.mendPages() {
			break
		}
	}
	if !s.exact {
		s.rehome()
	}
	s.gatherCosigs()
	s.gatherValues()
	s.countHoles()
	s.judgeWAL(wal)
	return s, nil
}

// countHoles goes through the pages once more: what is not free, holds no rows
// and is not the rest of a long row, is a hole.
func (s *Salvage) countHoles() {
	known := s.rests()
	s.Holes = 0
	for n, rows := range s.found.strange {
		if !known[n] {
			s.Holes += rows
		}
	}
	known[1] = true                       // it holds the schema only
	if uint32(lockPage) <= s.file.pages { // which SQLite leaves empty
		known[lockPage] = true
	}
	for n := uint32(2); n <= s.file.pages; n++ {
		b := s.file.page(n)
		if _, whole := s.file.cells(n, b); whole && tidy(n, b) {
			known[n] = true
		}
	}
	for _, n := range s.freePages(known) {
		known[n] = true
	}
	s.Holes += int(s.file.pages) - len(known)
}

// rests are the pages in which long rows go on.
func (s *Salvage) rests() map[uint32]bool {
	rests := map[uint32]bool{}
	for n := uint32(2); n <= s.file.pages; n++ {
		cs, _ := s.file.cells(n, s.file.page(n))
		for i := range cs {
			for _, o := range cs[i].chain {
				rests[o] = true
			}
		}
	}
	return rests
}

// Close closes the damaged file.
func (s *Salvage) Close() error { return s.file.f.Close() }

// scan reads the records of one page.
func (s *Salvage) scan(n uint32) {
	b := s.file.page(n)
	cs, whole := s.file.cells(n, b)
	odd := !whole || !tidy(n, b)
	for i := range cs {
		if !s.keep(n, i, &cs[i]) {
			odd = true
			s.found.strange[n]++
		}
		if len(cs[i].chain) > 0 {
			s.found.long = append(s.found.long, cellAt{n, cs[i].at})
		}
	}
	if odd && !zero(b) {
		s.found.odd = append(s.found.odd, n)
	}
}

func zero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

// keep files one record by the table that its shape tells. It reports false
// for a record that belongs to none.
func (s *Salvage) keep(page uint32, n int, c *cell) bool {
	cs, ok := record(c.payload)
	if !ok {
		return false
	}
	switch form := shape(cs); {
	case len(cs) == columnsOfEntries && entryShape(form):
		log, idx := cs[0].num, cs[1].num
		if idx < 0 || idx > parley.MaxUint {
			return false
		}
		m := s.found.entries[log]
		if m == nil {
			m = map[uint64][]place{}
			s.found.entries[log] = m
		}
		m[uint64(idx)] = append(m[uint64(idx)], place{page, uint16(n)})
	case len(cs) == columnsOfCosigs && form[:4] == "iiib": // the rest is cosig's to judge
		s.found.cosigs = append(s.found.cosigs, foundCell{c.payload, page})
	case form == shapeVals:
		s.found.vals = append(s.found.vals, foundCell{c.payload, page})
	case len(cs) == columnsOfLogs && form[:7] == shapeLogs:
		s.found.logs = append(s.found.logs, logRowOf(c.rowid, cs))
	case form == shapeLogsIndex:
		s.found.logIndex = append(s.found.logIndex, logIndexOf(cs))
	case form == shapeSigners:
		s.found.signers = append(s.found.signers, signerRowOf(c.rowid, cs))
	case form == shapeSignersIdx:
		s.found.signerIndex = append(s.found.signerIndex, signerIndexOf(cs))
	case form == shapeMeta:
		if plain, ok := s.box.open(cs[1].bytes, checkPlace); ok && string(plain) == checkText {
			s.Key = true
		}
	default:
		return false
	}
	return true
}

// entryShape: log, idx, audience, commitment, hashes, sig, content, standing,
// stored, sum; sig and content may be null.
func entryShape(form string) bool {
	return form[:5] == "iiibb" && form[5] != 'i' && form[5] != 't' && form[6] != 'i' && form[6] != 't' && form[7:] == "iii"
}

// raw reads a row of entries again; nil if it is no row any more.
func (s *Salvage) raw(p place) *rawRow {
	cs, _ := s.file.cells(p.page, s.file.page(p.page))
	if int(p.n) >= len(cs) {
		return nil
	}
	return rawOf(cs[p.n].payload)
}

func rawOf(payload []byte) *rawRow {
	c, ok := record(payload)
	if !ok || len(c) != columnsOfEntries || !entryShape(shape(c)) {
		return nil
	}
	return &rawRow{log: c[0].num, idx: c[1].num, audience: c[2].num, commitment: c[3].bytes, hashes: c[4].bytes, sig: c[5].bytes,
		content: c[6].bytes, standing: c[7].num, stored: c[8].num, sum: c[9].num}
}

func (s *Salvage) inspect(l parley.LogID, raw *rawRow) (*journal.Row, []string) {
	r, faults := (&SQLite{box: s.box}).inspect(l, raw)
	if r != nil && r.Content != nil && len(faults) == 0 {
		s.Key = true
	}
	return r, faults
}

// Row is what is left of an entry: the row if it proves itself, or else the
// remains, from which Complete can make it whole with what others hold. Both
// are nil if nothing is left.
func (l *SavedLog) Row(index uint64) (*journal.Row, *Remains) {
	var rest *Remains
	for _, p := range l.cells[index] {
		raw := l.s.raw(p)
		if raw == nil {
			continue
		}
		r, faults := l.s.inspect(l.ID, raw)
		if len(faults) == 0 {
			return r, nil
		}
		if rest == nil {
			rest = &Remains{l, index, raw, faults}
		}
	}
	if l.s.put[l.ID][index] == nil && (rest == nil || l.s.exact || !rest.mend()) {
		return nil, rest
	}
	r := *l.s.put[l.ID][index]
	return &r, nil
}

// Remains is a damaged row.
type Remains struct {
	l      *SavedLog
	index  uint64
	raw    *rawRow
	Faults []string
}

// mostBits bounds the records in which single bits are tried: with larger ones
// it takes too long, and the copy of a peer is as good.
const mostBits = 16 << 10

// mend tries every single bit of the content: what else is wrong in a single bit
// was put right when the record was opened.
func (r *Remains) mend() bool {
	l := r.l
	if r.raw.content == nil || len(r.raw.content) > mostBits || !r.raw.sumFits(l.ID) {
		return false
	}
	place, plain := contentPlace(l.ID, r.index), make([]byte, 0, len(r.raw.content))
	return mendBit(r.raw.content, func(sealed []byte) bool {
		if _, err := l.s.box.aead.Open(plain, nil, sealed, place); err != nil {
			return false
		}
		row, faults := l.s.inspect(l.ID, r.raw)
		if len(faults) > 0 {
			return false
		}
		l.s.putRight(row)
		return true
	})
}

// Content is the text of a damaged row, if it still opens; its commitment is
// computed from it, and is to be compared with what was signed.
func (r *Remains) Content() (*journal.Content, parley.Hash, bool) {
	if r.raw.content == nil {
		return nil, parley.Hash{}, false
	}
	c, ok := r.l.s.box.openContent(r.l.ID, r.index, r.raw.content)
	if !ok {
		return nil, parley.Hash{}, false
	}
	return c, journal.Commit(r.l.ID.Origin(), r.index, c.Salt, c.Entry), true
}

// Leaf is the leaf as the damaged row has it, to be tried against what was
// signed.
func (r *Remains) Leaf() (leaf journal.Leaf, ok bool) {
	if len(r.raw.commitment) != 32 || r.raw.audience < 0 || r.raw.audience > math.MaxUint32 {
		return leaf, false
	}
	return journal.Leaf{To: parley.Audience(r.raw.audience), Commit: parley.Hash(r.raw.commitment)}, true
}

// HadContent reports whether the text had been opened to this node.
func (r *Remains) HadContent() bool { return r.raw.content != nil }

// Sig is the author's signature as the damaged row has it.
func (r *Remains) Sig() []byte { return r.raw.sig }

// Complete fills in what this node alone knew of an entry (how it stands and
// when it came) after the rest was put right. It reports false if that is
// lost: then the row keeps what the caller put there.
func (r *Remains) Complete(row *journal.Row) bool {
	hashes := make([]byte, 0, 32*len(row.Hashes))
	for _, h := range row.Hashes {
		hashes = append(hashes, h[:]...)
	}
	try := *row
	fits := func(standing, stored int64) bool {
		if standing < 0 || standing > math.MaxUint8 {
			return false
		}
		try.Standing, try.Stored = parley.Standing(standing), uint64(stored)
		return rowSum(&try, hashes) == r.raw.sum
	}
	ok := fits(r.raw.standing, r.raw.stored)
	for standing := int64(0); !ok && standing < 16; standing++ {
		ok = fits(standing, r.raw.stored)
	}
	for bit := 0; !ok && bit < 64; bit++ {
		ok = fits(r.raw.standing, r.raw.stored^1<<bit)
	}
	if !ok { // or the checksum itself is what was hit
		try.Standing, try.Stored = parley.Standing(r.raw.standing), uint64(r.raw.stored)
		d := uint64(rowSum(&try, hashes)) ^ uint64(r.raw.sum)
		ok = d&(d-1) == 0
	}
	if ok {
		row.Standing, row.Stored = try.Standing, try.Stored
	}
	return ok
}

// gatherCosigs sorts the cosignatures by logs, and joins those of one size and
// signer.
func (s *Salvage) gatherCosigs() {
	for _, l := range s.Logs {
		l.Cosigs, l.Names = nil, nil
	}
	pairs := map[[2]int64]*cosigPair{}
	for _, f := range s.found.cosigs {
		p := s.cosig(f.payload)
		if p == nil && !s.exact {
			mendBit(f.payload, func(b []byte) bool { p = s.cosig(b); return p != nil })
			if p != nil {
				s.Mended++
			}
		}
		if p == nil {
			s.lostCosig(f.payload)
			continue
		}
		k := [2]int64{p.signer, int64(p.first.Size)}
		old := pairs[k]
		if old == nil {
			pairs[k] = p
			continue
		}
		if p.first.Time < old.first.Time {
			old.first = p.first
		}
		if p.last.Time > old.last.Time {
			old.last = p.last
		}
	}
	for _, p := range pairs {
		l := s.of(p.first.Log)
		l.Cosigs = append(l.Cosigs, p.first)
		if p.last.Time != p.first.Time {
			l.Cosigs = append(l.Cosigs, p.last)
		}
	}
	for _, l := range s.Logs {
		slices.SortFunc(l.Cosigs, func(a, b journal.Cosig) int {
			return cmp.Or(cmp.Compare(a.Size, b.Size), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Time, b.Time))
		})
	}
}

// of finds a log by its name.
func (s *Salvage) of(id parley.LogID) *SavedLog {
	for _, l := range s.Logs {
		if l.ID == id {
			return l
		}
	}
	return nil
}

// cosig reads a pair of cosignatures whose checksum fits.
func (s *Salvage) cosig(payload []byte) *cosigPair {
	c, ok := record(payload)
	if !ok || len(c) != columnsOfCosigs || shape(c)[:4] != "iiib" || c[1].num < 0 {
		return nil
	}
	for w := range s.who(c[0].num) {
		l := s.byID[w.log]
		if l == nil {
			continue
		}
		x := journal.Cosig{Log: l.ID, Size: uint64(c[1].num), Name: w.name, PQ: w.pq,
			Cosignature: journal.Cosignature{Time: uint64(c[2].num), Sig: c[3].bytes}}
		p := cosigPair{c[0].num, x, x}
		if c[4].num != c[2].num {
			p.last.Cosignature = journal.Cosignature{Time: uint64(c[4].num), Sig: c[5].bytes}
		}
		if p.sum() == c[6].num {
			p.first.Sig, p.last.Sig = bytes.Clone(p.first.Sig), bytes.Clone(p.last.Sig)
			return &p
		}
	}
	return nil
}

// lostCosig notes a cosignature that cannot be kept, with its log if that can
// still be told.
func (s *Salvage) lostCosig(payload []byte) {
	c, _ := record(payload)
	if len(c) == columnsOfCosigs {
		for w := range s.who(c[0].num) {
			if l := s.byID[w.log]; l != nil {
				l.Names = append(l.Names, w.name)
				return
			}
		}
	}
	s.Loose++
}

// gatherValues opens the values. Two that differ under one name, of which the
// older should be gone, are both given up.
func (s *Salvage) gatherValues() {
	seen := map[string]int{}
	for _, f := range s.found.vals {
		v := s.value(f.payload)
		if v == nil && !s.exact {
			mendBit(f.payload, func(b []byte) bool { v = s.value(b); return v != nil })
			if v != nil {
				s.Mended++
			}
		}
		if v == nil {
			s.Lost = append(s.Lost, lostValue(f.payload))
			continue
		}
		k := v.Space + "\x00" + v.Key
		if i, ok := seen[k]; !ok {
			seen[k] = len(s.Values)
			s.Values = append(s.Values, *v)
		} else if !bytes.Equal(s.Values[i].Value, v.Value) {
			s.Lost = append(s.Lost, "one of two copies of "+v.Space+" "+v.Key)
		}
	}
	slices.SortFunc(s.Values, func(a, b journal.Put) int {
		return cmp.Or(cmp.Compare(a.Space, b.Space), cmp.Compare(a.Key, b.Key))
	})
}

func (s *Salvage) value(payload []byte) *journal.Put {
	c, ok := record(payload)
	if !ok || shape(c) != shapeVals || c[3].num>>1 != 0 {
		return nil
	}
	space := string(c[0].bytes)
	v := value{key: string(c[1].bytes), stored: bytes.Clone(c[2].bytes), secret: c[3].num == 1, sum: c[4].num}
	plain, err := (&SQLite{box: s.box}).unseal(space, v)
	if err != nil {
		return nil
	}
	s.Key = s.Key || v.secret
	return &journal.Put{Space: space, Key: v.key, Value: plain, Secret: v.secret}
}

// lostValue names a value that cannot be kept, as far as it can be read.
func lostValue(payload []byte) string {
	c, ok := record(payload)
	if !ok || len(c) < 2 || len(c[0].bytes) == 0 || len(c[0].bytes) > 32 {
		return "value"
	}
	return "value " + string(c[0].bytes)
}

// judgeWAL decides whether acknowledged commits may be missing at the end.
func (s *Salvage) judgeWAL(w *walLog) {
	if checkWAL(s.path, w) != nil {
		s.WAL = len(w.broken) == 0 || len(w.broken) > len(w.mended) || !w.header
	}
}
