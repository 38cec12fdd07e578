package console

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/console/locale"
	"parley/internal/node"
)

// send takes a kept draft through two officers and returns the entry that it
// became.
func (x *side) send(t *testing.T, at string) parley.Ref {
	t.Helper()
	x.s.limits = newLimits()
	x.step(t, "both", at, "submit")
	if page := x.get("other", at); strings.Contains(page, at+"/release") {
		x.step(t, "other", at, "release")
	}
	page := x.get("reader", at)
	_, rest, _ := strings.Cut(page[strings.Index(page, "<main"):], `href="/message/`)
	place, _, _ := strings.Cut(rest, `"`)
	ref, ok := parsePlace(place)
	if !ok {
		t.Fatalf("no entry on the page of a released draft: %s", textOf(page))
	}
	return ref
}

// keeps posts a form and returns the address of the draft that it became.
func (x *side) keeps(t *testing.T, path string, form url.Values) string {
	t.Helper()
	w := x.ask("both", "POST", path, form)
	if w.Code != 303 || !strings.HasPrefix(w.Header().Get("Location"), "/drafts/") {
		t.Fatalf("%s: %d %s", path, w.Code, textOf(w.Body.String()))
	}
	return w.Header().Get("Location")
}

// testForms: a call, a question about something from outside, and a new
// wording of a line are written, read whole before they go, and stand on the
// other side; what cannot be said so comes back as it was entered.
func testForms(t *testing.T, a, b *side) {
	call := url.Values{"lane": {"IMMEDIATE"}, "type": {"exercise"}, "line": {"1"}, "caller": {"2"}, "called-1": {"1"}, "at": {"2025-05-10T03:45"}, "outcome": {"no-answer"}, "note": {"Rang twice."}}
	at := a.keeps(t, "/call", call)
	if page := textOf(a.get("other", at)); !strings.Contains(page, "no answer") || !strings.Contains(page, "Rang twice.") || !strings.Contains(page, "100345ZMAY25") || !strings.Contains(page, "EXERCISE EXERCISE EXERCISE") {
		t.Errorf("who releases the call does not read all of it: %s", page)
	}
	ref := a.send(t, at)
	b.until("the call", func(v node.View) bool {
		for _, r := range v.Docket.Hotline.Stretch(hotline.Timeline{Kinds: kindNames["call"], Limit: 9}).Refs {
			if r.Index == ref.Index && r.Lane == ref.Lane && r.Party == ref.Party {
				x, ok := v.Docket.Hotline.CallOf(r)
				return ok && x.Attempt.Outcome == hotline.NoAnswer && x.Attempt.Caller == 2 && x.Attempt.Note == "Rang twice."
			}
		}
		return false
	})

	at = a.keeps(t, "/question", url.Values{"lane": {"FLASH"}, "type": {"operation"}, "line": {"0"}, "to-2": {"1"}, "text": {"At 2130Z a caller said he was your minister."}})
	if page := textOf(a.get("other", at)); !strings.Contains(page, "At 2130Z a caller") {
		t.Errorf("who releases the question does not read it: %s", page)
	}

	line := url.Values{"number": {"7"}, "name": {"Advisers"}, "level": {"security advisers"}, "medium": {"voice"}, "next": {"1"}, "member-1": {"1"}, "member-2": {"1"},
		"tests": {"daily"}, "day-tue": {"1"}, "day-fri": {"1"}, "times": {"16:30 04:30"}, "first": {"2"}, "start": {"2030-01-01T00:00"}, "grace": {"20"}, "holidays": {"2030-01-26"}}
	at = a.keeps(t, "/propose", line)
	whole := []string{"Advisers", "security advisers", "voice", "Tuesday, Friday", "04:30Z 16:30Z", "20 min", "2030-01-26", "010000ZJAN30"}
	for _, s := range whole {
		if page := textOf(a.get("other", at)); !strings.Contains(page, s) {
			t.Errorf("who releases the wording does not read %q: %s", s, page)
		}
	}
	ref = a.send(t, at)
	b.until("the proposal", func(v node.View) bool {
		for _, l := range v.Docket.Hotline.Lines(v.Now) {
			if l.Number == 7 && len(l.Proposals) == 1 {
				p := l.Proposals[0].Line
				return p.Schedule.First == 2 && p.Schedule.Days == 0b0010010 && len(p.Schedule.Minutes) == 2 && p.Grace == 1200 && p.Next == 1 && p.Serial == 1
			}
		}
		return false
	})
	page := textOf(b.get("both", "/message/"+placeOf(ref)))
	for _, s := range append(whole, "has not said anything yet") {
		if !strings.Contains(page, s) {
			t.Errorf("who is to accept the wording does not read %q: %s", s, page)
		}
	}
	// The form begins with the wording as it stands, and the next serial.
	form := a.get("both", "/propose?number=7")
	for _, s := range []string{`value="Advisers"`, `value="04:30Z 16:30Z "`, `value="20"`, "2030-01-26"} {
		if !strings.Contains(form, s) {
			t.Errorf("the form of a new wording does not hold %s", s)
		}
	}
	line.Set("grace", "30")
	if page := textOf(a.get("other", a.keeps(t, "/propose", line))); !strings.Contains(page, "30 min") || !strings.Contains(page, "Wording2") {
		t.Errorf("a second wording: %s", page)
	}

	for name, f := range map[string]struct {
		path string
		form url.Values
		keep string // what was entered and must still be there
	}{
		"nobody called":     {"/call", url.Values{"lane": {"FLASH"}, "type": {"test"}, "line": {"1"}, "caller": {"1"}, "at": {"2025-05-10T03:45"}, "outcome": {"busy"}, "note": {"kept note"}}, "kept note"},
		"calls itself":      {"/call", url.Values{"lane": {"FLASH"}, "type": {"test"}, "line": {"1"}, "caller": {"1"}, "called-1": {"1"}, "at": {"2025-05-10T03:45"}, "outcome": {"busy"}, "note": {"kept note"}}, "kept note"},
		"in the future":     {"/call", url.Values{"lane": {"FLASH"}, "type": {"test"}, "line": {"1"}, "caller": {"1"}, "called-2": {"1"}, "at": {"2225-05-10T03:45"}, "outcome": {"busy"}, "note": {"kept note"}}, "kept note"},
		"no outcome":        {"/call", url.Values{"lane": {"FLASH"}, "type": {"test"}, "line": {"1"}, "caller": {"1"}, "called-2": {"1"}, "at": {"2025-05-10T03:45"}, "note": {"kept note"}}, "kept note"},
		"nobody asked":      {"/question", url.Values{"lane": {"FLASH"}, "type": {"test"}, "line": {"1"}, "text": {"kept words"}}, "kept words"},
		"nothing asked":     {"/question", url.Values{"lane": {"FLASH"}, "type": {"test"}, "line": {"1"}, "to-2": {"1"}}, `value="1" checked`},
		"line of one":       {"/propose", url.Values{"number": {"8"}, "name": {"Kept name"}, "level": {"x"}, "medium": {"voice"}, "member-1": {"1"}, "tests": {"none"}}, "Kept name"},
		"no such time":      {"/propose", url.Values{"number": {"8"}, "name": {"Kept name"}, "level": {"x"}, "medium": {"voice"}, "member-1": {"1"}, "member-2": {"1"}, "tests": {"daily"}, "day-mon": {"1"}, "times": {"25:00"}, "grace": {"15"}}, "25:00"},
		"number 0":          {"/propose", url.Values{"number": {"0"}, "name": {"Kept name"}, "level": {"x"}, "medium": {"voice"}, "member-1": {"1"}, "member-2": {"1"}, "tests": {"none"}}, "Kept name"},
		"the year of flood": {"/propose", url.Values{"number": {"8"}, "name": {"Kept name"}, "level": {"x"}, "medium": {"voice"}, "member-1": {"1"}, "member-2": {"1"}, "tests": {"none"}, "holidays": {"1066-10-14"}}, "1066-10-14"},
	} {
		w := a.ask("both", "POST", f.path, f.form)
		if page := w.Body.String(); w.Code != 422 || !strings.Contains(page, `role="alert"`) || !strings.Contains(page, f.keep) {
			t.Errorf("%s: %d %s", name, w.Code, textOf(page))
		}
	}
}

// Every duty of the desk is a sentence in every language, with what it needs.
func TestDutiesInWords(t *testing.T) {
	at := time.Unix(1_746_848_700, 0)
	for _, l := range locale.Languages() {
		var rows []DutyRow
		for _, what := range []string{hotline.DutyDeliver, hotline.DutyOpen, hotline.DutyPass, hotline.DutyAnswer, hotline.DutyConfirm, hotline.DutyCallBack, hotline.DutyEscalate, hotline.DutyTest} {
			rows = append(rows, DutyRow{What: what, Ref: parley.Ref{Party: 2, Index: 17}, with: "Borduria", outcome: hotline.NoAnswer, at: at, line: 3})
		}
		for _, r := range inWords(l, rows) {
			about := "2/FLASH/17"
			switch r.What {
			case hotline.DutyCallBack, hotline.DutyEscalate, hotline.DutyTest:
				about = locale.DTG(at)
			}
			if strings.ContainsAny(r.Words, "⟦{") || !strings.Contains(r.Words, about) {
				t.Errorf("%s in %s: %q", r.What, l.Lang(), r.Words)
			}
		}
		if rows[0].Words != "" {
			t.Error("the rows that all officers share were changed")
		}
	}
}
