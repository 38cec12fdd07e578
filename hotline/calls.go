package hotline

import (
	"time"

	"parley"
)

// Call is a recorded call attempt.
type Call struct {
	Ref       parley.Ref
	Author    parley.Party // who recorded it
	Time      uint64       // of the record, by its author's clock
	Standing  parley.Standing
	Attempt   *Attempt // nil if malformed
	Malformed error
	Responses []Response
	Talked    uint64        // when the next call between them on this line came through, 0 not yet
	Waited    time.Duration // from the attempt until then
}

// Calls lists the recorded attempts, newest record first.
func (d *Desk) Calls(f Filter) []*Call {
	var out []*Call
	for r := range d.backwards(KindAttempt) {
		if !f.fits(d, r) {
			continue
		}
		out = append(out, d.call(r))
		if len(out) == f.Limit {
			break
		}
	}
	return out
}

func (d *Desk) call(r *record) *Call {
	c := &Call{Ref: r.ref, Author: r.ref.Party, Time: r.time, Standing: r.standing, Malformed: r.bad}
	b, ok := r.body.(*Attempt)
	if !ok {
		return c
	}
	c.Attempt, c.Responses = b, d.responses(r)
	for _, x := range d.calls {
		n := x.body.(*Attempt)
		if n.At >= b.At && n.Outcome == Connected && n.Type == b.Type && n.Line == b.Line && x.counts() && sameEnds(b, n) {
			c.Talked, c.Waited = n.At, time.Duration(n.At-b.At)*time.Second
			break
		}
	}
	return c
}

// sameEnds reports whether the callers and called of two attempts are the same
// members, whoever called.
func sameEnds(a, b *Attempt) bool {
	return a.Called|parley.AudienceOf(a.Caller) == b.Called|parley.AudienceOf(b.Caller)
}

// Question is a QUERY with what was said to it.
type Question struct {
	Ref        parley.Ref
	Author     parley.Party
	Time       uint64
	Standing   parley.Standing
	Query      *Query // nil if malformed
	Malformed  error
	Addressees []Addressee
	Responses  []Response
}

// Questions lists the queries, newest first.
func (d *Desk) Questions(f Filter) []*Question {
	var out []*Question
	for r := range d.backwards(KindQuery) {
		if !f.fits(d, r) {
			continue
		}
		out = append(out, d.question(r))
		if len(out) == f.Limit {
			break
		}
	}
	return out
}

func (d *Desk) question(r *record) *Question {
	q := &Question{Ref: r.ref, Author: r.ref.Party, Time: r.time, Standing: r.standing, Malformed: r.bad}
	b, ok := r.body.(*Query)
	if !ok {
		return q
	}
	q.Query, q.Responses = b, d.responses(r)
	for _, p := range r.readers.Parties() {
		a := Addressee{Party: p, Lane: r.ref.Lane}
		a.Waiting = d.follow(&a, r) == 0
		q.Addressees = append(q.Addressees, a)
	}
	return q
}

// Stray lists the answers about entries that this record does not hold, or
// that cannot be answered, by place.
func (d *Desk) Stray() []Response {
	var out []Response
	for r := range d.backwards(KindAnswer) {
		a, ok := r.body.(*Answer)
		if !ok {
			continue
		}
		if m := d.records[a.About]; m == nil || m.kind == KindAnswer {
			out = append(out, Response{Ref: r.ref, Author: r.ref.Party, Time: r.time, Standing: r.standing, Code: a.Code, Text: a.Text})
		}
	}
	return out
}
