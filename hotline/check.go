package hotline

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"parley"
)

// Check asks, before an officer releases a draft, whether this member may say
// it now. Its error goes back to the drafter, never to the other side.
func (d *Desk) Check(p parley.Draft, now time.Time) error {
	body, err := Parse(p.Kind, p.Body)
	if err != nil {
		return err
	}
	if p.Lane >= parley.Lanes {
		return parley.Errorf(parley.CodeOutOfRange, "lane %d", p.Lane)
	}
	if err := p.To.CheckIn(d.charter, d.me); err != nil {
		return err
	}
	if p.To == parley.ToNobody && !p.Kind.Openable() {
		return parley.Errorf(parley.CodeAudience, "this is addressed to nobody, and entries of kind %d cannot be opened later", p.Kind)
	}
	if err := body.CheckIn(d.charter, d.me, p.Lane, p.To); err != nil {
		return err
	}
	readers := d.charter.Readers(d.me, p.To)
	switch b := body.(type) {
	case *Text:
		return d.checkText(b, readers, now)
	case *Answer:
		return d.checkAnswer(b, readers)
	case *Line:
		return d.checkLine(b)
	case *Attempt:
		return d.checkAttempt(b, now)
	case *Query:
		return d.checkQuery(b, readers)
	case *Translation:
		return d.checkTranslation(b, readers)
	}
	return nil
}

func (d *Desk) checkText(t *Text, readers parley.Audience, now time.Time) error {
	if err := unmarked(t); err != nil {
		return err
	}
	if t.ReplyBy != 0 && t.ReplyBy <= unix(now) {
		return parley.Errorf(CodePast, "the reply-by time %s has passed", zulu(t.ReplyBy))
	}
	if t.Ack == AckSubstantive && t.ReplyBy == 0 {
		return parley.Errorf(CodeNoClock, "an answer in substance is asked for without a reply-by time")
	}
	if err := d.checkOnLine(t.Line, t.Action(readers)); err != nil {
		return err
	}
	for i, c := range t.Citations {
		if c.Ref == nil {
			continue
		}
		if !d.exists(*c.Ref) {
			return parley.Errorf(CodeNoSuchEntry, "reference %c, %s, is not in this record", 'A'+i, c.Ref)
		}
		if r := d.records[*c.Ref]; r != nil && t.Type == Operation {
			if _, typ := r.line(); typ != Operation {
				return parley.Errorf(CodeWrongType, "reference %c, %s, is of type %s; an operation message does not rest on it", 'A'+i, c.Ref, typ)
			}
		}
	}
	if t.About != nil {
		return d.checkRelation(t, readers)
	}
	return nil
}

// unmarked refuses a message that begins with the mark of a type that it does
// not have: somebody forgot to set the type.
func unmarked(t *Text) error {
	for typ := Exercise; typ <= maxType; typ++ {
		word := strings.ToUpper(typ.String())
		for _, s := range []string{t.Subject, t.Text} {
			rest, ok := strings.CutPrefix(strings.TrimSpace(s), word)
			if ok && t.Type == Operation && (rest == "" || !letter(rest[0])) {
				return parley.Errorf(CodeUnmarked, "the message begins with %s, but its type is %s", word, t.Type)
			}
		}
	}
	return nil
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80 }

// checkOnLine checks that a line is in force, and that this member and at
// least one of the others are on it. Line 0 is none.
func (d *Desk) checkOnLine(n uint8, others parley.Audience) error {
	if n == 0 {
		return nil
	}
	l := d.current(n)
	if l == nil {
		return parley.Errorf(CodeNoLine, "line %d is not in force", n)
	}
	if !l.Members.Includes(d.me) || l.Members&others == 0 {
		return parley.Errorf(CodeNotOnLine, "line %d (%s) does not join the sender with those addressed", n, l.Name)
	}
	return nil
}

// exists reports whether an entry is in the record: by its content if it is
// the hotline's, by its place if it is another desk's.
func (d *Desk) exists(r parley.Ref) bool {
	return d.records[r] != nil || r.Index < d.size[keyOf(r)] && !d.ours(r)
}

// ours reports whether a hotline entry stands at the place of r.
func (d *Desk) ours(r parley.Ref) bool {
	log := d.logs[keyOf(r)]
	i, _ := slices.BinarySearchFunc(log, r.Index, func(x *record, i uint64) int { return cmp.Compare(x.ref.Index, i) })
	return i < len(log) && log[i].ref.Index == r.Index
}

func (d *Desk) checkRelation(t *Text, readers parley.Audience) error {
	r := d.records[*t.About]
	if r == nil || r.kind != KindText || r.bad != nil {
		return parley.Errorf(CodeNoSuchEntry, "%s is no message in this record", t.About)
	}
	old := r.body.(*Text)
	if old.Type != t.Type {
		return parley.Errorf(CodeWrongType, "a message of type %s %s one of type %s", t.Type, verbs[t.Relation], old.Type)
	}
	mine := r.ref.Party == d.me
	switch t.Relation {
	case Reply:
		if mine || !r.readers.Includes(d.me) || readers == 0 || !readers.Includes(r.ref.Party) {
			return parley.Errorf(CodeNotAddressed, "a reply to %s goes from one of its readers to its author", t.About)
		}
	case Relays:
		if mine || !old.Handling.MayRelay() {
			return parley.Errorf(CodeNoRelay, "%s is not to be relayed (%s)", t.About, old.Handling)
		}
	default:
		if !mine {
			return parley.Errorf(CodeNotYours, "%s is by %s", t.About, d.Name(r.ref.Party))
		}
		if r.readers&^readers != 0 {
			return parley.Errorf(CodeNotAddressed, "some who read %s would not read what %s it", t.About, verbs[t.Relation])
		}
	}
	if by := d.withdrawn(r); by != nil && t.Relation != Relays {
		return parley.Errorf(CodeWithdrawn, "%s was withdrawn by its author in %s", t.About, by)
	}
	return nil
}

func (d *Desk) checkAnswer(a *Answer, readers parley.Audience) error {
	r := d.records[a.About]
	if r == nil || r.kind == KindAnswer {
		return parley.Errorf(CodeNoSuchEntry, "%s is no entry in this record that can be answered", a.About)
	}
	mine := r.ref.Party == d.me
	if mine && r.kind != KindLine {
		return parley.Errorf(CodeNotAddressed, "%s is this member's own", a.About)
	}
	if !mine && (r.readers == 0 || !r.readers.Includes(d.me)) {
		return parley.Errorf(CodeNotAddressed, "%s is not addressed to this member", a.About)
	}
	if !mine && (readers == 0 || !readers.Includes(r.ref.Party)) {
		return parley.Errorf(CodeNotAddressed, "the answer to %s does not go to its author", a.About)
	}
	if by := d.withdrawn(r); by != nil && a.Code.Final() {
		return parley.Errorf(CodeWithdrawn, "%s was withdrawn by its author in %s", a.About, by)
	}
	return nil
}

func (d *Desk) checkLine(l *Line) error {
	serial := uint64(1)
	if ps := d.proposals(l.Number); len(ps) > 0 {
		serial = ps[0].Line.Serial + 1
	}
	if l.Serial != serial {
		return parley.Errorf(CodeLineSerial, "the next proposal for line %d has serial %d, not %d", l.Number, serial, l.Serial)
	}
	return nil
}

func (d *Desk) checkAttempt(a *Attempt, now time.Time) error {
	if a.At > unix(now) {
		return parley.Errorf(CodePast, "the call at %s has not taken place yet", zulu(a.At))
	}
	return d.checkOnLine(a.Line, a.Called&^parley.AudienceOf(d.me)|parley.AudienceOf(a.Caller)&^parley.AudienceOf(d.me))
}

func (d *Desk) checkQuery(q *Query, readers parley.Audience) error {
	if err := d.checkOnLine(q.Line, readers); err != nil || q.About == nil {
		return err
	}
	r := d.records[*q.About]
	if r == nil || r.bad != nil {
		return parley.Errorf(CodeNoSuchEntry, "%s is not in this record", q.About)
	}
	if _, typ := r.line(); typ != q.Type {
		return parley.Errorf(CodeWrongType, "a query of type %s about an entry of type %s", q.Type, typ)
	}
	if q.Ask == DidYouSend && (readers == 0 || !readers.Includes(r.ref.Party)) {
		return parley.Errorf(CodeNotAddressed, "the query does not go to the author of %s", q.About)
	}
	if q.Ask == DidYouOpen && readers&^r.readers != 0 {
		return parley.Errorf(CodeNotAddressed, "%s was not addressed to all who are asked", q.About)
	}
	return nil
}

// Answer drafts an answer to an entry: in the same lane, to its author and to
// all its readers, so that everybody who has the message sees who has read it.
func (d *Desk) Answer(about parley.Ref, code Code, text string) (parley.Draft, error) {
	r := d.records[about]
	if r == nil {
		return parley.Draft{}, parley.Errorf(CodeNoSuchEntry, "%s is not in this record", about)
	}
	return Draft(&Answer{about, code, text}, about.Lane, d.ReplyTo(about)), nil
}

// ReplyTo is the audience of an answer or reply: the author and all other
// readers of the entry.
func (d *Desk) ReplyTo(about parley.Ref) parley.Audience {
	r := d.records[about]
	if r == nil {
		return parley.ToNobody
	}
	return d.charter.Address(d.me, r.readers|parley.AudienceOf(about.Party))
}
