package store

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// kept is what Salvage got out of a file, in the words of dump.
func kept(path string, exact bool) (string, *Salvage, error) {
	s, err := openSalvage(path, testKey, exact)
	if err != nil {
		return "", nil, err
	}
	defer s.Close()
	var b strings.Builder
	for _, l := range s.Logs {
		fmt.Fprintln(&b, l.ID.Origin(), l.Size, l.Head)
		fmt.Fprintln(&b, l.Cosigs)
		for i := range l.Rows {
			r, _ := l.Row(i)
			if r == nil {
				continue
			}
			content := r.Content
			r.Content = nil
			fmt.Fprintln(&b, *r, content)
		}
	}
	for _, space := range []string{"keys", "state"} {
		for _, v := range s.Values {
			if v.Space == space {
				fmt.Fprintf(&b, "%q %q\n", v.Key, v.Value)
			}
		}
	}
	return b.String(), s, nil
}

// Of a sound record everything is kept, whether its newest commits lie in the
// database or still in the write-ahead log.
func TestSalvageOfSoundRecord(t *testing.T) {
	path := signed(t, 300)
	sound, err := dump(path)
	if err != nil {
		t.Fatal(err)
	}
	got, s, err := kept(path, true)
	if err != nil || got != sound || len(s.Lost) > 0 || !s.Key {
		t.Errorf("of a sound record something is lost: %v, %q", err, s.Lost)
	}
	for _, l := range s.Logs {
		if !l.Whole || l.Rows != 300 {
			t.Errorf("log %s: %d rows, whole %v", l.ID, l.Rows, l.Whole)
		}
	}
}

// Whichever byte of the pages is lost, what lies elsewhere is kept: a page of
// zeros takes at most its own rows away.
func TestSalvageOfLostPages(t *testing.T) {
	path := signed(t, 120)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, all, err := kept(path, true)
	if err != nil {
		t.Fatal(err)
	}
	for page := range len(whole) / pageSize {
		b := slices.Clone(whole)
		clear(b[page*pageSize:][:pageSize])
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, s, err := kept(path, true)
		if err != nil {
			t.Fatal(err)
		}
		lost := len(all.Values) - len(s.Values)
		for i, l := range all.Logs {
			if len(s.Logs) != len(all.Logs) {
				t.Fatalf("without page %d a log has no name", page+1)
			}
			lost += len(l.cells) - len(s.Logs[i].cells)
		}
		if lost > 40 {
			t.Errorf("without page %d, %d rows are lost", page+1, lost)
		}
	}
}
