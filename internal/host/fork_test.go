package host

import (
	"bytes"
	"context"
	"os"
	"testing"

	"parley"
	"parley/internal/node"
	"parley/journal"
)

// A party that runs two copies of its directory, and so signs two histories,
// is caught when two honest members first talk; the proof is a file that
// convinces a stranger who has nothing but the channel's name.
func TestForkProofConvincesAStranger(t *testing.T) {
	t.Parallel()
	dirs, _ := channel(t, "Avaria", "Borduria", "Cadoria")
	b, _ := start(t, dirs[1], Options{})
	c, _ := start(t, dirs[2], Options{})
	addr := map[string]string{"Borduria": b.Addr().String(), "Cadoria": c.Addr().String()}
	a, stop := start(t, dirs[0], Options{Peers: addr})
	ref := say(t, a, parley.Flash, "common")
	ch := a.Signed.Channel()
	for _, h := range []*Host{b, c} {
		eventually(t, h, "the common message arrives", func(v node.View) bool { _, ok := v.Docket.Hotline.Message(ref); return ok })
	}
	stop()
	clone := t.TempDir()
	if err := os.CopyFS(clone, os.DirFS(dirs[0])); err != nil {
		t.Fatal(err)
	}
	// The witness would catch it as well; here the members must.
	for _, d := range []string{dirs[0], clone} {
		if err := SaveSettings(d, Settings{}); err != nil {
			t.Fatal(err)
		}
	}
	two := func(dir, peer, text string, h *Host) {
		evil, stop := start(t, dir, Options{Peers: map[string]string{peer: addr[peer]}})
		defer stop()
		ref := say(t, evil, parley.Flash, text)
		eventually(t, h, text+" arrives", func(v node.View) bool { _, ok := v.Docket.Hotline.Message(ref); return ok })
	}
	two(dirs[0], "Borduria", "to one", b)
	two(clone, "Cadoria", "to the other", c)

	b.Carrier.SetPeer(3, c.Addr().String())
	for _, h := range []*Host{b, c} {
		eventually(t, h, "the fork is seen", func(v node.View) bool {
			for _, l := range v.Station.Logs() {
				if l.Forked {
					return l.Log == ref.Log(ch)
				}
			}
			return false
		})
		var file bytes.Buffer
		if err := h.WriteFork(&file, ref.Log(ch)); err != nil {
			t.Fatal(err)
		}
		proved := false
		if err := journal.VerifyFork(&file, journal.Verify{Channel: &ch}, func(f journal.Finding) { proved = proved || f.Status == journal.Proved }); err != nil || !proved {
			t.Errorf("the proof does not convince: %v", err)
		}
	}
	var whole bytes.Buffer
	if err := b.Export(context.Background(), &whole); err != nil {
		t.Fatal(err)
	}
	var forks uint64
	if err := journal.VerifyRecord(&whole, journal.Verify{Channel: &ch}, func(f journal.Finding) {
		if f.Counts != nil {
			forks = f.Counts.Forks
		}
	}); err != nil || forks != 1 {
		t.Errorf("the exported record shows %d forks, %v", forks, err)
	}
}
