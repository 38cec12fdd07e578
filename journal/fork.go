package journal

import (
	"bytes"
	"crypto/ed25519"

	"parley"
)

// Fork is the evidence that an author signed two histories of one log
// (spec/journal.md). It needs nothing but the accused's log key to check, and
// nobody can make one without that key: it is the evidence of a NOTICE "fork"
// and, with the charter around it (WriteFork), a file that convinces a
// stranger.
//
// Of equal sizes the two roots differ. Of sizes m < n, Proof shows that the
// history signed at n had the root Other when it had m entries, and Other is
// not the root that was signed at m.
type Fork struct {
	Log   parley.LogID
	A, B  ForkHead     // A is the smaller; of equal sizes, the one of smaller root
	Other *parley.Hash // root at size A.Size of the history that B signs; nil if the sizes are equal
	Proof []parley.Hash
}

// ForkHead is one of the two heads with the author's signature.
type ForkHead struct {
	Size uint64
	Root parley.Hash
	Sig  []byte
}

// MaxProof is the greatest number of hashes in a proof over a log of at most
// parley.MaxUint entries.
const MaxProof = 64

// ProveFork makes the proof from two signed heads of one log. r holds the
// tree hashes of the history of the greater head (of neither, if the sizes
// are equal). The result is checked only by Check.
func ProveFork(a, b SignedHead, r Hashes) (*Fork, error) {
	if a.Log != b.Log {
		return nil, parley.Errorf(CodeNoFork, "two heads of two logs, %s and %s", a.Log, b.Log)
	}
	if a.Size > b.Size || a.Size == b.Size && bytes.Compare(a.Root[:], b.Root[:]) > 0 {
		a, b = b, a
	}
	f := &Fork{Log: a.Log, A: ForkHead{a.Size, a.Root, a.Sig}, B: ForkHead{b.Size, b.Root, b.Sig}}
	if a.Size == b.Size {
		return f, nil
	}
	if a.Size == 0 {
		return nil, parley.Errorf(CodeNoFork, "every history of log %s extends the empty one", a.Log)
	}
	other, err := RootAt(a.Size, r)
	if err != nil {
		return nil, err
	}
	f.Other = &other
	f.Proof, err = ProveConsistency(a.Size, b.Size, r)
	return f, err
}

// Check returns nil if f proves that the holder of the log key signed two
// histories. Otherwise nobody is accused: CodeNoFork, CodeProof or
// CodeSignature say what is missing.
func (f *Fork) Check(logKey ed25519.PublicKey) error {
	if err := f.checkHistories(); err != nil {
		return err
	}
	if len(logKey) != ed25519.PublicKeySize {
		return parley.Errorf(parley.CodeKey, "a log key of %d bytes", len(logKey))
	}
	for _, h := range []ForkHead{f.A, f.B} {
		if !VerifyHead(logKey, f.Log.Origin(), h.Size, h.Root, h.Sig) {
			return parley.Errorf(parley.CodeSignature, "the log key did not sign the head of size %d of log %s", h.Size, f.Log)
		}
	}
	return nil
}

// checkHistories checks that the two heads cannot belong to one history.
func (f *Fork) checkHistories() error {
	switch {
	case f.A.Size == f.B.Size:
		if f.Other != nil || len(f.Proof) != 0 {
			return parley.Errorf(CodeNoFork, "two heads of one size need no other root and no proof")
		}
		if c := bytes.Compare(f.A.Root[:], f.B.Root[:]); c == 0 {
			return parley.Errorf(CodeNoFork, "the two heads of log %s are the same", f.Log)
		} else if c > 0 {
			return parley.Errorf(parley.CodeNotSorted, "of two heads of one size, the smaller root comes first")
		}
		return nil
	case f.A.Size > f.B.Size:
		return parley.Errorf(parley.CodeNotSorted, "the smaller head comes first")
	case f.A.Size == 0:
		// A proof from size 0 is empty and binds nothing.
		return parley.Errorf(CodeNoFork, "every history of log %s extends the empty one", f.Log)
	case f.Other == nil:
		return parley.Errorf(CodeNoFork, "heads of two sizes without the root that contradicts the smaller")
	case *f.Other == f.A.Root:
		return parley.Errorf(CodeNoFork, "the two heads of log %s belong to one history", f.Log)
	}
	return CheckConsistency(f.Proof, f.A.Size, *f.Other, f.B.Size, f.B.Root)
}

// Encode is the proof's canonical form:
//
//	[channel, party, lane, gen, [size, root, sig], [size, root, sig], other / null, [* hash]]
func (f *Fork) Encode() []byte {
	b := parley.AppendArray(nil, 8)
	b = appendLog(b, f.Log)
	for _, h := range []ForkHead{f.A, f.B} {
		b = parley.AppendArray(b, 3)
		b = parley.AppendUint(b, h.Size)
		b = parley.AppendBytes(b, h.Root[:])
		b = parley.AppendBytes(b, h.Sig)
	}
	if f.Other == nil {
		b = parley.AppendNull(b)
	} else {
		b = parley.AppendBytes(b, f.Other[:])
	}
	b = parley.AppendArray(b, len(f.Proof))
	for _, h := range f.Proof {
		b = parley.AppendBytes(b, h[:])
	}
	return b
}

// ParseFork reads the canonical form. It checks the form only; Check decides
// whether anything is proved.
func ParseFork(b []byte) (*Fork, error) {
	d := parley.NewDecoder(b, 2)
	var f Fork
	d.Array(8, 8)
	f.Log = readLog(d)
	for _, h := range []*ForkHead{&f.A, &f.B} {
		d.Array(3, 3)
		h.Size = d.Uint(parley.MaxUint)
		h.Root = d.Hash()
		h.Sig = d.Bytes(parley.SizeEdSig, parley.SizeEdSig)
	}
	if !d.Null() {
		h := d.Hash()
		f.Other = &h
	}
	for range d.Array(0, MaxProof) {
		f.Proof = append(f.Proof, d.Hash())
	}
	if err := d.End(); err != nil {
		return nil, err
	}
	if !bytes.Equal(f.Encode(), b) {
		return nil, parley.Errorf(parley.CodeNotCanonical, "the fork proof does not re-encode to the same bytes")
	}
	return &f, nil
}

// appendLog appends the four fields that name a log: channel, party, lane, gen.
func appendLog(b []byte, l parley.LogID) []byte {
	b = parley.AppendBytes(b, l.Channel[:])
	b = parley.AppendUint(b, uint64(l.Party))
	b = parley.AppendUint(b, uint64(l.Lane))
	return parley.AppendBytes(b, l.Gen[:])
}

func readLog(d *parley.Decoder) (l parley.LogID) {
	l.Channel = d.Hash()
	l.Party = d.Party()
	l.Lane = parley.Lane(d.Uint(parley.Lanes - 1))
	l.Gen = d.Gen()
	return l
}
