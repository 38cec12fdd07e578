package storetest

import "encoding/binary"

// The layout of a database file (sqlite.org/fileformat2.html), as far as
// UsedBits follows it.
const (
	pageSize       = 4096
	pageIndexInner = 0x02
	pageTableInner = 0x05
	pageIndexLeaf  = 0x0a
	pageTableLeaf  = 0x0d
)

// UsedBits tells for every bit of a database file, without a write-ahead log,
// why flipping it may change nothing; "" where it must not go unnoticed. Bit 8i
// is the lowest of byte i. It is how tests know what fsck has to find.
func UsedBits(db []byte) (why []string) {
	why = make([]string, 8*len(db))
	mark := func(from, to int, reason string) {
		for i := 8 * from; i < 8*min(to, len(db)); i++ {
			why[i] = reason
		}
	}
	// Header fields that SQLite keeps for other uses than reading a record.
	mark(24, 28, "the counter of changes")
	mark(28, 32, "the size in pages, which counts only with the counter of changes")
	mark(40, 44, "the counter of schema changes")
	mark(48, 52, "the suggested cache size")
	mark(92, 100, "the version of SQLite that wrote last")
	free := freePages(db)
	for n := 1; n*pageSize <= len(db); n++ {
		at := (n - 1) * pageSize
		page := db[at : at+pageSize]
		if names, ok := free[uint32(n)]; ok {
			mark(at+names, at+pageSize, "a free page")
			continue
		}
		start := at
		if n == 1 {
			start += 100
		}
		kind := db[start]
		size := 8
		switch kind {
		case pageIndexInner, pageTableInner:
			size = 12
		case pageIndexLeaf, pageTableLeaf:
		default:
			continue // the rest of a long row; its slack is marked with the row
		}
		count := int(binary.BigEndian.Uint16(db[start+3:]))
		content := int(binary.BigEndian.Uint16(db[start+5:]))
		if content == 0 {
			content = 65536
		}
		mark(start+size+2*count, at+content, "room between the list of cells and the cells")
		for i := range count {
			c := int(binary.BigEndian.Uint16(db[start+size+2*i:]))
			if kind == pageIndexInner {
				c += 4
			}
			if kind != pageTableInner {
				slack(db, page[c:], kind, mark)
			}
			if kind == pageTableLeaf && n > 1 { // null, which can be read as the constant 0 as well
				_, a := binary7(page[c:])
				_, b := binary7(page[c+a:])
				why[8*(at+c+a+b+1)+3] = "the kind of a row's number, which stands before the row"
			}
		}
		for b := int(binary.BigEndian.Uint16(db[start+1:])); b != 0; b = int(binary.BigEndian.Uint16(page[b:])) {
			mark(at+b+4, at+b+int(binary.BigEndian.Uint16(page[b+2:])), "a free block in a page")
		}
	}
	return why
}

// slack marks what the last page of a long row does not need.
func slack(db, cell []byte, kind byte, mark func(from, to int, reason string)) {
	n, k := binary7(cell)
	most := (pageSize-12)*64/255 - 23
	if kind == pageTableLeaf {
		_, rowid := binary7(cell[k:])
		k += rowid
		most = pageSize - 35
	}
	if n <= most {
		return
	}
	least := (pageSize-12)*32/255 - 23
	local := least + (n-least)%(pageSize-4)
	if local > most {
		local = least
	}
	next := int(binary.BigEndian.Uint32(cell[k+local:]))
	for rest := n - local; next != 0; rest -= pageSize - 4 {
		at := (next - 1) * pageSize
		if rest <= pageSize-4 {
			mark(at+4+rest, at+pageSize, "room behind the end of a long row")
		}
		next = int(binary.BigEndian.Uint32(db[at:]))
	}
}

// binary7 reads SQLite's variable-length integer, of at most 8 bytes.
func binary7(b []byte) (v, size int) {
	for size < 8 {
		v = v<<7 | int(b[size]&0x7f)
		size++
		if b[size-1] < 0x80 {
			break
		}
	}
	return v, size
}

// freePages tells of each free page how many bytes in front list others.
func freePages(db []byte) map[uint32]int {
	free := map[uint32]int{}
	for t := binary.BigEndian.Uint32(db[32:]); t != 0; {
		b := db[int(t-1)*pageSize:][:pageSize]
		count := int(binary.BigEndian.Uint32(b[4:]))
		free[t] = 8 + 4*count
		for i := range count {
			free[binary.BigEndian.Uint32(b[8+4*i:])] = 0
		}
		t = binary.BigEndian.Uint32(b)
	}
	return free
}
