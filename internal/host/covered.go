package host

import (
	"fmt"

	"parley"
	"parley/internal/store"
)

// uncovered lists the logs of other members that hold entries which no head of
// their author covers. A node stores what a member wrote together with the
// member's signature over it, so somebody else has put them there. Own entries
// may stand unsigned: they are signed once they are durable.
func uncovered(s *store.SQLite, me parley.Party, add func(string)) error {
	logs, err := s.Logs()
	if err != nil {
		return err
	}
	for _, l := range logs {
		var signed uint64
		if l.Head != nil {
			signed = l.Head.Size
		}
		if l.Log.Party != me && l.Size > signed {
			add(fmt.Sprintf("log %s: its author signed %d entries, and the record holds %d", l.Log, signed, l.Size))
		}
	}
	return nil
}
