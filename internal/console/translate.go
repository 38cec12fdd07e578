package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"parley"
	"parley/hotline"
	"parley/internal/node"
	"parley/internal/officer"
	"parley/release"
)

// TranslatePage is the form of a translation with the original before it, and
// then the two side by side, before the draft is kept.
type TranslatePage struct {
	Page
	Original EntryRow
	Governs  bool
	Form     url.Values
	Draft    uint64 // being edited; 0 a new one
	Rev      uint64
	Problem  string // English
	Remedy   string
	Statuses []Option
	Readers  []Option
	Checked  *BesideRow // nil while it is being written
	Message  CheckedMessage
	Fields   []Field
	Limit    int
}

// Inside reports that the translation is for this party only.
func (p *TranslatePage) Inside() bool { return p.Form.Get("for") == "party" }

// translateFields are the fields of the form; others are dropped.
var translateFields = []string{"language", "status", "translator", "subject", "text", "for"}

// translate shows the form of a translation of a message.
func (s *Server) translate(w http.ResponseWriter, q *request) error {
	p, ref, err := s.translatePage(q)
	if err != nil {
		return err
	}
	if number := q.URL.Query().Get("draft"); number != "" {
		d, err := s.ownDraft(q, number)
		if err != nil {
			return err
		}
		t, ok := translationIn(d)
		if !ok || t.About != ref {
			return parley.Errorf(CodeForm, "this draft is no translation of %s", ref)
		}
		if p.Form, err = url.ParseQuery(string(d.Form)); err != nil {
			return parley.Errorf(CodeForm, "this draft was not made by the form of translations")
		}
		p.Draft, p.Rev = d.ID, d.Rev
	} else {
		for _, o := range p.Readers {
			p.Form.Set("to-"+o.Value, "1")
		}
	}
	return s.translateForm(w, q, http.StatusOK, p, nil)
}

// translatePage is the page without its form.
func (s *Server) translatePage(q *request) (*TranslatePage, parley.Ref, error) {
	ref, err := s.refOf(q)
	if err != nil {
		return nil, ref, err
	}
	p := &TranslatePage{Page: s.page(q, "translate", q.loc.T("translate.title")), Form: url.Values{}, Limit: hotline.MaxText}
	err = s.cfg.Host.Node.Do(q.Context(), func(v node.View) {
		p.Original = s.entryRow(v, ref)
		if m, ok := v.Docket.Hotline.Message(ref); ok && m.Text != nil {
			p.Governs = m.Text.Governs
		}
		for _, m := range s.circle(v, ref) {
			p.Readers = append(p.Readers, Option{Value: strconv.Itoa(int(m)), Text: v.Docket.Hotline.Name(m)})
		}
	})
	if err == nil && (p.Original.Kind != "message" || p.Original.Malformed != "") {
		err = parley.Errorf(hotline.CodeNoSuchEntry, "%s is no message in this record", ref)
	}
	p.Type = p.Original.Type
	return p, ref, err
}

// translateForm shows the form, with what is wrong with it.
func (s *Server) translateForm(w http.ResponseWriter, q *request, code int, p *TranslatePage, problem error) error {
	if problem != nil {
		c := parley.CodeOf(problem)
		if c == "" {
			return problem
		}
		p.Problem, p.Remedy = strings.TrimPrefix(problem.Error(), string(c)+": "), q.loc.Error(string(c), c.Remedy()).Text
	}
	for _, v := range []string{"courtesy", "official", "machine"} {
		p.Statuses = append(p.Statuses, Option{v, q.loc.Enum("translation-status", v), p.Form.Get("status") == v})
	}
	for i := range p.Readers {
		p.Readers[i].On = p.Form.Get("to-"+p.Readers[i].Value) != ""
	}
	return s.render(w, q, code, "translate", p)
}

// translated is the form sent: to be checked beside the original, to be edited
// further, or to be kept as a draft, which goes the way of every message.
func (s *Server) translated(w http.ResponseWriter, q *request) error {
	p, ref, err := s.translatePage(q)
	if err != nil {
		return err
	}
	for k, vs := range q.PostForm {
		if len(vs) > 0 && vs[0] != "" && (slices.Contains(translateFields, k) || strings.HasPrefix(k, "to-")) {
			p.Form.Set(k, strings.ReplaceAll(vs[0], "\r\n", "\n"))
		}
	}
	p.Draft, _ = strconv.ParseUint(q.PostForm.Get("draft"), 10, 53)
	p.Rev, _ = strconv.ParseUint(q.PostForm.Get("rev"), 10, 53)
	if p.Draft != 0 { // not another draft's place
		d, err := s.cfg.Book.Draft(p.Draft)
		if err != nil {
			return err
		}
		if t, ok := translationIn(d); !ok || t.About != ref {
			return parley.Errorf(CodeForm, "draft %d is no translation of %s", p.Draft, ref)
		}
	}
	if q.PostForm.Get("do") == "edit" {
		return s.translateForm(w, q, http.StatusOK, p, nil)
	}
	d, t, err := s.translationOf(p, ref)
	if err == nil && !p.Inside() {
		err = s.checkDraft(q, d)
	}
	if err != nil {
		return s.translateForm(w, q, http.StatusUnprocessableEntity, p, err)
	}
	keep := q.PostForm.Get("do") == "keep"
	if keep && p.Inside() {
		return s.keepAside(w, q, t)
	}
	if keep {
		k, err := s.cfg.Book.SaveDraft(q.person.Session, p.Draft, p.Rev, officer.Content{Line: uint64(p.Original.Line), Message: d,
			Subject: short("", strings.ToUpper(t.Language)+" "+ref.String()+" "+t.Subject+" "+t.Text), Form: []byte(p.Form.Encode())})
		if err != nil {
			return err
		}
		s.hub.tell(changedDrafts, changedStrip)
		http.Redirect(w, q.Request, draftAddress(k.ID), http.StatusSeeOther)
		return nil
	}
	p.Checked = s.draftBeside(t, p.Original.Type)
	p.Checked.Inside = p.Inside()
	kept := DraftPage{}
	s.describeDraft(&officer.Draft{Content: officer.Content{Message: d}, Digest: release.Digest(d),
		Persons: s.cfg.Book.RuleFor(uint64(p.Original.Line), d.Lane).Persons}, &kept)
	p.Message = kept.Message
	for _, k := range slices.Sorted(keys(p.Form)) {
		p.Fields = append(p.Fields, Field{k, p.Form.Get(k)})
	}
	return s.render(w, q, http.StatusOK, "translate", p)
}

// keepAside keeps a translation in the book of officers, where it stays.
func (s *Server) keepAside(w http.ResponseWriter, q *request, t *hotline.Translation) error {
	text := t.Text
	if t.Subject != "" {
		text = t.Subject + "\n\n" + t.Text
	}
	err := s.cfg.Book.KeepAside(q.person.Session, officer.Aside{About: t.About, Language: t.Language, Status: uint8(t.Status), Translator: t.Translator, Text: text})
	if err != nil {
		return err
	}
	s.hub.tell(changedRecord)
	http.Redirect(w, q.Request, "/message/"+placeOf(t.About)+"?done=aside-kept", http.StatusSeeOther)
	return nil
}

// translationOf reads the form. Its error names what cannot be said so.
func (s *Server) translationOf(p *TranslatePage, ref parley.Ref) (d parley.Draft, t *hotline.Translation, err error) {
	f := p.Form
	t = &hotline.Translation{About: ref, Language: strings.TrimSpace(f.Get("language")), Text: strings.TrimRight(f.Get("text"), "\n "),
		Subject: strings.TrimSpace(f.Get("subject")), Translator: strings.TrimSpace(f.Get("translator"))}
	if t.Status, err = hotline.ParseStatus(f.Get("status")); err != nil {
		return d, t, parley.Errorf(CodeForm, "choose what the translation is worth")
	}
	if strings.TrimSpace(t.Text) == "" {
		return d, t, parley.Errorf(CodeForm, "the translation has no text")
	}
	var to parley.Audience
	for _, o := range p.Readers {
		if f.Get("to-"+o.Value) != "" {
			n, _ := strconv.Atoi(o.Value)
			to |= parley.AudienceOf(parley.Party(n))
		}
	}
	if err := t.Check(); err != nil || p.Inside() {
		return d, t, err
	}
	if to == 0 {
		return d, t, parley.Errorf(CodeForm, "nobody is to read the translation")
	}
	return hotline.Draft(t, ref.Lane, s.cfg.Host.Charter().Address(s.cfg.Host.Me(), to)), t, nil
}

// translationIn is the translation that a draft holds, if it is one.
func translationIn(d *officer.Draft) (*hotline.Translation, bool) {
	if d.Message.Kind != hotline.KindTranslation {
		return nil, false
	}
	b, err := hotline.Parse(d.Message.Kind, d.Message.Body)
	if err != nil {
		return nil, false
	}
	t, ok := b.(*hotline.Translation)
	return t, ok
}

// draftBeside is a translation that is not written yet, as it would stand.
func (s *Server) draftBeside(t *hotline.Translation, typ hotline.Type) *BesideRow {
	return &BesideRow{From: s.cfg.Host.Charter().Member(s.cfg.Host.Me()).Name, Lang: t.Language, Status: t.Status, Translator: t.Translator,
		Subject: t.Subject, Text: t.Text, Type: typ, Draft: true}
}

// showOriginal puts the original beside the draft of a translation.
func (s *Server) showOriginal(q *request, d *officer.Draft, p *DraftPage) error {
	t, ok := translationIn(d)
	if !ok {
		return nil
	}
	return s.cfg.Host.Node.Do(q.Context(), func(v node.View) {
		o := s.entryRow(v, t.About)
		p.Original, p.Type = &o, o.Type
		if m, ok := v.Docket.Hotline.Message(t.About); ok && m.Text != nil {
			p.Governs = m.Text.Governs
		}
		p.Checked = s.draftBeside(t, o.Type)
		p.Message.Chars = len([]rune(t.Text))
	})
}

// typeAbout is the type of the message that a translation is about.
func (s *Server) typeAbout(ref parley.Ref) (typ hotline.Type) {
	s.cfg.Host.Node.Do(context.Background(), func(v node.View) { typ = s.entryRow(v, ref).Type }) // failing, the node ends
	return typ
}
