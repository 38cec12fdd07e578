package console

import (
	"net/http"
	"strings"

	"parley"
	"parley/hotline"
	"parley/internal/node"
	"parley/internal/officer"
)

// answer posts an answer that only says how far an entry has come: opened,
// passed, roger, standby, say again. It asks for the number of the entry, so
// that no stray key acknowledges anything.
func (s *Server) answer(w http.ResponseWriter, q *request) error {
	ref, err := s.refOf(q)
	if err != nil {
		return err
	}
	code, err := hotline.ParseCode(q.PostForm.Get("code"))
	if err != nil {
		return err
	}
	if !code.Light() {
		return s.draftAnswer(w, q, ref, code)
	}
	if !sameNumber(q.PostForm.Get("number"), ref) {
		p, err := s.messagePage(q)
		if err != nil {
			return err
		}
		if p.Flaw, err = flaw(q, parley.Errorf(CodeNumber, "the number typed is not %s; nothing was sent", ref)); err != nil {
			return err
		}
		return s.render(w, q, http.StatusUnprocessableEntity, "message", p)
	}
	if err := s.cfg.Book.May(q.person.Session, officer.Answer, officer.Object{Lane: ref.Lane}); err != nil {
		return err
	}
	d, err := s.answerDraft(q, ref, code)
	if err != nil {
		return err
	}
	// What one officer may say alone has no words: with them it goes the way of
	// every message.
	line, err := s.lineOf(q, d)
	if err != nil {
		return err
	}
	if !hotline.Light(d) && s.cfg.Book.Two(line, d) {
		return s.keep(w, q, d, answerSubject(code, ref))
	}
	if _, err := s.cfg.Host.Node.Post(q.Context(), d); err != nil {
		return err
	}
	s.note(q, "entry "+ref.Long(), "answered "+code.String())
	http.Redirect(w, q.Request, "/message/"+placeOf(ref)+"?done=answered", http.StatusSeeOther)
	return nil
}

// sameNumber reports whether an officer typed the entry's number: as it is
// shown, with any case and any kind of spaces around it.
func sameNumber(typed string, ref parley.Ref) bool {
	t := strings.ToUpper(strings.Join(strings.Fields(clean(typed)), ""))
	return t == ref.String() || t == strings.ToUpper(ref.Long())
}

func (s *Server) answerDraft(q *request, ref parley.Ref, code hotline.Code) (d parley.Draft, err error) {
	text := strings.ReplaceAll(strings.TrimSpace(q.PostForm.Get("text")), "\r\n", "\n")
	if derr := s.cfg.Host.Node.Do(q.Context(), func(v node.View) {
		if d, err = v.Docket.Hotline.Answer(ref, code, text); err == nil {
			err = v.Docket.Check(d, v.Now)
		}
	}); derr != nil {
		return d, derr
	}
	return d, err
}

// draftAnswer makes a draft of an answer that binds the party: it goes the way
// of every message.
func (s *Server) draftAnswer(w http.ResponseWriter, q *request, ref parley.Ref, code hotline.Code) error {
	d, err := s.answerDraft(q, ref, code)
	if err != nil {
		return err
	}
	return s.keep(w, q, d, answerSubject(code, ref))
}

func answerSubject(code hotline.Code, ref parley.Ref) string {
	return strings.ToUpper(code.String()) + " " + ref.String()
}

// ask makes a draft of a question about an entry: did you open it, did you
// send it.
func (s *Server) ask(w http.ResponseWriter, q *request) error {
	ref, err := s.refOf(q)
	if err != nil {
		return err
	}
	h := s.cfg.Host
	b := &hotline.Query{Ask: hotline.DidYouSend, About: &ref, Text: strings.ReplaceAll(strings.TrimSpace(q.PostForm.Get("text")), "\r\n", "\n")}
	var d parley.Draft
	err = h.Node.Do(q.Context(), func(v node.View) {
		to := parley.AudienceOf(ref.Party)
		if ref.Party == h.Me() {
			b.Ask = hotline.DidYouOpen
			to = 0
			if m, ok := v.Docket.Hotline.Message(ref); ok {
				to = m.To
			}
		}
		if m, ok := v.Docket.Hotline.Message(ref); ok && m.Text != nil {
			b.Type, b.Line = m.Text.Type, m.Text.Line
		}
		d = hotline.Draft(b, ref.Lane, h.Charter().Address(h.Me(), to))
	})
	if err != nil {
		return err
	}
	if err := b.Check(); err != nil {
		return err
	}
	return s.keep(w, q, d, strings.ToUpper(b.Ask.String())+"? "+ref.String())
}

// lineOf is the line that a draft belongs to, whose rule it keeps to.
func (s *Server) lineOf(q *request, d parley.Draft) (line uint8, err error) {
	err = s.cfg.Host.Node.Do(q.Context(), func(v node.View) { line = v.Docket.Hotline.LineOf(d) })
	return line, err
}

// keep saves a draft that needs no form and leads to its page.
func (s *Server) keep(w http.ResponseWriter, q *request, d parley.Draft, subject string) error {
	if err := s.checkDraft(q, d); err != nil {
		return err
	}
	line, err := s.lineOf(q, d)
	if err != nil {
		return err
	}
	kept, err := s.cfg.Book.SaveDraft(q.person.Session, 0, 0, officer.Content{Line: uint64(line), Message: d, Subject: subject})
	if err != nil {
		return err
	}
	s.hub.tell(changedDrafts, changedStrip)
	http.Redirect(w, q.Request, draftAddress(kept.ID), http.StatusSeeOther)
	return nil
}

// checkDraft asks the desks whether a draft may be said now.
func (s *Server) checkDraft(q *request, d parley.Draft) (err error) {
	if derr := s.cfg.Host.Node.Do(q.Context(), func(v node.View) { err = v.Docket.Check(d, v.Now) }); derr != nil {
		return derr
	}
	return err
}
