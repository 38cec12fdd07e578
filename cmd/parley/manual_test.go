package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"parley"
)

// The pages of the manual, command by command as they stand there. In a block
// of code a line that begins with $ is a command; the lines under it must stand
// in what it prints. Each page says in pageWorlds what is there before it.
func TestManual(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../docs/manual/*.md")
	if err != nil || len(pages) < len(pageWorlds) {
		t.Fatal("pages of the manual are missing", pages, err)
	}
	for _, page := range pages {
		name := strings.TrimSuffix(filepath.Base(page), ".md")
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		steps := pageSteps(string(b))
		prepare, ours := pageWorlds[name]
		if !ours {
			continue // index has no commands; others are run by tests of their own
		}
		if len(steps) < 3 {
			t.Errorf("%s: only %d commands found", name, len(steps))
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newManual(t)
			prepare(m)
			for _, st := range steps {
				m.play(st)
			}
		})
	}
}

type pageStep struct {
	words []string
	want  []string
}

// pageSteps reads the commands of a page.
func pageSteps(text string) (steps []*pageStep) {
	for _, line := range strings.Split(text, "\n") {
		code := strings.TrimSpace(line)
		if !strings.HasPrefix(line, "    ") || code == "" {
			continue
		}
		if c, is := strings.CutPrefix(code, "$ "); is {
			steps = append(steps, &pageStep{words: words(c)})
		} else if len(steps) > 0 && strings.HasPrefix(line, "       ") {
			st := steps[len(steps)-1]
			st.want = append(st.want, code)
		}
	}
	return steps
}

// manual is what the pages take for granted: India and Pakistan with a line, a
// message each way, and their directories named so.
type manual struct {
	*world
	india, pakistan *party
}

func newManual(t *testing.T) *manual {
	m := &manual{world: newWorld(t, "India", "Pakistan")}
	m.india, m.pakistan = m.parties[0], m.parties[1]
	at := []string{freeAddr(t), freeAddr(t)}
	for i, p := range m.parties {
		named := filepath.Join(m.base, strings.ToLower(p.name))
		if err := os.Rename(p.dir, named); err != nil {
			t.Fatal(err)
		}
		p.dir, p.addr = named, at[i]
		appendLine(t, filepath.Join(p.dir, "config"), "listen "+at[i])
		appendLine(t, filepath.Join(p.dir, "config"), "peer "+m.parties[1-i].name+" "+at[1-i])
	}
	for _, p := range m.parties {
		m.start(p)
	}
	for _, p := range m.parties {
		p.ready()
		p.say(parley.Routine, "EXERCISE. from "+p.name)
	}
	m.india.received(m.pakistan)
	m.pakistan.received(m.india)
	return m
}

// start runs a party's node as its directory says.
func (m *manual) start(p *party) {
	m.t.Helper()
	p.node = spawn(m.t, m.base, "serve", "--dir", p.dir)
	p.past = append(p.past, p.node)
	p.node.said(`listens on`)
}

// safe makes what a prepared party has in its safes.
func (m *manual) safe() {
	m.t.Helper()
	ok(m.t, m.base, "backup", "new-key", "recovery.key", "--dir", "india")
	ok(m.t, m.base, "backup", "india.backup", "--dir", "india")
	ok(m.t, m.base, "identity", "india.identity", "--dir", "india")
}

func (m *manual) move(from, to string) {
	m.t.Helper()
	if err := os.Rename(filepath.Join(m.base, from), filepath.Join(m.base, to)); err != nil {
		m.t.Fatal(err)
	}
}

// pageWorlds is what has happened before each page is opened.
var pageWorlds = map[string]func(*manual){
	"backup": func(*manual) {},
	"prove":  func(*manual) {},
	"restore": func(m *manual) {
		m.safe()
		m.india.say(parley.Routine, "EXERCISE. after the backup")
		m.india.received(m.pakistan)
		m.india.node.kill()
		m.move("india/node.key", "node.key")
	},
	"rebuild": func(m *manual) {
		m.safe()
		m.india.say(parley.Routine, "EXERCISE. after the backup")
		m.india.received(m.pakistan)
		m.india.node.kill()
		m.move("india", "dead-disk")
	},
	"new-machine": func(m *manual) {
		m.safe()
		m.india.node.kill()
		m.move("india", "gone")
	},
	"new-keys": func(m *manual) {
		m.safe()
		m.move("india/root.key", "root.key")
	},
	"stolen-keys": func(m *manual) {
		m.safe()
		m.move("india/root.key", "root.key")
	},
	"lost-root": func(m *manual) {
		if r := command(m.t, m.base, passphrase+"\n", "root", "shares", "shares", "--dir", "india"); r.code != 0 {
			m.t.Fatal(r.err)
		}
		for _, n := range []string{"1", "2", "5"} {
			m.move("shares/share-"+n+"-of-5.txt", "share-"+n+"-of-5.txt")
		}
		m.move("shares", "other-shares")
		m.move("india/root.key", "lost.key")
	},
}

func (m *manual) play(st *pageStep) {
	m.t.Helper()
	path := func(i int) string { return filepath.Join(m.base, st.words[i]) }
	switch st.words[0] {
	case "mkdir":
		if err := os.Mkdir(path(1), 0o700); err != nil {
			m.t.Fatal(err)
		}
		return
	case "mv":
		if err := os.Rename(path(1), path(2)); err != nil {
			m.t.Fatal(err)
		}
		return
	case "parley-verify":
		m.verify(st)
		return
	case "parley":
	default:
		m.t.Fatalf("what is %q?", st.words)
	}
	line, args := strings.Join(st.words, " "), st.words[1:]
	if args[0] == "serve" {
		p := spawn(m.t, m.base, args...)
		p.said(`listens on`)
		for _, w := range st.want {
			if !strings.Contains(p.stderr(), w) {
				m.t.Errorf("%s\ndoes not say %q:\n%s", line, w, p.stderr())
			}
		}
		return
	}
	waits := args[0] == "status" || args[0] == "inbox" || args[0] == "witness-config"
	var r result
	good := func() bool {
		r = command(m.t, m.base, passphrase+"\n", args...)
		for _, w := range st.want {
			if !strings.Contains(r.out+r.err, w) {
				return false
			}
		}
		return r.code == 0 || r.code == 4 && args[0] == "fsck" && len(st.want) > 1 // the finding that the page shows
	}
	if waits {
		eventually(m.t, line, good)
	} else if !good() {
		m.t.Fatalf("%s\ndoes not print %q, exit %d:\n%s%s", line, st.want, r.code, r.out, r.err)
	}
}

// verify runs parley-verify where the files lie.
func (m *manual) verify(st *pageStep) {
	m.t.Helper()
	name := filepath.Join(m.base, "parley-verify")
	if _, err := os.Stat(name); err != nil {
		if out, err := exec.Command("go", "build", "-o", name, "../parley-verify").CombinedOutput(); err != nil {
			m.t.Fatalf("%v: %s", err, out)
		}
	}
	c := exec.Command(name, st.words[1:]...)
	c.Dir = m.base
	out, err := c.CombinedOutput()
	if err != nil {
		m.t.Errorf("%q: %v", st.words, err)
	}
	for _, w := range st.want {
		if !strings.Contains(string(out), w) {
			m.t.Errorf("%q does not print %q:\n%s", st.words, w, out)
		}
	}
}
