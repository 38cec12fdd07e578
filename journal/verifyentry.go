package journal

import (
	"crypto/sha256"

	"parley"
)

// checkBlock does what can be done with a block by itself. It reads nothing
// that another block changes, so blocks may be checked at once.
func (v *verifier) checkBlock(t *task) {
	first, leaves, err := parseEntries(t.sec.payload)
	if err != nil {
		t.err = err
		return
	}
	t.first, t.leaves = first, leaves
	t.hashes = make([]parley.Hash, len(leaves))
	t.sums = make([]entrySum, len(leaves))
	var room []byte
	for i := range leaves {
		lf, index := &leaves[i], first+uint64(i)
		t.hashes[i] = lf.Hash()
		t.sums[i].to = lf.To
		if lf.entry == nil {
			continue
		}
		t.sums[i].opened = true
		if room, t.err = checkLeaf(room, t.log.origin, index, lf.Leaf, &Content{lf.salt, lf.entry}); t.err != nil {
			return
		}
		if t.err = v.checkEntry(t, i, index, lf); t.err != nil {
			return
		}
	}
}

// checkEntry applies the rules of entries to an opened leaf. A broken rule
// makes the entry MALFORMED; an error is what breaks the record.
func (v *verifier) checkEntry(t *task, i int, index uint64, lf *fileLeaf) error {
	malformed := func(err error) {
		t.flags = append(t.flags, flag{index, parley.Malformed, err.Error()})
	}
	e, err := parley.ParseEntry(lf.entry)
	if err != nil {
		malformed(err)
		return nil
	}
	t.sums[i].kind, t.sums[i].time = e.Kind, e.Time
	for _, h := range e.Seen {
		t.cites = append(t.cites, cite{head: h, by: index})
	}
	err = CheckEntry(v.charter, t.log.log, index, lf.To, lf.entry, e)
	if err == nil {
		err = v.checkMeaning(t, index, e)
	}
	if parley.CodeOf(err) == CodeRootKeys {
		return err
	}
	if err != nil {
		malformed(err)
	}
	return nil
}

// CheckEntry applies every rule that an entry at its place must keep: size,
// audience inside and outside, lane, kind, body, and that a log begins with
// its GENERATION. An entry that fits its commitment and breaks one of them is
// MALFORMED: kept and receipted, without effect.
func CheckEntry(c *parley.Charter, log parley.LogID, index uint64, to parley.Audience, encoded []byte, e *parley.Entry) error {
	if uint64(len(encoded)) > c.Rules.MaxEntry {
		return parley.Errorf(parley.CodeTooLarge, "an entry of %d bytes; the charter allows %d", len(encoded), c.Rules.MaxEntry)
	}
	if e.To != to {
		return parley.Errorf(parley.CodeAudience, "the leaf is addressed to %#x, the entry inside to %#x", uint32(to), uint32(e.To))
	}
	if err := e.To.CheckIn(c, log.Party); err != nil {
		return err
	}
	if err := e.Check(log.Lane); err != nil {
		return err
	}
	if err := e.CheckBody(); err != nil {
		return err
	}
	if (e.Kind == parley.KindGeneration) != (index == 0) {
		return parley.Errorf(CodeGeneration, "entry %d is of kind %d; entry 0 and no other is GENERATION", index, e.Kind)
	}
	return nil
}

// checkMeaning looks into the kinds that say something about the record.
func (v *verifier) checkMeaning(t *task, index uint64, e *parley.Entry) error {
	l := t.log
	switch e.Kind {
	case parley.KindGeneration:
		g, err := parley.ParseGeneration(e.Body)
		if err != nil {
			return err
		}
		if g.RootKeys != nil {
			if l.log.Lane != parley.Routine {
				return parley.Errorf(CodeGeneration, "a GENERATION with keys in lane %s; they stand in lane ROUTINE", l.log.Lane)
			}
			if err := v.announced(l, index, g.RootKeys); err != nil {
				return err
			}
		}
		for _, h := range g.Last {
			t.cites = append(t.cites, cite{head: h, inBody: true, by: index})
		}
		t.events = append(t.events, event{index: index, gen: g})
	case parley.KindRootKeys:
		rk, err := parley.ParseRootKeys(e.Body)
		if err != nil {
			return err
		}
		return v.announced(l, index, rk)
	case parley.KindKeys:
		k, err := parley.ParseKeysBody(e.Body)
		if err != nil {
			return err
		}
		return k.Verify(l.keys.LogEd, l.log.Channel, l.log.Party, l.log.Gen, index)
	case parley.KindOpening:
		o, _, err := parley.ParseOpening(e.Body)
		if err != nil {
			return err
		}
		if err := CheckOpening(l.log, o); err != nil {
			return err
		}
		t.cites = append(t.cites, citeRef(o.Ref, index))
		t.events = append(t.events, event{index: index, open: o})
	case parley.KindList:
		if ls, err := parley.ParseList(e.Body); err == nil && ls.Ref != nil {
			t.cites = append(t.cites, citeRef(*ls.Ref, index))
		}
	case parley.KindNotice:
		if n, err := parley.ParseNotice(e.Body); err == nil && n.Code == parley.NoticeFork {
			t.events = append(t.events, event{index: index, fork: n.Evidence})
		}
	case parley.KindClosing:
		c, err := parley.ParseClosing(e.Body)
		if err != nil {
			return err
		}
		for _, h := range c.Finals {
			t.cites = append(t.cites, cite{head: h, inBody: true, by: index})
		}
		t.events = append(t.events, event{index: index, close: true})
	}
	return nil
}

func citeRef(r parley.Ref, by uint64) cite {
	return cite{head: parley.Head{Party: r.Party, Lane: r.Lane, Gen: r.Gen, Size: r.Index + 1, Root: r.Leaf}, isRef: true, inBody: true, by: by}
}

// CheckOpening checks that an OPENING fits the commitment it names: an entry
// to nobody, of the same author, with that leaf.
func CheckOpening(log parley.LogID, o *parley.Opening) error {
	if o.Ref.Party != log.Party {
		return parley.Errorf(parley.CodeAudience, "an opening of an entry of member %d by member %d", o.Ref.Party, log.Party)
	}
	at := o.Ref.Log(log.Channel)
	if LeafHash(parley.ToNobody, Commit(at.Origin(), o.Ref.Index, o.Salt, o.Entry)) != o.Ref.Leaf {
		return parley.Errorf(CodeLeaf, "the opening does not fit the commitment of entry %d of log %s", o.Ref.Index, at)
	}
	return nil
}

// announced checks that a change of keys in an entry was read before: it is
// CodeRootKeys if the root signed it and the file leaves it out. One that its
// root did not sign breaks a rule of its format only.
func (v *verifier) announced(l *logCheck, index uint64, rk *parley.RootKeys) error {
	a := &Announced{Party: l.log.Party, Gen: l.log.Gen, Keys: rk}
	if v.known[sha256.Sum256(a.Encode())] {
		return nil
	}
	if err := rk.Verify(v.keys.Channel, v.charter.Member(a.Party), a.Gen); err != nil {
		return err
	}
	return parley.Errorf(CodeRootKeys, "the change of keys in entry %d of log %s is missing at the head of the file", index, l.log)
}
