// Screenshots plays the demonstration, uses its consoles as officers do, and
// writes pictures of the main pages: light, dark, in Urdu and in Hindi.
//
//	cd browser && go run ./cmd/screenshots ../docs/screenshots
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"parley/browser/drive"
)

// maxBytes is how large a picture may be.
const maxBytes = 150 << 10

// tb ends the command at the first failure.
type tb struct{ undo []func() }

func (t *tb) Helper()                   {}
func (t *tb) Cleanup(f func())          { t.undo = append(t.undo, f) }
func (t *tb) Logf(f string, a ...any)   { fmt.Fprintf(os.Stderr, f+"\n", a...) }
func (t *tb) Fatalf(f string, a ...any) { t.Logf(f, a...); t.close(); os.Exit(1) }
func (t *tb) must(err error, what string) {
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func (t *tb) close() {
	for i := len(t.undo) - 1; i >= 0; i-- {
		t.undo[i]()
	}
	t.undo = nil
}

func main() {
	t := &tb{}
	if len(os.Args) != 2 {
		t.Fatalf("usage: screenshots DIRECTORY")
	}
	out := os.Args[1]
	t.must(os.MkdirAll(out, 0o755), "directory")
	work, err := os.MkdirTemp("", "parley-shots-")
	t.must(err, "directory")
	t.Cleanup(func() { os.RemoveAll(work) })
	urls := drive.Demo(t, drive.Build(t, work), filepath.Join(work, "demo"))
	s := &studio{t: t, out: out, b: drive.OpenBrowser(t), urls: urls}
	s.shoot()
	t.close()
}

// studio takes the pictures.
type studio struct {
	t    *tb
	out  string
	b    *drive.Browser
	urls map[string]string
}

// shoot walks through the pages in the order of the README.
func (s *studio) shoot() {
	in, pk := s.urls["India"], s.urls["Pakistan"]
	a, b := s.window("Officer A of India", false), s.window("Officer B of India", false)
	s.picture(func() *drive.Window { a.Go(in + "/sign-in"); return a }(), "sign-in-light", false)
	drive.DemoSignIn(a, in, "Officer A")
	drive.DemoSignIn(b, in, "Officer B")
	far := s.window("Officer A of Pakistan", true)
	drive.DemoSignIn(far, pk, "Officer A")

	m := drive.Wording{Lane: "FLASH", Type: "exercise", Line: "1", Subject: "Hold of fire, from 1130Z",
		Text: "EXERCISE. 1. All firing stops at 1130Z.\n2. Confirm by 1115Z.", Ack: "duty-officer", Language: "en"}
	draft := drive.Compose(a, in, m)
	drive.Approve(a, "submit")
	a.Arrive("the draft submitted", `location.search == "?done=submitted"`)
	b.Go(in + draft)
	s.picture(b, "release-light", false)
	drive.Approve(b, "release")
	b.Arrive("the draft released", `location.search == "?done=released"`)
	place := b.Eval(`document.querySelector('.facts a[href^="/message/"]').getAttribute("href")`)

	far.Go(pk + "/lines")
	far.Until("the alarm", `document.querySelector('#alarms [data-lane="flash"]') != null`)
	s.picture(far, "alarm-dark", false)
	far.Go(pk + place)
	s.picture(far, "message-dark", false)

	for _, p := range []struct{ path, name string }{
		{"/lines", "lines"}, {"/lines/1", "line"}, {place, "message"}, {"/compose", "compose"}, {"/duties", "duties"}, {"/record", "record"},
	} {
		a.Go(in + p.path)
		s.picture(a, p.name+"-light", false)
	}
	a.Dark(true)
	a.Go(in + "/lines/1")
	s.picture(a, "line-dark", false)
	for _, lang := range []string{"ur", "hi"} {
		a.Dark(lang == "hi")
		drive.Language(a, in, lang)
		for _, p := range []struct{ path, name string }{{"/lines", "lines"}, {place, "message"}} {
			a.Go(in + p.path)
			s.picture(a, p.name+"-"+lang, false)
		}
	}
}

func (s *studio) window(name string, dark bool) *drive.Window {
	return s.b.Window(s.t, name, drive.Look{Width: 1280, Height: 860, Dark: dark, NoAuth: true})
}

// picture writes one picture as small as its colours allow.
func (s *studio) picture(w *drive.Window, name string, whole bool) {
	w.Eval(`document.fonts.ready.then(() => "")`)
	raw := w.Shot(whole)
	png, err := small(raw)
	s.t.must(err, name)
	if len(png) > maxBytes {
		s.t.Fatalf("%s has %d bytes, more than %d", name, len(png), maxBytes)
	}
	s.t.must(os.WriteFile(filepath.Join(s.out, name+".png"), png, 0o644), name)
	s.t.Logf("%-16s %4d KiB", name, (len(png)+512)>>10)
}
