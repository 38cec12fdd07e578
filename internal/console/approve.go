package console

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"

	"parley"
	"parley/internal/node"
	"parley/internal/officer"
)

// The approvals of a draft. A page holds a form with data-passkey="PREFIX"; the
// script sends its fields as JSON to PREFIX/begin, asks the authenticator with
// the options that come back, and sends {"ceremony", "answer"} to
// PREFIX/finish, which answers {"location"}. In a demonstration no
// authenticator is asked, and the form works by itself without script.

// begun asks the script to ask the authenticator.
type begun struct {
	Ceremony string          `json:"ceremony"`
	Options  json.RawMessage `json:"options,omitempty"`
	Demo     bool            `json:"demo,omitempty"`
}

// finishing is what the script sends back.
type finishing struct {
	Ceremony string          `json:"ceremony"`
	Answer   json.RawMessage `json:"answer"`
}

// done tells the script where to go.
type done struct {
	Location string `json:"location"`
}

func readJSON(q *request, v any) error {
	d := json.NewDecoder(q.Body)
	if err := d.Decode(v); err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			return err
		}
		return parley.Errorf(CodeForm, "the request cannot be read")
	}
	return nil
}

func writeJSON(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(v)
}

func parseHash(s string) (h parley.Hash, err error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(h) {
		return h, parley.Errorf(CodeForm, "%q is no digest", clean(s))
	}
	return parley.Hash(b), nil
}

// approval is one of the two steps: submit by the drafter, release by another.
type approval struct {
	begin  func(*officer.Book, *officer.Session, uint64, parley.Hash) (*officer.Ceremony, error)
	finish func(*Server, *request, string, []byte) (uint64, error)
	done   string
}

var submitting = approval{(*officer.Book).BeginSubmit, (*Server).finishSubmit, "submitted"}
var releasing = approval{(*officer.Book).BeginRelease, (*Server).finishRelease, "released"}

func (s *Server) finishSubmit(q *request, ceremony string, answer []byte) (uint64, error) {
	d, err := s.cfg.Book.FinishSubmit(q.person.Session, ceremony, answer)
	if err != nil {
		return 0, err
	}
	return d.ID, nil
}

// finishRelease posts what two persons, or one where the rule asks for one,
// have let go. It is finished whatever the browser does meanwhile.
func (s *Server) finishRelease(q *request, ceremony string, answer []byte) (uint64, error) {
	r, err := s.cfg.Book.FinishRelease(q.person.Session, ceremony, answer)
	if err != nil {
		return 0, err
	}
	return r.Draft, s.post(context.WithoutCancel(q.Context()), r)
}

// post hands a released draft to the node and tells the book what became of
// it. If the node ends meanwhile, nobody knows; the next start settles it.
func (s *Server) post(ctx context.Context, r *officer.Ready) error {
	n := s.cfg.Host.Node
	var ref parley.Ref
	var err error
	if r.Two {
		var speech parley.Draft
		if derr := n.Do(ctx, func(v node.View) { speech, err = v.Docket.Release.Compose(r.Message, r.Drafted, r.Released) }); derr != nil {
			return derr
		}
		if err == nil {
			var refs []parley.Ref
			if refs, err = n.PostTogether(ctx, speech, r.Message); err == nil {
				ref = refs[1]
			}
		}
	} else {
		ref, err = n.Post(ctx, r.Message)
	}
	switch {
	case err == nil:
		return s.cfg.Book.Posted(r.Draft, ref)
	case parley.CodeOf(err) == "" || parley.CodeOf(err) == node.CodeStopped:
		return err
	}
	return errors.Join(err, s.cfg.Book.NotPosted(r.Draft, err.Error()))
}

// beginApproval answers the script.
func beginApproval(a approval) func(*Server, http.ResponseWriter, *request) error {
	return func(s *Server, w http.ResponseWriter, q *request) error {
		var in struct {
			Digest string `json:"digest"`
		}
		if err := readJSON(q, &in); err != nil {
			return err
		}
		id, digest, err := draftAndDigest(q, in.Digest)
		if err != nil {
			return err
		}
		c, err := a.begin(s.cfg.Book, q.person.Session, id, digest)
		if err != nil {
			return err
		}
		return writeJSON(w, begun{c.ID, c.Options, c.Demo})
	}
}

func finishApproval(a approval) func(*Server, http.ResponseWriter, *request) error {
	return func(s *Server, w http.ResponseWriter, q *request) error {
		var in finishing
		if err := readJSON(q, &in); err != nil {
			return err
		}
		id, err := a.finish(s, q, in.Ceremony, in.Answer)
		if err != nil {
			return err
		}
		s.hub.tell(changedDrafts, changedStrip)
		return writeJSON(w, done{draftAddress(id) + "?done=" + a.done})
	}
}

// plainApproval is the same as a form without script, for demonstrations.
func plainApproval(a approval) func(*Server, http.ResponseWriter, *request) error {
	return func(s *Server, w http.ResponseWriter, q *request) error {
		id, digest, err := draftAndDigest(q, q.PostForm.Get("digest"))
		if err != nil {
			return err
		}
		if !s.cfg.Demo {
			return parley.Errorf(CodeScript, "an approval needs a passkey, and a passkey needs this console's script")
		}
		c, err := a.begin(s.cfg.Book, q.person.Session, id, digest)
		if err != nil {
			return err
		}
		if _, err := a.finish(s, q, c.ID, nil); err != nil {
			return err
		}
		return s.draftDone(w, q, id, a.done)
	}
}

// settle brings the book and the record together at the start: which roster is
// in force, and what became of drafts that were being posted.
func (s *Server) settle(ctx context.Context) error {
	var err error
	if derr := s.cfg.Host.Node.Do(ctx, func(v node.View) { err = s.noteRoster(v) }); derr != nil || err != nil {
		return errors.Join(derr, err)
	}
	return s.cfg.Book.Settle(s.findPosted)
}
