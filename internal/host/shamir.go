package host

import "crypto/subtle"

// Secret sharing after Shamir (How to Share a Secret, 1979) over GF(256) with
// the polynomial x^8+x^4+x^3+x+1 of AES: each byte of the secret is the value at
// 0 of a random polynomial of degree need-1, and share x holds its value at x.
// Fewer than need shares fit every secret equally well.
//
// Arithmetic is without tables and branches on secrets, so that its time tells
// nothing.

// mul multiplies in GF(256).
func mul(a, b byte) (p byte) {
	for range 8 {
		p ^= a & -(b & 1)
		a = a<<1 ^ 0x1b&-(a>>7)
		b >>= 1
	}
	return p
}

// inverse is a^254, which is 1/a, and 0 for 0.
func inverse(a byte) byte {
	r := byte(1)
	for range 7 { // 254 = 2+4+...+128
		a = mul(a, a)
		r = mul(r, a)
	}
	return r
}

// split makes share x of a secret, for x from 1 to 255. coefficients holds those
// of degree 1 and up, each as long as the secret; they are the same for every
// share and are drawn at random once.
func split(secret []byte, coefficients [][]byte, x byte) []byte {
	out := make([]byte, len(secret))
	for i := len(coefficients) - 1; i >= 0; i-- {
		for k := range out {
			out[k] = mul(out[k]^coefficients[i][k], x)
		}
	}
	subtle.XORBytes(out, out, secret)
	return out
}

// combine finds the value at 0 of the polynomials that go through the shares.
// The numbers xs must differ.
func combine(xs []byte, shares [][]byte) []byte {
	out := make([]byte, len(shares[0]))
	for i, x := range xs {
		weight := byte(1)
		for j, y := range xs {
			if i != j {
				weight = mul(weight, mul(y, inverse(x^y)))
			}
		}
		for k := range out {
			out[k] ^= mul(weight, shares[i][k])
		}
	}
	return out
}
