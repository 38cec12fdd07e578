package console

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/node"
	"parley/internal/officer"
	"parley/release"
)

// DraftsPage lists what is on its way out, and what went.
type DraftsPage struct {
	Page
	Awaiting []DraftRow // submitted: a releaser must look
	Others   []DraftRow // being written, returned, on the way to the record
	Past     []DraftRow
	CanDraft bool
}

// DraftRow is one draft in a list.
type DraftRow struct {
	ID       uint64
	Subject  string
	Lane     parley.Lane
	Line     uint64
	State    officer.DraftState
	By       string
	Drafter  string
	Releaser string
	Changed  time.Time
	Reason   string
	Ref      *parley.Ref
	Persons  int
	Roster   bool
	Type     hotline.Type
	To       []string
}

// DraftPage is one draft: exactly what would go out, and the steps it takes.
type DraftPage struct {
	Page
	Row        DraftRow
	Message    CheckedMessage
	Checked    *BesideRow // of a translation, with its original
	Original   *EntryRow
	Governs    bool
	Gone       bool     // released or dropped: the record has what was said
	Other      []string // of a draft that is no message: what it says, one line each
	Wording    *Wording // of a draft of a line
	Call       *CallWording
	About      *EntryRow // what it answers, asks about or refers to: read before it is released
	Digest     string
	Problem    string // why it could not be said now
	Remedy     string
	CanEdit    bool
	CanSubmit  bool
	CanRelease bool
	CanReturn  bool
	CanDrop    bool
	SameReason bool // this officer submitted it: another one must release
}

func draftAddress(id uint64) string { return "/drafts/" + strconv.FormatUint(id, 10) }

// officerName is an officer's title and name, as this party's pages show one.
func (s *Server) officerName(id officer.ID) string {
	if id == 0 {
		return ""
	}
	if o, ok := s.cfg.Book.Officer(id); ok {
		return o.Title + " · " + o.Name
	}
	return fmt.Sprintf("officer %d", id)
}

func (s *Server) draftRow(d *officer.Draft) DraftRow {
	r := DraftRow{ID: d.ID, Subject: d.Subject, Lane: d.Message.Lane, Line: d.Line, State: d.State, By: s.officerName(d.By),
		Drafter: s.officerName(d.Drafter), Releaser: s.officerName(d.Releaser), Changed: d.Changed, Reason: d.Reason, Ref: d.Ref,
		Persons: max(d.Persons, 1), Roster: d.Roster}
	if d.Persons == 0 { // not submitted yet: what the rule asks for
		r.Persons = max(s.cfg.Book.RuleFor(d.Line, d.Message.Lane).Persons, 1)
	}
	if b, err := hotline.Parse(d.Message.Kind, d.Message.Body); err == nil {
		switch x := b.(type) {
		case *hotline.Translation:
			r.Type = s.typeAbout(x.About)
		case *hotline.Answer:
			r.Type = s.typeAbout(x.About)
		default:
			r.Type = typeOf(b)
		}
	}
	for _, m := range s.cfg.Host.Charter().Readers(s.cfg.Host.Me(), d.Message.To).Parties() {
		r.To = append(r.To, memberName(s.cfg.Host.Charter(), m))
	}
	return r
}

// typeOf is the type of traffic that a body belongs to.
func typeOf(b hotline.Body) hotline.Type {
	switch b := b.(type) {
	case *hotline.Text:
		return b.Type
	case *hotline.Attempt:
		return b.Type
	case *hotline.Query:
		return b.Type
	}
	return hotline.Operation
}

// pastDrafts is how many drafts that are done the list shows.
const pastDrafts = 50

func (s *Server) drafts(w http.ResponseWriter, q *request) error {
	p := DraftsPage{Page: s.page(q, "drafts", q.loc.T("nav.drafts")), CanDraft: q.person.Can(officer.DraftMessage)}
	p.Refresh = true
	for _, d := range s.cfg.Book.Drafts() {
		if r := s.draftRow(&d); d.State == officer.Submitted {
			p.Awaiting = append(p.Awaiting, r)
		} else {
			p.Others = append(p.Others, r)
		}
	}
	for _, d := range s.cfg.Book.History(pastDrafts) {
		p.Past = append(p.Past, s.draftRow(&d))
	}
	return s.render(w, q, http.StatusOK, "drafts", &p)
}

// draft shows a draft and notes that this session sees these bytes: nobody
// approves what he has not had before him.
func (s *Server) draft(w http.ResponseWriter, q *request) error {
	id, err := strconv.ParseUint(q.PathValue("id"), 10, 53)
	if err != nil {
		return parley.Errorf(officer.CodeDraft, "there is no draft of that number")
	}
	d, err := s.cfg.Book.View(q.person.Session, id)
	if err != nil {
		return err
	}
	p := DraftPage{Page: s.page(q, "draft", q.loc.T("draft.title", int(id))), Row: s.draftRow(d), Digest: d.Digest.String()}
	p.Type = p.Row.Type
	if p.Gone = !d.State.Open(); !p.Gone { // the book keeps no text of what went or was dropped
		s.describeDraft(d, &p)
		if err := s.showOriginal(q, d, &p); err != nil {
			return err
		}
	}
	if d.State.Open() && d.State != officer.Releasing {
		if err := s.checkDraft(q, d.Message); err != nil && !d.Roster {
			c := parley.CodeOf(err)
			p.Problem, p.Remedy = err.Error(), q.loc.Error(string(c), c.Remedy()).Text
		}
	}
	me := q.person.Session.Officer
	can := func(a officer.Action) bool {
		return s.cfg.Book.Can(q.person.Session, a, officer.Object{Draft: id, Lane: d.Message.Lane})
	}
	writing := d.State == officer.Drafting || d.State == officer.Returned
	p.CanEdit = can(officer.DraftMessage) && len(d.Form) > 0 && (writing || d.State == officer.Submitted)
	p.CanSubmit = can(officer.SubmitDraft) && writing
	p.CanRelease = can(officer.ReleaseDraft) && d.State == officer.Submitted
	p.CanReturn = can(officer.ReturnDraft) && d.State == officer.Submitted
	p.CanDrop = can(officer.DraftMessage) && d.State.Open() && d.State != officer.Releasing
	if p.CanRelease && p.Row.Persons > 1 && d.Drafter == me {
		p.CanRelease, p.SameReason = false, true
	}
	return s.render(w, q, http.StatusOK, "draft", &p)
}

// describeDraft says what a draft would say, whatever its kind.
func (s *Server) describeDraft(d *officer.Draft, p *DraftPage) {
	c, me := s.cfg.Host.Charter(), s.cfg.Host.Me()
	p.Message = CheckedMessage{Lane: d.Message.Lane, Digest: groups(d.Digest), Bytes: len(d.Message.Body), Persons: max(d.Persons, 1)}
	for _, m := range c.Readers(me, d.Message.To).Parties() {
		p.Message.Action = append(p.Message.Action, c.Member(m).Name)
	}
	if d.Roster {
		if r, err := release.Parse(d.Message.Kind, d.Message.Body); err == nil {
			if r, ok := r.(*release.Roster); ok {
				for _, k := range r.Keys {
					p.Other = append(p.Other, fmt.Sprintf("%s · %s · %s", k.Title, functionWords(k.Functions), k.ID().Short()))
				}
			}
		}
		return
	}
	b, err := hotline.Parse(d.Message.Kind, d.Message.Body)
	if err != nil {
		p.Other = append(p.Other, err.Error())
		return
	}
	switch b := b.(type) {
	case *hotline.Text:
		p.Message = s.checked(d.Message, b)
		p.About = s.entryAbout(b.About)
	case *hotline.Answer:
		p.Other = append(p.Other, strings.ToUpper(b.Code.String())+" "+b.About.String(), b.Text)
		p.About = s.entryAbout(&b.About)
	case *hotline.Query:
		p.Other = append(p.Other, b.Ask.String()+"?", b.Text)
		if b.About != nil {
			p.Other[0] += " " + b.About.String()
		}
		p.About = s.entryAbout(b.About)
	case *hotline.Line:
		p.Wording = s.wording(b)
	case *hotline.Attempt:
		p.Call = s.callWording(b)
	}
}

// entryAbout is the entry that a draft is about, whole; nil if there is none.
func (s *Server) entryAbout(ref *parley.Ref) (r *EntryRow) {
	if ref == nil {
		return nil
	}
	s.cfg.Host.Node.Do(context.Background(), func(v node.View) { // failing, the page shows its number alone
		if e := s.entryRow(v, *ref); e.Kind != "" {
			r = &e
		}
	})
	return r
}

// returnDraft gives a draft back to its drafter with a reason.
func (s *Server) returnDraft(w http.ResponseWriter, q *request) error {
	id, digest, err := draftAndDigest(q, q.PostForm.Get("digest"))
	if err != nil {
		return err
	}
	if err := s.cfg.Book.ReturnDraft(q.person.Session, id, digest, q.PostForm.Get("reason")); err != nil {
		return err
	}
	return s.draftDone(w, q, id, "returned")
}

func (s *Server) dropDraft(w http.ResponseWriter, q *request) error {
	id, _, err := draftAndDigest(q, "")
	if err != nil {
		return err
	}
	if err := s.cfg.Book.DropDraft(q.person.Session, id); err != nil {
		return err
	}
	s.hub.tell(changedDrafts, changedStrip)
	http.Redirect(w, q.Request, "/drafts?done=dropped", http.StatusSeeOther)
	return nil
}

func (s *Server) draftDone(w http.ResponseWriter, q *request, id uint64, done string) error {
	s.hub.tell(changedDrafts, changedStrip)
	http.Redirect(w, q.Request, draftAddress(id)+"?done="+done, http.StatusSeeOther)
	return nil
}

// draftAndDigest reads a draft's number from the address and, if it is given,
// the digest of what the officer saw.
func draftAndDigest(q *request, digest string) (id uint64, h parley.Hash, err error) {
	if id, err = strconv.ParseUint(q.PathValue("id"), 10, 53); err != nil {
		return 0, h, parley.Errorf(officer.CodeDraft, "there is no draft of that number")
	}
	if digest == "" {
		return id, h, nil
	}
	if h, err = parseHash(digest); err != nil {
		return 0, h, parley.Errorf(CodeForm, "the page does not say which text was read")
	}
	return id, h, nil
}

// findPosted looks for a released draft in this party's own log of its lane:
// an entry of the same kind, addressees and bytes, not older than its release,
// that is no other draft.
func (s *Server) findPosted(r *officer.Ready) (found parley.Ref, ok bool, err error) {
	h := s.cfg.Host
	logs, err := h.Node.Store().Logs()
	if err != nil {
		return found, false, err
	}
	since := uint64(max(r.Since.Add(-time.Minute).UnixMilli(), 0))
	for _, l := range logs {
		if l.Log.Party != h.Me() || l.Log.Lane != r.Message.Lane {
			continue
		}
		for at := l.Size; at > 0 && !ok; at-- {
			row, err := h.Node.Store().Row(l.Log, at-1)
			if err != nil {
				return found, false, err
			}
			if row.Stored < since {
				break
			}
			if row.Content == nil {
				continue
			}
			e, err := parley.ParseEntry(row.Content.Entry)
			ref := parley.Ref{Party: l.Log.Party, Lane: l.Log.Lane, Gen: l.Log.Gen, Index: at - 1, Leaf: row.Leaf.Hash()}
			if err != nil || release.Digest(parley.Draft{Lane: l.Log.Lane, Kind: e.Kind, To: e.To, Body: e.Body}) != r.Digest || r.Taken(ref) {
				continue
			}
			if !r.Two || s.spokenFor(ref, r) {
				found, ok = ref, true
			}
		}
	}
	return found, ok, nil
}

// spokenFor reports that the RELEASE before an entry carries exactly these
// approvals: the same words may have been released before.
func (s *Server) spokenFor(ref parley.Ref, r *officer.Ready) bool {
	if ref.Index == 0 {
		return false
	}
	row, err := s.cfg.Host.Node.Store().Row(ref.Log(s.cfg.Host.Signed.Channel()), ref.Index-1)
	if err != nil || row.Content == nil {
		return false
	}
	e, err := parley.ParseEntry(row.Content.Entry)
	if err != nil || e.Kind != release.KindRelease {
		return false
	}
	b, err := release.Parse(e.Kind, e.Body)
	if err != nil {
		return false
	}
	speech := b.(*release.Release)
	return speech.Drafted.Nonce == r.Drafted.Nonce && speech.Released.Nonce == r.Released.Nonce
}

// noteRoster tells the book which roster the record holds.
func (s *Server) noteRoster(v node.View) error {
	current := v.Docket.Release.Roster(s.cfg.Host.Me())
	if current == nil {
		return nil
	}
	return s.cfg.Book.NoteRoster(current.Ref, current.Roster)
}

// functionWords says what a key may do; English, as the protocol has it.
func functionWords(f release.Functions) string {
	switch f {
	case release.MayDraft:
		return "draft"
	case release.MayRelease:
		return "release"
	case release.MayDraft | release.MayRelease:
		return "draft, release"
	}
	return "nothing"
}
