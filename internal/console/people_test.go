package console

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/internal/officer"
	"parley/internal/officer/officertest"
)

// Every page of people renders for whoever may see it, in every language, with
// no word missing, and for nobody else.
func TestPeoplePages(t *testing.T) {
	a, _ := pair(t)
	for _, lang := range []string{"en", "hi", "ur"} {
		for path, roles := range map[string]string{"/officers": "drafter reader administrator both", "/rules": "drafter administrator",
			"/watch": "reader both", "/audit": "reader administrator", "/audit/3": "reader", "/sign-in": "both"} {
			for _, role := range strings.Fields(roles) {
				w := a.ask(role, "GET", path, nil, func(r *http.Request) {
					r.AddCookie((prefs{Lang: lang}).cookie(a.s.prefsCookie()))
				})
				if body := w.Body.String(); w.Code != 200 || strings.Contains(body, "⟦") || !strings.Contains(body, `lang="`+lang+`"`) {
					t.Errorf("%s as %s in %s: %d %.300s", path, role, lang, w.Code, body)
				}
			}
		}
	}
	if w := a.ask("drafter", "GET", "/audit", nil); w.Code != http.StatusForbidden {
		t.Errorf("the journal as drafter: %d", w.Code)
	}
	if w := a.ask("", "GET", "/officers", nil); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/sign-in" {
		t.Errorf("officers as nobody: %d", w.Code)
	}
	for _, path := range []string{"/officers", "/officers/1", "/rules", "/officers/1/passkeys/" + strings.Repeat("00", 16) + "/remove"} {
		form := url.Values{"name": {"N"}, "title": {"T"}, "role": {"reader"}, "do": {"remove"}}
		if path == "/rules" {
			form.Set("do", "propose")
		}
		for _, role := range []string{"drafter", "reader"} {
			if w := a.ask(role, "POST", path, form); w.Code != http.StatusForbidden {
				t.Errorf("POST %s as %s: %d %.200s", path, role, w.Code, w.Body)
			}
		}
	}
}

func TestWatchPage(t *testing.T) {
	a, _ := pair(t)
	hostile := "<script>alert(1)</script>\u202eabc"
	if w := a.ask("both", "POST", "/watch", url.Values{"do": {"take"}, "from": {"0"}, "note": {hostile}}); w.Code != http.StatusSeeOther {
		t.Fatalf("taking the watch: %d %s", w.Code, w.Body)
	}
	body := a.ask("reader", "GET", "/watch", nil).Body.String()
	if strings.Contains(body, "<script>alert") || strings.Contains(body, "\u202e") || !strings.Contains(body, "&lt;script&gt;") {
		t.Error("a note is markup, or turns the direction of what follows")
	}
	if w := a.ask("other", "POST", "/watch", url.Values{"do": {"take"}, "from": {"0"}}); w.Code == http.StatusSeeOther {
		t.Error("a page that was made before took the watch")
	}
	if w := a.ask("both", "POST", "/watch", url.Values{"do": {"offer"}, "note": {"Quiet."}}); w.Code != http.StatusSeeOther {
		t.Fatalf("offering it: %d", w.Code)
	}
	id := regexp.MustCompile(`name="from" value="(\d+)"`).FindStringSubmatch(a.ask("other", "GET", "/watch", nil).Body.String())
	if id == nil {
		t.Fatal("no form to take the watch")
	}
	if w := a.ask("other", "POST", "/watch", url.Values{"do": {"take"}, "from": {id[1]}}); w.Code != http.StatusSeeOther {
		t.Errorf("taking what is offered: %d", w.Code)
	}
}

// One officer proposes rules, a second approves exactly what he saw.
func TestRulesPage(t *testing.T) {
	a, _ := pair(t)
	form := url.Values{"do": {"propose"}, "persons-0-priority": {"2"}, "new-line": {"7"}, "new-lane": {"ROUTINE"}, "new-persons": {"2"}, "new-release": {"2"}}
	if w := a.ask("both", "POST", "/rules", form); w.Code != http.StatusSeeOther {
		t.Fatalf("proposing: %d %s", w.Code, w.Body)
	}
	if w := a.ask("both", "POST", "/rules", url.Values{"do": {"approve"}, "form": {"x"}}); w.Code == http.StatusSeeOther {
		t.Error("other rules than those that were shown are approved")
	}
	m := regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(a.ask("other", "GET", "/rules", nil).Body.String())
	if m == nil {
		t.Fatal("the proposal is not shown")
	}
	if w := a.ask("both", "POST", "/rules", url.Values{"do": {"approve"}, "form": {m[1]}}); w.Code == http.StatusSeeOther {
		t.Error("its proposer approves it")
	}
	if w := a.ask("other", "POST", "/rules", url.Values{"do": {"approve"}, "form": {m[1]}}); w.Code != http.StatusSeeOther {
		t.Fatalf("approving: %d %s", w.Code, w.Body)
	}
	if p, r := a.book.RuleFor(1, parley.Priority), a.book.RuleFor(7, parley.Routine); p.Persons != 2 || r.Persons != 2 || len(r.Release) != 1 {
		t.Errorf("rules in force: %+v, %+v", p, r)
	}
	if w := a.ask("both", "POST", "/rules", url.Values{"do": {"propose"}, "persons-7-routine": {"0"}}); w.Code != http.StatusSeeOther {
		t.Errorf("dropping the rule of a line: %d", w.Code)
	}
	if body := a.ask("other", "GET", "/rules", nil).Body.String(); !strings.Contains(body, "<mark>no rule of its own</mark>") {
		t.Error("the second officer is not shown that a rule is dropped")
	}
}

// real is the console of a party whose officers have passkeys.
type real struct {
	*side
	jar []*http.Cookie
}

func (x *real) json(path string, v any, out any) int {
	x.t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		x.t.Fatal(err)
	}
	r := httptest.NewRequest("POST", x.s.URL()[:len(x.s.URL())-1]+path, bytes.NewReader(b))
	r.Host = strings.TrimPrefix(x.s.cfg.Origins[0], "http://")
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Node-Request", "1")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Origin", x.s.cfg.Origins[0])
	for _, c := range x.jar {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	x.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if strings.HasPrefix(c.Name, "__Host-s") {
			x.jar = []*http.Cookie{c}
		}
	}
	if w.Code == 200 {
		if err := json.Unmarshal(w.Body.Bytes(), out); err != nil {
			x.t.Fatalf("%s: %s", path, w.Body)
		}
	}
	return w.Code
}

func (x *real) cookies(r *http.Request) {
	for _, c := range x.jar {
		r.AddCookie(c)
	}
}

// Set-up by the one-time link, sign-in, a second officer, and what is refused
// on the way.
func TestSetupAndSignIn(t *testing.T) {
	demo, _ := pair(t)
	book, err := officer.Open(officer.Config{Path: filepath.Join(t.TempDir(), "officers.db"), Channel: demo.h.Signed.Channel(), Party: 1,
		Name: "India", RPID: "localhost", Origins: []string{"http://localhost:8443"}})
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	s, err := New(Config{Host: demo.h, Book: book, Addr: "localhost:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	x := &real{side: &side{t: t, h: demo.h, book: book, s: s, handler: s.Handler(), in: map[string]*officer.SignIn{}}}
	if body := x.ask("", "GET", "/sign-in", nil).Body.String(); !strings.Contains(body, "one-time link") || strings.Contains(body, "India") {
		t.Errorf("the sign-in page before set-up, to a stranger: %s", body)
	}
	token, err := book.SetupToken()
	if err != nil {
		t.Fatal(err)
	}
	link := "/setup/" + token
	if w := x.ask("", "GET", link, nil); w.Code != 200 || !strings.Contains(w.Body.String(), `data-passkey="`+link+`"`) {
		t.Fatalf("the link: %d %s", w.Code, w.Body)
	}
	if w := x.ask("", "GET", "/setup/"+strings.Repeat("A", 22), nil); w.Code == 200 {
		t.Error("a wrong link opens a page")
	}

	key := officertest.New(t, "http://localhost:8443")
	var q begun
	fields := map[string]any{"name": "Asha Rao", "title": "Duty officer 1", "label": "blue"}
	if code := x.json(link+"/begin", fields, &q); code != 200 {
		t.Fatalf("begin: %d", code)
	}
	fields["ceremony"], fields["answer"] = q.Ceremony, json.RawMessage(key.Create(t, q.Options))
	var to done
	if code := x.json(link+"/finish", fields, &to); code != 200 || to.Location != "/officers?done=first" {
		t.Fatalf("finish: %d %q", code, to.Location)
	}
	c := x.jar[0]
	if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" {
		t.Errorf("the session's cookie: %+v", c)
	}
	if w := x.ask("", "GET", "/officers", nil, x.cookies); w.Code != 200 || !strings.Contains(w.Body.String(), "Asha Rao") {
		t.Fatalf("officers: %d", w.Code)
	}
	if code := x.json(link+"/begin", fields, &q); code == 200 {
		t.Error("the link works twice")
	}

	// The second officer's link is shown once, and opens his page.
	w := x.ask("", "POST", "/officers", url.Values{"name": {"Bilal"}, "title": {"Director"}, "role": {"drafter", "releaser"}}, x.cookies)
	m := regexp.MustCompile(`http://localhost:\d+(/setup/[\w-]+)`).FindStringSubmatch(w.Body.String())
	if w.Code != 200 || m == nil {
		t.Fatalf("adding an officer: %d %s", w.Code, w.Body)
	}
	if strings.Contains(x.ask("", "GET", "/officers", nil, x.cookies).Body.String(), m[1]) {
		t.Error("the link is shown again")
	}
	if w := x.ask("", "GET", m[1], nil); !strings.Contains(w.Body.String(), "Director") {
		t.Errorf("the second officer's page: %d", w.Code)
	}

	// Signing in again replaces the session; the old token is dead.
	old := x.jar
	if code := x.json("/sign-in/begin", map[string]string{}, &q); code != 200 {
		t.Fatalf("sign-in: %d", code)
	}
	answer := json.RawMessage(key.Get(t, q.Options))
	if code := x.json("/sign-in/finish", map[string]any{"ceremony": q.Ceremony, "answer": answer, "next": "//evil.example/"}, &to); code != 200 || to.Location != "/lines" {
		t.Fatalf("sign-in: %d to %q", code, to.Location)
	}
	if x.jar[0].Value == old[0].Value {
		t.Error("the same token after signing in again")
	}
	if w := x.ask("", "GET", "/officers", nil, func(r *http.Request) { r.AddCookie(old[0]) }); w.Code != http.StatusSeeOther {
		t.Errorf("the former session: %d", w.Code)
	}
	if code := x.json("/sign-in/finish", map[string]any{"ceremony": q.Ceremony, "answer": answer}, &to); code == 200 {
		t.Error("the same answer signs in twice")
	}
	if w := x.ask("", "POST", "/sign-in", url.Values{"officer": {"1"}}); w.Code == http.StatusSeeOther {
		t.Error("a real console signs in without a passkey")
	}

	// The journal says all of it, with proofs.
	if w := x.ask("", "GET", "/audit", nil, x.cookies); !strings.Contains(w.Body.String(), "signed in") {
		t.Error("the journal does not show the sign-in")
	}
	w = x.ask("", "POST", "/audit/2/proof", url.Values{}, x.cookies)
	var file struct {
		Index uint64
		Entry []byte
		Path  []string
		Head  string
		Key   string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &file); err != nil || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") {
		t.Fatalf("proof: %d %v", w.Code, err)
	}

	if w := x.ask("", "POST", "/sign-out", url.Values{}, x.cookies); w.Code != http.StatusSeeOther || w.Header().Get("Clear-Site-Data") == "" {
		t.Errorf("sign-out: %d", w.Code)
	}
	if w := x.ask("", "GET", "/lines", nil, x.cookies); w.Code != http.StatusSeeOther {
		t.Errorf("after signing out: %d", w.Code)
	}
}

// What changes officers and rules needs a passkey of the last minutes, and the
// page leads there and back.
func TestSensitive(t *testing.T) {
	for path, next := range map[string]string{"/officers": "/officers", "/rules": "/rules", "/officers/7": "/officers"} {
		h := sensitive(func(*Server, http.ResponseWriter, *request) error { return parley.Errorf(officer.CodeFresh, "x") })
		w := httptest.NewRecorder()
		if err := h(nil, w, &request{Request: httptest.NewRequest("POST", path, nil), now: time.Now()}); err != nil {
			t.Fatal(err)
		}
		if got := w.Header().Get("Location"); got != "/sign-in?next="+url.QueryEscape(next) || w.Code != http.StatusSeeOther {
			t.Errorf("%s leads to %q", path, got)
		}
	}
}
