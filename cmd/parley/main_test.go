package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"parley/internal/host"
)

// asParley makes the test binary behave as the program: tests run real
// processes without building one first.
const asParley = "PARLEY_TEST_AS_PROGRAM=1"

func TestMain(m *testing.M) {
	host.WorkFactor = 10 // passphrases of tests need no protection
	if name, value, _ := strings.Cut(asParley, "="); os.Getenv(name) == value {
		main()
	}
	flag.Parse()
	flag.Set("test.parallel", "8") // they wait for other processes most of the time
	os.Exit(m.Run())
}

// limit bounds every wait. It is generous: no test asserts a time.
var limit = 90 * time.Second

// eventually polls until f is true.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("never: %s", what)
}

// program makes a command of the test binary as parley.
func program(ctx context.Context, dir string, args ...string) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	c := exec.CommandContext(ctx, exe, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), asParley, "PARLEY_DIR=", "NO_COLOR=1")
	c.WaitDelay = 5 * time.Second
	dieWithParent(c)
	return c
}

// result is what a command left behind.
type result struct {
	code     int
	out, err string
}

// command runs one command to its end.
func command(t *testing.T, dir, stdin string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	c := program(ctx, dir, args...)
	var out, errb bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(stdin), &out, &errb
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("parley %s: %v\n%s", strings.Join(args, " "), err, errb.String())
	}
	return result{c.ProcessState.ExitCode(), out.String(), errb.String()}
}

// ok runs one command that must succeed and returns its output.
func ok(t *testing.T, dir string, args ...string) string {
	t.Helper()
	r := command(t, dir, "", args...)
	if r.code != 0 {
		t.Fatalf("parley %s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.out, r.err)
	}
	return r.out
}

// proc is a program that runs until it is ended.
type proc struct {
	t    *testing.T
	cmd  *exec.Cmd
	done chan struct{}

	mu  sync.Mutex
	log bytes.Buffer // its standard error
}

func (p *proc) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(b)
}

func (p *proc) stderr() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// spawn starts a program; the test's end kills it if nothing else has.
func spawn(t *testing.T, dir string, args ...string) *proc {
	t.Helper()
	return spawnUnder(t, nil, dir, args...)
}

// spawnUnder starts a program by another one, such as prlimit --nofile=64.
func spawnUnder(t *testing.T, by []string, dir string, args ...string) *proc {
	t.Helper()
	c := program(context.Background(), dir, args...)
	if len(by) > 0 {
		path, err := exec.LookPath(by[0])
		if err != nil {
			t.Fatal(err)
		}
		c.Args, c.Path = append(slices.Clone(by), c.Args...), path
	}
	p := &proc{t: t, cmd: c, done: make(chan struct{})}
	p.cmd.Stderr = p
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.cmd.Wait(); close(p.done) }()
	t.Cleanup(p.kill)
	return p
}

func (p *proc) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// kill is kill -9, and waits until the process is gone.
func (p *proc) kill() {
	p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.done
}

// stop is what an officer does: interrupt, and expect a clean end.
func (p *proc) stop() {
	p.t.Helper()
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(limit):
		p.kill()
		p.t.Fatalf("does not stop:\n%s", p.stderr())
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Fatalf("exit %d after an interrupt:\n%s", code, p.stderr())
	}
}

// said waits for a line and returns what its first group matched.
func (p *proc) said(pattern string) string {
	p.t.Helper()
	re := regexp.MustCompile(pattern)
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if m := re.FindStringSubmatch(p.stderr()); m != nil {
			return m[len(m)-1]
		}
		if p.ended() {
			break
		}
	}
	p.t.Fatalf("never said %q:\n%s", pattern, p.stderr())
	return ""
}
