package console

import (
	"encoding/hex"
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
)

// LinePage is one line: its state and the joint record of what was said on it.
type LinePage struct {
	Page
	Number  uint8
	Row     *LineRow // nil for what stands on no line
	Entries []EntryRow
	Members []Option
	Query   Filter
	Older   string // address of the next page, empty at the end of the record
	Newest  string // address of the first page, empty on it
	Partial bool   // the search looked at its share and goes on on the next page
	Live    bool   // the first page, which renews itself
	Self    string

	CanDraft bool
	Unplaced []BesideRow // on the page of what stands on no line
}

// Filter is what the line page was asked for.
type Filter struct {
	Kind   string // message, call, question, proposal, or empty
	Author parley.Party
	Type   string // operation, exercise, drill, test, or empty
	Words  string
	before *hotline.Cursor
}

// Option is one choice of a form.
type Option struct {
	Value string
	Text  string
	On    bool
}

const (
	pageEntries = 50
	searchLook  = 20000 // entries that one page of a search looks at
)

var kindNames = map[string][]parley.Kind{
	"message": {hotline.KindText}, "call": {hotline.KindAttempt}, "question": {hotline.KindQuery}, "proposal": {hotline.KindLine},
}

func (s *Server) line(w http.ResponseWriter, q *request) error {
	n, err := strconv.ParseUint(q.PathValue("number"), 10, 8)
	if err != nil || n > hotline.MaxLine {
		return parley.Errorf(CodeNoPage, "there is no such line")
	}
	f := filterOf(q.URL.Query())
	p := LinePage{Page: s.page(q, "line", q.loc.T("lines.number", int(n))), Number: uint8(n), Query: f}
	for _, m := range s.cfg.Host.Charter().Members {
		p.Members = append(p.Members, Option{strconv.Itoa(int(m.Index)), m.Name, m.Index == f.Author})
	}
	found := n == 0
	if err := s.cfg.Host.Node.Do(q.Context(), func(v node.View) { found = s.fillLine(v, &p) || found }); err != nil {
		return err
	}
	if !found {
		return parley.Errorf(CodeNoPage, "there is no line %d in the registry", n)
	}
	p.Self = "/lines/" + strconv.Itoa(int(n)) + f.address(f.before)
	p.Live = f.before == nil
	p.Refresh = p.Live
	p.CanDraft = q.person.Can(officer.DraftMessage)
	return s.render(w, q, http.StatusOK, "line", &p)
}

// fillLine reads what the page shows, inside node.Do.
func (s *Server) fillLine(v node.View, p *LinePage) bool {
	d := v.Docket.Hotline
	for _, l := range d.Lines(v.Now) {
		if l.Number == p.Number {
			r := s.lineRow(v, l)
			p.Row = &r
		}
	}
	t := hotline.Timeline{Line: &p.Number, Kinds: kindNames[p.Query.Kind], Author: p.Query.Author, Words: p.Query.Words,
		Before: p.Query.before, Limit: pageEntries, Look: searchLook}
	if typ, err := hotline.ParseType(p.Query.Type); err == nil {
		t.Types = []hotline.Type{typ}
	}
	if p.Number == 0 && p.Query.before == nil {
		p.Unplaced = s.unplaced(v)
	}
	st := d.Stretch(t)
	for _, ref := range st.Refs {
		p.Entries = append(p.Entries, s.entryRow(v, ref))
	}
	base := "/lines/" + strconv.Itoa(int(p.Number))
	if st.Next != nil {
		p.Older = base + p.Query.address(st.Next)
		p.Partial = len(st.Refs) < pageEntries
	}
	if p.Query.before != nil {
		p.Newest = base + p.Query.address(nil)
	}
	return p.Row != nil
}

func filterOf(v url.Values) Filter {
	f := Filter{Kind: v.Get("kind"), Type: v.Get("type"), Words: strings.TrimSpace(v.Get("q"))}
	if kindNames[f.Kind] == nil {
		f.Kind = ""
	}
	if _, err := hotline.ParseType(f.Type); err != nil {
		f.Type = ""
	}
	if len(f.Words) > 200 {
		f.Words = f.Words[:200]
	}
	if n, err := strconv.ParseUint(v.Get("by"), 10, 8); err == nil && n <= parley.MaxParty {
		f.Author = parley.Party(n)
	}
	f.before = parseCursor(v.Get("before"))
	return f
}

func (f Filter) address(before *hotline.Cursor) string {
	v := url.Values{}
	set := func(k, s string) {
		if s != "" {
			v.Set(k, s)
		}
	}
	set("kind", f.Kind)
	set("type", f.Type)
	set("q", f.Words)
	if f.Author != 0 {
		set("by", strconv.Itoa(int(f.Author)))
	}
	if before != nil {
		set("before", formatCursor(before))
	}
	if len(v) == 0 {
		return ""
	}
	return "?" + v.Encode()
}

// formatCursor writes a place in the order of a line: the time and the place
// of an entry, without its leaf, which no other entry of the place has here.
func formatCursor(c *hotline.Cursor) string {
	return strconv.FormatUint(c.Order, 10) + "-" + placeOf(c.Ref)
}

func parseCursor(s string) *hotline.Cursor {
	order, place, ok := strings.Cut(s, "-")
	if !ok {
		return nil
	}
	n, err := strconv.ParseUint(order, 10, 53)
	ref, ok := parsePlace(place)
	if err != nil || !ok {
		return nil
	}
	return &hotline.Cursor{Order: n, Ref: ref}
}

// parsePlace reads what placeOf writes; the leaf is not part of it.
func parsePlace(s string) (r parley.Ref, ok bool) {
	f := strings.Split(s, "-")
	if len(f) != 4 {
		return r, false
	}
	p, err := strconv.ParseUint(f[0], 10, 8)
	if err != nil || p < 1 || p > parley.MaxParty {
		return r, false
	}
	if r.Lane, err = parley.ParseLane(f[1]); err != nil {
		return r, false
	}
	gen, err := hex.DecodeString(f[2])
	if err != nil || len(gen) != len(r.Gen) {
		return r, false
	}
	if r.Index, err = strconv.ParseUint(f[3], 10, 53); err != nil {
		return r, false
	}
	r.Party, r.Gen = parley.Party(p), parley.Gen(gen)
	return r, true
}

// EntryRow is one entry in a list.
type EntryRow struct {
	Ref       parley.Ref
	Kind      string // message, call, question, proposal; on a page of its own also answer, translation
	From      string
	Mine      bool
	To        []string
	Type      hotline.Type
	Time      time.Time
	Subject   string
	Text      string
	Lang      string
	Head      string // of a call or a proposal: what it is, in a few words
	Steps     []StepRow
	Answers   []AnswerRow
	Relation  hotline.Relation
	About     *parley.Ref
	Crossed   []parley.Ref
	Withdrawn *parley.Ref
	Beside    []BesideRow // translations that stand, without their words
	Waits     bool        // somebody owes something about it
	NotHeld   []string
	Standing  parley.Standing
	Malformed string
	Outcome   hotline.Outcome
	Line      uint8
	ReplyBy   time.Time

	Handling    hotline.Handling // of a message; beside a translation it holds for both
	Reservation string
}

// StepRow is how far an entry has come with one reader.
type StepRow struct {
	Name string
	Step hotline.Step
	Info bool
	Wait bool
}

// AnswerRow is one thing said about an entry.
type AnswerRow struct {
	Ref      parley.Ref
	From     string
	Time     time.Time
	Code     hotline.Code
	Relation hotline.Relation
	Text     string
	Counts   bool
	IsText   bool
	Ask      string // what it asks, if it is a question
}

// entryRow reads one entry, inside node.Do.
func (s *Server) entryRow(v node.View, ref parley.Ref) EntryRow {
	d, c, me := v.Docket.Hotline, s.cfg.Host.Charter(), s.cfg.Host.Me()
	r := EntryRow{Ref: ref, From: d.Name(ref.Party), Mine: ref.Party == me}
	if m, ok := d.Message(ref); ok {
		r.message(d, m)
	} else if x, ok := d.CallOf(ref); ok {
		r.call(d, x)
	} else if x, ok := d.QuestionOf(ref); ok {
		r.question(d, x)
	} else if x, about, ok := d.AnswerOf(ref); ok {
		r.Kind, r.Time, r.Standing, r.Head, r.Text, r.About = "answer", moment(x.Time), x.Standing, x.Code.String(), x.Text, &about
		o := s.entryRow(v, about) // an answer is as much meant as what it answers
		r.Type, r.Line = o.Type, o.Line
	} else if x, ok := d.TranslationOf(ref); ok {
		r.translation(d, x)
	} else if x, ok := d.ProposalOf(ref); ok {
		r.Kind, r.Time, r.Head, r.Line = "proposal", moment(x.Time), x.Line.Name, x.Line.Number
		r.Subject, r.Waits = x.Line.Level, len(x.Waiting) > 0 && len(x.Refused) == 0
		for _, m := range x.Line.Members.Parties() {
			r.To = append(r.To, d.Name(m))
		}
	}
	for _, m := range c.Members {
		if _, ok := d.HeldBy(m.Index, ref); !ok && m.Role != parley.RoleObserver {
			r.NotHeld = append(r.NotHeld, m.Name)
		}
	}
	return r
}

func (r *EntryRow) message(d *hotline.Desk, m *hotline.Message) {
	r.Kind, r.Time, r.Standing, r.Withdrawn = "message", moment(m.Time), m.Standing, m.Withdrawn
	if m.Text == nil {
		r.Malformed = m.Malformed.Error()
		return
	}
	t := m.Text
	r.Type, r.Subject, r.Text, r.Lang, r.Line = t.Type, t.Subject, t.Text, t.Language, t.Line
	r.Relation, r.About, r.ReplyBy = t.Relation, t.About, moment(t.ReplyBy)
	r.Handling, r.Reservation = t.Handling, t.Reservation
	r.addressees(d, m.Addressees)
	r.answers(d, m.Responses)
	r.Crossed = d.Crossed(r.Ref, 6)
	r.beside(d, m.Beside)
}

func (r *EntryRow) addressees(d *hotline.Desk, as []hotline.Addressee) {
	for _, a := range as {
		r.Steps = append(r.Steps, StepRow{d.Name(a.Party), a.Step, a.Info, a.Waiting})
		r.Waits = r.Waits || a.Waiting || !a.Info && a.Step <= hotline.StepReceived && a.Lane < parley.Deferred
		r.To = append(r.To, d.Name(a.Party))
	}
}

// answersShown bounds what one row of a list says about an entry.
const answersShown = 12

func (r *EntryRow) answers(d *hotline.Desk, rs []hotline.Response) {
	for _, x := range slices.Backward(rs[:min(len(rs), answersShown)]) {
		row := AnswerRow{Ref: x.Ref, From: d.Name(x.Author), Time: moment(x.Time), Code: x.Code, Relation: x.Relation, Text: x.Text, Counts: x.Counts, IsText: x.Code == 0}
		if q, ok := d.QuestionOf(x.Ref); ok && q.Query != nil {
			row.Ask = q.Query.Ask.String()
		}
		r.Answers = append(r.Answers, row)
	}
}

func (r *EntryRow) call(d *hotline.Desk, x *hotline.Call) {
	r.Kind, r.Time, r.Standing = "call", moment(x.Time), x.Standing
	if x.Attempt == nil {
		r.Malformed = x.Malformed.Error()
		return
	}
	a := x.Attempt
	r.Type, r.Outcome, r.Text, r.Line, r.ReplyBy = a.Type, a.Outcome, a.Note, a.Line, moment(a.At)
	r.Head = d.Name(a.Caller)
	for _, p := range a.Called.Parties() {
		r.To = append(r.To, d.Name(p))
	}
	r.answers(d, x.Responses)
}

func (r *EntryRow) question(d *hotline.Desk, x *hotline.Question) {
	r.Kind, r.Time, r.Standing = "question", moment(x.Time), x.Standing
	if x.Query == nil {
		r.Malformed = x.Malformed.Error()
		return
	}
	r.Type, r.Text, r.About, r.Line, r.Head = x.Query.Type, x.Query.Text, x.Query.About, x.Query.Line, x.Query.Ask.String()
	r.addressees(d, x.Addressees)
	r.answers(d, x.Responses)
}
