package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"parley"
	"parley/journal"
	"parley/journal/journaltest"
)

func init() { pages["receipts"] = receiptsPage }

// receiptsPage writes the vectors of receipts.md: single lines under a head,
// and the times that sets of cosignatures prove.
func receiptsPage(w *writer) {
	s := journaltest.NewSample()
	lines(w, s)
	times(w)
}

func lines(w *writer, s *journaltest.Sample) {
	f := s.Routine
	origin, size, root := f.Log.Origin(), f.Size(), f.Root()
	author := s.Channel.Member(1).Keys
	reader := s.Channel.Member(2).Keys
	name := journal.ReceiptName(s.Channel.ID, 2)
	north := s.Channel.Witnesses[0]
	northEd := s.Channel.Charter.Witnesses[0].Ed
	const at = journaltest.Time + 60

	ed := journal.Cosign(reader.Rcpt, at, origin, size, root)
	pq := func(name string, t uint64, seal bool) journal.Cosignature {
		k := reader.RcptPQ
		if seal {
			k = author.LogPQ
		}
		c, err := journal.Seal(k, name, t, origin, size, root)
		if err != nil {
			panic(err)
		}
		return c
	}
	note := func(l journal.Line) []byte {
		return (&journal.Checkpoint{Origin: origin, Size: size, Root: root, Lines: []journal.Line{l}}).Encode()
	}
	vec := func(name, expect, rule, comment, signer string, key, note []byte) {
		w.vector(name, expect, rule, comment, note, p("op", "line"), p("signer", signer), p("key", hex.EncodeToString(key)))
	}
	line := journal.CosignLine(name, reader.Public.RcptEd, ed)
	seal := journal.SealLine(origin, author.Public.LogPQ, pq(origin, at, true))
	retimed := line
	retimed.Sig = bytes.Clone(line.Sig)
	binary.BigEndian.PutUint64(retimed.Sig, at-1)
	otherID := line
	otherID.ID[0] ^= 1
	short := line
	short.Sig = line.Sig[:71]
	renamed := line
	renamed.Name = journal.ReceiptName(s.Channel.ID, 3)
	byAuthor := journal.CosignLine(journal.ReceiptName(s.Channel.ID, 1), reader.Public.RcptEd, ed)
	asHead := journal.HeadLine(origin, author.Public.LogEd, f.SignHead().Sig)
	witness := journal.CosignLine(north.Name, northEd, journal.Cosign(north.Ed, at, origin, size, root))
	resealed, rewitnessed := seal, witness
	resealed.Sig, rewitnessed.Sig = bytes.Clone(seal.Sig), bytes.Clone(witness.Sig)
	binary.BigEndian.PutUint64(resealed.Sig, at+1)
	binary.BigEndian.PutUint64(rewitnessed.Sig, at+1)
	stranger := witness
	stranger.Name = "east"
	grown := (&journal.Checkpoint{Origin: origin, Size: size + 1, Root: root, Lines: []journal.Line{line}}).Encode()
	otherLog := (&journal.Checkpoint{Origin: s.Flash.Log.Origin(), Size: size, Root: root, Lines: []journal.Line{line}}).Encode()

	vec("receipt", "ok", "R1", "a receipt of member 2", "member 2", reader.Public.RcptEd, note(line))
	vec("receipt-pq", "ok", "R3", "the same by its ML-DSA-44 key", "member 2", reader.Public.RcptPQ, note(journal.SealLine(name, reader.Public.RcptPQ, pq(name, at, false))))
	vec("seal", "ok", "R5", "the author's seal", "author", author.Public.LogPQ, note(seal))
	vec("witness", "ok", "R6", "a witness of the charter", "witness north", northEd, note(witness))
	vec("receipt-time", "bad-receipt", "R1", "the time is not the one that was signed", "member 2", reader.Public.RcptEd, note(retimed))
	vec("receipt-size", "bad-receipt", "R1", "the head is of another size", "member 2", reader.Public.RcptEd, grown)
	vec("receipt-log", "bad-receipt", "R1", "the same head of another lane", "member 2", reader.Public.RcptEd, otherLog)
	vec("receipt-name", "bad-receipt", "R2", "under another member's name", "member 2", reader.Public.RcptEd, note(renamed))
	vec("receipt-author", "bad-receipt", "R2", "an author's receipt on its own log", "member 1", reader.Public.RcptEd, note(byAuthor))
	vec("receipt-id", "bad-checkpoint", "R2", "the key ID is of another key", "member 2", reader.Public.RcptEd, note(otherID))
	vec("receipt-short", "bad-receipt", "R1", "the signature has 63 bytes", "member 2", reader.Public.RcptEd, note(short))
	vec("witness-short", "bad-receipt", "R2", "seven bytes behind the key ID", "witness north", northEd, note(journal.Line{Name: north.Name, Sig: make([]byte, 7)}))
	vec("receipt-zero", "bad-receipt", "R4", "time 0", "member 2", reader.Public.RcptEd, note(journal.CosignLine(name, reader.Public.RcptEd, journal.Cosign(reader.Rcpt, 0, origin, size, root))))
	vec("receipt-late", "bad-receipt", "R4", "a time of 2^53", "member 2", reader.Public.RcptEd, note(journal.CosignLine(name, reader.Public.RcptEd, journal.Cosign(reader.Rcpt, 1<<53, origin, size, root))))
	vec("receipt-pq-late", "bad-receipt", "R4", "an ML-DSA-44 cosignature of a time of 2^53", "member 2", reader.Public.RcptPQ, note(journal.SealLine(name, reader.Public.RcptPQ, pq(name, 1<<53, false))))
	vec("receipt-pq-zero", "bad-receipt", "R4", "an ML-DSA-44 cosignature of time 0", "member 2", reader.Public.RcptPQ, note(journal.SealLine(name, reader.Public.RcptPQ, pq(name, 0, false))))
	vec("receipt-pq-name", "bad-receipt", "R3", "ML-DSA-44 under a name that was not signed", "member 2", reader.Public.RcptPQ, note(journal.SealLine(name, reader.Public.RcptPQ, pq(origin, at, false))))
	vec("seal-key", "bad-seal", "R5", "a member's receipt key for the author's seal", "author", author.Public.LogPQ, note(journal.SealLine(origin, reader.Public.RcptPQ, pq(origin, at, false))))
	vec("seal-head", "bad-seal", "R5", "the author's Ed25519 signature where its seal is due", "author", author.Public.LogPQ, note(asHead))
	vec("receipt-root", "bad-receipt", "R1", "the head has another root", "member 2", reader.Public.RcptEd,
		(&journal.Checkpoint{Origin: origin, Size: size, Root: parley.Hash{1}, Lines: []journal.Line{line}}).Encode())
	vec("receipt-spaces", "bad-checkpoint", "R2", "two spaces before the name", "member 2", reader.Public.RcptEd,
		bytes.Replace(note(line), []byte("=\n\n— "), []byte("=\n\n—  "), 1))
	vec("seal-time", "bad-seal", "R5", "the time is not the one that was sealed", "author", author.Public.LogPQ, note(resealed))
	vec("witness-time", "bad-witness", "R6", "the time is not the one that was signed", "witness north", northEd, note(rewitnessed))
	vec("witness-stranger", "bad-receipt", "R6", "a witness that the charter does not name", "witness north", northEd, note(stranger))
	vec("witness-key", "bad-witness", "R6", "a member's signature under a witness's name", "witness north", northEd, note(journal.CosignLine(north.Name, northEd, ed)))
}

// times are sets of cosignatures, one "NAME SIZE TIME KIND" a line.
func times(w *writer) {
	const quorum = "group some 2 north south sea/quorum some/"
	set := "north 5 100 ed\nsouth 5 90 ed\nsouth 9 120 ed\nsea 7 200 pq\nnorth 9 110 ed\n"
	vec := func(name, comment, set string, index int, notAfter string) {
		w.vector(name, "ok", "R7", comment, []byte(set), p("op", "time"), p("witnesses", "north south sea"), p("quorum", quorum), p("index", index), p("not-after", notAfter))
	}
	vec("time", "the second witness's first cosignature decides", set, 4, "100")
	vec("time-later", "a later entry has later cosignatures", set, 5, "120")
	vec("time-none", "one witness is no quorum of two", set, 9, "none")
	vec("time-zero", "a cosignature of time 0 counts for nothing", strings.ReplaceAll(set, fmt.Sprint(100), "0"), 4, "110")
	vec("time-member", "what members sign is no witness", set+journal.ReceiptName(parley.Hash{}, 1)+" 5 1 ed\n", 4, "100")
}
