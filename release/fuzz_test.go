package release

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"parley"
	"parley/internal/mutate"
	"parley/spec"
)

// FuzzBody has the kind in the first byte. What is accepted is written again
// byte for byte, and a desk survives it.
func FuzzBody(f *testing.F) {
	var in [][]byte
	for _, b := range bodies() {
		in = append(in, append([]byte{byte(b.Kind())}, b.Encode()...))
	}
	vs, err := spec.Vectors()
	if err != nil {
		f.Fatal(err)
	}
	for _, v := range vs {
		if k := map[string]byte{"32": 32, "33": 33}[v.Params["kind"]]; v.Page == "release" && k != 0 {
			in = append(in, append([]byte{k}, v.Input...))
		}
	}
	runs := 0
	mutate.FuzzIn(f, in, 1, func(t testing.TB, b []byte) bool {
		if len(b) == 0 {
			return false
		}
		kind := parley.Kind(b[0])
		x, err := Parse(kind, b[1:])
		if err != nil && parley.CodeOf(err).Remedy() == "" {
			t.Errorf("%v has no remedy\ninput: %x", err, b)
		}
		if !mutate.Same(t, b[1:], err, func() []byte { return x.Encode() }) {
			return false
		}
		if runs++; runs%64 == 0 { // the desk verifies signatures
			deskSurvives(t, kind, b[1:])
		}
		return true
	})
}

// deskSurvives gives a desk a body as a roster, or as the release of a
// message. A release that was made up never holds.
func deskSurvives(t testing.TB, kind parley.Kind, body []byte) {
	b := newBook()
	b.roster(india, roster(1))
	lane := parley.Flash
	if kind == KindRoster {
		lane = parley.Routine
	}
	b.add(india, parley.Draft{Lane: lane, Kind: kind, Body: body})
	ref := b.add(india, parley.Draft{Lane: lane, Kind: parley.KindText, Body: []byte("made up")})
	if s := b.desk.Of(ref); s.State == Held {
		t.Errorf("released by nobody: %x", body)
	}
	b.desk.History(india, 0)
	b.desk.Line(ref)
	_ = b.desk.Dump()
}

// FuzzApproval changes what a browser and an authenticator say, below the
// signature: whatever they say is signed again, so only the rules of
// spec/release.md stand between it and an approval that holds. The first byte
// says which of the two the input is.
func FuzzApproval(f *testing.F) {
	r, ch := roster(1), channel.Channel()
	digest := Digest(text("hello"))
	a := approve(ch, india, "a", StepDraft, text("hello"))
	challenge := Challenge(ch, india, StepDraft, a.Nonce, digest)
	in := [][]byte{append([]byte{0}, a.ClientData...), append([]byte{1}, a.AuthData...), append([]byte{1}, append(a.AuthData, 0xa0)...)}
	for _, s := range []string{`,"crossOrigin":false,"x":{"a":[1,null,"\u00e9"]}}`, `}`, `,"crossOrigin":true}`, `,"t\u0079pe":"webauthn.create"}`, `,"topOrigin":""}`} {
		in = append(in, append([]byte{0}, strings.Replace(string(a.ClientData), `,"crossOrigin":false}`, s, 1)...))
	}
	in[2][33] |= flagED
	mutate.FuzzIn(f, in, 1, func(t testing.TB, b []byte) bool {
		if len(b) == 0 {
			return false
		}
		x := a
		if b[0] == 0 {
			x.ClientData = b[1:]
		} else {
			x.AuthData = b[1:]
		}
		// Most inputs end before the signature, which costs the most.
		if err := checkClientData(x.ClientData, challenge, r.Origins); err != nil {
			return refused(t, err)
		}
		if _, err := checkAuthData(x.AuthData, r.RPID); err != nil {
			return refused(t, err)
		}
		x.Signature = key("a").Sign(x.AuthData, x.ClientData)
		if _, err := Verify(r, ch, india, StepDraft, digest, &x); err != nil {
			t.Errorf("%v\ninput: %x", err, b)
		}
		// Another reader of JSON, and another reader of bytes, see the same.
		var m map[string]any
		if err := json.Unmarshal(x.ClientData, &m); err != nil || m["type"] != "webauthn.get" || m["origin"] != origin ||
			m["challenge"] != base64.RawURLEncoding.EncodeToString(challenge[:]) || m["topOrigin"] != nil {
			t.Errorf("accepted client data %q: %v", x.ClientData, err)
		}
		host := sha256.Sum256([]byte(rpID))
		if !bytes.HasPrefix(x.AuthData, host[:]) || x.AuthData[32]&5 != 5 {
			t.Errorf("accepted authenticator data %x", x.AuthData)
		}
		return true
	})
}

func refused(t testing.TB, err error) bool {
	if parley.CodeOf(err).Remedy() == "" {
		t.Errorf("%v has no remedy", err)
	}
	return false
}
