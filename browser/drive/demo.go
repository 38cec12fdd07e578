package drive

import (
	"bufio"
	"context"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"time"
)

var address = regexp.MustCompile(`console\s+(.+): (http://localhost:\d+)/`)

// Demo plays the demonstration without waiting and leaves it running with its
// consoles. It returns their addresses by member.
func Demo(t TB, bin, dir string) map[string]string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, bin, "demo", "--console", "--once", "--dir", dir)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	wrong := &output{}
	cmd.Stderr = wrong
	pipe, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatalf("demo: %v", err)
	}
	t.Cleanup(func() { cancel(); cmd.Wait() })
	urls := map[string]string{}
	lines := bufio.NewScanner(pipe)
	for over := false; lines.Scan(); {
		over = over || strings.Contains(lines.Text(), " go on ")
		if m := address.FindStringSubmatch(lines.Text()); m != nil {
			if urls[m[1]] = m[2]; over && m[1] == "Saudi Arabia" {
				break
			}
		}
	}
	if len(urls) != 3 {
		t.Fatalf("the demonstration did not open three consoles: %v\n%s", urls, wrong)
	}
	go io.Copy(io.Discard, pipe) // what it writes at its end must go somewhere
	return urls
}
