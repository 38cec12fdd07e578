package console

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/host"
	"parley/internal/node"
	"parley/internal/officer"
	"parley/seal"
)

func init() { host.WorkFactor = 10 }

// side is one party of a test: a real node with its console and its officers.
type side struct {
	t       testing.TB
	h       *host.Host
	book    *officer.Book
	s       *Server
	handler http.Handler
	ahead   atomic.Int64               // how far the book's clock is ahead of the wall's
	in      map[string]*officer.SignIn // by role, "both" for drafter and releaser, "other" a second one
}

// pair makes two nodes on loopback with one charter, each with a console.
func pair(t testing.TB) (a, b *side) {
	t.Helper()
	base := t.TempDir()
	c := &parley.Charter{Name: "test line", Rules: parley.DefaultRules()}
	c.Rules.Heartbeat = 1
	var roots []*seal.Root
	var dirs []string
	for i, name := range []string{"India", "Pakistan"} {
		dir := filepath.Join(base, fmt.Sprint(i+1))
		card, err := host.Init(dir, name, "", "pass")
		if err != nil {
			t.Fatal(err)
		}
		root, err := host.OpenRoot(filepath.Join(dir, "root.key"), "pass")
		if err != nil {
			t.Fatal(err)
		}
		roots, dirs = append(roots, root), append(dirs, dir)
		c.Members = append(c.Members, parley.Member{Index: parley.Party(i + 1), Name: name, RootEd: card.RootEd, RootPQ: card.RootPQ, Keys: card.Keys})
	}
	signed := &parley.SignedCharter{Charter: c.Encode()}
	for i, r := range roots {
		signed.Add(r.SignCharter(signed.Channel(), parley.Party(i+1)))
	}
	for _, dir := range dirs {
		if _, err := host.Accept(dir, signed.Encode(), 0, false); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	t.Cleanup(func() { cancel(); wg.Wait() })
	var sides []*side
	addr := ""
	for i, dir := range dirs {
		o := host.Options{Listen: "127.0.0.1:0"}
		if i == 1 {
			o.Peers = map[string]string{"India": addr}
		}
		h, err := host.Open(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		addr = h.Addr().String()
		x := &side{t: t, h: h, in: map[string]*officer.SignIn{}}
		x.openBook(dir)
		if x.s, err = New(Config{Host: h, Book: x.book, Addr: "localhost:0", Demo: true}); err != nil {
			t.Fatal(err)
		}
		x.handler = x.s.Handler()
		wg.Go(func() { h.Run(ctx) })
		wg.Go(func() { x.s.follow(ctx) })
		t.Cleanup(func() { cancel(); wg.Wait(); x.s.Close(); x.book.Close(); h.Close() })
		sides = append(sides, x)
	}
	return sides[0], sides[1]
}

var roleSets = map[string]officer.Roles{
	"drafter": officer.Drafter, "releaser": officer.Releaser, "reader": officer.Reader, "administrator": officer.Administrator,
	"both": officer.AllRoles, "other": officer.AllRoles,
}

func (x *side) openBook(dir string) {
	x.t.Helper()
	var err error
	x.book, err = officer.Open(officer.Config{Path: filepath.Join(dir, "officers.db"), Channel: x.h.Signed.Channel(), Party: x.h.Me(),
		Name: x.h.Charter().Member(x.h.Me()).Name, RPID: "localhost", Origins: []string{"http://localhost:8443"}, Demo: true,
		Now: func() time.Time { return time.Now().Add(time.Duration(x.ahead.Load())) }})
	if err != nil {
		x.t.Fatal(err)
	}
	for _, role := range []string{"both", "other", "drafter", "releaser", "reader", "administrator"} {
		id, err := x.book.DemoOfficer(officer.Identity{Name: "Officer " + role, Title: "Title " + role, Roles: roleSets[role]})
		if err != nil {
			x.t.Fatal(err)
		}
		if x.in[role], err = x.book.DemoSignIn("test "+role, id); err != nil {
			x.t.Fatal(err)
		}
	}
}

// ask sends a request as an officer of a role; "" is nobody.
func (x *side) ask(role, method, path string, form url.Values, change ...func(*http.Request)) *httptest.ResponseRecorder {
	x.t.Helper()
	var body *strings.Reader
	if body = strings.NewReader(""); form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, x.s.URL()[:len(x.s.URL())-1]+path, body)
	r.Host = strings.TrimPrefix(x.s.cfg.Origins[0], "http://")
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", x.s.cfg.Origins[0])
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if in := x.in[role]; in != nil {
		r.AddCookie(&http.Cookie{Name: x.s.cookieName(), Value: in.Token})
	}
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	x.handler.ServeHTTP(w, r)
	return w
}

// get is a page that must be there.
func (x *side) get(role, path string) string {
	x.t.Helper()
	w := x.ask(role, "GET", path, nil)
	if w.Code != 200 {
		x.t.Fatalf("GET %s as %q: %d\n%s", path, role, w.Code, w.Body)
	}
	return w.Body.String()
}

func (x *side) say(b hotline.Body, lane parley.Lane) parley.Ref {
	x.t.Helper()
	ref, err := x.h.Node.Post(context.Background(), hotline.Draft(b, lane, parley.ToAll))
	if err != nil {
		x.t.Fatal(err)
	}
	return ref
}

// until waits for something that comes over the network.
func (x *side) until(what string, ok func(v node.View) bool) {
	x.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		done := false
		if err := x.h.Node.Do(context.Background(), func(v node.View) { done = ok(v) }); err != nil {
			x.t.Fatal(err)
		}
		if done {
			return
		}
	}
	x.t.Fatal("did not come: " + what)
}

func (x *side) has(refs ...parley.Ref) {
	x.t.Helper()
	x.until(fmt.Sprint(refs), func(v node.View) bool {
		for _, r := range refs {
			_, a := v.Docket.Hotline.Message(r)
			_, b := v.Docket.Hotline.ProposalOf(r)
			_, c := v.Docket.Hotline.QuestionOf(r)
			_, d := v.Docket.Hotline.CallOf(r)
			if !a && !b && !c && !d {
				return false
			}
		}
		return true
	})
}

// looks lets the time pass that an officer must look at a draft.
func (x *side) looks() { x.ahead.Add(int64(officer.LookLimit)) }
