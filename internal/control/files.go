package control

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"

	"parley"
	"parley/internal/node"
)

// sink tells whether anything was written: until then an error can still be
// answered as one.
type sink struct {
	w     http.ResponseWriter
	wrote bool
}

func (s *sink) Write(b []byte) (int, error) {
	if !s.wrote {
		s.w.Header().Set("Content-Type", "application/octet-stream")
		s.wrote = true
	}
	return s.w.Write(b)
}

// file answers with what f writes. An error after the first byte breaks the
// connection off, so that the client never takes a part for the whole.
func file(w http.ResponseWriter, f func(io.Writer) error) {
	out := &sink{w: w}
	if err := f(out); err != nil {
		if !out.wrote {
			refuse(w, err)
			return
		}
		panic(http.ErrAbortHandler)
	}
}

func (s *Server) export(w http.ResponseWriter, r *http.Request) {
	file(w, func(out io.Writer) error { return s.h.Export(r.Context(), out) })
}

func (s *Server) disclose(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var ref parley.Ref
	var ferr error
	if err := s.h.Node.Do(r.Context(), func(v node.View) { ref, ferr = s.find(v, q.Get("ref")) }); err != nil {
		refuse(w, err)
		return
	}
	if ferr != nil {
		refuse(w, ferr)
		return
	}
	var members []parley.Party
	for _, name := range q["receipts"] { // a name that is not known must not mean all of them
		i := slices.IndexFunc(s.h.Charter().Members, func(m parley.Member) bool { return strings.EqualFold(m.Name, name) })
		if i < 0 {
			refuse(w, parley.Errorf(parley.CodeAudience, "the charter has no member %q", name))
			return
		}
		members = append(members, s.h.Charter().Members[i].Index)
	}
	var b bytes.Buffer
	if err := s.h.Disclose(r.Context(), &b, ref, members); err != nil {
		refuse(w, err)
		return
	}
	file(w, func(out io.Writer) error { _, err := out.Write(b.Bytes()); return err })
}

func (s *Server) fork(w http.ResponseWriter, r *http.Request) {
	id, err := parley.ParseOrigin(r.URL.Query().Get("log"))
	if err != nil {
		refuse(w, err)
		return
	}
	file(w, func(out io.Writer) error { return s.h.WriteFork(out, id) })
}
