package browser

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/browser/drive"
)

// fresh is a node of its own, not set up.
func fresh(t *testing.T) *drive.Node {
	t.Helper()
	bin, _ := program(t)
	return drive.StartLine(t, bin, t.TempDir(), "India", "Pakistan").Nodes[0]
}

// The first officer comes by the link that the node printed, once; there is no
// other way in before. His passkey signs him in again.
func TestSetUpAndSignIn(t *testing.T) {
	n := fresh(t)
	w := chrome.Window(t, "first officer", drive.Look{})
	w.Go(n.URL + "/")
	if got := w.Path(); got != "/sign-in" {
		t.Errorf("before set-up, / leads to %s", got)
	}
	link := n.SetupLink()
	drive.Enrol(w, link, "First", "Duty officer")
	keys := w.Credentials()
	if len(keys) != 1 || !keys[0].IsResidentCredential || keys[0].RpID != "localhost" {
		t.Fatalf("passkeys after the enrolment: %+v", keys)
	}
	w.WaitText("main", "Duty officer")

	// The link was good for once.
	again := chrome.Window(t, "who finds the link later", drive.Look{})
	again.Go(link)
	if again.Has("#setup") {
		t.Error("the link can be used twice")
	}
	drive.SignOut(w)
	w.Go(n.URL + "/lines")
	if got := w.Path(); !strings.HasPrefix(got, "/sign-in") {
		t.Errorf("after signing out, /lines leads to %s", got)
	}
	drive.SignIn(w, n.URL)

	// A device without the passkey signs nobody in, and the page says so.
	again.Go(n.URL + "/sign-in")
	again.Click("#sign-in button")
	again.Until("what went wrong", `(e => !e.hidden && e.innerText.length > 10)(document.querySelector("#sign-in [data-problem]"))`)
	if got := again.Path(); got != "/sign-in" {
		t.Errorf("without a passkey: %s", got)
	}
	n.Stop()
	n.Start()
	drive.SignIn(w, n.URL) // the book is on disk
	if strings.Contains(n.Output()[strings.LastIndex(n.Output(), "console is at"):], "/setup/") {
		t.Error("a node whose officers exist prints a set-up link")
	}
}

// A passkey whose device has not verified its holder enrols nobody and signs
// nobody in.
func TestUnverifiedPasskey(t *testing.T) {
	n := fresh(t)
	w := chrome.Window(t, "first officer", drive.Look{})
	w.Verifying(false)
	w.Go(n.SetupLink())
	w.Type("#setup input[name=name]", "First")
	w.Type("#setup input[name=title]", "Duty officer")
	w.Click("#setup button.primary")
	w.Until("a refusal to enrol", `(e => !e.hidden && e.innerText.length > 10)(document.querySelector("#setup [data-problem]"))`)
	w.Verifying(true)
	w.Click("#setup button.primary")
	w.Arrive("the officers after an enrolment", `location.pathname == "/officers"`)
	drive.SignOut(w)
	w.Verifying(false)
	w.Go(n.URL + "/sign-in")
	w.Click("#sign-in button")
	w.Until("a refusal to sign in", `(e => !e.hidden && e.innerText.length > 10)(document.querySelector("#sign-in [data-problem]"))`)
	if got := w.Path(); got != "/sign-in" {
		t.Errorf("without verification: %s", got)
	}
}

// Signing out ends the session on the server and clears the browser: a cookie
// kept aside opens nothing, and an open page says that it is over.
func TestSessionEnds(t *testing.T) {
	n := fresh(t)
	w := chrome.Window(t, "first officer", drive.Look{})
	drive.Enrol(w, n.SetupLink(), "First", "Duty officer")
	o := &person{node: n, win: w}
	before := o.cookie()
	if before == "" || strings.Contains(before, "=\"") {
		t.Fatalf("the session's cookie: %q", before)
	}
	if res := send(t, "GET", n.URL+"/lines", "", "Cookie: "+before); res.StatusCode != 200 {
		t.Fatalf("the session before: %d", res.StatusCode)
	}
	res := send(t, "POST", n.URL+"/sign-out", "", "Cookie: "+before, "Content-Type: application/x-www-form-urlencoded", "Sec-Fetch-Site: same-origin", "Origin: "+n.URL)
	if res.StatusCode != 303 || !strings.Contains(res.Header.Get("Clear-Site-Data"), "storage") || !strings.Contains(res.Header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("signing out: %d, %v", res.StatusCode, res.Header)
	}
	if res := send(t, "GET", n.URL+"/lines", "", "Cookie: "+before); res.StatusCode == 200 {
		t.Error("the cookie opens the console after signing out")
	}
	w.Until("an open page that says so", `["ended", "dead"].includes(document.querySelector("#strip").dataset.state)`)
	drive.SignIn(w, n.URL)
	if after := o.cookie(); after == before || after == "" {
		t.Errorf("the session after signing in again: %q", after)
	}
}

// Without a session there is a sign-in page, set-up by a link, and nothing
// else: every other path of the console leads there or is refused.
func TestNothingWithoutASession(t *testing.T) {
	w := shared(t)
	n := w.parties[0].node
	m := w.message(t)
	for _, p := range append(pagesOf(t, w.parties[0].officers[0]), "/strip", "/events", "/audit", "/rules", m+"/print", "/lines?lang=ur") {
		res := send(t, "GET", n.URL+p, "")
		if res.StatusCode != http.StatusSeeOther && res.StatusCode != http.StatusUnauthorized || res.StatusCode == 303 && !strings.HasPrefix(res.Header.Get("Location"), "/sign-in") {
			t.Errorf("GET %s: %d to %q", p, res.StatusCode, res.Header.Get("Location"))
		}
	}
	same := []string{"Content-Type: application/x-www-form-urlencoded", "Sec-Fetch-Site: same-origin", "Origin: " + n.URL}
	for _, p := range []string{m + "/answer", m + "/ask", m + "/disclosure", "/compose", "/drafts/1/submit", "/drafts/1/release", "/drafts/1/return", "/drafts/1/drop", "/record/export",
		"/settings", "/officers", "/officers/1", "/officers/roster", "/rules", "/watch", "/audit/1/proof"} {
		res := send(t, "POST", n.URL+p, "do=x", same...)
		if res.StatusCode != http.StatusSeeOther && res.StatusCode != http.StatusUnauthorized || res.StatusCode == 303 && !strings.HasPrefix(res.Header.Get("Location"), "/sign-in") {
			t.Errorf("POST %s: %d to %q", p, res.StatusCode, res.Header.Get("Location"))
		}
	}
	// A session of the other party is none here.
	other := w.parties[1].officers[0].cookie()
	mine := w.parties[0].officers[0].cookie()
	name, _, _ := strings.Cut(mine, "=")
	_, token, _ := strings.Cut(other, "=")
	for _, c := range []string{other, name + "=" + token, name + "=", name + "=AAAA"} {
		if res := send(t, "GET", n.URL+"/lines", "", "Cookie: "+c); res.StatusCode == 200 {
			t.Errorf("the cookie %s… opens the console", c[:min(len(c), 20)])
		}
	}
	if _, err := os.Stat(filepath.Join(n.Dir, "officers.db")); err != nil {
		t.Error(err)
	}
}
