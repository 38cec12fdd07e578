package journal

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"strings"

	"parley"
)

// TlogProof is a C2SP tlog-proof: an entry's place in a signed tree, with the
// data that gives its leaf hash. The extra data of Parley is CBOR [salt, entry].
type TlogProof struct {
	Content    Content
	Index      uint64
	Proof      []parley.Hash
	Checkpoint *Checkpoint
}

const tlogProofLine = "c2sp.org/tlog-proof@v1\n"

// Encode is the proof's text.
func (p *TlogProof) Encode() []byte {
	extra := parley.AppendBytes(parley.AppendArray(nil, 2), p.Content.Salt[:])
	extra = parley.AppendBytes(extra, p.Content.Entry)
	b := []byte(tlogProofLine + "extra ")
	b = base64.StdEncoding.AppendEncode(b, extra)
	b = append(b, "\nindex "...)
	b = strconv.AppendUint(b, p.Index, 10)
	b = append(b, '\n')
	for _, h := range p.Proof {
		b = append(base64.StdEncoding.AppendEncode(b, h[:]), '\n')
	}
	b = append(b, '\n')
	return append(b, p.Checkpoint.Encode()...)
}

// ParseTlogProof reads the text; only the form that Encode writes is accepted.
func ParseTlogProof(b []byte) (*TlogProof, error) {
	bad := func(why string) error { return parley.Errorf(CodeProof, "tlog-proof: %s", why) }
	if len(b) > MaxSection {
		return nil, parley.Errorf(parley.CodeTooLarge, "a tlog-proof of %d bytes", len(b))
	}
	text, note, ok := bytes.Cut(b, []byte("\n\n"))
	rest, ok2 := strings.CutPrefix(string(text)+"\n", tlogProofLine)
	if !ok || !ok2 {
		return nil, bad("it does not begin as a tlog-proof of version 1")
	}
	lines := strings.Split(strings.TrimSuffix(rest, "\n"), "\n")
	if len(lines) < 2 || len(lines) > 2+MaxProof {
		return nil, bad("it has not an extra line, an index line and at most 64 hashes")
	}
	var p TlogProof
	b64, ok := strings.CutPrefix(lines[0], "extra ")
	extra, good := decode64(b64)
	if !ok || !good {
		return nil, bad("the second line is not the extra data in base64")
	}
	d := parley.NewDecoder(extra, 1)
	d.Array(2, 2)
	p.Content.Salt = d.Hash()
	p.Content.Entry = d.Bytes(0, parley.MaxEntry)
	if err := d.End(); err != nil {
		return nil, err
	}
	index, ok := strings.CutPrefix(lines[1], "index ")
	var err error
	p.Index, err = strconv.ParseUint(index, 10, 64)
	if !ok || err != nil || p.Index > parley.MaxUint {
		return nil, bad("the third line is not the index")
	}
	for _, l := range lines[2:] {
		h, ok := decode64(l)
		if !ok || len(h) != 32 {
			return nil, bad("a hash is not 32 bytes of base64")
		}
		p.Proof = append(p.Proof, parley.Hash(h))
	}
	if p.Checkpoint, err = ParseCheckpoint(note); err != nil {
		return nil, err
	}
	if !bytes.Equal(p.Encode(), b) {
		return nil, parley.Errorf(parley.CodeNotCanonical, "the tlog-proof is not in the form that it would be written in")
	}
	return &p, nil
}
