package store

import (
	"encoding/binary"
	"io"
	"os"

	"parley"
)

// Reading a damaged database page by page, without SQLite: SQLite stops at the
// first page that it cannot follow, and everything behind that page would be
// lost with it. The format is that of sqlite.org/fileformat2.html. Nothing
// here decides what is true: rows prove themselves, by checksum, seal and
// signature.

// Types of b-tree pages.
const (
	pageIndexInner = 0x02
	pageTableInner = 0x05
	pageIndexLeaf  = 0x0a
	pageTableLeaf  = 0x0d
)

// pageSize is that of every record: SQLite's default, which Open never changes.
const pageSize = 4096

// lockPage is the one that holds the byte on which SQLite takes its locks.
const lockPage = 1<<30/pageSize + 1

// maxPayload bounds what a damaged length can make this program allocate.
const maxPayload = 4 << 20

// pageFile is a database file with the newest pages of its write-ahead log.
type pageFile struct {
	f     *os.File
	pages uint32
	log   map[uint32][]byte // pages that the write-ahead log replaces
}

func openPages(path string, wal *walLog) (*pageFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, parley.Errorf(CodeFailed, "%w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, parley.Errorf(CodeFailed, "%w", err)
	}
	p := &pageFile{f: f, pages: uint32(min((info.Size()+pageSize-1)/pageSize, 1<<31)), log: wal.pages}
	for n := range p.log {
		p.pages = max(p.pages, n)
	}
	if wal.size > 0 { // pages beyond are of a size that the database had before
		p.pages = min(p.pages, wal.size)
	}
	return p, nil
}

// page is page n, from 1; zeros stand for what the file no longer has, or the
// disk no longer gives.
func (p *pageFile) page(n uint32) []byte {
	b := make([]byte, pageSize)
	if q, ok := p.log[n]; ok {
		copy(b, q)
		return b
	}
	if n == 0 || n > p.pages {
		return b
	}
	if k, err := p.f.ReadAt(b, int64(n-1)*pageSize); err != nil && err != io.EOF {
		clear(b[k:])
	}
	return b
}

// cell is one entry of a b-tree page: where its record lies.
type cell struct {
	at      int
	rowid   int64
	payload []byte
	chain   []uint32 // its overflow pages
	size    int      // of what lies in the page itself
}

// head is where a page's b-tree header begins.
func head(n uint32) int {
	if n == 1 {
		return 100
	}
	return 0
}

// cells lists the records of a b-tree page. whole is false if something in the
// page could not be followed; the cells that could be are returned all the same.
func (p *pageFile) cells(n uint32, b []byte) (cs []cell, whole bool) {
	starts, whole := starts(n, b)
	for _, at := range starts {
		c, ok := p.cell(b[head(n)], b, at)
		if whole = whole && ok; ok {
			cs = append(cs, c)
		}
	}
	return cs, whole
}

// starts lists where a page's cells begin, by the page's own list. ok is false
// for a page that is no page of rows, and for a list that leaves the page.
func starts(n uint32, b []byte) (at []int, ok bool) {
	h := head(n)
	size := 8
	switch b[h] {
	case pageIndexInner:
		size = 12
	case pageIndexLeaf, pageTableLeaf:
	case pageTableInner: // has keys only
		return nil, true
	default:
		return nil, false
	}
	for i := range int(binary.BigEndian.Uint16(b[h+3:])) {
		ptr := h + size + 2*i
		if ptr+2 > len(b) {
			return at, false
		}
		at = append(at, int(binary.BigEndian.Uint16(b[ptr:])))
	}
	return at, true
}

func (p *pageFile) cell(kind byte, b []byte, at int) (c cell, ok bool) {
	c.at = at
	n, from, local, ok := c.measure(kind, b)
	if !ok {
		return c, false
	}
	if local == n {
		c.payload = b[from : from+local : from+local]
		return c, true
	}
	c.payload = append(make([]byte, 0, min(n, 2*pageSize)), b[from:from+local]...)
	return c, p.follow(&c, binary.BigEndian.Uint32(b[from+local:]), n)
}

// measure finds how long a cell's record is, where it begins, and how much of
// it lies in the page; what goes on elsewhere is named behind that.
func (c *cell) measure(kind byte, b []byte) (n, from, local int, ok bool) {
	from = c.at
	if kind == pageIndexInner {
		from += 4
	}
	long, k := varint(b, from)
	if k == 0 || long < 2 || long > maxPayload {
		return 0, 0, 0, false
	}
	from += k
	most := (pageSize-12)*64/255 - 23
	if kind == pageTableLeaf {
		if c.rowid, k = varint(b, from); k == 0 {
			return 0, 0, 0, false
		}
		from += k
		most = pageSize - 35
	}
	n, local = int(long), int(long)
	if local > most {
		least := (pageSize-12)*32/255 - 23
		if local = least + (n-least)%(pageSize-4); local > most {
			local = least
		}
	}
	end := from + local
	if local < n {
		end += 4
	}
	c.size = max(end-c.at, 4)
	return n, from, local, end <= len(b)
}

// follow reads the rest of a record of n bytes from other pages.
func (p *pageFile) follow(c *cell, next uint32, n int) bool {
	for len(c.payload) < n {
		if next == 0 || next > p.pages || len(c.chain) > maxPayload/pageSize {
			return false
		}
		c.chain = append(c.chain, next)
		o := p.page(next)
		next = binary.BigEndian.Uint32(o)
		c.payload = append(c.payload, o[4:min(pageSize, 4+n-len(c.payload))]...)
	}
	return true
}

// tidy reports whether cells, free blocks and fragments fill a page's content
// exactly, as SQLite keeps it. Where they do not, a cell is missing, or stands
// in the list that is none.
func tidy(n uint32, b []byte) bool {
	h := head(n)
	size, inner := 8, b[h] == pageIndexInner || b[h] == pageTableInner
	if inner {
		size = 12
	}
	count, content := int(binary.BigEndian.Uint16(b[h+3:])), int(binary.BigEndian.Uint16(b[h+5:]))
	if content > pageSize || content < h+size+2*count {
		return false
	}
	var taken [pageSize]bool
	free := pageSize - content - int(b[h+7])
	take := func(at, size int) bool {
		if at < content || at+size > pageSize || taken[at] || taken[at+size-1] {
			return false
		}
		taken[at], taken[at+size-1] = true, true // they cannot lie in each other: the sum would not fit
		free -= size
		return true
	}
	for at := int(binary.BigEndian.Uint16(b[h+1:])); at != 0; at = int(binary.BigEndian.Uint16(b[at:])) {
		if at > pageSize-4 || !take(at, max(int(binary.BigEndian.Uint16(b[at+2:])), 4)) {
			return false
		}
	}
	for i := range count {
		c := cell{at: int(binary.BigEndian.Uint16(b[h+size+2*i:]))}
		if b[h] == pageTableInner {
			_, k := varint(b, c.at+4)
			c.size = 4 + k
		} else if _, _, _, ok := c.measure(b[h], b); !ok {
			return false
		}
		if !take(c.at, c.size) {
			return false
		}
	}
	return free == 0
}

// varint reads SQLite's variable-length integer; size 0: it goes beyond b.
func varint(b []byte, at int) (v int64, size int) {
	if at < 0 {
		return 0, 0
	}
	var u uint64
	for i := range 9 {
		if at+i >= len(b) {
			return 0, 0
		}
		c := b[at+i]
		if i == 8 {
			return int64(u<<8 | uint64(c)), 9
		}
		u = u<<7 | uint64(c&0x7f)
		if c < 0x80 {
			return int64(u), i + 1
		}
	}
	return 0, 0
}

// column is one value of a record: null, an integer, or bytes.
type column struct {
	kind  byte // 'n', 'i', 'b' (blob), 't' (text)
	num   int64
	bytes []byte
	at    int  // where in the record it lies
	loose bool // a number in more bytes than SQLite writes it in
}

// record splits a payload into its columns; false if it is not a record that
// fills the payload exactly.
func record(b []byte) ([]column, bool) {
	size, k := varint(b, 0)
	if k == 0 || size < int64(k) || size > int64(len(b)) {
		return nil, false
	}
	at := int(size)
	cs := make([]column, 0, columnsOfEntries)
	for h := k; h < int(size); {
		t, n := varint(b[:size], h)
		if n == 0 || t < 0 {
			return nil, false
		}
		h += n
		width := 0
		c := column{kind: 'i'}
		switch {
		case t == 0:
			c.kind = 'n'
		case t <= 4:
			width = int(t)
		case t == 5:
			width = 6
		case t == 6:
			width = 8
		case t == 8 || t == 9:
			c.num = t - 8
		case t >= 12 && (t-12)/2 <= int64(len(b)):
			width, c.kind = int((t-12)/2), "bt"[t%2]
		default:
			return nil, false // a float, or nothing
		}
		if at+width > len(b) {
			return nil, false
		}
		v := b[at : at+width]
		c.at = at
		at += width
		if c.kind == 'i' && width > 0 {
			c.num = int64(int8(v[0]))
			for _, x := range v[1:] {
				c.num = c.num<<8 | int64(x)
			}
			c.loose = width > widthOf(c.num)
		} else if c.kind == 'b' || c.kind == 't' {
			c.bytes = v
		}
		cs = append(cs, c)
	}
	return cs, at == len(b)
}

// widthOf is in how many bytes SQLite writes a number down.
func widthOf(n int64) int {
	for _, w := range []int{0, 1, 2, 3, 4, 6} {
		if w == 0 && (n == 0 || n == 1) || w > 0 && n>>(8*w-1) == n>>63 {
			return w
		}
	}
	return 8
}

// shape is the kinds of a record's columns, such as "iib".
func shape(cs []column) string {
	s := make([]byte, len(cs))
	for i := range cs {
		s[i] = cs[i].kind
	}
	return string(s)
}
