package store

import (
	"maps"
	"testing"

	"parley/journal"
)

// A copy of the values holds none that was stored as a secret, in a space of
// its own or among others.
func TestPublicLeavesSecretsOut(t *testing.T) {
	s := openNew(t)
	commit(t, s, journal.Batch{Puts: []journal.Put{
		{Space: "self", Key: "gen", Value: []byte("g")},
		{Space: "self", Key: "hidden", Value: []byte("h"), Secret: true},
		{Space: "own-key", Key: "k", Value: []byte("key"), Secret: true},
		{Space: "fork", Key: "f", Value: []byte("proof")},
	}})
	got := map[string]string{}
	if err := s.Public(func(space, key string, v []byte) error { got[space+"/"+key] = string(v); return nil }); err != nil {
		t.Fatal(err)
	}
	if want := map[string]string{"self/gen": "g", "fork/f": "proof"}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
