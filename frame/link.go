package frame

import (
	"encoding/binary"

	"parley"
)

const (
	sizeHello = 1 + 1 + 32 + 1 + 1 + 8 + 8
	sizePing  = 1 + 1 + 4 + 8
)

// Hello is the first frame of each stream, both ways: who speaks, in which
// channel. It is believed only as far as the TLS key of the stream is pinned
// for the member. Boot is drawn when a node starts; Token is its lease, which
// grows with every start.
type Hello struct {
	Version uint8 // of the protocol; Decode takes any
	Channel parley.Hash
	Member  parley.Party
	Bulk    bool
	Boot    [8]byte
	Token   uint64
}

func (*Hello) Type() Type { return TypeHello }

func (f *Hello) Append(b []byte) []byte {
	b = append(start(b, TypeHello, sizeHello), f.Version)
	b = append(b, f.Channel[:]...)
	b = putBit(append(b, byte(f.Member)), f.Bulk)
	b = append(b, f.Boot[:]...)
	return binary.BigEndian.AppendUint64(b, f.Token)
}

func readHello(r *reader) Frame {
	var f Hello
	f.Version = r.u8()
	copy(f.Channel[:], r.bytes(32))
	f.Member = r.party(r.u8())
	f.Bulk = r.bit()
	copy(f.Boot[:], r.bytes(8))
	f.Token = r.u64()
	return &f
}

// Ping asks for a Pong with the same ID at once. Time is the sender's clock in
// seconds since 1970, so that both sides see how far their clocks differ.
type Ping struct {
	Pong bool
	ID   uint32
	Time uint64
}

func (*Ping) Type() Type { return TypePing }

func (f *Ping) Append(b []byte) []byte {
	b = putBit(start(b, TypePing, sizePing), f.Pong)
	b = binary.BigEndian.AppendUint32(b, f.ID)
	return binary.BigEndian.AppendUint64(b, f.Time)
}

func readPing(r *reader) Frame {
	var f Ping
	f.Pong = r.bit()
	f.ID = r.u32()
	f.Time = r.u64()
	return &f
}

// Pad is N bytes of zero, to be ignored.
type Pad struct{ N int }

func (*Pad) Type() Type { return TypePad }

func (f *Pad) Append(b []byte) []byte {
	return append(start(b, TypePad, 1+f.N), make([]byte, f.N)...)
}

func readPad(r *reader) Frame {
	for i, c := range r.b {
		if c != 0 {
			r.fail(CodeFramePadding, "byte %d of the padding is %#x", i, c)
			break
		}
	}
	return &Pad{len(r.b)}
}
