package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"log"
	"strings"

	"filippo.io/mldsa"

	"parley"
	"parley/frame"
	"parley/seal"
)

func init() { pages["keys"] = keys }

// nodeKeys are a member with every private key.
type nodeKeys struct {
	root, logEd, rcpt       ed25519.PrivateKey
	rootPQ, logPQ, rcptPQ   *mldsa.PrivateKey
	tls                     ed25519.PrivateKey
	rootEdPub, rootPQPub    []byte
	public                  *parley.Keys
	possessLog, possessRcpt []byte // messages of the proofs
}

func edKey(name string) ed25519.PrivateKey {
	h := named(name)
	return ed25519.NewKeyFromSeed(h[:])
}

func pqKey(name string) *mldsa.PrivateKey {
	h := named(name)
	k, err := mldsa.NewPrivateKey(mldsa.MLDSA44(), h[:])
	if err != nil {
		log.Fatal(err)
	}
	return k
}

func edPub(k ed25519.PrivateKey) []byte { return k.Public().(ed25519.PublicKey) }

func pqSign(k *mldsa.PrivateKey, msg []byte) []byte {
	sig, err := k.SignDeterministic(msg, nil)
	if err != nil {
		log.Fatal(err)
	}
	return sig
}

var made = map[string]*nodeKeys{}

// memberKeys makes a member's root and node keys of serial 0.
func memberKeys(name string) *nodeKeys {
	if m := made[name]; m != nil {
		return m
	}
	m := &nodeKeys{
		root: edKey(name + " root"), logEd: edKey(name + " log"), rcpt: edKey(name + " receipt"), tls: edKey(name + " tls"),
		rootPQ: pqKey(name + " root pq"), logPQ: pqKey(name + " log pq"), rcptPQ: pqKey(name + " receipt pq"),
	}
	m.rootEdPub, m.rootPQPub = edPub(m.root), m.rootPQ.PublicKey().Bytes()
	id := parley.RootID(m.rootEdPub, m.rootPQPub)
	m.possessLog = parley.PossessionMessage(id, parley.UseLog, edPub(m.logEd))
	m.possessRcpt = parley.PossessionMessage(id, parley.UseReceipt, edPub(m.rcpt))
	m.public = &parley.Keys{
		LogEd: edPub(m.logEd), LogPQ: m.logPQ.PublicKey().Bytes(), RcptEd: edPub(m.rcpt), RcptPQ: m.rcptPQ.PublicKey().Bytes(),
		TLS:    [][]byte{edPub(m.tls)},
		Proofs: [2][]byte{ed25519.Sign(m.logEd, m.possessLog), ed25519.Sign(m.rcpt, m.possessRcpt)},
	}
	made[name] = m
	return m
}

// edit is a copy of the member's public keys, changed.
func (m *nodeKeys) edit(change func(*parley.Keys)) *parley.Keys {
	k := *m.public
	k.TLS = append([][]byte{}, k.TLS...)
	change(&k)
	return &k
}

var channel = named("channel")

// rootKeysOf is the statement of m's root, as the given member, for its keys
// with a serial.
func rootKeysOf(m *nodeKeys, member parley.Party, g parley.Gen, serial uint64) *parley.RootKeys {
	return signRootKeys(m, member, g, m.edit(func(k *parley.Keys) { k.Serial = serial }))
}

func signRootKeys(m *nodeKeys, member parley.Party, g parley.Gen, k *parley.Keys) *parley.RootKeys {
	msg := parley.RootKeysMessage(channel, member, k.Serial, g, k)
	return &parley.RootKeys{Serial: k.Serial, Keys: k, Ed: ed25519.Sign(m.root, msg), PQ: pqSign(m.rootPQ, msg)}
}

// oddEd are encodings that are no usable Ed25519 key, with what is wrong.
var oddEd = []struct{ name, what, key string }{
	{"identity", "the neutral element", "01" + strings.Repeat("00", 31)},
	{"order-2", "a point of order 2", "ec" + strings.Repeat("ff", 30) + "7f"},
	{"order-4", "a point of order 4", strings.Repeat("00", 32)},
	{"order-8", "a point of order 8", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"},
	{"order-8-negative", "the other point of order 8 with the sign bit", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"},
	{"y-p", "y = p, which is 0 written otherwise", "ed" + strings.Repeat("ff", 30) + "7f"},
	{"y-p-plus-3", "y = p + 3", "f0" + strings.Repeat("ff", 30) + "7f"},
	{"y-all-ones", "all bits set", strings.Repeat("ff", 32)},
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		log.Fatal(err)
	}
	return b
}

func keys(w *writer) {
	m := memberKeys("a")
	possession(w, m)
	rootKeys(w, m)
	keysBody(w, m)
	derivations(w)
	grants(w)
}

func possession(w *writer, m *nodeKeys) {
	id := parley.RootID(m.rootEdPub, m.rootPQPub)
	params := []string{"op: node-keys", "root-id: " + id.String()}
	vec := func(name, expect, rule, comment string, change func(*parley.Keys)) {
		w.vector(name, expect, rule, comment, parley.AppendKeys(nil, m.edit(change)), params...)
	}
	vec("node-keys", "ok", "K4", "a member's node keys with both proofs", func(*parley.Keys) {})
	vec("node-keys-8-tls", "ok", "K1", "eight TLS keys", func(k *parley.Keys) {
		for i := range 7 {
			k.TLS = append(k.TLS, edPub(edKey(fmt.Sprint("more tls ", i))))
		}
	})
	for _, o := range oddEd {
		rule := "K3"
		if strings.HasPrefix(o.name, "y-") {
			rule = "K2"
		}
		vec("tls-"+o.name, string(parley.CodeKey), rule, "a TLS key that is "+o.what, func(k *parley.Keys) { k.TLS[0] = unhex(o.key) })
	}
	vec("log-identity", string(parley.CodeKey), "K3", "a log key that is the neutral element, under which a forged proof verifies", func(k *parley.Keys) {
		k.LogEd = unhex(oddEd[0].key)
		k.Proofs[0] = append(unhex(oddEd[0].key), make([]byte, 32)...)
	})
	vec("proof-log-flipped", string(parley.CodePossession), "K4", "one bit of the log key's proof", func(k *parley.Keys) { k.Proofs[0] = flipped(k.Proofs[0], 3) })
	vec("proof-receipt-flipped", string(parley.CodePossession), "K4", "one bit of the receipt key's proof", func(k *parley.Keys) { k.Proofs[1] = flipped(k.Proofs[1], 40) })
	vec("proofs-swapped", string(parley.CodePossession), "K4", "each proof stands for the other key", func(k *parley.Keys) { k.Proofs[0], k.Proofs[1] = k.Proofs[1], k.Proofs[0] })
	vec("proof-use", string(parley.CodePossession), "K4", "the log key proved for use 2", func(k *parley.Keys) {
		k.Proofs[0] = ed25519.Sign(m.logEd, parley.PossessionMessage(id, parley.UseReceipt, k.LogEd))
	})
	vec("proof-other-root", string(parley.CodePossession), "K4", "the receipt key proved towards another root", func(k *parley.Keys) {
		k.Proofs[1] = ed25519.Sign(m.rcpt, parley.PossessionMessage(named("another root"), parley.UseReceipt, k.RcptEd))
	})
	vec("log-is-tls", string(parley.CodeKeyRepeated), "K5", "the TLS key is the log key", func(k *parley.Keys) { k.TLS[0] = k.LogEd })
	vec("log-is-receipt", string(parley.CodeKeyRepeated), "K5", "the receipt key is the log key, proved for both uses", func(k *parley.Keys) {
		k.RcptEd = k.LogEd
		k.Proofs[1] = ed25519.Sign(m.logEd, parley.PossessionMessage(id, parley.UseReceipt, k.LogEd))
	})
	vec("seal-key-twice", string(parley.CodeKeyRepeated), "K5", "one ML-DSA-44 key for seals and receipts", func(k *parley.Keys) { k.RcptPQ = k.LogPQ })
	vec("no-tls", string(parley.CodeLength), "K1", "no TLS key", func(k *parley.Keys) { k.TLS = nil })
	vec("nine-tls", string(parley.CodeLength), "K1", "nine TLS keys", func(k *parley.Keys) {
		for i := range 8 {
			k.TLS = append(k.TLS, edPub(edKey(fmt.Sprint("more tls ", i))))
		}
	})
	vec("log-31", string(parley.CodeLength), "K1", "a log key of 31 bytes", func(k *parley.Keys) { k.LogEd = k.LogEd[:31] })
	vec("seal-key-1311", string(parley.CodeLength), "K1", "an ML-DSA-44 key of 1,311 bytes", func(k *parley.Keys) { k.LogPQ = k.LogPQ[:1311] })
}

func flipped(b []byte, i int) []byte {
	b = bytes.Clone(b)
	b[i] ^= 1
	return b
}

func rootKeys(w *writer, m *nodeKeys) {
	g := genOf("g")
	good := rootKeysOf(m, 2, g, 1)
	vec := func(name, expect, rule, comment string, r *parley.RootKeys, params ...string) {
		p := map[string]string{"op": "rootkeys", "channel": channel.String(), "member": "2", "gen": g.String(),
			"root-ed": hex.EncodeToString(m.rootEdPub), "root-pq": hex.EncodeToString(m.rootPQPub)}
		for _, s := range params {
			k, v, _ := strings.Cut(s, ": ")
			p[k] = v
		}
		var lines []string
		for _, k := range []string{"op", "channel", "member", "gen", "root-ed", "root-pq"} {
			lines = append(lines, k+": "+p[k])
		}
		w.vector(name, expect, rule, comment, parley.AppendRootKeys(nil, r), lines...)
	}
	vec("rootkeys", "ok", "K7", "new keys of member 2, serial 1", good)
	edit := func(change func(*parley.RootKeys)) *parley.RootKeys {
		r := *good
		change(&r)
		return &r
	}
	vec("rootkeys-serial", string(parley.CodeSerial), "K6", "serial 2 around keys of serial 1", edit(func(r *parley.RootKeys) { r.Serial = 2 }))
	vec("rootkeys-ed-flipped", string(parley.CodeSignature), "K7", "the Ed25519 signature is wrong, the other right", edit(func(r *parley.RootKeys) { r.Ed = flipped(r.Ed, 0) }))
	vec("rootkeys-pq-flipped", string(parley.CodeSignature), "K7", "the ML-DSA-44 signature is wrong, the other right", edit(func(r *parley.RootKeys) { r.PQ = flipped(r.PQ, 2000) }))
	vec("rootkeys-changed", string(parley.CodeSignature), "K7", "another TLS key than the signed one", edit(func(r *parley.RootKeys) {
		r.Keys = m.edit(func(k *parley.Keys) { k.Serial, k.TLS[0] = 1, edPub(edKey("other tls")) })
	}))
	vec("rootkeys-member", string(parley.CodeSignature), "K7", "signed as member 2, shown as member 3", good, "member: 3")
	vec("rootkeys-channel", string(parley.CodeSignature), "K7", "shown in another channel", good, "channel: "+named("another channel").String())
	vec("rootkeys-generation", string(parley.CodeSignature), "K7", "shown for another generation", good, "gen: "+genOf("h").String())
	vec("rootkeys-possession", string(parley.CodePossession), "K4", "signed by the root, but the log key is another's", signRootKeys(m, 2, g, m.edit(func(k *parley.Keys) {
		k.Serial, k.LogEd = 1, memberKeys("b").public.LogEd
	})))
	vec("rootkeys-repeats-root", string(parley.CodeKeyRepeated), "K5", "the TLS key is the root's key", signRootKeys(m, 2, g, m.edit(func(k *parley.Keys) {
		k.Serial, k.TLS[0] = 1, m.rootEdPub
	})))
}

func keysBody(w *writer, m *nodeKeys) {
	const index = 1
	g := genOf("g")
	seed := named("kem seed")
	priv, err := hpke.MLKEM768X25519().NewPrivateKey(seed[:])
	if err != nil {
		log.Fatal(err)
	}
	kem := priv.PublicKey().Bytes()
	body := func(change func(*parley.KeysBody)) *parley.KeysBody {
		k := &parley.KeysBody{KEM: kem, Until: tenthOfMay + 14*86400, Addrs: []string{"tls:node.example:4711"}}
		change(k)
		k.Sig = ed25519.Sign(m.logEd, k.Message(channel, 2, g, index))
		return k
	}
	same := func(*parley.KeysBody) {}
	vec := func(name, expect, rule, comment string, k *parley.KeysBody, place ...string) {
		p := []string{"op: keys", "channel: " + channel.String(), "member: 2", "gen: " + g.String(), "index: 1", "log-ed: " + hex.EncodeToString(edPub(m.logEd))}
		for _, s := range place {
			key, _, _ := strings.Cut(s, ": ")
			for i := range p {
				if strings.HasPrefix(p[i], key+": ") {
					p[i] = s
				}
			}
		}
		w.vector(name, expect, rule, comment, k.Encode(), p...)
	}
	vec("keys", "ok", "K9", "KEYS at index 1 with one address", body(same))
	vec("keys-no-address", "ok", "K8", "no address, as in CLEAR frames", body(func(k *parley.KeysBody) { k.Addrs = nil }))
	vec("keys-kem-1215", string(parley.CodeLength), "K8", "a KEM key of 1,215 bytes", body(func(k *parley.KeysBody) { k.KEM = kem[:1215] }))
	vec("keys-address-empty", string(parley.CodeLength), "K8", "an empty address", body(func(k *parley.KeysBody) { k.Addrs = []string{""} }))
	vec("keys-17-addresses", string(parley.CodeLength), "K8", "17 addresses", body(func(k *parley.KeysBody) { k.Addrs = strings.Split(strings.Repeat("tls:a:1 ", 17)[:17*8-1], " ") }))
	spoiled := body(same)
	spoiled.Sig = flipped(spoiled.Sig, 10)
	vec("keys-sig-flipped", string(parley.CodeSignature), "K9", "one bit of the signature", spoiled)
	moved := body(same)
	moved.Until++
	vec("keys-until-changed", string(parley.CodeSignature), "K9", "another time than the signed one", moved)
	vec("keys-moved", string(parley.CodeSignature), "K9", "shown at index 2", body(same), "index: 2")
	vec("keys-generation", string(parley.CodeSignature), "K9", "shown in another generation", body(same), "gen: "+genOf("h").String())
	vec("keys-kem-coefficient", string(parley.CodeKey), "K10", "an ML-KEM coefficient above the modulus", body(func(k *parley.KeysBody) {
		k.KEM = bytes.Clone(kem)
		k.KEM[0], k.KEM[1] = 0xff, k.KEM[1]|0x0f
	}))
	vec("keys-kem-low-order", string(parley.CodeKey), "K10", "an X25519 half of low order", body(func(k *parley.KeysBody) {
		k.KEM = append(bytes.Clone(kem[:1184]), make([]byte, 32)...)
	}))
}

func derivations(w *writer) {
	origin := parley.LogID{Channel: channel, Party: 2, Lane: parley.Flash, Gen: genOf("g")}.Origin()
	k := named("audience key")
	leaf := named("leaf")
	for _, d := range []struct {
		name, rule, comment, label string
		index                      uint64
		tail                       string
		open                       bool
	}{
		{"derive-salt", "K11", "the salt of entry 17", "salt", 17, "", false},
		{"derive-salt-0", "K11", "the salt of entry 0", "salt", 0, "", false},
		{"derive-entry", "K12", "the entry key of entry 17", "entry", 17, "", false},
		{"derive-open", "K13", "the key of an OPEN frame for entry 17", "open", 17, "\n" + string(leaf[:]), true},
	} {
		info := fmt.Sprintf("parley/%s/1\n%s\n%d%s", d.label, origin, d.index, d.tail)
		out, err := hkdf.Expand(sha256.New, k[:], info, 32)
		if err != nil {
			log.Fatal(err)
		}
		params := []string{"op: derive", "label: " + d.label, "origin: " + origin, fmt.Sprint("index: ", d.index)}
		if d.open {
			params = append(params, "leaf: "+leaf.String())
		}
		w.vector(d.name, "ok", d.rule, d.comment, k[:], append(params, "output: "+hex.EncodeToString(out))...)
	}
}

// sealedGrant was made once with crypto/hpke: the encapsulation is random, so
// the generator cannot make it again.
//
//go:embed grant.hex
var sealedGrant string

func grants(w *writer) {
	seed := named("kem seed")
	info := hex.EncodeToString(grantInfo())
	sealed := unhex(strings.TrimSpace(sealedGrant))
	vec := func(name, expect, comment, info string, b []byte) {
		w.vector(name, expect, "K14", comment, b, "op: unwrap", "seed: "+seed.String(), "info: "+info, "key: "+named("audience key").String())
	}
	vec("grant", "ok", "an audience key sealed by HPKE to the key of this seed", info, sealed)
	vec("grant-flipped", string(seal.CodeOpen), "one bit of the sealed key", info, flipped(sealed, 1150))
	vec("grant-encapsulation", string(seal.CodeOpen), "one bit of the encapsulation", info, flipped(sealed, 5))
	vec("grant-short", string(seal.CodeOpen), "a byte is missing", info, sealed[:len(sealed)-1])
	other := grantInfo()
	other[len(other)-1] ^= 1
	vec("grant-until", string(seal.CodeOpen), "shown with another time of expiry", hex.EncodeToString(other), sealed)
}

// grantInfo is the HPKE info of a GRANT from member 2 to member 1.
func grantInfo() []byte {
	g := frame.Grant{
		ChannelHint: uint16(channel[0])<<8 | uint16(channel[1]), Author: 2, Recipient: 1,
		KeyID: [8]byte{0xc0, 0xff, 0xee, 1, 2, 3, 4, 5}, From: tenthOfMay, Until: tenthOfMay + 7*86400,
	}
	return g.Info(channel)
}
