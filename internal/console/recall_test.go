package console

import (
	"context"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/host"
	"parley/internal/node"
)

// A console that starts again knows from the record what it proves of the last
// day, and takes nothing else for silence.
func TestRecall(t *testing.T) {
	a, b := pair(t)
	ours := a.say(&hotline.Text{Text: "ours"}, parley.Flash)
	theirs := b.say(&hotline.Text{Text: "theirs"}, parley.Routine)
	a.has(theirs)
	a.until("the other side's receipt", func(v node.View) bool {
		_, ok := v.Docket.Hotline.HeldBy(2, ours)
		return ok
	})
	again, err := New(Config{Host: a.h, Book: a.book, Addr: "localhost:0", Demo: true})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := again.recall(context.Background()); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for _, p := range []parley.Party{1, 2} {
		heard, watched := again.pulse.since(p, now.Add(-24*time.Hour))
		if len(heard) == 0 || heard[0] < now.Add(-5*time.Minute).Unix()/60 || len(watched) != 0 {
			t.Errorf("of member %d: proofs %v, watched %v", p, heard, watched)
		}
	}
	var h History
	if err := a.h.Node.Do(context.Background(), func(v node.View) {
		heard, watched := again.pulse.since(2, now.Add(-24*time.Hour))
		h = history(v.Docket.Hotline, 0, 2, "Pakistan", heard, watched, now, time.Minute)
	}); err != nil {
		t.Fatal(err)
	}
	if h.Silent != 0 || len(h.Spans) == 0 || len(h.Unknown) == 0 {
		t.Errorf("after a restart: %d silences, proofs %v, not known %v", h.Silent, h.Spans, h.Unknown)
	}
}

// The page of the record says what is left of the disk, and what the last
// check found, until a later one finds nothing.
func TestRecordHealth(t *testing.T) {
	a, _ := pair(t)
	if free, known := a.h.Room(); known && !strings.Contains(a.get("both", "/record"), "Free on its disk") || known && free == 0 {
		t.Errorf("the room on the disk: %d", free)
	}
	for _, x := range []struct {
		free, record uint64
		want         bool
	}{{1<<30 - 1, 0, true}, {1 << 30, 0, false}, {5 << 30, 6 << 30, true}, {7 << 30, 6 << 30, false}} {
		if got := little(x.free, x.record); got != x.want {
			t.Errorf("%d free, a record of %d: little %v", x.free, x.record, got)
		}
	}
	warned := func() bool { return strings.Contains(a.get("both", "/record"), "A check found something wrong") }
	if warned() {
		t.Error("a warning before any check")
	}
	at := time.Now().Add(-time.Hour)
	host.DoneCheck.Note(a.h.Dir, at)
	host.DoneFound.Note(a.h.Dir, at.Add(time.Minute))
	if !warned() {
		t.Error("no warning after a check that found something")
	}
	if !strings.Contains(a.get("both", "/lines"), "needs somebody") {
		t.Error("other pages do not lead to it")
	}
	host.DoneCheck.Note(a.h.Dir, at.Add(2*time.Minute))
	if warned() || strings.Contains(a.get("both", "/lines"), "needs somebody") {
		t.Error("the warning stays after a check that found nothing")
	}
}
