// Package locale holds the words of the officers' console in English, Hindi
// and Urdu, and writes numbers, times and durations so that no language and no
// direction of writing can change what they say.
//
// A message has a key and is written with T; its arguments stand in the text
// as {0}, {1} and so on, in whatever order a language needs:
//
//	l := locale.For("ur")
//	l.T("read.from", "Pakistan")          // "read.from": "From {0}"
//	l.T("strip.unread", 3)                // a plural: the first argument chooses the form
//	l.Enum("lane", "FLASH")               // the message lane.flash
//	l.Error("bad-name", remedy)           // error.bad-name, or the English given, marked as English
//
// Templates use the same through Funcs: {{t "read.from" .Name}}, {{enum "lane"
// .Lane}}, {{dtg .At}}.
//
// An argument that is a text is isolated from the direction of the sentence
// around it, and an ID always runs from left to right, so that a name in
// another script cannot reorder a sentence. Control characters of direction
// inside an argument are shown as U+FFFD: a name must not be able to rearrange
// what stands around it. This protects sentences; a whole text of somebody
// else belongs in an element of its own with dir="auto".
//
// Digits are Western in every language, as on the military line itself, and
// precedences, answer codes and banners keep the words of the protocol beside
// their translation, since both sides must read the same word.
//
// # Catalogues
//
// catalogues/LANG.json, and catalogues/LANG-AREA.json beside it for the messages
// of one part of the console, hold for each language its messages in two sets:
// those a fluent officer has approved, and those "to be reviewed", which were
// translated without one. A review moves a message from one set to the other.
// English is the source: a key that stands there must stand in every language,
// with the same arguments; a test holds that, and that no key is unused.
//
// A Locale is immutable and safe for use by several goroutines.
package locale
