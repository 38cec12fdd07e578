package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"parley"
	"parley/hotline"
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
	p       *party
	to      []*party   // of private messages, in turn
	pause   sync.Mutex // held while nothing shall be written
	acked   map[string]acknowledged
	unsent  map[string]bool // of which it was said that nothing was sent
	unclear int             // of which it was said that nobody knows
}

func (a acknowledged) String() string {
	if a.to == nil {
		return a.at.Long
	}
	return a.at.Long + " to " + a.to.name
}

// acknowledged is where the node said that a message stands, and who reads it
// besides its author; nil is everybody.
type acknowledged struct {
	at control.Place
	to *party
}

func (w *writer) run(stop <-chan struct{}, most int) {
	lanes := []parley.Lane{parley.Flash, parley.Priority, parley.Routine}
	for n := range most {
		select {
		case <-stop:
			return
		default:
		}
		w.pause.Lock()
		var to *party
		if n%5 == 4 {
			to = w.to[n/5%len(w.to)]
		}
		text := fmt.Sprintf("EXERCISE. %s %d", w.p.name, n)
		at, err := w.p.postTo(lanes[n%len(lanes)], text, to)
		switch parley.CodeOf(err) {
		case "":
			w.acked[text] = acknowledged{at, to}
		case control.CodeNotRunning:
			w.unsent[text] = true
			time.Sleep(5 * time.Millisecond)
		case control.CodeUnclear:
			w.unclear++
		default:
			w.p.w.t.Errorf("%s: %v", text, err)
		}
		w.pause.Unlock()
		time.Sleep(5 * time.Millisecond)
	}
}

// postTo is post, to one member alone if that is not nil.
func (p *party) postTo(lane parley.Lane, text string, to *party) (at control.Place, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	audience := parley.ToAll
	for i, o := range p.w.parties {
		if o == to {
			audience = parley.AudienceOf(parley.Party(i + 1))
		}
	}
	d := hotline.Draft(&hotline.Text{Type: hotline.Exercise, Text: text}, lane, audience)
	err = p.client().Call(ctx, http.MethodPost, "/v1/post", control.Post{Lane: d.Lane, Kind: d.Kind, To: d.To, Body: d.Body}, &at)
	return at, err
}

// Three parties write to each other and privately, with a witness, while one
// after the other is killed with kill -9 at random moments, the witness too. In
// the large dose one loses its disk now and then: an old copy of its directory
// takes its place. Nothing that was acknowledged is lost, nothing is repeated,
// private messages stay private, and no kill leads to a fork or a new
// generation.
//
// The large dose, with a known seed:
//
//	PARLEY_KILLS=1000 PARLEY_SEED=1 go test ./cmd/parley -run 'TestKill$' -v -timeout 120m
func TestKill(t *testing.T) {
	kills, seed := number(t, "PARLEY_KILLS", 8), number(t, "PARLEY_SEED", time.Now().UnixNano())
	restores := int(number(t, "PARLEY_RESTORES", kills/100))
	t.Logf("PARLEY_SEED=%d", seed)
	if kills > 20 { // a restored node may hold back receipts for a minute, from each start
		defer func(l time.Duration) { limit = l }(limit)
		limit = 5 * time.Minute
	}
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
	for i, p := range w.parties {
		wr := &writer{p: p, to: []*party{w.parties[(i+1)%3], w.parties[(i+2)%3]}, acked: map[string]acknowledged{}, unsent: map[string]bool{}}
		writers[p] = wr
		wg.Go(func() { wr.run(stop, 100_000) })
	}
	restored := map[*party]int{}
	backup := map[*party]string{}
	var lost []*party
	for k := range int(kills) {
		time.Sleep(time.Duration(chance.Int64N(int64(900 * time.Millisecond))))
		if k%50 == 49 {
			t.Logf("%d of %d kills", k+1, kills)
		}
		p := w.parties[k%3]
		if p.node.ended() {
			t.Fatalf("%s ended by itself:\n%s", p.name, p.node.stderr())
		}
		p.node.kill()
		p.launch()
		if k%20 == 7 {
			w.monitor.kill()
			w.witness()
		}
		if restores > 0 && (k+1)%max(int(kills)/(restores+1), 1) == 0 {
			p := w.parties[len(lost)/2%3] // at first only a copy is made
			lost = append(lost, p)
			if p.loseDisk(writers, backup, k%2 == 0) {
				restored[p]++
			}
		}
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
	w.accounted(writers)
	for _, p := range w.parties {
		for i, o := range w.parties {
			if g := p.generations(i + 1); len(g) != 1+restored[o] {
				t.Errorf("%s knows generations %v of %s, which lost its disk %d times; a kill is no reason for a new one\n%s",
					p.name, g, o.name, restored[o], o.told("eneration", "alarm"))
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
	w.quiet("stale-store", "clock-offset") // a PING that waits on a busy machine looks like a wrong clock
}

// loseDisk puts an old copy of the directory in the place of a party's own,
// after all that it wrote has been received; the operator says so, or peers
// notice. The first time it only makes the copy, and reports false.
// Nobody writes meanwhile: three nodes and their judge share one machine.
func (p *party) loseDisk(writers map[*party]*writer, backup map[*party]string, said bool) bool {
	p.w.t.Helper()
	for _, o := range p.w.parties {
		o.ready()
		writers[o].pause.Lock()
		defer writers[o].pause.Unlock()
	}
	wr := writers[p]
	for _, o := range p.w.parties {
		if o != p {
			p.received(o)
			wr.shown(o)
		}
	}
	p.node.stop()
	old := backup[p]
	if old != "" {
		if err := os.RemoveAll(p.dir); err != nil {
			p.w.t.Fatal(err)
		}
		copyDir(p.w.t, old, p.dir)
		var more []string
		if said {
			more = append(more, "--restored")
		}
		p.launch(more...)
		p.ready()
		// What only one reader holds is asked for again every ten seconds.
		from := time.Now()
		for !wr.whole() {
			if time.Since(from) > limit {
				p.w.t.Fatalf("%s does not get back %v\n%s", p.name, wr.missing(), p.told("eneration", "alarm"))
			}
			time.Sleep(time.Second) // to list all keeps the node busy
		}
		p.w.t.Logf("%s has its %d messages back after %v", p.name, len(wr.acked), time.Since(from).Round(100*time.Millisecond))
		p.node.stop()
	}
	backup[p] = filepath.Join(p.w.base, fmt.Sprintf("%s%d", p.name[:1], len(p.past)))
	copyDir(p.w.t, p.dir, backup[p], "record.db.lock", "node.sock")
	p.launch()
	p.ready()
	return old != ""
}

// shown waits until a reader shows all that the writer was acknowledged. A
// receipt of before its own disk was lost is no longer true of it.
func (w *writer) shown(by *party) {
	w.p.w.t.Helper()
	from := time.Now()
	for {
		m := maps.Clone(w.acked)
		maps.DeleteFunc(m, func(_ string, a acknowledged) bool { return a.to != nil && a.to != by })
		for _, x := range by.inbox() {
			delete(m, x.Text)
		}
		if len(m) == 0 {
			break
		}
		if time.Since(from) > limit {
			w.p.w.t.Fatalf("%s does not show %v of %s", by.name, m, w.p.name)
		}
		time.Sleep(time.Second)
	}
	w.p.w.t.Logf("%s shows all of %s after %v", by.name, w.p.name, time.Since(from).Round(100*time.Millisecond))
}

// whole reports whether the author itself shows all that it was acknowledged.
func (w *writer) whole() bool { return len(w.missing()) == 0 }

func (w *writer) missing() map[string]acknowledged {
	m := maps.Clone(w.acked)
	for _, x := range w.p.inbox() {
		delete(m, x.Text)
	}
	return m
}

// told is the lines with any of these words that the party's nodes have said.
func (p *party) told(words ...string) string {
	var b strings.Builder
	for i, n := range p.past {
		for line := range strings.Lines(n.stderr()) {
			if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(line, w) }) {
				fmt.Fprintf(&b, "%s, run %d: %s", p.name, i, line)
			}
		}
	}
	return b.String()
}

// accounted checks that every acknowledged message stands once at its place,
// with everybody whom it concerns and nobody else, and reports the figures.
func (w *world) accounted(writers map[*party]*writer) {
	w.t.Helper()
	lost, repeated, leaked, all := 0, 0, 0, 0
	for _, p := range w.parties {
		wr := writers[p]
		all += len(wr.acked)
		for _, reader := range w.parties {
			found := map[string][]control.Message{}
			for _, m := range reader.inbox() {
				found[m.Text] = append(found[m.Text], m)
			}
			for text, a := range wr.acked {
				ms := found[text]
				switch reads := a.to == nil || a.to == reader || p == reader; {
				case !reads && len(ms) > 0:
					leaked++
					w.t.Errorf("%s reads %q, which is private", reader.name, text)
				case reads && (len(ms) == 0 || ms[0].Long != a.at.Long):
					lost++
					w.t.Errorf("%s acknowledged %q as %v, and %s shows %v", p.name, text, a.at, reader.name, ms)
				}
			}
			for text, ms := range found {
				if len(ms) != 1 {
					repeated++
					w.t.Errorf("%s shows %q %d times", reader.name, text, len(ms))
				}
				if wr.unsent[text] {
					w.t.Errorf("%s was told that %q was not sent, and %s shows it", p.name, text, reader.name)
				}
			}
		}
		w.t.Logf("%s: %d acknowledged, %d not sent, %d unclear, %d starts", p.name, len(wr.acked), len(wr.unsent), wr.unclear, len(p.past))
		if len(wr.acked) == 0 {
			w.t.Errorf("%s never got through", p.name)
		}
	}
	w.t.Logf("%d acknowledged: %d lost, %d repeated, %d leaked", all, lost, repeated, leaked)
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
