package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"parley"
	"parley/internal/officer"
)

// peopleRoutes is the part of the table about officers: set-up, sign-in,
// officers, the watch, rules and the journal. The book judges every change
// again with its object; what needs a fresh sign-in leads there.
func peopleRoutes() []*route {
	see, self := officer.SeeOfficers, officer.ManageSelf
	return []*route{
		{method: "GET", path: "/sign-in", public: true, serve: (*Server).signInPage},
		{method: "POST", path: "/sign-in", public: true, serve: (*Server).demoSignIn},
		{method: "POST", path: "/sign-in/begin", public: true, serve: (*Server).beginSignIn},
		{method: "POST", path: "/sign-in/finish", public: true, serve: (*Server).finishSignIn},
		{method: "POST", path: "/sign-out", may: self, serve: (*Server).signOut},
		{method: "GET", path: "/setup/{token}", public: true, serve: (*Server).setup},
		{method: "POST", path: "/setup/{token}/begin", public: true, serve: (*Server).beginSetup},
		{method: "POST", path: "/setup/{token}/finish", public: true, serve: (*Server).finishSetup},

		{method: "GET", path: "/officers", may: see, serve: (*Server).officers},
		{method: "POST", path: "/officers", may: see, serve: sensitive((*Server).addOfficer)},
		{method: "POST", path: "/officers/{id}", may: see, serve: sensitive((*Server).changeOfficer)},
		{method: "POST", path: "/officers/{id}/passkeys/{key}/remove", may: see, serve: sensitive((*Server).removePasskey)},
		{method: "POST", path: "/officers/sessions/{hash}/end", may: self, serve: sensitive((*Server).endSessionOf)},
		{method: "POST", path: "/officers/passkey/begin", may: self, serve: (*Server).beginPasskey},
		{method: "POST", path: "/officers/passkey/finish", may: self, serve: (*Server).finishPasskey},
		{method: "POST", path: "/officers/roster", may: officer.PostRoster, serve: (*Server).makeRoster},

		{method: "GET", path: "/rules", may: see, serve: (*Server).rules},
		{method: "POST", path: "/rules", may: see, serve: sensitive((*Server).changeRules)},
		{method: "GET", path: "/watch", may: officer.ReadRecord, serve: (*Server).watch},
		{method: "POST", path: "/watch", may: officer.TakeWatch, serve: (*Server).changeWatch},
		{method: "GET", path: "/audit", may: officer.SeeAudit, serve: (*Server).audit},
		{method: "GET", path: "/audit/{index}", may: officer.SeeAudit, serve: (*Server).auditEntry},
		{method: "POST", path: "/audit/{index}/proof", may: officer.Export, serve: (*Server).auditProof, strict: true},
	}
}

// sensitive leads to the sign-in page when the book wants a fresh session, and
// back to the page afterwards.
func sensitive(serve func(*Server, http.ResponseWriter, *request) error) func(*Server, http.ResponseWriter, *request) error {
	return func(s *Server, w http.ResponseWriter, q *request) error {
		err := serve(s, w, q)
		if parley.CodeOf(err) != officer.CodeFresh {
			return err
		}
		next := "/officers"
		if q.URL.Path == "/rules" {
			next = "/rules"
		}
		http.Redirect(w, q.Request, "/sign-in?next="+url.QueryEscape(next), http.StatusSeeOther)
		return nil
	}
}

// nextPages are where signing in may lead; anything else leads to the lines.
var nextPages = []string{"/officers", "/rules", "/watch", "/audit", "/drafts"}

func nextPage(s string) string {
	if slices.Contains(nextPages, s) {
		return s
	}
	return "/lines"
}

// SignInPage asks for a passkey; in a demonstration, which officer to be.
type SignInPage struct {
	Page
	Next     string
	Again    bool // the officer is signed in, and does something that needs it anew
	Setup    bool // nobody can sign in yet
	Officers []officer.Officer
}

func (s *Server) signInPage(w http.ResponseWriter, q *request) error {
	p := SignInPage{Page: s.page(q, "signin", q.loc.T("signin.title")), Next: nextPage(q.URL.Query().Get("next")),
		Again: q.person != nil, Setup: s.cfg.Book.NeedsSetup()}
	if s.cfg.Demo {
		for _, o := range s.cfg.Book.Officers() {
			if o.State == officer.Active {
				p.Officers = append(p.Officers, o)
			}
		}
	}
	if s.cfg.Demo { // three of them lie side by side; a real party is not named to strangers
		p.Me = s.cfg.Host.Charter().Member(s.cfg.Host.Me()).Name
	}
	return s.render(w, q, http.StatusOK, "signin", &p)
}

// replace ends the session that the browser had before.
func (s *Server) replace(w http.ResponseWriter, q *request, in *officer.SignIn) {
	if q.person != nil {
		if err := s.cfg.Book.SignOut(q.person.Session); err != nil && parley.CodeOf(err) != officer.CodeSession {
			s.cfg.Log.Error("console: a former session did not end", "err", err)
		}
	}
	s.setSession(w, in)
	s.hub.tell(changedPeople)
}

func (s *Server) demoSignIn(w http.ResponseWriter, q *request) error {
	if !s.cfg.Demo {
		return parley.Errorf(CodeScript, "signing in needs a passkey, and a passkey needs this console's script")
	}
	o, err := officerID(q.PostForm.Get("officer"))
	if err != nil {
		return err
	}
	in, err := s.cfg.Book.DemoSignIn(address(q.Request), o)
	if err != nil {
		return err
	}
	s.replace(w, q, in)
	http.Redirect(w, q.Request, nextPage(q.PostForm.Get("next")), http.StatusSeeOther)
	return nil
}

func officerID(v string) (officer.ID, error) {
	n, err := strconv.ParseUint(v, 10, 32)
	if err != nil {
		return 0, parley.Errorf(CodeForm, "%q is no officer's number", clean(v))
	}
	return officer.ID(n), nil
}

func (s *Server) beginSignIn(w http.ResponseWriter, q *request) error {
	c, err := s.cfg.Book.BeginSignIn(address(q.Request))
	if err != nil {
		return err
	}
	return writeJSON(w, begun{c.ID, c.Options, c.Demo})
}

func (s *Server) finishSignIn(w http.ResponseWriter, q *request) error {
	var v struct {
		finishing
		Next string `json:"next"`
	}
	if err := readJSON(q, &v); err != nil {
		return err
	}
	in, err := s.cfg.Book.FinishSignIn(address(q.Request), v.Ceremony, v.Answer)
	if err != nil {
		return err
	}
	s.replace(w, q, in)
	return writeJSON(w, done{nextPage(v.Next)})
}

func (s *Server) signOut(w http.ResponseWriter, q *request) error {
	if err := s.cfg.Book.SignOut(q.person.Session); err != nil {
		return err
	}
	s.endSession(w)
	s.hub.tell(changedPeople)
	http.Redirect(w, q.Request, "/sign-in", http.StatusSeeOther)
	return nil
}

// SetupPage is what a one-time link opens: name and title of the first
// officer, and a new passkey for everybody.
type SetupPage struct {
	Page
	Token   string
	Enrol   officer.Enrolment
	Minutes int // the link is good for
}

func (s *Server) setup(w http.ResponseWriter, q *request) error {
	e, err := s.cfg.Book.OpenLink(address(q.Request), q.PathValue("token"))
	if err != nil {
		return err
	}
	p := SetupPage{Page: s.page(q, "setup", q.loc.T("setup.title")), Token: q.PathValue("token"), Enrol: *e,
		Minutes: max(int(e.Until.Sub(q.now).Minutes()), 0)}
	return s.render(w, q, http.StatusOK, "setup", &p)
}

// enrolling is what the page sends, twice.
type enrolling struct {
	finishing
	Name  string `json:"name"`
	Title string `json:"title"`
	Label string `json:"label"`
}

func (s *Server) beginSetup(w http.ResponseWriter, q *request) error {
	var v enrolling
	if err := readJSON(q, &v); err != nil {
		return err
	}
	who := officer.Identity{Name: v.Name, Title: v.Title, Language: q.loc.Lang()}
	c, err := s.cfg.Book.BeginEnrol(address(q.Request), q.PathValue("token"), who)
	if err != nil {
		return err
	}
	return writeJSON(w, begun{c.ID, c.Options, c.Demo})
}

func (s *Server) finishSetup(w http.ResponseWriter, q *request) error {
	var v enrolling
	if err := readJSON(q, &v); err != nil {
		return err
	}
	in, err := s.cfg.Book.FinishEnrol(address(q.Request), q.PathValue("token"), v.Ceremony, v.Label, v.Answer)
	if err != nil {
		return err
	}
	s.replace(w, q, in)
	s.hub.tell(changedStrip)
	if s.cfg.Book.Standing().Officers < 2 {
		return writeJSON(w, done{"/officers?done=first"})
	}
	return writeJSON(w, done{"/officers?done=enrolled"})
}

func (s *Server) beginPasskey(w http.ResponseWriter, q *request) error {
	c, err := s.cfg.Book.BeginAddPasskey(q.person.Session)
	if err != nil {
		return err
	}
	return writeJSON(w, begun{c.ID, c.Options, c.Demo})
}

func (s *Server) finishPasskey(w http.ResponseWriter, q *request) error {
	var v enrolling
	if err := readJSON(q, &v); err != nil {
		return err
	}
	if err := s.cfg.Book.FinishAddPasskey(q.person.Session, v.Ceremony, v.Label, v.Answer); err != nil {
		return err
	}
	s.hub.tell(changedPeople)
	return writeJSON(w, done{"/officers?done=passkey"})
}
