package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"parley"
	"parley/internal/officer"
)

// RulesPage shows how many persons a message takes, and a proposal to change it.
type RulesPage struct {
	Page
	Rows      []RuleRow
	Bound     bool
	Proposed  []RuleRow
	NewBound  bool
	By        string
	Open      bool // a proposal is open
	Mine      bool
	CanSet    bool
	CanSecond bool
	Form      string // the proposal that is shown, as its approval must name it
	Lanes     []string
	People    []officer.Officer // who may be named in a rule
}

// RuleRow is one rule.
type RuleRow struct {
	officer.Rule
	Draft   []string
	Release []string
	Changed bool
	Dropped bool // in force, and not in the proposal
}

func (s *Server) ruleRows(rs []officer.Rule) (rows []RuleRow) {
	names := func(ids []officer.ID) (list []string) {
		for _, id := range ids {
			list = append(list, s.officerName(id))
		}
		return list
	}
	for _, r := range rs {
		rows = append(rows, RuleRow{Rule: r, Draft: names(r.Draft), Release: names(r.Release)})
	}
	return rows
}

func (s *Server) rules(w http.ResponseWriter, q *request) error {
	b := s.cfg.Book
	p := RulesPage{Page: s.page(q, "rules", q.loc.T("rules.title")), CanSet: q.person.Can(officer.SetRules)}
	for lane := range parley.Lane(parley.Lanes) {
		p.Lanes = append(p.Lanes, lane.String())
	}
	for _, o := range b.Officers() {
		if o.State != officer.Removed {
			p.People = append(p.People, o)
		}
	}
	now, bound := b.Rules()
	p.Rows, p.Bound = s.ruleRows(now), bound
	if all, newBound, by, ok := b.ProposedRules(); ok {
		p.Open, p.Proposed, p.NewBound, p.By, p.Mine = true, s.ruleRows(all), newBound, s.officerName(by), by == q.person.Session.Officer
		p.CanSecond, p.Form = q.person.Can(officer.ApproveChange) && !p.Mine, ruleForm(all, newBound)
		for i := range p.Proposed {
			was := b.RuleFor(p.Proposed[i].Line, p.Proposed[i].Lane)
			p.Proposed[i].Changed = ruleForm([]officer.Rule{was}, false) != ruleForm(all[i:i+1], false)
		}
		for _, row := range p.Rows {
			if !slices.ContainsFunc(all, func(r officer.Rule) bool { return r.Line == row.Line && r.Lane == row.Lane }) {
				row.Dropped = true
				p.Proposed = append(p.Proposed, row)
			}
		}
	}
	return s.render(w, q, http.StatusOK, "rules", &p)
}

// ruleForm writes rules down in one line, so that an approval names what its
// officer saw.
func ruleForm(rs []officer.Rule, bound bool) string {
	var b strings.Builder
	for _, r := range rs {
		b.WriteString(strconv.FormatUint(r.Line, 10) + "/" + strconv.Itoa(int(r.Lane)) + "/" + strconv.Itoa(r.Persons))
		for _, ids := range [][]officer.ID{r.Draft, r.Release} {
			b.WriteString("/")
			for _, id := range ids {
				b.WriteString(id.String() + ",")
			}
		}
		b.WriteString(" ")
	}
	return b.String() + strconv.FormatBool(bound)
}

func (s *Server) changeRules(w http.ResponseWriter, q *request) error {
	b, ses := s.cfg.Book, q.person.Session
	var err error
	switch q.PostForm.Get("do") {
	case "propose":
		var all []officer.Rule
		if all, err = s.rulesOf(q); err == nil {
			err = b.ProposeRules(ses, all, q.PostForm.Get("bound") == "1")
		}
	case "approve":
		all, bound, _, ok := b.ProposedRules()
		if !ok || ruleForm(all, bound) != q.PostForm.Get("form") {
			return parley.Errorf(officer.CodeStale, "other rules are proposed by now")
		}
		err = b.ApproveRules(ses, all, bound)
	case "drop":
		err = b.DropRules(ses)
	default:
		err = parley.Errorf(CodeForm, "the form says nothing to do")
	}
	if err != nil {
		return err
	}
	s.hub.tell(changedPeople, changedStrip)
	http.Redirect(w, q.Request, "/rules?done=changed", http.StatusSeeOther)
	return nil
}

// rulesOf reads the form: the rules in force with other numbers of persons, 0
// to drop the rule of a line, and one new rule for a line.
func (s *Server) rulesOf(q *request) (all []officer.Rule, err error) {
	now, _ := s.cfg.Book.Rules()
	for _, r := range now {
		if n, bad := strconv.Atoi(q.PostForm.Get("persons-" + strconv.FormatUint(r.Line, 10) + "-" + laneOf(r.Lane))); bad == nil {
			r.Persons = n
		}
		if r.Persons != 0 {
			all = append(all, r)
		}
	}
	if q.PostForm.Get("new-line") == "" {
		return all, nil
	}
	var r officer.Rule
	if r.Line, err = strconv.ParseUint(q.PostForm.Get("new-line"), 10, 8); err != nil || r.Line == 0 {
		return nil, parley.Errorf(officer.CodeRule, "lines have numbers from 1 to 255")
	}
	if r.Lane, err = parley.ParseLane(q.PostForm.Get("new-lane")); err != nil {
		return nil, err
	}
	if r.Persons, err = strconv.Atoi(q.PostForm.Get("new-persons")); err != nil {
		return nil, parley.Errorf(officer.CodeRule, "a rule asks for one person or two")
	}
	for name, list := range map[string]*[]officer.ID{"new-draft": &r.Draft, "new-release": &r.Release} {
		for _, v := range q.PostForm[name] {
			o, err := officerID(v)
			if err != nil {
				return nil, err
			}
			*list = append(*list, o)
		}
	}
	return append(all, r), nil
}
