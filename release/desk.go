package release

import (
	"time"

	"parley"
)

// Desk is what one member knows of rosters and releases: the facts it was
// told, and the questions to them. See the package comment.
type Desk struct {
	charter *parley.Charter
	me      parley.Party
}

// New is an empty desk of member me in the channel of charter ch.
func New(ch *parley.Charter, me parley.Party) *Desk { return &Desk{charter: ch, me: me} }

// Apply takes in an entry of any kind.
func (d *Desk) Apply(p parley.Posted) {}

// Proof takes in a receipt, of which this desk has no use.
func (d *Desk) Proof(parley.Receipted) {}

// Due lists nothing: nobody owes a roster or a release.
func (d *Desk) Due(time.Time) []parley.Duty { return nil }

// Check asks whether this member may post a draft of this desk now.
func (d *Desk) Check(p parley.Draft, now time.Time) error { return nil }

// CheckTogether asks whether speech, a RELEASE, may be posted with next right
// behind it: Check, and that it speaks for exactly this draft.
func (d *Desk) CheckTogether(speech, next parley.Draft, now time.Time) error { return nil }

// Compose makes the draft of a RELEASE for next, resting on this member's
// newest roster.
func (d *Desk) Compose(next parley.Draft, drafted, released Approval) (parley.Draft, error) {
	return parley.Draft{}, nil
}

// State says what is known of an entry's release.
type State uint8

const (
	NotStated State = iota // no RELEASE stands before the entry; no reproach
	Held                   // two keys of the roster released exactly this entry
	Broken                 // a RELEASE stands before it and does not hold
)

// Status is what the record says of the release of one entry.
type Status struct {
	Ref      parley.Ref // the entry
	State    State
	By       *parley.Ref // the RELEASE; nil if NotStated
	Drafted  Signer      // if Held
	Released Signer      // if Held
	Roster   *Version    // that the release rests on; nil if it is not known
	Why      error       // if Broken: a stable code, and a sentence
}

// Of is what the record says of the release of an entry.
func (d *Desk) Of(r parley.Ref) Status { return Status{Ref: r} }

// Change says how a roster came to replace the one before it.
type Change uint8

const (
	First      Change = iota // there was none before: the node's word alone
	ByOfficers               // two officers of the former roster released it
	ByNode                   // by the node alone
)

// Version is a roster as it stands in the record.
type Version struct {
	Ref      parley.Ref
	Time     uint64 // its author's claim, seconds since 1970
	Standing parley.Standing
	Roster   *Roster
	Change   Change
	Status   Status   // of the roster's own entry
	Notes    []string // what an officer should notice, one sentence each
}

// Roster is the newest roster of a member, nil if it has none, and all that
// ever counted, newest first.
func (d *Desk) Roster(p parley.Party) (current *Version, history []*Version) { return nil, nil }
