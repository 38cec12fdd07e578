package host

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"parley"
	"parley/internal/node"
	"parley/internal/witness"
)

// A witness that lies about how much it has seen, or somebody on the way to
// it, costs a party one generation in a start, and not one in every round: of
// those the others know a bounded number only, and the party would be silenced.
func TestLyingWitnessCostsOneGeneration(t *testing.T) {
	t.Parallel()
	dirs, _ := channel(t, "Avaria", "Borduria")
	var asked atomic.Int64
	liar := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		asked.Add(1)
		w.Header().Set("Content-Type", "text/x.tlog.size")
		w.WriteHeader(http.StatusConflict)
		fmt.Fprintln(w, 1<<40)
	}))
	t.Cleanup(liar.Close)
	b, _ := start(t, dirs[1], Options{})
	for run := range 2 {
		a, stop := start(t, dirs[0], Options{Peers: peerAt(b), Witnesses: map[string]string{"monitor": liar.URL}})
		before := asked.Load()
		eventually(t, a, "the witness is asked many times", func(node.View) bool { return asked.Load() >= before+25 })
		gens := map[string]bool{}
		eventually(t, a, "it speaks", func(v node.View) bool {
			for _, l := range v.Station.Logs() {
				if l.Log.Party == a.me {
					gens[l.Log.Gen.String()] = true
				}
			}
			return v.Station.Ready()
		})
		if want := run + 1; len(gens) > want {
			t.Errorf("run %d: %d generations, want at most %d", run, len(gens), want)
		}
		stop()
	}
}

// A witness that takes a head and does not answer keeps no other from being
// asked.
func TestHangingWitnessDelaysNoOther(t *testing.T) {
	t.Parallel()
	dirs, _ := channel(t, "Avaria", "Borduria")
	var hanging, ended atomic.Int64
	release := make(chan struct{})
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		hanging.Add(1)
		io.Copy(io.Discard, r.Body)
		select {
		case <-release:
		case <-r.Context().Done():
		}
		ended.Add(1)
	}))
	t.Cleanup(hang.Close)
	t.Cleanup(func() { close(release) })
	b, _ := start(t, dirs[1], Options{})
	a, err := Open(dirs[0], Options{Peers: peerAt(b), Listen: "127.0.0.1:0", Cadence: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	first := witnessAt{name: "monitor", c: &witness.Client{URL: hang.URL, HTTP: &http.Client{}}, sizes: map[parley.LogID]uint64{}}
	a.witness.clients = append([]witnessAt{first}, a.witness.clients...)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { a.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done; a.Close() })
	eventually(t, a, "the other witness cosigns while the first still hangs", func(v node.View) bool {
		for _, l := range v.Station.Logs() {
			if l.Log.Party == a.me && l.Witnessed > 0 {
				return hanging.Load() > 0
			}
		}
		return false
	})
	if ended.Load() > 0 {
		t.Error("the hanging request had to end first")
	}
}
