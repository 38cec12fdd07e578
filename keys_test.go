package parley

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"math/big"
	"slices"
	"testing"
)

// Arithmetic on edwards25519 from its definition (RFC 8032, section 5.1), slow
// and independent of the code under test: -x² + y² = 1 + d·x²·y² mod 2^255-19.
type point struct{ x, y *big.Int }

var (
	bigP = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	bigD = new(big.Int).Mod(new(big.Int).Mul(big.NewInt(-121665), new(big.Int).ModInverse(big.NewInt(121666), bigP)), bigP)
)

func mod(x *big.Int) *big.Int { return x.Mod(x, bigP) }
func mul(x, y *big.Int) *big.Int {
	return mod(new(big.Int).Mul(x, y))
}
func inv(x *big.Int) *big.Int { return new(big.Int).ModInverse(x, bigP) }

func (p point) add(q point) point {
	xy := mul(p.x, q.y)
	yx := mul(p.y, q.x)
	t := mul(bigD, mul(mul(p.x, q.x), mul(p.y, q.y)))
	one := big.NewInt(1)
	x := mul(mod(new(big.Int).Add(xy, yx)), inv(mod(new(big.Int).Add(one, t))))
	y := mul(mod(new(big.Int).Add(mul(p.y, q.y), mul(p.x, q.x))), inv(mod(new(big.Int).Sub(one, t))))
	return point{x, y}
}

// at is a point with the given y coordinate; false if there is none.
func at(y *big.Int) (point, bool) {
	y2 := mul(y, y)
	num := mod(new(big.Int).Sub(y2, big.NewInt(1)))
	den := mod(new(big.Int).Add(mul(bigD, y2), big.NewInt(1)))
	x := new(big.Int).ModSqrt(mul(num, inv(den)), bigP)
	if x == nil {
		return point{}, false
	}
	return point{x, new(big.Int).Set(y)}, true
}

func (p point) order() int {
	q := p
	for n := 1; n <= 8; n++ {
		if q.x.Sign() == 0 && q.y.Cmp(big.NewInt(1)) == 0 {
			return n
		}
		q = q.add(p)
	}
	return 0
}

func littleEndian(y *big.Int) []byte {
	b := y.FillBytes(make([]byte, 32))
	slices.Reverse(b)
	return b
}

// The list in keys.go is exactly the y coordinates of the points of order 1,
// 2, 4 and 8: each has such an order, and together they are the eight points
// of that subgroup.
func TestSmallOrderList(t *testing.T) {
	points, orders := 0, map[int]int{}
	for _, s := range smallOrder {
		le := s
		slices.Reverse(le[:])
		y := new(big.Int).SetBytes(le[:])
		if y.Cmp(bigP) >= 0 {
			t.Errorf("%x is not canonical", s)
		}
		p, ok := at(y)
		if !ok {
			t.Errorf("%x is not on the curve", s)
			continue
		}
		n := p.order()
		if n == 0 {
			t.Errorf("%x has not an order of 1 to 8", s)
		}
		count := 2 // x and -x
		if p.x.Sign() == 0 {
			count = 1
		}
		points += count
		orders[n] += count
	}
	if points != 8 || orders[1] != 1 || orders[2] != 1 || orders[4] != 2 || orders[8] != 4 {
		t.Errorf("%d points, by order %v; the subgroup has 1, 1, 2 and 4", points, orders)
	}
}

func TestCheckEd(t *testing.T) {
	for _, s := range smallOrder {
		for _, sign := range []byte{0, 0x80} {
			key := bytes.Clone(s[:])
			key[31] |= sign
			if err := CheckEd(key); CodeOf(err) != CodeKey {
				t.Errorf("%x: %v", key, err)
			}
		}
	}
	// All encodings of a y from p to 2^255-1, with either sign.
	for i := range int64(19) {
		key := littleEndian(new(big.Int).Add(bigP, big.NewInt(i)))
		for _, sign := range []byte{0, 0x80} {
			key[31] = key[31]&0x7f | sign
			if err := CheckEd(key); CodeOf(err) != CodeKey {
				t.Errorf("p+%d: %v", i, err)
			}
		}
	}
	// p-2 is the greatest y that is neither; 2 the least.
	for _, y := range []*big.Int{big.NewInt(2), new(big.Int).Sub(bigP, big.NewInt(2))} {
		if err := CheckEd(littleEndian(y)); err != nil {
			t.Errorf("y = %d: %v", y, err)
		}
	}
	for i := range 50 {
		seed := make([]byte, 32)
		seed[0] = byte(i)
		if err := CheckEd(ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)); err != nil {
			t.Errorf("an honest key: %v", err)
		}
	}
	for _, n := range []int{0, 31, 33} {
		if err := CheckEd(make([]byte, n)); CodeOf(err) != CodeKey {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// Why such keys are refused: under the neutral element one made-up signature
// fits every message.
func TestIdentityForges(t *testing.T) {
	key, _ := hex.DecodeString("0100000000000000000000000000000000000000000000000000000000000000")
	sig := append(bytes.Clone(key), make([]byte, 32)...)
	for _, msg := range []string{"one", "another"} {
		if !ed25519.Verify(key, []byte(msg), sig) {
			t.Skip("the library refuses it by itself")
		}
	}
	if CheckEd(key) == nil {
		t.Error("a key under which every message is signed is accepted")
	}
}

func TestCheckPQ(t *testing.T) {
	if err := CheckPQ(make([]byte, SizePQ-1)); CodeOf(err) != CodeKey {
		t.Errorf("a short key: %v", err)
	}
	if VerifyPQ(nil, []byte("m"), make([]byte, SizePQSig)) {
		t.Error("a signature verifies under no key")
	}
}

func TestKeysBodyVerifyShortKey(t *testing.T) {
	k := &KeysBody{KEM: make([]byte, SizeKEM), Sig: make([]byte, 64)}
	if err := k.Verify(nil, Hash{}, 1, Gen{}, 0); CodeOf(err) != CodeSignature {
		t.Errorf("no key: %v", err)
	}
}
