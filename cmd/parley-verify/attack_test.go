package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"parley"
	"parley/hotline"
	"parley/journal"
	"parley/journal/journaltest"
)

// orders are all orders of the files.
func orders(files ...string) (all [][]string) {
	if len(files) < 2 {
		return [][]string{files}
	}
	for i, f := range files {
		for _, rest := range orders(slices.Delete(slices.Clone(files), i, i+1)...) {
			all = append(all, append([]string{f}, rest...))
		}
	}
	return all
}

// TestFilesThatDoNotFit: files each of which holds are not put together into a
// release that no record shows, in whatever order they come.
func TestFilesThatDoNotFit(t *testing.T) {
	draft := message(hotline.Exercise, "Two shells.")
	const both = "two histories"
	for _, c := range []struct {
		name string
		make func(x *two) []string
		want string
	}{
		{"another message at its place", func(x *two) []string {
			files := x.files(draft)
			x.other()
			_, ref := x.released(draft, message(hotline.Exercise, "Three."))
			return append(files, x.file(x.flash, ref))
		}, both},
		{"another entry in place of the RELEASE", func(x *two) []string {
			files := x.files(draft)
			x.other()
			return append(files, x.file(x.flash, x.add(x.flash, message(hotline.Drill, "Other."))))
		}, both},
		{"another entry in place of the roster", func(x *two) []string {
			files := x.files(draft)
			x.store = &journaltest.Mem{}
			x.routine = x.channel.Writer(x.store, 1, parley.Routine, 1, &parley.Generation{Reason: parley.ReasonFirst})
			return append(files, x.file(x.routine, x.add(x.routine, message(hotline.Drill, "Other."))))
		}, both},
		{"the message of one history, its RELEASE of another", func(x *two) []string {
			files := x.files(draft)
			x.other()
			x.add(x.flash, message(hotline.Drill, "No RELEASE."))
			return append(files[1:], x.file(x.flash, x.add(x.flash, draft)))
		}, both},
		{"behind the author's last word", func(x *two) []string {
			last := x.flash.Add(&parley.Entry{Kind: parley.KindClosing, To: parley.ToAll, Time: journaltest.Time, Body: (&parley.Closing{Successor: parley.Hash{1}}).Encode()})
			return append(x.files(draft), x.file(x.flash, last))
		}, "release does not hold"},
		{"by keys that were replaced, which only the roster's file shows", func(x *two) []string {
			cited := []parley.Head{x.flash.Head(), x.routine.Head()}
			by, ref := x.released(draft, draft)
			c := x.channel
			gen := c.Gen(1, 2)
			keys := c.Member(1).RootKeys(c.ID, gen, c.Member(1).NodeKeys(1).Public)
			c.Writer(x.store, 1, parley.Routine, 2, &parley.Generation{Prev: []parley.Gen{c.Gen(1, 1)}, Reason: parley.ReasonRotation, Last: cited, RootKeys: keys})
			return []string{x.file(x.flash, ref), x.file(x.flash, by), x.file(x.routine, x.roster, &journal.Announced{Party: 1, Gen: gen, Keys: keys})}
		}, "was replaced later (serial 1)"},
	} {
		x := newTwo(t, false)
		files := c.make(x)
		for _, o := range orders(files...) {
			got := x.verify(o...)
			x.want(got, "FLAGGED", c.want)
			if strings.Contains(got, byTwo) {
				t.Errorf("%s: shown as released:\n%s", c.name, got)
			}
		}
	}
}

// files are those of a message, its RELEASE and its roster.
func (x *two) files(draft parley.Draft) []string {
	by, ref := x.released(draft, draft)
	return []string{x.file(x.flash, ref), x.file(x.flash, by), x.file(x.routine, x.roster)}
}

// TestHeadsOfTwoSizes: between two files a log may have grown. Then nothing in
// them shows that both heads are of one history.
func TestHeadsOfTwoSizes(t *testing.T) {
	x := newTwo(t, false)
	draft := message(hotline.Exercise, "Two shells.")
	by := x.add(x.flash, x.pair(draft))
	r := x.file(x.flash, by)
	m := x.file(x.flash, x.add(x.flash, draft))
	x.want(x.verify(m, r, x.file(x.routine, x.roster)), byTwo, "in one history of the log: the files show them under heads of 2 and 3 entries")
}

// TestOpenedLater: a message and its RELEASE that were written as commitments,
// and opened later, any number of times and in any order, are one release; with
// --entries they stand in words like any other.
func TestOpenedLater(t *testing.T) {
	for _, order := range []string{"rm", "mr", "rmrmmr"} {
		x := newTwo(t, false)
		draft := hotline.Draft(&hotline.Text{Type: hotline.Exercise, Text: "EXERCISE. Our list."}, parley.Flash, parley.ToNobody)
		entries, refs := map[rune]*parley.Entry{}, map[rune]parley.Ref{}
		for _, c := range "rm" {
			d := draft
			if c == 'r' {
				d = x.pair(draft)
			}
			entries[c] = &parley.Entry{Kind: d.Kind, To: d.To, Time: journaltest.Time, Body: d.Body}
			refs[c] = x.flash.Blind(entries[c])
		}
		for _, c := range order {
			x.flash.Add(&parley.Entry{Kind: parley.KindOpening, Time: journaltest.Time, Body: (&parley.Opening{
				Ref: refs[c], Salt: journaltest.Salt(x.flash.Log, refs[c].Index), Entry: entries[c].Encode()}).Encode()})
		}
		x.want(x.verify(x.record()), "had named: entries 1\n")
		got := x.verify(x.record(), "--entries")
		x.want(got, "had named: entries 1\n", byTwo, "EXERCISE. Our list.")
		if n := strings.Count(got, byTwo); n != 1 {
			t.Errorf("%s: said %d times", order, n)
		}
	}
}

// TestWrittenBetweenTheReadings: what was accepted and what is shown are the
// same bytes, also where somebody writes to the file meanwhile.
func TestWrittenBetweenTheReadings(t *testing.T) {
	x := newTwo(t, false)
	x.add(x.flash, message(hotline.Exercise, "Two shells."))
	b, err := os.ReadFile(x.record())
	if err != nil {
		t.Fatal(err)
	}
	forged := filepath.Join(x.dir, "forged")
	if err := os.WriteFile(forged, bytes.ReplaceAll(b, []byte("Two shells."), []byte("All's well.")), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(forged)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	err = journal.VerifyRecord(bytes.NewReader(b), journal.Verify{Accepted: func(a *journal.Accepted) error {
		_, err := read(f, a, &options{entries: true})
		return err
	}}, func(journal.Finding) {})
	if err == nil {
		t.Error("another text than the accepted one was read")
	}
}

// TestPipe: a record that cannot be read twice is checked, and what is left out
// is said.
func TestPipe(t *testing.T) {
	x := newTwo(t, false)
	x.files(message(hotline.Exercise, "Two shells."))
	b, err := os.ReadFile(x.record())
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	go func() { w.Write(b); w.Close() }()
	name := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if _, err := os.Stat(name); err != nil {
		t.Skip("SKIPPED: this system names no descriptors: ", err)
	}
	x.want(x.verify(name), "NOT PROVED who released what", "cannot be read twice", "TOTAL ")
}

// TestNothingLooksLikeALine: neither the name of a file nor a text, however
// long and with whatever ends of lines, begins a line of the report.
func TestNothingLooksLikeALine(t *testing.T) {
	x := newTwo(t, false)
	const lie = "PROVED     released by two keys"
	text := strings.Join([]string{"a", "b\u2028" + lie, "c\u2029" + lie, strings.Repeat("d ", 34) + lie, strings.Repeat(" ", 200) + lie, strings.Repeat("e", 300)}, "\n")
	good := x.file(x.flash, x.add(x.flash, message(hotline.Exercise, text)))
	name := filepath.Join(x.dir, "x\n"+lie+"\nTOTAL")
	if err := os.WriteFile(name, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, files := range [][]string{{good}, {name}, {good, name}, {name + "absent"}} {
		var out, errs bytes.Buffer
		run(files, &out, &errs)
		for _, line := range strings.FieldsFunc(out.String()+"\n"+errs.String(), func(r rune) bool { return strings.ContainsRune("\n\r\u2028\u2029\u0085", r) }) {
			if strings.HasPrefix(line, lie) || strings.HasPrefix(line, "           ") && !strings.Contains(line, "The file is not") && len([]rune(line)) > 80 {
				t.Errorf("%q: a line reads %q", files, line)
			}
		}
	}
}

// TestKinds: whatever kind of entry a RELEASE stands before, files and record
// say the same.
func TestKinds(t *testing.T) {
	x := newTwo(t, false)
	files := x.files(parley.Draft{Lane: parley.Flash, Kind: 99, To: parley.ToAll, Body: []byte{0x80}})
	x.want(x.verify(files...), byTwo)
	x.want(x.verify(x.record()), "had named: entries 1\n")
}

// TestTypeOfWhatItIsAbout: an answer and a translation are as much an exercise
// as what they are about; without it nothing is assumed.
func TestTypeOfWhatItIsAbout(t *testing.T) {
	x := newTwo(t, false)
	ref := x.add(x.flash, message(hotline.Exercise, "Two shells."))
	translated := x.add(x.flash, hotline.Draft(&hotline.Translation{About: ref, Language: "ur", Status: hotline.Courtesy, Text: "Missiles are on the way."}, parley.Flash, parley.ToAll))
	answered := x.add(x.flash, hotline.Draft(&hotline.Answer{About: translated, Code: hotline.SayAgain}, parley.Flash, parley.ToAll))
	o, tr, a := x.file(x.flash, ref), x.file(x.flash, translated), x.file(x.flash, answered)
	banner := hotline.Exercise.Banner()
	for _, alone := range []string{tr, a} {
		got := x.verify(alone)
		x.want(got, "is not at hand")
		if strings.Contains(got, banner) {
			t.Errorf("a type is assumed:\n%s", got)
		}
	}
	for _, got := range []string{x.verify(o, tr, a), x.verify(a, tr, o), x.verify(x.record(), "--entries")} {
		if n := strings.Count(got, banner); n != 6 || strings.Contains(got, "is not at hand") {
			t.Errorf("the banner stands %d times, not before and after each of three entries:\n%s", n, got)
		}
	}
}

// TestManyFiles: more files than a process may hold open.
func TestManyFiles(t *testing.T) {
	x := newTwo(t, false)
	files := x.files(message(hotline.Exercise, "Two shells."))
	v := &verifier{options: &options{files: files}, channels: map[parley.Hash]*together{}, out: &bytes.Buffer{}, stderr: &bytes.Buffer{}}
	held := func() int {
		fds, _ := os.ReadDir("/proc/self/fd") // where there is none, the system's limit must do
		return len(fds)
	}
	before := held()
	var sources []*source // as a run keeps them
	for range 2000 {
		s := v.open(files[0])
		if sources = append(sources, s); s.err != nil || s.pipe != nil {
			t.Fatalf("%v, stays open: %v", s.err, s.pipe != nil)
		}
	}
	if n := held() - before; n > 100 {
		t.Errorf("%d files of %d stay open", n, len(sources))
	}
	runtime.KeepAlive(sources)
}
