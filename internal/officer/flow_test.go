package officer

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"parley"
	"parley/internal/officer/officertest"
	"parley/release"
)

// The whole way of a FLASH: first officer, second, roster, draft, two
// approvals that the desk of releases accepts, posted, and the same after a
// restart.
func TestTwoPersons(t *testing.T) {
	w := newWorld(t)
	ss := w.setup(AllRoles)
	a, b := ss[0], ss[1]
	if st := w.b.Standing(); st.Officers != 2 || st.TwoPersons || !st.RosterDue {
		t.Fatalf("before the roster: %+v", st)
	}
	w.roster(a, b)
	if st := w.b.Standing(); !st.TwoPersons || st.RosterDue || st.Reason != "" {
		t.Fatalf("after the roster: %+v", st)
	}
	d := w.save(a, message(parley.Flash, "Shelling has begun at 0610Z."))
	if d.Persons != 2 || d.State != Drafting || d.Digest != release.Digest(d.Message) {
		t.Fatalf("draft %+v", d)
	}
	if _, err := w.submit(a, d.ID); err != nil {
		t.Fatal(err)
	}
	ready := must[*Ready](t)(w.release(b, d.ID))
	if !ready.Two || ready.Digest != d.Digest || string(ready.Message.Body) != string(d.Message.Body) {
		t.Fatalf("ready %+v", ready)
	}
	for step, ap := range map[release.Step]release.Approval{release.StepDraft: ready.Drafted, release.StepRelease: ready.Released} {
		by, err := release.Verify(w.b.state.roster, w.cfg.Channel, w.cfg.Party, step, d.Digest, &ap)
		if err != nil {
			t.Fatalf("%s: %v", step, err)
		}
		if want := map[release.Step]string{release.StepDraft: "Duty officer 1", release.StepRelease: "Duty officer B"}[step]; by.Title != want {
			t.Errorf("%s by %q, want %q", step, by.Title, want)
		}
	}
	if err := w.b.Posted(d.ID, ref(1)); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	h := w.b.History(1)
	if len(h) != 1 || h[0].State != Released || *h[0].Ref != ref(1) || h[0].Drafter != a.Officer || h[0].Releaser != b.Officer || h[0].Message.Body != nil {
		t.Fatalf("history %+v", h)
	}
	if len(w.b.texts) != 0 {
		t.Errorf("%d texts are left of a posted draft", len(w.b.texts))
	}
}

// What one person lets out carries no release, and still needs his passkey.
func TestOnePerson(t *testing.T) {
	w := newWorld(t)
	a := w.setup()[0]
	d := w.save(a, message(parley.Routine, "Weather report."))
	r := must[*Ready](t)(w.release(a, d.ID))
	if r.Two {
		t.Fatal("one person's message carries a release of two")
	}
	flash := w.save(a, message(parley.Flash, "Alone."))
	_, err := w.submit(a, flash.ID)
	w.wants(err, CodeTwo)
	_, err = w.b.DraftRoster(a)
	w.wants(err, CodeTwo)
}

func TestSecondStepRefused(t *testing.T) {
	w, a, b := pair(t)
	d := w.save(a, message(parley.Immediate, "Two persons."))
	_, err := w.release(b, d.ID)
	w.wants(err, CodeState) // not submitted
	must[*Draft](t)(w.submit(a, d.ID))
	_, err = w.release(a, d.ID)
	w.wants(err, CodeSame)

	// The same officer with a second passkey is the same officer.
	second := officertest.New(t, origin)
	a = w.fresh(a)
	w.sleep(time.Minute)
	c := must[*Ceremony](t)(w.b.BeginAddPasskey(a))
	if err := w.b.FinishAddPasskey(a, c.ID, "spare", second.Create(t, c.Options)); err != nil {
		t.Fatal(err)
	}
	_, err = w.release(a, d.ID)
	w.wants(err, CodeSame)

	// Not read long enough.
	w.sleep(time.Minute)
	d = w.save(a, message(parley.Immediate, "Read too fast."))
	must[*Draft](t)(w.submit(a, d.ID))
	_, err = w.b.BeginRelease(b, d.ID, d.Digest)
	w.wants(err, CodeQuick) // not read at all
	seen := must[*Draft](t)(w.b.View(b, d.ID))
	_, err = w.b.BeginRelease(b, d.ID, seen.Digest)
	w.wants(err, CodeQuick)
	w.sleep(-time.Hour) // the clock goes back: nothing is gained
	_, err = w.b.BeginRelease(b, d.ID, seen.Digest)
	if code := parley.CodeOf(err); code != CodeQuick && code != CodeSession {
		t.Fatalf("after the clock went back: %v", err)
	}
}

// An edit voids the approval; a page made before it is refused, in both tabs.
func TestEditVoids(t *testing.T) {
	w, a, b := pair(t)
	d := w.save(a, message(parley.Flash, "First."))
	must[*Draft](t)(w.submit(a, d.ID))
	seen := w.look(b, d.ID)
	c := must[*Ceremony](t)(w.b.BeginRelease(b, d.ID, seen.Digest))

	edited, err := w.b.SaveDraft(a, d.ID, d.Rev, message(parley.Flash, "Second."))
	if err != nil || edited.State != Drafting || edited.Drafter != 0 {
		t.Fatalf("after the edit %+v, %v", edited, err)
	}
	_, err = w.b.FinishRelease(b, c.ID, w.keys[b.Officer].Get(t, c.Options))
	w.wants(err, CodeStale)
	_, err = w.b.BeginRelease(b, d.ID, seen.Digest)
	w.wants(err, CodeStale)
	_, err = w.b.SaveDraft(a, d.ID, d.Rev, message(parley.Flash, "Of another tab."))
	w.wants(err, CodeStale)

	// Edited back to the same bytes: still not approved.
	must[*Draft](t)(w.b.SaveDraft(a, d.ID, edited.Rev, message(parley.Flash, "First.")))
	w.sleep(time.Minute)
	_, err = w.release(b, d.ID)
	w.wants(err, CodeState)
}

func TestReturn(t *testing.T) {
	w, a, b := pair(t)
	d := w.save(a, message(parley.Flash, "Typing error."))
	must[*Draft](t)(w.submit(a, d.ID))
	w.wants(w.b.ReturnDraft(b, d.ID, d.Digest, "  "), CodeReason)
	if err := w.b.ReturnDraft(b, d.ID, d.Digest, "The place is wrong."); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	got := must[*Draft](t)(w.b.Draft(d.ID))
	if got.State != Returned || got.Reason != "The place is wrong." || got.Drafter != 0 || got.Digest != d.Digest {
		t.Fatalf("returned %+v", got)
	}
	w.sleep(time.Minute)
	a = w.fresh(a)
	must[*Draft](t)(w.submit(a, d.ID))
}

// Two releasers press at once, and the process dies between approval and post.
func TestReleasedOnce(t *testing.T) {
	w := newWorld(t)
	ss := w.setup(AllRoles, AllRoles)
	w.roster(ss[0], ss[1])
	d := w.save(ss[0], message(parley.Flash, "Once."))
	must[*Draft](t)(w.submit(ss[0], d.ID))
	w.look(ss[1], d.ID)
	w.look(ss[2], d.ID)
	c1 := must[*Ceremony](t)(w.b.BeginRelease(ss[1], d.ID, d.Digest))
	c2 := must[*Ceremony](t)(w.b.BeginRelease(ss[2], d.ID, d.Digest))
	answers := map[*Session][]byte{ss[1]: w.keys[ss[1].Officer].Get(t, c1.Options), ss[2]: w.keys[ss[2].Officer].Get(t, c2.Options)}
	results := make(chan error, 2)
	for s, c := range map[*Session]*Ceremony{ss[1]: c1, ss[2]: c2} {
		go func() {
			_, err := w.b.FinishRelease(s, c.ID, answers[s])
			results <- err
		}()
	}
	one, two := <-results, <-results
	if (one == nil) == (two == nil) {
		t.Fatalf("both or none released it: %v, %v", one, two)
	}
	if one == nil {
		one = two
	}
	w.wants(one, CodeState)

	// The record does not hold it: it awaits release again.
	w.reopen()
	var asked []*Ready
	err := w.b.Settle(func(r *Ready) (parley.Ref, bool, error) { asked = append(asked, r); return parley.Ref{}, false, nil })
	if err != nil || len(asked) != 1 || asked[0].Digest != d.Digest || !asked[0].Two || asked[0].Released.Nonce == (parley.Hash{}) {
		t.Fatalf("asked %+v, %v", asked, err)
	}
	if got := must[*Draft](t)(w.b.Draft(d.ID)); got.State != Submitted || got.Drafter != ss[0].Officer || got.Releaser != 0 {
		t.Fatalf("after settling: %+v", got)
	}

	// Released again; this time the record holds it.
	w.sleep(time.Minute)
	again := must[*Ready](t)(w.release(w.fresh(ss[1]), d.ID))
	w.reopen()
	err = w.b.Settle(func(r *Ready) (parley.Ref, bool, error) {
		return ref(5), r.Released.Nonce == again.Released.Nonce, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.wants(w.b.Posted(d.ID, ref(6)), CodeState)
	if got := must[*Draft](t)(w.b.Draft(d.ID)); got.State != Released || *got.Ref != ref(5) {
		t.Fatalf("after the second settling: %+v", got)
	}
}

// The drafter leaves between his step and the releaser's.
func TestDrafterLeaves(t *testing.T) {
	w := newWorld(t)
	ss := w.setup(AllRoles, AllRoles)
	w.roster(ss[1], ss[2])
	d := w.save(ss[1], message(parley.Flash, "From one who leaves."))
	must[*Draft](t)(w.submit(ss[1], d.ID))
	if err := w.b.RemoveOfficer(w.fresh(ss[0]), ss[1].Officer); err != nil {
		t.Fatal(err)
	}
	_, err := w.release(w.fresh(ss[2]), d.ID)
	w.wants(err, CodeState)
	_, err = w.b.SaveDraft(ss[1], d.ID, d.Rev, message(parley.Flash, "x"))
	w.wants(err, CodeSession)
	_, err = w.in(ss[1].Officer)
	w.wants(err, CodeSignIn)
}

// So it is when only his role or the passkey that signed is taken from him, and
// the roster that was posted still names it.
func TestDrafterLosesRole(t *testing.T) {
	w := newWorld(t)
	ss := w.setup(AllRoles, AllRoles)
	w.roster(ss[1], ss[2])
	d := w.save(ss[1], message(parley.Flash, "From one who changes."))
	must[*Draft](t)(w.submit(ss[1], d.ID))
	o, _ := w.b.Officer(ss[1].Officer)
	if err := w.b.ChangeOfficer(w.fresh(ss[0]), o.ID, Identity{Name: o.Name, Title: o.Title, Roles: Releaser}); err != nil {
		t.Fatal(err)
	}
	_, err := w.release(w.fresh(ss[2]), d.ID)
	w.wants(err, CodeState)
}

// A roster that was drafted before officers changed is not let out.
func TestRosterStale(t *testing.T) {
	w := newWorld(t)
	ss := w.setup(AllRoles)
	d := must[*Draft](t)(w.b.DraftRoster(ss[0]))
	must[*Draft](t)(w.submit(ss[0], d.ID))
	o, _ := w.b.Officer(ss[1].Officer)
	if err := w.b.ChangeOfficer(ss[0], o.ID, Identity{Name: o.Name, Title: "Another office", Roles: o.Roles}); err != nil {
		t.Fatal(err)
	}
	_, err := w.release(ss[1], d.ID)
	w.wants(err, CodeStale)
	again := must[*Draft](t)(w.b.DraftRoster(ss[0]))
	if again.ID == d.ID {
		t.Error("the stale draft is offered again")
	}
}

// A new passkey counts for two-person traffic only once two officers of the
// former roster have let the new one out.
func TestRosterFirst(t *testing.T) {
	w := newWorld(t)
	ss := w.setup(AllRoles)
	w.roster(ss[0], ss[1])
	_, token, err := w.b.AddOfficer(w.fresh(ss[0]), Identity{Name: "C", Title: "Third", Roles: AllRoles})
	if err != nil {
		t.Fatal(err)
	}
	third := must[*SignIn](t)(w.enrol(token, Identity{}, officertest.NewEd(t, origin))).Session
	d := w.save(third, message(parley.Flash, "By a stranger."))
	_, err = w.submit(third, d.ID)
	w.wants(err, CodeRoster)

	r := must[*Draft](t)(w.b.DraftRoster(third))
	_, err = w.submit(third, r.ID)
	if parley.CodeOf(err) == "" {
		t.Fatal("a key that the former roster does not have stands for the new one")
	}
	must[*Draft](t)(w.submit(w.fresh(ss[0]), r.ID))
	ready := must[*Ready](t)(w.release(w.fresh(ss[1]), r.ID))
	if !ready.Two {
		t.Fatal("a change of roster by officers of the former one says so")
	}
	if err := w.b.Posted(r.ID, ref(9)); err != nil {
		t.Fatal(err)
	}
	w.sleep(time.Minute)
	must[*Draft](t)(w.submit(w.fresh(third), d.ID))
}

// Where nobody of the former roster is left, a day passes, and the new roster
// goes out without a release.
func TestRosterAlone(t *testing.T) {
	w := newWorld(t)
	ss := w.setup(AllRoles, AllRoles)
	w.roster(ss[0], ss[1])
	if err := w.b.RemoveOfficer(w.fresh(ss[0]), ss[1].Officer); err != nil {
		t.Fatal(err)
	}
	// The third stands in the roster too: he and the first can change it.
	if !w.b.twoAble() {
		t.Fatal("two officers of the roster are left, and nothing goes out")
	}
	s0 := w.fresh(ss[0])
	if err := w.b.RemoveOfficer(s0, ss[2].Officer); err != nil {
		t.Fatal(err)
	}
	_, token, err := w.b.AddOfficer(s0, Identity{Name: "N", Title: "New", Roles: AllRoles})
	if err != nil {
		t.Fatal(err)
	}
	n := must[*SignIn](t)(w.enrol(token, Identity{}, officertest.New(t, origin))).Session
	d := must[*Draft](t)(w.b.DraftRoster(s0))
	must[*Draft](t)(w.submit(s0, d.ID))
	_, err = w.release(n, d.ID)
	w.wants(err, CodeWait)
	w.sleep(RecoveryDelay)
	r := must[*Ready](t)(w.release(w.fresh(n), d.ID))
	if r.Two {
		t.Fatal("a roster that the former officers did not release says that they did")
	}
}

func TestDemo(t *testing.T) {
	w := newWorld(t)
	w.b.Close()
	w.cfg.Path, w.cfg.Demo = filepath.Join(t.TempDir(), "officers.db"), true
	w.open()
	var ss []*Session
	for _, title := range []string{"Drafter", "Releaser"} {
		o := must[ID](t)(w.b.DemoOfficer(Identity{Name: title, Title: title, Roles: AllRoles}))
		ss = append(ss, must[*SignIn](t)(w.b.DemoSignIn("127.0.0.1", o)).Session)
	}
	_, err := w.b.SetupToken()
	w.wants(err, CodeLink)
	step := func(d *Draft) *Ready {
		w.look(ss[0], d.ID)
		c := must[*Ceremony](t)(w.b.BeginSubmit(ss[0], d.ID, d.Digest))
		if !c.Demo {
			t.Fatal("a demonstration asks a passkey")
		}
		must[*Draft](t)(w.b.FinishSubmit(ss[0], c.ID, nil))
		w.look(ss[1], d.ID)
		c = must[*Ceremony](t)(w.b.BeginRelease(ss[1], d.ID, d.Digest))
		return must[*Ready](t)(w.b.FinishRelease(ss[1], c.ID, nil))
	}
	r := step(must[*Draft](t)(w.b.DraftRoster(ss[0])))
	if err := w.b.Posted(r.Draft, ref(1)); err != nil {
		t.Fatal(err)
	}
	if !w.b.state.roster.Demo {
		t.Fatal("the roster of a demonstration is not marked")
	}
	w.sleep(time.Minute)
	r = step(w.save(ss[0], message(parley.Flash, "Demo.")))
	if _, err := release.Verify(w.b.state.roster, w.cfg.Channel, 1, release.StepRelease, r.Digest, &r.Released); err != nil {
		t.Fatal(err)
	}
	// A demonstration's book never becomes a real one.
	w.b.Close()
	w.cfg.Demo = false
	_, err = Open(w.cfg)
	w.wants(err, CodeOther)
	w.cfg.Demo = true
	w.open()
}

func TestFilesArePrivate(t *testing.T) {
	w := newWorld(t)
	a := w.setup()[0]
	w.save(a, message(parley.Flash, "A sentence that is nowhere on the disk in the clear."))
	for _, ext := range []string{".db", ".db-wal", ".key", ".head"} {
		name := filepath.Join(filepath.Dir(w.cfg.Path), "officers"+ext)
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", ext, info.Mode())
		}
		b, _ := os.ReadFile(name)
		if contains(b, "nowhere on the disk") {
			t.Errorf("%s holds the text of a draft", ext)
		}
	}
	_, err := Open(w.cfg)
	w.wants(err, CodeInUse)
}
