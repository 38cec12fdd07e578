package store

import (
	"encoding/binary"
	"slices"
)

// A flipped bit in the structure of a page (its header, its list of rows, the
// lengths and kinds in front of a row, the page number by which a long row goes
// on) hides whole rows. The rows tell which bit it was: with it flipped back
// they prove themselves again.

// mendPages looks for such bits in the pages in which something could not be
// read. It reports whether any page became better.
func (s *Salvage) mendPages() bool {
	rest := s.rests()
	better := false
	for _, c := range s.found.long {
		better = s.mendChain(c.page, c.at) || better
	}
	for _, n := range s.found.odd {
		better = !rest[n] && s.mendPage(n) || better
	}
	return better
}

// mendPage puts the bit right with which the page weighs most.
func (s *Salvage) mendPage(n uint32) bool {
	b := s.file.page(n)
	all, _ := starts(n, b)
	for _, at := range all {
		if at < len(b) && s.mendChain(n, at) {
			return true // and the rest of the page the next time
		}
	}
	was := s.score(n, b, map[cellAt]bool{})
	other := slices.Clone(b)
	if s.mendHeader(n, b); s.mendCells(n, other) && s.score(n, other, map[cellAt]bool{}) >= s.score(n, b, map[cellAt]bool{}) {
		b = other
	}
	if s.score(n, b, map[cellAt]bool{}) <= was {
		return false
	}
	s.file.log[n] = b
	s.Mended++
	return true
}

// mostRows bounds the list of rows that is looked through: a page has no room
// for more.
const mostRows = 512

// mendHeader tries the bits of the page's header, of its list of cells and of its
// list of free blocks, and takes the one with which most rows prove themselves
// and fewest do not.
func (s *Salvage) mendHeader(n uint32, b []byte) {
	known := map[cellAt]bool{} // what a row is does not hang on these bits, but for the kind of page
	best, where, mask := s.score(n, b, known), -1, byte(0)
	for _, i := range lists(n, b) {
		kind := i == head(n)
		for bit := range 8 {
			b[i] ^= 1 << bit
			if kind {
				clear(known)
			}
			if got := s.score(n, b, known); got > best {
				best, where, mask = got, i, 1<<bit
			}
			b[i] ^= 1 << bit
		}
		if kind {
			clear(known)
		}
	}
	if where >= 0 {
		b[where] ^= mask
	}
}

// lists are the bytes of a page's header and of its lists.
func lists(n uint32, b []byte) (at []int) {
	from := head(n)
	end := min(from+12+2*min(int(binary.BigEndian.Uint16(b[from+3:])), mostRows), len(b))
	for i := from; i < end; i++ {
		at = append(at, i)
	}
	block := int(binary.BigEndian.Uint16(b[from+1:]))
	for range mostRows {
		if block < end || block > len(b)-4 {
			break
		}
		at = append(at, block, block+1, block+2, block+3)
		block = int(binary.BigEndian.Uint16(b[block:]))
	}
	return at
}

// score weighs a page: a row that proves itself counts, once, and what stands
// in the list and is none counts against it, as does room that nothing fills.
func (s *Salvage) score(n uint32, b []byte, known map[cellAt]bool) (points int) {
	all, ok := starts(n, b)
	count := len(all)
	slices.Sort(all)
	for _, at := range slices.Compact(all) {
		k := cellAt{n, at}
		good, seen := known[k]
		if !seen {
			c, ok := s.file.cell(b[head(n)], b, at)
			good = ok && s.proven(&c)
			known[k] = good
		}
		if good {
			points += 2 // and one for being in the list
		}
	}
	points -= count
	if ok && tidy(n, b) {
		points++
	}
	return points
}

// mostHead bounds what stands before the columns of a row: lengths and kinds.
const mostHead = 64

// mendCells tries the bits in front of the rows that cannot be read: first those
// with which the rows fill the page as well.
func (s *Salvage) mendCells(n uint32, b []byte) bool {
	all, _ := starts(n, b)
	for _, whole := range []bool{true, false} {
		for _, at := range all {
			fits := func([]byte) bool {
				c, ok := s.file.cell(b[head(n)], b, at)
				return ok && (!whole || tidy(n, b)) && s.proven(&c)
			}
			if at >= len(b) {
				continue
			}
			if c, ok := s.file.cell(b[head(n)], b, at); ok && s.proven(&c) {
				continue
			}
			if mendBit(b[at:min(at+mostHead, len(b))], fits) {
				return true
			}
		}
	}
	return false
}

// mendChain tries the bits of the page numbers by which a row goes on, if it is
// a long one that does not prove itself.
func (s *Salvage) mendChain(n uint32, at int) bool {
	b := s.file.page(n)
	kind := b[head(n)]
	proves := func() bool {
		c, ok := s.file.cell(kind, b, at)
		return ok && s.proven(&c)
	}
	c := cell{at: at}
	size, from, local, ok := c.measure(kind, b)
	if !ok || local == size || proves() {
		return false
	}
	if mendBit(b[from+local:from+local+4], func([]byte) bool { return proves() }) {
		s.file.log[n] = b
		s.Mended++
		return true
	}
	c, _ = s.file.cell(kind, b, at)
	for _, o := range c.chain {
		old, had := s.file.log[o]
		page := s.file.page(o)
		if mendBit(page[:4], func([]byte) bool { s.file.log[o] = page; return proves() }) {
			s.Mended++
			return true
		}
		if s.file.log[o] = old; !had {
			delete(s.file.log, o)
		}
	}
	return false
}

// freePages lists the pages that the database does not use at the time, by its
// own list; a single bit that is wrong in the list is put right by their number
// and by used, the pages that are not free.
func (s *Salvage) freePages(used map[uint32]bool) []uint32 {
	first := s.file.page(1)
	free, trunks, ok := s.freeList(first, used)
	if ok || s.exact {
		return free
	}
	fits := func([]byte) bool { // with it, no page is left of which nothing is known
		free, _, ok = s.freeList(first, used)
		return ok && len(free)+len(used) == int(s.file.pages)
	}
	if mendBit(first[32:40], fits) {
		s.Mended++
		return free
	}
	for _, t := range trunks {
		old, had := s.file.log[t]
		b := s.file.page(t)
		s.file.log[t] = b
		if mendBit(b[:8+4*freeLeaves(b)], fits) {
			s.Mended++
			return free
		}
		if s.file.log[t] = old; !had {
			delete(s.file.log, t)
		}
	}
	free, _, _ = s.freeList(first, used)
	return free
}

// freeList follows the list that begins in the header. ok is false where it is
// not as long as the header says, or names a page twice or one that is used.
func (s *Salvage) freeList(first []byte, used map[uint32]bool) (free, trunks []uint32, ok bool) {
	seen := map[uint32]bool{}
	take := func(n uint32) bool {
		ok := n > 1 && n <= s.file.pages && !seen[n] && !used[n]
		if ok {
			seen[n] = true
			free = append(free, n)
		}
		return ok
	}
	ok = true
	for t := binary.BigEndian.Uint32(first[32:]); t != 0; {
		if !take(t) {
			return free, trunks, false
		}
		trunks = append(trunks, t)
		b := s.file.page(t)
		for i := range freeLeaves(b) {
			ok = take(binary.BigEndian.Uint32(b[8+4*i:])) && ok
		}
		t = binary.BigEndian.Uint32(b)
	}
	return free, trunks, ok && len(free) == int(binary.BigEndian.Uint32(first[36:]))
}

// freeLeaves is how many pages a page of the list names.
func freeLeaves(b []byte) int {
	return int(min(binary.BigEndian.Uint32(b[4:]), pageSize/4-2))
}
