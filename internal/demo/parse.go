package demo

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley"
	"parley/hotline"
)

// CodeScenario is the code of every mistake in a scenario file.
const CodeScenario parley.Code = "bad-scenario"

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeScenario: "Correct the line of the scenario file that the message names; internal/demo/scenario.go explains the format.",
})

// parser reads a scenario line by line. The first mistake ends it.
type parser struct {
	s      *Scenario
	row    int
	step   *Step
	labels map[string]*Step // of the steps before this one
	typ    *hotline.Type    // of the step, if it says
	serial map[uint8]uint64 // newest proposal of each line
	seen   map[string]bool  // words of the step so far
}

// Parse reads a scenario.
func Parse(text string) (*Scenario, error) {
	p := &parser{s: &Scenario{}, labels: map[string]*Step{}, serial: map[uint8]uint64{}, seen: map[string]bool{}}
	for line := range strings.Lines(text) {
		p.row++
		line = strings.TrimRight(line, " \t\r\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		if err := p.line(word, strings.TrimSpace(rest), line); err != nil {
			return nil, parley.Errorf(CodeScenario, "line %d: %w", p.row, err)
		}
	}
	if err := p.end(); err != nil {
		return nil, parley.Errorf(CodeScenario, "line %d: %w", p.row, err)
	}
	if len(p.s.Members) < 2 || len(p.s.Steps) == 0 {
		return nil, parley.Errorf(CodeScenario, "line %d: a scenario needs two members and a step", p.row)
	}
	return p.s, nil
}

func (p *parser) line(word, rest, whole string) error {
	switch {
	case word == "at":
		return p.begin(rest)
	case p.step == nil:
		return p.setting(word, rest)
	case strings.HasPrefix(whole, "|"):
		text := strings.TrimPrefix(strings.TrimPrefix(whole, "|"), " ")
		if p.step.Text != "" {
			text = "\n" + text
		}
		p.step.Text += text
		return nil
	}
	if p.seen[word] && word != "ref" {
		return fmt.Errorf("%q stands twice in this step", word)
	}
	p.seen[word] = true
	return p.word(word, rest)
}

// setting reads a line before the first step.
func (p *parser) setting(word, rest string) error {
	s := p.s
	if rest == "" {
		return fmt.Errorf("nothing follows %q", word)
	}
	switch word {
	case "title":
		s.Title = rest
	case "preface":
		s.Preface = rest
	case "type":
		t, err := hotline.ParseType(rest)
		s.Type = t
		return err
	case "party", "mediator", "observer":
		role, _ := parley.ParseRole(word)
		if s.Member(rest) != 0 {
			return fmt.Errorf("member %q stands twice", rest)
		}
		s.Members = append(s.Members, Member{rest, role})
		return parley.CheckName(rest)
	case "witness":
		s.Witnesses = append(s.Witnesses, rest)
	case "clock":
		label, off, _ := strings.Cut(rest, " ")
		t, err := time.Parse("-07:00", strings.TrimSpace(off))
		if err != nil {
			return fmt.Errorf("clock %q: write a label and an offset such as +05:30", rest)
		}
		_, secs := t.Zone()
		s.Clocks = append(s.Clocks, Clock{label, time.FixedZone(label, secs)})
	case "source":
		key, text, _ := strings.Cut(rest, " ")
		if text == "" || strings.HasSuffix(key, ",") {
			return fmt.Errorf("source %q: write a key and a description", rest)
		}
		s.Sources = append(s.Sources, Source{key, strings.TrimSpace(text)})
	default:
		return fmt.Errorf("unknown word %q before the first step", word)
	}
	return nil
}

// begin ends the step before and starts one.
func (p *parser) begin(rest string) error {
	if err := p.end(); err != nil {
		return err
	}
	t, err := when(rest)
	if err != nil {
		return err
	}
	if n := len(p.s.Steps); n > 0 && t.Before(p.s.Steps[n-1].At) {
		return fmt.Errorf("the time goes back from %s", p.s.Steps[n-1].At.Format(layout))
	}
	p.step = &Step{Row: p.row, At: t, Lane: parley.Routine}
	p.typ = nil
	clear(p.seen)
	p.s.Steps = append(p.s.Steps, p.step)
	return nil
}

// end checks the step that is complete.
func (p *parser) end() error {
	st := p.step
	if st == nil {
		return nil
	}
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("in the step of line %d: %s", st.Row, fmt.Sprintf(format, args...))
	}
	if st.Do == "" {
		return wrong("it does nothing; write message, answer, attempt, query, propose or wait")
	}
	if bad := misplaced(st.Do, p.seen); bad != "" {
		return wrong("%q does not belong to %q", bad, st.Do)
	}
	if st.Do == Wait {
		return nil
	}
	if st.From == 0 {
		return wrong("it does not say from whom")
	}
	if len(st.Sources) == 0 {
		return wrong("it does not name its source")
	}
	var names []string
	for _, x := range st.Sources {
		names = append(names, x.Key+", "+x.Text)
	}
	st.preface = strings.ReplaceAll(p.s.Preface, "{source}", strings.Join(names, "; "))
	typ := p.s.Type
	if p.typ != nil {
		typ = *p.typ
	}
	st.message.Type, st.attempt.Type, st.query.Type = typ, typ, typ
	st.attempt.Caller = st.From
	if st.attempt.At == 0 {
		st.attempt.At = uint64(st.At.Unix())
	}
	if err := st.check(p.s); err != nil {
		return wrong("%v", err)
	}
	if st.Name != "" {
		if p.labels[st.Name] != nil {
			return wrong("the name %q is taken", st.Name)
		}
		p.labels[st.Name] = st
	}
	return nil
}

// check tries the bodies' own rules; references are placeholders.
func (st *Step) check(s *Scenario) error {
	c := &parley.Charter{}
	for i, m := range s.Members {
		c.Members = append(c.Members, parley.Member{Index: parley.Party(i + 1), Role: m.Role, Name: m.Name})
	}
	if st.To != parley.ToAll {
		if st.To.Includes(st.From) {
			return fmt.Errorf("%s writes to itself", s.Members[st.From-1].Name)
		}
		st.To = c.Address(st.From, st.To)
	}
	some := parley.Ref{Party: 1, Gen: parley.Gen{1}}
	var body hotline.Body
	if st.Do == Answer {
		body = &hotline.Answer{About: some, Code: st.Code, Text: st.Full()}
	} else {
		d, err := st.Draft(nil, func(string) parley.Ref { return some })
		if err != nil {
			return err
		}
		if body, err = hotline.Parse(d.Kind, d.Body); err != nil {
			return err
		}
	}
	if err := body.Check(); err != nil {
		return err
	}
	return body.CheckIn(c, st.From, st.Lane, st.To)
}

// words that only some actions take.
var belongs = map[Action][]string{
	Message: {"subject", "ack", "reply-by", "handling", "language", "without-prejudice", "drafter", "releaser", "info", "ref", "re", "to", "type", "line"},
	Answer:  {},
	Attempt: {"to", "type", "line"},
	Query:   {"to", "type", "line"},
	Propose: {"level", "members", "medium", "next", "grace", "tests", "first", "holidays", "to"},
}

func misplaced(do Action, seen map[string]bool) string {
	var bad []string
	for word := range seen {
		if slices.Contains([]string{"from", "source", "name", string(do)}, word) || slices.Contains(belongs[do], word) {
			continue
		}
		if _, err := parley.ParseLane(word); err == nil && do != Answer && do != Wait {
			continue
		}
		bad = append(bad, word)
	}
	if len(bad) == 0 {
		return ""
	}
	return slices.Min(bad)
}

const layout = "2006-01-02T15:04Z"

func when(s string) (time.Time, error) {
	t, err := time.Parse(layout, s)
	if err != nil || t.Unix() < 1 {
		return t, fmt.Errorf("%q is not a time such as 2025-05-10T03:45Z", s)
	}
	return t, nil
}

func number(s string, max uint64) (uint8, error) {
	n, err := strconv.ParseUint(s, 10, 8)
	if err != nil || n > max {
		return 0, fmt.Errorf("%q is not a number up to %d", s, max)
	}
	return uint8(n), nil
}
