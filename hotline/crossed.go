package hotline

import (
	"cmp"
	"slices"
	"time"

	"parley"
)

// Crossed lists the messages that crossed with r: of another member, on the
// same line and of the same type, addressed to each other, and each written
// before its author's node held the other. At most max, oldest first of each
// log.
//
// Each half compares two times of one clock: the message's claim with the
// receipt that its author's node gave for the other message. Without a receipt
// nothing says that the node holds it. Equal seconds cross nothing, since they
// do not tell which came first.
func (d *Desk) Crossed(ref parley.Ref, max int) []parley.Ref {
	r := d.records[ref]
	if r == nil || r.kind != KindText || !r.counts() {
		return nil
	}
	line, typ := r.line()
	var out []parley.Ref
	for _, log := range d.logsOnLine(line) {
		if log.party == ref.Party || r.readers == 0 || !r.readers.Includes(log.party) {
			continue
		}
		theirs, held := d.heldAt(log.party, r)
		rs := d.byLine[lineLog{line, log}]
		// Receipts cover a log from its beginning, so what the author held when
		// it wrote r is a beginning of the other's log.
		first, _ := slices.BinarySearchFunc(rs, r.time, func(x *record, t uint64) int {
			if at, ok := d.heldAt(ref.Party, x); ok && at <= t {
				return -1
			}
			return 1
		})
		for _, x := range rs[first:] {
			if held && x.order >= theirs || len(out) == max {
				break
			}
			if _, other := x.line(); x.kind == KindText && other == typ && x.counts() && x.readers != 0 && x.readers.Includes(ref.Party) {
				out = append(out, x.ref)
			}
		}
	}
	return out
}

// logsOnLine lists the logs with entries on a line, in order.
func (d *Desk) logsOnLine(line uint8) []logKey {
	var out []logKey
	for log := range d.logs {
		if len(d.byLine[lineLog{line, log}]) > 0 {
			out = append(out, log)
		}
	}
	slices.SortFunc(out, func(a, b logKey) int {
		return cmp.Or(cmp.Compare(a.party, b.party), cmp.Compare(a.lane, b.lane), slices.Compare(a.gen[:], b.gen[:]))
	})
	return out
}

// heldAt is when a member's node held a record, by that member's clock.
func (d *Desk) heldAt(by parley.Party, r *record) (uint64, bool) {
	if by == d.me && !r.stored.IsZero() {
		return unix(r.stored), true
	}
	return d.heldSince(by, r.ref)
}

// HeldBy reports since when a member's node holds an entry, by its own clock;
// false if it gave no receipt. An author holds what it wrote.
func (d *Desk) HeldBy(by parley.Party, ref parley.Ref) (since uint64, ok bool) {
	r := d.records[ref]
	if r == nil {
		return 0, false
	}
	if by == ref.Party {
		return r.time, true
	}
	return d.heldAt(by, r)
}

// Life is the newest proof of life of a member, 0 none: not after it reached
// this node, and not after its author says.
func (d *Desk) Life(p parley.Party) uint64 { return d.life[p] }

// Heard lists when a member proved life by entries on a line since a time,
// oldest first, at most max: the newest ones.
func (d *Desk) Heard(line uint8, p parley.Party, since uint64, max int) []uint64 {
	var out []uint64
	for r := range d.descend(&line, nil) {
		if r.order < since || len(out) == max {
			break
		}
		if r.ref.Party == p && r.counts() {
			out = append(out, r.proof())
		}
	}
	slices.Sort(out)
	return out
}

// Unopened is an entry addressed to this desk's member of which it has said
// nothing yet.
type Unopened struct {
	Ref  parley.Ref
	Kind parley.Kind // a message or a question
	Lane parley.Lane // for this member
	Type Type
	Line uint8
	By   time.Time // end of the handling time
}

// Unopened lists what waits for this member's duty officer, the highest
// precedence first, then the oldest. Entries without a handling time are not
// among them.
func (d *Desk) Unopened() []Unopened {
	var out []Unopened
	d.Waiting(func(u Unopened) { out = append(out, u) })
	slices.SortFunc(out, Unopened.Compare)
	return out
}

// Compare orders by precedence, then by time.
func (u Unopened) Compare(v Unopened) int {
	return cmp.Or(cmp.Compare(u.Lane, v.Lane), u.By.Compare(v.By), u.Ref.Compare(v.Ref))
}

// Unanswered counts the messages and questions of this desk's member about
// which others still owe something.
func (d *Desk) Unanswered() int {
	n := 0
	for _, r := range d.open {
		if r.ref.Party == d.me && r.kind != KindAttempt {
			n++
		}
	}
	return n
}

// Opening is how fast messages of one precedence on a line were opened by
// their action addressees: by each reader's own clock, from its node's receipt
// to its first word.
type Opening struct {
	Lane    parley.Lane
	Opened  int           // pairs of message and reader
	Late    int           // of them, after the handling time
	Waiting int           // not opened yet
	Median  time.Duration // of those opened
	Longest time.Duration
}

// Openings measures the newest messages of operation on a line that reader
// should open, at most look entries back, by precedence.
func (d *Desk) Openings(line uint8, reader parley.Party, look int) [parley.Lanes]Opening {
	var out [parley.Lanes]Opening
	var took [parley.Lanes][]time.Duration
	for r := range d.descend(&line, nil) {
		if look--; look < 0 {
			break
		}
		t, ok := r.body.(*Text)
		if !ok || t.Type != Operation || !r.counts() || r.readers == 0 || !t.Action(r.readers).Includes(reader) {
			continue
		}
		a := Addressee{Party: reader}
		d.follow(&a, r)
		o := &out[r.ref.Lane]
		switch {
		case !a.Opened.Given():
			o.Waiting++
		case a.Received.Given():
			took[r.ref.Lane] = append(took[r.ref.Lane], time.Duration(max(int64(a.Opened.Time)-int64(a.Received.Time), 0))*time.Second)
		}
	}
	for l, ts := range took {
		o := &out[l]
		o.Lane, o.Opened = parley.Lane(l), len(ts)
		if len(ts) == 0 {
			continue
		}
		slices.Sort(ts)
		o.Median, o.Longest = ts[len(ts)/2], ts[len(ts)-1]
		if limit, timed := HandlingTime(parley.Lane(l)); timed {
			for _, t := range ts {
				if t > limit {
					o.Late++
				}
			}
		}
	}
	return out
}

// CallOf and QuestionOf return one entry of their kind, as Calls and Questions
// show it.
func (d *Desk) CallOf(ref parley.Ref) (*Call, bool) {
	r := d.records[ref]
	if r == nil || r.kind != KindAttempt {
		return nil, false
	}
	return d.call(r), true
}

// QuestionOf returns one question; see CallOf.
func (d *Desk) QuestionOf(ref parley.Ref) (*Question, bool) {
	r := d.records[ref]
	if r == nil || r.kind != KindQuery {
		return nil, false
	}
	return d.question(r), true
}

// AnswerOf returns one answer and what it is about.
func (d *Desk) AnswerOf(ref parley.Ref) (a Response, about parley.Ref, ok bool) {
	r := d.records[ref]
	if r == nil {
		return a, about, false
	}
	b, ok := r.body.(*Answer)
	if !ok {
		return a, about, false
	}
	m := d.records[b.About]
	return Response{Ref: r.ref, Author: r.ref.Party, Time: r.time, Standing: r.standing, Code: b.Code, Text: b.Text,
		Counts: m != nil && d.bears(r, m)}, b.About, true
}

// ProposalOf returns one proposed wording of a line.
func (d *Desk) ProposalOf(ref parley.Ref) (*Proposal, bool) {
	r := d.records[ref]
	if r == nil || r.kind != KindLine || r.bad != nil {
		return nil, false
	}
	ps := d.proposals(r.body.(*Line).Number)
	i := slices.IndexFunc(ps, func(p Proposal) bool { return p.Ref == ref })
	if i < 0 {
		return nil, false
	}
	return &ps[i], true
}
