package officer

// Act names what an entry of the journal says was done.
type Act string

// Acts of the journal.
const (
	ActOpened        Act = "book-opened"
	ActLink          Act = "link-issued"
	ActLinkRefused   Act = "link-refused"
	ActOfficer       Act = "officer-entered"
	ActChanged       Act = "officer-changed"
	ActRemoved       Act = "officer-removed"
	ActPasskey       Act = "passkey-added"
	ActPasskeyGone   Act = "passkey-removed"
	ActCloned        Act = "passkey-cloned"
	ActSignIn        Act = "signed-in"
	ActRefused       Act = "sign-in-refused"
	ActSessionEnd    Act = "session-ended"
	ActDenied        Act = "not-permitted"
	ActWatch         Act = "watch-taken"
	ActHanding       Act = "watch-offered"
	ActSaved         Act = "draft-saved"
	ActSubmitted     Act = "draft-submitted"
	ActReturned      Act = "draft-returned"
	ActReleasing     Act = "draft-approved"
	ActPosted        Act = "draft-posted"
	ActNotPosted     Act = "draft-not-posted"
	ActDropped       Act = "draft-dropped"
	ActStepRefused   Act = "step-refused"
	ActRoster        Act = "roster-in-force"
	ActRules         Act = "rules-proposed"
	ActRulesSet      Act = "rules-changed"
	ActRecovery      Act = "recovery-asked"
	ActRecoveryTwo   Act = "recovery-approved"
	ActRecoveryEnded Act = "recovery-ended"
	ActNote          Act = "noted"
	ActAside         Act = "translation-kept"
	ActAsideGone     Act = "translation-dropped"
)
