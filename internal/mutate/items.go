package mutate

import (
	"bytes"
	"encoding/binary"
)

// item is one CBOR item where it stands in its input.
type item struct {
	major    byte
	arg      uint64
	start    int // of the head
	body     int // behind the head
	end      int
	items    []*item // of a list
	inner    *item   // of a byte string that is one item itself
	everyone []*item // of the outermost item: itself and all below
}

// read takes the item at b[at:] apart; nil if it is none that the formats of
// this module write. Depth and number are bounded.
func read(b []byte, at, depth int, left *int) *item {
	if at >= len(b) || depth > 12 || *left == 0 {
		return nil
	}
	*left--
	it := &item{major: b[at] >> 5, start: at}
	info := int(b[at] & 31)
	it.body, it.arg = at+1, uint64(info)
	if info > 27 {
		return nil
	}
	if info >= 24 {
		width := 1 << (info - 24)
		if at+1+width > len(b) {
			return nil
		}
		var full [8]byte
		copy(full[8-width:], b[at+1:at+1+width])
		it.arg, it.body = binary.BigEndian.Uint64(full[:]), at+1+width
	}
	it.end = it.body
	switch it.major {
	case 0, 7:
	case 2, 3:
		if it.arg > uint64(len(b)-it.body) {
			return nil
		}
		it.end += int(it.arg)
		if in := read(b[:it.end], it.body, depth+1, left); it.major == 2 && in != nil && in.major == 4 && in.end == it.end {
			it.inner = in
		}
	case 4:
		for range it.arg {
			x := read(b, it.end, depth+1, left)
			if x == nil {
				return nil
			}
			it.items, it.end = append(it.items, x), x.end
		}
	default:
		return nil
	}
	return it
}

func parse(b []byte) *item {
	left := 4096
	it := read(b, 0, 0, &left)
	if it == nil || it.major != 4 {
		return nil
	}
	it.everyone = it.all(nil)
	return it
}

func (it *item) all(out []*item) []*item {
	out = append(out, it)
	for _, x := range it.items {
		out = x.all(out)
	}
	if it.inner != nil {
		out = it.inner.all(out)
	}
	return out
}

// head is the shortest head of an item.
func head(major byte, n uint64) []byte {
	major <<= 5
	switch {
	case n < 24:
		return []byte{major | byte(n)}
	case n < 1<<8:
		return []byte{major | 24, byte(n)}
	case n < 1<<16:
		return binary.BigEndian.AppendUint16([]byte{major | 25}, uint16(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32([]byte{major | 26}, uint32(n))
	}
	return binary.BigEndian.AppendUint64([]byte{major | 27}, n)
}

// write is the input again with each item for which there is an edit replaced;
// the lengths of byte strings around an edit fit it.
func (it *item) write(b []byte, edits map[*item][]byte) []byte {
	if e, ok := edits[it]; ok {
		return e
	}
	switch {
	case it.inner != nil:
		in := it.inner.write(b, edits)
		return join(head(2, uint64(len(in))), in)
	case it.major == 4:
		out := bytes.Clone(b[it.start:it.body])
		for _, x := range it.items {
			out = append(out, x.write(b, edits)...)
		}
		return out
	}
	return b[it.start:it.end]
}

// Items returns a copy of b with one change to one CBOR item, everything else
// as it was, and false if b is no list of items.
func (m *Mutator) Items(b []byte) ([]byte, bool) {
	whole := parse(b)
	if whole == nil {
		return b, false
	}
	it := whole.everyone[m.r.IntN(len(whole.everyone))]
	raw := b[it.start:it.end]
	edit := m.any
	if m.r.IntN(5) > 0 {
		switch it.major {
		case 0:
			edit = m.integer
		case 2, 3:
			edit = m.text
		case 4:
			edit = m.list
		}
	}
	out := whole.write(b, map[*item][]byte{it: edit(b, it, raw)})
	return join(out, b[whole.end:]), true
}

func (m *Mutator) integer(b []byte, it *item, raw []byte) []byte {
	switch m.r.IntN(6) {
	case 0:
		return head(0, it.arg+1)
	case 1:
		return head(0, it.arg-1)
	case 2: // in more bytes than it needs
		return m.long(0, it.arg)
	}
	return head(0, m.number())
}

func (m *Mutator) text(b []byte, it *item, raw []byte) []byte {
	s := b[it.body:it.end]
	switch m.r.IntN(8) {
	case 0:
		return join(m.long(it.major, it.arg), s)
	case 1:
		return join(head(it.major^1, it.arg), s)
	case 2:
		return head(it.major, 0)
	case 3:
		n := min(m.number(), 5000)
		return join(head(it.major, n), bytes.Repeat([]byte("a"), int(n)))
	case 4:
		words := []string{"\u202e", "\x00", "\xff", "\u200b", "\n", " ", "\xed\xa0\x80", "é", "\u2028", "\x9f", "none", "\u3164"}
		s = join(s[:len(s)/2], []byte(words[m.r.IntN(len(words))]), s[len(s)/2:])
	default:
		s = m.Bytes(s)
	}
	return join(head(it.major, uint64(len(s))), s)
}

func (m *Mutator) list(b []byte, it *item, raw []byte) []byte {
	xs := make([][]byte, len(it.items))
	for i, x := range it.items {
		xs[i] = b[x.start:x.end]
	}
	if len(xs) > 0 {
		i, j := m.r.IntN(len(xs)), m.r.IntN(len(xs))
		switch m.r.IntN(6) {
		case 0:
			xs[i], xs[j] = xs[j], xs[i]
		case 1:
			xs = append(xs[:i:i], xs[i+1:]...)
		case 2:
			xs = append(xs[:i:i], append([][]byte{xs[j]}, xs[i:]...)...)
		case 3:
			xs = xs[:i]
		case 4:
			xs[i] = xs[j]
		case 5:
			return join(m.long(4, uint64(len(xs))), join(xs...))
		}
	}
	return join(head(4, uint64(len(xs))), join(xs...))
}

// any replaces an item by what is no item of its kind, or by one from elsewhere.
func (m *Mutator) any(b []byte, it *item, raw []byte) []byte {
	others := []string{"\xf6", "\x80", "\x40", "\x60", "\x00", "\xf4", "\xf7", "\x20", "\xa0", "\xc1\x00", "\x9f\xff", "\x5f\xff", "\x1c", "\xf9\x00\x00"}
	if n := m.r.IntN(2 * len(others)); n < len(others) {
		return []byte(others[n])
	}
	if o := m.other(); m.r.IntN(2) == 0 {
		if whole := parse(o); whole != nil {
			x := whole.everyone[m.r.IntN(len(whole.everyone))]
			return o[x.start:x.end]
		}
	}
	whole := parse(b)
	x := whole.everyone[m.r.IntN(len(whole.everyone))]
	return b[x.start:x.end]
}

// long is a head in one of the forms that are longer than they need be.
func (m *Mutator) long(major byte, n uint64) []byte {
	major <<= 5
	switch m.r.IntN(4) {
	case 0:
		return []byte{major | 24, byte(n)}
	case 1:
		return binary.BigEndian.AppendUint16([]byte{major | 25}, uint16(n))
	case 2:
		return binary.BigEndian.AppendUint32([]byte{major | 26}, uint32(n))
	}
	return binary.BigEndian.AppendUint64([]byte{major | 27}, n)
}
