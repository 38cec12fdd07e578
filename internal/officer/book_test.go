package officer

import (
	"bytes"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley"
)

func contains(b []byte, s string) bool { return bytes.Contains(b, []byte(s)) }

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
