package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/node"
)

// One step is one block: when, who to whom, what, what its source says, who
// holds it, and what changed by it. It begins and ends with the banner of its
// type.

var acts = map[Action]string{Message: "message", Answer: "answer", Attempt: "call", Query: "query", Propose: "proposal", Wait: "time"}

// heading shows the step before anything is sent.
func (p *player) heading(i int, st *Step) {
	if p.o.Once {
		return
	}
	s := p.out
	s.banner(p.kind(st).Banner())
	head := fmt.Sprintf("%d of %d   %s", i+1, len(p.s.Steps), st.At.Format("Mon 2 Jan 2006   15:04Z"))
	for _, c := range p.s.Clocks {
		head += "   " + c.Label + hard + st.At.In(c.Zone).Format("15:04")
	}
	if i > 0 {
		if gone := st.At.Sub(p.s.Steps[i-1].At); gone >= time.Minute {
			head += "   +" + tied(lasting(gone))
		}
	}
	for _, line := range wrapWide(shown(head), s.width-1) {
		s.raw(" " + s.paint(bold, strings.ReplaceAll(line, hard, " ")) + "\n")
	}
	if st.Do == Wait {
		s.quote("", st.Text)
		return
	}
	p.envelope(st)
	p.what(st)
}

// wrapWide wraps words that are set apart by three spaces.
func wrapWide(text string, n int) []string {
	var out []string
	for _, part := range strings.Split(text, "   ") {
		part = tied(part)
		if k := len(out) - 1; k >= 0 && len([]rune(out[k]))+3+len([]rune(part)) <= n {
			out[k] += hard + hard + hard + part
			continue
		}
		out = append(out, part)
	}
	return out
}

// kind is the type of a step's text.
func (p *player) kind(st *Step) hotline.Type {
	if st.Do == Wait {
		return p.s.Type
	}
	return st.message.Type
}

// envelope shows precedence, sender, addressees and line.
func (p *player) envelope(st *Step) {
	w := p.w
	lane, to := st.Lane, st.To
	if st.Do == Answer {
		r := p.refs[st.About]
		about := p.said[r]
		lane = r.Lane
		to = w.charter.Address(st.From, w.charter.Readers(about.From, about.To)|parley.AudienceOf(about.From))
	}
	info := parley.Audience(0)
	if st.Do == Message {
		info = st.message.Info
	}
	text := w.name(st.From) + " → " + w.names(w.charter.Readers(st.From, to)&^info)
	if info != 0 {
		text += "; for information " + w.names(info) + " (" + st.message.InfoLane.String() + ")"
	}
	if n := st.message.Line; n != 0 && st.Do != Propose {
		text += " · line " + fmt.Sprint(n)
		if l := p.lineName(n); l != "" {
			text += ", " + l
		}
	}
	s := p.out
	if s.width < wide {
		s.field(hotline.Prosign(lane)+" "+lane.String(), text)
		return
	}
	s.field(lane.String(), text)
}

// lineName is the newest proposed name of a line, without the exercise's mark.
func (p *player) lineName(n uint8) string {
	name := ""
	for _, st := range p.s.Steps {
		if st.Do == Propose && st.line.Number == n {
			name = strings.TrimPrefix(st.line.Name, "EXERCISE ")
		}
	}
	return name
}

func (w *world) names(a parley.Audience) string {
	var ns []string
	for _, p := range w.order() {
		if a.Includes(p) && a != 0 {
			ns = append(ns, w.name(p))
		}
	}
	return strings.Join(ns, ", ")
}

// what shows what the step says.
func (p *player) what(st *Step) {
	s, w := p.out, p.w
	switch st.Do {
	case Message:
		p.message(st)
		return
	case Answer:
		s.field(acts[Answer], strings.ToUpper(st.Code.String())+" to "+p.title(p.said[p.refs[st.About]]))
	case Attempt:
		a := st.attempt
		text := fmt.Sprintf("%s called %s at %s: %s", w.name(a.Caller), w.names(a.Called), p.clockTimes(at(a.At)), strings.ToUpper(strings.ReplaceAll(a.Outcome.String(), "-", " ")))
		s.field(acts[Attempt], text)
	case Query:
		ask := "did you send this?"
		if st.query.Ask == hotline.DidYouOpen {
			ask = "did you receive and open this?"
		}
		text := strings.ToUpper(ask[:1]) + ask[1:]
		if st.About != "" {
			text += " About " + p.title(p.said[p.refs[st.About]]) + "."
		}
		s.field(acts[Query], text)
	case Propose:
		s.field(acts[Propose], proposal(w, &st.line))
	}
	if st.Text == "" {
		s.field("source", sources(st))
		return
	}
	s.quote(dim, st.preface)
	s.quote("", st.Text)
}

var acks = map[hotline.Ack]string{hotline.AckDelivery: "the receipt of the node", hotline.AckDutyOfficer: "the word of the duty officer",
	hotline.AckPrincipal: "the word that the principal has it", hotline.AckSubstantive: "an answer in substance"}

func proposal(w *world, l *hotline.Line) string {
	text := fmt.Sprintf("proposes line %d, %s: %s between %s", l.Number, l.Name, l.Medium, w.names(l.Members))
	if l.Schedule != nil {
		text += fmt.Sprintf("; scheduled tests, %s calls first, grace %s", w.name(l.Schedule.First), lasting(time.Duration(l.Grace)*time.Second))
	}
	if l.Next != 0 {
		text += fmt.Sprintf("; if unanswered, try line %d", l.Next)
	}
	return text
}

func sources(st *Step) string {
	var out []string
	for _, x := range st.Sources {
		out = append(out, x.Key+", "+x.Text)
	}
	return strings.Join(out, "; ")
}

// message shows a message's header and text.
func (p *player) message(st *Step) {
	s, m := p.out, &st.message
	subject := m.Subject
	if subject == "" {
		subject = "(no subject)"
	}
	s.field(acts[Message], subject)
	if m.Relation != hotline.Unrelated {
		text := m.Relation.String() + " "
		if m.Relation == hotline.Reply {
			text = "replies to "
		}
		text += p.title(p.said[p.refs[st.About]])
		if len(m.Paragraphs) > 0 {
			text += ", paragraph " + strings.Trim(strings.ReplaceAll(fmt.Sprint(m.Paragraphs), " ", ", "), "[]")
		}
		s.field("relation", text)
	}
	for i, r := range st.refs {
		if label, ok := strings.CutPrefix(r, "="); ok {
			r = p.title(p.said[p.refs[label]])
		}
		s.field("ref "+string(rune('A'+i)), r)
	}
	if m.Ack != hotline.AckNone {
		text := acks[m.Ack]
		if m.ReplyBy != 0 {
			text += ", by " + p.clockTimes(at(m.ReplyBy))
		}
		s.field("asks for", text)
	}
	if m.Handling != hotline.HandlingNone {
		s.field("handling", m.Handling.String())
	}
	if m.Reservation != "" {
		s.field("reserved", m.Reservation)
	}
	s.quote(dim, st.preface)
	if other := p.counterpart(st); other != nil {
		p.sideBySide(st, other)
		return
	}
	s.quote("", st.Text)
}

// counterpart is the message of another party that the step's message names as
// a reference: claims that are to be read side by side.
func (p *player) counterpart(st *Step) *Step {
	for _, r := range st.refs {
		label, ok := strings.CutPrefix(r, "=")
		if !ok {
			continue
		}
		other := p.said[p.refs[label]]
		if other != nil && other.Do == Message && other.From != st.From &&
			p.s.Members[other.From-1].Role == parley.RoleParty && p.s.Members[st.From-1].Role == parley.RoleParty {
			return other
		}
	}
	return nil
}

// sideBySide shows two parties' claims in the order of their names.
func (p *player) sideBySide(a, b *Step) {
	if p.w.name(b.From) < p.w.name(a.From) {
		a, b = b, a
	}
	head := func(st *Step) string {
		var keys []string
		for _, x := range st.Sources {
			keys = append(keys, x.Key)
		}
		return p.w.name(st.From) + ", from " + strings.Join(keys, ", ")
	}
	p.out.beside([]string{head(a), head(b)}, []string{a.Text, b.Text})
}

// title is what people call the entry of an earlier step.
func (p *player) title(st *Step) string {
	who := p.w.name(st.From)
	when := st.At.Format("2 Jan 15:04Z")
	switch st.Do {
	case Message:
		return fmt.Sprintf("%q of %s, %s", st.message.Subject, who, when)
	case Attempt:
		return fmt.Sprintf("the call recorded by %s, %s", who, when)
	case Query:
		return fmt.Sprintf("the query of %s, %s", who, when)
	case Propose:
		return fmt.Sprintf("the proposal of %s for line %d", who, st.line.Number)
	}
	return fmt.Sprintf("%s of %s, %s", st.Do, who, when)
}

// receipts shows the receipts as they arrive at the author.
func (p *player) receipts(ctx context.Context, r parley.Ref, d parley.Draft) error {
	if p.o.Once {
		return nil
	}
	l := p.out.list("held by")
	log := r.Log(p.w.signed.Channel())
	readers := p.w.charter.Readers(r.Party, d.To)
	for _, m := range p.w.order() {
		if m == r.Party {
			continue
		}
		err := await(ctx, func() (string, error) {
			missing := "the receipt of " + p.w.name(m)
			err := p.w.host(r.Party).Node.Do(ctx, func(v node.View) {
				if v.Station.Received(log, m) > r.Index {
					missing = ""
				}
			})
			return missing, err
		})
		if err == nil {
			err = p.rest(ctx, 250*time.Millisecond)
		}
		if err != nil {
			l.end("")
			return err
		}
		text := p.w.name(m) + " " + at(p.w.received(r)[m]).Format("15:04:05Z")
		if readers&parley.AudienceOf(m) == 0 {
			text += " (sealed to it)"
		}
		l.add(text)
	}
	l.end("· own clocks")
	return nil
}

// outcome shows what the step changed: the witness, the state of what was
// answered, clocks and lines.
func (p *player) outcome(ctx context.Context, st *Step, ref parley.Ref) error {
	if p.o.Once {
		return nil
	}
	if st.Do != Wait {
		p.witnessed(ref)
		if err := p.state(ctx, st); err != nil {
			return err
		}
	}
	if err := p.clocks(ctx); err != nil {
		return err
	}
	if err := p.lines(ctx); err != nil {
		return err
	}
	p.out.rule(p.kind(st).Banner())
	return nil
}

func (p *player) witnessed(r parley.Ref) {
	t, ok := p.w.witnessed(r)
	if !ok || len(p.w.watch) == 0 {
		return
	}
	var names []string
	for _, m := range p.w.watch {
		names = append(names, m.name)
	}
	slices.Sort(names)
	l := p.out.list("seen by")
	l.add(strings.Join(names, ", ") + " " + at(t).Format("15:04:05Z"))
	l.end("(a head, no content)")
}

// clockTimes is a time in Zulu and on the scenario's clocks.
func (p *player) clockTimes(t time.Time) string {
	text := t.Format("15:04Z")
	for _, c := range p.s.Clocks {
		text += ", " + c.Label + hard + t.In(c.Zone).Format("15:04")
	}
	return text
}

func at(s uint64) time.Time { return time.Unix(int64(min(s, 1<<40)), 0).UTC() }

// lasting is a time span as people say it.
func lasting(d time.Duration) string {
	d = d.Round(time.Minute)
	days, h, m := int(d/(24*time.Hour)), int(d/time.Hour)%24, int(d/time.Minute)%60
	switch {
	case days > 0 && h == 0:
		return fmt.Sprintf("%d d", days)
	case days > 0:
		return fmt.Sprintf("%d d %d h", days, h)
	case h > 0:
		return fmt.Sprintf("%d h %02d min", h, m)
	}
	return fmt.Sprintf("%d min", m)
}
