package interop

import (
	"context"
	"net"
	"path/filepath"
	"testing"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/host"
	"parley/internal/node"
	"parley/internal/witness"
	"parley/seal"
)

// party is a whole node: its own directory, keys, disk and sockets.
func party(t *testing.T, dir string, peers map[string]string) *host.Host {
	t.Helper()
	h, err := host.Open(dir, host.Options{Listen: "127.0.0.1:0", Cadence: 200 * time.Millisecond, Peers: peers})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		h.Close()
	})
	return h
}

// Two nodes exchange a message; the only witness of their channel is one that
// others wrote. It reaches the quorum at both ends.
func TestNodesWithTheirWitness(t *testing.T) {
	host.WorkFactor = 10
	w := newTransparencyWitness(t, "witness.example")
	base := t.TempDir()
	c := &parley.Charter{Name: "interop", Rules: parley.DefaultRules(), Witnesses: []parley.Witness{w.Public}}
	c.Rules.Quorum = "quorum witness.example\n"
	c.Rules.Heartbeat = 1
	var roots []*seal.Root
	var dirs []string
	for i, name := range []string{"Avaria", "Borduria"} {
		dir := filepath.Join(base, name)
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
	s := &parley.SignedCharter{Charter: c.Encode()}
	for i, r := range roots {
		s.Add(r.SignCharter(s.Channel(), parley.Party(i+1)))
	}
	for _, dir := range dirs {
		if _, err := host.Accept(dir, s.Encode(), 0, false); err != nil {
			t.Fatal(err)
		}
		if err := host.SaveSettings(dir, host.Settings{Witnesses: map[string]string{"witness.example": w.URL}}); err != nil {
			t.Fatal(err)
		}
	}
	a := party(t, dirs[0], nil)
	b := party(t, dirs[1], map[string]string{"Avaria": a.Addr().(*net.TCPAddr).String()})
	ref, err := a.Node.Post(t.Context(), hotline.Draft(&hotline.Text{Type: hotline.Exercise, Text: "hold all units"}, parley.Flash, parley.ToAll))
	if err != nil {
		t.Fatal(err)
	}
	log := ref.Log(s.Channel())

	// The origins exist now; the witness's operator is given them.
	w.addLogs(t, witness.LogKey{Origin: log.Origin(), Key: c.Members[0].Keys.LogEd})

	for who, h := range map[string]*host.Host{"its author": a, "the other side": b} {
		witnessed := false
		for range 600 {
			err := h.Node.Do(t.Context(), func(v node.View) {
				for _, l := range v.Station.Logs() {
					witnessed = witnessed || l.Log == log && l.Witnessed > ref.Index
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if witnessed {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if !witnessed {
			t.Errorf("the message is never WITNESSED for %s", who)
		}
	}
}
