package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"parley"
	"parley/release"
)

func init() { pages["release"] = releasePage }

const (
	consoleHost = "console.india.example"
	consoleURL  = "https://console.india.example"
)

func passkey(name string) *release.Software {
	return release.NewSoftware(named("passkey of the " + name))
}

// namedRoster has two officers who draft and release, and one of each.
func namedRoster() *release.Roster {
	both := release.MayDraft | release.MayRelease
	return &release.Roster{Serial: 1, RPID: consoleHost, Origins: []string{consoleURL}, Keys: []release.Officer{
		passkey("duty officer").Officer("Duty officer 1", both), passkey("director").Officer("Director", both),
		passkey("desk officer").Officer("Desk officer", release.MayDraft), passkey("chief").Officer("Chief", release.MayRelease)}}
}

func releasePage(w *writer) {
	releaseRosters(w)
	releaseDigests(w)
	releaseBodies(w)
	releaseClientData(w)
	releaseAuthData(w)
	releaseSignatures(w)
}

func releaseRosters(w *writer) {
	v := func(name, expect, rule, comment string, body []byte, params ...string) {
		w.vector(name, expect, rule, comment, body, append([]string{"kind: 32"}, params...)...)
	}
	with := func(f func(*release.Roster)) []byte { r := namedRoster(); f(r); return r.Encode() }
	bad := func(name string, code parley.Code, rule, comment string, f func(*release.Roster)) {
		v(name, string(code), rule, comment, with(f))
	}
	two := with(func(r *release.Roster) { r.Keys = r.Keys[:2] })
	v("roster", "ok", "A1", "two keys, of a duty officer and a director", two)
	v("roster-empty", "ok", "A1", "no keys: nobody releases", with(func(r *release.Roster) { r.Keys = nil }))
	v("roster-demo", "ok", "A1", "a demonstration's, on localhost, with an Ed25519 key", with(func(r *release.Roster) {
		r.Demo, r.RPID, r.Origins = true, "localhost", []string{"http://localhost:8080", "https://localhost:8443"}
		r.Keys[0] = release.Officer{Alg: release.EdDSA, Key: edPub(edKey("officer")), Title: "ڈیوٹی افسر", Functions: release.MayRelease}
	}))
	v("roster-followed", "trailing-bytes", "A1", "a byte follows the roster", append(two, 0))
	v("roster-four", "wrong-length", "A1", "a roster of four fields", append([]byte{0x84}, two[1:]...))
	v("roster-demo-2", "out-of-range", "A1", "a demonstration flag of 2", append([]byte{0x85, 1, 2}, two[3:]...))
	bad("roster-serial-0", parley.CodeOutOfRange, "A1", "serial 0", func(r *release.Roster) { r.Serial = 0 })
	bad("roster-algorithm-6", parley.CodeOutOfRange, "A1", "algorithm 6", func(r *release.Roster) { r.Keys[1].Alg = 6 })
	bad("roster-function-0", parley.CodeOutOfRange, "A1", "a key that may do nothing", func(r *release.Roster) { r.Keys[1].Functions = 0 })
	bad("roster-function-4", parley.CodeOutOfRange, "A1", "a function that does not exist", func(r *release.Roster) { r.Keys[1].Functions = 4 })
	bad("roster-no-origin", parley.CodeLength, "A1", "no address", func(r *release.Roster) { r.Origins = nil })
	bad("roster-origins-unsorted", parley.CodeNotSorted, "A1", "addresses out of order", func(r *release.Roster) {
		r.Origins = []string{consoleURL + ":8443", consoleURL}
	})
	bad("roster-keys-65", parley.CodeLength, "A1", "65 keys", func(r *release.Roster) {
		r.Keys = slices.Repeat(r.Keys[:1], 65)
	})
	bad("roster-host-capital", release.CodeRPID, "A2", "a host with a capital letter", func(r *release.Roster) { r.RPID = "Console.india.example" })
	bad("roster-host-address", release.CodeRPID, "A2", "an IP address", func(r *release.Roster) { r.RPID, r.Origins = "127.0.0.1", []string{"https://127.0.0.1"} })
	bad("roster-origin-path", release.CodeOrigin, "A3", "an address with a path", func(r *release.Roster) { r.Origins[0] += "/" })
	bad("roster-origin-port", release.CodeOrigin, "A3", "an address with the default port", func(r *release.Roster) { r.Origins[0] += ":443" })
	bad("roster-origin-http", release.CodeOrigin, "A3", "http where the host is not localhost", func(r *release.Roster) { r.Origins[0] = "http://console.india.example" })
	bad("roster-origin-host", release.CodeOrigin, "A3", "a host that only ends like the console's", func(r *release.Roster) { r.Origins[0] = "https://evilconsole.india.example" })
	bad("roster-key-curve", release.CodeKey, "A4", "a point that is not on the curve", func(r *release.Roster) { r.Keys[0].Key[64] ^= 1 })
	bad("roster-key-compressed", release.CodeKey, "A4", "a point in its compressed form", func(r *release.Roster) {
		r.Keys[0].Key = append([]byte{2 + r.Keys[0].Key[64]&1}, r.Keys[0].Key[1:33]...)
	})
	bad("roster-key-small", release.CodeKey, "A4", "an Ed25519 key of small order", func(r *release.Roster) {
		r.Keys[0].Alg, r.Keys[0].Key = release.EdDSA, append([]byte{1}, make([]byte, 31)...)
	})
	bad("roster-key-twice", release.CodeKeyRepeated, "A5", "a key under two titles", func(r *release.Roster) { r.Keys[1].Key = r.Keys[0].Key })
	bad("roster-title", parley.CodeName, "A6", "a title that turns its direction", func(r *release.Roster) { r.Keys[0].Title = "Duty \u202eofficer" })
	v("roster-some", string(release.CodeNotAll), "A7", "to member 2 only", two, "to: 4")
	v("roster-flash", string(release.CodeNotAll), "A7", "in FLASH", two, "lane: 0")
}

// order is what the vectors release: a short message in FLASH to all.
var order = parley.Draft{Lane: parley.Flash, Kind: parley.KindText, Body: []byte("\x83\x00\x01\x6fRequest a talk.")}

func releaseDigests(w *writer) {
	for _, d := range []struct {
		name string
		parley.Draft
	}{{"digest", order}, {"digest-some", parley.Draft{Lane: parley.Routine, Kind: parley.KindAnswer, To: parley.AudienceOf(2, 4), Body: []byte{0x80}}}} {
		digest := release.Digest(d.Draft)
		nonce, channel := named("nonce"), named("release channel")
		w.vector(d.name, "ok", "A10", "the digest of a draft, and the challenge of its release by member 1", d.Body, "op: digest",
			fmt.Sprintf("lane: %d", d.Lane), fmt.Sprintf("kind: %d", d.Kind), fmt.Sprintf("to: %d", d.To), "channel: "+channel.String(),
			"nonce: "+nonce.String(), "step: 2", "digest: "+digest.String(),
			"challenge: "+release.Challenge(channel, 1, release.StepRelease, nonce, digest).String())
	}
}

// released is a RELEASE of order that holds.
func released() *release.Release {
	digest := release.Digest(order)
	sign := func(name string, s release.Step) release.Approval {
		return passkey(name).Approve(consoleHost, consoleURL, named("release channel"), 1, s, named("nonce of the "+name), digest)
	}
	return &release.Release{Digest: digest, Roster: *refTo(1, parley.Routine, 7),
		Drafted: sign("duty officer", release.StepDraft), Released: sign("director", release.StepRelease)}
}

func releaseVector(w *writer, name, expect, rule, comment string, f func(*release.Release), params ...string) {
	r := released()
	f(r)
	releaseRaw(w, name, expect, rule, comment, r.Encode(), params...)
}

func releaseRaw(w *writer, name, expect, rule, comment string, body []byte, params ...string) {
	all := []string{"kind: 33", "op: release"}
	for _, p := range []string{"channel: " + named("release channel").String(), fmt.Sprintf("roster: %x", namedRoster().Encode()), fmt.Sprintf("body: %x", order.Body)} {
		key, _, _ := strings.Cut(p, ": ")
		if !slices.ContainsFunc(params, func(q string) bool { return strings.HasPrefix(q, key+": ") }) {
			all = append(all, p)
		}
	}
	w.vector(name, expect, rule, comment, body, append(all, params...)...)
}

func releaseBodies(w *writer) {
	v := func(name string, code parley.Code, rule, comment string, f func(*release.Release), params ...string) {
		releaseVector(w, name, string(code), rule, comment, f, params...)
	}
	v("release", "ok", "A24", "drafted by the duty officer, released by the director", func(*release.Release) {})
	good := released().Encode()
	releaseRaw(w, "release-followed", "trailing-bytes", "A1", "a byte follows the release", append(good, 0))
	releaseRaw(w, "release-short", "truncated", "A1", "the release ends early", good[:len(good)-1])
	v("release-client-long", parley.CodeLength, "A1", "client data of 2,049 bytes", func(r *release.Release) { r.Released.ClientData = bytes.Repeat([]byte(" "), 2049) })
	v("release-authenticator-short", parley.CodeLength, "A1", "authenticator data of 36 bytes", func(r *release.Release) { r.Drafted.AuthData = r.Drafted.AuthData[:36] })
	v("release-same-key", release.CodeSameKey, "A8", "one key drafted and released", func(r *release.Release) { r.Released.Key = r.Drafted.Key })
	v("release-other-party", release.CodeNoRoster, "A9", "resting on a roster of member 2", func(r *release.Release) { r.Roster.Party = 2 })
	v("release-other-lane", release.CodeNoRoster, "A9", "resting on an entry in FLASH", func(r *release.Release) { r.Roster.Lane = 0 })
	v("release-edited", release.CodeDigest, "A26", "the message was edited after the approval", func(*release.Release) {}, "body: 830001617e")
	v("release-readdressed", release.CodeDigest, "A26", "the message goes to member 2 only", func(*release.Release) {}, "to: 4")
	v("release-unknown-key", release.CodeUnknownKey, "A12", "by a key that the roster does not name", func(r *release.Release) { r.Released.Key[0]++ })
	v("release-no-function", release.CodeFunction, "A13", "released by a key that only drafts", func(r *release.Release) {
		r.Released.Key = release.KeyID(release.ES256, passkey("desk officer").PublicKey())
	})
	v("release-same-office", release.CodeSameOffice, "A25", "two keys of the director", func(*release.Release) {},
		fmt.Sprintf("roster: %x", func() []byte { r := namedRoster(); r.Keys[0].Title = "Director"; return r.Encode() }()))
}

// signedAgain changes the director's approval and signs the change.
func signedAgain(f func(*release.Approval)) func(*release.Release) {
	return func(r *release.Release) {
		f(&r.Released)
		r.Released.Signature = passkey("director").Sign(r.Released.AuthData, r.Released.ClientData)
	}
}

func releaseClientData(w *writer) {
	change := func(old, new string) func(*release.Release) {
		return signedAgain(func(a *release.Approval) {
			if !bytes.Contains(a.ClientData, []byte(old)) {
				panic("nothing to change in the client data: " + old)
			}
			a.ClientData = []byte(strings.Replace(string(a.ClientData), old, new, 1))
		})
	}
	v := func(name string, code parley.Code, rule, comment, old, new string) {
		releaseVector(w, name, string(code), rule, comment, change(old, new))
	}
	v("client-extra", "ok", "A14", "members that nobody knows", `}`, `,"other":{"a":[1.5e3,null,true,"\u00e9"]}}`)
	v("client-no-cross", "ok", "A18", "without crossOrigin, as older browsers write it", `,"crossOrigin":false`, ``)
	v("client-spaces", "ok", "A14", "spaces and a line break", `,"origin"`, " ,\n\t\"origin\" ")
	v("client-not-json", release.CodeClientData, "A14", "the last brace is missing", `}`, ``)
	releaseVector(w, "client-list", string(release.CodeClientData), "A14", "a list", signedAgain(func(a *release.Approval) { a.ClientData = []byte("[]") }))
	v("client-two", release.CodeClientData, "A14", "two objects", `}`, `}{}`)
	v("client-mark", release.CodeClientData, "A14", "a byte order mark", `{`, "\ufeff{")
	v("client-utf8", release.CodeClientData, "A14", "a byte that is not UTF-8", `}`, ",\"x\":\"\xff\"}")
	v("client-half", release.CodeClientData, "A14", "half a surrogate", `}`, `,"x":"\ud800"}`)
	v("client-nan", release.CodeClientData, "A14", "a number that is none", `}`, `,"x":NaN}`)
	v("client-twice", release.CodeClientData, "A14", "the origin twice", `{`, `{"origin":"https://evil.example",`)
	v("client-twice-escaped", release.CodeClientData, "A14", "the type twice, once with an escape", `}`, `,"t\u0079pe":"webauthn.create"}`)
	v("client-twice-inside", release.CodeClientData, "A14", "a member twice in an object inside", `}`, `,"x":{"a":1,"a":2}}`)
	v("client-deep", release.CodeClientData, "A14", "nine deep", `}`, `,"x":[[[[[[[[]]]]]]]]}`)
	v("client-eight", "ok", "A14", "eight deep", `}`, `,"x":[[[[[[[]]]]]]]}`)
	v("client-create", release.CodeType, "A15", "made when a passkey was registered", "webauthn.get", "webauthn.create")
	v("client-type-case", release.CodeType, "A15", "a capital letter in the member's name", `"type"`, `"Type"`)
	v("client-type-list", release.CodeType, "A15", "the type is a list", `"webauthn.get"`, `["webauthn.get"]`)
	v("client-challenge-padded", release.CodeChallenge, "A16", "the challenge with padding", `","origin`, `=","origin`)
	v("client-origin-other", release.CodeWrongOrigin, "A17", "signed on another page", consoleURL, consoleURL+".evil.example")
	v("client-origin-port", release.CodeWrongOrigin, "A17", "signed on another port", consoleURL, consoleURL+":8443")
	v("client-cross", release.CodeCrossOrigin, "A18", "signed in a frame of another site", `:false`, `:true`)
	v("client-cross-null", release.CodeCrossOrigin, "A18", "crossOrigin is null", `:false`, `:null`)
	v("client-top", release.CodeCrossOrigin, "A18", "with topOrigin", `}`, `,"topOrigin":"`+consoleURL+`"}`)
	for _, c := range []struct {
		name, comment string
		f             func(*release.Release)
	}{
		{"challenge-nonce", "the nonce is another", func(r *release.Release) { r.Released.Nonce[31]++ }},
		{"challenge-steps", "the two steps are exchanged", func(r *release.Release) { r.Drafted, r.Released = r.Released, r.Drafted }},
	} {
		releaseVector(w, c.name, string(release.CodeChallenge), "A16", c.comment, c.f)
	}
	releaseVector(w, "challenge-channel", string(release.CodeChallenge), "A16", "in another channel", func(*release.Release) {}, "channel: "+named("another channel").String())
	releaseVector(w, "challenge-author", string(release.CodeChallenge), "A16", "by member 2", func(r *release.Release) { r.Roster.Party = 2 }, "author: 2")
}

func releaseAuthData(w *writer) {
	v := func(name string, code parley.Code, rule, comment string, f func(b []byte) []byte) {
		releaseVector(w, name, string(code), rule, comment, signedAgain(func(a *release.Approval) { a.AuthData = f(a.AuthData) }))
	}
	flag := func(set, clear byte) func([]byte) []byte {
		return func(b []byte) []byte { b[32] = b[32]&^clear | set; return b }
	}
	v("flags-synced", "ok", "A23", "a passkey that is backed up", flag(0x18, 0))
	v("flags-reserved", "ok", "A19", "the two reserved flags", flag(0x22, 0))
	v("flags-counter", "ok", "A19", "a counter of 258", func(b []byte) []byte { b[35], b[36] = 1, 2; return b })
	v("flags-extensions", "ok", "A19", "extensions, not looked at", func(b []byte) []byte { return append(flag(0x80, 0)(b), 0xa0) })
	v("flags-extensions-none", release.CodeAuthData, "A19", "the flag of extensions and none", flag(0x80, 0))
	v("flags-more", release.CodeAuthData, "A19", "a byte more, without the flag", func(b []byte) []byte { return append(b, 0xa0) })
	v("flags-attested", release.CodeAuthData, "A19", "the flag of a new key", flag(0x40, 0))
	v("flags-host", release.CodeRP, "A20", "a passkey of another host", func(b []byte) []byte { b[0] ^= 1; return b })
	v("flags-absent", release.CodeNotPresent, "A21", "nobody was present", flag(0, 0x01))
	v("flags-unverified", release.CodeNotVerified, "A22", "nobody was verified", flag(0, 0x04))
	v("flags-backup", release.CodeBackup, "A23", "backed up, though it cannot be", flag(0x10, 0))
}

func releaseSignatures(w *writer) {
	v := func(name string, code parley.Code, comment string, f func(*release.Release)) {
		releaseVector(w, name, string(code), "A24", comment, f)
	}
	v("signature-other-s", "ok", "the other of the two values of s", func(r *release.Release) { r.Released.Signature = otherS(r.Released.Signature) })
	v("signature-bit", release.CodeSignature, "a bit of s is turned", func(r *release.Release) { r.Drafted.Signature[len(r.Drafted.Signature)-1] ^= 1 })
	v("signature-other-key", release.CodeSignature, "by another key of the roster", func(r *release.Release) {
		r.Released.Signature = passkey("duty officer").Sign(r.Released.AuthData, r.Released.ClientData)
	})
	v("signature-der", release.CodeSignature, "a length in two bytes", func(r *release.Release) {
		s := r.Released.Signature
		r.Released.Signature = slices.Concat([]byte{s[0], 0x81}, s[1:])
	})
	v("signature-counter", release.CodeSignature, "the counter was changed after signing", func(r *release.Release) { r.Released.AuthData[36]++ })
	v("signature-client", release.CodeSignature, "a space was added after signing", func(r *release.Release) { r.Released.ClientData = append(r.Released.ClientData, ' ') })
	ros := namedRoster()
	ros.Keys[1] = release.Officer{Alg: release.EdDSA, Key: edPub(edKey("director's key")), Title: "Director", Functions: release.MayRelease}
	ed := func(f func(sig []byte)) func(*release.Release) {
		return func(r *release.Release) {
			a := &r.Released
			a.Key = ros.Keys[1].ID()
			client := sha256.Sum256(a.ClientData)
			a.Signature = ed25519.Sign(edKey("director's key"), slices.Concat(a.AuthData, client[:]))
			f(a.Signature)
		}
	}
	withRoster := fmt.Sprintf("roster: %x", ros.Encode())
	releaseVector(w, "signature-ed25519", "ok", "A24", "released with Ed25519", ed(func([]byte) {}), withRoster)
	releaseVector(w, "signature-ed25519-bit", string(release.CodeSignature), "A24", "a bit of it is turned", ed(func(s []byte) { s[3] ^= 1 }), withRoster)
}

// otherS replaces s by the order less s: as valid as before.
func otherS(sig []byte) []byte {
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
