package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log"
	"strings"

	"parley"
	"parley/frame"
	"parley/journal"
	"parley/seal"
)

func init() { pages["frames"] = frames }

// scene is what the frames of the page are about: member 1's FLASH log, whose
// first entry is GENERATION and whose second is addressed to member 2 alone.
type scene struct {
	ch          parley.Hash
	id          parley.LogID
	origin      string
	key         seal.Key // of member 1 for audience {2}
	keyID       seal.KeyID
	logKey      ed25519.PrivateKey // of member 1
	rcptKey     ed25519.PrivateKey // of member 2
	gen0, text1 []byte             // the two entries
	salt0       parley.Hash
	leaf0       journal.Leaf
	leaf1       journal.Leaf
	root1       parley.Hash // of size 1
	root2       parley.Hash // of size 2
}

func fixed(label string) (h [32]byte) { return sha256.Sum256([]byte("frames " + label)) }

func nonce(label string) (n [12]byte) {
	h := fixed("nonce " + label)
	copy(n[:], h[:])
	return n
}

func newScene() *scene {
	s := &scene{ch: fixed("channel"), key: fixed("audience key"), salt0: fixed("salt")}
	s.id = parley.LogID{Channel: s.ch, Party: 1, Lane: parley.Flash, Gen: parley.Gen{0x1f, 0x2e, 0x3d, 0x4c, 0x5b, 0x6a, 0x79, 0x88}}
	s.origin = s.id.Origin()
	s.keyID = seal.KeyID{0x5e, 0xa1, 0, 0, 0, 0, 0, 1}
	a, b := fixed("log key"), fixed("receipt key")
	s.logKey, s.rcptKey = ed25519.NewKeyFromSeed(a[:]), ed25519.NewKeyFromSeed(b[:])
	g := parley.Generation{}
	s.gen0 = (&parley.Entry{Kind: parley.KindGeneration, Time: 1746900000, Body: g.Encode()}).Encode()
	s.leaf0 = journal.Leaf{Commit: journal.Commit(s.origin, 0, s.salt0, s.gen0)}
	var t journal.Tree
	t.Append(s.leaf0.Hash())
	s.root1 = t.Root()
	s.text1 = (&parley.Entry{Kind: parley.KindText, To: parley.AudienceOf(2), Time: 1746900060,
		Seen: []parley.Head{s.cited()}, Body: []byte("EXERCISE EXERCISE EXERCISE test 1, acknowledge")}).Encode()
	s.leaf1 = journal.Leaf{To: parley.AudienceOf(2), Commit: journal.Commit(s.origin, 1, seal.Salt(s.key, s.origin, 1), s.text1)}
	t.Append(s.leaf1.Hash())
	s.root2 = t.Root()
	return s
}

func (s *scene) cited() parley.Head {
	return parley.Head{Party: 2, Lane: parley.Flash, Gen: parley.Gen{9, 9, 9, 9, 9, 9, 9, 9}, Size: 3, Root: fixed("cited root")}
}

// compact is text1 with generation and root of the cited head left out.
func (s *scene) compact() []byte {
	full := s.text1
	h := parley.AppendHead(nil, s.cited())
	short := parley.AppendArray(nil, 5)
	short = parley.AppendUint(parley.AppendUint(short, 2), 0)
	short = parley.AppendUint(parley.AppendNull(short), 3)
	short = parley.AppendNull(short)
	return bytes.Replace(full, h, short, 1)
}

// stored is b as one stored block of RFC 1951: what no two compressors write
// differently.
func stored(b []byte) []byte {
	n := uint16(len(b))
	return append([]byte{1, byte(n), byte(n >> 8), byte(^n), byte(^n >> 8)}, b...)
}

func (s *scene) sig(size uint64, root parley.Hash) (sig [64]byte) {
	copy(sig[:], journal.SignHead(s.logKey, s.origin, size, root))
	return sig
}

func (s *scene) entry(deflated, compact bool) *frame.Entry {
	f := &frame.Entry{Deflated: deflated, Compact: compact, Hint: s.keyID.Hint(), Index: 1,
		Nonce: nonce(fmt.Sprint("entry ", deflated, compact)), Sig: s.sig(2, s.root2)}
	pt := s.text1
	if compact {
		pt = s.compact()
	}
	if deflated {
		pt = stored(pt)
	}
	f.Sealed = seal.Encrypt(seal.EntryKey(s.key, s.origin, 1), f.Nonce, f.Header(), pt)
	return f
}

func (s *scene) clear() *frame.Clear {
	return &frame.Clear{Author: 1, ChannelHint: s.chHint(), Gen: s.id.Gen, Salt: s.salt0, Entry: s.gen0, Sig: s.sig(1, s.root1)}
}

func (s *scene) chHint() uint16 { return uint16(s.ch[0])<<8 | uint16(s.ch[1]) }

func (s *scene) blind() *frame.Blind {
	return &frame.Blind{Author: 1, Hint: s.id.Hint(), Index: 1, To: s.leaf1.To, Commit: s.leaf1.Commit, Sig: s.sig(2, s.root2)}
}

func (s *scene) receipt() *frame.Receipt {
	c := s.cosign()
	return &frame.Receipt{Cosigner: 2, Hint: s.id.Hint(), Size: 2, Time: uint32(c.Time), Sig: [64]byte(c.Sig)}
}

func (s *scene) cosign() journal.Cosignature {
	return journal.Cosign(s.rcptKey, 1746900061, s.origin, 2, s.root2)
}

func (s *scene) heads() *frame.Heads {
	sig := s.sig(2, s.root2)
	c := journal.Checkpoint{Origin: s.origin, Size: 2, Root: s.root2, Lines: []journal.Line{
		journal.HeadLine(s.origin, public(s.logKey), sig[:]),
		journal.CosignLine(journal.ReceiptName(s.ch, 2), public(s.rcptKey), s.cosign()),
	}}
	return &frame.Heads{Note: c.Encode()}
}

func (s *scene) have() *frame.Have {
	return &frame.Have{Heads: []parley.Head{{Party: 1, Gen: s.id.Gen, Size: 2, Root: s.root2}, s.cited()},
		Keys: [][8]byte{s.keyID, {0x5e, 0xa1, 0, 0, 0, 0, 0, 2}}}
}

func (s *scene) want() *frame.Want {
	return &frame.Want{Items: []frame.WantItem{{Party: 2, Gen: s.cited().Gen, First: 1, Last: 2, Form: frame.FormFull, Reason: frame.WantGap}}}
}

func (s *scene) open() *frame.Open {
	f := &frame.Open{Author: 1, KeyHint: s.keyID.Hint(), ChannelHint: s.chHint(), Gen: s.id.Gen, Index: 1, Leaf: s.leaf1.Hash(), Nonce: nonce("open")}
	salt := seal.Salt(s.key, s.origin, 1)
	f.Sealed = seal.Encrypt(seal.OpenKey(s.key, s.origin, 1, f.Leaf), f.Nonce, f.Header(), append(salt[:], s.text1...))
	return f
}

func (s *scene) hello() *frame.Hello {
	return &frame.Hello{Version: 1, Channel: s.ch, Member: 1, Boot: [8]byte{0xb0, 0x07, 1, 2, 3, 4, 5, 6}, Token: 1746900000}
}

// grant has filler where HPKE, which draws at random, would stand.
func (s *scene) grant() *frame.Grant {
	f := &frame.Grant{ChannelHint: s.chHint(), Author: 1, Recipient: 2, KeyID: s.keyID, Audience: parley.AudienceOf(2),
		From: 1746900000, Until: 1747504800, Sealed: bytes.Repeat([]byte{0xf1}, frame.SizeGrantSealed)}
	copy(f.Sig[:], ed25519.Sign(s.logKey, f.Message(s.ch)))
	return f
}

func public(k ed25519.PrivateKey) []byte { return k.Public().(ed25519.PublicKey) }

// with is a frame's bytes after a change.
func with[F frame.Frame](f F, change func(F)) []byte {
	change(f)
	return frame.Encode(f)
}

func set(b []byte, at int, v ...byte) []byte {
	b = bytes.Clone(b)
	copy(b[at:], v)
	return b
}

// frameVectors collects vectors and refuses one whose expectation this very
// code does not meet.
type frameVectors struct{ w *writer }

func (v frameVectors) ok(name, rule, comment string, f frame.Frame, params ...string) {
	b := frame.Encode(f)
	if _, err := frame.Decode(b); err != nil {
		log.Fatalf("frames/%s: %v", name, err)
	}
	v.w.vector(name, "ok", rule, comment, b, params...)
}

func (v frameVectors) bad(name string, code parley.Code, rule, comment string, b []byte, params ...string) {
	if _, err := frame.Decode(b); len(params) == 0 && parley.CodeOf(err) != code {
		log.Fatalf("frames/%s: %v, not %s", name, err, code)
	}
	v.w.vector(name, string(code), rule, comment, b, params...)
}

func frames(w *writer) {
	s, v := newScene(), frameVectors{w}
	s.positive(v)
	s.shapes(v)
	s.fields(v)
	s.notes(v)
	s.haves(v)
	s.wants(v)
	s.grants(v)
	v.w.vector("stream-ok", "ok", "F5", "a PING behind its length", frame.AppendStream(nil, frame.Encode(&frame.Ping{ID: 7, Time: 1746900000})), "stream: 64")
	v.bad("stream-length-zero", frame.CodeFrameLength, "F5", "a length of zero", []byte{0, 0, 0}, "stream: 64")
	v.bad("stream-length-above", parley.CodeTooLarge, "F5", "a length one above the reader's limit, and nothing behind it", []byte{0, 0, 65}, "stream: 64")
	v.bad("stream-length-greatest", parley.CodeTooLarge, "F5", "the greatest length that three bytes can say", []byte{0xff, 0xff, 0xff}, "stream: 2097152")
}

func (s *scene) positive(v frameVectors) {
	head := func(size uint64, root parley.Hash) []string {
		return []string{"origin: " + s.origin, fmt.Sprintf("size: %d", size), "root: " + root.String(), "log-key: " + hex.EncodeToString(public(s.logKey))}
	}
	sealed := append(head(2, s.root2), "key: "+hex.EncodeToString(s.key[:]), "entry: "+hex.EncodeToString(s.text1))
	v.ok("entry", "F3", "an ENTRY in full form", s.entry(false, false), sealed...)
	compact := append(head(2, s.root2), "key: "+hex.EncodeToString(s.key[:]), "entry: "+hex.EncodeToString(s.compact()))
	v.ok("entry-compact", "F22", "an ENTRY in compact form: generation and root of the cited head are null", s.entry(false, true), compact...)
	v.ok("entry-compact-deflated", "F23", "an ENTRY in compact form, deflated as one stored block", s.entry(true, true), compact...)
	v.ok("blind", "F3", "the BLIND of the same entry, for member 3", s.blind(), head(2, s.root2)...)
	v.ok("blind-unsigned", "F25", "a BLIND whose signature is not held", &frame.Blind{Author: 1, Hint: s.id.Hint(), To: s.leaf1.To, Commit: s.leaf1.Commit})
	v.ok("clear-generation", "F3", "the first GENERATION of a log, 125 bytes", s.clear(), head(1, s.root1)...)
	v.ok("receipt", "F3", "member 2's receipt over both entries", s.receipt(), append(head(2, s.root2)[:3], "receipt-key: "+hex.EncodeToString(public(s.rcptKey)))...)
	v.ok("receipt-last-lane-and-member", "F6", "lane 4, member 20", &frame.Receipt{Lane: 4, Cosigner: 20})
	v.ok("heads", "F11", "the same head as a note, with the author's line and a receipt", s.heads())
	v.ok("have", "F12", "two heads, two keys", s.have())
	v.ok("have-nothing", "F12", "a node that holds nothing", &frame.Have{})
	v.ok("want", "F12", "two entries", s.want())
	v.ok("want-sixteen", "F12", "the greatest WANT", &frame.Want{Items: sixteen(s.want().Items[0])})
	v.ok("open", "F3", "the same entry once its window is over", s.open(),
		append(head(2, s.root2)[:1], "key: "+hex.EncodeToString(s.key[:]), "entry: "+hex.EncodeToString(s.text1))...)
	v.ok("hello", "F3", "member 1 greets on its urgent connection", s.hello())
	v.ok("hello-greatest-token", "F9", "a token of 2^53-1, on the bulk connection", &frame.Hello{Version: 1, Channel: s.ch, Member: 20, Bulk: true, Token: parley.MaxUint})
	v.ok("hello-other-version", "F19", "a HELLO of version 2 is a frame like any other; the reader closes", &frame.Hello{Version: 2, Channel: s.ch, Member: 1})
	v.ok("ping", "F3", "a PING", &frame.Ping{ID: 7, Time: 1746900000})
	v.ok("pong", "F3", "its PONG", &frame.Ping{Pong: true, ID: 7, Time: 1746900001})
	v.ok("pad", "F17", "five bytes of padding", &frame.Pad{N: 5})
	v.ok("pad-empty", "F17", "padding of no bytes", &frame.Pad{})
	v.ok("grant", "F15", "a key of member 1 for member 2; the sealed part is filler", s.grant(),
		"channel: "+s.ch.String(), "log-key: "+hex.EncodeToString(public(s.logKey)))
}

func sixteen(i frame.WantItem) (is []frame.WantItem) {
	for range frame.MaxWants {
		is = append(is, i)
	}
	return is
}

// shapes breaks version, type and length.
func (s *scene) shapes(v frameVectors) {
	r := frame.Encode(s.receipt())
	v.bad("version-0", frame.CodeFrameVersion, "F1", "a RECEIPT of version 0", set(r, 0, 0x03))
	v.bad("version-2", frame.CodeFrameVersion, "F1", "a RECEIPT of version 2", set(r, 0, 0x43))
	v.bad("version-7", frame.CodeFrameVersion, "F1", "a RECEIPT of version 7", set(r, 0, 0xe3))
	for _, t := range []frame.Type{frame.TypeFragment, frame.TypeMiss, frame.TypeLink, frame.TypeBlob, 16, 31} {
		name := strings.ReplaceAll(strings.ToLower(t.String()), " ", "-")
		v.bad("reserved-"+name, frame.CodeFrameReserved, "F2", "a frame of a reserved type", set(r, 0, 0x20|byte(t)))
	}
	v.bad("empty", frame.CodeFrameLength, "F3", "no byte at all", nil)
	long := func(f frame.Frame) []byte { return append(frame.Encode(f), 0) }
	short := func(f frame.Frame) []byte { b := frame.Encode(f); return b[:len(b)-1] }
	v.bad("receipt-short", frame.CodeFrameLength, "F3", "a RECEIPT of 73 bytes", short(s.receipt()))
	v.bad("receipt-long", frame.CodeFrameLength, "F3", "a RECEIPT of 75 bytes", long(s.receipt()))
	v.bad("blind-short", frame.CodeFrameLength, "F3", "a BLIND of 105 bytes", short(s.blind()))
	v.bad("hello-long", frame.CodeFrameLength, "F3", "a HELLO of 53 bytes", long(s.hello()))
	v.bad("ping-short", frame.CodeFrameLength, "F3", "a PING of 13 bytes", short(&frame.Ping{}))
	v.bad("grant-short", frame.CodeFrameLength, "F3", "a GRANT of 1264 bytes", short(s.grant()))
	v.bad("grant-long", frame.CodeFrameLength, "F3", "a GRANT of 1266 bytes", long(s.grant()))
	v.bad("entry-empty", frame.CodeFrameLength, "F3", "an ENTRY that seals no byte", with(s.entry(false, false), func(f *frame.Entry) { f.Sealed = f.Sealed[:16] }))
	v.bad("open-empty", frame.CodeFrameLength, "F3", "an OPEN that seals a salt and no entry", with(s.open(), func(f *frame.Open) { f.Sealed = f.Sealed[:48] }))
	v.bad("clear-empty", frame.CodeFrameLength, "F3", "a CLEAR without an entry", with(s.clear(), func(f *frame.Clear) { f.Entry = nil }))
	v.bad("heads-empty", frame.CodeFrameLength, "F3", "a HEADS without a note", []byte{0x24})
	v.bad("have-empty", frame.CodeFrameLength, "F3", "a HAVE without content", []byte{0x25})
}

// fields breaks lanes, members, flags, numbers, audiences and padding.
func (s *scene) fields(v frameVectors) {
	lane, member := frame.CodeFrameLane, frame.CodeFrameMember
	v.bad("entry-lane-5", lane, "F6", "an ENTRY in lane 5", with(s.entry(false, false), func(f *frame.Entry) { f.Lane = 5 }))
	v.bad("blind-lane-6", lane, "F6", "a BLIND in lane 6", with(s.blind(), func(f *frame.Blind) { f.Lane = 6 }))
	v.bad("receipt-lane-7", lane, "F6", "a RECEIPT in lane 7", with(s.receipt(), func(f *frame.Receipt) { f.Lane = 7 }))
	v.bad("open-lane-5", lane, "F6", "an OPEN in lane 5", with(s.open(), func(f *frame.Open) { f.Lane = 5 }))
	v.bad("clear-lane-5", lane, "F6", "a CLEAR in lane 5", with(s.clear(), func(f *frame.Clear) { f.Lane = 5 }))
	v.bad("receipt-member-0", member, "F7", "a RECEIPT by member 0", with(s.receipt(), func(f *frame.Receipt) { f.Cosigner = 0 }))
	v.bad("receipt-member-21", member, "F7", "a RECEIPT by member 21", with(s.receipt(), func(f *frame.Receipt) { f.Cosigner = 21 }))
	v.bad("blind-member-31", member, "F7", "a BLIND by member 31", with(s.blind(), func(f *frame.Blind) { f.Author = 31 }))
	v.bad("open-member-0", member, "F7", "an OPEN of an entry by member 0", with(s.open(), func(f *frame.Open) { f.Author = 0 }))
	v.bad("clear-member-0", member, "F7", "a CLEAR by member 0", with(s.clear(), func(f *frame.Clear) { f.Author = 0 }))
	v.bad("hello-member-0", member, "F7", "a HELLO by member 0", with(s.hello(), func(f *frame.Hello) { f.Member = 0 }))
	v.bad("hello-member-255", member, "F7", "a HELLO by member 255", with(s.hello(), func(f *frame.Hello) { f.Member = 255 }))
	flags := frame.CodeFrameFlags
	e := frame.Encode(s.entry(false, false))
	v.bad("entry-flag-4", flags, "F8", "an ENTRY with flag 4", set(e, 1, 0x04))
	v.bad("entry-flag-16", flags, "F8", "an ENTRY with flag 16", set(e, 1, 0x10))
	v.bad("hello-bulk-2", flags, "F8", "a HELLO whose bulk byte is 2", set(frame.Encode(s.hello()), 35, 2))
	v.bad("ping-2", flags, "F8", "a PING whose first byte is 2", set(frame.Encode(&frame.Ping{}), 1, 2))
	num := frame.CodeFrameNumber
	v.bad("hello-token", num, "F9", "a token of 2^53", with(s.hello(), func(f *frame.Hello) { f.Token = 1 << 53 }))
	v.bad("open-index", num, "F9", "an index of 2^53", with(s.open(), func(f *frame.Open) { f.Index = 1 << 53 }))
	v.bad("ping-time", num, "F9", "a time of 2^64-1", with(&frame.Ping{}, func(f *frame.Ping) { f.Time = 1<<64 - 1 }))
	aud := parley.CodeAudience
	v.bad("blind-audience-bit-0", aud, "F10", "an audience with bit 0 and member 2", with(s.blind(), func(f *frame.Blind) { f.To = 5 }))
	v.bad("blind-audience-21", aud, "F10", "an audience with member 21", with(s.blind(), func(f *frame.Blind) { f.To = 1 << 21 }))
	v.bad("blind-audience-author", aud, "F10", "an audience with the author", with(s.blind(), func(f *frame.Blind) { f.To = 6 }))
	v.bad("pad-not-zero", frame.CodeFramePadding, "F17", "padding that ends in 01", []byte{0x29, 0, 0, 1})
}

func (s *scene) notes(v frameVectors) {
	note := string(s.heads().Note)
	text, lines, _ := strings.Cut(note, "\n\n")
	line := strings.SplitAfter(lines, "\n")[0]
	bad := func(name, comment, note string) {
		v.bad(name, frame.CodeFrameNote, "F11", comment, frame.Encode(&frame.Heads{Note: []byte(note)}))
	}
	bad("heads-no-empty-line", "a note without an empty line", text+"\n"+lines)
	bad("heads-unsigned", "a note without a signature line", text+"\n\n")
	bad("heads-65-lines", "a note with 65 signature lines", text+"\n\n"+strings.Repeat(line, 65))
	bad("heads-extension", "a note with a fourth line of text", text+"\nextension\n\n"+lines)
	v.ok("heads-blank-line", "F11", "a blank signature line, which is judged as a line", &frame.Heads{Note: []byte(text + "\n\n" + lines + "\n")})
	bad("heads-cut", "a note whose last line does not end", strings.TrimSuffix(note, "\n"))
}

func (s *scene) haves(v frameVectors) {
	h := s.have()
	b := frame.Encode(h)
	bad := func(name string, code parley.Code, comment string, b []byte) { v.bad(name, code, "F12", comment, b) }
	have := func(change func(*frame.Have)) []byte { return with(s.have(), change) }
	bad("have-trailing", parley.CodeTrailing, "a byte follows", append(bytes.Clone(b), 0))
	bad("have-truncated", parley.CodeTruncated, "the last byte is missing", b[:len(b)-1])
	bad("have-null", parley.CodeType, "null for the list of heads", []byte{0x25, 0x82, 0xf6, 0x80})
	bad("have-three-fields", parley.CodeLength, "a third field", []byte{0x25, 0x83, 0x80, 0x80, 0x80})
	bad("have-long-count", parley.CodeNotCanonical, "the count of heads in two bytes", []byte{0x25, 0x82, 0x98, 0x00, 0x80})
	bad("have-indefinite", parley.CodeNotCanonical, "a list of indefinite length", []byte{0x25, 0x82, 0x9f, 0xff, 0x80})
	bad("have-1025-heads", parley.CodeLength, "1025 heads are announced; the reader stops there", []byte{0x25, 0x82, 0x99, 0x04, 0x01})
	bad("have-1025-keys", parley.CodeLength, "1025 keys are announced; the reader stops there", []byte{0x25, 0x82, 0x80, 0x99, 0x04, 0x01})
	bad("have-heads-unsorted", parley.CodeNotSorted, "member 2's head before member 1's", have(func(f *frame.Have) { f.Heads[0], f.Heads[1] = f.Heads[1], f.Heads[0] }))
	bad("have-head-twice", parley.CodeNotSorted, "two heads of one log", have(func(f *frame.Have) { f.Heads[1] = f.Heads[0]; f.Heads[1].Size++ }))
	bad("have-lane-5", parley.CodeOutOfRange, "a head in lane 5", have(func(f *frame.Have) { f.Heads[1].Lane = 5 }))
	bad("have-root-31", parley.CodeLength, "a root of 31 bytes", bytes.Replace(b, append([]byte{0x58, 0x20}, h.Heads[0].Root[:]...), append([]byte{0x58, 0x1f}, h.Heads[0].Root[:31]...), 1))
	bad("have-keys-unsorted", parley.CodeNotSorted, "keys in falling order", have(func(f *frame.Have) { f.Keys[0], f.Keys[1] = f.Keys[1], f.Keys[0] }))
	bad("have-key-twice", parley.CodeNotSorted, "one key twice", have(func(f *frame.Have) { f.Keys[1] = f.Keys[0] }))
	v.bad("have-key-zero", frame.CodeFrameKeyID, "F13", "a key identifier that starts 00 00", have(func(f *frame.Have) { f.Keys[0][0], f.Keys[0][1] = 0, 0 }))
}

func (s *scene) wants(v frameVectors) {
	want := func(change func(*frame.WantItem)) []byte {
		return with(s.want(), func(f *frame.Want) { change(&f.Items[0]) })
	}
	bad := func(name string, code parley.Code, comment string, b []byte) { v.bad(name, code, "F12", comment, b) }
	bad("want-none", parley.CodeLength, "no item", []byte{0x26, 0x80})
	bad("want-17", parley.CodeLength, "17 items", frame.Encode(&frame.Want{Items: append(sixteen(s.want().Items[0]), s.want().Items[0])}))
	b := frame.Encode(s.want())
	bad("want-six-fields", parley.CodeLength, "an item without a reason", set(b, 2, 0x86)[:len(b)-1])
	bad("want-member-0", parley.CodeOutOfRange, "member 0", want(func(i *frame.WantItem) { i.Party = 0 }))
	bad("want-reason-4", parley.CodeOutOfRange, "reason 4", want(func(i *frame.WantItem) { i.Reason = 4 }))
	bad("want-trailing", parley.CodeTrailing, "a byte follows", append(frame.Encode(s.want()), 0))
	v.bad("want-backwards", frame.CodeFrameSpan, "F14", "from index 2 to 1", want(func(i *frame.WantItem) { i.First, i.Last = 2, 1 }))
	v.bad("want-form-5", frame.CodeFrameReserved, "F2", "form 5", want(func(i *frame.WantItem) { i.Form = 5 }))
	v.bad("want-blob", frame.CodeFrameReserved, "F2", "an item of four fields, for parts of an attachment", []byte{0x26, 0x81, 0x84, 5, 0x41, 0, 0, 1})
}

func (s *scene) grants(v frameVectors) {
	grant := func(change func(*frame.Grant)) []byte { return with(s.grant(), change) }
	v.bad("grant-member-21", frame.CodeFrameMember, "F7", "a grant to member 21", grant(func(f *frame.Grant) { f.Recipient = 21 }))
	v.bad("grant-until", frame.CodeFrameNumber, "F9", "a window until 2^53", grant(func(f *frame.Grant) { f.Until = 1 << 53 }))
	v.bad("grant-audience-author", parley.CodeAudience, "F10", "an audience with the author", grant(func(f *frame.Grant) { f.Audience |= 2 }))
	v.bad("grant-keyid", frame.CodeFrameKeyID, "F13", "a key identifier that starts 00 00", grant(func(f *frame.Grant) { f.KeyID = [8]byte{0, 0, 1} }))
	v.bad("grant-to-author", frame.CodeFrameRecipient, "F15", "a key granted to its author, for all", grant(func(f *frame.Grant) { f.Recipient, f.Audience = 1, 0 }))
	v.bad("grant-to-stranger", frame.CodeFrameRecipient, "F15", "a key for member 2 granted to member 3", grant(func(f *frame.Grant) { f.Recipient = 3 }))
	v.bad("grant-for-nobody", frame.CodeFrameRecipient, "F15", "a key for audience 1, nobody", grant(func(f *frame.Grant) { f.Audience = 1 }))
	v.bad("grant-empty-window", frame.CodeFrameWindow, "F16", "a window that ends when it begins", grant(func(f *frame.Grant) { f.Until = f.From }))
	v.bad("grant-backward-window", frame.CodeFrameWindow, "F16", "a window that ends before it begins", grant(func(f *frame.Grant) { f.Until = f.From - 1 }))
}
