package demo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/internal/host"
	"parley/internal/node"
)

// watched is what the demonstration has said so far.
type watched struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// With consoles the performance prints an address for each member, says DEMO
// on each, keeps running until it is ended, and leaves a record whose rosters
// are marked as a demonstration's for ever.
func TestConsoles(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out, dir := &watched{}, filepath.Join(t.TempDir(), "demo")
	type end struct {
		sum *Summary
		err error
	}
	ended := make(chan end, 1)
	go func() {
		sum, err := Run(ctx, Options{Dir: dir, Once: true, Console: true, Out: out})
		ended <- end{sum, err}
	}()
	for limit := time.Now().Add(patience); !strings.Contains(out.String(), " go on "); time.Sleep(20 * time.Millisecond) {
		select {
		case e := <-ended:
			t.Fatalf("it ended by itself: %v\n%s", e.err, out)
		default:
		}
		if time.Now().After(limit) {
			t.Fatalf("it does not come to its end:\n%s", out)
		}
	}
	urls := map[string]string{}
	for _, m := range regexp.MustCompile(`console +(.+): (http://localhost:\d+)/`).FindAllStringSubmatch(out.String(), -1) {
		urls[m[1]] = m[2]
	}
	if len(urls) != 3 {
		t.Errorf("consoles of %v", urls)
	}
	for name, url := range urls {
		res, err := http.Get(url + "/sign-in")
		if err != nil {
			t.Fatal(err)
		}
		page, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != 200 || !bytes.Contains(page, []byte("DEMO")) || !bytes.Contains(page, []byte("Officer A")) {
			t.Errorf("%s: %d\n%s", name, res.StatusCode, page)
		}
	}
	cancel()
	e := <-ended
	if e.err != nil {
		t.Fatal(e.err)
	}
	if rosters := demoRosters(t, filepath.Join(dir, "india")); rosters != 3 {
		t.Errorf("%d rosters of a demonstration in the record, want one of each member", rosters)
	}
}

// demoRosters counts the members of whom a member's own record holds a roster
// that is marked as a demonstration's.
func demoRosters(t *testing.T, dir string) (n int) {
	t.Helper()
	h, err := host.Open(dir, host.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	err = h.Node.Do(ctx, func(v node.View) {
		for _, m := range h.Charter().Members {
			if r := v.Docket.Release.Roster(m.Index); r != nil && r.Roster.Demo && len(r.Roster.Keys) == len(officers) {
				n++
			}
		}
	})
	cancel()
	if err := errors.Join(err, <-ended, h.Close()); err != nil {
		t.Fatal(err)
	}
	return n
}
