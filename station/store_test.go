package station

import (
	"testing"

	"parley/journal"
	"parley/journal/journaltest"
)

func emptyStore() journal.Store { return &journaltest.Mem{} }

// copyStore is a backup: what a store held at this moment.
func copyStore(t *testing.T, s journal.Store) journal.Store {
	t.Helper()
	c := emptyStore()
	logs, err := s.Logs()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range logs {
		b := &journal.Batch{}
		if err := s.Rows(l.Log, 0, l.Size, func(r *journal.Row) error { b.Rows = append(b.Rows, *r); return nil }); err != nil {
			t.Fatal(err)
		}
		if l.Head != nil {
			b.Heads = append(b.Heads, *l.Head)
		}
		b.Cosigs, _ = s.Cosigs(l.Log, 0)
		if err := c.Commit(b); err != nil {
			t.Fatal(err)
		}
	}
	for _, space := range []string{"self", "own-key", "peer-key", "kem", "peer-kem", "fork"} {
		b := &journal.Batch{}
		s.Values(space, func(k string, v []byte) error {
			b.Puts = append(b.Puts, journal.Put{Space: space, Key: k, Value: v})
			return nil
		})
		if err := c.Commit(b); err != nil {
			t.Fatal(err)
		}
	}
	return c
}
