package console

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/node"
)

// CallPage is the form by which a call outside this channel gets into the
// record: who called whom, when, and how it ended.
type CallPage struct {
	Page
	Form     form
	Flaw     Flaw
	Head     HeadForm
	Callers  []Option
	Called   []Option
	Outcomes []Option
}

// call shows the form of a call, or takes it as a draft.
func (s *Server) call(w http.ResponseWriter, q *request) error {
	f := prefilled(q)
	code, p := http.StatusOK, CallPage{Page: s.page(q, "call", q.loc.T("call.title")), Form: f}
	if q.Method == http.MethodPost {
		d, a, err := s.callOf(q, f)
		if err == nil {
			err = s.keep(w, q, d, strings.ToUpper(a.Outcome.String()))
		}
		if err == nil {
			return nil
		}
		if p.Flaw, err = flaw(q, err); err != nil {
			return err
		}
		code = http.StatusUnprocessableEntity
	} else {
		f.Set("lane", "IMMEDIATE")
		f.Set("caller", strconv.Itoa(int(s.cfg.Host.Me())))
		f.Set("at", q.now.UTC().Format("2006-01-02T15:04"))
	}
	p.Head = s.headForm(q, f)
	c := s.cfg.Host.Charter()
	for _, m := range speakers(c) {
		n := strconv.Itoa(int(m))
		p.Callers = append(p.Callers, Option{n, memberName(c, m), f.Get("caller") == n})
	}
	p.Called = s.members(f, "called-", speakers(c))
	p.Outcomes = q.options("outcome", f.Get("outcome"), "connected", "no-answer", "busy", "refused", "cut")
	return s.render(w, q, code, "call", &p)
}

// callOf reads the form of a call.
func (s *Server) callOf(q *request, f form) (d parley.Draft, a *hotline.Attempt, err error) {
	c := s.cfg.Host.Charter()
	a = &hotline.Attempt{Called: f.parties("called-", c), Note: f.text("note")}
	lane, typ, line, err := f.head()
	if err != nil {
		return d, a, err
	}
	a.Type, a.Line = typ, line
	if a.Outcome, err = hotline.ParseOutcome(f.Get("outcome")); err != nil {
		return d, a, parley.Errorf(CodeForm, "choose how the call ended")
	}
	caller, err := f.number("caller", 1, parley.MaxParty)
	if err != nil {
		return d, a, parley.Errorf(CodeForm, "choose who called")
	}
	at, err := f.time("at")
	if err != nil {
		return d, a, err
	}
	if at.After(q.now.Add(time.Minute)) {
		return d, a, parley.Errorf(CodeForm, "the call lies in the future: it is now %s", q.now.UTC().Format("02 Jan 2006 1504Z"))
	}
	a.Caller, a.At = parley.Party(caller), uint64(max(at.Unix(), 0))
	if a.Called == 0 {
		return d, a, parley.Errorf(CodeForm, "nobody was called")
	}
	if err := a.Check(); err != nil {
		return d, a, err
	}
	return hotline.Draft(a, lane, parley.ToAll), a, nil
}

// QuestionPage is the form of a question about something that came from
// outside this channel: a call, a letter, a broadcast. Is it yours?
type QuestionPage struct {
	Page
	Form    form
	Flaw    Flaw
	Head    HeadForm
	Members []Option
}

// question shows the form of a question, or takes it as a draft.
func (s *Server) question(w http.ResponseWriter, q *request) error {
	f := prefilled(q)
	code, p := http.StatusOK, QuestionPage{Page: s.page(q, "question", q.loc.T("question.title")), Form: f}
	c, me := s.cfg.Host.Charter(), s.cfg.Host.Me()
	if q.Method == http.MethodPost {
		d, b, err := s.questionOf(f)
		if err == nil {
			err = s.keep(w, q, d, strings.ToUpper(b.Ask.String())+"? "+short("", b.Text))
		}
		if err == nil {
			return nil
		}
		if p.Flaw, err = flaw(q, err); err != nil {
			return err
		}
		code = http.StatusUnprocessableEntity
	} else {
		f.Set("lane", "IMMEDIATE")
	}
	p.Head, p.Members = s.headForm(q, f), s.members(f, "to-", parties(c, me))
	return s.render(w, q, code, "question", &p)
}

func (s *Server) questionOf(f form) (d parley.Draft, b *hotline.Query, err error) {
	c, me := s.cfg.Host.Charter(), s.cfg.Host.Me()
	b = &hotline.Query{Ask: hotline.DidYouSend, Text: f.text("text")}
	lane, typ, line, err := f.head()
	if err != nil {
		return d, b, err
	}
	b.Type, b.Line = typ, line
	to := f.parties("to-", c)
	if to == 0 {
		return d, b, parley.Errorf(CodeForm, "nobody is asked")
	}
	if b.Text == "" {
		return d, b, parley.Errorf(CodeForm, "say what is meant: what was said or sent, when, and by whom it claimed to be")
	}
	if err := b.Check(); err != nil {
		return d, b, err
	}
	return hotline.Draft(b, lane, c.Address(me, to)), b, nil
}

// lineOptions are the lines in force, the chosen one marked.
func (s *Server) lineOptions(q *request, chosen string) (out []Option) {
	s.cfg.Host.Node.Do(q.Context(), func(v node.View) { // failing, the form offers none
		for _, l := range v.Docket.Hotline.Lines(v.Now) {
			if l.Line != nil {
				n := strconv.Itoa(int(l.Number))
				out = append(out, Option{n, n + " · " + l.Line.Name, n == chosen})
			}
		}
	})
	return out
}
