package spec

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"parley"
	"parley/frame"
	"parley/journal"
	"parley/seal"
)

func init() { runners["frames"] = runFrame }

// runFrame decodes the input as one frame, or with the parameter "stream" as
// one read from a stream with that limit. A frame that decodes must encode to
// the same bytes. The parameters of positive vectors say what it is bound to,
// and that is checked with nothing but the frame and the parameters.
func runFrame(v *Vector) error {
	b := v.Input
	if max, ok := v.Params["stream"]; ok {
		n, err := strconv.Atoi(max)
		if err != nil {
			return err
		}
		if b, err = frame.ReadStream(bytes.NewReader(b), n); err == io.EOF || err == io.ErrUnexpectedEOF {
			return parley.Errorf(parley.CodeTruncated, "the stream ends within a frame")
		} else if err != nil {
			return err
		}
	}
	f, err := frame.Decode(b)
	if err != nil {
		return err
	}
	if !bytes.Equal(frame.Encode(f), b) {
		return fmt.Errorf("does not re-encode to the same bytes")
	}
	if len(v.Params) == 0 {
		return nil // the form alone
	}
	return checkFrame(v, f)
}

// checkFrame opens and verifies what a positive vector has parameters for.
func checkFrame(v *Vector, f frame.Frame) error {
	bytesOf := func(name string) []byte {
		b, _ := hex.DecodeString(v.Params[name])
		return b
	}
	origin := v.Params["origin"]
	size, _ := strconv.ParseUint(v.Params["size"], 10, 64)
	var root parley.Hash
	copy(root[:], bytesOf("root"))
	var key seal.Key
	copy(key[:], bytesOf("key"))
	signed := func(sig [64]byte) error {
		if k, ok := v.Params["log-key"]; ok {
			raw, _ := hex.DecodeString(k)
			if !journal.VerifyHead(raw, origin, size, root, sig[:]) {
				return fmt.Errorf("the signature does not fit the head")
			}
		}
		return nil
	}
	switch f := f.(type) {
	case *frame.Entry:
		pt, err := seal.Decrypt(seal.EntryKey(key, origin, size-1), f.Nonce, f.Header(), f.Sealed)
		if err != nil {
			return fmt.Errorf("does not open: %v", err)
		}
		if f.Deflated { // the vectors use one stored block: 5 bytes before the content
			pt = pt[5:]
		}
		if !bytes.Equal(pt, bytesOf("entry")) {
			return fmt.Errorf("opens to %x", pt)
		}
		return signed(f.Sig)
	case *frame.Blind:
		return signed(f.Sig)
	case *frame.Clear:
		return signed(f.Sig)
	case *frame.Receipt:
		if k := bytesOf("receipt-key"); len(k) > 0 && !journal.VerifyCosign(k, journal.Cosignature{Time: uint64(f.Time), Sig: f.Sig[:]}, origin, size, root) {
			return fmt.Errorf("the receipt does not fit the head")
		}
	case *frame.Open:
		pt, err := seal.Decrypt(seal.OpenKey(key, origin, f.Index, f.Leaf), f.Nonce, f.Header(), f.Sealed)
		if err != nil || !bytes.Equal(pt[32:], bytesOf("entry")) {
			return fmt.Errorf("opens to %x, %v", pt, err)
		}
		e, err := parley.ParseEntry(pt[32:])
		if err != nil {
			return err
		}
		if l := journal.LeafHash(e.To, journal.Commit(origin, f.Index, parley.Hash(pt[:32]), pt[32:])); l != f.Leaf {
			return fmt.Errorf("the opened entry is not that of its leaf")
		}
	case *frame.Grant:
		if !ed25519.Verify(bytesOf("log-key"), f.Message(parley.Hash(bytesOf("channel"))), f.Sig[:]) {
			return fmt.Errorf("the signature does not fit")
		}
	}
	return nil
}

// The examples of the page are vectors, byte for byte. An example is a fenced
// block after a line that names its vector; each of its lines is hexadecimal
// digits, two spaces and a comment.
func TestFrameExamples(t *testing.T) {
	page, err := fs.ReadFile(Pages(), "frames.md")
	if err != nil {
		t.Fatal(err)
	}
	vs, err := Vectors()
	if err != nil {
		t.Fatal(err)
	}
	input := map[string][]byte{}
	for _, v := range vs {
		input[v.Name] = v.Input
	}
	found := regexp.MustCompile("(?s)`vectors/(frames/[a-z-]+\\.txt)`[^\n]*\n\n```\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(found) < 3 {
		t.Errorf("%d examples found in the page", len(found))
	}
	for _, m := range found {
		var b strings.Builder
		for line := range strings.Lines(m[2]) {
			digits, _, _ := strings.Cut(strings.TrimRight(line, "\n"), "  ")
			b.WriteString(strings.ReplaceAll(digits, " ", ""))
		}
		if want := hex.EncodeToString(input[m[1]]); b.String() != want {
			t.Errorf("%s: the page shows\n%s\nthe vector is\n%s", m[1], b.String(), want)
		}
	}
}
