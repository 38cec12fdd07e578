package control

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"parley/internal/host"
)

// Renew carries the root's answer to a request for node keys.
type Renew struct {
	Answer []byte `json:"answer"`
}

// NewKeys carries a file of new keys of other members.
type NewKeys struct {
	Statements []byte `json:"statements"`
}

// Accepted names the members whose new keys were taken.
type Accepted struct {
	Names []string `json:"names"`
}

// renew puts new node keys in force. The node starts again with them once the
// answer is on its way.
func (s *Server) renew(w http.ResponseWriter, r *http.Request) {
	var in Renew
	if err := decode(r, &in); err != nil {
		refuse(w, err)
		return
	}
	a, err := host.ParseKeyAnswer(in.Answer)
	if err != nil {
		refuse(w, err)
		return
	}
	// Who asked may go away; what was begun is not left halfway.
	done, err := s.h.Renew(context.WithoutCancel(r.Context()), a)
	if done != nil {
		defer s.h.Restart()
	}
	var b []byte
	if err == nil {
		b, err = json.Marshal(done)
	}
	if err != nil {
		refuse(w, err)
		http.NewResponseController(w).Flush()
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.Write(b)
	http.NewResponseController(w).Flush()
}

func (s *Server) acceptKeys(r *http.Request) (any, error) {
	var in NewKeys
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	names, err := s.h.AcceptKeys(r.Context(), in.Statements)
	return Accepted{names}, err
}
