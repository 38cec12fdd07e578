package sim

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"parley"
	"parley/hotline"
	"parley/journal"
	"parley/station"
)

// What officers and operators see.

// ref is how the trace calls an entry: its place, and the script's name.
func (s *script) ref(r parley.Ref) string {
	if c := s.called[r]; c != "" {
		return r.String() + " #" + c
	}
	return r.String()
}

// hear records what a committed step of a node tells.
func (s *script) hear(n *node, out *station.Out) {
	if s.mute {
		return
	}
	for _, p := range out.Posted {
		s.posted(n, p)
	}
	for _, e := range out.Early {
		s.say("%s: OUT OF ORDER, NOT RECEIPTED: %s by %s", s.name(n), s.words(e.Entry), s.member(e.Log.Party))
	}
	for _, r := range out.Receipts {
		s.receipt(n, r)
	}
	for _, a := range out.Alarms {
		s.alarm(n, a)
	}
}

func (s *script) posted(n *node, p parley.Posted) {
	what := s.words(p.Entry)
	if what == "" {
		return
	}
	mark := ""
	if x := p.Standing.String(); x != "" {
		mark = x + ": "
	}
	own := fmt.Sprint("own", n.id, p.Ref.Long())
	switch {
	case p.Entry.Kind == parley.KindGeneration || p.Entry.Kind == parley.KindClosing: // one in each lane says the same
		key := fmt.Sprint(n.id, p.Ref.Party, p.Ref.Gen, p.Entry.Kind)
		if s.told[key] {
			return
		}
		s.told[key] = true
		if p.Entry.Kind == parley.KindGeneration {
			if what = s.beginning(p.Ref.Gen, p.Entry); what == "" {
				return
			}
		}
		s.say("%s: %s%s %s", s.name(n), mark, s.self(n, p.Ref.Party), what)
	case p.Ref.Party == n.me && p.Entry.To == parley.ToNobody:
		s.say("%s: stored, addressed to nobody yet: %s, %s", s.name(n), s.ref(p.Ref), what)
	case p.Ref.Party == n.me && s.told[own]:
		s.say("%s: has again its own %s, %s", s.name(n), s.ref(p.Ref), what)
	case p.Ref.Party == n.me:
		s.told[own] = true
		s.say("%s: %sstored %s: %s", s.name(n), mark, s.ref(p.Ref), what)
	default:
		s.say("%s: %sfrom %s %s: %s", s.name(n), mark, s.member(p.Ref.Party), s.ref(p.Ref), what)
	}
}

func (s *script) self(n *node, p parley.Party) string {
	if n.me == p {
		return "this party"
	}
	return s.member(p)
}

// beginning says why a generation began; of the first of a member, which a
// wiped node learns again, nothing.
func (s *script) beginning(g parley.Gen, e *parley.Entry) string {
	b, err := parley.ParseGeneration(e.Body)
	if err != nil {
		return "begins a generation that does not parse"
	}
	if b.Reason == parley.ReasonFirst {
		return ""
	}
	why := []string{"", "its store was behind what it had signed", "its store was restored", "new keys", "after a fork", "two become one"}
	text := fmt.Sprintf("begins generation %s: %s", s.gen(g), why[b.Reason])
	for _, p := range b.Prev {
		text += ", after " + s.gen(p)
	}
	return text
}

// words are what an entry says, empty for what only stations read.
func (s *script) words(e *parley.Entry) string {
	switch e.Kind {
	case parley.KindGeneration:
		return "begins a generation"
	case parley.KindClosing:
		return "closes its lanes in favour of the successor"
	case parley.KindOpening:
		o, _, err := parley.ParseOpening(e.Body)
		if err != nil {
			return "an opening that does not parse"
		}
		return "opens " + s.ref(o.Ref)
	case parley.KindNotice:
		x, err := parley.ParseNotice(e.Body)
		if err != nil {
			return "a notice that does not parse"
		}
		return "notice: " + x.Code
	}
	if !hotline.Owns(e.Kind) {
		return ""
	}
	b, err := hotline.Parse(e.Kind, e.Body)
	if err != nil {
		return "malformed: " + err.Error()
	}
	return s.body(b)
}

func (s *script) body(b hotline.Body) string {
	switch b := b.(type) {
	case *hotline.Text:
		text := fmt.Sprintf("%s%q", mark(b.Type), b.Text)
		if b.About != nil {
			text = b.Relation.String() + " " + s.ref(*b.About) + ", " + text
		}
		return text
	case *hotline.Answer:
		text := strings.ToUpper(b.Code.String()) + " to " + s.ref(b.About)
		if b.Text != "" {
			text += fmt.Sprintf(", %q", b.Text)
		}
		return text
	case *hotline.Line:
		return fmt.Sprintf("proposes line %d, %q", b.Number, b.Name)
	case *hotline.Attempt:
		var called []string
		for _, p := range b.Called.Parties() {
			called = append(called, s.member(p))
		}
		text := fmt.Sprintf("%scall by %s to %s at %s: %s", mark(b.Type), s.member(b.Caller), strings.Join(called, ", "), s.secs(b.At), b.Outcome)
		if b.Note != "" {
			text += fmt.Sprintf(", %q", b.Note)
		}
		return text
	case *hotline.Query:
		text := fmt.Sprintf("%sdid you %s this? ", mark(b.Type), map[hotline.Ask]string{hotline.DidYouSend: "send", hotline.DidYouOpen: "open"}[b.Ask])
		if b.About != nil {
			text += s.ref(*b.About) + " "
		}
		return text + fmt.Sprintf("%q", b.Text)
	}
	return fmt.Sprintf("%T", b)
}

func mark(t hotline.Type) string {
	if t == hotline.Operation {
		return ""
	}
	return strings.ToUpper(t.String()) + " "
}

// clock is a time as the trace shows it, with its year unless that is the
// world's.
func (s *script) clock(t time.Time) string {
	if t = t.UTC(); t.Year() != s.w.now.Year() {
		return t.Format("02 Jan 2006 15:04:05Z")
	}
	return t.Format("02 Jan 15:04:05Z")
}

func (s *script) secs(at uint64) string { return s.clock(time.Unix(int64(at), 0)) }

// receipt: an author learns that a member holds what the script gave a name.
func (s *script) receipt(n *node, r parley.Receipted) {
	if r.Head.Party != n.me {
		return
	}
	for _, ref := range s.order {
		key := fmt.Sprint("receipt", n.id, r.By, ref.Long())
		if ref.Party == n.me && ref.Lane == r.Head.Lane && ref.Gen == r.Head.Gen && ref.Index < r.Head.Size && s.w.holdsRef(n, ref) && !s.told[key] {
			s.told[key] = true
			s.say("%s: %s has received %s, by its clock at %s", s.name(n), s.member(r.By), s.ref(ref), s.secs(r.Time))
		}
	}
}

// holdsRef reports whether the entry at the place on the node's disk is meant.
func (w *World) holdsRef(n *node, ref parley.Ref) bool {
	r, err := n.disk.Row(ref.Log(w.ch.ID), ref.Index)
	return err == nil && r.Leaf.Hash() == ref.Leaf
}

func (s *script) alarm(n *node, a station.Alarm) {
	text := fmt.Sprintf("%s: ALARM %s: %s", s.name(n), a.Code, a.Text)
	if a.Code == station.AlarmFork {
		if err := s.w.proof(a.Evidence); err != nil {
			s.w.fail("%s accuses with a proof that proves nothing: %v", s.name(n), err)
		}
		text += ". A stranger who checks the proof finds that it holds"
	}
	s.say("%s", text)
}

// duties lists what members owe, as a member's desk sees it.
func (s *script) duties(a *args) {
	n := s.node(a)
	ds := n.desk.Due(n.clock())
	if len(ds) == 0 {
		s.say("%s: nothing is owed", s.name(n))
	}
	for _, d := range ds {
		late := ""
		if d.Late {
			late = " LATE"
		}
		s.say("%s: %s owes %s, %s, by %s%s: %s", s.name(n), s.member(d.Owner), d.What, d.Lane, s.clock(d.By), late, d.Text)
	}
}

func (s *script) lines(a *args) {
	n := s.node(a)
	for _, v := range n.desk.Hotline.Lines(n.clock()) {
		s.say("%s: line %d is %s. %s", s.name(n), v.Number, strings.ToUpper(v.Condition.Health.String()), v.Condition.Text)
		if v.Played != nil {
			s.say("%s: line %d is, as played, %s. %s", s.name(n), v.Number, strings.ToUpper(v.Played.Health.String()), v.Played.Text)
		}
	}
}

// show prints a message as the product does, or what was said about a query or
// a call.
func (s *script) show(a *args) {
	n := s.node(a)
	ref := s.entry(a.word("what is shown"))
	if m, ok := n.desk.Hotline.Message(ref); ok {
		var b bytes.Buffer
		hotline.Format(&b, s.w.ch.Charter, m)
		s.say("%s sees", s.name(n))
		s.print(b.String())
		return
	}
	for _, q := range n.desk.Hotline.Questions(hotline.Filter{}) {
		if q.Ref != ref {
			continue
		}
		s.say("%s sees the query %s: %s", s.name(n), s.ref(ref), s.body(q.Query))
		for _, x := range q.Addressees {
			if x.Waiting {
				s.say("%s: %s has not answered it", s.name(n), s.member(x.Party))
			}
		}
		s.said(n, q.Responses)
		return
	}
	s.say("%s has no such entry", s.name(n))
}

func (s *script) said(n *node, rs []hotline.Response) {
	for _, r := range rs {
		s.say("%s: %s said %s %q at %s", s.name(n), s.member(r.Author), strings.ToUpper(r.Code.String()), r.Text, s.secs(r.Time))
	}
}

// calls lists the recorded calls, newest record first.
func (s *script) calls(a *args) {
	n := s.node(a)
	for _, c := range n.desk.Hotline.Calls(hotline.Filter{}) {
		text := s.body(c.Attempt)
		if c.Attempt.Outcome != hotline.Connected && c.Talked != 0 {
			text += fmt.Sprintf("; they talked at %s, %v later", s.secs(c.Talked), c.Waited)
		}
		s.say("%s: recorded by %s: %s", s.name(n), s.member(c.Author), text)
		s.said(n, c.Responses)
	}
}

// record lists how far a member holds the logs in which something was written
// by hand, and who has receipted and cosigned them.
func (s *script) record(a *args) {
	n := s.node(a)
	logs := n.st.Logs()
	slices.SortStableFunc(logs, func(x, y station.LogStatus) int { // of one party in order of appearance
		a, b := s.gen(x.Log.Gen), s.gen(y.Log.Gen)
		return cmp.Or(cmp.Compare(x.Log.Party, y.Log.Party), cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
	for _, l := range logs {
		if l.Log.Lane != parley.Flash && !l.Forked {
			continue
		}
		text := fmt.Sprintf("%s %s of %s: %d entries", l.Log.Lane, s.gen(l.Log.Gen), s.self(n, l.Log.Party), l.Head.Size)
		for _, m := range s.w.ch.Members {
			if m.Index != n.me && m.Index != l.Log.Party {
				text += fmt.Sprintf(", %d with %s", l.Receipts[m.Index], s.member(m.Index))
			}
		}
		if len(s.w.witnesses) > 0 {
			text += fmt.Sprintf(", %d witnessed", l.Witnessed)
		}
		switch {
		case l.Forked:
			text += "; STOPPED, two histories"
		case l.Closed:
			text += "; closed"
		case !l.Current:
			text += "; of before"
		}
		s.say("%s holds %s", s.name(n), text)
	}
}

// proofs lists the fork proofs that a member keeps.
func (s *script) proofs(a *args) {
	n := s.node(a)
	none := true
	n.disk.Values("fork", func(_ string, v []byte) error {
		f := must(journal.ParseFork(v))
		if err := s.w.proof(v); err != nil {
			s.w.fail("%s keeps a proof that proves nothing: %v", s.name(n), err)
		}
		none = false
		s.say("%s keeps a proof against %s, which a stranger can check: %s %s, two signed heads, of %d and of %d entries", s.name(n),
			s.member(f.Log.Party), f.Log.Lane, s.gen(f.Log.Gen), f.A.Size, f.B.Size)
		return nil
	})
	if none {
		s.say("%s keeps no proof against anybody", s.name(n))
	}
}

// export lets a stranger's verifier judge the record of a member.
func (s *script) export(a *args) {
	n := s.node(a)
	n.feed(station.SealNow{})
	s.w.run(time.Second)
	var forks []*journal.Fork
	n.disk.Values("fork", func(_ string, v []byte) error { forks = append(forks, must(journal.ParseFork(v))); return nil })
	var b bytes.Buffer
	err := journal.WriteRecord(&b, &journal.Export{Charter: s.w.ch.Signed, Store: n.disk, Forks: forks, Exporter: n.me,
		Key: s.w.nodeKeys(n.me, n.serial).Rcpt, Time: uint64(n.clock().Unix())})
	if err != nil {
		s.w.fail("%s cannot export: %v", s.name(n), err)
	}
	err = journal.VerifyRecord(&b, journal.Verify{Channel: &s.w.ch.ID, Now: uint64(s.w.now.Unix())}, func(f journal.Finding) {
		if f.Status == journal.Forked || f.Status == journal.Total || f.Status == journal.Flagged {
			s.say("a stranger reads the record of %s: %s %s", s.name(n), f.Status, f.Text)
		}
	})
	if err != nil {
		s.say("a stranger refuses the record of %s: %v", s.name(n), err)
	}
}
