package control

import (
	"errors"
	"net/http"

	"parley"
	"parley/hotline"
	"parley/internal/node"
	"parley/station"
)

func (s *Server) post(r *http.Request) (any, error) {
	var p Post
	if err := decode(r, &p); err != nil {
		return nil, err
	}
	return s.say(r, parley.Draft{Lane: p.Lane, Kind: p.Kind, To: p.To, Body: p.Body}, p.Alone)
}

// say posts a draft, unless it takes two persons and is not meant to go alone.
// An answer that binds nobody, such as that a message was opened, takes one, as
// in the console.
func (s *Server) say(r *http.Request, d parley.Draft, alone bool) (Place, error) {
	if s.Two != nil && !alone && !light(d) {
		var line uint8
		if err := s.h.Node.Do(r.Context(), func(v node.View) { line = v.Docket.Hotline.LineOf(d) }); err != nil {
			return Place{}, err
		}
		if s.Two(line, d.Lane) {
			return Place{}, parley.Errorf(CodeTwo, "by the rules of this party two persons release %s on line %d; nothing was sent", d.Lane, line)
		}
	}
	ref, err := s.h.Node.Post(r.Context(), d)
	p := PlaceOf(ref)
	if err == nil {
		s.h.Node.Do(r.Context(), func(v node.View) { p = place(v.Station.Logs(), ref) }) // failing, the short name must do
	}
	return p, err
}

func light(d parley.Draft) bool {
	b, err := hotline.Parse(d.Kind, d.Body)
	a, is := b.(*hotline.Answer)
	return err == nil && is && a.Code.Light()
}

func (s *Server) answer(r *http.Request) (any, error) {
	var a Answer
	if err := decode(r, &a); err != nil {
		return nil, err
	}
	code, err := hotline.ParseCode(a.Code)
	if err != nil {
		return nil, err
	}
	var d parley.Draft
	var derr error
	if err := s.h.Node.Do(r.Context(), func(v node.View) {
		ref, err := s.find(v, a.Ref)
		if err != nil {
			derr = err
			return
		}
		d, derr = v.Docket.Hotline.Answer(ref, code, a.Text)
	}); err != nil || derr != nil {
		return nil, errors.Join(err, derr)
	}
	return s.say(r, d, a.Alone)
}

func (s *Server) translate(r *http.Request) (any, error) {
	var a Translate
	if err := decode(r, &a); err != nil {
		return nil, err
	}
	status, err := hotline.ParseStatus(a.Status)
	if err != nil {
		return nil, err
	}
	var d parley.Draft
	var derr error
	if err := s.h.Node.Do(r.Context(), func(v node.View) {
		ref, err := s.find(v, a.Ref)
		if err != nil {
			derr = err
			return
		}
		t := &hotline.Translation{About: ref, Language: a.Language, Status: status, Text: a.Text, Subject: a.Subject, Translator: a.Translator}
		if derr = t.Check(); derr != nil {
			return
		}
		if d, derr = v.Docket.Hotline.Translate(t); a.To != 0 {
			d.To = s.h.Charter().Address(s.h.Me(), a.To)
		}
	}); err != nil || derr != nil {
		return nil, errors.Join(err, derr)
	}
	return s.say(r, d, a.Alone)
}

func (s *Server) close(r *http.Request) (any, error) {
	var c Close
	if err := decode(r, &c); err != nil {
		return nil, err
	}
	next, charter, err := parley.ParseSignedCharter(c.Charter)
	if err != nil {
		return nil, err
	}
	if missing := next.Missing(charter); len(missing) > 0 {
		return nil, parley.Errorf(parley.CodeUnsigned, "the successor lacks signatures")
	}
	if charter.Prev == nil || *charter.Prev != s.h.Signed.Channel() {
		return nil, parley.Errorf(parley.CodeMembers, "the charter %q does not name this channel as its predecessor", charter.Name)
	}
	err = s.h.Node.Feed(r.Context(), station.Close{Successor: next.Channel(), Finals: charter.Finals})
	return Closed{charter.Name, next.Channel().String()}, err
}
