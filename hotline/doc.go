// Package hotline is the desk of messages and lines: who said what to whom,
// with which precedence, who has received, opened, passed on, answered or
// declined it, which calls were attempted, and whether a line is alive.
//
// Like every desk it has four parts. Bodies are what its entries say (Text,
// Answer, Line, Attempt, Query, Translation), each with one canonical encoding
// (spec/hotline.md). Check asks before release whether something may be said.
// Apply and Proof take in what the record holds; the Desk keeps facts only, so
// any order of arrival that keeps each log's own order gives the same desk.
// Everything shown is a question to those facts: Messages, Lines, Due.
//
// A desk never resolves anything. Two answers that contradict each other both
// stand; a broken deadline is shown as late; a silent line is "cause unknown"
// until a proof says more, and nobody is blamed for it. Times are claims by the
// clock of the party that wrote them, and are shown with that party's name. A
// translation stands beside its original and never in its place.
//
//	desk := hotline.New(charter, me)
//	desk.Apply(posted)                       // every entry, as the node stores it
//	desk.Proof(receipted)                    // every verified receipt
//	draft := hotline.Draft(&hotline.Text{Line: 1, Text: "..."}, parley.Flash, parley.ToAll)
//	err := desk.Check(draft, now)            // before an officer releases it
//	for _, duty := range desk.Due(now) { ... }
//
// A Desk is not safe for use by several goroutines at once; reading it by
// several is safe while nobody writes. The package is pure.
package hotline
