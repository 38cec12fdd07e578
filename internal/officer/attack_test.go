package officer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/internal/officer/officertest"
)

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
	s := w.fresh(&Session{Officer: 1})
	for range 6 {
		if err := w.b.AllowExport(s, "the record"); err != nil {
			t.Fatal(err)
		}
	}
	w.wants(w.b.AllowExport(s, "the record"), CodeTooMany)
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
