package officer

import (
	"slices"
	"testing"
	"time"

	"parley"
	"parley/internal/officer/officertest"
)

func TestRecovery(t *testing.T) {
	w := newWorld(t)
	w.setup(AllRoles, AllRoles)
	one, two := w.fresh(&Session{Officer: 1}), w.fresh(&Session{Officer: 2})
	w.wants(w.b.AskRecovery(one, 1), CodeSame)
	if err := w.b.AskRecovery(one, 3); err != nil {
		t.Fatal(err)
	}
	w.wants(w.b.ApproveRecovery(one, 3), CodeSame)
	if err := w.b.ApproveRecovery(two, 3); err != nil {
		t.Fatal(err)
	}
	if ws := w.b.Standing().Warnings; len(ws) == 0 || ws[0].Act != ActRecoveryTwo || ws[0].Officer != 3 || ws[0].Until.IsZero() {
		t.Errorf("warnings %+v", ws)
	}
	if g := w.b.Glance(); g.News != 1 {
		t.Errorf("every page tells of %d matters, want the recovery", g.News)
	}
	w.sleep(RecoveryDelay - time.Hour)
	_, err := w.b.RecoveryLink(w.fresh(one), 3)
	w.wants(err, CodeWait)
	w.sleep(time.Hour)
	old := must[*SignIn](t)(w.in(3))
	token := must[string](t)(w.b.RecoveryLink(w.fresh(one), 3))
	before := w.keys[3]
	in := must[*SignIn](t)(w.enrol(token, Identity{}, officertest.New(t, origin)))
	if in.Session.Officer != 3 {
		t.Fatalf("recovered officer %d", in.Session.Officer)
	}
	_, err = w.b.Session(old.Token)
	w.wants(err, CodeSession)
	w.keys[3] = before
	_, err = w.in(3)
	w.wants(err, CodeSignIn) // the lost passkey opens nothing
	if o, _ := w.b.Officer(3); len(o.Keys) != 1 || len(w.b.Recoveries()) != 0 {
		t.Errorf("after recovery: %+v, %+v", o, w.b.Recoveries())
	}

	// The officer himself stops one that he did not need.
	if err := w.b.AskRecovery(w.fresh(one), 2); err != nil {
		t.Fatal(err)
	}
	if err := w.b.StopRecovery(w.fresh(two), 2); err != nil {
		t.Fatal(err)
	}
}

func TestFresh(t *testing.T) {
	w := newWorld(t)
	w.setup()
	s := w.fresh(&Session{Officer: 1})
	w.sleep(FreshLimit + time.Second)
	_, _, err := w.b.AddOfficer(s, Identity{Name: "B", Title: "Two", Roles: Reader})
	w.wants(err, CodeFresh)
	if !w.b.Can(s, ManageOfficers, Object{}) {
		t.Error("what needs a fresh session is not shown at all")
	}
	w.wants(w.b.RemovePasskey(w.fresh(s), 1, w.b.state.officers[1].creds[0].Key), CodeLast)
	w.wants(w.b.RemoveOfficer(w.fresh(s), 1), CodeLast)
	w.wants(w.b.ChangeOfficer(w.fresh(s), 1, Identity{Name: "A", Title: "One", Roles: Reader}), CodeLast)
}

func TestRules(t *testing.T) {
	w, a, b := pair(t)
	all, _ := w.b.Rules()
	all = slices.Clone(all)
	all[parley.Priority].Persons = 2
	all = append(all, Rule{Line: 3, Lane: parley.Routine, Persons: 1, Release: []ID{2}})
	if err := w.b.ProposeRules(a, all, true); err != nil {
		t.Fatal(err)
	}
	w.wants(w.b.ApproveRules(a, all, true), CodeSame)
	w.wants(w.b.ApproveRules(b, all, false), CodeStale)
	if r := w.b.RuleFor(0, parley.Priority); r.Persons != 1 {
		t.Fatal("a proposal is in force")
	}
	if err := w.b.ApproveRules(b, all, true); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	if r := w.b.RuleFor(0, parley.Priority); r.Persons != 2 {
		t.Errorf("rule %+v", r)
	}
	if _, bound := w.b.Rules(); !bound {
		t.Error("passkeys need not stay on their device")
	}
	a, b = w.fresh(a), w.fresh(b)
	c := message(parley.Routine, "For line 3.")
	c.Line = 3
	d := w.save(a, c)
	_, err := w.release(a, d.ID)
	w.wants(err, CodeForbidden)
	if _, err := w.release(b, d.ID); err != nil {
		t.Error(err)
	}
	w.wants(w.b.ProposeRules(w.fresh(a), all[1:], true), CodeRule)
}

// An administrator who enters an accomplice, or himself a second time, gains
// no second person: neither for rules nor for recovery nor for messages.
func TestAccomplice(t *testing.T) {
	w, a, b := pair(t)
	_, token, err := w.b.AddOfficer(a, Identity{Name: "Nobody", Title: "Third", Roles: AllRoles})
	if err != nil {
		t.Fatal(err)
	}
	fake := must[*SignIn](t)(w.enrol(token, Identity{}, officertest.New(t, origin))).Session
	rules := defaultRules()
	rules[parley.Flash].Persons = 1
	a = w.fresh(a)
	if err := w.b.ProposeRules(a, rules, false); err != nil {
		t.Fatal(err)
	}
	w.wants(w.b.ApproveRules(fake, rules, false), CodeRoster)
	if err := w.b.AskRecovery(a, b.Officer); err != nil {
		t.Fatal(err)
	}
	w.wants(w.b.ApproveRecovery(fake, b.Officer), CodeRoster)
	d := w.save(a, message(parley.Flash, "By one."))
	must[*Draft](t)(w.submit(a, d.ID))
	_, err = w.release(fake, d.ID)
	w.wants(err, CodeRoster)

	// With the other officer removed a day passes first.
	if err := w.b.RemoveOfficer(w.fresh(a), b.Officer); err != nil {
		t.Fatal(err)
	}
	w.wants(w.b.ApproveRules(w.fresh(fake), rules, false), CodeWait)
	if w.b.RuleFor(0, parley.Flash).Persons != 2 {
		t.Fatal("one person let one person release a FLASH")
	}
	w.sleep(RecoveryDelay)
	if err := w.b.ApproveRules(w.fresh(fake), rules, false); err != nil {
		t.Error(err)
	}
}

// With "device-bound only" a synced passkey neither enrols nor releases.
func TestDeviceBound(t *testing.T) {
	w := newWorld(t)
	ss := w.setup(AllRoles)
	synced := officertest.New(t, origin)
	synced.Flags |= officertest.BE | officertest.BS
	_, token, err := w.b.AddOfficer(w.fresh(ss[0]), Identity{Name: "S", Title: "Synced", Roles: AllRoles})
	if err != nil {
		t.Fatal(err)
	}
	s := must[*SignIn](t)(w.enrol(token, Identity{}, synced)).Session
	if o, _ := w.b.Officer(s.Officer); !o.Keys[0].Synced || !o.Keys[0].BackedUp {
		t.Errorf("flags are not kept: %+v", o.Keys[0])
	}
	rules := defaultRules()
	if err := w.b.ProposeRules(w.fresh(ss[0]), rules, true); err != nil {
		t.Fatal(err)
	}
	if err := w.b.ApproveRules(w.fresh(ss[1]), rules, true); err != nil {
		t.Fatal(err)
	}
	s = w.fresh(s)
	d := w.save(s, message(parley.Routine, "x"))
	_, err = w.release(s, d.ID)
	w.wants(err, CodeSynced)
	if k := w.b.wanted(1).Find(w.b.state.officers[s.Officer].creds[0].Key); k == nil || k.Functions != 1 {
		t.Errorf("the roster lets a synced key release: %+v", k)
	}
	_, token, err = w.b.AddOfficer(w.fresh(ss[0]), Identity{Name: "T", Title: "Too", Roles: Releaser})
	if err != nil {
		t.Fatal(err)
	}
	other := officertest.New(t, origin)
	other.Flags |= officertest.BE
	_, err = w.enrol(token, Identity{}, other)
	w.wants(err, CodeSynced)
}

func TestWatch(t *testing.T) {
	w := newWorld(t)
	ss := w.setup(AllRoles)
	if err := w.b.TakeWatch(ss[0], 0, ""); err != nil {
		t.Fatal(err)
	}
	w.wants(w.b.TakeWatch(ss[1], 0, "x"), CodeWatch) // the page was older
	w.wants(w.b.TakeWatch(ss[1], 1, ""), CodeReason) // not offered
	w.wants(w.b.OfferWatch(ss[1], "x"), CodeWatch)
	if err := w.b.OfferWatch(ss[0], "Quiet. One answer is due at 0800Z."); err != nil {
		t.Fatal(err)
	}
	if x := w.b.Watch(); x.Officer != 1 || x.Handing == "" {
		t.Fatalf("watch %+v", x)
	}
	if err := w.b.TakeWatch(ss[1], 1, ""); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	h := w.b.WatchHistory(9)
	if len(h) != 2 || h[0].Officer != 2 || h[0].From != 1 || h[1].Handing != "Quiet. One answer is due at 0800Z." || !h[0].Offered.IsZero() {
		t.Errorf("history %+v", h)
	}
}
