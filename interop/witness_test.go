package interop

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	fnote "github.com/transparency-dev/formats/note"
	tdclient "github.com/transparency-dev/witness/client/http"
	"github.com/transparency-dev/witness/config"
	"github.com/transparency-dev/witness/omniwitness"
	"github.com/transparency-dev/witness/persistence/inmemory"
	tdwitness "github.com/transparency-dev/witness/witness"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"parley"
	"parley/internal/witness"
	"parley/journal"
	"parley/journal/journaltest"
)

// theirs is a running witness of transparency-dev, with an Ed25519 and an
// ML-DSA-44 key.
type theirs struct {
	URL    string
	Public parley.Witness // as a charter names it
	logs   *inmemory.Persistence
}

// newTransparencyWitness starts one on loopback. It knows no log yet: a
// charter must name its keys before origins exist.
func newTransparencyWitness(t *testing.T, name string) *theirs {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	ed, err := fnote.NewSignerForCosignatureV1(skey)
	if err != nil {
		t.Fatal(err)
	}
	if vkey, err = fnote.VKeyToCosignatureV1(vkey); err != nil {
		t.Fatal(err)
	}
	pqSkey, pqVkey, err := fnote.GenerateMLDSAKey(name)
	if err != nil {
		t.Fatal(err)
	}
	pq, err := fnote.NewMLDSASigner(pqSkey)
	if err != nil {
		t.Fatal(err)
	}
	w := &theirs{Public: parley.Witness{Name: name}, logs: inmemory.New()}
	for _, v := range []string{vkey, pqVkey} {
		// Their way of writing keys is what parley reads from an operator.
		n, typ, key, err := witness.ParseVKey(v)
		if err != nil || n != name {
			t.Fatalf("their key %q: %v", v, err)
		}
		switch typ {
		case witness.TypeCosign:
			w.Public.Ed = key
		case witness.TypePQ:
			w.Public.PQ = key
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.URL = "http://" + l.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		omniwitness.Main(ctx, omniwitness.OperatorConfig{
			WitnessKeys: []note.Signer{ed, pq}, WitnessVerifier: ed.Verifier(), Logs: w.logs,
		}, w.logs, l, http.DefaultClient)
	}()
	t.Cleanup(func() { stop(); <-done })
	return w
}

// addLogs tells it logs in the form that "parley witness-config" prints.
func (w *theirs) addLogs(t *testing.T, logs ...witness.LogKey) {
	t.Helper()
	var b bytes.Buffer
	if err := witness.WitnessConfig(&b, logs, witness.FormatNetwork); err != nil {
		t.Fatal(err)
	}
	parsed, err := config.ParsePublicWitnessConfig(&b)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.logs.AddLogs(t.Context(), parsed); err != nil {
		t.Fatal(err)
	}
}

// startTransparencyWitness starts their witness for logs that exist already.
func startTransparencyWitness(t *testing.T, logs []witness.LogKey) (url, vkey string) {
	t.Helper()
	w := newTransparencyWitness(t, "witness.example")
	w.addLogs(t, logs...)
	return w.URL, witness.VKey(w.Public.Name, witness.TypeCosign, w.Public.Ed)
}

// line is one lane of member 1 of a test channel, growing.
type line struct {
	ch    *journaltest.Channel
	id    parley.LogID
	tree  journal.Tree
	store hashes
}

type hashes []parley.Hash

func (l *line) grow(n uint64, salt byte) *line {
	for l.tree.Size() < n {
		leaf := journal.LeafHash(parley.ToAll, parley.Hash{salt, byte(l.tree.Size())})
		l.store = append(l.store, l.tree.Append(leaf)...)
	}
	return l
}

func (l *line) copy() *line { c := *l; c.store = l.store[:len(l.store):len(l.store)]; return &c }

func (l *line) logKey() witness.LogKey {
	return witness.LogKey{Origin: l.id.Origin(), Key: l.ch.Member(1).Keys.Public.LogEd}
}

func (l *line) note() []byte {
	key := l.ch.Member(1).Keys.Log
	c := journal.Checkpoint{Origin: l.id.Origin(), Size: l.tree.Size(), Root: l.tree.Root()}
	sig := journal.SignHead(key, c.Origin, c.Size, c.Root)
	c.Lines = []journal.Line{journal.HeadLine(c.Origin, key.Public().(ed25519.PublicKey), sig)}
	return c.Encode()
}

func (l *line) prove(t *testing.T, old uint64) []parley.Hash {
	t.Helper()
	p, err := journal.ProveConsistency(old, l.tree.Size(), l.store)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// channelWith makes a channel that names w as its only witness.
func channelWith(w parley.Witness) *line {
	ch := journaltest.New(2, 0, func(c *parley.Charter) {
		c.Witnesses = []parley.Witness{w}
		c.Rules.Quorum = "quorum " + w.Name + "\n"
	})
	return &line{ch: ch, id: ch.Log(1, parley.Flash, 0)}
}

// Our client and heads at their witness: growth, a stale start, a fork, a log
// and a key it does not know.
func TestOurClientTheirWitness(t *testing.T) {
	w := newTransparencyWitness(t, "witness.example")
	l := channelWith(w.Public)
	c := &witness.Client{URL: w.URL}
	ctx := t.Context()

	var unknown *witness.Unknown
	if _, err := c.Add(ctx, 0, nil, l.grow(1, 0).note()); !errors.As(err, &unknown) || unknown.Status != 404 {
		t.Fatalf("a log it does not know: %v", err)
	}
	w.addLogs(t, l.logKey())

	var old uint64
	for _, size := range []uint64{1, 2, 5, 8, 21} {
		l.grow(size, 0)
		var proof []parley.Hash
		if old > 0 {
			proof = l.prove(t, old)
		}
		lines, err := c.Add(ctx, old, proof, l.note())
		if err != nil {
			t.Fatalf("size %d: %v", size, err)
		}
		good, dropped := witness.Verify(l.ch.Charter, lines, l.id.Origin(), size, l.tree.Root())
		if len(good) != 2 || dropped != 0 || good[0].PQ == good[1].PQ {
			t.Fatalf("size %d: %d cosignatures verify, %d do not; want one Ed25519 and one ML-DSA-44", size, len(good), dropped)
		}
		old = size
	}

	var conflict *witness.Conflict
	l.grow(30, 0)
	if _, err := c.Add(ctx, 5, l.prove(t, 5), l.note()); !errors.As(err, &conflict) || !conflict.HasSize || conflict.Size != 21 {
		t.Fatalf("a stale start: %v", err)
	}
	lines, from, err := c.Submit(ctx, 5, 30, l.note(), func(old uint64) ([]parley.Hash, error) { return l.prove(t, old), nil })
	if err != nil || from != 21 {
		t.Fatalf("a stale start, corrected: from %d, %v", from, err)
	}
	if good, _ := witness.Verify(l.ch.Charter, lines, l.id.Origin(), 30, l.tree.Root()); len(good) != 2 {
		t.Fatal("the cosignature after the correction does not verify")
	}

	fork := (&line{ch: l.ch, id: l.id}).grow(30, 1)
	if lines, err := c.Add(ctx, 30, nil, fork.note()); err == nil || len(lines) != 0 {
		t.Fatal("a fork of one size is cosigned")
	}
	fork.grow(40, 1)
	if _, err := c.Add(ctx, 30, fork.prove(t, 30), fork.note()); parley.CodeOf(err) != witness.CodeRefused {
		t.Fatalf("a fork beyond: %v", err)
	}
	if _, err := c.Add(ctx, 30, l.copy().grow(40, 0).prove(t, 30), l.copy().grow(40, 0).note()); err != nil {
		t.Fatalf("after the forks the log itself is refused: %v", err)
	}
	stolen := bytes.Replace(l.note(), []byte("\n30\n"), []byte("\n31\n"), 1)
	if _, err := c.Add(ctx, 40, nil, stolen); err == nil {
		t.Fatal("a head that its author did not sign is cosigned")
	}
}

func TestStartTransparencyWitness(t *testing.T) {
	l := channelWith(parley.Witness{Name: "other.example", Ed: journaltest.Ed("x").Public().(ed25519.PublicKey)})
	u, vkey := startTransparencyWitness(t, []witness.LogKey{l.logKey()})
	lines, err := (&witness.Client{URL: u}).Add(t.Context(), 0, nil, l.grow(3, 0).note())
	if err != nil {
		t.Fatal(err)
	}
	name, typ, key, err := witness.ParseVKey(vkey)
	if err != nil || typ != witness.TypeCosign {
		t.Fatal(vkey, err)
	}
	c, _ := lines[0].Cosignature()
	if !lines[0].IsCosign(name, key) || !journal.VerifyCosign(key, c, l.id.Origin(), 3, l.tree.Root()) {
		t.Fatal("its cosignature does not verify under its key")
	}
	// A charter that does not name it gives its cosignatures no weight.
	if good, dropped := witness.Verify(l.ch.Charter, lines, l.id.Origin(), 3, l.tree.Root()); len(good) != 0 || dropped != len(lines) {
		t.Fatal("a witness outside the charter counts")
	}
}

// The YAML list is what their omniwitness reads.
func TestOmniwitnessList(t *testing.T) {
	l := channelWith(parley.Witness{Name: "other.example", Ed: journaltest.Ed("x").Public().(ed25519.PublicKey)})
	var b bytes.Buffer
	if err := witness.WitnessConfig(&b, []witness.LogKey{l.logKey()}, witness.FormatOmniwitness); err != nil {
		t.Fatal(err)
	}
	logs, err := omniwitness.NewStaticLogConfig(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	got, ok, err := logs.Log(t.Context(), l.id.Origin())
	if err != nil || !ok || got.VKey != l.logKey().VKey() {
		t.Fatalf("%v %v %v", got, ok, err)
	}
}

// Their client at our witness, and their verifiers on its cosignatures.
func TestTheirClientOurWitness(t *testing.T) {
	key, err := witness.CreateKey(t.TempDir()+"/key", "witness.example")
	if err != nil {
		t.Fatal(err)
	}
	l := channelWith(key.Witness())
	srv, err := witness.New(witness.Config{Dir: t.TempDir(), Key: key, Charters: []*parley.Charter{l.ch.Charter}})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(srv)
	t.Cleanup(func() { h.Close(); srv.Close() })
	u, _ := url.Parse(h.URL)
	c := tdclient.NewWitness(u, h.Client())

	var vs []note.Verifier
	for _, vkey := range key.VKeys() {
		v, err := theirVerifier(vkey)
		if err != nil {
			t.Fatalf("our key %q: %v", vkey, err)
		}
		vs = append(vs, v)
	}
	raw := func(p []parley.Hash) (bs [][]byte) {
		for _, h := range p {
			bs = append(bs, h[:])
		}
		return
	}
	sigs, _, err := c.Update(t.Context(), 0, l.grow(4, 0).note(), nil)
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(append(l.note(), sigs...), note.VerifierList(vs...))
	if err != nil || len(n.Sigs) != 2 {
		t.Fatalf("their verifiers on our cosignatures: %v", err)
	}
	if _, _, err := c.Update(t.Context(), 4, l.grow(9, 0).note(), raw(l.prove(t, 4))); err != nil {
		t.Fatal(err)
	}
	if _, size, err := c.Update(t.Context(), 4, l.note(), raw(l.prove(t, 4))); !errors.Is(err, tdwitness.ErrCheckpointStale) || size != 9 {
		t.Errorf("a stale start: %d %v", size, err)
	}
	fork := (&line{ch: l.ch, id: l.id}).grow(9, 1)
	if _, _, err := c.Update(t.Context(), 9, fork.note(), nil); !errors.Is(err, tdwitness.ErrRootMismatch) {
		t.Errorf("a fork: %v", err)
	}
	if _, _, err := c.Update(t.Context(), 9, fork.grow(12, 1).note(), raw(fork.prove(t, 9))); !errors.Is(err, tdwitness.ErrInvalidProof) {
		t.Errorf("a fork beyond: %v", err)
	}
	other := *l
	other.id.Channel[0] ^= 1
	if _, _, err := c.Update(t.Context(), 0, other.note(), nil); !errors.Is(err, tdwitness.ErrUnknownLog) {
		t.Errorf("a log of another channel: %v", err)
	}
	other.id = l.id
	other.id.Party = 2 // signed by member 1's key
	if _, _, err := c.Update(t.Context(), 0, other.note(), nil); !errors.Is(err, tdwitness.ErrNoValidSignature) {
		t.Errorf("another member's log: %v", err)
	}
}

func theirVerifier(vkey string) (note.Verifier, error) {
	if _, typ, _, err := witness.ParseVKey(vkey); err != nil || typ == witness.TypePQ {
		return fnote.NewMLDSAVerifier(vkey)
	}
	return fnote.NewVerifierForCosignatureV1(vkey)
}

// ReadHashes reads stored hashes (tlog.HashReader).
func (h hashes) ReadHashes(at []int64) ([]tlog.Hash, error) {
	var hs []tlog.Hash
	for _, i := range at {
		hs = append(hs, tlog.Hash(h[i]))
	}
	return hs, nil
}
