package host

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley"
)

// GF(256) of AES: the worked example of FIPS 197, section 4.2, and inverses.
func TestField(t *testing.T) {
	if got := mul(0x57, 0x83); got != 0xc1 {
		t.Errorf("{57}·{83} = %x", got)
	}
	for a := range 256 {
		if a > 0 && mul(byte(a), inverse(byte(a))) != 1 {
			t.Errorf("1/%x is wrong", a)
		}
		for b := range 256 {
			if mul(byte(a), byte(b)) != slow(a, b) {
				t.Fatalf("%x·%x", a, b)
			}
		}
	}
}

// slow multiplies polynomials and divides by x^8+x^4+x^3+x+1, as at school.
func slow(a, b int) byte {
	p := 0
	for i := range 8 {
		if b>>i&1 == 1 {
			p ^= a << i
		}
	}
	for i := 15; i >= 8; i-- {
		if p>>i&1 == 1 {
			p ^= 0x11b << (i - 8)
		}
	}
	return byte(p)
}

// Every choice of enough shares rebuilds the secret. With one too few every
// secret fits: for each there is a polynomial through those shares.
func TestShamir(t *testing.T) {
	secret := make([]byte, 64)
	rand.Read(secret)
	const need, of = 3, 5
	coefficients := [][]byte{make([]byte, 64), make([]byte, 64)}
	rand.Read(coefficients[0])
	rand.Read(coefficients[1])
	var shares [of + 1][]byte
	for x := byte(1); x <= of; x++ {
		shares[x] = split(secret, coefficients, x)
	}
	n := 0
	for a := byte(1); a <= of; a++ {
		for b := a + 1; b <= of; b++ {
			if two := combine([]byte{a, b}, [][]byte{shares[a], shares[b]}); bytes.Equal(two, secret) {
				t.Errorf("shares %d and %d are enough", a, b)
			}
			for c := b + 1; c <= of; c++ {
				n++
				if got := combine([]byte{c, a, b}, [][]byte{shares[c], shares[a], shares[b]}); !bytes.Equal(got, secret) {
					t.Errorf("shares %d, %d, %d do not rebuild it", a, b, c)
				}
			}
		}
	}
	if n != 10 {
		t.Errorf("%d choices", n)
	}
	// Any other secret is as consistent with shares 1 and 2: the third point of
	// the polynomial through (0, other), (1, ...), (2, ...) makes a valid set.
	other := bytes.Repeat([]byte{0x42}, 64)
	third := combine3(other, shares[1], shares[2])
	if got := combine([]byte{1, 2, 3}, [][]byte{shares[1], shares[2], third}); !bytes.Equal(got, other) {
		t.Error("two shares exclude a secret")
	}
}

// combine3 is the value at 3 of the polynomials through 0, 1 and 2.
func combine3(at0, at1, at2 []byte) []byte {
	out := make([]byte, len(at0))
	for k := range out {
		for i, y := range [][]byte{at0, at1, at2} {
			w := y[k]
			for j := range 3 {
				if j != i {
					w = mul(w, mul(3^byte(j), inverse(byte(i^j))))
				}
			}
			out[k] ^= w
		}
	}
	return out
}

func TestShares(t *testing.T) {
	dir := t.TempDir()
	card, err := Init(dir, "Avaria", "", "old passphrase")
	if err != nil {
		t.Fatal(err)
	}
	shares, err := SplitRoot(RootPath(dir), "old passphrase", card.Name, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	root, err := OpenRoot(RootPath(dir), "old passphrase")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range shares {
		if b := s.Encode(); bytes.Contains(b, root.Ed.Seed()) {
			t.Error("a share shows the root")
		}
	}
	want := func(err error, code parley.Code, what string) {
		t.Helper()
		if parley.CodeOf(err) != code {
			t.Errorf("%s: %v, want %s", what, err, code)
		}
	}
	read := func(s *Share) *Share {
		t.Helper()
		// Typed from paper: capitals, spaces, an empty line, Windows' ends of lines.
		text := string(s.Encode())
		lines := strings.Split(text, "\n")
		lines[5] = "  " + strings.ToUpper(lines[5]) + "  "
		got, err := ParseShare("share", []byte(strings.Join(lines, "\r\n")+"\r\n\r\n"))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		return got
	}
	a, c := read(shares[0]), read(shares[2])
	path := filepath.Join(dir, "again.key")
	if err := CombineRoot([]*Share{a, c, a}, card, path, "new passphrase"); err != nil {
		t.Fatal(err)
	}
	again, err := OpenRoot(path, "new passphrase")
	if err != nil || !bytes.Equal(again.EdPublic(), root.EdPublic()) || !bytes.Equal(again.PQPublic(), root.PQPublic()) {
		t.Errorf("the root came back as another: %v", err)
	}
	want(CombineRoot([]*Share{a, c}, card, path, "p"), CodeExists, "over a file")
	want(TryShares([]*Share{a}, card), CodeTooFew, "one")
	want(TryShares([]*Share{a, a, a}, card), CodeTooFew, "one, three times")
	want(TryShares(nil, card), CodeTooFew, "none")

	// Every single character that was mistyped is found, in its line.
	text := string(shares[0].Encode())
	for i := range text {
		if text[i] == '\n' || text[i] == ' ' {
			continue
		}
		wrong := []byte(text)
		wrong[i] = '7'
		if wrong[i] == text[i] {
			wrong[i] = '3'
		}
		if _, err := ParseShare("share", wrong); parley.CodeOf(err) != CodeShare {
			t.Fatalf("%q for %q at %d is not noticed: %v", wrong[i], text[i], i, err)
		}
	}

	// Of another splitting, of another party, and forged with a good check.
	more, err := SplitRoot(RootPath(dir), "old passphrase", card.Name, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	want(TryShares([]*Share{a, more[1]}, card), CodeShare, "two sets")
	forged := *shares[1]
	forged.value = bytes.Clone(forged.value)
	forged.value[9] ^= 1
	want(TryShares([]*Share{a, read(&forged)}, card), CodeShare, "forged")
	stranger, err := Init(filepath.Join(dir, "b"), "Borduria", "", "pass")
	if err != nil {
		t.Fatal(err)
	}
	want(CombineRoot([]*Share{a, c}, stranger, filepath.Join(dir, "no.key"), "p"), CodeNotRoot, "another's card")
	if _, err := os.Stat(filepath.Join(dir, "no.key")); err == nil {
		t.Error("a root was written that is not the card's")
	}
	for _, n := range [][2]int{{1, 3}, {4, 3}, {2, 256}, {0, 0}} {
		_, err := SplitRoot(RootPath(dir), "old passphrase", card.Name, n[0], n[1])
		want(err, parley.CodeOutOfRange, "a splitting that cannot be")
	}
}
