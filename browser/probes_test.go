package browser

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What an attacker could send: a page of another site in the officer's
// browser, another program on the machine, a name server that lies. Every
// probe goes to the real process; none may find a session to work with, so
// that a refusal shows the gate it names and not the one before it.

// client never follows a redirect and keeps no cookie.
var client = &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// send sends one request with headers given as "Name: value".
func send(t *testing.T, method, url, body string, headers ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		k, v, _ := strings.Cut(h, ": ")
		if k == "Host" {
			r.Host = v
		} else {
			r.Header.Set(k, v)
		}
	}
	res, err := client.Do(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	b, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	res.Body = io.NopCloser(strings.NewReader(string(b)))
	return res
}

// A request that changes something is taken from a page of this console only,
// whatever else it carries; and nothing changes by a link.
func TestForgedRequests(t *testing.T) {
	w := shared(t)
	url, origin := w.parties[0].node.URL, w.parties[0].node.URL
	cookie := "Cookie: " + w.parties[0].officers[0].cookie()
	other := w.parties[1].node.URL // same host, another port: the same site, another origin
	form := "Content-Type: application/x-www-form-urlencoded"
	for i, c := range []struct {
		path, body string
		want       int
		headers    []string
	}{
		{"/settings", "lang=ur", 403, []string{form}},
		{"/settings", "lang=ur", 403, []string{form, "Sec-Fetch-Site: cross-site", "Origin: https://attacker.example"}},
		{"/settings", "lang=ur", 403, []string{form, "Sec-Fetch-Site: same-site", "Origin: " + other}},
		{"/settings", "lang=ur", 403, []string{form, "Sec-Fetch-Site: none"}},
		{"/settings", "lang=ur", 403, []string{form, "Sec-Fetch-Site: same-origin", "Origin: https://attacker.example"}},
		{"/settings", "lang=ur", 403, []string{form, "Origin: null"}},
		{"/settings", "lang=ur", 403, []string{form, "Sec-Fetch-Site: cross-site", "Origin: null"}},
		{"/settings", "lang=ur", 403, []string{form, "Origin: https://attacker.example"}},
		{"/settings", "lang=ur", 403, []string{form, "Referer: " + origin + "/settings"}},
		{"/settings", "lang=ur", 422, []string{"Content-Type: text/plain", "Sec-Fetch-Site: same-origin", "Origin: " + origin}},
		{"/settings", "lang=ur", 422, []string{"Content-Type: multipart/form-data; boundary=x", "Sec-Fetch-Site: same-origin", "Origin: " + origin}},
		{"/settings", `{"lang":"ur"}`, 403, []string{"Content-Type: application/json", "Sec-Fetch-Site: same-origin", "Origin: " + origin}},
		{"/settings", "lang=ur", 421, []string{form, "Sec-Fetch-Site: same-origin", "Origin: " + origin, "Host: attacker.example"}},
	} {
		res := send(t, "POST", url+c.path, c.body, append(c.headers, cookie)...)
		if res.StatusCode != c.want || res.Header.Get("Set-Cookie") != "" {
			t.Errorf("probe %d %v: %d, want %d; sets %q", i, c.headers, res.StatusCode, c.want, res.Header.Get("Set-Cookie"))
		}
	}
	// The same form from the console itself is taken: the probes were refused
	// for what they name.
	res := send(t, "POST", url+"/settings", "lang=en&sound=1&keys=1", form, "Sec-Fetch-Site: same-origin", "Origin: "+origin, cookie)
	if res.StatusCode != 303 {
		t.Errorf("the console's own form: %d", res.StatusCode)
	}
	for _, p := range []string{"/sign-out", "/settings?lang=ur"} {
		res := send(t, "GET", url+p, "", cookie)
		if res.Header.Get("Set-Cookie") != "" {
			t.Errorf("GET %s sets %q", p, res.Header.Get("Set-Cookie"))
		}
	}
	if res := send(t, "GET", url+"/lines", "", cookie); res.StatusCode != 200 {
		t.Errorf("the session of the probes: %d", res.StatusCode)
	}
}

// Another name that leads here, as by a lying name server, gets no page; nor
// does a part of a page go to another site.
func TestOtherNames(t *testing.T) {
	w := shared(t)
	url := w.parties[0].node.URL
	cookie := "Cookie: " + w.parties[0].officers[0].cookie()
	for _, host := range []string{"attacker.example", "127.0.0.1", "localhost", "localhost:1", w.parties[1].node.Console, "localhost.:" + strings.TrimPrefix(w.parties[0].node.Console, "localhost:")} {
		if res := send(t, "GET", url+"/lines", "", "Host: "+host, cookie); res.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("under the name %s: %d", host, res.StatusCode)
		}
	}
	for _, site := range []string{"cross-site", "same-site"} {
		if res := send(t, "GET", url+"/strip", "", "Sec-Fetch-Site: "+site, "Sec-Fetch-Mode: cors", cookie); res.StatusCode != 403 {
			t.Errorf("a part for %s: %d", site, res.StatusCode)
		}
	}
	res := send(t, "GET", url+"/lines", "", "Origin: https://attacker.example", cookie)
	if got := res.Header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("another origin may read: %q", got)
	}
}

// Every answer, errors included, carries the headers of console-security 4.2.
func TestHeaders(t *testing.T) {
	w := shared(t)
	url := w.parties[0].node.URL
	cookie := "Cookie: " + w.parties[0].officers[0].cookie()
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
	}
	for _, c := range []struct {
		method, path, host string
	}{
		{"GET", "/lines", ""}, {"GET", "/sign-in", ""}, {"GET", "/no-such-page", ""}, {"POST", "/lines", ""}, {"TRACE", "/", ""}, {"GET", "/lines", "attacker.example"}, {"GET", "/static/console.js", ""},
	} {
		headers := []string{cookie}
		if c.host != "" {
			headers = append(headers, "Host: "+c.host)
		}
		res := send(t, c.method, url+c.path, "", headers...)
		for k, v := range want {
			if got := res.Header.Get(k); got != v {
				t.Errorf("%s %s: %s is %q", c.method, c.path, k, got)
			}
		}
		if got := res.Header.Get("Cache-Control"); got != "no-store" && !strings.HasPrefix(c.path, "/static/") {
			t.Errorf("%s %s: Cache-Control %q", c.method, c.path, got)
		}
		for _, k := range []string{"Server", "X-Powered-By", "Via"} {
			if got := res.Header.Get(k); got != "" {
				t.Errorf("%s %s tells %s: %q", c.method, c.path, k, got)
			}
		}
		if ct := res.Header.Get("Content-Type"); !strings.Contains(ct, "charset=utf-8") {
			t.Errorf("%s %s: Content-Type %q", c.method, c.path, ct)
		}
	}
}

// Methods that no page uses, and addresses that servers often leave open.
func TestNothingElseIsServed(t *testing.T) {
	w := shared(t)
	url := w.parties[0].node.URL
	cookie := "Cookie: " + w.parties[0].officers[0].cookie()
	for _, m := range []string{"TRACE", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "PROPFIND"} {
		if res := send(t, m, url+"/lines", "", cookie, "Sec-Fetch-Site: same-origin", "Origin: "+url); res.StatusCode != 405 && res.StatusCode != 404 {
			t.Errorf("%s: %d", m, res.StatusCode)
		}
	}
	for _, p := range []string{"/.git/config", "/debug/pprof/", "/static/", "/static/fonts/", "/static/../console.go", "/static/..%2fserver.go", "/metrics", "/server-status",
		"/officers.db", "/lines/1/../../etc/passwd", "//attacker.example", "/\\attacker.example", "/static/console.js.map", "/templates/layout.html"} {
		res := send(t, "GET", url+p, "", cookie)
		if loc := res.Header.Get("Location"); res.StatusCode != 404 && (res.StatusCode != 307 && res.StatusCode != 301 || strings.HasPrefix(loc, "//") || strings.Contains(loc, "attacker.example/")) {
			t.Errorf("%s: %d to %q", p, res.StatusCode, loc)
		}
	}
}

// A message of HTTP that two readers could read in two ways is refused, and
// what is too long ends.
func TestFraming(t *testing.T) {
	w := shared(t)
	at := w.parties[0].node.Console
	head := "Host: " + at + "\r\n"
	long := strings.Repeat("a", 64<<10)
	for name, raw := range map[string]string{
		"two lengths":               "POST /settings HTTP/1.1\r\n" + head + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
		"unknown transfer encoding": "POST /settings HTTP/1.1\r\n" + head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"no host":                   "GET /lines HTTP/1.1\r\n\r\n",
		"two hosts":                 "GET /lines HTTP/1.1\r\n" + head + "Host: attacker.example\r\n\r\n",
		"blank in a name":           "GET /lines HTTP/1.1\r\n" + head + "X Y: 1\r\n\r\n",
		"line end in a value":       "GET /lines HTTP/1.1\r\n" + head + "X-A: 1\rX-B: 2\r\n\r\n",
		"long header":               "GET /lines HTTP/1.1\r\n" + head + "X-A: " + long + "\r\n\r\n",
		"long address":              "GET /" + long + " HTTP/1.1\r\n" + head + "\r\n",
		"control in the address":    "GET /li\x00nes HTTP/1.1\r\n" + head + "\r\n",
		"no version":                "GET /lines HTTX\r\n\r\n",
	} {
		code := raw1(t, at, raw)
		if (code < 400 || code >= 500) && code != http.StatusNotImplemented {
			t.Errorf("%s: %d", name, code)
		}
	}
	if code := raw1(t, at, "GET /static/console.js HTTP/1.1\r\n"+head+"Connection: close\r\n\r\n"); code != 200 {
		t.Errorf("a proper request: %d", code)
	}
	body := "text=" + strings.Repeat("a", 300<<10)
	res := send(t, "POST", w.parties[0].node.URL+"/settings", body, "Content-Type: application/x-www-form-urlencoded", "Sec-Fetch-Site: same-origin",
		"Origin: "+w.parties[0].node.URL, "Cookie: "+w.parties[0].officers[0].cookie())
	if res.StatusCode != 413 && res.StatusCode != 422 {
		t.Errorf("a form beyond the limit: %d", res.StatusCode)
	}
}

// raw1 sends bytes and returns the status of the first answer; 499 if the
// connection ended without one.
func raw1(t *testing.T, at, raw string) int {
	t.Helper()
	c, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	io.WriteString(c, raw)
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return 499
	}
	var code int
	fmt.Sscanf(line, "HTTP/1.1 %d", &code)
	return code
}

// The console loads nothing from anywhere else, names no other address in its
// pages, and every cookie is closed to scripts and to other sites.
func TestSelfContained(t *testing.T) {
	w := shared(t)
	o := w.parties[0].officers[0]
	pages := pagesOf(t, o)
	o.win.Complaints()
	asked := len(o.win.Requests())
	for _, p := range pages {
		o.win.Go(w.parties[0].node.URL + p)
		out := o.win.Eval(`[...document.querySelectorAll("[src],[href],[action],[data-fragment],[srcset],[poster]")].flatMap(e => ["src", "href", "action", "data-fragment", "poster"].map(a => e.getAttribute(a))).filter(x => x).join("\n")`)
		for _, a := range strings.Split(out, "\n") {
			if strings.Contains(a, "://") || strings.HasPrefix(a, "//") || strings.HasPrefix(a, "javascript:") || strings.HasPrefix(a, "data:") {
				t.Errorf("%s leads to %s", p, a)
			}
		}
		if n := o.win.Eval(`document.querySelectorAll("style, [style], script:not([src])").length + [...document.querySelectorAll("*")].filter(e => [...e.attributes].some(a => a.name.startsWith("on"))).length`); n != "0" {
			t.Errorf("%s: %s pieces of inline script or style", p, n)
		}
	}
	for _, r := range o.win.Requests()[asked:] {
		// data: is what the browser draws itself, in fields of dates.
		if !strings.HasPrefix(r, w.parties[0].node.URL+"/") && !strings.HasPrefix(r, "about:") && !strings.HasPrefix(r, "data:") {
			t.Errorf("asked for %s", r)
		}
	}
	cs := o.win.Cookies()
	for _, c := range cs {
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HTTPOnly || c.SameSite != "Strict" || c.Path != "/" {
			t.Errorf("cookie %+v", c)
		}
	}
	if len(cs) == 0 {
		t.Error("no cookie")
	}
	if got := o.win.Eval(`document.cookie + JSON.stringify({...localStorage}) + JSON.stringify({...sessionStorage})`); got != "{}{}" {
		t.Errorf("scripts can read %s", got)
	}
	if bad := o.win.Complaints(); len(bad) > 0 {
		t.Errorf("the browser complains: %q", bad)
	}
}
