package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"parley"
	"parley/hotline"
	"parley/internal/host"
	"parley/journal"
)

// once plays the shipped scenario into a new directory.
func once(t *testing.T) (string, *Summary, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "crisis")
	var out strings.Builder
	sum, err := Run(context.Background(), Options{Dir: dir, Once: true, Out: &out})
	if err != nil {
		t.Fatal(err)
	}
	return dir, sum, out.String()
}

// reopen looks at what a member has on its disk.
func reopen(t *testing.T, dir string) *host.Host {
	t.Helper()
	h, err := host.Open(dir, host.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// entries reads all entries that a member can read.
func entries(t *testing.T, h *host.Host) map[parley.Ref][]byte {
	t.Helper()
	out := map[parley.Ref][]byte{}
	logs, err := h.Node.Store().Logs()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range logs {
		err := h.Node.Store().Rows(l.Log, 0, l.Size, func(r *journal.Row) error {
			if r.Content != nil {
				out[parley.Ref{Party: l.Log.Party, Lane: l.Log.Lane, Gen: l.Log.Gen, Index: r.Index, Leaf: r.Leaf.Hash()}] = r.Content.Entry
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func verify(t *testing.T, dir, path string) (*journal.Counts, []byte) {
	t.Helper()
	record, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	signed, _, _, err := host.LoadCharter(filepath.Join(dir, "india"))
	if err != nil {
		t.Fatal(err)
	}
	ch := signed.Channel()
	var n *journal.Counts
	if err := journal.VerifyRecord(bytes.NewReader(record), journal.Verify{Channel: &ch}, func(f journal.Finding) {
		if f.Counts != nil {
			n = f.Counts
		}
	}); err != nil {
		t.Fatal(err)
	}
	return n, record
}

// TestOnceLeavesAVerifiedRecord checks the numbers against the scenario, the
// record and the disks.
func TestOnceLeavesAVerifiedRecord(t *testing.T) {
	dir, sum, out := once(t)
	s, err := Parse(Crisis)
	if err != nil {
		t.Fatal(err)
	}
	said, lines := 0, map[uint8]bool{}
	for _, st := range s.Steps {
		if st.Do != Wait {
			said++
		}
		if st.Do == Propose {
			lines[st.line.Number] = true
		}
	}
	// Each member also opens five lanes and publishes one key.
	want := len(s.Members)*(parley.Lanes+1) + said
	if sum.Entries != want || sum.Receipts != want*(len(s.Members)-1) {
		t.Errorf("%d entries and %d receipts, want %d and %d", sum.Entries, sum.Receipts, want, want*(len(s.Members)-1))
	}
	if sum.Parties != len(s.Members) || sum.Lines != len(lines) || sum.Forks != 0 || sum.Overdue == 0 {
		t.Errorf("%+v", sum)
	}
	// One head for each step, and one for the beginning of each lane.
	if want := len(s.Members)*parley.Lanes + said; sum.WitnessedHeads != want {
		t.Errorf("%d witnessed heads, want %d", sum.WitnessedHeads, want)
	}
	n, record := verify(t, dir, sum.Record)
	if int(n.Entries) != sum.Entries || n.Witnessed != n.Entries || int(n.WitnessCosigs) < sum.WitnessedHeads || n.Malformed != 0 || int(n.Forks) != sum.Forks || n.LogsAbsent+n.LogsShorter != 0 {
		t.Errorf("the record says %s, the summary %+v", n, sum)
	}
	if n.Seals < uint64(len(s.Members)*parley.Lanes) {
		t.Errorf("%d seals in the record; every log needs one", n.Seals)
	}
	checkTexts(t, dir, record, s)
	readme, err := os.ReadFile(filepath.Join(dir, "README.txt"))
	if err != nil || !strings.Contains(string(readme), Passphrase) || !strings.Contains(string(readme), "EXERCISE") {
		t.Errorf("README.txt: %v %s", err, readme)
	}
	if _, err := host.OpenRoot(filepath.Join(dir, "pakistan", "root.key"), Passphrase); err != nil {
		t.Error(err)
	}
	if !strings.Contains(out, sum.Record) || !strings.Contains(out, "EXERCISE") {
		t.Errorf("the summary does not name the record or its type:\n%s", out)
	}
	var m map[string]any
	b, _ := json.Marshal(sum)
	json.Unmarshal(b, &m)
	for _, k := range []string{"parties", "lines", "entries", "receipts", "witnessed_heads", "overdue", "forks", "record"} {
		if _, ok := m[k]; !ok {
			t.Errorf("no %q in %s", k, b)
		}
	}
}

// checkTexts checks that nothing anybody wrote can be taken for a real message.
func checkTexts(t *testing.T, dir string, record []byte, s *Scenario) {
	texts, inRecord := 0, 0
	for _, m := range s.Members {
		for ref, b := range entries(t, reopen(t, filepath.Join(dir, slug(m.Name)))) {
			e, err := parley.ParseEntry(b)
			if err != nil {
				t.Fatal(err)
			}
			if !hotline.Owns(e.Kind) || e.Kind == hotline.KindLine {
				continue
			}
			body, err := hotline.Parse(e.Kind, e.Body)
			if err != nil {
				t.Fatal(err)
			}
			typ, text := hotline.Exercise, ""
			switch b := body.(type) {
			case *hotline.Text:
				typ, text = b.Type, b.Text
				texts++
				if bytes.Contains(record, e.Body) {
					inRecord++
				}
			case *hotline.Attempt:
				typ, text = b.Type, b.Note
			case *hotline.Query:
				typ, text = b.Type, b.Text
			case *hotline.Answer:
				if text = b.Text; text == "" {
					continue
				}
			}
			if typ != hotline.Exercise && typ != hotline.Test {
				t.Errorf("%s at %s is of type %s", ref, m.Name, typ)
			}
			named := false
			for _, x := range s.Sources {
				named = named || strings.Contains(text, x.Key+", "+x.Text)
			}
			if !strings.Contains(text, "EXERCISE") || !named {
				t.Errorf("%s at %s does not say EXERCISE and its source: %q", ref, m.Name, text)
			}
		}
	}
	if texts == 0 || inRecord == 0 {
		t.Errorf("%d texts, %d of them readable in the record", texts, inRecord)
	}
}

// TestUnansweredIsNotDeclined looks at the call of 10 May on both sides' disks.
func TestUnansweredIsNotDeclined(t *testing.T) {
	dir, _, _ := once(t)
	for _, name := range []string{"india", "pakistan"} {
		h := reopen(t, filepath.Join(dir, name))
		d := hotline.New(h.Charter(), h.Me())
		for ref, b := range entries(t, h) {
			e, err := parley.ParseEntry(b)
			if err != nil {
				t.Fatal(err)
			}
			d.Apply(parley.Posted{Ref: ref, Entry: e})
		}
		var first *hotline.Call
		for _, c := range d.Calls(hotline.Filter{}) {
			if c.Attempt.Outcome != hotline.Connected {
				first = c
			}
		}
		if first == nil || first.Attempt.Outcome != hotline.NoAnswer || at(first.Attempt.At).Format("2006-01-02 15:04") != "2025-05-10 03:45" {
			t.Fatalf("%s: the call is recorded as %+v", name, first)
		}
		if first.Waited.Hours() != 4 {
			t.Errorf("%s: talked after %s", name, first.Waited)
		}
		for _, r := range first.Responses {
			if r.Code == hotline.Declined {
				t.Errorf("%s: the call is declined", name)
			}
		}
	}
}

func TestTwoPerformancesCountTheSame(t *testing.T) {
	_, a, _ := once(t)
	_, b, _ := once(t)
	a.Record, b.Record = "", ""
	if *a != *b {
		t.Errorf("%+v\n%+v", a, b)
	}
}

// TestNarrowAndPlain watches the whole performance on a narrow screen without
// colour: nothing is wider than it, and nothing but text is written.
func TestNarrowAndPlain(t *testing.T) {
	for _, width := range []int{40, 80} {
		var out strings.Builder
		if _, err := Run(context.Background(), Options{Out: &out, Width: width, Speed: 1e9}); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		for i, line := range strings.Split(text, "\n") {
			if utf8.RuneCountInString(line) > width {
				t.Errorf("line %d is wider than %d: %q", i+1, width, line)
			}
		}
		if i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\n' }); i >= 0 {
			t.Errorf("a control character at %d", i)
		}
		flat := strings.Join(strings.Fields(text), " ")
		for _, want := range []string{"NO ANSWER", "neither answered nor declined", "after 4 h 00 min", "LATE by 1 min", "was not answered and not declined", "India, from S3", "Pakistan, from S2"} {
			if !strings.Contains(flat, want) {
				t.Errorf("width %d does not show %q", width, want)
			}
		}
		if strings.Contains(flat, "DECLINED") {
			t.Errorf("width %d shows something as declined", width)
		}
	}
}

func TestColourOnlyRepeats(t *testing.T) {
	s := newScreen(nil, 80, true, []string{"India", "Saudi", "Saudi Arabia"})
	for _, text := range []string{"India → Saudi Arabia, Saudi", "neither"} {
		painted := s.colour(s.tie(text))
		bare := strings.NewReplacer(append([]string{plain, ""}, pairs(palette)...)...).Replace(painted)
		if bare != text {
			t.Errorf("%q becomes %q", text, bare)
		}
		if text != "neither" && strings.Count(painted, plain) != 3 {
			t.Errorf("%q: three names, painted as %q", text, painted)
		}
	}
}

func pairs(ss []string) (out []string) {
	for _, s := range ss {
		out = append(out, s, "")
	}
	return out
}

func TestRefusesADirectoryInUse(t *testing.T) {
	base := t.TempDir()
	full := filepath.Join(base, "full")
	if err := os.MkdirAll(full, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(full, "mine"), []byte("keep"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{full, filepath.Join(full, "mine"), filepath.Join(base, "not", "there")} {
		if _, err := Run(context.Background(), Options{Dir: dir, Once: true}); parley.CodeOf(err) != CodeDir {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if b, _ := os.ReadFile(filepath.Join(full, "mine")); string(b) != "keep" {
		t.Error("a file was changed")
	}
	if files, _ := os.ReadDir(full); len(files) != 1 {
		t.Error("something was written into a directory in use")
	}
}

// TestMistakesNameTheirLine checks mistakes that only the desks can see.
func TestMistakesNameTheirLine(t *testing.T) {
	head := "title Exercise: two\ntype exercise\npreface EXERCISE. Source: {source}.\nparty Avaria\nparty Borduria\nwitness Moon\nsource E invented\n\n"
	for _, c := range []struct{ steps, line string }{
		{"at 2025-05-07T03:00Z\nfrom Avaria\nsource E\nline 7\nmessage\n| on a line that is not in force\n", "line 9"},
		{"at 2025-05-07T03:00Z\nfrom Avaria\nsource E\nmessage\n| one\n\nat 2025-05-07T03:01Z\nfrom Nobody\n", "line 16"},
	} {
		dir := filepath.Join(t.TempDir(), "d")
		_, err := Run(context.Background(), Options{Dir: dir, Once: true, Script: []byte(head + c.steps)})
		if parley.CodeOf(err) != CodeScenario || !strings.Contains(err.Error(), c.line) {
			t.Errorf("want a mistake in %s, got %v", c.line, err)
		}
	}
}

// TestStoppedByTheWatcher ends a performance in its second step: what was
// played is exported and whole.
func TestStoppedByTheWatcher(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	w := writer(func(b []byte) {
		if strings.Contains(string(b), "2 of 44") {
			cancel()
		}
	})
	sum, err := Run(ctx, Options{Dir: dir, Out: w, Speed: 1e9})
	if err != nil || sum.Entries < 19 || sum.Entries > 20 {
		t.Fatalf("%+v, %v", sum, err)
	}
	if n, _ := verify(t, dir, sum.Record); int(n.Entries) != sum.Entries {
		t.Errorf("the record holds %s", n)
	}
	ctx, cancel = context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, Options{Once: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("once, cancelled: %v", err)
	}
}

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) { w(b); return len(b), nil }

// TestLongPauses jumps over months: audience keys and the keys that receive
// them are renewed on the way, and everything still arrives.
func TestLongPauses(t *testing.T) {
	script := "title Exercise: a long year\ntype exercise\npreface EXERCISE. Source: {source}.\nparty Avaria\nparty Borduria\nobserver Syldavia\nsource E invented\n"
	for _, when := range []string{"2025-01-01", "2025-01-09", "2025-03-20", "2025-09-01", "2026-02-01"} {
		script += "\nat " + when + "T03:00Z\nfrom Avaria\nto Borduria\nsource E\nmessage\n| text\n\nat " + when + "T03:05Z\nfrom Borduria\nto Avaria\nsource E\nflash\nmessage\n| text\n"
	}
	dir := filepath.Join(t.TempDir(), "d")
	sum, err := Run(context.Background(), Options{Dir: dir, Once: true, Script: []byte(script)})
	if err != nil {
		t.Fatal(err)
	}
	if sum.WitnessedHeads != 0 {
		t.Errorf("%d witnessed heads without a witness", sum.WitnessedHeads)
	}
	h := reopen(t, filepath.Join(dir, "borduria"))
	n := 0
	for _, b := range entries(t, h) {
		if e, err := parley.ParseEntry(b); err == nil && e.Kind == hotline.KindText {
			n++
		}
	}
	if n != 10 {
		t.Errorf("Borduria reads %d of 10 messages", n)
	}
}
