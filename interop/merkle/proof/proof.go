// Package proof is that of the release, with one stub.
package proof

import (
	"errors"

	"github.com/transparency-dev/merkle"
	"merkle.release/proof"
)

func VerifyConsistency(hasher merkle.LogHasher, size1, size2 uint64, p [][]byte, root1, root2 []byte) error {
	return proof.VerifyConsistency(hasher, size1, size2, p, root1, root2)
}

// VerifySubtreeConsistency serves sign-subtree only, which stays off here.
func VerifySubtreeConsistency(merkle.LogHasher, uint64, uint64, uint64, [][]byte, []byte, []byte) error {
	return errors.New("sub-trees are not part of this release")
}
