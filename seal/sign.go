package seal

import (
	"crypto/ed25519"
	"io"

	"filippo.io/mldsa"

	"parley"
)

// Signer is a pair of signing keys that always act together or by role: an
// Ed25519 key and an ML-DSA-44 key, from seeds of 32 bytes each.
type Signer struct {
	Ed ed25519.PrivateKey
	PQ *mldsa.PrivateKey
}

func newSigner(ed, pq []byte) (Signer, error) {
	k, err := mldsa.NewPrivateKey(mldsa.MLDSA44(), pq)
	if err != nil {
		return Signer{}, parley.Errorf(CodeSecrets, "ML-DSA seed: %w", err)
	}
	return Signer{ed25519.NewKeyFromSeed(ed), k}, nil
}

// EdPublic and PQPublic are the public keys.
func (s Signer) EdPublic() []byte { return s.Ed.Public().(ed25519.PublicKey) }
func (s Signer) PQPublic() []byte { return s.PQ.PublicKey().Bytes() }

// both signs with both keys; ML-DSA deterministically, so that the same
// statement is the same bytes.
func (s Signer) both(msg []byte) (ed, pq []byte) {
	pq, err := s.PQ.SignDeterministic(msg, nil)
	if err != nil {
		panic(err) // only for a context that is not used
	}
	return ed25519.Sign(s.Ed, msg), pq
}

// Root is a party's root: it signs charters and ROOTKEYS and nothing else, and
// it is kept apart from the node.
type Root struct{ Signer }

// Node holds the keys that a node uses every day.
type Node struct {
	Serial uint64
	Log    Signer             // signs and seals own heads
	Rcpt   Signer             // cosigns others' heads
	TLS    ed25519.PrivateKey // the node's certificate
	Data   Key                // seals the record at rest
}

const (
	sizeRoot = 2 * 32
	sizeNode = 6 * 32
)

func seeds(r io.Reader, n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	return b, nil
}

// NewRoot draws a root from r.
func NewRoot(r io.Reader) (*Root, []byte, error) {
	b, err := seeds(r, sizeRoot)
	if err != nil {
		return nil, nil, err
	}
	root, err := RootFromSeeds(b)
	return root, b, err
}

// RootFromSeeds makes the root of 64 secret bytes.
func RootFromSeeds(b []byte) (*Root, error) {
	if len(b) != sizeRoot {
		return nil, parley.Errorf(CodeSecrets, "a root of %d bytes, not %d", len(b), sizeRoot)
	}
	s, err := newSigner(b[:32], b[32:])
	return &Root{s}, err
}

// NewNode draws a node's keys from r.
func NewNode(r io.Reader, serial uint64) (*Node, []byte, error) {
	b, err := seeds(r, sizeNode)
	if err != nil {
		return nil, nil, err
	}
	n, err := NodeFromSeeds(serial, b)
	return n, b, err
}

// NodeFromSeeds makes a node's keys of 192 secret bytes.
func NodeFromSeeds(serial uint64, b []byte) (*Node, error) {
	if len(b) != sizeNode {
		return nil, parley.Errorf(CodeSecrets, "node keys of %d bytes, not %d", len(b), sizeNode)
	}
	n := &Node{Serial: serial, TLS: ed25519.NewKeyFromSeed(b[128:160]), Data: Key(b[160:192])}
	var err error
	if n.Log, err = newSigner(b[:32], b[32:64]); err != nil {
		return nil, err
	}
	n.Rcpt, err = newSigner(b[64:96], b[96:128])
	return n, err
}

// Public is what the root announces of the node's keys, with the proofs of
// possession bound to the root's public keys.
func (n *Node) Public(rootEd, rootPQ []byte) *parley.Keys {
	id := parley.RootID(rootEd, rootPQ)
	k := &parley.Keys{
		Serial: n.Serial,
		LogEd:  n.Log.EdPublic(), LogPQ: n.Log.PQPublic(),
		RcptEd: n.Rcpt.EdPublic(), RcptPQ: n.Rcpt.PQPublic(),
		TLS: [][]byte{n.TLS.Public().(ed25519.PublicKey)},
	}
	k.Proofs[0] = ed25519.Sign(n.Log.Ed, parley.PossessionMessage(id, parley.UseLog, k.LogEd))
	k.Proofs[1] = ed25519.Sign(n.Rcpt.Ed, parley.PossessionMessage(id, parley.UseReceipt, k.RcptEd))
	return k
}

// SignCharter is the root's agreement to a charter as member i.
func (r *Root) SignCharter(ch parley.Hash, i parley.Party) parley.CharterSig {
	ed, pq := r.both(parley.CharterMessage(ch))
	return parley.CharterSig{Index: i, Ed: ed, PQ: pq}
}

// SignKeys puts new node keys in force from generation gen on.
func (r *Root) SignKeys(ch parley.Hash, i parley.Party, gen parley.Gen, k *parley.Keys) *parley.RootKeys {
	ed, pq := r.both(parley.RootKeysMessage(ch, i, k.Serial, gen, k))
	return &parley.RootKeys{Serial: k.Serial, Keys: k, Ed: ed, PQ: pq}
}
