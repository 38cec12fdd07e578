package host

import (
	"context"
	"fmt"
	"net"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/node"
	"parley/internal/witness"
	"parley/seal"
)

func init() { WorkFactor = 10 }

// channel makes parties in directories of their own, with one charter that all
// of them signed.
func channel(t *testing.T, names ...string) (dirs []string, c *parley.Charter) {
	t.Helper()
	return channelWith(t, func(*parley.Rules) {}, names...)
}

// channelWith is channel with other rules.
func channelWith(t *testing.T, change func(*parley.Rules), names ...string) (dirs []string, c *parley.Charter) {
	t.Helper()
	base := t.TempDir()
	c = &parley.Charter{Name: "test line", Rules: parley.DefaultRules()}
	c.Rules.Heartbeat = 1
	change(&c.Rules)
	var roots []*seal.Root
	for i, name := range names {
		dir := filepath.Join(base, fmt.Sprint(i+1))
		card, err := Init(dir, name, "", "pass")
		if err != nil {
			t.Fatal(err)
		}
		root, err := OpenRoot(filepath.Join(dir, fileRoot), "pass")
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, root)
		dirs = append(dirs, dir)
		c.Members = append(c.Members, parley.Member{Index: parley.Party(i + 1), Name: name, RootEd: card.RootEd, RootPQ: card.RootPQ, Keys: card.Keys})
	}
	key, err := witness.CreateKey(filepath.Join(base, "witness.key"), "monitor")
	if err != nil {
		t.Fatal(err)
	}
	c.Witnesses = []parley.Witness{key.Witness()}
	c.Rules.Quorum = "quorum monitor\n"
	s := &parley.SignedCharter{Charter: c.Encode()}
	for i, r := range roots {
		s.Add(r.SignCharter(s.Channel(), parley.Party(i+1)))
	}
	for _, dir := range dirs {
		if _, err := Accept(dir, s.Encode(), 0, false); err != nil {
			t.Fatal(err)
		}
	}
	srv, err := witness.New(witness.Config{Dir: filepath.Join(base, "witness"), Key: key, Charters: []*parley.Charter{c}})
	if err != nil {
		t.Fatal(err)
	}
	ts := httptest.NewServer(srv)
	t.Cleanup(func() { ts.Close(); srv.Close() })
	for _, dir := range dirs {
		if err := SaveSettings(dir, Settings{Witnesses: map[string]string{"monitor": ts.URL}}); err != nil {
			t.Fatal(err)
		}
	}
	return dirs, c
}

// start runs a party until the test ends or stop is called.
func start(t *testing.T, dir string, o Options) (h *Host, stop func()) {
	t.Helper()
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	o.Cadence = 200 * time.Millisecond
	h, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("%s: %v", dir, err)
		}
		if err := h.Close(); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
	}
	t.Cleanup(stop)
	return h, stop
}

// eventually waits for a condition on the node's state.
func eventually(t *testing.T, h *Host, what string, f func(node.View) bool) {
	t.Helper()
	for range 600 {
		ok := false
		if err := h.Node.Do(context.Background(), func(v node.View) { ok = f(v) }); err != nil {
			t.Fatal(err)
		}
		if ok {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

func say(t *testing.T, h *Host, lane parley.Lane, text string) parley.Ref {
	t.Helper()
	ref, err := h.Node.Post(context.Background(), hotline.Draft(&hotline.Text{Type: hotline.Exercise, Text: text}, lane, parley.ToAll))
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func TestMessageOverTLSWitnessedAndAnswered(t *testing.T) {
	t.Parallel()
	dirs, _ := channel(t, "Avaria", "Borduria")
	a, _ := start(t, dirs[0], Options{})
	b, _ := start(t, dirs[1], Options{Peers: map[string]string{"Avaria": a.Addr().(*net.TCPAddr).String()}})
	ref := say(t, a, parley.Flash, "hold all units")
	eventually(t, b, "the message arrives", func(v node.View) bool { _, ok := v.Docket.Hotline.Message(ref); return ok })
	eventually(t, a, "the receipt arrives", func(v node.View) bool { return v.Station.Received(ref.Log(a.Signed.Channel()), 2) > ref.Index })
	var d parley.Draft
	var err error
	b.Node.Do(context.Background(), func(v node.View) { d, err = v.Docket.Hotline.Answer(ref, hotline.Wilco, "") })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Node.Post(context.Background(), d); err != nil {
		t.Fatal(err)
	}
	eventually(t, a, "the answer arrives", func(v node.View) bool {
		m, ok := v.Docket.Hotline.Message(ref)
		return ok && m.Addressees[0].Step == hotline.StepAnswered
	})
	eventually(t, b, "the witness's cosignature reaches the other side", func(v node.View) bool {
		for _, l := range v.Station.Logs() {
			if l.Log == ref.Log(a.Signed.Channel()) {
				return l.Witnessed > ref.Index
			}
		}
		return false
	})
}
