package console

import (
	"net/http"
	"net/url"
	"strconv"

	"parley/internal/console/locale"
)

// prefs are how one browser shows the console. They say nothing about an
// officer and are kept in a cookie of their own, so that the sign-in page has
// them too.
type prefs struct {
	Lang    string // empty: what the browser asks for
	Theme   string // "dark", "light", or empty: the system's choice
	NoSound bool
	NoKeys  bool
}

// prefsCookie carries the member's number for the same reason as the session's.
func (s *Server) prefsCookie() string { return "__Host-p" + strconv.Itoa(int(s.cfg.Host.Me())) }

func (s *Server) prefsOf(r *http.Request) prefs {
	var p prefs
	c, err := r.Cookie(s.prefsCookie())
	if err != nil {
		return p
	}
	v, err := url.ParseQuery(c.Value)
	if err != nil {
		return p
	}
	p.NoSound, p.NoKeys = v.Has("quiet"), v.Has("nokeys")
	if t := v.Get("theme"); t == "dark" || t == "light" {
		p.Theme = t
	}
	if l := v.Get("lang"); locale.For(l).Lang() == l {
		p.Lang = l
	}
	return p
}

func (p prefs) cookie(name string) *http.Cookie {
	v := url.Values{}
	for k, s := range map[string]string{"lang": p.Lang, "theme": p.Theme} {
		if s != "" {
			v.Set(k, s)
		}
	}
	for k, on := range map[string]bool{"quiet": p.NoSound, "nokeys": p.NoKeys} {
		if on {
			v.Set(k, "1")
		}
	}
	return &http.Cookie{Name: name, Value: v.Encode(), Path: "/", MaxAge: 365 * 86400, Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode}
}

func (s *Server) localeOf(r *http.Request) catalogue {
	if l := s.prefsOf(r).Lang; l != "" {
		return locale.For(l)
	}
	return locale.Match(r.Header.Get("Accept-Language"))
}

// SettingsPage is how this browser shows the console.
type SettingsPage struct {
	Page
	Languages []*locale.Locale
	Prefs     prefs
}

func (s *Server) settings(w http.ResponseWriter, q *request) error {
	p := SettingsPage{Page: s.page(q, "settings", q.loc.T("settings.title")), Languages: locale.Languages(), Prefs: q.prefs}
	return s.render(w, q, http.StatusOK, "settings", &p)
}

// saveSettings sets the cookie and returns to the page.
func (s *Server) saveSettings(w http.ResponseWriter, q *request) error {
	p := prefs{NoSound: q.PostForm.Get("sound") == "", NoKeys: q.PostForm.Get("keys") == ""}
	if l := q.PostForm.Get("lang"); locale.For(l).Lang() == l {
		p.Lang = l
	}
	if t := q.PostForm.Get("theme"); t == "dark" || t == "light" {
		p.Theme = t
	}
	http.SetCookie(w, p.cookie(s.prefsCookie()))
	http.Redirect(w, q.Request, "/settings?done=saved", http.StatusSeeOther)
	return nil
}
