package release

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"slices"

	"parley"
)

// Verify checks that a release is for draft p of author and that both its
// approvals hold under roster ro: all that can be said of it without the rest
// of the record.
func (r *Release) Verify(ro *Roster, channel parley.Hash, author parley.Party, p parley.Draft) (drafted, released Signer, err error) {
	if r.Digest != Digest(p) {
		return drafted, released, parley.Errorf(CodeDigest, "the release is for %s, the draft is %s", r.Digest.Short(), Digest(p).Short())
	}
	return r.approved(ro, channel, author)
}

// approved verifies both approvals against a roster of author.
func (r *Release) approved(ro *Roster, channel parley.Hash, author parley.Party) (drafted, released Signer, err error) {
	if drafted, err = Verify(ro, channel, author, StepDraft, r.Digest, &r.Drafted); err != nil {
		return
	}
	if released, err = Verify(ro, channel, author, StepRelease, r.Digest, &r.Released); err != nil {
		return
	}
	if drafted.Title == released.Title {
		err = parley.Errorf(CodeSameOffice, "%s drafted and released, with two keys", drafted.Title)
	}
	return
}

// Signer is a key that did a step, as its roster names it.
type Signer struct {
	Key    ID
	Alg    Alg
	Title  string
	Synced bool // the authenticator says that the key may exist on several devices
}

// Verify checks one approval of a draft with that digest, by a key of roster r
// of member author in a channel: WebAuthn Level 3 section 7.2 as far as a
// reader of the record can follow it. Steps 1 to 7 are the console's. Step 22,
// the signature counter, is the console's too: nothing in it binds a draft.
// What the desk of the whole record adds is in Desk.Of: whether r was in force
// and whether the nonce was used before.
//
// ECDSA signatures are taken with either of the two values of s, because
// authenticators give both. Whoever turns one into the other gains nothing: an
// approval is known by its nonce, never by its signature's bytes.
func Verify(r *Roster, channel parley.Hash, author parley.Party, step Step, digest parley.Hash, a *Approval) (Signer, error) {
	o := r.Find(a.Key)
	if o == nil {
		return Signer{}, parley.Errorf(CodeUnknownKey, "key %s is not in roster %d", a.Key.Short(), r.Serial)
	}
	s := Signer{Key: a.Key, Alg: o.Alg, Title: o.Title}
	if !o.Functions.Allows(step) {
		return s, parley.Errorf(CodeFunction, "roster %d does not let key %s (%s) %s", r.Serial, a.Key.Short(), o.Title, step)
	}
	challenge := Challenge(channel, author, step, a.Nonce, digest)
	if err := checkClientData(a.ClientData, challenge, r.Origins); err != nil {
		return s, err
	}
	flags, err := checkAuthData(a.AuthData, r.RPID)
	if err != nil {
		return s, err
	}
	s.Synced = flags&flagBE != 0
	hash := sha256.Sum256(a.ClientData) // step 20
	if !o.verify(slices.Concat(a.AuthData, hash[:]), a.Signature) {
		return s, parley.Errorf(CodeSignature, "key %s (%s) did not sign this", a.Key.Short(), o.Title)
	}
	return s, nil
}

// verify is step 21. The DER of an ES256 signature must be in its one form.
func (o *Officer) verify(message, sig []byte) bool {
	switch o.Alg {
	case ES256:
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), o.Key)
		hash := sha256.Sum256(message)
		return err == nil && ecdsa.VerifyASN1(key, hash[:], sig)
	case EdDSA:
		return len(o.Key) == ed25519.PublicKeySize && ed25519.Verify(o.Key, message, sig)
	}
	return false
}

// checkClientData is steps 8 to 14.
func checkClientData(b []byte, challenge parley.Hash, origins []string) error {
	c, err := parseClientData(b)
	if err != nil {
		return err
	}
	if c.Type != "webauthn.get" {
		return parley.Errorf(CodeType, "the browser signed for %q, not for webauthn.get", clip(c.Type))
	}
	if c.Challenge != base64.RawURLEncoding.EncodeToString(challenge[:]) {
		return parley.Errorf(CodeChallenge, "the browser signed the challenge %q, which is not this step's of this draft", clip(c.Challenge))
	}
	if !slices.Contains(origins, c.Origin) {
		return parley.Errorf(CodeWrongOrigin, "the browser signed on a page of %q, which the roster does not name", clip(c.Origin))
	}
	if c.Crossed {
		return parley.Errorf(CodeCrossOrigin, "the browser signed inside a page of another site")
	}
	return nil
}

// clip shortens what somebody else wrote to what a line can show.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "..."
	}
	return s
}

// Flags of authenticator data (section 6.1).
const (
	flagUP = 1 << 0 // a person was present
	flagUV = 1 << 2 // and was verified by the authenticator
	flagBE = 1 << 3 // the key may be backed up
	flagBS = 1 << 4 // it is
	flagAT = 1 << 6 // attested credential data follow: only when a key is made
	flagED = 1 << 7 // extensions follow; they are signed and not looked at
)

// checkAuthData is steps 15 to 18: the hash of the RP ID, the flags, four
// bytes of counter.
func checkAuthData(b []byte, rpID string) (flags byte, err error) {
	if len(b) < MinAuthData || len(b) > MaxAuthData {
		return 0, parley.Errorf(CodeAuthData, "authenticator data of %d bytes", len(b))
	}
	flags = b[32]
	if flags&flagAT != 0 || (flags&flagED != 0) != (len(b) > MinAuthData) {
		return 0, parley.Errorf(CodeAuthData, "authenticator data of %d bytes with flags %08b", len(b), flags)
	}
	rp := sha256.Sum256([]byte(rpID))
	switch {
	case !bytes.Equal(b[:32], rp[:]):
		return 0, parley.Errorf(CodeRP, "the passkey is not bound to %s", rpID)
	case flags&flagUP == 0:
		return 0, parley.Errorf(CodeNotPresent, "the authenticator saw no person")
	case flags&flagUV == 0:
		return 0, parley.Errorf(CodeNotVerified, "the authenticator did not verify its holder")
	case flags&flagBE == 0 && flags&flagBS != 0:
		return 0, parley.Errorf(CodeBackup, "the authenticator says that a key is backed up which cannot be")
	}
	return flags, nil
}
