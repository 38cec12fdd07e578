package host

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/node"
	"parley/internal/store"
	"parley/journal"
)

// dose is how many entries a rebuilding brings back. The measurement of the
// README is
//
//	PARLEY_REBUILD=100000 go test ./internal/host -run TestRebuild$ -v -timeout 60m
func dose(t *testing.T) int {
	if v := os.Getenv("PARLEY_REBUILD"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			t.Fatalf("PARLEY_REBUILD=%q is not a number", v)
		}
		return n
	}
	return 600
}

func init() { calmAll, calmSome = time.Second, 4*time.Second }

func unlimited(r *parley.Rules) {
	for lane := range r.Quota {
		r.Quota[lane] = parley.MaxUint
	}
}

// write lets both write n messages altogether, many under way, and waits until
// each holds the other's.
func exchange(t *testing.T, n int, hs ...*Host) {
	t.Helper()
	var wg sync.WaitGroup
	lanes := []parley.Lane{parley.Flash, parley.Priority, parley.Routine}
	for k, h := range hs {
		for w := range 32 {
			wg.Go(func() {
				for i := w; i < n/len(hs); i += 32 {
					d := hotline.Draft(&hotline.Text{Type: hotline.Exercise, Text: fmt.Sprintf("EXERCISE. Message %d of member %d to whom it may concern.", i, k)}, lanes[i%3], parley.ToAll)
					if _, err := h.Node.Post(context.Background(), d); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
	}
	wg.Wait()
	for end := time.Now().Add(15 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		behind := uint64(0)
		for _, h := range hs {
			h.Node.Do(context.Background(), func(v node.View) {
				behind += v.Station.Missing()
				for _, l := range v.Station.Logs() {
					for _, o := range hs {
						if l.Log.Party == h.me && o != h && l.Current {
							behind += l.Head.Size - l.Receipts[o.me]
						}
					}
				}
			})
		}
		if behind == 0 {
			return
		}
		if time.Now().After(end) {
			for _, h := range hs {
				h.Node.Do(context.Background(), func(v node.View) {
					for _, l := range v.Station.Logs() {
						t.Logf("member %d: %+v", h.me, l)
					}
					t.Logf("member %d: %+v, missing %d", h.me, v.Station.Links(), v.Station.Missing())
				})
			}
			t.Fatalf("%d receipts never came", behind)
		}
	}
}

// wipe loses everything of a directory but the names of its files in an
// identity.
func wipe(t *testing.T, dir string) {
	t.Helper()
	keep := map[string]bool{}
	for _, f := range identityFiles {
		keep[f.name] = true
	}
	es, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range es {
		if !keep[e.Name()] {
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func peerAt(h *Host) map[string]string {
	return map[string]string{h.charter.Member(h.me).Name: h.Addr().(*net.TCPAddr).String()}
}

// rebuild does what parley recover does.
func rebuild(t *testing.T, dir string, o Options) *Rebuilt {
	t.Helper()
	if _, err := BeginRebuild(dir); err != nil {
		t.Fatal(err)
	}
	o.Rebuild = true
	h, stop := start(t, dir, o)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	r, err := h.AwaitRebuild(ctx, func(uint64, uint64) {})
	if err != nil {
		t.Fatalf("%v: %+v", err, r)
	}
	stop()
	if err := FinishRebuild(dir, r, func(uint64, uint64) {}); err != nil {
		t.Fatal(err)
	}
	return r
}

// countOpen counts the entries of a record, and those with their content, that
// are not of the generation gen.
func countOpen(t *testing.T, dir string, gen string) (entries, opened int) {
	t.Helper()
	keys, err := LoadKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(filepath.Join(dir, fileRecord), store.Options{DataKey: keys.Data, ReadOnly: true, MustExist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	logs, err := s.Logs()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range logs {
		if l.Log.Gen.String() == gen {
			continue
		}
		if err := s.Rows(l.Log, 0, l.Size, func(r *journal.Row) error {
			entries++
			if r.Content != nil {
				opened++
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return entries, opened
}

// A node that lost everything but its identity has its whole record back from
// its peer, with every content, and says how many.
func TestRebuild(t *testing.T) {
	t.Parallel()
	n := dose(t)
	dirs, _ := channelWith(t, unlimited, "Avaria", "Borduria")
	a, stop := start(t, dirs[0], Options{})
	b, _ := start(t, dirs[1], Options{Peers: peerAt(a)})
	begin := time.Now()
	exchange(t, n, a, b)
	t.Logf("%d messages written and receipted in %.1f s", n, time.Since(begin).Seconds())
	stop()
	held, _ := countOpen(t, dirs[0], "")
	wipe(t, dirs[0])
	begin = time.Now()
	r := rebuild(t, dirs[0], Options{Peers: peerAt(b)})
	t.Logf("rebuilt %d entries in %.1f s, checked after %.1f s altogether", r.Entries, r.Seconds, time.Since(begin).Seconds())
	if !r.Complete || !r.Verified || len(r.Lacks) > 0 || r.Missing > 0 {
		t.Errorf("%+v", r)
	}
	if entries, opened := countOpen(t, dirs[0], r.Generation); entries < held || opened != entries || r.Entries != uint64(held) {
		t.Errorf("%d entries are back, %d with their content, %d were counted, of %d", entries, opened, r.Entries, held)
	}
	if rebuilding(dirs[0]) {
		t.Error("the mark of the rebuilding is still there")
	}
}

// Nobody there is no recovery, also where the identity brought statements of
// new keys; one of two there is one, and says who was not reached.
func TestRebuildFromSome(t *testing.T) {
	long(t)
	t.Parallel()
	dirs, _ := channel(t, "Avaria", "Borduria", "Cadoria")
	b, _ := start(t, dirs[1], Options{})
	c, stopC := start(t, dirs[2], Options{Peers: peerAt(b)})
	peers := peerAt(b)
	for name, at := range peerAt(c) {
		peers[name] = at
	}
	a, stop := start(t, dirs[0], Options{Peers: peers})
	ref := say(t, a, parley.Flash, "known to both")
	arrives(t, b, ref)
	arrives(t, c, ref)
	eventually(t, a, "ready", func(v node.View) bool { return v.Station.Ready() })
	stop()
	if _, err := Apply(dirs[0], answerFor(t, dirs[0], WhyRotation), time.Now()); err != nil {
		t.Fatal(err)
	}
	a, stop = start(t, dirs[0], Options{Peers: peers})
	after := say(t, a, parley.Flash, "under new keys")
	arrives(t, b, after)
	arrives(t, c, after)
	stop()
	stopC()
	wipe(t, dirs[0])

	if _, err := BeginRebuild(dirs[0]); err != nil {
		t.Fatal(err)
	}
	h, stop := start(t, dirs[0], Options{Rebuild: true})
	ctx, cancel := context.WithTimeout(context.Background(), calmSome+12*time.Second)
	defer cancel()
	if r, err := h.AwaitRebuild(ctx, func(uint64, uint64) {}); err == nil {
		t.Errorf("recovered from nobody: %+v", r)
	}
	stop()
	if !rebuilding(dirs[0]) {
		t.Error("the rebuilding is over")
	}
	r := rebuild(t, dirs[0], Options{Peers: peers})
	if r.Complete || len(r.Unreached) != 1 || r.Unreached[0] != "Cadoria" || !r.Verified || r.Missing > 0 {
		t.Errorf("%+v", r)
	}
	a, _ = start(t, dirs[0], Options{Peers: peers})
	arrives(t, a, ref)
	arrives(t, a, after)
}
