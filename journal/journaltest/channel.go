// Package journaltest builds what tests of the record need: a channel whose
// private keys are known, a store in memory that keeps the store contract, and
// a member that writes, receipts, witnesses and seals in it.
//
// Everything is deterministic: keys come from fixed seeds and salts from the
// place of the entry, so a record made twice has the same bytes. Nothing here
// is fit for use outside tests; it panics where a test would fail.
package journaltest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"

	"filippo.io/mldsa"

	"parley"
	"parley/journal"
)

// NodeKeys are a member's node keys with their private halves.
type NodeKeys struct {
	Public *parley.Keys
	Log    ed25519.PrivateKey
	LogPQ  *mldsa.PrivateKey
	Rcpt   ed25519.PrivateKey
	RcptPQ *mldsa.PrivateKey
	TLS    ed25519.PrivateKey
}

// Member is a member of a test channel.
type Member struct {
	Index  parley.Party
	Name   string
	Root   ed25519.PrivateKey
	RootPQ *mldsa.PrivateKey
	Keys   NodeKeys // of serial 0, those of the charter
}

// Witness is a witness of a test channel.
type Witness struct {
	Name string
	Ed   ed25519.PrivateKey
	PQ   *mldsa.PrivateKey
}

// Channel is a charter in force with every private key behind it.
type Channel struct {
	ID        parley.Hash
	Charter   *parley.Charter
	Signed    *parley.SignedCharter
	Members   []*Member // Members[0] is member 1
	Witnesses []*Witness
}

// Seed is 32 bytes named by a label.
func Seed(format string, args ...any) []byte {
	h := sha256.Sum256(fmt.Appendf([]byte("journaltest "), format, args...))
	return h[:]
}

// Ed makes an Ed25519 key from a label.
func Ed(format string, args ...any) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(Seed(format, args...))
}

// PQ makes an ML-DSA-44 key from a label.
func PQ(format string, args ...any) *mldsa.PrivateKey {
	k, err := mldsa.NewPrivateKey(mldsa.MLDSA44(), Seed(format, args...))
	if err != nil {
		panic(err)
	}
	return k
}

func sign(k ed25519.PrivateKey, msg []byte) []byte { return ed25519.Sign(k, msg) }

func pub(k ed25519.PrivateKey) []byte { return k.Public().(ed25519.PublicKey) }

func signPQ(k *mldsa.PrivateKey, msg []byte) []byte {
	sig, err := k.SignDeterministic(msg, nil)
	if err != nil {
		panic(err)
	}
	return sig
}

// NodeKeys makes the member's node keys of a serial.
func (m *Member) NodeKeys(serial uint64) NodeKeys {
	label := func(use string) string { return fmt.Sprintf("%s %s %d", m.Name, use, serial) }
	k := NodeKeys{
		Log: Ed("%s", label("log")), LogPQ: PQ("%s", label("log pq")),
		Rcpt: Ed("%s", label("receipt")), RcptPQ: PQ("%s", label("receipt pq")),
		TLS: Ed("%s", label("tls")),
	}
	root := parley.RootID(pub(m.Root), m.RootPQ.PublicKey().Bytes())
	k.Public = &parley.Keys{
		Serial: serial,
		LogEd:  pub(k.Log), LogPQ: k.LogPQ.PublicKey().Bytes(),
		RcptEd: pub(k.Rcpt), RcptPQ: k.RcptPQ.PublicKey().Bytes(),
		TLS: [][]byte{pub(k.TLS)},
	}
	k.Public.Proofs[0] = ed25519.Sign(k.Log, parley.PossessionMessage(root, parley.UseLog, k.Public.LogEd))
	k.Public.Proofs[1] = ed25519.Sign(k.Rcpt, parley.PossessionMessage(root, parley.UseReceipt, k.Public.RcptEd))
	return k
}

// RootKeys is the root's statement that puts keys in force for a generation.
func (m *Member) RootKeys(ch parley.Hash, gen parley.Gen, keys *parley.Keys) *parley.RootKeys {
	msg := parley.RootKeysMessage(ch, m.Index, keys.Serial, gen, keys)
	return &parley.RootKeys{Serial: keys.Serial, Keys: keys, Ed: ed25519.Sign(m.Root, msg), PQ: signPQ(m.RootPQ, msg)}
}

var names = []string{"india", "pakistan", "mediator", "oman", "norway", "qatar"}
var witnessNames = []string{"north", "south", "sea", "sky"}

// New makes a channel of 2 to 6 members, the third a mediator and those after
// it observers, and of 0 to 4 witnesses, the first two of which have both
// kinds of keys. The quorum is all witnesses but one, or all of fewer than
// three, or none. Rules may be changed by edit before the charter is signed.
func New(members, witnesses int, edit func(*parley.Charter)) *Channel {
	c := &Channel{Charter: &parley.Charter{Name: "test line", Rules: parley.DefaultRules(), SignBy: 1_800_000_000}}
	for i := range members {
		m := &Member{Index: parley.Party(i + 1), Name: names[i]}
		m.Root, m.RootPQ = Ed("%s root", m.Name), PQ("%s root pq", m.Name)
		m.Keys = m.NodeKeys(0)
		c.Members = append(c.Members, m)
		role := parley.RoleParty
		if i == 2 {
			role = parley.RoleMediator
		} else if i > 2 {
			role = parley.RoleObserver
		}
		c.Charter.Members = append(c.Charter.Members, parley.Member{
			Index: m.Index, Role: role, Name: m.Name,
			RootEd: pub(m.Root), RootPQ: m.RootPQ.PublicKey().Bytes(), Keys: m.Keys.Public,
		})
	}
	group := ""
	for i := range witnesses {
		w := &Witness{Name: witnessNames[i], Ed: Ed("witness %d", i)}
		pw := parley.Witness{Name: w.Name, Ed: pub(w.Ed)}
		if i < 2 {
			w.PQ = PQ("witness %d pq", i)
			pw.PQ = w.PQ.PublicKey().Bytes()
		}
		c.Witnesses = append(c.Witnesses, w)
		c.Charter.Witnesses = append(c.Charter.Witnesses, pw)
		group += " " + w.Name
	}
	switch {
	case witnesses == 1:
		c.Charter.Rules.Quorum = "quorum " + c.Witnesses[0].Name + "\n"
	case witnesses > 1:
		need := witnesses
		if witnesses > 2 {
			need--
		}
		c.Charter.Rules.Quorum = fmt.Sprintf("group seen-by %d%s\nquorum seen-by\n", need, group)
	}
	if edit != nil {
		edit(c.Charter)
	}
	c.Signed = &parley.SignedCharter{Charter: c.Charter.Encode()}
	c.ID = c.Signed.Channel()
	msg := parley.CharterMessage(c.ID)
	for _, m := range c.Members {
		c.Signed.Add(parley.CharterSig{Index: m.Index, Ed: ed25519.Sign(m.Root, msg), PQ: signPQ(m.RootPQ, msg)})
	}
	if _, _, err := parley.ParseSignedCharter(c.Signed.Encode()); err != nil {
		panic(err)
	}
	return c
}

// Member is member i.
func (c *Channel) Member(i parley.Party) *Member { return c.Members[i-1] }

// Gen names the n-th generation of a member, as a test would draw it.
func (c *Channel) Gen(p parley.Party, n int) (g parley.Gen) {
	copy(g[:], Seed("generation %d of %d", n, p))
	return
}

// Log names a lane of a member's n-th generation.
func (c *Channel) Log(p parley.Party, lane parley.Lane, n int) parley.LogID {
	return parley.LogID{Channel: c.ID, Party: p, Lane: lane, Gen: c.Gen(p, n)}
}

// Salt is the salt of a place, as fixed as the rest.
func Salt(log parley.LogID, index uint64) parley.Hash {
	return parley.Hash(Seed("salt %s %d", log.Origin(), index))
}

// Content is an entry with the salt of its place.
func Content(log parley.LogID, index uint64, e *parley.Entry) *journal.Content {
	return &journal.Content{Salt: Salt(log, index), Entry: e.Encode()}
}
