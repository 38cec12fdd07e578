package console

import (
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"parley"
	"parley/internal/officer"
	"parley/release"
)

// OfficersPage lists who serves the party, and what an administrator may do.
type OfficersPage struct {
	Page
	Standing officer.Standing
	Warnings []WarningRow
	Officers []OfficerRow
	Manage   bool   // may add and change officers
	Approve  bool   // may ask for recovery and approve it
	Roster   bool   // may draft the roster
	Link     string // the one-time link that was just made; shown once
	LinkFor  string
	Roles    []string
	Problem  string
	Remedy   string
}

// WarningRow is something that every officer is told.
type WarningRow struct {
	Act   string
	Name  string
	Time  time.Time
	Until time.Time
}

// OfficerRow is one officer with what can be done to him.
type OfficerRow struct {
	officer.Officer
	Me       bool
	Roles    []RoleChoice
	Sessions []officer.Session
	Recovery *officer.Recovery
	AskedBy  string
	Second   bool // the recovery waits for a second officer, and this one may be he
	Ready    bool // the link can be made
	Asked    bool // this officer asked for it
}

// RoleChoice is a role that an officer has or not.
type RoleChoice struct {
	Name string
	Has  bool
}

func roleChoices(r officer.Roles) (list []RoleChoice) {
	for _, n := range officer.AllRoles.Names() {
		one, _ := officer.ParseRole(n)
		list = append(list, RoleChoice{n, r&one != 0})
	}
	return list
}

func (s *Server) officers(w http.ResponseWriter, q *request) error {
	return s.showOfficers(w, q, "", "", nil)
}

// showOfficers shows the page, with a link that was just made, or with what
// was wrong.
func (s *Server) showOfficers(w http.ResponseWriter, q *request, link, linkFor string, problem error) error {
	b, ses := s.cfg.Book, q.person.Session
	can := q.person.Can
	p := OfficersPage{Page: s.page(q, "officers", q.loc.T("nav.officers")), Standing: b.Standing(), Manage: can(officer.ManageOfficers),
		Approve: can(officer.ApproveChange), Link: link, LinkFor: linkFor, Roles: officer.AllRoles.Names()}
	p.Roster = p.Standing.RosterDue && can(officer.PostRoster)
	for _, x := range p.Standing.Warnings {
		p.Warnings = append(p.Warnings, WarningRow{string(x.Act), x.Name, x.Time, x.Until})
	}
	recoveries := map[officer.ID]*officer.Recovery{}
	for _, r := range b.Recoveries() {
		recoveries[r.Officer] = &r
	}
	for _, o := range b.Officers() {
		row := OfficerRow{Officer: o, Me: o.ID == ses.Officer, Roles: roleChoices(o.Roles), Recovery: recoveries[o.ID]}
		if o.State == officer.Active && (row.Me || can(officer.SeeSessions)) {
			row.Sessions, _ = b.Sessions(ses, o.ID)
		}
		if r := row.Recovery; r != nil {
			row.AskedBy, row.Asked = s.officerName(r.Asked), r.Asked == ses.Officer
			row.Second = p.Approve && r.Approved == 0 && !row.Asked && !row.Me
			row.Ready = p.Approve && r.Approved != 0 && !q.now.Before(r.Open)
		}
		p.Officers = append(p.Officers, row)
	}
	code := http.StatusOK
	if problem != nil {
		c := parley.CodeOf(problem)
		p.Problem, p.Remedy = strings.TrimPrefix(problem.Error(), string(c)+": "), q.loc.Error(string(c), c.Remedy()).Text
		code = http.StatusUnprocessableEntity
	}
	return s.render(w, q, code, "officers", &p)
}

// inForm shows the page again for what the form can put right; everything else
// is for the error page.
func (s *Server) inForm(w http.ResponseWriter, q *request, err error) error {
	switch parley.CodeOf(err) {
	case officer.CodeOfficer, officer.CodeTitle, officer.CodeLast, officer.CodeSame, officer.CodeWait:
		return s.showOfficers(w, q, "", "", err)
	}
	return err
}

func (s *Server) peopleDone(w http.ResponseWriter, q *request, what string) error {
	s.hub.tell(changedPeople, changedStrip)
	http.Redirect(w, q.Request, "/officers?done="+what, http.StatusSeeOther)
	return nil
}

// identityOf reads who an officer is from a form.
func identityOf(q *request) (who officer.Identity, err error) {
	who = officer.Identity{Name: q.PostForm.Get("name"), Title: q.PostForm.Get("title")}
	for _, n := range q.PostForm["role"] {
		r, err := officer.ParseRole(n)
		if err != nil {
			return who, err
		}
		who.Roles |= r
	}
	return who, nil
}

// linkTo is a one-time link as the new officer opens it.
func (s *Server) linkTo(token string) string { return s.URL() + "setup/" + token }

func (s *Server) addOfficer(w http.ResponseWriter, q *request) error {
	who, err := identityOf(q)
	if err != nil {
		return s.inForm(w, q, err)
	}
	_, token, err := s.cfg.Book.AddOfficer(q.person.Session, who)
	if err != nil {
		return s.inForm(w, q, err)
	}
	if token == "" { // a demonstration's officer needs none
		return s.peopleDone(w, q, "added")
	}
	s.hub.tell(changedPeople, changedStrip)
	return s.showOfficers(w, q, s.linkTo(token), who.Name, nil)
}

// changeOfficer does what the pressed button says.
func (s *Server) changeOfficer(w http.ResponseWriter, q *request) error {
	o, err := officerID(q.PathValue("id"))
	if err != nil {
		return err
	}
	b, ses, token := s.cfg.Book, q.person.Session, ""
	what := q.PostForm.Get("do")
	switch what {
	case "change":
		var who officer.Identity
		if who, err = identityOf(q); err == nil {
			if old, ok := b.Officer(o); ok {
				who.Language = old.Language
			}
			err = b.ChangeOfficer(ses, o, who)
		}
	case "remove":
		err = b.RemoveOfficer(ses, o)
	case "link":
		token, err = b.NewLink(ses, o)
	case "recover":
		err = b.AskRecovery(ses, o)
	case "approve":
		err = b.ApproveRecovery(ses, o)
	case "stop":
		err = b.StopRecovery(ses, o)
	case "recovery-link":
		token, err = b.RecoveryLink(ses, o)
	default:
		err = parley.Errorf(CodeForm, "the form says nothing to do")
	}
	if err != nil {
		return s.inForm(w, q, err)
	}
	if token != "" {
		x, _ := b.Officer(o)
		return s.showOfficers(w, q, s.linkTo(token), x.Name, nil)
	}
	return s.peopleDone(w, q, "changed")
}

func (s *Server) removePasskey(w http.ResponseWriter, q *request) error {
	o, err := officerID(q.PathValue("id"))
	if err != nil {
		return err
	}
	raw, err := hex.DecodeString(q.PathValue("key"))
	if err != nil || len(raw) != len(release.ID{}) {
		return parley.Errorf(CodeForm, "the address names no passkey")
	}
	if err := s.cfg.Book.RemovePasskey(q.person.Session, o, release.ID(raw)); err != nil {
		return s.inForm(w, q, err)
	}
	return s.peopleDone(w, q, "changed")
}

func (s *Server) endSessionOf(w http.ResponseWriter, q *request) error {
	h, err := parseHash(q.PathValue("hash"))
	if err != nil {
		return err
	}
	if err := s.cfg.Book.EndSession(q.person.Session, h); err != nil {
		return err
	}
	return s.peopleDone(w, q, "ended")
}

// makeRoster makes the draft of the roster; two officers let it out like any.
func (s *Server) makeRoster(w http.ResponseWriter, q *request) error {
	d, err := s.cfg.Book.DraftRoster(q.person.Session)
	if err != nil {
		return err
	}
	s.hub.tell(changedDrafts, changedStrip)
	http.Redirect(w, q.Request, draftAddress(d.ID), http.StatusSeeOther)
	return nil
}
