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
	p := DutiesPage{Page: s.page(q, "duties", q.loc.T("nav.duties"))}
	p.Refresh = true
	h := s.cfg.Host
	err := h.Node.Do(q.Context(), func(v node.View) {
		for _, x := range v.Docket.Due(v.Now) {
			list := &p.Theirs
			if x.Owner == h.Me() {
				list = &p.Ours
			}
			if len(*list) == dutiesShown {
				p.More++
				continue
			}
			r := DutyRow{Ref: x.Ref, Owner: v.Docket.Hotline.Name(x.Owner), What: x.What, Lane: x.Lane, By: x.By.UTC(), Late: x.Late, Text: x.Text}
			r.Type = s.entryType(v, x.Ref)
			*list = append(*list, r)
		}
	})
	if err != nil {
		return err
	}
	return s.render(w, q, http.StatusOK, "duties", &p)
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
