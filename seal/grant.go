package seal

import (
	"crypto/hpke"

	"parley"
)

// SizeGrant is the size of an audience key sealed to one reader.
const SizeGrant = 1168

// KEM is the private half of a node's KEYS: MLKEM768-X25519, HPKE KEM 0x647a
// (draft-ietf-hpke-pq), from a seed of 32 bytes.
type KEM struct {
	seed [32]byte
	key  hpke.PrivateKey
}

// NewKEM makes the key of a seed.
func NewKEM(seed [32]byte) (*KEM, error) {
	k, err := hpke.MLKEM768X25519().NewPrivateKey(seed[:])
	if err != nil {
		return nil, parley.Errorf(CodeSecrets, "KEM seed: %w", err)
	}
	return &KEM{seed, k}, nil
}

// Seed is the private key's seed, for the store.
func (k *KEM) Seed() [32]byte { return k.seed }

// Public is the 1216-byte public key.
func (k *KEM) Public() []byte { return k.key.PublicKey().Bytes() }

// WrapKey seals an audience key to a reader's KEM key (HPKE base mode,
// HKDF-SHA256, AES-256-GCM). info binds it to its GRANT frame. It fails, with
// parley.CodeKey, if the key is not one.
func WrapKey(pub, info []byte, k Key) ([]byte, error) {
	pk, err := hpke.MLKEM768X25519().NewPublicKey(pub)
	if err != nil {
		return nil, parley.Errorf(parley.CodeKey, "not an MLKEM768-X25519 key: %w", err)
	}
	ct, err := hpke.Seal(pk, hpke.HKDFSHA256(), hpke.AES256GCM(), info, k[:])
	if err != nil {
		return nil, parley.Errorf(parley.CodeKey, "the KEM key cannot be sealed to: %w", err)
	}
	return ct, nil
}

// CheckKEM refuses a KEM key to which nothing can be sealed.
func CheckKEM(pub []byte) error {
	_, err := WrapKey(pub, nil, Key{})
	return err
}

// Unwrap opens what WrapKey sealed to k.
func (k *KEM) Unwrap(info, sealed []byte) (Key, error) {
	if len(sealed) != SizeGrant {
		return Key{}, parley.Errorf(CodeOpen, "a grant of %d bytes", len(sealed))
	}
	b, err := hpke.Open(k.key, hpke.HKDFSHA256(), hpke.AES256GCM(), info, sealed)
	if err != nil || len(b) != 32 {
		return Key{}, parley.Errorf(CodeOpen, "the grant does not open with this node's key")
	}
	return Key(b), nil
}
