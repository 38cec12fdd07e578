package console

import (
	"strings"
	"testing"
	"time"

	"parley"
	"parley/docket"
	"parley/hotline"
	"parley/internal/node"
)

// A question about a message stands below it as what it asks, and not as an
// answer that does not count.
func TestQuestionBelowItsMessage(t *testing.T) {
	a, _ := pair(t)
	d, now := docket.New(a.h.Charter(), 1), time.Now()
	post := func(by parley.Party, b hotline.Body) parley.Ref {
		r := parley.Ref{Party: by, Lane: parley.Flash, Gen: parley.Gen{byte(by)}, Leaf: parley.Hash{byte(by)}}
		d.Apply(parley.Posted{Ref: r, Stored: now, Entry: hotline.Draft(b, parley.Flash, parley.ToAll).Entry(now, nil)})
		return r
	}
	m := post(1, &hotline.Text{Text: "ours"})
	q := post(2, &hotline.Query{Ask: hotline.DidYouSend, About: &m, Text: "Did your centre send this?"})
	var b strings.Builder
	if err := a.s.pages.byLang["en"]["line"].ExecuteTemplate(&b, "entry", a.s.entryRow(node.View{Docket: d, Now: now}, m)); err != nil {
		t.Fatal(err)
	}
	page := textOf("<main" + b.String())
	if !strings.Contains(page, "Did you send this?") || !strings.Contains(page, q.String()) || strings.Contains(page, "changes nothing") {
		t.Errorf("the row says: %s", page)
	}
}
