package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parley/browser/drive"
)

// message is the address of a message on the shared line, which India's
// officers released.
func (w *world) message(t *testing.T) string {
	t.Helper()
	o := w.parties[0].officers[0].open(t, "/lines/1?kind=message")
	if p := o.Eval(`(document.querySelector('.entry-head a[href^="/message/"]') || {getAttribute: () => ""}).getAttribute("href")`); p != "" {
		return p
	}
	return send2(t, w.parties[0], drive.Wording{Lane: "ROUTINE", Type: "exercise", Line: "1", Subject: "For the pages", Text: "EXERCISE. One message, so that pages have something to show."})
}

// pagesOf lists the pages that an officer comes to, those of the shared world
// with something on them.
func pagesOf(t *testing.T, o *person) []string {
	t.Helper()
	m := common.message(t)
	ps := []string{"/lines", "/lines/1", m, m + "/print", "/compose", "/drafts", "/duties", "/record", "/watch", "/officers", "/settings", "/manual"}
	if d := o.open(t, "/drafts").Eval(`(document.querySelector('a[href^="/drafts/"]') || {getAttribute: () => ""}).getAttribute("href")`); d != "" {
		ps = append(ps, d)
	}
	return ps
}

// The screens in Urdu and in Hindi: direction, fonts, no key and no English
// left over in what the console itself says, nothing that runs out of the
// window, and identifiers and times that do not turn.
func TestLanguages(t *testing.T) {
	w := shared(t)
	o := w.parties[0].officers[0]
	pages := pagesOf(t, o)
	win := o.at(t)
	t.Cleanup(func() { drive.Language(win, o.node.URL, "en"); win.Size(1280, 900, 1) })
	for _, l := range []struct{ lang, dir, font, letters string }{
		{"ur", "rtl", "Parley Naskh", `/[\u0600-\u06ff]/`}, {"hi", "ltr", "Parley Devanagari", `/[\u0900-\u097f]/`},
	} {
		drive.Language(win, o.node.URL, l.lang)
		for _, p := range pages {
			win.Go(o.node.URL + p)
			if got := win.Eval(`document.documentElement.lang + " " + getComputedStyle(document.body).direction`); got != l.lang+" "+l.dir {
				t.Errorf("%s: %s, want %s %s", p, got, l.lang, l.dir)
			}
			if got := win.Eval(`(document.body.innerText.match(/⟦[^⟧]*⟧|\{\d\}/g) || []).join(" ")`); got != "" {
				t.Errorf("%s in %s: no words for %s", p, l.lang, got)
			}
			// What the console says in the nav, captions, heads and buttons has
			// letters of the language; names and identifiers stand apart.
			if got := win.Eval(`[...document.querySelectorAll(".nav a, .caption, main h1, main h2, main th[scope=col], main button, main legend, main label > span:first-child, main dt")].map(e => { const c = e.cloneNode(true); c.querySelectorAll("bdi, [lang], [dir=ltr], kbd, code, .visually-hidden, .lane, [dir=auto]").forEach(x => x.remove()); return e.closest("[lang]") == document.documentElement ? c.textContent.replace(/\b(FLASH|IMMEDIATE|PRIORITY|ROUTINE|DEFERRED)\b/g, "").trim() : "" }).filter(s => /[A-Za-z]{3}/.test(s) && !` + l.letters + `.test(s)).join(" | ")`); got != "" {
				t.Errorf("%s in %s: English left over: %s", p, l.lang, got)
			}
			if got := win.Eval(`[...document.querySelectorAll("time, .id")].filter(e => { const b = e.matches("bdi") ? e : e.querySelector("bdi"); return !b || getComputedStyle(b).direction != "ltr" }).length`); got != "0" {
				t.Errorf("%s in %s: %s times or identifiers can turn", p, l.lang, got)
			}
			for _, width := range []int64{1280, 390} {
				win.Size(width, 900, 1)
				if got := win.Eval(`document.documentElement.scrollWidth - document.documentElement.clientWidth`); got != "0" {
					wide := win.Eval(`[...document.querySelectorAll("body *")].filter(e => { const r = e.getBoundingClientRect(); return (r.right > innerWidth + 1 || r.left < -1) && !e.parentElement.closest(".scroll, pre") && !e.matches(".visually-hidden, .skip") }).slice(0, 3).map(e => e.outerHTML.slice(0, 120)).join(" | ")`)
					t.Errorf("%s in %s, %d pixels wide: runs out of the window by %s: %s", p, l.lang, width, got, wide)
				}
			}
			win.Size(1280, 900, 1)
		}
		win.Go(o.node.URL + "/lines")
		win.Until("the font of "+l.lang, `document.fonts.ready.then(() => [...document.fonts].some(f => f.family.includes(%s) && f.status == "loaded"))`, l.font)
	}
	drive.Language(win, o.node.URL, "en")
	win.Go(o.node.URL + "/lines")
	if got := win.Eval(`document.fonts.ready.then(() => [...document.fonts].filter(f => f.status == "loaded").map(f => f.family).join())`); got != "" {
		t.Errorf("an English page loads %s", got)
	}
}

// A dead server leaves no green screen: the strip of an open page turns by
// itself, in words, shape and colour, and comes back by itself.
func TestStripTurnsWhenTheServerStops(t *testing.T) {
	w := shared(t)
	pk := w.parties[1]
	win := pk.officers[0].open(t, "/lines")
	win.Until("a living strip", `["alive", "untested"].includes(document.querySelector("#strip").dataset.state)`)
	before := win.Eval(`[document.querySelector("#strip [data-word]").innerText, document.querySelector("#strip .shape").innerHTML.length, getComputedStyle(document.querySelector("#strip .state")).backgroundColor + getComputedStyle(document.querySelector("#strip [data-word]")).color].join("|")`)
	pk.node.Kill()
	win.UntilFor(40*time.Second, "turned strip", `document.querySelector("#strip").dataset.state == "dead"`)
	after := win.Eval(`[document.querySelector("#strip [data-word]").innerText, document.querySelector("#strip .shape").innerHTML.length, getComputedStyle(document.querySelector("#strip .state")).backgroundColor + getComputedStyle(document.querySelector("#strip [data-word]")).color].join("|")`)
	b, a := strings.Split(before, "|"), strings.Split(after, "|")
	for i, what := range []string{"word", "shape", "colour"} {
		if b[i] == a[i] {
			t.Errorf("the strip keeps its %s %q with a dead server", what, b[i])
		}
	}
	pk.node.Start()
	win.UntilFor(40*time.Second, "strip that lives again", `["alive", "untested", "stale"].includes(document.querySelector("#strip").dataset.state)`)
}

// The main job with the keyboard alone: write, submit, release, acknowledge.
// The focus is always seen.
func TestKeyboardOnly(t *testing.T) {
	w := shared(t)
	in, pk := w.parties[0], w.parties[1]
	first := in.officers[0].open(t, "/lines")
	first.Press("n")
	first.Arrive("the form by one key", `location.pathname == "/compose"`)
	tabTo(t, first, `input[name=lane]`)
	first.Press(drive.Space)
	if got := first.Eval(`document.querySelector("input[name=lane]:checked").value`); got != "FLASH" {
		t.Errorf("the first precedence is %s", got)
	}
	tabTo(t, first, `input[name=type]`)
	if got := first.Eval(`document.querySelector("input[name=type]:checked")?.value ?? "none"`); got != "none" {
		t.Errorf("before anybody chose the type it is %s", got)
	}
	for first.Eval(`document.querySelector("input[name=type]:checked")?.value`) != "exercise" {
		first.Press(drive.Down)
	}
	tabTo(t, first, `select[name=line]`)
	first.Press(drive.Down)
	tabTo(t, first, `input[name=subject]`)
	first.Press("By keys")
	tabTo(t, first, `textarea[name=text]`)
	first.Press("EXERCISE. Written by keys alone.")
	tabTo(t, first, `select[name=ack]`)
	for range 2 {
		first.Press(drive.Down)
	}
	tabTo(t, first, `button[value=check]`)
	first.Press(drive.Enter)
	first.Arrive("the check page", `document.querySelector("button[value=keep]") != null`)
	tabTo(t, first, `button[value=keep]`)
	first.Press(drive.Enter)
	first.Arrive("the draft", `/^\/drafts\/\d+$/.test(location.pathname)`)
	path := first.Path()
	tabTo(t, first, `form[data-passkey$="/submit"] button`)
	first.Look()
	first.Press(drive.Enter)
	first.Arrive("the draft submitted", `location.search == "?done=submitted"`)

	second := in.officers[1].open(t, "/lines")
	second.Press("g")
	second.Press("d")
	second.Arrive("the drafts by two keys", `location.pathname == "/drafts"`)
	for range 20 { // drafts of other tests may stand before it
		second.Press("j")
		if second.Eval(`document.activeElement.getAttribute("href")`) == path {
			break
		}
	}
	second.Press(drive.Enter)
	second.Arrive("the draft", `location.pathname == %s`, path)
	tabTo(t, second, `form[data-passkey$="/release"] button`)
	second.Look()
	second.Press(drive.Enter)
	second.Arrive("the draft released", `location.search == "?done=released"`)

	far := pk.officers[0].open(t, "/lines")
	far.Until("the alarm", `document.querySelector('#alarms [data-lane="flash"]') != null`)
	number := far.Eval(`document.querySelector('#alarms [data-lane="flash"]').dataset.ref`)
	far.Press("a")
	far.Arrive("the message by one key", `location.pathname.startsWith("/message/")`)
	far.Press("a")
	far.Until("the number field", `document.activeElement.name == "number"`)
	far.Press(number)
	if got := far.Eval(`document.activeElement.value`); got != number {
		t.Errorf("typed %q, the field holds %q", number, got)
	}
	tabTo(t, far, `#acknowledge button[value=opened]`)
	far.Press(drive.Enter)
	far.Arrive("the acknowledgement", `location.search == "?done=answered"`)
}

// tabTo presses Tab until an element has the focus, and fails if the focus is
// not seen there, or lies under something else.
func tabTo(t *testing.T, w *drive.Window, sel string) {
	t.Helper()
	for range 120 {
		w.Press(drive.Tab)
		if w.Eval(`document.activeElement.matches(%s)`, sel) == "true" {
			if got := w.Eval(`(e => { const r = e.getBoundingClientRect(), s = getComputedStyle(e); const top = document.elementFromPoint(r.left + r.width / 2, r.top + Math.min(r.height / 2, 12)); return (r.top < 0 || r.top > innerHeight - 20 ? "out of the window " : "") + (top && (e.contains(top) || top.contains(e)) ? "" : "under " + (top ? top.outerHTML.slice(0, 80) : "nothing")) + (s.outlineStyle == "none" && s.boxShadow == "none" ? " without a mark" : "") })(document.activeElement)`); got != "" {
				t.Errorf("the focus on %s is %s", sel, got)
			}
			return
		}
	}
	w.Fatalf("Tab does not lead to %s", sel)
}

// Nothing that was received is ever markup, on any page that shows it.
func TestHostileText(t *testing.T) {
	w := shared(t)
	in, pk := w.parties[0], w.parties[1]
	bad := `<img src=x onerror="window.pwned=1"><script>window.pwned=1</script> {{.}} ${1} javascript:window.pwned=1 "><svg onload=window.pwned=1>`
	in.node.Run("send", "--routine", "--type", "exercise", "--line", "1", "--subject", `"><b id=pwned>x</b>`, bad)
	o := pk.officers[0]
	win := o.open(t, "/lines/1")
	win.WaitText("main", `<img src=x onerror="window.pwned=1">`)
	place := win.Eval(`[...document.querySelectorAll(".entry")].find(e => e.innerText.includes("onerror")).querySelector('a[href^="/message/"]').getAttribute("href")`)
	for _, p := range []string{"/lines", "/lines/1", "/lines/1?q=%3Cscript%3E%22", place, place + "/print", "/duties", "/compose?relation=reply&about=" + strings.TrimPrefix(place, "/message/"), "/no-such-<script>"} {
		win.Go(o.node.URL + p)
		if got := win.Eval(`typeof window.pwned + document.querySelectorAll("#pwned, main img, main script, [onerror], [onload]").length`); got != "undefined0" {
			t.Errorf("%s: %s", p, got)
		}
	}
	win.Go(o.node.URL + place)
	if got := win.Eval(`document.querySelector("#message .said").textContent`); got != bad {
		t.Errorf("the text is shown as %q", got)
	}
	for _, m := range win.Complaints() {
		if strings.Contains(m, "Content Security Policy") {
			t.Errorf("only the policy stopped it: %s", m)
		}
	}
}

// The policy holds where the pages' own care would not: a script that got in
// could make no markup, load nothing, and no other page can frame the console.
func TestPolicyHolds(t *testing.T) {
	w := shared(t)
	o := w.parties[0].officers[0]
	win := o.open(t, "/lines")
	for name, js := range map[string]string{
		"markup from text":     `(() => { document.createElement("div").innerHTML = "<b>x</b>"; return "allowed" })()`,
		"a document from text": `(() => { document.write("<b>x</b>"); return "allowed" })()`,
		"a script from text":   `(() => { document.createElement("script").text = "1"; return "allowed" })()`,
		"a policy of its own":  `(() => { trustedTypes.createPolicy("x", {createHTML: s => s}); return "allowed" })()`,
		"a worker":             `(() => { new Worker("data:text/javascript,1"); return "allowed" })()`,
		"another origin":       fmt.Sprintf(`fetch("%s/lines", {credentials: "include"}).then(() => "allowed")`, w.parties[1].node.URL),
		"a picture elsewhere":  fmt.Sprintf(`new Promise((ok, no) => { const i = new Image(); i.onload = () => ok("allowed"); i.onerror = () => no(Error("blocked")); i.src = "%s/static/icon.svg" })`, w.parties[1].node.URL),
	} {
		if got, err := win.TryEval(js); err == nil {
			t.Errorf("%s: %s", name, got)
		}
	}
	win.Complaints()
	page := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(rw, `<!doctype html><iframe src="%s/sign-in"></iframe>`, o.node.URL)
	}))
	defer page.Close()
	other := chrome.Window(t, "a page that frames the console", drive.Look{NoAuth: true})
	other.Go(page.URL)
	other.Until("refusal to be framed", `true`)
	refused := false
	for end := time.Now().Add(5 * time.Second); !refused && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		for _, m := range other.Complaints() {
			refused = refused || strings.Contains(m, "frame-ancestors") || strings.Contains(m, "X-Frame-Options") || strings.Contains(m, "ERR_BLOCKED_BY_RESPONSE")
		}
	}
	if !refused {
		t.Error("another page can frame the console")
	}
}

// Pages work without script: reading, writing, searching, settings. What needs
// script is passkeys, sound and what changes by itself, and the page says so.
func TestWithoutScript(t *testing.T) {
	w := shared(t)
	o := w.parties[0].officers[0]
	pages := pagesOf(t, o)
	win := o.at(t)
	win.Script(false)
	t.Cleanup(func() { win.Script(true) })
	for _, p := range pages {
		win.Go(o.node.URL + p)
		if got := win.Text("h1"); got == "" {
			t.Errorf("%s has no heading without script", p)
		}
	}
	win.Go(o.node.URL + "/lines/1")
	win.Type(`input[type=search]`, "EXERCISE")
	win.Submit(`form[role=search] button, form:has(input[type=search]) button`)
	if !strings.Contains(win.Path(), "q=EXERCISE") {
		t.Errorf("the search without script leads to %s", win.Path())
	}
	drive.Compose(win, o.node.URL, drive.Wording{Lane: "ROUTINE", Type: "exercise", Line: "1", Subject: "No script", Text: "EXERCISE. Written without script."})
	drop(win)
}

// drop gives up the draft of the page, which takes two steps.
func drop(win *drive.Window) {
	win.Click(`details:has(form[action$="/drop"]) > summary`)
	win.Submit(`form[action$="/drop"] button`)
}
