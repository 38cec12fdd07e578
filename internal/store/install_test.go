package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"parley/journal"
)

// A repair that is cut off between any two of its steps leaves the old record
// or the repaired one, and whoever opens it next has the repaired one whole
// from the second step on.
func TestInstallCutOff(t *testing.T) {
	for name, c := range map[string]struct {
		repaired bool
		cut      func(t *testing.T, path string)
	}{
		"while it is built": {false, func(t *testing.T, path string) {
			must(t, os.WriteFile(path+suffixBuilding, []byte("half of it"), 0o600))
		}},
		"built": {false, func(t *testing.T, path string) { rebuilt(t, path) }},
		"under its waiting name": {true, func(t *testing.T, path string) {
			must(t, os.Rename(rebuilt(t, path), path+suffixRepaired))
		}},
		"the old log aside": {true, func(t *testing.T, path string) {
			must(t, os.Rename(rebuilt(t, path), path+suffixRepaired))
			must(t, os.WriteFile(path+suffixAside+"-wal", nil, 0o600))
		}},
		"the old record aside": {true, func(t *testing.T, path string) {
			must(t, os.Rename(rebuilt(t, path), path+suffixRepaired))
			must(t, os.Rename(path, path+suffixAside))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			path := signed(t, 5)
			c.cut(t, path)
			if c.repaired {
				_, err := Open(path, Options{DataKey: testKey, ReadOnly: true})
				wantCode(t, err, CodeRepair)
			}
			s := openAt(t, path)
			n := 0
			if err := s.Values("repaired", func(string, []byte) error { n++; return nil }); err != nil {
				t.Fatal(err)
			}
			if (n == 1) != c.repaired {
				t.Errorf("the record is the repaired one: %v, want %v", n == 1, c.repaired)
			}
			if err := soundness(s); err != nil {
				t.Error(err)
			}
			s.Close()
			if _, err := os.Lstat(path + suffixRepaired); !errors.Is(err, os.ErrNotExist) {
				t.Error("the last step was not taken")
			}
			if at, err := RepairPath(path); err != nil {
				t.Error(err)
			} else if _, err := os.Lstat(at); !errors.Is(err, os.ErrNotExist) {
				t.Error("what was half built is still there")
			}
		})
	}
}

func soundness(s *SQLite) (finding error) {
	err := Check(s, both, func(uint64, uint64) {}, func(f Finding) { finding = errors.New(f.String()) })
	return errors.Join(err, finding)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// rebuilt makes a copy of the record as a repair does, with a mark in it.
func rebuilt(t *testing.T, path string) string {
	t.Helper()
	at, err := RepairPath(path)
	must(t, err)
	b, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(at, b, 0o600))
	s := openAt(t, at)
	commit(t, s, journal.Batch{Puts: []journal.Put{{Space: "repaired", Key: "yes", Value: []byte{1}}}})
	must(t, s.Close())
	os.Remove(filepath.Join(filepath.Dir(at), filepath.Base(at)+".lock"))
	return at
}
