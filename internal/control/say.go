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
// An answer that binds nobody, such as that a message was opened, takes one if
// it adds no words, as in the console.
func (s *Server) say(r *http.Request, d parley.Draft, alone bool) (Place, error) {
	if s.Two != nil && !alone && !hotline.Light(d) {
		var line uint8
		if err := s.h.Node.Do(r.Context(), func(v node.View) { line = v.Docket.Hotline.LineOf(d) }); err != nil {
			return Place{}, err
		}
		if s.Two(line, d) {
			return Place{}, parley.Errorf(CodeTwo, "by the rules of this party two persons release this in %s; nothing was sent", d.Lane)
		}
	}
	ref, err := s.h.Node.Post(r.Context(), d)
	p := PlaceOf(ref)
	if err == nil {
		s.h.Node.Do(r.Context(), func(v node.View) { p = place(v.Station.Logs(), ref) }) // failing, the short name must do
	}
	return p, err
}

// sayAbout says what draft makes of the entry of a number.
func (s *Server) sayAbout(r *http.Request, number string, alone bool, draft func(*hotline.Desk, parley.Ref) (parley.Draft, error)) (any, error) {
	var d parley.Draft
	var derr error
	err := s.h.Node.Do(r.Context(), func(v node.View) {
		var ref parley.Ref
		if ref, derr = s.find(v, number); derr == nil {
			d, derr = draft(v.Docket.Hotline, ref)
		}
	})
	if err := errors.Join(err, derr); err != nil {
		return nil, err
	}
	return s.say(r, d, alone)
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
	return s.sayAbout(r, a.Ref, a.Alone, func(d *hotline.Desk, ref parley.Ref) (parley.Draft, error) { return d.Answer(ref, code, a.Text) })
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
	return s.sayAbout(r, a.Ref, a.Alone, func(desk *hotline.Desk, ref parley.Ref) (parley.Draft, error) {
		t := &hotline.Translation{About: ref, Language: a.Language, Status: status, Text: a.Text, Subject: a.Subject, Translator: a.Translator}
		if err := t.Check(); err != nil {
			return parley.Draft{}, err
		}
		d, err := desk.Translate(t)
		if a.To != 0 {
			d.To = s.h.Charter().Address(s.h.Me(), a.To)
		}
		return d, err
	})
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
