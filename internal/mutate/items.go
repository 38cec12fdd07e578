package mutate

import (
	"bytes"
	"encoding/binary"
)

// item is one CBOR item where it stands in its input.
type item struct {
	major byte
	arg   uint64
	start int   // of the head
	body  int   // behind the head
	end   int   // behind the item
	first *item // of the items of a list
	next  *item // in the same list
	inner *item // of a byte string that is one list itself
}

// tree holds the items of one input, each before those below it. It is used
// again for the next input.
type tree struct{ all []item }

// maxItems bounds what is looked at of one input.
const maxItems = 4096

// parse takes an input apart that begins with a list; nil if it does not, or is
// none that the formats of this module write.
func (t *tree) parse(b []byte) *item {
	if t.all == nil {
		t.all = make([]item, 0, maxItems) // pointers into it stay good
	}
	t.all = t.all[:0]
	if len(b) == 0 || b[0]>>5 != 4 {
		return nil
	}
	return t.read(b, 0, 0)
}

func (t *tree) read(b []byte, at, depth int) *item {
	if at >= len(b) || depth > 12 || len(t.all) == maxItems {
		return nil
	}
	t.all = append(t.all, item{major: b[at] >> 5, start: at})
	it := &t.all[len(t.all)-1]
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
		it.arg, it.body = 0, at+1+width
		for _, x := range b[at+1 : it.body] {
			it.arg = it.arg<<8 | uint64(x)
		}
	}
	it.end = it.body
	switch it.major {
	case 0, 7:
	case 2, 3:
		if it.arg > uint64(len(b)-it.body) {
			return nil
		}
		it.end += int(it.arg)
		if it.major == 2 && it.arg > 0 && b[it.body]>>5 == 4 {
			n := len(t.all)
			if in := t.read(b[:it.end], it.body, depth+1); in != nil && in.end == it.end {
				it.inner = in
			} else {
				t.all = t.all[:n]
			}
		}
	case 4:
		last := &it.first
		for range it.arg {
			x := t.read(b, it.end, depth+1)
			if x == nil {
				return nil
			}
			*last, last, it.end = x, &x.next, x.end
		}
	default:
		return nil
	}
	return it
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

// write appends the item with target, which is below it or is it, replaced by
// edit; the lengths of byte strings around it fit.
func (it *item) write(out, b []byte, target *item, edit []byte) []byte {
	switch {
	case it == target:
		return append(out, edit...)
	case target.start < it.start || target.start >= it.end:
		return append(out, b[it.start:it.end]...)
	case it.inner != nil:
		in := it.inner.write(nil, b, target, edit)
		return append(append(out, head(2, uint64(len(in)))...), in...)
	}
	out = append(out, b[it.start:it.body]...)
	for x := it.first; x != nil; x = x.next {
		out = x.write(out, b, target, edit)
	}
	return out
}

// Items returns a copy of b with one change to one CBOR item, everything else
// as it was, and false if b is no list of items.
func (m *Mutator) Items(b []byte) ([]byte, bool) {
	whole := m.own.parse(b)
	if whole == nil {
		return b, false
	}
	it := &m.own.all[m.r.IntN(len(m.own.all))]
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
	out := whole.write(make([]byte, 0, len(b)+64), b, it, edit(b, it))
	return append(out, b[whole.end:]...), true
}

func (m *Mutator) integer(b []byte, it *item) []byte {
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

func (m *Mutator) text(b []byte, it *item) []byte {
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

func (m *Mutator) list(b []byte, it *item) []byte {
	xs := make([][]byte, 0, min(it.arg, maxItems))
	for x := it.first; x != nil; x = x.next {
		xs = append(xs, b[x.start:x.end])
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
func (m *Mutator) any(b []byte, it *item) []byte {
	others := []string{"\xf6", "\x80", "\x40", "\x60", "\x00", "\xf4", "\xf7", "\x20", "\xa0", "\xc1\x00", "\x9f\xff", "\x5f\xff", "\x1c", "\xf9\x00\x00"}
	if n := m.r.IntN(2 * len(others)); n < len(others) {
		return []byte(others[n])
	}
	if o := m.other(); m.r.IntN(2) == 0 && m.others.parse(o) != nil {
		x := &m.others.all[m.r.IntN(len(m.others.all))]
		return o[x.start:x.end]
	}
	x := &m.own.all[m.r.IntN(len(m.own.all))]
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
