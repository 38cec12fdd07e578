package hotline

import "parley"

// Codes of the hotline's bodies: rules of spec/hotline.md that bytes can break.
const (
	CodeCharacter   parley.Code = "bad-character"
	CodeInfo        parley.Code = "bad-info"
	CodeParagraphs  parley.Code = "bad-paragraphs"
	CodeCitation    parley.Code = "empty-citation"
	CodeRoles       parley.Code = "empty-roles"
	CodeLanguage    parley.Code = "bad-language"
	CodeQuestion    parley.Code = "bad-question"
	CodeCaller      parley.Code = "bad-caller"
	CodeLineMembers parley.Code = "bad-line-members"
	CodeSchedule    parley.Code = "bad-schedule"
	CodeNextLine    parley.Code = "bad-next-line"
)

// Codes of Check: what may not be said now, though its bytes are sound.
const (
	CodeNoSuchEntry  parley.Code = "no-such-entry"
	CodeWrongType    parley.Code = "type-differs"
	CodeUnmarked     parley.Code = "type-unmarked"
	CodeNotYours     parley.Code = "not-your-entry"
	CodeNotAddressed parley.Code = "not-addressed"
	CodeNoRelay      parley.Code = "no-relay"
	CodePast         parley.Code = "time-passed"
	CodeNoClock      parley.Code = "no-reply-time"
	CodeNoLine       parley.Code = "no-such-line"
	CodeNotOnLine    parley.Code = "not-on-line"
	CodeLineSerial   parley.Code = "bad-line-serial"
	CodeWithdrawn    parley.Code = "withdrawn"
	CodeUnknownKind  parley.Code = "unknown-kind"
	CodeNotReader    parley.Code = "not-a-reader"
	CodeTooWide      parley.Code = "wider-than-original"
	CodeSameLanguage parley.Code = "same-language"
)

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeCharacter:   "A field contains a control or direction character, or a line break where one line is asked for. Remove it.",
	CodeInfo:        "Choose the info addressees among the readers, leave at least one for action, and give them no higher precedence than the message has.",
	CodeParagraphs:  "Only a correction names paragraphs; number them from 1, ascending, each once.",
	CodeCitation:    "A lettered reference names an entry, or says in words what it means.",
	CodeRoles:       "Name the drafter or the releaser, or leave both out.",
	CodeLanguage:    "Write the language as a BCP 47 tag, for example ur or en-IN.",
	CodeQuestion:    "Say which entry the question is about; for \"did you send this?\" words are enough.",
	CodeCaller:      "A call is recorded by its caller or by the one called, and nobody calls himself.",
	CodeLineMembers: "A line has at least two members of the channel, and all of them must be able to read its proposal.",
	CodeSchedule:    "Give either an interval or weekdays with times, a first caller on the line, and a time of grace.",
	CodeNextLine:    "Name another line to escalate to, or none.",

	CodeNoSuchEntry:  "The entry meant is not in this record. Choose it from the list.",
	CodeWrongType:    "Exercise, drill, test and operation do not mix. Answer and correct within the type of the first message.",
	CodeUnmarked:     "The text begins with the mark of another type. Set the type, or change the text.",
	CodeNotYours:     "Only its author corrects, cancels or supersedes a message. Reply to it instead.",
	CodeNotAddressed: "The author of the entry must be among the addressees.",
	CodeNoRelay:      "The author did not permit that this message be passed on. Ask the author first.",
	CodePast:         "The time given does not fit the clock. Correct it.",
	CodeNoClock:      "A substantive answer is asked for; say until when.",
	CodeNoLine:       "No line with this number is in force. Choose another, or 0 for none.",
	CodeNotOnLine:    "Only members of the line use it.",
	CodeLineSerial:   "A changed line carries the next serial number. Start from the newest proposal.",
	CodeWithdrawn:    "The entry was cancelled or superseded by its author. Answer the newer one.",
	CodeUnknownKind:  "This desk does not write entries of this kind.",
	CodeNotReader:    "Only its author and its readers translate a message.",
	CodeTooWide:      "A translation goes to those who read the original, and to its author. Leave the others out.",
	CodeSameLanguage: "Name the language of the translation, not that of the original.",
})
