package officer

import (
	"bytes"
	"time"

	"parley"
	"parley/release"
)

// coder writes or reads the fields of a record, in one order that stands in
// one place: the same function describes both directions. Reading ends with
// writing again, and other bytes than those that were read are refused; so
// only the canonical form is accepted, with every limit.
type coder struct {
	in    *parley.Decoder // nil: writing
	out   []byte
	items int // written at the current level
}

// record is whatever can go through a coder.
type record interface{ fields(c *coder) }

// maxRecord bounds a record: a message of the greatest size, its form and room.
const maxRecord = 512 << 10

func encode(r record) []byte {
	c := &coder{}
	r.fields(c)
	return append(parley.AppendArray(nil, c.items), c.out...)
}

func decode(b []byte, r record) error {
	c := &coder{in: parley.NewDecoder(b, 6)}
	c.in.Array(0, 64)
	r.fields(c)
	if err := c.in.End(); err != nil {
		return err
	}
	if !bytes.Equal(encode(r), b) {
		return parley.Errorf(parley.CodeNotCanonical, "a record is not in its one form")
	}
	return nil
}

// number is a field of any unsigned type, at most max.
func number[T ~uint8 | ~uint32 | ~uint64](c *coder, v *T, max uint64) {
	if c.in != nil {
		*v = T(c.in.Uint(max))
		return
	}
	c.out, c.items = parley.AppendUint(c.out, uint64(*v)), c.items+1
}

func (c *coder) bool(v *bool) {
	var n uint8
	if *v {
		n = 1
	}
	number(c, &n, 1)
	*v = n == 1
}

// time is a field in whole milliseconds of UTC; the zero time is 0.
func (c *coder) time(v *time.Time) {
	var n uint64
	if !v.IsZero() {
		n = uint64(max(v.UnixMilli(), 0))
	}
	number(c, &n, parley.MaxUint)
	if c.in != nil {
		*v = time.Time{}
		if n > 0 {
			*v = time.UnixMilli(int64(n)).UTC()
		}
	}
}

func (c *coder) text(v *string, max int) {
	if c.in != nil {
		*v = c.in.Text(0, max)
		return
	}
	c.out, c.items = parley.AppendText(c.out, *v), c.items+1
}

func (c *coder) bytes(v *[]byte, max int) {
	if c.in != nil {
		*v = bytes.Clone(c.in.Bytes(0, max))
		return
	}
	c.out, c.items = parley.AppendBytes(c.out, *v), c.items+1
}

// fixed is a byte field of exactly the length of v.
func (c *coder) fixed(v []byte) {
	if c.in != nil {
		copy(v, c.in.Bytes(len(v), len(v)))
		return
	}
	c.out, c.items = parley.AppendBytes(c.out, v), c.items+1
}

func (c *coder) hash(v *parley.Hash) { c.fixed(v[:]) }
func (c *coder) key(v *release.ID)   { c.fixed(v[:]) }
func (c *coder) officer(v *ID)       { number(c, v, 1<<32-1) }
func (c *coder) ref(v *parley.Ref) {
	if c.in != nil {
		*v = c.in.Ref()
		return
	}
	c.out, c.items = parley.AppendRef(c.out, *v), c.items+1
}

// each is a list of at most max items.
func each[T any](c *coder, v *[]T, max int, item func(*T)) {
	if c.in != nil {
		*v = nil
		for range c.in.Array(0, max) {
			var x T
			if item(&x); c.in.Err() != nil {
				return
			}
			*v = append(*v, x)
		}
		return
	}
	level := c.items
	c.out = parley.AppendArray(c.out, len(*v))
	for i := range *v {
		item(&(*v)[i])
	}
	c.items = level + 1
}

// group is a list of the fields that f describes.
func (c *coder) group(f func()) {
	if c.in != nil {
		c.in.Array(0, 64)
		f()
		return
	}
	outer, level := c.out, c.items
	c.out, c.items = nil, 0
	f()
	c.out, c.items = append(parley.AppendArray(outer, c.items), c.out...), level+1
}
