package officer

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/internal/officer/officertest"
)

func contains(b []byte, s string) bool { return bytes.Contains(b, []byte(s)) }

// Every lie of an authenticator or a browser is refused at sign-in, with one
// and the same error, and stands in the journal.
func TestSignInAttacks(t *testing.T) {
	w := newWorld(t)
	s := w.setup()[0]
	honest := *w.keys[s.Officer]
	for name, lie := range map[string]func(a *officertest.Authenticator){
		"challenge":    func(a *officertest.Authenticator) { a.Challenge = make([]byte, 32) },
		"origin":       func(a *officertest.Authenticator) { a.Origin = "http://localhost:9999" },
		"rp":           func(a *officertest.Authenticator) { a.RPID = "example.com" },
		"not verified": func(a *officertest.Authenticator) { a.Flags = officertest.UP },
		"not present":  func(a *officertest.Authenticator) { a.Flags = officertest.UV },
		"type":         func(a *officertest.Authenticator) { a.Type = "webauthn.create" },
		"cross origin": func(a *officertest.Authenticator) { a.CrossOrigin = true },
		"flags":        func(a *officertest.Authenticator) { a.Flags |= officertest.BE },
		"handle":       func(a *officertest.Authenticator) { a.Handle = []byte("somebody else's") },
		"no handle":    func(a *officertest.Authenticator) { a.Handle = nil },
		"credential":   func(a *officertest.Authenticator) { a.ID = []byte("an unknown passkey") },
		"key": func(a *officertest.Authenticator) {
			b := officertest.New(t, origin)
			b.ID, b.Handle = a.ID, a.Handle
			*a = *b
		},
	} {
		liar := honest
		lie(&liar)
		w.keys[s.Officer] = &liar
		before := w.acts()[ActRefused]
		_, err := w.in(s.Officer)
		if parley.CodeOf(err) != CodeSignIn || !strings.HasSuffix(err.Error(), "nobody was signed in") {
			t.Errorf("%s: %v", name, err)
		}
		if w.acts()[ActRefused] != before+1 {
			t.Errorf("%s: the journal does not say so", name)
		}
	}
	w.keys[s.Officer] = &honest
	if _, err := w.in(s.Officer); err != nil {
		t.Fatalf("the honest passkey: %v", err)
	}
}

// An answer is good once, for its own question, in time.
func TestReplay(t *testing.T) {
	w := newWorld(t)
	s := w.setup()[0]
	w.sleep(time.Minute)
	c := must[*Ceremony](t)(w.b.BeginSignIn("127.0.0.1"))
	answer := w.keys[s.Officer].Get(t, c.Options)
	must[*SignIn](t)(w.b.FinishSignIn("127.0.0.1", c.ID, answer))
	_, err := w.b.FinishSignIn("127.0.0.1", c.ID, answer)
	w.wants(err, CodeSignIn)
	other := must[*Ceremony](t)(w.b.BeginSignIn("127.0.0.1"))
	_, err = w.b.FinishSignIn("127.0.0.1", other.ID, answer)
	w.wants(err, CodeSignIn)
	_, err = w.b.FinishSignIn("127.0.0.1", other.ID, w.keys[s.Officer].Get(t, other.Options))
	w.wants(err, CodeSignIn) // a wrong answer used the question up

	w.sleep(time.Minute)
	late := must[*Ceremony](t)(w.b.BeginSignIn("127.0.0.1"))
	answer = w.keys[s.Officer].Get(t, late.Options)
	w.sleep(CeremonyLimit + time.Second)
	_, err = w.b.FinishSignIn("127.0.0.1", late.ID, answer)
	w.wants(err, CodeSignIn)

	w.sleep(time.Minute)
	lost := must[*Ceremony](t)(w.b.BeginSignIn("127.0.0.1"))
	answer = w.keys[s.Officer].Get(t, lost.Options)
	w.reopen()
	_, err = w.b.FinishSignIn("127.0.0.1", lost.ID, answer)
	w.wants(err, CodeSignIn)
}

// A step's answer is bound to its session, its draft and its step.
func TestStepReplay(t *testing.T) {
	w, a, b := pair(t)
	d1 := w.save(a, message(parley.Flash, "One."))
	d2 := w.save(a, message(parley.Flash, "Two."))
	w.look(a, d1.ID)
	w.look(a, d2.ID)
	c := must[*Ceremony](t)(w.b.BeginSubmit(a, d1.ID, d1.Digest))
	answer := w.keys[a.Officer].Get(t, c.Options)
	_, err := w.b.FinishSubmit(b, c.ID, answer)
	w.wants(err, CodeCeremony) // another officer's session
	_, err = w.b.FinishRelease(a, c.ID, answer)
	w.wants(err, CodeCeremony) // another step
	c2 := must[*Ceremony](t)(w.b.BeginSubmit(a, d2.ID, d2.Digest))
	_, err = w.b.FinishSubmit(a, c2.ID, answer)
	w.wants(err, CodePasskey) // another draft's question
	w.sleep(time.Minute)
	w.look(a, d1.ID)
	c = must[*Ceremony](t)(w.b.BeginSubmit(a, d1.ID, d1.Digest))
	answer = w.keys[b.Officer].Get(t, c.Options)
	_, err = w.b.FinishSubmit(a, c.ID, answer)
	w.wants(err, CodePasskey) // another officer's passkey in this session
	w.sleep(time.Minute)
	if _, err := w.submit(a, d1.ID); err != nil {
		t.Fatal(err)
	}
	if n := w.acts()[ActStepRefused]; n != 4 {
		t.Errorf("%d refused steps in the journal, want 4", n)
	}
}

func TestClone(t *testing.T) {
	w := newWorld(t)
	s := w.setup()[0]
	key := w.keys[s.Officer]
	key.Count = 41
	must[*SignIn](t)(w.in(s.Officer)) // 42
	copied := *key
	must[*SignIn](t)(w.in(s.Officer)) // 43
	w.keys[s.Officer] = &copied       // answers 43 again
	_, err := w.in(s.Officer)
	w.wants(err, CodeCloned)
	if w.acts()[ActCloned] != 1 || !slices.ContainsFunc(w.b.Standing().Warnings, func(x Warning) bool { return x.Act == ActCloned }) {
		t.Error("nobody is told of the copied passkey")
	}
}

func TestEnrolAttacks(t *testing.T) {
	w := newWorld(t)
	who := Identity{Name: "A", Title: "One"}
	for name, lie := range map[string]func(a *officertest.Authenticator){
		"not verified": func(a *officertest.Authenticator) { a.Flags = officertest.UP },
		"origin":       func(a *officertest.Authenticator) { a.Origin = "https://localhost:8443" },
		"rp":           func(a *officertest.Authenticator) { a.RPID = "localhost.example" },
		"algorithm":    func(a *officertest.Authenticator) { a.Alg = -36 },
		"type":         func(a *officertest.Authenticator) { a.Type = "webauthn.get" },
		"challenge":    func(a *officertest.Authenticator) { a.Challenge = make([]byte, 32) },
		"cross origin": func(a *officertest.Authenticator) { a.CrossOrigin = true },
		"weak key":     func(a *officertest.Authenticator) { *a = *officertest.NewWeak(t, origin) },
	} {
		token := must[string](t)(w.b.SetupToken())
		a := officertest.New(t, origin)
		lie(a)
		if _, err := w.enrol(token, who, a); parley.CodeOf(err) != CodePasskey {
			t.Errorf("%s: %v", name, err)
		}
		if !w.b.NeedsSetup() {
			t.Fatalf("%s: an officer was made", name)
		}
	}
	token := must[string](t)(w.b.SetupToken())
	in := must[*SignIn](t)(w.enrol(token, who, officertest.NewEd(t, origin)))
	_, err := w.enrol(token, who, officertest.New(t, origin))
	w.wants(err, CodeLink) // used
	_, err = w.b.SetupToken()
	w.wants(err, CodeLink) // there is an officer

	// A passkey that is enrolled already cannot become another officer's.
	_, second, err := w.b.AddOfficer(in.Session, Identity{Name: "B", Title: "Two", Roles: Releaser})
	if err != nil {
		t.Fatal(err)
	}
	again := *w.keys[1]
	_, err = w.enrol(second, Identity{}, &again)
	w.wants(err, CodeKnownKey)
	_, _, err = w.b.AddOfficer(w.fresh(in.Session), Identity{Name: "C", Title: "Two", Roles: Reader})
	w.wants(err, CodeTitle)
}

func TestLinks(t *testing.T) {
	w := newWorld(t)
	who := Identity{Name: "A", Title: "One"}
	token := must[string](t)(w.b.SetupToken())
	w.sleep(LinkLimit + time.Second)
	_, err := w.enrol(token, who, officertest.New(t, origin))
	w.wants(err, CodeLink)

	token = must[string](t)(w.b.SetupToken())
	for range setupTries {
		w.sleep(10 * time.Second)
		_, err := w.b.OpenLink("127.0.0.1", "AAAAAAAAAAAAAAAAAAAAAA")
		w.wants(err, CodeLink)
	}
	_, err = w.b.OpenLink("127.0.0.1", token)
	w.wants(err, CodeLink) // five wrong ones ended it

	old := must[string](t)(w.b.SetupToken())
	token = must[string](t)(w.b.SetupToken())
	w.sleep(time.Minute)
	_, err = w.b.OpenLink("127.0.0.1", old)
	w.wants(err, CodeLink)
	w.sleep(-12 * time.Hour) // the clock goes back: the link does not last longer
	_, err = w.b.OpenLink("127.0.0.1", token)
	w.wants(err, CodeLink)
}

func TestSessions(t *testing.T) {
	w := newWorld(t)
	s := w.setup(AllRoles)
	in := must[*SignIn](t)(w.in(1))
	for range 4 { // used every fourteen minutes
		w.sleep(14 * time.Minute)
		must[*Session](t)(w.b.Session(in.Token))
	}
	w.sleep(14 * time.Minute)
	must[*Session](t)(w.b.Peek(in.Token))
	w.sleep(2 * time.Minute) // a page that asks by itself keeps nothing alive
	_, err := w.b.Session(in.Token)
	w.wants(err, CodeSession)

	in = must[*SignIn](t)(w.in(1))
	for range 34 {
		w.sleep(14 * time.Minute)
		must[*Session](t)(w.b.Session(in.Token))
	}
	w.sleep(5 * time.Minute)
	_, err = w.b.Session(in.Token)
	w.wants(err, CodeSession) // eight hours

	// The oldest of three ends; another's session ends by an administrator.
	first := must[*SignIn](t)(w.in(1))
	must[*SignIn](t)(w.in(1))
	admin := must[*SignIn](t)(w.in(1))
	_, err = w.b.Session(first.Token)
	w.wants(err, CodeSession)
	theirs := must[*SignIn](t)(w.in(2))
	if err := w.b.EndSession(admin.Session, theirs.Session.Hash); err != nil {
		t.Fatal(err)
	}
	_, err = w.b.Session(theirs.Token)
	w.wants(err, CodeSession)

	// Roles, passkeys and removal end them.
	theirs = must[*SignIn](t)(w.in(2))
	if err := w.b.ChangeOfficer(admin.Session, 2, Identity{Name: "X", Title: "Two", Roles: Reader}); err != nil {
		t.Fatal(err)
	}
	_, err = w.b.Session(theirs.Token)
	w.wants(err, CodeSession)
	w.wants(w.b.May(s[1], ReleaseDraft, Object{}), CodeSession)
	theirs = must[*SignIn](t)(w.in(2))
	o, _ := w.b.Officer(2)
	if err := w.b.RemovePasskey(admin.Session, 2, o.Keys[0].Key); err != nil {
		t.Fatal(err)
	}
	_, err = w.b.Session(theirs.Token)
	w.wants(err, CodeSession)

	for _, bad := range []string{"", "x", in.Token[:42], in.Token + "A", strings.Repeat("A", 43)} {
		_, err := w.b.Session(bad)
		w.wants(err, CodeSession)
	}
}

// Open sessions go on after a restart, with what was left of their time.
func TestSessionRestart(t *testing.T) {
	w := newWorld(t)
	w.setup()
	in := must[*SignIn](t)(w.in(1))
	must[*Session](t)(w.b.Session(in.Token))
	w.sleep(10 * time.Minute)
	w.reopen()
	s := must[*Session](t)(w.b.Session(in.Token))
	if s.Officer != 1 || s.Roles != AllRoles {
		t.Fatalf("session %+v", s)
	}
	w.reopen()
	w.sleep(IdleLimit + time.Second)
	_, err := w.b.Session(in.Token)
	w.wants(err, CodeSession)

	in = must[*SignIn](t)(w.in(1))
	w.b.Close()
	w.now = w.now.Add(-24 * time.Hour) // a clock that was set back ends what it cannot judge
	w.open()
	_, err = w.b.Session(in.Token)
	w.wants(err, CodeSession)
}

func TestLimits(t *testing.T) {
	w := newWorld(t)
	w.setup()
	w.sleep(time.Hour)
	var code parley.Code
	for range 11 {
		_, err := w.b.BeginSignIn("10.0.0.1")
		code = parley.CodeOf(err)
	}
	if code != CodeTooMany {
		t.Errorf("the eleventh question at once: %q", code)
	}
	if _, err := w.b.BeginSignIn("10.0.0.2"); err != nil {
		t.Errorf("another address: %v", err)
	}
	for i := range maxBuckets {
		w.b.limits.allow(perAddress, "ask", fmt.Sprint("a", i), w.now)
	}
	if n := len(w.b.limits.buckets); n > maxBuckets {
		t.Errorf("%d buckets", n)
	}
	_, err := w.b.BeginSignIn("10.0.0.3")
	w.wants(err, CodeTooMany) // full: it fails closed
	w.sleep(10 * time.Minute)
	if _, err := w.b.BeginSignIn("10.0.0.3"); err != nil {
		t.Errorf("after a while: %v", err)
	}
}

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

// A crash between the database and the head beside it is no damage.
func TestHeadLags(t *testing.T) {
	w := newWorld(t)
	w.setup()
	head := filepath.Join(filepath.Dir(w.cfg.Path), "officers.head")
	before, _ := os.ReadFile(head)
	must[*SignIn](t)(w.in(1))
	w.b.Close()
	if err := os.WriteFile(head, before, 0o600); err != nil {
		t.Fatal(err)
	}
	w.open()
}

// A clock that jumped ahead and came back leaves a book that works.
func TestClockJumps(t *testing.T) {
	w, a, b := pair(t)
	w.sleep(10 * 365 * 24 * time.Hour)
	w.wants(w.b.May(a, ReadRecord, Object{}), CodeSession)
	a = w.fresh(a)
	w.sleep(-10 * 365 * 24 * time.Hour)
	w.wants(w.b.May(a, ReadRecord, Object{}), CodeSession) // of a time that has not come
	a, b = w.fresh(a), w.fresh(b)
	d := w.save(a, message(parley.Flash, "After the jump."))
	must[*Draft](t)(w.submit(a, d.ID))
	r := must[*Ready](t)(w.release(b, d.ID))
	if r.Since.Sub(w.now).Abs() > time.Minute {
		t.Errorf("released at %s, and it is %s", r.Since, w.now)
	}
	w.reopen()
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

// Each kind of edit of the files is one clear error at the next start.
func TestEditedByHand(t *testing.T) {
	w, a, _ := pair(t)
	w.b.Close()
	older, _ := os.ReadFile(w.cfg.Path)
	w.open()
	w.save(a, message(parley.Flash, "Open."))
	w.b.Close()
	dir := filepath.Dir(w.cfg.Path)
	saved := map[string][]byte{}
	for _, f := range []string{"officers.db", "officers.key", "officers.head"} {
		saved[f], _ = os.ReadFile(filepath.Join(dir, f))
	}
	run := func(q string, args ...any) func() {
		return func() {
			db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: w.cfg.Path}).String())
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Exec(q, args...); err != nil {
				t.Fatal(q, err)
			}
		}
	}
	cut := func(name string, f func(b []byte) []byte) func() {
		return func() { os.WriteFile(filepath.Join(dir, name), f(slices.Clone(saved[name])), 0o600) }
	}
	for name, edit := range map[string]func(){
		"last entry gone":   run(`DELETE FROM entries WHERE idx = (SELECT max(idx) FROM entries)`),
		"middle entry gone": run(`DELETE FROM entries WHERE idx = 3`),
		"first entry gone":  run(`DELETE FROM entries WHERE idx = 0`),
		"all entries gone":  run(`DELETE FROM entries`),
		"entry changed":     run(`UPDATE entries SET data = (SELECT data FROM entries WHERE idx = 4) WHERE idx = 5`),
		"entry repeated":    run(`INSERT INTO entries SELECT max(idx) + 1, data, sig FROM entries`),
		"entry torn":        run(`UPDATE entries SET data = substr(data, 1, 20) WHERE idx = 6`),
		"text gone":         run(`DELETE FROM blobs`),
		"text changed":      run(`UPDATE blobs SET sealed = zeroblob(100)`),
		"text added":        run(`INSERT INTO blobs VALUES (zeroblob(32), zeroblob(60))`),
		"table added":       run(`CREATE TABLE more (x)`),
		"table gone":        run(`DROP TABLE blobs`),
		"file of before":    cut("officers.db", func([]byte) []byte { return older }),
		"file cut":          cut("officers.db", func(b []byte) []byte { return b[:len(b)/2] }),
		"file other":        cut("officers.db", func(b []byte) []byte { return []byte(strings.Repeat("not a database ", 400)) }),
		"key other":         cut("officers.key", func(b []byte) []byte { b[len(keyHeader)] ^= 1; return b }),
		"key gone":          func() { os.Remove(filepath.Join(dir, "officers.key")) },
		"head gone":         func() { os.Remove(filepath.Join(dir, "officers.head")) },
		"head changed":      cut("officers.head", func(b []byte) []byte { b[bytes.IndexByte(b, '\n')+1] ^= 1; return b }),
		"head cut":          cut("officers.head", func(b []byte) []byte { return b[:len(b)-9] }),
	} {
		edit()
		b, err := Open(w.cfg)
		if err == nil {
			b.Close()
		}
		if code := parley.CodeOf(err); code != CodeBook {
			t.Errorf("%s: %v, want %s", name, err, CodeBook)
		}
		for f, x := range saved {
			os.WriteFile(filepath.Join(dir, f), x, 0o600)
		}
		os.Remove(w.cfg.Path + "-wal")
		os.Remove(w.cfg.Path + "-shm")
	}
	w.open()

	// A session put into the table by hand opens nothing.
	w.b.Close()
	run(`INSERT INTO sessions VALUES (?1, ?2)`, make([]byte, 32), w.now.UnixMilli())()
	w.open()
	if _, err := w.b.Session(strings.Repeat("A", 43)); parley.CodeOf(err) != CodeSession {
		t.Errorf("a session by hand: %v", err)
	}
	for _, change := range []func(*Config){
		func(c *Config) { c.Party = 2 }, func(c *Config) { c.RPID, c.Origins = "console.example", []string{"https://console.example"} },
	} {
		w.b.Close()
		cfg := w.cfg
		change(&cfg)
		if _, err := Open(cfg); parley.CodeOf(err) != CodeOther && parley.CodeOf(err) != CodeBook {
			t.Errorf("another party or address: %v", err)
		}
	}
	w.open()
}

func TestProof(t *testing.T) {
	w := newWorld(t)
	s := w.setup(AllRoles)[0]
	rs, size, err := w.b.Audit(s, 0, 5)
	if err != nil || len(rs) != 5 || rs[0].Index != size-1 {
		t.Fatalf("audit %v, %d, %v", rs, size, err)
	}
	for i := range size {
		p := must[*Proof](t)(w.b.Prove(s, i))
		r := must[*Record](t)(p.Check())
		if r.Index != i || !bytes.Equal(p.Key, w.b.public()) {
			t.Errorf("proof %d is of %d", i, r.Index)
		}
		for name, spoil := range map[string]func(p *Proof){
			"index": func(p *Proof) { p.Index++ },
			"entry": func(p *Proof) { p.Entry[len(p.Entry)-1] ^= 1 },
			"path":  func(p *Proof) { p.Path[0][0] ^= 1 },
			"head":  func(p *Proof) { p.Head[len(p.Head)-9] ^= 1 },
			"key":   func(p *Proof) { p.Key[0] ^= 1 },
		} {
			q := Proof{p.Index, bytes.Clone(p.Entry), slices.Clone(p.Path), bytes.Clone(p.Head), bytes.Clone(p.Key)}
			spoil(&q)
			if _, err := q.Check(); err == nil {
				t.Errorf("proof %d with another %s holds", i, name)
			}
		}
	}
}

// Options are what a browser's parser reads, and ask for no more than is said.
func TestOptions(t *testing.T) {
	w := newWorld(t)
	token := must[string](t)(w.b.SetupToken())
	c := must[*Ceremony](t)(w.b.BeginEnrol("127.0.0.1", token, Identity{Name: "A", Title: "One"}))
	var o struct {
		PublicKey struct {
			Attestation string `json:"attestation"`
			RP          struct{ ID, Name string }
		} `json:"publicKey"`
	}
	if err := json.Unmarshal(c.Options, &o); err != nil || o.PublicKey.RP.ID != "localhost" || o.PublicKey.Attestation != "none" {
		t.Errorf("options %s: %v", c.Options, err)
	}
}
