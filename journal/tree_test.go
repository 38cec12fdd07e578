package journal

import (
	"encoding/binary"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"parley"
)

type memHashes []tlog.Hash

func (m memHashes) ReadHashes(ix []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(ix))
	for i, x := range ix {
		out[i] = m[x]
	}
	return out, nil
}

// The growing edge and x/mod's tlog must agree at every size, in what is
// stored and in every proof.
func TestTreeAgreesWithTlog(t *testing.T) {
	var tree Tree
	var mem memHashes
	var roots []parley.Hash
	for i := range uint64(70) {
		leaf := LeafHash(0, parley.Hash{byte(i), byte(i >> 8)})
		want, err := tlog.StoredHashesForRecordHash(int64(i), tlog.Hash(leaf), mem)
		if err != nil {
			t.Fatal(err)
		}
		got := tree.Append(leaf)
		if len(got) != len(want) {
			t.Fatalf("size %d: %d hashes stored, tlog stores %d", i, len(got), len(want))
		}
		for k := range got {
			if tlog.Hash(got[k]) != want[k] {
				t.Fatalf("size %d: stored hash %d differs from tlog", i, k)
			}
			mem = append(mem, want[k])
		}
		th, err := tlog.TreeHash(int64(i+1), mem)
		if err != nil {
			t.Fatal(err)
		}
		if parley.Hash(th) != tree.Root() {
			t.Fatalf("size %d: root differs from tlog", i+1)
		}
		loaded, err := LoadTree(i+1, mem)
		if err != nil || loaded.Root() != tree.Root() {
			t.Fatalf("size %d: loaded tree differs (%v)", i+1, err)
		}
		roots = append(roots, tree.Root())
	}
	for m := uint64(1); m <= 70; m++ {
		p, err := ProveConsistency(m, 70, mem)
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckConsistency(p, m, roots[m-1], 70, roots[69]); err != nil {
			t.Errorf("size %d: %v", m, err)
		}
		bad := roots[m-1]
		bad[0] ^= 1
		if err := CheckConsistency(p, m, bad, 70, roots[69]); parley.CodeOf(err) != CodeProof {
			t.Errorf("size %d: a wrong root passed", m)
		}
	}
}

// FIPS/RFC anchor: an empty tree, and the leaf of RFC 6962's form.
func TestLeafForm(t *testing.T) {
	var b [5]byte
	binary.BigEndian.PutUint32(b[1:], 6)
	if got := LeafHash(6, parley.Hash{}); got != parley.Hash(tlog.RecordHash(append(b[1:], make([]byte, 32)...))) {
		t.Error("the leaf is not RFC 6962's hash of to ‖ C")
	}
	if got := Commit("o", 7, parley.Hash{1}, []byte("e")); got == Commit("o", 8, parley.Hash{1}, []byte("e")) {
		t.Error("the commitment does not depend on the index")
	}
}
