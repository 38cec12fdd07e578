package console

import (
	"net/http"
	"strconv"
	"time"

	"parley/internal/officer"
)

// person is the officer of a session, as pages see one.
type person struct {
	Session *officer.Session
	ID      string // of the officer, for limits and streams
	Name    string
	Title   string
	Can     func(a officer.Action) bool // without an audit, for what a page offers
}

// cookieName is the session's cookie. It carries the member's number, because
// cookies do not tell apart the ports of one host, and a demonstration runs
// three consoles on it. __Host- keeps it to this host, over TLS or on
// localhost, and to every path.
func (s *Server) cookieName() string {
	return "__Host-s" + strconv.Itoa(int(s.cfg.Host.Me()))
}

// setSession hands a browser its session; a new token at every sign-in.
func (s *Server) setSession(w http.ResponseWriter, in *officer.SignIn) {
	http.SetCookie(w, &http.Cookie{Name: s.cookieName(), Value: in.Token, Path: "/", Secure: true, HttpOnly: true,
		SameSite: http.SameSiteStrictMode, Expires: in.Session.Ends})
}

// endSession removes the cookie and what the browser kept.
func (s *Server) endSession(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{Name: s.cookieName(), Path: "/", Secure: true, HttpOnly: true,
		SameSite: http.SameSiteStrictMode, MaxAge: -1, Expires: time.Unix(0, 0)})
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
}

// personOf is the officer of the request's session, nil without one. What the
// script asks by itself does not keep a session alive.
func (s *Server) personOf(q *request) (*person, error) {
	c, err := q.Cookie(s.cookieName())
	if err != nil {
		return nil, nil
	}
	look := s.cfg.Book.Session
	if q.passive() {
		look = s.cfg.Book.Peek
	}
	ses, err := look(c.Value)
	if err != nil {
		return nil, err
	}
	return s.personIn(ses), nil
}

func (s *Server) personIn(ses *officer.Session) *person {
	return &person{Session: ses, ID: strconv.Itoa(int(ses.Officer)), Name: ses.Name, Title: ses.Title,
		Can: func(a officer.Action) bool { return s.cfg.Book.Can(ses, a, officer.Object{}) }}
}

// note writes into the book's journal what an officer did here; never the
// content of a message.
func (s *Server) note(q *request, object, detail string) {
	if err := s.cfg.Book.Note(q.person.Session, object, detail); err != nil {
		s.cfg.Log.Error("console: the book could not note something", "object", object, "err", err)
	}
}

// people fills in what the book adds to the strip: drafts and the watch.
func (s *Server) people(st *Strip) {
	g := s.cfg.Book.Glance()
	st.Drafts, st.News = g.Awaiting, g.News
	if g.Watch.Officer != 0 {
		st.Watch, st.WatchSince = g.Watch.Name, g.Watch.Since
	}
}

// SetupLink is the one-time address at which the first officer enters. Whoever
// has it can become that officer: print it where only the operator reads.
func (s *Server) SetupLink() (string, error) {
	token, err := s.cfg.Book.SetupToken()
	if err != nil {
		return "", err
	}
	return s.URL() + "setup/" + token, nil
}
