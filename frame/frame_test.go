package frame

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"parley"
)

func fill(b []byte, from byte) []byte {
	for i := range b {
		b[i] = from + byte(i)
	}
	return b
}

func sig(from byte) (s [64]byte) { fill(s[:], from); return }

var (
	gen   = parley.Gen{1, 2, 3, 4, 5, 6, 7, 8}
	nonce = [12]byte{9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2}
	hash  = parley.Hash(fill(make([]byte, 32), 0x40))
)

const note = "parley/test\n3\n" + "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=\n\n— parley/test AAAAAAA=\n"

// frames is one of each type, with the length the protocol gives it.
func frames() []struct {
	f    Frame
	size int
} {
	return []struct {
		f    Frame
		size int
	}{
		{&Hello{1, hash, 20, true, [8]byte{1, 2}, 1<<53 - 1}, 52},
		{&Entry{4, true, true, 0xa951, 65535, nonce, fill(make([]byte, 40), 1), sig(7)}, 18 + 40 + 64},
		{&Blind{3, 2, 1, 2, parley.AudienceOf(1, 2), hash, sig(1)}, 106},
		{&Receipt{1, 20, 3, 4, 0xffffffff, sig(2)}, 74},
		{&Heads{[]byte(note)}, 1 + len(note)},
		{&Have{[]parley.Head{{Party: 1, Size: 9, Gen: gen, Root: hash}, {Party: 1, Lane: 2, Gen: gen, Root: hash}},
			[][8]byte{{0, 1}, {0, 2}}}, 0},
		{&Want{[]WantItem{{2, 3, gen, 5, 5, FormOpen, WantStart}, {1, 0, gen, 0, 1 << 40, 0, 0}}}, 0},
		{&Open{1, 4, 1, 2, gen, 1<<53 - 1, hash, nonce, fill(make([]byte, 49), 3)}, 66 + 49},
		{&Pad{3}, 4},
		{&Ping{true, 77, 1747000000}, 14},
		{&Clear{2, 3, 0xffff, gen, 7, hash, fill(make([]byte, 15), 9), sig(3)}, 125},
		{&Grant{1, 2, 3, [8]byte{0, 1}, parley.ToAll, 100, 200, fill(make([]byte, SizeGrantSealed), 5), sig(4)}, 1265},
	}
}

func TestRoundTrip(t *testing.T) {
	for _, x := range frames() {
		b := Encode(x.f)
		if x.size != 0 && len(b) != x.size {
			t.Errorf("%s: %d bytes, want %d", x.f.Type(), len(b), x.size)
		}
		g, err := Decode(b)
		if err != nil {
			t.Errorf("%s: %v", x.f.Type(), err)
			continue
		}
		if !reflect.DeepEqual(g, x.f) {
			t.Errorf("%s: decoded %+v, want %+v", x.f.Type(), g, x.f)
		}
		if app := x.f.Append([]byte("head")); !bytes.Equal(app, append([]byte("head"), b...)) {
			t.Errorf("%s: Append does not append", x.f.Type())
		}
	}
}

// The layouts of fixed size accept no other length, and no frame loses or
// gains a byte unnoticed unless its content has a length of its own.
func TestLengths(t *testing.T) {
	for _, x := range frames() {
		b := Encode(x.f)
		switch x.f.(type) {
		case *Hello, *Blind, *Receipt, *Ping, *Grant:
			for _, c := range [][]byte{b[:len(b)-1], append(bytes.Clone(b), 0), b[:1]} {
				if _, err := Decode(c); parley.CodeOf(err) != CodeFrameLength {
					t.Errorf("%s with %d bytes: %v", x.f.Type(), len(c), err)
				}
			}
		case *Have, *Want, *Heads:
			for _, c := range [][]byte{b[:len(b)-1], append(bytes.Clone(b), 0), b[:1]} {
				if _, err := Decode(c); err == nil {
					t.Errorf("%s with %d bytes is accepted", x.f.Type(), len(c))
				}
			}
		}
		for n := range min(len(b), 200) {
			Decode(b[:n]) // must not panic
		}
	}
	if _, err := Decode(nil); parley.CodeOf(err) != CodeFrameLength {
		t.Errorf("empty frame: %v", err)
	}
	if _, err := Decode(make([]byte, MaxFrame+1)); parley.CodeOf(err) != parley.CodeTooLarge {
		t.Errorf("frame above the limit: %v", err)
	}
}

func TestReservedTypes(t *testing.T) {
	for ty := range Type(32) {
		known := layouts[ty].read != nil
		_, err := Decode([]byte{first(ty)})
		if !known && parley.CodeOf(err) != CodeFrameReserved {
			t.Errorf("%s: %v", ty, err)
		}
		switch ty {
		case TypeFragment, TypeMiss, TypeLink, TypeBlob:
			if known {
				t.Errorf("%s is not reserved", ty)
			}
		}
	}
}

// What is sealed and what is signed: written out here by hand, since a second
// implementation that binds other bytes could not open or verify anything.
func TestBoundBytes(t *testing.T) {
	e := &Entry{parley.Flash, true, false, 0x1234, 0x0011, nonce, fill(make([]byte, 30), 0), sig(0)}
	want := "21" + "01" + "1234" + "0011" + hex.EncodeToString(nonce[:])
	if got := hex.EncodeToString(e.Header()); got != want {
		t.Errorf("ENTRY header %s, want %s", got, want)
	}
	o := &Open{3, parley.Deferred, 0x1122, 0x3344, gen, 5, hash, nonce, fill(make([]byte, 50), 0)}
	want = "27" + "83" + "1122" + "3344" + "0102030405060708" + "0000000000000005" + hash.String() + hex.EncodeToString(nonce[:])
	if got := hex.EncodeToString(o.Header()); got != want {
		t.Errorf("OPEN header %s, want %s", got, want)
	}
	g := &Grant{0x0102, 2, 1, [8]byte{7, 7}, parley.AudienceOf(1), 16, 32, fill(make([]byte, SizeGrantSealed), 0), sig(0)}
	want = hex.EncodeToString([]byte("parley/grant/1\n")) + hash.String() +
		"0102" + "02" + "01" + "0707000000000000" + "00000002" + "0000000000000010" + "0000000000000020"
	if got := hex.EncodeToString(g.Info(hash)); got != want {
		t.Errorf("GRANT info %s, want %s", got, want)
	}
	want += hex.EncodeToString(g.Sealed)
	if got := hex.EncodeToString(g.Message(hash)); got != want {
		t.Errorf("GRANT message %s, want %s", got, want)
	}
	// The signature of a GRANT is over its own bytes: type byte and signature apart.
	if b := Encode(g); !bytes.Equal(g.Message(hash)[15+32:], b[1:len(b)-64]) {
		t.Error("GRANT message is not the frame's bytes")
	}
}

func TestNotesOutline(t *testing.T) {
	line := "— parley/test AAAAAAA=\n"
	text, _, _ := strings.Cut(note, "\n\n")
	for _, c := range []struct {
		note string
		ok   bool
	}{
		{note, true},
		{text + "\n\n" + strings.Repeat(line, 64), true},
		{text + "\n\n" + strings.Repeat(line, 65), false},
		{text + "\n\n", false},
		{text + "\n", false},
		{text + "\nextension\n\n" + line, false},
		{strings.TrimSuffix(note, "\n"), false},
	} {
		_, err := Decode(Encode(&Heads{[]byte(c.note)}))
		if (err == nil) != c.ok {
			t.Errorf("%q: %v", c.note, err)
		}
		if err != nil && parley.CodeOf(err) != CodeFrameNote {
			t.Errorf("%q: code %s", c.note, parley.CodeOf(err))
		}
	}
}

func TestNear(t *testing.T) {
	const top = uint64(parley.MaxUint)
	for _, c := range []struct {
		short uint16
		own   uint64
		want  uint64
		ok    bool
	}{
		{0, 0, 0, true},
		{17, 16, 17, true},
		{32767, 0, 32767, true},
		{32768, 0, 0, false},
		{65535, 0, 0, false},
		{65535, 65536, 65535, true},
		{0, 65535, 65536, true},
		{1, 32768, 1, true},
		{0, 32768, 0, false},
		{65535, 32768, 65535, true},
		{65535, 32767, 0, false},
		{5, 3 << 16, 3<<16 + 5, true},
		{65530, 3 << 16, 3<<16 - 6, true},
		{uint16(top & 0xffff), top, top, true},
		{0, top, 0, false},
		{0, 1 << 63, 0, false},
	} {
		if got, ok := Near(c.short, c.own); got != c.want || ok != c.ok {
			t.Errorf("Near(%d, %d) = %d, %v, want %d, %v", c.short, c.own, got, ok, c.want, c.ok)
		}
	}
}

func TestStream(t *testing.T) {
	var b []byte
	for _, x := range frames() {
		b = AppendStream(b, Encode(x.f))
	}
	r := bytes.NewReader(b)
	for _, x := range frames() {
		got, err := ReadStream(r, MaxFrame)
		if err != nil || !bytes.Equal(got, Encode(x.f)) {
			t.Fatalf("%s: %x, %v", x.f.Type(), got, err)
		}
	}
	if _, err := ReadStream(r, MaxFrame); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	for n := 1; n < 20; n++ {
		if _, err := ReadStream(bytes.NewReader(b[:n]), MaxFrame); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("stream cut after %d bytes: %v", n, err)
		}
	}
	if _, err := ReadStream(bytes.NewReader([]byte{0, 0, 53, 1}), 52); parley.CodeOf(err) != parley.CodeTooLarge {
		t.Errorf("length above the limit: %v", err)
	}
	if _, err := ReadStream(bytes.NewReader([]byte{0xff, 0xff, 0xff}), 1<<30); parley.CodeOf(err) != parley.CodeTooLarge {
		t.Errorf("length above any frame: %v", err)
	}
	if _, err := ReadStream(bytes.NewReader([]byte{0, 0, 0}), 52); parley.CodeOf(err) != CodeFrameLength {
		t.Errorf("length zero: %v", err)
	}
}

func BenchmarkEntry(b *testing.B) {
	e := &Entry{0, true, true, 1, 2, nonce, make([]byte, 174), sig(1)} // 256 bytes
	buf := Encode(e)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Encode(e)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Decode(buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkHave(b *testing.B) {
	h := new(Have)
	for i := range 100 {
		h.Heads = append(h.Heads, parley.Head{Party: parley.Party(1 + i/5), Lane: parley.Lane(i % 5), Gen: gen, Size: uint64(i), Root: hash})
	}
	buf := Encode(h)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Encode(h)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Decode(buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}
