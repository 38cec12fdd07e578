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

// word reads one line of a step.
func (p *parser) word(word, rest string) (err error) {
	st := p.step
	if lane, err := parley.ParseLane(word); err == nil {
		if rest != "" {
			return fmt.Errorf("nothing follows %q", word)
		}
		st.Lane = lane
		return nil
	}
	m := &st.message
	switch word {
	case "from":
		st.From, err = p.member(rest)
	case "to":
		st.To, err = p.members(rest)
	case "source":
		err = p.sources(rest)
	case "name":
		if st.Name = rest; rest == "" || strings.ContainsAny(rest, " ,") {
			err = fmt.Errorf("a name is one word")
		}
	case "type":
		var t hotline.Type
		t, err = hotline.ParseType(rest)
		p.typ = &t
	case "line":
		var n uint8
		n, err = number(rest, hotline.MaxLine)
		m.Line, st.attempt.Line, st.query.Line = n, n, n
	case "message", "answer", "attempt", "query", "propose", "wait":
		err = p.action(Action(word), rest)
	case "subject":
		m.Subject = rest
	case "ack":
		m.Ack, err = hotline.ParseAck(rest)
	case "reply-by":
		m.ReplyBy, err = seconds(rest)
	case "handling":
		m.Handling, err = hotline.ParseHandling(rest)
	case "language":
		m.Language, m.Governs = strings.CutSuffix(rest, " governs")
	case "without-prejudice":
		m.Reservation = rest
	case "drafter":
		m.Drafter = rest
	case "releaser":
		m.Releaser = rest
	case "info":
		err = p.info(rest)
	case "ref":
		if p.labels[rest] != nil {
			rest = "=" + rest
		}
		st.refs = append(st.refs, rest)
	case "re":
		err = p.relation(rest)
	default:
		err = p.lineWord(word, rest)
	}
	return err
}

func (p *parser) action(do Action, rest string) error {
	st := p.step
	if st.Do != "" {
		return fmt.Errorf("the step already does %q", st.Do)
	}
	st.Do = do
	f := strings.Fields(rest)
	var err error
	switch do {
	case Message, Wait:
		if rest != "" {
			return fmt.Errorf("nothing follows %q; text goes on lines that begin with |", do)
		}
	case Answer:
		if len(f) != 2 {
			return fmt.Errorf("write: answer CODE LABEL")
		}
		if st.Code, err = hotline.ParseCode(f[0]); err != nil {
			return err
		}
		return p.about(f[1])
	case Query:
		if len(f) < 1 || len(f) > 2 {
			return fmt.Errorf("write: query opened or sent, and a label")
		}
		if st.query.Ask, err = hotline.ParseAsk(f[0]); err != nil || len(f) == 1 {
			return err
		}
		return p.about(f[1])
	case Attempt:
		outcome, called, _ := strings.Cut(rest, " ")
		if st.attempt.Outcome, err = hotline.ParseOutcome(outcome); err != nil {
			return err
		}
		if who, at, ok := strings.Cut(called, " at "); ok {
			called = who
			if st.attempt.At, err = seconds(at); err != nil {
				return err
			}
		}
		st.attempt.Called, err = p.members(called)
	case Propose:
		n, name, _ := strings.Cut(rest, " ")
		if st.line.Number, err = number(n, hotline.MaxLine); err != nil {
			return err
		}
		st.line.Name = strings.TrimSpace(name)
		p.serial[st.line.Number]++
		st.line.Serial = p.serial[st.line.Number]
	}
	return err
}

// lineWord reads a line that belongs to a proposal.
func (p *parser) lineWord(word, rest string) (err error) {
	l := &p.step.line
	switch word {
	case "level":
		l.Level = rest
	case "members":
		l.Members, err = p.members(rest)
	case "medium":
		l.Medium, err = hotline.ParseMedium(rest)
	case "next":
		l.Next, err = number(rest, hotline.MaxLine)
	case "grace":
		l.Grace, err = span(rest)
	case "tests":
		err = p.tests(rest)
	case "first":
		p.schedule().First, err = p.member(rest)
	case "holidays":
		for _, s := range list(rest) {
			t, err := time.Parse("2006-01-02", s)
			if err != nil || t.Unix() < 0 {
				return fmt.Errorf("%q is not a date such as 2025-05-12", s)
			}
			l.Holidays = append(l.Holidays, uint32(t.Unix()/86400))
		}
	default:
		return fmt.Errorf("unknown word %q", word)
	}
	return err
}

func (p *parser) schedule() *hotline.Schedule {
	l := &p.step.line
	if l.Schedule == nil {
		l.Schedule = &hotline.Schedule{Start: uint64(p.step.At.Unix())}
	}
	return l.Schedule
}

var weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

func (p *parser) tests(rest string) (err error) {
	s := p.schedule()
	f := strings.Fields(rest)
	switch {
	case len(f) == 2 && f[0] == "every":
		s.Every, err = span(f[1])
		return err
	case len(f) < 3 || f[0] != "weekly":
		return fmt.Errorf("write: tests every 6h, or tests weekly mon,tue 04:30 09:30")
	}
	for _, d := range strings.Split(f[1], ",") {
		i := slices.Index(weekdays, d)
		if i < 0 {
			return fmt.Errorf("%q is not a weekday; they are %s", d, strings.Join(weekdays, ", "))
		}
		s.Days |= 1 << i
	}
	for _, clock := range f[2:] {
		t, err := time.Parse("15:04", clock)
		if err != nil {
			return fmt.Errorf("%q is not a time of day such as 04:30", clock)
		}
		s.Minutes = append(s.Minutes, uint16(t.Hour()*60+t.Minute()))
	}
	return nil
}

func (p *parser) info(rest string) (err error) {
	who, lane, ok := strings.Cut(rest, " at ")
	if !ok {
		return fmt.Errorf("write: info NAME, NAME at PRECEDENCE")
	}
	m := &p.step.message
	if m.Info, err = p.members(who); err != nil {
		return err
	}
	m.InfoLane, err = parley.ParseLane(lane)
	return err
}

func (p *parser) relation(rest string) (err error) {
	f := strings.Fields(rest)
	if len(f) < 2 {
		return fmt.Errorf("write: re RELATION LABEL, and for a correction the paragraphs")
	}
	m := &p.step.message
	if m.Relation, err = hotline.ParseRelation(f[0]); err != nil {
		return err
	}
	for _, s := range f[2:] {
		n, err := strconv.ParseUint(strings.TrimSuffix(s, ","), 10, 16)
		if err != nil {
			return fmt.Errorf("%q is not a paragraph's number", s)
		}
		m.Paragraphs = append(m.Paragraphs, uint16(n))
	}
	return p.about(f[1])
}

func (p *parser) about(label string) error {
	if p.labels[label] == nil {
		return fmt.Errorf("no step before this one has the name %q", label)
	}
	p.step.About = label
	return nil
}

func (p *parser) member(name string) (parley.Party, error) {
	m := p.s.Member(name)
	if m == 0 {
		return 0, fmt.Errorf("no member %q", name)
	}
	return m, nil
}

func (p *parser) members(rest string) (a parley.Audience, err error) {
	for _, name := range list(rest) {
		m, err := p.member(name)
		if err != nil {
			return 0, err
		}
		a |= parley.AudienceOf(m)
	}
	return a, nil
}

func (p *parser) sources(rest string) error {
	for _, key := range list(rest) {
		i := slices.IndexFunc(p.s.Sources, func(s Source) bool { return s.Key == key })
		if i < 0 {
			return fmt.Errorf("no source %q is declared", key)
		}
		p.step.Sources = append(p.step.Sources, p.s.Sources[i])
	}
	return nil
}

func list(s string) []string {
	var out []string
	for _, x := range strings.Split(s, ",") {
		out = append(out, strings.TrimSpace(x))
	}
	return out
}

func seconds(s string) (uint64, error) {
	t, err := when(s)
	return uint64(max(t.Unix(), 0)), err
}

func span(s string) (uint32, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 || d > 31*24*time.Hour {
		return 0, fmt.Errorf("%q is not a time span such as 30m or 24h", s)
	}
	return uint32(d / time.Second), nil
}
