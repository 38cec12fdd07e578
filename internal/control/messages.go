package control

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/node"
	"parley/journal"
	"parley/release"
	"parley/station"
)

// place names an entry so that its number means no other.
func place(logs []station.LogStatus, r parley.Ref) Place {
	p := PlaceOf(r)
	for _, l := range logs {
		if l.Log.Party == r.Party && l.Log.Lane == r.Lane && l.Log.Gen != r.Gen && r.Index < l.Head.Size {
			p.Ref = p.Long
		}
	}
	return p
}

func (s *Server) messages(r *http.Request) (any, error) {
	q := r.URL.Query()
	line, _ := strconv.ParseUint(q.Get("line"), 10, 8)
	limit, _ := strconv.Atoi(q.Get("limit"))
	f := hotline.Filter{Line: uint8(line), Open: q.Get("open") != "", Limit: limit}
	out := []Message{}
	err := s.h.Node.Do(r.Context(), func(v node.View) {
		logs := v.Station.Logs()
		for _, m := range v.Docket.Hotline.Messages(f) {
			out = append(out, s.view(logs, m))
		}
	})
	return out, err
}

func (s *Server) view(logs []station.LogStatus, m *hotline.Message) Message {
	out := Message{Place: place(logs, m.Ref), Time: time.Unix(int64(m.Time), 0).UTC(), From: s.name(m.Author), Lane: m.Lane.String(),
		Mine: m.Author == s.h.Me(), Addressees: []Reader{}}
	if m.Text != nil {
		out.Type, out.Subject, out.Text = m.Text.Type.String(), m.Text.Subject, m.Text.Text
	} else {
		out.Type, out.Text = "MALFORMED", m.Malformed.Error()
	}
	for _, a := range m.Addressees {
		out.Addressees = append(out.Addressees, Reader{s.name(a.Party), a.Info, a.Step.String()})
	}
	return out
}

// find resolves what an officer typed: 2/FLASH/17, or with the generation.
func (s *Server) find(v node.View, text string) (parley.Ref, error) {
	var found []parley.Ref
	look := strings.ToUpper(strings.TrimSpace(text))
	f := strings.Split(look, "/")
	if len(f) != 3 && len(f) != 4 {
		return parley.Ref{}, parley.Errorf(CodeRef, "%q is not a number such as 2/FLASH/17", text)
	}
	index, err := strconv.ParseUint(f[len(f)-1], 10, 53)
	if err != nil {
		return parley.Ref{}, parley.Errorf(CodeRef, "%q is not a number such as 2/FLASH/17", text)
	}
	for _, l := range v.Station.Logs() {
		r := parley.Ref{Party: l.Log.Party, Lane: l.Log.Lane, Gen: l.Log.Gen, Index: index}
		if index < l.Head.Size && (r.String() == look || strings.EqualFold(r.Long(), look)) {
			row, err := s.h.Node.Store().Row(l.Log, index)
			if err != nil {
				return parley.Ref{}, err
			}
			r.Leaf = row.Leaf.Hash()
			found = append(found, r)
		}
	}
	switch len(found) {
	case 0:
		return parley.Ref{}, parley.Errorf(CodeRef, "there is no entry %s here", text)
	case 1:
		return found[0], nil
	}
	var longs []string
	for _, r := range found {
		longs = append(longs, r.Long())
	}
	return parley.Ref{}, parley.Errorf(CodeRef, "%s stands in several generations: %s", text, strings.Join(longs, ", "))
}

func (s *Server) message(r *http.Request) (any, error) {
	var out Message
	var ref parley.Ref
	var ferr error
	err := s.h.Node.Do(r.Context(), func(v node.View) {
		if ref, ferr = s.find(v, r.URL.Query().Get("ref")); ferr != nil {
			return
		}
		m, ok := v.Docket.Hotline.Message(ref)
		if !ok {
			out, ferr = s.other(v, ref)
			out.Release = v.Docket.Release.Line(ref)
			return
		}
		out = s.view(v.Station.Logs(), m)
		out.Release = v.Docket.Release.Line(ref)
		var b strings.Builder
		if ferr = hotline.Format(&b, s.h.Charter(), m); ferr == nil {
			out.Printed = b.String()
		}
		for _, x := range m.Beside {
			out.Beside = append(out.Beside, s.beside(v.Station.Logs(), x))
		}
	})
	if err != nil || ferr != nil {
		return nil, errors.Join(err, ferr)
	}
	cs, err := s.h.Node.Store().Cosigs(ref.Log(s.h.Signed.Channel()), ref.Index+1)
	if err != nil {
		return nil, err
	}
	if t, ok := journal.Witnessed(s.h.Charter(), cs, ref.Index); ok && t > 0 {
		out.WitnessedBy = time.Unix(int64(t), 0).UTC().Format(time.RFC3339)
	}
	return out, nil
}

// other is a call, a question, an answer or a proposal, with what was said to
// a question or about a call.
func (s *Server) other(v node.View, ref parley.Ref) (Message, error) {
	row, err := s.h.Node.Store().Row(ref.Log(s.h.Signed.Channel()), ref.Index)
	if err != nil {
		return Message{}, err
	}
	if row.Content == nil {
		return Message{}, parley.Errorf(CodeRef, "%s is held, but not addressed to this party", ref)
	}
	e, err := parley.ParseEntry(row.Content.Entry)
	if err != nil {
		return Message{}, err
	}
	if _, err := hotline.Parse(e.Kind, e.Body); err != nil && !release.Owns(e.Kind) {
		return Message{}, parley.Errorf(CodeRef, "%s says nothing to officers: %s %s", ref, s.name(ref.Party), protocolKind(e.Kind))
	}
	var ev Event
	describe(&ev, ref.Party, s.name, ref.Lane, e)
	out := Message{Place: place(v.Station.Logs(), ref), Time: time.Unix(int64(e.Time), 0).UTC(), From: ev.Member, Lane: ev.Lane,
		Type: ev.Type, Text: ev.Text, Mine: ref.Party == s.h.Me(), Addressees: []Reader{}}
	if x, ok := v.Docket.Hotline.TranslationOf(ref); ok && x.Translation != nil {
		s.translation(v, &out, x)
		out.Beside = []Beside{s.beside(v.Station.Logs(), *x)}
	}
	said := func(rs []hotline.Response) {
		for _, r := range slices.Backward(rs) {
			out.Said = append(out.Said, Said{time.Unix(int64(r.Time), 0).UTC(), s.name(r.Author), withNote(r.Code.String(), r.Text)})
		}
	}
	for _, q := range v.Docket.Hotline.Questions(hotline.Filter{Author: ref.Party}) {
		if q.Ref == ref {
			said(q.Responses)
		}
	}
	for _, c := range v.Docket.Hotline.Calls(hotline.Filter{Author: ref.Party}) {
		if c.Ref == ref {
			said(c.Responses)
		}
	}
	return out, nil
}

// beside shows a translation with its original.
func (s *Server) beside(logs []station.LogStatus, x hotline.Translated) Beside {
	t := x.Translation
	out := Beside{Place: place(logs, x.Ref), Time: time.Unix(int64(x.Time), 0).UTC(), From: s.name(x.Author), Language: t.Language,
		Status: t.Status.String(), Translator: t.Translator, Subject: t.Subject, Text: t.Text, State: x.Fit.String()}
	if x.Replaced != nil {
		out.ReplacedBy = place(logs, *x.Replaced).Ref
	}
	return out
}

// translation says what a translation says, marked by the type of its
// original, and then shows the original.
func (s *Server) translation(v node.View, out *Message, x *hotline.Translated) {
	out.Type, out.Subject = x.Type.String(), x.Translation.Subject
	mark := x.Type.Banner()
	if x.Fit == hotline.FitWaiting {
		out.Type, mark = "UNKNOWN", "TYPE NOT KNOWN, the original is not in this record"
	}
	lines := []string{out.Text + ", " + x.Fit.String()}
	for _, s := range []string{mark, x.Translation.Translator, x.Translation.Subject, x.Translation.Text, mark} {
		if s != "" {
			lines = append(lines, s)
		}
	}
	var b strings.Builder
	if m, ok := v.Docket.Hotline.Message(x.Translation.About); ok && hotline.Format(&b, s.h.Charter(), m) == nil {
		lines = append(lines, "", "The original, which is authoritative, and what stands beside it:", strings.TrimRight(b.String(), "\n"))
	}
	out.Text = strings.Join(lines, "\n")
}
