package console

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/console/locale"
	"parley/internal/node"
)

// DutiesPage is everything that is due or overdue.
type DutiesPage struct {
	Page
	Ours   []DutyRow
	Theirs []DutyRow // of other members
	More   int       // not shown
}

// DutyRow is one thing that somebody owes.
type DutyRow struct {
	Ref   parley.Ref
	Owner string
	What  string
	Lane  parley.Lane
	Type  hotline.Type
	By    time.Time
	Late  bool
	Words string // what is owed, in the officer's language

	with    string          // the member on the other side
	outcome hotline.Outcome // of the call that it is about
	at      time.Time       // of that call or of the test
	line    uint8           // to test, or to try next
}

// dutiesShown bounds each list.
const dutiesShown = 300

func (s *Server) duties(w http.ResponseWriter, q *request) error {
	all, err := s.due.get(q.Context(), s, func(v node.View) *DutiesPage {
		p := &DutiesPage{}
		s.fillDuties(v, p)
		return p
	})
	if err != nil {
		return err
	}
	p := DutiesPage{Page: s.page(q, "duties", q.loc.T("nav.duties")), Ours: inWords(q.loc, all.Ours), Theirs: inWords(q.loc, all.Theirs), More: all.More}
	p.Refresh = true
	return s.render(w, q, http.StatusOK, "duties", &p)
}

// fillDuties reads what the page shows, inside node.Do.
func (s *Server) fillDuties(v node.View, p *DutiesPage) {
	ours, theirs := v.Docket.Urgent(v.Now, dutiesShown)
	rows := func(o hotline.Owed) (list []DutyRow) {
		for _, x := range o.Duties {
			list = append(list, s.dutyRow(v, x))
		}
		p.More += o.All - len(list)
		return list
	}
	p.Ours, p.Theirs = rows(ours), rows(theirs)
	for _, list := range [][]DutyRow{p.Ours, p.Theirs} { // what is meant stands before what is played
		slices.SortStableFunc(list, func(a, b DutyRow) int { return cmp.Compare(min(a.Type, 1), min(b.Type, 1)) })
	}
}

func (s *Server) dutyRow(v node.View, x parley.Duty) DutyRow {
	d := v.Docket.Hotline
	r := DutyRow{Ref: x.Ref, Owner: d.Name(x.Owner), What: x.What, Lane: x.Lane, By: x.By.UTC(), Late: x.Late, Type: s.entryType(v, x.Ref)}
	if x.With != 0 {
		r.with = d.Name(x.With)
	}
	switch x.What {
	case hotline.DutyCallBack, hotline.DutyEscalate:
		if c, ok := d.CallOf(x.Ref); ok && c.Attempt != nil {
			r.outcome, r.at = c.Attempt.Outcome, moment(c.Attempt.At)
			if l := lineNumbered(d, c.Attempt.Line, v.Now); l != nil {
				r.line = l.Line.Next
			}
		}
	case hotline.DutyTest:
		if p, ok := d.ProposalOf(x.Ref); ok {
			r.line, r.at = p.Line.Number, r.By.Add(-time.Duration(p.Line.Grace)*time.Second)
		}
	}
	return r
}

// inWords says each duty in a sentence. The rows are shared by all officers,
// whatever their language; so they are copied.
func inWords(l catalogue, rows []DutyRow) []DutyRow {
	rows = slices.Clone(rows)
	for i := range rows {
		r := &rows[i]
		key := "duty-words." + r.What
		switch ref := locale.ID(r.Ref.String()); r.What {
		case hotline.DutyDeliver:
			r.Words = l.T(key, r.with, ref)
		case hotline.DutyCallBack:
			r.Words = l.T(key, r.with, l.Enum("outcome", r.outcome), locale.ID(locale.DTG(r.at)))
		case hotline.DutyEscalate:
			r.Words = l.T(key, locale.ID(locale.DTG(r.at)), l.Enum("outcome", r.outcome), int(r.line))
		case hotline.DutyTest:
			r.Words = l.T(key, int(r.line), locale.ID(locale.DTG(r.at)))
		default:
			r.Words = l.T(key, ref)
		}
	}
	return rows
}

// entryType is the type of traffic of an entry.
func (s *Server) entryType(v node.View, ref parley.Ref) hotline.Type {
	d := v.Docket.Hotline
	if m, ok := d.Message(ref); ok && m.Text != nil {
		return m.Text.Type
	}
	if c, ok := d.CallOf(ref); ok && c.Attempt != nil {
		return c.Attempt.Type
	}
	if x, ok := d.QuestionOf(ref); ok && x.Query != nil {
		return x.Query.Type
	}
	return hotline.Operation
}
