package browser

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"parley/browser/drive"
)

// send2 has one officer write and submit a message and the other release it.
// It returns the entry's address on the console.
func send2(t *testing.T, p *party, m drive.Wording) string {
	t.Helper()
	first, second := p.officers[0].at(t), p.officers[1].at(t)
	path := drive.Compose(first, p.node.URL, m)
	drive.Approve(first, "submit")
	first.Arrive("the draft submitted", `location.search == "?done=submitted"`)
	second.Go(p.node.URL + path)
	second.WaitText("main", m.Text)
	drive.Approve(second, "release")
	second.Arrive("the draft released", `location.search == "?done=released"`)
	return second.Eval(`document.querySelector('.facts a[href^="/message/"]').getAttribute("href")`)
}

// Two officers of one side release a FLASH; it arrives on the other side by
// itself, asks for its tone, and is acknowledged by its number only; the first
// side sees that, and a stranger can check that two persons released it.
func TestFlashFromTwoOfficersToAcknowledgement(t *testing.T) {
	w := shared(t)
	in, pk := w.parties[0], w.parties[1]
	duty := pk.officers[0].open(t, "/lines")
	before := duty.Eval(`document.querySelectorAll("#alarms [data-lane]").length`)
	if before != "0" {
		t.Fatalf("%s alarms before anything arrived", before)
	}
	duty.Click("#arm") // the start of the watch: browsers let sound begin only after a click
	duty.Until("sound armed", `document.querySelector("#arm").hidden`)

	place := send2(t, in, drive.Wording{Lane: "FLASH", Type: "exercise", Line: "1", Subject: "Two persons", Text: "EXERCISE. All firing stops at 1130Z. Confirm.", Ack: "duty-officer"})
	sent := in.officers[1].open(t, place)
	number := sent.Text("h1 .id")

	// Nobody touches the other side's page: it turns by itself, rings, and moves no focus.
	duty.Until("the alarm on the open page", `document.querySelector('#alarms [data-lane="flash"]') != null && document.documentElement.dataset.armed == "ringing"`)
	duty.WaitText("#alert", "FLASH")
	duty.WaitText("#strip .in", number)
	if got := duty.Focused(); strings.HasPrefix(got, "a") || strings.HasPrefix(got, "input") {
		t.Errorf("the alarm moved the focus to %s", got)
	}

	duty.Submit("#strip .in a")
	duty.WaitText("#message", "All firing stops at 1130Z")
	duty.WaitText(".banner", "EXERCISE EXERCISE EXERCISE")
	duty.WaitText("#proof", pk.name(0, in))
	duty.WaitText("#proof", pk.name(1, in))
	duty.Type("#acknowledge input[name=number]", "1/FLASH/999")
	duty.Submit(`#acknowledge button[value=opened]`)
	duty.WaitText("main", "number")
	duty.Go(pk.node.URL + place)
	duty.Type("#acknowledge input[name=number]", strings.ToLower(number))
	duty.Submit(`#acknowledge button[value=opened]`)
	duty.Until("no alarm any more", `document.querySelector("#alarms [data-lane]") == null && document.documentElement.dataset.armed == ""`)

	sent.Until("the acknowledgement on the sender's open page", `[...document.querySelectorAll("#track .track li.done")].length >= 2`)
	checkDisclosure(t, in, number)
}

// name is the title of the other side's officer.
func (p *party) name(i int, other *party) string { return other.officers[i].title }

// checkDisclosure lets a stranger's program read what the record shows about
// the entry: that two officers released it.
func checkDisclosure(t *testing.T, p *party, number string) {
	t.Helper()
	show := p.node.Run("show", number)
	for _, o := range p.officers {
		if !strings.Contains(show, o.title) {
			t.Errorf("parley show does not name %q:\n%s", o.title, show)
		}
	}
	file := filepath.Join(t.TempDir(), "flash.parley")
	p.node.Run("disclose", number, file)
	cmd := exec.Command("go", "run", "./cmd/parley-verify", file)
	cmd.Dir = filepath.Dir(must(os.Getwd()))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("parley-verify: %v\n%s", err, out)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// An edit after the first approval voids it: what was approved is not what
// would go out.
func TestEditVoidsApproval(t *testing.T) {
	w := shared(t)
	in := w.parties[0]
	first, second := in.officers[0].at(t), in.officers[1].at(t)
	path := drive.Compose(first, in.node.URL, drive.Wording{Lane: "FLASH", Type: "exercise", Line: "1", Subject: "Edited", Text: "EXERCISE. Version one."})
	drive.Approve(first, "submit")
	first.Arrive("the draft submitted", `location.search == "?done=submitted"`)

	// The releaser has it open; the drafter edits meanwhile.
	second.Go(in.node.URL + path)
	second.WaitText("main", "Version one.")
	first.Go(in.node.URL + "/compose?" + "draft=" + path[strings.LastIndex(path, "/")+1:])
	first.Type("textarea[name=text]", "EXERCISE. Version two.")
	first.Submit(`#compose button[value=check]`)
	first.Submit(`button[value=keep]`)

	second.Look()
	if second.Has(`form[data-passkey$="/release"] button`) {
		second.Click(`form[data-passkey$="/release"] button`)
		second.Until("a refusal", `[...document.querySelectorAll("[data-problem]")].some(e => !e.hidden && e.innerText.length > 10)`)
	}
	second.Go(in.node.URL + path)
	second.WaitText("main", "Version two.")
	if second.Has(`form[data-passkey$="/release"]`) {
		t.Error("a draft that was edited after its approval can be released")
	}
	if got := second.Eval(`document.querySelector('.facts a[href^="/message/"]') == null`); got != "true" {
		t.Error("it went out")
	}
}

// One person is never two: neither with the same passkey, nor with a second
// one on the same title.
func TestSamePersonTwice(t *testing.T) {
	w := shared(t)
	in := w.parties[0]
	first := in.officers[0].at(t)
	path := drive.Compose(first, in.node.URL, drive.Wording{Lane: "FLASH", Type: "exercise", Line: "1", Subject: "Alone", Text: "EXERCISE. One person only."})
	drive.Approve(first, "submit")
	first.Arrive("the draft submitted", `location.search == "?done=submitted"`)
	first.Go(in.node.URL + path)
	if first.Has(`form[data-passkey$="/release"]`) {
		t.Error("the drafter is offered to release his own draft")
	}
	first.WaitText("main", "another officer")
	// The page offers nothing; the request is refused too.
	first.Look()
	got := first.Eval(`fetch(%s + "/release/begin", {method: "POST", headers: {"Content-Type": "application/json", "X-Node-Request": "1"}, body: JSON.stringify({digest: %s})}).then(async r => r.status + " " + await r.text())`,
		path, digestOf(first))
	if strings.HasPrefix(got, "200") || !strings.Contains(got, "same-officer") && !strings.Contains(strings.ToLower(got), "another officer") {
		t.Errorf("a release by the drafter: %s", got)
	}
}

// digestOf is the digest of the draft that is open.
func digestOf(w *drive.Window) string {
	return w.Eval(`(document.querySelector('input[name="digest"]') || {value: ""}).value`)
}
