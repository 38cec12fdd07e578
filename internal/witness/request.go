package witness

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"strings"

	"parley"
)

// Limits of a request. The body's is generous: a log's own line is enough,
// and 63 hashes and a handful of lines fit a tenth of it.
const (
	maxBody  = 64 << 10
	maxProof = 63 // SPEC (tlog-witness): at most 63 consistency proof lines
)

// request is the body of add-checkpoint.
type request struct {
	Old   uint64
	Proof []parley.Hash
	Note  []byte // a signed checkpoint; the server looks into it apart
}

// append is the body's one form: the old size, the proof, an empty line, the
// checkpoint.
func (r *request) append(b []byte) []byte {
	b = append(b, "old "...)
	b = strconv.AppendUint(b, r.Old, 10)
	b = append(b, '\n')
	for _, h := range r.Proof {
		b = base64.StdEncoding.AppendEncode(b, h[:])
		b = append(b, '\n')
	}
	b = append(b, '\n')
	return append(b, r.Note...)
}

// parseRequest reads a body. It accepts only what append writes.
func parseRequest(b []byte) (*request, error) {
	bad := func(why string) error { return parley.Errorf(CodeRequest, "add-checkpoint: %s", why) }
	if len(b) > maxBody {
		return nil, parley.Errorf(parley.CodeTooLarge, "a request of %d bytes; at most %d are allowed", len(b), maxBody)
	}
	head, note, ok := bytes.Cut(b, []byte("\n\n"))
	if !ok || len(note) == 0 {
		return nil, bad("no empty line before the checkpoint")
	}
	rows := strings.SplitN(string(head), "\n", maxProof+2)
	old, ok := strings.CutPrefix(rows[0], "old ")
	var r request
	var err error
	if r.Old, err = parseSize(old); !ok || err != nil {
		return nil, bad("the first line is not “old” and a size")
	}
	if len(rows) > maxProof+1 {
		return nil, bad("more than 63 lines of proof")
	}
	for _, row := range rows[1:] {
		h, err := parseHash(row)
		if err != nil {
			return nil, bad("a line of the proof is not 32 bytes of base64")
		}
		r.Proof = append(r.Proof, h)
	}
	r.Note = note
	return &r, nil
}

func parseSize(s string) (uint64, error) {
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil || v > parley.MaxUint || strconv.FormatUint(v, 10) != s {
		return 0, parley.Errorf(CodeRequest, "%q is not a size", s)
	}
	return v, nil
}

func parseHash(s string) (h parley.Hash, err error) {
	if len(s) != 44 {
		return h, parley.Errorf(CodeRequest, "%q is not a hash", s)
	}
	v, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(v) != len(h) {
		return h, parley.Errorf(CodeRequest, "%q is not a hash", s)
	}
	return parley.Hash(v), nil
}

// head is what the text of a checkpoint says.
type head struct {
	Origin string
	Size   uint64
	Root   parley.Hash
}

// parseHead reads the text of a signed checkpoint, up to and with the newline
// before the signatures. Unlike the heads of Parley's own logs it may carry
// extension lines (C2SP tlog-checkpoint), and its origin may hold spaces.
func parseHead(note []byte) (h head, text []byte, err error) {
	bad := func(why string) (head, []byte, error) {
		return head{}, nil, parley.Errorf(CodeRequest, "checkpoint: %s", why)
	}
	i := bytes.Index(note, []byte("\n\n"))
	if i < 0 {
		return bad("there is no empty line before the signatures")
	}
	text = note[:i+1]
	f := strings.Split(string(note[:i]), "\n")
	if len(f) < 3 {
		return bad("the text has fewer than three lines")
	}
	h.Origin = f[0]
	if h.Origin == "" || len(h.Origin) > 255 {
		return bad("the origin has not 1 to 255 bytes")
	}
	if h.Size, err = parseSize(f[1]); err != nil {
		return bad("the size is not a plain decimal number")
	}
	if h.Root, err = parseHash(f[2]); err != nil {
		return bad("the root is not 32 bytes of base64")
	}
	return h, text, nil
}
