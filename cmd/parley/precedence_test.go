package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"parley"
	"parley/internal/control"
)

// watch follows a running node until the test ends.
func (p *party) watch() <-chan control.Event {
	p.w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := p.client().Stream(ctx, http.MethodGet, "/v1/watch", nil)
	if err != nil {
		p.w.t.Fatal(err)
	}
	p.w.t.Cleanup(func() { cancel(); r.Close() })
	events := make(chan control.Event, 1<<16)
	go func() {
		defer close(events)
		for d := json.NewDecoder(r); ; {
			var e control.Event
			if d.Decode(&e) != nil {
				return
			}
			events <- e
		}
	}()
	return events
}

// backlog writes n bulk messages of 1 KB, many at once, as a program would.
func (p *party) backlog(n int) {
	p.w.t.Helper()
	filler := strings.Repeat("annex ", 170)
	var wg sync.WaitGroup
	for k := range 64 {
		wg.Go(func() {
			for i := k; i < n; i += 64 {
				if _, err := p.post(parley.Deferred, fmt.Sprintf("EXERCISE. %d %s", i, filler)); err != nil {
					p.w.t.Errorf("bulk message %d: %v", i, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// While a bulk backlog flows, a FLASH message is received and answered without
// waiting for its end.
func TestFlashOvertakesBacklog(t *testing.T) {
	w := newWorld(t, "Avaria", "Borduria")
	a, b := w.parties[0].serve(), w.parties[1].serve()
	a.ready()
	b.ready()
	for try, n := 0, 2000; try < 4; try, n = try+1, n*2 {
		if overtakes(t, a, b, n) {
			return
		}
		t.Logf("%d bulk messages had passed before the FLASH was written", n)
	}
	t.Error("no backlog was long enough to be overtaken")
}

// overtakes reports false if the backlog was too short to tell.
func overtakes(t *testing.T, a, b *party, n int) bool {
	t.Helper()
	b.node.stop()
	a.backlog(n)
	b.serve()
	b.ready()
	last := bulk(t, a)
	events := a.watch()
	var flash control.Place
	var receipted, answered bool
	next := func() control.Event {
		e, ok := <-events
		if !ok {
			t.Fatalf("the watch ended:\n%s", a.node.stderr())
		}
		return e
	}
	for e := next(); ; e = next() {
		switch {
		case e.Kind == "receipt" && e.Lane == "DEFERRED" && e.Member == b.name && e.Ref == last:
			if flash.Ref == "" {
				return false
			}
			if !receipted || !answered {
				t.Errorf("the backlog has passed, and FLASH is received: %t, answered: %t", receipted, answered)
			}
			return true
		case e.Kind == "receipt" && e.Lane == "DEFERRED" && e.Member == b.name && flash.Ref == "":
			flash = a.say(parley.Flash, "EXERCISE. hold all units")
			go b.answerFlash(flash.Ref)
		case e.Kind == "receipt" && e.Lane == "FLASH" && e.Member == b.name && e.Ref == flash.Ref:
			receipted = true
		case e.Kind == "answer" && e.Member == b.name && strings.Contains(e.Text, flash.Ref):
			answered = true
		}
	}
}

// bulk is the newest place in the party's bulk lane.
func bulk(t *testing.T, p *party) string {
	t.Helper()
	for _, l := range p.status().Logs {
		if l.Member == 1 && l.Lane == "DEFERRED" && l.Current {
			return fmt.Sprintf("1/DEFERRED/%d", l.Size-1)
		}
	}
	t.Fatal("no bulk lane")
	return ""
}

// answerFlash answers a message as soon as it is there.
func (p *party) answerFlash(ref string) {
	for range 2000 {
		var at control.Place
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		err := p.client().Call(ctx, http.MethodPost, "/v1/answer", control.Answer{Ref: ref, Code: "wilco"}, &at)
		cancel()
		if err == nil {
			return
		}
	}
}
