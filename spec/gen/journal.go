package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"

	"parley"
	"parley/journal"
	"parley/journal/journaltest"
)

func init() { pages["journal"] = journalPage }

func p(key string, v any) string { return fmt.Sprintf("%s: %v", key, v) }

func hashes(hs []parley.Hash) (b []byte) {
	for _, h := range hs {
		b = append(b, h[:]...)
	}
	return b
}

// journalPage writes the vectors of journal.md.
func journalPage(w *writer) {
	s := journaltest.NewSample()
	openings(w, s)
	places(w, s)
	trees(w)
	heads(w, s)
	forks(w, s)
}

func openings(w *writer, s *journaltest.Sample) {
	vec := func(name, expect, rule, comment string, origin string, index uint64, salt parley.Hash, entry []byte, leaf parley.Hash, to parley.Audience) {
		w.vector(name, expect, rule, comment, entry, p("op", "opening"), p("origin", origin), p("index", index), p("to", uint32(to)), p("salt", salt), p("leaf", leaf))
	}
	for _, c := range []struct {
		name, comment string
		index         uint64
	}{{"opening", "an entry to all members", 1}, {"opening-private", "an entry to member 2 alone", 2}} {
		row, err := s.Store.Row(s.Flash.Log, c.index)
		if err != nil {
			panic(err)
		}
		vec(c.name, "ok", "J1", c.comment, s.Flash.Log.Origin(), c.index, row.Content.Salt, row.Content.Entry, row.Leaf.Hash(), row.Leaf.To)
		if c.index != 1 {
			continue
		}
		other := row.Content.Salt
		other[31] ^= 1
		vec("opening-salt", "bad-opening", "J1", "one bit of the salt differs", s.Flash.Log.Origin(), 1, other, row.Content.Entry, row.Leaf.Hash(), 0)
		vec("opening-index", "bad-opening", "J1", "the same commitment at another place", s.Flash.Log.Origin(), 2, row.Content.Salt, row.Content.Entry, row.Leaf.Hash(), 0)
		vec("opening-origin", "bad-opening", "J1", "the same commitment in another lane", s.Routine.Log.Origin(), 1, row.Content.Salt, row.Content.Entry, row.Leaf.Hash(), 0)
		vec("opening-text", "bad-opening", "J1", "another text", s.Flash.Log.Origin(), 1, row.Content.Salt, append(bytes.Clone(row.Content.Entry[:len(row.Content.Entry)-1]), '3'), row.Leaf.Hash(), 0)
		vec("opening-to", "bad-opening", "J2", "the leaf is of another audience", s.Flash.Log.Origin(), 1, row.Content.Salt, row.Content.Entry, row.Leaf.Hash(), 4)
	}
}

// places checks entries against the place where they stand. The channel has
// members 1 to 3.
func places(w *writer, s *journaltest.Sample) {
	gen := (&parley.Entry{Kind: parley.KindGeneration, Time: journaltest.Time, Body: (&parley.Generation{}).Encode()}).Encode()
	text := journaltest.Text(parley.ToAll, journaltest.Time, "exercise").Encode()
	private := journaltest.Text(parley.AudienceOf(2), journaltest.Time, "exercise").Encode()
	own := journaltest.Text(parley.AudienceOf(1, 2), journaltest.Time, "exercise").Encode()
	vec := func(name, expect, rule, comment string, index uint64, to uint32, entry []byte) {
		w.vector(name, expect, rule, comment, entry, p("op", "place"), p("origin", s.Flash.Log.Origin()), p("index", index), p("to", to), p("members", 3), p("max-entry", 1024))
	}
	vec("place-generation", "ok", "J4", "entry 0 is GENERATION", 0, 0, gen)
	vec("place-text", "ok", "J4", "a later entry is not", 1, 0, text)
	vec("place-first", "generation-place", "J4", "entry 0 is a text", 0, 0, text)
	vec("place-again", "generation-place", "J4", "GENERATION at index 1", 1, 0, gen)
	vec("place-outer", "bad-audience", "J3", "the leaf says all members, the entry member 2", 1, 0, private)
	vec("place-author", "bad-audience", "J3", "the author among its own addressees", 1, 6, own)
	vec("place-large", "too-large", "J3", "an entry above the charter's maxEntry", 1, 0, journaltest.Text(parley.ToAll, journaltest.Time, strings.Repeat("x", 1024)).Encode())
}

func trees(w *writer) {
	var tree journal.Tree
	var roots []parley.Hash
	var leaves []parley.Hash
	mem := &journaltest.Mem{}
	log := parley.LogID{Party: 1}
	for i := range 7 {
		leaf := journal.Leaf{Commit: parley.Hash{byte(i)}}
		leaves = append(leaves, leaf.Hash())
		if err := mem.Commit(&journal.Batch{Rows: []journal.Row{{Log: log, Index: uint64(i), Leaf: leaf, Hashes: tree.Append(leaf.Hash())}}}); err != nil {
			panic(err)
		}
		roots = append(roots, tree.Root())
	}
	r := mem.Hashes(log)
	cons := func(name, expect, comment string, m, n int, mRoot, nRoot parley.Hash, proof []parley.Hash) {
		w.vector(name, expect, "J6", comment, hashes(proof), p("op", "consistency"), p("from", m), p("size", n), p("from-root", mRoot), p("root", nRoot))
	}
	proof, err := journal.ProveConsistency(3, 7, r)
	if err != nil {
		panic(err)
	}
	cons("consistency", "ok", "size 7 extends size 3", 3, 7, roots[2], roots[6], proof)
	cons("consistency-same", "ok", "a head extends itself; the proof is empty", 7, 7, roots[6], roots[6], nil)
	cons("consistency-root", "bad-proof", "the earlier root is another", 3, 7, roots[1], roots[6], proof)
	cons("consistency-short", "bad-proof", "the last hash is missing", 3, 7, roots[2], roots[6], proof[:len(proof)-1])
	cons("consistency-backwards", "bad-proof", "from the greater size to the smaller", 7, 3, roots[6], roots[2], proof)
	incl := func(name, expect, comment string, index int, leaf parley.Hash, n int, proof []parley.Hash) {
		w.vector(name, expect, "J7", comment, hashes(proof), p("op", "inclusion"), p("index", index), p("leaf", leaf), p("size", n), p("root", roots[6]))
	}
	if proof, err = journal.ProveInclusion(4, 7, r); err != nil {
		panic(err)
	}
	incl("inclusion", "ok", "leaf 4 of 7", 4, leaves[4], 7, proof)
	incl("inclusion-leaf", "bad-proof", "another leaf", 4, leaves[5], 7, proof)
	incl("inclusion-index", "bad-proof", "another index", 5, leaves[4], 7, proof)
	incl("inclusion-beyond", "bad-proof", "an index beyond the size", 7, leaves[4], 7, proof)
}

func heads(w *writer, s *journaltest.Sample) {
	h := s.Routine.SignHead()
	key := s.Routine.Keys.Public.LogEd
	origin := h.Log.Origin()
	note := (&journal.Checkpoint{Origin: origin, Size: h.Size, Root: h.Root, Lines: []journal.Line{journal.HeadLine(origin, key, h.Sig)}}).Encode()
	vec := func(name, expect, rule, comment string, note []byte) {
		w.vector(name, expect, rule, comment, note, p("op", "head"), p("log-ed", hex.EncodeToString(key)))
	}
	edit := func(old, new string) []byte {
		if !bytes.Contains(note, []byte(old)) {
			panic("nothing to change: " + old)
		}
		return bytes.Replace(note, []byte(old), []byte(new), 1)
	}
	vec("head", "ok", "J8", "a head with its author's signature", note)
	vec("head-size", "bad-head", "J8", "the signature is over another size", edit("\n2\n", "\n3\n"))
	vec("head-zero", "bad-checkpoint", "J9", "the size has a leading zero", edit("\n2\n", "\n02\n"))
	vec("head-great", "bad-checkpoint", "J9", "a size of 2^53", edit("\n2\n", "\n9007199254740992\n"))
	vec("head-extension", "bad-checkpoint", "J9", "an extension line", edit("=\n\n", "=\nmore\n\n"))
	vec("head-unsigned", "bad-checkpoint", "J9", "no empty line and no signature", note[:bytes.Index(note, []byte("\n\n"))+1])
	vec("head-hyphen", "bad-checkpoint", "J9", "a hyphen for the dash", edit("— ", "- "))
	vec("head-origin", "bad-origin", "J9", "party 21", edit("/1/3/", "/21/3/"))
	vec("head-name", "bad-checkpoint", "J9", "a space in the first line", edit("parley/", "parley "))
	vec("head-cut", "bad-checkpoint", "J9", "the last line does not end", note[:len(note)-1])
	line := note[bytes.Index(note, []byte("— ")):]
	vec("head-lines", "wrong-length", "J9", "65 signature lines", append(bytes.Clone(note), bytes.Repeat(line, 64)...))
	i := bytes.LastIndexByte(note[:bytes.Index(note, []byte("\n\n"))], '=')
	base := bytes.Clone(note)
	base[i-1] = nextBase64(base[i-1])
	vec("head-base64", "bad-checkpoint", "J9", "the root's last base64 digit has unused bits set", base)
}

// nextBase64 is the digit whose lowest bit differs: for a digit that ends in
// unused zero bits, one with an unused bit set.
func nextBase64(c byte) byte {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	return digits[strings.IndexByte(digits, c)^1]
}

func forks(w *writer, s *journaltest.Sample) {
	key := s.Routine.Keys.Public.LogEd
	vec := func(name, expect, rule, comment string, f []byte) {
		w.vector(name, expect, rule, comment, f, p("op", "fork"), p("log-ed", hex.EncodeToString(key)))
	}
	equal, longer := s.Routine.ForkOf(1, 2), s.Routine.ForkOf(1, 3)
	edit := func(f *journal.Fork, change func(*journal.Fork)) []byte {
		g := *f
		change(&g)
		return g.Encode()
	}
	vec("fork-equal", "ok", "J10", "two heads of size 2", equal.Encode())
	vec("fork-longer", "ok", "J11", "size 3 of a history that differs from the head of size 2", longer.Encode())
	vec("fork-same", "no-fork", "J10", "the same head twice", edit(equal, func(f *journal.Fork) { f.B = f.A }))
	vec("fork-order", "not-sorted", "J10", "the greater root first", edit(equal, func(f *journal.Fork) { f.A, f.B = f.B, f.A }))
	vec("fork-proof", "no-fork", "J10", "two heads of one size with a proof", edit(equal, func(f *journal.Fork) { f.Proof = longer.Proof }))
	vec("fork-agree", "no-fork", "J11", "the other root is the one signed", edit(longer, func(f *journal.Fork) { f.Other = &f.A.Root }))
	vec("fork-invented", "bad-proof", "J11", "the proof does not lead from the other root", edit(longer, func(f *journal.Fork) { f.Other = &parley.Hash{7} }))
	vec("fork-no-root", "no-fork", "J11", "two sizes without the other root", edit(longer, func(f *journal.Fork) { f.Other = nil }))
	vec("fork-empty", "no-fork", "J11", "from size 0, from which anything follows", edit(longer, func(f *journal.Fork) { f.A.Size, f.Proof = 0, nil }))
	vec("fork-unsigned", "bad-signature", "J12", "the second head is not signed by the accused", edit(longer, func(f *journal.Fork) { f.B.Sig = f.A.Sig }))
	vec("fork-long-proof", "wrong-length", "J13", "65 hashes", edit(longer, func(f *journal.Fork) { f.Proof = make([]parley.Hash, 65) }))
	vec("fork-more", "trailing-bytes", "J13", "a byte follows", append(equal.Encode(), 0))
}
