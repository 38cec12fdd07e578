package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"

	"parley"
)

func init() { pages["entry"] = entry }

// hash is 32 fixed bytes with a name.
func named(name string) parley.Hash { return sha256.Sum256([]byte("parley vectors: " + name)) }

func genOf(name string) (g parley.Gen) {
	h := named(name)
	copy(g[:], h[:])
	return
}

func headOf(p parley.Party, lane parley.Lane, g string, size uint64) parley.Head {
	return parley.Head{Party: p, Lane: lane, Gen: genOf(g), Size: size, Root: named(fmt.Sprint("root ", g, size))}
}

// heads makes n heads in order.
func someHeads(n int) (hs []parley.Head) {
	for i := range n {
		h := headOf(parley.Party(1+i/25), parley.Lane(i/5%5), "g", 7)
		h.Gen[7] = byte(i)
		h.Gen[0] = byte(i % 5)
		hs = append(hs, h)
	}
	return
}

const tenthOfMay = 1_746_864_000 // 10 May 2025, 08:00 UTC

// base is an entry that every rule allows: a list of one line, to all.
func listEntry() *parley.Entry {
	l := parley.List{Items: []string{"Sector North: quiet."}}
	return &parley.Entry{Kind: parley.KindList, Time: tenthOfMay, Body: l.Encode()}
}

func entryWith(edit func(*parley.Entry)) []byte {
	e := listEntry()
	edit(e)
	return e.Encode()
}

// body is an entry of a kind with a body, to all.
func entryOf(k parley.Kind, b []byte) []byte {
	return entryWith(func(e *parley.Entry) { e.Kind, e.Body = k, b })
}

// swap replaces the only occurrence of old in b.
func swap(b, old, new []byte) []byte {
	if bytes.Count(b, old) != 1 {
		panic(fmt.Sprintf("%d occurrences of %x", bytes.Count(b, old), old))
	}
	return bytes.Replace(b, old, new, 1)
}

func entry(w *writer) {
	in := func(lane int) string { return fmt.Sprint("lane: ", lane) }
	ok := func(name, rule, comment string, b []byte, params ...string) {
		w.vector(name, "ok", rule, comment, b, append([]string{in(3)}, params...)...)
	}
	bad := func(name string, code parley.Code, rule, comment string, b []byte, params ...string) {
		w.vector(name, string(code), rule, comment, b, append([]string{in(3)}, params...)...)
	}
	list := listEntry().Encode()
	seen := func(hs ...parley.Head) []byte { return entryWith(func(e *parley.Entry) { e.Seen = hs }) }
	one := headOf(2, 0, "g", 17)

	// Encoding.
	ok("list", "E3", "a LIST of one line to all members", list)
	ok("seen-one", "E5", "cites one head", seen(one))
	bad("empty", parley.CodeTruncated, "E1", "no bytes at all", nil)
	bad("truncated-body", parley.CodeTruncated, "E1", "the last byte is missing", list[:len(list)-1])
	bad("truncated-integer", parley.CodeTruncated, "E1", "ends inside the time", list[:6])
	bad("kind-two-bytes", parley.CodeNotCanonical, "E2", "the kind 10 written in two bytes", append([]byte{0x85, 0x18, 0x0a}, list[2:]...))
	bad("time-nine-bytes", parley.CodeNotCanonical, "E2", "the time written in nine bytes", swap(list, []byte{0x1a}, []byte{0x1b, 0, 0, 0, 0}))
	bad("length-two-bytes", parley.CodeNotCanonical, "E2", "the number of heads written in two bytes", append(append(bytes.Clone(list[:8]), 0x98, 0), list[9:]...))
	bad("indefinite-list", parley.CodeNotCanonical, "E2", "an entry of indefinite length", append(append([]byte{0x9f}, list[1:]...), 0xff))
	bad("reserved-length", parley.CodeNotCanonical, "E2", "additional information 28", append([]byte{0x85, 0x1c}, list[2:]...))
	bad("kind-negative", parley.CodeType, "E3", "kind -1", append([]byte{0x85, 0x20}, list[2:]...))
	bad("kind-float", parley.CodeType, "E3", "kind as a half-precision number", append([]byte{0x85, 0xf9, 0x49, 0x00}, list[2:]...))
	bad("time-null", parley.CodeType, "E3", "null for the time", append(append(bytes.Clone(list[:3]), 0xf6), list[8:]...))
	bad("seen-null", parley.CodeType, "E3", "null for an empty list", append(append(bytes.Clone(list[:8]), 0xf6), list[9:]...))
	bad("body-text", parley.CodeType, "E3", "the body as a text string", append(append(bytes.Clone(list[:9]), list[9]|0x20), list[10:]...))
	bad("tagged", parley.CodeType, "E3", "an entry inside tag 55799", append([]byte{0xd9, 0xd9, 0xf7}, list...))
	bad("map", parley.CodeType, "E3", "a map where a list stands", append([]byte{0xa5}, list[1:]...))
	bad("time-above", parley.CodeOutOfRange, "E4", "the time is 2^53", append(append(bytes.Clone(list[:3]), 0x1b, 0, 0x20, 0, 0, 0, 0, 0, 0), list[8:]...))
	ok("time-greatest", "E4", "the time is 2^53-1", entryWith(func(e *parley.Entry) { e.Time = parley.MaxUint }))
	bad("seen-party-0", parley.CodeOutOfRange, "E4", "a head of member 0", seen(parley.Head{Size: 1}))
	bad("seen-party-21", parley.CodeOutOfRange, "E4", "a head of member 21", seen(headOf(21, 0, "g", 1)))
	bad("seen-lane-5", parley.CodeOutOfRange, "E4", "a head of lane 5", seen(headOf(1, 5, "g", 1)))
	bad("four-fields", parley.CodeLength, "E5", "an entry of four fields", append([]byte{0x84}, list[1:9]...))
	bad("six-fields", parley.CodeLength, "E5", "an entry of six fields", append(append([]byte{0x86}, list[1:]...), 0))
	root := append([]byte{0x58, 0x20}, one.Root[:]...)
	bad("root-31", parley.CodeLength, "E5", "a root of 31 bytes", swap(seen(one), root, append([]byte{0x58, 0x1f}, one.Root[:31]...)))
	g := append([]byte{0x48}, one.Gen[:]...)
	bad("generation-9", parley.CodeLength, "E5", "a generation of 9 bytes", swap(seen(one), g, append(append([]byte{0x49}, one.Gen[:]...), 0)))
	bad("seen-65", parley.CodeLength, "E5", "cites 65 heads", seen(someHeads(65)...))
	bad("text-not-utf8", parley.CodeUTF8, "E6", "a line with the byte ff", entryOf(parley.KindList, swap((&parley.List{Items: []string{"a?b"}}).Encode(), []byte("?"), []byte{0xff})))
	bad("text-surrogate", parley.CodeUTF8, "E6", "a line with an encoded surrogate", entryOf(parley.KindList, (&parley.List{Items: []string{"\xed\xa0\x80"}}).Encode()))
	bad("trailing", parley.CodeTrailing, "E7", "one byte follows the entry", append(bytes.Clone(list), 0))
	bad("seen-unsorted", parley.CodeNotSorted, "E8", "two heads in the wrong order", seen(headOf(2, 1, "g", 1), headOf(2, 0, "g", 1)))
	bad("seen-twice", parley.CodeNotSorted, "E8", "one log is cited twice", seen(one, headOf(2, 0, "g", 18)))
	ok("seen-generations", "E8", "two generations of one lane", seen(sorted(headOf(2, 0, "g", 1), headOf(2, 0, "h", 1))...))

	// Fields.
	bad("kind-0", parley.CodeOutOfRange, "E10", "kind 0", entryWith(func(e *parley.Entry) { e.Kind = 0 }))
	ok("kind-unknown", "E11", "an unknown kind with a body of no format", entryOf(4000, []byte{0xff, 0xff}))
	ok("kind-reserved", "E11", "the reserved kind 5 is kept like an unknown one", entryOf(5, []byte("?")))
	to := func(a parley.Audience) []byte { return entryWith(func(e *parley.Entry) { e.To = a }) }
	three := []string{"author: 1", "members: 3"}
	ok("to-one", "E12", "to member 2 of three", to(1<<2), three...)
	ok("to-nobody", "E12", "committed now, opened later", to(parley.ToNobody), three...)
	bad("to-bit-0", parley.CodeAudience, "E12", "bit 0 together with another", to(1<<2|1))
	bad("to-21", parley.CodeOutOfRange, "E4", "member 21", to(1<<21))
	bad("to-author", parley.CodeAudience, "E13", "the author among the addressees", to(1<<1|1<<2), three...)
	bad("to-absent", parley.CodeAudience, "E13", "a member that the channel does not have", to(1<<4), three...)
	bad("to-all-others", parley.CodeAudience, "E13", "all others, which is written 0", to(1<<2|1<<3), three...)
	notice := (&parley.Notice{Code: parley.NoticeLeaving}).Encode()
	for _, k := range []struct {
		name string
		kind parley.Kind
	}{{"keys", parley.KindKeys}, {"notice", parley.KindNotice}, {"generation", parley.KindGeneration}, {"rootkeys", parley.KindRootKeys}, {"closing", parley.KindClosing}} {
		bad("to-one-"+k.name, parley.CodeKindAudience, "E14", "kind "+fmt.Sprint(k.kind)+" to one member", entryWith(func(e *parley.Entry) { e.Kind, e.To, e.Body = k.kind, 1<<2, notice }))
	}
	w.vector("keys-in-flash", string(parley.CodeKindLane), "E15", "KEYS in lane 0", entryOf(parley.KindKeys, nil), in(0))
	w.vector("rootkeys-in-deferred", string(parley.CodeKindLane), "E15", "ROOTKEYS in lane 4", entryOf(parley.KindRootKeys, nil), in(4))
	w.vector("generation-rootkeys-in-flash", string(parley.CodeKindLane), "E15", "a GENERATION in lane 0 carries ROOTKEYS", entryOf(parley.KindGeneration, (&parley.Generation{RootKeys: rootKeysOf(memberKeys("a"), 1, genOf("g"), 1)}).Encode()), in(0))
	w.vector("flash-four", "ok", "E16", "lane 0 cites four heads", seen(someHeads(4)...), in(0))
	w.vector("flash-five", string(parley.CodeLength), "E16", "lane 0 cites five heads", seen(someHeads(5)...), in(0))
	w.vector("immediate-five", string(parley.CodeLength), "E16", "lane 1 cites five heads", seen(someHeads(5)...), in(1))
	w.vector("priority-64", "ok", "E16", "lane 2 cites 64 heads", seen(someHeads(64)...), in(2))
	w.vector("flash-generation-ten", "ok", "E16", "a GENERATION in lane 0 cites ten heads", entryWith(func(e *parley.Entry) {
		e.Kind, e.Body, e.Seen = parley.KindGeneration, (&parley.Generation{}).Encode(), someHeads(10)
	}), in(0))

	bodies(ok, bad, notice)
}

type vec func(name, rule, comment string, b []byte, params ...string)
type badVec func(name string, code parley.Code, rule, comment string, b []byte, params ...string)

// bodies writes the vectors of the protocol's own kinds.
func bodies(ok vec, bad badVec, notice []byte) {
	ref := parley.Ref{Party: 2, Lane: parley.Routine, Gen: genOf("g"), Index: 4, Leaf: named("leaf")}
	ok("list-reply", "E20", "a LIST in reply to an entry", entryOf(parley.KindList, (&parley.List{Ref: &ref, Items: []string{"yes", ""}}).Encode()))
	bad("list-line-long", parley.CodeLength, "E20", "a line of 4,097 bytes", entryOf(parley.KindList, (&parley.List{Items: []string{strings.Repeat("x", 4097)}}).Encode()))
	bad("list-trailing", parley.CodeTrailing, "E7", "a byte after the body's list", entryOf(parley.KindList, append((&parley.List{}).Encode(), 0)))

	inner := func(edit func(*parley.Entry)) []byte {
		return entryWith(func(e *parley.Entry) { e.To = parley.ToNobody; edit(e) })
	}
	opening := func(e []byte) []byte {
		return entryOf(parley.KindOpening, (&parley.Opening{Ref: ref, Salt: named("salt"), Entry: e}).Encode())
	}
	ok("opening", "E21", "opens a LIST", opening(inner(func(*parley.Entry) {})))
	ok("opening-desk", "E21", "opens an entry of a desk's kind", opening(inner(func(e *parley.Entry) { e.Kind = 64 })))
	bad("opening-addressed", parley.CodeAudience, "E21", "the inner entry was addressed to all", opening(listEntry().Encode()))
	bad("opening-notice", parley.CodeOutOfRange, "E21", "the inner entry is a NOTICE", opening(inner(func(e *parley.Entry) { e.Kind, e.Body = parley.KindAnswer+1, notice })))
	bad("opening-opening", parley.CodeOutOfRange, "E21", "the inner entry is an OPENING", opening(inner(func(e *parley.Entry) { e.Kind = parley.KindOpening })))
	bad("opening-empty", parley.CodeLength, "E21", "no inner entry", opening(nil))
	bad("opening-inner-trailing", parley.CodeTrailing, "E7", "a byte after the inner entry", opening(append(inner(func(*parley.Entry) {}), 0)))

	ok("notice", "E22", "the author leaves the channel", entryOf(parley.KindNotice, notice))
	ok("notice-unknown", "E22", "an unknown code of a notice", entryOf(parley.KindNotice, (&parley.Notice{Code: "something-later", Evidence: []byte{1}}).Encode()))
	bad("notice-no-code", parley.CodeLength, "E22", "a notice with an empty code", entryOf(parley.KindNotice, (&parley.Notice{}).Encode()))

	first := (&parley.Generation{}).Encode()
	ok("generation-first", "E23", "the member's first generation", entryOf(parley.KindGeneration, first))
	g := &parley.Generation{Prev: sortedGens("g", "h"), Reason: parley.ReasonMerge, Last: sorted(headOf(2, 0, "g", 3), headOf(2, 3, "h", 9))}
	ok("generation-merge", "E23", "names two generations and closes both", entryOf(parley.KindGeneration, g.Encode()))
	bad("generation-reason-6", parley.CodeOutOfRange, "E23", "reason 6", entryOf(parley.KindGeneration, swap(first, []byte{0x84, 0x80, 0x00}, []byte{0x84, 0x80, 0x06})))
	twice := *g
	twice.Prev = []parley.Gen{genOf("g"), genOf("g")}
	bad("generation-prev-twice", parley.CodeNotSorted, "E23", "one generation is named twice", entryOf(parley.KindGeneration, twice.Encode()))
	bad("generation-rootkeys-absent", parley.CodeLength, "E23", "three fields, the null left out", entryOf(parley.KindGeneration, append([]byte{0x83}, first[1:len(first)-1]...)))

	closing := &parley.Closing{Successor: named("successor"), Finals: []parley.Head{headOf(1, 0, "g", 40)}}
	ok("closing", "E24", "the last word in a lane", entryOf(parley.KindClosing, closing.Encode()))
	bad("closing-successor-null", parley.CodeType, "E24", "null for the successor", entryOf(parley.KindClosing, append([]byte{0x82, 0xf6}, closing.Encode()[35:]...)))
}

func sorted(hs ...parley.Head) []parley.Head {
	if len(hs) == 2 && parley.CompareLog(hs[0], hs[1]) > 0 {
		hs[0], hs[1] = hs[1], hs[0]
	}
	return hs
}

func sortedGens(a, b string) []parley.Gen {
	x, y := genOf(a), genOf(b)
	if bytes.Compare(x[:], y[:]) > 0 {
		x, y = y, x
	}
	return []parley.Gen{x, y}
}
