package officer

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"parley"
	"parley/release"
)

// content is the text of a draft as it is kept.
type content struct{ Content }

func (v *content) fields(c *coder) {
	m := &v.Message
	number(c, &v.Line, parley.MaxUint)
	number(c, &m.Lane, parley.Lanes-1)
	number(c, &m.Kind, parley.MaxUint)
	number(c, &m.To, 1<<32-1)
	c.bytes(&m.Body, parley.MaxEntry)
	c.text(&v.Subject, 200)
	c.bytes(&v.Form, 256<<10)
}

// approval is an officer's assertion as it is kept.
type approval struct{ release.Approval }

func (v *approval) fields(c *coder) {
	c.key(&v.Key)
	c.hash(&v.Nonce)
	c.bytes(&v.AuthData, release.MaxAuthData)
	c.bytes(&v.ClientData, release.MaxClientData)
	c.bytes(&v.Signature, release.MaxSignature)
}

// text reads a kept text into a record.
func (b *Book) text(h parley.Hash, r record) error {
	var bl blob
	if err := decode(b.texts[h], &bl); err != nil {
		return parley.Errorf(CodeBook, "a text of a draft: %w", err)
	}
	return decode(bl.Data, r)
}

// draft is a draft for the caller. One that was posted or dropped has no text.
func (b *Book) draft(d *draft) (*Draft, error) {
	out := d.Draft
	if d.State.Open() {
		var c content
		if err := b.text(d.text, &c); err != nil {
			return nil, err
		}
		out.Content, out.Digest = c.Content, release.Digest(c.Message)
	}
	if d.State < Releasing {
		out.Persons = b.persons(d)
	}
	return &out, nil
}

// persons is how many officers the rule asks for.
func (b *Book) persons(d *draft) int {
	return b.takes(d.Roster, d.Line, d.Message.Lane)
}

// takes is how many persons let out a roster, or a message of a line and lane.
func (b *Book) takes(roster bool, line uint64, lane parley.Lane) int {
	if roster {
		return 2
	}
	return b.state.rule(line, lane).Persons
}

// SaveDraft keeps a new draft (id 0), or an edit of the revision that the page
// was made from. An edit voids what was approved; two pages that edit the same
// revision do not overwrite each other (CodeStale).
func (b *Book) SaveDraft(s *Session, id, rev uint64, c Content) (*Draft, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, DraftMessage, Object{Draft: id}); err != nil {
		return nil, err
	}
	if c.Message.Kind == release.KindRoster || c.Message.Kind == release.KindRelease {
		return nil, parley.Errorf(CodeContent, "rosters and releases are made by the book")
	}
	if id == 0 {
		return b.newDraft(s, c, false)
	}
	d := b.state.drafts[id]
	switch {
	case d == nil || d.Roster:
		return nil, parley.Errorf(CodeDraft, "there is no draft %d to edit", id)
	case d.State > Returned:
		return nil, parley.Errorf(CodeState, "draft %d is %s", id, d.State)
	case d.Rev != rev:
		return nil, parley.Errorf(CodeStale, "draft %d is at revision %d by now", id, d.Rev)
	}
	x := b.batch(s)
	x.drop = d.held()
	return b.save(x, d.ID, d.Rev+1, c, false)
}

func (b *Book) newDraft(s *Session, c Content, roster bool) (*Draft, error) {
	open := 0
	for _, d := range b.state.drafts {
		if d.State.Open() {
			open++
		}
	}
	if open >= maxDrafts {
		return nil, parley.Errorf(CodeContent, "%d drafts are open; release or drop some", open)
	}
	return b.save(b.batch(s), b.state.nextDoc, 1, c, roster)
}

func (b *Book) save(x *batch, id, rev uint64, c Content, roster bool) (*Draft, error) {
	if len(c.Message.Body) == 0 || len(c.Message.Body) > parley.MaxEntry || len(c.Subject) > 200 || len(c.Form) > 256<<10 ||
		!utf8.ValidString(c.Subject) || c.Message.Lane >= parley.Lanes || c.Line > parley.MaxUint {
		return nil, parley.Errorf(CodeContent, "the draft is empty or too long")
	}
	h, err := b.keep(x, encode(&content{c}))
	if err != nil {
		return nil, err
	}
	x.add(object("draft", id), &saved{Draft: id, Rev: rev, Line: c.Line, Lane: c.Message.Lane, Text: h, Roster: roster})
	if err := b.commit(x); err != nil {
		return nil, err
	}
	return b.draft(b.state.drafts[id])
}

// Drafts lists the open drafts, oldest first.
func (b *Book) Drafts() []Draft {
	return b.list(func(d *draft) bool { return d.State.Open() }, 1, maxDrafts)
}

// History lists the last n that were posted or dropped, newest first, without
// their texts: the record holds what was said.
func (b *Book) History(n int) []Draft {
	return b.list(func(d *draft) bool { return !d.State.Open() }, -1, n)
}

func (b *Book) list(want func(*draft) bool, direction, n int) (list []Draft) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ids := slices.SortedFunc(maps.Keys(b.state.drafts), func(x, y uint64) int { return direction * cmp.Compare(x, y) })
	for _, id := range ids {
		if d := b.state.drafts[id]; want(d) && len(list) < n {
			if out, err := b.draft(d); err == nil {
				list = append(list, *out)
			}
		}
	}
	return list
}

// Draft is one of them.
func (b *Book) Draft(id uint64) (*Draft, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if d := b.state.drafts[id]; d != nil {
		return b.draft(d)
	}
	return nil, parley.Errorf(CodeDraft, "there is no draft %d", id)
}

// View is Draft for a page that shows it to the session's officer: from now on
// he has seen these bytes. Seeing the same again does not begin anew.
func (b *Book) View(s *Session, id uint64) (*Draft, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, ReadRecord, Object{Draft: id}); err != nil {
		return nil, err
	}
	d := b.state.drafts[id]
	if d == nil {
		return nil, parley.Errorf(CodeDraft, "there is no draft %d", id)
	}
	out, err := b.draft(d)
	if err != nil {
		return nil, err
	}
	if l := b.live[s.Hash]; d.State.Open() && l.views[id].digest != out.Digest {
		l.views[id] = view{out.Digest, b.cfg.Now()}
	}
	return out, nil
}

// ReturnDraft gives a submitted draft back to its drafter, who learns why.
func (b *Book) ReturnDraft(s *Session, id uint64, digest parley.Hash, reason string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, ReturnDraft, Object{Draft: id}); err != nil {
		return err
	}
	d, _, err := b.standing(id, digest)
	if err != nil {
		return err
	}
	if d.State != Submitted {
		return parley.Errorf(CodeState, "draft %d is %s", id, d.State)
	}
	if reason = strings.TrimSpace(reason); reason == "" {
		return parley.Errorf(CodeReason, "a draft is returned with a reason")
	}
	x := b.batch(s).add(object("draft", id), &moved{name: ActReturned, Draft: id, Why: clip(reason, 2000)})
	x.drop = d.held()[1:]
	return b.commit(x)
}

// standing finds a draft whose bytes are those that the officer saw.
func (b *Book) standing(id uint64, digest parley.Hash) (*draft, *Draft, error) {
	d := b.state.drafts[id]
	if d == nil {
		return nil, nil, parley.Errorf(CodeDraft, "there is no draft %d", id)
	}
	if !d.State.Open() {
		return nil, nil, parley.Errorf(CodeState, "draft %d is %s", id, d.State)
	}
	out, err := b.draft(d)
	if err != nil {
		return nil, nil, err
	}
	if out.Digest != digest {
		return nil, nil, parley.Errorf(CodeStale, "draft %d says something else by now", id)
	}
	return d, out, nil
}

// DropDraft gives a draft up. Its text is destroyed.
func (b *Book) DropDraft(s *Session, id uint64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, DraftMessage, Object{Draft: id}); err != nil {
		return err
	}
	d := b.state.drafts[id]
	if d == nil || d.State >= Releasing {
		return parley.Errorf(CodeState, "draft %d cannot be dropped any more", id)
	}
	x := b.batch(s).add(object("draft", id), &moved{name: ActDropped, Draft: id})
	x.drop = d.held()
	return b.commit(x)
}
