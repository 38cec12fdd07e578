package drive

import (
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
)

// Need skips a test without Chromium and axe-core, and fails it in CI.
func need(t *testing.T) []byte {
	t.Helper()
	axe, err := Axe(t)
	if Chromium() == "" {
		err = os.ErrNotExist
	}
	if err != nil && os.Getenv("CI") == "" {
		t.Skipf("NOT RUN: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	return axe
}

// What the other tests rest on: the policy of a page holds while it is driven,
// what the page complains about is heard, axe finds what is there to find, and
// windows share nothing.
func TestDrive(t *testing.T) {
	axe := need(t)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'")
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1", HttpOnly: true})
		w.Write([]byte(`<!doctype html><html lang=en><title>x</title><main><h1>x</h1><form><input id=a name=a><button>Go</button></form></main><script>window.bad = 1</script>`))
	}))
	defer s.Close()
	b := OpenBrowser(t)
	one, two := b.Window(t, "one", Look{}), b.Window(t, "two", Look{})
	one.Go(s.URL)
	if got := one.Eval(`typeof window.bad`); got != "undefined" {
		t.Errorf("an inline script ran: %s", got)
	}
	if got := one.Complaints(); len(got) != 1 || !strings.Contains(got[0], "Content Security Policy") {
		t.Errorf("complaints: %q", got)
	}
	vs := one.Axe(axe)
	if !slices.ContainsFunc(vs, func(v Violation) bool { return v.ID == "label" }) {
		t.Errorf("axe does not see a field without a label: %v", vs)
	}
	one.Type("#a", "پاکستان 2/FLASH/1")
	one.Submit("button")
	if got := one.Eval(`new URLSearchParams(location.search).get("a")`); got != "پاکستان 2/FLASH/1" {
		t.Errorf("typed: %q", got)
	}
	if n := len(one.Cookies()); n != 1 {
		t.Errorf("%d cookies", n)
	}
	two.Go("about:blank")
	if n := len(two.Cookies()); n != 0 {
		t.Errorf("the other window has %d cookies", n)
	}
}
