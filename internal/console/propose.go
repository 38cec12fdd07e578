package console

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/node"
)

// ProposePage is the form of a new line, or of a new wording of one.
type ProposePage struct {
	Page
	Form    form
	Flaw    Flaw
	Number  uint8 // of the line whose wording is the basis; 0 a new line
	Members []Option
	First   []Option
	Media   []Option
	Next    []Option
	Days    []Option
}

// propose shows the form, or takes it as a draft. A line binds nobody until
// every member of it has accepted these very bytes.
func (s *Server) propose(w http.ResponseWriter, q *request) error {
	f := prefilled(q)
	code, p := http.StatusOK, ProposePage{Page: s.page(q, "propose", q.loc.T("propose.title")), Form: f}
	if q.Method == http.MethodPost {
		d, l, err := s.proposalOf(q, f)
		if err == nil {
			err = s.keep(w, q, d, q.loc.T("lines.number", int(l.Number))+" · "+l.Name)
		}
		if err == nil {
			return nil
		}
		if p.Flaw, err = flaw(q, err); err != nil {
			return err
		}
		code = http.StatusUnprocessableEntity
	} else {
		s.basis(q, f)
	}
	if n, err := f.number("number", 1, hotline.MaxLine); err == nil {
		p.Number = uint8(n)
	}
	c := s.cfg.Host.Charter()
	p.Members = s.members(f, "member-", speakers(c))
	for _, m := range speakers(c) {
		n := strconv.Itoa(int(m))
		p.First = append(p.First, Option{n, memberName(c, m), f.Get("first") == n})
	}
	p.Media = q.options("medium", f.Get("medium"), "channel", "voice", "fax", "video", "other")
	for _, o := range s.lineOptions(q, f.Get("next")) {
		if o.Value != f.Get("number") {
			p.Next = append(p.Next, o)
		}
	}
	for _, d := range weekdays {
		p.Days = append(p.Days, Option{d, q.loc.T("weekday." + d), f.Get("day-"+d) != ""})
	}
	return s.render(w, q, code, "propose", &p)
}

// basis fills the form from the wording in force, or for a new line with its
// first free number and what most lines have.
func (s *Server) basis(q *request, f form) {
	want, _ := f.number("number", 1, hotline.MaxLine)
	free := uint64(1)
	var l *hotline.Line
	s.cfg.Host.Node.Do(q.Context(), func(v node.View) { // failing, the form is empty
		for _, x := range v.Docket.Hotline.Lines(v.Now) {
			if uint64(x.Number) == free {
				free++
			}
			if uint64(x.Number) == want && len(x.Proposals) > 0 {
				if l = x.Line; l == nil {
					l = x.Proposals[0].Line
				}
			}
		}
	})
	if want == 0 {
		want = min(free, hotline.MaxLine)
	}
	f.Set("number", strconv.FormatUint(want, 10))
	if l == nil {
		f.Set("tests", "daily")
		f.Set("grace", "15")
		f.Set("start", q.now.UTC().Add(24*time.Hour).Truncate(24*time.Hour).Format("2006-01-02T15:04"))
		for _, d := range weekdays {
			f.Set("day-"+d, "1")
		}
		return
	}
	s.fillProposal(f, l)
}

// fillProposal writes a wording into the fields of the form.
func (s *Server) fillProposal(f form, l *hotline.Line) {
	w := s.wording(l)
	f.Set("name", l.Name)
	f.Set("level", l.Level)
	f.Set("medium", l.Medium.String())
	f.Set("next", strconv.Itoa(int(l.Next)))
	for _, m := range l.Members.Parties() {
		f.Set("member-"+strconv.Itoa(int(m)), "1")
	}
	for _, d := range w.Holidays {
		f.Set("holidays", f.Get("holidays")+d+" ")
	}
	f.Set("tests", "none")
	if t := l.Schedule; t != nil {
		f.Set("tests", "every")
		if len(w.Days) > 0 {
			f.Set("tests", "daily")
		}
		f.Set("every", strconv.Itoa(int(max(t.Every/3600, 1))))
		f.Set("first", strconv.Itoa(int(t.First)))
		f.Set("grace", strconv.Itoa(int(l.Grace/60)))
		f.Set("start", w.Start.Format("2006-01-02T15:04"))
		for _, d := range w.Days {
			f.Set("day-"+d, "1")
		}
		for _, m := range w.Times {
			f.Set("times", f.Get("times")+m+" ")
		}
	}
}

// proposalOf reads the form of a line. Its serial is one above every wording
// of the number that this node holds.
func (s *Server) proposalOf(q *request, f form) (d parley.Draft, l *hotline.Line, err error) {
	c := s.cfg.Host.Charter()
	l = &hotline.Line{Serial: 1, Name: f.text("name"), Level: f.text("level"), Members: f.parties("member-", c)}
	n, err := f.number("number", 1, hotline.MaxLine)
	if err != nil {
		return d, l, err
	}
	l.Number = uint8(n)
	if l.Medium, err = hotline.ParseMedium(f.Get("medium")); err != nil {
		return d, l, err
	}
	if f.Get("next") != "" {
		next, err := f.number("next", 0, hotline.MaxLine)
		if err != nil {
			return d, l, err
		}
		l.Next = uint8(next)
	}
	if len(l.Members.Parties()) < 2 {
		return d, l, parley.Errorf(CodeForm, "a line needs two members or more")
	}
	first := l.Members.Parties()[0]
	if n, err := f.number("first", 1, parley.MaxParty); err == nil {
		first = parley.Party(n)
	}
	if l.Schedule, err = scheduleOf(f, first, q.now); err != nil {
		return d, l, err
	}
	if l.Schedule != nil {
		g, err := f.number("grace", hotline.MinGrace/60, hotline.MaxGrace/60)
		if err != nil {
			return d, l, err
		}
		l.Grace = uint32(g) * 60
	}
	for _, x := range fields(f.Get("holidays")) {
		t, err := time.Parse(time.DateOnly, x)
		if err != nil || t.Unix() < 0 {
			return d, l, parley.Errorf(CodeForm, "%q is no date such as 2026-01-26", clean(x))
		}
		l.Holidays = append(l.Holidays, uint32(t.Unix()/86400))
	}
	slices.Sort(l.Holidays)
	l.Holidays = slices.Compact(l.Holidays)
	if derr := s.cfg.Host.Node.Do(q.Context(), func(v node.View) {
		for _, x := range v.Docket.Hotline.Lines(v.Now) {
			for _, p := range x.Proposals {
				if x.Number == l.Number {
					l.Serial = max(l.Serial, p.Line.Serial+1)
				}
			}
		}
	}); derr != nil {
		return d, l, derr
	}
	if err := l.Check(); err != nil {
		return d, l, err
	}
	return hotline.Draft(l, parley.Routine, parley.ToAll), l, nil
}
