//go:build unix

package store

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"parley"
	"parley/internal/store/storetest"
	"parley/journal"
)

// A disk that fails in other ways than TestFailedOperation's. Here what was
// really written stays on the real disk and the record is opened again there.

// faulty runs work on a record whose disk fails by the given rule, and returns
// how much it acknowledged, the error that ended it (nil: it ran to its end)
// and the path.
func faulty(t *testing.T, fail func(e event) int32) (acked uint64, path string, ended error) {
	t.Helper()
	s, err := openTraced(t, fail)
	if err == nil {
		path = s.path
		err = work(s)
		if cerr := s.Close(); err == nil {
			err = cerr
		}
	}
	traced.Lock()
	defer traced.Unlock()
	for _, e := range traced.events {
		if e.op == "ack" {
			acked = uint64(e.off)
		}
	}
	traced.fail = nil
	return acked, path, err
}

// again opens the record on a disk that is sound again, and goes on with it.
func again(path string, acked uint64) error {
	s, err := Open(path, Options{DataKey: testKey, vfs: "traced"})
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err := whole(s, acked); err != nil {
		return err
	}
	l, err := resume(s)
	if err != nil {
		return err
	}
	if err := step(s, l, int(l.Tree.Size())); err != nil {
		return fmt.Errorf("it does not go on: %w", err)
	}
	_, err = whole(s, l.Tree.Size())
	return err
}

// The disk is full from the nth write on, whichever that is. The store says so
// and ends; when there is space again it has everything that it acknowledged
// and goes on. The same with a write that lands in part.
func TestFullDiskAndTornWrites(t *testing.T) {
	for name, rc := range map[string]int32{"full": sqlite3.SQLITE_FULL, "torn": tornWrite} {
		t.Run(name, func(t *testing.T) {
			points := 0
			all, _, err := faulty(t, nil)
			if err != nil {
				t.Fatal(err)
			}
			for nth := 1; ; nth += 1 + nth/dose(4) {
				count := 0
				acked, path, err := faulty(t, func(e event) int32 {
					if e.op != "write" {
						return sqlite3.SQLITE_OK
					}
					if count++; count >= nth {
						return rc
					}
					return sqlite3.SQLITE_OK
				})
				if count < nth {
					break
				}
				points++
				want := CodeFull
				if rc != sqlite3.SQLITE_FULL {
					want = CodeFailed
				}
				// The last writes are those of closing: SQLite keeps the log then,
				// and says nothing, because nothing is lost.
				if parley.CodeOf(err) != want && !(err == nil && acked == all) {
					t.Fatalf("write %d after %d entries: %v, want %s", nth, acked, err, want)
				}
				if path == "" {
					continue // it could not be opened, and nothing was acknowledged
				}
				if err := again(path, acked); err != nil {
					t.Fatalf("write %d failed after %d entries: %v", nth, acked, err)
				}
			}
			t.Logf("%d writes failed, nothing acknowledged was lost", points)
		})
	}
}

// A read that fails, whichever it is: an error with a code, and never a wrong
// entry; when the disk reads again, all is there.
func TestFailedReads(t *testing.T) {
	path := signed(t, 40)
	sound, err := dump(path)
	if err != nil {
		t.Fatal(err)
	}
	registerVFS()
	points := 0
	for nth := 1; ; nth += 1 + nth/dose(4) {
		var count atomic.Int64
		traced.Lock()
		traced.fail = func(e event) int32 {
			if e.op == "read" && int(count.Add(1)) == nth {
				return sqlite3.SQLITE_IOERR_READ
			}
			return sqlite3.SQLITE_OK
		}
		traced.Unlock()
		err := readThrough(path)
		traced.Lock()
		traced.fail = nil
		traced.Unlock()
		if int(count.Load()) < nth {
			if err != nil {
				t.Fatalf("no read failed: %v", err)
			}
			break
		}
		points++
		// SQLite reads the header again by itself where that read failed.
		if err != nil && parley.CodeOf(err) != CodeFailed && parley.CodeOf(err) != journal.CodeDamaged {
			t.Fatalf("read %d failed: %v", nth, err)
		}
	}
	if got, err := dump(path); err != nil || got != sound {
		t.Fatalf("after the reads work again: %v", err)
	}
	t.Logf("%d reads failed", points)
}

func readThrough(path string) error {
	s, err := Open(path, Options{DataKey: testKey, vfs: "traced", onMark: markTraced})
	if err != nil {
		return err
	}
	defer s.Close()
	states, err := s.Logs()
	if err != nil {
		return err
	}
	for _, st := range states {
		n := uint64(0)
		if err := s.Rows(st.Log, 0, st.Size, func(*journal.Row) error { n++; return nil }); err != nil {
			return err
		}
		if n != st.Size {
			return fmt.Errorf("%d of %d rows and no error", n, st.Size)
		}
	}
	return nil
}

// Whatever a slow disk does: an entry is acknowledged after the fsync of the
// write-ahead log that holds it, never before.
func TestNeverAcknowledgedBeforeTheSync(t *testing.T) {
	slow := 0
	if _, _, err := faulty(t, func(e event) int32 {
		if e.op == "sync" && slow < 10 {
			slow++
			time.Sleep(30 * time.Millisecond)
		}
		return sqlite3.SQLITE_OK
	}); err != nil {
		t.Fatal(err)
	}
	dirty := map[string]bool{}
	acks := 0
	for i, e := range traced.events {
		switch e.op {
		case "write":
			dirty[e.file] = true
		case "sync":
			dirty[e.file] = false
		case "ack":
			acks++
			if dirty["record.db-wal"] {
				t.Fatalf("operation %d acknowledges %d entries before the fsync", i, e.off)
			}
		}
	}
	if acks == 0 {
		t.Fatal("nothing was acknowledged")
	}
}

// A write that the disk says it made and did not, or made in another place:
// what is read back is right, or the reading, the next start or fsck names it.
// No entry changes or goes away silently.
func TestLostAndMisdirectedWrites(t *testing.T) {
	for name, rc := range map[string]int32{"lost": lostWrite, "misdirected": misdirectedWrite} {
		t.Run(name, func(t *testing.T) {
			noticed, stale, points := 0, 0, 0
			rng := rand.New(rand.NewPCG(11, 12))
			for nth := 1; ; nth += 1 + nth/dose(4) {
				count := 0
				acked, path, err := faulty(t, func(e event) int32 {
					if e.op == "write" && e.file != "record.db.lock" {
						if count++; count == nth {
							misdirection = rng.Int64N(8) - 4
							return rc
						}
					}
					return sqlite3.SQLITE_OK
				})
				if count < nth {
					break
				}
				points++
				if err == nil {
					err = said(path)
				}
				if err != nil {
					noticed++
					continue
				}
				switch size, count, err := sizes(path); {
				case err != nil || size < acked:
					t.Errorf("write %d: %d entries were acknowledged, %d are there, and nobody says so (%v)", nth, acked, size, err)
				case count != size:
					stale++
				}
			}
			t.Logf("%d writes %s: %d noticed; %d left an older local value; the others changed nothing", points, name, noticed, stale)
			if noticed == 0 {
				t.Error("none was noticed; the test proves nothing")
			}
		})
	}
}

// said is what a start and fsck say of a record.
func said(path string) error {
	s, err := Open(path, Options{DataKey: testKey})
	if err != nil {
		return err
	}
	defer s.Close()
	var finding error
	err = Check(s, Verifiers{}, func(uint64, uint64) {}, func(f Finding) { finding = fmt.Errorf("finding: %s", f) })
	if err == nil {
		err = finding
	}
	return err
}

// sizes is the size of the log, and that which a value beside it tells.
func sizes(path string) (size, count uint64, err error) {
	s, err := Open(path, Options{DataKey: testKey})
	if err != nil {
		return 0, 0, err
	}
	defer s.Close()
	if r := s.log(storetest.NewLog(1).ID); r != nil {
		size = r.state.Size
	}
	err = s.Values("count", func(_ string, v []byte) error {
		count, err = strconv.ParseUint(string(v), 10, 64)
		return err
	})
	return size, count, err
}

// The high-water file: a write or an fsync that fails ends the node, and the
// mark on the disk is one that was set.
func TestHighWaterOnAFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("SKIPPED: there is no /dev/full here")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "highwater")
	h, _, err := OpenHighWater(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Set(Mark{Gen: parley.Gen{1}, Sizes: [parley.Lanes]uint64{4}}); err != nil {
		t.Fatal(err)
	}
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	real := h.f
	h.f = full
	wantCode(t, h.Set(Mark{Gen: parley.Gen{1}, Sizes: [parley.Lanes]uint64{5}}), CodeFull)
	h.f = real
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	full.Close()
	_, m, err := OpenHighWater(path)
	if err != nil || m == nil || m.Sizes[0] != 4 {
		t.Errorf("the mark is %v, %v", m, err)
	}
}
