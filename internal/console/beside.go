package console

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/node"
	"parley/internal/officer"
	"parley/release"
)

// BesideRow is a translation beside its original. Its status is the word of
// From, and stands nowhere without that name.
type BesideRow struct {
	Ref        parley.Ref
	From       string
	To         []string
	Time       time.Time
	Lang       string
	Status     hotline.Status
	Translator string
	Subject    string
	Text       string
	Fit        hotline.Fit
	Replaced   *parley.Ref
	Standing   parley.Standing
	Type       hotline.Type
	Release    release.Status
	Draft      bool   // not written yet
	Inside     bool   // in this party's own book only; From is an officer
	Drop       string // where it can be removed, if this officer may
}

// Beside is what stands beside a message.
type Beside struct {
	Standing []BesideRow
	Others   []BesideRow // replaced, or changing nothing: without their words
	More     int         // not listed
	Inside   []BesideRow // for this party only
}

// Bounds of one page. A member that writes many translations hides none of
// another's.
const (
	besideShown  = 6 // that stand, of each member
	besideListed = 6 // others, of each member
)

func (s *Server) besideRow(v node.View, x hotline.Translated) BesideRow {
	d := v.Docket.Hotline
	r := BesideRow{Ref: x.Ref, From: d.Name(x.Author), Time: moment(x.Time), Fit: x.Fit, Replaced: x.Replaced, Standing: x.Standing, Type: x.Type,
		Release: v.Docket.Release.Of(x.Ref)}
	for _, p := range x.To.Parties() {
		r.To = append(r.To, d.Name(p))
	}
	if t := x.Translation; t != nil {
		r.Lang, r.Status, r.Translator, r.Subject, r.Text = t.Language, t.Status, t.Translator, t.Subject, t.Text
	}
	return r
}

// beside reads what was written beside a message, inside node.Do.
func (s *Server) beside(v node.View, ref parley.Ref) (out Beside) {
	shown, listed := map[parley.Party]int{}, map[parley.Party]int{}
	for _, x := range v.Docket.Hotline.Translations(ref) {
		switch {
		case x.Fit == hotline.FitStands && shown[x.Author] < besideShown:
			shown[x.Author]++
			out.Standing = append(out.Standing, s.besideRow(v, x))
		case listed[x.Author] < besideListed:
			listed[x.Author]++
			r := s.besideRow(v, x)
			r.Subject, r.Text = "", ""
			out.Others = append(out.Others, r)
		default:
			out.More++
		}
	}
	return out
}

// unplaced are the newest translations that no message shows: their original
// is not held, or is none. Their words stand on their own pages only.
func (s *Server) unplaced(v node.View) (out []BesideRow) {
	listed := map[parley.Party]int{}
	for _, x := range v.Docket.Hotline.Unplaced() {
		if listed[x.Author]++; listed[x.Author] <= besideListed {
			r := s.besideRow(v, x)
			r.Subject, r.Text = "", ""
			out = append(out, r)
		}
	}
	return out
}

// beside names the translations that stand beside a message in a list: at most
// two of each member.
func (r *EntryRow) beside(d *hotline.Desk, xs []hotline.Translated) {
	n := map[parley.Party]int{}
	for _, x := range xs {
		if n[x.Author]++; x.Fit == hotline.FitStands && n[x.Author] <= 2 {
			r.Beside = append(r.Beside, BesideRow{Ref: x.Ref, From: d.Name(x.Author), Lang: x.Translation.Language, Status: x.Translation.Status})
		}
	}
}

// translation fills a row with a translation, marked by the type of its
// original and standing where that stands.
func (r *EntryRow) translation(d *hotline.Desk, x *hotline.Translated) {
	r.Kind, r.Time, r.Standing = "translation", moment(x.Time), x.Standing
	for _, p := range x.To.Parties() {
		r.To = append(r.To, d.Name(p))
	}
	if x.Translation == nil {
		r.Malformed = x.Malformed.Error()
		return
	}
	t := x.Translation
	r.Type, r.Subject, r.Text, r.Lang, r.About = x.Type, t.Subject, t.Text, t.Language, &t.About
	if m, ok := d.Message(t.About); ok && m.Text != nil {
		r.Line = m.Text.Line
	}
}

// fillTranslation shows a translation on a page of its own: with its original,
// if that is held.
func (s *Server) fillTranslation(v node.View, x *hotline.Translated, p *MessagePage) {
	row := s.besideRow(v, *x)
	p.Translation, p.Action = &row, row.To
	p.Proof.Stored = x.Stored
	if x.Translation == nil {
		return
	}
	if o := s.entryRow(v, x.Translation.About); o.Kind == "message" && o.Malformed == "" {
		p.Original = &o
		m, _ := v.Docket.Hotline.Message(o.Ref)
		p.Governs = m.Text.Governs
	}
}

// circle are the names of those who may read a translation of a message, this
// party left out, and their numbers.
func (s *Server) circle(v node.View, ref parley.Ref) []parley.Party {
	c, me := s.cfg.Host.Charter(), s.cfg.Host.Me()
	return slices.DeleteFunc(c.Readers(me, v.Docket.Hotline.ReplyTo(ref)).Parties(), func(p parley.Party) bool { return p == me })
}

// asides are the translations that this party keeps for itself. They are in
// the book of officers, not in the record.
func (s *Server) asides(q *request, ref parley.Ref, may bool) (out []BesideRow) {
	for _, a := range s.cfg.Book.Asides(ref) {
		r := BesideRow{From: s.officerName(a.By), Time: a.At, Lang: a.Language, Status: hotline.Status(a.Status), Translator: a.Translator,
			Text: a.Text, Inside: true}
		if may {
			r.Drop = "/message/" + placeOf(ref) + "/aside/" + strconv.FormatUint(a.ID, 10)
		}
		out = append(out, r)
	}
	return out
}

// dropAside removes a translation that this party kept for itself.
func (s *Server) dropAside(w http.ResponseWriter, q *request) error {
	ref, err := s.refOf(q)
	if err != nil {
		return err
	}
	id, err := strconv.ParseUint(q.PathValue("id"), 10, 53)
	if err != nil || !slices.ContainsFunc(s.cfg.Book.Asides(ref), func(a officer.Aside) bool { return a.ID == id }) {
		return parley.Errorf(officer.CodeAside, "no such translation is kept of %s", ref)
	}
	if err := s.cfg.Book.DropAside(q.person.Session, id); err != nil {
		return err
	}
	s.hub.tell(changedRecord)
	http.Redirect(w, q.Request, "/message/"+placeOf(ref)+"?done=aside-dropped", http.StatusSeeOther)
	return nil
}
