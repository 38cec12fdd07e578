// Package demo plays a scenario on a few nodes in one process. This file reads
// scenarios; crisis.txt is the one that ships.
//
// A scenario is a text file of lines "word rest". A # at the start of a line
// makes a comment; empty lines mean nothing. First the setting:
//
//	title   TEXT
//	type    operation | exercise | drill | test      of all steps that do not say
//	preface TEXT      put before every text; {source} becomes the step's source
//	party | mediator | observer NAME                 members, in the charter's order
//	witness NAME
//	clock   LABEL +05:30                             a clock to show beside Zulu
//	source  KEY TEXT                                 who reports it
//
// Then the steps. Each begins with "at", and times never go back:
//
//	at 2025-05-10T03:45Z
//	from NAME
//	to NAME, NAME                    all others if absent
//	source KEY, KEY
//	name LABEL                       by which later steps refer to this one
//	flash | immediate | priority | routine | deferred
//	type TYPE
//	line NUMBER
//	| text, as many lines as needed
//
// and holds exactly one of:
//
//	message                          with any of: subject, ack, reply-by TIME, handling,
//	                                 language TAG [governs], without-prejudice, drafter, releaser,
//	                                 info NAME, NAME at PRECEDENCE,
//	                                 ref LABEL or ref WORDS (lettered A, B ...),
//	                                 re RELATION LABEL [PARAGRAPHS]
//	answer CODE LABEL
//	attempt OUTCOME NAME, NAME [at TIME]   who was called
//	query opened | sent [LABEL]
//	propose NUMBER NAME OF THE LINE  with any of: level, members, medium, next NUMBER, grace 30m,
//	                                 tests every 6h | tests weekly mon,tue 04:30 09:30,
//	                                 first NAME, holidays 2025-05-12, 2025-08-15
//	wait                             nothing is sent; the text is for those who watch
//
// An answer stands in the lane of what it answers and goes to everyone who has
// it; everything else is ROUTINE unless it says otherwise.
package demo

import (
	_ "embed"
	"strings"
	"time"

	"parley"
	"parley/hotline"
)

// Crisis is the scenario that ships.
//
//go:embed crisis.txt
var Crisis string

// Scenario is a script.
type Scenario struct {
	Title     string
	Type      hotline.Type
	Preface   string
	Members   []Member // in the charter's order
	Witnesses []string
	Clocks    []Clock
	Sources   []Source
	Steps     []*Step
}

// Member is one member of the channel.
type Member struct {
	Name string
	Role parley.Role
}

// Clock is a clock to show beside Zulu.
type Clock struct {
	Label string
	Zone  *time.Location
}

// Source is a report that steps rest on.
type Source struct{ Key, Text string }

// Action is what a step does.
type Action string

const (
	Wait    Action = "wait"
	Message Action = "message"
	Answer  Action = "answer"
	Attempt Action = "attempt"
	Query   Action = "query"
	Propose Action = "propose"
)

// Step is one step. Which fields mean something depends on Do; members are
// numbers in the charter's order, entries are labels until Draft.
type Step struct {
	Row     int // line of the file where it begins
	At      time.Time
	From    parley.Party
	To      parley.Audience // ToAll if the step does not say
	Sources []Source
	Name    string // label, may be empty
	Lane    parley.Lane
	Do      Action
	Text    string // as written, without the preface

	Code  hotline.Code // of an answer
	About string       // label: what an answer, a query or a relation is about

	message hotline.Text    // without text and references
	refs    []string        // labels or words
	attempt hotline.Attempt // without note
	query   hotline.Query
	line    hotline.Line
	preface string // filled in
}

// Member is the number of the member called name, 0 if there is none.
func (s *Scenario) Member(name string) parley.Party {
	for i, m := range s.Members {
		if m.Name == name {
			return parley.Party(i + 1)
		}
	}
	return 0
}

// Full is the step's text with the preface.
func (st *Step) Full() string {
	return strings.TrimSpace(st.preface + "\n" + st.Text)
}

// Draft is the step as a draft for the desk of its author. find returns the
// entry that the step with a label became; only the labels of earlier steps
// are asked for. A step that waits has no draft.
func (st *Step) Draft(d *hotline.Desk, find func(label string) parley.Ref) (parley.Draft, error) {
	var about *parley.Ref
	if st.About != "" {
		r := find(st.About)
		about = &r
	}
	switch st.Do {
	case Message:
		m := st.message
		m.Text, m.About = st.Full(), about
		for _, s := range st.refs {
			if label, ok := strings.CutPrefix(s, "="); ok {
				r := find(label)
				m.Citations = append(m.Citations, hotline.Citation{Ref: &r})
			} else {
				m.Citations = append(m.Citations, hotline.Citation{Note: s})
			}
		}
		return hotline.Draft(&m, st.Lane, st.To), nil
	case Answer:
		text := ""
		if st.Text != "" {
			text = st.Full()
		}
		return d.Answer(*about, st.Code, text)
	case Attempt:
		a := st.attempt
		a.Note = st.Full()
		return hotline.Draft(&a, st.Lane, st.To), nil
	case Query:
		q := st.query
		q.Text, q.About = st.Full(), about
		return hotline.Draft(&q, st.Lane, st.To), nil
	case Propose:
		l := st.line
		return hotline.Draft(&l, st.Lane, st.To), nil
	}
	return parley.Draft{}, parley.Errorf(CodeScenario, "line %d: a step that waits says nothing", st.Row)
}
