// Package officer is the book of one party's officers: who they are, with
// which passkeys they sign in, who has the watch, and what two of them let out.
//
//	b, err := officer.Open(officer.Config{Path: dir + "/officers.db", Channel: ch, Party: me,
//		Name: "ALFA", RPID: "localhost", Origins: []string{"http://localhost:8443"}})
//	link, err := b.SetupToken()                        // first start: a one-time link
//	in, err := b.FinishSignIn(from, ceremony, answer)  // a passkey's assertion
//	s, err := b.Session(in.Token)                      // on every request
//	err = b.May(s, officer.DraftMessage, officer.Object{})
//
// A message that two persons release goes this way. The drafter saves a draft,
// looks at it, and submits it: his passkey signs release.Challenge over the
// exact bytes. Another officer looks at it, at least two seconds, and releases
// it with another passkey. FinishRelease then gives the message and both
// approvals, once; the caller composes the RELEASE, posts both, and says so
// (Posted). Until then the draft is releasing, also after a crash: Settle asks
// the caller what the record holds. An edit voids every approval.
//
// Every fact is an entry of the party's own internal journal: append-only, a
// Merkle tree in one SQLite file, every head signed by a key of the book that
// lies in a file beside it. What anybody sees is the fold of the entries. Open
// computes tree and fold again and refuses a book that was edited, cut short
// or put back. Texts of drafts are kept apart, sealed, under their hash: the
// journal says who did what to which draft, never what it says. Translations
// that officers keep for their own house (Aside) are kept the same way.
//
// Passkeys are WebAuthn credentials, discoverable, with the user verified, of
// the algorithms ES256 and EdDSA. A challenge is good for one answer within a
// minute, right or wrong, and for the session that asked; challenges live in
// memory only, so none survives a restart. A counter that does not grow is
// refused. Sessions are 256 random bits of which the book keeps the hash.
//
// What it does not do: it cannot tell who held a passkey, and whoever can
// write both the book's files and its key file can write another book. Its
// clock is the machine's: only what lasts within one run of the process
// (challenges, the look before an approval, idle sessions) is safe from jumps
// of the clock; the delay of a recovery is not.
//
// A Book is safe for use by several goroutines. Everything it returns is a
// copy.
package officer
