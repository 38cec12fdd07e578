package store

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"parley"
	"parley/internal/store/storetest"
	"parley/journal"
)

var testKey = [32]byte{1, 2, 3}

func openAt(t *testing.T, path string) *SQLite {
	t.Helper()
	s, err := Open(path, Options{DataKey: testKey})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func openNew(t *testing.T) *SQLite {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "record.db"))
}

func commit(t testing.TB, s *SQLite, b journal.Batch) {
	t.Helper()
	if err := s.Commit(&b); err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, err error, code parley.Code) {
	t.Helper()
	if parley.CodeOf(err) != code {
		t.Fatalf("error %v, want code %s", err, code)
	}
}

func TestStore(t *testing.T) {
	open := func(t *testing.T) journal.Store { return openNew(t) }
	storetest.Run(t, open, func(t *testing.T, s journal.Store) journal.Store {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return openAt(t, s.(*SQLite).path)
	})
}

// A directory whose name has a special meaning in a URI is a directory.
func TestOddPath(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a?mode=memory&x #%41é")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "record.db")
	openAt(t, path)
	info, err := os.Stat(path)
	if err != nil || info.Size() == 0 {
		t.Fatalf("the record is not at its path: %v", err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the record has mode %v", info.Mode())
	}
}

// Close leaves one file (and the lock): all is in the database, so that a
// copy of it is whole.
func TestCloseLeavesOneFile(t *testing.T) {
	s := openNew(t)
	l := storetest.NewLog(1)
	commit(t, s, journal.Batch{Rows: []journal.Row{l.Next("0")}})
	if _, err := s.Row(l.ID, 0); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(s.path + "*")
	if want := []string{s.path, s.path + ".lock"}; err != nil || !slices.Equal(files, want) {
		t.Errorf("files %q (%v), want %q", files, err, want)
	}
}
