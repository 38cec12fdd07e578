package console

import (
	"net/http"
	"time"

	"parley"
	"parley/hotline"
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
	Text  string // English
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
	p := *all
	p.Page = s.page(q, "duties", q.loc.T("nav.duties"))
	p.Refresh = true
	return s.render(w, q, http.StatusOK, "duties", &p)
}

// fillDuties reads what the page shows, inside node.Do.
func (s *Server) fillDuties(v node.View, p *DutiesPage) {
	ours, theirs := v.Docket.Urgent(v.Now, dutiesShown)
	rows := func(o hotline.Owed) (list []DutyRow) {
		for _, x := range o.Duties {
			list = append(list, DutyRow{Ref: x.Ref, Owner: v.Docket.Hotline.Name(x.Owner), What: x.What, Lane: x.Lane, By: x.By.UTC(),
				Late: x.Late, Text: x.Text, Type: s.entryType(v, x.Ref)})
		}
		p.More += o.All - len(list)
		return list
	}
	p.Ours, p.Theirs = rows(ours), rows(theirs)
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
