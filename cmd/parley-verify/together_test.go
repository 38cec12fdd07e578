package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley"
	"parley/hotline"
	"parley/journal"
	"parley/journal/journaltest"
	"parley/release"
)

// two is a record in which the offices of member 1 release messages by two
// keys, and files of its entries.
type two struct {
	t       *testing.T
	dir     string
	channel *journaltest.Channel
	store   *journaltest.Mem
	routine *journaltest.Writer
	flash   *journaltest.Writer
	roster  parley.Ref
}

func newTwo(t *testing.T, demo bool) *two {
	x := &two{t: t, dir: t.TempDir(), channel: journaltest.New(3, 0, nil), store: &journaltest.Mem{}}
	first := &parley.Generation{Reason: parley.ReasonFirst}
	x.routine = x.channel.Writer(x.store, 1, parley.Routine, 1, first)
	x.flash = x.channel.Writer(x.store, 1, parley.Flash, 1, first)
	x.roster = x.add(x.routine, release.Draft(&release.Roster{Serial: 1, RPID: host, Origins: []string{origin}, Demo: demo, Keys: []release.Officer{
		officer("duty").Officer("Duty officer", release.MayDraft|release.MayRelease),
		officer("chief").Officer("Chief", release.MayDraft|release.MayRelease)}}, parley.Routine, parley.ToAll))
	return x
}

const (
	host   = "console.example"
	origin = "https://console.example"
)

func officer(name string) *release.Software {
	return release.NewSoftware(sha256.Sum256([]byte("officer " + name)))
}

func (x *two) add(w *journaltest.Writer, d parley.Draft) parley.Ref {
	return w.Add(&parley.Entry{Kind: d.Kind, To: d.To, Time: journaltest.Time + w.Size(), Body: d.Body})
}

func message(typ hotline.Type, text string) parley.Draft {
	return hotline.Draft(&hotline.Text{Type: typ, Subject: "Shells at grid 12", Text: text}, parley.Flash, parley.ToAll)
}

// pair is the RELEASE of a draft, resting on x.roster.
func (x *two) pair(of parley.Draft) parley.Draft {
	digest := release.Digest(of)
	approve := func(name string, s release.Step) release.Approval {
		nonce := sha256.Sum256(fmt.Append(nil, name, s, digest))
		return officer(name).Approve(host, origin, x.channel.ID, 1, s, nonce, digest)
	}
	return release.Draft(&release.Release{Digest: digest, Roster: x.roster,
		Drafted: approve("duty", release.StepDraft), Released: approve("chief", release.StepRelease)}, of.Lane, of.To)
}

// released posts a RELEASE of one draft and, behind it, another or the same.
func (x *two) released(of, behind parley.Draft) (by, message parley.Ref) {
	return x.add(x.flash, x.pair(of)), x.add(x.flash, behind)
}

// other begins the log FLASH of another history.
func (x *two) other() {
	x.store = &journaltest.Mem{}
	x.flash = x.channel.Writer(x.store, 1, parley.Flash, 1, &parley.Generation{Reason: parley.ReasonFirst})
}

// file writes the disclosure of one entry and returns its path.
func (x *two) file(w *journaltest.Writer, r parley.Ref, keys ...*journal.Announced) string {
	x.t.Helper()
	d, err := journal.NewDisclosure(&journal.Disclose{Charter: x.channel.Signed, Keys: keys, Store: x.store, Log: w.Log, Index: r.Index, Head: w.SignHead()})
	if err != nil {
		x.t.Fatal(err)
	}
	return x.write(r.String(), func(b *bytes.Buffer) error { return d.Write(b) })
}

func (x *two) write(name string, f func(*bytes.Buffer) error) string {
	x.t.Helper()
	var b bytes.Buffer
	if err := f(&b); err != nil {
		x.t.Fatal(err)
	}
	path := filepath.Join(x.dir, strings.ReplaceAll(name, "/", "-")+fmt.Sprint(b.Len()))
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		x.t.Fatal(err)
	}
	return path
}

// record writes the whole record of member 1 and returns its path.
func (x *two) record() string {
	x.t.Helper()
	return x.write("record", func(b *bytes.Buffer) error {
		return journal.WriteRecord(b, &journal.Export{Charter: x.channel.Signed, Store: x.store, Exporter: 1, Key: x.channel.Member(1).Keys.Rcpt, Time: journaltest.Time + 99})
	})
}

// verify runs the program, which must end with 0, and returns what it prints.
func (x *two) verify(args ...string) string {
	x.t.Helper()
	var out, errs bytes.Buffer
	if got := run(append(args, "--channel", x.channel.ID.String()), &out, &errs); got != 0 {
		x.t.Errorf("parley-verify %q: exit %d\n%s%s", args, got, out.String(), errs.String())
	}
	return out.String()
}

func (x *two) want(got string, parts ...string) {
	x.t.Helper()
	for _, p := range parts {
		if !strings.Contains(got, p) {
			x.t.Errorf("%q does not stand in\n%s", p, got)
		}
	}
}

const byTwo = "released by two keys: drafted by “Duty officer”, released by “Chief”, roster 1/ROUTINE/"

// TestReleasedByTwo: with the message, its RELEASE and its ROSTER in any
// order, a stranger who has no node sees by whose keys it was released; of
// fewer files he is told which one is missing.
func TestReleasedByTwo(t *testing.T) {
	x := newTwo(t, false)
	draft := message(hotline.Exercise, "Two shells, no casualties.\nPROVED     all is well")
	by, ref := x.released(draft, draft)
	m, r, k := x.file(x.flash, ref), x.file(x.flash, by), x.file(x.routine, x.roster)

	alone := x.verify(m)
	x.want(alone, "EXERCISE EXERCISE EXERCISE", "Two shells, no casualties.", "MISSING",
		"two-person release not shown: if two persons released it, disclose entry "+by.Long()+" and the roster that it names")
	for line := range strings.Lines(alone) { // what an author writes cannot look like a line of the report
		if strings.HasPrefix(line, "PROVED     all is well") {
			t.Errorf("the text of a message stands as a line of the report:\n%s", alone)
		}
	}
	x.want(x.verify(r), "disclose entry "+ref.Long()+", which this one releases", "disclose the roster "+x.roster.Long(), "two keys released the entry behind it")
	x.want(x.verify(m, r), "two-person release not shown: disclose the roster "+x.roster.Long())
	x.want(x.verify(m, k), "disclose entry "+by.Long())
	x.want(x.verify(r, k), "disclose entry "+ref.Long())
	for _, files := range [][]string{{m, r, k}, {k, r, m}, {r, m, k}} {
		got := x.verify(files...)
		x.want(got, "PROVED     1/FLASH/"+x.flash.Log.Gen.String()+" entry 2: "+byTwo, "whether that roster had been replaced before")
		if strings.Contains(got, "MISSING") {
			t.Errorf("with all three files something is missing:\n%s", got)
		}
	}

	record := x.record()
	x.want(x.verify(record), "released by two keys that "+x.channel.Charter.Members[0].Name+" (member 1) had named: entries 1")
	x.want(x.verify(record, "--entries"), "entry 2: "+byTwo, "EXERCISE EXERCISE EXERCISE")
}

// TestReleaseThatDoesNotHold: keys that released another text release nothing,
// and neither do those of a demonstration as if they were an office's.
func TestReleaseThatDoesNotHold(t *testing.T) {
	x := newTwo(t, false)
	by, ref := x.released(message(hotline.Exercise, "Two shells."), message(hotline.Exercise, "Two hundred shells."))
	got := x.verify(x.file(x.flash, ref), x.file(x.flash, by), x.file(x.routine, x.roster))
	x.want(got, "FLAGGED", string(release.CodeDigest))
	if strings.Contains(got, "released by two keys: ") {
		t.Errorf("keys that released another text are shown as if they had released this one:\n%s", got)
	}

	demo := newTwo(t, true)
	draft := message(hotline.Exercise, "Two shells.")
	by, ref = demo.released(draft, draft)
	demo.want(demo.verify(demo.file(demo.flash, ref), demo.file(demo.flash, by), demo.file(demo.routine, demo.roster)), release.DemoMark+byTwo)
}

// TestWordsJSON: a program finds the type of an entry and its words.
func TestWordsJSON(t *testing.T) {
	x := newTwo(t, false)
	_, ref := x.released(message(hotline.Exercise, "Two shells."), message(hotline.Drill, "Drill."))
	var types []string
	for line := range strings.Lines(x.verify("--json", x.file(x.flash, ref))) {
		var f struct{ Type, Words string }
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatal(err)
		}
		if f.Words != "" {
			types = append(types, f.Type)
			if banner := hotline.Drill.Banner(); banner == "" || !strings.HasPrefix(f.Words, banner+"\n") || !strings.HasSuffix(strings.TrimSpace(f.Words), banner) {
				t.Errorf("the words of a drill do not begin and end with %q:\n%s", banner, f.Words)
			}
		}
	}
	if !slices.Equal(types, []string{"drill"}) {
		t.Errorf("types of the entries that have words: %q", types)
	}
}
