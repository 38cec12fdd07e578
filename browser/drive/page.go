package drive

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// messages are what the browser complains about: exceptions of scripts, and
// violations of the content security policy.
type messages struct {
	mu   sync.Mutex
	list []string
	urls []string
	last string                       // the newest document: status, address, type
	open map[network.RequestID]string // what was asked for and has not ended
}

func (m *messages) event(e any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch e := e.(type) {
	case *runtime.EventExceptionThrown:
		m.list = append(m.list, "exception: "+exception(e.ExceptionDetails))
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			m.list = append(m.list, string(e.Entry.Source)+": "+e.Entry.Text+" "+e.Entry.URL)
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			for _, a := range e.Args {
				m.list = append(m.list, "console: "+string(a.Value)+a.Description)
			}
		}
	case *network.EventResponseReceived:
		if e.Type == network.ResourceTypeDocument {
			m.last = fmt.Sprintf("%d %s, %s", e.Response.Status, e.Response.URL, e.Response.MimeType)
		}
	case *runtime.EventExecutionContextsCleared:
		clear(m.open) // another page
	case *network.EventLoadingFinished:
		delete(m.open, e.RequestID)
	case *network.EventLoadingFailed:
		delete(m.open, e.RequestID)
		if !e.Canceled {
			m.list = append(m.list, "not loaded: "+e.ErrorText+" "+string(e.BlockedReason))
		}
	case *network.EventRequestWillBeSent:
		m.urls = append(m.urls, e.Request.URL)
		if m.open == nil {
			m.open = map[network.RequestID]string{}
		}
		m.open[e.RequestID] = e.Request.Method + " " + e.Request.URL
	}
}

func (m *messages) document() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.last
}

// waits lists what the window has asked for and not got whole.
func (m *messages) waits() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Values(m.open))
}

func (m *messages) take() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := m.list
	m.list = nil
	return out
}

// Complaints are the exceptions, errors and policy violations since the last
// call.
func (w *Window) Complaints() []string { return w.log.take() }

// Waits are the requests of the window that have not ended, those of its page
// and of pages before it that nobody has seen end: "GET http://…".
func (w *Window) Waits() []string { return w.log.waits() }

// Requests are the addresses of everything the window has asked for.
func (w *Window) Requests() []string {
	w.log.mu.Lock()
	defer w.log.mu.Unlock()
	return slices.Clone(w.log.urls)
}

// Go opens an address and waits until the page is complete.
func (w *Window) Go(url string) {
	w.t.Helper()
	if err := w.do(chromedp.Navigate(url)); err != nil {
		w.Fatalf("open %s: %v", url, err)
	}
}

// TryGo is Go for what may fail.
func (w *Window) TryGo(url string) error {
	w.t.Helper()
	return w.do(chromedp.Navigate(url))
}

// Path is the path and query of the page that is open.
func (w *Window) Path() string {
	w.t.Helper()
	return w.Eval(`location.pathname + location.search`)
}

// Origin is the scheme, host and port of the page that is open.
func (w *Window) Origin() string {
	w.t.Helper()
	return w.Eval(`location.origin`)
}

// Eval evaluates an expression to a string; a promise is awaited.
func (w *Window) Eval(js string, args ...any) string {
	w.t.Helper()
	s, err := w.TryEval(js, args...)
	if err != nil {
		w.Fatalf("%s: %v", short(js), err)
	}
	return s
}

// TryEval is Eval for what may fail. Arguments replace %s as JSON.
func (w *Window) TryEval(js string, args ...any) (string, error) {
	if len(args) > 0 {
		var enc []any
		for _, a := range args {
			b, err := json.Marshal(a)
			if err != nil {
				return "", err
			}
			enc = append(enc, string(b))
		}
		js = fmt.Sprintf(js, enc...)
	}
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[string]("(async () => String(await ("+js+")))()", chromedp.EvalAwaitPromise, gesture))
}

// gesture lets an expression do what needs a click.
func gesture(p *runtime.EvaluateParams) { yes := true; p.UserGesture = &yes }

func short(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}

// Click clicks the first visible element of the selector with the mouse.
func (w *Window) Click(sel string) {
	w.t.Helper()
	if err := w.do(chromedp.Click(chromedp.CSS(sel), chromedp.NodeVisible)); err != nil {
		w.Fatalf("click %s: %v", sel, err)
	}
}

// Submit clicks and waits for the page that follows. What marks the page
// before it means nothing to the console's script: an attribute that the script
// knows once made it write a clock over the whole page.
func (w *Window) Submit(sel string) {
	w.t.Helper()
	w.Eval(`(document.documentElement.dataset.beforeSubmit = "", true)`)
	w.Click(sel)
	w.Until("another page after "+sel, `document.readyState == "complete" && !("beforeSubmit" in document.documentElement.dataset)`)
}

// Type gives a field the keyboard's focus, empties it and enters a text.
func (w *Window) Type(sel, text string) {
	w.t.Helper()
	w.Until(sel, `(e => e != null && !e.disabled)(document.querySelector(%s))`, sel)
	w.Eval(`(e => { e.focus(); e.select ? e.select() : 0; return true })(document.querySelector(%s))`, sel)
	w.Press(kb.Delete)
	call(w, input.InsertText, input.InsertTextParams{Text: text})
	if got := w.Eval(`document.querySelector(%s).value.replaceAll("\r\n", "\n")`, sel); got != text {
		w.Fatalf("type %q into %s: it holds %q", text, sel, got)
	}
}

// Choose chooses an option of a select element by its value.
func (w *Window) Choose(sel, value string) {
	w.t.Helper()
	got := w.Eval(`(() => { const e = document.querySelector(%s); if (!e) return "no element"; e.value = %s; e.dispatchEvent(new Event("input", {bubbles: true})); e.dispatchEvent(new Event("change", {bubbles: true})); return e.value })()`, sel, value)
	if got != value {
		w.Fatalf("choose %s in %s: %s", value, sel, got)
	}
}

// Press sends keys to whatever has the focus: text, or names of kb such as
// kb.Tab. Each is one press, whose character a page may refuse as it may a
// person's.
func (w *Window) Press(keys ...string) {
	w.t.Helper()
	for _, r := range strings.Join(keys, "") {
		events := kb.Encode(r)
		down, up := *events[0], *events[len(events)-1]
		down.Type = input.DispatchKeyEventTypeRawKeyDown
		if len(events) == 3 {
			down.Type, down.Text, down.UnmodifiedText = input.DispatchKeyEventTypeKeyDown, events[1].Text, events[1].UnmodifiedText
		}
		call(w, input.DispatchKeyEvent, down)
		call(w, input.DispatchKeyEvent, up)
	}
}

// Keys that tests press.
const (
	Tab    = kb.Tab
	Enter  = kb.Enter
	Escape = kb.Escape
	Down   = kb.ArrowDown
	Up     = kb.ArrowUp
	Space  = " "
)

// Until waits until an expression is true.
func (w *Window) Until(what, js string, args ...any) {
	w.t.Helper()
	w.UntilFor(patience, what, js, args...)
}

// UntilFor is Until with a limit of its own.
func (w *Window) UntilFor(limit time.Duration, what, js string, args ...any) {
	w.t.Helper()
	last, end := "", time.Now().Add(limit)
	for time.Now().Before(end) {
		s, err := w.TryEval(js, args...) // fails while a page is replaced
		if err == nil && s == "true" {
			return
		}
		if last = s; err != nil {
			last = err.Error()
		}
		time.Sleep(50 * time.Millisecond)
	}
	w.Fatalf("no %s in %v: %s is %s", what, limit, short(js), short(last))
}

// Arrive waits for a page that fits an expression and is complete, scripts
// included.
func (w *Window) Arrive(what, js string, args ...any) {
	w.t.Helper()
	w.Until(what, `document.readyState == "complete" && (`+js+`)`, args...)
}

// Has reports whether an element is in the page.
func (w *Window) Has(sel string) bool {
	w.t.Helper()
	return w.Eval(`document.querySelector(%s) != null`, sel) == "true"
}

// Text is the visible text of the first element of the selector, its spaces
// and control characters of direction reduced.
func (w *Window) Text(sel string) string {
	w.t.Helper()
	return Plain(w.Eval(`(document.querySelector(%s) || {innerText: ""}).innerText`, sel))
}

// Plain drops the marks of direction from a text and joins its lines.
func Plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f {
			return -1
		}
		if r == 0x202f || r == 0xa0 {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// WaitText waits until the element's text contains a text, in any case of
// letters.
func (w *Window) WaitText(sel, text string) {
	w.t.Helper()
	w.Until(fmt.Sprintf("%q in %s", text, sel),
		`[...document.querySelectorAll(%s)].some(e => e.innerText.replace(/[\u2066-\u2069\u200e\u200f]/g, "").replace(/\s+/g, " ").toLowerCase().includes(%s))`, sel, strings.ToLower(text))
}

// Focused describes the element that has the focus: tag, id and name.
func (w *Window) Focused() string {
	w.t.Helper()
	return w.Eval(`(e => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "") + (e.name ? "[name=" + e.name + "]" : ""))(document.activeElement)`)
}

// Cookies are the window's cookies, those hidden from scripts included.
func (w *Window) Cookies() []*network.Cookie {
	w.t.Helper()
	r, err := chromedp.CallBrowser(w.ctx, storage.GetCookies, storage.GetCookiesParams{BrowserContextID: chromedp.FromContext(w.ctx).BrowserContextID})
	if err != nil {
		w.Fatalf("cookies: %v", err)
	}
	return r.Cookies
}

// Shot takes a picture of the window, or of the whole page.
func (w *Window) Shot(whole bool) []byte {
	w.t.Helper()
	return call(w, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng, CaptureBeyondViewport: &whole}).Data
}

func exception(d *runtime.ExceptionDetails) string {
	if d.Exception != nil && d.Exception.Description != "" {
		return d.Exception.Description
	}
	return d.Text
}
