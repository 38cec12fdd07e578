package hotline

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"parley"
)

// Fit says how a translation stands beside its original.
type Fit uint8

const (
	FitStands       Fit = iota // the newest of its author in this language and status
	FitReplaced                // its author wrote a newer one
	FitWaiting                 // the original is not in this record
	FitNoMessage               // what it names is no message, or a malformed one
	FitNotReader               // its author neither wrote the original nor reads it
	FitTooWide                 // it reaches members whom the original does not
	FitSameLanguage            // the original says that it is in this language
	FitNoEffect                // it, or the original, stands under a revoked key
)

var fitNames = []string{"stands", "replaced", "waiting", "no-message", "not-a-reader", "too-wide", "same-language", "no-effect"}

func (f Fit) String() string { return nameOf(fitNames, int(f)) }

// fitWords say in a printed message why a translation changes nothing.
var fitWords = []string{"", "", "its original is not in this record", "what it names is no message", "by no reader of the original",
	"reaches members who do not read the original", "in the language of the original", "under a revoked key"}

// Translated is a translation as this desk sees it. Its status is the word of
// Author and is shown with that member's name.
type Translated struct {
	Ref         parley.Ref
	Author      parley.Party
	To          parley.Audience // readers, spelled out
	Time        uint64          // its author's claim
	Stored      time.Time
	Standing    parley.Standing
	Translation *Translation // nil if malformed
	Malformed   error
	Type        Type // of the original; meaningful where Fit is not FitWaiting
	Fit         Fit
	Replaced    *parley.Ref // by this one, where Fit is FitReplaced
}

// Counts reports whether it stands beside its original as a translation of it,
// the newest or an earlier one.
func (t *Translated) Counts() bool { return t.Fit == FitStands || t.Fit == FitReplaced }

// Translations lists what was written as a translation of an entry, held or
// not: first those that stand, by language, author and status, so that no
// member's comes first for what it says of itself; then the others, newest
// first.
func (d *Desk) Translations(about parley.Ref) []Translated {
	rs := d.beside[about]
	if len(rs) == 0 {
		return nil
	}
	out := make([]Translated, 0, len(rs))
	newer := map[version]*record{}
	for _, r := range slices.SortedFunc(slices.Values(rs), newest) {
		x := d.translated(r)
		if x.Fit == FitStands {
			v := versionOf(r)
			if n := newer[v]; n != nil {
				x.Fit, x.Replaced = FitReplaced, &n.ref
			} else {
				newer[v] = r
			}
		}
		out = append(out, x)
	}
	slices.SortStableFunc(out, func(a, b Translated) int {
		if as, bs := a.Fit == FitStands, b.Fit == FitStands; !as || !bs {
			return cmp.Compare(order(!as), order(!bs))
		}
		return cmp.Or(cmp.Compare(fold(a.Translation.Language), fold(b.Translation.Language)),
			cmp.Compare(a.Author, b.Author), cmp.Compare(a.Translation.Status, b.Translation.Status))
	})
	return out
}

func order(later bool) int {
	if later {
		return 1
	}
	return 0
}

// TranslationOf returns one translation, with how it stands.
func (d *Desk) TranslationOf(ref parley.Ref) (*Translated, bool) {
	r := d.records[ref]
	if r == nil || r.kind != KindTranslation {
		return nil, false
	}
	t, ok := r.body.(*Translation)
	if !ok {
		return &Translated{Ref: r.ref, Author: r.ref.Party, To: r.readers, Time: r.time, Stored: r.stored, Standing: r.standing,
			Malformed: r.bad, Fit: FitNoEffect}, true
	}
	all := d.Translations(t.About)
	i := slices.IndexFunc(all, func(x Translated) bool { return x.Ref == ref })
	return &all[i], true
}

// Unplaced lists the translations whose original is not in this record or is
// no message, newest first. No message shows them.
func (d *Desk) Unplaced() []Translated {
	var rs []*record
	for about, beside := range d.beside { // not the whole record
		if m := d.records[about]; m == nil || m.kind != KindText || m.bad != nil {
			rs = append(rs, beside...)
		}
	}
	slices.SortFunc(rs, newest)
	var out []Translated
	for _, r := range rs {
		out = append(out, d.translated(r))
	}
	return out
}

// version names the translations of which the newest replaces the others.
type version struct {
	by       parley.Party
	language string
	status   Status
}

func versionOf(r *record) version {
	t := r.body.(*Translation)
	return version{r.ref.Party, fold(t.Language), t.Status}
}

// fold makes language tags comparable: their case has no meaning (RFC 5646
// section 2.1.1). They are ASCII.
func fold(tag string) string { return strings.ToLower(tag) }

// translated judges a translation without regard to others.
func (d *Desk) translated(r *record) Translated {
	x := Translated{Ref: r.ref, Author: r.ref.Party, To: r.readers, Time: r.time, Stored: r.stored, Standing: r.standing}
	x.Translation = r.body.(*Translation)
	m := d.records[x.Translation.About]
	if m == nil {
		x.Fit = FitWaiting
		return x
	}
	_, x.Type = m.line()
	t, ok := m.body.(*Text)
	switch {
	case !ok:
		x.Fit = FitNoMessage
	case !r.standing.Effective() || !m.standing.Effective():
		x.Fit = FitNoEffect
	case circle(m)&parley.AudienceOf(r.ref.Party) == 0:
		x.Fit = FitNotReader
	case r.readers&^circle(m) != 0:
		x.Fit = FitTooWide
	case t.Language != "" && fold(t.Language) == fold(x.Translation.Language):
		x.Fit = FitSameLanguage
	}
	return x
}

// circle is the author of a message with its readers.
func circle(m *record) parley.Audience { return m.readers | parley.AudienceOf(m.ref.Party) }

// Translate drafts a translation of a message: in its lane, to its author and
// all its readers.
func (d *Desk) Translate(t *Translation) (parley.Draft, error) {
	if _, err := d.original(t); err != nil {
		return parley.Draft{}, err
	}
	return Draft(t, t.About.Lane, d.ReplyTo(t.About)), nil
}

// original is the message that t translates.
func (d *Desk) original(t *Translation) (*record, error) {
	m := d.records[t.About]
	if m == nil || m.kind != KindText || m.bad != nil {
		return nil, parley.Errorf(CodeNoSuchEntry, "%s is no message in this record", t.About)
	}
	return m, nil
}

func (d *Desk) checkTranslation(t *Translation, readers parley.Audience) error {
	m, err := d.original(t)
	if err != nil {
		return err
	}
	old := m.body.(*Text)
	switch {
	case circle(m)&parley.AudienceOf(d.me) == 0:
		return parley.Errorf(CodeNotReader, "%s is not addressed to this member", t.About)
	case readers&^circle(m) != 0:
		return parley.Errorf(CodeTooWide, "the translation of %s goes to %s, who would not read the original", t.About, d.names(readers&^circle(m)))
	case old.Language != "" && fold(old.Language) == fold(t.Language):
		return parley.Errorf(CodeSameLanguage, "%s is in the language %q itself", t.About, old.Language)
	case !m.standing.Effective():
		return parley.Errorf(CodeNoSuchEntry, "%s has no effect: %s", t.About, m.standing)
	}
	return nil
}

// names lists members by their names in the charter.
func (d *Desk) names(a parley.Audience) string {
	var ns []string
	for _, p := range a.Parties() {
		ns = append(ns, d.Name(p))
	}
	return strings.Join(ns, ", ")
}
