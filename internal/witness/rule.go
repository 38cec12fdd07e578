package witness

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"parley"
	"parley/journal"
)

// refusal is an answer other than 200.
type refusal struct {
	status  int
	text    string
	size    uint64 // of the newest cosigned head
	hasSize bool
}

func refuse(status int, text string) *refusal { return &refusal{status: status, text: text} }

var emptyRoot = parley.Hash(sha256.Sum256(nil))

// add is the one rule of a witness: cosign a head if it extends the newest one
// that was cosigned, and remember it before the cosignature leaves.
func (s *Server) add(body []byte) ([]byte, *refusal) {
	r, err := parseRequest(body)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, err.Error())
	}
	h, text, err := parseHead(r.Note)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, err.Error())
	}
	n, no := s.open(h.Origin, r.Note)
	if no != nil {
		return nil, no
	}
	// SPEC: the old size MUST be equal to or lower than the checkpoint size.
	if r.Old > h.Size {
		return nil, refuse(http.StatusBadRequest, "the old size is greater than the checkpoint's")
	}
	// SPEC (editor's draft): a checkpoint of size zero has the empty tree's root.
	if h.Size == 0 && h.Root != emptyRoot {
		return nil, refuse(http.StatusUnprocessableEntity, "a tree of size 0 has another root")
	}
	l := s.state.log(h.Origin)
	if l == nil {
		return nil, refuse(http.StatusTooManyRequests, "too many logs of this writer")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := s.state.failed(); err != nil {
		return nil, refuse(http.StatusInternalServerError, "the witness cannot write; its operator must restart it")
	}
	if no := s.check(l, h, r); no != nil {
		return nil, no
	}
	lines := s.cosign(h, text)
	if !l.held || l.head != h {
		n.UnverifiedSigs = nil // others' lines are not this witness's to keep
		kept, err := note.Sign(n)
		if err == nil {
			err = s.state.put(l, h, append(kept, lines...))
		}
		if err != nil {
			s.cfg.Log.Error("witness: the head could not be stored; nothing more is cosigned", "origin", h.Origin, "err", err)
			return nil, refuse(http.StatusInternalServerError, "the witness cannot write; its operator must restart it")
		}
		s.cfg.Log.Info("witness: cosigned", "origin", h.Origin, "size", h.Size)
	}
	return lines, nil
}

// open checks that a known key of the log signed the checkpoint.
func (s *Server) open(origin string, msg []byte) (*note.Note, *refusal) {
	keys := s.logKeys(origin)
	// SPEC: if the checkpoint origin is unknown, the witness MUST respond 404.
	if len(keys) == 0 {
		return nil, refuse(http.StatusNotFound, "this log is unknown here")
	}
	var vs []note.Verifier
	seen := map[string]bool{}
	for _, k := range keys {
		if v, err := note.NewVerifier(k.VKey()); err == nil && !seen[k.VKey()] {
			seen[k.VKey()] = true
			vs = append(vs, v)
		}
	}
	n, err := note.Open(msg, note.VerifierList(vs...))
	var unsigned *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	switch {
	// SPEC: if no signature verifies under a trusted key, respond 403.
	case errors.As(err, &unsigned), errors.As(err, &invalid):
		return nil, refuse(http.StatusForbidden, "no known key of this log signed the checkpoint")
	case err != nil:
		return nil, refuse(http.StatusBadRequest, "the checkpoint is not a signed note")
	}
	return n, nil
}

// check compares a signed head with the newest cosigned one. The caller holds
// l.mu; a log without a head counts as one of size 0.
func (s *Server) check(l *logState, h head, r *request) *refusal {
	fork := l.held && h.Size == l.Size && h.Root != l.Root
	if fork {
		s.keep("fork", l, r)
	}
	// SPEC: the witness MUST check that the old size matches the size of the
	// latest checkpoint it cosigned, or zero.
	if r.Old != l.Size {
		return &refusal{status: http.StatusConflict, size: l.Size, hasSize: true}
	}
	switch {
	// SPEC: if the old size matches the checkpoint size, the root hashes must
	// be identical. If they don't match, 409.
	case fork:
		return refuse(http.StatusConflict, "another root of size "+strconv.FormatUint(h.Size, 10)+" is cosigned already")
	// SPEC: the proof MUST be empty if the old size is zero.
	case (l.Size == 0 || h.Size == l.Size) && len(r.Proof) > 0:
		return refuse(http.StatusUnprocessableEntity, "no proof belongs here")
	case l.Size == 0 || h.Size == l.Size:
		return nil
	}
	if err := journal.CheckConsistency(r.Proof, l.Size, l.Root, h.Size, h.Root); err != nil {
		s.keep("doubt", l, r)
		return refuse(http.StatusUnprocessableEntity, "the consistency proof does not hold")
	}
	return nil
}

func (s *Server) keep(kind string, l *logState, r *request) {
	name, err := s.state.evidence(kind, l, r)
	if err == nil && kind == "fork" && name != "" {
		var file []byte
		if file, err = s.forkFile(l.Origin, l.note, r.Note); err == nil && file != nil {
			proof := strings.TrimSuffix(name, ".txt") + journal.FileFork.Suffix()
			if err = s.state.write(proof, file); err == nil {
				name = proof
			}
		}
	}
	if err != nil {
		s.cfg.Log.Error("witness: evidence could not be kept", "origin", l.Origin, "err", err)
	}
	if kind == "fork" {
		s.cfg.Log.Error("witness: FORK: a log signed two roots of one size", "origin", l.Origin, "size", l.Size, "evidence", name)
		return
	}
	s.cfg.Log.Warn("witness: a consistency proof does not hold", "origin", l.Origin, "from", l.Size, "evidence", name)
}

// cosign makes the witness's lines for a head at the present time.
func (s *Server) cosign(h head, text []byte) []byte {
	k, now := s.cfg.Key, uint64(s.cfg.Now().Unix())
	c := journal.Cosignature{Time: now, Sig: ed25519.Sign(k.Ed, cosignText(now, text))}
	b := []byte(journal.CosignLine(k.Name, k.Ed.Public().(ed25519.PublicKey), c).String())
	if k.PQ == nil {
		return b
	}
	// An ML-DSA-44 cosignature speaks of origin, size and root only; extension
	// lines are not under it (C2SP tlog-cosignature).
	c, err := journal.Seal(k.PQ, k.Name, now, h.Origin, h.Size, h.Root)
	if err != nil {
		s.cfg.Log.Error("witness: no ML-DSA-44 cosignature", "err", err)
		return b
	}
	return append(b, journal.SealLine(k.Name, k.PQ.PublicKey().Bytes(), c).String()...)
}

// cosignText is what a cosignature/v1 signs: a header with the time, then the
// whole text of the checkpoint, extension lines included.
func cosignText(t uint64, text []byte) []byte {
	b := strconv.AppendUint([]byte("cosignature/v1\ntime "), t, 10)
	return append(append(b, '\n'), text...)
}

func verifyText(k *Key, c journal.Cosignature, text []byte) bool {
	return ed25519.Verify(k.Ed.Public().(ed25519.PublicKey), cosignText(c.Time, text), c.Sig)
}
