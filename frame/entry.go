package frame

import (
	"encoding/binary"

	"parley"
)

// Sizes in bytes, with the type byte. A minimum counts one byte of content.
const (
	sizeTag   = 16 // of AES-256-GCM
	headEntry = 1 + 1 + 2 + 2 + 12
	minEntry  = headEntry + 1 + sizeTag + parley.SizeEdSig
	sizeBlind = 1 + 1 + 2 + 2 + 4 + 32 + parley.SizeEdSig
	headOpen  = 1 + 1 + 2 + 2 + 8 + 8 + 32 + 12
	minOpen   = headOpen + 32 + 1 + sizeTag
	headClear = 1 + 1 + 2 + 8 + 2 + 32
	minClear  = headClear + 1 + parley.SizeEdSig
)

const (
	flagDeflated = 1
	flagCompact  = 2
)

// Entry carries a sealed entry of its sender to a member of its audience. Hint
// is the start of the audience key's identifier, Index the low 16 bits of the
// entry's index (see Near), Sig the author's signature on the head of size
// index+1.
type Entry struct {
	Lane        parley.Lane
	Deflated    bool // the sealed bytes are compressed
	Compact     bool // what the reader can fill in is left out
	Hint, Index uint16
	Nonce       [12]byte
	Sealed      []byte // entry form and 16 bytes of tag
	Sig         [64]byte
}

func (*Entry) Type() Type { return TypeEntry }

func (e *Entry) appendHeader(b []byte) []byte {
	lf := byte(e.Lane) << 5
	if e.Deflated {
		lf |= flagDeflated
	}
	if e.Compact {
		lf |= flagCompact
	}
	b = append(b, first(TypeEntry), lf)
	b = binary.BigEndian.AppendUint16(b, e.Hint)
	b = binary.BigEndian.AppendUint16(b, e.Index)
	return append(b, e.Nonce[:]...)
}

// Header is what Sealed is bound to: the additional data of its AES-256-GCM,
// all bytes of the frame before Sealed.
func (e *Entry) Header() []byte { return e.appendHeader(make([]byte, 0, headEntry)) }

func (e *Entry) Append(b []byte) []byte {
	if b == nil {
		b = make([]byte, 0, headEntry+len(e.Sealed)+len(e.Sig))
	}
	b = append(e.appendHeader(b), e.Sealed...)
	return append(b, e.Sig[:]...)
}

func readEntry(r *reader) Frame {
	var e Entry
	lf := r.u8()
	e.Lane = r.lane(lf >> 5)
	if lf&31&^(flagDeflated|flagCompact) != 0 {
		r.fail(CodeFrameFlags, "reserved flags %#x are set", lf&31)
	}
	e.Deflated, e.Compact = lf&flagDeflated != 0, lf&flagCompact != 0
	e.Hint, e.Index = r.u16(), r.u16()
	copy(e.Nonce[:], r.bytes(12))
	e.Sealed = r.allBut(parley.SizeEdSig)
	copy(e.Sig[:], r.b)
	return &e
}

// Blind carries an entry's leaf without what it says: to members outside its
// audience, and of commitments that are opened later. Hint is the log's
// (parley.LogID.Hint). A signature of zeros means that none is held at this
// size.
type Blind struct {
	Author      parley.Party
	Lane        parley.Lane
	Hint, Index uint16
	To          parley.Audience
	Commit      parley.Hash
	Sig         [64]byte
}

func (*Blind) Type() Type { return TypeBlind }

func (f *Blind) Append(b []byte) []byte {
	b = append(start(b, TypeBlind, sizeBlind), al(f.Lane, f.Author))
	b = binary.BigEndian.AppendUint16(b, f.Hint)
	b = binary.BigEndian.AppendUint16(b, f.Index)
	b = binary.BigEndian.AppendUint32(b, uint32(f.To))
	b = append(b, f.Commit[:]...)
	return append(b, f.Sig[:]...)
}

func readBlind(r *reader) Frame {
	var f Blind
	f.Lane, f.Author = r.al()
	f.Hint, f.Index = r.u16(), r.u16()
	f.To = r.audience(f.Author)
	copy(f.Commit[:], r.bytes(32))
	copy(f.Sig[:], r.b)
	return &f
}

// Open carries an entry by any author, sealed to one recipient under a key of
// the frame's sender: to late joiners, after a window, to an author who lost
// it. It has no signature; the leaf must lie under a signed head.
type Open struct {
	Author               parley.Party
	Lane                 parley.Lane
	KeyHint, ChannelHint uint16
	Gen                  parley.Gen
	Index                uint64
	Leaf                 parley.Hash
	Nonce                [12]byte
	Sealed               []byte // salt, entry and 16 bytes of tag
}

func (*Open) Type() Type { return TypeOpen }

func (f *Open) appendHeader(b []byte) []byte {
	b = append(b, first(TypeOpen), al(f.Lane, f.Author))
	b = binary.BigEndian.AppendUint16(b, f.KeyHint)
	b = binary.BigEndian.AppendUint16(b, f.ChannelHint)
	b = append(b, f.Gen[:]...)
	b = binary.BigEndian.AppendUint64(b, f.Index)
	b = append(b, f.Leaf[:]...)
	return append(b, f.Nonce[:]...)
}

// Header is what Sealed is bound to: the additional data of its AES-256-GCM,
// all bytes of the frame before Sealed.
func (f *Open) Header() []byte { return f.appendHeader(make([]byte, 0, headOpen)) }

func (f *Open) Append(b []byte) []byte {
	if b == nil {
		b = make([]byte, 0, headOpen+len(f.Sealed))
	}
	return append(f.appendHeader(b), f.Sealed...)
}

func readOpen(r *reader) Frame {
	var f Open
	f.Lane, f.Author = r.al()
	f.KeyHint, f.ChannelHint = r.u16(), r.u16()
	copy(f.Gen[:], r.bytes(8))
	f.Index = r.u64()
	copy(f.Leaf[:], r.bytes(32))
	copy(f.Nonce[:], r.bytes(12))
	f.Sealed = r.b
	return &f
}

// Clear carries an entry that no key is needed for: KEYS, GENERATION and
// ROOTKEYS. Which kind the entry is, Decode does not look.
type Clear struct {
	Author      parley.Party
	Lane        parley.Lane
	ChannelHint uint16
	Gen         parley.Gen
	Index       uint16
	Salt        parley.Hash
	Entry       []byte // canonical encoding
	Sig         [64]byte
}

func (*Clear) Type() Type { return TypeClear }

func (f *Clear) Append(b []byte) []byte {
	b = append(start(b, TypeClear, headClear+len(f.Entry)+len(f.Sig)), al(f.Lane, f.Author))
	b = binary.BigEndian.AppendUint16(b, f.ChannelHint)
	b = append(b, f.Gen[:]...)
	b = binary.BigEndian.AppendUint16(b, f.Index)
	b = append(b, f.Salt[:]...)
	b = append(b, f.Entry...)
	return append(b, f.Sig[:]...)
}

func readClear(r *reader) Frame {
	var f Clear
	f.Lane, f.Author = r.al()
	f.ChannelHint = r.u16()
	copy(f.Gen[:], r.bytes(8))
	f.Index = r.u16()
	copy(f.Salt[:], r.bytes(32))
	f.Entry = r.allBut(parley.SizeEdSig)
	copy(f.Sig[:], r.b)
	return &f
}
