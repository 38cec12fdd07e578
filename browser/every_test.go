package browser

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"parley/browser/drive"
)

// noPages are the addresses of the table of routes that serve no page.
var noPages = []string{"/{$}", "/static/{name...}", "/strip", "/events"}

// pageRoutes reads the table of routes of internal/console: the patterns of
// everything that a browser may open.
func pageRoutes(t *testing.T) (patterns []string) {
	t.Helper()
	fset := token.NewFileSet()
	files, err := filepath.Glob("../internal/console/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			row := map[string]string{}
			for _, e := range lit.Elts {
				kv, ok := e.(*ast.KeyValueExpr)
				if !ok {
					continue
				}
				key, _ := kv.Key.(*ast.Ident)
				if v, ok := kv.Value.(*ast.BasicLit); ok && key != nil && v.Kind == token.STRING {
					row[key.Name], _ = strconv.Unquote(v.Value)
				}
			}
			if row["method"] == "GET" && row["path"] != "" && !slices.Contains(noPages, row["path"]) {
				patterns = append(patterns, row["path"])
			}
			return true
		})
	}
	if len(patterns) < 15 {
		t.Fatalf("the table of routes has only %q", patterns)
	}
	return patterns
}

// parts are templates that pages share.
var parts = []string{"layout", "parts", "forms", "beside"}

// tour is every page of the console, as one test sees them: which routes and
// which templates were on the screen.
type tour struct {
	t      *testing.T
	mux    *http.ServeMux
	routes map[string]bool
	views  map[string]bool
	look   func(win *drive.Window, what string)
}

func newTour(t *testing.T, look func(*drive.Window, string)) *tour {
	t.Helper()
	x := &tour{t: t, mux: http.NewServeMux(), routes: map[string]bool{}, views: map[string]bool{}, look: look}
	for _, p := range pageRoutes(t) {
		x.routes[p] = false
		x.mux.HandleFunc("GET "+p, func(http.ResponseWriter, *http.Request) {})
	}
	files, err := filepath.Glob("../internal/console/templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".html"); !slices.Contains(parts, name) {
			x.views[name] = false
		}
	}
	return x
}

// open opens a page and looks at it.
func (x *tour) open(win *drive.Window, url string) {
	x.t.Helper()
	win.Go(url)
	x.here(win, "")
}

// here looks at the page that is open.
func (x *tour) here(win *drive.Window, what string) {
	x.t.Helper()
	p := win.Path()
	if _, pattern := x.mux.Handler(httptest.NewRequest("GET", p, nil)); pattern != "" {
		x.routes[strings.TrimPrefix(pattern, "GET ")] = true
	}
	view := win.Eval(`document.body.dataset.view`)
	if _, ok := x.views[view]; !ok {
		x.t.Errorf("%s shows %q, which is no template", p, view)
	}
	x.views[view] = true
	x.look(win, strings.TrimSpace(p+" "+what))
}

// whole fails for whatever was not on the screen.
func (x *tour) whole() {
	x.t.Helper()
	for p, seen := range x.routes {
		if !seen {
			x.t.Errorf("no test opened a page of the route %s", p)
		}
	}
	for v, seen := range x.views {
		if !seen {
			x.t.Errorf("no test saw the template %s", v)
		}
	}
}

// signedIn goes through every page that an officer comes to, also those that
// only a form leads to, with something on them.
func (x *tour) signedIn(o, other *person, message, draft string) {
	x.t.Helper()
	win, base := o.at(x.t), o.node.URL
	for _, p := range []string{"/lines", "/lines/1", "/lines/0", "/lines/1?q=nothing-has-this", message, message + "/print", "/compose",
		"/compose?relation=reply&about=" + strings.TrimPrefix(message, "/message/"), "/call?line=1", "/question?line=1", "/propose", "/propose?number=1", "/drafts", draft, "/duties", "/record", "/officers",
		"/rules", "/watch", "/audit", "/audit/0", "/audit/3", "/settings", "/sign-in", "/no-such-page", "/lines/200"} {
		x.open(win, base+p)
	}
	for _, name := range manualPages(x.t) {
		x.open(win, base+name)
	}
	win.Go(base + "/compose")
	drive.Fill(win, drive.Wording{Lane: "FLASH", Type: "drill", Line: "1", Subject: "A drill", Text: "DRILL. A page to look at."})
	x.here(win, "checked")
	x.open(win, base+message+"/translate")
	translation(win, "ur", "machine", "A program", "مشق۔ دیکھنے کے لیے۔")
	x.here(win, "checked")
	win.Go(base + "/compose?draft=999999")
	x.here(win, "of a draft that is not there")
	x.open(other.at(x.t), base+draft) // with the button that releases it
}

// manualPages are the addresses of the manual.
func manualPages(t *testing.T) (out []string) {
	t.Helper()
	files, err := os.ReadDir("../docs/manual")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name, ok := strings.CutSuffix(f.Name(), ".md"); ok && name != "index" {
			out = append(out, "/manual/"+name)
		}
	}
	return append(out, "/manual")
}

// submitted is a draft that waits for its release.
func submitted(t *testing.T, p *party) string {
	t.Helper()
	first := p.officers[0].at(t)
	path := drive.Compose(first, p.node.URL, drive.Wording{Lane: "IMMEDIATE", Type: "exercise", Line: "1", Subject: "Waits", Text: "EXERCISE. It waits for its release."})
	drive.Approve(first, "submit")
	first.Arrive("the draft submitted", `location.search == "?done=submitted"`)
	return path
}

// No page breaks a rule of accessibility, in the light and in the dark, in a
// script from left to right and in one from right to left; and no page of the
// table of routes is left out.
func TestAccessibility(t *testing.T) {
	w := shared(t)
	axe, err := drive.Axe(t)
	if err != nil {
		if ci() {
			t.Fatal(err)
		}
		t.Skipf("NOT RUN: %v", err)
	}
	p := w.parties[0]
	o, other := p.officers[0], p.officers[1]
	message, draft := w.message(t), submitted(t, p)
	o.at(t).Complaints() // of tests before, which sent what must be refused
	other.at(t).Complaints()
	lang, dark := "en", false
	x := newTour(t, func(win *drive.Window, what string) {
		for _, v := range win.Axe(axe) {
			t.Errorf("%s in %s, dark %v: %s", what, lang, dark, v)
		}
		for _, bad := range win.Complaints() {
			if !refused.MatchString(bad) {
				t.Errorf("%s: the browser complains: %q", what, bad)
			}
		}
	})
	t.Cleanup(func() {
		for _, o := range p.officers {
			o.at(t).Dark(false)
			drive.Language(o.at(t), o.node.URL, "en")
		}
		win := o.at(t)
		win.Go(o.node.URL + draft)
		drop(win)
	})
	for _, look := range []struct {
		lang string
		dark bool
	}{{"en", false}, {"en", true}, {"ur", true}} {
		lang, dark = look.lang, look.dark
		for _, o := range p.officers {
			drive.Language(o.at(t), o.node.URL, lang)
			o.at(t).Dark(dark)
		}
		x.signedIn(o, other, message, draft)
	}
	lang = "en"
	strangers(t, x)
	x.whole()
}

// refused is what Chromium says of a page with the status of an error.
var refused = regexp.MustCompile(`the server responded with a status of (404|422)`)

// strangers goes through the pages of a node that is set up: the link of the
// first officer, a one-time link on the page, and what it opens.
func strangers(t *testing.T, x *tour) {
	t.Helper()
	n := fresh(t)
	link := n.SetupLink()
	first := chrome.Window(t, "first officer", drive.Look{})
	for _, dark := range []bool{true, false} {
		first.Dark(dark)
		x.open(first, n.URL+"/sign-in")
		x.open(first, link)
	}
	drive.Enrol(first, link, "First", "Duty officer")
	x.here(first, "after the first enrolment")
	later := drive.AddOfficer(first, n.URL, "Second", "Director")
	second := chrome.Window(t, "second officer", drive.Look{})
	for _, dark := range []bool{true, false} {
		first.Dark(dark)
		x.here(first, fmt.Sprintf("with a link, dark %v", dark))
	}
	for _, dark := range []bool{true, false} {
		first.Dark(dark)
		second.Dark(dark)
		x.open(second, later)
		x.open(second, n.URL+"/setup/nothing")
		for _, p := range []string{"/lines", "/drafts", "/duties", "/record", "/watch", "/rules"} { // empty
			x.open(first, n.URL+p)
		}
	}
}
