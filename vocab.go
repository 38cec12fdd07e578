package parley

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Limits of version 1. They hold for every implementation (spec/entry.md).
const (
	MaxParty    = 20        // members of a channel are numbered 1 to 20
	MaxUint     = 1<<53 - 1 // greatest integer anywhere in the protocol
	MaxSeen     = 64        // heads in an entry's seen list
	MaxSeenFast = 4         // heads cited by an entry in lanes 0 and 1
	MaxHeads    = 1024      // heads in HAVE, GENERATION, CLOSING and finals
)

// Hash is a SHA-256 value: a leaf, a root, a commitment or a channel.
type Hash [32]byte

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// Short is the first eight hex digits, for people; never compare by it.
func (h Hash) Short() string { return hex.EncodeToString(h[:4]) }

// Gen names one generation of a party's logs: eight random bytes drawn when
// the generation starts, shared by its five lanes.
type Gen [8]byte

func (g Gen) String() string { return hex.EncodeToString(g[:]) }

// Party is a member's number in its charter, 1 to MaxParty.
type Party uint8

// Role says what a member is in the channel.
type Role uint8

const (
	RoleParty    Role = 0
	RoleMediator Role = 1
	RoleObserver Role = 2
)

var roleNames = [...]string{"party", "mediator", "observer"}

func (r Role) String() string {
	if int(r) < len(roleNames) {
		return roleNames[r]
	}
	return "role " + strconv.Itoa(int(r))
}

// ParseRole reads the name that Role.String prints.
func ParseRole(s string) (Role, error) {
	for i, n := range roleNames {
		if strings.EqualFold(s, n) {
			return Role(i), nil
		}
	}
	return 0, Errorf(CodeOutOfRange, "no role %q; roles are party, mediator, observer", s)
}

// Lane is a log's precedence. Precedence belongs to the log, not to the
// message: an entry is FLASH because it stands in lane 0.
type Lane uint8

const (
	Flash     Lane = 0
	Immediate Lane = 1
	Priority  Lane = 2
	Routine   Lane = 3
	Deferred  Lane = 4 // bulk

	Lanes = 5
)

var laneNames = [Lanes]string{"FLASH", "IMMEDIATE", "PRIORITY", "ROUTINE", "DEFERRED"}

func (l Lane) String() string {
	if l < Lanes {
		return laneNames[l]
	}
	return "lane " + strconv.Itoa(int(l))
}

// Urgent reports whether the lane travels on the urgent connection.
func (l Lane) Urgent() bool { return l <= Priority }

// ParseLane reads the name that Lane.String prints, in any case.
func ParseLane(s string) (Lane, error) {
	for i, n := range laneNames {
		if strings.EqualFold(s, n) {
			return Lane(i), nil
		}
	}
	return 0, Errorf(CodeOutOfRange, "no precedence %q; they are FLASH, IMMEDIATE, PRIORITY, ROUTINE, DEFERRED", s)
}

// Audience says to whom an entry is addressed: ToAll, ToNobody, or a set of
// members built with AudienceOf.
type Audience uint32

const (
	ToAll    Audience = 0 // every member
	ToNobody Audience = 1 // nobody yet: committed now, opened later
)

// AudienceOf is the set of the given members.
func AudienceOf(members ...Party) Audience {
	var a Audience
	for _, m := range members {
		a |= 1 << m
	}
	return a
}

// Includes reports whether member m may read an entry addressed to a.
// The author is not a member of its own audience.
func (a Audience) Includes(m Party) bool {
	if a == ToAll {
		return true
	}
	return a != ToNobody && a&(1<<m) != 0
}

// Parties lists the members of a set, ascending; empty for ToAll and ToNobody.
func (a Audience) Parties() []Party {
	var ps []Party
	if a == ToAll || a == ToNobody {
		return nil
	}
	for v := uint32(a); v != 0; v &= v - 1 {
		ps = append(ps, Party(bits.TrailingZeros32(v)))
	}
	return ps
}

// Check reports whether a is a form that entry.to may have: 0, 1, or a set of
// members 1 to MaxParty. Whether the members exist, whether the author is
// among them and whether they are all the others is for CheckIn.
func (a Audience) Check() error {
	if a == ToAll || a == ToNobody {
		return nil
	}
	if a&1 != 0 || a >= 1<<(MaxParty+1) {
		return Errorf(CodeAudience, "audience %#x is not 0, 1 or a set of members", uint32(a))
	}
	return nil
}

// CheckIn checks a in the channel of charter c, for an entry by author.
func (a Audience) CheckIn(c *Charter, author Party) error {
	if err := a.Check(); err != nil {
		return err
	}
	if a == ToAll || a == ToNobody {
		return nil
	}
	var others Audience
	for _, m := range c.Members {
		if m.Index != author {
			others |= 1 << m.Index
		}
	}
	switch {
	case a.Includes(author):
		return Errorf(CodeAudience, "audience includes the author %d", author)
	case a&^others != 0:
		return Errorf(CodeAudience, "audience %#x names a member that the charter does not have", uint32(a))
	case a == others:
		return Errorf(CodeAudience, "audience names all others; that is written 0")
	}
	return nil
}

// Kind is an entry's type. 1 to 31 belong to the protocol and the hotline, 32
// and up to the other desks in blocks of 32. Unknown kinds are kept.
type Kind uint64

const (
	KindText       Kind = 1
	KindAnswer     Kind = 2
	KindKeys       Kind = 4
	KindList       Kind = 10
	KindOpening    Kind = 11
	KindNotice     Kind = 12
	KindGeneration Kind = 13
	KindManifest   Kind = 14 // reserved: attachments
	KindRootKeys   Kind = 16
	KindClosing    Kind = 18
)

// ForAll reports whether entries of kind k must be addressed to all members.
func (k Kind) ForAll() bool {
	switch k {
	case KindKeys, KindNotice, KindGeneration, KindRootKeys, KindClosing:
		return true
	}
	return false
}

// Clear reports whether kind k travels as a CLEAR frame.
func (k Kind) Clear() bool {
	return k == KindKeys || k == KindGeneration || k == KindRootKeys
}

// Openable reports whether an entry of kind k may be committed to nobody and
// opened later (protocol 7.4).
func (k Kind) Openable() bool {
	return k == KindText || k == KindAnswer || k == KindList || k >= 32
}

// LogID names one log: one writer, one lane, one generation, in one channel.
type LogID struct {
	Channel Hash
	Party   Party
	Lane    Lane
	Gen     Gen
}

// Origin is the log's C2SP checkpoint origin, at most 93 bytes:
//
//	parley/<channel, 64 hex>/<party>/<lane>/<generation, 16 hex>
func (l LogID) Origin() string {
	b := make([]byte, 0, 93)
	b = append(b, "parley/"...)
	b = hex.AppendEncode(b, l.Channel[:])
	b = append(b, '/')
	b = strconv.AppendUint(b, uint64(l.Party), 10)
	b = append(b, '/', '0'+byte(l.Lane), '/')
	b = hex.AppendEncode(b, l.Gen[:])
	return string(b)
}

// Hint is the first two bytes of SHA-256(origin), the log's short name in
// RECEIPT and BLIND frames.
func (l LogID) Hint() uint16 {
	h := sha256.Sum256([]byte(l.Origin()))
	return binary.BigEndian.Uint16(h[:])
}

func (l LogID) String() string {
	return fmt.Sprintf("%d/%s/%s", l.Party, l.Lane, l.Gen)
}

// ParseOrigin reads an origin; it accepts only what Origin prints.
func ParseOrigin(s string) (LogID, error) {
	var l LogID
	bad := Errorf(CodeOrigin, "%q is not a Parley log origin", s)
	f := strings.Split(s, "/")
	if len(f) != 5 || f[0] != "parley" || len(f[1]) != 64 || len(f[3]) != 1 || len(f[4]) != 16 {
		return l, bad
	}
	if _, err := hex.Decode(l.Channel[:], []byte(f[1])); err != nil {
		return l, bad
	}
	p, err := strconv.ParseUint(f[2], 10, 8)
	if err != nil || p < 1 || p > MaxParty {
		return l, bad
	}
	if f[3][0] < '0' || f[3][0] > '4' {
		return l, bad
	}
	if _, err := hex.Decode(l.Gen[:], []byte(f[4])); err != nil {
		return l, bad
	}
	l.Party, l.Lane = Party(p), Lane(f[3][0]-'0')
	if l.Origin() != s {
		return l, bad
	}
	return l, nil
}

// Head is a log's state as somebody cites it: how many entries, which root.
// Inside one channel; LogID adds the channel.
type Head struct {
	Party Party
	Lane  Lane
	Gen   Gen
	Size  uint64
	Root  Hash
}

// Log is the log that h is a head of, in channel ch.
func (h Head) Log(ch Hash) LogID { return LogID{ch, h.Party, h.Lane, h.Gen} }

// Ref points at one entry: a place and, by its leaf hash, a content.
type Ref struct {
	Party Party
	Lane  Lane
	Gen   Gen
	Index uint64
	Leaf  Hash
}

// Log is the log that r points into, in channel ch.
func (r Ref) Log(ch Hash) LogID { return LogID{ch, r.Party, r.Lane, r.Gen} }

// String is the short name that officers use: 2/FLASH/17.
// The generation is left out; where two generations must be told apart use Long.
func (r Ref) String() string {
	return fmt.Sprintf("%d/%s/%d", r.Party, r.Lane, r.Index)
}

// Long is the full place: 2/FLASH/<generation>/17.
func (r Ref) Long() string {
	return fmt.Sprintf("%d/%s/%s/%d", r.Party, r.Lane, r.Gen, r.Index)
}

// Compare orders references by place and content: party, lane, generation,
// index, leaf.
func (r Ref) Compare(o Ref) int {
	return cmp.Or(cmp.Compare(r.Party, o.Party), cmp.Compare(r.Lane, o.Lane), bytes.Compare(r.Gen[:], o.Gen[:]),
		cmp.Compare(r.Index, o.Index), bytes.Compare(r.Leaf[:], o.Leaf[:]))
}
