package sim

import (
	"fmt"
	"strings"
	"time"

	"parley"
	"parley/hotline"
	"parley/station"
)

// What officers and operators are told without asking.

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
	case *hotline.Translation:
		return fmt.Sprintf("translates %s into %s (%s), %q", s.ref(b.About), b.Language, b.Status, b.Text)
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
