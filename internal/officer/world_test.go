package officer

import (
	"path/filepath"
	"testing"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/officer/officertest"
)

const origin = "http://localhost:8443"

// world is a book with a clock that the test turns.
type world struct {
	t    *testing.T
	now  time.Time
	cfg  Config
	b    *Book
	keys map[ID]*officertest.Authenticator
	n    byte
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, now: time.Date(2026, 8, 1, 6, 0, 0, 0, time.UTC), keys: map[ID]*officertest.Authenticator{}}
	w.cfg = Config{Path: filepath.Join(t.TempDir(), "officers.db"), Channel: parley.Hash{7}, Party: 1, Name: "ALFA", RPID: "localhost",
		Origins: []string{origin}, Now: func() time.Time { return w.now }}
	w.open()
	t.Cleanup(func() { w.b.Close() })
	return w
}

func (w *world) open() {
	w.t.Helper()
	b, err := Open(w.cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.b = b
}

func (w *world) reopen() {
	w.t.Helper()
	if err := w.b.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.open()
}

// sleep lets time pass, and with it the limits.
func (w *world) sleep(d time.Duration) { w.now = w.now.Add(d) }

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (w *world) wants(err error, code parley.Code) {
	w.t.Helper()
	if parley.CodeOf(err) != code {
		w.t.Fatalf("error %v, want %s", err, code)
	}
}

// enrol uses a link with a fresh passkey, or with a.
func (w *world) enrol(token string, who Identity, a *officertest.Authenticator) (*SignIn, error) {
	w.t.Helper()
	w.sleep(time.Minute)
	c, err := w.b.BeginEnrol("127.0.0.1", token, who)
	if err != nil {
		return nil, err
	}
	in, err := w.b.FinishEnrol("127.0.0.1", token, c.ID, "key", a.Create(w.t, c.Options))
	if err == nil {
		w.keys[in.Session.Officer] = a
	}
	return in, err
}

// setup makes the first officer, with every role, and others of the roles.
func (w *world) setup(roles ...Roles) (ss []*Session) {
	w.t.Helper()
	token := must[string](w.t)(w.b.SetupToken())
	first := must[*SignIn](w.t)(w.enrol(token, Identity{Name: "Asha Rao", Title: "Duty officer 1"}, officertest.New(w.t, origin)))
	ss = append(ss, first.Session)
	defer func() { ss[0] = w.fresh(ss[0]) }()
	for _, r := range roles {
		w.n++
		who := Identity{Name: "Officer", Title: "Duty officer " + string('A'+rune(w.n)), Roles: r}
		_, token, err := w.b.AddOfficer(w.fresh(first.Session), who)
		if err != nil {
			w.t.Fatal(err)
		}
		ss = append(ss, must[*SignIn](w.t)(w.enrol(token, Identity{}, officertest.New(w.t, origin))).Session)
	}
	return ss
}

// in signs an officer in with his passkey.
func (w *world) in(o ID) (*SignIn, error) {
	w.t.Helper()
	w.sleep(10 * time.Second)
	c, err := w.b.BeginSignIn("127.0.0.1")
	if err != nil {
		return nil, err
	}
	return w.b.FinishSignIn("127.0.0.1", c.ID, w.keys[o].Get(w.t, c.Options))
}

// fresh is a session that was just opened, of the officer of s.
func (w *world) fresh(s *Session) *Session {
	w.t.Helper()
	return must[*SignIn](w.t)(w.in(s.Officer)).Session
}

func message(lane parley.Lane, text string) Content {
	t := &hotline.Text{Text: text}
	return Content{Message: hotline.Draft(t, lane, parley.ToAll), Subject: "S"}
}

func (w *world) save(s *Session, c Content) *Draft {
	w.t.Helper()
	return must[*Draft](w.t)(w.b.SaveDraft(s, 0, 0, c))
}

// look views a draft long enough.
func (w *world) look(s *Session, id uint64) *Draft {
	w.t.Helper()
	d := must[*Draft](w.t)(w.b.View(s, id))
	w.sleep(LookLimit)
	return d
}

func (w *world) submit(s *Session, id uint64) (*Draft, error) {
	w.t.Helper()
	d := w.look(s, id)
	c, err := w.b.BeginSubmit(s, id, d.Digest)
	if err != nil {
		return nil, err
	}
	return w.b.FinishSubmit(s, c.ID, w.keys[s.Officer].Get(w.t, c.Options))
}

func (w *world) release(s *Session, id uint64) (*Ready, error) {
	w.t.Helper()
	d := w.look(s, id)
	c, err := w.b.BeginRelease(s, id, d.Digest)
	if err != nil {
		return nil, err
	}
	return w.b.FinishRelease(s, c.ID, w.keys[s.Officer].Get(w.t, c.Options))
}

func ref(n uint64) parley.Ref {
	return parley.Ref{Party: 1, Lane: parley.Routine, Gen: parley.Gen{1}, Index: n, Leaf: parley.Hash{byte(n)}}
}

// roster posts the roster by two officers.
func (w *world) roster(a, b *Session) {
	w.t.Helper()
	d := must[*Draft](w.t)(w.b.DraftRoster(a))
	must[*Draft](w.t)(w.submit(a, d.ID))
	r := must[*Ready](w.t)(w.release(b, d.ID))
	if err := w.b.Posted(r.Draft, ref(100+r.Draft)); err != nil {
		w.t.Fatal(err)
	}
}

// pair is a world of two officers who may release FLASH.
func pair(t *testing.T) (w *world, a, b *Session) {
	w = newWorld(t)
	ss := w.setup(AllRoles)
	w.roster(ss[0], ss[1])
	return w, w.fresh(ss[0]), w.fresh(ss[1])
}

// acts counts the journal's entries by act.
func (w *world) acts() map[Act]int {
	w.t.Helper()
	n := map[Act]int{}
	for i := range w.b.tree.Size() {
		r := must[*Record](w.t)(w.b.record(i))
		n[r.Act]++
	}
	return n
}
