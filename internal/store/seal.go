package store

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"hash/crc32"
	"sync"

	"parley"
	"parley/journal"
)

// sealer keeps plaintext off the disk: AES-256-GCM under the node's data key
// with a random 96-bit nonce in front. The additional data names the place,
// so that a sealed blob moved to another row does not open. Random nonces
// bound the key to 2^32 blobs: a message a second for a century.
type sealer struct{ aead cipher.AEAD }

func newSealer(key [32]byte) sealer {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // 32 bytes are always a key
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return sealer{aead}
}

func (s sealer) seal(plain, place []byte) []byte {
	return s.aead.Seal(make([]byte, 0, len(plain)+s.aead.Overhead()), nil, plain, place)
}

func (s sealer) open(sealed, place []byte) ([]byte, bool) {
	plain, err := s.aead.Open(nil, nil, sealed, place)
	return plain, err == nil
}

func appendLog(b []byte, l parley.LogID) []byte {
	b = append(b, l.Channel[:]...)
	b = append(b, byte(l.Party), byte(l.Lane))
	return append(b, l.Gen[:]...)
}

func contentPlace(l parley.LogID, index uint64) []byte {
	b := append(make([]byte, 0, 80), "parley/store/content/1\n"...)
	return binary.BigEndian.AppendUint64(appendLog(b, l), index)
}

func valuePlace(space, key string) []byte {
	b := append(make([]byte, 0, 32+len(space)+len(key)), "parley/store/value/1\n"...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(space)))
	return append(append(b, space...), key...)
}

var checkPlace = []byte("parley/store/check/1\n")

const checkText = "this key opens this record"

func (s sealer) sealContent(l parley.LogID, index uint64, c *journal.Content) []byte {
	return s.seal(append(append(make([]byte, 0, 32+len(c.Entry)), c.Salt[:]...), c.Entry...), contentPlace(l, index))
}

func (s sealer) openContent(l parley.LogID, index uint64, sealed []byte) (*journal.Content, bool) {
	plain, ok := s.open(sealed, contentPlace(l, index))
	if !ok || len(plain) < 32 {
		return nil, false
	}
	return &journal.Content{Salt: parley.Hash(plain), Entry: plain[32:]}, true
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// rowSum guards what neither the tree nor the seal covers: SQLite itself does
// not notice a flipped bit. The sealed content has its own tag.
func rowSum(r *journal.Row, hashes []byte) int64 {
	p := sums.Get().(*[]byte)
	b := binary.BigEndian.AppendUint64(appendLog((*p)[:0], r.Log), r.Index)
	b = binary.BigEndian.AppendUint32(b, uint32(r.Leaf.To))
	b = append(append(b, r.Leaf.Commit[:]...), hashes...)
	b = append(append(b, byte(len(r.Sig))), r.Sig...)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Standing))
	b = binary.BigEndian.AppendUint64(b, r.Stored)
	sum := crc32.Checksum(b, castagnoli)
	*p = b
	sums.Put(p)
	return int64(sum)
}

// sums holds the buffers of the checksums: one is computed for every row that is
// read.
var sums = sync.Pool{New: func() any { b := make([]byte, 0, 512); return &b }}

func valueSum(space, key string, stored []byte) int64 {
	return int64(crc32.Checksum(append(valuePlace(space, key), stored...), castagnoli))
}
