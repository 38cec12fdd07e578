// Package browser tests the officers' console as officers use it: in a real
// Chromium, against real nodes that speak to each other, with passkeys in
// virtual devices. docs/asvs.md names its security tests.
//
//	cd browser && npm ci && go test ./...
package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/browser/drive"
)

// need skips a test without Chromium, loudly; in CI it fails.
func need(t *testing.T) {
	t.Helper()
	switch {
	case drive.Chromium() != "":
	case ci():
		t.Fatal("no Chromium: apt-get install chromium")
	default:
		t.Skip("NOT RUN: no Chromium; apt-get install chromium")
	}
}

func ci() bool { return os.Getenv("CI") != "" }

// lasting is a TB whose clean-up waits for the end of all tests.
type lasting struct{ testing.TB }

var atEnd []func()

func (l lasting) Cleanup(f func()) { atEnd = append(atEnd, f) }

var dir string

func TestMain(m *testing.M) {
	var err error
	if dir, err = os.MkdirTemp("", "parley-browser-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	for i := len(atEnd) - 1; i >= 0; i-- {
		atEnd[i]()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

var (
	once    sync.Once
	bin     string
	chrome  *drive.Browser
	common  *world
	failure = "the shared nodes could not be set up; see the first test that used them"
)

// program builds parley and starts the browser, once for all tests.
func program(t *testing.T) (string, *drive.Browser) {
	t.Helper()
	need(t)
	once.Do(func() {
		bin = drive.Build(lasting{t}, dir)
		chrome = drive.OpenBrowser(lasting{t})
	})
	if chrome == nil {
		t.Fatal("the program or the browser did not start; see the first test")
	}
	return bin, chrome
}

// world is two parties on one line, each with two officers who have enrolled
// their passkeys, and whose rosters the other side holds.
type world struct {
	line    *drive.Line
	parties []*party
}

type party struct {
	node     *drive.Node
	officers []*person
}

// person is one officer at a computer of his own.
type person struct {
	name, title string
	node        *drive.Node
	win         *drive.Window
}

// at is the officer's window for this test.
func (o *person) at(t *testing.T) *drive.Window { return o.win.For(t) }

// open opens a page of the officer's own console.
func (o *person) open(t *testing.T, path string) *drive.Window {
	t.Helper()
	w := o.at(t)
	w.Go(o.node.URL + path)
	return w
}

// cookie is the officer's session as a header's value.
func (o *person) cookie() string {
	for _, c := range o.win.Cookies() {
		if strings.HasPrefix(c.Name, "__Host-s") {
			return c.Name + "=" + c.Value
		}
	}
	return ""
}

var setUpOnce sync.Once

// shared is the world that tests share which leave it as it was: signed in,
// with a line in force, in English.
func shared(t *testing.T) *world {
	t.Helper()
	program(t)
	setUpOnce.Do(func() {
		d := filepath.Join(dir, "shared")
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
		common = newWorld(lasting{t}, d)
	})
	if common == nil {
		t.Fatal(failure)
	}
	return common
}

// newWorld starts two nodes and sets everybody up as the README says.
func newWorld(t drive.TB, d string) *world {
	t.Helper()
	w := &world{line: drive.StartLine(t, bin, d, "India", "Pakistan")}
	for _, n := range w.line.Nodes {
		w.parties = append(w.parties, setUp(t, n))
	}
	in, pk := w.parties[0].node, w.parties[1].node
	said := in.Run("lines", "propose", "1", "Military operations", "--level", "military operations", "--member", "India", "--member", "Pakistan", "--first", "India", "--every", "168h")
	proposal := entryName.FindString(said)
	var err error
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		if _, err = pk.TryRun("answer", proposal, "wilco"); err == nil || time.Now().After(end) {
			break
		}
	}
	if err != nil {
		t.Fatalf("the line: %v", err)
	}
	return w
}

var entryName = regexp.MustCompile(`\d+/[A-Z]+/\d+`)

// setUp enrols the officers of a node by its one-time link and posts the
// roster of their keys.
func setUp(t drive.TB, n *drive.Node) *party {
	t.Helper()
	p := &party{node: n}
	for i, title := range []string{"Duty officer", "Director"} {
		o := &person{name: fmt.Sprintf("Officer %d of %s", i+1, n.Name), title: title, node: n}
		o.win = chrome.Window(t, o.name, drive.Look{})
		p.officers = append(p.officers, o)
	}
	first, second := p.officers[0], p.officers[1]
	drive.Enrol(first.win, n.SetupLink(), first.name, first.title)
	drive.Enrol(second.win, drive.AddOfficer(first.win, n.URL, second.name, second.title), "", "")
	drive.PostRoster(first.win, second.win, n.URL)
	return p
}
