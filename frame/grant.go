package frame

import (
	"encoding/binary"

	"parley"
)

// SizeGrantSealed is the size of a granted key: 1120 bytes of MLKEM768-X25519
// encapsulation (HPKE KEM 0x647a), 32 of key and 16 of tag.
const SizeGrantSealed = 1168

const (
	headGrant = 1 + 2 + 1 + 1 + 8 + 4 + 8 + 8
	sizeGrant = headGrant + SizeGrantSealed + parley.SizeEdSig
)

// Grant gives one recipient an audience key of the author, for a window of
// time (spec/keys.md). From and Until are seconds since 1970.
type Grant struct {
	ChannelHint       uint16
	Author, Recipient parley.Party
	KeyID             [8]byte
	Audience          parley.Audience
	From, Until       uint64
	Sealed            []byte // SizeGrantSealed bytes
	Sig               [64]byte
}

func (*Grant) Type() Type { return TypeGrant }

func (f *Grant) appendHeader(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(b, f.ChannelHint)
	b = append(b, byte(f.Author), byte(f.Recipient))
	b = append(b, f.KeyID[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(f.Audience))
	b = binary.BigEndian.AppendUint64(b, f.From)
	return binary.BigEndian.AppendUint64(b, f.Until)
}

func (f *Grant) Append(b []byte) []byte {
	b = f.appendHeader(start(b, TypeGrant, sizeGrant))
	b = append(b, f.Sealed...)
	return append(b, f.Sig[:]...)
}

const grantDomain = "parley/grant/1\n"

// Info is the HPKE info of Sealed in channel ch: the domain, the channel, and
// the frame's bytes after the type byte and before Sealed.
func (f *Grant) Info(ch parley.Hash) []byte {
	return f.appendHeader(append([]byte(grantDomain), ch[:]...))
}

// Message is what the author's log key signs: Info with Sealed.
func (f *Grant) Message(ch parley.Hash) []byte { return append(f.Info(ch), f.Sealed...) }

func readGrant(r *reader) Frame {
	var f Grant
	f.ChannelHint = r.u16()
	f.Author, f.Recipient = r.party(r.u8()), r.party(r.u8())
	copy(f.KeyID[:], r.bytes(8))
	if f.KeyID[0] == 0 && f.KeyID[1] == 0 {
		r.fail(CodeFrameKeyID, "key identifier %x starts with two zero bytes", f.KeyID)
	}
	f.Audience = r.audience(f.Author)
	// Nobody's audience, ToNobody, includes no recipient: it has no keys.
	if f.Recipient == f.Author || !f.Audience.Includes(f.Recipient) {
		r.fail(CodeFrameRecipient, "member %d is granted a key of member %d for audience %#x", f.Recipient, f.Author, uint32(f.Audience))
	}
	f.From, f.Until = r.u64(), r.u64()
	if f.From >= f.Until {
		r.fail(CodeFrameWindow, "the window is from %d until %d", f.From, f.Until)
	}
	f.Sealed = r.bytes(SizeGrantSealed)
	copy(f.Sig[:], r.b)
	return &f
}
