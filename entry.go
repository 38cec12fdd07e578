package parley

import (
	"bytes"
	"cmp"
)

// MaxEntry is the greatest size of an encoded entry that any charter may allow.
const MaxEntry = 1 << 20

// Entry is one thing a party says. What the record keeps is a salted
// commitment to its encoding (package journal).
type Entry struct {
	Kind Kind
	To   Audience
	Time uint64 // seconds since 1970 by the author's clock: a claim
	Seen []Head // heads that changed since the author's last entry, sorted
	Body []byte // in the format of its kind
}

// CompareLog orders heads by party, lane and generation, the order of every
// list of heads.
func CompareLog(a, b Head) int {
	return cmp.Or(cmp.Compare(a.Party, b.Party), cmp.Compare(a.Lane, b.Lane), bytes.Compare(a.Gen[:], b.Gen[:]))
}

// AppendHead appends the encoding of h: [party, lane, gen, size, root].
func AppendHead(b []byte, h Head) []byte {
	b = AppendArray(b, 5)
	b = AppendUint(b, uint64(h.Party))
	b = AppendUint(b, uint64(h.Lane))
	b = AppendBytes(b, h.Gen[:])
	b = AppendUint(b, h.Size)
	return AppendBytes(b, h.Root[:])
}

// AppendHeads appends a list of heads.
func AppendHeads(b []byte, hs []Head) []byte {
	b = AppendArray(b, len(hs))
	for _, h := range hs {
		b = AppendHead(b, h)
	}
	return b
}

// Head reads a head.
func (d *Decoder) Head() (h Head) {
	d.Array(5, 5)
	h.Party = d.Party()
	h.Lane = Lane(d.Uint(Lanes - 1))
	h.Gen = d.Gen()
	h.Size = d.Uint(MaxUint)
	h.Root = d.Hash()
	return h
}

// Heads reads a list of at most max heads, which must be sorted and name each
// log once.
func (d *Decoder) Heads(max int) []Head {
	n := d.Array(0, max)
	var hs []Head
	for i := range n {
		h := d.Head()
		if d.err != nil {
			return nil
		}
		if i > 0 && CompareLog(hs[i-1], h) >= 0 {
			d.Fail(Errorf(CodeNotSorted, "heads are not sorted by party, lane and generation"))
			return nil
		}
		hs = append(hs, h)
	}
	return hs
}

// Party reads a member's number.
func (d *Decoder) Party() Party {
	p := d.Uint(MaxParty)
	if d.err == nil && p == 0 {
		d.Fail(Errorf(CodeOutOfRange, "member number 0; members count from 1"))
	}
	return Party(p)
}

// AppendRef appends the encoding of r: [party, lane, gen, index, leaf].
func AppendRef(b []byte, r Ref) []byte {
	b = AppendArray(b, 5)
	b = AppendUint(b, uint64(r.Party))
	b = AppendUint(b, uint64(r.Lane))
	b = AppendBytes(b, r.Gen[:])
	b = AppendUint(b, r.Index)
	return AppendBytes(b, r.Leaf[:])
}

// Ref reads a reference.
func (d *Decoder) Ref() (r Ref) {
	d.Array(5, 5)
	r.Party = d.Party()
	r.Lane = Lane(d.Uint(Lanes - 1))
	r.Gen = d.Gen()
	r.Index = d.Uint(MaxUint)
	r.Leaf = d.Hash()
	return r
}

// Encode is the canonical form of e. It panics on a value that Check refuses
// for its numbers; call Check first on anything a person typed.
func (e *Entry) Encode() []byte {
	b := make([]byte, 0, 24+len(e.Body)+len(e.Seen)*56)
	b = AppendArray(b, 5)
	b = AppendUint(b, uint64(e.Kind))
	b = AppendUint(b, uint64(e.To))
	b = AppendUint(b, e.Time)
	b = AppendHeads(b, e.Seen)
	return AppendBytes(b, e.Body)
}

// Check reports whether e may stand in the given lane: a valid audience, the
// kind's audience and lane, and the number of heads that the lane may cite.
// Of the body it looks only at whether a GENERATION carries ROOTKEYS, which
// also stand in lane ROUTINE alone; the kind's owner reads the rest.
func (e *Entry) Check(lane Lane) error {
	if err := e.To.Check(); err != nil {
		return err
	}
	if e.Kind == 0 || e.Kind > MaxUint || e.Time > MaxUint {
		return Errorf(CodeOutOfRange, "kind %d or time %d is out of range", e.Kind, e.Time)
	}
	if e.Kind.ForAll() && e.To != ToAll {
		return Errorf(CodeKindAudience, "an entry of kind %d is addressed to some members only", e.Kind)
	}
	if (e.Kind == KindKeys || e.Kind == KindRootKeys) && lane != Routine {
		return Errorf(CodeKindLane, "an entry of kind %d stands in lane %s, not ROUTINE", e.Kind, lane)
	}
	if e.Kind == KindGeneration && lane != Routine {
		if g, err := ParseGeneration(e.Body); err == nil && g.RootKeys != nil {
			return Errorf(CodeKindLane, "a GENERATION in lane %s carries ROOTKEYS, which stand in ROUTINE", lane)
		}
	}
	max := MaxSeen
	if lane <= Immediate {
		max = MaxSeenFast
	}
	if len(e.Seen) > max && e.Kind != KindGeneration {
		return Errorf(CodeLength, "an entry in lane %s cites %d heads, at most %d are allowed", lane, len(e.Seen), max)
	}
	return nil
}

// ParseEntry reads the canonical form of an entry. It checks the shape; Check
// checks the lane's and the kind's rules.
func ParseEntry(b []byte) (*Entry, error) {
	if len(b) > MaxEntry {
		return nil, Errorf(CodeTooLarge, "an entry of %d bytes; at most %d are allowed", len(b), MaxEntry)
	}
	d := NewDecoder(b, 4)
	var e Entry
	d.Array(5, 5)
	e.Kind = Kind(d.Uint(MaxUint))
	e.To = Audience(d.Uint(1<<(MaxParty+1) - 1))
	e.Time = d.Uint(MaxUint)
	e.Seen = d.Heads(MaxSeen)
	e.Body = d.Bytes(0, MaxEntry)
	if err := d.End(); err != nil {
		return nil, err
	}
	if e.Kind == 0 {
		return nil, Errorf(CodeOutOfRange, "entry kind 0")
	}
	if err := e.To.Check(); err != nil {
		return nil, err
	}
	// The reader accepts only the canonical form; this is the belt to its braces.
	if !bytes.Equal(e.Encode(), b) {
		return nil, Errorf(CodeNotCanonical, "the entry does not re-encode to the same bytes")
	}
	return &e, nil
}
