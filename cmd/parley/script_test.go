package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The scripts in testdata are sessions of officers at the command line. A line
// that begins with $ runs a command in an empty directory; the lines under it
// say what must come of it:
//
//	exit N        its exit code; 0 if nothing is said
//	code CODE     exit 1, an error with that code, and what to do about it
//	out TEXT      standard output contains TEXT
//	err TEXT      standard error contains TEXT
//	not TEXT      neither contains TEXT
//	json K K ...  standard output is one JSON object with these keys
//	json [K ...]  a JSON array whose first element has these keys
//	await         repeat the command until all of the above is true
//
// Before a command, in <TEXT stands for its standard input. Commands other
// than parley prepare the ground: see prepare. "Words in quotes" are one word.
// Lines that begin with # are for readers.
type script struct {
	t     *testing.T
	base  string
	w     *world // after $ world
	stdin string
}

// step is a command with what must come of it.
type step struct {
	line  int
	stdin string
	args  []string
	exit  int
	code  string
	want  [][2]string // out, err, not, json
	await bool
}

func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txt"), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			base, err := os.MkdirTemp("", "p")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(base) })
			s := &script{t: t, base: base}
			for _, st := range s.read(string(b)) {
				s.play(st)
			}
		})
	}
}

func (s *script) read(text string) (steps []*step) {
	stdin := ""
	for i, line := range strings.Split(text, "\n") {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest = strings.TrimSpace(rest)
		if word == "" || strings.HasPrefix(word, "#") {
			continue
		}
		if word == "$" {
			steps = append(steps, &step{line: i + 1, stdin: stdin, args: unquoted(rest)})
			stdin = ""
			continue
		}
		if word == "in" {
			stdin += rest + "\n"
			continue
		}
		if len(steps) == 0 {
			s.t.Fatalf("line %d: nothing was run yet", i+1)
		}
		st := steps[len(steps)-1]
		switch word {
		case "exit":
			st.exit, _ = strconv.Atoi(rest)
		case "code":
			st.exit, st.code = 1, rest
		case "out", "err", "not", "json":
			st.want = append(st.want, [2]string{word, rest})
		case "await":
			st.await = true
		default:
			s.t.Fatalf("line %d: what is %q?", i+1, word)
		}
	}
	return steps
}

func unquoted(s string) (ws []string) {
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		word, rest, _ := strings.Cut(s, " ")
		if q, found := strings.CutPrefix(s, `"`); found {
			word, rest, _ = strings.Cut(q, `"`)
		}
		ws, s = append(ws, word), rest
	}
	return ws
}

func (s *script) play(st *step) {
	s.t.Helper()
	if st.args[0] != "parley" {
		s.prepare(st)
		return
	}
	args := st.args[1:]
	if s.w != nil {
		for i := range args {
			for _, p := range s.w.parties {
				args[i] = strings.ReplaceAll(args[i], "@"+p.name, p.addr)
			}
			args[i] = strings.ReplaceAll(args[i], "@witness", s.w.url)
		}
	}
	if st.stdin != "" {
		s.stdin = st.stdin
	}
	var wrong []string
	for end := time.Now().Add(limit); ; time.Sleep(100 * time.Millisecond) {
		r := command(s.t, s.base, s.stdin, args...)
		if wrong = st.judge(r); len(wrong) == 0 || !st.await || time.Now().After(end) {
			s.stdin = ""
			if len(wrong) > 0 {
				s.t.Errorf("line %d: parley %s\n%s\n--- exit %d, output:\n%s--- error:\n%s", st.line, strings.Join(args, " "),
					strings.Join(wrong, "\n"), r.code, r.out, r.err)
			}
			return
		}
	}
}

// judge lists what is not as the script says.
func (st *step) judge(r result) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if r.code != st.exit {
		say("exit %d, not %d", r.code, st.exit)
	}
	if st.code != "" && !strings.HasPrefix(r.err, "parley: "+st.code+": ") {
		say("the error is not %s", st.code)
	}
	if r.code != 0 && r.code != 4 && (!strings.Contains(r.err, "parley: ") || !strings.Contains(r.err, "\n  what to do: ")) {
		say("the error does not say what to do")
	}
	for _, bad := range []string{"panic", "goroutine ", "%!"} {
		if strings.Contains(r.err+r.out, bad) {
			say("it says %q", bad)
		}
	}
	for _, w := range st.want {
		switch kind, text := w[0], w[1]; kind {
		case "out":
			if !strings.Contains(r.out, text) {
				say("the output lacks %q", text)
			}
		case "err":
			if !strings.Contains(r.err, text) {
				say("the error lacks %q", text)
			}
		case "not":
			if strings.Contains(r.out+r.err, text) {
				say("it shows %q", text)
			}
		case "json":
			if err := hasKeys(r.out, text); err != nil {
				say("%v", err)
			}
		}
	}
	return wrong
}

// hasKeys checks that text is one JSON value with the keys named.
func hasKeys(text, keys string) error {
	var v map[string]json.RawMessage
	if list, found := strings.CutPrefix(keys, "["); found {
		var vs []map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &vs); err != nil {
			return err
		}
		if keys = strings.TrimSuffix(list, "]"); len(vs) == 0 && keys != "" {
			return fmt.Errorf("the list is empty")
		} else if len(vs) > 0 {
			v = vs[0]
		}
	} else if err := json.Unmarshal([]byte(text), &v); err != nil {
		return err
	}
	for _, k := range strings.Fields(keys) {
		if _, found := v[k]; !found {
			return fmt.Errorf("the JSON has no %q", k)
		}
	}
	return nil
}

// prepare runs what is not a command of parley:
//
//	world NAME...        parties 1, 2, ... with a charter that all signed
//	serve N              start party N's node; wait until it has started
//	stop N, kill N       end it
//	witness, no-witness  start and kill the witness
//	write FILE TEXT      a file; \n, \x.. and so on as in Go
//	big FILE BYTES       a file of that many letters
//	stdin FILE           the next command's standard input
//	flip FILE AT         flip a bit of the byte AT; negative counts from the end
//	digit FILE AT        change the hex digit at the byte AT
//	copy FROM TO, remove FILE, mkdir DIR
func (s *script) prepare(st *step) {
	s.t.Helper()
	path := func(i int) string { return filepath.Join(s.base, st.args[i]) }
	n := func(i int) int {
		n, err := strconv.Atoi(st.args[i])
		if err != nil {
			s.t.Fatalf("line %d: %v", st.line, err)
		}
		return n
	}
	var err error
	switch st.args[0] {
	case "world":
		s.w = newWorld(s.t, st.args[1:]...)
		s.base = s.w.base
	case "serve":
		p := s.w.parties[n(1)-1]
		p.serve()
		p.ready()
	case "stop":
		s.w.parties[n(1)-1].node.stop()
	case "kill":
		s.w.parties[n(1)-1].node.kill()
	case "witness":
		s.w.witness()
	case "no-witness":
		s.w.monitor.kill()
	case "write":
		var text string
		if text, err = strconv.Unquote(`"` + st.args[2] + `"`); err == nil {
			err = os.WriteFile(path(1), []byte(text), 0o600)
		}
	case "big":
		err = os.WriteFile(path(1), []byte(strings.Repeat("x", n(2))), 0o600)
	case "stdin":
		var b []byte
		b, err = os.ReadFile(path(1))
		s.stdin = string(b)
	case "flip":
		var b []byte
		if b, err = os.ReadFile(path(1)); err == nil {
			b[(n(2)+len(b))%len(b)] ^= 1
			err = os.WriteFile(path(1), b, 0o600)
		}
	case "digit":
		var b []byte
		if b, err = os.ReadFile(path(1)); err == nil {
			const hex = "0123456789abcdef0"
			at := strings.IndexByte(hex, b[n(2)])
			b[n(2)] = hex[at+1]
			err = os.WriteFile(path(1), b, 0o600)
		}
	case "copy":
		var b []byte
		if b, err = os.ReadFile(path(1)); err == nil {
			err = os.WriteFile(path(2), b, 0o600)
		}
	case "remove":
		err = os.RemoveAll(path(1))
	case "mkdir":
		err = os.Mkdir(path(1), 0o700)
	default:
		s.t.Fatalf("line %d: what is %q?", st.line, st.args[0])
	}
	if err != nil {
		s.t.Fatalf("line %d: %v", st.line, err)
	}
}
