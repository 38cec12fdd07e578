package drive

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Clocked is a console whose clock a test moves; otherwise it is what parley
// serves, with every delay as long as it is there.
type Clocked struct {
	URL  string // of the console, without a path
	Link string // of the first officer
	t    TB
	in   io.WriteCloser
	out  *bufio.Scanner
}

// StartClocked builds the tests of internal/console, one of which serves such a
// console, and starts that one.
func StartClocked(t TB, dir string) *Clocked {
	t.Helper()
	bin := dir + "/clocked.test"
	build := exec.Command("go", "test", "-c", "-o", bin, "./internal/console")
	build.Dir = root(t)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go test -c: %v\n%s", err, out)
	}
	cmd := exec.Command(bin, "-test.run", "^TestServeClocked$", "-test.timeout", "10m")
	cmd.Env, cmd.Dir = append(os.Environ(), "PARLEY_CLOCKED=1"), dir
	wrong := &output{}
	cmd.Stderr = wrong
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatalf("%v", err)
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
	c := &Clocked{t: t, in: in, out: bufio.NewScanner(out)}
	t.Cleanup(func() {
		in.Close()
		go io.Copy(io.Discard, out)
		cmd.Wait()
	})
	words := strings.Fields(c.line("clocked "))
	if len(words) != 3 {
		t.Fatalf("the console with a clock does not start: %v\n%s", words, wrong)
	}
	c.URL, c.Link = strings.TrimSuffix(words[1], "/"), words[2]
	return c
}

// Ahead moves the clock of the console, and of its book, forward.
func (c *Clocked) Ahead(by time.Duration) {
	c.t.Helper()
	said := "ahead " + by.String()
	if _, err := io.WriteString(c.in, said+"\n"); err != nil {
		c.t.Fatalf("the clock: %v", err)
	}
	if c.line(said) == "" {
		c.t.Fatalf("the clock did not move by %v", by)
	}
}

// line is the next line with a beginning, "" at the end of the output.
func (c *Clocked) line(begin string) string {
	for c.out.Scan() {
		if strings.HasPrefix(c.out.Text(), begin) {
			return c.out.Text()
		}
	}
	return ""
}
