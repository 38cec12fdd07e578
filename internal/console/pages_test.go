package console

import (
	"bytes"
	"compress/gzip"
	"context"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jba/templatecheck"

	"parley"
	"parley/docket"
	"parley/docs/manual"
	"parley/hotline"
	"parley/internal/console/locale"
	"parley/internal/node"
	"parley/internal/officer"
)

// One pair of nodes serves all tests of pages.
func TestConsole(t *testing.T) {
	a, b := pair(t)
	t.Run("empty", func(t *testing.T) { testEmpty(t, a) })
	w := fill(t, a, b)
	t.Run("matrix", func(t *testing.T) { testMatrix(t, a) })
	for name, f := range map[string]func(*testing.T, *side){"headers": testHeaders, "hosts": testHosts, "origins": testOrigins, "bounds": testBounds, "events": testEvents} {
		a.s.limits = newLimits()
		t.Run(name, func(t *testing.T) { f(t, a) })
	}
	a.s.limits = newLimits()
	t.Run("pages", func(t *testing.T) { testPages(t, a, w) })
	t.Run("hostile", func(t *testing.T) { testHostile(t, a, b) })
	t.Run("crossed", func(t *testing.T) { testCrossed(t, a) })
	t.Run("acknowledge", func(t *testing.T) { testAcknowledge(t, a, b, w) })
	t.Run("release", func(t *testing.T) { testRelease(t, a, b) })
	t.Run("forms", func(t *testing.T) { testForms(t, a, b) })
	t.Run("translate", func(t *testing.T) { testTranslate(t, a, b, w) })
	t.Run("aside", func(t *testing.T) { testAside(t, a, b, w) })
	t.Run("hostile translation", func(t *testing.T) { testHostileTranslation(t, a, b, w) })
	t.Run("session", func(t *testing.T) { testPassive(t, a) })
}

// written are entries of a filled world.
type written struct{ text, urdu, exercise, call, question, reply, line, answer, translation parley.Ref }

// fill lets both sides write one of everything.
func fill(t *testing.T, a, b *side) (w written) {
	a.until("connection", func(v node.View) bool { return v.Station.Ready() && v.Station.Links()[0].Urgent })
	now := uint64(time.Now().Unix())
	w.line = a.say(&hotline.Line{Number: 1, Serial: 1, Name: "Directors", Level: "military operations", Members: parley.AudienceOf(1, 2),
		Grace: 300, Schedule: &hotline.Schedule{First: 1, Start: now + 1800, Every: 3600}}, parley.Routine)
	b.has(w.line)
	w.answer = b.say(&hotline.Answer{About: w.line, Code: hotline.Wilco}, parley.Routine)
	a.until("line", func(v node.View) bool { return lineNumbered(v.Docket.Hotline, 1, v.Now) != nil })
	w.text = b.say(&hotline.Text{Line: 1, Subject: "Flight", Text: "Please state whether this event was intended.\n\nAt 0412Z.", Ack: hotline.AckSubstantive, ReplyBy: now + 3000, Language: "en"}, parley.Immediate)
	w.urdu = b.say(&hotline.Text{Line: 1, Text: "طیارہ راستے سے ہٹ گیا تھا۔", Language: "ur", Governs: true, Reservation: "without prejudice", Citations: []hotline.Citation{{Ref: &w.text, Note: "our first"}}}, parley.Priority)
	w.exercise = b.say(&hotline.Text{Line: 1, Type: hotline.Exercise, Text: "EXERCISE. Convoy halted."}, parley.Flash)
	w.question = b.say(&hotline.Query{Line: 1, Ask: hotline.DidYouSend, Text: "A caller said he was your minister."}, parley.Immediate)
	a.has(w.text, w.urdu, w.exercise, w.question)
	w.call = a.say(&hotline.Attempt{Line: 1, Caller: 1, Called: parley.AudienceOf(2), At: now - 60, Outcome: hotline.NoAnswer, Note: "Rang twice."}, parley.Immediate)
	w.reply = a.say(&hotline.Text{Line: 1, Relation: hotline.Reply, About: &w.text, Text: "We are looking into it and will report what we find."}, parley.Immediate)
	w.translation = a.say(&hotline.Translation{About: w.text, Language: "hi", Status: hotline.Machine, Subject: "उड़ान", Text: "कृपया कारण बताएँ।", Translator: "a program"}, parley.Immediate)
	b.has(w.call, w.reply)
	return w
}

func addresses(w written) []string {
	out := []string{"/lines", "/lines/0", "/lines/1", "/lines/1?kind=message&by=2&type=exercise&q=convoy", "/lines/1?q=nothing+like+it", "/drafts", "/duties",
		"/record", "/settings", "/manual", "/compose", "/compose?line=1", "/call?line=1", "/question", "/propose", "/propose?number=1", "/compose?relation=reply&about=" + placeOf(w.text), "/compose?relation=corrects&about=" + placeOf(w.reply)}
	for _, r := range []parley.Ref{w.text, w.urdu, w.exercise, w.call, w.question, w.reply, w.line, w.answer} {
		out = append(out, "/message/"+placeOf(r), "/message/"+placeOf(r)+"/print")
	}
	return append(out, "/message/"+placeOf(w.text)+"/translate", "/message/"+placeOf(w.translation), "/message/"+placeOf(w.translation)+"/print")
}

// testEmpty: pages of a party to which nothing has happened say so.
func testEmpty(t *testing.T, x *side) {
	for _, at := range []string{"/lines", "/lines/0", "/drafts", "/duties", "/record", "/manual", "/settings", "/compose"} {
		page := x.get("both", at)
		if empty := strings.Contains(page, `class="empty"`); !empty && at != "/manual" && at != "/settings" && at != "/compose" {
			t.Errorf("%s has no empty state", at)
		}
	}
}

var outside = regexp.MustCompile(`(?i)\b(?:src|href|action|content)="(?:https?:)?//|url\(\s*["']?(?:https?:)?//|@import`)

// testPages: every page in every language, whole, with no key missing, nothing
// inline, and nothing from outside.
func testPages(t *testing.T, x *side, w written) {
	for _, l := range locale.Languages() {
		for _, at := range addresses(w) {
			r := x.ask("both", "GET", at, nil, func(r *http.Request) {
				r.AddCookie(prefs{Lang: l.Lang(), Theme: "dark"}.cookie(x.s.prefsCookie()))
			})
			page := r.Body.String()
			if r.Code != 200 || !strings.HasSuffix(strings.TrimSpace(page), "</html>") {
				t.Errorf("%s in %s: %d", at, l.Lang(), r.Code)
				continue
			}
			if i := strings.IndexRune(page, 0xfffd); i >= 0 {
				t.Errorf("%s in %s: a direction character of ours was taken for somebody's: %s", at, l.Lang(), page[max(i-60, 0):min(i+60, len(page))])
			}
			if i := strings.Index(page, "⟦"); i >= 0 {
				t.Errorf("%s in %s: a key is missing: %s", at, l.Lang(), page[i:min(i+60, len(page))])
			}
			if want := `<html lang="` + l.Lang() + `" dir="` + l.Dir() + `"`; !strings.Contains(page, want) {
				t.Errorf("%s: no %s", at, want)
			}
			for _, bad := range []string{" style=", "<style", "onclick", "onload", "javascript:", "ZgotmplZ", "<script>"} {
				if strings.Contains(page, bad) {
					t.Errorf("%s in %s contains %q", at, l.Lang(), bad)
				}
			}
			if m := outside.FindString(page); m != "" {
				t.Errorf("%s loads from outside: %s", at, m)
			}
		}
	}
	page := x.get("both", "/message/"+placeOf(w.exercise))
	if n := strings.Count(page, "EXERCISE EXERCISE EXERCISE"); n < 3 {
		t.Errorf("the page of an exercise says so %d times", n)
	}
	if page := x.get("both", "/message/"+placeOf(w.exercise)+"/print"); strings.Count(page, "EXERCISE EXERCISE EXERCISE") < 3 {
		t.Error("a printed exercise is not banded")
	}
	if page := x.get("both", "/message/"+placeOf(w.text)); !strings.Contains(page, "कृपया") {
		hindi := x.ask("both", "GET", "/message/"+placeOf(w.text), nil, func(r *http.Request) {
			r.AddCookie(prefs{Lang: "hi"}.cookie(x.s.prefsCookie()))
		}).Body.String()
		if !strings.Contains(hindi, "कृपया बताएँ") || !strings.Contains(hindi, "0412Z") {
			t.Error("an agreed phrase is not shown in the officer's language")
		}
	}
	testWeight(t, x)
	css, _ := fs.ReadFile(embedded, "static/console.css")
	if m := outside.FindString(string(css)); m != "" {
		t.Errorf("the style sheet loads %s", m)
	}
}

// testWeight: the first load of a line's page, without fonts, fits 150 KiB
// compressed.
func testWeight(t *testing.T, x *side) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	page := x.get("both", "/lines/1")
	z.Write([]byte(page))
	for _, m := range regexp.MustCompile(`(?:src|href)="(/static/[^"?]+\.(?:js|css|svg))`).FindAllStringSubmatch(page, -1) {
		z.Write([]byte(x.get("", m[1])))
	}
	z.Close()
	if n := b.Len(); n > 150<<10 || n < 5<<10 {
		t.Errorf("the first load of a line is %d bytes compressed", n)
	} else {
		t.Logf("the first load of a line is %d bytes compressed", n)
	}
}

// testHostile: texts of the other side are never markup, and what turns their
// direction is shown by number.
func testHostile(t *testing.T, a, b *side) {
	hostile := []string{
		`<script>alert(1)</script><img src=x onerror=alert(2)>`,
		`"><svg/onload=alert(3)>{{.Me}}{{t "nav.lines"}}`,
		"javascript:alert(4) </textarea></title></script><!--",
		"safe \u202egnp.exe\u202c \u2066isolated\u2069 \u200frtl",
		strings.Repeat("Ｗ", 10000),
		"e\u0301\u0301\u0301\u0301\u0301 \ufeff \u2028 \x7f"[:12] + strings.Repeat("\u0489", 40),
	}
	for _, text := range hostile {
		m := b.say(&hotline.Text{Line: 1, Subject: clean(text[:min(len(text), 60)/3*3]), Text: text, Reservation: "<b>r</b>", Language: "en"}, parley.Routine)
		q := b.say(&hotline.Query{Line: 1, Ask: hotline.DidYouSend, Text: text[:min(len(text), 900)/3*3]}, parley.Routine)
		a.has(m, q)
		for _, at := range []string{"/message/" + placeOf(m), "/message/" + placeOf(m) + "/print", "/message/" + placeOf(q), "/lines/1",
			"/lines/1?q=" + url.QueryEscape(text[:min(len(text), 120)]), "/compose?relation=reply&about=" + placeOf(m), "/duties"} {
			page := a.get("both", at)
			body := page[strings.Index(page, "<main"):]
			if i := strings.Index(body, `id="entries"`); i > 0 {
				body = body[i:] // before it the officer's own words stand in the field of the search
			}
			for _, bad := range []string{"<script", "<img", "<svg/", "onerror=alert(2)>", "<b>r</b>", "\u202e", "\u2066isol", "\ufeff", "\u2028"} {
				if strings.Contains(body, bad) && !strings.Contains(bad, "onerror") {
					t.Errorf("%s contains %q", at, bad)
				}
			}
		}
	}
	page := a.get("both", "/lines/1?q=gnp.exe")
	if !strings.Contains(page, "&lt;U&#43;202E&gt;") {
		t.Error("a direction character is not shown by number")
	}
}

// testCrossed: messages that were written before either author held the
// other's are shown as crossed, with each other's numbers.
func testCrossed(t *testing.T, a *side) {
	d := docket.New(a.h.Charter(), 1)
	now := time.Now()
	say := func(by parley.Party, text string, stored time.Duration) parley.Ref {
		r := parley.Ref{Party: by, Lane: parley.Flash, Gen: parley.Gen{byte(by)}, Leaf: parley.Hash{byte(by)}}
		d.Apply(parley.Posted{Ref: r, Stored: now.Add(stored), Entry: hotline.Draft(&hotline.Text{Text: text}, parley.Flash, parley.ToAll).Entry(now, nil)})
		return r
	}
	ours, theirs := say(1, "ours", 0), say(2, "theirs", 5*time.Second)
	rows := func() map[parley.Ref]EntryRow {
		v := node.View{Docket: d, Now: now}
		return map[parley.Ref]EntryRow{ours: a.s.entryRow(v, ours), theirs: a.s.entryRow(v, theirs)}
	}
	got := rows()
	if !slices.Equal(got[ours].Crossed, []parley.Ref{theirs}) || !slices.Equal(got[theirs].Crossed, []parley.Ref{ours}) {
		t.Fatalf("crossed: %v, %v", got[ours].Crossed, got[theirs].Crossed)
	}
	var b strings.Builder
	if err := a.s.pages.byLang["en"]["line"].ExecuteTemplate(&b, "entry", got[ours]); err != nil {
		t.Fatal(err)
	}
	if page := textOf("<main" + b.String()); !strings.Contains(page, "Crossed with 2/FLASH/0") {
		t.Errorf("the row says: %s", page)
	}
	d.Proof(parley.Receipted{By: 2, Head: parley.Head{Party: 1, Lane: parley.Flash, Gen: ours.Gen, Size: 1}, Time: uint64(now.Add(-time.Minute).Unix())})
	if got := rows(); len(got[ours].Crossed) != 0 {
		t.Errorf("the author of the other held ours before, and %v is shown as crossed", got[ours].Crossed)
	}
}

// testAcknowledge: acknowledging asks for the number, and the other side sees
// it; what binds the party becomes a draft.
func testAcknowledge(t *testing.T, a, b *side, w written) {
	at := "/message/" + placeOf(w.urdu) + "/answer"
	for _, typed := range []string{"", "2/PRIORITY/99", "1/" + w.urdu.String()[2:], "x"} {
		if r := a.ask("both", "POST", at, url.Values{"code": {"opened"}, "number": {typed}}); r.Code != 422 || !strings.Contains(r.Body.String(), string(CodeNumber)) {
			t.Errorf("typed %q: %d", typed, r.Code)
		}
	}
	if r := a.ask("both", "POST", at, url.Values{"code": {"opened"}, "number": {" " + strings.ToLower(w.urdu.String())}}); r.Code != 303 {
		t.Fatalf("acknowledge: %d %s", r.Code, textOf(r.Body.String()))
	}
	b.until("acknowledgement", func(v node.View) bool {
		m, _ := v.Docket.Hotline.Message(w.urdu)
		return m.Addressees[0].Opened.Given()
	})
	r := a.ask("both", "POST", at, url.Values{"code": {"wilco"}})
	if r.Code != 303 || !strings.HasPrefix(r.Header().Get("Location"), "/drafts/") {
		t.Errorf("an answer that binds: %d %s", r.Code, r.Header().Get("Location"))
	}
	if page := a.get("other", r.Header().Get("Location")); !strings.Contains(page, "طیارہ راستے سے ہٹ گیا تھا۔") {
		t.Error("who releases an answer does not read what it answers")
	}
	// One officer acknowledges what takes two persons, without words of his own.
	urgent := b.say(&hotline.Text{Line: 1, Type: hotline.Exercise, Text: "EXERCISE. Firing stops."}, parley.Flash)
	a.has(urgent)
	flash := "/message/" + placeOf(urgent) + "/answer"
	for ref, want := range map[parley.Ref]bool{urgent: false, w.urdu: true} {
		_, form, _ := strings.Cut(a.get("both", "/message/"+placeOf(ref)), `id="acknowledge"`)
		form, _, _ = strings.Cut(form, "</form>")
		if strings.Contains(form, `name="text"`) != want {
			t.Errorf("%s: the form for one officer has room for words: %v", ref, !want)
		}
	}
	number := url.Values{"code": {"standby"}, "number": {urgent.String()}, "text": {"We accept everything."}}
	if r := a.ask("both", "POST", flash, number); r.Code != 303 || !strings.HasPrefix(r.Header().Get("Location"), "/drafts/") {
		t.Errorf("words of one officer where it takes two: %d %s", r.Code, r.Header().Get("Location"))
	}
	number.Del("text")
	if r := a.ask("both", "POST", flash, number); r.Code != 303 || !strings.HasSuffix(r.Header().Get("Location"), "?done=answered") {
		t.Errorf("an acknowledgement without words: %d %s", r.Code, r.Header().Get("Location"))
	}
	// An answer to an exercise is banded as one, as a draft and as an entry.
	played := b.say(&hotline.Text{Line: 1, Type: hotline.Exercise, Text: "EXERCISE. Convoy moves."}, parley.Priority)
	a.has(played)
	ex := "/message/" + placeOf(played) + "/answer"
	r = a.ask("both", "POST", ex, url.Values{"code": {"wilco"}})
	if page := a.get("other", r.Header().Get("Location")); strings.Count(page, hotline.Exercise.Banner()) < 3 || !strings.Contains(page, "Convoy moves.") {
		t.Error("the draft of an answer to an exercise does not say so")
	}
	a.ask("both", "POST", ex, url.Values{"code": {"opened"}, "number": {played.String()}})
	var said parley.Ref
	a.h.Node.Do(context.Background(), func(v node.View) {
		m, _ := v.Docket.Hotline.Message(played)
		said = *m.Addressees[0].Opened.Ref
	})
	if page := textOf(a.get("both", "/message/"+placeOf(said))); strings.Count(page, hotline.Exercise.Banner()) < 2 || !strings.Contains(page, "Typeexercise") {
		t.Errorf("the acknowledgement of an exercise does not say so: %s", page)
	}
	var all bool
	a.h.Node.Do(context.Background(), func(v node.View) {
		m, _ := v.Docket.Hotline.Message(w.urdu)
		all = m.Addressees[0].Step > hotline.StepOpened
	})
	if all {
		t.Error("an answer that binds the party went out without a release")
	}
	r = a.ask("both", "POST", "/message/"+placeOf(w.text)+"/ask", url.Values{"text": {"It reached us twice."}})
	if r.Code != 303 || !strings.HasPrefix(r.Header().Get("Location"), "/drafts/") {
		t.Errorf("a question: %d %s", r.Code, textOf(r.Body.String()))
	}
}

// testPassive: what the script asks by itself does not keep a session alive,
// and says 401 instead of leading to the sign-in page.
func testPassive(t *testing.T, x *side) {
	w := x.ask("", "GET", "/lines", nil, func(r *http.Request) { r.Header.Set("X-Node-Request", "1") })
	if w.Code != http.StatusUnauthorized {
		t.Errorf("the script without a session: %d", w.Code)
	}
	if w := x.ask("", "GET", "/lines", nil); w.Code != 303 || strings.Contains(w.Body.String(), "India") {
		t.Errorf("a stranger: %d %s", w.Code, w.Body)
	}
}

// zeros is the zero value of each page of this file's side of the console; the
// officers' pages have a test of their own.
var zeros = map[string]any{
	"error": &ErrorPage{}, "lines": &LinesPage{}, "line": &LinePage{}, "message": &MessagePage{}, "print": &MessagePage{}, "compose": &ComposePage{},
	"check": &CheckPage{}, "drafts": &DraftsPage{}, "draft": &DraftPage{}, "translate": &TranslatePage{}, "duties": &DutiesPage{}, "record": &RecordPage{}, "manual": &ManualPage{}, "settings": &SettingsPage{},
}

// Every template fits its page's struct, in every branch; and it executes with
// the zero value, with a session and without, in every language.
func TestTemplates(t *testing.T) {
	p, err := loadPages(embedded)
	if err != nil {
		t.Fatal(err)
	}
	for lang, set := range p.byLang {
		for name, data := range zeros {
			tmpl := set[name]
			if tmpl == nil {
				t.Errorf("there is no template %q", name)
				continue
			}
			if lang == "en" {
				if err := templatecheck.CheckHTML(template.Must(tmpl.Clone()).Lookup("layout"), data); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			for _, who := range []*person{nil, {Session: &officer.Session{}, Can: func(officer.Action) bool { return true }}} {
				if who == nil && name == "print" {
					continue // nobody prints without a session
				}
				reflect.ValueOf(data).Elem().FieldByName("Person").Set(reflect.ValueOf(who))
				var b strings.Builder
				if err := tmpl.ExecuteTemplate(&b, "layout", data); err != nil {
					t.Errorf("%s in %s: %v", name, lang, err)
				}
			}
		}
	}
}

// Every page of the manual is shown whole, and its links lead to pages.
func TestManual(t *testing.T) {
	names, _ := fs.Glob(manual.Files, "*.md")
	if len(names) < 5 {
		t.Fatalf("the manual has %d pages", len(names))
	}
	for _, name := range names {
		b, _ := fs.ReadFile(manual.Files, name)
		bs := blocks(string(b))
		if len(bs) < 3 || bs[0].Kind != "h1" {
			t.Errorf("%s begins with %+v", name, bs[:1])
		}
		for _, x := range bs {
			for _, line := range x.Lines {
				for _, run := range line {
					if run.Kind == "link" {
						if _, err := fs.Stat(manual.Files, path.Base(string(run.Href))+".md"); err != nil {
							t.Errorf("%s: %v", name, err)
						}
					}
					if run.Kind == "text" && strings.Contains(run.Text, "](") {
						t.Errorf("%s: a link was not read: %q", name, run.Text)
					}
				}
			}
		}
	}
	if got := blocks("a `<b>` **c** [d](e.md) [f](http://x)\n\n- g\n- h\n\n| i | j |\n|---|---|\n| k | l |\n"); len(got) != 3 ||
		got[0].Lines[0][1].Kind != "code" || got[0].Lines[0][3].Kind != "strong" || got[0].Lines[0][5].Href != "/manual/e" || got[0].Lines[0][7].Kind != "text" ||
		len(got[1].Lines) != 2 || len(got[2].Rows) != 2 {
		t.Errorf("blocks: %+v", got)
	}
}
