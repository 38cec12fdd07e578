package store

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"parley"
	"parley/internal/store/storetest"
	"parley/journal"
)

// raw changes the record's file behind the store's back.
func raw(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, st := range statements {
		if _, err := db.Exec(st); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	if path := os.Getenv("PARLEY_TEST_SECOND"); path != "" {
		_, err := Open(path, Options{DataKey: testKey})
		fmt.Println("code:", parley.CodeOf(err))
		return
	}
	s := openNew(t)
	_, err := Open(s.path, Options{DataKey: testKey})
	wantCode(t, err, CodeInUse)
	try := func() string {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSecondProcessIsRefused$")
		cmd.Env = append(os.Environ(), "PARLEY_TEST_SECOND="+s.path)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		line, _, _ := strings.Cut(string(out), "\n")
		return line
	}
	if got := try(); got != "code: store-in-use" {
		t.Errorf("a second process got %q", got)
	}
	s.Close()
	if got := try(); got != "code: " {
		t.Errorf("after Close a second process got %q", got)
	}
}

func TestForeignFilesAreRefused(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		make func(path string)
		code parley.Code
	}{
		"newer":              {func(p string) { openAt(t, p).Close(); raw(t, p, "CREATE TABLE later (a); PRAGMA user_version = 2") }, CodeVersion},
		"bit of the version": {func(p string) { openAt(t, p).Close(); raw(t, p, "PRAGMA user_version = 3") }, journal.CodeDamaged},
		"bit of the name":    {func(p string) { openAt(t, p).Close(); raw(t, p, "PRAGMA application_id = 1346458187") }, journal.CodeDamaged},
		"other":              {func(p string) { raw(t, p, "CREATE TABLE t (a)") }, CodeForeign},
		"other-id":           {func(p string) { raw(t, p, "PRAGMA application_id = 7") }, CodeForeign},
		"not-sqlite":         {func(p string) { os.WriteFile(p, []byte(strings.Repeat("no database ", 400)), 0o600) }, journal.CodeDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name)
			c.make(path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, readOnly := range []bool{false, true} {
				_, err := Open(path, Options{DataKey: testKey, ReadOnly: readOnly})
				wantCode(t, err, c.code)
			}
			after, err := os.ReadFile(path)
			if err != nil || string(after) != string(before) {
				t.Errorf("the refused file was changed (%v)", err)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "record.db")
	for _, o := range []Options{{MustExist: true}, {ReadOnly: true}} {
		_, err := Open(path, o)
		wantCode(t, err, CodeMissing)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil { // cut to nothing
		t.Fatal(err)
	}
	_, err := Open(path, Options{MustExist: true})
	wantCode(t, err, CodeMissing)
}

// fill makes a record of one log and closes it.
func fill(t *testing.T, size int) (path string, l *storetest.Log) {
	t.Helper()
	s := openNew(t)
	l = storetest.NewLog(1)
	var b journal.Batch
	for i := range size {
		b.Rows = append(b.Rows, l.Next(fmt.Sprint("entry ", i)))
	}
	b.Heads = []journal.SignedHead{l.Head()}
	commit(t, s, b)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return s.path, l
}

// The start recomputes the end of every log and names log and entry.
func TestDamagedTailIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ change, says string }{
		"row lost":         {"DELETE FROM entries WHERE idx = 99", "entry 99"},
		"row added":        {"INSERT INTO entries SELECT log, 100, audience, commitment, hashes, sig, content, standing, stored, sum FROM entries WHERE idx = 2", "entry 100"},
		"leaf":             {"UPDATE entries SET audience = 6 WHERE idx = 99", "entry 99"},
		"tree hash":        {"UPDATE entries SET hashes = zeroblob(64) WHERE idx = 97", "entry 99"},
		"older edge":       {"UPDATE entries SET hashes = zeroblob(7*32) WHERE idx = 63", "entry 99"},
		"edge row lost":    {"DELETE FROM entries WHERE idx = 63", "entry 99"},
		"content":          {"UPDATE entries SET content = zeroblob(100) WHERE idx = 99", "entry 99"},
		"moved content":    {"UPDATE entries SET content = (SELECT content FROM entries WHERE idx = 98) WHERE idx = 99", "entry 99"},
		"head":             {"UPDATE logs SET head_root = zeroblob(32)", "size 100"},
		"rolled back":      {"DELETE FROM entries WHERE idx >= 90; UPDATE logs SET size = 90, head_size = 90", "size 90"},
		"head of a prefix": {"UPDATE logs SET head_size = 64", "size 64"},
	} {
		t.Run(name, func(t *testing.T) {
			path, l := fill(t, 100)
			raw(t, path, c.change)
			_, err := Open(path, Options{DataKey: testKey})
			wantCode(t, err, journal.CodeDamaged)
			if !strings.Contains(err.Error(), l.ID.String()) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the error does not name the place: %v", err)
			}
			ro, err := Open(path, Options{DataKey: testKey, ReadOnly: true})
			if err != nil {
				t.Fatalf("a damaged record cannot be inspected: %v", err)
			}
			ro.Close()
		})
	}
}

// A row is checked whenever it is read.
func TestDamagedRowIsNotRead(t *testing.T) {
	for name, change := range map[string]string{
		"commitment": "commitment = randomblob(32)", "audience": "audience = audience + 2", "leaf hash": "hashes = zeroblob(32)",
		"content": "content = NULL, sum = sum + 1", "standing": "standing = 1 - standing", "time": "stored = stored + 1", "signature": "sig = zeroblob(64)",
	} {
		t.Run(name, func(t *testing.T) {
			path, l := fill(t, 100)
			raw(t, path, "UPDATE entries SET "+change+" WHERE idx = 10")
			s := openAt(t, path)
			_, err := s.Row(l.ID, 10)
			wantCode(t, err, journal.CodeDamaged)
			n := 0
			wantCode(t, s.Rows(l.ID, 0, 100, func(*journal.Row) error { n++; return nil }), journal.CodeDamaged)
			if n != 10 {
				t.Errorf("%d rows before the damaged one were read, not 10", n)
			}
		})
	}
}

// A second writer that got past the lock is noticed by the compare and swap.
func TestForeignWriterIsNoticed(t *testing.T) {
	s := openNew(t)
	l := storetest.NewLog(1)
	commit(t, s, journal.Batch{Rows: []journal.Row{l.Next("0")}})
	raw(t, s.path, "UPDATE logs SET size = 2")
	wantCode(t, s.Commit(&journal.Batch{Rows: []journal.Row{l.Next("1")}}), journal.CodeConflict)
}

// After a failure nothing works any more, and the text says that the process
// must end.
func TestFailureEndsTheStore(t *testing.T) {
	s := openNew(t)
	l := storetest.NewLog(1)
	commit(t, s, journal.Batch{Rows: []journal.Row{l.Next("0")}})
	raw(t, s.path, "CREATE TRIGGER broken BEFORE INSERT ON vals BEGIN SELECT RAISE(ABORT, 'broken'); END")
	err := s.Commit(&journal.Batch{Rows: []journal.Row{l.Next("1")}, Puts: []journal.Put{{Space: "a", Key: "k", Value: []byte("v")}}})
	wantCode(t, err, CodeFailed)
	if !strings.Contains(err.Error(), "this process must end") {
		t.Errorf("the text does not say what to do: %v", err)
	}
	_, rowErr := s.Row(l.ID, 0)
	_, logsErr := s.Logs()
	_, hashErr := s.Hashes(l.ID).ReadHashes([]int64{0})
	_, cosigErr := s.Cosigs(l.ID, 0)
	for _, e := range []error{
		rowErr, logsErr, hashErr, cosigErr,
		s.Commit(&journal.Batch{}),
		s.Rows(l.ID, 0, 1, func(*journal.Row) error { return nil }),
		s.Values("a", func(string, []byte) error { return nil }),
		Check(s, Verifiers{}, func(uint64, uint64) {}, func(Finding) {}),
	} {
		if !errors.Is(e, err) {
			t.Errorf("after the failure: %v", e)
		}
	}
	s.Close()
	raw(t, s.path, "DROP TRIGGER broken")
	again := openAt(t, s.path)
	if st, err := again.Logs(); err != nil || st[0].Size != 1 {
		t.Errorf("the failed batch left something: %v, %v", st, err)
	}
}

// A full disk has its own code; what was acknowledged is there when there is
// space again.
func TestDiskFull(t *testing.T) {
	s := openNew(t)
	if _, err := s.conn.ExecContext(bg, "PRAGMA max_page_count = 60"); err != nil {
		t.Fatal(err)
	}
	l := storetest.NewLog(1)
	var acked uint64
	for range 1000 {
		err := s.Commit(&journal.Batch{Rows: []journal.Row{l.Next(strings.Repeat("x", 2000))}})
		if err != nil {
			wantCode(t, err, CodeFull)
			break
		}
		acked++
	}
	if acked == 0 || acked == 1000 {
		t.Fatalf("%d entries were acknowledged", acked)
	}
	_, err := s.Row(l.ID, 0)
	wantCode(t, err, CodeFull)
	s.Close()
	again := openAt(t, s.path)
	if st, err := again.Logs(); err != nil || st[0].Size != acked {
		t.Errorf("%d were acknowledged, the record has %v (%v)", acked, st, err)
	}
}

// A read-only store sees a running node's record and writes nothing.
func TestReadOnly(t *testing.T) {
	s := openNew(t)
	l := storetest.NewLog(1)
	commit(t, s, journal.Batch{Rows: []journal.Row{l.Next("0")}, Heads: []journal.SignedHead{l.Head()}})
	ro, err := Open(s.path, Options{DataKey: testKey, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer ro.Close()
	wantCode(t, ro.Commit(&journal.Batch{Puts: []journal.Put{{Space: "a"}}}), CodeFailed)
	commit(t, s, journal.Batch{Rows: []journal.Row{l.Next("1")}})
	r, err := ro.Row(l.ID, 0)
	if err != nil || string(r.Content.Entry) != "0" {
		t.Errorf("row %v, %v", r, err)
	}
	if err := Check(ro, Verifiers{}, func(uint64, uint64) {}, func(f Finding) { t.Error(f) }); err != nil {
		t.Error(err)
	}
	commit(t, s, journal.Batch{Rows: []journal.Row{l.Next("2")}})
}
