package node

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"testing"

	"parley"
	"parley/hotline"
	"parley/journal"
	"parley/journal/journaltest"
	"parley/release"
	"parley/seal"
	"parley/station"
)

// alone is a member that nobody is connected to, with a roster in force.
type alone struct {
	*Node
	t      *testing.T
	ch     *journaltest.Channel
	store  *failing
	roster parley.Ref
	nonces byte
	ended  chan error
	stop   func()
}

// failing is a store that fails its commits while it is told to.
type failing struct {
	*journaltest.Mem
	fail bool // read and written between two posts only
}

var errDisk = errors.New("the disk is gone")

func (f *failing) Commit(b *journal.Batch) error {
	if f.fail {
		return errDisk
	}
	return f.Mem.Commit(b)
}

const consoleHost, consoleURL = "console.example", "https://console.example"

func officer(name string) *release.Software { return release.NewSoftware(sha256.Sum256([]byte(name))) }

func runAlone(t *testing.T) *alone {
	a := &alone{t: t, ch: journaltest.New(2, 0, nil), store: &failing{Mem: &journaltest.Mem{}}}
	a.run(parley.ReasonFirst)
	r := &release.Roster{Serial: 1, RPID: consoleHost, Origins: []string{consoleURL}, Keys: []release.Officer{
		officer("a").Officer("Duty officer", release.MayDraft), officer("b").Officer("Director", release.MayRelease)}}
	var err error
	if a.roster, err = a.Post(t.Context(), release.Draft(r, parley.Routine, parley.ToAll)); err != nil {
		t.Fatal(err)
	}
	return a
}

// run starts the node, with a new generation: nobody is there for whom its
// start-up would wait.
func (a *alone) run(why parley.Reason) {
	k := a.ch.Member(1).Keys
	keys := &seal.Node{Log: seal.Signer{Ed: k.Log, PQ: k.LogPQ}, Rcpt: seal.Signer{Ed: k.Rcpt, PQ: k.RcptPQ}, TLS: k.TLS}
	n, err := New(Config{Charter: a.ch.Charter, Me: 1, Keys: keys, Store: a.store, Rand: rand.Reader}, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	a.Node, a.ended = n, ended
	a.stop = func() { cancel(); <-n.Done() }
	go func() { ended <- n.Run(ctx, nobody{}) }()
	a.t.Cleanup(a.stop)
	if err := a.Feed(a.t.Context(), station.Renew{Reason: why}); err != nil {
		a.t.Fatal(err)
	}
}

// released is a RELEASE of p by both officers, and p.
func (a *alone) released(p parley.Draft) []parley.Draft {
	a.nonces++
	nonce, digest := parley.Hash{a.nonces}, release.Digest(p)
	sign := func(name string, s release.Step) release.Approval {
		return officer(name).Approve(consoleHost, consoleURL, a.ch.ID, 1, s, nonce, digest)
	}
	var words parley.Draft
	if err := a.Do(a.t.Context(), func(v View) {
		var err error
		if words, err = v.Docket.Release.Compose(p, sign("a", release.StepDraft), sign("b", release.StepRelease)); err != nil {
			a.t.Fatal(err)
		}
	}); err != nil {
		a.t.Fatal(err)
	}
	return []parley.Draft{words, p}
}

func (a *alone) state(r parley.Ref) (s release.Status) {
	a.t.Helper()
	if err := a.Do(a.t.Context(), func(v View) { s = v.Docket.Release.Of(r) }); err != nil {
		a.t.Fatal(err)
	}
	return s
}

// entries is how many entries of each own lane the store holds.
func (a *alone) entries() (n [parley.Lanes]uint64) {
	a.t.Helper()
	logs, err := a.store.Logs()
	if err != nil {
		a.t.Fatal(err)
	}
	for _, l := range logs {
		n[l.Log.Lane] += l.Size
	}
	return n
}

func flash(text string) parley.Draft {
	return hotline.Draft(&hotline.Text{Type: hotline.Test, Text: text}, parley.Flash, parley.ToAll)
}

// A release and its message stand side by side, also when much is posted at
// once, and hold before and after a restart.
func TestPostTogether(t *testing.T) {
	a := runAlone(t)
	stop, noise := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			if _, err := a.Post(context.Background(), flash("noise")); err != nil {
				noise <- err
				return
			}
			select {
			case <-stop:
				noise <- nil
				return
			default:
			}
		}
	}()
	var refs []parley.Ref
	for range 8 {
		two, err := a.PostTogether(t.Context(), a.released(flash("released"))...)
		if err != nil {
			t.Fatal(err)
		}
		if two[1].Index != two[0].Index+1 || two[1].Lane != parley.Flash {
			t.Fatalf("%s and %s", two[0], two[1])
		}
		refs = append(refs, two[1])
	}
	close(stop)
	if err := <-noise; err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		for _, r := range refs {
			if s := a.state(r); s.State != release.Held {
				t.Errorf("%s: %v", r, s)
			}
		}
	}
	check()
	a.stop()
	a.run(parley.ReasonRestored)
	check()
}

// What the desks refuse, or the station, leaves neither entry.
func TestPostTogetherRefused(t *testing.T) {
	a := runAlone(t)
	good := a.released(flash("good"))
	if _, err := a.PostTogether(t.Context(), good...); err != nil {
		t.Fatal(err)
	}
	past := hotline.Draft(&hotline.Text{Type: hotline.Test, Text: "late", ReplyBy: 1}, parley.Flash, parley.ToAll)
	huge := parley.Draft{Lane: parley.Flash, Kind: release.KindRoster, To: parley.ToAll, Body: bytes.Repeat([]byte{0}, 1<<20)}
	edited := a.released(flash("approved"))
	edited[1] = flash("edited")
	for name, c := range map[string]struct {
		drafts []parley.Draft
		want   parley.Code
	}{
		"the message's desk refuses": {a.released(past), hotline.CodePast},
		"the message is too large":   {a.released(huge), parley.CodeType},
		"edited after approval":      {edited, release.CodeDigest},
		"approvals used before":      {good, release.CodeUsed},
		"the release alone":          {good[:1], release.CodeAlone},
		"the wrong way round":        {[]parley.Draft{good[1], good[0]}, release.CodeAlone},
		"two lanes":                  {[]parley.Draft{flash("a"), hotline.Draft(&hotline.Text{Type: hotline.Test, Text: "b"}, parley.Routine, parley.ToAll)}, parley.CodeKindLane},
	} {
		before := a.entries()
		_, err := a.PostTogether(t.Context(), c.drafts...)
		if parley.CodeOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
		if now := a.entries(); now != before {
			t.Errorf("%s: entries %v, before %v", name, now, before)
		}
	}
}

// A batch that was not committed has neither entry, and after the next start
// the same drafts can be posted.
func TestPostTogetherCrash(t *testing.T) {
	a := runAlone(t)
	drafts := a.released(flash("through a crash"))
	before := a.entries()
	if err := a.Do(t.Context(), func(View) { a.store.fail = true }); err != nil { // on the loop, as commits are
		t.Fatal(err)
	}
	if _, err := a.PostTogether(t.Context(), drafts...); !errors.Is(err, errDisk) {
		t.Fatalf("no error of the store: %v", err)
	}
	if err := <-a.ended; !errors.Is(err, errDisk) {
		t.Fatal(err)
	}
	if now := a.entries(); now != before {
		t.Errorf("entries %v, before %v", now, before)
	}
	a.store.fail = false
	a.run(parley.ReasonRestored)
	refs, err := a.PostTogether(t.Context(), drafts...)
	if err != nil {
		t.Fatal(err)
	}
	if s := a.state(refs[1]); s.State != release.Held {
		t.Errorf("%v", s)
	}
}
