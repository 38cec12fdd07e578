package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley"
)

// exchange lets both parties write some messages and waits until each holds,
// and has receipted, all of the other's.
func exchange(a, b *party, about string) (texts []string) {
	a.w.t.Helper()
	for i := range 6 {
		for _, p := range []*party{a, b} {
			text := fmt.Sprintf("EXERCISE. %s %s %d", about, p.name, i)
			p.say([]parley.Lane{parley.Flash, parley.Priority, parley.Routine}[i%3], text)
			texts = append(texts, text)
		}
	}
	a.received(b)
	b.received(a)
	return texts
}

// hasOnce waits until a party shows every text, each of them once, and no two
// messages under one number, whatever their generations.
func (p *party) hasOnce(texts []string) {
	p.w.t.Helper()
	var missing []string
	eventually(p.w.t, p.name+" shows every message", func() bool {
		n, numbers := map[string]int{}, map[string]string{}
		missing = nil
		for _, m := range p.inbox() {
			n[m.Text]++
			if other, taken := numbers[m.Ref]; taken {
				missing = append(missing, fmt.Sprintf("%s stands for %q and %q", m.Ref, other, m.Text))
			}
			numbers[m.Ref] = m.Text
		}
		for _, text := range texts {
			if n[text] != 1 {
				missing = append(missing, fmt.Sprintf("%s: %d times", text, n[text]))
			}
		}
		return len(missing) == 0 || p.w.t.Failed()
	})
}

// witnessed waits until the quorum holds every current log of this party.
func (p *party) witnessed() {
	p.w.t.Helper()
	eventually(p.w.t, p.name+" is witnessed", func() bool {
		s := p.status()
		for _, l := range s.Logs {
			if l.Member == s.Member && l.Current && l.Witnessed < l.Size {
				return false
			}
		}
		return true
	})
}

// A directory restored from an old backup starts a new generation and never
// forks, whoever can tell it that it is old; what it lost comes back from the
// peer.
func TestRestoreOldBackup(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		leave    []string // what the backup lacks
		peerAway bool     // only the witness can tell
	}{
		"backup":               {leave: []string{"highwater"}},
		"whole machine":        {},
		"whole machine, alone": {peerAway: true},
		"backup, nobody there": {leave: []string{"highwater"}, peerAway: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "Avaria", "Borduria")
			w.witness()
			a, b := w.parties[0].serve(), w.parties[1].serve()
			a.ready()
			b.ready()
			texts := exchange(a, b, "before the backup")
			b.node.stop()
			old := filepath.Join(w.base, "old")
			copyDir(t, b.dir, old, append(c.leave, "record.db.lock")...)
			b.serve()
			b.ready()
			texts = append(texts, exchange(a, b, "after the backup")...)
			b.witnessed()
			b.node.stop()
			if c.peerAway {
				a.node.stop()
			}
			b.dir = old
			b.serve()
			b.ready()
			if c.peerAway {
				text := "EXERCISE. written before the peer came back"
				b.say(parley.Flash, text)
				texts = append(texts, text)
				a.serve()
				a.ready()
			}
			b.hasOnce(texts)
			texts = append(texts, exchange(a, b, "after the restore")...)
			a.hasOnce(texts)
			b.hasOnce(texts)
			for _, p := range w.parties {
				if g := p.generations(2); len(g) != 2 {
					t.Errorf("%s knows generations %v of the restored party, not two", p.name, g)
				}
				if g := p.generations(1); len(g) != 1 {
					t.Errorf("%s knows generations %v of the other party, not one", p.name, g)
				}
				p.export()
			}
			w.quiet("stale-store")
			a.node.stop()
			b.node.stop()
			a.fsck()
			b.fsck()
		})
	}
}

// A wiped record comes back from the peer, and counts are right.
func TestRecover(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "Avaria", "Borduria")
	w.witness()
	a, b := w.parties[0].serve(), w.parties[1].serve()
	a.ready()
	b.ready()
	texts := exchange(a, b, "before the loss")
	held := b.status().Entries
	if r := command(t, w.base, "", "recover", "--dir", b.dir, "--peer", "Avaria="+a.addr); r.code != 1 || !strings.Contains(r.err, "already-there") {
		t.Errorf("recover beside a record: exit %d, %s", r.code, r.err)
	}
	b.node.kill()
	for _, f := range []string{"record.db", "record.db-wal", "record.db-shm", "record.db.lock", "highwater"} {
		os.Remove(filepath.Join(b.dir, f))
	}
	out := ok(t, w.base, "recover", "--dir", b.dir, "--peer", "Avaria="+a.addr, "--listen", b.addr)
	if want := fmt.Sprintf("Recovered %d entries in 10 logs,", held); !strings.Contains(out, want) {
		t.Errorf("recover does not say %q:\n%s", want, out)
	}
	b.serve()
	b.ready()
	b.hasOnce(texts)
	texts = append(texts, exchange(a, b, "after the loss")...)
	a.hasOnce(texts)
	b.hasOnce(texts)
	if g := a.generations(2); len(g) != 2 {
		t.Errorf("Borduria has generations %v, not two", g)
	}
	b.export()
	w.quiet("stale-store")
	b.node.stop()
	b.fsck()
}

// Two nodes never write one record.
func TestSecondProcessIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "Avaria", "Borduria")
	a := w.parties[0].serve()
	for _, args := range [][]string{
		{"serve", "--dir", a.dir, "--listen", "127.0.0.1:0"},
		{"serve", "--dir", a.dir, "--listen", a.addr},
	} {
		r := command(t, w.base, "", args...)
		if r.code != 1 || !strings.Contains(r.err, "store-in-use") || !strings.Contains(r.err, "what to do: ") {
			t.Errorf("exit %d: %s", r.code, r.err)
		}
	}
	a.ready()
	a.say(parley.Flash, "EXERCISE. the first still runs")
}

// A stolen disk without node.key shows no content, nor do the files beside it.
func TestCopiedDiskShowsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "Avaria", "Borduria")
	a, b := w.parties[0].serve(), w.parties[1].serve()
	a.ready()
	b.ready()
	canary := "EXERCISE. the canary sings at dawn"
	a.say(parley.Flash, canary)
	b.has(canary)
	a.received(b)
	check := func(when string) {
		for _, p := range w.parties {
			err := filepath.WalkDir(p.dir, func(path string, e os.DirEntry, err error) error {
				if err != nil || !e.Type().IsRegular() {
					return err
				}
				b, err := os.ReadFile(path)
				for _, word := range []string{canary, "canary", "sings at dawn"} {
					if bytes.Contains(b, []byte(word)) {
						t.Errorf("%s: %s of %s shows %q", when, e.Name(), p.name, word)
					}
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	check("running")
	a.node.stop()
	b.node.kill()
	check("stopped")

	// Another party's key opens nothing and says so.
	mine, err := os.ReadFile(filepath.Join(a.dir, "node.key"))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.ReadFile(filepath.Join(b.dir, "node.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(a.dir, "node.key"), theirs, 0o600); err != nil {
		t.Fatal(err)
	}
	refused := func(code string, args ...string) {
		t.Helper()
		r := command(t, w.base, "", args...)
		if r.code != 1 || !strings.Contains(r.err, "parley: "+code+": ") || !strings.Contains(r.err, "what to do: ") {
			t.Errorf("parley %s: exit %d, not %s: %s", args[0], r.code, code, r.err)
		}
	}
	refused("not-this-party", "serve", "--dir", a.dir)
	refused("store-key", "fsck", "--dir", a.dir)
	os.Remove(filepath.Join(a.dir, "node.key"))
	refused("node-key-lost", "serve", "--dir", a.dir)
	if err := os.WriteFile(filepath.Join(a.dir, "node.key"), append(mine[:len(mine)-10], "0123456789"...), 0o600); err != nil {
		t.Fatal(err)
	}
	refused("bad-key-file", "serve", "--dir", a.dir)

	// Nor does it become the party where there is no record yet.
	fresh := filepath.Join(w.base, "fresh")
	copyDir(t, a.dir, fresh, "record.db", "record.db-wal", "record.db-shm", "record.db.lock", "highwater")
	if err := os.WriteFile(filepath.Join(fresh, "node.key"), theirs, 0o600); err != nil {
		t.Fatal(err)
	}
	refused("not-this-party", "serve", "--dir", fresh)
}

// Among three, one member is away when the restored node starts, and knows
// more of it than the member that is there.
func TestRestoreAmongThree(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "Avaria", "Borduria", "Syldavia")
	a, b, c := w.parties[0].serve(), w.parties[1].serve(), w.parties[2].serve()
	for _, p := range w.parties {
		p.ready()
	}
	texts := exchange(a, b, "before the backup")
	c.hasOnce(texts)
	b.node.stop()
	old := filepath.Join(w.base, "old")
	copyDir(t, b.dir, old, "record.db.lock") // with its high-water file
	b.serve()
	b.ready()
	texts = append(texts, exchange(a, b, "after the backup")...)
	c.hasOnce(texts)
	a.node.stop()
	text := "EXERCISE. only Syldavia has this"
	b.say(parley.Flash, text)
	texts = append(texts, text)
	b.received(c)
	b.node.stop()
	c.node.stop()

	b.dir = old
	a.serve()
	b.serve()
	b.ready()
	a.received(b)
	b.hasOnce(texts[:len(texts)-1])
	c.serve()
	c.ready()
	for _, p := range w.parties {
		p.hasOnce(texts)
	}
	texts = append(texts, exchange(a, b, "after the restore")...)
	texts = append(texts, exchange(b, c, "and with the third")...)
	for _, p := range w.parties {
		p.hasOnce(texts)
		if g := p.generations(2); len(g) != 2 {
			t.Errorf("%s knows generations %v of the restored party, not two", p.name, g)
		}
		p.export()
	}
	w.quiet("stale-store")
	for _, p := range w.parties {
		p.node.stop()
		p.fsck()
	}
}
