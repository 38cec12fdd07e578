// Package release is the desk of officers' keys: which keys a party says its
// officers hold, and the proof that two of them released an entry.
//
// A ROSTER names the keys of a party's officers, each with the title of its
// office and with what it may do: draft, release, or both. A RELEASE speaks
// for the entry that follows it in the same log: it carries two WebAuthn
// assertions, the drafter's and the releaser's, each over a challenge that is
// bound to the channel, the party, the step and the exact draft. Any reader of
// the entry verifies both, with no trust in the party's node
// (spec/release.md).
//
// What it proves is that two keys which the party had named, of two offices,
// signed this draft for this step with a person present and verified by the
// authenticator. It does not prove who held them. A party's own node can
// always speak as the party, and it writes the rosters: a change of roster
// that two officers of the former one released is shown as such, any other as
// made by the node alone. An entry without a RELEASE is "not stated", which is
// no reproach: a party may let one person release, or use no console.
//
// To make an approval, package internal/officer lets the browser sign
//
//	digest := release.Digest(draft)
//	challenge := release.Challenge(channel, me, release.StepDraft, nonce, digest)
//
// with navigator.credentials.get, user verification required, and keeps what
// comes back as a release.Approval. Verify checks one approval against a
// roster at once. When both are there, inside node.Do,
//
//	speech, err := desk.Compose(draft, drafted, released)
//
// makes the draft of the RELEASE, and node.PostTogether(ctx, speech, draft)
// writes both, adjacent, or neither. An officer with several keys has the same
// title on each of them: two keys of one title are one office and release
// nothing together. Two officers must never share a title.
//
// Like every desk it only keeps facts, and answers every question from them,
// whatever the order in which entries came: Of and Line say who released an
// entry, or why its release does not hold, or that none is stated; Roster,
// History and Version say which keys a party names, and how that changed.
// Of verifies two signatures each time, about 0.2 ms, and so do Roster and
// Version: ask about what a page shows, not about the whole record. A RELEASE
// is some 700 bytes long. The package is pure; a Desk is not safe for use by
// several goroutines at once, reading it by several is safe while nobody
// writes.
package release
