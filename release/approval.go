package release

import "parley"

// Limits of an approval, in bytes.
const (
	MinAuthData   = 37
	MaxAuthData   = 1024
	MaxClientData = 2048
	MaxSignature  = 72 // ES256 in DER; Ed25519 has 64
)

// Release is the body of kind 33. It speaks for the entry that follows it in
// its log, which has the same audience.
type Release struct {
	Digest   parley.Hash // of the draft that is released
	Roster   parley.Ref  // of the same author, in which both keys stand
	Drafted  Approval    // by the drafter, StepDraft
	Released Approval    // by the releaser, StepRelease
}

// Approval is an officer's step: a WebAuthn assertion over a Challenge. The
// three byte strings are what navigator.credentials.get returned.
type Approval struct {
	Key        ID
	Nonce      parley.Hash
	AuthData   []byte // authenticatorData
	ClientData []byte // clientDataJSON
	Signature  []byte
}

// Kind is KindRelease.
func (r *Release) Kind() parley.Kind { return KindRelease }

// Encode is the canonical form.
func (r *Release) Encode() []byte {
	b := parley.AppendBytes(parley.AppendArray(nil, 4), r.Digest[:])
	b = parley.AppendRef(b, r.Roster)
	return r.Released.append(r.Drafted.append(b))
}

func (a *Approval) append(b []byte) []byte {
	b = parley.AppendBytes(parley.AppendArray(b, 5), a.Key[:])
	b = parley.AppendBytes(b, a.Nonce[:])
	b = parley.AppendBytes(b, a.AuthData)
	b = parley.AppendBytes(b, a.ClientData)
	return parley.AppendBytes(b, a.Signature)
}

func decodeRelease(d *parley.Decoder) *Release {
	var r Release
	d.Array(4, 4)
	r.Digest = d.Hash()
	r.Roster = d.Ref()
	r.Drafted = decodeApproval(d)
	r.Released = decodeApproval(d)
	return &r
}

func decodeApproval(d *parley.Decoder) (a Approval) {
	d.Array(5, 5)
	copy(a.Key[:], d.Bytes(len(a.Key), len(a.Key)))
	a.Nonce = d.Hash()
	a.AuthData = d.Bytes(MinAuthData, MaxAuthData)
	a.ClientData = d.Bytes(2, MaxClientData)
	a.Signature = d.Bytes(8, MaxSignature)
	return a
}

// Check reports the rule that the body alone breaks.
func (r *Release) Check() error {
	if r.Drafted.Key == r.Released.Key {
		return parley.Errorf(CodeSameKey, "key %s drafted and released", r.Drafted.Key.Short())
	}
	return nil
}

// CheckIn checks that the release rests on a roster of its own author.
func (r *Release) CheckIn(author parley.Party, lane parley.Lane, to parley.Audience) error {
	if r.Roster.Party != author || r.Roster.Lane != parley.Routine {
		return parley.Errorf(CodeNoRoster, "the release rests on %s, which is no roster of member %d", r.Roster, author)
	}
	return nil
}
