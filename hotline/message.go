package hotline

import (
	"slices"
	"time"

	"parley"
)

// Mark is a time that a party states by its own clock. Clock is 0 if there is
// no such statement.
type Mark struct {
	Time  uint64 // seconds since 1970
	Clock parley.Party
	Ref   *parley.Ref // the entry that says so; nil for a receipt
}

// Given reports whether there is a mark.
func (m Mark) Given() bool { return m.Clock != 0 }

// Step is how far a message has come with one addressee.
type Step uint8

const (
	StepSent     Step = iota // no receipt yet
	StepReceived             // the node holds it
	StepOpened               // the duty officer has opened it
	StepPassed               // the principal has it
	StepAnswered
	StepDeclined
)

var stepNames = []string{"sent", "received", "opened", "passed", "answered", "declined"}

func (s Step) String() string { return stepNames[s] }

// Addressee is the state of a message with one of its readers. Received is the
// node's statement; the others are statements of people.
type Addressee struct {
	Party parley.Party
	Info  bool        // for information, not for action
	Lane  parley.Lane // precedence for this reader
	Step  Step

	Received Mark // the receipt; for this desk's own member, when it was stored
	Opened   Mark // earliest word of any kind about the message
	Passed   Mark
	Answered Mark // newest answer
	Declined Mark // newest refusal to answer

	Standby  bool // its newest word is that an answer will follow
	SayAgain bool // its newest word is that the message was not understood
	Conflict bool // it gave final answers that differ; all stand
	Waiting  bool // an answer is asked for and there is neither answer nor refusal
}

// Response is something said about an entry: an answer or a message.
type Response struct {
	Ref       parley.Ref
	Author    parley.Party
	Time      uint64
	Standing  parley.Standing
	Code      Code     // 0 if it is a message
	Relation  Relation // of a message
	Text      string
	Addressed bool // its author was among the readers
	Counts    bool // it changes the state of the entry it is about
}

// Message is a message as this desk sees it.
type Message struct {
	Ref        parley.Ref
	Author     parley.Party
	Lane       parley.Lane
	To         parley.Audience // readers, spelled out; empty if committed to nobody yet
	Time       uint64          // its author's claim
	Stored     time.Time       // when this node stored it
	Standing   parley.Standing
	Text       *Text // nil if malformed
	Malformed  error
	Addressees []Addressee  // action first, then info, ascending
	Responses  []Response   // newest first, by anyone
	Withdrawn  *parley.Ref  // its author's message that cancels or supersedes it
	Beside     []Translated // see Desk.Translations
	Notes      []string     // what an officer should notice, one sentence each
}

// Message returns one message.
func (d *Desk) Message(r parley.Ref) (*Message, bool) {
	rec := d.records[r]
	if rec == nil || rec.kind != KindText {
		return nil, false
	}
	return d.message(rec), true
}

// Filter chooses messages. Its zero value chooses all.
type Filter struct {
	Line   uint8        // of this line, 0 any
	Author parley.Party // by this member, 0 any
	Reader parley.Party // addressed to this member, 0 any
	Open   bool         // only those about which somebody owes something
	Before uint64       // claimed time earlier than this, 0 any
	Limit  int          // at most so many, 0 all
}

func (f *Filter) fits(d *Desk, r *record) bool {
	line, _ := r.line()
	switch {
	case f.Line != 0 && line != f.Line,
		f.Author != 0 && r.ref.Party != f.Author,
		f.Reader != 0 && (r.readers == 0 || !r.readers.Includes(f.Reader)),
		f.Before != 0 && r.time >= f.Before,
		f.Open && d.open[r.ref] == nil:
		return false
	}
	return true
}

// Messages lists messages, newest first by the time their authors claim. Of
// one log the later entry always stands first, whatever it claims.
func (d *Desk) Messages(f Filter) []*Message {
	var ms []*Message
	for r := range d.backwards(KindText) {
		if !f.fits(d, r) {
			continue
		}
		ms = append(ms, d.message(r))
		if len(ms) == f.Limit {
			break
		}
	}
	return ms
}

// backwards yields the records of a kind, newest first, merging the logs.
func (d *Desk) backwards(k parley.Kind) func(func(*record) bool) {
	return func(yield func(*record) bool) {
		var tails [][]*record
		for _, log := range d.logs {
			tails = append(tails, log)
		}
		for len(tails) > 0 {
			best := 0
			for i := range tails {
				if newest(last(tails[i]), last(tails[best])) < 0 {
					best = i
				}
			}
			r := last(tails[best])
			if tails[best] = tails[best][:len(tails[best])-1]; len(tails[best]) == 0 {
				tails = slices.Delete(tails, best, best+1)
			}
			if r.kind == k && !yield(r) {
				return
			}
		}
	}
}

func last[T any](s []T) T { return s[len(s)-1] }

func (d *Desk) message(r *record) *Message {
	m := &Message{Ref: r.ref, Author: r.ref.Party, Lane: r.ref.Lane, To: r.readers, Time: r.time,
		Stored: r.stored, Standing: r.standing, Malformed: r.bad}
	t, ok := r.body.(*Text)
	if !ok {
		return m
	}
	m.Text = t
	m.Addressees = d.addressees(r, t)
	m.Responses = d.responses(r)
	m.Withdrawn = d.withdrawn(r)
	m.Beside = d.Translations(r.ref)
	m.Notes = d.notes(r, t, m.Addressees)
	return m
}

// responses lists what was said about r, newest first.
func (d *Desk) responses(r *record) []Response {
	var out []Response
	for _, x := range slices.SortedFunc(slices.Values(d.about[r.ref]), newest) {
		s := Response{Ref: x.ref, Author: x.ref.Party, Time: x.time, Standing: x.standing,
			Addressed: r.readers != 0 && r.readers.Includes(x.ref.Party), Counts: d.bears(x, r)}
		switch b := x.body.(type) {
		case *Answer:
			s.Code, s.Text = b.Code, b.Text
		case *Text:
			s.Relation, s.Text = b.Relation, b.Text
		case *Query:
			s.Text = b.Text
		}
		out = append(out, s)
	}
	return out
}

// bears reports whether x, which refers to r, changes the state of r: an
// answer or reply by a reader, a correction and the like by its own author,
// always within one type of traffic.
func (d *Desk) bears(x, r *record) bool {
	if !x.counts() || !r.counts() {
		return false
	}
	reader := r.readers != 0 && r.readers.Includes(x.ref.Party)
	switch b := x.body.(type) {
	case *Answer:
		if line, ok := r.body.(*Line); ok { // its author may withdraw it too
			return line.Members.Includes(x.ref.Party)
		}
		return reader
	case *Text:
		if _, typ := r.line(); typ != b.Type || r.kind != KindText {
			return false
		}
		switch b.Relation {
		case Reply:
			return reader && x.readers != 0 && x.readers.Includes(r.ref.Party)
		case Corrects, Cancels, Supersedes:
			return x.ref.Party == r.ref.Party
		}
	}
	return false
}

// withdrawn is the message by which its author took r back, the newest if
// there are several.
func (d *Desk) withdrawn(r *record) *parley.Ref {
	var by *record
	for _, x := range d.about[r.ref] {
		t, ok := x.body.(*Text)
		if ok && (t.Relation == Cancels || t.Relation == Supersedes) && d.bears(x, r) && (by == nil || newest(x, by) < 0) {
			by = x
		}
	}
	if by == nil {
		return nil
	}
	return &by.ref
}
