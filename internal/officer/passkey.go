package officer

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"

	"parley"
	"parley/release"
)

// algorithms are those that rosters know.
var algorithms = []protocol.CredentialParameter{
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgES256},
	{Type: protocol.PublicKeyCredentialType, Algorithm: webauthncose.AlgEdDSA},
}

func relyingParty(cfg Config) (*webauthn.WebAuthn, error) {
	yes := true
	t := webauthn.TimeoutConfig{Enforce: true, Timeout: CeremonyLimit, TimeoutUVD: CeremonyLimit}
	w, err := webauthn.New(&webauthn.Config{
		RPID: cfg.RPID, RPDisplayName: "Parley " + cfg.Name, RPOrigins: cfg.Origins,
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: &yes, ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{Login: t, Registration: t},
		// Some browsers add outputs nobody asked for; the book uses none of them.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, parley.Errorf(CodeOther, "passkeys cannot be bound to %s: %w", cfg.RPID, err)
	}
	return w, nil
}

// purpose of a ceremony: an answer to one is none to another.
type purpose uint8

const (
	forSignIn purpose = iota
	forEnrol
	forPasskey
	forSubmit
	forRelease
)

// ceremony is an open question to a passkey. It lives in memory only, and ends
// with the first answer, right or wrong: a challenge that was accepted, or
// lost with the process, cannot be answered again.
type ceremony struct {
	purpose purpose
	data    webauthn.SessionData
	begun   time.Time
	session parley.Hash // of the session that asked; zero: nobody was signed in
	officer ID          // 0: the first officer, or whoever signs in

	link parley.Hash // forEnrol
	who  Identity
	user []byte // handle of an officer who is not in the book yet

	draft   uint64 // forSubmit, forRelease
	rev     uint64
	digest  parley.Hash
	nonce   parley.Hash
	step    release.Step
	persons uint8
}

const maxCeremonies = 1024

// ask opens a ceremony. A session has one question for one purpose at a time.
func (b *Book) ask(c *ceremony, options any) (*Ceremony, error) {
	now := b.cfg.Now()
	c.begun = now
	for id, o := range b.ceremonies {
		if d := now.Sub(o.begun); d > CeremonyLimit || d < 0 || c.session != (parley.Hash{}) && o.session == c.session && o.purpose == c.purpose {
			delete(b.ceremonies, id)
		}
	}
	if len(b.ceremonies) >= maxCeremonies {
		return nil, parley.Errorf(CodeTooMany, "too many questions to passkeys are open")
	}
	id := rand.Text()
	out := &Ceremony{ID: id, Demo: options == nil}
	if options != nil {
		var err error
		if out.Options, err = json.Marshal(options); err != nil {
			return nil, parley.Errorf(CodeCeremony, "%w", err)
		}
	}
	b.ceremonies[id] = c
	return out, nil
}

// answered ends a ceremony and returns it, if it is open, in time, for this
// purpose and of this session.
func (b *Book) answered(id string, p purpose, s *Session) (*ceremony, error) {
	c := b.ceremonies[id]
	var hash parley.Hash
	if s != nil {
		hash = s.Hash
	}
	if c == nil || c.purpose != p || c.session != hash {
		return nil, parley.Errorf(CodeCeremony, "this question to a passkey is not open")
	}
	delete(b.ceremonies, id)
	if d := b.cfg.Now().Sub(c.begun); d > CeremonyLimit || d < 0 {
		return nil, parley.Errorf(CodeCeremony, "the answer came too late")
	}
	return c, nil
}

// user shows an officer to the library.
type user struct {
	handle []byte
	name   string
	title  string
	creds  []webauthn.Credential
}

func (u *user) WebAuthnID() []byte                         { return u.handle }
func (u *user) WebAuthnName() string                       { return u.title }
func (u *user) WebAuthnDisplayName() string                { return u.name }
func (u *user) WebAuthnCredentials() []webauthn.Credential { return u.creds }

func userOf(p *person) *user {
	u := &user{handle: p.handle, name: p.Name, title: p.Title}
	for _, c := range p.creds {
		u.creds = append(u.creds, c.library())
	}
	return u
}

func (c *credential) library() webauthn.Credential {
	f := protocol.FlagUserPresent | protocol.FlagUserVerified
	if c.Synced {
		f |= protocol.FlagBackupEligible
	}
	if c.BackedUp {
		f |= protocol.FlagBackupState
	}
	return webauthn.Credential{ID: c.id, PublicKey: c.cose, Flags: webauthn.NewCredentialFlags(f),
		Authenticator: webauthn.Authenticator{SignCount: c.count}}
}

// beginCreate asks a browser to make a passkey for an officer.
func (b *Book) beginCreate(u *user) (*protocol.CredentialCreation, *webauthn.SessionData, error) {
	exclude := webauthn.Credentials(u.creds).CredentialDescriptors()
	o, data, err := b.auth.BeginRegistration(u, webauthn.WithCredentialParameters(algorithms), webauthn.WithExclusions(exclude))
	if err != nil {
		return nil, nil, parley.Errorf(CodePasskey, "%w", err)
	}
	return o, data, nil
}

// create checks what the browser made, and turns it into an event.
func (b *Book) create(c *ceremony, u *user, answer []byte) (*passkeyEvent, error) {
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return nil, parley.Errorf(CodePasskey, "the answer of the passkey cannot be read: %w", err)
	}
	cred, err := b.auth.CreateCredential(u, c.data, parsed)
	if err != nil {
		return nil, parley.Errorf(CodePasskey, "the passkey was not made as asked: %w", err)
	}
	if parsed.Response.CollectedClientData.CrossOrigin {
		return nil, parley.Errorf(CodePasskey, "the passkey was asked from inside another page")
	}
	alg, raw, err := rosterKey(cred.PublicKey)
	if err != nil {
		return nil, err
	}
	// A key that no roster may hold, such as a point of small order, would keep
	// every later roster from going out.
	try := release.Roster{Serial: 1, RPID: b.cfg.RPID, Origins: b.cfg.Origins,
		Keys: []release.Officer{{Alg: alg, Key: raw, Title: "x", Functions: release.MayDraft}}}
	if err := try.Check(); err != nil {
		return nil, parley.Errorf(CodePasskey, "the passkey's public key: %w", err)
	}
	v := &passkeyEvent{ID: cred.ID, COSE: cred.PublicKey, Alg: alg, Raw: raw, Count: cred.Authenticator.SignCount,
		Synced: cred.Flags.BackupEligible, BackedUp: cred.Flags.BackupState}
	if a := cred.Authenticator.AAGUID; len(a) == 16 && !bytes.Equal(a, make([]byte, 16)) {
		v.Model = hex.EncodeToString(a)
	}
	return v, nil
}

// rosterKey is a COSE key as rosters write it.
func rosterKey(cose []byte) (release.Alg, []byte, error) {
	key, err := webauthncose.ParsePublicKey(cose)
	if err != nil {
		return 0, nil, parley.Errorf(CodePasskey, "the public key cannot be read: %w", err)
	}
	switch k := key.(type) {
	case webauthncose.EC2PublicKeyData:
		if k.Algorithm == int64(webauthncose.AlgES256) && k.Curve == int64(webauthncose.P256) && len(k.XCoord) == 32 && len(k.YCoord) == 32 {
			return release.ES256, slices.Concat([]byte{4}, k.XCoord, k.YCoord), nil
		}
	case webauthncose.OKPPublicKeyData:
		if k.Algorithm == int64(webauthncose.AlgEdDSA) && len(k.XCoord) == 32 {
			return release.EdDSA, k.XCoord, nil
		}
	}
	return 0, nil, parley.Errorf(CodePasskey, "the passkey's algorithm is not one of ES256 and EdDSA")
}

// assertion is an accepted answer of a passkey.
type assertion struct {
	person   *person
	cred     *credential
	count    uint32
	backedUp bool
	approval release.Approval // without its nonce
}

// verify checks an answer to a ceremony. Without an officer in the ceremony the
// passkey says whose it is.
func (b *Book) verify(c *ceremony, answer []byte) (*assertion, error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return nil, parley.Errorf(CodePasskey, "the answer of the passkey cannot be read: %w", err)
	}
	p, cred := b.state.byCredential(parsed.RawID)
	if cred == nil || p.State != Active || c.officer != 0 && p.ID != c.officer {
		return nil, parley.Errorf(CodePasskey, "the passkey is not enrolled for this officer")
	}
	if parsed.Response.CollectedClientData.CrossOrigin {
		return nil, parley.Errorf(CodePasskey, "the passkey was asked from inside another page")
	}
	u := userOf(p)
	var got *webauthn.Credential
	if c.officer != 0 {
		got, err = b.auth.ValidateLogin(u, c.data, parsed)
	} else {
		_, got, err = b.auth.ValidatePasskeyLogin(func(_, handle []byte) (webauthn.User, error) {
			if !bytes.Equal(handle, p.handle) {
				return nil, parley.Errorf(CodePasskey, "the passkey names another officer")
			}
			return u, nil
		}, c.data, parsed)
	}
	if err != nil {
		return nil, parley.Errorf(CodePasskey, "the passkey's answer does not hold: %w", err)
	}
	a := &assertion{person: p, cred: cred, count: got.Authenticator.SignCount, backedUp: got.Flags.BackupState, approval: release.Approval{
		Key: cred.Key, AuthData: parsed.Raw.AssertionResponse.AuthenticatorData, ClientData: parsed.Raw.AssertionResponse.ClientDataJSON,
		Signature: parsed.Raw.AssertionResponse.Signature}}
	if got.Authenticator.CloneWarning {
		return a, parley.Errorf(CodeCloned, "the counter of passkey %s did not grow", cred.Key.Short())
	}
	return a, nil
}
