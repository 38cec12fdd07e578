package host

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"parley"
	"parley/internal/node"
	"parley/internal/store"
	"parley/seal"
	"parley/station"
)

// answerFor makes new keys in dir and lets the party's root sign them.
func answerFor(t *testing.T, dir, why string) *KeyAnswer {
	t.Helper()
	r, err := Request(dir, why, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	sent, err := ParseKeyRequest(r.Encode()) // as it travels
	if err != nil || sent.Words() != r.Words() {
		t.Fatal("the request does not survive its journey", err)
	}
	root, err := OpenRoot(RootPath(dir), "pass")
	if err != nil {
		t.Fatal(err)
	}
	a, err := SignRequest(root, sent)
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParseKeyAnswer(a.Encode())
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// renewing starts a host whose Run is expected to end with new keys.
func renewing(t *testing.T, dir string, o Options) (h *Host, ended func()) {
	t.Helper()
	o.Listen, o.Cadence = "127.0.0.1:0", 200*time.Millisecond
	h, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	return h, func() {
		t.Helper()
		if err := <-done; !errors.Is(err, ErrRenewed) {
			t.Errorf("Run ended with %v", err)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
}

func dataKey(t *testing.T, dir string) (serial uint64, data seal.Key) {
	t.Helper()
	n, err := LoadKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	return n.Serial, n.Data
}

func arrives(t *testing.T, h *Host, ref parley.Ref) {
	t.Helper()
	eventually(t, h, "a message arrives", func(v node.View) bool { _, ok := v.Docket.Hotline.Message(ref); return ok })
}

// New keys come into force on a running node, its peer takes them, and the
// record stays readable; once with a peer that is there, once stolen with a
// peer that was away and needs the file.
func TestRenewRunning(t *testing.T) {
	t.Parallel()
	dirs, _ := channel(t, "Avaria", "Borduria")
	b, stopB := start(t, dirs[1], Options{})
	a, ended := renewing(t, dirs[0], Options{Peers: peerAt(b)})
	before := say(t, a, parley.Flash, "before")
	arrives(t, b, before)
	_, data := dataKey(t, dirs[0])
	eventually(t, a, "ready", func(v node.View) bool { return v.Station.Ready() })

	done, err := a.Renew(context.Background(), answerFor(t, dirs[0], WhyRotation))
	if err != nil || len(done.Told) != 1 || len(done.Untold) != 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	a.Restart()
	ended()
	if serial, d := dataKey(t, dirs[0]); serial != 1 || d != data {
		t.Errorf("keys %d; the data key is the same: %v", serial, d == data)
	}
	if _, waits, _ := Waits(dirs[0]); waits {
		t.Error("the request still waits")
	}
	if card, err := LoadCard(dirs[0]); err != nil || card.Keys.Serial != 1 || sameParty(dirs[0], a.Keys, card) != nil {
		t.Error("the card has not the new keys: a later charter would take the old ones", err)
	}
	a, ended = renewing(t, dirs[0], Options{Peers: peerAt(b)})
	arrives(t, a, before)
	arrives(t, b, say(t, a, parley.Flash, "under new keys"))
	eventually(t, b, "one generation is current, of two", func(v node.View) bool {
		gens, current := map[parley.Gen]bool{}, 0
		for _, l := range v.Station.Logs() {
			if l.Log.Party == 1 {
				gens[l.Log.Gen] = true
				if l.Current && l.Log.Lane == 0 {
					current++
				}
			}
		}
		return len(gens) == 2 && current == 1
	})

	stopB()
	old := b.Keys.TLS // of Borduria; stays
	done, err = a.Renew(context.Background(), answerFor(t, dirs[0], WhyStolen))
	if err != nil || len(done.Told) != 0 || len(done.Untold) != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	a.Restart()
	ended()
	file, err := os.ReadFile(done.File)
	if err != nil {
		t.Fatal(err)
	}
	b, _ = start(t, dirs[1], Options{})
	if !bytes.Equal(b.Keys.TLS, old) {
		t.Error("the other member's keys changed")
	}
	a, _ = start(t, dirs[0], Options{Peers: peerAt(b)})
	ref := say(t, a, parley.Flash, "after the theft")
	wrong := bytes.Clone(file)
	wrong[len(wrong)/2] ^= 1
	if _, err := b.AcceptKeys(context.Background(), wrong); parley.CodeOf(err) != CodeStatement {
		t.Errorf("a changed file of new keys: %v", err)
	}
	b.Node.Do(context.Background(), func(v node.View) {
		if _, ok := v.Docket.Hotline.Message(ref); ok {
			t.Error("a node under keys that this one does not know was let in")
		}
	})
	if names, err := b.AcceptKeys(context.Background(), file); err != nil || len(names) != 1 || names[0] != "Avaria" {
		t.Fatal(names, err)
	}
	arrives(t, b, ref)
}

// A crash at any step of a change of keys leaves a directory whose next start
// goes on, with the old keys before the record holds the new ones, and with the
// new ones after it.
func TestRenewCrash(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		crash  func(t *testing.T, dir string, a *KeyAnswer)
		serial uint64
	}{
		{"after the request", func(*testing.T, string, *KeyAnswer) {}, 0},
		{"after the record, before the mark", func(t *testing.T, dir string, a *KeyAnswer) {
			mark := filepath.Join(dir, fileMark)
			was, err := os.ReadFile(mark)
			if err != nil {
				t.Fatal(err)
			}
			appendOnly(t, dir, a)
			if err := os.WriteFile(mark, was, 0o600); err != nil {
				t.Fatal(err)
			}
		}, 1},
		{"after the record", func(t *testing.T, dir string, a *KeyAnswer) { appendOnly(t, dir, a) }, 1},
		{"in the running node, after the record", func(t *testing.T, dir string, a *KeyAnswer) {
			h, stop := start(t, dir, Options{})
			eventually(t, h, "ready", func(v node.View) bool { return v.Station.Ready() })
			next, err := answered(dir, a)
			if err != nil {
				t.Fatal(err)
			}
			if err := h.Node.Feed(context.Background(), station.Renew{Reason: parley.ReasonRotation, Gen: a.Gen, RootKeys: a.RootKeys, Keys: next.node}); err != nil {
				t.Fatal(err)
			}
			stop()
		}, 1},
		{"after the new node.key", func(t *testing.T, dir string, a *KeyAnswer) {
			next, err := os.ReadFile(filepath.Join(dir, fileNext))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Apply(dir, a, time.Now()); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, fileNext), next, 0o600); err != nil {
				t.Fatal(err)
			}
		}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dirs, _ := channel(t, "Avaria", "Borduria")
			b, _ := start(t, dirs[1], Options{})
			a, stop := start(t, dirs[0], Options{Peers: peerAt(b)})
			before := say(t, a, parley.Flash, "before")
			arrives(t, b, before)
			stop()
			ans := answerFor(t, dirs[0], WhyRotation)
			c.crash(t, dirs[0], ans)
			a, stop = start(t, dirs[0], Options{Peers: peerAt(b)})
			if a.Keys.Serial != c.serial {
				t.Fatalf("keys %d are in force", a.Keys.Serial)
			}
			arrives(t, a, before)
			arrives(t, b, say(t, a, parley.Flash, "after the crash"))
			stop()
			if c.serial == 0 { // and the command, given again, ends it
				if _, err := Apply(dirs[0], ans, time.Now()); err != nil {
					t.Fatal(err)
				}
				a, _ = start(t, dirs[0], Options{Peers: peerAt(b)})
				arrives(t, b, say(t, a, parley.Flash, "and then"))
			}
			if _, waits, err := Waits(dirs[0]); waits || err != nil {
				t.Error("the request still waits", err)
			}
			eventually(t, b, "nothing is forked, nothing revoked", func(v node.View) bool {
				for _, l := range v.Station.Logs() {
					if l.Forked {
						t.Fatal("forked: ", l.Log)
					}
				}
				return v.Station.Missing() == 0
			})
		})
	}
}

// appendOnly does the part of Apply that the record sees.
func appendOnly(t *testing.T, dir string, a *KeyAnswer) {
	t.Helper()
	k, err := answered(dir, a)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := LoadKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, c, me, err := LoadCharter(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(filepath.Join(dir, fileRecord), store.Options{DataKey: keys.Data})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := appendRenewal(dir, s, c, me, k, a, time.Now()); err != nil {
		t.Fatal(err)
	}
}

// A party that lost node.key and its record comes back by its root alone: what
// it had written and the other had received is there again, and in force.
func TestLostNodeKey(t *testing.T) {
	t.Parallel()
	dirs, _ := channel(t, "Avaria", "Borduria")
	b, _ := start(t, dirs[1], Options{})
	a, stop := start(t, dirs[0], Options{Peers: peerAt(b)})
	before := say(t, a, parley.Flash, "before")
	arrives(t, b, before)
	eventually(t, a, "the receipt arrives", func(v node.View) bool { return v.Station.Received(before.Log(a.Signed.Channel()), 2) > before.Index })
	stop()
	for _, f := range []string{fileNode, fileRecord, fileMark, fileRecord + ".lock"} {
		os.Remove(filepath.Join(dirs[0], f))
	}
	if _, err := Open(dirs[0], Options{}); parley.CodeOf(err) != CodeKeysLost {
		t.Fatalf("without node.key: %v", err)
	}
	ans := answerFor(t, dirs[0], WhyRotation) // what is asked for does not matter: it is lost
	if _, err := Open(dirs[0], Options{}); parley.CodeOf(err) != CodeWaiting {
		t.Fatalf("before the root has spoken: %v", err)
	}
	done, err := Apply(dirs[0], ans, time.Now())
	if err != nil || done.Why != WhyLost {
		t.Fatal(done, err)
	}
	file, err := os.ReadFile(done.File)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.AcceptKeys(context.Background(), file); err != nil {
		t.Fatal(err)
	}
	r := rebuild(t, dirs[0], Options{Peers: peerAt(b)})
	if !r.Complete {
		t.Errorf("%+v", r)
	}
	a, _ = start(t, dirs[0], Options{Peers: peerAt(b)})
	arrives(t, a, before)
	// In the others' record it stands as it did. In its own it comes back without
	// the receipts that it had, beyond what the new generation could cite.
	row, err := b.store.Row(before.Log(a.Signed.Channel()), before.Index)
	if err != nil || row.Standing != parley.InForce {
		t.Errorf("with the other member the entry from before stands %v, %v", row.Standing, err)
	}
	arrives(t, b, say(t, a, parley.Flash, "again"))
}

func TestRequestsAndAnswers(t *testing.T) {
	t.Parallel()
	dirs, _ := channel(t, "Avaria", "Borduria")
	want := func(err error, code parley.Code, what string) {
		t.Helper()
		if parley.CodeOf(err) != code {
			t.Errorf("%s: %v, want %s", what, err, code)
		}
	}
	a1 := answerFor(t, dirs[0], WhyRotation)
	if again := answerFor(t, dirs[0], WhyRotation); !bytes.Equal(again.Encode(), a1.Encode()) {
		t.Error("a request that waits is not made again as it was")
	}
	a2 := answerFor(t, dirs[0], WhyStolen)
	_, err := Apply(dirs[0], a1, time.Now())
	want(err, CodeAnswer, "the answer to a request that another replaced")
	_, err = Apply(dirs[1], a2, time.Now())
	want(err, CodeNoRequest, "an answer to another party")
	if _, err := Request(dirs[1], WhyRotation, time.Now()); err != nil {
		t.Fatal(err)
	}
	_, err = Apply(dirs[1], a2, time.Now())
	want(err, CodeAnswer, "an answer to another party that waits too")
	r, err := Request(dirs[0], WhyStolen, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := OpenRoot(RootPath(dirs[1]), "pass")
	if err != nil {
		t.Fatal(err)
	}
	_, err = SignRequest(stranger, r)
	want(err, CodeRequest, "another party's root")
	_, err = Request(dirs[0], WhyLost, time.Now())
	want(err, CodeExists, "lost keys that are there")

	// Whichever byte of an answer is turned, nothing comes into force by it.
	good := a2.Encode()
	for i := 0; i < len(good); i += 29 {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		x, err := ParseKeyAnswer(bad)
		if err == nil {
			_, err = answered(dirs[0], x)
		}
		if parley.CodeOf(err) != CodeAnswer {
			t.Fatalf("byte %d turned: %v", i, err)
		}
	}
	req := r.Encode()
	root, err := OpenRoot(RootPath(dirs[0]), "pass")
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(req); i += 7 {
		bad := bytes.Clone(req)
		bad[i] ^= 1
		x, err := ParseKeyRequest(bad)
		if err == nil && x.Words() == r.Words() {
			t.Fatalf("byte %d turned: the words are the same", i)
		}
		if err == nil {
			if y, serr := SignRequest(root, x); serr == nil && !bytes.Equal(y.Encode(), good) {
				_, err = answered(dirs[0], y)
				want(err, CodeAnswer, "a request turned on the way, and signed")
			}
		}
	}
	if err := Withdraw(dirs[0]); err != nil {
		t.Fatal(err)
	}
	_, err = Apply(dirs[0], a2, time.Now())
	want(err, CodeNoRequest, "a request that was withdrawn")
	if _, err := LoadKeys(dirs[0]); err != nil {
		t.Error(err)
	}
}
