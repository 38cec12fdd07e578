package drive

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Build builds the program parley of the module above and returns its path.
// PARLEY_BIN names one that is built already.
func Build(t TB, dir string) string {
	t.Helper()
	if bin := os.Getenv("PARLEY_BIN"); bin != "" {
		return bin
	}
	bin := filepath.Join(dir, "parley")
	cmd := exec.Command("go", "build", "-o", bin, "./cmd/parley")
	cmd.Dir = root(t)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// root is the main module's directory: the one above this module's.
func root(t TB) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatalf("go env: %v", err)
	}
	return filepath.Dir(filepath.Dir(strings.TrimSpace(string(out))))
}

// Line is a channel between real nodes on this machine, each with a console.
type Line struct {
	t     TB
	Bin   string
	Dir   string
	Nodes []*Node
}

// Node is one party: its directory, and its process while that runs.
type Node struct {
	l       *Line
	Name    string
	Dir     string
	URL     string   // of the console, without a path
	Console string   // its host and port
	Args    []string // for serve, besides the usual ones
	addr    string   // of the node
	cmd     *exec.Cmd
	out     *output
	done    chan struct{}
}

// passphrase seals the root keys of tests.
const passphrase = "exercise only"

// NewLine makes the parties' keys and their charter with the commands of the
// README. Nothing runs yet.
func NewLine(t TB, bin, dir string, names ...string) *Line {
	t.Helper()
	l := &Line{t: t, Bin: bin, Dir: dir}
	for _, name := range names {
		n := &Node{l: l, Name: name, Dir: filepath.Join(dir, strings.ToLower(name)), addr: free(t), out: &output{}}
		n.Console = "localhost:" + port(free(t))
		n.URL = "http://" + n.Console
		l.Nodes = append(l.Nodes, n)
		l.run(passphrase+"\n"+passphrase+"\n", "init", "--dir", n.Dir, "--name", name, "--addr", n.addr)
	}
	charter := filepath.Join(dir, "line.charter")
	draft := []string{"charter", "draft", charter, "--name", "Test line"}
	for _, n := range l.Nodes {
		draft = append(draft, "--member", filepath.Join(n.Dir, "card"))
	}
	l.Run(draft...)
	for _, n := range l.Nodes {
		l.run(passphrase+"\n", "charter", "sign", charter, "--dir", n.Dir)
	}
	for _, n := range l.Nodes {
		l.Run("charter", "accept", charter, "--dir", n.Dir)
	}
	return l
}

// StartLine makes a line and starts its nodes.
func StartLine(t TB, bin, dir string, names ...string) *Line {
	t.Helper()
	l := NewLine(t, bin, dir, names...)
	for _, n := range l.Nodes {
		n.Start()
	}
	return l
}

// Run runs a command of parley and returns its output.
func (l *Line) Run(args ...string) string {
	l.t.Helper()
	return l.run("", args...)
}

func (l *Line) run(stdin string, args ...string) string {
	l.t.Helper()
	cmd := exec.Command(l.Bin, args...)
	cmd.Dir, cmd.Stdin = l.Dir, strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		l.t.Fatalf("parley %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Run runs a command of parley in the node's directory.
func (n *Node) Run(args ...string) string {
	n.l.t.Helper()
	return n.l.Run(append(args, "--dir", n.Dir)...)
}

// TryRun is Run for what may fail.
func (n *Node) TryRun(args ...string) (string, error) {
	cmd := exec.Command(n.l.Bin, append(args, "--dir", n.Dir)...)
	cmd.Dir = n.l.Dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("parley %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), err
}

// Start runs the node and waits until its console answers.
func (n *Node) Start() {
	n.l.t.Helper()
	args := []string{"serve", "--dir", n.Dir, "--listen", n.addr, "--console", n.Console}
	for _, o := range n.l.Nodes {
		if o != n {
			args = append(args, "--peer", o.Name+"="+o.addr)
		}
	}
	n.cmd = exec.Command(n.l.Bin, append(args, n.Args...)...)
	n.cmd.Stdout, n.cmd.Stderr, n.done = n.out, n.out, make(chan struct{})
	if err := n.cmd.Start(); err != nil {
		n.l.t.Fatalf("%s: %v", n.Name, err)
	}
	go func(cmd *exec.Cmd, done chan struct{}) { cmd.Wait(); close(done) }(n.cmd, n.done)
	n.l.t.Cleanup(n.Kill)
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", n.Console); err == nil {
			c.Close()
			return
		}
		select {
		case <-n.done:
			n.l.t.Fatalf("%s ended:\n%s", n.Name, n.out)
		default:
		}
		if time.Now().After(end) {
			n.l.t.Fatalf("the console of %s does not answer:\n%s", n.Name, n.out)
		}
	}
}

// Stop ends the node as an operator does; Kill as a power cut does. A second
// call does nothing.
func (n *Node) Stop() { n.end(syscall.SIGTERM) }
func (n *Node) Kill() { n.end(syscall.SIGKILL) }

func (n *Node) end(s os.Signal) {
	if n.cmd == nil {
		return
	}
	n.cmd.Process.Signal(s)
	select {
	case <-n.done:
	case <-time.After(patience):
		n.cmd.Process.Kill()
	}
	n.cmd = nil
}

// SetupLink is the one-time link that the node printed, once it has.
func (n *Node) SetupLink() string {
	n.l.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if m := link.FindString(n.out.String()); m != "" {
			return m
		}
	}
	n.l.t.Fatalf("%s printed no set-up link:\n%s", n.Name, n.out)
	return ""
}

var link = regexp.MustCompile(`https?://[^\s/]+/(?:setup|link|enrol)\S*`)

// Output is what the node has written.
func (n *Node) Output() string { return n.out.String() }

// output collects what a process writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

var _ io.Writer = (*output)(nil)

// free is an address on loopback that nobody listened on a moment ago.
func free(t TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("%v", err)
	}
	defer l.Close()
	return l.Addr().String()
}

func port(addr string) string {
	_, p, err := net.SplitHostPort(addr)
	if err != nil {
		panic(fmt.Sprintf("address %q: %v", addr, err))
	}
	return p
}
