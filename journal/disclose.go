package journal

import (
	"io"
	"slices"

	"parley"
)

// Disclosure is one entry shown to a stranger: its content, its place under a
// head that its author signed, and who cosigned that head. Nothing else of the
// log can be learnt from it but hashes and, in the entry, the heads it cites.
type Disclosure struct {
	Charter *parley.SignedCharter
	Keys    []*Announced // every ROOTKEYS known, sorted
	Proof   *TlogProof
}

// Disclose says which entry to show.
type Disclose struct {
	Charter *parley.SignedCharter
	Keys    []*Announced // from FindRootKeys
	Store   Reader
	Log     parley.LogID
	Index   uint64
	Head    SignedHead     // newest author-signed head of the log
	Members []parley.Party // whose receipts to show; nil for all
	Size    uint64         // of the head to show it under; 0 lets NewDisclosure choose
}

// NewDisclosure gathers a disclosure from a store. Of the heads that contain
// the entry and that the author signed, it takes the one with most of the
// wanted receipts and the charter's witnesses, and of equal ones the first.
func NewDisclosure(x *Disclose) (*Disclosure, error) {
	charter, err := parley.ParseCharter(x.Charter.Charter)
	if err != nil {
		return nil, err
	}
	keys := NewKeyring(charter, x.Charter.Channel())
	sorted := sortAnnounced(x.Keys)
	for _, a := range sorted {
		if err := keys.Announce(a); err != nil {
			return nil, err
		}
	}
	row, err := x.Store.Row(x.Log, x.Index)
	if err != nil {
		return nil, err
	}
	if row.Content == nil {
		return nil, parley.Errorf(CodeNotHeld, "entry %d of log %s is not opened here", x.Index, x.Log)
	}
	cosigs, err := x.Store.Cosigs(x.Log, x.Index+1)
	if err != nil {
		return nil, err
	}
	cosigs = slices.DeleteFunc(cosigs, func(c Cosig) bool {
		s, ok := keys.signer(x.Log, c.Name)
		unwanted := s > 0 && s < firstWitness && x.Members != nil && !slices.Contains(x.Members, parley.Party(s))
		return !ok || unwanted || c.Time == 0 || c.Size > x.Head.Size
	})
	head, err := x.choose(cosigs)
	if err != nil {
		return nil, err
	}
	p := &TlogProof{Content: *row.Content, Index: x.Index}
	if p.Proof, err = ProveInclusion(x.Index, head.Size, x.Store.Hashes(x.Log)); err != nil {
		return nil, err
	}
	if p.Checkpoint, err = keys.Note(head, cosigs); err != nil {
		return nil, err
	}
	return &Disclosure{Charter: x.Charter, Keys: sorted, Proof: p}, nil
}

// choose picks the head to show the entry under.
func (x *Disclose) choose(cosigs []Cosig) (SignedHead, error) {
	if x.Size == x.Head.Size || x.Size == 0 && len(cosigs) == 0 {
		return x.Head, nil
	}
	if x.Size != 0 {
		return x.signedAt(x.Size)
	}
	best, most := x.Head, 0
	for i := 0; i < len(cosigs); {
		j := i
		names := map[string]bool{}
		for ; j < len(cosigs) && cosigs[j].Size == cosigs[i].Size; j++ {
			names[cosigs[j].Name] = true
		}
		if len(names) > most {
			if h, err := x.signedAt(cosigs[i].Size); err == nil {
				best, most = h, len(names)
			}
		}
		i = j
	}
	return best, nil
}

// signedAt is the author-signed head of a size.
func (x *Disclose) signedAt(size uint64) (SignedHead, error) {
	if size == x.Head.Size {
		return x.Head, nil
	}
	if size <= x.Index || size > x.Head.Size {
		return SignedHead{}, parley.Errorf(CodeNotHeld, "no head of size %d that contains entry %d of log %s", size, x.Index, x.Log)
	}
	row, err := x.Store.Row(x.Log, size-1)
	if err != nil {
		return SignedHead{}, err
	}
	if row.Sig == nil {
		return SignedHead{}, parley.Errorf(CodeNotHeld, "the author's signature on the head of size %d of log %s is not held", size, x.Log)
	}
	root, err := RootAt(size, x.Store.Hashes(x.Log))
	return SignedHead{x.Log, size, root, row.Sig}, err
}

// Note is a signed head with those of the cosignatures that are over it, as a
// C2SP note: the author, its seal, members, witnesses. All are verified. Of
// several by one key the first in time is taken.
func (k *Keyring) Note(h SignedHead, cosigs []Cosig) (*Checkpoint, error) {
	author, err := k.VerifyHead(h)
	if err != nil {
		return nil, err
	}
	origin := h.Log.Origin()
	n := &Checkpoint{Origin: origin, Size: h.Size, Root: h.Root, Lines: []Line{HeadLine(origin, author.LogEd, h.Sig)}}
	var cs []fileCosig
	for _, c := range cosigs {
		if s, ok := k.signer(h.Log, c.Name); ok && c.Size == h.Size {
			cs = append(cs, fileCosig{s, c.PQ, c.Size, c.Cosignature})
		}
	}
	slices.SortFunc(cs, compareCosigs)
	for i, c := range cs {
		if i > 0 && cs[i-1].signer == c.signer && cs[i-1].pq == c.pq {
			continue
		}
		x := &Cosig{Log: h.Log, Size: c.size, Name: k.signerName(h.Log, c.signer), PQ: c.pq, Cosignature: c.Cosignature}
		key, err := k.verifySigner(c.signer, x, h.Root, author)
		if err != nil {
			return nil, err
		}
		if c.pq {
			n.Lines = append(n.Lines, SealLine(x.Name, key, c.Cosignature))
		} else {
			n.Lines = append(n.Lines, CosignLine(x.Name, key, c.Cosignature))
		}
	}
	return n, nil
}

// Write writes the disclosure as a file.
func (x *Disclosure) Write(w io.Writer) error {
	charter, err := parley.ParseCharter(x.Charter.Charter)
	if err != nil {
		return err
	}
	keys := NewKeyring(charter, x.Charter.Channel())
	out := newSectionWriter(w, FileDisclosure)
	out.put(tagCharter, x.Charter.Encode())
	for _, a := range sortAnnounced(x.Keys) {
		if err := keys.Announce(a); err != nil {
			return err
		}
		out.put(tagKeys, a.Encode())
	}
	log, author, err := keys.author(x.Proof.Checkpoint)
	if err != nil {
		return err
	}
	out.put(tagPolicy, []byte(Policy(charter, log, author.LogEd)))
	out.put(tagProof, x.Proof.Encode())
	return out.end(nil)
}

// author checks the first line of a note, which is the author's.
func (k *Keyring) author(n *Checkpoint) (parley.LogID, *parley.Keys, error) {
	log, err := parley.ParseOrigin(n.Origin)
	if err != nil {
		return log, nil, err
	}
	if len(n.Lines) == 0 {
		return log, nil, parley.Errorf(CodeHead, "the head of log %s has no signature of its author", log)
	}
	keys, err := k.VerifyHead(SignedHead{log, n.Size, n.Root, n.Lines[0].Sig})
	if err != nil {
		return log, nil, err
	}
	if !n.Lines[0].IsHead(n.Origin, keys.LogEd) {
		return log, nil, parley.Errorf(CodeHead, "the first line under the head of log %s is not its author's", log)
	}
	return log, keys, nil
}
