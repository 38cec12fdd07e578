package main

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"strings"

	"parley"
)

func init() { pages["charter"] = charter }

// twoMembers is a charter that every rule allows: two parties, two witnesses.
func twoMembers() *parley.Charter {
	c := &parley.Charter{Name: "North line", Rules: parley.DefaultRules(), SignBy: tenthOfMay}
	for i, name := range []string{"Aland", "Borland"} {
		m := memberKeys(name)
		c.Members = append(c.Members, parley.Member{Index: parley.Party(i + 1), Name: name, RootEd: m.rootEdPub, RootPQ: m.rootPQPub, Keys: m.public})
	}
	for _, name := range []string{"north.example", "south.example"} {
		c.Witnesses = append(c.Witnesses, parley.Witness{Name: name, Ed: edPub(edKey(name))})
	}
	c.Rules.Quorum = "group both all north.example south.example\nquorum both\n"
	return c
}

func draft(edit func(*parley.Charter)) []byte {
	c := twoMembers()
	edit(c)
	return c.Encode()
}

// keysFor are node keys of member i, changed; possession stays that of the
// unchanged keys.
func keysFor(name string, change func(*parley.Keys)) *parley.Keys {
	return memberKeys(name).edit(change)
}

func charter(w *writer) {
	vec := func(name string, code parley.Code, rule, comment string, b []byte, params ...string) {
		expect := string(code)
		if expect == "" {
			expect = "ok"
		}
		w.vector(name, expect, rule, comment, b, append([]string{"form: charter"}, params...)...)
	}
	charterEncoding(vec)
	charterMembers(vec)
	charterRules(vec)
	signed(w)
}

type charterVec func(name string, code parley.Code, rule, comment string, b []byte, params ...string)

func charterEncoding(vec charterVec) {
	good := draft(func(*parley.Charter) {})
	vec("two-members", "", "C13", "two parties, two witnesses; the channel is its hash", good, "channel: "+twoMembers().Channel().String())
	prev := named("old channel")
	vec("successor", "", "C10", "names a predecessor and its final heads", draft(func(c *parley.Charter) {
		c.Prev, c.Finals = &prev, []parley.Head{headOf(1, 0, "g", 9), headOf(2, 0, "g", 12)}
	}))
	vec("no-witness", "", "C12", "no witness and the quorum none", draft(func(c *parley.Charter) {
		c.Witnesses, c.Rules.Quorum = nil, "quorum none\n"
	}))
	vec("version-2", parley.CodeVersion, "C1", "charter version 2", append([]byte{0x88, 0x02}, good[2:]...))
	vec("version-long", parley.CodeNotCanonical, "C2", "the version in two bytes", append([]byte{0x88, 0x18, 0x01}, good[2:]...))
	vec("truncated", parley.CodeTruncated, "C2", "the last byte is missing", good[:len(good)-1])
	vec("trailing", parley.CodeTrailing, "C2", "one byte follows", append(bytes.Clone(good), 0))
	vec("name-bytes", parley.CodeType, "C2", "the name as a byte string", append(append(bytes.Clone(good[:2]), good[2]^0x20), good[3:]...))
	vec("name-not-utf8", parley.CodeUTF8, "C2", "the name holds the byte ff", swap(good, []byte("North line"), []byte("North\xffline")))
	vec("prev-31", parley.CodeLength, "C2", "a predecessor of 31 bytes", swap(good, []byte("North line\xf6"), append([]byte("North line\x58\x1f"), prev[:31]...)))
	vec("finals-unsorted", parley.CodeNotSorted, "C10", "final heads in the wrong order", draft(func(c *parley.Charter) {
		c.Prev, c.Finals = &prev, []parley.Head{headOf(2, 0, "g", 12), headOf(1, 0, "g", 9)}
	}))
	vec("finals-alone", parley.CodeLength, "C10", "final heads without a predecessor", draft(func(c *parley.Charter) {
		c.Finals = []parley.Head{headOf(1, 0, "g", 9)}
	}))
}

func charterMembers(vec charterVec) {
	name := func(s string) []byte { return draft(func(c *parley.Charter) { c.Members[1].Name = s }) }
	vec("one-member", parley.CodeLength, "C3", "a single member", draft(func(c *parley.Charter) { c.Members = c.Members[:1] }))
	vec("members-swapped", parley.CodeMembers, "C3", "member 2 stands before member 1", draft(func(c *parley.Charter) {
		c.Members[0], c.Members[1] = c.Members[1], c.Members[0]
	}))
	vec("members-from-2", parley.CodeMembers, "C3", "members 2 and 3", draft(func(c *parley.Charter) {
		c.Members[0].Index, c.Members[1].Index = 2, 3
	}))
	vec("member-0", parley.CodeOutOfRange, "C3", "member 0", draft(func(c *parley.Charter) { c.Members[0].Index = 0 }))
	vec("role-3", parley.CodeOutOfRange, "C4", "role 3", draft(func(c *parley.Charter) { c.Members[1].Role = 3 }))
	vec("name-unicode", "", "C5", "a name beyond ASCII", name("Århus – 日本"))
	vec("name-empty", parley.CodeName, "C5", "a member without a name", name(""))
	vec("name-65", parley.CodeName, "C5", "a name of 65 bytes", name(strings.Repeat("x", 65)))
	vec("name-padded", parley.CodeName, "C5", "a space at the end", name("Borland "))
	vec("name-newline", parley.CodeName, "C5", "a line break inside", name("Bor\nland"))
	vec("name-bidi", parley.CodeName, "C5", "a right-to-left override inside", name("Bor\u202eland"))
	vec("name-zero-width", parley.CodeName, "C5", "a zero-width space inside", name("Bor\u200bland"))
	vec("name-no-break-space", parley.CodeName, "C5", "a no-break space inside", name("Bor\u00a0land"))
	vec("name-filler", parley.CodeName, "C5", "a Hangul filler, which shows nothing", name("Borland\u3164"))
	vec("name-twice", parley.CodeName, "C6", "two members of one name", name("Aland"))
	vec("name-of-witness", parley.CodeName, "C6", "a member has a witness's name", name("north.example"))

	keys := func(change func(*parley.Keys)) []byte {
		return draft(func(c *parley.Charter) { c.Members[1].Keys = keysFor("Borland", change) })
	}
	vec("root-order-8", parley.CodeKey, "C7", "a root key of small order", draft(func(c *parley.Charter) { c.Members[1].RootEd = unhex(oddEd[3].key) }))
	vec("tls-not-canonical", parley.CodeKey, "C7", "a TLS key that is not canonical", keys(func(k *parley.Keys) { k.TLS[0] = unhex(oddEd[5].key) }))
	vec("no-possession", parley.CodePossession, "C7", "one bit of the log key's proof", keys(func(k *parley.Keys) { k.Proofs[0] = flipped(k.Proofs[0], 33) }))
	vec("possession-of-other", parley.CodePossession, "C7", "the keys of a third party, proved towards its root", draft(func(c *parley.Charter) {
		c.Members[1].Keys = memberKeys("c").public
	}))
	vec("tls-shared", parley.CodeKeyRepeated, "C8", "two members with one TLS key", keys(func(k *parley.Keys) { k.TLS[0] = memberKeys("Aland").public.TLS[0] }))
	vec("root-shared", parley.CodeKeyRepeated, "C8", "the TLS key is the other member's root key", keys(func(k *parley.Keys) { k.TLS[0] = memberKeys("Aland").rootEdPub }))
	vec("witness-is-member", parley.CodeKeyRepeated, "C8", "a witness with a member's receipt key", draft(func(c *parley.Charter) {
		c.Witnesses[1].Ed = memberKeys("Aland").public.RcptEd
	}))
	vec("witnesses-share", parley.CodeKeyRepeated, "C8", "two witnesses with one key", draft(func(c *parley.Charter) { c.Witnesses[1].Ed = c.Witnesses[0].Ed }))
}

func charterRules(vec charterVec) {
	witness := func(change func(*parley.Witness)) []byte {
		return draft(func(c *parley.Charter) { change(&c.Witnesses[1]) })
	}
	vec("witness-no-key", parley.CodeKey, "C9", "a witness without a key", witness(func(w *parley.Witness) { w.Ed = nil }))
	vec("witness-pq", "", "C9", "a witness with an ML-DSA-44 key alone", witness(func(w *parley.Witness) { w.Ed, w.PQ = nil, pqKey("south").PublicKey().Bytes() }))
	vec("witness-identity", parley.CodeKey, "C7", "a witness key that is the neutral element", witness(func(w *parley.Witness) { w.Ed = unhex(oddEd[0].key) }))
	rename := func(s string) []byte {
		return draft(func(c *parley.Charter) {
			c.Witnesses[1].Name = s
			c.Rules.Quorum = "quorum north.example\n"
		})
	}
	vec("witness-space", parley.CodeName, "C9", "a space in a witness's name", rename("south example"))
	vec("witness-plus", parley.CodeName, "C9", "a plus in a witness's name", rename("south+example"))
	vec("witness-none", parley.CodeName, "C9", "a witness called none", rename("none"))

	rules := func(change func(*parley.Rules)) []byte { return draft(func(c *parley.Charter) { change(&c.Rules) }) }
	vec("window-59", parley.CodeOutOfRange, "C11", "windows of 59 s", rules(func(r *parley.Rules) { r.Window = 59 }))
	vec("kem-below-window", parley.CodeOutOfRange, "C11", "KEM keys live shorter than a window", rules(func(r *parley.Rules) { r.KemMax = r.Window - 1 }))
	vec("heartbeat-0", parley.CodeOutOfRange, "C11", "no heartbeat", rules(func(r *parley.Rules) { r.Heartbeat = 0 }))
	vec("grace-2-31", parley.CodeOutOfRange, "C11", "a grace of 2^31 s", rules(func(r *parley.Rules) { r.Grace = parley.MaxSpan + 1 }))
	vec("max-entry-1023", parley.CodeOutOfRange, "C11", "entries of at most 1,023 bytes", rules(func(r *parley.Rules) { r.MaxEntry = 1023 }))
	vec("max-entry-large", parley.CodeOutOfRange, "C11", "entries of more than 1,048,576 bytes", rules(func(r *parley.Rules) { r.MaxEntry = parley.MaxEntry + 1 }))
	vec("pad-2", parley.CodeOutOfRange, "C11", "padding rule 2", rules(func(r *parley.Rules) { r.Pad = 2 }))

	quorum := func(s string) []byte { return rules(func(r *parley.Rules) { r.Quorum = s }) }
	vec("quorum-nested", "", "C12", "a group within a group", quorum("group a any north.example\ngroup b 2 a south.example\nquorum b\n"))
	for _, q := range []struct{ name, comment, text string }{
		{"empty", "no text", ""},
		{"no-quorum", "no quorum line", "group both all north.example south.example\n"},
		{"no-newline", "the last line does not end", "quorum north.example"},
		{"stranger", "a name that is no witness", "quorum west.example\n"},
		{"group-stranger", "a group of a stranger", "group g any north.example west.example\nquorum g\n"},
		{"forward", "a group is used before its line", "group a any b\ngroup b any north.example\nquorum a\n"},
		{"twice", "a witness in two groups", "group a any north.example\ngroup b all a north.example\nquorum b\n"},
		{"zero", "threshold 0", "group a 0 north.example\nquorum a\n"},
		{"three-of-two", "threshold 3 of two", "group a 3 north.example south.example\nquorum a\n"},
		{"leading-zero", "threshold 02", "group a 02 north.example south.example\nquorum a\n"},
		{"two-spaces", "two spaces between fields", "quorum  north.example\n"},
		{"after-quorum", "a line after the quorum line", "quorum north.example\ngroup a any south.example\n"},
		{"group-none", "a group called none", "group none any north.example\nquorum none\n"},
		{"group-witness", "a group with a witness's name", "group north.example any south.example\nquorum north.example\n"},
		{"word", "another word", "witness north.example\nquorum none\n"},
	} {
		vec("quorum-"+q.name, parley.CodeQuorum, "C12", q.comment, quorum(q.text))
	}
}

// signed writes the vectors of charters with signatures.
func signed(w *writer) {
	c := twoMembers()
	msg := parley.CharterMessage(c.Channel())
	sig := func(i parley.Party, name string) parley.CharterSig {
		m := memberKeys(name)
		return parley.CharterSig{Index: i, Ed: ed25519.Sign(m.root, msg), PQ: pqSign(m.rootPQ, msg)}
	}
	one, two := sig(1, "Aland"), sig(2, "Borland")
	vec := func(name string, code parley.Code, rule, comment string, sigs ...parley.CharterSig) {
		expect := string(code)
		if expect == "" {
			expect = "ok"
		}
		b := (&parley.SignedCharter{Charter: c.Encode(), Sigs: sigs}).Encode()
		w.vector("signed-"+name, expect, rule, comment, b, "form: signed", fmt.Sprint("in-force: ", rule == "C15"))
	}
	change := func(g parley.CharterSig, edit func(*parley.CharterSig)) parley.CharterSig { edit(&g); return g }
	vec("in-force", "", "C15", "both members have signed", one, two)
	vec("none", "", "C14", "nobody has signed yet: a draft that travels")
	vec("missing", parley.CodeUnsigned, "C15", "member 2 has not signed", one)
	vec("unsorted", parley.CodeNotSorted, "C14", "the signatures in the wrong order", two, one)
	vec("twice", parley.CodeNotSorted, "C14", "member 1 signed twice", one, one)
	vec("stranger", parley.CodeMembers, "C14", "a signature of member 3 of two", change(two, func(g *parley.CharterSig) { g.Index = 3 }))
	vec("ed-flipped", parley.CodeSignature, "C14", "one bit of an Ed25519 signature", change(one, func(g *parley.CharterSig) { g.Ed = flipped(g.Ed, 1) }))
	vec("pq-flipped", parley.CodeSignature, "C14", "one bit of an ML-DSA-44 signature", change(one, func(g *parley.CharterSig) { g.PQ = flipped(g.PQ, 100) }))
	vec("as-other", parley.CodeSignature, "C14", "member 1's signature as member 2's", change(one, func(g *parley.CharterSig) { g.Index = 2 }))
	other := twoMembers()
	other.SignBy++
	om := parley.CharterMessage(other.Channel())
	vec("other-charter", parley.CodeSignature, "C14", "a signature on another charter", change(one, func(g *parley.CharterSig) {
		g.Ed, g.PQ = ed25519.Sign(memberKeys("Aland").root, om), pqSign(memberKeys("Aland").rootPQ, om)
	}))
}
