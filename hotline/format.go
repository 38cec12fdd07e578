package hotline

import (
	"fmt"
	"io"
	"strings"
	"time"

	"parley"
)

// prosigns are the letters that stand for precedence in a message's first line.
var prosigns = [parley.Lanes]string{"Z", "O", "P", "R", "M"}

// Prosign is the letter of a precedence: Z FLASH, O IMMEDIATE, P PRIORITY,
// R ROUTINE, M DEFERRED.
func Prosign(l parley.Lane) string {
	if l < parley.Lanes {
		return prosigns[l]
	}
	return "?"
}

// dtg is a date-time group: 100345Z MAY 25.
func dtg(t time.Time) string {
	return strings.ToUpper(t.UTC().Format("021504Z Jan 06"))
}

// cable collects the lines of a printed message.
type cable struct {
	b strings.Builder
	c *parley.Charter
}

func (p *cable) line(format string, args ...any) {
	p.b.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " "))
	p.b.WriteByte('\n')
}

// field prints a header line, unless it is empty.
func (p *cable) field(name, value string) {
	if value != "" {
		p.line("%-7s %s", name, value)
	}
}

func (p *cable) name(m parley.Party) string { return nameIn(p.c, m) }

func nameIn(c *parley.Charter, p parley.Party) string {
	if m := c.Member(p); m != nil {
		return m.Name
	}
	return fmt.Sprintf("member %d", p)
}

func (p *cable) names(a parley.Audience) string {
	var ns []string
	for _, m := range a.Parties() {
		ns = append(ns, p.name(m))
	}
	return strings.Join(ns, ", ")
}

// Format prints a message as plain text in the manner of a cable. The first
// and the last line are the banner of its type, if it has one. What its author
// wrote stands indented between two lines "BT", so that no text can look like
// a header or a banner; direction characters in it are printed by number.
func Format(w io.Writer, c *parley.Charter, m *Message) error {
	p := &cable{c: c}
	banner := ""
	if m.Text != nil {
		banner = m.Text.Type.Banner()
	}
	p.banner(banner)
	p.header(m)
	if m.Text != nil {
		p.line("BT")
		p.body(m.Text.Text)
		p.line("BT")
	}
	p.translations(m)
	p.states(m)
	p.responses(m.Responses)
	for _, n := range m.Notes {
		p.field("NOTE", n)
	}
	p.banner(banner)
	_, err := io.WriteString(w, p.b.String())
	return err
}

func (p *cable) header(m *Message) {
	p.line("%s %s", Prosign(m.Lane), dtg(at(m.Time)))
	p.field("FM", p.name(m.Author))
	t := m.Text
	if t == nil {
		p.field("TO", p.names(m.To))
		p.field("MSG", m.Ref.String())
		p.field("ERROR", "MALFORMED: "+m.Malformed.Error())
		return
	}
	to := p.names(t.Action(m.To))
	if m.To == 0 {
		to = "nobody when written (a commitment: others read it once it is opened)"
	}
	p.field("TO", to)
	if t.Info != 0 {
		p.field("INFO", p.names(t.Info)+" ("+t.InfoLane.String()+")")
	}
	p.field("MSG", m.Ref.String())
	p.field("TYPE", strings.ToUpper(t.Type.String()))
	if t.Line != 0 {
		p.field("LINE", fmt.Sprint(t.Line))
	}
	p.field("SUBJ", t.Subject)
	p.citations(t.Citations)
	if t.About != nil {
		p.field("RE", t.relation())
	}
	if t.Ack != AckNone {
		p.field("ACK", strings.ToUpper(t.Ack.String()))
	}
	if t.ReplyBy != 0 {
		p.field("ANS BY", dtg(at(t.ReplyBy)))
	}
	if t.Handling != HandlingNone {
		p.field("HANDLE", strings.ToUpper(t.Handling.String()))
	}
	if t.Language != "" {
		lang := t.Language
		if t.Governs {
			lang += " (THIS TEXT GOVERNS)"
		}
		p.field("LANG", lang)
	}
	p.field("RESERV", t.Reservation)
	p.field("DRAFTED", t.Drafter)
	p.field("RELEASE", t.Releaser)
}

// relation says what the message is to another: CORRECTS 2/FLASH/17 (PARAGRAPHS 2, 3).
func (t *Text) relation() string {
	s := strings.ToUpper(verbs[t.Relation]) + " " + t.About.String()
	if len(t.Paragraphs) > 0 {
		s += " (PARAGRAPHS " + strings.Trim(strings.ReplaceAll(fmt.Sprint(t.Paragraphs), " ", ", "), "[]") + ")"
	}
	return s
}

func (p *cable) citations(cs []Citation) {
	for i, c := range cs {
		s := c.Note
		if c.Ref != nil {
			s = strings.TrimRight(c.Ref.String()+" "+c.Note, " ")
		}
		name := ""
		if i == 0 {
			name = "REF"
		}
		p.line("%-7s %c. %s", name, 'A'+i, s)
	}
}

// body prints what the author wrote, indented.
func (p *cable) body(s string) {
	for line := range strings.SplitSeq(visible(s), "\n") {
		p.line("  %s", line)
	}
}

// visible prints the characters that turn the direction of text, and those that
// end a line for some programs only, by number, so that a line reads as it was
// written and is one.
func visible(s string) string {
	unseen := func(r rune) bool { return bidi(r) || r == 0x2028 || r == 0x2029 }
	if !strings.ContainsFunc(s, unseen) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if unseen(r) {
			fmt.Fprintf(&b, "<%U>", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// states prints how far the message has come with each reader, each time by
// the clock of the party named.
func (p *cable) states(m *Message) {
	for _, a := range m.Addressees {
		var steps []string
		for _, s := range []struct {
			what string
			Mark
		}{{"received", a.Received}, {"opened", a.Opened}, {"passed", a.Passed}, {"answered", a.Answered}, {"declined", a.Declined}} {
			if s.Given() {
				steps = append(steps, s.what+" "+dtg(at(s.Time)))
			}
		}
		if len(steps) == 0 {
			steps = []string{"no receipt"}
		}
		if a.Standby {
			steps = append(steps, "standing by")
		}
		if a.Waiting {
			steps = append(steps, "unanswered so far")
		}
		name := p.name(a.Party)
		if a.Info {
			name += " (info)"
		}
		p.line("STATE   %s: %s", name, strings.Join(steps, ", "))
	}
}

// translations prints what was written beside the original: the text of those
// that stand, of the others that they are there.
func (p *cable) translations(m *Message) {
	if len(m.Beside) == 0 {
		return
	}
	for _, x := range m.Beside {
		t := x.Translation
		head := fmt.Sprintf("%s, %s by the word of %s, %s %s", t.Language, strings.ToUpper(t.Status.String()), p.name(x.Author), dtg(at(x.Time)), x.Ref)
		switch {
		case x.Replaced != nil:
			p.field("TRANSL", head+", REPLACED BY "+x.Replaced.String())
			continue
		case !x.Counts():
			head += ", CHANGES NOTHING: " + fitWords[x.Fit]
		}
		p.field("TRANSL", head)
		p.field("T-BY", t.Translator)
		p.field("T-SUBJ", t.Subject)
		p.body(t.Text)
	}
	p.field("TRANSL", "The original stands first and is authoritative.")
}

func (p *cable) responses(rs []Response) {
	for _, r := range rs {
		what := strings.ToUpper(r.Code.String())
		if r.Code == 0 {
			what = strings.ToUpper(verbs[r.Relation]) + " this, " + r.Ref.String()
			if r.Relation == Unrelated {
				what = "QUERY, " + r.Ref.String()
			}
		}
		s := dtg(at(r.Time)) + " " + p.name(r.Author) + ": " + what
		if !r.Addressed && r.Relation <= Reply {
			s += " (not addressed)"
		}
		p.field("SAID", s)
		if r.Text != "" && r.Code != 0 {
			p.body(r.Text)
		}
	}
}
