package browser

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"strconv"
	"testing"
	"time"

	"parley/browser/drive"
)

// A slow computer shows the same pages: an officer who enrols, and is led on by
// the script while its other requests are under way, does not come to an empty
// page. PARLEY_ENROL says how often it is tried.
func TestEnrolOnASlowComputer(t *testing.T) {
	program(t)
	times := 2
	if n, err := strconv.Atoi(os.Getenv("PARLEY_ENROL")); err == nil {
		times = n
	}
	c := drive.StartClocked(t, t.TempDir())
	first := chrome.Window(t, "first officer", drive.Look{})
	first.Slow(6)
	drive.Enrol(first, c.Link, "First", "Director")
	shows(t, first, "first")
	for i := range times {
		c.Ahead(5 * time.Minute) // so many passkeys in so short a time are refused
		drive.SignIn(first, c.URL)
		link := drive.AddOfficer(first, c.URL, fmt.Sprintf("Officer %d", i), fmt.Sprintf("Office %d", i))
		w := chrome.Window(t, fmt.Sprintf("officer %d", i), drive.Look{})
		w.Slow(float64(4 + 4*(i%5)))
		drive.Enrol(w, link, "", "")
		shows(t, w, fmt.Sprintf("officer %d", i))
		if bad := w.Complaints(); len(bad) > 0 {
			t.Errorf("officer %d: %q", i, bad)
		}
		w.Close()
	}
}

// shows fails if the page is empty, in its text or to the eye.
func shows(t *testing.T, w *drive.Window, who string) {
	t.Helper()
	if got := w.Eval(`document.body.innerText.length > 200 && document.querySelector("main h1").getBoundingClientRect().height > 5 && document.styleSheets.length >= 2`); got != "true" {
		w.Fatalf("%s: the page is empty", who)
	}
	pic, err := png.Decode(bytes.NewReader(w.Shot(false)))
	if err != nil {
		t.Fatal(err)
	}
	b, colours := pic.Bounds(), map[any]bool{}
	for y := b.Min.Y; y < b.Max.Y; y += 3 {
		for x := b.Min.X; x < b.Max.X; x += 3 {
			colours[pic.At(x, y)] = true
		}
	}
	if len(colours) < 5 {
		w.Fatalf("%s: the window has %d colours", who, len(colours))
	}
}
