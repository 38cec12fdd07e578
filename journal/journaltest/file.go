package journaltest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"

	"parley"
	"parley/journal"
)

// Section is one section of a file for strangers, read and written here
// without the code under test.
type Section struct {
	Tag     byte
	Payload []byte
}

// Split takes a sound file apart.
func Split(file []byte) (kind journal.FileKind, secs []Section) {
	kind, ok := journal.KindOf(file)
	if !ok {
		panic("journaltest: not a file for strangers")
	}
	for b := file[len(kind):]; len(b) > 0; {
		n := int(binary.BigEndian.Uint32(b[1:5]))
		secs = append(secs, Section{b[0], append([]byte{}, b[5:5+n]...)})
		b = b[5+n+32:]
	}
	return kind, secs
}

// Join puts sections together with fresh checks and a fresh end mark, as a
// liar would who can compute hashes. With the exporter's receipt key it also
// signs the end, as a lying exporter would; without, the old end mark's
// signature is kept.
func Join(kind journal.FileKind, secs []Section, channel parley.Hash, key ed25519.PrivateKey) []byte {
	out := []byte(kind)
	check := sha256.Sum256(out)
	for i, s := range secs {
		p := s.Payload
		if s.Tag == 'Z' && key != nil {
			p = parley.AppendUint(parley.AppendArray(nil, 2), uint64(i))
			msg := append([]byte("parley/export-end/1\n"), channel[:]...)
			p = parley.AppendBytes(p, ed25519.Sign(key, append(msg, check[:]...)))
		} else if s.Tag == 'Z' && kind != journal.FileRecord {
			p = parley.AppendNull(parley.AppendUint(parley.AppendArray(nil, 2), uint64(i)))
		}
		head := binary.BigEndian.AppendUint32([]byte{s.Tag}, uint32(len(p)))
		h := sha256.New()
		h.Write(check[:])
		h.Write(head)
		h.Write(p)
		h.Sum(check[:0])
		out = append(append(append(out, head...), p...), check[:]...)
	}
	return out
}

// SignInventory makes an I section.
func SignInventory(v *journal.Inventory, key ed25519.PrivateKey) Section {
	body := v.Encode()
	b := parley.AppendBytes(parley.AppendArray(nil, 2), body)
	return Section{'I', parley.AppendBytes(b, ed25519.Sign(key, journal.InventoryMessage(body)))}
}
