package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"strconv"

	"parley"
)

// Key is an audience key: 32 random bytes, per author, audience and window.
type Key [32]byte

// KeyID names an audience key within its author. The first two bytes are its
// hint in frames and are never both zero.
type KeyID [8]byte

// Hint is the first two bytes.
func (id KeyID) Hint() uint16 { return uint16(id[0])<<8 | uint16(id[1]) }

func expand(k Key, label, origin string, index uint64, tail []byte) (out [32]byte) {
	info := make([]byte, 0, len(label)+len(origin)+24+len(tail))
	info = append(info, label...)
	info = append(info, origin...)
	info = append(info, '\n')
	info = strconv.AppendUint(info, index, 10)
	info = append(info, tail...)
	b, err := hkdf.Expand(sha256.New, k[:], string(info), 32)
	if err != nil {
		panic(err) // only for lengths that are not asked for
	}
	return [32]byte(b)
}

// Salt is the salt of the commitment to the entry at index:
// HKDF-Expand(K, "parley/salt/1\n" ‖ origin ‖ "\n" ‖ decimal(index), 32).
func Salt(k Key, origin string, index uint64) parley.Hash {
	return expand(k, "parley/salt/1\n", origin, index, nil)
}

// EntryKey seals the entry at index in its ENTRY frame, by the label
// "parley/entry/1\n".
func EntryKey(k Key, origin string, index uint64) Key {
	return expand(k, "parley/entry/1\n", origin, index, nil)
}

// OpenKey seals an OPEN frame: label "parley/open/1\n", and the leaf hash after
// the index. k is an audience key of the frame's sender.
func OpenKey(k Key, origin string, index uint64, leaf parley.Hash) Key {
	return expand(k, "parley/open/1\n", origin, index, append([]byte{'\n'}, leaf[:]...))
}

func gcm(k Key) cipher.AEAD {
	b, err := aes.NewCipher(k[:])
	if err != nil {
		panic(err)
	}
	a, err := cipher.NewGCM(b)
	if err != nil {
		panic(err)
	}
	return a
}

// Encrypt seals pt with AES-256-GCM. The nonce travels in the frame; aad is
// every byte of the frame before the sealed part.
func Encrypt(k Key, nonce [12]byte, aad, pt []byte) []byte {
	return gcm(k).Seal(nil, nonce[:], pt, aad)
}

// Decrypt opens what Encrypt sealed.
func Decrypt(k Key, nonce [12]byte, aad, ct []byte) ([]byte, error) {
	pt, err := gcm(k).Open(nil, nonce[:], ct, aad)
	if err != nil {
		return nil, parley.Errorf(CodeOpen, "the sealed part does not open with this key")
	}
	return pt, nil
}
