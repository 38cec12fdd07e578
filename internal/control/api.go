// Package control is the local socket of a running node: how the commands of
// the same machine talk to it. It is HTTP with JSON over a Unix socket that
// only its owner may open; nothing here is reachable from a network.
//
//	GET  /v1/status              links, logs, alarms, duties
//	GET  /v1/messages            ?line= ?open=1 ?limit=
//	GET  /v1/message             ?ref=2/FLASH/17
//	GET  /v1/lines               the registry and the state of each line
//	GET  /v1/duties              what is owed, soonest first
//	POST /v1/post                a draft; answers with its place once durable
//	POST /v1/answer              an answer to an entry
//	POST /v1/translate           a translation of a message
//	POST /v1/close               closes the channel in favour of its successor
//	POST /v1/renew               the root's answer: new node keys; the node starts again
//	POST /v1/newkeys             new keys of other members, from a file that came by hand
//	GET  /v1/watch               events, one JSON object a line, until closed
//	GET  /v1/export              the whole record, as a file
//	GET  /v1/disclose            ?ref= one entry with its proofs, ?receipts= a member whose receipts to show, repeated; as a file
//	GET  /v1/fork                ?log= the proof of a fork, as a file
package control

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/node"
	"parley/release"
	"parley/station"
)

// Error is how a failed request answers: the code of the rule, a sentence, and
// what to do.
type Error struct {
	Code   parley.Code `json:"code"`
	Text   string      `json:"error"`
	Remedy string      `json:"what_to_do,omitempty"`
}

// Place names an entry: as people name it, which is long where two generations
// of a log have one number; always long; and by its content.
type Place struct {
	Ref  string `json:"ref"`
	Long string `json:"place"`
	Leaf string `json:"leaf"`
}

// PlaceOf names an entry.
func PlaceOf(r parley.Ref) Place { return Place{r.String(), r.Long(), r.Leaf.String()} }

// Post is a draft to release.
type Post struct {
	Lane parley.Lane     `json:"lane"`
	Kind parley.Kind     `json:"kind"`
	To   parley.Audience `json:"to"`
	Body []byte          `json:"body"`

	Alone bool `json:"alone,omitempty"` // although the rules ask for two persons
}

// Answer is an answer to an entry, by its code's name.
type Answer struct {
	Ref  string `json:"ref"`
	Code string `json:"code"`
	Text string `json:"text,omitempty"`

	Alone bool `json:"alone,omitempty"` // as in Post
}

// Translate is a translation of a message, its status by name.
type Translate struct {
	Ref        string          `json:"ref"`
	Language   string          `json:"language"`
	Status     string          `json:"status"`
	Text       string          `json:"text"`
	Subject    string          `json:"subject,omitempty"`
	Translator string          `json:"translator,omitempty"`
	To         parley.Audience `json:"to,omitempty"`    // readers; 0 for all of the original, and its author
	Alone      bool            `json:"alone,omitempty"` // as in Post
}

// Close closes the channel in favour of the successor whose signed charter is
// given.
type Close struct {
	Charter []byte `json:"charter"`
}

// Closed says in whose favour a channel was closed.
type Closed struct {
	Successor string `json:"successor"`
	Channel   string `json:"channel"`
}

// Status is the state of a node.
type Status struct {
	Name       string    `json:"name"`
	Member     int       `json:"member"`
	Channel    string    `json:"channel"`
	Charter    string    `json:"charter"`
	Time       time.Time `json:"time"`
	Ready      bool      `json:"ready"`
	Generation string    `json:"generation"`
	Quorum     string    `json:"quorum"`
	Entries    uint64    `json:"entries"`
	Links      []Link    `json:"links"`
	Logs       []Log     `json:"logs"`
	Alarms     []Alarm   `json:"alarms"`
	Overdue    int       `json:"overdue"`
	Malformed  int       `json:"malformed"`
	Unknown    int       `json:"unknown_kinds"`
}

// Link is the state of the connections with one member.
type Link struct {
	Member  int    `json:"member"`
	Name    string `json:"name"`
	Urgent  bool   `json:"urgent"`
	Bulk    bool   `json:"bulk"`
	Skew    int64  `json:"clock_offset_s"`
	Dropped int    `json:"dropped"`
}

// Log is the state of one log.
type Log struct {
	Origin    string            `json:"origin"`
	Member    int               `json:"member"`
	Lane      string            `json:"lane"`
	Size      uint64            `json:"size"`
	Root      string            `json:"root"`
	Receipts  map[string]uint64 `json:"receipts"`  // by member's name
	Witnesses map[string]uint64 `json:"witnesses"` // by witness's name
	Witnessed uint64            `json:"witnessed"` // by the quorum
	Current   bool              `json:"current"`
	Forked    bool              `json:"forked"`
	Closed    bool              `json:"closed"`
	Held      int               `json:"held_out_of_order"`
	Key       []byte            `json:"key"`
}

// Alarm is something an officer must know.
type Alarm struct {
	At    time.Time `json:"at"`
	Code  string    `json:"code"`
	Party string    `json:"party"`
	Text  string    `json:"text"`

	Expected bool `json:"expected,omitempty"` // by whoever restored or rebuilds the record
}

// Message is a message with its state, as the desk shows it. A call, a
// question, an answer or a proposal has a text and no printed form.
type Message struct {
	Place
	Time        time.Time `json:"time"` // its author's claim
	From        string    `json:"from"`
	Lane        string    `json:"precedence"`
	Type        string    `json:"type"`
	Subject     string    `json:"subject,omitempty"`
	Text        string    `json:"text"`
	Mine        bool      `json:"mine"`
	Addressees  []Reader  `json:"addressees"`
	Printed     string    `json:"printed,omitempty"`
	WitnessedBy string    `json:"witnessed_by,omitempty"` // not after this time, by the quorum; with one message only
	Release     string    `json:"release,omitempty"`      // who released it, as far as the record proves it; with one message only
	Beside      []Beside  `json:"translations,omitempty"` // with one message or translation only
	Said        []Said    `json:"said,omitempty"`         // about a question or a call, earliest first; a message has it in its printed form
}

// Beside is a translation of a message. The message is authoritative; Status is
// the word of From.
type Beside struct {
	Place
	Time       time.Time `json:"time"`
	From       string    `json:"from"`
	Language   string    `json:"language"`
	Status     string    `json:"status"`
	Translator string    `json:"translator,omitempty"`
	Subject    string    `json:"subject,omitempty"`
	Text       string    `json:"text"`
	State      string    `json:"state"` // stands, replaced, or why it changes nothing
	ReplacedBy string    `json:"replaced_by,omitempty"`
}

// Said is what a member said about an entry.
type Said struct {
	Time time.Time `json:"time"`
	From string    `json:"from"`
	Text string    `json:"text"`
}

// Reader is the state of a message with one addressee.
type Reader struct {
	Name string `json:"name"`
	Info bool   `json:"info"`
	Step string `json:"step"`
}

// Line is the state of a line.
type Line struct {
	Number   uint8     `json:"number"`
	Name     string    `json:"name"`
	Level    string    `json:"level"`
	InForce  bool      `json:"in_force"`
	State    string    `json:"state"`
	Text     string    `json:"text"`
	LastTest time.Time `json:"last_test,omitzero"`
	NextTest time.Time `json:"next_test,omitzero"`
	Caller   string    `json:"next_caller,omitempty"`
	Members  []Alive   `json:"members"`
	Next     uint8     `json:"escalates_to,omitempty"`
	Proposal string    `json:"proposal,omitempty"` // the newest wording that is not in force, by its number
	Waiting  []string  `json:"waiting,omitempty"`  // for the answers of these members
}

// Alive is the newest proof of life of a member of a line.
type Alive struct {
	Name string    `json:"name"`
	Line time.Time `json:"on_the_line,omitzero"`
	Node time.Time `json:"anywhere,omitzero"`
}

// Duty is something that a party owes.
type Duty struct {
	Ref   string    `json:"ref"`
	Owner string    `json:"owner"`
	What  string    `json:"what"`
	Lane  string    `json:"precedence"`
	By    time.Time `json:"by"`
	Late  bool      `json:"late"`
	Text  string    `json:"text"`
}

// Event is one line of watch.
type Event struct {
	At       time.Time `json:"at"`
	Kind     string    `json:"event"` // message, answer, entry, receipt, link, alarm, early
	Member   string    `json:"member,omitempty"`
	Ref      string    `json:"ref,omitempty"`
	Lane     string    `json:"precedence,omitempty"`
	Type     string    `json:"type,omitempty"`
	Text     string    `json:"text"`
	Standing string    `json:"standing,omitempty"`
}

// eventOf says what happened in one line.
func eventOf(c *parley.Charter, e node.Event) Event {
	name := func(p parley.Party) string {
		if m := c.Member(p); m != nil {
			return m.Name
		}
		return ""
	}
	out := Event{At: e.At.UTC()}
	switch {
	case e.Posted != nil:
		describe(&out, e.Posted.Ref.Party, name, e.Posted.Ref.Lane, e.Posted.Entry)
		out.Ref, out.Standing = e.Posted.Ref.String(), e.Posted.Standing.String()
	case e.Early != nil:
		describe(&out, e.Early.Log.Party, name, e.Early.Log.Lane, e.Early.Entry)
		out.Kind, out.Standing = "early", "OUT OF ORDER, NOT RECEIPTED"
	case e.Receipt != nil:
		h := e.Receipt.Head
		out.Kind, out.Member, out.Lane = "receipt", name(e.Receipt.By), h.Lane.String()
		out.Ref = parley.Ref{Party: h.Party, Lane: h.Lane, Gen: h.Gen, Index: h.Size - 1}.String()
		out.Text = "node of " + out.Member + " holds and has opened what is addressed to it, up to " + out.Ref
	case e.Link != nil:
		out.Kind, out.Member = "link", name(e.Link.Party)
		kind, state := "urgent", "up"
		if e.Link.Bulk {
			kind = "bulk"
		}
		if !e.Link.Up {
			state = "down"
		}
		out.Text = kind + " connection " + state
	case e.Alarm != nil:
		out.Kind, out.Member, out.Text = "alarm", name(e.Alarm.Party), e.Alarm.Text
	}
	return out
}

// describe says what an entry is and says, in one line, or in as many as its
// author wrote. What is not meant says so first.
func describe(out *Event, author parley.Party, name func(parley.Party) string, lane parley.Lane, e *parley.Entry) {
	out.Kind, out.Member, out.Lane = "entry", name(author), lane.String()
	if release.Owns(e.Kind) {
		out.Text = releases(e)
		return
	}
	body, err := hotline.Parse(e.Kind, e.Body)
	if err != nil {
		out.Text = protocolKind(e.Kind)
		return
	}
	typed := func(t hotline.Type, text string) {
		out.Type, out.Text = t.String(), text
		if banner := t.Banner(); banner != "" {
			out.Text = banner + ": " + text
		}
	}
	switch b := body.(type) {
	case *hotline.Text:
		out.Kind = "message"
		text := b.Text
		if b.Subject != "" {
			text = b.Subject + ": " + text
		}
		typed(b.Type, text)
	case *hotline.Answer:
		out.Kind, out.Text = "answer", withNote(b.Code.String()+" "+b.About.String(), b.Text)
	case *hotline.Line:
		out.Text = fmt.Sprintf("proposes line %d, %s (%s), for %s", b.Number, b.Name, b.Level, names(name, b.Members))
	case *hotline.Attempt:
		on := ""
		if b.Line > 0 {
			on = fmt.Sprintf(" on line %d", b.Line)
		}
		typed(b.Type, withNote(fmt.Sprintf("records a call%s: %s called %s at %s, %s", on, name(b.Caller), names(name, b.Called),
			time.Unix(int64(b.At), 0).UTC().Format("02 Jan 2006 1504Z"), b.Outcome), b.Note))
	case *hotline.Query:
		question := "asks: did you send or say this?"
		switch {
		case b.About != nil && b.Ask == hotline.DidYouOpen:
			question = fmt.Sprintf("asks: did you receive and open %s?", b.About)
		case b.About != nil:
			question = fmt.Sprintf("asks: did you send %s?", b.About)
		}
		typed(b.Type, strings.TrimSpace(question+" "+b.Text))
	case *hotline.Translation:
		// Its words stay out: the entry alone does not say whether they are meant.
		out.Text = fmt.Sprintf("translates %s into %s (%s)", b.About, b.Language, b.Status)
	}
}

// releases says what an entry of the release desk says. Whether it holds is
// told with the entry that it speaks for.
func releases(e *parley.Entry) string {
	b, err := release.Parse(e.Kind, e.Body)
	switch b := b.(type) {
	case *release.Roster:
		demo := ""
		if b.Demo {
			demo = ", of a DEMONSTRATION"
		}
		return fmt.Sprintf("names the keys of its officers: roster %d, %d keys%s", b.Serial, len(b.Keys), demo)
	case *release.Release:
		return fmt.Sprintf("says that two officers released the entry behind it: keys %s and %s", b.Drafted.Key.Short(), b.Released.Key.Short())
	}
	return "MALFORMED: " + err.Error()
}

func withNote(s, note string) string {
	if note == "" {
		return s
	}
	return s + ": " + note
}

func names(name func(parley.Party) string, a parley.Audience) string {
	var ns []string
	for _, p := range a.Parties() {
		ns = append(ns, name(p))
	}
	return strings.Join(ns, ", ")
}

func protocolKind(k parley.Kind) string {
	switch k {
	case parley.KindGeneration:
		return "starts a generation"
	case parley.KindKeys:
		return "announces a key for receiving grants"
	case parley.KindNotice:
		return "gives notice"
	case parley.KindClosing:
		return "closes its lane"
	}
	return "an entry of a kind that this program does not know"
}

// alarms keeps the newest alarms for Status.
const maxAlarms = 100

func alarmOf(c *parley.Charter, at time.Time, a *station.Alarm) Alarm {
	out := Alarm{At: at.UTC(), Code: a.Code, Text: a.Text}
	if m := c.Member(a.Party); m != nil {
		out.Party = m.Name
	}
	return out
}

// Reference reads a place back.
func (p Place) Reference() (r parley.Ref, err error) {
	bad := parley.Errorf(CodeRef, "%q is not a place", p.Long)
	f := strings.Split(p.Long, "/")
	if len(f) != 4 {
		return r, bad
	}
	party, err := strconv.ParseUint(f[0], 10, 8)
	if err != nil {
		return r, bad
	}
	if r.Lane, err = parley.ParseLane(f[1]); err != nil {
		return r, bad
	}
	gen, err := hex.DecodeString(f[2])
	if err != nil || len(gen) != len(r.Gen) {
		return r, bad
	}
	leaf, err := hex.DecodeString(p.Leaf)
	if err != nil || len(leaf) != len(r.Leaf) {
		return r, bad
	}
	if r.Index, err = strconv.ParseUint(f[3], 10, 53); err != nil {
		return r, bad
	}
	r.Party, r.Gen, r.Leaf = parley.Party(party), parley.Gen(gen), parley.Hash(leaf)
	return r, nil
}
