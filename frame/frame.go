package frame

import (
	"encoding/binary"
	"strconv"

	"parley"
)

// Version is the version of the frames, in the first three bits of each.
const Version = 1

// MaxFrame is the greatest frame, in bytes and without the length that streams
// write before it.
const MaxFrame = 2 << 20

// Type is a frame's type, 0 to 31. Those without a constant are reserved.
type Type uint8

const (
	TypeHello    Type = 0
	TypeEntry    Type = 1
	TypeBlind    Type = 2
	TypeReceipt  Type = 3
	TypeHeads    Type = 4
	TypeHave     Type = 5
	TypeWant     Type = 6
	TypeOpen     Type = 7
	TypeFragment Type = 8 // reserved: packet carriers
	TypePad      Type = 9
	TypePing     Type = 10
	TypeClear    Type = 11
	TypeGrant    Type = 12
	TypeMiss     Type = 13 // reserved: packet carriers
	TypeLink     Type = 14 // reserved: packet carriers, relays, files
	TypeBlob     Type = 15 // reserved: attachments
)

var typeNames = [...]string{"HELLO", "ENTRY", "BLIND", "RECEIPT", "HEADS", "HAVE", "WANT", "OPEN",
	"FRAGMENT", "PAD", "PING", "CLEAR", "GRANT", "MISS", "LINK", "BLOB"}

func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "type " + strconv.Itoa(int(t))
}

// Frame is one of the frame types of this package, by pointer.
type Frame interface {
	Type() Type
	Append(b []byte) []byte // appends the whole frame
}

// Encode is the frame's bytes.
func Encode(f Frame) []byte { return f.Append(nil) }

// layout is what Decode knows of a type: its least and greatest length with
// the type byte, and the reader of the fields after it.
type layout struct {
	min, max int
	read     func(*reader) Frame
}

var layouts = [32]layout{
	TypeHello:   {sizeHello, sizeHello, readHello},
	TypeEntry:   {minEntry, minEntry + parley.MaxEntry - 1, readEntry},
	TypeBlind:   {sizeBlind, sizeBlind, readBlind},
	TypeReceipt: {sizeReceipt, sizeReceipt, readReceipt},
	TypeHeads:   {2, 1 + MaxNote, readHeads},
	TypeHave:    {2, MaxFrame, readHave},
	TypeWant:    {2, MaxFrame, readWant},
	TypeOpen:    {minOpen, minOpen + parley.MaxEntry - 1, readOpen},
	TypePad:     {1, MaxFrame, readPad},
	TypePing:    {sizePing, sizePing, readPing},
	TypeClear:   {minClear, minClear + parley.MaxEntry - 1, readClear},
	TypeGrant:   {sizeGrant, sizeGrant, readGrant},
}

// Decode reads one frame. Byte slices in the result alias b. Errors have the
// codes of this package, or the root's for the CBOR inside HAVE and WANT and
// for an audience; a reserved type gives CodeFrameReserved, which the receiver
// drops and counts.
func Decode(b []byte) (Frame, error) {
	if len(b) > MaxFrame {
		return nil, parley.Errorf(parley.CodeTooLarge, "a frame of %d bytes; at most %d are allowed", len(b), MaxFrame)
	}
	if len(b) == 0 {
		return nil, parley.Errorf(CodeFrameLength, "an empty frame")
	}
	if v := b[0] >> 5; v != Version {
		return nil, parley.Errorf(CodeFrameVersion, "a frame of version %d, not %d", v, Version)
	}
	t := Type(b[0] & 31)
	l := layouts[t]
	if l.read == nil {
		return nil, parley.Errorf(CodeFrameReserved, "frame %s is reserved", t)
	}
	if len(b) < l.min || len(b) > l.max {
		return nil, parley.Errorf(CodeFrameLength, "frame %s has %d bytes, not %d to %d", t, len(b), l.min, l.max)
	}
	r := &reader{t: t, b: b[1:]}
	f := l.read(r)
	if r.err != nil {
		return nil, r.err
	}
	return f, nil
}

func first(t Type) byte { return Version<<5 | byte(t) }

// start begins a frame in b with room for n bytes.
func start(b []byte, t Type, n int) []byte {
	if b == nil {
		b = make([]byte, 0, n)
	}
	return append(b, first(t))
}

func al(l parley.Lane, p parley.Party) byte { return byte(l)<<5 | byte(p)&31 }

// reader takes fields off a frame whose length was checked. The first broken
// rule sticks.
type reader struct {
	t   Type
	b   []byte
	err error
}

func (r *reader) fail(c parley.Code, format string, args ...any) {
	if r.err == nil {
		e := parley.Errorf(c, format, args...)
		e.Msg = "frame " + r.t.String() + ": " + e.Msg
		r.err = e
	}
}

// bytes takes the next n bytes, aliasing the input.
func (r *reader) bytes(n int) []byte {
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

// allBut takes what lies before the last n bytes.
func (r *reader) allBut(n int) []byte { return r.bytes(len(r.b) - n) }

func (r *reader) u8() byte    { return r.bytes(1)[0] }
func (r *reader) u16() uint16 { return binary.BigEndian.Uint16(r.bytes(2)) }
func (r *reader) u32() uint32 { return binary.BigEndian.Uint32(r.bytes(4)) }

// u64 takes a number, which like every number of the protocol is at most
// 2^53-1.
func (r *reader) u64() uint64 {
	v := binary.BigEndian.Uint64(r.bytes(8))
	if v > parley.MaxUint {
		r.fail(CodeFrameNumber, "number %d is above 2^53-1", v)
	}
	return v
}

// bit takes a byte that is 0 or 1.
func (r *reader) bit() bool {
	v := r.u8()
	if v > 1 {
		r.fail(CodeFrameFlags, "byte %#x is neither 0 nor 1", v)
	}
	return v == 1
}

func (r *reader) lane(l byte) parley.Lane {
	if l >= parley.Lanes {
		r.fail(CodeFrameLane, "lane %d; lanes are 0 to %d", l, parley.Lanes-1)
	}
	return parley.Lane(l)
}

func (r *reader) party(p byte) parley.Party {
	if p == 0 || p > parley.MaxParty {
		r.fail(CodeFrameMember, "member %d; members are 1 to %d", p, parley.MaxParty)
	}
	return parley.Party(p)
}

func (r *reader) al() (parley.Lane, parley.Party) {
	v := r.u8()
	return r.lane(v >> 5), r.party(v & 31)
}

// audience takes an audience of an entry by author.
func (r *reader) audience(author parley.Party) parley.Audience {
	a := parley.Audience(r.u32())
	if a.Check() != nil || a > parley.ToNobody && a.Includes(author) {
		r.fail(parley.CodeAudience, "audience %#x is not 0, 1 or a set of members without the author", uint32(a))
	}
	return a
}

func putBit(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}
