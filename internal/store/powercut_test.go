//go:build unix

package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"

	"parley"
)

// openTraced opens a new record on the traced VFS, with an empty trace.
func openTraced(t *testing.T, fail func(e event) int32) (*SQLite, error) {
	t.Helper()
	registerVFS()
	traced.Lock()
	traced.events, traced.fail = nil, fail
	traced.Unlock()
	s, err := Open(filepath.Join(t.TempDir(), "record.db"), Options{DataKey: testKey, vfs: "traced", onMark: markTraced})
	if err == nil {
		t.Cleanup(func() { s.Close() })
	}
	return s, err
}

// markTraced writes down what goes to the lock file, and fails as the disk does.
func markTraced(op string, b []byte) error {
	return failure(note(event{op, "record.db.lock", 0, bytes.Clone(b)}))
}

// failure is the error of an operation outside SQLite for SQLite's code.
func failure(rc int32) error {
	switch rc {
	case sqlite3.SQLITE_OK:
		return nil
	case sqlite3.SQLITE_FULL:
		return parley.Errorf(CodeFull, "lock file: no space")
	}
	return parley.Errorf(CodeFailed, "lock file: the disk failed")
}

// disk is what would be on the disk: per file what was fsync'd, and what was
// written since.
type disk map[string]*struct {
	durable []byte
	pending []event
}

func (d disk) apply(e event) {
	f := d[e.file]
	if f == nil {
		f = new(struct {
			durable []byte
			pending []event
		})
		d[e.file] = f
	}
	switch e.op {
	case "write", "cut":
		f.pending = append(f.pending, e)
	case "sync":
		for _, p := range f.pending {
			f.durable = land(f.durable, p)
		}
		f.pending = nil
	case "forget":
		f.pending = nil
	case "delete":
		delete(d, e.file)
	}
}

func land(b []byte, e event) []byte {
	if e.op == "cut" {
		return b[:min(int64(len(b)), e.off)]
	}
	if end := e.off + int64(len(e.data)); int64(len(b)) < end {
		b = append(b, make([]byte, end-int64(len(b)))...)
	}
	copy(b[e.off:], e.data)
	return b
}

// cut writes the files to dir as a power cut leaves them: of what was not
// fsync'd some writes landed, some did not, and some did in part, by sectors.
func (d disk) cut(dir string, rng *rand.Rand) error {
	for name, f := range d {
		b := bytes.Clone(f.durable)
		for _, e := range f.pending {
			switch rng.IntN(3) {
			case 0:
				b = land(b, e)
			case 1:
				if e.op == "write" {
					const sector = 512
					from := rng.IntN(len(e.data)/sector+1) * sector
					to := from + rng.IntN(len(e.data)/sector+1)*sector
					to = min(to, len(e.data))
					if from < to {
						b = land(b, event{"write", e.file, e.off + int64(from), e.data[from:to]})
					}
				}
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// reopen builds the disk after a power cut at moment n of the trace and opens
// it. It reports what was lost or spoiled.
func reopen(t *testing.T, events []event, n int, rng *rand.Rand) error {
	t.Helper()
	d, acked := disk{}, uint64(0)
	for _, e := range events[:n] {
		if e.op == "ack" {
			acked = uint64(e.off)
			continue
		}
		d.apply(e)
	}
	dir, err := os.MkdirTemp(t.TempDir(), "cut")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := d.cut(dir, rng); err != nil {
		t.Fatal(err)
	}
	s, err := Open(filepath.Join(dir, "record.db"), Options{DataKey: testKey})
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = whole(s, acked)
	return err
}

// work commits batches, with checkpoints between, and acknowledges each in
// the trace.
func work(s *SQLite) error {
	l, err := resume(s)
	if err != nil {
		return err
	}
	for n := range 24 {
		if n%9 == 8 {
			s.growth = checkpointAt
		}
		if err := step(s, l, n); err != nil {
			return err
		}
		note(event{"ack", "", int64(l.Tree.Size()), nil})
	}
	return nil
}

// A power cut at any moment loses nothing that was acknowledged. The moments
// are every point between two operations of the trace, or a share of them.
func TestPowerCut(t *testing.T) {
	s, err := openTraced(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := work(s); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	events := traced.events
	rng := rand.New(rand.NewPCG(7, 8))
	for i := range dose(300) {
		n := 1 + (i*7919)%len(events)
		if err := reopen(t, events, n, rng); err != nil {
			t.Fatalf("cut after operation %d of %d: %v", n, len(events), err)
		}
	}
	// The same trace on a disk that only pretends to fsync loses entries:
	// the method would notice.
	lost := 0
	var lying []event
	for _, e := range events {
		if e.op != "sync" {
			lying = append(lying, e)
		}
	}
	for i := range 20 {
		if reopen(t, lying, len(lying)*(i+1)/21, rng) != nil {
			lost++
		}
	}
	if lost == 0 {
		t.Error("without any fsync nothing was lost; the test proves nothing")
	}
	t.Logf("%d moments of %d operations; without fsync %d of 20 lose", dose(300), len(events), lost)
}

// Whichever fsync, write or truncation fails: the store ends with a clear
// code, and what was acknowledged survives a power cut right after.
func TestFailedOperation(t *testing.T) {
	for _, c := range []struct {
		op   string
		rc   int32
		code parley.Code
	}{
		{"sync", sqlite3.SQLITE_IOERR_FSYNC, CodeFailed},
		{"write", sqlite3.SQLITE_IOERR_WRITE, CodeFailed},
		{"write", sqlite3.SQLITE_FULL, CodeFull},
		{"cut", sqlite3.SQLITE_IOERR_TRUNCATE, CodeFailed},
	} {
		t.Run(fmt.Sprint(c.op, " ", c.code), func(t *testing.T) {
			for nth, failed := 1, true; failed; nth += 1 + nth/dose(8) {
				failed = failNth(t, c.op, nth, c.rc, c.code)
			}
		})
	}
}

// failNth reports whether the run had an nth operation.
func failNth(t *testing.T, op string, nth int, rc int32, code parley.Code) bool {
	t.Helper()
	count := 0
	s, err := openTraced(t, func(e event) int32 {
		if e.op == op {
			count++
		}
		// Once failed, the disk fails no more: a retry would seem to work.
		if e.op == op && count == nth {
			if op == "sync" {
				// The system forgets that the pages were dirty.
				traced.events = append(traced.events, event{"forget", e.file, 0, nil})
			}
			return rc
		}
		return sqlite3.SQLITE_OK
	})
	if err == nil {
		err = work(s)
	}
	if count < nth {
		if err != nil {
			t.Fatalf("nothing was to fail: %v", err)
		}
		return false
	}
	wantCode(t, err, code)
	if s != nil && s.Commit(nil) == nil {
		t.Fatal("the store goes on after a failure")
	}
	events := traced.events
	if s == nil {
		return true // Open refused; nothing was acknowledged
	}
	s.Close()
	if got := len(traced.events); got != len(events) {
		t.Fatalf("the failed store wrote %d more times", got-len(events))
	}
	rng := rand.New(rand.NewPCG(uint64(nth), 9))
	for range 3 {
		if err := reopen(t, events, len(events), rng); err != nil {
			t.Fatalf("after %s number %d failed: %v", op, nth, err)
		}
	}
	return true
}
