package journal_test

import (
	"bytes"
	"crypto/ed25519"
	"strings"
	"testing"

	"parley"
	"parley/journal"
	"parley/journal/journaltest"
)

func logKey(w *journaltest.Writer) ed25519.PublicKey { return w.Keys.Public.LogEd }

// Every way to sign two histories is proved: two heads of one size, and heads
// of different sizes in both directions, for every pair of small sizes.
func TestForkProofs(t *testing.T) {
	c := journaltest.New(2, 0, nil)
	for n := uint64(1); n <= 6; n++ {
		w := c.Writer(&journaltest.Mem{}, 1, parley.Flash, 1, nil)
		for i := range n {
			w.Add(journaltest.Text(0, i, "one history"))
		}
		for m := uint64(1); m <= 9; m++ {
			f := w.ForkOf(0, m)
			if err := f.Check(logKey(w)); err != nil {
				t.Errorf("sizes %d and %d: %v", n, m, err)
			}
			if g, err := journal.ParseFork(f.Encode()); err != nil || !bytes.Equal(g.Encode(), f.Encode()) {
				t.Errorf("sizes %d and %d: does not survive its encoding: %v", n, m, err)
			}
		}
	}
}

// Nobody is accused without two signatures of his own over two histories.
func TestForkAccusesNobodyFalsely(t *testing.T) {
	c := journaltest.New(2, 0, nil)
	w := c.Writer(&journaltest.Mem{}, 1, parley.Flash, 1, nil)
	w.Add(journaltest.Text(0, 1, "a"))
	small := w.SignHead()
	w.Add(journaltest.Text(0, 2, "b"))
	w.Add(journaltest.Text(0, 3, "c"))
	big := w.SignHead()
	honest, err := journal.ProveFork(small, big, w.Store.Hashes(w.Log))
	if err != nil {
		t.Fatal(err)
	}
	if err := honest.Check(logKey(w)); parley.CodeOf(err) != journal.CodeNoFork {
		t.Errorf("one history: %v", err)
	}
	lie := *honest
	lie.Other = &parley.Hash{1}
	if err := lie.Check(logKey(w)); parley.CodeOf(err) != journal.CodeProof {
		t.Errorf("an invented other root: %v", err)
	}
	empty := journal.SignedHead{Log: w.Log, Root: new(journal.Tree).Root()}
	empty.Sig = journal.SignHead(w.Keys.Log, w.Log.Origin(), 0, empty.Root)
	if _, err := journal.ProveFork(empty, big, w.Store.Hashes(w.Log)); parley.CodeOf(err) != journal.CodeNoFork {
		t.Errorf("the empty log against a full one: %v", err)
	}
	zero := journal.Fork{Log: w.Log, A: journal.ForkHead{Root: empty.Root, Sig: empty.Sig}, B: honest.B, Other: &parley.Hash{1}}
	if err := zero.Check(logKey(w)); parley.CodeOf(err) != journal.CodeNoFork {
		t.Errorf("a proof from size 0, which binds nothing: %v", err)
	}
	if err := w.ForkOf(1, 3).Check(c.Member(2).Keys.Public.LogEd); parley.CodeOf(err) != parley.CodeSignature {
		t.Errorf("another member's key: %v", err)
	}
}

func forkFile(t testing.TB, s *journaltest.Sample, w *journaltest.Writer, keys []*journal.Announced, at, n uint64) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := journal.WriteFork(&b, s.Channel.Signed, keys, w.ForkOf(at, n)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func announced(s *journaltest.Sample) []*journal.Announced {
	m := s.Channel.Member(2)
	return []*journal.Announced{{Party: 2, Gen: s.Second.Log.Gen,
		Keys: m.RootKeys(s.Channel.ID, s.Second.Log.Gen, m.NodeKeys(1).Public)}}
}

// The file convinces somebody who has nothing else, under the keys that the
// generation had.
func TestForkFile(t *testing.T) {
	s := journaltest.NewSample()
	file := forkFile(t, s, s.Second, announced(s), 1, 4)
	var out strings.Builder
	err := journal.VerifyFork(bytes.NewReader(file), journal.Verify{Channel: &s.Channel.ID}, func(f journal.Finding) { out.WriteString(f.String() + "\n") })
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, out.String(), "FORK … 2/ROUTINE … pakistan (member 2) signed two histories", "PROVED … its log key signed a head of 4 entries")
	bare := forkFile(t, s, s.Second, nil, 1, 4)
	if err := journal.VerifyFork(bytes.NewReader(bare), journal.Verify{}, nil); parley.CodeOf(err) != parley.CodeSignature {
		t.Errorf("without the change of keys: %v", err)
	}
}

func TestForkFileFlips(t *testing.T) {
	t.Parallel()
	c := journaltest.New(2, 0, nil)
	w := c.Writer(&journaltest.Mem{}, 1, parley.Flash, 1, &parley.Generation{})
	w.Add(journaltest.Text(parley.ToAll, journaltest.Time, "exercise"))
	var b bytes.Buffer
	if err := journal.WriteFork(&b, c.Signed, nil, w.ForkOf(1, 3)); err != nil {
		t.Fatal(err)
	}
	bits := bitsOf(b.Bytes(), 29)
	codes := flips(t, b.Bytes(), bits, func(b []byte) error { return journal.VerifyFork(bytes.NewReader(b), journal.Verify{}, nil) })
	t.Logf("%d of %d bits tried: %v", len(bits), b.Len()*8, codes)
}
