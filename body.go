package parley

import "crypto/ed25519"

// Bodies of the protocol's own kinds. The hotline's (TEXT, ANSWER) and the
// other desks' stand in their packages.

// Reason says why a generation was started.
type Reason uint8

const (
	ReasonFirst    Reason = 0 // the member's first generation in the channel
	ReasonStale    Reason = 1 // a peer or witness knew more than the store
	ReasonRestored Reason = 2 // the store was restored, copied, or is in doubt
	ReasonRotation Reason = 3 // new keys
	ReasonFork     Reason = 4 // after a fork
	ReasonMerge    Reason = 5 // names two open generations and closes both
	maxReason             = 5
)

var reasonNames = [...]string{"first", "stale store", "restored", "new keys", "after a fork", "merge"}

func (r Reason) String() string { return reasonNames[r] }

// Generation is the body of the first entry of each lane (kind 13): which
// generations it succeeds, why, and where the author stood in them.
type Generation struct {
	Prev     []Gen
	Reason   Reason
	Last     []Head // last known own head of every lane of Prev
	RootKeys *RootKeys
}

// Encode is the body's canonical form.
func (g *Generation) Encode() []byte {
	b := AppendArray(nil, 4)
	b = AppendArray(b, len(g.Prev))
	for _, p := range g.Prev {
		b = AppendBytes(b, p[:])
	}
	b = AppendUint(b, uint64(g.Reason))
	b = AppendHeads(b, g.Last)
	if g.RootKeys == nil {
		return AppendNull(b)
	}
	return AppendRootKeys(b, g.RootKeys)
}

// ParseGeneration reads the body of kind 13.
func ParseGeneration(b []byte) (*Generation, error) {
	d := NewDecoder(b, 6)
	var g Generation
	d.Array(4, 4)
	for i := range d.Array(0, MaxHeads) {
		p := d.Gen()
		if i > 0 && d.err == nil && string(g.Prev[i-1][:]) >= string(p[:]) {
			d.Fail(Errorf(CodeNotSorted, "the generations that a GENERATION names are not sorted"))
		}
		g.Prev = append(g.Prev, p)
	}
	g.Reason = Reason(d.Uint(maxReason))
	g.Last = d.Heads(MaxHeads)
	if !d.Null() {
		g.RootKeys = d.RootKeys()
	}
	if err := d.End(); err != nil {
		return nil, err
	}
	return &g, nil
}

// KeysBody is the body of KEYS (kind 4): the node's key for receiving grants.
// It is signed by the log key on its own, so that it applies as soon as it
// arrives, whatever is missing before it.
type KeysBody struct {
	KEM   []byte // MLKEM768-X25519 public key, 1216 bytes
	Until uint64 // seconds since 1970; readers use the newest key whatever its age
	Addrs []string
	Sig   []byte
}

// SizeKEM is the size of an MLKEM768-X25519 public key, HPKE KEM 0x647a.
const SizeKEM = 1216

func (k *KeysBody) appendSigned(b []byte) []byte {
	b = AppendBytes(b, k.KEM)
	b = AppendUint(b, k.Until)
	b = AppendArray(b, len(k.Addrs))
	for _, a := range k.Addrs {
		b = AppendText(b, a)
	}
	return b
}

// Message is what the log key signs, for the entry at index of the member's
// ROUTINE lane in generation gen.
func (k *KeysBody) Message(ch Hash, member Party, gen Gen, index uint64) []byte {
	b := append([]byte("parley/keys/1\n"), ch[:]...)
	b = append(b, byte(member))
	b = append(b, gen[:]...)
	for i := 7; i >= 0; i-- {
		b = append(b, byte(index>>(8*i)))
	}
	return k.appendSigned(AppendArray(b, 3))
}

// Verify checks that the log key of the member's generation signed the body
// for this place. Whether the KEM key can be sealed to is for package seal.
func (k *KeysBody) Verify(logEd []byte, ch Hash, member Party, gen Gen, index uint64) error {
	if len(logEd) != SizeEd || !ed25519.Verify(logEd, k.Message(ch, member, gen, index), k.Sig) {
		return Errorf(CodeSignature, "the log key of member %d did not sign these KEYS", member)
	}
	return nil
}

// Encode is the body's canonical form.
func (k *KeysBody) Encode() []byte {
	return AppendBytes(k.appendSigned(AppendArray(nil, 4)), k.Sig)
}

// ParseKeysBody reads the body of kind 4.
func ParseKeysBody(b []byte) (*KeysBody, error) {
	d := NewDecoder(b, 2)
	var k KeysBody
	d.Array(4, 4)
	k.KEM = d.Bytes(SizeKEM, SizeKEM)
	k.Until = d.Uint(MaxUint)
	for range d.Array(0, 16) {
		k.Addrs = append(k.Addrs, d.Text(1, 256))
	}
	k.Sig = d.Bytes(SizeEdSig, SizeEdSig)
	if err := d.End(); err != nil {
		return nil, err
	}
	return &k, nil
}

// ParseRootKeys reads the body of kind 16.
func ParseRootKeys(b []byte) (*RootKeys, error) {
	d := NewDecoder(b, 4)
	r := d.RootKeys()
	if err := d.End(); err != nil {
		return nil, err
	}
	return r, nil
}

// Notice is the body of kind 12: something every member should see, with its
// evidence. The codes are those of the notices below; unknown ones are kept.
type Notice struct {
	Code     string
	Evidence []byte
}

// Codes of notices.
const (
	NoticeFork      = "fork"       // evidence: a fork proof (spec/journal.md)
	NoticeRunsTwice = "runs-twice" // a party has two open generations
	NoticeLeaving   = "leaving"    // the author leaves the channel
	NoticeLost      = "lost-salt"  // a commitment cannot be opened; it is made again
)

// Encode is the body's canonical form.
func (n *Notice) Encode() []byte {
	return AppendBytes(AppendText(AppendArray(nil, 2), n.Code), n.Evidence)
}

// ParseNotice reads the body of kind 12.
func ParseNotice(b []byte) (*Notice, error) {
	d := NewDecoder(b, 1)
	var n Notice
	d.Array(2, 2)
	n.Code = d.Text(1, 64)
	n.Evidence = d.Bytes(0, MaxEntry)
	if err := d.End(); err != nil {
		return nil, err
	}
	return &n, nil
}

// Closing is the body of kind 18: the author's last word in a lane, naming
// the channel that succeeds this one and the heads it accepts.
type Closing struct {
	Successor Hash
	Finals    []Head
}

// Encode is the body's canonical form.
func (c *Closing) Encode() []byte {
	return AppendHeads(AppendBytes(AppendArray(nil, 2), c.Successor[:]), c.Finals)
}

// ParseClosing reads the body of kind 18.
func ParseClosing(b []byte) (*Closing, error) {
	d := NewDecoder(b, 4)
	var c Closing
	d.Array(2, 2)
	c.Successor = d.Hash()
	c.Finals = d.Heads(MaxHeads)
	if err := d.End(); err != nil {
		return nil, err
	}
	return &c, nil
}

// List is the body of kind 10: lines of text, in reply to an entry or not.
type List struct {
	Ref   *Ref
	Items []string
}

// Encode is the body's canonical form.
func (l *List) Encode() []byte {
	b := AppendArray(nil, 2)
	if l.Ref == nil {
		b = AppendNull(b)
	} else {
		b = AppendRef(b, *l.Ref)
	}
	b = AppendArray(b, len(l.Items))
	for _, s := range l.Items {
		b = AppendText(b, s)
	}
	return b
}

// ParseList reads the body of kind 10.
func ParseList(b []byte) (*List, error) {
	d := NewDecoder(b, 3)
	var l List
	d.Array(2, 2)
	if !d.Null() {
		r := d.Ref()
		l.Ref = &r
	}
	for range d.Array(0, 10000) {
		l.Items = append(l.Items, d.Text(0, 4096))
		if d.err != nil {
			return nil, d.err
		}
	}
	if err := d.End(); err != nil {
		return nil, err
	}
	return &l, nil
}

// Opening is the body of kind 11: it opens an earlier commitment of the same
// author (an entry addressed to nobody).
type Opening struct {
	Ref   Ref
	Salt  Hash
	Entry []byte // canonical, with To = ToNobody
}

// Encode is the body's canonical form.
func (o *Opening) Encode() []byte {
	b := AppendRef(AppendArray(nil, 3), o.Ref)
	return AppendBytes(AppendBytes(b, o.Salt[:]), o.Entry)
}

// ParseOpening reads the body of kind 11. The inner entry is addressed to
// nobody and its kind is one that may be opened later.
func ParseOpening(b []byte) (*Opening, *Entry, error) {
	d := NewDecoder(b, 2)
	var o Opening
	d.Array(3, 3)
	o.Ref = d.Ref()
	o.Salt = d.Hash()
	o.Entry = d.Bytes(1, MaxEntry)
	if err := d.End(); err != nil {
		return nil, nil, err
	}
	e, err := ParseEntry(o.Entry)
	if err != nil {
		return nil, nil, err
	}
	if e.To != ToNobody {
		return nil, nil, Errorf(CodeAudience, "an opening of an entry that was addressed to members")
	}
	if !e.Kind.Openable() {
		return nil, nil, Errorf(CodeOutOfRange, "an entry of kind %d cannot be committed and opened later", e.Kind)
	}
	return &o, e, nil
}

// CheckBody parses the body of the protocol's own kinds and reports the rule
// it breaks. Kinds of the desks, and unknown ones, are not looked into.
func (e *Entry) CheckBody() error {
	var err error
	switch e.Kind {
	case KindKeys:
		_, err = ParseKeysBody(e.Body)
	case KindList:
		_, err = ParseList(e.Body)
	case KindOpening:
		_, _, err = ParseOpening(e.Body)
	case KindNotice:
		_, err = ParseNotice(e.Body)
	case KindGeneration:
		_, err = ParseGeneration(e.Body)
	case KindRootKeys:
		_, err = ParseRootKeys(e.Body)
	case KindClosing:
		_, err = ParseClosing(e.Body)
	}
	return err
}
