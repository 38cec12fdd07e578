package hotline

import (
	"cmp"
	"slices"
	"strings"

	"parley"
)

// lineLog names the entries of one log that stand on one line; 0 is no line.
type lineLog struct {
	line uint8
	log  logKey
}

// stands is the line that a record belongs to and, unlike line, knows where a
// proposal of a line stands. Answers and translations stand with what they are
// about.
func (r *record) stands() (line uint8, ok bool) {
	if b, ok := r.body.(*Line); ok {
		return b.Number, true
	}
	line, _ = r.line()
	return line, !r.apart()
}

// LineOf is the line that a draft belongs to, 0 if to none: an answer, a
// translation, and a question that names no line, to that of what they are about.
func (d *Desk) LineOf(p parley.Draft) uint8 {
	body, err := Parse(p.Kind, p.Body)
	if err != nil {
		return 0
	}
	r := &record{body: body}
	for r != nil {
		switch b := r.body.(type) {
		case *Answer:
			r = d.records[b.About]
		case *Translation:
			r = d.records[b.About]
		case *Query:
			if b.Line != 0 || b.About == nil {
				return b.Line
			}
			r = d.records[*b.About]
		default:
			line, _ := r.stands()
			return line
		}
	}
	return 0
}

// apart reports whether a record has no place of its own among messages, calls,
// questions and proposals.
func (r *record) apart() bool { return r.kind == KindAnswer || r.kind == KindTranslation }

// index puts a new record of a log at its place in the order of time and among
// those of its line. Records come in the order of their log, with few
// exceptions: an entry that was opened later.
func (d *Desk) index(log logKey, r *record) {
	rs := d.logs[log]
	i := len(rs) - 1
	for rs[i] != r {
		i--
	}
	for ; i < len(rs); i++ { // all after a late one may move
		rs[i].order = rs[i].time
		if i > 0 {
			rs[i].order = max(rs[i].time, rs[i-1].order)
		}
	}
	if line, ok := r.stands(); ok && r.bad == nil {
		k := lineLog{line, log}
		d.byLine[k] = insert(d.byLine[k], r, byPlace)
	}
}

// Cursor is a place in the order of a timeline.
type Cursor struct {
	Order uint64
	Ref   parley.Ref
}

// Timeline asks for entries of all members in one order, newest first: by the
// time their authors claim, where an entry never stands before its predecessor
// in its own log, whatever it claims. The order is the same on every node that
// holds the same entries, and an entry that arrives later stands at its place.
type Timeline struct {
	Line   *uint8        // those of this line, 0 for none; nil for all
	Kinds  []parley.Kind // of these kinds; empty: messages, calls, questions, proposals
	Author parley.Party  // by this member, 0 any
	Types  []Type        // of these types of traffic; empty any. Proposals have none
	Words  string        // that contain this, in any case; of a message also its translations
	Before *Cursor       // after this place in the order, nil from the newest on
	Limit  int           // at most so many, 0 all
	Look   int           // look at so many at most, 0 all; bounds the work of a search
}

// Stretch is an answer to a Timeline: places and kinds, newest first. Next is
// where to go on, nil at the end of the record; it may be set although nothing
// was found, when Look ended the search.
type Stretch struct {
	Refs  []parley.Ref
	Kinds []parley.Kind
	Next  *Cursor
}

// Stretch answers a timeline. It costs what it looks at, not what the record
// holds.
func (d *Desk) Stretch(t Timeline) Stretch {
	var out Stretch
	words, looked := strings.ToLower(t.Words), 0
	for r := range d.descend(t.Line, t.Before) {
		if t.Limit > 0 && len(out.Refs) == t.Limit || t.Look > 0 && looked == t.Look {
			return out
		}
		looked++
		if d.fits(&t, r, words) {
			out.Refs, out.Kinds = append(out.Refs, r.ref), append(out.Kinds, r.kind)
		}
		out.Next = &Cursor{r.order, r.ref}
	}
	out.Next = nil
	return out
}

func (d *Desk) fits(t *Timeline, r *record, words string) bool {
	if r.apart() && len(t.Kinds) == 0 || len(t.Kinds) > 0 && !slices.Contains(t.Kinds, r.kind) {
		return false
	}
	if t.Author != 0 && r.ref.Party != t.Author {
		return false
	}
	if len(t.Types) > 0 {
		_, typ := r.line()
		if r.kind == KindLine || r.bad != nil || !slices.Contains(t.Types, typ) {
			return false
		}
	}
	return words == "" || slices.ContainsFunc(d.words(r), func(s string) bool { return strings.Contains(strings.ToLower(s), words) })
}

// words are the texts of a record that a search looks into.
func (d *Desk) words(r *record) []string {
	switch b := r.body.(type) {
	case *Text:
		out := []string{b.Subject, b.Text, r.ref.String()}
		for _, x := range d.beside[r.ref] {
			t := x.body.(*Translation)
			out = append(out, t.Subject, t.Text)
		}
		return out
	case *Translation:
		return []string{b.Subject, b.Text, r.ref.String()}
	case *Attempt:
		return []string{b.Note, r.ref.String()}
	case *Query:
		return []string{b.Text, r.ref.String()}
	case *Line:
		return []string{b.Name, b.Level, r.ref.String()}
	}
	return nil
}

// descend yields records newest first from a place on, merging logs.
func (d *Desk) descend(line *uint8, from *Cursor) func(func(*record) bool) {
	return func(yield func(*record) bool) {
		var tails [][]*record
		for log, rs := range d.logs {
			if line != nil {
				rs = d.byLine[lineLog{*line, log}]
			}
			if from != nil {
				rs = rs[:before(rs, from)]
			}
			if len(rs) > 0 {
				tails = append(tails, rs)
			}
		}
		for len(tails) > 0 {
			best := 0
			for i := range tails {
				if byOrder(last(tails[i]), last(tails[best])) > 0 {
					best = i
				}
			}
			r := last(tails[best])
			if tails[best] = tails[best][:len(tails[best])-1]; len(tails[best]) == 0 {
				tails = slices.Delete(tails, best, best+1)
			}
			if !yield(r) {
				return
			}
		}
	}
}

func byOrder(a, b *record) int { return cmp.Or(cmp.Compare(a.order, b.order), byPlace(a, b)) }

// before is how many records of a log stand before a place in the order.
func before(rs []*record, c *Cursor) int {
	i, _ := slices.BinarySearchFunc(rs, c, func(r *record, c *Cursor) int {
		return cmp.Or(cmp.Compare(r.order, c.Order), r.ref.Compare(c.Ref))
	})
	return i
}

// Chain lists the messages that belong together by their relations, oldest
// first: what r answers, corrects or relays, what that did, and everything
// that refers to one of them; at most max.
func (d *Desk) Chain(r parley.Ref, max int) []parley.Ref {
	root := d.records[r]
	if root == nil || root.apart() {
		return nil
	}
	for range max {
		about := aboutOf(root)
		if about == nil || d.records[*about] == nil {
			break
		}
		root = d.records[*about]
	}
	chain, seen := []*record{root}, map[*record]bool{root: true}
	for i := 0; i < len(chain) && len(chain) < max; i++ {
		for _, x := range d.about[chain[i].ref] {
			if x.kind != KindAnswer && !seen[x] && len(chain) < max {
				chain, seen[x] = append(chain, x), true
			}
		}
	}
	slices.SortFunc(chain, byOrder)
	out := make([]parley.Ref, len(chain))
	for i, x := range chain {
		out[i] = x.ref
	}
	return out
}
