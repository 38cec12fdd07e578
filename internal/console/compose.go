package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/node"
	"parley/internal/officer"
	"parley/release"
)

// ComposePage is the form of a message.
type ComposePage struct {
	Page
	Form     url.Values
	Draft    uint64 // being edited; 0 a new one
	Rev      uint64
	Problem  string // why it cannot be said so; the code's remedy stands below
	Remedy   string
	Lanes    []Option
	Types    []Option
	Lines    []Option
	Members  []MemberChoice
	Acks     []Option
	Handling []Option
	InfoLane []Option
	Language []Option
	Relation []Option
	Phrases  []Option
	About    *parley.Ref
	Limit    int
}

// MemberChoice is an addressee: for action, for information, or not at all.
type MemberChoice struct {
	Value  string
	Name   string
	Choice string // action, info, or empty
}

// CheckPage shows a draft exactly as it would go out, before it is kept.
type CheckPage struct {
	Page
	Form    url.Values
	Draft   uint64
	Rev     uint64
	Message CheckedMessage
	Fields  []Field
}

// Field is one value of a form that is carried along.
type Field struct{ Name, Value string }

// CheckedMessage is a draft of a message as it is read before release.
type CheckedMessage struct {
	Lane     parley.Lane
	Action   []string
	Info     []string
	Text     *hotline.Text
	ReplyBy  time.Time
	Digest   []string // of the draft, in groups of four
	Persons  int      // how many the rule of this line and precedence asks for
	Line     string
	Nobody   bool
	Bytes    int
	Chars    int
	Handling string
}

func (s *Server) compose(w http.ResponseWriter, q *request) error {
	form := url.Values{}
	var id, rev uint64
	switch v := q.URL.Query(); {
	case v.Get("draft") != "":
		d, err := s.ownDraft(q, v.Get("draft"))
		if err != nil {
			return err
		}
		if form, err = url.ParseQuery(string(d.Form)); err != nil || len(d.Form) == 0 || d.Message.Kind != hotline.KindText {
			return parley.Errorf(CodeForm, "this draft was not made by the form of messages")
		}
		id, rev = d.ID, d.Rev
	case v.Get("about") != "":
		if err := s.prefill(q, form, v.Get("relation"), v.Get("about")); err != nil {
			return err
		}
	default:
		form.Set("line", v.Get("line"))
		for _, p := range parties(s.cfg.Host.Charter(), s.cfg.Host.Me()) {
			form.Set("to-"+strconv.Itoa(int(p)), "action")
		}
	}
	return s.composeForm(w, q, http.StatusOK, form, id, rev, nil)
}

// prefill begins a message that refers to another: same line, type and
// precedence, to its author and its readers.
func (s *Server) prefill(q *request, form url.Values, relation, place string) error {
	q.SetPathValue("place", place)
	ref, err := s.refOf(q)
	if err != nil {
		return err
	}
	c, me := s.cfg.Host.Charter(), s.cfg.Host.Me()
	return s.cfg.Host.Node.Do(q.Context(), func(v node.View) {
		e := s.entryRow(v, ref)
		form.Set("relation", relation)
		form.Set("about", placeOf(ref))
		form.Set("lane", ref.Lane.String())
		form.Set("type", e.Type.String())
		form.Set("line", strconv.Itoa(int(e.Line)))
		to := c.Readers(me, v.Docket.Hotline.ReplyTo(ref))
		if m, ok := v.Docket.Hotline.Message(ref); ok {
			if ref.Party == me {
				to = m.To
			}
			if m.Text != nil && m.Text.Subject != "" {
				form.Set("subject", m.Text.Subject)
			}
		}
		for _, p := range to.Parties() {
			form.Set("to-"+strconv.Itoa(int(p)), "action")
		}
	})
}

// ownDraft is a draft by its number, as text.
func (s *Server) ownDraft(q *request, number string) (*officer.Draft, error) {
	id, err := strconv.ParseUint(number, 10, 53)
	if err != nil {
		return nil, parley.Errorf(officer.CodeDraft, "there is no draft %q", clean(number))
	}
	return s.cfg.Book.Draft(id)
}

// formFields are the fields of a message's form; others are dropped.
var formFields = []string{"lane", "type", "line", "infolane", "subject", "text", "ack", "replyby", "language", "governs",
	"handling", "relation", "about", "paragraphs", "citations", "reservation"}

// kept are the fields of a form that this page knows.
func kept(f url.Values) url.Values {
	out := url.Values{}
	for k, vs := range f {
		if len(vs) > 0 && vs[0] != "" && (slices.Contains(formFields, k) || strings.HasPrefix(k, "to-")) {
			out.Set(k, strings.ReplaceAll(vs[0], "\r\n", "\n"))
		}
	}
	return out
}

// composed is the form sent: to be checked, to be edited further, to take in a
// phrase, or to be kept.
func (s *Server) composed(w http.ResponseWriter, q *request) error {
	form := kept(q.PostForm)
	id, _ := strconv.ParseUint(q.PostForm.Get("draft"), 10, 53)
	rev, _ := strconv.ParseUint(q.PostForm.Get("rev"), 10, 53)
	switch q.PostForm.Get("do") {
	case "edit":
		return s.composeForm(w, q, http.StatusOK, form, id, rev, nil)
	case "phrase":
		addPhrase(form, q.PostForm.Get("phrase"), q.PostForm.Get("phrase-languages"))
		return s.composeForm(w, q, http.StatusOK, form, id, rev, nil)
	}
	d, t, err := s.draftOf(q, form)
	if err == nil {
		err = s.checkDraft(q, d)
	}
	if err != nil {
		return s.composeForm(w, q, http.StatusUnprocessableEntity, form, id, rev, err)
	}
	if q.PostForm.Get("do") == "keep" {
		k, err := s.cfg.Book.SaveDraft(q.person.Session, id, rev, officer.Content{Line: uint64(t.Line), Message: d,
			Subject: short(t.Subject, t.Text), Form: []byte(form.Encode())})
		if err != nil {
			return err
		}
		s.hub.tell(changedDrafts, changedStrip)
		http.Redirect(w, q.Request, draftAddress(k.ID), http.StatusSeeOther)
		return nil
	}
	p := CheckPage{Page: s.page(q, "check", q.loc.T("check.title")), Form: form, Draft: id, Rev: rev, Message: s.checked(d, t)}
	p.Type = t.Type
	for _, k := range slices.Sorted(keys(form)) {
		p.Fields = append(p.Fields, Field{k, form.Get(k)})
	}
	return s.render(w, q, http.StatusOK, "check", &p)
}

// keys yields the fields of a form.
func keys(f url.Values) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range f {
			if !yield(k) {
				return
			}
		}
	}
}

// addPhrase puts an agreed phrase at the end of the text, in the languages
// asked for, each in a paragraph of its own.
func addPhrase(form url.Values, code, languages string) {
	i := slices.IndexFunc(phrases, func(p phrase) bool { return p.code == code })
	if i < 0 {
		return
	}
	var parts []string
	if t := strings.TrimSpace(form.Get("text")); t != "" {
		parts = append(parts, t)
	}
	switch languages {
	case "all":
		parts = append(parts, phrases[i].en, phrases[i].hi, phrases[i].ur)
	case "hi", "ur":
		parts = append(parts, phrases[i].in(languages))
	default:
		parts = append(parts, phrases[i].en)
	}
	form.Set("text", strings.Join(parts, "\n\n"))
}

// draftOf reads the form. Its error names what cannot be said so.
func (s *Server) draftOf(q *request, f url.Values) (d parley.Draft, t *hotline.Text, err error) {
	c, me := s.cfg.Host.Charter(), s.cfg.Host.Me()
	t = &hotline.Text{Text: f.Get("text"), Subject: strings.TrimSpace(f.Get("subject")), Reservation: strings.TrimSpace(f.Get("reservation")),
		Language: f.Get("language"), Governs: f.Get("governs") != ""}
	lane, err := parley.ParseLane(f.Get("lane"))
	if err != nil {
		return d, t, parley.Errorf(CodeForm, "choose a precedence")
	}
	if t.Type, err = hotline.ParseType(f.Get("type")); err != nil {
		return d, t, err
	}
	for _, x := range []struct {
		name string
		set  func(string) error
	}{
		{"ack", func(v string) (err error) { t.Ack, err = hotline.ParseAck(v); return err }},
		{"handling", func(v string) (err error) { t.Handling, err = hotline.ParseHandling(v); return err }},
		{"relation", func(v string) (err error) { t.Relation, err = hotline.ParseRelation(v); return err }},
		{"line", func(v string) error { n, err := strconv.ParseUint(v, 10, 8); t.Line = uint8(n); return err }},
		{"replyby", func(v string) error {
			at, err := time.Parse("2006-01-02T15:04", v)
			t.ReplyBy = uint64(max(at.Unix(), 0))
			return err
		}},
	} {
		if v := f.Get(x.name); v != "" {
			if err := x.set(v); err != nil {
				return d, t, parley.Errorf(CodeForm, "the field %s cannot be read", x.name)
			}
		}
	}
	if t.Relation != hotline.Unrelated {
		q.SetPathValue("place", f.Get("about"))
		ref, err := s.refOf(q)
		if err != nil {
			return d, t, err
		}
		t.About = &ref
	}
	if t.Citations, err = s.citations(q, f.Get("citations")); err != nil {
		return d, t, err
	}
	if t.Paragraphs, err = numbers(f.Get("paragraphs")); err != nil {
		return d, t, err
	}
	var action parley.Audience
	for _, p := range c.Others(me) {
		switch f.Get("to-" + strconv.Itoa(int(p))) {
		case "action":
			action |= parley.AudienceOf(p)
		case "info":
			t.Info |= parley.AudienceOf(p)
		}
	}
	if action == 0 {
		return d, t, parley.Errorf(CodeForm, "nobody is addressed for action")
	}
	if t.Info != 0 {
		if t.InfoLane, err = parley.ParseLane(f.Get("infolane")); err != nil {
			t.InfoLane = max(lane, parley.Routine)
		}
	}
	if strings.TrimSpace(t.Text) == "" {
		return d, t, parley.Errorf(CodeForm, "the message has no text")
	}
	if err := t.Check(); err != nil {
		return d, t, err
	}
	return hotline.Draft(t, lane, c.Address(me, action|t.Info)), t, nil
}

// citations reads lettered references, one in a line: a number of an entry, a
// note, or both.
func (s *Server) citations(q *request, text string) (out []hotline.Citation, err error) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		first, rest, _ := strings.Cut(line, " ")
		c := hotline.Citation{Note: line}
		if strings.Count(first, "/") >= 2 {
			ref, err := s.numbered(q, first)
			if err != nil {
				return nil, err
			}
			c = hotline.Citation{Ref: &ref, Note: strings.TrimSpace(rest)}
		}
		out = append(out, c)
	}
	return out, nil
}

// numbered finds an entry by the number that officers use, 2/FLASH/17, among
// the newest generation first.
func (s *Server) numbered(q *request, number string) (ref parley.Ref, err error) {
	f := strings.Split(strings.ToUpper(number), "/")
	index, perr := strconv.ParseUint(f[len(f)-1], 10, 53)
	found := false
	derr := s.cfg.Host.Node.Do(q.Context(), func(v node.View) {
		for _, l := range v.Station.Logs() {
			r := parley.Ref{Party: l.Log.Party, Lane: l.Log.Lane, Gen: l.Log.Gen, Index: index}
			if index < l.Head.Size && (strings.EqualFold(r.String(), number) || strings.EqualFold(r.Long(), number)) && (!found || l.Current) {
				ref, found = r, true
			}
		}
	})
	if derr != nil {
		return ref, derr
	}
	if perr != nil || !found {
		return ref, parley.Errorf(CodeNoEntry, "%q is no entry of this record", clean(number))
	}
	row, err := s.cfg.Host.Node.Store().Row(ref.Log(s.cfg.Host.Signed.Channel()), ref.Index)
	if err != nil {
		return ref, err
	}
	ref.Leaf = row.Leaf.Hash()
	return ref, nil
}

// numbers reads "2, 3" as paragraphs.
func numbers(s string) (out []uint16, err error) {
	for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		n, err := strconv.ParseUint(f, 10, 16)
		if err != nil {
			return nil, parley.Errorf(CodeForm, "%q is no number of a paragraph", clean(f))
		}
		out = append(out, uint16(n))
	}
	slices.Sort(out)
	return out, nil
}

// checked is what the officers read before they let a draft go.
func (s *Server) checked(d parley.Draft, t *hotline.Text) CheckedMessage {
	c, me := s.cfg.Host.Charter(), s.cfg.Host.Me()
	m := CheckedMessage{Lane: d.Lane, Text: t, ReplyBy: moment(t.ReplyBy), Digest: groups(release.Digest(d)), Bytes: len(d.Body),
		Chars: len([]rune(t.Text)), Persons: max(s.cfg.Book.RuleFor(uint64(t.Line), d.Lane).Persons, 1)}
	readers := c.Readers(me, d.To)
	for _, p := range t.Action(readers).Parties() {
		m.Action = append(m.Action, c.Member(p).Name)
	}
	for _, p := range t.Info.Parties() {
		m.Info = append(m.Info, c.Member(p).Name)
	}
	return m
}

// groups writes a hash in groups of four digits, for the eye.
func groups(h parley.Hash) (out []string) {
	for s := h.String(); s != ""; s = s[4:] {
		out = append(out, s[:4])
	}
	return out
}

// composeForm shows the form, with what is wrong with it.
func (s *Server) composeForm(w http.ResponseWriter, q *request, code int, f url.Values, id, rev uint64, problem error) error {
	p := ComposePage{Page: s.page(q, "compose", q.loc.T("nav.compose")), Form: f, Draft: id, Rev: rev, Limit: hotline.MaxText}
	if problem != nil {
		c := parley.CodeOf(problem)
		if c == "" {
			return problem
		}
		p.Problem = strings.TrimPrefix(problem.Error(), string(c)+": ")
		p.Remedy = q.loc.Error(string(c), c.Remedy()).Text
	}
	choose := func(prefix, field string, values ...string) (out []Option) {
		for _, v := range values {
			out = append(out, Option{v, q.loc.Enum(prefix, v), f.Get(field) == v})
		}
		return out
	}
	p.Lanes = choose("lane", "lane", "FLASH", "IMMEDIATE", "PRIORITY", "ROUTINE", "DEFERRED")
	p.InfoLane = choose("lane", "infolane", "FLASH", "IMMEDIATE", "PRIORITY", "ROUTINE", "DEFERRED")
	p.Types = choose("type", "type", "operation", "exercise", "drill", "test")
	p.Acks = choose("ack", "ack", "none", "delivery", "duty-officer", "principal", "substantive")
	p.Handling = choose("handling", "handling", "none", "party-only", "mediator-only", "no-relay", "releasable-to-all")
	p.Relation = choose("relation", "relation", "none", "reply", "corrects", "cancels", "supersedes", "relays")
	p.Language = []Option{{"en", "English", f.Get("language") == "en"}, {"hi", "हिन्दी", f.Get("language") == "hi"}, {"ur", "اردو", f.Get("language") == "ur"}}
	for _, x := range phrases {
		p.Phrases = append(p.Phrases, Option{Value: x.code, Text: x.code + " " + x.in(q.loc.Lang())})
	}
	c, me := s.cfg.Host.Charter(), s.cfg.Host.Me()
	for _, o := range c.Others(me) {
		n := strconv.Itoa(int(o))
		p.Members = append(p.Members, MemberChoice{n, c.Member(o).Name, f.Get("to-" + n)})
	}
	if typ, err := hotline.ParseType(f.Get("type")); err == nil {
		p.Type = typ
	}
	if ref, ok := parsePlace(f.Get("about")); ok {
		p.About = &ref
	}
	err := s.cfg.Host.Node.Do(q.Context(), func(v node.View) {
		for _, l := range v.Docket.Hotline.Lines(v.Now) {
			if l.Line != nil && l.Line.Members.Includes(me) {
				n := strconv.Itoa(int(l.Number))
				p.Lines = append(p.Lines, Option{n, n + " · " + l.Line.Name, f.Get("line") == n})
			}
		}
	})
	if err != nil {
		return err
	}
	return s.render(w, q, code, "compose", &p)
}
