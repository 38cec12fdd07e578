package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/console/locale"
	"parley/internal/officer"
)

//go:embed templates/*.html static/*
var embedded embed.FS

// catalogue is a language as pages use it.
type catalogue = *locale.Locale

// pages are all templates, parsed once for each language, so that words need
// no lookup by request. They are read-only after loadPages.
type pages struct {
	byLang map[string]map[string]*template.Template
	static map[string]*asset
}

// asset is one embedded file with the start of its hash, which its address
// carries so that a browser may keep it.
type asset struct {
	body []byte
	tag  string
	kind string
}

var kinds = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2", ".txt": "text/plain; charset=utf-8",
}

// loadPages parses every template in every language. Each file defines "main",
// the part inside the layout; layout, parts and forms define what pages share.
func loadPages(files fs.FS) (*pages, error) {
	p := &pages{byLang: map[string]map[string]*template.Template{}, static: map[string]*asset{}}
	err := fs.WalkDir(files, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(b)
		p.static[strings.TrimPrefix(name, "static/")] = &asset{b, hex.EncodeToString(sum[:6]), kinds[path.Ext(name)]}
		return nil
	})
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		return nil, err
	}
	for _, l := range locale.Languages() {
		set := map[string]*template.Template{}
		base, err := template.New("base").Funcs(l.Funcs()).Funcs(p.funcs(l)).
			ParseFS(files, "templates/layout.html", "templates/parts.html", "templates/forms.html", "templates/beside.html")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			page := strings.TrimSuffix(path.Base(name), ".html")
			if page == "layout" || page == "parts" || page == "forms" || page == "beside" {
				continue
			}
			t := template.Must(base.Clone())
			if set[page], err = t.ParseFS(files, name); err != nil {
				return nil, err
			}
		}
		p.byLang[l.Lang()] = set
	}
	return p, nil
}

// funcs are the functions of templates besides the locale's. Those that return
// markup make it from times, numbers and names of entries only, never from a
// text that somebody wrote.
func (p *pages) funcs(l catalogue) template.FuncMap {
	return template.FuncMap{
		"static": func(name string) string {
			if a := p.static[name]; a != nil {
				return "/static/" + name + "?v=" + a.tag
			}
			return "/static/" + name
		},
		"when": func(t time.Time) template.HTML { return timeElement(t, "") },
		"age": func(t time.Time, now time.Time) template.HTML {
			if t.IsZero() {
				return template.HTML("<span>" + template.HTMLEscapeString(l.T("time.never")) + "</span>")
			}
			return template.HTML(fmt.Sprintf(`<span data-age="%d">%s</span>`, t.Unix(), template.HTMLEscapeString(l.Ago(t, now))))
		},
		"left": func(t time.Time, now time.Time) template.HTML {
			key := "time.left"
			if t.Before(now) {
				key = "time.over"
			}
			words := strings.Replace(l.T(key, "#"), "#", l.Lasting(t.Sub(now)), 1) // isolated once
			return template.HTML(fmt.Sprintf(`<span data-left="%d">%s</span>`, t.Unix(), template.HTMLEscapeString(words)))
		},
		"id": func(v any) template.HTML {
			return template.HTML(`<bdi dir="ltr" class="id">` + template.HTMLEscapeString(clean(fmt.Sprint(v))) + `</bdi>`)
		},
		"lang":    l.Lang,
		"unix":    func(t time.Time) int64 { return t.Unix() },
		"visible": visible,
		"place":   placeOf,
		"lane":    laneOf,
		"letter":  func(i int) string { return string(rune('A' + i)) },
		"add":     func(a, b int) int { return a + b },
		"bytes":   byteCount,
		"english": func(s string) locale.Text { return locale.Text{Text: s, Lang: "en", Dir: "ltr"} },
	}
}

// timeElement is a date-time group that no direction of writing can turn.
func timeElement(t time.Time, class string) template.HTML {
	if t.IsZero() || t.Unix() == 0 {
		return "<span>–</span>"
	}
	return template.HTML(fmt.Sprintf(`<time datetime="%s" class="%s"><bdi dir="ltr">%s</bdi></time>`,
		t.UTC().Format(time.RFC3339), class, locale.DTG(t)))
}

// laneOf is a precedence by its word, for class names and catalogue keys.
func laneOf(l parley.Lane) string { return strings.ToLower(l.String()) }

// placeOf is an entry's address on this console: its long name, since a number
// may stand in two generations of one log.
func placeOf(r parley.Ref) string {
	return strings.ToLower(fmt.Sprintf("%d-%s-%s-%d", r.Party, r.Lane, r.Gen, r.Index))
}

// clean drops what an identifier never contains: control characters and those
// that turn the direction of text.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || turns(r) {
			return -1
		}
		return r
	}, s)
}

// turns reports the characters that change the direction of what follows.
func turns(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x61c
}

// visible shows by number what a text does not show by itself: characters that
// turn its direction, and control characters. Marks of direction that Urdu
// writing uses stay as they are.
func visible(s string) string {
	odd := func(r rune) bool {
		return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r < 0x20 && r != '\n' && r != '\t' ||
			r >= 0x7f && r <= 0x9f || r == 0xfeff || r == 0x2028 || r == 0x2029
	}
	if !strings.ContainsFunc(s, odd) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if odd(r) {
			fmt.Fprintf(&b, "<%U>", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func byteCount(n uint64) string {
	switch {
	case n < 10<<10:
		return strconv.FormatUint(n, 10) + " B"
	case n < 10<<20:
		return strconv.FormatUint(n>>10, 10) + " KiB"
	case n < 10<<30:
		return strconv.FormatUint(n>>20, 10) + " MiB"
	}
	return strconv.FormatUint(n>>30, 10) + " GiB"
}

// Page is what the layout shows around every page.
type Page struct {
	View    string // the template's name, and the place in the navigation
	Title   string // of the document, without the name of the console
	Lang    string
	Dir     string
	Theme   string // dark, light, or empty for the system's choice
	Keys    bool   // single keys are on
	Sound   bool   // the alarm may sound once armed
	Demo    bool
	Me      string // the party's name
	Channel string // the charter's name
	Person  *person
	Strip   *Strip // nil for those without a session
	Path    string
	Now     time.Time
	Notice  string // what was just done
	Refresh bool   // without script the page loads itself again
	Zones   []zoneTime
	Ill     bool         // the record's files need somebody: the page of the record says what
	Type    hotline.Type // of what the page shows; anything but operation is banded
}

// page begins the data of a page.
func (s *Server) page(q *request, view, title string) Page {
	p := Page{View: view, Title: title, Lang: q.loc.Lang(), Dir: q.loc.Dir(), Theme: q.prefs.Theme, Keys: !q.prefs.NoKeys,
		Sound: !q.prefs.NoSound, Demo: s.cfg.Demo, Person: q.person, Path: q.URL.RequestURI(), Now: q.now}
	if q.person == nil {
		return p // a stranger learns nothing of the party
	}
	c := s.cfg.Host.Charter()
	p.Me, p.Channel = c.Member(s.cfg.Host.Me()).Name, c.Name
	p.Strip = s.strip(q)
	x := s.storage()
	p.Ill = x.Low || !x.Found.IsZero()
	if key := "done." + q.URL.Query().Get("done"); q.URL.Query().Has("done") && q.loc.Has(key) {
		p.Notice = q.loc.T(key)
	}
	return p
}

// render writes a page, whole or not at all.
func (s *Server) render(w http.ResponseWriter, q *request, code int, view string, data any) error {
	return s.renderPart(w, q, code, view, "layout", data)
}

func (s *Server) renderPart(w http.ResponseWriter, q *request, code int, view, part string, data any) error {
	p := s.pages
	if s.cfg.Dev != "" {
		fresh, err := loadPages(s.files)
		if err != nil {
			return err
		}
		p = fresh
	}
	t := p.byLang[q.loc.Lang()][view]
	if t == nil {
		return parley.Errorf(CodeInternal, "no template %q", view)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, part, data); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, err := b.WriteTo(w)
	if err != nil {
		s.cfg.Log.Debug("console: a page was not taken", "err", err)
	}
	return nil
}

// ErrorPage says what went wrong: the code, a sentence, and what to do.
type ErrorPage struct {
	Page
	Code     parley.Code
	Status   int
	Text     string
	Remedy   locale.Text
	SignedIn bool
}

// refuse answers with an error, as a page to people and in short to the script.
func (s *Server) refuse(w http.ResponseWriter, q *request, err error) {
	code := parley.CodeOf(err)
	n := status(err)
	if code == "" {
		s.cfg.Log.Error("console: a request failed", "path", q.URL.Path, "err", err)
		code, err = CodeInternal, parley.Errorf(CodeInternal, "the page could not be made")
	}
	if (code == CodeSession || code == officer.CodeSession) && q.Method == http.MethodGet && !q.passive() {
		http.Redirect(w, q.Request, "/sign-in", http.StatusSeeOther)
		return
	}
	text := strings.TrimPrefix(err.Error(), string(code)+": ")
	if q.passive() || strings.HasPrefix(q.Header.Get("Content-Type"), "application/json") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(n)
		json.NewEncoder(w).Encode(map[string]string{"code": string(code), "error": clean(text), "what_to_do": q.loc.Error(string(code), code.Remedy()).Text})
		return
	}
	p := ErrorPage{Page: s.page(q, "error", q.loc.T("problem.title")), Code: code, Status: n, Text: text,
		Remedy: q.loc.Error(string(code), code.Remedy()), SignedIn: q.person != nil}
	if err := s.render(w, q, n, "error", &p); err != nil {
		s.cfg.Log.Error("console: the error page failed", "err", err)
		http.Error(w, string(code), n)
	}
}

// static serves the embedded files.
func (s *Server) static(w http.ResponseWriter, q *request) error {
	p := s.pages
	if s.cfg.Dev != "" {
		if fresh, err := loadPages(s.files); err == nil {
			p = fresh
		}
	}
	a := p.static[q.PathValue("name")]
	if a == nil {
		return parley.Errorf(CodeNoPage, "there is no such file")
	}
	w.Header().Set("Content-Type", a.kind)
	if q.URL.Query().Get("v") == a.tag {
		w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	w.Write(a.body)
	return nil
}
