package locale

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// English is the language that every catalogue is translated from.
const English = "en"

// Locale writes in one language.
type Locale struct {
	catalogue
	english *Locale // itself, in English
}

// Languages lists the languages in the order in which a choice shows them: by
// their codes.
func Languages() []*Locale { return slices.Clone(all) }

// For is the locale of a language code such as "ur"; of a code that has no
// catalogue it is English.
func For(lang string) *Locale {
	for _, l := range all {
		if l.lang == lang {
			return l
		}
	}
	return all[0]
}

// Match chooses a language from an Accept-Language header: the first one
// listed that has a catalogue, or English. Weights are not compared, since
// browsers list languages in the order of preference.
func Match(header string) *Locale {
	for part := range strings.SplitSeq(header, ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		lang, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if l := For(lang); l.lang == lang {
			return l
		}
	}
	return For(English)
}

// Lang is the code for the attribute lang, such as "hi".
func (l *Locale) Lang() string { return l.lang }

// Name is the language's own name.
func (l *Locale) Name() string { return l.name }

// Dir is "ltr" or "rtl", for the attribute dir.
func (l *Locale) Dir() string { return l.dir }

// Has reports whether the language or English has the key.
func (l *Locale) Has(key string) bool {
	_, ok := l.messages[key]
	return ok || l != l.english && l.english.Has(key)
}

// T is the message with its arguments in place. Strings, IDs, integers and
// what fmt.Sprint makes of anything else may be arguments; of a message with
// plural forms the first must be an integer. A key missing here is taken from
// English; one missing there too is returned itself, between ⟦ ⟧, so that the
// page works and the mistake is seen.
func (l *Locale) T(key string, args ...any) string {
	m, ok := l.messages[key]
	if !ok {
		if l != l.english {
			return l.english.T(key, args...)
		}
		return "⟦" + key + "⟧"
	}
	return l.fill(m.form(l, args), args)
}

// Enum is the message of one value of an enumeration: Enum("lane", "FLASH") is
// lane.flash. Value is what the value's String method prints; a value that the
// catalogue does not know yet is returned as it is.
func (l *Locale) Enum(prefix string, value any) string {
	word := fmt.Sprint(value)
	key := prefix + "." + strings.ReplaceAll(strings.ToLower(word), " ", "-")
	if !l.Has(key) {
		return l.argument(word)
	}
	return l.T(key)
}

// Text is a text with the language that it is in.
type Text struct{ Text, Lang, Dir string }

// Error is what to tell an officer about an error code: the message
// error.CODE, or the English given where there is none, marked as English.
// The codes' own remedies are English; those that officers meet are translated.
func (l *Locale) Error(code, english string) Text {
	if m, ok := l.messages["error."+code]; ok {
		return Text{m.text, l.lang, l.dir}
	}
	return Text{english, English, "ltr"}
}

// ID is an argument that always runs from left to right: the name of an entry
// such as 2/FLASH/17, a fingerprint, an address, a time.
type ID string

// Directional control characters.
const (
	ltrIsolate   = '\u2066'
	firstIsolate = '\u2068'
	popIsolate   = '\u2069'
)

// fill puts the arguments into a text.
func (l *Locale) fill(text string, args []any) string {
	if !strings.Contains(text, "{") {
		return text
	}
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, _ := strings.Cut(rest, "}")
		if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(args) {
			b.WriteString(l.argument(args[i]))
		} else {
			b.WriteString("{" + name + "}")
		}
		text = after
	}
}

// argument writes one argument so that it cannot disturb the sentence.
func (l *Locale) argument(x any) string {
	switch x := x.(type) {
	case int, int64, uint64, uint8, uint32:
		return l.isolate(ltrIsolate, group(fmt.Sprint(x)))
	case ID:
		return l.isolate(ltrIsolate, tame(string(x)))
	case plain:
		return string(x)
	}
	return l.isolate(firstIsolate, tame(fmt.Sprint(x)))
}

// isolate encloses s where it could meet text of the other direction: always
// in a language from right to left, else only if s has letters that run so.
func (l *Locale) isolate(with rune, s string) string {
	if l.dir == "ltr" && !strings.ContainsFunc(s, rightToLeft) {
		return s
	}
	return string(with) + s + string(popIsolate)
}

// rightToLeft reports the blocks of Unicode that hold scripts written from
// right to left.
func rightToLeft(r rune) bool {
	return r >= 0x590 && r <= 0x8ff || r >= 0xfb1d && r <= 0xfdff || r >= 0xfe70 && r <= 0xfeff ||
		r >= 0x10800 && r <= 0x10fff || r >= 0x1e800 && r <= 0x1efff
}

// tame replaces the control characters of direction.
func tame(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x61c {
			return '\ufffd'
		}
		return r
	}, s)
}

// List joins texts as a sentence does: "A, B and C".
func (l *Locale) List(xs []string) string {
	switch len(xs) {
	case 0:
		return ""
	case 1:
		return l.argument(xs[0])
	}
	s := l.argument(xs[0])
	for _, x := range xs[1 : len(xs)-1] {
		s += l.T("list.comma") + l.argument(x)
	}
	return s + l.T("list.and") + l.argument(xs[len(xs)-1])
}

// Funcs are the functions for html/template: t, enum, list, dtg, zulu, clock,
// date, at, lasting, ago, number, lang and dir.
func (l *Locale) Funcs() map[string]any {
	return map[string]any{
		"t": l.T, "enum": l.Enum, "list": l.List, "lang": l.Lang, "dir": l.Dir,
		"dtg": DTG, "zulu": Zulu, "clock": Clock, "date": l.Date, "at": l.At,
		"lasting": l.Lasting, "ago": l.Ago, "number": Number,
	}
}
