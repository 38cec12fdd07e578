package release

import "parley"

// Codes of bodies: rules of spec/release.md that bytes can break.
const (
	CodeRPID        parley.Code = "roster-rp-id"
	CodeOrigin      parley.Code = "roster-origin"
	CodeKey         parley.Code = "roster-key"
	CodeKeyRepeated parley.Code = "roster-key-repeated"
	CodeSameKey     parley.Code = "release-same-key"
)

// Codes of a RELEASE that does not hold, and of Check.
const (
	CodeNotAll       parley.Code = "roster-not-all"
	CodeSerial       parley.Code = "roster-serial"
	CodeClock        parley.Code = "roster-clock"
	CodeNoRoster     parley.Code = "release-no-roster"
	CodeOldRoster    parley.Code = "release-old-roster"
	CodeUnknownKey   parley.Code = "release-unknown-key"
	CodeFunction     parley.Code = "release-function"
	CodeSameOffice   parley.Code = "release-same-office"
	CodeClientData   parley.Code = "release-client-data"
	CodeType         parley.Code = "release-type"
	CodeChallenge    parley.Code = "release-challenge"
	CodeWrongOrigin  parley.Code = "release-origin"
	CodeCrossOrigin  parley.Code = "release-cross-origin"
	CodeAuthData     parley.Code = "release-authenticator-data"
	CodeRP           parley.Code = "release-rp"
	CodeNotPresent   parley.Code = "release-not-present"
	CodeNotVerified  parley.Code = "release-not-verified"
	CodeBackup       parley.Code = "release-backup-flags"
	CodeSignature    parley.Code = "release-signature"
	CodeDigest       parley.Code = "release-digest"
	CodeAudience     parley.Code = "release-audience"
	CodeUsed         parley.Code = "release-used"
	CodeStanding     parley.Code = "release-standing"
	CodeAlone        parley.Code = "release-alone"
	CodeNotReleasing parley.Code = "release-of-release"
)

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeRPID:        "Write the name of the console's host as its certificate has it, in lower case, without scheme and port.",
	CodeOrigin:      "Write each address as https://host or https://host:port under the console's name; http only for localhost.",
	CodeKey:         "The key is not valid for its algorithm. Register the officer's passkey again.",
	CodeKeyRepeated: "A key stands in the roster twice. Leave one of them out.",
	CodeSameKey:     "Two different officers release: ask another one.",

	CodeNotAll:       "A roster is addressed to all members and stands in ROUTINE.",
	CodeSerial:       "A new roster carries a greater serial than every earlier one. Start from the newest roster.",
	CodeClock:        "The clock stands before this party's newest release. Correct the clock first; a roster dated back would spoil that release.",
	CodeNoRoster:     "The release rests on a roster of its author that is not in this record. Wait for it; if it never comes, ask the author.",
	CodeOldRoster:    "The release rests on a roster that a newer one had replaced. Ask the author which officers released.",
	CodeUnknownKey:   "The key is not in the roster. Let an officer of the roster release, or post the new roster first.",
	CodeFunction:     "The roster does not give this key that function. Let an officer who has it do this step.",
	CodeSameOffice:   "Both keys belong to one office. Another officer must release.",
	CodeClientData:   "What the browser signed is not readable in one way only. Sign again in a current browser; if it repeats, report the browser.",
	CodeType:         "The signature was made for another purpose than signing in. Sign again on the console's page.",
	CodeChallenge:    "The signature is for another draft, step, party or channel. Sign again; nothing signed before an edit holds.",
	CodeWrongOrigin:  "The signature was made on a page that is not among the roster's addresses. Use the console's own address.",
	CodeCrossOrigin:  "The signature was made inside another site's page. Open the console by itself and sign again.",
	CodeAuthData:     "The authenticator's data are not in their form. Sign again; if it repeats, replace the authenticator.",
	CodeRP:           "The passkey belongs to another host name than the roster's. Register a passkey on this console.",
	CodeNotPresent:   "The authenticator did not see a person. Sign again and touch it.",
	CodeNotVerified:  "The authenticator did not verify its holder. Sign again with its PIN or fingerprint.",
	CodeBackup:       "The authenticator's statement about backups contradicts itself. Replace the authenticator.",
	CodeSignature:    "The signature does not fit the key. Sign again; if it repeats, treat the key as stolen and change the roster.",
	CodeDigest:       "The release is for another text, precedence or addressees than what follows it. Treat the entry as not released by two persons.",
	CodeAudience:     "The release is addressed to others than the entry that it speaks for. Treat the entry as not released by two persons.",
	CodeUsed:         "These approvals were used for an earlier entry already. If it was posted twice by mistake, nothing is lost; let both officers approve anew.",
	CodeStanding:     "The release or its entry has no effect where it stands in the record. Ask the author to repeat it under keys in force.",
	CodeAlone:        "A release and the entry that it speaks for are posted together, the release first.",
	CodeNotReleasing: "A release speaks for another entry, not for a release.",
})
