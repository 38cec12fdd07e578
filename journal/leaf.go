package journal

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"

	"parley"
)

// Commit is the salted commitment to an entry's canonical bytes at one place
// of one log (spec/journal.md):
//
//	SHA-256("parley/entry/1\n" ‖ origin ‖ "\n" ‖ decimal(index) ‖ "\n" ‖ salt ‖ entry)
//
// Place and origin are inside, so that nobody can copy another's commitment
// and open it as an own one.
func Commit(origin string, index uint64, salt parley.Hash, entry []byte) parley.Hash {
	b := make([]byte, 0, 15+len(origin)+22+32+len(entry))
	return sha256.Sum256(appendCommitment(b, origin, index, salt, entry))
}

// appendCommitment appends what a commitment is the hash of.
func appendCommitment(b []byte, origin string, index uint64, salt parley.Hash, entry []byte) []byte {
	b = append(b, "parley/entry/1\n"...)
	b = append(b, origin...)
	b = append(b, '\n')
	b = strconv.AppendUint(b, index, 10)
	b = append(b, '\n')
	b = append(b, salt[:]...)
	return append(b, entry...)
}

// LeafHash is the Merkle leaf of a commitment and its audience:
//
//	SHA-256(0x00 ‖ to (4 bytes, big-endian) ‖ C)
//
// The audience is in the leaf, so that a receipt over a leaf its signer never
// saw opened does not look like one over a leaf that it read.
func LeafHash(to parley.Audience, c parley.Hash) parley.Hash {
	var b [37]byte
	binary.BigEndian.PutUint32(b[1:5], uint32(to))
	copy(b[5:], c[:])
	return sha256.Sum256(b[:])
}

// Leaf is what the record keeps of an entry for everyone: to whom it went and
// the commitment.
type Leaf struct {
	To     parley.Audience
	Commit parley.Hash
}

// Hash is the leaf's Merkle hash.
func (l Leaf) Hash() parley.Hash { return LeafHash(l.To, l.Commit) }

// CheckLeaf checks that a content is what a leaf commits to, at its place: the
// salt and the bytes give the commitment. That the entry inside is addressed
// as the leaf says, and keeps its rules, is CheckEntry's.
func CheckLeaf(origin string, index uint64, l Leaf, c *Content) error {
	_, err := checkLeaf(nil, origin, index, l, c)
	return err
}

// checkLeaf is CheckLeaf with room to work in, which it returns for the next.
func checkLeaf(room []byte, origin string, index uint64, l Leaf, c *Content) ([]byte, error) {
	room = appendCommitment(room[:0], origin, index, c.Salt, c.Entry)
	if sha256.Sum256(room) != l.Commit {
		return room, parley.Errorf(CodeLeaf, "the opening of entry %d does not fit its commitment", index)
	}
	return room, nil
}
