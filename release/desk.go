package release

import (
	"cmp"
	"slices"
	"time"

	"parley"
)

// place is where an entry stands. A record holds one entry at each.
type place struct {
	party parley.Party
	lane  parley.Lane
	gen   parley.Gen
	index uint64
}

func placeOf(r parley.Ref) place { return place{r.Party, r.Lane, r.Gen, r.Index} }

func (p place) log() place { p.index = 0; return p }

// speech is a RELEASE as it was stored.
type speech struct {
	ref      parley.Ref
	to       parley.Audience
	time     uint64
	standing parley.Standing
	body     *Release // nil if bad is not
	bad      error
}

// follower is what is kept of an entry that a RELEASE may speak for.
type follower struct {
	ref      parley.Ref
	kind     parley.Kind
	to       parley.Audience
	standing parley.Standing
	digest   parley.Hash
}

// naming is a ROSTER as it was stored.
type naming struct {
	ref      parley.Ref
	time     uint64
	standing parley.Standing
	body     *Roster // nil if bad is not
	bad      error
}

func (n *naming) counts() bool { return n.bad == nil && n.standing.Effective() }

// use is one approval of one draft by one party.
type use struct {
	author        parley.Party
	step          Step
	nonce, digest parley.Hash
}

// newest is the last entry of a log that came, and whether it was a RELEASE.
type newest struct {
	index   uint64
	release bool
}

// Desk is what one member knows of rosters and releases: the facts it was
// told, and the questions to them. See the package comment.
type Desk struct {
	charter *parley.Charter
	channel *parley.Hash // reckoned when the first RELEASE comes
	me      parley.Party

	// Facts. They only grow.
	speeches  map[place]*speech
	followers map[place]*follower
	rosters   map[parley.Ref]*naming
	named     map[parley.Party][]*naming // sound ones by serial, then place
	uses      map[use][]*speech          // that released the entry behind them
	last      map[place]newest           // by log
	spoke     uint64                     // newest time of an own RELEASE
}

// New is an empty desk of member me in the channel of charter ch.
func New(ch *parley.Charter, me parley.Party) *Desk {
	return &Desk{charter: ch, me: me,
		speeches: map[place]*speech{}, followers: map[place]*follower{}, rosters: map[parley.Ref]*naming{},
		named: map[parley.Party][]*naming{}, uses: map[use][]*speech{}, last: map[place]newest{}}
}

// Apply takes in an entry of any kind. A repeated entry changes nothing but
// its standing.
func (d *Desk) Apply(p parley.Posted) {
	switch p.Entry.Kind {
	case KindRoster:
		d.applyRoster(p)
	case KindRelease:
		d.applyRelease(p)
	}
	d.follow(p)
}

func (d *Desk) applyRoster(p parley.Posted) {
	if n := d.rosters[p.Ref]; n != nil {
		n.standing = p.Standing
		return
	}
	n := &naming{ref: p.Ref, time: p.Entry.Time, standing: p.Standing}
	body, err := d.read(p)
	n.body, _ = body.(*Roster)
	n.bad = err
	d.rosters[p.Ref] = n
	if n.bad != nil {
		return
	}
	list := d.named[p.Ref.Party]
	i, _ := slices.BinarySearchFunc(list, n, bySerial)
	d.named[p.Ref.Party] = slices.Insert(list, i, n)
}

func bySerial(a, b *naming) int {
	return cmp.Or(cmp.Compare(a.body.Serial, b.body.Serial), a.ref.Compare(b.ref))
}

func (d *Desk) applyRelease(p parley.Posted) {
	if d.channel == nil {
		ch := d.charter.Channel()
		d.channel = &ch
	}
	at := placeOf(p.Ref)
	if s := d.speeches[at]; s != nil {
		if s.ref == p.Ref {
			s.standing = p.Standing
		}
		return
	}
	s := &speech{ref: p.Ref, to: p.Entry.To, time: p.Entry.Time, standing: p.Standing}
	body, err := d.read(p)
	s.body, _ = body.(*Release)
	s.bad = err
	d.speeches[at] = s
	if s.bad != nil {
		return
	}
	next := at
	next.index++
	d.spends(s, d.followers[next])
	if p.Ref.Party == d.me {
		d.spoke = max(d.spoke, s.time)
	}
}

// spends notes that the approvals of s were used, if the entry behind it is the
// one that they are for. Nothing that comes later undoes this but a standing.
func (d *Desk) spends(s *speech, f *follower) {
	if s == nil || s.bad != nil || f == nil || f.kind == KindRelease || fits(s, f) != nil {
		return
	}
	for _, u := range s.body.uses(s.ref.Party) {
		d.uses[u] = append(d.uses[u], s)
	}
}

// uses are the two approvals that a release of author spends.
func (r *Release) uses(author parley.Party) [2]use {
	return [2]use{{author, StepDraft, r.Drafted.Nonce, r.Digest}, {author, StepRelease, r.Released.Nonce, r.Digest}}
}

// read parses the body of an entry, with the rules of its place.
func (d *Desk) read(p parley.Posted) (Body, error) {
	if p.Standing == parley.Malformed {
		return nil, parley.Errorf(parley.CodeNotCanonical, "the entry breaks a rule of its format")
	}
	b, err := Parse(p.Entry.Kind, p.Entry.Body)
	if err == nil {
		err = b.CheckIn(p.Ref.Party, p.Ref.Lane, p.Entry.To)
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// follow keeps what a RELEASE may speak for: an entry that stands behind one,
// or behind a place of which this node does not know what stands there. A
// commitment or an entry of a past window may be opened long after those
// behind it.
func (d *Desk) follow(p parley.Posted) {
	at := placeOf(p.Ref)
	if f := d.followers[at]; f != nil {
		if f.ref == p.Ref {
			f.standing = p.Standing
		}
		return
	}
	before, known := d.last[at.log()]
	if !known || p.Ref.Index > before.index {
		d.last[at.log()] = newest{p.Ref.Index, p.Entry.Kind == KindRelease}
	}
	if p.Ref.Index == 0 || known && before.index+1 == p.Ref.Index && !before.release {
		return
	}
	e := p.Entry
	f := &follower{ref: p.Ref, kind: e.Kind, to: e.To, standing: p.Standing,
		digest: Digest(parley.Draft{Lane: p.Ref.Lane, Kind: e.Kind, To: e.To, Body: e.Body})}
	d.followers[at] = f
	at.index--
	d.spends(d.speeches[at], f)
}

// Proof takes in a receipt, of which this desk has no use.
func (d *Desk) Proof(parley.Receipted) {}

// Due lists nothing: nobody owes a roster or a release.
func (d *Desk) Due(time.Time) []parley.Duty { return nil }

// where is the channel, whether a RELEASE has come or not.
func (d *Desk) where() parley.Hash {
	if d.channel != nil {
		return *d.channel
	}
	return d.charter.Channel()
}
