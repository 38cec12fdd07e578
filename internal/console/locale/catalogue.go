package locale

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

//go:embed catalogues/*.json
var files embed.FS

// catalogue is what the files of one language hold.
type catalogue struct {
	lang, name, dir string
	messages        map[string]message
	review          map[string]bool // keys translated without a fluent officer
}

// file is one catalogue file. Name and Dir stand in the language's main file.
type file struct {
	Name     string             `json:"name,omitempty"`
	Dir      string             `json:"dir,omitempty"`
	Note     string             `json:"note,omitempty"`
	Approved map[string]message `json:"approved"`
	Review   map[string]message `json:"to be reviewed"`
}

// message is one text, or one for each plural form.
type message struct {
	text  string
	forms map[string]string // "one", "other"
}

func (m *message) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		return json.Unmarshal(b, &m.forms)
	}
	return json.Unmarshal(b, &m.text)
}

// texts lists the message's forms.
func (m message) texts() map[string]string {
	if m.forms == nil {
		return map[string]string{"": m.text}
	}
	return m.forms
}

// form is the text for the given arguments.
func (m message) form(l *Locale, args []any) string {
	if m.forms == nil {
		return m.text
	}
	if len(args) > 0 && one(l.lang, args[0]) {
		return m.forms["one"]
	}
	return m.forms["other"]
}

// one reports whether n takes the form "one". The Unicode CLDR (plural rules,
// version 45) has two forms for each of these languages: in Hindi "one" is for
// 0 and 1, in English and Urdu for 1.
func one(lang string, n any) bool {
	switch fmt.Sprint(n) {
	case "1":
		return true
	case "0":
		return lang == "hi"
	}
	return false
}

// all holds a locale for each language, English first, then by code.
var all = load()

// load reads the embedded catalogues. They are part of the program: a mistake
// in one is a mistake in the program, and a test meets it first.
func load() []*Locale {
	names, err := files.ReadDir("catalogues")
	if err != nil {
		panic(err)
	}
	by := map[string]*Locale{}
	for _, e := range names {
		lang, _, _ := strings.Cut(strings.TrimSuffix(e.Name(), ".json"), "-")
		if by[lang] == nil {
			by[lang] = &Locale{catalogue: catalogue{lang: lang, messages: map[string]message{}, review: map[string]bool{}}}
		}
		if err := by[lang].add(path.Join("catalogues", e.Name())); err != nil {
			panic(fmt.Sprintf("locale: %s: %v", e.Name(), err))
		}
	}
	var out []*Locale
	for _, l := range by {
		l.english = by[English]
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b *Locale) int { return strings.Compare(a.lang, b.lang) })
	return out
}

// add reads one file of the language. A key may stand in one file and one set.
func (l *Locale) add(name string) error {
	b, err := files.ReadFile(name)
	if err != nil {
		return err
	}
	var f file
	if err := json.Unmarshal(b, &f); err != nil {
		return err
	}
	if f.Name != "" {
		l.name, l.dir = f.Name, f.Dir
	}
	for _, set := range []map[string]message{f.Approved, f.Review} {
		for key, m := range set {
			if _, ok := l.messages[key]; ok {
				return fmt.Errorf("the key %q stands twice", key)
			}
			l.messages[key] = m
		}
	}
	for key := range f.Review {
		l.review[key] = true
	}
	return nil
}
