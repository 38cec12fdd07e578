package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley"
	"parley/internal/faults"
)

// cgroup makes a group of processes with limits (file and value, in turn), of
// version 1 or 2, and returns the words that start a program in it. Without
// the right to make one, the test is skipped loudly; with CI set it fails.
func cgroup(t *testing.T, controller, name string, limits ...string) []string {
	t.Helper()
	base := "/sys/fs/cgroup"
	if _, err := os.Stat(filepath.Join(base, controller)); err == nil {
		base = filepath.Join(base, controller)
	}
	dir := filepath.Join(base, fmt.Sprintf("parley-test-%d-%s", os.Getpid(), name))
	err := os.Mkdir(dir, 0o755)
	set := 0
	for i := 0; err == nil && i < len(limits); i += 2 {
		if os.WriteFile(filepath.Join(dir, limits[i]), []byte(limits[i+1]), 0o644) == nil {
			set++ // the other version's files do not exist
		}
	}
	if err == nil && set == 0 {
		err = errors.New("no limit can be set in " + dir)
	}
	t.Cleanup(func() {
		for range 100 {
			if os.Remove(dir) == nil || !exists(dir) {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("NOT TESTED: no control groups: ", err)
	}
	return []string{"sh", "-c", `echo $$ >` + dir + `/cgroup.procs && exec "$@"`, "sh"}
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// exchange sends messages both ways and waits for all receipts.
func (w *world) exchange(many, size int) (texts []string) {
	w.t.Helper()
	for i := range many {
		for _, p := range w.parties {
			text := fmt.Sprintf("EXERCISE. %s %d %d %s", p.name, size, i, strings.Repeat("x", size))
			texts = append(texts, text)
			p.say([]parley.Lane{parley.Flash, parley.Routine}[i%2], text)
		}
	}
	w.parties[0].received(w.parties[1])
	w.parties[1].received(w.parties[0])
	return texts
}

// once checks that every party shows each text once.
func (w *world) once(texts []string) {
	w.t.Helper()
	for _, p := range w.parties {
		found := map[string]int{}
		for _, m := range p.inbox() {
			found[m.Text]++
		}
		for _, text := range texts {
			if found[text] != 1 {
				w.t.Errorf("%s shows %.60q %d times", p.name, text, found[text])
			}
		}
	}
}

// Too few descriptors to start are a clear error and harm nothing; as few as a
// node can start with do not make it fall over and over.
func TestFewDescriptors(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("prlimit"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("NOT TESTED: descriptor limits: ", err)
	}
	w := newWorld(t, "Avaria", "Borduria")
	a, b := w.parties[0], w.parties[1]
	a.serve()
	b.serve()
	a.ready()
	b.ready()
	texts := w.exchange(5, 100)
	b.node.stop()
	for _, few := range []int{8, 12, 16, 24, 32, 64} {
		b.run = []string{"prlimit", fmt.Sprintf("--nofile=%d:%d", few, few)}
		b.launch()
		deadline := time.Now().Add(limit)
		for up := false; !up && !b.node.ended() && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			up = strings.Contains(b.node.stderr(), "listens on")
		}
		if !b.node.ended() {
			a.say(parley.Flash, fmt.Sprintf("EXERCISE. with %d descriptors", few))
			texts = append(texts, fmt.Sprintf("EXERCISE. with %d descriptors", few))
			time.Sleep(500 * time.Millisecond)
		}
		said := b.node.stderr()
		if few == 64 {
			a.received(b)
			break
		}
		if b.node.ended() && (!strings.Contains(said, "parley: ") || !strings.Contains(said, "what to do: ")) {
			t.Errorf("with %d descriptors it ends without a word of use:\n%s", few, said)
		}
		if strings.Contains(said, "goroutine ") || strings.Contains(said, "fatal error") {
			t.Errorf("with %d descriptors it crashes:\n%.2000s", few, said)
		}
		t.Logf("%d descriptors: ended %v", few, b.node.ended())
		b.node.kill()
	}
	b.node.stop()
	b.run = nil
	b.serve().ready()
	texts = append(texts, w.exchange(2, 200)...)
	w.once(texts)
	a.node.stop()
	b.node.stop()
	b.fsck()
}

// With little memory a node works; with less than it needs it is killed, and
// loses nothing that it acknowledged.
func TestLittleMemory(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "Avaria", "Borduria")
	a, b := w.parties[0], w.parties[1]
	b.run = little(t, 96)
	a.serve()
	b.serve()
	a.ready()
	b.ready()
	texts := w.exchange(100, 20_000)
	w.once(texts)
	if u, ok := faults.Process(b.node.cmd.Process.Pid); ok {
		t.Logf("%+v with a limit of 96 MiB", u)
	}
	b.node.stop()
	var squeezed []string
	for _, mib := range []int{20, 24, 28} { // around what a node needs
		b.run = little(t, mib)
		b.launch()
		for end := time.Now().Add(4 * time.Second); time.Now().Before(end) && !b.node.ended(); {
			text := fmt.Sprintf("EXERCISE. squeezed %d %d", mib, len(squeezed))
			if _, err := b.post(parley.Flash, text); err == nil {
				squeezed = append(squeezed, text)
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Logf("%d MiB: ended %v", mib, b.node.ended())
		b.node.kill()
	}
	b.run = nil
	b.serve().ready()
	b.received(a)
	w.once(append(texts, squeezed...))
	w.quiet()
	a.node.stop()
	b.node.stop()
	b.fsck()
}

// little starts a program with so many MiB of memory.
func little(t *testing.T, mib int) []string {
	t.Helper()
	n := fmt.Sprint(mib << 20)
	return cgroup(t, "memory", fmt.Sprint(mib), "memory.limit_in_bytes", n, "memory.memsw.limit_in_bytes", n, "memory.max", n, "memory.swap.max", "0")
}

// A node that gets a tenth of a processor is slow, and nothing else.
func TestLittleProcessor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "Avaria", "Borduria")
	a, b := w.parties[0], w.parties[1]
	b.run = cgroup(t, "cpu", "cpu", "cpu.cfs_quota_us", "10000", "cpu.max", "10000 100000")
	a.serve()
	b.serve()
	a.ready()
	b.ready()
	w.once(w.exchange(20, 500))
	w.quiet()
	a.node.stop()
	b.node.stop()
	b.fsck()
}

// A node that stands still and then goes on does nothing twice: its line comes
// back, what was written meanwhile arrives once, no other process can take
// its place meanwhile, and its generation stays.
//
// For as long as a carrier waits: PARLEY_STILL=70 go test ./cmd/parley -run TestStandsStill
func TestStandsStill(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no such signals")
	}
	w := newWorld(t, "Avaria", "Borduria")
	a, b := w.parties[0], w.parties[1]
	a.serve()
	b.serve()
	a.ready()
	b.ready()
	texts := w.exchange(5, 100)
	b.node.cmd.Process.Signal(syscall.SIGSTOP)
	texts = append(texts, "EXERCISE. while it stands still")
	a.say(parley.Flash, "EXERCISE. while it stands still")
	still := time.Duration(number(t, "PARLEY_STILL", 4)) * time.Second
	begin := time.Now()
	if r := command(t, w.base, "", "serve", "--dir", b.dir); r.code != 1 || !strings.Contains(r.err, "what to do: ") {
		t.Errorf("a second process in its directory: exit %d\n%s", r.code, r.err)
	}
	if s := a.step("EXERCISE. while it stands still", b); s != "sent" {
		t.Errorf("the author shows %q", s)
	}
	time.Sleep(still - time.Since(begin))
	b.node.cmd.Process.Signal(syscall.SIGCONT)
	b.has("EXERCISE. while it stands still")
	texts = append(texts, w.exchange(3, 300)...)
	w.once(texts)
	for _, p := range w.parties {
		if g := p.generations(2); len(g) != 1 {
			t.Errorf("%s knows generations %v", p.name, g)
		}
	}
	w.quiet()
	a.node.stop()
	b.node.stop()
	b.fsck()
}
