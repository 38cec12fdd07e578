package host

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"parley/internal/node"
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
