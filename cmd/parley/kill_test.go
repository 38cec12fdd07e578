package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"parley"
	"parley/internal/control"
)

// number reads a whole number from the environment.
func number(t *testing.T, name string, otherwise int64) int64 {
	t.Helper()
	if v := os.Getenv(name); v != "" {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			t.Fatalf("%s=%q is not a number", name, v)
		}
		return n
	}
	return otherwise
}

// writer sends numbered messages until it is told to stop, and remembers which
// of them the node acknowledged.
type writer struct {
	acked   map[string]control.Place
	unsent  map[string]bool // of which it was said that nothing was sent
	unclear int             // of which it was said that nobody knows
}

func (w *writer) run(p *party, stop <-chan struct{}, most int) {
	lanes := []parley.Lane{parley.Flash, parley.Priority, parley.Routine}
	for n := range most {
		select {
		case <-stop:
			return
		default:
		}
		text := fmt.Sprintf("EXERCISE. %s %d", p.name, n)
		at, err := p.post(lanes[n%len(lanes)], text)
		switch parley.CodeOf(err) {
		case "":
			w.acked[text] = at
		case control.CodeNotRunning:
			w.unsent[text] = true
			time.Sleep(5 * time.Millisecond)
		case control.CodeUnclear:
			w.unclear++
		default:
			p.w.t.Errorf("%s: %v", text, err)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// Three parties write to each other while one after the other is killed with
// kill -9 at random moments. Nothing that was acknowledged is lost, nothing is
// repeated, and no kill leads to a fork or a new generation.
//
// The large dose, with a known seed:
//
//	PARLEY_KILLS=200 PARLEY_SEED=1 go test ./cmd/parley -run TestKill -v -timeout 60m
func TestKill(t *testing.T) {
	kills, seed := number(t, "PARLEY_KILLS", 8), number(t, "PARLEY_SEED", time.Now().UnixNano())
	t.Logf("PARLEY_SEED=%d", seed)
	chance := rand.New(rand.NewPCG(uint64(seed), 0))
	w := newWorld(t, "Avaria", "Borduria", "Syldavia")
	w.witness()
	for _, p := range w.parties {
		p.serve()
	}
	for _, p := range w.parties {
		p.ready()
	}

	stop := make(chan struct{})
	var wg sync.WaitGroup
	writers := map[*party]*writer{}
	for _, p := range w.parties {
		wr := &writer{acked: map[string]control.Place{}, unsent: map[string]bool{}}
		writers[p] = wr
		wg.Go(func() { wr.run(p, stop, 20_000) })
	}
	for k := range kills {
		time.Sleep(time.Duration(chance.Int64N(int64(900 * time.Millisecond))))
		p := w.parties[k%3]
		if p.node.ended() {
			t.Errorf("%s ended by itself:\n%s", p.name, p.node.stderr())
		}
		p.node.kill()
		p.launch()
	}
	time.Sleep(300 * time.Millisecond)
	close(stop)
	wg.Wait()
	for _, p := range w.parties {
		p.ready()
	}
	for _, p := range w.parties {
		for _, o := range w.parties {
			if o != p {
				p.received(o)
			}
		}
	}
	for _, p := range w.parties {
		for _, reader := range w.parties {
			found := map[string][]control.Message{}
			for _, m := range reader.inbox() {
				found[m.Text] = append(found[m.Text], m)
			}
			for text, at := range writers[p].acked {
				if ms := found[text]; len(ms) != 1 || ms[0].Place != at {
					t.Errorf("%s acknowledged %q as %v, and %s shows %v", p.name, text, at, reader.name, ms)
				}
			}
			for text, ms := range found {
				if len(ms) != 1 {
					t.Errorf("%s shows %q %d times", reader.name, text, len(ms))
				}
				if writers[p].unsent[text] {
					t.Errorf("%s was told that %q was not sent, and %s shows it", p.name, text, reader.name)
				}
			}
		}
		t.Logf("%s: %d acknowledged, %d not sent, %d unclear", p.name, len(writers[p].acked), len(writers[p].unsent), writers[p].unclear)
		if len(writers[p].acked) == 0 {
			t.Errorf("%s never got through", p.name)
		}
	}
	for _, p := range w.parties {
		for member := 1; member <= len(w.parties); member++ {
			if g := p.generations(member); len(g) != 1 {
				t.Errorf("%s knows generations %v of member %d; a kill is no reason for a new one", p.name, g, member)
			}
		}
		held := int(p.status().Entries)
		for range 2 {
			if n := exported(t, p.export()); n != held {
				t.Errorf("%s exports %d of %d entries", p.name, n, held)
			}
			p.node.stop()
			p.fsck()
			p.serve()
			p.ready()
		}
	}
	w.quiet()
}

// exported is the number of entries that parley-verify's last line counts.
func exported(t *testing.T, total string) (n int) {
	t.Helper()
	if _, err := fmt.Sscanf(total, "TOTAL %d entries", &n); err != nil {
		t.Fatalf("%q: %v", total, err)
	}
	return n
}

// What a party wrote last before kill -9, with nobody connected, is in its
// next export, and witnessed.
func TestKilledAfterLastEntry(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "Avaria", "Borduria")
	a := w.parties[0].serve()
	a.ready() // waits in vain for Borduria
	a.say(parley.Flash, "EXERCISE. the last word")
	a.node.kill()
	w.witness()
	a.serve()
	a.ready()
	held := int(a.status().Entries)
	if n := exported(t, a.export()); n != held {
		t.Errorf("%d of %d entries are exported", n, held)
	}
	eventually(t, "all is witnessed", func() bool {
		for _, l := range a.status().Logs {
			if l.Witnessed < l.Size {
				return false
			}
		}
		return true
	})
	w.quiet()
}
