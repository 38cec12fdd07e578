//go:build unix

package main

import (
	"bytes"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley"
)

// wire is a listener that passes on to another address and keeps what goes by:
// a recorder in the network.
type wire struct {
	ln net.Listener
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(b)
}

func (w *wire) bytes() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return bytes.Clone(w.b.Bytes())
}

func tap(t *testing.T, to string) *wire {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	w := &wire{ln: ln}
	go func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			pass := func(a, b net.Conn) {
				io.Copy(io.MultiWriter(a, w), b)
				a.Close()
				b.Close()
			}
			go pass(in, out)
			go pass(out, in)
		}
	}()
	return w
}

// A witness, and whoever listens on the way to it, reads heads: no name of a
// member, no text. Who listens between the nodes reads neither.
func TestWitnessSeesNoNamesAndNoContent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "Avaria", "Borduria")
	w.witness()
	toWitness := tap(t, strings.TrimPrefix(w.url, "http://"))
	w.url = "http://" + toWitness.ln.Addr().String()
	a := w.parties[0].serve()
	toA := tap(t, a.addr)
	real := a.addr
	a.addr = toA.ln.Addr().String()
	b := w.parties[1].serve()
	a.addr = real
	a.ready()
	b.ready()
	const canary = "the canary sings at dawn"
	a.say(parley.Flash, "EXERCISE. "+canary)
	b.say(parley.Routine, "EXERCISE. not before "+canary)
	a.received(b)
	b.received(a)
	a.witnessed()
	b.witnessed()
	seen := toWitness.bytes()
	if !bytes.Contains(seen, []byte("parley/"+w.channel.String())) {
		t.Fatal("the recorder before the witness has seen no head")
	}
	if n := len(toA.bytes()); n < 4000 {
		t.Fatalf("the recorder between the nodes has seen %d bytes", n)
	}
	for _, word := range []string{"Avaria", "Borduria", "canary", "EXERCISE", "test line"} {
		for who, b := range map[string][]byte{"the witness": seen, "the network": toA.bytes()} {
			if bytes.Contains(bytes.ToLower(b), []byte(strings.ToLower(word))) {
				t.Errorf("%s reads %q", who, word)
			}
		}
	}
}

// What a node prints holds no text, no key and no passphrase, whatever happens
// to it.
func TestLogsShowNoSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "Avaria", "Borduria")
	w.witness()
	a, b := w.parties[0].serve(), w.parties[1].serve()
	a.ready()
	b.ready()
	texts := []string{"canary", "sings at dawn", passphrase}
	a.say(parley.Flash, "EXERCISE. the canary sings at dawn")
	a.received(b)
	a.post(parley.Flash, "the canary sings at dawn "+strings.Repeat("x", 1<<20)) // refused
	if c, err := net.Dial("tcp", a.addr); err == nil {                           // a stranger
		c.Write([]byte("GET /canary HTTP/1.1\r\n\r\n"))
		c.SetReadDeadline(time.Now().Add(limit))
		io.Copy(io.Discard, c)
		c.Close()
	}
	b.node.kill()
	b.serve("--restored")
	b.ready()
	a.node.stop()
	b.node.stop()
	for _, p := range w.parties {
		key, err := os.ReadFile(filepath.Join(p.dir, "node.key"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range strings.Fields(string(key)) {
			if len(f) >= 40 { // seeds, in whatever letters
				texts = append(texts, f[:20], f[len(f)-20:])
			}
		}
	}
	if len(texts) < 6 {
		t.Fatalf("no seeds found in node.key: only %q is looked for", texts)
	}
	logs := w.monitor.stderr()
	for _, p := range w.parties {
		for _, n := range p.past {
			logs += n.stderr()
		}
	}
	if !strings.Contains(logs, "listens on") {
		t.Fatal("no logs")
	}
	for _, x := range texts {
		if strings.Contains(logs, x) {
			t.Errorf("a log shows %q", x)
		}
	}
}

// Whatever the umask, nobody but the owner can read the node's keys and record
// or speak through its socket.
func TestFilesAreTheOwnersOnly(t *testing.T) {
	old := syscall.Umask(0) // no test runs beside this one
	defer syscall.Umask(old)
	w := newWorld(t, "Avaria", "Borduria")
	a := w.parties[0].serve()
	a.ready()
	a.say(parley.Flash, "EXERCISE. one entry")
	open := map[string]bool{"card": true, "charter": true, "config": true, "recovery.pub": true} // not secret
	n := 0
	err := filepath.WalkDir(a.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		i, err := e.Info()
		if err != nil {
			return err
		}
		n++
		if i.Mode().Perm()&0o077 != 0 && !open[e.Name()] {
			t.Errorf("%s has the mode %v", e.Name(), i.Mode())
		}
		return nil
	})
	if err != nil || n < 8 {
		t.Errorf("%d files: %v", n, err)
	}
}
