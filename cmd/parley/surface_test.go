package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"parley/internal/control"
)

// Every command says what it is for and shows an example that its own parser
// accepts.
func TestEveryCommandHasAnExample(t *testing.T) {
	k, err := kong.New(&cli{}, kong.Name("parley"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, leaf := range k.Model.Leaves(false) {
		path := leaf.FullPath()
		args := append(strings.Fields(strings.TrimPrefix(path, "parley ")), "--help")
		var out, errb bytes.Buffer
		if code := run(context.Background(), args, os.Stdin, &out, &errb); code != 0 || errb.Len() > 0 {
			t.Errorf("%s --help: exit %d, %s", path, code, errb.String())
		}
		_, example, found := strings.Cut(out.String(), "Example:\n")
		if !found || !strings.Contains(example, "parley ") {
			t.Errorf("%s --help shows no example", path)
		}
		if leaf.Help == "" {
			t.Errorf("%s does not say what it is for", path)
		}
		n++
	}
	if n < 20 {
		t.Errorf("only %d commands", n)
	}
}

// Ctrl-C ends a command that waits for somebody to type, before anything is
// done.
func TestInterruptWhileTyping(t *testing.T) {
	w := newWorld(t, "Avaria", "Borduria")
	t.Chdir(w.base)
	for _, args := range [][]string{
		{"init", "--dir", "new", "--name", "Syldavia"},
		{"charter", "sign", "charter", "--dir", "1"},
		{"send", "--dir", "1", "--type", "exercise"},
	} {
		in, silent, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		defer silent.Close()
		ctx, interrupt := context.WithCancel(context.Background())
		interrupt()
		var out, errb bytes.Buffer
		if code := run(ctx, args, in, &out, &errb); code != 1 || !strings.Contains(errb.String(), "Nothing was done") {
			t.Errorf("parley %s: exit %d, %s", strings.Join(args, " "), code, errb.String())
		}
	}
	if _, err := os.Stat("new"); err == nil {
		t.Error("a party was made")
	}
}

// A text of another party cannot look like an event of its own.
func TestWatchedTextStaysInItsPlace(t *testing.T) {
	e := control.Event{At: time.Unix(0, 0).UTC(), Kind: "message", Member: "Avaria", Ref: "1/FLASH/1", Lane: "FLASH",
		Text: "EXERCISE. First\n00:00:00Z  Borduria       FLASH 2/FLASH/9\r\x1b[2J\u202e"}
	lines := strings.Split(strings.TrimSuffix(eventLine(e, false), "\n"), "\n")
	for _, line := range lines[1:] {
		if !strings.HasPrefix(line, "          ") {
			t.Errorf("%q begins a line of the watch", line)
		}
	}
	if s := strings.Join(lines, ""); strings.ContainsAny(s, "\r\x1b\u202e") {
		t.Errorf("%q reaches the terminal", s)
	}
}

// The demonstration's summary and the benchmark's numbers can be read by a
// program, and what the demonstration writes can be verified.
func TestNumbersForPrograms(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	var s map[string]any
	parse(t, ok(t, base, "demo", "--once", "--json", "--dir", "demo"), &s)
	for _, k := range []string{"parties", "lines", "entries", "receipts", "witnessed_heads", "overdue", "forks", "record"} {
		if _, found := s[k]; !found {
			t.Errorf("demo --json lacks %s", k)
		}
	}
	path, _ := s["record"].(string)
	if !strings.HasPrefix(path, "/") {
		path = base + "/" + path
	}
	verifyFile(t, path)
	if r := command(t, base, "", "demo", "--once", "--dir", "demo"); r.code != 1 || !strings.Contains(r.err, "what to do: ") {
		t.Errorf("a second demo in the same directory: exit %d, %s", r.code, r.err)
	}
	clear(s)
	parse(t, ok(t, base, "bench", "--json", "--messages", "20", "--burst", "100", "--in-flight", "8", "--verify", "200"), &s)
	for _, k := range []string{"latency_ms_p50", "latency_ms_p99", "floor_latency_ms_p50", "latency_ratio", "throughput_per_s",
		"floor_throughput_per_s", "throughput_ratio", "frame_bytes_per_message", "wire_bytes_per_message", "idle_rss_bytes", "verify_entries_per_s"} {
		if n, _ := s[k].(float64); n <= 0 {
			t.Errorf("bench --json has %s = %v", k, s[k])
		}
	}
}
