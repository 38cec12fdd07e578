package parley

import (
	"bytes"
	"encoding/hex"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Integers are written in the forms of RFC 8949, appendix A.
func TestAppendUint(t *testing.T) {
	for v, want := range map[uint64]string{
		0: "00", 23: "17", 24: "1818", 255: "18ff", 256: "190100", 65535: "19ffff", 65536: "1a00010000",
		1<<32 - 1: "1affffffff", 1 << 32: "1b0000000100000000", MaxUint: "1b001fffffffffffff",
	} {
		got := AppendUint(nil, v)
		if hex.EncodeToString(got) != want {
			t.Errorf("%d is written %x, want %s", v, got, want)
		}
		d := NewDecoder(got, 0)
		if back := d.Uint(MaxUint); back != v || d.End() != nil {
			t.Errorf("%x is read as %d, %v", got, back, d.Err())
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("2^53 is written")
		}
	}()
	AppendUint(nil, MaxUint+1)
}

// Each broken rule has its code.
func TestDecoderCodes(t *testing.T) {
	uint := func(d *Decoder) { d.Uint(1000) }
	str := func(d *Decoder) { d.Bytes(2, 4) }
	text := func(d *Decoder) { d.Text(0, 4) }
	list := func(d *Decoder) { d.Array(1, 3) }
	for _, tt := range []struct {
		name, in string
		read     func(*Decoder)
		code     Code
	}{
		{"nothing", "", uint, CodeTruncated},
		{"cut integer", "19ff", uint, CodeTruncated},
		{"cut string", "42aa", str, CodeTruncated},
		{"cut list", "81", func(d *Decoder) { d.Array(1, 1); d.Uint(9) }, CodeTruncated},
		{"23 in two bytes", "1817", uint, CodeNotCanonical},
		{"255 in three bytes", "1900ff", uint, CodeNotCanonical},
		{"65535 in five bytes", "1a0000ffff", uint, CodeNotCanonical},
		{"2^32-1 in nine bytes", "1b00000000ffffffff", uint, CodeNotCanonical},
		{"length in two bytes", "5803aabbcc", str, CodeNotCanonical},
		{"indefinite string", "5f41aaff", str, CodeNotCanonical},
		{"indefinite list", "9f00ff", list, CodeNotCanonical},
		{"reserved information", "1c", uint, CodeNotCanonical},
		{"string for integer", "40", uint, CodeType},
		{"negative", "20", uint, CodeType},
		{"null", "f6", uint, CodeType},
		{"true", "f5", uint, CodeType},
		{"tag", "c000", uint, CodeType},
		{"map", "a0", list, CodeType},
		{"text for bytes", "626161", str, CodeType},
		{"1001", "1903e9", uint, CodeOutOfRange},
		{"2^64-1", "1bffffffffffffffff", func(d *Decoder) { d.Uint(1<<64 - 1) }, CodeOutOfRange},
		{"one byte", "41aa", str, CodeLength},
		{"five bytes", "450000000000", str, CodeLength},
		{"a length of 2^63", "5b8000000000000000", str, CodeLength},
		{"empty list", "80", list, CodeLength},
		{"a list of 2^63", "9b8000000000000000", list, CodeLength},
		{"a lone continuation byte", "6180", text, CodeUTF8},
		{"trailing", "0000", uint, CodeTrailing},
		{"member 0", "00", func(d *Decoder) { d.Party() }, CodeOutOfRange},
		{"member 21", "15", func(d *Decoder) { d.Party() }, CodeOutOfRange},
	} {
		d := NewDecoder(unhex(t, tt.in), 4)
		tt.read(d)
		if err := d.End(); CodeOf(err) != tt.code {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.code)
		}
	}
}

func TestDecoderDepth(t *testing.T) {
	nest := func(n int) *Decoder {
		d := NewDecoder(append(bytes.Repeat([]byte{0x81}, n), 0), 4)
		for range n {
			d.Array(1, 1)
		}
		d.Uint(0)
		return d
	}
	if err := nest(4).End(); err != nil {
		t.Errorf("four lists deep: %v", err)
	}
	if err := nest(5).End(); CodeOf(err) != CodeDepth {
		t.Errorf("five lists deep: %v", err)
	}
	// Lists side by side are not deep, however many.
	b := AppendArray(nil, 100)
	for range 100 {
		b = AppendUint(AppendArray(AppendArray(b, 2), 0), 1)
	}
	d := NewDecoder(b, 3)
	for range d.Array(0, 100) {
		d.Array(2, 2)
		d.Array(0, 0)
		d.Uint(1)
	}
	if err := d.End(); err != nil {
		t.Errorf("lists side by side: %v", err)
	}
}

// The first error stays, and nothing is read after it.
func TestDecoderSticks(t *testing.T) {
	d := NewDecoder([]byte{0x20, 0x01, 0xf6}, 1)
	d.Uint(9)
	first := d.Err()
	if d.Uint(9) != 0 || d.Null() || d.Array(0, 9) != 0 || d.Bytes(0, 9) != nil || d.Text(0, 9) != "" || d.More() || d.Offset() != 0 {
		t.Error("reading goes on after an error")
	}
	if d.Fail(Errorf(CodeName, "later")); d.End() != first {
		t.Errorf("the first error is replaced by %v", d.Err())
	}
}
