package console

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"parley"
	"parley/hotline"
	"parley/internal/node"
	"parley/internal/officer"
	"parley/journal"
	"parley/release"
)

// MessagePage is one entry with everything that is known about it. The
// original is authoritative; a translation stands beside it.
type MessagePage struct {
	Page
	Entry        EntryRow
	Message      *hotline.Message // nil for a call, a question or a proposal
	Action       []string
	Info         []string
	InfoLane     parley.Lane
	Wording      *Wording      // of a proposed line
	Standing     []Stance      // of its members to it
	Translations []Translation // in the officer's language, of agreed phrases
	Beside       Beside        // written by members
	Governs      bool          // the original governs by its author's word
	Translation  *BesideRow    // what the entry is, if it is one
	Original     *EntryRow     // of a translation, if it is held
	Track        []TrackRow
	Chain        []ChainRow
	Notes        []string // English
	Proof        Proof
	Answers      []hotline.Code // that may be given at once
	Wordless     bool           // by one officer: with words they take two
	Binding      []hotline.Code // that go through release
	Open         bool           // this party has not said anything about it
	Flaw         Flaw           // why an acknowledgement was not taken
	CanAnswer    bool
	CanDraft     bool
	CanExport    bool
	Address      string // of the line it stands on
}

// Stance is what a member has said of a proposed line: accepted, refused,
// withdrawn, or nothing yet.
type Stance struct {
	Name string
	Word string // key of the word
}

// TrackRow is the way of an entry with one addressee: four receipts with their
// times, each by the clock of the party that gave it.
type TrackRow struct {
	Name     string
	Info     bool
	Lane     parley.Lane
	Steps    []TrackStep
	Standby  bool
	SayAgain bool
	Conflict bool
	Waiting  bool
}

// TrackStep is one of the receipts.
type TrackStep struct {
	Word string // received, opened, passed, answered, declined
	At   time.Time
	Ref  *parley.Ref
}

// ChainRow is one entry of the chain of references.
type ChainRow struct {
	Ref     parley.Ref
	From    string
	Time    time.Time
	Subject string
	Here    bool
}

// Proof is what the record proves about the entry, and by whom.
type Proof struct {
	Place     string
	Leaf      string
	Size      uint64 // of the author's signed head that covers it; 0 none here yet
	Claimed   time.Time
	Stored    time.Time // when this node stored it
	Receipts  []Stamp
	Witnesses []Stamp
	Quorum    bool
	Witnessed time.Time // not after, by the charter's quorum
	Release   release.Status
}

// Stamp is a statement with its giver and time; zero if it gave none.
type Stamp struct {
	Name  string
	At    time.Time
	Blind bool // it holds the commitment alone: the entry was not addressed to it
}

func (s *Server) message(w http.ResponseWriter, q *request) error {
	if to := s.elsewhere(q); to != "" {
		http.Redirect(w, q.Request, to, http.StatusSeeOther)
		return nil
	}
	p, err := s.messagePage(q)
	if err != nil {
		return err
	}
	return s.render(w, q, http.StatusOK, "message", p)
}

// elsewhere is the address that shows what an entry of the release desk is
// about: of a RELEASE the entry behind it, of a ROSTER the page of the record.
func (s *Server) elsewhere(q *request) string {
	r, err := s.refOf(q)
	if err != nil {
		return ""
	}
	log := r.Log(s.cfg.Host.Signed.Channel())
	row, err := s.cfg.Host.Node.Store().Row(log, r.Index)
	if err != nil || row.Content == nil {
		return ""
	}
	e, err := parley.ParseEntry(row.Content.Entry)
	switch {
	case err != nil:
	case e.Kind == release.KindRoster:
		return "/record#rosters"
	case e.Kind == release.KindRelease:
		if next, err := s.cfg.Host.Node.Store().Row(log, r.Index+1); err == nil {
			r.Index, r.Leaf = r.Index+1, next.Leaf.Hash()
			return "/message/" + placeOf(r) + "#proof"
		}
	}
	return ""
}

// printed is the same as a plain page for paper.
func (s *Server) printed(w http.ResponseWriter, q *request) error {
	p, err := s.messagePage(q)
	if err != nil {
		return err
	}
	p.View = "print"
	s.note(q, "entry "+p.Entry.Ref.Long(), "printed")
	return s.render(w, q, http.StatusOK, "print", p)
}

// refOf finds the entry that an address names.
func (s *Server) refOf(q *request) (parley.Ref, error) {
	r, ok := parsePlace(q.PathValue("place"))
	none := parley.Errorf(CodeNoEntry, "this record has no entry of that number")
	if !ok {
		return r, none
	}
	row, err := s.cfg.Host.Node.Store().Row(r.Log(s.cfg.Host.Signed.Channel()), r.Index)
	if err != nil {
		return r, none
	}
	r.Leaf = row.Leaf.Hash()
	return r, nil
}

func (s *Server) messagePage(q *request) (*MessagePage, error) {
	ref, err := s.refOf(q)
	if err != nil {
		return nil, err
	}
	p := &MessagePage{Page: s.page(q, "message", ref.String())}
	p.CanAnswer, p.CanDraft, p.CanExport = q.person.Can(officer.Answer), q.person.Can(officer.DraftMessage), q.person.Can(officer.Export)
	if err := s.cfg.Host.Node.Do(q.Context(), func(v node.View) { s.fillMessage(v, ref, p) }); err != nil {
		return nil, err
	}
	if p.Entry.Kind == "" {
		return nil, parley.Errorf(CodeNodes, "%s is held here and says nothing to officers", ref)
	}
	p.Type = p.Entry.Type
	p.Wordless = s.cfg.Book.Two(p.Entry.Line, parley.Draft{Lane: ref.Lane, Kind: hotline.KindAnswer})
	if t := p.Message; t != nil && t.Text != nil {
		p.Translations = translations(t.Text.Text, t.Text.Language, q.loc.Lang())
		p.Beside.Inside = s.asides(q, ref, p.CanDraft)
	}
	p.Address = fmt.Sprintf("/lines/%d", p.Entry.Line)
	return p, s.proveEntry(ref, &p.Proof)
}

// fillMessage reads the desks, inside node.Do.
func (s *Server) fillMessage(v node.View, ref parley.Ref, p *MessagePage) {
	d, c, me := v.Docket.Hotline, s.cfg.Host.Charter(), s.cfg.Host.Me()
	p.Entry = s.entryRow(v, ref)
	if p.Entry.Kind == "" {
		return
	}
	p.Proof.Place, p.Proof.Leaf, p.Proof.Claimed = ref.Long(), ref.Leaf.String(), p.Entry.Time
	p.Proof.Release = v.Docket.Release.Of(ref)
	if v.Station != nil {
		for _, l := range v.Station.Logs() {
			if l.Log == ref.Log(s.cfg.Host.Signed.Channel()) && l.Signed.Size > ref.Index {
				p.Proof.Size = l.Signed.Size
			}
		}
	}
	var as []hotline.Addressee
	if x, ok := d.TranslationOf(ref); ok {
		s.fillTranslation(v, x, p)
	} else if m, ok := d.Message(ref); ok {
		p.Beside, p.Governs = s.beside(v, ref), m.Text != nil && m.Text.Governs
		p.Message, p.Notes, as = m, m.Notes, m.Addressees
		p.Proof.Stored = m.Stored
	} else if x, ok := d.QuestionOf(ref); ok {
		as = x.Addressees
	}
	for _, a := range as {
		if a.Info {
			p.Info, p.InfoLane = append(p.Info, d.Name(a.Party)), a.Lane
		} else {
			p.Action = append(p.Action, d.Name(a.Party))
		}
		p.Track = append(p.Track, trackOf(d.Name(a.Party), a))
		p.Open = p.Open || a.Party == me && !a.Opened.Given()
	}
	if x, ok := d.ProposalOf(ref); ok {
		p.Wording = s.wording(x.Line)
		for _, m := range x.Line.Members.Parties() {
			word := "accepted"
			if slices.Contains(x.Waiting, m) {
				word = "waiting"
			} else if slices.Contains(x.Refused, m) {
				word = "refused"
			}
			p.Standing = append(p.Standing, Stance{memberName(c, m), word})
		}
	}
	p.Answers, p.Binding = answersTo(p.Entry, c, me)
	for _, r := range d.Chain(ref, 100) {
		e := s.entryRow(v, r)
		p.Chain = append(p.Chain, ChainRow{r, e.From, e.Time, short(e.Subject, e.Text), r == ref})
	}
	if len(p.Chain) == 1 {
		p.Chain = nil
	}
}

// short is the first words of a text for a list: at most 70 characters, and at
// most 180 bytes, since the book of officers keeps 200. A letter of Hindi has
// three.
func short(subject, text string) string {
	if subject == "" {
		subject = text
	}
	n := 0
	for i, r := range subject {
		if n++; n > 70 || i+utf8.RuneLen(r) > 180 {
			return strings.TrimSpace(subject[:i]) + "…"
		}
	}
	return subject
}

func trackOf(name string, a hotline.Addressee) TrackRow {
	t := TrackRow{Name: name, Info: a.Info, Lane: a.Lane, Standby: a.Standby, SayAgain: a.SayAgain, Conflict: a.Conflict, Waiting: a.Waiting}
	add := func(word string, m hotline.Mark) {
		x := TrackStep{Word: word, Ref: m.Ref}
		if m.Given() {
			x.At = moment(m.Time)
		}
		t.Steps = append(t.Steps, x)
	}
	add("received", a.Received)
	add("opened", a.Opened)
	add("passed", a.Passed)
	if a.Declined.Given() {
		add("declined", a.Declined)
	}
	if a.Answered.Given() || !a.Declined.Given() {
		add("answered", a.Answered)
	}
	return t
}

// answersTo lists the answers that this party may give: those that only say
// how far the entry has come, at once; those that bind the party, as drafts
// that go the way of every message.
func answersTo(e EntryRow, c *parley.Charter, me parley.Party) (now, binding []hotline.Code) {
	switch {
	case e.Kind == "proposal":
		return nil, []hotline.Code{hotline.Wilco, hotline.Negative, hotline.Declined}
	case e.Mine || e.Malformed != "" || e.Kind == "answer" || e.Kind == "translation":
		return nil, nil
	case e.Kind == "question":
		return []hotline.Code{hotline.Opened, hotline.Standby}, []hotline.Code{hotline.Affirm, hotline.Negative, hotline.Declined}
	}
	if !slices.Contains(e.To, c.Member(me).Name) {
		return nil, nil
	}
	return []hotline.Code{hotline.Opened, hotline.Passed, hotline.Roger, hotline.Standby, hotline.SayAgain},
		[]hotline.Code{hotline.Wilco, hotline.Affirm, hotline.Negative, hotline.Unable, hotline.Declined}
}

// proveEntry reads the cosignatures that cover the entry.
func (s *Server) proveEntry(ref parley.Ref, p *Proof) error {
	h := s.cfg.Host
	c := h.Charter()
	log := ref.Log(h.Signed.Channel())
	row, err := h.Node.Store().Row(log, ref.Index)
	if err != nil {
		return err
	}
	cs, err := h.Node.Store().Cosigs(log, ref.Index+1)
	if err != nil {
		return err
	}
	for _, r := range journal.Receipts(c, log, cs, ref.Index) {
		blind := r.By != ref.Party && !row.Leaf.To.Includes(r.By)
		p.Receipts = append(p.Receipts, Stamp{c.Member(r.By).Name, moment(r.Time), blind})
	}
	for _, w := range c.Witnesses {
		x := Stamp{Name: w.Name}
		for _, g := range cs {
			if g.Name == w.Name && g.Size > ref.Index && g.Time != 0 && (x.At.IsZero() || moment(g.Time).Before(x.At)) {
				x.At = moment(g.Time)
			}
		}
		p.Witnesses = append(p.Witnesses, x)
	}
	quorum, err := c.Quorum()
	p.Quorum = err == nil && !quorum.None()
	if t, ok := journal.Witnessed(c, cs, ref.Index); ok {
		p.Witnessed = moment(t)
	}
	return nil
}
