package hotline

import (
	"slices"
	"time"

	"parley"
)

// Owed is what a party or several of them owe, as far as it can be shown: the
// soonest duties, and how many there are.
type Owed struct {
	Duties []parley.Duty // as Due lists them, at most as many as were asked for
	All    int
	Late   int
}

// Urgent is Due for who shows a few: of what this desk's member owes and of
// what the others owe the soonest, at most so many of each. Its cost still
// grows with what is open, but it neither sorts all of it nor puts it into
// words, so that a flood which nobody opens does not stop the node.
func (d *Desk) Urgent(now time.Time, most int) (ours, theirs Owed) {
	type waiting struct {
		parley.Duty
		reader parley.Party
	}
	pick := func() *soonest[waiting] {
		return &soonest[waiting]{most: most, order: func(a, b waiting) int {
			if n := bySoonest(a.Duty, b.Duty); n != 0 || a.reader == b.reader {
				return n
			}
			d.say(&a.Duty, a.reader) // the same but for who has not got it
			d.say(&b.Duty, b.reader)
			return bySoonest(a.Duty, b.Duty)
		}}
	}
	mine, others := pick(), pick()
	d.eachDue(now, func(x parley.Duty, reader parley.Party) {
		o, p := &theirs, others
		if x.Owner == d.me {
			o, p = &ours, mine
		}
		if o.All++; x.Late {
			o.Late++
		}
		p.add(waiting{x, reader})
	})
	words := func(p *soonest[waiting]) (out []parley.Duty) {
		for _, x := range p.list() {
			d.say(&x.Duty, x.reader)
			out = append(out, x.Duty)
		}
		return out
	}
	ours.Duties, theirs.Duties = words(mine), words(others)
	return ours, theirs
}

// Waiting calls f with what Unopened lists, in no order.
func (d *Desk) Waiting(f func(Unopened)) {
	for _, r := range d.open {
		if r.readers == 0 || !r.readers.Includes(d.me) || r.kind == KindAttempt {
			continue
		}
		lane := r.ref.Lane
		if t, ok := r.body.(*Text); ok && t.Info.Includes(d.me) && t.Info != 0 {
			lane = t.InfoLane
		}
		step, timed := HandlingTime(lane)
		a := Addressee{Party: d.me}
		if d.follow(&a, r); !timed || a.Opened.Given() {
			continue
		}
		line, typ := r.line()
		f(Unopened{r.ref, r.kind, lane, typ, line, at(a.Received.Time).Add(step)})
	}
}

// soonest keeps the first few of many values in an order.
type soonest[T any] struct {
	most  int
	order func(a, b T) int
	kept  []T
	full  bool // kept holds the first ones of what came before, its last the worst
	worst T
}

func (s *soonest[T]) add(x T) {
	if s.most < 1 || s.full && s.order(x, s.worst) >= 0 {
		return
	}
	if s.kept = append(s.kept, x); len(s.kept) >= 2*s.most {
		s.cut()
	}
}

func (s *soonest[T]) cut() {
	slices.SortFunc(s.kept, s.order)
	if len(s.kept) >= s.most && s.most > 0 {
		s.kept = s.kept[:s.most]
		s.worst, s.full = s.kept[s.most-1], true
	}
}

// list is what is kept, in order.
func (s *soonest[T]) list() []T {
	s.cut()
	return s.kept
}
