package frame

import (
	"bytes"
	"encoding/binary"

	"parley"
)

const sizeReceipt = 1 + 1 + 2 + 2 + 4 + parley.SizeEdSig

// Receipt is a member's cosignature on a head. Hint is the log's, Size the low
// 16 bits of the head's size (see Near), Time seconds since 1970.
type Receipt struct {
	Lane       parley.Lane
	Cosigner   parley.Party
	Hint, Size uint16
	Time       uint32
	Sig        [64]byte
}

func (*Receipt) Type() Type { return TypeReceipt }

func (f *Receipt) Append(b []byte) []byte {
	b = append(start(b, TypeReceipt, sizeReceipt), al(f.Lane, f.Cosigner))
	b = binary.BigEndian.AppendUint16(b, f.Hint)
	b = binary.BigEndian.AppendUint16(b, f.Size)
	b = binary.BigEndian.AppendUint32(b, f.Time)
	return append(b, f.Sig[:]...)
}

func readReceipt(r *reader) Frame {
	var f Receipt
	f.Lane, f.Cosigner = r.al()
	f.Hint, f.Size = r.u16(), r.u16()
	f.Time = r.u32()
	copy(f.Sig[:], r.b)
	return &f
}

// Limits of HEADS.
const (
	MaxNote  = 1 << 20 // bytes of a note
	MaxLines = 64      // signature lines of a note
)

// Heads carries one C2SP checkpoint with its signature lines. Decode looks
// only for the note's outline; journal.ParseCheckpoint reads it.
type Heads struct{ Note []byte }

func (*Heads) Type() Type { return TypeHeads }

func (f *Heads) Append(b []byte) []byte {
	return append(start(b, TypeHeads, 1+len(f.Note)), f.Note...)
}

func readHeads(r *reader) Frame {
	text, lines, ok := bytes.Cut(r.b, []byte("\n\n"))
	n := bytes.Count(lines, []byte("\n"))
	if !ok || bytes.Count(text, []byte("\n")) != 2 || n < 1 || n > MaxLines || lines[len(lines)-1] != '\n' {
		r.fail(CodeFrameNote, "not three lines, an empty line and 1 to %d signature lines", MaxLines)
	}
	return &Heads{r.b}
}

// Limits of HAVE and WANT.
const (
	MaxKeys  = 1024 // key identifiers in a HAVE
	MaxWants = 16   // items of a WANT
)

// Have tells a peer the heads that the sender holds, at most
// parley.MaxHeads sorted by log, and the identifiers of the peer's audience
// keys that it holds, sorted.
type Have struct {
	Heads []parley.Head
	Keys  [][8]byte
}

func (*Have) Type() Type { return TypeHave }

func (f *Have) Append(b []byte) []byte {
	b = start(b, TypeHave, 8+64*len(f.Heads)+9*len(f.Keys))
	b = parley.AppendHeads(parley.AppendArray(b, 2), f.Heads)
	b = parley.AppendArray(b, len(f.Keys))
	for _, k := range f.Keys {
		b = parley.AppendBytes(b, k[:])
	}
	return b
}

func readHave(r *reader) Frame {
	d := parley.NewDecoder(r.b, 4)
	var f Have
	d.Array(2, 2)
	f.Heads = d.Heads(parley.MaxHeads)
	for i := range d.Array(0, MaxKeys) {
		k := d.Gen() // like a generation, 8 bytes
		switch {
		case d.Err() != nil:
		case k[0] == 0 && k[1] == 0:
			d.Fail(parley.Errorf(CodeFrameKeyID, "key identifier %x starts with two zero bytes", k))
		case i > 0 && bytes.Compare(f.Keys[i-1][:], k[:]) >= 0:
			d.Fail(parley.Errorf(parley.CodeNotSorted, "key identifiers are not sorted"))
		}
		if d.Err() != nil {
			break
		}
		f.Keys = append(f.Keys, k)
	}
	r.end(d)
	return &f
}

// Form says how wanted entries shall come.
const (
	FormFull    uint8 = 0 // ENTRY, or CLEAR where the kind is sent so
	FormCompact uint8 = 1 // ENTRY, compact
	FormBlind   uint8 = 2 // BLIND
	FormHeads   uint8 = 3 // HEADS: the newest checkpoint with its lines
	FormOpen    uint8 = 4 // OPEN
)

// Reason says why entries are wanted.
const (
	WantGap   uint8 = 0 // they are missing
	WantNoKey uint8 = 1 // the reader has no key for them
	WantFull  uint8 = 2 // the compact form could not be filled in
	WantStart uint8 = 3 // the reader is starting up and pulls back its own
)

// Want asks for entries; it has 1 to 16 items.
type Want struct{ Items []WantItem }

// WantItem asks for the indexes First to Last, both included, of one log.
type WantItem struct {
	Party        parley.Party
	Lane         parley.Lane
	Gen          parley.Gen
	First, Last  uint64
	Form, Reason uint8
}

func (*Want) Type() Type { return TypeWant }

func (f *Want) Append(b []byte) []byte {
	b = parley.AppendArray(start(b, TypeWant, 8+24*len(f.Items)), len(f.Items))
	for _, i := range f.Items {
		b = parley.AppendArray(b, 7)
		b = parley.AppendUint(b, uint64(i.Party))
		b = parley.AppendUint(b, uint64(i.Lane))
		b = parley.AppendBytes(b, i.Gen[:])
		b = parley.AppendUint(b, i.First)
		b = parley.AppendUint(b, i.Last)
		b = parley.AppendUint(b, uint64(i.Form))
		b = parley.AppendUint(b, uint64(i.Reason))
	}
	return b
}

func readWant(r *reader) Frame {
	d := parley.NewDecoder(r.b, 4)
	var f Want
	for range d.Array(1, MaxWants) {
		f.Items = append(f.Items, wantItem(d))
		if d.Err() != nil {
			break
		}
	}
	r.end(d)
	return &f
}

func wantItem(d *parley.Decoder) (i WantItem) {
	switch n := d.Array(4, 7); {
	case d.Err() != nil:
	case n == 4: // parts of attachments: [5, id, from, to]
		d.Fail(parley.Errorf(CodeFrameReserved, "a WANT for parts of attachments is reserved"))
	case n != 7:
		d.Fail(parley.Errorf(parley.CodeLength, "an item of a WANT has %d fields, not 7", n))
	}
	i.Party = d.Party()
	i.Lane = parley.Lane(d.Uint(parley.Lanes - 1))
	i.Gen = d.Gen()
	i.First, i.Last = d.Uint(parley.MaxUint), d.Uint(parley.MaxUint)
	if d.Err() == nil && i.First > i.Last {
		d.Fail(parley.Errorf(CodeFrameSpan, "a WANT from index %d to %d", i.First, i.Last))
	}
	i.Form = uint8(d.Uint(255))
	if d.Err() == nil && i.Form > FormOpen {
		d.Fail(parley.Errorf(CodeFrameReserved, "a WANT for form %d, which is reserved", i.Form))
	}
	i.Reason = uint8(d.Uint(uint64(WantStart)))
	return i
}

// end takes over the error of the CBOR that fills the rest of the frame.
func (r *reader) end(d *parley.Decoder) {
	if err := d.End(); err != nil && r.err == nil {
		r.err = err
	}
}
