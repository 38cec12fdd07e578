package journaltest

import (
	"parley"
	"parley/journal"
)

// Writer is a member writing one of its logs into a store, without a station:
// it appends, signs the head, and lets others cosign it.
type Writer struct {
	Channel *Channel
	Store   journal.Store
	Log     parley.LogID
	Keys    NodeKeys // of the generation; the charter's unless changed
	tree    journal.Tree
}

// Writer opens an empty log and, unless first is nil, appends its GENERATION.
func (c *Channel) Writer(s journal.Store, p parley.Party, lane parley.Lane, n int, first *parley.Generation) *Writer {
	w := &Writer{Channel: c, Store: s, Log: c.Log(p, lane, n), Keys: c.Member(p).Keys}
	if first != nil {
		if first.RootKeys != nil {
			w.Keys = c.Member(p).NodeKeys(first.RootKeys.Serial)
		}
		w.Add(&parley.Entry{Kind: parley.KindGeneration, Time: Time, Body: first.Encode()})
	}
	return w
}

// Time is when test records begin: 10 May 2025, 09:00:00 UTC.
const Time = 1_746_867_600

// Size is the number of entries written.
func (w *Writer) Size() uint64 { return w.tree.Size() }

// Root is the log's root as it stands.
func (w *Writer) Root() parley.Hash { return w.tree.Root() }

// Head is the log's head as others cite it.
func (w *Writer) Head() parley.Head {
	return parley.Head{Party: w.Log.Party, Lane: w.Log.Lane, Gen: w.Log.Gen, Size: w.tree.Size(), Root: w.tree.Root()}
}

// Add appends an entry, signs the head, and returns the entry's place.
func (w *Writer) Add(e *parley.Entry) parley.Ref {
	return w.AddRaw(e.To, Content(w.Log, w.tree.Size(), e), true)
}

// Blind appends an entry of which the store holds the commitment only.
func (w *Writer) Blind(e *parley.Entry) parley.Ref {
	return w.AddRaw(e.To, Content(w.Log, w.tree.Size(), e), false)
}

// AddRaw appends a leaf for any bytes, right or wrong. The store keeps the
// content only if hold is set.
func (w *Writer) AddRaw(to parley.Audience, c *journal.Content, hold bool) parley.Ref {
	i := w.tree.Size()
	leaf := journal.Leaf{To: to, Commit: journal.Commit(w.Log.Origin(), i, c.Salt, c.Entry)}
	hashes := w.tree.Append(leaf.Hash())
	h := w.SignHead()
	row := journal.Row{Log: w.Log, Index: i, Leaf: leaf, Hashes: hashes, Sig: h.Sig, Stored: (Time + i) * 1000}
	if hold {
		row.Content = c
	}
	must(w.Store.Commit(&journal.Batch{Rows: []journal.Row{row}, Heads: []journal.SignedHead{h}}))
	return parley.Ref{Party: w.Log.Party, Lane: w.Log.Lane, Gen: w.Log.Gen, Index: i, Leaf: leaf.Hash()}
}

// SignHead is the author's signature on the log as it stands; it is not stored.
func (w *Writer) SignHead() journal.SignedHead {
	root := w.tree.Root()
	return journal.SignedHead{Log: w.Log, Size: w.tree.Size(), Root: root,
		Sig: journal.SignHead(w.Keys.Log, w.Log.Origin(), w.tree.Size(), root)}
}

// Receipt stores member by's receipt over the log as it stands.
func (w *Writer) Receipt(by parley.Party, t uint64) journal.Cosig {
	name := journal.ReceiptName(w.Log.Channel, by)
	return w.cosig(name, false, journal.Cosign(w.Channel.Member(by).Keys.Rcpt, t, w.Log.Origin(), w.Size(), w.Root()))
}

// ReceiptPQ stores member by's ML-DSA-44 cosignature over the log.
func (w *Writer) ReceiptPQ(by parley.Party, t uint64) journal.Cosig {
	name := journal.ReceiptName(w.Log.Channel, by)
	c, err := journal.Seal(w.Channel.Member(by).Keys.RcptPQ, name, t, w.Log.Origin(), w.Size(), w.Root())
	must(err)
	return w.cosig(name, true, c)
}

// Seal stores the author's seal.
func (w *Writer) Seal(t uint64) journal.Cosig {
	c, err := journal.Seal(w.Keys.LogPQ, w.Log.Origin(), t, w.Log.Origin(), w.Size(), w.Root())
	must(err)
	return w.cosig(w.Log.Origin(), true, c)
}

// Witness stores a cosignature of witness i, from 0, by its Ed25519 key.
func (w *Writer) Witness(i int, t uint64) journal.Cosig {
	x := w.Channel.Witnesses[i]
	return w.cosig(x.Name, false, journal.Cosign(x.Ed, t, w.Log.Origin(), w.Size(), w.Root()))
}

// WitnessPQ stores a cosignature of witness i by its ML-DSA-44 key.
func (w *Writer) WitnessPQ(i int, t uint64) journal.Cosig {
	x := w.Channel.Witnesses[i]
	c, err := journal.Seal(x.PQ, x.Name, t, w.Log.Origin(), w.Size(), w.Root())
	must(err)
	return w.cosig(x.Name, true, c)
}

func (w *Writer) cosig(name string, pq bool, c journal.Cosignature) journal.Cosig {
	x := journal.Cosig{Log: w.Log, Size: w.Size(), Name: name, PQ: pq, Cosignature: c}
	must(w.Store.Commit(&journal.Batch{Cosigs: []journal.Cosig{x}}))
	return x
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Text is an entry of kind 1 with a plain body, for tests below the desks.
func Text(to parley.Audience, t uint64, text string, seen ...parley.Head) *parley.Entry {
	return &parley.Entry{Kind: parley.KindText, To: to, Time: t, Seen: seen, Body: []byte(text)}
}
