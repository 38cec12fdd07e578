package demo

import (
	"crypto/sha256"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/hotline"
)

// play puts a scenario through the desks of its members, as a node would.
type play struct {
	t     *testing.T
	s     *Scenario
	c     *parley.Charter
	desks []*hotline.Desk
	refs  map[string]parley.Ref
	size  map[[2]uint8]uint64
}

func newPlay(t *testing.T, text string) *play {
	s, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	p := &play{t: t, s: s, c: &parley.Charter{Name: s.Title}, refs: map[string]parley.Ref{}, size: map[[2]uint8]uint64{}}
	for i, m := range s.Members {
		p.c.Members = append(p.c.Members, parley.Member{Index: parley.Party(i + 1), Role: m.Role, Name: m.Name})
	}
	for _, m := range p.c.Members {
		p.desks = append(p.desks, hotline.New(p.c, m.Index))
	}
	return p
}

func (p *play) step(st *Step) {
	p.t.Helper()
	desk := p.desks[st.From-1]
	d, err := st.Draft(desk, func(label string) parley.Ref {
		if p.refs[label].Party == 0 {
			p.t.Errorf("line %d asks for %q, which was not said before", st.Row, label)
		}
		return p.refs[label]
	})
	if err == nil {
		err = desk.Check(d, st.At)
	}
	if err != nil {
		p.t.Fatalf("line %d: %v", st.Row, err)
	}
	e := d.Entry(st.At, nil)
	log := [2]uint8{uint8(st.From), uint8(d.Lane)}
	r := parley.Ref{Party: st.From, Lane: d.Lane, Index: p.size[log], Leaf: sha256.Sum256(append(e.Encode(), byte(p.size[log])))}
	p.size[log]++
	if st.Name != "" {
		p.refs[st.Name] = r
	}
	for i, k := range p.desks {
		me := parley.Party(i + 1)
		if me == st.From || e.To.Includes(me) {
			k.Apply(parley.Posted{Ref: r, Entry: e, Stored: st.At.Add(time.Second)})
		}
		if me != st.From && e.To.Includes(me) {
			for _, to := range p.desks {
				to.Proof(parley.Receipted{By: me, Head: parley.Head{Party: r.Party, Lane: r.Lane, Size: r.Index + 1},
					Time: uint64(st.At.Unix()) + 1, Stored: st.At.Add(time.Second)})
			}
		}
	}
}

// until plays all steps up to a time.
func (p *play) until(at string) *play {
	t, err := when(at)
	if err != nil {
		p.t.Fatal(err)
	}
	for len(p.s.Steps) > 0 && !p.s.Steps[0].At.After(t) {
		if st := p.s.Steps[0]; st.Do != Wait {
			p.step(st)
		}
		p.s.Steps = p.s.Steps[1:]
	}
	return p
}

// Every step of the crisis may be said, and the desks show its turns.
func TestCrisis(t *testing.T) {
	p := newPlay(t, Crisis)
	due := func(at string) string {
		now, _ := when(at)
		var out []string
		for _, d := range p.desks[1].Due(now) {
			if d.Late {
				out = append(out, p.s.Members[d.Owner-1].Name+" "+d.What)
			}
		}
		return strings.Join(out, ", ")
	}
	p.until("2025-05-08T04:40Z")
	now, _ := when("2025-05-08T04:40Z")
	lines := p.desks[0].Lines(now)
	if len(lines) != 3 || lines[0].Condition.Health != hotline.Alive || lines[0].Line.Next != 3 {
		t.Fatalf("after the test of 8 May: %+v", lines[0].Condition)
	}
	p.until("2025-05-10T03:56Z")
	now, _ = when("2025-05-10T03:56Z")
	if got := due("2025-05-10T03:56Z"); !strings.Contains(got, "India call-back") || !strings.Contains(got, "Pakistan escalate") {
		t.Errorf("eleven minutes after the first call are late: %s", got)
	}
	v := p.desks[1].Lines(now)[0]
	if v.Played == nil || v.Played.Health == hotline.Alive {
		t.Errorf("the silence is not seen: %+v, played %+v", v.Condition, v.Played)
	}
	p.until("2025-05-10T05:03Z")
	if got := due("2025-05-10T05:03Z"); !strings.Contains(got, "call-back") || strings.Contains(got, "escalate") {
		t.Errorf("after the talk on line 3 are late: %s", got)
	}
	p.until("2025-05-12T23:00Z")
	for _, c := range p.desks[0].Calls(hotline.Filter{}) {
		if c.Ref == p.refs["call-1"] && c.Waited != 4*time.Hour {
			t.Errorf("the first call was answered after %v", c.Waited)
		}
	}
	m, _ := p.desks[2].Message(p.refs["understanding"])
	if m.Addressees[0].Step != hotline.StepAnswered || m.Addressees[0].Conflict {
		t.Errorf("understanding: %+v", m.Addressees)
	}
	m, _ = p.desks[1].Message(p.refs["talk-12"])
	if m.Withdrawn == nil {
		t.Error("the first hour of the talk of 12 May is not superseded")
	}
}

// Nothing in the crisis can be taken for real: every text says what it is and
// names a source, and every type has a banner.
func TestCrisisIsMarked(t *testing.T) {
	p := newPlay(t, Crisis)
	sent := 0
	for _, st := range p.s.Steps {
		if st.Do == Wait {
			continue
		}
		sent++
		d, err := st.Draft(p.desks[st.From-1], func(string) parley.Ref { return parley.Ref{Party: 1} })
		if st.Do == Answer {
			if st.Text != "" && !strings.HasPrefix(st.Full(), "EXERCISE. ") {
				t.Errorf("line %d: %q", st.Row, st.Full())
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := hotline.Parse(d.Kind, d.Body)
		if err != nil {
			t.Fatal(err)
		}
		text, typ := "", hotline.Exercise
		switch b := body.(type) {
		case *hotline.Text:
			text, typ = b.Text, b.Type
		case *hotline.Attempt:
			text, typ = b.Note, b.Type
		case *hotline.Query:
			text, typ = b.Text, b.Type
		case *hotline.Line:
			if !strings.HasPrefix(b.Name, "EXERCISE ") {
				t.Errorf("line %d: the line is called %q", st.Row, b.Name)
			}
			continue
		}
		if typ.Banner() == "" || !strings.HasPrefix(text, "EXERCISE. Reconstruction from press reports, no real message. Source: ") {
			t.Errorf("line %d: type %s, %q", st.Row, typ, text)
		}
	}
	if sent < 25 {
		t.Errorf("%d steps say something", sent)
	}
	names := []string{}
	for _, m := range p.s.Members {
		names = append(names, m.Name)
	}
	if !slices.IsSorted(names) {
		t.Errorf("the members are not in alphabetical order: %q", names)
	}
}

const head = "title T\ntype exercise\nparty A\nparty B\nsource E invented\n"

// Every mistake is reported with its line.
func TestMistakes(t *testing.T) {
	step := head + "at 2025-05-10T03:45Z\nfrom A\nsource E\n" // message goes to row 9
	for _, c := range []struct{ text, want string }{
		{"", "line 0: a scenario needs two members"},
		{"bogus x\n", `line 1: unknown word "bogus"`},
		{"title\n", `line 1: nothing follows "title"`},
		{"party A\nparty A\n", `line 2: member "A" stands twice`},
		{"clock IST 5:30\n", "line 1: clock"},
		{"source E\n", "line 1: source"},
		{head + "at yesterday\n", `line 6: "yesterday" is not a time`},
		{head + "at 1969-05-10T03:45Z\n", "line 6:"},
		{step + "message\nat 2025-05-10T03:44Z\n", "line 10: the time goes back"},
		{step, "line 8: in the step of line 6: it does nothing"},
		{step + "message\nwait\n", `line 10: the step already does "message"`},
		{step + "flash\nflash\nmessage\n", `line 10: "flash" stands twice`},
		{step + "message hello\n", "line 9: nothing follows"},
		{step + "message\nlevel high\n", `line 10: in the step of line 6: "level" does not belong to "message"`},
		{step + "answer roger x\n", `line 9: no step before this one has the name "x"`},
		{step + "answer maybe x\n", `no answer "maybe"`},
		{step + "attempt no-answer C\n", `line 9: no member "C"`},
		{step + "attempt no-answer A\n", "bad-caller"},
		{step + "to A\nmessage\n", "A writes to itself"},
		{step + "propose 1 X\nmembers A, B\ntests weekly someday 04:30\n", `"someday" is not a weekday`},
		{step + "propose 1 X\nmembers A, B\ntests every 6h\nfirst A\n", "bad-schedule"}, // no grace
		{step + "propose 100 X\n", `"100" is not a number`},
		{step + "message\ninfo B\n", "write: info"},
		{step + "message\nre corrects x 1\n", `has the name "x"`},
		{step + "message\nsubject \x07\n", "bad-character"},
		{head + "at 2025-05-10T03:45Z\nfrom A\nmessage\n", "it does not name its source"},
		{head + "at 2025-05-10T03:45Z\nsource E\nmessage\n", "it does not say from whom"},
		{head + "at 2025-05-10T03:45Z\nsource X\n", `no source "X"`},
		{step + "name n\nmessage\nat 2025-05-10T03:46Z\nfrom A\nsource E\nname n\nmessage\n", `the name "n" is taken`},
		{step + "name n\nmessage\nre reply n\n", `has the name "n"`},
	} {
		_, err := Parse(c.text)
		if parley.CodeOf(err) != CodeScenario || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q:\ngot %v\nwant %q", strings.TrimPrefix(c.text, head), err, c.want)
		}
	}
}

// The file that ships is the one that is embedded, and stays short enough to read.
func TestCrisisFile(t *testing.T) {
	b, err := os.ReadFile("crisis.txt")
	if err != nil || string(b) != Crisis {
		t.Fatal(err)
	}
	for i, line := range strings.Split(Crisis, "\n") {
		if len(line) > 110 {
			t.Errorf("line %d has %d bytes", i+1, len(line))
		}
	}
}
