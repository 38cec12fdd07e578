package hotline

import (
	"fmt"
	"time"

	"parley"
)

// Operations proposes drafts that this member may release now, for the
// simulator: a few of every kind, chosen by rng, each of them passing Check.
// The same numbers from rng and the same desk give the same drafts.
func Operations(rng interface{ IntN(n int) int }, d *Desk, now time.Time) []parley.Draft {
	g := &generator{rng, d, now}
	var out []parley.Draft
	for _, p := range []parley.Draft{g.text(), g.related(), g.answer(), g.line(), g.attempt(), g.query(), g.translation()} {
		if p.Body != nil && d.Check(p, now) == nil {
			out = append(out, p)
		}
	}
	return out
}

type generator struct {
	rng interface{ IntN(n int) int }
	d   *Desk
	now time.Time
}

func (g *generator) lane() parley.Lane { return parley.Lane(g.rng.IntN(parley.Lanes)) }

// audience is all others, or some of them.
func (g *generator) audience() parley.Audience {
	var set parley.Audience
	for _, p := range g.d.charter.Others(g.d.me) {
		if g.rng.IntN(2) == 0 {
			set |= parley.AudienceOf(p)
		}
	}
	if set == 0 {
		return parley.ToAll
	}
	return g.d.charter.Address(g.d.me, set)
}

func (g *generator) pick(k parley.Kind) *record {
	var rs []*record
	for r := range g.d.backwards(k) {
		if rs = append(rs, r); len(rs) == 16 {
			break
		}
	}
	if len(rs) == 0 {
		return nil
	}
	return rs[g.rng.IntN(len(rs))]
}

func (g *generator) text() parley.Draft {
	t := &Text{Type: Type(g.rng.IntN(4)), Text: fmt.Sprintf("Simulated message %d.", g.rng.IntN(1000)), Ack: Ack(g.rng.IntN(5))}
	if t.Ack == AckSubstantive || g.rng.IntN(3) == 0 {
		t.ReplyBy = unix(g.now) + 60 + uint64(g.rng.IntN(7200))
	}
	lane, to := g.lane(), g.audience()
	readers := g.d.charter.Readers(g.d.me, to).Parties()
	if len(readers) > 1 && g.rng.IntN(2) == 0 {
		t.Info, t.InfoLane = parley.AudienceOf(readers[g.rng.IntN(len(readers))]), max(lane, parley.Routine)
	}
	if ns := g.d.lineNumbers(); len(ns) > 0 {
		t.Line = ns[g.rng.IntN(len(ns))]
	}
	if g.d.Check(Draft(t, lane, to), g.now) != nil {
		t.Line = 0
	}
	return Draft(t, lane, to)
}

func (g *generator) related() parley.Draft {
	r := g.pick(KindText)
	if r == nil || r.bad != nil {
		return parley.Draft{}
	}
	old := r.body.(*Text)
	t := &Text{Type: old.Type, Text: "Simulated sequel.", Relation: Relation(1 + g.rng.IntN(int(maxRel))), About: &r.ref}
	to := g.d.ReplyTo(r.ref)
	if t.Relation == Corrects {
		t.Paragraphs = []uint16{uint16(1 + g.rng.IntN(3))}
	}
	return Draft(t, r.ref.Lane, to)
}

func (g *generator) answer() parley.Draft {
	r := g.pick([]parley.Kind{KindText, KindText, KindLine, KindLine, KindAttempt, KindQuery}[g.rng.IntN(6)])
	if r == nil {
		return parley.Draft{}
	}
	code := Code(1 + g.rng.IntN(int(maxCode)))
	if r.kind == KindLine && g.rng.IntN(8) > 0 {
		code = Wilco
	}
	p, _ := g.d.Answer(r.ref, code, "")
	return p
}

func (g *generator) line() parley.Draft {
	if g.rng.IntN(4) > 0 {
		return parley.Draft{}
	}
	n := uint8(1 + g.rng.IntN(3))
	others := g.d.charter.Others(g.d.me)
	l := &Line{Number: n, Serial: 1, Name: fmt.Sprintf("line %d", n), Next: n%3 + 1, Grace: 300,
		Members:  parley.AudienceOf(g.d.me, others[g.rng.IntN(len(others))]),
		Schedule: &Schedule{First: g.d.me, Start: unix(g.now), Every: 3600}}
	if ps := g.d.proposals(n); len(ps) > 0 {
		l.Serial = ps[0].Line.Serial + 1
	}
	return Draft(l, parley.Routine, parley.ToAll)
}

func (g *generator) attempt() parley.Draft {
	others := g.d.charter.Others(g.d.me)
	a := &Attempt{Type: Type(g.rng.IntN(4)), Caller: g.d.me, Called: parley.AudienceOf(others[g.rng.IntN(len(others))]),
		At: max(unix(g.now), 1), Outcome: Outcome(1 + g.rng.IntN(int(maxOut)))}
	if ns := g.d.lineNumbers(); len(ns) > 0 {
		a.Line = ns[g.rng.IntN(len(ns))]
	}
	p := Draft(a, g.lane(), parley.ToAll)
	if g.d.Check(p, g.now) != nil {
		a.Line = 0
	}
	return Draft(a, p.Lane, p.To)
}

func (g *generator) query() parley.Draft {
	q := &Query{Ask: DidYouSend, Text: "Did you send this?"}
	r := g.pick(KindText)
	if r == nil || r.bad != nil || g.rng.IntN(2) == 0 {
		return Draft(q, g.lane(), g.audience())
	}
	q.About = &r.ref
	q.Type = r.body.(*Text).Type
	to := parley.AudienceOf(r.ref.Party)
	if r.ref.Party == g.d.me {
		q.Ask, to = DidYouOpen, r.readers
	}
	return Draft(q, r.ref.Lane, g.d.charter.Address(g.d.me, to))
}

func (g *generator) translation() parley.Draft {
	r := g.pick(KindText)
	if r == nil || r.bad != nil {
		return parley.Draft{}
	}
	t := &Translation{About: r.ref, Language: []string{"en", "hi", "ur"}[g.rng.IntN(3)], Status: Status(g.rng.IntN(int(maxStatus) + 1)),
		Text: fmt.Sprintf("Simulated translation %d.", g.rng.IntN(1000))}
	if g.rng.IntN(2) == 0 {
		t.Translator = "translation desk"
	}
	p, err := g.d.Translate(t)
	if err != nil {
		return parley.Draft{}
	}
	if rs := circle(r) &^ parley.AudienceOf(g.d.me); g.rng.IntN(3) == 0 && rs != 0 { // for one of them only
		ps := rs.Parties()
		p.To = g.d.charter.Address(g.d.me, parley.AudienceOf(ps[g.rng.IntN(len(ps))]))
	}
	return p
}
