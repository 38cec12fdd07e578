package journal

import (
	"io"

	"parley"
)

// Visit says what ReadRecord calls; nil fields are passed over. What is passed
// is the callee's.
type Visit struct {
	Keys  func(*Announced) error
	Log   func(SignedHead) error                           // before the entries and cosignatures of its log; Sig is nil for one of size 0
	Entry func(parley.LogID, uint64, Leaf, *Content) error // in order; the content is nil where the exporter did not open it
	Cosig func(*Cosig) error
	Fork  func(*Fork) error
}

// ReadRecord goes through an exported record. It checks the form of what it
// reads and nothing else: a caller first lets VerifyRecord accept the file, or
// checks all that it takes against signatures by itself.
func ReadRecord(r io.Reader, v Visit) error {
	in, err := newSectionReader(r, FileRecord)
	if err != nil {
		return err
	}
	x := &visitor{Visit: v}
	for {
		sec, err := in.next()
		if err != nil {
			return err
		}
		if !sec.intact {
			return sec.damage()
		}
		if sec.tag == tagEnd {
			return nil
		}
		if err := x.section(sec); err != nil {
			return within(sec, err)
		}
	}
}

type visitor struct {
	Visit
	keys *Keyring
	log  parley.LogID
}

func (x *visitor) section(sec *section) error {
	switch sec.tag {
	case tagCharter:
		s, c, err := parley.ParseSignedCharter(sec.payload)
		if err == nil {
			x.keys = NewKeyring(c, s.Channel())
		}
		return err
	case tagKeys:
		a, err := ParseAnnounced(sec.payload)
		if err != nil || x.Keys == nil {
			return err
		}
		return x.Keys(a)
	case tagLog, tagCosigs, tagEntries:
		if x.keys == nil {
			return parley.Errorf(CodeSection, "no charter stands before it")
		}
		return x.ofLog(sec)
	case tagFork:
		f, err := ParseFork(sec.payload)
		if err != nil || x.Fork == nil {
			return err
		}
		return x.Fork(f)
	}
	return nil
}

func (x *visitor) ofLog(sec *section) error {
	switch sec.tag {
	case tagLog:
		h, sig, err := parseLog(sec.payload)
		x.log = h.Log(x.keys.Channel)
		if err != nil || x.Log == nil {
			return err
		}
		return x.Log(SignedHead{x.log, h.Size, h.Root, sig})
	case tagCosigs:
		cs, err := parseCosigs(sec.payload)
		if err != nil || x.Cosig == nil {
			return err
		}
		for _, c := range cs {
			if c.signer >= firstWitness+len(x.keys.Charter.Witnesses) {
				return parley.Errorf(CodeReceipt, "a cosignature by signer %d, whom the charter does not have", c.signer)
			}
			if err := x.Cosig(&Cosig{x.log, c.size, x.keys.signerName(x.log, c.signer), c.pq, c.Cosignature}); err != nil {
				return err
			}
		}
		return nil
	}
	first, leaves, err := parseEntries(sec.payload)
	if err != nil || x.Entry == nil {
		return err
	}
	for i := range leaves {
		var c *Content
		if l := &leaves[i]; l.entry != nil {
			c = &Content{l.salt, l.entry}
		}
		if err := x.Entry(x.log, first+uint64(i), leaves[i].Leaf, c); err != nil {
			return err
		}
	}
	return nil
}
