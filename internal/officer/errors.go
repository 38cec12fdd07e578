package officer

import "parley"

// Codes of the book and of its files.
const (
	CodeBook    parley.Code = "officers-damaged"
	CodeInUse   parley.Code = "officers-in-use"
	CodeOther   parley.Code = "officers-other"
	CodeFailed  parley.Code = "officers-failed"
	CodeVersion parley.Code = "officers-version"
	CodeProof   parley.Code = "officers-proof"
)

// Codes of signing in and of passkeys.
const (
	CodeSignIn    parley.Code = "sign-in-refused"
	CodeSession   parley.Code = "session-ended"
	CodeLink      parley.Code = "link-refused"
	CodeCeremony  parley.Code = "passkey-question"
	CodePasskey   parley.Code = "passkey-refused"
	CodeCloned    parley.Code = "passkey-cloned"
	CodeSynced    parley.Code = "passkey-synced"
	CodeKnownKey  parley.Code = "passkey-known"
	CodeTooMany   parley.Code = "slow-down"
	CodeForbidden parley.Code = "not-permitted"
	CodeFresh     parley.Code = "sign-in-again"
)

// Codes of officers, drafts and rules.
const (
	CodeOfficer parley.Code = "bad-officer"
	CodeTitle   parley.Code = "title-taken"
	CodeLast    parley.Code = "last-administrator"
	CodeDraft   parley.Code = "no-such-draft"
	CodeState   parley.Code = "draft-state"
	CodeStale   parley.Code = "draft-changed"
	CodeQuick   parley.Code = "too-quick"
	CodeSame    parley.Code = "same-officer"
	CodeSameKey parley.Code = "same-passkey"
	CodeTwo     parley.Code = "needs-two-officers"
	CodeRoster  parley.Code = "roster-first"
	CodeReason  parley.Code = "reason-missing"
	CodeRule    parley.Code = "bad-rule"
	CodeWatch   parley.Code = "watch"
	CodeWait    parley.Code = "recovery-waits"
	CodeContent parley.Code = "draft-content"
	CodeAside   parley.Code = "no-such-aside"
	CodeAsides  parley.Code = "too-many-asides"
)

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeBook:    "Stop using this book. Compare it with a copy, find out who wrote to its files, and set the officers up again if it cannot be explained.",
	CodeInUse:   "Another process has the book of officers open. Stop it first.",
	CodeOther:   "The book belongs to another party, address or mode. Start the console as before; a new address needs new passkeys and so a new book.",
	CodeFailed:  "The disk failed a write or a read. Check the disk, then start the node again.",
	CodeVersion: "A newer version of Parley wrote this book. Start that version or a later one.",
	CodeProof:   "The proof does not fit the entry, the head or the key. Export it again from the book.",

	CodeSignIn:    "Sign in again. If it stays so, ask an administrator to look at your passkeys.",
	CodeSession:   "Sign in again.",
	CodeLink:      "Ask for a new link. A link works once, within 30 minutes; the first one is printed when the node starts.",
	CodeCeremony:  "Start again. A question to a passkey is good for one answer within a minute.",
	CodePasskey:   "Try again with a passkey of this console. It must ask for a PIN, a finger or a face.",
	CodeCloned:    "Do not use this passkey. Its counter did not grow: somebody may have a copy. Tell an administrator at once.",
	CodeSynced:    "Use a passkey that stays on its device, such as a security key. This party's rules want that for releasing.",
	CodeKnownKey:  "This passkey is enrolled already. Use another one.",
	CodeTooMany:   "Wait a minute, then try once.",
	CodeFresh:     "Sign in with your passkey again, then repeat it. Changes of officers and rules need that.",
	CodeForbidden: "Ask an officer who may do it, or an administrator to change roles or rules.",

	CodeOfficer: "Correct the officer's name, title, roles or language.",
	CodeTitle:   "Another officer has this title. The other side tells officers apart by it: choose another.",
	CodeLast:    "Make another officer administrator first.",
	CodeDraft:   "The draft does not exist any more. Look at the list of drafts.",
	CodeState:   "The draft has moved on. Open it again and read where it stands.",
	CodeStale:   "The draft was changed after you read it. Read it again, then decide.",
	CodeQuick:   "Read the draft first; at least two seconds lie between reading and approving.",
	CodeSame:    "Another officer must do this step.",
	CodeSameKey: "Another passkey must do this step.",
	CodeTwo:     "Enrol a second officer who may do the other step. Until then nothing goes out that takes two persons.",
	CodeRoster:  "Post the roster of keys first: the other side does not know this passkey yet.",
	CodeReason:  "Say why, in a few words.",
	CodeRule:    "Correct the rule: one or two persons, of the officers who have the role.",
	CodeWatch:   "Look at who has the watch now, then decide.",
	CodeWait:    "Wait until the time that is shown. Every officer is told meanwhile, and may stop it.",
	CodeContent: "Shorten the draft, or its subject.",
	CodeAside:   "The translation was removed. Open the message again.",
	CodeAsides:  "Remove translations that nobody needs any more.",
})
