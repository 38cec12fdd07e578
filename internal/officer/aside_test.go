package officer

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley"
)

// What an officer translates for his own house stays in the book, sealed: it
// outlives a restart, the journal does not say it, and it goes when removed.
func TestAside(t *testing.T) {
	w := newWorld(t)
	ss := w.setup(Drafter, Reader)
	about := parley.Ref{Party: 2, Lane: parley.Flash, Gen: parley.Gen{1}, Index: 4, Leaf: parley.Hash{5}}
	a := Aside{About: about, Language: "ur", Status: 2, Translator: "Desk", Text: "ایک نجی ترجمہ"}
	w.wants(w.b.KeepAside(ss[2], a), CodeForbidden)
	for _, text := range []string{"", strings.Repeat("x", 32<<10+1), "\xff"} {
		long := a
		long.Text = text
		w.wants(w.b.KeepAside(ss[1], long), CodeContent)
	}
	for range 2 {
		if err := w.b.KeepAside(ss[1], a); err != nil {
			t.Fatal(err)
		}
	}
	w.reopen()
	got := w.b.Asides(about)
	if len(got) != 2 || got[0].Text != a.Text || got[0].Language != "ur" || got[0].Status != 2 || got[0].Translator != "Desk" || got[0].By != ss[1].Officer || got[0].At.IsZero() || got[1].ID != 2 {
		t.Fatalf("kept: %+v", got)
	}
	if other := w.b.Asides(parley.Ref{Party: 2}); other != nil {
		t.Errorf("beside another entry: %+v", other)
	}
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(w.cfg.Path), "*"))
	for _, f := range files {
		if b, err := os.ReadFile(f); err != nil || bytes.Contains(b, []byte(a.Text)) {
			t.Errorf("%s holds the words in clear (%v)", f, err)
		}
	}
	in := must[*SignIn](t)(w.in(2))
	w.wants(w.b.DropAside(must[*SignIn](t)(w.in(3)).Session, 1), CodeForbidden)
	if err := w.b.DropAside(in.Session, 1); err != nil {
		t.Fatal(err)
	}
	w.wants(w.b.DropAside(in.Session, 1), CodeAside)
	w.reopen()
	if got := w.b.Asides(about); len(got) != 1 || got[0].ID != 2 {
		t.Errorf("after the removal: %+v", got)
	}
	acts := map[Act]int{}
	rs, _, err := w.b.Audit(ss[0], 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rs {
		acts[r.Act]++
		if strings.Contains(r.Detail+r.Object, a.Text) {
			t.Errorf("the journal says what it says: %+v", r)
		}
	}
	if acts[ActAside] != 2 || acts[ActAsideGone] != 1 {
		t.Errorf("the journal says %v", acts)
	}
}
