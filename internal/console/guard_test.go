package console

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"parley"
)

// who may use each route of the pages, by role; the routes of officers have a
// test of their own. A new route fails here until somebody has thought about it.
const (
	everybody = "drafter releaser reader administrator"
	writing   = "drafter releaser"
)

var access = map[string]string{
	"GET /{$}": everybody, "GET /strip": everybody, "GET /events": everybody, "GET /lines": everybody, "GET /lines/{number}": everybody,
	"GET /message/{place}": everybody, "GET /message/{place}/print": everybody, "GET /drafts": everybody, "GET /drafts/{id}": everybody,
	"GET /duties": everybody, "GET /record": everybody, "GET /manual": everybody, "GET /manual/{name}": everybody,
	"GET /settings": everybody, "POST /settings": everybody,
	"POST /message/{place}/answer": writing, "POST /message/{place}/ask": writing, "GET /message/{place}/translate": writing, "POST /message/{place}/translate": writing, "POST /message/{place}/aside/{id}": writing, "GET /compose": writing, "POST /compose": writing,
	"GET /call": writing, "POST /call": writing, "GET /question": writing, "POST /question": writing, "GET /propose": writing, "POST /propose": writing,
	"POST /drafts/{id}/return": writing, "POST /drafts/{id}/drop": writing,
	"POST /drafts/{id}/submit": "drafter", "POST /drafts/{id}/submit/begin": "drafter", "POST /drafts/{id}/submit/finish": "drafter",
	"POST /drafts/{id}/release": "releaser", "POST /drafts/{id}/release/begin": "releaser", "POST /drafts/{id}/release/finish": "releaser",
	"POST /message/{place}/disclosure": "releaser reader administrator", "POST /record/export": "releaser reader administrator",
	"POST /record/forks/{index}": "releaser reader administrator",
	"GET /static/{name...}":      "",
}

// public are the routes without a session: nothing of the party is behind them.
var public = []string{"GET /static/{name...}", "GET /sign-in", "POST /sign-in", "POST /sign-in/begin", "POST /sign-in/finish",
	"GET /setup/{token}", "POST /setup/{token}/begin", "POST /setup/{token}/finish"}

// isOfficers reports the routes that people.go has.
func isOfficers(path string) bool {
	for _, p := range []string{"/sign-", "/setup", "/officers", "/rules", "/watch", "/audit", "/recover", "/sessions", "/passkey"} {
		if strings.HasPrefix(path, p) {
			return true
		}
	}
	return false
}

// example fills in the parts of a path with what does not exist.
func example(path string) string {
	return strings.NewReplacer("{$}", "", "{number}", "77", "{place}", "1-flash-0000000000000000-9", "{id}", "999", "{index}", "999", "{name}", "nothing",
		"{name...}", "nothing", "{token}", "nothing", "{key}", "00", "{hash}", "00").Replace(path)
}

// testMatrix tries every route with every role and with none.
func testMatrix(t *testing.T, x *side) {
	for _, r := range x.s.routes {
		name := r.method + " " + r.path
		x.s.limits = newLimits()
		if slices.Contains(public, name) != r.public {
			t.Errorf("%s: public is %v", name, r.public)
		}
		if w := x.ask("", r.method, example(r.path), url.Values{}); !r.public && w.Code != http.StatusUnauthorized &&
			!(w.Code == http.StatusSeeOther && w.Header().Get("Location") == "/sign-in") {
			t.Errorf("%s without a session: %d", name, w.Code)
		}
		if isOfficers(r.path) || r.public {
			continue
		}
		may, known := access[name]
		if !known {
			t.Errorf("%s stands in no row of this test", name)
			continue
		}
		if r.path == "/events" {
			continue // a stream does not end by itself; testEvents has it
		}
		for role := range strings.FieldsSeq(everybody) {
			x.s.limits = newLimits()
			w := x.ask(role, r.method, example(r.path), url.Values{})
			if strings.Contains(r.path, "{id}/") && slices.Contains(strings.Fields(may), role) {
				continue // of a draft that does not exist nobody may say so; testRelease takes these steps
			}
			if refused := w.Code == http.StatusForbidden; refused == slices.Contains(strings.Fields(may), role) {
				t.Errorf("%s as %s: %d\n%s", name, role, w.Code, textOf(w.Body.String()))
			}
		}
	}
}

// textOf is a page without its markup, for messages of tests.
func textOf(page string) string {
	var b strings.Builder
	in := false
	for _, r := range page[strings.Index(page, "<main")+1:] {
		switch {
		case r == '<':
			in = true
		case r == '>':
			in = false
		case !in:
			b.WriteRune(r)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// testHeaders: every answer has every header, whatever it is.
func testHeaders(t *testing.T, x *side) {
	for _, c := range []struct{ role, method, path string }{
		{"both", "GET", "/lines"}, {"", "GET", "/lines"}, {"both", "GET", "/no/such/page"}, {"both", "GET", "/strip"}, {"", "GET", "/strip"},
		{"", "GET", "/static/console.js"}, {"", "GET", "/static/nothing"}, {"both", "POST", "/compose"}, {"reader", "POST", "/compose"},
		{"both", "DELETE", "/lines"}, {"both", "TRACE", "/lines"}, {"both", "GET", "//lines/../lines"}, {"both", "POST", "/record/export"},
	} {
		x.s.limits = newLimits()
		w := x.ask(c.role, c.method, c.path, url.Values{})
		for k, v := range headers {
			got := w.Header().Get(k)
			if download := w.Header().Get("Content-Disposition") != ""; download && k == "Content-Security-Policy" {
				if !strings.Contains(got, "sandbox") || !strings.Contains(got, "default-src 'none'") {
					t.Errorf("%s %s: a file is sent with the policy %q", c.method, c.path, got)
				}
				continue
			}
			if got != v {
				t.Errorf("%s %s (%d): %s is %q", c.method, c.path, w.Code, k, got)
			}
		}
		if w.Header().Get("Access-Control-Allow-Origin") != "" || w.Header().Get("Server") != "" {
			t.Errorf("%s %s: headers %v", c.method, c.path, w.Header())
		}
	}
	for _, word := range []string{"unsafe", "http:", "https:", "*", "data:", "blob:"} {
		if strings.Contains(policy, word) {
			t.Errorf("the policy allows %q", word)
		}
	}
}

// testHosts: the console answers under its own name only.
func testHosts(t *testing.T, x *side) {
	own := strings.TrimPrefix(x.s.cfg.Origins[0], "http://")
	for _, h := range []string{"", "evil.example", "localhost", "127.0.0.1:1", own + ".evil.example", "localhost:1", own + "@evil.example", "[::1]:80"} {
		w := x.ask("both", "GET", "/lines", nil, func(r *http.Request) { r.Host = h })
		if w.Code != http.StatusMisdirectedRequest || strings.Contains(w.Body.String(), "India") {
			t.Errorf("host %q: %d", h, w.Code)
		}
	}
	if w := x.ask("both", "GET", "/lines", nil, func(r *http.Request) { r.Host = strings.ToUpper(own) }); w.Code != 200 {
		t.Errorf("its own name in capitals: %d", w.Code)
	}
}

// testOrigins: what changes anything comes from a page of this console.
func testOrigins(t *testing.T, x *side) {
	set := func(kv ...string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Del("Origin")
			r.Header.Del("Sec-Fetch-Site")
			for i := 0; i < len(kv); i += 2 {
				r.Header.Set(kv[i], kv[i+1])
			}
		}
	}
	own := x.s.cfg.Origins[0]
	for _, c := range []struct {
		what string
		set  func(*http.Request)
		ok   bool
	}{
		{"own page", set("Sec-Fetch-Site", "same-origin", "Origin", own), true},
		{"own page of an older browser", set("Origin", own), true},
		{"nothing said", set(), false},
		{"another site", set("Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"), false},
		{"another site with our origin", set("Sec-Fetch-Site", "cross-site", "Origin", own), false},
		{"another port", set("Sec-Fetch-Site", "same-site", "Origin", "http://localhost:1"), false},
		{"the address bar", set("Sec-Fetch-Site", "none"), false},
		{"null origin", set("Origin", "null"), false},
		{"own page under no-referrer", set("Sec-Fetch-Site", "same-origin", "Origin", "null"), true},
		{"null origin of another site", set("Sec-Fetch-Site", "cross-site", "Origin", "null"), false},
		{"another origin, same origin said", set("Sec-Fetch-Site", "same-origin", "Origin", "https://evil.example"), false},
		{"https of the same name", set("Origin", strings.Replace(own, "http:", "https:", 1)), false},
	} {
		w := x.ask("both", "POST", "/settings", url.Values{"theme": {"dark"}, "sound": {"1"}}, c.set)
		if ok := w.Code == http.StatusSeeOther; ok != c.ok || !ok && w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", c.what, w.Code)
		}
	}
	for _, c := range []struct {
		kind string
		code int
	}{{"text/plain", 422}, {"multipart/form-data; boundary=x", 422}, {"", 422}, {"application/json", 403}} {
		w := x.ask("both", "POST", "/settings", url.Values{}, func(r *http.Request) { r.Header.Set("Content-Type", c.kind) })
		if w.Code != c.code {
			t.Errorf("content type %q: %d", c.kind, w.Code)
		}
	}
	part := func(kv ...string) int {
		return x.ask("both", "GET", "/lines", nil, set(kv...)).Code
	}
	if n := part("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"); n != http.StatusForbidden {
		t.Errorf("another site embeds a page: %d", n)
	}
	if n := part("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"); n != 200 {
		t.Errorf("a link from elsewhere: %d", n)
	}
}

// testBounds: a body too large, a header of another session, a foreign cookie.
func testBounds(t *testing.T, x *side) {
	w := x.ask("both", "POST", "/compose", url.Values{"text": {strings.Repeat("x", maxBody)}})
	if w.Code != http.StatusRequestEntityTooLarge && w.Code != 422 {
		t.Errorf("a body of more than %d bytes: %d", maxBody, w.Code)
	}
	for _, token := range []string{"", "x", strings.Repeat("a", 43), x.in["both"].Token + "x"} {
		r := httptest.NewRequest("GET", "/lines", nil)
		w := x.ask("", "GET", "/lines", nil, func(q *http.Request) { q.AddCookie(&http.Cookie{Name: x.s.cookieName(), Value: token}) })
		if w.Code == 200 {
			t.Errorf("the token %q opens %s", token, r.URL)
		}
	}
	w = x.ask("", "GET", "/lines", nil, func(q *http.Request) {
		q.AddCookie(&http.Cookie{Name: "__Host-s9", Value: x.in["both"].Token})
	})
	if w.Code == 200 {
		t.Error("a cookie of another member's console opens this one")
	}
}

// A bucket lets a burst in, then one at a time; when it knows too many keys an
// open one lets new ones in and another refuses them.
func TestBucket(t *testing.T) {
	now := time.Unix(1000, 0)
	b := &bucket{every: time.Second, burst: 3}
	for i := range 4 {
		if err := b.allow("a", now); (err == nil) != (i < 3) {
			t.Errorf("request %d: %v", i, err)
		}
	}
	if err := b.allow("b", now); err != nil {
		t.Errorf("another key: %v", err)
	}
	if err := b.allow("a", now.Add(time.Second)); err != nil {
		t.Errorf("a second later: %v", err)
	}
	for _, open := range []bool{true, false} {
		b := &bucket{every: time.Hour, burst: 1, open: open}
		for i := range bucketKeys {
			b.allow(string(rune(i)), now)
		}
		if err := b.allow("one more", now); (err == nil) != open || err != nil && parley.CodeOf(err) != CodeTooMany {
			t.Errorf("full, open %v: %v", open, err)
		}
		if err := b.allow("one more", now.Add(3*time.Hour)); err != nil {
			t.Errorf("later: %v", err)
		}
	}
}
