package host

import (
	"crypto/ed25519"

	"parley"
	"parley/internal/store"
	"parley/journal"
)

// Verifiers gives store.Check the keys of a channel: the charter's, and those
// that roots announced in the record itself.
func Verifiers(ch *parley.Charter, s *store.SQLite) (store.Verifiers, error) {
	ring := journal.NewKeyring(ch, ch.Channel())
	announced, err := journal.FindRootKeys(s, ch, ch.Channel())
	if err != nil {
		return store.Verifiers{}, err
	}
	for _, a := range announced {
		if err := ring.Announce(a); err != nil {
			return store.Verifiers{}, err
		}
	}
	logs, err := s.Logs()
	if err != nil {
		return store.Verifiers{}, err
	}
	authors := map[parley.LogID]*parley.Keys{}
	for _, l := range logs {
		if l.Head != nil {
			if k, err := ring.VerifyHead(*l.Head); err == nil {
				authors[l.Log] = k
			} else if m := ch.Member(l.Log.Party); m != nil {
				authors[l.Log] = m.Keys
			}
		}
	}
	return store.Verifiers{
		LogKey: func(id parley.LogID) ed25519.PublicKey {
			if k := authors[id]; k != nil {
				return k.LogEd
			}
			return nil
		},
		Cosig: func(c *journal.Cosig, root parley.Hash) (ok, known bool) {
			k := authors[c.Log]
			return k != nil && ring.VerifyCosig(c, root, k) == nil, k != nil
		},
	}, nil
}
