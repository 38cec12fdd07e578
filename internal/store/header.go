package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"

	"parley"
	"parley/journal"
)

// checkHeader compares the fields of the database's header that never change
// in a record with what they must be: SQLite takes many other values for
// granted, reads the pages by them, or refuses them with a vague word.
func checkHeader(path string) error {
	if _, err := os.Lstat(path + "-journal"); !errors.Is(err, fs.ErrNotExist) {
		return nil // the record was being made; SQLite takes that back first
	}
	f, err := os.Open(path)
	if err != nil {
		return parley.Errorf(CodeFailed, "%w", err)
	}
	defer f.Close()
	h := make([]byte, 100)
	if n, _ := f.ReadAt(h, 0); n < len(h) {
		return parley.Errorf(journal.CodeDamaged, "%s has %d bytes; a record begins with a header of 100", path, n)
	}
	if what := headerFault(h); what != "" {
		if binary.BigEndian.Uint32(h[68:]) != applicationID && string(h[:16]) == headerMagic {
			return nil // for identify, which knows a database of another program
		}
		return parley.Errorf(journal.CodeDamaged, "%s: the database's header is damaged: %s", path, what)
	}
	return nil
}

const headerMagic = "SQLite format 3\x00"

// headerFault names the first field of a header that has another value than
// every record of this program has. Counters are not looked at.
func headerFault(h []byte) string {
	switch {
	case string(h[:16]) != headerMagic:
		return "the first words"
	case binary.BigEndian.Uint16(h[16:]) != pageSize:
		return "the page size"
	case h[18] != 2 || h[19] != 2:
		return "the file format version"
	case !bytes.Equal(h[20:24], []byte{0, 64, 32, 32}):
		return "the reserved space"
	case binary.BigEndian.Uint32(h[44:]) != 4:
		return "the schema format"
	case !zero(h[52:56]) || !zero(h[64:68]):
		return "the vacuum mode"
	case binary.BigEndian.Uint32(h[56:]) != 1:
		return "the text encoding"
	case !zero(h[72:92]):
		return "the bytes reserved for expansion"
	}
	return ""
}
