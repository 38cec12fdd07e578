package release

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"slices"
	"strings"
	"testing"

	"parley"
)

// A message that two officers released says who they were; its neighbours say
// nothing.
func TestReleasedByTwo(t *testing.T) {
	b := newBook()
	on := b.roster(pakistan, roster(1))
	plain := b.add(pakistan, text("no release"))
	ref := b.release(pakistan, on, text("hello"), "c", "d")
	after := b.add(pakistan, text("and another"))
	s := b.desk.Of(ref)
	if s.State != Held || s.Drafted.Title != "Desk officer" || s.Released.Title != "Director" || s.Serial != 1 || s.Roster != on || s.Demo {
		t.Fatalf("%v: %+v", s, s)
	}
	want := "released by two persons: drafted by key " + key("c").id().Short() + " (Desk officer), released by key " +
		key("d").id().Short() + " (Director), roster 1"
	if s.String() != want {
		t.Errorf("%q, not %q", s, want)
	}
	for _, r := range []parley.Ref{plain, after, *s.By, on, {}} {
		if s := b.desk.Of(r); s.State != NotStated || s.String() != "release not stated" {
			t.Errorf("%s: %v", r, s)
		}
	}
	other := ref
	other.Leaf[0] ^= 1
	if s := b.desk.Of(other); s.State != NotStated {
		t.Errorf("another content at the same place: %v", s)
	}
}

func (s *Software) id() ID { return KeyID(ES256, s.PublicKey()) }

// again signs client and authenticator data that were changed, so that only
// the change is wrong.
func again(name string, a *Approval, change func(a *Approval)) {
	change(a)
	a.Signature = key(name).Sign(a.AuthData, a.ClientData)
}

func replace(old, new string) func(*Approval) {
	return func(a *Approval) {
		s := strings.Replace(string(a.ClientData), old, new, 1)
		if s == string(a.ClientData) {
			panic("nothing was replaced")
		}
		a.ClientData = []byte(s)
	}
}

// highS is the other signature that fits where an ECDSA signature does.
func highS(sig []byte) []byte {
	var v struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(sig, &v); err != nil {
		panic(err)
	}
	order, _ := new(big.Int).SetString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
	v.S.Sub(order, v.S)
	out, err := asn1.Marshal(v)
	if err != nil {
		panic(err)
	}
	return out
}

// Every way in which a release may not hold has its code. Each case changes
// one thing in a release of "hello" by keys a and b.
func TestDoesNotHold(t *testing.T) {
	flags := func(set, clear byte) func(*Approval) {
		return func(a *Approval) { a.AuthData[32] = a.AuthData[32]&^clear | set }
	}
	signed := func(f func(*Approval)) func(*Release) { return func(r *Release) { again("b", &r.Released, f) } }
	for name, c := range map[string]struct {
		change func(*Release)
		want   parley.Code
	}{
		"as it is":                     {func(*Release) {}, ""},
		"the other s of the signature": {func(r *Release) { r.Released.Signature = highS(r.Released.Signature) }, ""},
		"unknown members":              {signed(replace(`}`, `,"other_keys_can_be_added_here":{"a":[1,null]}}`)), ""},
		"crossOrigin left out":         {signed(replace(`,"crossOrigin":false`, ``)), ""},
		"extensions":                   {signed(func(a *Approval) { a.AuthData = append(a.AuthData, 0xa0); a.AuthData[32] |= flagED }), ""},
		"a counter":                    {signed(func(a *Approval) { a.AuthData[36] = 9 }), ""},
		"backed up":                    {signed(flags(flagBE|flagBS, 0)), ""},

		"an unknown key":                {func(r *Release) { r.Released.Key = key("e").id() }, CodeUnknownKey},
		"the drafter may not":           {func(r *Release) { r.Drafted.Key = key("d").id() }, CodeFunction},
		"the releaser may not":          {func(r *Release) { r.Released.Key = key("c").id() }, CodeFunction},
		"steps changed about":           {func(r *Release) { r.Drafted, r.Released = r.Released, r.Drafted }, CodeChallenge},
		"another nonce":                 {func(r *Release) { r.Released.Nonce[0]++ }, CodeChallenge},
		"made for registration":         {signed(replace("webauthn.get", "webauthn.create")), CodeType},
		"no type":                       {signed(replace(`"type":"webauthn.get",`, "")), CodeType},
		"type in capitals":              {signed(replace(`"type"`, `"Type"`)), CodeType},
		"type is a list":                {signed(replace(`"webauthn.get"`, `["webauthn.get"]`)), CodeType},
		"type twice":                    {signed(replace(`{`, `{"type":"webauthn.create",`)), CodeClientData},
		"challenge twice":               {signed(replace(`}`, `,"challenge":"x"}`)), CodeClientData},
		"challenge twice, once escaped": {signed(replace(`}`, `,"ch\u0061llenge":"x"}`)), CodeClientData},
		"padded challenge":              {signed(replace(`","origin`, `=","origin`)), CodeChallenge},
		"origin of another":             {signed(replace(origin, "https://console.example.evil.example")), CodeWrongOrigin},
		"origin without port":           {signed(replace(origin, "https://console.example")), CodeWrongOrigin},
		"origin with a slash":           {signed(replace(origin, origin+"/")), CodeWrongOrigin},
		"in a frame":                    {signed(replace(`:false`, `:true`)), CodeCrossOrigin},
		"crossOrigin is a word":         {signed(replace(`:false`, `:"false"`)), CodeCrossOrigin},
		"crossOrigin is null":           {signed(replace(`:false`, `:null`)), CodeCrossOrigin},
		"topOrigin":                     {signed(replace(`}`, `,"topOrigin":"`+origin+`"}`)), CodeCrossOrigin},
		"not JSON":                      {signed(replace(`}`, ``)), CodeClientData},
		"two objects":                   {signed(replace(`}`, `}{}`)), CodeClientData},
		"a list":                        {signed(func(a *Approval) { a.ClientData = []byte("[]") }), CodeClientData},
		"a byte order mark":             {signed(replace(`{`, "\ufeff{")), CodeClientData},
		"not UTF-8":                     {signed(replace(`}`, ",\"x\":\"\xff\"}")), CodeClientData},
		"half a surrogate":              {signed(replace(`}`, `,"\ud800":1}`)), CodeClientData},
		"nested deep":                   {signed(replace(`}`, `,"x":`+strings.Repeat("[", 8)+strings.Repeat("]", 8)+`}`)), CodeClientData},

		"nobody present":                {signed(flags(0, flagUP)), CodeNotPresent},
		"nobody verified":               {signed(flags(0, flagUV)), CodeNotVerified},
		"backed up, but cannot be":      {signed(flags(flagBS, 0)), CodeBackup},
		"key data":                      {signed(flags(flagAT, 0)), CodeAuthData},
		"extensions missing":            {signed(flags(flagED, 0)), CodeAuthData},
		"a byte too many":               {signed(func(a *Approval) { a.AuthData = append(a.AuthData, 0xa0) }), CodeAuthData},
		"another host's passkey":        {signed(func(a *Approval) { a.AuthData[0] ^= 1 }), CodeRP},
		"another's signature":           {func(r *Release) { r.Released.Signature = key("a").Sign(r.Released.AuthData, r.Released.ClientData) }, CodeSignature},
		"a bit of the signature":        {func(r *Release) { r.Drafted.Signature[20] ^= 1 }, CodeSignature},
		"authenticator data not signed": {func(r *Release) { r.Released.AuthData[36]++ }, CodeSignature},
		"client data not signed":        {func(r *Release) { replace(`}`, `,"x":1}`)(&r.Released) }, CodeSignature},
		"long form of DER": {func(r *Release) {
			s := r.Released.Signature
			r.Released.Signature = append([]byte{s[0], 0x81, s[1]}, s[2:]...)
		}, CodeSignature},

		"another roster":        {func(r *Release) { r.Roster.Leaf[0] ^= 1 }, CodeNoRoster},
		"another text":          {func(r *Release) { r.Digest[0] ^= 1 }, CodeDigest},
		"another party's keys":  {func(r *Release) { r.Drafted = approve(channel.Channel(), india, "a", StepDraft, text("hello")) }, CodeChallenge},
		"another channel's":     {func(r *Release) { r.Drafted = approve(parley.Hash{1}, pakistan, "a", StepDraft, text("hello")) }, CodeChallenge},
		"approved another text": {func(r *Release) { r.Drafted = approve(channel.Channel(), pakistan, "a", StepDraft, text("hallo")) }, CodeChallenge},
	} {
		b := newBook()
		on := b.roster(pakistan, roster(1))
		r := b.speak(pakistan, on, text("hello"), "a", "b")
		c.change(r)
		b.add(pakistan, Draft(r, parley.Flash, parley.ToAll))
		ref := b.add(pakistan, text("hello"))
		s := b.desk.Of(ref)
		if c.want == "" {
			if s.State != Held {
				t.Errorf("%s: %v", name, s)
			}
			continue
		}
		if s.State != Broken || parley.CodeOf(s.Why) != c.want || s.Drafted != (Signer{}) || !strings.HasPrefix(s.String(), "release does not hold: "+string(c.want)) {
			t.Errorf("%s: %v, want %s", name, s, c.want)
		}
		if c.want.Remedy() == "" {
			t.Errorf("%s has no remedy", c.want)
		}
	}
}

// Whichever byte of a release or of its entry is changed: it does not hold.
func TestEveryByteCounts(t *testing.T) {
	b := newBook()
	on := b.roster(india, roster(1))
	ref := b.release(india, on, text("hello"), "a", "b")
	if s := b.desk.Of(ref); s.State != Held {
		t.Fatal(s)
	}
	for which := 1; which <= 2; which++ {
		for i := range b.all[which].Entry.Body {
			d := New(channel, pakistan)
			for j, p := range b.all {
				if j == which {
					e := *p.Entry
					e.Body = slices.Clone(e.Body)
					e.Body[i] ^= 1 << (i % 8)
					p.Entry = &e
				}
				d.Apply(p)
			}
			if s := d.Of(ref); s.State == Held {
				t.Errorf("byte %d of entry %d: %v", i, which, s)
			}
		}
	}
}

// Ed25519 passkeys sign too.
func TestEd25519(t *testing.T) {
	b := newBook()
	s := seed("ed")
	priv := ed25519.NewKeyFromSeed(s[:])
	r := roster(1)
	r.Keys[1] = Officer{Alg: EdDSA, Key: priv.Public().(ed25519.PublicKey), Title: "Duty officer 2", Functions: MayRelease}
	on := b.roster(india, r)
	words := b.speak(india, on, text("hello"), "a", "b")
	a := &words.Released
	a.Key = r.Keys[1].ID()
	client := sha256.Sum256(a.ClientData)
	a.Signature = ed25519.Sign(priv, slices.Concat(a.AuthData, client[:]))
	b.add(india, Draft(words, parley.Flash, parley.ToAll))
	if s := b.desk.Of(b.add(india, text("hello"))); s.State != Held || s.Released.Alg != EdDSA {
		t.Error(s)
	}
	a.Signature[0] ^= 1
	b.add(india, Draft(words, parley.Flash, parley.ToAll))
	if s := b.desk.Of(b.add(india, text("hello"))); parley.CodeOf(s.Why) != CodeSignature {
		t.Error(s)
	}
}
