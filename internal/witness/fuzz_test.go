package witness

import (
	"bytes"
	"testing"

	"parley"
)

// Two different bodies never mean the same request.
func FuzzMalleability(f *testing.F) {
	l := newLog("log.example").grow(3)
	f.Add((&request{0, nil, l.note()}).append(nil))
	f.Add((&request{7, make([]parley.Hash, 3), l.note()}).append(nil))
	f.Add([]byte("old 1\n\nx"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseRequest(b)
		if err != nil {
			if parley.CodeOf(err).Remedy() == "" {
				t.Errorf("%v has no remedy", err)
			}
			return
		}
		if got := r.append(nil); !bytes.Equal(got, b) {
			t.Errorf("%q is read and written as %q", b, got)
		}
		parseHead(r.Note)
	})
}

// No body makes the server panic or cosign without a signature of the log.
func FuzzAdd(f *testing.F) {
	l := newLog("log.example").grow(3)
	good := (&request{0, nil, l.note()}).append(nil)
	s := open(f, Config{Logs: []LogKey{l.logKey()}})
	f.Add(good)
	f.Add(bytes.Replace(good, []byte("old 0"), []byte("old 3"), 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, no := s.add(b); no == nil && !bytes.Contains(b, l.note()[:60]) {
			t.Errorf("cosigned: %q", b)
		}
	})
}
