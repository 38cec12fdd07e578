package console

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley"
	"parley/hotline"
	"parley/internal/node"
	"parley/internal/officer"
	"parley/journal"
	"parley/release"
)

// digestOn is the digest that a draft's page was made from.
func digestOn(t *testing.T, page string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, `name="digest" value="`)
	if !ok {
		t.Fatalf("no approval on the page: %s", textOf(page))
	}
	return rest[:64]
}

// step looks at a draft for long enough and takes one step as an officer.
func (x *side) step(t *testing.T, role, at, what string) (digest string) {
	t.Helper()
	digest = digestOn(t, x.get(role, at))
	x.looks()
	if w := x.ask(role, "POST", at+"/"+what, url.Values{"digest": {digest}}); w.Code != 303 {
		t.Fatalf("%s as %s: %d %s", what, role, w.Code, textOf(w.Body.String()))
	}
	return digest
}

// testRelease: a FLASH is written, checked, kept, submitted by one officer and
// released by another, and the other side sees that two keys did; what was
// edited, or seen too shortly, or is released by its drafter, does not go.
func testRelease(t *testing.T, a, b *side) {
	d, err := a.book.DraftRoster(a.in["both"].Session)
	if err != nil {
		t.Fatal(err)
	}
	a.s.limits = newLimits()
	a.step(t, "both", draftAddress(d.ID), "submit")
	a.step(t, "other", draftAddress(d.ID), "release")
	a.until("roster", func(v node.View) bool { return v.Docket.Release.Roster(1) != nil })

	a.until("the book knows the roster", func(v node.View) bool { return !a.book.Standing().RosterDue })
	form := url.Values{"do": {"check"}, "lane": {"FLASH"}, "type": {"operation"}, "line": {"1"}, "to-2": {"action"}, "subject": {"Halt"}, "text": {"We ask for a halt."}, "language": {"en"}}
	w := a.ask("both", "POST", "/compose", form)
	if w.Code != 200 || !strings.Contains(w.Body.String(), "We ask for a halt.") || !strings.Contains(textOf(w.Body.String()), "two persons") {
		t.Fatalf("check: %d %s", w.Code, textOf(w.Body.String()))
	}
	form.Set("do", "keep")
	at := a.ask("both", "POST", "/compose", form).Header().Get("Location")
	digest := digestOn(t, a.get("both", at))
	if w := a.ask("both", "POST", at+"/submit", url.Values{"digest": {digest}}); w.Code == 303 {
		t.Error("submitted at once, unread")
	}
	a.step(t, "both", at, "submit")
	if page := a.get("both", at); strings.Contains(page, at+"/release") {
		t.Error("the drafter is offered the release of his own draft")
	}
	if w := a.ask("both", "POST", at+"/release", url.Values{"digest": {digest}}); w.Code == 303 || !strings.Contains(w.Body.String(), string(officer.CodeSame)) {
		t.Errorf("the drafter releases: %d %s", w.Code, textOf(w.Body.String()))
	}

	// Another officer has read it; then it is edited under his eyes.
	seen := digestOn(t, a.get("other", at))
	form.Set("text", "We ask for a halt at 0600Z.")
	form.Set("draft", strings.TrimPrefix(at, "/drafts/"))
	form.Set("rev", revOn(t, a.get("both", "/compose?draft="+form.Get("draft"))))
	if w := a.ask("both", "POST", "/compose", form); w.Code != 303 {
		t.Fatalf("edit: %d %s", w.Code, textOf(w.Body.String()))
	}
	a.looks()
	a.s.limits = newLimits()
	if w := a.ask("other", "POST", at+"/release", url.Values{"digest": {seen}}); w.Code == 303 {
		t.Error("a draft that was edited after it was read goes out")
	}
	a.step(t, "both", at, "submit")
	a.step(t, "other", at, "release")

	page := a.get("reader", at)
	_, rest, _ := strings.Cut(page[strings.Index(page, "<main"):], `href="/message/`)
	place, _, _ := strings.Cut(rest, `"`)
	ref, ok := parsePlace(place)
	if !ok {
		t.Fatalf("no entry on the page of a released draft: %s", textOf(page))
	}
	b.until("the released message", func(v node.View) bool {
		for _, m := range v.Docket.Hotline.Stretch(flashes).Refs {
			if m.Index == ref.Index && m.Lane == ref.Lane && m.Party == ref.Party {
				return v.Docket.Release.Of(m).State == release.Held
			}
		}
		return false
	})
	if page := textOf(b.get("reader", "/message/"+place)); !strings.Contains(page, "Two keys released it: drafted by “Title both”, released by “Title other”.") {
		t.Errorf("the other side reads: %s", page)
	}
	proofOfTwo(t, b, place, ref)
}

// proofOfTwo: the page offers the message, its RELEASE and its roster as files,
// each of which holds what it says; and the numbers of the latter two lead to
// what they are about.
func proofOfTwo(t *testing.T, x *side, place string, ref parley.Ref) {
	t.Helper()
	_, panel, _ := strings.Cut(x.get("releaser", "/message/"+place), `id="proof"`)
	var kinds []parley.Kind
	for _, m := range regexp.MustCompile(`action="(/message/([^"/]*)/disclosure)"`).FindAllStringSubmatch(panel, -1) {
		w := x.ask("releaser", "POST", m[1], nil)
		err := journal.VerifyDisclosure(w.Body, journal.Verify{Accepted: func(a *journal.Accepted) error {
			kinds = append(kinds, a.Disclosed.Entry.Kind)
			if to := x.ask("releaser", "GET", "/message/"+m[2], nil).Header().Get("Location"); to != map[parley.Kind]string{
				hotline.KindText: "", release.KindRelease: "/message/" + place + "#proof", release.KindRoster: "/record#rosters"}[a.Disclosed.Entry.Kind] {
				t.Errorf("/message/%s leads to %q", m[2], to)
			}
			return nil
		}}, nil)
		if w.Code != 200 || err != nil {
			t.Errorf("%s: %d, %v", m[1], w.Code, err)
		}
	}
	if !slices.Equal(kinds, []parley.Kind{hotline.KindText, release.KindRelease, release.KindRoster}) {
		t.Errorf("the panel of a released message discloses kinds %d:\n%s", kinds, textOf(panel))
	}
	first := ref
	first.Index = 0
	if w := x.ask("releaser", "GET", "/message/"+placeOf(first), nil); w.Code != 404 || !strings.Contains(w.Body.String(), string(CodeNodes)) {
		t.Errorf("the first entry of a log: %d %s", w.Code, textOf(w.Body.String()))
	}
}

func revOn(t *testing.T, page string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, `name="rev" value="`)
	if !ok {
		t.Fatalf("no form: %s", textOf(page))
	}
	rev, _, _ := strings.Cut(rest, `"`)
	return rev
}

var flashes = hotline.Timeline{Kinds: []parley.Kind{hotline.KindText}, Limit: 20}
