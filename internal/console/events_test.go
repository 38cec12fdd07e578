package console

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parley"
)

// testEvents: the stream says names only, and ends with the session.
func testEvents(t *testing.T, x *side) {
	in, err := x.book.DemoSignIn("stream", x.in["reader"].Session.Officer)
	if err != nil {
		t.Fatal(err)
	}
	x.s.beat = 50 * time.Millisecond
	defer func() { x.s.beat = usualBeat }()
	srv := httptest.NewServer(x.handler)
	defer srv.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r, _ := http.NewRequestWithContext(ctx, "GET", srv.URL+"/events", nil)
	r.Host = strings.TrimPrefix(x.s.cfg.Origins[0], "http://")
	r.AddCookie(&http.Cookie{Name: x.s.cookieName(), Value: in.Token})
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	lines := bufio.NewScanner(res.Body)
	next := func(prefix string) string {
		for lines.Scan() {
			if rest, ok := strings.CutPrefix(lines.Text(), prefix); ok {
				return rest
			}
		}
		t.Fatalf("the stream ended: no %q", prefix)
		return ""
	}
	if next("event: ") != "beat" {
		t.Error("the stream does not begin with a sign of life")
	}
	x.s.hub.tell(changedDrafts, changedStrip)
	for next("event: ") != "change" {
	}
	known := " " + strings.Join([]string{changedDrafts, changedLinks, changedPeople, changedRecord, changedStrip}, " ") + " "
	for name := range strings.FieldsSeq(next("data: ")) {
		if !strings.Contains(known, " "+name+" ") {
			t.Errorf("the stream says %q", name)
		}
	}
	if err := x.book.SignOut(in.Session); err != nil {
		t.Fatal(err)
	}
	for kind := ""; kind != "ended"; kind = next("event: ") {
	}
}

// A browser that does not read gathers names, not memory, and one officer
// cannot take all streams.
func TestHub(t *testing.T) {
	h := newHub()
	st, err := h.open("1")
	if err != nil {
		t.Fatal(err)
	}
	for range 100_000 {
		h.tell(changedRecord, changedStrip)
	}
	if got := h.take(st); len(got) != 2 || h.count() != 100_000 {
		t.Errorf("gathered %v", got)
	}
	for range perPerson - 1 {
		if _, err := h.open("1"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.open("1"); parley.CodeOf(err) != CodeTooMany {
		t.Errorf("one more stream: %v", err)
	}
	h.close(st)
	if _, err := h.open("1"); err != nil {
		t.Errorf("after one was closed: %v", err)
	}
}

// The pulse keeps a day, whatever comes.
func TestPulse(t *testing.T) {
	begin := time.Unix(1_000_000*60, 0)
	p := newPulse()
	for i := range 5 * daySpan {
		at := begin.Add(time.Duration(i) * time.Minute)
		p.watch(at)
		p.heard(2, at, uint64(at.Unix()))
		p.heard(2, at.Add(time.Second), uint64(at.Unix())+3600) // not after it came
	}
	end := begin.Add(5 * daySpan * time.Minute)
	heard, watched := p.since(2, end.Add(-24*time.Hour))
	if len(heard) != daySpan || len(watched) != daySpan {
		t.Errorf("%d minutes of the last day, %d watched", len(heard), len(watched))
	}
	p.heard(3, end, uint64(end.Add(-20*time.Hour).Unix())) // an old one that came late
	if heard, _ := p.since(3, end.Add(-24*time.Hour)); len(heard) != 1 || heard[0] != end.Add(-20*time.Hour).Unix()/60 {
		t.Errorf("an old entry that came late proves life at %v", heard)
	}
	if n := len(p.minutes[2]); n > daySpan+70 {
		t.Errorf("%d minutes are kept", n)
	}
}
