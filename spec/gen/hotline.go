package main

import (
	"bytes"
	"fmt"
	"strings"

	"parley"
	"parley/hotline"
)

func init() { pages["hotline"] = hotlinePage }

func refTo(p parley.Party, lane parley.Lane, i uint64) *parley.Ref {
	return &parley.Ref{Party: p, Lane: lane, Gen: genOf("hotline"), Index: i, Leaf: named(fmt.Sprint("leaf ", p, lane, i))}
}

// hotlinePage writes the vectors of spec/hotline.md. Every one stands in a
// channel of four members; where nothing else is said the author is member 1
// and writes to all in FLASH.
func hotlinePage(w *writer) {
	v := func(kind parley.Kind, name, expect, rule, comment string, body []byte, params ...string) {
		w.vector(name, expect, rule, comment, body, append([]string{fmt.Sprintf("kind: %d", kind)}, params...)...)
	}
	good := func(name, rule, comment string, b hotline.Body, params ...string) {
		v(b.Kind(), name, "ok", rule, comment, b.Encode(), params...)
	}
	// bad writes a body that its type can hold but no rule allows.
	bad := func(name string, expect parley.Code, rule, comment string, b hotline.Body, params ...string) {
		v(b.Kind(), name, string(expect), rule, comment, b.Encode(), params...)
	}
	hotlineTexts(good, bad, v)
	hotlineAnswers(good, bad, v)
	hotlineLines(good, bad, v)
	hotlineCalls(good, bad, v)
	hotlineTranslations(good, bad, v)
}

type (
	goodVector func(name, rule, comment string, b hotline.Body, params ...string)
	badVector  func(name string, expect parley.Code, rule, comment string, b hotline.Body, params ...string)
	rawVector  func(kind parley.Kind, name, expect, rule, comment string, body []byte, params ...string)
)

func hotlineTexts(good goodVector, bad badVector, raw rawVector) {
	full := func() *hotline.Text {
		return &hotline.Text{Type: hotline.Exercise, Line: 1, Text: "1. First.\n\t2. Second.\nخط · हॉटलाइन", Subject: "Incident",
			Ack: hotline.AckSubstantive, ReplyBy: tenthOfMay + 7200, Relation: hotline.Corrects, About: refTo(1, parley.Flash, 3),
			Paragraphs: []uint16{1, 4}, Info: parley.AudienceOf(3, 4), InfoLane: parley.Routine,
			Citations: []hotline.Citation{{Ref: refTo(2, parley.Flash, 1)}, {Note: "note of 8 May"}, {Ref: refTo(1, parley.Flash, 3), Note: "paragraph 4"}},
			Handling:  hotline.NoRelay, Language: "en-IN", Governs: true, Reservation: "Without prejudice.", Drafter: "desk officer", Releaser: "director"}
	}
	change := func(f func(*hotline.Text)) *hotline.Text { t := full(); f(t); return t }
	plain := &hotline.Text{Line: 1, Text: "Request a talk."}

	good("text", "H3", "a short message on line 1: five bytes and its text", plain)
	good("text-full", "H3", "every field of a message", full())
	good("text-empty", "H3", "a message without text, such as a cancellation", &hotline.Text{Relation: hotline.Cancels, About: refTo(1, 0, 2)})
	good("text-bidi", "H6", "the text of a message may turn its direction", &hotline.Text{Text: "\u202bخط\u202c 1"})
	good("text-releaser", "H12", "only the releaser is named", &hotline.Text{Text: "x", Releaser: "director"})
	good("info-some", "H8", "one reader for action, one for information", &hotline.Text{Text: "x", Info: parley.AudienceOf(3), InfoLane: parley.Flash}, "to: 12")

	raw(hotline.KindText, "text-two-fields", "wrong-length", "H1", "a message of two fields", []byte{0x82, 0, 1})
	raw(hotline.KindText, "text-fourteen-fields", "wrong-length", "H1", "a message of fourteen fields",
		append([]byte{0x8e}, bytes.Repeat([]byte{0}, 14)...))
	raw(hotline.KindText, "text-trailing-default", "not-canonical", "H2", "the last field is empty",
		parley.AppendText(append([]byte{0x84, 0, 1}, 0x61, 'x'), ""))
	raw(hotline.KindText, "text-trailing-null", "not-canonical", "H2", "the last field is a relation of null",
		append([]byte{0x87, 0, 1, 0x61, 'x', 0x60, 0, 0}, 0xf6))
	raw(hotline.KindText, "text-type-word", "wrong-type", "H1", "the type is a word", []byte{0x83, 0x64, 't', 'e', 's', 't', 1, 0x61, 'x'})
	raw(hotline.KindText, "text-followed", "trailing-bytes", "H1", "a byte follows the message", append(plain.Encode(), 0))
	bad("text-type-4", parley.CodeOutOfRange, "H4", "type 4 does not exist", &hotline.Text{Type: 4, Text: "x"})
	bad("text-line-100", parley.CodeOutOfRange, "H4", "line 100", &hotline.Text{Line: 100, Text: "x"})
	bad("text-ack-5", parley.CodeOutOfRange, "H4", "acknowledgement 5 does not exist", &hotline.Text{Text: "x", Ack: 5})
	bad("text-handling-5", parley.CodeOutOfRange, "H4", "handling 5 does not exist", &hotline.Text{Text: "x", Handling: 5})
	bad("relation-6", parley.CodeOutOfRange, "H4", "relation 6 does not exist", change(func(t *hotline.Text) { t.Relation, t.Paragraphs = 6, nil }))
	bad("text-long", parley.CodeLength, "H5", "a text of 32,769 bytes", &hotline.Text{Text: strings.Repeat("x", 32769)})
	bad("subject-long", parley.CodeLength, "H5", "a subject of 201 bytes", &hotline.Text{Text: "x", Subject: strings.Repeat("x", 201)})
	bad("citations-27", parley.CodeLength, "H5", "27 references; the letters end", &hotline.Text{Text: "x", Citations: func() (cs []hotline.Citation) {
		for range 27 {
			cs = append(cs, hotline.Citation{Note: "n"})
		}
		return
	}()})
	bad("text-escape", hotline.CodeCharacter, "H6", "an escape character in the text", &hotline.Text{Text: "a\x1b[2Jb"})
	bad("text-c1", hotline.CodeCharacter, "H6", "the control character U+009B in the text", &hotline.Text{Text: "a\u009b2J"})
	bad("subject-newline", hotline.CodeCharacter, "H7", "a subject of two lines", &hotline.Text{Text: "x", Subject: "a\nb"})
	bad("subject-override", hotline.CodeCharacter, "H7", "U+202E turns the direction of the subject", &hotline.Text{Text: "x", Subject: "a\u202eb"})
	bad("citation-isolate", hotline.CodeCharacter, "H7", "U+2066 turns the direction of a reference", &hotline.Text{Text: "x", Citations: []hotline.Citation{{Note: "a\u2066b"}}})
	bad("subject-utf8", parley.CodeUTF8, "H1", "a subject that is not UTF-8", &hotline.Text{Text: "x", Subject: "\xff"})
	bad("info-not-reader", hotline.CodeInfo, "H8", "an info addressee who does not read the message", &hotline.Text{Text: "x", Info: parley.AudienceOf(4)}, "to: 12")
	bad("info-all", hotline.CodeInfo, "H8", "all readers for information, none for action", &hotline.Text{Text: "x", Info: parley.AudienceOf(2, 3)}, "to: 12")
	bad("info-author", hotline.CodeInfo, "H8", "the author as an info addressee", &hotline.Text{Text: "x", Info: parley.AudienceOf(1, 3)})
	bad("info-higher", hotline.CodeInfo, "H8", "FLASH for info addressees of a ROUTINE message", &hotline.Text{Text: "x", Info: parley.AudienceOf(3)}, "lane: 3")
	raw(hotline.KindText, "info-empty", "bad-info", "H8", "an empty set of info addressees",
		append([]byte{0x88, 0, 1, 0x61, 'x', 0x60, 0, 0, 0xf6}, 0x82, 0, 3))
	bad("paragraphs-of-reply", hotline.CodeParagraphs, "H9", "a reply that names paragraphs", change(func(t *hotline.Text) { t.Relation = hotline.Reply }))
	bad("paragraphs-descending", hotline.CodeParagraphs, "H9", "paragraphs out of order", change(func(t *hotline.Text) { t.Paragraphs = []uint16{4, 1} }))
	bad("paragraph-0", hotline.CodeParagraphs, "H9", "paragraph 0", change(func(t *hotline.Text) { t.Paragraphs = []uint16{0} }))
	bad("citation-empty", hotline.CodeCitation, "H10", "a reference to nothing", &hotline.Text{Text: "x", Citations: []hotline.Citation{{}}})
	bad("language-space", hotline.CodeLanguage, "H11", "a language with a space", &hotline.Text{Text: "x", Language: "en GB"})
	bad("language-digit", hotline.CodeLanguage, "H11", "a primary subtag with a digit", &hotline.Text{Text: "x", Language: "e1"})
	bad("language-long-subtag", hotline.CodeLanguage, "H11", "a subtag of nine letters", &hotline.Text{Text: "x", Language: "en-abcdefghi"})
	raw(hotline.KindText, "roles-empty", "empty-roles", "H12", "neither drafter nor releaser, but not null",
		append([]byte{0x8d, 0, 1, 0x61, 'x', 0x60, 0, 0, 0xf6, 0xf6, 0x80, 0, 0xf6, 0x60}, 0x82, 0x60, 0x60))
}

func hotlineAnswers(good goodVector, bad badVector, raw rawVector) {
	about := *refTo(2, parley.Flash, 1)
	good("answer-opened", "H13", "the duty officer has opened it", &hotline.Answer{About: about, Code: hotline.Opened})
	good("answer-declined", "H13", "declined, with a reason of two lines", &hotline.Answer{About: about, Code: hotline.Declined, Text: "Not now.\nLater."})
	bad("answer-0", parley.CodeOutOfRange, "H13", "answer 0", &hotline.Answer{About: about})
	bad("answer-11", parley.CodeOutOfRange, "H13", "answer 11 does not exist", &hotline.Answer{About: about, Code: 11})
	bad("answer-long", parley.CodeLength, "H5", "a reason of 1,001 bytes", &hotline.Answer{About: about, Code: hotline.Unable, Text: strings.Repeat("x", 1001)})
	bad("answer-return", hotline.CodeCharacter, "H6", "a carriage return in the reason", &hotline.Answer{About: about, Code: hotline.Unable, Text: "a\rb"})
	raw(hotline.KindAnswer, "answer-no-ref", "wrong-type", "H13", "an answer to null", []byte{0x83, 0xf6, 3, 0x60})
}

func hotlineLines(good goodVector, bad badVector, raw rawVector) {
	line := func(f func(*hotline.Line)) *hotline.Line {
		l := &hotline.Line{Number: 1, Serial: 1, Name: "military", Level: "military operations", Members: parley.AudienceOf(1, 2),
			Medium: hotline.Voice, Schedule: &hotline.Schedule{First: 2, Start: tenthOfMay, Days: 0b10, Minutes: []uint16{390, 990}},
			Holidays: []uint32{20220, 20221}, Next: 3, Grace: 1800}
		if f != nil {
			f(l)
		}
		return l
	}
	good("line", "H14", "a line tested on Tuesdays at 06:30 and 16:30 UTC", line(nil))
	good("line-interval", "H16", "a line tested every six hours", line(func(l *hotline.Line) {
		l.Schedule = &hotline.Schedule{First: 1, Start: tenthOfMay, Every: 21600}
	}))
	good("line-untested", "H16", "a line without tests", line(func(l *hotline.Line) { l.Schedule, l.Grace, l.Holidays = nil, 0, nil }))

	bad("line-0", parley.CodeOutOfRange, "H14", "line 0", line(func(l *hotline.Line) { l.Number = 0 }))
	bad("line-serial-0", parley.CodeOutOfRange, "H14", "serial 0", line(func(l *hotline.Line) { l.Serial = 0 }))
	bad("line-medium-5", parley.CodeOutOfRange, "H14", "medium 5 does not exist", line(func(l *hotline.Line) { l.Medium = 5 }))
	bad("line-name", parley.CodeName, "H14", "a line without a name", line(func(l *hotline.Line) { l.Name = "" }))
	bad("line-level", hotline.CodeCharacter, "H7", "a level of two lines", line(func(l *hotline.Line) { l.Level = "a\nb" }))
	bad("line-alone", hotline.CodeLineMembers, "H15", "a line of one member", line(func(l *hotline.Line) { l.Members = parley.AudienceOf(2) }))
	bad("line-stranger", hotline.CodeLineMembers, "H15", "member 5 of four", line(func(l *hotline.Line) { l.Members = parley.AudienceOf(1, 2, 5) }))
	bad("line-unread", hotline.CodeLineMembers, "H15", "member 2 cannot read the proposal", line(nil), "to: 8")
	bad("line-next-self", hotline.CodeNextLine, "H17", "a line that escalates to itself", line(func(l *hotline.Line) { l.Next = 1 }))
	bad("schedule-both", hotline.CodeSchedule, "H16", "an interval and weekdays", line(func(l *hotline.Line) { l.Schedule.Every = 21600 }))
	bad("schedule-neither", hotline.CodeSchedule, "H16", "weekdays without times", line(func(l *hotline.Line) { l.Schedule.Minutes = nil }))
	bad("schedule-first", hotline.CodeSchedule, "H16", "the first caller is not on the line", line(func(l *hotline.Line) { l.Schedule.First = 3 }))
	bad("schedule-fast", hotline.CodeSchedule, "H16", "an interval of 299 s", line(func(l *hotline.Line) {
		l.Schedule = &hotline.Schedule{First: 1, Start: tenthOfMay, Every: 299}
	}))
	bad("schedule-no-grace", hotline.CodeSchedule, "H16", "tests without a time of grace", line(func(l *hotline.Line) { l.Grace = 0 }))
	bad("grace-no-schedule", hotline.CodeSchedule, "H16", "a time of grace without tests", line(func(l *hotline.Line) { l.Schedule = nil }))
	bad("schedule-day-8", parley.CodeOutOfRange, "H16", "an eighth day of the week", line(func(l *hotline.Line) { l.Schedule.Days = 0x82 }))
	bad("schedule-minute-1440", parley.CodeOutOfRange, "H16", "minute 1,440 of a day", line(func(l *hotline.Line) { l.Schedule.Minutes = []uint16{1440} }))
	bad("schedule-minutes-descending", parley.CodeNotSorted, "H18", "times of the day out of order", line(func(l *hotline.Line) { l.Schedule.Minutes = []uint16{990, 390} }))
	bad("holidays-twice", parley.CodeNotSorted, "H18", "a date that stands twice", line(func(l *hotline.Line) { l.Holidays = []uint32{20220, 20220} }))
	raw(hotline.KindLine, "line-nine-fields", "wrong-length", "H14", "a line of nine fields", append([]byte{0x89}, line(nil).Encode()[1:]...))
}

func hotlineCalls(good goodVector, bad badVector, raw rawVector) {
	call := func(f func(*hotline.Attempt)) *hotline.Attempt {
		a := &hotline.Attempt{Type: hotline.Exercise, Line: 1, Caller: 2, Called: parley.AudienceOf(1), At: tenthOfMay - 15300, Outcome: hotline.NoAnswer, Note: "rang twelve times"}
		if f != nil {
			f(a)
		}
		return a
	}
	good("attempt", "H19", "a call of member 2 to member 1, recorded by the one called", call(nil))
	good("attempt-caller", "H20", "the same, recorded by the caller", call(nil), "author: 2")
	bad("attempt-outcome-0", parley.CodeOutOfRange, "H19", "outcome 0", call(func(a *hotline.Attempt) { a.Outcome = 0 }))
	bad("attempt-outcome-6", parley.CodeOutOfRange, "H19", "outcome 6 does not exist", call(func(a *hotline.Attempt) { a.Outcome = 6 }))
	bad("attempt-time-0", parley.CodeOutOfRange, "H19", "a call at no time", call(func(a *hotline.Attempt) { a.At = 0 }))
	bad("attempt-caller-0", parley.CodeOutOfRange, "H19", "caller 0", call(func(a *hotline.Attempt) { a.Caller = 0 }))
	bad("attempt-self", hotline.CodeCaller, "H20", "a member calls itself", call(func(a *hotline.Attempt) { a.Called = parley.AudienceOf(1, 2) }))
	bad("attempt-nobody", hotline.CodeCaller, "H20", "nobody is called", call(func(a *hotline.Attempt) { a.Called = 0 }))
	bad("attempt-third", hotline.CodeCaller, "H20", "recorded by a member that took no part", call(nil), "author: 3")
	bad("attempt-stranger", hotline.CodeCaller, "H20", "member 5 of four is called", call(func(a *hotline.Attempt) { a.Called = parley.AudienceOf(1, 5) }))
	raw(hotline.KindAttempt, "attempt-six-fields", "wrong-length", "H19", "a call without a note", append([]byte{0x86}, call(nil).Encode()[1:]...))

	good("query-sent", "H21", "did you send this? in words", &hotline.Query{Ask: hotline.DidYouSend, Text: "A call at 20:00Z."})
	good("query-opened", "H21", "did you open this?", &hotline.Query{Type: hotline.Drill, Line: 1, Ask: hotline.DidYouOpen, About: refTo(1, parley.Flash, 1)})
	bad("query-0", parley.CodeOutOfRange, "H21", "question 0", &hotline.Query{Text: "x"})
	bad("query-3", parley.CodeOutOfRange, "H21", "question 3 does not exist", &hotline.Query{Ask: 3, Text: "x"})
	bad("query-opened-words", hotline.CodeQuestion, "H22", "did you open this? without an entry", &hotline.Query{Ask: hotline.DidYouOpen, Text: "that one"})
	bad("query-empty", hotline.CodeQuestion, "H22", "did you send this? about nothing", &hotline.Query{Ask: hotline.DidYouSend})
}

func hotlineTranslations(good goodVector, bad badVector, raw rawVector) {
	about := *refTo(2, parley.Flash, 1)
	of := func(f func(*hotline.Translation)) *hotline.Translation {
		t := &hotline.Translation{About: about, Language: "ur", Text: "بات چیت کی درخواست ہے۔"}
		if f != nil {
			f(t)
		}
		return t
	}
	full := func() *hotline.Translation {
		return &hotline.Translation{About: about, Language: "hi-Deva-IN", Status: hotline.Machine, Text: "1. पहला।\n\t2. दूसरा।", Subject: "घटना",
			Translator: "Ministry, translation service"}
	}
	good("translation", "H23", "a courtesy translation of a message of member 2 into Urdu", of(nil))
	good("translation-full", "H24", "every field of a translation", full())
	good("translation-translator", "H2", "a translator and an empty subject", of(func(t *hotline.Translation) { t.Translator = "x" }))
	good("translation-bidi", "H6", "the text of a translation may turn its direction", of(func(t *hotline.Translation) { t.Text = "\u202bخط\u202c 1" }))

	head := func(n byte) []byte { return parley.AppendText(parley.AppendRef([]byte{0x80 | n}, about), "ur") }
	raw(hotline.KindTranslation, "translation-three-fields", "wrong-length", "H2", "a translation without a text", append(head(3), 0))
	raw(hotline.KindTranslation, "translation-seven-fields", "wrong-length", "H1", "a translation of seven fields",
		append([]byte{0x87}, append(full().Encode()[1:], 0)...))
	raw(hotline.KindTranslation, "translation-trailing-empty", "not-canonical", "H2", "the last field is empty", append(head(5), 0, 0x61, 'x', 0x60))
	raw(hotline.KindTranslation, "translation-both-empty", "not-canonical", "H2", "subject and translator are empty", append(head(6), 0, 0x61, 'x', 0x60, 0x60))
	raw(hotline.KindTranslation, "translation-no-ref", "wrong-type", "H23", "a translation of null", []byte{0x84, 0xf6, 0x62, 'u', 'r', 0, 0x61, 'x'})
	raw(hotline.KindTranslation, "translation-status-word", "wrong-type", "H23", "the status is a word", append(head(4), 0x61, 'c', 0x61, 'x'))
	raw(hotline.KindTranslation, "translation-followed", "trailing-bytes", "H1", "a byte follows the translation", append(of(nil).Encode(), 0))
	bad("translation-empty", parley.CodeLength, "H23", "a translation of no words", of(func(t *hotline.Translation) { t.Text = "" }))
	bad("translation-long", parley.CodeLength, "H5", "a text of 32,769 bytes", of(func(t *hotline.Translation) { t.Text = strings.Repeat("x", 32769) }))
	bad("translation-status-3", parley.CodeOutOfRange, "H23", "status 3 does not exist", of(func(t *hotline.Translation) { t.Status = 3 }))
	bad("translation-no-language", parley.CodeLength, "H5", "no language", of(func(t *hotline.Translation) { t.Language = "" }))
	bad("translation-language", hotline.CodeLanguage, "H23", "a language of two words", of(func(t *hotline.Translation) { t.Language = "Urdu Hindi" }))
	bad("translation-escape", hotline.CodeCharacter, "H6", "an escape character in the text", of(func(t *hotline.Translation) { t.Text = "a\x1b[2Jb" }))
	bad("translation-subject-lines", hotline.CodeCharacter, "H7", "a subject of two lines", of(func(t *hotline.Translation) { t.Subject = "a\nb" }))
	bad("translator-override", hotline.CodeCharacter, "H7", "U+202E turns the direction of the translator", of(func(t *hotline.Translation) { t.Translator = "a\u202eb" }))
	bad("translator-long", parley.CodeLength, "H5", "a translator of 65 bytes", of(func(t *hotline.Translation) { t.Translator = strings.Repeat("x", 65) }))
	bad("translation-utf8", parley.CodeUTF8, "H1", "a text that is not UTF-8", of(func(t *hotline.Translation) { t.Text = "\xff" }))
}
