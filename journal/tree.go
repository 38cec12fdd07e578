package journal

import (
	"crypto/sha256"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"parley"
)

// Tree is the growing edge of an RFC 6962 tree: its size and the roots of its
// complete subtrees, largest first. Appending and reading the root need no
// more than that; proofs over the past read stored hashes (HashReader). The
// zero Tree is empty; a Tree is a value, and a copy does not change with it.
type Tree struct {
	size uint64
	edge [54]parley.Hash // edge[k] is a complete subtree of 2^k leaves if bit k of size is set
}

// Size is the number of leaves.
func (t *Tree) Size() uint64 { return t.size }

func nodeHash(l, r parley.Hash) parley.Hash {
	var b [65]byte
	b[0] = 1
	copy(b[1:], l[:])
	copy(b[33:], r[:])
	return sha256.Sum256(b[:])
}

// Append adds a leaf hash and returns the hashes to store for it: the leaf and
// every subtree that it completes, in the order of tlog.StoredHashIndex.
func (t *Tree) Append(leaf parley.Hash) []parley.Hash {
	return t.appendTo(make([]parley.Hash, 0, 1+bits.TrailingZeros64(^t.size)), leaf)
}

// appendTo is Append with the hashes to store added to those of the log.
func (t *Tree) appendTo(stored []parley.Hash, leaf parley.Hash) []parley.Hash {
	stored = append(stored, leaf)
	h := leaf
	k := 0
	for ; t.size>>k&1 == 1; k++ {
		h = nodeHash(t.edge[k], h)
		stored = append(stored, h)
	}
	t.edge[k] = h
	t.size++
	return stored
}

// Root is the tree's root hash; that of an empty tree is SHA-256 of nothing.
func (t *Tree) Root() parley.Hash {
	if t.size == 0 {
		return sha256.Sum256(nil)
	}
	k := bits.TrailingZeros64(t.size)
	h := t.edge[k]
	for k++; k < len(t.edge); k++ {
		if t.size>>k&1 == 1 {
			h = nodeHash(t.edge[k], h)
		}
	}
	return h
}

// Hashes reads stored hashes by their tlog.StoredHashIndex. A store implements
// it over its table, an exported record over its leaves.
type Hashes = tlog.HashReader

// LoadTree rebuilds the edge of a tree of the given size from stored hashes.
func LoadTree(size uint64, r Hashes) (*Tree, error) {
	t := &Tree{size: size}
	var idx []int64
	var at []int
	var start uint64
	for k := 63 - bits.LeadingZeros64(size|1); k >= 0; k-- {
		if size>>k&1 == 1 {
			idx = append(idx, tlog.StoredHashIndex(k, int64(start>>k)))
			at = append(at, k)
			start += 1 << k
		}
	}
	if len(idx) == 0 {
		return t, nil
	}
	hs, err := r.ReadHashes(idx)
	if err != nil {
		return nil, err
	}
	for i, k := range at {
		t.edge[k] = parley.Hash(hs[i])
	}
	return t, nil
}

// RootAt is the root of the first size leaves.
func RootAt(size uint64, r Hashes) (parley.Hash, error) {
	t, err := LoadTree(size, r)
	if err != nil {
		return parley.Hash{}, err
	}
	return t.Root(), nil
}

// ProveConsistency proves that the tree of size n extends the tree of size m,
// 0 < m <= n (RFC 6962 section 2.1.2).
func ProveConsistency(m, n uint64, r Hashes) ([]parley.Hash, error) {
	p, err := tlog.ProveTree(int64(n), int64(m), r)
	return fromTlog(p), err
}

// CheckConsistency checks such a proof. For m = 0 and for m = n the proof is
// empty.
func CheckConsistency(proof []parley.Hash, m uint64, mRoot parley.Hash, n uint64, nRoot parley.Hash) error {
	if m == 0 && len(proof) == 0 {
		return nil
	}
	if m > n || n > parley.MaxUint {
		return parley.Errorf(CodeProof, "a consistency proof from size %d to size %d", m, n)
	}
	if err := tlog.CheckTree(toTlog(proof), int64(n), tlog.Hash(nRoot), int64(m), tlog.Hash(mRoot)); err != nil {
		return parley.Errorf(CodeProof, "the consistency proof from size %d to size %d does not hold", m, n)
	}
	return nil
}

// ProveInclusion proves that leaf index is in the tree of size n.
func ProveInclusion(index, n uint64, r Hashes) ([]parley.Hash, error) {
	p, err := tlog.ProveRecord(int64(n), int64(index), r)
	return fromTlog(p), err
}

// CheckInclusion checks such a proof.
func CheckInclusion(proof []parley.Hash, index uint64, leaf parley.Hash, n uint64, root parley.Hash) error {
	if index >= n || n > parley.MaxUint {
		return parley.Errorf(CodeProof, "an inclusion proof for index %d in size %d", index, n)
	}
	if err := tlog.CheckRecord(toTlog(proof), int64(n), tlog.Hash(root), int64(index), tlog.Hash(leaf)); err != nil {
		return parley.Errorf(CodeProof, "the inclusion proof of index %d in size %d does not hold", index, n)
	}
	return nil
}

func fromTlog(p []tlog.Hash) []parley.Hash {
	hs := make([]parley.Hash, len(p))
	for i, h := range p {
		hs[i] = parley.Hash(h)
	}
	return hs
}

func toTlog(p []parley.Hash) []tlog.Hash {
	hs := make([]tlog.Hash, len(p))
	for i, h := range p {
		hs[i] = tlog.Hash(h)
	}
	return hs
}

// HashesOf reads tree hashes from rows that are not stored yet, and from base
// where recent does not have the row. recent returns the Hashes of a Row.
func HashesOf(recent func(index uint64) ([]parley.Hash, bool), base Hashes) Hashes {
	return tlog.HashReaderFunc(func(ix []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(ix))
		var rest []int64
		var at []int
		for i, x := range ix {
			level, n := tlog.SplitStoredHashIndex(x)
			if hs, ok := recent(uint64(n+1)<<level - 1); ok && level < len(hs) {
				out[i] = tlog.Hash(hs[level])
				continue
			}
			rest, at = append(rest, x), append(at, i)
		}
		if len(rest) == 0 {
			return out, nil
		}
		hs, err := base.ReadHashes(rest)
		if err != nil {
			return nil, err
		}
		for i, h := range hs {
			out[at[i]] = h
		}
		return out, nil
	})
}
