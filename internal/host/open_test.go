package host

import (
	"path/filepath"
	"testing"

	"parley"
	"parley/internal/store"
	"parley/journal"
)

// A record never changes its channel: another charter over it is refused, and
// nothing of it is shown under the other's name.
func TestRecordOfAnotherChannelIsRefused(t *testing.T) {
	t.Parallel()
	dirs, _ := channel(t, "Avaria", "Borduria")
	keys, err := LoadKeys(dirs[0])
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(filepath.Join(dirs[0], fileRecord), store.Options{DataKey: keys.Data})
	if err != nil {
		t.Fatal(err)
	}
	var tree journal.Tree
	row := journal.Row{Log: parley.LogID{Channel: parley.Hash{1}, Party: 1, Gen: parley.Gen{1}}}
	row.Hashes = tree.Append(row.Leaf.Hash())
	if err := s.Commit(&journal.Batch{Rows: []journal.Row{row}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if h, err := Open(dirs[0], Options{}); parley.CodeOf(err) != CodeChannel {
		t.Errorf("a record of another channel: %v", err)
		h.Close()
	}
}
