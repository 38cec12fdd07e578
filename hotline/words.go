package hotline

import (
	"fmt"
	"io"
	"strings"
	"time"

	"parley"
)

// FormatEntry prints one entry of the hotline in words, by itself: what its
// author wrote, and nothing that another entry says of it. It is for a
// stranger who holds no more. The banner of its type stands before and after
// it. An answer and a translation are of the type of what they are about: of
// says it of an entry that is at hand, false if it is not, and may be nil. A
// proposed line has none. Then typed is false. As in Format no text can look
// like a header or a banner.
//
// It fails for a kind that is not the hotline's, and for an entry that breaks
// a rule of the hotline; the error says which.
func FormatEntry(w io.Writer, c *parley.Charter, r parley.Ref, e *parley.Entry, of func(parley.Ref) (Type, bool)) (t Type, typed bool, err error) {
	body, err := Parse(e.Kind, e.Body)
	if err == nil {
		err = body.CheckIn(c, r.Party, r.Lane, e.To)
	}
	if err != nil {
		return 0, false, err
	}
	to := c.Readers(r.Party, e.To)
	if text, ok := body.(*Text); ok {
		return text.Type, true, Format(w, c, &Message{Ref: r, Author: r.Party, Lane: r.Lane, To: to, Time: e.Time, Text: text})
	}
	p := &cable{c: c}
	if t, typed = typeOf(body, of); typed {
		p.banner(t.Banner())
	}
	p.line("%s %s", Prosign(r.Lane), dtg(at(e.Time)))
	p.field("FM", p.name(r.Party))
	p.field("TO", p.names(to))
	p.field("MSG", r.String())
	if typed {
		p.field("TYPE", strings.ToUpper(t.String()))
	}
	p.said(body, typed)
	if typed {
		p.banner(t.Banner())
	}
	_, err = io.WriteString(w, p.b.String())
	return t, typed, err
}

// TypeOf is the type of one entry by itself, or by of, as in FormatEntry.
func TypeOf(e *parley.Entry, of func(parley.Ref) (Type, bool)) (Type, bool) {
	body, err := Parse(e.Kind, e.Body)
	if err != nil {
		return 0, false
	}
	return typeOf(body, of)
}

func typeOf(body Body, of func(parley.Ref) (Type, bool)) (Type, bool) {
	about := parley.Ref{}
	switch b := body.(type) {
	case *Text:
		return b.Type, true
	case *Attempt:
		return b.Type, true
	case *Query:
		return b.Type, true
	case *Answer:
		about = b.About
	case *Translation:
		about = b.About
	default:
		return 0, false
	}
	if of == nil {
		return 0, false
	}
	return of(about)
}

func (p *cable) banner(s string) {
	if s != "" {
		p.line("%s", s)
	}
}

// said prints what the body of an entry says that is no message.
func (p *cable) said(body Body, typed bool) {
	note := ""
	switch b := body.(type) {
	case *Answer:
		p.field("SAYS", codeWords[b.Code]+", about "+b.About.String())
		if !typed {
			p.field("NOTE", "Whether it is meant or an exercise stands in what it is about, which is not at hand.")
		}
		note = b.Text
	case *Attempt:
		p.onLine(b.Line)
		p.field("CALL", fmt.Sprintf("%s called %s, %s: %s", p.name(b.Caller), p.names(b.Called), dtg(at(b.At)), strings.ToUpper(b.Outcome.String())))
		note = b.Note
	case *Query:
		p.onLine(b.Line)
		p.field("ASKS", b.question())
		note = b.Text
	case *Translation:
		p.field("TRANSL", fmt.Sprintf("%s, %s, of %s", b.Language, strings.ToUpper(b.Status.String()), b.About))
		p.field("T-BY", b.Translator)
		p.field("T-SUBJ", b.Subject)
		p.field("NOTE", "The original is authoritative.")
		if !typed {
			p.field("NOTE", "Whether it is meant or an exercise stands in the original, which is not at hand.")
		}
		note = b.Text
	case *Line:
		p.proposed(b)
	}
	if note != "" {
		p.line("BT")
		p.body(note)
		p.line("BT")
	}
}

var codeWords = [...]string{
	Opened: "OPENED by the duty officer", Passed: "PASSED to the principal", Roger: "ROGER, received and understood",
	Wilco: "WILCO, accepts and will comply", Affirm: "AFFIRM, yes", Negative: "NEGATIVE, no", Unable: "UNABLE, cannot comply",
	Standby: "STANDBY, an answer will follow", Declined: "DECLINED, will not answer", SayAgain: "SAY AGAIN, garbled or not understood",
}

func (p *cable) onLine(n uint8) {
	if n != 0 {
		p.field("LINE", fmt.Sprint(n))
	}
}

func (q *Query) question() string {
	switch {
	case q.About != nil && q.Ask == DidYouOpen:
		return fmt.Sprintf("did you receive and open %s?", q.About)
	case q.About != nil:
		return fmt.Sprintf("did you send %s?", q.About)
	}
	return "did you send or say this?"
}

// proposed prints the wording of a line.
func (p *cable) proposed(l *Line) {
	p.field("LINE", fmt.Sprintf("%d, proposed wording of serial %d", l.Number, l.Serial))
	p.field("NAME", l.Name)
	p.field("LEVEL", l.Level)
	p.field("MEMBERS", p.names(l.Members))
	p.field("MEDIUM", l.Medium.String())
	if l.Next != 0 {
		p.field("NEXT", fmt.Sprintf("line %d, where this one is not answered", l.Next))
	}
	s := l.Schedule
	if s == nil {
		p.field("TESTS", "none")
		return
	}
	when := "every " + (time.Duration(s.Every) * time.Second).String()
	if s.Every == 0 {
		var days, times []string
		for i, d := range strings.Fields("Mon Tue Wed Thu Fri Sat Sun") {
			if s.Days>>i&1 != 0 {
				days = append(days, d)
			}
		}
		for _, m := range s.Minutes {
			times = append(times, fmt.Sprintf("%02d%02dZ", m/60, m%60))
		}
		when = strings.Join(days, " ") + " " + strings.Join(times, " ")
	}
	p.field("TESTS", fmt.Sprintf("%s, from %s; %s calls first; each counts within %s", when, dtg(at(s.Start)), p.name(s.First), time.Duration(l.Grace)*time.Second))
	for _, d := range l.Holidays {
		p.field("NO TEST", time.Unix(int64(d)*24*60*60, 0).UTC().Format("2006-01-02"))
	}
}
