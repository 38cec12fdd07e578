package journal

import (
	"cmp"
	"crypto/sha256"

	"parley"
)

// The sections of an exported record (spec/disclosure.md), in this order:
//
//	I        the inventory, signed by the exporter
//	C        the charter with all signatures
//	K ...    every ROOTKEYS
//	per log of the inventory, in its order:
//	    L        its newest head of which the exporter holds the entries
//	    S* E     cosignatures of sizes within the next block, then the block; repeated
//	F ...    fork proofs
//	Z        the end mark, signed by the exporter

// Limits of a record.
const (
	MaxLogs    = 16384 // logs in an inventory
	MaxForks   = 4096  // forks in an inventory
	blockLeafs = 256   // leaves in one section
	blockBytes = 256 << 10
	maxCosigs  = 512     // cosignatures in one section
	maxPending = 1 << 17 // cosignatures of one block: sizes, signers, kinds, first and last
)

// Inventory is the exporter's signed list of what it knows: every log with its
// newest head, held or not, and every fork. It binds the exporter: what it
// leaves out, and another file shows that it knew, was left out knowingly.
type Inventory struct {
	Exporter parley.Party
	Channel  parley.Hash
	Time     uint64        // seconds since 1970, by the exporter's clock: a claim
	Logs     []parley.Head // newest author-signed head of every log, sorted
	Forks    []parley.Hash // SHA-256 of each fork proof's encoding, in the order of the file
}

// InventoryMessage is what the exporter's receipt key signs.
func InventoryMessage(inventory []byte) []byte {
	return append([]byte("parley/export/1\n"), inventory...)
}

// endMessage is what the exporter's receipt key signs at the end: the check of
// the last section, and through it every byte of the file.
func endMessage(ch, check parley.Hash) []byte {
	b := append([]byte("parley/export-end/1\n"), ch[:]...)
	return append(b, check[:]...)
}

// Encode is the inventory's canonical form.
func (v *Inventory) Encode() []byte {
	b := parley.AppendArray(nil, 5)
	b = parley.AppendUint(b, uint64(v.Exporter))
	b = parley.AppendBytes(b, v.Channel[:])
	b = parley.AppendUint(b, v.Time)
	b = parley.AppendHeads(b, v.Logs)
	b = parley.AppendArray(b, len(v.Forks))
	for _, h := range v.Forks {
		b = parley.AppendBytes(b, h[:])
	}
	return b
}

// ParseInventory reads the canonical form.
func ParseInventory(b []byte) (*Inventory, error) {
	d := parley.NewDecoder(b, 3)
	var v Inventory
	d.Array(5, 5)
	v.Exporter = d.Party()
	v.Channel = d.Hash()
	v.Time = d.Uint(parley.MaxUint)
	v.Logs = d.Heads(MaxLogs)
	for range d.Array(0, MaxForks) {
		v.Forks = append(v.Forks, d.Hash())
	}
	if err := d.End(); err != nil {
		return nil, err
	}
	return &v, nil
}

func forkHash(encoded []byte) parley.Hash { return sha256.Sum256(encoded) }

func encodeSigned(body, sig []byte) []byte {
	return parley.AppendBytes(parley.AppendBytes(parley.AppendArray(nil, 2), body), sig)
}

func parseSigned(b []byte) (body, sig []byte, err error) {
	d := parley.NewDecoder(b, 1)
	d.Array(2, 2)
	body = d.Bytes(1, MaxSection)
	sig = d.Bytes(parley.SizeEdSig, parley.SizeEdSig)
	return body, sig, d.End()
}

// encodeLog is an L section: [head, signature], the signature null for a log
// of which no entry is held.
func encodeLog(h parley.Head, sig []byte) []byte {
	b := parley.AppendHead(parley.AppendArray(nil, 2), h)
	if h.Size == 0 {
		return parley.AppendNull(b)
	}
	return parley.AppendBytes(b, sig)
}

func parseLog(b []byte) (h parley.Head, sig []byte, err error) {
	d := parley.NewDecoder(b, 2)
	d.Array(2, 2)
	h = d.Head()
	if d.Err() == nil && h.Size == 0 {
		if !d.Null() {
			d.Fail(parley.Errorf(parley.CodeType, "a signature on a log of which nothing is held"))
		}
	} else {
		sig = d.Bytes(parley.SizeEdSig, parley.SizeEdSig)
	}
	return h, sig, d.End()
}

// appendLeaf appends a leaf of an E section: [to, commitment] or, opened,
// [to, commitment, salt, entry].
func appendLeaf(b []byte, l Leaf, c *Content) []byte {
	n := 2
	if c != nil {
		n = 4
	}
	b = parley.AppendArray(b, n)
	b = parley.AppendUint(b, uint64(l.To))
	b = parley.AppendBytes(b, l.Commit[:])
	if c != nil {
		b = parley.AppendBytes(b, c.Salt[:])
		b = parley.AppendBytes(b, c.Entry)
	}
	return b
}

// fileLeaf is a leaf as an E section holds it; entry is nil if it is not opened.
type fileLeaf struct {
	Leaf
	salt  parley.Hash
	entry []byte
}

// parseEntries reads an E section: [first index, [+ leaf]].
func parseEntries(b []byte) (first uint64, ls []fileLeaf, err error) {
	d := parley.NewDecoder(b, 3)
	d.Array(2, 2)
	first = d.Uint(parley.MaxUint)
	n := d.Array(1, blockLeafs)
	ls = make([]fileLeaf, 0, n)
	for range n {
		var l fileLeaf
		k := d.Array(2, 4)
		if d.Err() == nil && k == 3 {
			d.Fail(parley.Errorf(parley.CodeLength, "a leaf has a salt without an entry"))
		}
		l.To = parley.Audience(d.Uint(1<<32 - 1))
		l.Commit = d.Hash()
		if k == 4 {
			l.salt = d.Hash()
			l.entry = d.Bytes(0, parley.MaxEntry)
		}
		if d.Err() != nil {
			break
		}
		ls = append(ls, l)
	}
	return first, ls, d.End()
}

// fileCosig is a cosignature as an S section holds it.
type fileCosig struct {
	signer int
	pq     bool
	size   uint64
	Cosignature
}

func compareCosigs(a, b fileCosig) int {
	pq := func(c fileCosig) int {
		if c.pq {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(a.size, b.size), cmp.Compare(a.signer, b.signer), cmp.Compare(pq(a), pq(b)), cmp.Compare(a.Time, b.Time))
}

// encodeCosigs is an S section: [+ [signer, pq, size, time, sig]], sorted.
func encodeCosigs(cs []fileCosig) []byte {
	b := parley.AppendArray(nil, len(cs))
	for _, c := range cs {
		b = parley.AppendArray(b, 5)
		b = parley.AppendUint(b, uint64(c.signer))
		pq := uint64(0)
		if c.pq {
			pq = 1
		}
		b = parley.AppendUint(b, pq)
		b = parley.AppendUint(b, c.size)
		b = parley.AppendUint(b, c.Time)
		b = parley.AppendBytes(b, c.Sig)
	}
	return b
}

func parseCosigs(b []byte) ([]fileCosig, error) {
	d := parley.NewDecoder(b, 2)
	var cs []fileCosig
	for i := range d.Array(1, maxCosigs) {
		var c fileCosig
		d.Array(5, 5)
		c.signer = int(d.Uint(firstWitness + 63))
		c.pq = d.Uint(1) == 1
		c.size = d.Uint(parley.MaxUint)
		c.Time = d.Uint(parley.MaxUint)
		n := parley.SizeEdSig
		if c.pq {
			n = parley.SizePQSig
		}
		c.Sig = d.Bytes(n, n)
		if d.Err() != nil {
			break
		}
		if i > 0 && compareCosigs(cs[i-1], c) >= 0 {
			d.Fail(parley.Errorf(parley.CodeNotSorted, "cosignatures are not sorted by size, signer, kind and time"))
			break
		}
		cs = append(cs, c)
	}
	return cs, d.End()
}
