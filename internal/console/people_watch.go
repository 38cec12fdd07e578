package console

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"

	"parley"
	"parley/internal/officer"
)

// WatchPage says who has the watch, and lets it change hands.
type WatchPage struct {
	Page
	Watch    officer.Watch
	Mine     bool
	May      bool
	History  []officer.Watch
	Standing officer.Standing
}

const watchHistory = 30

func (s *Server) watch(w http.ResponseWriter, q *request) error {
	p := WatchPage{Page: s.page(q, "watch", q.loc.T("nav.watch")), Watch: s.cfg.Book.Watch(), May: q.person.Can(officer.TakeWatch),
		History: s.cfg.Book.WatchHistory(watchHistory), Standing: s.cfg.Book.Standing()}
	p.Mine = p.Watch.Officer == q.person.Session.Officer
	return s.render(w, q, http.StatusOK, "watch", &p)
}

func (s *Server) changeWatch(w http.ResponseWriter, q *request) error {
	note := q.PostForm.Get("note")
	var err error
	switch q.PostForm.Get("do") {
	case "take":
		var from officer.ID
		if from, err = officerID(q.PostForm.Get("from")); err == nil {
			err = s.cfg.Book.TakeWatch(q.person.Session, from, note)
		}
	case "offer":
		err = s.cfg.Book.OfferWatch(q.person.Session, note)
	default:
		err = parley.Errorf(CodeForm, "the form says nothing to do")
	}
	if err != nil {
		return err
	}
	s.hub.tell(changedPeople, changedStrip)
	http.Redirect(w, q.Request, "/watch?done=watch", http.StatusSeeOther)
	return nil
}

// AuditPage lists the journal of the book, newest first, or one entry with its
// proof.
type AuditPage struct {
	Page
	Records []officer.Record
	Size    uint64
	Older   uint64 // address of the next page; 0: there is none
	Newer   bool
	Entry   *officer.Record
	Proof   *officer.Proof
	Head    string
	Key     string
	Path    []string
	Export  bool
}

const auditPage = 50

func (s *Server) audit(w http.ResponseWriter, q *request) error {
	from, _ := strconv.ParseUint(q.URL.Query().Get("before"), 10, 63)
	rs, size, err := s.cfg.Book.Audit(q.person.Session, from, auditPage)
	if err != nil {
		return err
	}
	p := AuditPage{Page: s.page(q, "audit", q.loc.T("audit.title")), Records: rs, Size: size, Newer: from != 0 && from < size}
	if n := len(rs); n > 0 && rs[n-1].Index > 0 {
		p.Older = rs[n-1].Index
	}
	return s.render(w, q, http.StatusOK, "audit", &p)
}

func (s *Server) proofOf(q *request) (*officer.Proof, *officer.Record, error) {
	index, err := strconv.ParseUint(q.PathValue("index"), 10, 63)
	if err != nil {
		return nil, nil, parley.Errorf(CodeNoPage, "there is no such entry")
	}
	proof, err := s.cfg.Book.Prove(q.person.Session, index)
	if err != nil {
		return nil, nil, err
	}
	rec, err := proof.Check() // the page says "proved" of what was proved just now
	return proof, rec, err
}

func (s *Server) auditEntry(w http.ResponseWriter, q *request) error {
	proof, rec, err := s.proofOf(q)
	if err != nil {
		return err
	}
	rec.Name = s.officerName(rec.Actor)
	p := AuditPage{Page: s.page(q, "audit", q.loc.T("audit.title")), Entry: rec, Proof: proof, Head: string(proof.Head),
		Key: hex.EncodeToString(proof.Key), Export: q.person.Can(officer.Export)}
	for _, h := range proof.Path {
		p.Path = append(p.Path, h.String())
	}
	return s.render(w, q, http.StatusOK, "audit", &p)
}

// auditProof is the proof as a file.
func (s *Server) auditProof(w http.ResponseWriter, q *request) error {
	proof, rec, err := s.proofOf(q)
	if err != nil {
		return err
	}
	if err := s.cfg.Book.AllowExport(q.person.Session, "proof of entry "+strconv.FormatUint(rec.Index, 10)); err != nil {
		return err
	}
	path := []string{}
	for _, h := range proof.Path {
		path = append(path, h.String())
	}
	b, err := json.MarshalIndent(map[string]any{"format": "parley/officers-proof/1", "index": proof.Index,
		"entry": base64.StdEncoding.EncodeToString(proof.Entry), "path": path, "head": string(proof.Head), "key": hex.EncodeToString(proof.Key)}, "", "\t")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="officers-entry-`+strconv.FormatUint(rec.Index, 10)+`.json"`)
	_, err = w.Write(append(b, '\n'))
	return err
}
