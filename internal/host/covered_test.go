package host

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"parley"
	"parley/internal/store"
	"parley/journal"
)

// Whoever has the data key can add rows to a record. Where they stand in
// another member's log, fsck finds that their author never signed them.
func TestFsckFindsWordsPutIntoAMembersMouth(t *testing.T) {
	t.Parallel()
	dirs, c := channel(t, "Avaria", "Borduria")
	b, stopB := start(t, dirs[1], Options{})
	a, stopA := start(t, dirs[0], Options{Peers: peerAt(b)})
	ref := say(t, b, parley.Flash, "the truth")
	arrives(t, a, ref)
	stopA()
	stopB()
	fsck := func() []string {
		t.Helper()
		findings, err := (&Fsck{Dir: dirs[0]}).Check(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return findings
	}
	if f := fsck(); len(f) > 0 {
		t.Fatalf("before: %q", f)
	}
	keys, err := LoadKeys(dirs[0])
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(filepath.Join(dirs[0], fileRecord), store.Options{DataKey: keys.Data})
	if err != nil {
		t.Fatal(err)
	}
	id := ref.Log(c.Channel())
	row, err := s.Row(id, ref.Index)
	if err != nil {
		t.Fatal(err)
	}
	n := ref.Index + 1
	tree, err := journal.LoadTree(n, s.Hashes(id))
	if err != nil {
		t.Fatal(err)
	}
	forged := journal.Row{Log: id, Index: n, Content: &journal.Content{Entry: bytes.ReplaceAll(row.Content.Entry, []byte("truth"), []byte("false"))}}
	forged.Leaf.Commit = journal.Commit(id.Origin(), n, forged.Content.Salt, forged.Content.Entry)
	forged.Hashes = tree.Append(forged.Leaf.Hash())
	if err := s.Commit(&journal.Batch{Rows: []journal.Row{forged}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if f := fsck(); len(f) != 1 || !strings.Contains(f[0], "its author signed") {
		t.Errorf("after: %q", f)
	}
}
