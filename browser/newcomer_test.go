package browser

import (
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/browser/drive"
)

// What the README promises to a newcomer, with nothing but the demonstration:
// two persons release a FLASH, the other side acknowledges it, and a stranger's
// program verifies the proof. All in one browser, whose three consoles do not
// know each other's sessions.
func TestNewcomer(t *testing.T) {
	bin, _ := program(t)
	began := time.Now()
	step := func(what string) { t.Logf("%5.1f s  %s", time.Since(began).Seconds(), what) }
	urls := drive.Demo(t, bin, filepath.Join(t.TempDir(), "demo"))
	in, pk, sa := urls["India"], urls["Pakistan"], urls["Saudi Arabia"]
	step("the exercise was played; three consoles are open")

	w := chrome.Window(t, "the newcomer", drive.Look{NoAuth: true})
	drive.DemoSignIn(w, in, "Officer A")
	w.WaitText(".demo", "DEMO")
	for _, other := range []string{pk, sa} {
		w.Go(other + "/lines")
		if got := w.Path(); !strings.HasPrefix(got, "/sign-in") {
			t.Errorf("signed in to one console, another one opens %s", got)
		}
	}
	step("signed in as Officer A of India")
	path := drive.Compose(w, in, drive.Wording{Lane: "FLASH", Type: "exercise", Line: "1", Subject: "My first FLASH", Text: "EXERCISE. All firing stops at 1130Z. Confirm.", Ack: "duty-officer"})
	drive.Approve(w, "submit")
	w.Arrive("the draft submitted", `location.search == "?done=submitted"`)
	step("written, checked and submitted")
	drive.DemoSignIn(w, in, "Officer B")
	w.Go(in + path)
	drive.Approve(w, "release")
	w.Arrive("the draft released", `location.search == "?done=released"`)
	place := w.Eval(`document.querySelector('.facts a[href^="/message/"]').getAttribute("href")`)
	step("released by Officer B")

	drive.DemoSignIn(w, pk, "Officer A")
	w.Until("the message on the other side", `fetch(%s).then(r => r.ok)`, place)
	w.Go(pk + place)
	number := w.Text("h1 .id")
	w.Type("#acknowledge input[name=number]", number)
	w.Submit(`#acknowledge button[value=opened]`)
	w.WaitText(".notice", "Sent")
	step("acknowledged by Pakistan")

	w.Go(in + place) // still signed in there: the consoles' cookies do not mix
	w.Until("the acknowledgement", `document.querySelectorAll("#track .track li.done").length >= 2`)
	got := w.Eval(`Promise.all([...document.querySelectorAll('form[action$="/disclosure"]')].map(f => fetch(f.action, {method: "POST", headers: {"Content-Type": "application/x-www-form-urlencoded"}}).then(async r => r.status == 200 ? btoa(String.fromCharCode(...new Uint8Array(await r.arrayBuffer()))) : "status " + r.status))).then(all => all.join(" "))`)
	var files []string // the message, its release and its roster
	for i, f := range strings.Fields(got) {
		b, err := base64.StdEncoding.DecodeString(f)
		if err != nil {
			t.Fatalf("a disclosure file: %s", f)
		}
		files = append(files, filepath.Join(t.TempDir(), fmt.Sprintf("%d.parley-entry", i)))
		if err := os.WriteFile(files[i], b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	verify := filepath.Join(t.TempDir(), "parley-verify")
	build := exec.Command("go", "build", "-o", verify, "./cmd/parley-verify")
	build.Dir = filepath.Dir(must(os.Getwd()))
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	said, err := exec.Command(verify, files...).CombinedOutput()
	for _, want := range []string{"PROVED", "EXERCISE EXERCISE EXERCISE", "My first FLASH", "DEMO DEMO DEMO: the keys lay with the node; released by two keys: drafted by"} {
		if err != nil || !strings.Contains(string(said), want) {
			t.Errorf("parley-verify of %d files does not say %q: %v\n%s", len(files), want, err, said)
		}
	}
	step("verified by a program that knows nothing of the nodes")
}
