package parley

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"slices"
	"strings"
	"unicode"
)

// MaxCharter is the greatest size of an encoded charter.
const MaxCharter = 256 << 10

// MaxSpan is the greatest time in a charter's rules, in seconds: 68 years, so
// that sums of them and of a clock never overflow.
const MaxSpan = 1<<31 - 1

// Charter is a channel's constitution: its members and their keys, its
// witnesses and its rules, fixed for the channel's life. Any change is a
// successor channel with a charter of its own (spec/charter.md).
type Charter struct {
	Name      string
	Prev      *Hash  // the channel that this one succeeds, if any
	Finals    []Head // the heads of it that the members accept as final
	Members   []Member
	Witnesses []Witness
	Rules     Rules
	SignBy    uint64 // seconds since 1970; binds the signers, not verifiers
}

// Member is one party, mediator or observer of a channel.
type Member struct {
	Index  Party
	Role   Role
	Name   string
	RootEd []byte
	RootPQ []byte
	Keys   *Keys
}

// Witness is an independent log witness that the charter names: C2SP
// tlog-witness with an Ed25519 key, an ML-DSA-44 key, or both.
type Witness struct {
	Name string
	Ed   []byte // nil if none
	PQ   []byte // nil if none
}

// Rules are the numbers a channel agrees on. Times are in seconds.
type Rules struct {
	Quorum    string        // the group and quorum lines of a C2SP tlog-policy
	Window    uint64        // life of an audience key
	Prepos    uint64        // how long ahead windows may be granted
	Grace     uint64        // how long an audience key is kept after its window
	KemMax    uint64        // greatest life of a KEM key
	Heartbeat uint64        // longest silence of a live line
	Quota     [Lanes]uint64 // bytes per author, lane and UTC day
	MaxEntry  uint64        // bytes of one encoded entry
	Pad       uint64        // 1: pad frames on broadband carriers
}

// DefaultRules suit two or more nodes on broadband.
func DefaultRules() Rules {
	return Rules{
		Quorum:    "quorum none\n",
		Window:    7 * 86400,
		Prepos:    7 * 86400,
		Grace:     2 * 86400,
		KemMax:    90 * 86400,
		Heartbeat: 60,
		Quota:     [Lanes]uint64{8 << 20, 16 << 20, 64 << 20, 256 << 20, 1 << 30},
		MaxEntry:  64 << 10,
	}
}

// Member returns member i, or nil.
func (c *Charter) Member(i Party) *Member {
	for j := range c.Members {
		if c.Members[j].Index == i {
			return &c.Members[j]
		}
	}
	return nil
}

// Others lists the members other than me, ascending.
func (c *Charter) Others(me Party) []Party {
	var ps []Party
	for _, m := range c.Members {
		if m.Index != me {
			ps = append(ps, m.Index)
		}
	}
	return ps
}

// Encode is the charter's canonical form.
func (c *Charter) Encode() []byte {
	b := AppendArray(nil, 8)
	b = AppendUint(b, 1)
	b = AppendText(b, c.Name)
	if c.Prev == nil {
		b = AppendNull(b)
	} else {
		b = AppendBytes(b, c.Prev[:])
	}
	b = AppendHeads(b, c.Finals)
	b = AppendArray(b, len(c.Members))
	for i := range c.Members {
		m := &c.Members[i]
		b = AppendArray(b, 6)
		b = AppendUint(b, uint64(m.Index))
		b = AppendUint(b, uint64(m.Role))
		b = AppendText(b, m.Name)
		b = AppendBytes(b, m.RootEd)
		b = AppendBytes(b, m.RootPQ)
		b = AppendKeys(b, m.Keys)
	}
	b = AppendArray(b, len(c.Witnesses))
	for _, w := range c.Witnesses {
		b = AppendArray(b, 3)
		b = AppendText(b, w.Name)
		for _, key := range [][]byte{w.Ed, w.PQ} {
			if key == nil {
				b = AppendNull(b)
			} else {
				b = AppendBytes(b, key)
			}
		}
	}
	r := &c.Rules
	b = AppendArray(b, 9)
	b = AppendText(b, r.Quorum)
	for _, v := range []uint64{r.Window, r.Prepos, r.Grace, r.KemMax, r.Heartbeat} {
		b = AppendUint(b, v)
	}
	b = AppendArray(b, Lanes)
	for _, v := range r.Quota {
		b = AppendUint(b, v)
	}
	b = AppendUint(b, r.MaxEntry)
	b = AppendUint(b, r.Pad)
	return AppendUint(b, c.SignBy)
}

// Channel is the channel's identity: the hash of its charter.
func (c *Charter) Channel() Hash { return channelOf(c.Encode()) }

func channelOf(charter []byte) Hash {
	return sha256.Sum256(append([]byte("parley/charter/1\n"), charter...))
}

// ParseCharter reads the canonical form of a charter and checks every rule of
// it, the possession of its keys included. Signatures are SignedCharter's.
func ParseCharter(b []byte) (*Charter, error) {
	if len(b) > MaxCharter {
		return nil, Errorf(CodeTooLarge, "a charter of %d bytes; at most %d are allowed", len(b), MaxCharter)
	}
	d := NewDecoder(b, 6)
	var c Charter
	d.Array(8, 8)
	if v := d.Uint(MaxUint); d.err == nil && v != 1 {
		return nil, Errorf(CodeVersion, "charter version %d; this program reads version 1", v)
	}
	c.Name = d.Text(0, 200)
	if !d.Null() {
		h := d.Hash()
		c.Prev = &h
	}
	c.Finals = d.Heads(MaxHeads)
	for range d.Array(2, MaxParty) {
		c.Members = append(c.Members, d.member())
		if d.err != nil {
			return nil, d.err
		}
	}
	for range d.Array(0, 64) {
		w := Witness{}
		d.Array(3, 3)
		w.Name = d.Text(0, 200)
		if !d.Null() {
			w.Ed = d.Bytes(SizeEd, SizeEd)
		}
		if !d.Null() {
			w.PQ = d.Bytes(SizePQ, SizePQ)
		}
		c.Witnesses = append(c.Witnesses, w)
	}
	r := &c.Rules
	d.Array(9, 9)
	r.Quorum = d.Text(0, 16<<10)
	for _, v := range []*uint64{&r.Window, &r.Prepos, &r.Grace, &r.KemMax, &r.Heartbeat} {
		*v = d.Uint(MaxUint)
	}
	d.Array(Lanes, Lanes)
	for i := range r.Quota {
		r.Quota[i] = d.Uint(MaxUint)
	}
	r.MaxEntry = d.Uint(MaxUint)
	r.Pad = d.Uint(1)
	c.SignBy = d.Uint(MaxUint)
	if err := d.End(); err != nil {
		return nil, err
	}
	if !bytes.Equal(c.Encode(), b) {
		return nil, Errorf(CodeNotCanonical, "the charter does not re-encode to the same bytes")
	}
	if err := c.Check(); err != nil {
		return nil, err
	}
	return &c, nil
}

func (d *Decoder) member() Member {
	var m Member
	d.Array(6, 6)
	m.Index = d.Party()
	m.Role = Role(d.Uint(uint64(RoleObserver)))
	m.Name = d.Text(0, 200)
	m.RootEd = d.Bytes(SizeEd, SizeEd)
	m.RootPQ = d.Bytes(SizePQ, SizePQ)
	m.Keys = d.Keys()
	return m
}

// invisible are characters that Unicode counts as graphic although they may
// show nothing: U+2800 is the blank braille pattern.
var invisible = []*unicode.RangeTable{
	unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector,
	{R16: []unicode.Range16{{Lo: 0x2800, Hi: 0x2800, Stride: 1}}},
}

// CheckName refuses a name that two people could read differently: empty,
// longer than 64 bytes, with control or invisible characters, or padded.
func CheckName(s string) error {
	if s == "" || len(s) > 64 || s != string(bytes.TrimSpace([]byte(s))) {
		return Errorf(CodeName, "%q is not a name of 1 to 64 bytes", s)
	}
	for _, r := range s {
		if !unicode.IsGraphic(r) || unicode.In(r, invisible...) || unicode.IsSpace(r) && r != ' ' {
			return Errorf(CodeName, "name %q contains the character %U", s, r)
		}
	}
	return nil
}

// Check checks every rule of a charter that does not need its signatures.
func (c *Charter) Check() error {
	if err := CheckName(c.Name); err != nil {
		return err
	}
	if c.Prev == nil && len(c.Finals) > 0 {
		return Errorf(CodeLength, "a charter without a predecessor names final heads")
	}
	if len(c.Members) < 2 || len(c.Members) > MaxParty {
		return Errorf(CodeMembers, "a charter of %d members", len(c.Members))
	}
	names := map[string]bool{}
	keys := map[string]bool{}
	once := func(ks ...[]byte) error {
		for _, k := range ks {
			if keys[string(k)] {
				return Errorf(CodeKeyRepeated, "a public key occurs twice in the charter")
			}
			keys[string(k)] = true
		}
		return nil
	}
	name := func(s string) error {
		if err := CheckName(s); err != nil {
			return err
		}
		if names[s] {
			return Errorf(CodeName, "the name %q occurs twice", s)
		}
		names[s] = true
		return nil
	}
	for i := range c.Members {
		m := &c.Members[i]
		if m.Index != Party(i+1) {
			return Errorf(CodeMembers, "member %d stands at place %d", m.Index, i+1)
		}
		if err := name(m.Name); err != nil {
			return err
		}
		if err := CheckEd(m.RootEd); err != nil {
			return err
		}
		if err := CheckPQ(m.RootPQ); err != nil {
			return err
		}
		if err := once(append(m.Keys.All(), m.RootEd, m.RootPQ)...); err != nil {
			return err
		}
		if err := m.Keys.Check(RootID(m.RootEd, m.RootPQ)); err != nil {
			return err
		}
	}
	for _, w := range c.Witnesses {
		if err := name(w.Name); err != nil {
			return err
		}
		// SPEC (C2SP signed-note): a key name holds no space and no plus.
		// "none" is a word of the quorum rule.
		if strings.ContainsAny(w.Name, " +") || w.Name == "none" {
			return Errorf(CodeName, "the witness name %q is “none” or contains a space or a plus", w.Name)
		}
		if w.Ed == nil && w.PQ == nil {
			return Errorf(CodeKey, "witness %q has no key", w.Name)
		}
		if w.Ed != nil {
			if err := CheckEd(w.Ed); err != nil {
				return err
			}
			if err := once(w.Ed); err != nil {
				return err
			}
		}
		if w.PQ != nil {
			if err := CheckPQ(w.PQ); err != nil {
				return err
			}
			if err := once(w.PQ); err != nil {
				return err
			}
		}
	}
	r := &c.Rules
	for _, v := range []uint64{r.Window, r.Prepos, r.Grace, r.KemMax, r.Heartbeat} {
		if v > MaxSpan {
			return Errorf(CodeOutOfRange, "rules: a time of %d s; at most %d are allowed", v, MaxSpan)
		}
	}
	if r.Window < 60 || r.Heartbeat < 1 || r.KemMax < r.Window {
		return Errorf(CodeOutOfRange, "rules: a window of at least 60 s, a heartbeat of at least 1 s, kemMax not below the window")
	}
	if r.MaxEntry < 1024 || r.MaxEntry > MaxEntry {
		return Errorf(CodeOutOfRange, "rules: maxEntry %d is not between 1024 and %d", r.MaxEntry, MaxEntry)
	}
	_, err := c.Quorum()
	return err
}

// SignedCharter is a charter with the signatures gathered so far: the file
// that travels between the members by hand.
type SignedCharter struct {
	Charter []byte // canonical; the channel is its hash
	Sigs    []CharterSig
}

// CharterSig is one member's agreement, by both of its root keys.
type CharterSig struct {
	Index  Party
	Ed, PQ []byte
}

// CharterMessage is what each member's root keys sign.
func CharterMessage(ch Hash) []byte {
	return append([]byte("parley/charter/1\n"), ch[:]...)
}

// Encode is the file's canonical form.
func (s *SignedCharter) Encode() []byte {
	b := AppendArray(nil, 2)
	b = AppendBytes(b, s.Charter)
	b = AppendArray(b, len(s.Sigs))
	for _, g := range s.Sigs {
		b = AppendArray(b, 3)
		b = AppendUint(b, uint64(g.Index))
		b = AppendBytes(b, g.Ed)
		b = AppendBytes(b, g.PQ)
	}
	return b
}

// Channel is the identity of the charter inside.
func (s *SignedCharter) Channel() Hash { return channelOf(s.Charter) }

// ParseSignedCharter reads a signed charter, complete or not. The charter is
// returned checked and every signature present is verified.
func ParseSignedCharter(b []byte) (*SignedCharter, *Charter, error) {
	if len(b) > MaxCharter+MaxParty*2600 {
		return nil, nil, Errorf(CodeTooLarge, "a signed charter of %d bytes", len(b))
	}
	d := NewDecoder(b, 6)
	var s SignedCharter
	d.Array(2, 2)
	s.Charter = d.Bytes(1, MaxCharter)
	for range d.Array(0, MaxParty) {
		var g CharterSig
		d.Array(3, 3)
		g.Index = d.Party()
		g.Ed = d.Bytes(SizeEdSig, SizeEdSig)
		g.PQ = d.Bytes(SizePQSig, SizePQSig)
		if n := len(s.Sigs); d.err == nil && n > 0 && s.Sigs[n-1].Index >= g.Index {
			d.Fail(Errorf(CodeNotSorted, "the charter's signatures are not sorted by member"))
		}
		s.Sigs = append(s.Sigs, g)
	}
	if err := d.End(); err != nil {
		return nil, nil, err
	}
	c, err := ParseCharter(s.Charter)
	if err != nil {
		return nil, nil, err
	}
	msg := CharterMessage(s.Channel())
	for _, g := range s.Sigs {
		m := c.Member(g.Index)
		if m == nil {
			return nil, nil, Errorf(CodeMembers, "a signature of member %d, which the charter does not have", g.Index)
		}
		if !ed25519.Verify(m.RootEd, msg, g.Ed) || !VerifyPQ(m.RootPQ, msg, g.PQ) {
			return nil, nil, Errorf(CodeSignature, "the signature of member %d (%s) on the charter does not fit", m.Index, m.Name)
		}
	}
	return &s, c, nil
}

// Add puts g among the signatures, in order, replacing an older one of the
// same member.
func (s *SignedCharter) Add(g CharterSig) {
	i, found := slices.BinarySearchFunc(s.Sigs, g.Index, func(x CharterSig, i Party) int { return int(x.Index) - int(i) })
	if found {
		s.Sigs[i] = g
		return
	}
	s.Sigs = slices.Insert(s.Sigs, i, g)
}

// Missing lists the members whose signature is absent. The charter is in
// force when none is.
func (s *SignedCharter) Missing(c *Charter) []Party {
	var ps []Party
	for _, m := range c.Members {
		if !slices.ContainsFunc(s.Sigs, func(g CharterSig) bool { return g.Index == m.Index }) {
			ps = append(ps, m.Index)
		}
	}
	return ps
}
