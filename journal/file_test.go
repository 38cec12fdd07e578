package journal

import (
	"bytes"
	"testing"
)

// Every single bit of a file is covered by the checks between its sections,
// before anything in it is understood.
func TestEveryBitIsCovered(t *testing.T) {
	var b bytes.Buffer
	out := newSectionWriter(&b, FileFork)
	for i := range 4 {
		out.put("CKFT"[i], bytes.Repeat([]byte{byte(i)}, 300*i))
	}
	if err := out.end(nil); err != nil {
		t.Fatal(err)
	}
	file := b.Bytes()
	pass := func(*section) error { return nil }
	if err := readAll(bytes.NewReader(file), FileFork, 100, pass); err != nil {
		t.Fatal(err)
	}
	for i := range len(file) * 8 {
		file[i/8] ^= 1 << (i % 8)
		if err := readAll(bytes.NewReader(file), FileFork, 100, pass); err == nil {
			t.Errorf("bit %d of byte %d was changed and nobody noticed", i%8, i/8)
		}
		file[i/8] ^= 1 << (i % 8)
	}
	for n := range file {
		if err := readAll(bytes.NewReader(file[:n]), FileFork, 100, pass); err == nil {
			t.Errorf("the first %d bytes pass for the file", n)
		}
	}
}
