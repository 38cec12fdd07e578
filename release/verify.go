package release

import "parley"

// Signer is a key that did a step, as its roster names it.
type Signer struct {
	Key    ID
	Alg    Alg
	Title  string
	Synced bool // the key may exist on several devices (its backup-eligible flag)
}

// Verify checks one approval of a draft with that digest, by a key of roster r
// of member author in a channel: WebAuthn Level 3 section 7.2 as far as a
// reader of the record can follow it. It does not know whether the nonce was
// used before, nor whether r is the roster in force; Desk.Of does.
func Verify(r *Roster, channel parley.Hash, author parley.Party, step Step, digest parley.Hash, a *Approval) (Signer, error) {
	return Signer{}, parley.Errorf(CodeSignature, "not verified")
}
