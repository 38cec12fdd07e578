package locale

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/hotline"
)

// Every language has every English message, in the same plural forms, with the
// same arguments, and nothing else; none is empty.
func TestCatalogues(t *testing.T) {
	en := For(English)
	if len(en.messages) < 50 || len(Languages()) != 3 {
		t.Fatalf("%d messages in %d languages", len(en.messages), len(Languages()))
	}
	for _, l := range Languages() {
		if l.Name() == "" || l.Dir() != "ltr" && l.Dir() != "rtl" {
			t.Errorf("%s: name %q, direction %q", l.Lang(), l.Name(), l.Dir())
		}
		for _, key := range slices.Sorted(maps.Keys(en.messages)) {
			m, ok := l.messages[key]
			if !ok {
				t.Errorf("%s: %q is missing", l.Lang(), key)
				continue
			}
			for form, want := range en.messages[key].texts() {
				text, ok := m.texts()[form]
				switch {
				case !ok:
					t.Errorf("%s: %q has no form %q", l.Lang(), key, form)
				case strings.TrimSpace(text) == "" && key != "list.comma":
					t.Errorf("%s: %q is empty", l.Lang(), key)
				case form != "one" && !slices.Equal(placeholders(text), placeholders(want)):
					t.Errorf("%s: %q has the arguments %v, English %v", l.Lang(), key, placeholders(text), placeholders(want))
				}
			}
			if len(m.texts()) != len(en.messages[key].texts()) {
				t.Errorf("%s: %q has %d forms, English %d", l.Lang(), key, len(m.texts()), len(en.messages[key].texts()))
			}
		}
		for _, key := range slices.Sorted(maps.Keys(l.messages)) {
			if _, ok := en.messages[key]; !ok {
				t.Errorf("%s: %q is no English message", l.Lang(), key)
			}
		}
	}
}

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

func placeholders(s string) []string {
	xs := placeholder.FindAllString(s, -1)
	slices.Sort(xs)
	return xs
}

// A translation without a reviewer says so: none of Hindi and Urdu is approved
// until a fluent officer moves it, and English needs no review.
func TestReviewMarks(t *testing.T) {
	for _, l := range Languages() {
		if l == l.english {
			if len(l.review) > 0 {
				t.Errorf("English messages are marked for review: %v", l.review)
			}
			continue
		}
		for key := range l.messages {
			if !l.review[key] {
				t.Errorf("%s: %q counts as approved; name its reviewer in the file's note and change this test with it", l.Lang(), key)
			}
		}
	}
}

// Every message that a page asks for exists, and every message is asked for.
func TestKeysUsed(t *testing.T) {
	asked, literal, prefixes := pageKeys(t)
	en := For(English)
	for _, key := range slices.Sorted(maps.Keys(asked)) {
		if !en.Has(key) {
			t.Errorf("%s asks for %q, which no catalogue has", asked[key], key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(en.messages)) {
		prefix, _, _ := strings.Cut(key, ".")
		if literal[key] || prefixes[prefix] || prefix == "error" {
			continue
		}
		t.Errorf("%q is in the catalogue, and no page asks for it", key)
	}
}

var (
	calls  = regexp.MustCompile(`(?:\bt |\bT\()"([^"]+)"`)
	enums  = regexp.MustCompile(`[eE]num[ (]"([^"]+)"`)
	quoted = regexp.MustCompile(`"([a-z0-9-]+(?:\.[a-z0-9-]*)+)"`)
)

// pageKeys reads the console's sources: which keys are asked for and where,
// which stand there as a literal, and which prefixes are completed there.
func pageKeys(t *testing.T) (asked map[string]string, literal, prefixes map[string]bool) {
	asked, literal, prefixes = map[string]string{}, map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if ext := filepath.Ext(name); ext != ".html" && ext != ".go" || strings.HasSuffix(name, "_test.go") || filepath.Base(name) == "doc.go" {
			return nil
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, m := range calls.FindAllStringSubmatch(string(b), -1) {
			if strings.HasSuffix(m[1], ".") {
				prefixes[strings.TrimSuffix(m[1], ".")] = true
			} else {
				asked[m[1]], literal[m[1]] = name, true
			}
		}
		for _, m := range enums.FindAllStringSubmatch(string(b), -1) {
			prefixes[m[1]] = true
		}
		for _, m := range quoted.FindAllStringSubmatch(string(b), -1) {
			literal[m[1]] = true
			if strings.HasSuffix(m[1], ".") {
				prefixes[strings.TrimSuffix(m[1], ".")] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return asked, literal, prefixes
}

// The catalogue knows every word that the desk of the hotline prints.
func TestEnumerations(t *testing.T) {
	en := For(English)
	has := func(prefix, word string) {
		if strings.HasPrefix(word, "number ") || strings.HasPrefix(word, "lane ") || word == "" {
			return
		}
		if key := prefix + "." + strings.ReplaceAll(strings.ToLower(word), " ", "-"); !en.Has(key) {
			t.Errorf("no message %q", key)
		}
	}
	for i := range uint8(20) {
		has("lane", parley.Lane(i).String())
		has("type", hotline.Type(i).String())
		has("ack", hotline.Ack(i).String())
		has("handling", hotline.Handling(i).String())
		has("relation", hotline.Relation(i).String())
		has("answer", hotline.Code(i).String())
		has("outcome", hotline.Outcome(i).String())
		has("ask", hotline.Ask(i).String())
		has("medium", hotline.Medium(i).String())
	}
	for i := range hotline.Down + 1 {
		has("state", i.String())
	}
	for i := range parley.BeforeBreak + 1 {
		has("standing", i.String())
	}
	for _, d := range []string{hotline.DutyDeliver, hotline.DutyOpen, hotline.DutyPass, hotline.DutyAnswer, hotline.DutyConfirm,
		hotline.DutyCallBack, hotline.DutyEscalate, hotline.DutyTest} {
		has("duty", d)
	}
}

// A word of the protocol stands in every translation of it: both sides must
// read the same word, whatever their language.
func TestProtocolWords(t *testing.T) {
	words := regexp.MustCompile(`\b(?:[A-Z]{2,} ){0,3}[A-Z]{3,}\b`)
	for _, prefix := range []string{"lane.", "answer.", "banner.", "standing."} {
		for key, m := range For(English).messages {
			if !strings.HasPrefix(key, prefix) {
				continue
			}
			for _, w := range words.FindAllString(m.text, -1) {
				for _, l := range Languages() {
					if !strings.Contains(l.messages[key].text, w) {
						t.Errorf("%s: %q does not have the word %q: %q", l.Lang(), key, w, l.messages[key].text)
					}
				}
			}
		}
	}
}

// Translations are written in their own script: a text left in English by
// mistake has no letter of it.
func TestScripts(t *testing.T) {
	in := map[string]func(r rune) bool{
		"hi": func(r rune) bool { return r >= 0x900 && r <= 0x97f },
		"ur": func(r rune) bool { return r >= 0x600 && r <= 0x6ff },
	}
	for lang, is := range in {
		l := For(lang)
		for key, m := range l.messages {
			for form, text := range m.texts() {
				bare := placeholder.ReplaceAllString(text, "")
				if strings.ContainsFunc(bare, func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }) && !strings.ContainsFunc(bare, is) && !mayBeLatin[key] {
					t.Errorf("%s: %q %s is not translated: %q", lang, key, form, text)
				}
				if strings.ContainsFunc(text, func(r rune) bool {
					return r >= 0x966 && r <= 0x96f || r >= 0x660 && r <= 0x669 || r >= 0x6f0 && r <= 0x6f9
				}) {
					t.Errorf("%s: %q has digits that are not Western: %q", lang, key, text)
				}
			}
		}
	}
}

// mayBeLatin are messages that are the same in every language.
var mayBeLatin = map[string]bool{}

func TestPlurals(t *testing.T) {
	for _, c := range []struct {
		lang string
		n    any
		want bool
	}{
		{"en", 0, false}, {"en", 1, true}, {"en", 2, false}, {"en", 11, false}, {"en", uint64(1), true}, {"en", -1, false},
		{"hi", 0, true}, {"hi", 1, true}, {"hi", 2, false}, {"hi", 101, false},
		{"ur", 0, false}, {"ur", 1, true}, {"ur", 2, false}, {"ur", 21, false},
	} {
		if got := one(c.lang, c.n); got != c.want {
			t.Errorf("%s: one(%v) = %v", c.lang, c.n, got)
		}
	}
	l := &Locale{catalogue: catalogue{lang: "en", dir: "ltr", messages: map[string]message{
		"x": {forms: map[string]string{"one": "one draft", "other": "{0} drafts"}}}}}
	if got := l.T("x", 1) + ", " + l.T("x", 12345); got != "one draft, 12\u202f345 drafts" {
		t.Errorf("%q", got)
	}
}

// What stands in a sentence cannot reorder it.
func TestIsolation(t *testing.T) {
	set := map[string]message{"x": {text: "{1}: {0}"}}
	ltr := &Locale{catalogue: catalogue{lang: "en", dir: "ltr", messages: set}}
	rtl := &Locale{catalogue: catalogue{lang: "ur", dir: "rtl", messages: set}}
	for _, c := range []struct {
		l    *Locale
		args []any
		want string
	}{
		{ltr, []any{"Pakistan", 3}, "3: Pakistan"},
		{ltr, []any{"پاکستان", ID("2/FLASH/17")}, "2/FLASH/17: \u2068پاکستان\u2069"},
		{rtl, []any{"Pakistan", ID("2/FLASH/17")}, "\u20662/FLASH/17\u2069: \u2068Pakistan\u2069"},
		{rtl, []any{"x", -3}, "\u2066-3\u2069: \u2068x\u2069"},
		{ltr, []any{"a\u202egnp.exe", ID("\u20691\u200f")}, "\ufffd1\ufffd: a\ufffdgnp.exe"},
	} {
		if got := c.l.T("x", c.args...); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if got := ltr.T("x", "only one"); got != "{1}: only one" {
		t.Errorf("a missing argument: %q", got)
	}
	if got := For("ur").T("no.such"); got != "⟦no.such⟧" {
		t.Errorf("a missing key: %q", got)
	}
}

// Times are the same in every language where it matters, and words where not.
func TestTimes(t *testing.T) {
	at := time.Date(2026, 11, 22, 14, 3, 9, 0, time.UTC)
	if got := DTG(at.In(time.FixedZone("IST", 19800))); got != "221403ZNOV26" {
		t.Error(got)
	}
	if got := Zulu(at); got != "14:03Z" {
		t.Error(got)
	}
	if got := Clock(at, time.FixedZone("IST", 19800)); got != "19:33 IST" {
		t.Error(got)
	}
	if got := Clock(at, time.FixedZone("", -(2*3600+1800))); got != "11:33 UTC-02:30" {
		t.Error(got)
	}
	for lang, want := range map[string][]string{
		"en": {"22 November 2026", "22 November 2026, 14:03Z"},
		"hi": {"22 नवंबर 2026", "22 नवंबर 2026, 14:03Z"},
	} {
		if got := []string{For(lang).Date(at), For(lang).At(at)}; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", lang, got, want)
		}
	}
	en := For("en")
	for d, want := range map[time.Duration]string{
		0: "0 s", 45 * time.Second: "45 s", 3*time.Minute + 59*time.Second: "3 min", -3 * time.Minute: "3 min",
		2*time.Hour + 5*time.Minute: "2 h 05", 47*time.Hour + 59*time.Minute: "47 h 59", 76 * time.Hour: "3 d 4 h",
	} {
		if got := en.Lasting(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "just now", 4 * time.Second: "just now", 3 * time.Minute: "3 min ago", -3 * time.Minute: "in 3 min"} {
		if got := en.Ago(at.Add(-d), at); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	ur := For("ur").Lasting(2*time.Hour + 5*time.Minute)
	if !strings.Contains(ur, "\u20662\u2069") || !strings.Contains(ur, "\u206605\u2069") {
		t.Errorf("Urdu: the numbers of %q are not isolated", ur)
	}
}

func TestMatch(t *testing.T) {
	for header, want := range map[string]string{
		"": "en", "ur-PK,ur;q=0.9,en;q=0.8": "ur", "de-DE, hi-IN;q=0.5": "hi", "fr": "en", "EN-gb": "en", ",;;": "en",
	} {
		if got := Match(header).Lang(); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

func TestError(t *testing.T) {
	if got := For("ur").Error("no-such-code", "Do this."); got != (Text{"Do this.", "en", "ltr"}) {
		t.Errorf("%+v", got)
	}
	for key := range For(English).messages {
		if code, ok := strings.CutPrefix(key, "error."); ok {
			if got := For("ur").Error(code, "x"); got.Lang != "ur" || got.Dir != "rtl" {
				t.Errorf("%s: %+v", code, got)
			}
		}
	}
}
