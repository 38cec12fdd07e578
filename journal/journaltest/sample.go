package journaltest

import (
	"parley"
	"parley/journal"
)

// Sample is a small record that holds every kind of thing: three members, two
// witnesses, private entries, one that the store cannot open, a commitment
// opened later, a malformed entry, receipts, seals, and a change of keys by a
// root-signed generation.
type Sample struct {
	Channel *Channel
	Store   *Mem
	Flash   *Writer // member 1, lane FLASH, first generation
	Routine *Writer // member 1, lane ROUTINE, first generation
	Second  *Writer // member 2, lane ROUTINE, second generation, root-signed
	Secret  parley.Ref
}

// NewSample writes it.
func NewSample() *Sample {
	c := New(3, 2, nil)
	s := &Sample{Channel: c, Store: &Mem{}}
	first := &parley.Generation{Reason: parley.ReasonFirst}

	s.Routine = c.Writer(s.Store, 1, parley.Routine, 1, first)
	s.Routine.Add(c.KeysEntry(s.Routine))
	s.Routine.Receipt(2, Time+5)

	s.Flash = c.Writer(s.Store, 1, parley.Flash, 1, first)
	s.Flash.Add(Text(parley.ToAll, Time+10, "exercise: shells reported at grid 12"))
	s.Flash.Receipt(2, Time+12)
	s.Flash.Receipt(3, Time+13)
	s.Flash.Witness(0, Time+20)
	s.Flash.Witness(1, Time+25)
	s.Flash.Add(Text(parley.AudienceOf(2), Time+30, "for pakistan alone"))
	s.Flash.Blind(Text(parley.AudienceOf(3), Time+40, "for the mediator alone"))
	secret := Text(parley.ToNobody, Time+50, "our list, committed")
	s.Secret = s.Flash.Blind(secret)
	s.Flash.Receipt(2, Time+55)
	s.Flash.Seal(Time + 60)
	s.Flash.ReceiptPQ(2, Time+61)
	s.Flash.WitnessPQ(1, Time+70)
	s.Flash.Add(&parley.Entry{Kind: parley.KindOpening, Time: Time + 80, Body: (&parley.Opening{
		Ref: s.Secret, Salt: Salt(s.Flash.Log, s.Secret.Index), Entry: secret.Encode()}).Encode()})
	s.Flash.AddRaw(parley.ToAll, &journal.Content{Salt: Salt(s.Flash.Log, 6), Entry: []byte{0x85, 0x01}}, true)

	old := c.Writer(s.Store, 2, parley.Routine, 1, first)
	old.Add(Text(parley.ToAll, Time+15, "received and understood", s.Flash.Head()))
	old.Receipt(1, Time+16)
	oldHead := old.Head()
	old.Add(Text(parley.ToAll, Time+17, "written by a thief"))

	keys := c.Member(2).NodeKeys(1)
	gen := c.Gen(2, 2)
	s.Second = c.Writer(s.Store, 2, parley.Routine, 2, &parley.Generation{
		Prev: []parley.Gen{c.Gen(2, 1)}, Reason: parley.ReasonRotation, Last: []parley.Head{oldHead},
		RootKeys: c.Member(2).RootKeys(c.ID, gen, keys.Public)})
	s.Second.Add(Text(parley.ToAll, Time+100, "new keys from here on"))
	s.Second.Receipt(1, Time+101)
	return s
}

// Export is what a member writes of the sample.
func (s *Sample) Export(by parley.Party) *journal.Export {
	return &journal.Export{Charter: s.Channel.Signed, Store: s.Store, Exporter: by,
		Key: s.Channel.Member(by).Keys.Rcpt, Time: Time + 1000}
}

// KeysEntry is a KEYS entry for the place where w stands.
func (c *Channel) KeysEntry(w *Writer) *parley.Entry {
	k := &parley.KeysBody{KEM: make([]byte, parley.SizeKEM), Until: Time + 86400}
	copy(k.KEM, Seed("kem of %s", w.Log))
	k.Sig = sign(w.Keys.Log, k.Message(c.ID, w.Log.Party, w.Log.Gen, w.Size()))
	return &parley.Entry{Kind: parley.KindKeys, Time: Time + 1, Body: k.Encode()}
}

// ForkOf is the proof that the writer's member signed another history: one
// that differs from entry at on and is n entries long.
func (w *Writer) ForkOf(at, n uint64) *journal.Fork {
	own := w.SignHead()
	x := &Writer{Channel: w.Channel, Store: &Mem{}, Log: w.Log, Keys: w.Keys}
	for i := range n {
		row, err := w.Store.Row(w.Log, i)
		if err == nil && i < at {
			must(x.Store.Commit(&journal.Batch{Rows: []journal.Row{{Log: w.Log, Index: i, Leaf: row.Leaf, Hashes: x.tree.Append(row.Leaf.Hash())}}}))
			continue
		}
		x.Add(Text(parley.ToAll, Time+i, "another history"))
	}
	other := x.SignHead()
	hashes := x.Store.Hashes(w.Log)
	if own.Size > other.Size {
		hashes = w.Store.Hashes(w.Log)
	}
	f, err := journal.ProveFork(own, other, hashes)
	must(err)
	return f
}
