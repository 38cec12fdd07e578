package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"golang.org/x/term"

	"parley"
	"parley/hotline"
	"parley/internal/control"
	"parley/internal/host"
)

// voice is the directory and the flags of a command that speaks for the party.
type voice struct {
	dir
	Alone bool `help:"Send it although the rules of this party's console ask for two persons. The other side sees that no two persons released it."`
	JSON  bool `help:"Print JSON."`
}

// post releases a draft through the running node and prints where it stands.
func post(e *env, v voice, p parley.Draft) error {
	var at control.Place
	err := control.Dial(v.Dir).Call(e.ctx, http.MethodPost, "/v1/post", control.Post{Lane: p.Lane, Kind: p.Kind, To: p.To, Body: p.Body, Alone: v.Alone}, &at)
	if err != nil {
		return err
	}
	return placed(e, at, v.JSON)
}

func placed(e *env, at control.Place, asJSON bool) error {
	if asJSON {
		return e.json(at)
	}
	e.printf("recorded as %s\n", at.Ref)
	return nil
}

// readers turns names into a set of members. No names mean all others.
func readers(c *parley.Charter, names []string) (parley.Audience, error) {
	var a parley.Audience
	for _, name := range names {
		i := slices.IndexFunc(c.Members, func(m parley.Member) bool { return strings.EqualFold(m.Name, name) })
		if i < 0 {
			var all []string
			for _, m := range c.Members {
				all = append(all, m.Name)
			}
			return 0, parley.Errorf(parley.CodeAudience, "the charter has no member %q; it has %s", name, strings.Join(all, ", "))
		}
		a |= parley.AudienceOf(c.Members[i].Index)
	}
	return a, nil
}

// resolve asks the node for the full place of an entry.
func resolve(e *env, dir, ref string) (parley.Ref, error) {
	var m control.Message
	if err := control.Dial(dir).Call(e.ctx, http.MethodGet, "/v1/message?ref="+url.QueryEscape(ref), nil, &m); err != nil {
		return parley.Ref{}, err
	}
	return m.Reference()
}

type sendCmd struct {
	voice
	Text       string        `arg:"" optional:"" help:"The message. Read from standard input if it is missing or -."`
	Flash      bool          `xor:"lane" help:"FLASH: to arrest or limit hostilities; opened within 10 minutes."`
	Immediate  bool          `xor:"lane" help:"IMMEDIATE: gravely affecting security; within 30 minutes."`
	Priority   bool          `xor:"lane" help:"PRIORITY: within 3 hours."`
	Routine    bool          `xor:"lane" help:"ROUTINE: within 6 hours (the default)."`
	Bulk       bool          `xor:"lane" help:"DEFERRED: never stands before anything else."`
	Type       string        `required:"" enum:"operation,exercise,drill,test" help:"operation, exercise, drill or test. There is no default: say which."`
	To         []string      `placeholder:"NAME" sep:"none" help:"Action addressee; all other members if none is named. Repeat."`
	Info       []string      `placeholder:"NAME" sep:"none" help:"Addressee for information. Repeat."`
	InfoLane   string        `placeholder:"PRECEDENCE" help:"Precedence for the information addressees."`
	Line       uint8         `help:"Number of the line it belongs to."`
	Subject    string        `help:"Subject."`
	Ref        []string      `placeholder:"REF" sep:"none" help:"Lettered reference: an entry such as 2/FLASH/17, or words. Repeat."`
	Reply      string        `xor:"rel" placeholder:"REF" help:"This answers that message in substance."`
	Corrects   string        `xor:"rel" placeholder:"REF" help:"This corrects that message of this party."`
	Cancels    string        `xor:"rel" placeholder:"REF" help:"This cancels that message of this party."`
	Supersedes string        `xor:"rel" placeholder:"REF" help:"This takes the place of that message of this party."`
	Relays     string        `xor:"rel" placeholder:"REF" help:"This passes on that message of another member."`
	ReplyBy    time.Duration `help:"An answer is asked for within this time."`
	Ack        string        `default:"none" help:"Acknowledgement asked for: none, delivery, duty-officer, principal, substantive."`
	Handling   string        `default:"none" help:"How far it may go: none, party-only, mediator-only, no-relay, releasable."`
	Lang       string        `help:"Language, such as ur, hi or en."`
	Governs    bool          `help:"The text in this language governs any translation."`
	Without    string        `name:"without-prejudice" help:"Reservation, printed with the message."`
	Drafter    string        `help:"Role of the drafter."`
	Releaser   string        `help:"Role of who releases it."`
}

func (c *sendCmd) Help() string {
	return `Releases a message. It is durable and signed when the command returns; watch or
show tell who has received and opened it. A message cannot be taken back: correct
or cancel it with another.

Example:
  parley send --flash --type exercise --to Pakistan --ack duty-officer \
    "EXERCISE. All firing stops at 1130Z. Confirm."`
}

func (c *sendCmd) lane() parley.Lane {
	switch {
	case c.Flash:
		return parley.Flash
	case c.Immediate:
		return parley.Immediate
	case c.Priority:
		return parley.Priority
	case c.Bulk:
		return parley.Deferred
	}
	return parley.Routine
}

func (c *sendCmd) Run(e *env) error {
	_, ch, me, err := host.LoadCharter(c.Dir)
	if err != nil {
		return err
	}
	t := &hotline.Text{Line: c.Line, Text: c.Text, Subject: c.Subject, Language: c.Lang, Governs: c.Governs,
		Reservation: c.Without, Drafter: c.Drafter, Releaser: c.Releaser}
	if c.Text == "" || c.Text == "-" {
		b, err := typedText(e)
		if err != nil {
			return err
		}
		if t.Text = strings.TrimRight(string(b), "\n"); len(t.Text) > hotline.MaxText {
			return parley.Errorf(parley.CodeTooLarge, "the text on standard input has more than %d bytes", hotline.MaxText)
		}
	}
	if strings.TrimSpace(t.Text) == "" {
		return parley.Errorf(parley.CodeLength, "the message has no text")
	}
	if t.Type, err = hotline.ParseType(c.Type); err != nil {
		return err
	}
	if t.Ack, err = hotline.ParseAck(c.Ack); err != nil {
		return err
	}
	if t.Handling, err = hotline.ParseHandling(c.Handling); err != nil {
		return err
	}
	if err := notNegative(c.ReplyBy); err != nil {
		return err
	}
	if c.ReplyBy > 0 {
		t.ReplyBy = uint64(time.Now().Add(c.ReplyBy).Unix())
	}
	to, err := readers(ch, c.To)
	if err != nil {
		return err
	}
	if t.Info, err = readers(ch, c.Info); err != nil {
		return err
	}
	if c.InfoLane != "" {
		if t.InfoLane, err = parley.ParseLane(c.InfoLane); err != nil {
			return err
		}
	} else if t.Info != 0 {
		t.InfoLane = parley.Routine
	}
	if len(c.To) == 0 {
		to = parley.AudienceOf(ch.Others(me)...) &^ t.Info
	}
	if ch.Address(me, to|t.Info) == parley.ToNobody {
		return parley.Errorf(parley.CodeAudience, "the message has no addressee besides this party")
	}
	for _, r := range c.Ref {
		cite := hotline.Citation{Note: r}
		if ref, err := resolve(e, c.Dir, r); err == nil {
			cite = hotline.Citation{Ref: &ref}
		} else if parley.CodeOf(err) == control.CodeNotRunning {
			return err
		}
		t.Citations = append(t.Citations, cite)
	}
	for rel, arg := range map[hotline.Relation]string{hotline.Reply: c.Reply, hotline.Corrects: c.Corrects,
		hotline.Cancels: c.Cancels, hotline.Supersedes: c.Supersedes, hotline.Relays: c.Relays} {
		if arg == "" {
			continue
		}
		ref, err := resolve(e, c.Dir, arg)
		if err != nil {
			return err
		}
		t.Relation, t.About = rel, &ref
	}
	if err := t.Check(); err != nil {
		return err
	}
	return post(e, c.voice, hotline.Draft(t, c.lane(), ch.Address(me, to|t.Info)))
}

// typedText reads a message from standard input, at most somewhat more than is
// permitted.
func typedText(e *env) (b []byte, err error) {
	if term.IsTerminal(int(e.in.Fd())) {
		fmt.Fprint(e.err, "Type the message. A line with Ctrl-D alone sends it, Ctrl-C drops it.\n")
	}
	err = e.typed(func() (err error) { b, err = io.ReadAll(io.LimitReader(e.in, 2*hotline.MaxText)); return err })
	if err != nil && !errors.Is(err, errUntouched) {
		err = parley.Errorf(host.CodeFile, "%w", err)
	}
	return b, err
}

type inboxCmd struct {
	dir
	Line uint8 `help:"Only messages of this line."`
	Open bool  `help:"Only messages about which somebody owes something."`
	N    int   `short:"n" default:"50" help:"At most so many, newest first; 0 for all."`
	JSON bool  `help:"Print JSON."`
}

func (c *inboxCmd) Help() string { return "Example:\n  parley inbox --open" }

func (c *inboxCmd) Run(e *env) error {
	q := url.Values{"line": {fmt.Sprint(c.Line)}, "limit": {fmt.Sprint(c.N)}}
	if c.Open {
		q.Set("open", "1")
	}
	var ms []control.Message
	if err := control.Dial(c.Dir).Call(e.ctx, http.MethodGet, "/v1/messages?"+q.Encode(), nil, &ms); err != nil {
		return err
	}
	if c.JSON {
		return e.json(ms)
	}
	if len(ms) == 0 {
		if c.Open {
			e.printf("No message about which anything is owed. parley status lists what else is.\n")
			return nil
		}
		e.printf("No messages.\n")
		return nil
	}
	w := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	for _, m := range ms {
		var state []string
		for _, a := range m.Addressees {
			state = append(state, a.Name+" "+a.Step)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", m.Time.Format("02 1504Z"), m.Ref, m.Lane, marked(m.Type), m.From,
			oneLine(m), strings.Join(state, ", "))
	}
	return w.Flush()
}

// marked keeps real and other traffic apart in every list.
func marked(typ string) string {
	if typ == "operation" {
		return "-"
	}
	return strings.ToUpper(typ)
}

func oneLine(m control.Message) string {
	s := m.Subject
	if s == "" {
		s, _, _ = strings.Cut(m.Text, "\n")
	}
	s = inLine(s)
	if r := []rune(s); len(r) > 50 {
		return string(r[:49]) + "…"
	}
	return s
}

// inLine makes a text of another party safe for one line of a list: nothing in
// it can begin a line or a column, or turn the direction of what follows.
func inLine(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case unicode.IsControl(r), unicode.In(r, unicode.Bidi_Control):
			fmt.Fprintf(&b, "<%U>", r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

type showCmd struct {
	dir
	Ref  string `arg:"" help:"The number of the message, question, call or proposal, such as 2/FLASH/17."`
	JSON bool   `help:"Print JSON."`
}

func (c *showCmd) Help() string { return "Example:\n  parley show 2/FLASH/17" }

func (c *showCmd) Run(e *env) error {
	var m control.Message
	if err := control.Dial(c.Dir).Call(e.ctx, http.MethodGet, "/v1/message?ref="+url.QueryEscape(c.Ref), nil, &m); err != nil {
		return err
	}
	if c.JSON {
		return e.json(m)
	}
	if m.Printed != "" {
		e.printf("%s", m.Printed)
	} else {
		e.printf("%s  %s  %s\n", m.Time.Format("02 Jan 2006 1504Z"), m.Ref, m.From)
		e.printf("          %s\n", indented(m.Text))
		for _, a := range m.Said {
			e.printf("%s  %s: %s\n", a.Time.Format("02 Jan 2006 1504Z"), a.From, indented(a.Text))
		}
	}
	if m.WitnessedBy != "" {
		e.printf("\nWitnessed by the quorum not after %s\n", m.WitnessedBy)
	} else {
		e.printf("\nNot witnessed by the quorum yet\n")
	}
	e.printf("%s\n", capital(m.Release))
	return nil
}

// capital begins a sentence.
func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

type ackCmd struct {
	dir
	Ref    string `arg:"" help:"The message's number."`
	Passed bool   `help:"It was passed to the principal."`
	JSON   bool   `help:"Print JSON."`
}

func (c *ackCmd) Help() string {
	return `Tells the sender that the duty officer has opened the message, or with --passed
that the principal has it. This is not an answer.

Example:
  parley ack 2/FLASH/17`
}

func (c *ackCmd) Run(e *env) error {
	code := "opened"
	if c.Passed {
		code = "passed"
	}
	return answer(e, voice{dir: c.dir, JSON: c.JSON}, control.Answer{Ref: c.Ref, Code: code})
}

func answer(e *env, v voice, a control.Answer) error {
	var at control.Place
	a.Alone = v.Alone
	if err := control.Dial(v.Dir).Call(e.ctx, http.MethodPost, "/v1/answer", a, &at); err != nil {
		return err
	}
	return placed(e, at, v.JSON)
}

type answerCmd struct {
	voice
	Ref  string `arg:"" help:"The number of the message, question or proposal."`
	Code string `arg:"" help:"roger, wilco, affirm, negative, unable, standby, declined, say-again."`
	Text string `arg:"" optional:"" help:"A reason or words; for declined the reason may stay out."`
}

func (c *answerCmd) Help() string {
	return `An answer in substance is a message of its own: parley send --reply REF.

Example:
  parley answer 2/FLASH/17 wilco`
}

func (c *answerCmd) Run(e *env) error {
	return answer(e, c.voice, control.Answer{Ref: c.Ref, Code: c.Code, Text: c.Text})
}

type callCmd struct {
	voice
	Outcome string   `arg:"" help:"connected, no answer, busy, refused or cut (with hyphens)."`
	Called  []string `required:"" placeholder:"NAME" sep:"none" help:"Who was called. Repeat."`
	From    string   `placeholder:"NAME" help:"Who called; this party if not given."`
	Line    uint8    `help:"Number of the line."`
	At      string   `placeholder:"TIME" help:"When, such as 2026-05-10T03:45:00Z; now if not given."`
	Type    string   `required:"" enum:"operation,exercise,drill,test" help:"operation, exercise, drill or test."`
	Note    string   `help:"A note."`
	Flash   bool     `xor:"lane" help:"Record it as FLASH."`
}

func (c *callCmd) Help() string {
	return `Records a call outside this channel, with its outcome. Unanswered is not
declined: say what happened, not why.

Example:
  parley call no-answer --called India --line 1 --type exercise --at 2025-05-10T03:45:00Z`
}

func (c *callCmd) Run(e *env) error {
	_, ch, me, err := host.LoadCharter(c.Dir)
	if err != nil {
		return err
	}
	a := &hotline.Attempt{Line: c.Line, Caller: me, At: uint64(time.Now().Unix()), Note: c.Note}
	if a.Type, err = hotline.ParseType(c.Type); err != nil {
		return err
	}
	if a.Outcome, err = hotline.ParseOutcome(c.Outcome); err != nil {
		if a.Outcome, err = hotline.ParseOutcome(strings.ReplaceAll(c.Outcome, "-", " ")); err != nil {
			return err
		}
	}
	if a.Called, err = readers(ch, c.Called); err != nil {
		return err
	}
	if c.From != "" {
		from, err := readers(ch, []string{c.From})
		if err != nil {
			return err
		}
		a.Caller = from.Parties()[0]
	}
	if c.At != "" {
		t, err := time.Parse(time.RFC3339, c.At)
		if err != nil {
			return parley.Errorf(parley.CodeOutOfRange, "--at %q is not a time such as 2026-05-10T03:45:00Z", c.At)
		}
		a.At = uint64(max(t.Unix(), 0))
	}
	if err := a.Check(); err != nil {
		return err
	}
	lane := parley.Immediate
	if c.Flash {
		lane = parley.Flash
	}
	return post(e, c.voice, hotline.Draft(a, lane, parley.ToAll))
}

type askCmd struct {
	voice
	Text string   `arg:"" optional:"" help:"What is meant, in words."`
	Open string   `xor:"ask" placeholder:"REF" help:"Did you receive and open this?"`
	Sent string   `xor:"ask" placeholder:"REF" help:"Did you send this?"`
	Call bool     `xor:"ask" help:"Did you send or say what the text describes, outside this channel?"`
	To   []string `placeholder:"NAME" sep:"none" help:"Whom to ask; all other members if none is named. Repeat."`
	Type string   `required:"" enum:"operation,exercise,drill,test" help:"operation, exercise, drill or test."`
}

func (c *askCmd) Help() string {
	return `Any party can ask, and the answer (affirm, negative) is proved.

Example:
  parley ask --call --to India --type exercise "EXERCISE. A caller at 2130Z said he was your minister."`
}

func (c *askCmd) Run(e *env) error {
	_, ch, me, err := host.LoadCharter(c.Dir)
	if err != nil {
		return err
	}
	q := &hotline.Query{Ask: hotline.DidYouSend, Text: c.Text}
	if q.Type, err = hotline.ParseType(c.Type); err != nil {
		return err
	}
	about := c.Sent
	if c.Open != "" {
		q.Ask, about = hotline.DidYouOpen, c.Open
	}
	if about != "" {
		ref, err := resolve(e, c.Dir, about)
		if err != nil {
			return err
		}
		q.About = &ref
	}
	to := parley.ToAll
	if len(c.To) > 0 {
		set, err := readers(ch, c.To)
		if err != nil {
			return err
		}
		to = ch.Address(me, set)
	}
	if err := q.Check(); err != nil {
		return err
	}
	return post(e, c.voice, hotline.Draft(q, parley.Immediate, to))
}
