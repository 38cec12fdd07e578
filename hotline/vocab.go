package hotline

import (
	"strconv"
	"strings"
	"time"

	"parley"
)

// Kinds of the hotline. TEXT and ANSWER are the protocol's own numbers.
const (
	KindText                    = parley.KindText
	KindAnswer                  = parley.KindAnswer
	KindLine        parley.Kind = 20
	KindAttempt     parley.Kind = 21
	KindQuery       parley.Kind = 22
	KindTranslation parley.Kind = 23
)

// Owns reports whether entries of kind k belong to this desk.
func Owns(k parley.Kind) bool {
	switch k {
	case KindText, KindAnswer, KindLine, KindAttempt, KindQuery, KindTranslation:
		return true
	}
	return false
}

// Type says whether a message is meant. It must never be mistaken.
type Type uint8

const (
	Operation Type = 0 // it is meant
	Exercise  Type = 1
	Drill     Type = 2
	Test      Type = 3
	maxType        = Test
)

var typeNames = []string{"operation", "exercise", "drill", "test"}

func (t Type) String() string { return nameOf(typeNames, int(t)) }

// Banner is the text that stands before and after everything of this type,
// and is empty for operation. It is not translated.
func (t Type) Banner() string {
	if t == Operation {
		return ""
	}
	w := strings.ToUpper(t.String())
	return w + " " + w + " " + w
}

// Ack says which acknowledgement the author asks for.
type Ack uint8

const (
	AckNone        Ack = 0
	AckDelivery    Ack = 1 // the receipt of the node
	AckDutyOfficer Ack = 2 // opened by the duty officer
	AckPrincipal   Ack = 3 // passed to the principal
	AckSubstantive Ack = 4 // an answer in substance
	maxAck             = AckSubstantive
)

var ackNames = []string{"none", "delivery", "duty-officer", "principal", "substantive"}

func (a Ack) String() string { return nameOf(ackNames, int(a)) }

// Handling says how far a message may go.
type Handling uint8

const (
	HandlingNone  Handling = 0
	PartyOnly     Handling = 1 // for the government addressed, nobody else
	MediatorOnly  Handling = 2 // for the mediator's own use
	NoRelay       Handling = 3 // not to be passed on in any form
	ReleasableAll Handling = 4 // may be passed on to anyone
	maxHandling            = ReleasableAll
)

var handlingNames = []string{"none", "party-only", "mediator-only", "no-relay", "releasable-to-all"}

func (h Handling) String() string { return nameOf(handlingNames, int(h)) }

// MayRelay reports whether a reader may pass the message on.
func (h Handling) MayRelay() bool { return h == HandlingNone || h == ReleasableAll }

// Relation says what a message is to an earlier one. Nothing is ever changed
// or removed: a correction is a new message that says which one it corrects.
type Relation uint8

const (
	Unrelated  Relation = 0
	Reply      Relation = 1 // the answer in substance
	Corrects   Relation = 2
	Cancels    Relation = 3
	Supersedes Relation = 4
	Relays     Relation = 5 // passes on another member's message
	maxRel              = Relays
)

var relationNames = []string{"none", "reply", "corrects", "cancels", "supersedes", "relays"}

func (r Relation) String() string { return nameOf(relationNames, int(r)) }

// Code is what an ANSWER says.
type Code uint8

const (
	Opened   Code = 1  // the duty officer has opened it
	Passed   Code = 2  // it was passed to the principal
	Roger    Code = 3  // received and understood
	Wilco    Code = 4  // accepts, will comply
	Affirm   Code = 5  // yes
	Negative Code = 6  // no
	Unable   Code = 7  // cannot comply
	Standby  Code = 8  // an answer will follow
	Declined Code = 9  // will not answer; a reason may be given
	SayAgain Code = 10 // garbled or not understood
	maxCode       = SayAgain
)

var codeNames = []string{"", "opened", "passed", "roger", "wilco", "affirm", "negative", "unable", "standby", "declined", "say-again"}

func (c Code) String() string { return nameOf(codeNames, int(c)) }

// Final reports whether c answers or declines; the others only say how far the
// message has come.
func (c Code) Final() bool { return c == Roger || c.Substantive() || c == Declined }

// Substantive reports whether c alone answers in substance.
func (c Code) Substantive() bool { return c >= Wilco && c <= Unable }

// Light reports whether c says only what became of a message here, which one
// officer may tell: it neither answers it in substance nor refuses to.
func (c Code) Light() bool { return !c.Substantive() && c != Declined }

// Outcome is how a call attempt ended, as its recorder states it.
type Outcome uint8

const (
	Connected Outcome = 1
	NoAnswer  Outcome = 2
	Busy      Outcome = 3
	Refused   Outcome = 4 // somebody answered and would not take the call
	Cut       Outcome = 5 // the line was dead or broke
	maxOut            = Cut
)

var outcomeNames = []string{"", "connected", "no-answer", "busy", "refused", "cut"}

func (o Outcome) String() string { return nameOf(outcomeNames, int(o)) }

// Ask is what a QUERY wants to know.
type Ask uint8

const (
	DidYouOpen Ask = 1 // did you receive and open this?
	DidYouSend Ask = 2 // did you send this?
	maxAsk         = DidYouSend
)

var askNames = []string{"", "opened", "sent"}

func (a Ask) String() string { return nameOf(askNames, int(a)) }

// Status says what a translation is worth, by the word of the member who wrote
// it.
type Status uint8

const (
	Courtesy  Status = 0 // to help the reader, binding nobody
	Official  Status = 1 // the author stands by it as its own translation
	Machine   Status = 2 // made by a program
	maxStatus        = Machine
)

var statusNames = []string{"courtesy", "official", "machine"}

func (s Status) String() string { return nameOf(statusNames, int(s)) }

// Medium is what a line is made of.
type Medium uint8

const (
	OnChannel Medium = 0 // text through this channel
	Voice     Medium = 1
	Fax       Medium = 2
	Video     Medium = 3
	Other     Medium = 4
	maxMedium        = Other
)

var mediumNames = []string{"channel", "voice", "fax", "video", "other"}

func (m Medium) String() string { return nameOf(mediumNames, int(m)) }

func nameOf(names []string, i int) string {
	if i < len(names) && names[i] != "" {
		return names[i]
	}
	return "number " + strconv.Itoa(i)
}

func parse[T ~uint8](what string, names []string, s string) (T, error) {
	for i, n := range names {
		if n != "" && strings.EqualFold(n, s) {
			return T(i), nil
		}
	}
	return 0, parley.Errorf(parley.CodeOutOfRange, "no %s %q; they are %s", what, s,
		strings.TrimPrefix(strings.Join(names, ", "), ", "))
}

// The Parse functions read the names that String prints, in any case.

func ParseType(s string) (Type, error)         { return parse[Type]("type", typeNames, s) }
func ParseAck(s string) (Ack, error)           { return parse[Ack]("acknowledgement", ackNames, s) }
func ParseHandling(s string) (Handling, error) { return parse[Handling]("handling", handlingNames, s) }
func ParseRelation(s string) (Relation, error) { return parse[Relation]("relation", relationNames, s) }
func ParseCode(s string) (Code, error)         { return parse[Code]("answer", codeNames, s) }
func ParseOutcome(s string) (Outcome, error)   { return parse[Outcome]("outcome", outcomeNames, s) }
func ParseAsk(s string) (Ask, error)           { return parse[Ask]("question", askNames, s) }
func ParseStatus(s string) (Status, error)     { return parse[Status]("status", statusNames, s) }
func ParseMedium(s string) (Medium, error)     { return parse[Medium]("medium", mediumNames, s) }

// HandlingTime is how long a message of the precedence may wait at one step:
// FLASH 10 minutes, IMMEDIATE 30 minutes, PRIORITY 3 hours, ROUTINE 6 hours.
// DEFERRED has none (false).
//
// The first two are common in published procedures (some give 60 minutes for
// IMMEDIATE); the last two are objectives.
func HandlingTime(l parley.Lane) (time.Duration, bool) {
	switch l {
	case parley.Flash:
		return 10 * time.Minute, true
	case parley.Immediate:
		return 30 * time.Minute, true
	case parley.Priority:
		return 3 * time.Hour, true
	case parley.Routine:
		return 6 * time.Hour, true
	}
	return 0, false
}
