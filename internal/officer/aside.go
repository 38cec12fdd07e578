package officer

import (
	"cmp"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"parley"
)

// Aside is a translation of an entry that never leaves the house: it stands in
// the book only, its text sealed and apart from the journal like a draft's.
// The book does not look into language and status; they are the hotline's.
type Aside struct {
	ID         uint64
	About      parley.Ref
	Language   string // BCP 47
	Status     uint8
	Translator string // an office or agency; may be empty
	Text       string // at most 32 KiB
	By         ID
	At         time.Time
}

// maxAsides bounds the asides of a book; their texts are in memory.
const maxAsides = 512

// asideText is what of an aside is kept apart.
type asideText struct{ Aside }

func (v *asideText) fields(c *coder) {
	c.text(&v.Language, 35)
	number(c, &v.Status, 255)
	c.text(&v.Translator, 64)
	c.text(&v.Text, 32<<10)
}

// aside is an Aside in the state.
type aside struct {
	id    uint64
	about parley.Ref
	text  parley.Hash
	by    ID
	at    time.Time
}

// asideEvent keeps an aside.
type asideEvent struct {
	ID    uint64
	About parley.Ref
	Text  parley.Hash
}

func (v *asideEvent) act() Act { return ActAside }
func (v *asideEvent) fields(c *coder) {
	number(c, &v.ID, parley.MaxUint)
	c.ref(&v.About)
	c.hash(&v.Text)
}
func (v *asideEvent) apply(s *state, e *entry) error {
	if v.ID != s.nextAside {
		return unfit(e, "aside %d", v.ID)
	}
	s.asides[v.ID] = &aside{v.ID, v.About, v.Text, e.Actor, e.Time}
	s.nextAside++
	return nil
}
func (v *asideEvent) detail() string { return fmt.Sprintf("%d, of %s", v.ID, v.About) }

// asideGone removes an aside; that it was there stays in the journal.
type asideGone struct{ ID uint64 }

func (v *asideGone) act() Act        { return ActAsideGone }
func (v *asideGone) fields(c *coder) { number(c, &v.ID, parley.MaxUint) }
func (v *asideGone) apply(s *state, e *entry) error {
	if s.asides[v.ID] == nil {
		return unfit(e, "aside %d", v.ID)
	}
	delete(s.asides, v.ID)
	return nil
}
func (v *asideGone) detail() string { return itoa(v.ID) }

// KeepAside keeps a translation inside the house, as the session's officer's.
// ID, By and At are the book's to fill in.
func (b *Book) KeepAside(s *Session, a Aside) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, DraftMessage, Object{Lane: a.About.Lane}); err != nil {
		return err
	}
	if a.Text == "" || len(a.Text) > 32<<10 || len(a.Language) > 35 || len(a.Translator) > 64 ||
		!utf8.ValidString(a.Text) || !utf8.ValidString(a.Language) || !utf8.ValidString(a.Translator) {
		return parley.Errorf(CodeContent, "the translation is empty or too long")
	}
	if len(b.state.asides) >= maxAsides {
		return parley.Errorf(CodeAsides, "the book keeps %d translations", maxAsides)
	}
	x := b.batch(s)
	h, err := b.keep(x, encode(&asideText{a}))
	if err != nil {
		return err
	}
	return b.commit(x.add(object("translation", b.state.nextAside), &asideEvent{b.state.nextAside, a.About, h}))
}

// DropAside removes one of them. Its text is destroyed.
func (b *Book) DropAside(s *Session, id uint64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.may(s, DraftMessage, Object{}); err != nil {
		return err
	}
	a := b.state.asides[id]
	if a == nil {
		return parley.Errorf(CodeAside, "there is no translation %d", id)
	}
	x := b.batch(s).add(object("translation", id), &asideGone{id})
	x.drop = []parley.Hash{a.text}
	return b.commit(x)
}

// Asides lists what is kept of an entry, oldest first.
func (b *Book) Asides(about parley.Ref) (list []Aside) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.state.asides {
		var t asideText
		if a.about == about && b.text(a.text, &t) == nil {
			out := t.Aside
			out.ID, out.About, out.By, out.At = a.id, a.about, a.by, a.at
			list = append(list, out)
		}
	}
	slices.SortFunc(list, func(x, y Aside) int { return cmp.Compare(x.ID, y.ID) })
	return list
}
