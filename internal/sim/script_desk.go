package sim

import (
	"strconv"
	"strings"
	"time"

	"parley"
	"parley/hotline"
	"parley/station"
)

// What officers do.

// must takes a parsed word, or ends the command with the parser's complaint.
func must[T any](x T, err error) T {
	if err != nil {
		panic(complain("%v", err))
	}
	return x
}

// kindOf takes the type of what is said: a word, or what the world line says.
func (s *script) kindOf(a *args) hotline.Type {
	for _, x := range []string{"operation", "exercise", "drill", "test"} {
		if a.flag(x) {
			return must(hotline.ParseType(x))
		}
	}
	if s.typ == "" {
		return hotline.Operation
	}
	return must(hotline.ParseType(s.typ))
}

// laneOf takes the precedence.
func (s *script) laneOf(a *args, otherwise parley.Lane) parley.Lane {
	for l := range parley.Lane(parley.Lanes) {
		if a.flag(strings.ToLower(l.String())) {
			return l
		}
	}
	return otherwise
}

// audience reads to all, to nobody, to Oman,Qatar.
func (s *script) audience(n *node, x string) parley.Audience {
	switch x {
	case "all":
		return parley.ToAll
	case "nobody":
		return parley.ToNobody
	}
	return s.w.ch.Charter.Address(n.me, s.set(x))
}

// unix is a time in seconds, 0 if none is given.
func (s *script) unix(x string) uint64 {
	if x == "" {
		return 0
	}
	return uint64(s.when(x).Unix())
}

// post: post India flash to Pakistan ack principal "text" as talk.
func (s *script) post(a *args) {
	n := s.node(a)
	t := &hotline.Text{Type: s.kindOf(a), Line: uint8(a.number("line", 0)), Text: a.text(),
		Ack: must(hotline.ParseAck(a.opt("ack", "none"))), ReplyBy: s.unix(a.opt("reply-by", ""))}
	if a.flag("not-to-be-relayed") {
		t.Handling = hotline.NoRelay
	}
	for _, r := range []hotline.Relation{hotline.Reply, hotline.Corrects, hotline.Cancels, hotline.Supersedes, hotline.Relays} {
		if a.flag(r.String()) {
			ref := s.entry(a.opt("about", ""))
			t.Relation, t.About = r, &ref
		}
	}
	lane := s.laneOf(a, parley.Routine)
	s.check(n, a, hotline.Draft(t, lane, s.audience(n, a.opt("to", "all"))))
}

// answer: answer Pakistan opened #talk "text".
func (s *script) answer(a *args) {
	n := s.node(a)
	code := must(hotline.ParseCode(a.word("an answer")))
	ref := s.entry(a.word("what is answered"))
	s.check(n, a, must(n.desk.Hotline.Answer(ref, code, a.text())))
}

// translate: translate Pakistan #talk ur courtesy "text" by "service" to India.
func (s *script) translate(a *args) {
	n := s.node(a)
	t := &hotline.Translation{About: s.entry(a.word("what is translated")), Language: a.word("a language"),
		Status: must(hotline.ParseStatus(a.word("a status"))), Text: a.text(), Translator: a.opt("by", "")}
	d := must(n.desk.Hotline.Translate(t))
	if x := a.opt("to", ""); x != "" {
		d.To = s.audience(n, x)
	}
	d.Lane = s.laneOf(a, d.Lane)
	s.check(n, a, d)
}

// call: call Pakistan > India no-answer at 03:45 line 1 as call.
func (s *script) call(a *args) {
	caller := s.party(a.word("a caller"))
	if a.word(">") != ">" {
		panic(complain("write call A > B no-answer"))
	}
	called := s.set(a.word("the one called"))
	c := &hotline.Attempt{Type: s.kindOf(a), Line: uint8(a.number("line", 0)), Caller: caller, Called: called,
		At: uint64(s.w.now.Unix()), Note: a.text()}
	if at := a.opt("at", ""); at != "" {
		c.At = s.unix(at)
	}
	n := s.w.byMember[s.party(a.opt("by", s.member(caller)))][0]
	lane := s.laneOf(a, parley.Flash)
	c.Outcome = must(hotline.ParseOutcome(a.word("an outcome")))
	s.check(n, a, hotline.Draft(c, lane, parley.ToAll))
}

// ask: ask Pakistan sent about #threat "text" to India.
func (s *script) ask(a *args) {
	n := s.node(a)
	q := &hotline.Query{Type: s.kindOf(a), Line: uint8(a.number("line", 0)), Text: a.text()}
	lane := s.laneOf(a, parley.Flash)
	q.Ask = must(hotline.ParseAsk(a.word("sent or opened")))
	if x := a.opt("about", ""); x != "" {
		ref := s.entry(x)
		q.About = &ref
	}
	s.check(n, a, hotline.Draft(q, lane, s.audience(n, a.opt("to", "all"))))
}

// line: line India 1 "ministries" members India,Pakistan tests 00:00,08:00 grace 15m next 3.
// The other members accept it with answer ... wilco.
func (s *script) line(a *args) {
	n := s.node(a)
	no, err := strconv.ParseUint(a.word("a number"), 10, 8)
	if err != nil {
		panic(complain("a line has a number, 1 to 99"))
	}
	l := &hotline.Line{Number: uint8(no), Serial: 1, Name: a.text(), Members: s.set(a.opt("members", strings.Join(s.names, ","))),
		Next: uint8(a.number("next", 0)), Medium: must(hotline.ParseMedium(a.opt("medium", "voice"))), Level: a.opt("level", "")}
	if x := a.opt("tests", ""); x != "" { // on every day of the week
		l.Schedule = &hotline.Schedule{First: n.me, Start: uint64(s.w.now.Unix()), Days: 127}
		for x := range strings.SplitSeq(x, ",") {
			t := s.when(x)
			l.Schedule.Minutes = append(l.Schedule.Minutes, uint16(60*t.Hour()+t.Minute()))
		}
		l.Grace = uint32(span(a.opt("grace", "15m")) / time.Second)
	}
	s.check(n, a, hotline.Draft(l, parley.Routine, parley.ToAll))
}

// open publishes an own commitment: open India #pledge to all.
func (s *script) open(a *args) {
	n := s.node(a)
	ref := s.entry(a.word("what is opened"))
	r, err := n.disk.Row(ref.Log(s.w.ch.ID), ref.Index)
	if err != nil || r.Content == nil {
		panic(complain("%s does not hold %s", s.name(n), s.ref(ref)))
	}
	o := parley.Opening{Ref: ref, Salt: r.Content.Salt, Entry: r.Content.Entry}
	s.append(n, a, parley.Draft{Lane: ref.Lane, Kind: parley.KindOpening, To: s.audience(n, a.opt("to", "all")), Body: o.Encode()})
}

// leave gives notice that a member leaves the channel.
func (s *script) leave(a *args) {
	n := s.node(a)
	s.append(n, a, parley.Draft{Lane: parley.Priority, Kind: parley.KindNotice, To: parley.ToAll,
		Body: (&parley.Notice{Code: parley.NoticeLeaving}).Encode()})
}

// check asks the desk as the product does before an officer releases.
func (s *script) check(n *node, a *args, d parley.Draft) {
	if !n.up() {
		panic(complain("the node of %s is down", s.name(n)))
	}
	if err := n.desk.Check(d, n.clock()); err != nil {
		s.say("%s: refused: %v", s.name(n), err)
		a.opt("as", "")
		return
	}
	s.append(n, a, d)
}

// append posts a draft; its officer is told "stored" once that is durable.
func (s *script) append(n *node, a *args, d parley.Draft) {
	called := a.opt("as", "")
	if !n.up() {
		panic(complain("the node of %s is down", s.name(n)))
	}
	if f := s.doom[n]; f != lives {
		s.armed[n] = f
		delete(s.doom, n)
	}
	if !n.st.Ready() {
		s.say("%s: kept until its node has compared its record with its peers", s.name(n))
	}
	life := n.life
	n.feed(station.Post{Lane: d.Lane, Kind: d.Kind, To: d.To, Body: d.Body, Done: func(ref parley.Ref, err error) {
		if err != nil {
			s.say("%s: refused: %v", s.name(n), err)
			return
		}
		if called != "" {
			s.refs[called], s.called[ref] = ref, called
			s.order = append(s.order, ref)
		}
		s.w.after(0, func() { // the step is over
			if n.life == life {
				s.w.truth.posted(n, ref)
			}
		})
	}})
}
