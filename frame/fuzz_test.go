package frame

import (
	"bytes"
	"io"
	"testing"

	"parley"
	"parley/internal/mutate"
	"parley/spec"
)

func seeds(f *testing.F) (in [][]byte) {
	for _, x := range frames() {
		in = append(in, Encode(x.f))
	}
	vs, err := spec.Vectors()
	if err != nil {
		f.Fatal(err)
	}
	for _, v := range vs {
		if v.Page == "frames" && v.Params["stream"] == "" {
			in = append(in, v.Input)
		}
	}
	return in
}

func decodes(t testing.TB, b []byte) bool {
	x, err := Decode(b)
	if err != nil && parley.CodeOf(err).Remedy() == "" {
		t.Errorf("%v has no code or no remedy\ninput: %x", err, b)
	}
	return mutate.Same(t, b, err, func() []byte { return Encode(x) })
}

// FuzzFrame: what is accepted encodes to the same bytes.
func FuzzFrame(f *testing.F) { mutate.Fuzz(f, seeds(f), decodes) }

// FuzzCBOR mutates what HAVE and WANT carry behind their type byte, where the
// mutator sees the items.
func FuzzCBOR(f *testing.F) {
	var in [][]byte
	for _, b := range seeds(f) {
		if len(b) > 1 && (b[0] == 0x25 || b[0] == 0x26) {
			in = append(in, b[1:])
		}
	}
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) bool {
		have := decodes(t, append([]byte{0x25}, b...))
		return decodes(t, append([]byte{0x26}, b...)) || have
	})
}

// FuzzStream: frames come off a stream as they were put on it, and what follows
// a bad length is not read.
func FuzzStream(f *testing.F) {
	var in [][]byte
	for _, b := range seeds(f) {
		if len(b) > 0 {
			in = append(in, AppendStream(nil, b), AppendStream(AppendStream(nil, b), b))
		}
	}
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) bool {
		const most = 4096
		r, read, again := bytes.NewReader(b), 0, []byte{}
		for {
			x, err := ReadStream(r, most)
			if err != nil {
				if err != io.EOF && err != io.ErrUnexpectedEOF && parley.CodeOf(err).Remedy() == "" {
					t.Errorf("%v has no remedy", err)
				}
				break
			}
			if len(x) > most {
				t.Errorf("a frame of %d bytes, above the limit", len(x))
			}
			again = AppendStream(again, x)
			read++
			decodes(t, x)
		}
		if !bytes.HasPrefix(b, again) {
			t.Errorf("%x was read as %x", b, again)
		}
		return read > 0
	})
}
