package officer

import (
	"bytes"
	"maps"
	"slices"
	"testing"
	"time"

	"parley"
	"parley/internal/mutate"
)

// Whatever stands in the database as an entry is refused or folded, never a
// panic; and what is accepted is written in the one form.
func FuzzEntry(f *testing.F) {
	var in [][]byte
	for _, act := range slices.Sorted(maps.Keys(events)) {
		e := entry{Time: time.UnixMilli(1).UTC(), Act: act, Data: encode(events[act]())}
		in = append(in, encode(&e))
	}
	mutate.FuzzIn(f, in, 1, func(t testing.TB, data []byte) bool {
		s := newState()
		open := entry{Time: time.UnixMilli(1).UTC(), Act: ActOpened, Data: encode(&opened{Party: 1, RPID: "localhost"})}
		if err := s.take(encode(&open)); err != nil {
			t.Fatal(err)
		}
		for _, id := range []ID{1, 2} {
			who := entry{Time: time.UnixMilli(1).UTC(), Act: ActOfficer, Data: encode(&identity{name: ActOfficer, Officer: id, Handle: []byte{1}})}
			if err := s.take(encode(&who)); err != nil {
				t.Fatal(err)
			}
		}
		if s.take(data) != nil {
			return false
		}
		var e entry
		if err := decode(data, &e); err != nil || !bytes.Equal(encode(&e), data) {
			t.Errorf("accepted, and written otherwise: %v", err)
		}
		if _, err := recordOf(0, data); err != nil {
			t.Errorf("folded, and not shown: %v", err)
		}
		return true
	})
}

func FuzzRole(f *testing.F) {
	f.Add("drafter")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRole(s)
		if (err == nil) != (r.String() == s && r != 0) {
			t.Errorf("%q is %s, %v", s, r, err)
		}
		if err != nil && parley.CodeOf(err) != CodeOfficer {
			t.Error(err)
		}
	})
}
