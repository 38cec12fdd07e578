package officer

import "parley"

// Action is something that a session may ask to do. The table in this file
// says who may; what it does not say, nobody may.
type Action uint8

const (
	ReadRecord     Action = iota + 1 // lines, messages, duties, record health
	DraftMessage                     // save, edit and drop drafts
	SubmitDraft                      // stand for a draft as its drafter
	ReleaseDraft                     // let it out
	ReturnDraft                      // give it back with a reason
	Answer                           // acknowledge, answer, query a message
	TakeWatch                        // take, offer the watch
	SeeOfficers                      // the list of officers
	ManageOfficers                   // add, change, remove, end sessions of others
	ManageSelf                       // own passkeys, sessions, language
	SetRules                         // rules of release, settings
	ApproveChange                    // be the second person of a rule change or recovery
	PostRoster                       // propose the roster of keys
	SeeAudit                         // the journal, with proofs
	Export                           // records and proofs as files
)

// Object is what an action is done to; fields that do not matter stay empty.
type Object struct {
	Draft   uint64
	Officer ID
	Line    uint64
	Lane    parley.Lane
}
