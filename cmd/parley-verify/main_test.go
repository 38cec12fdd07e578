package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/journal"
	"parley/journal/journaltest"
)

// files writes one file of each kind and returns their paths.
func files(t *testing.T) (record, entry, fork, channel string) {
	t.Helper()
	s := journaltest.NewSample()
	dir := t.TempDir()
	write := func(kind journal.FileKind, f func(*bytes.Buffer) error) string {
		var b bytes.Buffer
		if err := f(&b); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "file"+kind.Suffix())
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	record = write(journal.FileRecord, func(b *bytes.Buffer) error { return journal.WriteRecord(b, s.Export(1)) })
	d, err := journal.NewDisclosure(&journal.Disclose{Charter: s.Channel.Signed, Store: s.Store, Log: s.Flash.Log, Index: 1, Head: s.Flash.SignHead()})
	if err != nil {
		t.Fatal(err)
	}
	entry = write(journal.FileDisclosure, func(b *bytes.Buffer) error { return d.Write(b) })
	fork = write(journal.FileFork, func(b *bytes.Buffer) error {
		return journal.WriteFork(b, s.Channel.Signed, nil, s.Routine.ForkOf(1, 3))
	})
	return record, entry, fork, s.Channel.ID.String()
}

func TestRun(t *testing.T) {
	record, entry, fork, channel := files(t)
	whole, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(t.TempDir(), "damaged.parley")
	whole[len(whole)/2] ^= 4
	if err := os.WriteFile(damaged, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		exit int
		out  string // must stand in the output, "-" for no output at all
		err  string // must stand in the errors
	}{
		{record + " --channel " + channel, 0, "PROVED     1/FLASH", ""},
		{"--channel " + channel + " --quiet " + record, 0, "TOTAL      14 entries", ""},
		{record, 0, "SELF-ASSERTED", ""},
		{record + " --entries", 0, "entry 1: TEXT to all members", ""},
		{entry, 0, "exercise: shells reported", ""},
		{fork, 0, "FORK       SELF-ASSERTED  1/ROUTINE", ""},
		{damaged, 1, "BROKEN     ", ""},
		{record + " --channel " + strings.Repeat("0", 64), 1, "wrong-channel", ""},
		{"--help", 0, "Example:", ""},
		{"", 2, "-", "no file is named"},
		{record + " --channel 12", 2, "-", "64 hex digits"},
		{filepath.Join(t.TempDir(), "absent"), 2, "-", "no such file"},
	} {
		var out, errs bytes.Buffer
		got := run(strings.Fields(c.args), &out, &errs)
		if got != c.exit || !strings.Contains(errs.String(), c.err) ||
			c.out == "-" && out.Len() > 0 || c.out != "-" && !strings.Contains(out.String(), c.out) {
			t.Errorf("parley-verify %s: exit %d, want %d\n%s%s", c.args, got, c.exit, out.String(), errs.String())
		}
	}
}

// Programs read one JSON object per line, the last with the counts; a broken
// file ends with its code.
func TestJSON(t *testing.T) {
	record, _, _, _ := files(t)
	var out bytes.Buffer
	if got := run([]string{"--json", record}, &out, &out); got != 0 {
		t.Fatalf("exit %d: %s", got, out.String())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for _, l := range lines {
		var v struct {
			Status string `json:"status"`
			Self   bool   `json:"self_asserted"`
			Text   string `json:"text"`
		}
		if err := json.Unmarshal([]byte(l), &v); err != nil || v.Status == "" || !v.Self || v.Text == "" {
			t.Errorf("%s: %v", l, err)
		}
	}
	var last struct{ Counts journal.Counts }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Counts.Entries != 14 {
		t.Errorf("last line %s: %v", lines[len(lines)-1], err)
	}
	out.Reset()
	if got := run([]string{"--json", record, "--channel", strings.Repeat("1", 64)}, &out, &out); got != 1 || !strings.Contains(out.String(), `"code":"wrong-channel"`) {
		t.Errorf("exit %d: %s", got, out.String())
	}
}
