package main

import (
	"bytes"
	"slices"

	"parley"
	"parley/journal"
	"parley/journal/journaltest"
)

func init() { pages["disclosure"] = disclosurePage }

// small is a channel of two members with one witness and one entry.
type small struct {
	c *journaltest.Channel
	m *journaltest.Mem
	w *journaltest.Writer
}

func newSmall() *small {
	s := &small{c: journaltest.New(2, 1, nil), m: &journaltest.Mem{}}
	s.w = s.c.Writer(s.m, 1, parley.Flash, 1, &parley.Generation{})
	s.w.Add(journaltest.Text(parley.ToAll, journaltest.Time, "exercise"))
	s.w.Receipt(2, journaltest.Time+1)
	s.w.Witness(0, journaltest.Time+2)
	return s
}

func (s *small) disclosure() *journal.Disclosure {
	d, err := journal.NewDisclosure(&journal.Disclose{Charter: s.c.Signed, Store: s.m, Log: s.w.Log, Index: 1, Head: s.w.SignHead()})
	if err != nil {
		panic(err)
	}
	return d
}

func written(f func(*bytes.Buffer) error) []byte {
	var b bytes.Buffer
	if err := f(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// disclosurePage writes the vectors of disclosure.md.
func disclosurePage(w *writer) {
	s := newSmall()
	proofs(w, s)
	inventories(w, s)
	disclosed(w, s)
	forkFiles(w, s)
	records(w, s)
}

func proofs(w *writer, s *small) {
	text := s.disclosure().Proof.Encode()
	vec := func(name, expect, comment, old, new string) {
		if !bytes.Contains(text, []byte(old)) {
			panic("nothing to change: " + old)
		}
		w.vector(name, expect, "D7", comment, bytes.Replace(text, []byte(old), []byte(new), 1), p("op", "tlog-proof"))
	}
	vec("proof", "ok", "a tlog-proof with its checkpoint", "", "")
	vec("proof-version", "bad-proof", "another version", "proof@v1", "proof@v2")
	vec("proof-zero", "not-canonical", "the index has a leading zero", "index 1", "index 01")
	vec("proof-sign", "bad-proof", "the index has a sign", "index 1", "index +1")
	vec("proof-extra", "bad-proof", "there is no extra line", "extra ", "")
	vec("proof-padding", "bad-proof", "a hash without its padding", "=\n\n", "\n\n")
	vec("proof-return", "bad-proof", "a carriage return within a hash", "=\n\n", "\r=\n\n")
	vec("proof-cr", "bad-proof", "lines end with CR LF", "index 1\n", "index 1\r\n")
}

func inventories(w *writer, s *small) {
	v := journal.Inventory{Exporter: 2, Channel: s.c.ID, Time: journaltest.Time, Logs: []parley.Head{s.w.Head()}}
	vec := func(name, expect, comment string, b []byte) {
		w.vector(name, expect, "D10", comment, b, p("op", "inventory"))
	}
	vec("inventory", "ok", "one log and no fork", v.Encode())
	twice := v
	twice.Logs = append(slices.Clone(v.Logs), v.Logs...)
	vec("inventory-twice", "not-sorted", "one log twice", twice.Encode())
	nobody := v.Encode()
	nobody[1] = 0
	vec("inventory-nobody", "out-of-range", "exporter 0", nobody)
}

// file writes a vector of a whole file.
func file(w *writer, name, expect, rule, comment string, b []byte, params ...string) {
	w.vector(name, expect, rule, comment, b, append([]string{p("op", "file")}, params...)...)
}

// edited takes a file apart, changes one section, and puts it together again
// with fresh checksums; key signs the end of a record anew.
func (s *small) edited(b []byte, tag byte, edit func([]byte) []byte, key bool) []byte {
	kind, secs := journaltest.Split(b)
	for i := range secs {
		if secs[i].Tag == tag {
			secs[i].Payload = edit(secs[i].Payload)
			break
		}
	}
	if key {
		return journaltest.Join(kind, secs, s.c.ID, s.c.Member(2).Keys.Rcpt)
	}
	return journaltest.Join(kind, secs, s.c.ID, nil)
}

func replace(old, new string) func([]byte) []byte {
	return func(b []byte) []byte {
		if !bytes.Contains(b, []byte(old)) {
			panic("nothing to change: " + old)
		}
		return bytes.Replace(b, []byte(old), []byte(new), 1)
	}
}

func flipAt(back int) func([]byte) []byte {
	return func(b []byte) []byte {
		b[len(b)-back] ^= 1
		return b
	}
}

func disclosed(w *writer, s *small) {
	b := written(func(b *bytes.Buffer) error { return s.disclosure().Write(b) })
	file(w, "entry", "ok", "D6", "one disclosed entry", b, p("channel", s.c.ID))
	file(w, "entry-channel", "wrong-channel", "D5", "the caller means another channel", b, p("channel", parley.Hash{1}))
	file(w, "entry-first-line", "bad-file", "D1", "version 2", append([]byte("parley/disclosure/2\n"), b[20:]...))
	damaged := bytes.Clone(b)
	damaged[len(damaged)-1] ^= 1
	file(w, "entry-check", "file-damaged", "D2", "one bit of the last checksum", damaged)
	file(w, "entry-cut", "truncated", "D3", "the end mark is missing", b[:len(b)-40])
	file(w, "entry-more", "trailing-bytes", "D3", "a byte follows the end mark", append(bytes.Clone(b), 0))
	file(w, "entry-charter", "bad-signature", "D4", "one bit of a member's signature on the charter", s.edited(b, 'C', flipAt(1), false))
	half := *s.c.Signed
	half.Sigs = half.Sigs[:1]
	file(w, "entry-unsigned", "not-all-signed", "D4", "the charter lacks a signature", s.edited(b, 'C', func([]byte) []byte { return half.Encode() }, false))
	file(w, "entry-policy", "bad-policy", "D8", "the policy asks for no witness", s.edited(b, 'P', replace("quorum north", "quorum none"), false))
	file(w, "entry-index", "bad-opening", "D9", "another index", s.edited(b, 'T', replace("index 1", "index 0"), false))
	file(w, "entry-witness", "bad-receipt", "D9", "a line of a witness that the charter does not have", s.edited(b, 'T', replace("— north", "— norfh"), false))
}

func forkFiles(w *writer, s *small) {
	b := written(func(b *bytes.Buffer) error { return journal.WriteFork(b, s.c.Signed, nil, s.w.ForkOf(1, 3)) })
	file(w, "fork", "ok", "D14", "the proof of a fork", b)
	file(w, "fork-sections", "wrong-section", "D2", "the proof stands before the charter", journaltest.Join(journal.FileFork, swapped(b), s.c.ID, nil))
	file(w, "fork-channel", "no-fork", "D14", "the fork of a log of another channel", s.edited(b, 'F', func(f []byte) []byte {
		x, err := journal.ParseFork(f)
		if err != nil {
			panic(err)
		}
		x.Log.Channel[0] ^= 1
		return x.Encode()
	}, false))
	file(w, "fork-signature", "bad-signature", "D14", "a head that the accused did not sign", s.edited(b, 'F', func(f []byte) []byte {
		x, err := journal.ParseFork(f)
		if err != nil {
			panic(err)
		}
		x.A.Sig = bytes.Clone(x.B.Sig)
		return x.Encode()
	}, false))
}

func swapped(b []byte) []journaltest.Section {
	_, secs := journaltest.Split(b)
	secs[0], secs[1] = secs[1], secs[0]
	return secs
}

func records(w *writer, s *small) {
	b := written(func(b *bytes.Buffer) error {
		return journal.WriteRecord(b, &journal.Export{Charter: s.c.Signed, Store: s.m, Exporter: 2, Key: s.c.Member(2).Keys.Rcpt, Time: journaltest.Time})
	})
	file(w, "record", "ok", "D11", "one log of two entries", b)
	file(w, "record-inventory", "bad-inventory", "D10", "the exporter did not sign the inventory", s.edited(b, 'I', flipAt(1), true))
	file(w, "record-head", "bad-head", "D11", "the author did not sign the head", s.edited(b, 'L', flipAt(1), true))
	file(w, "record-receipt", "bad-receipt", "D12", "one bit of the receipt", s.edited(b, 'S', func(c []byte) []byte { c[20] ^= 1; return c }, true))
	file(w, "record-text", "bad-opening", "D12", "one bit of an opened text", s.edited(b, 'E', replace("exercise", "exercisd"), true))
	file(w, "record-entries", "wrong-section", "D12", "the entries are missing", journaltest.Join(journal.FileRecord, without(b, 'E'), s.c.ID, s.c.Member(2).Keys.Rcpt))
	file(w, "record-log", "bad-inventory", "D11", "a log of the inventory is missing", journaltest.Join(journal.FileRecord, without(b, 'L', 'S', 'E'), s.c.ID, s.c.Member(2).Keys.Rcpt))
	file(w, "record-end", "bad-end", "D13", "receipts were taken out by somebody who is not the exporter", journaltest.Join(journal.FileRecord, without(b, 'S'), s.c.ID, s.c.Member(1).Keys.Rcpt))
}

func without(b []byte, tags ...byte) []journaltest.Section {
	_, secs := journaltest.Split(b)
	return slices.DeleteFunc(secs, func(s journaltest.Section) bool { return slices.Contains(tags, s.Tag) })
}
