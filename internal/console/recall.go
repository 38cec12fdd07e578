package console

import (
	"context"
	"sort"
	"time"

	"parley"
	"parley/journal"
)

// recallEntries bounds how many of the newest entries of a log a start looks
// at for the history of the last day.
const recallEntries = 5000

// recall takes from the record what it proves of the last day: entries, and of
// each state of a log the first and the newest receipt. The heartbeats between
// them were replaced by newer ones; that stretch stays unknown, and is no
// silence.
func (s *Server) recall(ctx context.Context) error {
	store, c, now := s.cfg.Host.Node.Store(), s.cfg.Host.Charter(), s.cfg.Now()
	logs, err := store.Logs()
	if err != nil {
		return err
	}
	since := now.Add(-daySpan * time.Minute)
	for _, l := range logs {
		if ctx.Err() != nil {
			return nil
		}
		from, err := storedSince(store, l, since)
		if err != nil {
			return err
		}
		err = store.Rows(l.Log, from, l.Size, func(r *journal.Row) error {
			if r.Content == nil || r.Standing == parley.Malformed {
				return ctx.Err()
			}
			if e, err := parley.ParseEntry(r.Content.Entry); err == nil {
				s.pulse.heard(l.Log.Party, time.UnixMilli(int64(r.Stored)), e.Time)
			}
			return ctx.Err()
		})
		if err != nil {
			return err
		}
		cosigs, err := store.Cosigs(l.Log, from)
		if err != nil {
			return err
		}
		for _, m := range c.Members {
			name := journal.ReceiptName(l.Log.Channel, m.Index)
			for _, x := range cosigs {
				if x.Name == name && !x.PQ && int64(x.Time) >= since.Unix() {
					s.pulse.heard(m.Index, now, x.Time)
				}
			}
		}
	}
	return nil
}

// storedSince is the index of the first entry of a log that this node stored
// after a time, as far as recall looks back. Entries come to it in their order,
// with few exceptions, which at worst are not found.
func storedSince(store journal.Store, l journal.LogState, since time.Time) (uint64, error) {
	from := l.Size - min(l.Size, recallEntries)
	var failed error
	n := sort.Search(int(l.Size-from), func(i int) bool {
		r, err := store.Row(l.Log, from+uint64(i))
		if err != nil {
			failed = err
			return true
		}
		return int64(r.Stored) >= since.UnixMilli()
	})
	return from + uint64(n), failed
}
