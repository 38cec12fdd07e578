package sim

import (
	"crypto/ed25519"

	"parley"
	"parley/frame"
	"parley/hotline"
	"parley/journal"
	"parley/seal"
)

// What a hostile member makes under its own keys: well signed, and false.

func (n *node) logKey() ed25519.PrivateKey { return n.w.nodeKeys(n.me, n.serial).Log }

// anyLog picks a log that the node knows.
func (n *node) anyLog() (parley.Head, bool) {
	ls := n.st.Logs()
	if len(ls) == 0 {
		return parley.Head{}, false
	}
	return ls[n.rng.IntN(len(ls))].Head, true
}

// hollow makes receipts: over more than there is, over a root that nobody
// signed, in another member's name.
func (n *node) hollow() [][]byte {
	h, ok := n.anyLog()
	if !ok || h.Party == n.me {
		return nil
	}
	id := h.Log(n.w.ch.ID)
	if n.rng.IntN(2) == 0 {
		h.Size += uint64(1 + n.rng.IntN(3))
	}
	if n.rng.IntN(2) == 0 {
		h.Root = n.hash()
	}
	f := &frame.Receipt{Lane: h.Lane, Cosigner: n.me, Hint: id.Hint(), Size: uint16(h.Size), Time: uint32(n.w.now.Unix()) + uint32(n.rng.IntN(1000))}
	copy(f.Sig[:], journal.Cosign(n.w.nodeKeys(n.me, n.serial).Rcpt, uint64(f.Time), id.Origin(), h.Size, h.Root).Sig)
	if n.rng.IntN(3) == 0 {
		f.Cosigner = n.victim()
	}
	return [][]byte{frame.Encode(f)}
}

// slander makes a NOTICE with a false proof, posted by the own station; a HAVE
// of what nobody wrote; and a head under the own key for somebody's log.
func (n *node) slander() [][]byte {
	h, ok := n.anyLog()
	if !ok {
		return nil
	}
	id := h.Log(n.w.ch.ID)
	if n.rng.IntN(10) == 0 {
		f := journal.Fork{Log: id, A: journal.ForkHead{Size: h.Size, Root: h.Root, Sig: make([]byte, 64)},
			B: journal.ForkHead{Size: h.Size, Root: n.hash(), Sig: make([]byte, 64)}}
		copy(f.A.Sig, journal.SignHead(n.logKey(), id.Origin(), h.Size, h.Root))
		copy(f.B.Sig, journal.SignHead(n.logKey(), id.Origin(), h.Size, f.B.Root))
		n.w.post(n, parley.Draft{Lane: parley.Routine, Kind: parley.KindNotice, To: parley.ToAll,
			Body: (&parley.Notice{Code: parley.NoticeFork, Evidence: f.Encode()}).Encode()})
	}
	if n.rng.IntN(2) == 0 {
		h.Size += uint64(n.rng.IntN(500))
	}
	h.Root = n.hash()
	c := journal.Checkpoint{Origin: id.Origin(), Size: h.Size, Root: h.Root,
		Lines: []journal.Line{journal.HeadLine(id.Origin(), n.logKey().Public().(ed25519.PublicKey), journal.SignHead(n.logKey(), id.Origin(), h.Size, h.Root))}}
	if h.Party == n.me {
		return [][]byte{frame.Encode(&frame.Have{Heads: []parley.Head{h}})} // signed, it would be an equivocation
	}
	return [][]byte{frame.Encode(&frame.Have{Heads: []parley.Head{h}}), frame.Encode(&frame.Heads{Note: c.Encode()})}
}

// forge extends the forged lane by an entry that breaks a rule and shows it to
// everybody in the same form, with a good signature.
func (n *node) forge() {
	log := parley.LogID{Channel: n.w.ch.ID, Party: n.me, Lane: forgeLane, Gen: n.st.Gen()}
	if n.forged == nil || n.forgedLog != log {
		if len(n.w.byMember[n.me]) > 1 { // two forgers would only equivocate once more
			return
		}
		n.forged, n.forgedLog, n.forgedSent = &journal.Tree{}, log, nil
		r, err := n.disk.Row(log, 0)
		if err != nil {
			n.forged = nil
			return
		}
		n.forged.Append(r.Leaf.Hash())
	}
	if len(n.forgedSent) < 40 {
		if b := n.forgeOne(log); b != nil {
			n.forgedSent = append(n.forgedSent, b)
		}
	}
	for _, m := range n.w.ch.Members {
		for i, b := range n.forgedSent {
			if m.Index != n.me && (i+1 == len(n.forgedSent) || n.rng.IntN(4) == 0) {
				n.throw(m.Index, b)
			}
		}
	}
}

func (n *node) forgeOne(log parley.LogID) []byte {
	index, origin := n.forged.Size(), log.Origin()
	if n.rng.IntN(4) == 0 { // another's commitment, as if it were one's own
		leaf := n.copiedLeaf()
		n.forged.Append(leaf.Hash())
		f := &frame.Blind{Author: n.me, Lane: forgeLane, Hint: log.Hint(), Index: uint16(index), To: leaf.To, Commit: leaf.Commit}
		copy(f.Sig[:], journal.SignHead(n.logKey(), origin, index+1, n.forged.Root()))
		return frame.Encode(f)
	}
	id, key, ok := n.granted()
	if !ok {
		return nil
	}
	text := n.falseEntry(log)
	salt := seal.Salt(key, origin, index)
	n.forged.Append(journal.LeafHash(parley.ToAll, journal.Commit(origin, index, salt, text)))
	f := &frame.Entry{Lane: forgeLane, Hint: id.Hint(), Index: uint16(index)}
	f.Sealed = seal.Encrypt(seal.EntryKey(key, origin, index), f.Nonce, f.Header(), text)
	copy(f.Sig[:], journal.SignHead(n.logKey(), origin, index+1, n.forged.Root()))
	return frame.Encode(f)
}

// copiedLeaf is a commitment that another member made, to nobody.
func (n *node) copiedLeaf() journal.Leaf {
	leaf := journal.Leaf{To: parley.ToNobody, Commit: n.hash()}
	logs, _ := n.disk.Logs()
	for _, l := range logs {
		if l.Log.Party == n.me || l.Size == 0 {
			continue
		}
		if r, err := n.disk.Row(l.Log, uint64(n.rng.Int64N(int64(l.Size)))); err == nil {
			leaf.Commit = r.Leaf.Commit
		}
	}
	return leaf
}

// granted is the node's newest audience key for all, as its disk has it.
func (n *node) granted() (id seal.KeyID, key seal.Key, ok bool) {
	n.disk.Values("own-key", func(_ string, v []byte) error {
		d := parley.NewDecoder(v, 2)
		d.Array(5, 5)
		i, k := seal.KeyID(d.Gen()), seal.Key(d.Hash())
		if parley.Audience(d.Uint(parley.MaxUint)) == parley.ToAll {
			id, key, ok = i, k, true
		}
		return nil
	})
	return
}

// falseEntry is an entry that cites what nobody wrote, opens what is another's,
// speaks after it closed, or is no entry at all.
func (n *node) falseEntry(log parley.LogID) []byte {
	e := parley.Entry{Kind: parley.KindText, Time: uint64(n.w.now.Unix()), Body: (&hotline.Text{Text: "Forged."}).Encode()}
	switch n.rng.IntN(6) {
	case 0:
		if h, ok := n.anyLog(); ok && h.Log(n.w.ch.ID) != log {
			h.Root = n.hash()
			e.Seen = []parley.Head{h}
		}
	case 1:
		in := parley.Entry{Kind: parley.KindText, To: parley.ToNobody, Body: e.Body}
		if h, ok := n.anyLog(); ok {
			e.Kind = parley.KindOpening
			e.Body = (&parley.Opening{Ref: parley.Ref{Party: h.Party, Lane: h.Lane, Gen: h.Gen, Leaf: n.hash()}, Salt: n.hash(), Entry: in.Encode()}).Encode()
		}
	case 2:
		e.Kind, e.Body = parley.KindGeneration, (&parley.Generation{Reason: parley.ReasonStale, Prev: []parley.Gen{n.st.Gen()}}).Encode()
	case 3:
		e.To = parley.AudienceOf(n.victim())
	case 4:
		return n.junk()
	case 5:
		e.Kind, e.Body = parley.Kind(200), []byte{1, 2, 3}
	}
	return e.Encode()
}
