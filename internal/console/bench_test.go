package console

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"net/http/httptest"
	"testing"
	"time"

	"parley"
	"parley/docket"
	"parley/hotline"
	"parley/internal/node"
)

// loaded is a docket of n entries on one line of two parties: messages in the
// lanes of everyday traffic, each opened by the other side, with a receipt
// every few entries, as a record of months holds them. The last ones wait.
func loaded(c *parley.Charter, n int, now time.Time) *docket.Docket {
	d := docket.New(c, 1)
	size := map[[2]uint8]uint64{}
	begin := now.Add(-time.Duration(n) * 20 * time.Second)
	post := func(by parley.Party, p parley.Draft, at time.Time) parley.Ref {
		k := [2]uint8{uint8(by), uint8(p.Lane)}
		r := parley.Ref{Party: by, Lane: p.Lane, Gen: parley.Gen{byte(by)}, Index: size[k]}
		var b [16]byte
		binary.BigEndian.PutUint64(b[:], r.Index)
		b[8], b[9] = byte(by), byte(p.Lane)
		r.Leaf = sha256.Sum256(b[:])
		size[k]++
		d.Apply(parley.Posted{Ref: r, Entry: p.Entry(at, nil), Stored: at.Add(time.Second)})
		if size[k]%4 == 0 {
			d.Proof(parley.Receipted{By: 3 - by, Head: parley.Head{Party: by, Lane: p.Lane, Gen: r.Gen, Size: size[k]},
				Time: uint64(at.Unix()) + 1, Stored: at.Add(time.Second)})
		}
		return r
	}
	l := post(1, hotline.Draft(&hotline.Line{Number: 1, Serial: 1, Name: "Directors", Level: "military operations",
		Members: parley.AudienceOf(1, 2), Grace: 300, Schedule: &hotline.Schedule{First: 1, Start: uint64(begin.Unix()), Every: 3600}}, parley.Routine, parley.ToAll), begin)
	post(2, hotline.Draft(&hotline.Answer{About: l, Code: hotline.Wilco}, parley.Routine, parley.ToAll), begin)
	for i := 2; i < n; i += 2 {
		at := begin.Add(time.Duration(i) * 20 * time.Second)
		by := parley.Party(1 + i/2%2)
		lane := parley.Lane(1 + i/2%3)
		t := &hotline.Text{Line: 1, Text: fmt.Sprintf("Situation report %d: quiet along the whole sector, two patrols, nothing observed.", i), Language: "en"}
		r := post(by, hotline.Draft(t, lane, parley.ToAll), at)
		if i < n-60 {
			post(3-by, hotline.Draft(&hotline.Answer{About: r, Code: hotline.Opened}, lane, parley.ToAll), at.Add(10*time.Second))
		}
	}
	return d
}

// BenchmarkLinePage is the page of a line, strip included, as a browser gets
// it: everything that the desks are asked, and the template.
func BenchmarkLinePage(b *testing.B) {
	x, _ := pair(b)
	for _, n := range []int{10_000 * 2, 1_000_000} {
		d := loaded(x.h.Charter(), n, time.Now())
		for _, c := range []struct{ name, query string }{{"", ""}, {"search", "?q=nowhere+found"}, {"questions", "?kind=question"}} {
			b.Run(fmt.Sprintf("entries=%d/%s", n, c.name), func(b *testing.B) {
				q := &request{Request: httptest.NewRequest("GET", "/lines/1"+c.query, nil), loc: x.s.localeOf(httptest.NewRequest("GET", "/", nil)), now: time.Now()}
				q.person = x.s.personIn(x.in["both"].Session)
				w := node.View{Docket: d, Now: time.Now()}
				for b.Loop() {
					p := LinePage{Page: x.s.page(q, "line", "Line 1"), Number: 1, Query: filterOf(q.URL.Query())}
					p.Strip = facts(w, x.h.Charter(), 1)
					if !x.s.fillLine(w, &p) {
						b.Fatal("no line")
					}
					rec := httptest.NewRecorder()
					if err := x.s.render(rec, q, 200, "line", &p); err != nil {
						b.Fatal(err)
					}
					io.Copy(io.Discard, rec.Body)
				}
			})
		}
	}
}

// BenchmarkWaiting is what a flood costs that nobody opens: what the node does
// for a strip and for the page of duties, during which it does nothing else.
func BenchmarkWaiting(b *testing.B) {
	x, _ := pair(b)
	for _, n := range []int{1000, 300_000} {
		d := flooded(x.h.Charter(), n, time.Now())
		w := node.View{Docket: d, Now: time.Now()}
		b.Run(fmt.Sprintf("entries=%d/strip", n), func(b *testing.B) {
			for b.Loop() {
				if s := facts(w, x.h.Charter(), 1); s.Unopened < n {
					b.Fatalf("%d unopened", s.Unopened)
				}
			}
		})
		b.Run(fmt.Sprintf("entries=%d/duties", n), func(b *testing.B) {
			for b.Loop() {
				var p DutiesPage
				x.s.fillDuties(w, &p)
				if len(p.Ours) != min(n, dutiesShown) || p.More != n-len(p.Ours) {
					b.Fatalf("%d shown, %d more", len(p.Ours), p.More)
				}
			}
		})
	}
}

// flooded is a docket in which n messages of the other side wait, all received.
func flooded(c *parley.Charter, n int, now time.Time) *docket.Docket {
	d := docket.New(c, 1)
	begin := now.Add(-time.Duration(n) * time.Second)
	for i := range n {
		at := begin.Add(time.Duration(i) * time.Second)
		lane := parley.Lane(i % 4)
		r := parley.Ref{Party: 2, Lane: lane, Gen: parley.Gen{2}, Index: uint64(i / 4)}
		var k [16]byte
		binary.BigEndian.PutUint64(k[:], uint64(i))
		r.Leaf = sha256.Sum256(k[:])
		t := &hotline.Text{Text: fmt.Sprintf("Flood %d.", i)}
		d.Apply(parley.Posted{Ref: r, Entry: hotline.Draft(t, lane, parley.ToAll).Entry(at, nil), Stored: at.Add(time.Second)})
	}
	return d
}
