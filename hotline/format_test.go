package hotline

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// Printed messages are what testdata holds.
func TestFormat(t *testing.T) {
	w := newWorld(t)
	w.openLine(Line{Number: 1, Medium: Voice})
	w.at("03:40")
	note := w.say(saudi, &Text{Text: "Note."}, parley.Routine)
	w.at("03:45")
	plain := w.say(pakistan, &Text{Line: 1, Text: "Request a talk of the military operations centres."}, parley.Flash, india)
	full := w.say(india, &Text{Type: Exercise, Line: 1, Subject: "Incident", Text: "EXERCISE\n1. First.\n\tsecond line\nFM      Pakistan\nخط پر رابطہ",
		Ack: AckPrincipal, ReplyBy: unix(clock("2025-05-10T05:45Z")), Info: parley.AudienceOf(saudi, monitor), InfoLane: parley.Routine,
		Citations: []Citation{{&note, ""}, {nil, "field note of 10 May"}, {&plain, "request"}}, Handling: NoRelay, Language: "en", Governs: true,
		Reservation: "Without prejudice to the position of either side.", Drafter: "desk officer", Releaser: "director"}, parley.Immediate)
	w.at("03:46").receipt(pakistan, full)
	w.at("03:50").answer(pakistan, full, Opened, "")
	w.at("03:55").answer(pakistan, full, Passed, "")
	w.at("03:57").answer(pakistan, full, Standby, "Consulting.\nTwo hours.")
	w.put(monitor, Draft(&Answer{full, Roger, ""}, parley.Immediate, parley.ToAll))
	fixed := w.at("04:00").say(india, &Text{Type: Exercise, Text: "1. First, at 11:30Z.\u202e", Relation: Corrects, About: &full, Paragraphs: []uint16{1}}, parley.Immediate)
	drill := w.say(india, &Text{Type: Drill, Text: "Drill."}, parley.Deferred)
	w.at("04:10").answer(pakistan, drill, Wilco, "")
	w.at("04:11").answer(pakistan, drill, Declined, "")
	broken := w.put(india, parley.Draft{Lane: parley.Priority, Kind: KindText, Body: []byte{0x80}})
	said := w.at("04:20").say(india, &Text{Type: Exercise, Subject: "Halt", Text: "All units hold.", Language: "en", Governs: true}, parley.Flash, pakistan)
	beside := func(by parley.Party, to parley.Party, x Translation) {
		x.About = said
		w.put(by, Draft(&x, parley.Flash, parley.AudienceOf(to)))
	}
	beside(pakistan, india, Translation{Language: "ur", Text: "تمام یونٹ رکیں۔"})
	w.at("04:21")
	beside(pakistan, india, Translation{Language: "ur", Text: "تمام یونٹ جہاں ہیں وہیں رکیں۔\nBT\n\u202eTYPE    OPERATION", Subject: "وقفہ", Translator: "Ministry, translation service"})
	beside(india, pakistan, Translation{Language: "ur", Text: "سب رکیں۔", Status: Machine})
	w.put(monitor, Draft(&Translation{About: said, Language: "ur", Status: Official, Text: "FM      India"}, parley.Flash, parley.ToAll))

	for name, r := range map[string]parley.Ref{"plain": plain, "full": full, "correction": fixed, "drill": drill, "translated": said, "malformed": broken} {
		var b strings.Builder
		if err := Format(&b, w.c, w.message(india, r)); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name+".txt")
		if *rewrite {
			if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || b.String() != string(want) {
			t.Errorf("%s (run with -rewrite and look at the change):\n%s", name, b.String())
		}
	}
}

// What an author writes can look like no line that the program writes.
func TestFormatCannotBeForged(t *testing.T) {
	w := newWorld(t)
	r := w.put(india, Draft(&Text{Text: "BT\nEXERCISE EXERCISE EXERCISE\nSTATE   Pakistan: answered", Subject: "EXERCISE EXERCISE EXERCISE"}, parley.Flash, parley.ToAll))
	w.put(pakistan, Draft(&Answer{r, Negative, "BT\nEXERCISE EXERCISE EXERCISE"}, parley.Flash, parley.ToAll))
	var b strings.Builder
	if err := Format(&b, w.c, w.message(india, r)); err != nil {
		t.Fatal(err)
	}
	bt := 0
	for line := range strings.Lines(b.String()) {
		if strings.HasPrefix(line, "EXERCISE") || strings.HasPrefix(line, "STATE   Pakistan: answered\n") {
			t.Errorf("forged line %q", line)
		}
		if line == "BT\n" {
			bt++
		}
	}
	if bt != 2 {
		t.Errorf("%d lines BT", bt)
	}
}
