package browser

import (
	"testing"
	"time"

	"parley/browser/drive"
)

// An officer loses the device with his passkey. Two others let him enrol again,
// a day later: not one alone, not he himself, and no minute sooner. The new
// passkey signs him in, and the lost one nobody any more.
func TestRecovery(t *testing.T) {
	program(t)
	c := drive.StartClocked(t, t.TempDir())
	var wins []*drive.Window
	for _, name := range []string{"first officer", "second officer", "who loses his passkey"} {
		wins = append(wins, chrome.Window(t, name, drive.Look{}))
	}
	first, second, lost := wins[0], wins[1], wins[2]
	drive.Enrol(first, c.Link, "First", "Director")
	drive.Enrol(second, drive.AddOfficer(first, c.URL, "Second", "Deputy"), "", "")
	drive.Enrol(lost, drive.AddOfficer(first, c.URL, "Third", "Duty officer"), "", "")
	drive.PostRoster(first, second, c.URL)
	card := `#officer-3`
	open := func(w *drive.Window) { w.Go(c.URL + "/officers"); w.WaitText(card, "Third") }
	do := func(what string) string { return card + ` button[name=do][value="` + what + `"]` }
	again := func(w *drive.Window) { drive.SignIn(w, c.URL); open(w) }

	open(lost)
	if lost.Has(do("recover")) {
		t.Error("an officer can ask for his own recovery")
	}
	open(first)
	first.Click(card + " details:has(button[value=recover]) summary")
	first.Submit(do("recover"))
	open(first)
	if first.Has(do("approve")) || first.Has(do("recovery-link")) {
		t.Error("one officer alone can recover another")
	}
	open(lost)
	if lost.Has(do("approve")) || !lost.Has(do("stop")) {
		t.Error("the officer approves his own recovery, or cannot stop it")
	}
	open(second)
	second.Submit(do("approve"))
	open(second)
	if second.Has(do("recovery-link")) {
		t.Error("the link can be made at once")
	}

	// What no page offers yet is refused, a minute before a day has passed too.
	refused := func(w *drive.Window) {
		t.Helper()
		if w.Has(do("recovery-link")) {
			t.Error("the link is offered too early")
		}
		// The form that the page will have later, sent now.
		w.Eval(`(() => { const f = document.querySelector(%s), b = document.createElement("button"); b.name = "do"; b.value = "recovery-link"; b.id = "early"; b.textContent = "early"; f.append(b); return true })()`, card+` form:has(button[value=stop])`)
		w.Submit("#early")
		if w.Has("#link") {
			t.Error("the link is made too early")
		}
		w.WaitText("main [role=alert]", "the link can be made at")
	}
	refused(second)
	c.Ahead(24*time.Hour - 2*time.Minute)
	again(second)
	refused(second)
	drive.SignIn(lost, c.URL) // until then his own passkey is good, should he find it
	c.Ahead(3 * time.Minute)
	again(first)
	first.Submit(do("recovery-link"))
	link := first.Text("#link code")

	device := chrome.Window(t, "a new device", drive.Look{})
	drive.Enrol(device, link, "", "")
	device.WaitText(card, "Third")
	lost.Until("the end of the session with the lost passkey", `["ended", "dead"].includes(document.querySelector("#strip").dataset.state)`)
	lost.Go(c.URL + "/sign-in")
	lost.Click("#sign-in button")
	lost.Until("a refusal of the lost passkey", `(e => !e.hidden && e.innerText.length > 10)(document.querySelector("#sign-in [data-problem]"))`)
	if got := lost.Path(); got != "/sign-in" {
		t.Errorf("the lost passkey signs in: %s", got)
	}
	drive.SignOut(device)
	drive.SignIn(device, c.URL)
	late := chrome.Window(t, "who finds the link later", drive.Look{})
	late.Go(link)
	if late.Has("#setup") {
		t.Error("the link can be used twice")
	}
	open(second)
	second.WaitText(`section[aria-labelledby="news-title"]`, "recovery approved") // everybody is told
}
