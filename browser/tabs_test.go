package browser

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/browser/drive"
)

// An officer with more pages open than a browser has connections for: each of
// them opens, lives and rings, though one stream serves them all; and when the
// page that listens is closed, another listens.
func TestManyTabs(t *testing.T) {
	w := shared(t)
	in, pk := w.parties[0], w.parties[1]
	o := pk.officers[1]
	tabs := []*drive.Window{o.open(t, "/lines")}
	for i := range 8 {
		tab := tabs[0].Tab(fmt.Sprintf("tab %d", i+2))
		tab.Go(o.node.URL + "/lines")
		tabs = append(tabs, tab)
	}
	streams := func() (n int) {
		for _, tab := range tabs {
			for _, r := range tab.Waits() {
				if strings.HasSuffix(r, "/events") {
					n++
				}
			}
		}
		return n
	}
	for end := time.Now().Add(20 * time.Second); streams() != 1 && time.Now().Before(end); {
		time.Sleep(100 * time.Millisecond)
	}
	if n := streams(); n != 1 {
		t.Errorf("%d pages listen to the node", n)
	}
	lives := func(when string) {
		t.Helper()
		for _, tab := range tabs {
			if got := tab.Eval(`document.querySelector("#strip").dataset.state`); !slices.Contains([]string{"alive", "untested"}, got) {
				t.Errorf("%s, a strip is %s", when, got)
			}
		}
	}
	lives("with nine tabs")
	said := in.node.Run("send", "--flash", "--alone", "--type", "exercise", "--line", "1", "EXERCISE. On every tab.")
	number := entryName.FindString(said)
	for _, tab := range tabs {
		tab.Until("the alarm on every tab", `[...document.querySelectorAll("#alarms [data-lane]")].some(e => e.dataset.ref == %s)`, number)
	}
	for i, tab := range tabs[1:] { // the one that listens is among those that close
		if i < 7 {
			tab.Close()
		}
	}
	tabs = []*drive.Window{tabs[0], tabs[8]}
	tabs[0].Go("about:blank")
	tabs = tabs[1:]
	time.Sleep(20 * time.Second) // longer than a page waits before it calls a node dead
	lives("with one tab left")
	pk.node.Run("answer", number, "opened")
}
