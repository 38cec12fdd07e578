package control

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"parley"
	"parley/internal/mutate"
)

// FuzzDecode: what stands in a request is read as the request that it is, or
// refused with a code; what was read is read again from what it is written as.
func FuzzDecode(f *testing.F) {
	var in [][]byte
	for _, v := range []any{Post{Lane: parley.Flash, Kind: 1, To: 12, Body: []byte{1, 2}}, Answer{Ref: "2/FLASH/17", Code: "roger", Text: "a"},
		Close{Charter: []byte{1}}, NewKeys{Statements: []byte{1}}} {
		b, err := json.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		in = append(in, b)
	}
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) (some bool) {
		for _, v := range []any{&Post{}, &Answer{}, &Close{}, &NewKeys{}} {
			r, err := http.NewRequest("POST", "/", bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			if err := decode(r, v); err != nil {
				if parley.CodeOf(err).Remedy() == "" {
					t.Errorf("%v has no code or no remedy\ninput: %q", err, b)
				}
				continue
			}
			some = true
			again, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			r, _ = http.NewRequest("POST", "/", bytes.NewReader(again))
			if err := decode(r, v); err != nil {
				t.Errorf("%q was read, and not what it is written as: %v", b, err)
			}
			if once, err := json.Marshal(v); err != nil || !bytes.Equal(once, again) {
				t.Errorf("%q is read as %s and then as %s", b, again, once)
			}
		}
		return some
	})
}
