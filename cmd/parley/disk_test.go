package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley"
	"parley/internal/host"
	"parley/internal/store"
)

// needs skips a test, loudly, where something of the machine is missing; in CI
// nothing may be missing.
func needs(t *testing.T, ok bool, what string) {
	t.Helper()
	if ok {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is missing, and CI must have it", what)
	}
	t.Skipf("SKIPPED: %s is missing here; nothing was tested", what)
}

// rot overwrites sectors of a file with zeros.
func (p *party) rot(sectors ...int) {
	p.w.t.Helper()
	f, err := os.OpenFile(filepath.Join(p.dir, "record.db"), os.O_RDWR, 0)
	if err != nil {
		p.w.t.Fatal(err)
	}
	defer f.Close()
	for _, n := range sectors {
		if _, err := f.WriteAt(make([]byte, 512), int64(n)*512); err != nil {
			p.w.t.Fatal(err)
		}
	}
}

// rotten loses sectors in several places of the record, until fsck says so in
// each: some lie in room that is not used.
func (p *party) rotten() {
	p.w.t.Helper()
	for _, part := range []int{4, 3, 2} {
		for n := p.sectors() / part; ; n++ {
			p.rot(n)
			if command(p.w.t, p.w.base, "", "fsck", "--dir", p.dir).code == 4 && n%3 == 0 {
				break
			}
		}
	}
}

func (p *party) sectors() int {
	info, err := os.Stat(filepath.Join(p.dir, "record.db"))
	if err != nil {
		p.w.t.Fatal(err)
	}
	return int(info.Size() / 512)
}

// refused is a start that must fail with a code and say what to do.
func (p *party) refused(code parley.Code, says string) {
	p.w.t.Helper()
	r := command(p.w.t, p.w.base, "", "serve", "--dir", p.dir, "--listen", "127.0.0.1:0")
	if r.code != 1 || !strings.Contains(r.err, "parley: "+string(code)+": ") || !strings.Contains(r.err, says) || !strings.Contains(r.err, "what to do: ") {
		p.w.t.Errorf("serve: exit %d, want %s and %q:\n%s", r.code, code, says, r.err)
	}
}

// two is a pair of parties that have talked, the second of them stopped.
func two(t *testing.T) (w *world, a, b *party, texts []string) {
	t.Helper()
	w = newWorld(t, "Avaria", "Borduria")
	w.witness()
	a, b = w.parties[0].serve(), w.parties[1].serve()
	a.ready()
	b.ready()
	texts = exchange(a, b, "before the damage")
	b.witnessed()
	b.node.stop()
	return w, a, b, texts
}

// goesOn starts a repaired party and exchanges with it.
func goesOn(w *world, a, b *party, texts []string) {
	w.t.Helper()
	b.serve()
	b.ready()
	b.hasOnce(texts)
	texts = append(texts, exchange(a, b, "after the damage")...)
	a.hasOnce(texts)
	b.hasOnce(texts)
	b.export()
	a.node.stop()
	b.node.stop()
	a.fsck()
	b.fsck()
	w.quiet()
}

// A record with rotten sectors is repaired from the running peer, and the party
// goes on. The repair itself is killed a few times before; it is either not
// done or done.
func TestRepairFromRunningPeer(t *testing.T) {
	t.Parallel()
	w, a, b, texts := two(t)
	b.rotten()
	if r := command(t, w.base, "", "fsck", "--dir", b.dir); r.code != 4 || !strings.Contains(r.out, "what to do: Stop the node, then: parley fsck --repair") {
		t.Fatalf("fsck: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if found := host.DoneFound.Last(b.dir); found.IsZero() || !found.After(host.DoneCheck.Last(b.dir)) {
		t.Error("officers do not come to know what the check found")
	}
	chance := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	for range 6 {
		p := spawn(t, w.base, "fsck", "--repair", "--dir", b.dir, "--peer", "Avaria="+a.addr)
		time.Sleep(time.Duration(chance.Int64N(int64(700 * time.Millisecond))))
		p.kill()
	}
	out := ok(t, w.base, "fsck", "--repair", "--dir", b.dir, "--peer", "Avaria="+a.addr)
	if !strings.Contains(out, "Repaired: ") && !strings.Contains(out, "Nothing was done.") {
		t.Errorf("the repair says:\n%s", out)
	}
	if host.DoneFound.Last(b.dir).After(host.DoneCheck.Last(b.dir)) {
		t.Error("after the repair officers still read what the check found")
	}
	again := ok(t, w.base, "fsck", "--repair", "--dir", b.dir, "--json")
	var report struct {
		Sound    bool
		Repaired bool
		Entries  int
	}
	if parse(t, again, &report); !report.Sound || report.Repaired || report.Entries == 0 {
		t.Errorf("a second repair says:\n%s", again)
	}
	goesOn(w, a, b, texts)
}

// The same without the network, from a file that the peer exported.
func TestRepairFromExportedRecord(t *testing.T) {
	t.Parallel()
	w, a, b, texts := two(t)
	file := filepath.Join(w.base, "copy.parley")
	ok(t, w.base, "export", "--dir", a.dir, file)
	b.rotten()
	if r := command(t, w.base, "", "fsck", "--dir", b.dir, "--from", file); r.code != 1 || !strings.Contains(r.err, "bad-flags") {
		t.Errorf("fsck --from without --repair: exit %d: %s", r.code, r.err)
	}
	if r := command(t, w.base, "", "fsck", "--repair", "--offline", "--dir", b.dir, "--from", filepath.Join(w.base, "charter")); r.code != 1 || !strings.Contains(r.err, "not-a-copy") {
		t.Errorf("a repair from another file: exit %d: %s", r.code, r.err)
	}
	ok(t, w.base, "fsck", "--repair", "--offline", "--dir", b.dir, "--from", file)
	goesOn(w, a, b, texts)
}

// Beside a running node nothing is repaired.
func TestRepairBesideNode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "Avaria", "Borduria")
	a := w.parties[0].serve()
	a.ready()
	r := command(t, w.base, "", "fsck", "--repair", "--dir", a.dir)
	if r.code != 1 || !strings.Contains(r.err, "store-in-use") {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
	a.fsck()
}

// Files that are taken away, cut to nothing or put in another's place: each is
// refused with its reason, and what was acknowledged comes back.
func TestFilesTakenAway(t *testing.T) {
	t.Parallel()
	t.Run("write-ahead log removed after a kill", func(t *testing.T) {
		t.Parallel()
		w, a, b, texts := two(t)
		b.serve()
		b.ready()
		last := "EXERCISE. before the log went away"
		b.say(parley.Flash, last)
		b.received(a)
		b.node.kill()
		if err := os.Remove(filepath.Join(b.dir, "record.db-wal")); err != nil {
			t.Fatal(err)
		}
		b.refused("store-damaged", "the write-ahead log is missing")
		if r := command(t, w.base, "", "fsck", "--dir", b.dir); r.code != 4 || !strings.Contains(r.out, "the write-ahead log is missing") {
			t.Errorf("fsck: exit %d\n%s", r.code, r.out)
		}
		out := ok(t, w.base, "fsck", "--repair", "--dir", b.dir, "--peer", "Avaria="+a.addr)
		if !strings.Contains(out, "The next start begins a new generation") {
			t.Errorf("acknowledged commits are gone, and the repair says:\n%s", out)
		}
		goesOn(w, a, b, append(texts, last))
	})
	t.Run("write-ahead log damaged after a kill", func(t *testing.T) {
		t.Parallel()
		w, a, b, texts := two(t)
		b.serve()
		b.ready()
		last := "EXERCISE. before the log rotted"
		b.say(parley.Flash, last)
		b.received(a)
		b.node.kill()
		path := filepath.Join(b.dir, "record.db-wal")
		log, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		log[32+24+100] ^= 4 // in the first frame
		if err := os.WriteFile(path, log, 0o600); err != nil {
			t.Fatal(err)
		}
		b.refused("store-damaged", "write-ahead log")
		ok(t, w.base, "fsck", "--repair", "--offline", "--dir", b.dir)
		goesOn(w, a, b, append(texts, last))
	})
	for name, empty := range map[string]func(path string) error{
		"record cut to nothing": func(path string) error { return os.Truncate(path, 0) },
		"record removed":        os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, a, b, texts := two(t)
			if err := empty(filepath.Join(b.dir, "record.db")); err != nil {
				t.Fatal(err)
			}
			b.refused("store-missing", "is missing")
			os.Remove(filepath.Join(b.dir, "record.db"))
			ok(t, w.base, "recover", "--dir", b.dir, "--peer", "Avaria="+a.addr, "--listen", b.addr)
			goesOn(w, a, b, texts)
		})
	}
	t.Run("another record put in place while the node runs", func(t *testing.T) {
		t.Parallel()
		w, a, b, texts := two(t)
		old := filepath.Join(w.base, "old.db")
		whole, err := os.ReadFile(filepath.Join(b.dir, "record.db"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(old, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		b.serve()
		b.ready()
		acked := "EXERCISE. before the file was replaced"
		b.say(parley.Flash, acked)
		b.received(a)
		if err := os.Rename(old, filepath.Join(b.dir, "record.db")); err != nil {
			t.Fatal(err)
		}
		if _, err := b.post(parley.Flash, "EXERCISE. into a file without a name"); err == nil {
			t.Error("the node acknowledges what it writes into a file that nobody will find")
		}
		<-b.node.done
		if !strings.Contains(b.node.stderr(), "store-swapped") {
			t.Errorf("the node ended without saying why:\n%s", b.node.stderr())
		}
		os.Remove(filepath.Join(b.dir, "record.db-wal"))
		os.Remove(filepath.Join(b.dir, "record.db-shm"))
		b.refused("store-damaged", "write-ahead log")
		ok(t, w.base, "fsck", "--repair", "--dir", b.dir, "--peer", "Avaria="+a.addr)
		b.serve()
		b.ready()
		b.hasOnce(append(texts, acked))
	})
}

// A party's directory on a file system of its own: it fills up, and it becomes
// read-only, while the node runs. Nothing acknowledged is lost, and when there
// is space again the party goes on.
func TestFullAndReadOnlyDisk(t *testing.T) {
	t.Parallel()
	w, a, b, texts := two(t)
	disk := filepath.Join(w.base, "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=2m")
	needs(t, err == nil, fmt.Sprintf("the right to mount a file system (%v)", err))
	t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	dir := filepath.Join(disk, "2")
	copyDir(t, b.dir, dir)
	b.dir = dir
	b.serve()
	b.ready()

	filler := filepath.Join(disk, "filler")
	fill := func() {
		f, err := os.Create(filler)
		if err != nil {
			t.Fatal(err)
		}
		for block := make([]byte, 4096); ; {
			if _, err := f.Write(block); err != nil {
				break
			}
		}
		f.Close()
	}
	fill()
	var refusal error
	for i := 0; i < 2000 && refusal == nil; i++ {
		text := fmt.Sprintf("EXERCISE. on a disk that fills %d %s", i, strings.Repeat("x", 900))
		if _, refusal = b.post(parley.Routine, text); refusal == nil {
			texts = append(texts, text)
		}
	}
	if refusal == nil {
		t.Fatal("the disk never filled up")
	}
	<-b.node.done
	if code := b.node.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(b.node.stderr(), "store-full") {
		t.Errorf("the node on a full disk: exit %d\n%s", code, b.node.stderr())
	}
	b.refused("store-full", "full")
	os.Remove(filler)
	b.serve()
	b.ready()
	b.hasOnce(texts)
	b.received(a)

	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, "size=2m"); err != nil {
		// A file that is open for writing stands in the way, as on most file
		// systems: the kernel itself turns them read-only after an error.
		b.node.stop()
		if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, "size=2m"); err != nil {
			t.Fatal(err)
		}
	}
	r := command(t, w.base, "", "serve", "--dir", b.dir, "--listen", "127.0.0.1:0")
	if r.code != 1 || !strings.Contains(r.err, "read-only file system") || !strings.Contains(r.err, "what to do: ") {
		t.Errorf("a start on a read-only disk: exit %d\n%s", r.code, r.err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	goesOn(w, a, b, texts)
}

// The real program, whose fsyncs fail one after the other: it ends at once with
// its reason, tries none of them again, and the next start has everything that
// was acknowledged.
func TestFailedFsync(t *testing.T) {
	t.Parallel()
	_, err := exec.LookPath("strace")
	needs(t, err == nil, "strace")
	w, a, b, texts := two(t)
	for _, nth := range []int{3, 9, 17} {
		b.serve()
		b.ready()
		trace := filepath.Join(w.base, fmt.Sprintf("trace.%d", nth))
		s := exec.Command("strace", "-f", "-qq", "-o", trace, "-p", fmt.Sprint(b.node.cmd.Process.Pid),
			"-e", "trace=fsync,fdatasync", "-e", fmt.Sprintf("inject=fsync,fdatasync:error=EIO:when=%d", nth))
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "strace is attached", func() bool {
			b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.node.cmd.Process.Pid))
			return !strings.Contains(string(b), "TracerPid:\t0\n")
		})
		for i := 0; i < 500 && !b.node.ended(); i++ {
			text := fmt.Sprintf("EXERCISE. before fsync %d fails %d", nth, i)
			if _, err := b.post(parley.Flash, text); err == nil {
				texts = append(texts, text)
			}
		}
		<-b.node.done
		s.Wait()
		if code := b.node.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(b.node.stderr(), "store-failed") {
			t.Errorf("after a failed fsync: exit %d\n%s", code, b.node.stderr())
		}
		b.w.quiet()
	}
	goesOn(w, a, b, texts)
}

// The manual's page: one row of the record is damaged while the node is away.
func init() {
	pageWorlds["fsck"] = func(m *manual) {
		m.india.node.stop()
		path := filepath.Join(m.india.dir, "record.db")
		keys, err := host.LoadKeys(m.india.dir)
		if err != nil {
			m.t.Fatal(err)
		}
		db, err := os.ReadFile(path)
		if err != nil {
			m.t.Fatal(err)
		}
		s, err := store.Open(path, store.Options{DataKey: keys.Data, ReadOnly: true})
		if err != nil {
			m.t.Fatal(err)
		}
		defer s.Close()
		logs, err := s.Logs()
		if err != nil {
			m.t.Fatal(err)
		}
		for _, l := range logs {
			if l.Log.Party != 2 || l.Log.Lane != parley.Flash {
				continue
			}
			row, err := s.Row(l.Log, 0)
			if err != nil {
				m.t.Fatal(err)
			}
			at := bytes.Index(db, row.Leaf.Commit[:])
			clear(db[at : at+150])
		}
		if err := os.WriteFile(path, db, 0o600); err != nil {
			m.t.Fatal(err)
		}
	}
}
