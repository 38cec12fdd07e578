package release

import (
	"crypto/ed25519"
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley"
)

// bodies are sound bodies of both kinds.
func bodies() []Body {
	b := newBook()
	on := b.roster(india, roster(1))
	s := seed("ed")
	full := &Roster{Serial: parley.MaxUint, Demo: true, RPID: "localhost", Origins: []string{"http://localhost:8080", "http://sub.localhost", "https://localhost"}}
	full.Keys = append(full.Keys, key("a").Officer("ڈیوٹی افسر 1", MayDraft), Officer{Alg: EdDSA, Key: ed25519.NewKeyFromSeed(s[:]).Public().(ed25519.PublicKey), Title: "ड्यूटी अधिकारी 2", Functions: MayRelease})
	return []Body{roster(1), full, &Roster{Serial: 1, RPID: rpID, Origins: []string{origin}}, b.speak(india, on, text("hello"), "a", "b")}
}

// Bodies come back from their encoding as they were.
func TestRoundTrip(t *testing.T) {
	for _, b := range bodies() {
		x, err := Parse(b.Kind(), b.Encode())
		if err != nil {
			t.Errorf("%T: %v", b, err)
			continue
		}
		if string(x.Encode()) != string(b.Encode()) {
			t.Errorf("%T comes back differently", b)
		}
	}
}

// Each bound of a roster has its code, and holds to the letter.
func TestRosterBounds(t *testing.T) {
	many := func(n int) (ks []Officer) {
		for i := range n {
			ks = append(ks, NewSoftware([32]byte{9, byte(i + 1)}).Officer("Office", MayDraft))
		}
		return ks
	}
	origins := func(n int) (os []string) {
		for i := range n {
			os = append(os, fmt.Sprintf("https://console.example:%d", 8400+i))
		}
		return os
	}
	for name, c := range map[string]struct {
		change func(*Roster)
		want   parley.Code
	}{
		"64 keys":              {func(r *Roster) { r.Keys = many(64) }, ""},
		"65 keys":              {func(r *Roster) { r.Keys = many(65) }, parley.CodeLength},
		"16 addresses":         {func(r *Roster) { r.Origins = origins(16) }, ""},
		"17 addresses":         {func(r *Roster) { r.Origins = origins(17) }, parley.CodeLength},
		"no address":           {func(r *Roster) { r.Origins = nil }, parley.CodeLength},
		"addresses twice":      {func(r *Roster) { r.Origins = []string{origin, origin} }, parley.CodeNotSorted},
		"serial 0":             {func(r *Roster) { r.Serial = 0 }, parley.CodeOutOfRange},
		"a key twice":          {func(r *Roster) { r.Keys[1].Key = r.Keys[0].Key }, CodeKeyRepeated},
		"no function":          {func(r *Roster) { r.Keys[0].Functions = 0 }, parley.CodeOutOfRange},
		"function 4":           {func(r *Roster) { r.Keys[0].Functions = 4 }, parley.CodeOutOfRange},
		"algorithm 6":          {func(r *Roster) { r.Keys[0].Alg = 6 }, parley.CodeOutOfRange},
		"algorithm 9":          {func(r *Roster) { r.Keys[0].Alg = 9 }, parley.CodeOutOfRange},
		"a compressed point":   {func(r *Roster) { r.Keys[0].Key = append([]byte{2}, r.Keys[0].Key[1:33]...) }, CodeKey},
		"off the curve":        {func(r *Roster) { r.Keys[0].Key[64] ^= 1 }, CodeKey},
		"Ed25519, small order": {func(r *Roster) { r.Keys[0] = Officer{Alg: EdDSA, Key: make([]byte, 32), Title: "x", Functions: 1} }, CodeKey},
		"Ed25519, a point":     {func(r *Roster) { r.Keys[0].Alg = EdDSA }, CodeKey},
		"no title":             {func(r *Roster) { r.Keys[0].Title = "" }, parley.CodeLength},
		"a title of 65":        {func(r *Roster) { r.Keys[0].Title = strings.Repeat("x", 65) }, parley.CodeLength},
		"a turned title":       {func(r *Roster) { r.Keys[0].Title = "a\u202eb" }, parley.CodeName},
		"a long host":          {func(r *Roster) { r.RPID = strings.Repeat("x.", 127) + "x" }, parley.CodeLength},
	} {
		r := roster(1)
		for i := range r.Keys {
			r.Keys[i].Key = slices.Clone(r.Keys[i].Key)
		}
		c.change(r)
		_, err := Parse(KindRoster, r.Encode())
		if parley.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// Hosts and addresses are taken only as browsers write them.
func TestAddresses(t *testing.T) {
	for host, want := range map[string]bool{
		"console.example": true, "localhost": true, "a-b.example": true, "xn--80ak6aa92e.example": true, "1.example": true,
		"": false, "Console.example": false, "console.example.": false, ".example": false, "a..b": false, "-a.example": false,
		"a-.example": false, "127.0.0.1": false, "[::1]": false, "a_b.example": false, "console.example:443": false,
		"https://console.example": false, "консоль.example": false, strings.Repeat("x", 64) + ".example": false,
	} {
		if isHost(host) != want {
			t.Errorf("host %q: %v", host, !want)
		}
	}
	for address, want := range map[string]bool{
		"https://console.example": true, "https://console.example:8443": true, "https://west.console.example": true,
		"http://console.example": false, "https://console.example/": false, "https://console.example:443": false,
		"https://console.example:0": false, "https://console.example:08443": false, "https://console.example:65536": false,
		"https://console.example:": false, "https://console.example:+8": false, "HTTPS://console.example": false,
		"https://user@console.example": false, "https://evilconsole.example": false, "https://console.example.evil": false,
		"https://example": false, "console.example": false, "wss://console.example": false, "https://console.example:8443:8443": false,
	} {
		if err := checkOrigin(address, rpID); (err == nil) != want {
			t.Errorf("address %q: %v", address, err)
		}
	}
	for address, want := range map[string]bool{
		"http://localhost": true, "http://localhost:8080": true, "http://localhost:80": false, "https://localhost": true,
		"http://localhost:443": true, "http://localhost.": false,
	} {
		if err := checkOrigin(address, "localhost"); (err == nil) != want {
			t.Errorf("address %q: %v", address, err)
		}
	}
}

// The digest and the challenge depend on everything that they are to bind.
func TestWhatIsBound(t *testing.T) {
	p := text("hello")
	seen := map[parley.Hash]string{Digest(p): "the draft"}
	for name, f := range map[string]func(*parley.Draft){
		"lane": func(p *parley.Draft) { p.Lane = 1 }, "kind": func(p *parley.Draft) { p.Kind = 2 },
		"to": func(p *parley.Draft) { p.To = parley.AudienceOf(2) }, "body": func(p *parley.Draft) { p.Body = []byte("hellp") },
		"nobody": func(p *parley.Draft) { p.To = parley.ToNobody }, "empty": func(p *parley.Draft) { p.Body = nil },
	} {
		q := p
		f(&q)
		if was, ok := seen[Digest(q)]; ok {
			t.Errorf("%s and %s have one digest", name, was)
		}
		seen[Digest(q)] = name
	}
	challenges := map[parley.Hash]bool{}
	for i := range 2 {
		for _, h := range []parley.Hash{Challenge(parley.Hash{byte(i)}, 1, 1, parley.Hash{}, parley.Hash{}),
			Challenge(parley.Hash{}, parley.Party(2+i), 1, parley.Hash{}, parley.Hash{}), Challenge(parley.Hash{}, 1, Step(2+i), parley.Hash{}, parley.Hash{}),
			Challenge(parley.Hash{}, 1, 1, parley.Hash{byte(1 + i)}, parley.Hash{}), Challenge(parley.Hash{}, 1, 1, parley.Hash{}, parley.Hash{byte(1 + i)})} {
			if challenges[h] {
				t.Errorf("a challenge binds too little")
			}
			challenges[h] = true
		}
	}
}
