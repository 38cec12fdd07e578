package hotline

import (
	"cmp"
	"slices"
	"time"

	"parley"
)

// record is one entry of the hotline as it was stored. Nothing in it changes
// but its standing.
type record struct {
	ref      parley.Ref
	kind     parley.Kind
	to       parley.Audience
	readers  parley.Audience // to, spelled out
	time     uint64          // its author's claim
	order    uint64          // the claim, or the greatest one before it in its log: see Timeline
	stored   time.Time
	standing parley.Standing
	noted    bool  // note has taken it in
	body     Body  // nil if bad is not
	bad      error // why it is malformed
}

// counts reports whether the record may change what the desk shows of others.
func (r *record) counts() bool { return r.bad == nil && r.standing.Effective() }

// proof is the time from which the record proves its author alive.
func (r *record) proof() uint64 { return proofTime(r.stored, r.time) }

// line and typ of the record's body; 0 and Operation where it has none.
func (r *record) line() (uint8, Type) {
	switch b := r.body.(type) {
	case *Text:
		return b.Line, b.Type
	case *Attempt:
		return b.Line, b.Type
	case *Query:
		return b.Line, b.Type
	}
	return 0, Operation
}

type logKey struct {
	party parley.Party
	lane  parley.Lane
	gen   parley.Gen
}

func keyOf(r parley.Ref) logKey { return logKey{r.Party, r.Lane, r.Gen} }

type holder struct {
	by  parley.Party
	log logKey
}

// onLine names a member's doings on a line within one type of traffic.
type onLine struct {
	line  uint8
	party parley.Party
	typ   Type
}

// talk names the calls between two members on one line.
type talk struct {
	line uint8
	a, b parley.Party // a < b
	typ  Type
}

func talkOf(a *Attempt, called parley.Party) talk {
	return talk{a.Line, min(called, a.Caller), max(called, a.Caller), a.Type}
}

// Desk is one member's hotline: the facts it was told, and the questions to
// them. See the package comment.
type Desk struct {
	charter *parley.Charter
	me      parley.Party

	// Facts. They only grow.
	records map[parley.Ref]*record
	logs    map[logKey][]*record     // by index
	size    map[logKey]uint64        // entries seen of each log, of any kind
	about   map[parley.Ref][]*record // what refers to an entry, in order of arrival
	beside  map[parley.Ref][]*record // what translates it; not among about
	lines   map[uint8][]*record      // proposals by number
	byLine  map[lineLog][]*record    // what stands on a line, by log and index
	calls   []*record                // attempts, earliest call first
	held    map[holder][]held        // receipts
	life    map[parley.Party]uint64  // newest proof of life of a member
	onLine  map[onLine]uint64        // newest proof of life on a line
	talked  map[talk]uint64          // newest call between two that came through
	badSeen int                      // malformed entries

	// open holds the messages, queries and calls about which somebody may owe
	// something, so that Due need not look at the whole record.
	open map[parley.Ref]*record
}

// New is an empty desk of member me in the channel of charter ch.
func New(ch *parley.Charter, me parley.Party) *Desk {
	return &Desk{
		charter: ch, me: me,
		records: map[parley.Ref]*record{}, logs: map[logKey][]*record{}, size: map[logKey]uint64{},
		about: map[parley.Ref][]*record{}, beside: map[parley.Ref][]*record{}, lines: map[uint8][]*record{},
		held: map[holder][]held{}, life: map[parley.Party]uint64{}, onLine: map[onLine]uint64{}, byLine: map[lineLog][]*record{},
		talked: map[talk]uint64{}, open: map[parley.Ref]*record{},
	}
}

// Apply takes in an entry. Entries of other desks only count as proof of their
// author's life. A repeated entry changes nothing but its standing.
func (d *Desk) Apply(p parley.Posted) {
	log := keyOf(p.Ref)
	d.size[log] = max(d.size[log], p.Ref.Index+1)
	if p.Standing.Effective() {
		raise(d.life, p.Ref.Party, proofTime(p.Stored, p.Entry.Time))
	}
	if !Owns(p.Entry.Kind) {
		return
	}
	if r := d.records[p.Ref]; r != nil {
		r.standing = p.Standing
		if r.counts() && !r.noted {
			d.note(r)
		}
		d.touch(r)
		if about := aboutOf(r); about != nil {
			d.touch(d.records[*about])
		}
		return
	}
	r := d.read(p)
	d.records[r.ref] = r
	d.logs[log] = insert(d.logs[log], r, byPlace)
	d.index(log, r)
	if r.bad != nil {
		d.badSeen++
		return
	}
	if t, ok := r.body.(*Translation); ok {
		d.beside[t.About] = append(d.beside[t.About], r)
	}
	if about := aboutOf(r); about != nil {
		d.about[*about] = append(d.about[*about], r)
	}
	if r.counts() {
		d.note(r)
	}
	d.touch(r)
	if about := aboutOf(r); about != nil {
		d.touch(d.records[*about])
	}
}

// read makes the record of an entry, malformed or not.
func (d *Desk) read(p parley.Posted) *record {
	e := p.Entry
	r := &record{ref: p.Ref, kind: e.Kind, to: e.To, readers: d.charter.Readers(p.Ref.Party, e.To),
		time: e.Time, stored: p.Stored, standing: p.Standing}
	if p.Standing == parley.Malformed {
		r.bad = parley.Errorf(parley.CodeNotCanonical, "the entry breaks a rule of its format")
		return r
	}
	r.body, r.bad = Parse(e.Kind, e.Body)
	if r.bad == nil {
		r.bad = r.body.CheckIn(d.charter, p.Ref.Party, p.Ref.Lane, e.To)
	}
	if r.bad != nil {
		r.body = nil
	}
	return r
}

// note draws from a record the facts that are kept as a newest time.
func (d *Desk) note(r *record) {
	r.noted = true
	line, typ := r.line()
	if line != 0 {
		raise(d.onLine, onLine{line, r.ref.Party, typ}, r.proof())
		for _, x := range d.about[r.ref] { // answers that came before what they answer
			d.noteAnswer(x, r)
		}
	}
	switch b := r.body.(type) {
	case *Answer:
		if m := d.records[b.About]; m != nil {
			d.noteAnswer(r, m)
		}
	case *Line:
		d.lines[b.Number] = append(d.lines[b.Number], r)
	case *Attempt:
		d.calls = insert(d.calls, r, byCall)
		if b.Outcome == Connected {
			for _, p := range b.Called.Parties() {
				raise(d.talked, talkOf(b, p), b.At)
			}
		}
	}
}

// noteAnswer takes an answer about something said on a line as a proof of the
// answerer's life on that line, if it was addressed.
func (d *Desk) noteAnswer(a, m *record) {
	line, typ := m.line()
	if a.kind == KindAnswer && a.counts() && m.counts() && line != 0 && m.readers.Includes(a.ref.Party) && m.readers != 0 {
		raise(d.onLine, onLine{line, a.ref.Party, typ}, a.proof())
	}
}

// touch keeps or drops a record among the open ones.
func (d *Desk) touch(r *record) {
	if r == nil {
		return
	}
	if r.counts() && d.owes(r) {
		d.open[r.ref] = r
	} else {
		delete(d.open, r.ref)
	}
}

// aboutOf is the entry that a record refers to, if any.
func aboutOf(r *record) *parley.Ref {
	switch b := r.body.(type) {
	case *Answer:
		return &b.About
	case *Text:
		return b.About
	case *Query:
		return b.About
	}
	return nil
}

// held is one receipt: its giver stated at Time that it holds Size entries.
type held struct{ size, time uint64 }

// Proof takes in a verified receipt.
func (d *Desk) Proof(p parley.Receipted) {
	raise(d.life, p.By, proofTime(p.Stored, p.Time))
	k := holder{p.By, logKey{p.Head.Party, p.Head.Lane, p.Head.Gen}}
	hs := d.held[k]
	// Kept are the receipts that state something earlier or further than all
	// others, sorted by size; their times ascend with it.
	i, _ := slices.BinarySearchFunc(hs, p.Head.Size, func(h held, s uint64) int { return cmp.Compare(h.size, s) })
	if i < len(hs) && hs[i].time <= p.Time {
		return
	}
	j := i
	if j < len(hs) && hs[j].size == p.Head.Size {
		j++
	}
	for i > 0 && hs[i-1].time >= p.Time {
		i--
	}
	d.held[k] = slices.Replace(hs, i, j, held{p.Head.Size, p.Time})
}

// heldSince is the earliest time at which by stated that it holds r.
func (d *Desk) heldSince(by parley.Party, r parley.Ref) (uint64, bool) {
	hs := d.held[holder{by, keyOf(r)}]
	i, _ := slices.BinarySearchFunc(hs, r.Index+1, func(h held, s uint64) int { return cmp.Compare(h.size, s) })
	if i == len(hs) {
		return 0, false
	}
	return hs[i].time, true
}

// Malformed is how many malformed entries the desk was given.
func (d *Desk) Malformed() int { return d.badSeen }

// proofTime is the newest time at which something proves its author alive: not
// after it reached us, and not after its author says. An old entry that
// arrives by a detour proves nothing about now, nor does a claim about the
// future.
func proofTime(stored time.Time, claim uint64) uint64 {
	if stored.IsZero() {
		return claim
	}
	return min(claim, unix(stored))
}

func raise[K comparable](m map[K]uint64, k K, v uint64) {
	if v > m[k] {
		m[k] = v
	}
}

// insert keeps a list in order; most records belong at its end.
func insert(rs []*record, r *record, order func(a, b *record) int) []*record {
	if n := len(rs); n == 0 || order(rs[n-1], r) < 0 {
		return append(rs, r)
	}
	i, _ := slices.BinarySearchFunc(rs, r, order)
	return slices.Insert(rs, i, r)
}

// byPlace orders records by log, index and leaf: the same on every node.
func byPlace(a, b *record) int { return a.ref.Compare(b.ref) }

// newest orders records by claimed time, newest first; by place where the
// times are equal, the later place first.
func newest(a, b *record) int {
	return cmp.Or(cmp.Compare(b.time, a.time), byPlace(b, a))
}
