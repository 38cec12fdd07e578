package journal

import (
	"bytes"

	"parley"
)

// Keyring holds every node key of a channel's members that the charter or a
// root vouches for. A key stays in it when it is replaced: old signatures keep
// their meaning, and what a replaced key may still say is decided by the
// generations (spec/journal.md).
type Keyring struct {
	Charter *parley.Charter
	Channel parley.Hash

	sets map[parley.Party][]*parley.Keys // the charter's, then as announced
	root map[genID][]*parley.Keys        // of generations that a root signed
	used map[genID]*parley.Keys          // the one set each generation was found to use
}

type genID struct {
	party parley.Party
	gen   parley.Gen
}

// NewKeyring starts with the charter's keys.
func NewKeyring(c *parley.Charter, ch parley.Hash) *Keyring {
	k := &Keyring{Charter: c, Channel: ch,
		sets: map[parley.Party][]*parley.Keys{},
		root: map[genID][]*parley.Keys{},
		used: map[genID]*parley.Keys{}}
	for i := range c.Members {
		k.sets[c.Members[i].Index] = []*parley.Keys{c.Members[i].Keys}
	}
	return k
}

// Announce verifies a statement and adds its keys.
func (k *Keyring) Announce(a *Announced) error {
	m := k.Charter.Member(a.Party)
	if m == nil {
		return parley.Errorf(CodeRootKeys, "a change of keys of member %d, which the charter does not have", a.Party)
	}
	if err := a.Keys.Verify(k.Channel, m, a.Gen); err != nil {
		return parley.Errorf(CodeRootKeys, "the change of keys of member %d (%s), serial %d: %w", m.Index, m.Name, a.Keys.Serial, err)
	}
	id := genID{a.Party, a.Gen}
	k.root[id] = append(k.root[id], a.Keys.Keys)
	enc := parley.AppendKeys(nil, a.Keys.Keys)
	for _, s := range k.sets[a.Party] {
		if bytes.Equal(parley.AppendKeys(nil, s), enc) {
			return nil
		}
	}
	k.sets[a.Party] = append(k.sets[a.Party], a.Keys.Keys)
	return nil
}

// Newest is the greatest serial of a member's keys.
func (k *Keyring) Newest(p parley.Party) (serial uint64) {
	for _, s := range k.sets[p] {
		serial = max(serial, s.Serial)
	}
	return
}

// candidates are the key sets under which a generation may stand: the one its
// root named, or the one it was found to use, or else any known one.
func (k *Keyring) candidates(p parley.Party, g parley.Gen) []*parley.Keys {
	id := genID{p, g}
	if s := k.used[id]; s != nil {
		return []*parley.Keys{s}
	}
	if s := k.root[id]; s != nil {
		return s
	}
	return k.sets[p]
}

// VerifyHead finds the key set under which the author signed a head of log,
// and holds the generation to it from then on.
func (k *Keyring) VerifyHead(h SignedHead) (*parley.Keys, error) {
	if h.Log.Channel != k.Channel || k.Charter.Member(h.Log.Party) == nil {
		return nil, parley.Errorf(CodeHead, "a head of log %s, which is not of this channel", h.Log)
	}
	for _, s := range k.candidates(h.Log.Party, h.Log.Gen) {
		if VerifyHead(s.LogEd, h.Log.Origin(), h.Size, h.Root, h.Sig) {
			k.used[genID{h.Log.Party, h.Log.Gen}] = s
			return s, nil
		}
	}
	return nil, parley.Errorf(CodeHead, "member %d did not sign the head of size %d of log %s", h.Log.Party, h.Size, h.Log)
}

// VerifyFork checks a fork proof under the keys its generation may have.
func (k *Keyring) VerifyFork(f *Fork) error {
	if f.Log.Channel != k.Channel || k.Charter.Member(f.Log.Party) == nil {
		return parley.Errorf(CodeNoFork, "a fork proof about log %s, which is not of this channel", f.Log)
	}
	var err error
	for _, s := range k.candidates(f.Log.Party, f.Log.Gen) {
		if err = f.Check(s.LogEd); err == nil {
			return nil
		}
	}
	return err
}

// signer says whose cosignature a name and kind is: 0 the author's seal, 1 to
// 20 a member's receipt key, 32 and up the charter's witnesses.
func (k *Keyring) signer(log parley.LogID, name string) (signer int, ok bool) {
	if name == log.Origin() {
		return 0, true
	}
	for _, m := range k.Charter.Members {
		if m.Index != log.Party && name == ReceiptName(k.Channel, m.Index) {
			return int(m.Index), true
		}
	}
	for i, w := range k.Charter.Witnesses {
		if name == w.Name {
			return firstWitness + i, true
		}
	}
	return 0, false
}

const firstWitness = 32

// signerName is the key name under which a signer cosigns a log.
func (k *Keyring) signerName(log parley.LogID, signer int) string {
	switch {
	case signer == 0:
		return log.Origin()
	case signer < firstWitness:
		return ReceiptName(k.Channel, parley.Party(signer))
	}
	return k.Charter.Witnesses[signer-firstWitness].Name
}

// VerifyCosig checks a cosignature over a root by whichever key its name
// stands for; author is the key set of the log's generation.
func (k *Keyring) VerifyCosig(c *Cosig, root parley.Hash, author *parley.Keys) error {
	signer, ok := k.signer(c.Log, c.Name)
	if !ok {
		return parley.Errorf(CodeReceipt, "a cosignature by %q over log %s, of whom the charter knows nothing", c.Name, c.Log)
	}
	_, err := k.verifySigner(signer, c, root, author)
	return err
}

// verifySigner is VerifyCosig by number; it returns the key that fits.
func (k *Keyring) verifySigner(signer int, c *Cosig, root parley.Hash, author *parley.Keys) (key []byte, err error) {
	origin := c.Log.Origin()
	fits := func(ed, pq []byte) bool {
		if c.PQ {
			key = pq
			return pq != nil && VerifySeal(pq, c.Name, c.Cosignature, origin, c.Size, root)
		}
		key = ed
		return ed != nil && c.Time != 0 && VerifyCosign(ed, c.Cosignature, origin, c.Size, root)
	}
	switch {
	case signer == 0:
		if c.PQ && author != nil && fits(nil, author.LogPQ) {
			return key, nil
		}
		return nil, parley.Errorf(CodeSeal, "the author's seal over the first %d entries of log %s does not fit", c.Size, c.Log)
	case signer < firstWitness:
		for _, s := range k.sets[parley.Party(signer)] {
			if fits(s.RcptEd, s.RcptPQ) {
				return key, nil
			}
		}
		return nil, parley.Errorf(CodeReceipt, "the receipt of member %d over the first %d entries of log %s does not fit", signer, c.Size, c.Log)
	}
	w := &k.Charter.Witnesses[signer-firstWitness]
	if fits(w.Ed, w.PQ) {
		return key, nil
	}
	return nil, parley.Errorf(CodeWitness, "the cosignature of witness %s over the first %d entries of log %s does not fit", w.Name, c.Size, c.Log)
}

// VerifyLine checks a line under a head that is not its author's signature: a
// seal, a receipt or a witness's cosignature, by name, key ID and signature.
// author is the key set of the log's generation, as VerifyHead found it.
func (k *Keyring) VerifyLine(n *Checkpoint, l Line, author *parley.Keys) (*Cosig, error) {
	log, err := parley.ParseOrigin(n.Origin)
	if err != nil {
		return nil, err
	}
	signer, known := k.signer(log, l.Name)
	c, ok := l.Cosignature()
	if !known || !ok {
		return nil, parley.Errorf(CodeReceipt, "a line of %q under a head of log %s, which is no cosignature of a member or witness", l.Name, log)
	}
	x := &Cosig{Log: log, Size: n.Size, Name: l.Name, PQ: len(c.Sig) == parley.SizePQSig, Cosignature: c}
	key, err := k.verifySigner(signer, x, n.Root, author)
	if err != nil {
		return nil, err
	}
	if x.PQ && !l.IsSeal(l.Name, key) || !x.PQ && !l.IsCosign(l.Name, key) {
		return nil, parley.Errorf(CodeCheckpoint, "the line of %q names another key than the one that signed", l.Name)
	}
	return x, nil
}
