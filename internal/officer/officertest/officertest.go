// Package officertest has an authenticator made of software, for tests of
// whatever asks passkeys: it answers the questions of package officer byte by
// byte, and lies on demand.
//
//	a := officertest.New(t, "http://localhost:8443")
//	answer := a.Create(t, ceremony.Options)
//	answer = a.Get(t, ceremony.Options)
//
// It is written from the WebAuthn specification, not with the library that
// checks it, and it is no model of a real device: whoever holds the value
// holds the key.
package officertest

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"

	"parley"
)

// Flags of authenticator data.
const (
	UP = 0x01
	UV = 0x04
	BE = 0x08
	BS = 0x10
	AT = 0x40
)

// Authenticator holds one passkey.
type Authenticator struct {
	Origin string
	Flags  byte   // UP and UV at first
	Count  uint32 // of the next answer; stays 0 if it is 0, as synced passkeys do
	ID     []byte
	Handle []byte // set by Create
	RPID   string // set by Create

	// Lies, for attacks; empty means the truth.
	Type        string
	Challenge   []byte
	CrossOrigin bool
	Alg         int64 // announced in the key instead of its own

	ec *ecdsa.PrivateKey
	ed ed25519.PrivateKey

	weak bool
}

// New is an ES256 authenticator in a browser at origin.
func New(t testing.TB, origin string) *Authenticator {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &Authenticator{Origin: origin, Flags: UP | UV, ID: random(32), ec: k}
}

// NewEd is an EdDSA one.
func NewEd(t testing.TB, origin string) *Authenticator {
	t.Helper()
	_, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &Authenticator{Origin: origin, Flags: UP | UV, ID: random(32), ed: k}
}

// NewWeak is one whose EdDSA public key is the neutral point, under which
// anybody can sign anything.
func NewWeak(t testing.TB, origin string) *Authenticator {
	t.Helper()
	a := NewEd(t, origin)
	a.weak = true
	return a
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

var b64 = base64.RawURLEncoding

// question is what both kinds of options share, as far as it is used.
type question struct {
	PublicKey struct {
		Challenge string `json:"challenge"`
		RPID      string `json:"rpId"`
		RP        struct {
			ID string `json:"id"`
		} `json:"rp"`
		User struct {
			ID string `json:"id"`
		} `json:"user"`
		Verification string `json:"userVerification"`
		Selection    struct {
			Verification string `json:"userVerification"`
			Resident     string `json:"residentKey"`
		} `json:"authenticatorSelection"`
		Params []struct {
			Alg int64 `json:"alg"`
		} `json:"pubKeyCredParams"`
		Timeout int `json:"timeout"`
	} `json:"publicKey"`
}

func ask(t testing.TB, options []byte) *question {
	t.Helper()
	var q question
	if err := json.Unmarshal(options, &q); err != nil {
		t.Fatalf("options %q: %v", options, err)
	}
	return &q
}

func (a *Authenticator) clientData(kind, challenge string) []byte {
	if a.Type != "" {
		kind = a.Type
	}
	if a.Challenge != nil {
		challenge = b64.EncodeToString(a.Challenge)
	}
	b, _ := json.Marshal(struct {
		Type        string `json:"type"`
		Challenge   string `json:"challenge"`
		Origin      string `json:"origin"`
		CrossOrigin bool   `json:"crossOrigin"`
	}{kind, challenge, a.Origin, a.CrossOrigin})
	return b
}

func (a *Authenticator) authData(rpID string, flags byte) []byte {
	if a.RPID != "" {
		rpID = a.RPID
	}
	h := sha256.Sum256([]byte(rpID))
	return binary.BigEndian.AppendUint32(append(h[:], flags), a.Count)
}

// Create answers a question for a new passkey with attestation "none".
func (a *Authenticator) Create(t testing.TB, options []byte) []byte {
	t.Helper()
	q := ask(t, options)
	if s := q.PublicKey.Selection; s.Verification != "required" || s.Resident != "required" || q.PublicKey.Timeout != 60000 {
		t.Errorf("options ask for verification %q, resident key %q, timeout %d", s.Verification, s.Resident, q.PublicKey.Timeout)
	}
	for _, p := range q.PublicKey.Params {
		if p.Alg != -7 && p.Alg != -8 {
			t.Errorf("options offer algorithm %d", p.Alg)
		}
	}
	handle, err := b64.DecodeString(q.PublicKey.User.ID)
	if err != nil {
		t.Fatal(err)
	}
	a.Handle = handle
	auth := a.authData(q.PublicKey.RP.ID, a.Flags|AT)
	auth = append(auth, make([]byte, 16)...) // AAGUID: none
	auth = binary.BigEndian.AppendUint16(auth, uint16(len(a.ID)))
	auth = append(append(auth, a.ID...), a.cose()...)
	// {"fmt": "none", "attStmt": {}, "authData": auth}
	object := append([]byte{0xa3}, parley.AppendText(nil, "fmt")...)
	object = parley.AppendText(object, "none")
	object = append(parley.AppendText(object, "attStmt"), 0xa0)
	object = parley.AppendBytes(parley.AppendText(object, "authData"), auth)
	return a.answer(t, map[string]any{
		"clientDataJSON":    b64.EncodeToString(a.clientData("webauthn.create", q.PublicKey.Challenge)),
		"attestationObject": b64.EncodeToString(object),
		"transports":        []string{"internal"},
	})
}

// cose is the public key as a COSE_Key.
func (a *Authenticator) cose() []byte {
	alg := a.Alg
	if a.ed != nil {
		if alg == 0 {
			alg = -8
		}
		// {1: 1 (OKP), 3: alg, -1: 6 (Ed25519), -2: x}
		b := append([]byte{0xa4, 1, 1, 3}, negative(alg)...)
		b = append(b, 0x20, 6, 0x21)
		if a.weak {
			return parley.AppendBytes(b, append([]byte{1}, make([]byte, 31)...))
		}
		return parley.AppendBytes(b, a.ed.Public().(ed25519.PublicKey))
	}
	if alg == 0 {
		alg = -7
	}
	point, err := a.ec.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	// {1: 2 (EC2), 3: alg, -1: 1 (P-256), -2: x, -3: y}
	b := append([]byte{0xa5, 1, 2, 3}, negative(alg)...)
	b = parley.AppendBytes(append(b, 0x20, 1, 0x21), point[1:33])
	return parley.AppendBytes(append(b, 0x22), point[33:])
}

// negative is a negative integer in CBOR: the number -1-n under major type 1.
func negative(v int64) []byte {
	b := parley.AppendUint(nil, uint64(-1-v))
	b[0] |= 1 << 5
	return b
}

// Get answers a question for an assertion.
func (a *Authenticator) Get(t testing.TB, options []byte) []byte {
	t.Helper()
	q := ask(t, options)
	if q.PublicKey.Verification != "required" || q.PublicKey.Timeout != 60000 {
		t.Errorf("options ask for verification %q, timeout %d", q.PublicKey.Verification, q.PublicKey.Timeout)
	}
	if a.Count > 0 {
		a.Count++
	}
	return a.Sign(t, a.authData(q.PublicKey.RPID, a.Flags), a.clientData("webauthn.get", q.PublicKey.Challenge))
}

// Sign is an assertion over any authenticator data and client data.
func (a *Authenticator) Sign(t testing.TB, auth, client []byte) []byte {
	t.Helper()
	sum := sha256.Sum256(client)
	signed := append(auth[:len(auth):len(auth)], sum[:]...)
	var sig []byte
	if a.ed != nil {
		sig = ed25519.Sign(a.ed, signed)
	} else {
		h := sha256.Sum256(signed)
		var err error
		if sig, err = ecdsa.SignASN1(rand.Reader, a.ec, h[:]); err != nil {
			t.Fatal(err)
		}
	}
	return a.answer(t, map[string]any{
		"clientDataJSON":    b64.EncodeToString(client),
		"authenticatorData": b64.EncodeToString(auth),
		"signature":         b64.EncodeToString(sig),
		"userHandle":        b64.EncodeToString(a.Handle),
	})
}

func (a *Authenticator) answer(t testing.TB, response map[string]any) []byte {
	t.Helper()
	b, err := json.Marshal(map[string]any{
		"id": b64.EncodeToString(a.ID), "rawId": b64.EncodeToString(a.ID), "type": "public-key",
		"authenticatorAttachment": "platform", "clientExtensionResults": map[string]any{}, "response": response,
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}
