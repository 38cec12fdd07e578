package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"parley/journal"
)

// The README's line between two machines, command by command as it stands
// there: only the machines' addresses are others.
func TestReadme(t *testing.T) {
	base, err := os.MkdirTemp("", "p") // short: a socket's path must be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(base) })
	india, pakistan, monitor := freeAddr(t), freeAddr(t), freeAddr(t)
	inIndia := strings.NewReplacer("192.0.2.5:7443", india, "192.0.2.7:7443", pakistan,
		"192.0.2.9:7480", monitor, "0.0.0.0:7480", monitor, "0.0.0.0:7443", india)
	inPakistan := strings.NewReplacer("0.0.0.0:7443", pakistan, "192.0.2.5:7443", india, "192.0.2.9:7480", monitor)

	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(b), "\n## A real line between two machines\n")
	text, _, _ = strings.Cut(text, "\n## ")
	var config string // the file that the text named last, while its lines come
	ran := 0
	for _, line := range strings.Split(text, "\n") {
		code, indented := strings.CutPrefix(line, "    ")
		switch {
		case !indented:
			if m := regexp.MustCompile("`([a-z]+/config)`:$").FindStringSubmatch(line); m != nil {
				config = m[1]
			} else if line != "" {
				config = ""
			}
		case config != "":
			machine := inIndia
			if config == "pakistan/config" {
				machine = inPakistan
			}
			appendLine(t, filepath.Join(base, config), machine.Replace(code))
		case strings.HasPrefix(code, "parley "):
			readmeCommand(t, base, inIndia.Replace(strings.TrimPrefix(code, "parley ")))
			ran++
		case strings.HasPrefix(code, "parley-verify "):
			verifyFile(t, filepath.Join(base, strings.Fields(code)[1]))
			ran++
		case !strings.HasPrefix(code, "go build "):
			t.Errorf("README.md: what is %q?", code)
		}
	}
	if ran < 25 {
		t.Fatalf("only %d commands found in the README", ran)
	}
	eventually(t, "India sees that Pakistan opened and complies", func() bool {
		out := ok(t, base, "show", "1/FLASH/1", "--dir", "india")
		return strings.Contains(out, "WILCO") && strings.Contains(out, "opened") && strings.Contains(out, "EXERCISE EXERCISE EXERCISE")
	})
	eventually(t, "the line is in force", func() bool {
		return strings.Contains(ok(t, base, "lines", "--dir", "india"), "next test")
	})
}

// readmeCommand runs one line: those that do not end run until the test's end,
// and those that wait for the other side are tried until it has come.
func readmeCommand(t *testing.T, base, line string) {
	t.Helper()
	line, _, _ = strings.Cut(line, " #")
	line, to, redirected := strings.Cut(line, " > ")
	args := words(line)
	long := args[0] == "serve" || args[0] == "watch" || args[0] == "witness" && !redirected
	if long {
		p := spawn(t, base, args...)
		if args[0] != "watch" {
			p.said(`(listens|answers) on`)
		}
		return
	}
	var r result
	t.Cleanup(func() {
		if r.code != 0 {
			t.Logf("parley %s: exit %d: %s", line, r.code, r.err)
		}
	})
	eventually(t, "parley "+line, func() bool {
		r = command(t, base, passphrase+"\n", args...)
		return r.code == 0 || r.code == 2 || args[0] == "init" || args[0] == "charter"
	})
	if r.code != 0 {
		t.FailNow()
	}
	if redirected {
		appendLine(t, filepath.Join(base, strings.TrimSpace(to)), strings.TrimSuffix(r.out, "\n"))
	}
	if args[0] == "init" { // the parties send each other their cards
		b, err := os.ReadFile(filepath.Join(base, args[2], "card"))
		if err == nil {
			err = os.WriteFile(filepath.Join(base, args[2]+".card"), b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// words splits a line as a shell does, as far as the README needs it.
func words(line string) (out []string) {
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			out = append(out, part)
		} else {
			out = append(out, strings.Fields(part)...)
		}
	}
	return out
}

func verifyFile(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	check := journal.VerifyRecord
	if kind, _ := journal.KindOf(b); kind == journal.FileDisclosure {
		check = journal.VerifyDisclosure
	}
	if err := check(bytes.NewReader(b), journal.Verify{}, func(journal.Finding) {}); err != nil {
		t.Errorf("%s: %v", path, err)
	}
}

func appendLine(t *testing.T, path, line string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(line + "\n"); err != nil {
		t.Fatal(err)
	}
}

// freeAddr is an address on this machine that nobody listens on.
func freeAddr(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}
