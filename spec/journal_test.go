package spec

import (
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley"
	"parley/journal"
)

// The journal page's parameter op says what the input is: opening and place
// (an entry), consistency and inclusion (the hashes of a proof), head (a note),
// fork (a proof).
func init() {
	ops := map[string]func(*Vector, *params) error{
		"opening": openingVector, "place": placeVector, "consistency": consistencyVector,
		"inclusion": inclusionVector, "head": headVector, "fork": forkVector,
	}
	runners["journal"] = func(v *Vector) error {
		p := &params{v: v}
		op := ops[v.Params["op"]]
		if op == nil {
			return fmt.Errorf("op %q", v.Params["op"])
		}
		err := op(v, p)
		if p.err != nil {
			return p.err
		}
		return err
	}
}

// openingVector checks the leaf as a reader does who holds only its hash.
func openingVector(v *Vector, p *params) error {
	to, index := parley.Audience(p.uint("to")), p.uint("index")
	c := journal.Content{Salt: p.hash("salt"), Entry: v.Input}
	l := journal.Leaf{To: to, Commit: journal.Commit(v.Params["origin"], index, c.Salt, c.Entry)}
	if l.Hash() != p.hash("leaf") {
		return parley.Errorf(journal.CodeLeaf, "the leaf hash is %s", l.Hash())
	}
	return journal.CheckLeaf(v.Params["origin"], index, l, &c)
}

func placeVector(v *Vector, p *params) error {
	log, err := parley.ParseOrigin(v.Params["origin"])
	if err != nil {
		return err
	}
	e, err := parley.ParseEntry(v.Input)
	if err != nil {
		return err
	}
	c := &parley.Charter{Rules: parley.Rules{MaxEntry: p.uint("max-entry")}}
	for i := range p.uint("members") {
		c.Members = append(c.Members, parley.Member{Index: parley.Party(i + 1)})
	}
	return journal.CheckEntry(c, log, p.uint("index"), parley.Audience(p.uint("to")), v.Input, e)
}

func proofHashes(b []byte) (hs []parley.Hash) {
	if len(b)%32 != 0 {
		return []parley.Hash{{}} // what follows the last hash belongs to no proof
	}
	for h := range slices.Chunk(b, 32) {
		hs = append(hs, parley.Hash(h))
	}
	return hs
}

func consistencyVector(v *Vector, p *params) error {
	return journal.CheckConsistency(proofHashes(v.Input), p.uint("from"), p.hash("from-root"), p.uint("size"), p.hash("root"))
}

func inclusionVector(v *Vector, p *params) error {
	return journal.CheckInclusion(proofHashes(v.Input), p.uint("index"), p.hash("leaf"), p.uint("size"), p.hash("root"))
}

func headVector(v *Vector, p *params) error {
	n, err := journal.ParseCheckpoint(v.Input)
	if err != nil {
		return err
	}
	if _, err := parley.ParseOrigin(n.Origin); err != nil {
		return err
	}
	key := ed25519.PublicKey(p.bytes("log-ed", 32))
	for _, l := range n.Lines {
		if l.IsHead(n.Origin, key) && journal.VerifyHead(key, n.Origin, n.Size, n.Root, l.Sig) {
			return nil
		}
	}
	return parley.Errorf(journal.CodeHead, "no line is the author's signature")
}

func forkVector(v *Vector, p *params) error {
	f, err := journal.ParseFork(v.Input)
	if err != nil {
		return err
	}
	return f.Check(p.bytes("log-ed", 32))
}

// The notes and values that open the journal, receipts and disclosure pages
// are those of their vectors.
func TestRecordExamples(t *testing.T) {
	for _, c := range []struct{ page, vector string }{
		{"journal", "head"}, {"receipts", "receipt"}, {"disclosure", "proof"},
	} {
		page, err := files.ReadFile(c.page + ".md")
		if err != nil {
			t.Fatal(err)
		}
		raw, err := files.ReadFile("vectors/" + c.page + "/" + c.vector + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		v, err := ParseVector(c.vector, raw)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(page), "```\n"+string(v.Input)+"```") {
			t.Errorf("%s.md does not show vector %s", c.page, c.vector)
		}
	}
	raw, err := files.ReadFile("vectors/journal/opening.txt")
	if err != nil {
		t.Fatal(err)
	}
	v, err := ParseVector("opening", raw)
	if err != nil {
		t.Fatal(err)
	}
	page, err := files.ReadFile("journal.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{v.Params["origin"], v.Params["salt"], v.Params["leaf"], hex.EncodeToString(v.Input)} {
		if !strings.Contains(string(page), s) {
			t.Errorf("journal.md does not show %s", s)
		}
	}
}
