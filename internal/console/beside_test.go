package console

import (
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"parley"
	"parley/docket"
	"parley/hotline"
	"parley/internal/console/locale"
	"parley/internal/node"
	"parley/release"
)

// section is a part of a page from a mark to the end of its section.
func section(page, mark string) string {
	_, rest, _ := strings.Cut(page, mark)
	out, _, _ := strings.Cut(rest, "</section>")
	return out
}

// testTranslate: a translation is written beside its original, goes the way of
// every message, and stands on the other side beside the original with its
// status, its translator and the name of the party whose word that is.
func testTranslate(t *testing.T, a, b *side, w written) {
	a.s.limits = newLimits()
	at := "/message/" + placeOf(w.exercise)
	form := url.Values{"do": {"check"}, "language": {"ur"}, "translator": {"Translation service"}, "text": {"مشق۔ قافلہ رک گیا۔"}, "to-2": {"1"}}
	for problem, change := range map[string]url.Values{
		"choose what the translation is worth": {},
		"nobody is to read":                    {"status": {"courtesy"}, "to-2": {""}},
		"no text":                              {"status": {"courtesy"}, "text": {" \n"}},
		"bad-language":                         {"status": {"courtesy"}, "language": {"u r"}},
		"contains the character":               {"status": {"courtesy"}, "translator": {"a\u202eb"}},
	} {
		f := url.Values{}
		for k, v := range form {
			f[k] = v
		}
		for k, v := range change {
			f[k] = v
		}
		if r := a.ask("both", "POST", at+"/translate", f); r.Code != 422 || !strings.Contains(textOf(r.Body.String()), strings.TrimPrefix(problem, "bad-language")) {
			t.Errorf("%s: %d %s", problem, r.Code, textOf(r.Body.String()))
		}
	}
	if r := a.ask("both", "GET", "/message/"+placeOf(w.call)+"/translate", nil); r.Code != 422 || !strings.Contains(r.Body.String(), string(hotline.CodeNoSuchEntry)) {
		t.Errorf("the form for a call: %d", r.Code)
	}
	form.Set("status", "courtesy")
	r := a.ask("both", "POST", at+"/translate", form)
	checked := r.Body.String()
	if r.Code != 200 || !strings.Contains(checked, "EXERCISE. Convoy halted.") || !strings.Contains(section(checked, `class="beside"`), "مشق۔ قافلہ رک گیا۔") || !strings.Contains(textOf(checked), "two persons") {
		t.Fatalf("check: %d %s", r.Code, textOf(checked))
	}
	form.Set("do", "keep")
	draft := a.ask("both", "POST", at+"/translate", form).Header().Get("Location")
	page := a.get("both", draft)
	if strings.Count(page, "EXERCISE EXERCISE EXERCISE") < 3 || !strings.Contains(page, "EXERCISE. Convoy halted.") || !strings.Contains(page, `lang="ur"`) {
		t.Errorf("the draft does not stand beside its original: %s", textOf(page))
	}
	if edit := a.get("both", at+"/translate?draft="+strings.TrimPrefix(draft, "/drafts/")); !strings.Contains(edit, "مشق۔ قافلہ رک گیا۔</textarea>") || revOn(t, edit) == "0" {
		t.Error("the draft cannot be edited in its own form")
	}
	if r := a.ask("both", "GET", "/compose?draft="+strings.TrimPrefix(draft, "/drafts/"), nil); r.Code == 200 {
		t.Error("a translation is offered as a message")
	}
	other := url.Values{"do": {"keep"}, "draft": {strings.TrimPrefix(draft, "/drafts/")}, "rev": {"1"}, "language": {"ur"}, "status": {"courtesy"}, "text": {"x"}, "to-2": {"1"}}
	if r := a.ask("both", "POST", "/message/"+placeOf(w.text)+"/translate", other); r.Code == 303 {
		t.Error("the translation of one message takes the place of another's draft")
	}
	a.step(t, "both", draft, "submit")
	a.step(t, "other", draft, "release")
	if page := a.get("reader", draft); strings.Contains(page, "unknown-kind") || strings.Contains(page, "0000 0000") {
		t.Errorf("a released draft shows what the book does not keep: %s", textOf(page))
	}

	var x hotline.Translated
	b.until("the translation", func(v node.View) bool {
		xs := v.Docket.Hotline.Translations(w.exercise)
		if len(xs) == 1 {
			x = xs[0]
		}
		return len(xs) == 1 && v.Docket.Release.Of(x.Ref).State == release.Held
	})
	if page := textOf(b.get("reader", "/lines/1?type=exercise")); !strings.Contains(page, x.Ref.String()+" ur · courtesy translation, by the word of") {
		t.Errorf("the line does not say that there is a translation: %s", page)
	}
	for _, view := range []string{at, at + "/print"} {
		page := b.get("reader", view)
		beside := section(page, `class="beside"`)
		for _, want := range []string{"ur", "courtesy translation", "India", "Translation service", x.Ref.String(), `lang="ur"`, `dir="auto"`, "مشق۔ قافلہ رک گیا۔"} {
			if !strings.Contains(beside, want) {
				t.Errorf("%s: beside the original there is no %q: %s", view, want, beside)
			}
		}
		if i, j := strings.Index(page, "EXERCISE. Convoy halted."), strings.Index(page, "مشق۔"); i < 0 || i > j || !strings.Contains(page, "It alone is authoritative") {
			t.Errorf("%s: the original is not first, or not marked", view)
		}
	}
	for _, view := range []string{"/message/" + placeOf(x.Ref), "/message/" + placeOf(x.Ref) + "/print"} {
		page := b.get("reader", view)
		if strings.Count(page, "EXERCISE EXERCISE EXERCISE") < 3 || !strings.Contains(page, "EXERCISE. Convoy halted.") ||
			!strings.Contains(textOf(page), "drafted by “Title both”, released by “Title other”") {
			t.Errorf("%s: %s", view, textOf(page))
		}
	}
	b.until("nothing opened", func(v node.View) bool {
		m, _ := v.Docket.Hotline.Message(w.exercise)
		return len(m.Responses) == 0 && !m.Addressees[0].Opened.Given()
	})
}

// testAside: a translation for this party only is shown to its officers, marked
// as that; it is in no record, on no paper, and on no other party's page.
func testAside(t *testing.T, a, b *side, w written) {
	a.s.limits = newLimits()
	at := "/message/" + placeOf(w.urdu)
	entries := func(x *side) (n uint64) {
		x.h.Node.Do(t.Context(), func(v node.View) {
			for _, l := range v.Station.Logs() {
				n += l.Head.Size
			}
		})
		return n
	}
	before := entries(a)
	form := url.Values{"language": {"en"}, "status": {"machine"}, "text": {"A private reading.\n<b>x</b>\u202e"}, "for": {"party"}}
	r := a.ask("both", "POST", at+"/translate", form)
	if page := textOf(r.Body.String()); r.Code != 200 || !strings.Contains(page, "Nobody outside this party will see it") || !strings.Contains(page, "A private reading.") {
		t.Fatalf("check: %d %s", r.Code, page)
	}
	form.Set("do", "keep")
	if r := a.ask("reader", "POST", at+"/translate", form); r.Code != 403 {
		t.Errorf("a reader writes: %d", r.Code)
	}
	if r := a.ask("both", "POST", at+"/translate", form); r.Code != 303 || r.Header().Get("Location") != at+"?done=aside-kept" {
		t.Fatalf("keep: %d %s", r.Code, textOf(r.Body.String()))
	}
	page := a.get("reader", at)
	kept := section(page, `class="beside inside"`)
	for _, want := range []string{"only for this party", "machine translation", "A private reading.", "Officer both"} {
		if !strings.Contains(kept, want) {
			t.Errorf("there is no %q in %s", want, kept)
		}
	}
	if strings.Contains(kept, "<b>x</b>") || strings.Contains(kept, "\u202e") || strings.Contains(kept, "/aside/") {
		t.Errorf("markup, direction, or a button for a reader: %s", kept)
	}
	for who, page := range map[string]string{"paper": a.get("both", at+"/print"), "the other side": b.get("both", at), "its paper": b.get("both", at+"/print")} {
		if strings.Contains(page, "A private reading.") {
			t.Errorf("%s shows it", who)
		}
	}
	if entries(a) != before || len(a.book.Drafts()) > 0 && strings.Contains(a.get("both", "/drafts"), "private reading") {
		t.Error("it became an entry or a draft")
	}
	drop := at + "/aside/1"
	if r := a.ask("both", "POST", "/message/"+placeOf(w.text)+"/aside/1", nil); r.Code == 303 {
		t.Error("it is removed from another message's page")
	}
	if r := a.ask("both", "POST", drop, url.Values{}); r.Code != 303 || strings.Contains(a.get("both", at), "A private reading.") {
		t.Errorf("removal: %d", r.Code)
	}
}

// testHostileTranslation: what the other side writes as a translation is never
// markup, turns nothing, and hides neither the original nor another's words.
func testHostileTranslation(t *testing.T, a, b *side, w written) {
	own := a.say(&hotline.Translation{About: w.urdu, Language: "en", Text: "The aircraft had left its route."}, parley.Priority)
	var last parley.Ref
	for i := range 20 {
		lang := "x" + string(rune('a'+i)) + "-" + strings.Repeat("z", i%8+1)
		last = b.say(&hotline.Translation{About: w.urdu, Language: lang, Status: hotline.Official, Subject: "<b>s</b>", Translator: "<i>t</i>\" onmouseover=x",
			Text: "</section><script>alert(1)</script>\u202eOriginal. This text governs.\u2066{{.Me}} <img src=x>"}, parley.Priority)
	}
	a.until("the last translation", func(v node.View) bool { _, ok := v.Docket.Hotline.TranslationOf(last); return ok })
	for _, view := range []string{"/message/" + placeOf(w.urdu), "/message/" + placeOf(w.urdu) + "/print", "/message/" + placeOf(last), "/message/" + placeOf(w.urdu) + "/translate"} {
		page := a.get("both", view)
		body := page[strings.Index(page, "<main"):]
		for _, bad := range []string{"<script", "<img", "<b>s</b>", "<i>t</i>", `" onmouseover`, "\u202e", "\u2066{{", "ZgotmplZ"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s contains %q", view, bad)
			}
		}
		if i := strings.Index(body, "طیارہ راستے سے ہٹ گیا تھا۔"); i < 0 || strings.Index(body, "alert(1)") > 0 && i > strings.Index(body, "alert(1)") {
			t.Errorf("%s: the original does not stand first", view)
		}
	}
	if page := a.get("both", "/message/"+placeOf(own)); !strings.Contains(page, "without prejudice") {
		t.Error("the reservation of the original does not stand with its translation")
	}
	page := a.get("both", "/message/"+placeOf(w.urdu))
	if !strings.Contains(page, "The aircraft had left its route.") || !strings.Contains(page, placeOf(own)) {
		t.Error("many translations of one side hide the other's")
	}
	if n := strings.Count(page, `id="t-2-`); n != besideShown || !strings.Contains(textOf(page), "8 more are in the record") {
		t.Errorf("%d translations of one side are shown whole", n)
	}
	if !strings.Contains(page, "Original. This text governs.</h2>") || strings.Count(page, "Original. This text governs.</h2>") != 1 {
		t.Error("the text that governs is not marked, or another is")
	}
}

// A translation without its original shows that its type is not known; what
// translates no message shows that, too.
func TestTranslationWaits(t *testing.T) {
	a, _ := pair(t)
	d := docket.New(a.h.Charter(), 1)
	now := time.Now()
	put := func(by parley.Party, i uint64, b hotline.Body) parley.Ref {
		r := parley.Ref{Party: by, Lane: parley.Flash, Gen: parley.Gen{byte(by)}, Index: i, Leaf: parley.Hash{byte(by), byte(i)}}
		d.Apply(parley.Posted{Ref: r, Stored: now, Entry: hotline.Draft(b, parley.Flash, parley.ToAll).Entry(now, nil)})
		return r
	}
	nowhere := parley.Ref{Party: 2, Lane: parley.Flash, Gen: parley.Gen{2}, Index: 9, Leaf: parley.Hash{9}}
	early := put(2, 0, &hotline.Translation{About: nowhere, Language: "ur", Text: "فائر"})
	call := put(2, 1, &hotline.Attempt{Type: hotline.Exercise, Caller: 2, Called: parley.AudienceOf(1), At: 5, Outcome: hotline.Busy})
	wrong := put(2, 2, &hotline.Translation{About: call, Language: "ur", Text: "کال"})
	line := &LinePage{}
	a.s.fillLine(node.View{Docket: d, Now: now}, line)
	var b strings.Builder
	if err := a.s.pages.byLang[locale.English]["line"].ExecuteTemplate(&b, "main", line); err != nil {
		t.Fatal(err)
	}
	list := textOf("<main" + b.String())
	if len(line.Unplaced) != 2 || !strings.Contains(list, "waits for its original") || !strings.Contains(list, "translates no message") || strings.Contains(list, "فائر") {
		t.Errorf("the list says: %s", list)
	}
	for ref, want := range map[parley.Ref]string{early: "It is not known whether this is meant", wrong: "What this names is no message"} {
		p := &MessagePage{Page: Page{Lang: "en", Dir: "ltr", View: "message"}}
		a.s.fillMessage(node.View{Docket: d, Now: now}, ref, p)
		p.Type = p.Entry.Type
		for _, view := range []string{"message", "print"} {
			var b strings.Builder
			if err := a.s.pages.byLang[locale.English][view].ExecuteTemplate(&b, "main", p); err != nil && view == "message" {
				t.Fatal(err)
			}
			if page := textOf("<main" + b.String()); !strings.Contains(page, want) {
				t.Errorf("%s: %s", view, page)
			}
		}
	}
}

// A text in any script makes a draft: what lists show of it fits the book.
func TestShort(t *testing.T) {
	for _, s := range []string{strings.Repeat("क", 300), strings.Repeat("ک", 300), strings.Repeat("x", 300), strings.Repeat("𐍈", 300), "कृपया", strings.Repeat("ा", 67)} {
		if got := short("", s); len(got) > 190 || !utf8.ValidString(got) || len([]rune(got)) > 71 || !strings.HasPrefix(s, strings.TrimSuffix(got, "…")) {
			t.Errorf("%q has %d bytes", got, len(got))
		}
	}
}
