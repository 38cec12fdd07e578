package witness

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"parley"
	"parley/journal"
)

const testTime = 1_770_000_000

// testLog is a log with a key: the leaves are the decimal numbers.
type testLog struct {
	origin string
	key    ed25519.PrivateKey
	tree   journal.Tree
	hashes []parley.Hash
	salt   string // another salt is another history
}

func (l *testLog) ReadHashes(at []int64) ([]tlog.Hash, error) {
	var hs []tlog.Hash
	for _, i := range at {
		hs = append(hs, tlog.Hash(l.hashes[i]))
	}
	return hs, nil
}

func seedKey(name string) ed25519.PrivateKey {
	s := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(s[:])
}

func newLog(origin string) *testLog {
	return &testLog{origin: origin, key: seedKey(origin)}
}

func (l *testLog) grow(n uint64) *testLog {
	for l.tree.Size() < n {
		leaf := sha256.Sum256(fmt.Appendf(nil, "%s%d", l.salt, l.tree.Size()))
		l.hashes = append(l.hashes, l.tree.Append(leaf)...)
	}
	return l
}

// note is the checkpoint at the log's present size.
func (l *testLog) note() []byte { return l.noteBy(l.key) }

func (l *testLog) noteBy(key ed25519.PrivateKey) []byte {
	c := journal.Checkpoint{Origin: l.origin, Size: l.tree.Size(), Root: l.tree.Root()}
	sig := journal.SignHead(key, c.Origin, c.Size, c.Root)
	c.Lines = []journal.Line{journal.HeadLine(l.origin, key.Public().(ed25519.PublicKey), sig)}
	return c.Encode()
}

func (l *testLog) prove(t *testing.T, old uint64) []parley.Hash {
	t.Helper()
	p, err := journal.ProveConsistency(old, l.tree.Size(), l)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (l *testLog) logKey() LogKey {
	return LogKey{Origin: l.origin, Key: l.key.Public().(ed25519.PublicKey)}
}

func testKey(t testing.TB) *Key {
	k, err := CreateKey(filepath.Join(t.TempDir(), "witness.key"), "witness.example")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func open(t testing.TB, cfg Config) *Server {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	if cfg.Key == nil {
		cfg.Key = testKey(t)
	}
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return time.Unix(testTime, 0) }
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func serve(t *testing.T, s *Server) *Client {
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return &Client{URL: h.URL, HTTP: h.Client()}
}

func post(t *testing.T, c *Client, body []byte) (int, string, string) {
	t.Helper()
	resp, err := http.Post(c.URL+"/add-checkpoint", "", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), string(b)
}

// Each row is one request to a witness that holds the log at size 5.
func TestStatuses(t *testing.T) {
	const origin = "log.example/one"
	at := func(n uint64) *testLog { return newLog(origin).grow(n) }
	fork := func(n uint64) *testLog { l := newLog(origin); l.salt = "x"; return l.grow(n) }
	body := func(old uint64, proof []parley.Hash, note []byte) []byte {
		return (&request{old, proof, note}).append(nil)
	}
	nine := at(9)
	proof := nine.prove(t, 5)
	zero := &testLog{origin: origin, key: seedKey(origin)}
	badZero := bytes.Replace(zero.note(), []byte("47DE"), []byte("47DF"), 1)
	resign := func(b []byte) []byte {
		text, _, _ := bytes.Cut(b, []byte("\n\n"))
		n, err := note.Sign(&note.Note{Text: string(text) + "\n"}, noteSigner{origin, seedKey(origin)})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, tt := range []struct {
		name   string
		body   []byte
		status int
		kind   string
		text   string
	}{
		{"growth", body(5, proof, nine.note()), 200, "text/plain", ""},
		{"the same head", body(5, nil, at(5).note()), 200, "text/plain", ""},
		{"extension lines", body(5, proof, resign(bytes.Replace(nine.note(), []byte("\n\n"), []byte("\nextra\n\n"), 1))), 200, "text/plain", ""},
		{"stale", body(3, at(9).prove(t, 3), nine.note()), 409, "text/x.tlog.size", "5\n"},
		{"never seen", body(0, nil, nine.note()), 409, "text/x.tlog.size", "5\n"},
		{"older head", body(3, nil, at(3).note()), 409, "text/x.tlog.size", "5\n"},
		{"fork of one size", body(5, nil, fork(5).note()), 409, "text/plain", ""},
		{"fork of one size, old unknown", body(0, nil, fork(5).note()), 409, "text/x.tlog.size", "5\n"},
		{"fork beyond", body(5, fork(9).prove(t, 5), fork(9).note()), 422, "text/plain", ""},
		{"proof absent", body(5, nil, nine.note()), 422, "text/plain", ""},
		{"proof too long", body(5, append(nine.prove(t, 5), parley.Hash{}), nine.note()), 422, "text/plain", ""},
		{"proof for the same head", body(5, proof, at(5).note()), 422, "text/plain", ""},
		{"old above size", body(9, nil, at(5).note()), 400, "text/plain", ""},
		{"empty tree with a root", body(0, nil, resign(badZero)), 422, "text/plain", ""},
		{"unknown log", body(0, nil, newLog("other.example").grow(1).note()), 404, "text/plain", ""},
		{"another key", body(5, proof, nine.noteBy(seedKey("thief"))), 403, "text/plain", ""},
		{"spoiled signature", body(5, proof, bytes.Replace(nine.note(), []byte("\n9\n"), []byte("\n8\n"), 1)), 403, "text/plain", ""},
		{"no signature line", body(5, proof, []byte("log.example/one\n9\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n")), 400, "text/plain", ""},
		{"empty body", nil, 400, "text/plain", ""},
		{"no old line", nine.note(), 400, "text/plain", ""},
		{"old with a zero in front", append([]byte("old 05\n\n"), nine.note()...), 400, "text/plain", ""},
		{"old negative", append([]byte("old -5\n\n"), nine.note()...), 400, "text/plain", ""},
		{"64 proof lines", body(5, make([]parley.Hash, 64), nine.note()), 400, "text/plain", ""},
		{"proof line of 31 bytes", append([]byte("old 5\n"+strings.Repeat("A", 43)+"\n\n"), nine.note()...), 400, "text/plain", ""},
		{"carriage returns", bytes.ReplaceAll(body(5, proof, nine.note()), []byte("\n"), []byte("\r\n")), 400, "text/plain", ""},
		{"not text", bytes.Repeat([]byte{0xff, 0}, 500), 400, "text/plain", ""},
		{"too large", bytes.Repeat([]byte("a"), maxBody+1), 413, "text/plain", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, Config{Logs: []LogKey{newLog(origin).logKey()}})
			c := serve(t, s)
			if _, err := c.Add(context.Background(), 0, nil, at(5).note()); err != nil {
				t.Fatal(err)
			}
			status, kind, text := post(t, c, tt.body)
			if kind, _, _ = strings.Cut(kind, ";"); status != tt.status || kind != tt.kind || tt.text != "" && text != tt.text {
				t.Errorf("got %d %s %q, want %d %s %q", status, kind, text, tt.status, tt.kind, tt.text)
			}
		})
	}
}

type noteSigner struct {
	name string
	key  ed25519.PrivateKey
}

func (s noteSigner) Name() string { return s.name }
func (s noteSigner) KeyHash() uint32 {
	v, _ := note.NewVerifier(VKey(s.name, TypeEd, s.key.Public().(ed25519.PublicKey)))
	return v.KeyHash()
}
func (s noteSigner) Sign(b []byte) ([]byte, error) { return ed25519.Sign(s.key, b), nil }

func TestOtherPaths(t *testing.T) {
	k := testKey(t)
	c := serve(t, open(t, Config{Key: k}))
	for path, want := range map[string]int{"/": 200, "/add-checkpoint": 405, "/other": 404} {
		resp, err := http.Get(c.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("GET %s: %d, want %d", path, resp.StatusCode, want)
		}
		if path == "/" && string(b) != strings.Join(k.VKeys(), "\n")+"\n" {
			t.Errorf("GET / says %q", b)
		}
	}
}

// The lines are what journal verifies, and a signature a witness gives to a
// checkpoint with extension lines covers them.
func TestCosignatures(t *testing.T) {
	k := testKey(t)
	l := newLog("log.example").grow(3)
	c := serve(t, open(t, Config{Key: k, Logs: []LogKey{l.logKey()}}))
	lines, err := c.Add(context.Background(), 0, nil, l.note())
	if err != nil {
		t.Fatal(err)
	}
	w := k.Witness()
	if len(lines) != 2 || !lines[0].IsCosign(k.Name, w.Ed) || !lines[1].IsSeal(k.Name, w.PQ) {
		t.Fatalf("lines %v", lines)
	}
	ed, _ := lines[0].Cosignature()
	pq, _ := lines[1].Cosignature()
	if ed.Time != testTime || pq.Time != testTime {
		t.Errorf("times %d and %d", ed.Time, pq.Time)
	}
	if !journal.VerifyCosign(w.Ed, ed, l.origin, 3, l.tree.Root()) || !journal.VerifySeal(w.PQ, k.Name, pq, l.origin, 3, l.tree.Root()) {
		t.Error("a cosignature does not verify")
	}
}

// 50 submissions at once, half of them of another history: never are two
// roots of one size cosigned, and the size never goes back.
func TestRace(t *testing.T) {
	const origin = "log.example/race"
	s := open(t, Config{Logs: []LogKey{newLog(origin).logKey()}})
	c := serve(t, s)
	logs := map[bool]*testLog{}
	for _, fork := range []bool{false, true} {
		l := newLog(origin)
		if fork {
			l.salt = "x"
		}
		logs[fork] = l.grow(64)
	}
	var mu sync.Mutex
	cosigned := map[uint64]parley.Hash{}
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			full := logs[i%2 == 0]
			size := uint64(1 + i/2)
			l := newLog(origin)
			l.salt = full.salt
			l.grow(size)
			_, _, err := c.Submit(context.Background(), 0, size, l.note(), func(old uint64) ([]parley.Hash, error) {
				return journal.ProveConsistency(old, size, l)
			})
			if err != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if r, ok := cosigned[size]; ok && r != l.tree.Root() {
				t.Errorf("two roots of size %d are cosigned", size)
			}
			cosigned[size] = l.tree.Root()
		})
	}
	wg.Wait()
	if len(cosigned) == 0 {
		t.Fatal("nothing was cosigned")
	}
	var greatest uint64
	histories := map[bool]bool{}
	for size, root := range cosigned {
		greatest = max(greatest, size)
		for fork, full := range logs {
			if r, _ := journal.RootAt(size, full); r == root {
				histories[fork] = true
			}
		}
	}
	if len(histories) != 1 {
		t.Error("heads of both histories are cosigned")
	}
	if l := s.state.log(origin); l.Size != greatest || l.Root != cosigned[greatest] {
		t.Errorf("the witness remembers size %d, cosigned %d", l.Size, greatest)
	}
}

func TestRestart(t *testing.T) {
	dir, key, l := t.TempDir(), testKey(t), newLog("log.example").grow(4)
	cfg := Config{Dir: dir, Key: key, Logs: []LogKey{l.logKey()}}
	s := open(t, cfg)
	if _, err := serve(t, s).Add(context.Background(), 0, nil, l.note()); err != nil {
		t.Fatal(err)
	}
	if _, err := New(cfg); parley.CodeOf(err) != CodeInUse {
		t.Errorf("a second process opens the same memory: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	c := serve(t, open(t, cfg))
	fork := newLog("log.example")
	fork.salt = "x"
	fork.grow(4)
	var conflict *Conflict
	if _, err := c.Add(context.Background(), 4, nil, fork.note()); !errors.As(err, &conflict) || conflict.HasSize {
		t.Errorf("after a restart a fork is answered with %v", err)
	}
	if _, err := c.Add(context.Background(), 4, l.grow(6).prove(t, 4), l.note()); err != nil {
		t.Errorf("after a restart growth is answered with %v", err)
	}
}

// A damaged memory stops the start: a changed root would accuse the log.
func TestDamage(t *testing.T) {
	for name, spoil := range map[string]func([]byte) []byte{
		"root":  func(b []byte) []byte { return bytes.Replace(b, []byte("\n4\n"), []byte("\n3\n"), 1) },
		"empty": func([]byte) []byte { return nil },
		"short": func(b []byte) []byte { return b[:len(b)-100] },
		"log":   func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("log.example"), []byte("log.exampel")) },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLog("log.example").grow(4)
			cfg := Config{Dir: t.TempDir(), Key: testKey(t), Logs: []LogKey{l.logKey()}}
			cfg.Key.PQ = nil
			s := open(t, cfg)
			if _, no := s.add((&request{0, nil, l.note()}).append(nil)); no != nil {
				t.Fatal(no)
			}
			s.Close()
			path := filepath.Join(cfg.Dir, stateFile(l.origin))
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, spoil(b), 0o600); err != nil {
				t.Fatal(err)
			}
			if s, err := New(cfg); parley.CodeOf(err) != CodeState {
				s.Close()
				t.Errorf("the witness starts: %v", err)
			}
		})
	}
	l := newLog("log.example").grow(1)
	cfg := Config{Dir: t.TempDir(), Key: testKey(t), Logs: []LogKey{l.logKey()}}
	s := open(t, cfg)
	s.add((&request{0, nil, l.note()}).append(nil))
	s.Close()
	cfg.Key = testKey(t)
	if _, err := New(cfg); parley.CodeOf(err) != CodeState {
		t.Errorf("another witness's key opens the memory: %v", err)
	}
}

// Evidence holds both signed notes, is written once, and is bounded.
func TestEvidence(t *testing.T) {
	dir, l := t.TempDir(), newLog("log.example").grow(4)
	s := open(t, Config{Dir: dir, Logs: []LogKey{l.logKey()}})
	if _, no := s.add((&request{0, nil, l.note()}).append(nil)); no != nil {
		t.Fatal(no)
	}
	for i := range maxEvidence + 5 {
		f := newLog("log.example")
		f.salt = fmt.Sprint("x", i)
		f.grow(4)
		for range 2 {
			if _, no := s.add((&request{4, nil, f.note()}).append(nil)); no == nil || no.status != 409 {
				t.Fatalf("a fork is answered with %v", no)
			}
		}
		if i > 0 {
			continue
		}
		files, _ := filepath.Glob(filepath.Join(dir, "fork-*.txt"))
		if len(files) != 1 {
			t.Fatalf("%d files", len(files))
		}
		b, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range [][]byte{l.note(), f.note()} {
			if !bytes.Contains(b, want) {
				t.Errorf("the evidence lacks\n%s", want)
			}
		}
	}
	files, _ := filepath.Glob(filepath.Join(dir, "fork-*.txt"))
	if len(files) != maxEvidence {
		t.Errorf("%d files, the bound is %d", len(files), maxEvidence)
	}
}

// A witness that could not write cosigns nothing until a new start has read
// what the disk holds.
func TestWriteFails(t *testing.T) {
	for _, step := range []string{"open", "written", "renamed", "durable"} {
		t.Run(step, func(t *testing.T) {
			l, other := newLog("log.example").grow(2), newLog("other.example").grow(2)
			cfg := Config{Dir: t.TempDir(), Key: testKey(t), Logs: []LogKey{l.logKey(), other.logKey()}}
			s := open(t, cfg)
			s.state.step = func(at string) error {
				if at == step {
					return errors.New("disk full")
				}
				return nil
			}
			if _, no := s.add((&request{0, nil, l.note()}).append(nil)); no == nil || no.status != 500 {
				t.Fatalf("the failed write is answered with %v", no)
			}
			s.state.step = nil
			if _, no := s.add((&request{0, nil, other.note()}).append(nil)); no == nil || no.status != 500 {
				t.Errorf("after a failed write the witness goes on: %v", no)
			}
			s.Close()
			s = open(t, cfg)
			if _, no := s.add((&request{0, nil, other.note()}).append(nil)); no != nil {
				t.Errorf("after a restart: %v", no)
			}
		})
	}
}

func TestTooManyLogs(t *testing.T) {
	s := open(t, Config{})
	id := parley.LogID{Party: 1}
	for i := range maxLogs {
		id.Gen = parley.Gen{byte(i >> 8), byte(i)}
		if s.state.log(id.Origin()) == nil {
			t.Fatalf("log %d refused", i)
		}
	}
	if id.Gen = (parley.Gen{0xff}); s.state.log(id.Origin()) != nil {
		t.Error("one member may fill the witness's disk")
	}
	if id.Party = 2; s.state.log(id.Origin()) == nil {
		t.Error("another member is refused for it")
	}
}
