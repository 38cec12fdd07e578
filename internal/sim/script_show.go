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

// What officers and operators look up.

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

// show prints a message as the product does, how a translation stands, or what
// was said about a query or a call.
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
	if x, ok := n.desk.Hotline.TranslationOf(ref); ok && x.Translation != nil {
		s.say("%s sees the translation %s, %s: %s", s.name(n), s.ref(ref), x.Fit, s.body(x.Translation))
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
