package station

import (
	"bytes"
	"compress/flate"
	"io"

	"parley"
)

// The compact form of an entry leaves out what the reader can fill in: the
// generation and root of cited heads whose receipt by that reader the sender
// holds. Bodies are never rewritten. Either form may be deflated if that is
// shorter (spec/frames.md).

// elide is the compact form of e.
func elide(e *parley.Entry) []byte {
	b := parley.AppendArray(nil, 5)
	b = parley.AppendUint(b, uint64(e.Kind))
	b = parley.AppendUint(b, uint64(e.To))
	b = parley.AppendUint(b, e.Time)
	b = parley.AppendArray(b, len(e.Seen))
	for _, h := range e.Seen {
		b = parley.AppendArray(b, 5)
		b = parley.AppendUint(b, uint64(h.Party))
		b = parley.AppendUint(b, uint64(h.Lane))
		b = parley.AppendNull(b)
		b = parley.AppendUint(b, h.Size)
		b = parley.AppendNull(b)
	}
	return parley.AppendBytes(b, e.Body)
}

// refill turns a compact form into the full one, from this station's own
// state. It reports false if the form is broken or something is not known
// here; the full form is asked for then.
func (st *Station) refill(b []byte) ([]byte, bool) {
	d := parley.NewDecoder(b, 4)
	var e parley.Entry
	d.Array(5, 5)
	e.Kind = parley.Kind(d.Uint(parley.MaxUint))
	e.To = parley.Audience(d.Uint(1<<(parley.MaxParty+1) - 1))
	e.Time = d.Uint(parley.MaxUint)
	for range d.Array(0, parley.MaxSeen) {
		d.Array(5, 5)
		h := parley.Head{Party: d.Party(), Lane: parley.Lane(d.Uint(parley.Lanes - 1))}
		gen, root := d.Null(), false
		h.Size = d.Uint(parley.MaxUint)
		root = d.Null()
		m := st.members[h.Party]
		if d.Err() != nil || !gen || !root || m == nil || m.current() == nil {
			return nil, false
		}
		h.Gen = m.current().gen
		l := st.logs[place{h.Party, h.Lane, h.Gen}]
		if l == nil {
			return nil, false
		}
		var ok bool
		if h.Root, ok = st.rootAt(l, h.Size); !ok {
			return nil, false
		}
		e.Seen = append(e.Seen, h)
	}
	e.Body = d.Bytes(0, parley.MaxEntry)
	if d.End() != nil {
		return nil, false
	}
	return e.Encode(), true
}

// squeezer deflates and inflates (RFC 1951); its tables are large and are kept.
type squeezer struct {
	small, large *flate.Writer
	buf          bytes.Buffer
	r            io.ReadCloser
}

// shortText is below which looking for repetitions gains nothing over Huffman
// codes alone, and costs more time than all the rest of a frame.
const shortText = 1024

// deflate returns the deflated form of b if it is shorter, else nil.
func (z *squeezer) deflate(b []byte) []byte {
	if len(b) < 64 {
		return nil
	}
	w, level := &z.small, flate.HuffmanOnly
	if len(b) >= shortText {
		w, level = &z.large, flate.BestSpeed
	}
	z.buf.Reset()
	if *w == nil {
		*w, _ = flate.NewWriter(&z.buf, level)
	} else {
		(*w).Reset(&z.buf)
	}
	(*w).Write(b)
	(*w).Close()
	if z.buf.Len() >= len(b) {
		return nil
	}
	return bytes.Clone(z.buf.Bytes())
}

// inflate refuses anything that grows beyond max or does not end exactly.
func (z *squeezer) inflate(b []byte, max int) ([]byte, bool) {
	src := bytes.NewReader(b)
	if z.r == nil {
		z.r = flate.NewReader(src)
	} else {
		z.r.(flate.Resetter).Reset(src, nil)
	}
	out, err := io.ReadAll(io.LimitReader(z.r, int64(max)+1))
	if err != nil || len(out) > max || src.Len() > 0 {
		return nil, false
	}
	return out, true
}
