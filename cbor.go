package parley

import (
	"encoding/binary"
	"unicode/utf8"
)

// The encoding is deterministic CBOR (RFC 8949 section 4.2.1) narrowed to five
// things: unsigned integers, byte strings, text strings, arrays and null. No
// maps, tags, floats, negative integers or indefinite lengths exist, so the
// writer below cannot write anything but the canonical form and the reader
// names the rule that other bytes break. It is written here, rather than
// taken from a general library, because each broken rule needs a code of its
// own and because a stranger must be able to read the whole of it.

const (
	majorUint  = 0 << 5
	majorBytes = 2 << 5
	majorText  = 3 << 5
	majorArray = 4 << 5
	cborNull   = 0xf6
)

func appendHead(b []byte, major byte, v uint64) []byte {
	switch {
	case v < 24:
		return append(b, major|byte(v))
	case v <= 0xff:
		return append(b, major|24, byte(v))
	case v <= 0xffff:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(v))
	case v <= 0xffffffff:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(v))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), v)
}

// AppendUint appends an unsigned integer. v above MaxUint panics: the caller
// checks its numbers.
func AppendUint(b []byte, v uint64) []byte {
	if v > MaxUint {
		panic("parley: integer above 2^53-1")
	}
	return appendHead(b, majorUint, v)
}

// AppendBytes appends a byte string.
func AppendBytes(b, v []byte) []byte {
	return append(appendHead(b, majorBytes, uint64(len(v))), v...)
}

// AppendText appends a text string.
func AppendText(b []byte, v string) []byte {
	return append(appendHead(b, majorText, uint64(len(v))), v...)
}

// AppendArray starts an array of n items, which the caller appends next.
func AppendArray(b []byte, n int) []byte { return appendHead(b, majorArray, uint64(n)) }

// AppendNull appends null, allowed only where a format says so.
func AppendNull(b []byte) []byte { return append(b, cborNull) }

// Decoder reads canonical CBOR item by item. The first error sticks: later
// calls return zero values, and End reports it. It never allocates more than
// the input holds.
type Decoder struct {
	b     []byte
	off   int
	depth int
	left  []int // items left in each open array
	err   error
}

// NewDecoder reads b, whose arrays may nest at most depth deep.
func NewDecoder(b []byte, depth int) *Decoder {
	return &Decoder{b: b, depth: depth, left: make([]int, 0, 8)}
}

// Fail records err as the decoder's error unless it has one.
func (d *Decoder) Fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// Err is the first error so far.
func (d *Decoder) Err() error { return d.err }

// Offset is the number of bytes consumed.
func (d *Decoder) Offset() int { return d.off }

// More reports whether bytes are left; false after an error.
func (d *Decoder) More() bool { return d.err == nil && d.off < len(d.b) }

func (d *Decoder) head(major byte, what string) uint64 {
	if d.err != nil {
		return 0
	}
	if d.off >= len(d.b) {
		d.err = Errorf(CodeTruncated, "data ends where %s was expected", what)
		return 0
	}
	c := d.b[d.off]
	if c&0xe0 != major {
		d.err = Errorf(CodeType, "found major type %d where %s was expected, at byte %d", c>>5, what, d.off)
		return 0
	}
	info := c & 0x1f
	rest := d.b[d.off+1:]
	var v uint64
	switch n := 0; {
	case info < 24:
		d.off++
		return d.count(uint64(info))
	case info <= 27:
		n = 1 << (info - 24)
		if len(rest) < n {
			d.err = Errorf(CodeTruncated, "data ends inside %s", what)
			return 0
		}
		for _, x := range rest[:n] {
			v = v<<8 | uint64(x)
		}
		if (n == 1 && v < 24) || (n > 1 && v>>(4*n) == 0) {
			d.err = Errorf(CodeNotCanonical, "%s is not written in its shortest form, at byte %d", what, d.off)
			return 0
		}
		d.off += 1 + n
		return d.count(v)
	}
	d.err = Errorf(CodeNotCanonical, "%s has an indefinite or reserved length, at byte %d", what, d.off)
	return 0
}

// count notes that one item of the innermost open array was read.
func (d *Decoder) count(v uint64) uint64 {
	for len(d.left) > 0 && d.left[len(d.left)-1] == 0 {
		d.left = d.left[:len(d.left)-1]
	}
	if n := len(d.left); n > 0 {
		d.left[n-1]--
	}
	return v
}

// Uint reads an unsigned integer of at most max (and never above MaxUint).
func (d *Decoder) Uint(max uint64) uint64 {
	at := d.off
	v := d.head(majorUint, "an integer")
	if d.err == nil && v > min(max, MaxUint) {
		d.err = Errorf(CodeOutOfRange, "integer %d at byte %d is above %d", v, at, min(max, MaxUint))
		return 0
	}
	return v
}

// Bytes reads a byte string of lo to hi bytes. The result aliases the input.
func (d *Decoder) Bytes(lo, hi int) []byte {
	return d.str(majorBytes, "a byte string", lo, hi)
}

// Text reads a text string of lo to hi bytes of valid UTF-8.
func (d *Decoder) Text(lo, hi int) string {
	at := d.off
	s := d.str(majorText, "a text", lo, hi)
	if d.err == nil && !utf8.Valid(s) {
		d.err = Errorf(CodeUTF8, "text at byte %d is not valid UTF-8", at)
		return ""
	}
	return string(s)
}

func (d *Decoder) str(major byte, what string, lo, hi int) []byte {
	at := d.off
	n := d.head(major, what)
	if d.err != nil {
		return nil
	}
	if n < uint64(lo) || n > uint64(hi) {
		d.err = Errorf(CodeLength, "%s at byte %d has %d bytes, not %d to %d", what, at, n, lo, hi)
		return nil
	}
	if uint64(len(d.b)-d.off) < n {
		d.err = Errorf(CodeTruncated, "data ends inside %s at byte %d", what, at)
		return nil
	}
	s := d.b[d.off : d.off+int(n) : d.off+int(n)]
	d.off += int(n)
	return s
}

// Array reads the start of an array of lo to hi items and returns how many.
func (d *Decoder) Array(lo, hi int) int {
	at := d.off
	n := d.head(majorArray, "a list")
	if d.err != nil {
		return 0
	}
	if n < uint64(lo) || n > uint64(hi) {
		d.err = Errorf(CodeLength, "list at byte %d has %d items, not %d to %d", at, n, lo, hi)
		return 0
	}
	d.left = append(d.left, int(n))
	if len(d.left) > d.depth {
		d.err = Errorf(CodeDepth, "lists at byte %d nest deeper than %d", at, d.depth)
		return 0
	}
	return int(n)
}

// Null consumes a null if one comes next, and reports whether it did.
func (d *Decoder) Null() bool {
	if d.err != nil || d.off >= len(d.b) || d.b[d.off] != cborNull {
		return false
	}
	d.off++
	d.count(0)
	return true
}

// Hash reads a byte string of exactly 32 bytes.
func (d *Decoder) Hash() (h Hash) {
	copy(h[:], d.Bytes(32, 32))
	return
}

// Gen reads a byte string of exactly 8 bytes.
func (d *Decoder) Gen() (g Gen) {
	copy(g[:], d.Bytes(8, 8))
	return
}

// End reports the first error, or that bytes follow the item.
func (d *Decoder) End() error {
	if d.err == nil && d.off != len(d.b) {
		d.err = Errorf(CodeTrailing, "%d bytes follow the end of the data", len(d.b)-d.off)
	}
	return d.err
}
