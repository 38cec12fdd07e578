package spec

import (
	"crypto/ed25519"
	"encoding/hex"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"parley"
	"parley/internal/mutate"
	"parley/journal"
	"parley/journal/journaltest"
)

// signedWorld changes what is signed, and then signs it with the keys that it
// has: a rule behind a signature is reached only so.
type signedWorld struct {
	*mutate.Mutator
	c    *journaltest.Channel
	gen  parley.Gen
	keys journaltest.NodeKeys // member 2's next ones
}

func (w *signedWorld) next(i int) *Vector {
	switch i % 4 {
	case 0:
		return w.charter()
	case 1:
		return w.rootKeys()
	case 2:
		return w.keysBody()
	}
	return w.line()
}

// charter is a changed charter that all its members sign.
func (w *signedWorld) charter() *Vector {
	b := w.Change(w.c.Charter.Encode())
	if len(b) == 0 || len(b) > parley.MaxCharter {
		return nil
	}
	s := &parley.SignedCharter{Charter: b}
	for _, m := range w.c.Members {
		msg := parley.CharterMessage(s.Channel())
		pq, err := m.RootPQ.SignDeterministic(msg, nil)
		if err != nil {
			panic(err)
		}
		s.Sigs = append(s.Sigs, parley.CharterSig{Index: m.Index, Ed: ed25519.Sign(m.Root, msg), PQ: pq})
	}
	return &Vector{Page: "charter", Name: "a changed charter, signed", Params: map[string]string{"form": "signed", "in-force": "true"}, Input: s.Encode()}
}

// rootKeys are changed keys that the root signs; the key of a proof of
// possession changes now and then with the proof.
func (w *signedWorld) rootKeys() *Vector {
	m := w.c.Member(2)
	b := w.Change(parley.AppendKeys(nil, w.keys.Public))
	d := parley.NewDecoder(b, 4)
	k := d.Keys()
	if d.End() != nil {
		return nil
	}
	if w.Intn(2) == 0 {
		root := parley.RootID(w.c.Charter.Members[1].RootEd, w.c.Charter.Members[1].RootPQ)
		k.Proofs[0] = ed25519.Sign(w.keys.Log, parley.PossessionMessage(root, parley.UseLog, k.LogEd))
		k.Proofs[1] = ed25519.Sign(w.keys.Rcpt, parley.PossessionMessage(root, parley.UseReceipt, k.RcptEd))
	}
	rk := m.RootKeys(w.c.ID, w.gen, k)
	return &Vector{Page: "keys", Name: "changed keys, signed", Input: parley.AppendRootKeys(nil, rk), Params: map[string]string{
		"op": "rootkeys", "channel": w.c.ID.String(), "member": "2", "gen": w.gen.String(),
		"root-ed": hex.EncodeToString(w.c.Charter.Members[1].RootEd), "root-pq": hex.EncodeToString(w.c.Charter.Members[1].RootPQ)}}
}

// keysBody is a changed KEYS that the log key signs.
func (w *signedWorld) keysBody() *Vector {
	k := &parley.KeysBody{KEM: make([]byte, parley.SizeKEM), Until: journaltest.Time, Addrs: []string{"tls:192.0.2.7:7443"}}
	copy(k.KEM, journaltest.Seed("kem %d", w.Intn(1000)))
	for range w.Intn(40) {
		k.KEM[w.Intn(len(k.KEM))] = byte(w.Intn(256))
	}
	if b, ok := w.Items(k.Encode()); ok {
		if x, err := parley.ParseKeysBody(b); err == nil {
			k = x
		}
	}
	index := uint64(w.Intn(3))
	k.Sig = ed25519.Sign(w.keys.Log, k.Message(w.c.ID, 2, w.gen, index))
	return &Vector{Page: "keys", Name: "a changed KEYS, signed", Input: k.Encode(), Params: map[string]string{
		"op": "keys", "channel": w.c.ID.String(), "member": "2", "gen": w.gen.String(),
		"index": strconv.FormatUint(index, 10), "log-ed": hex.EncodeToString(w.keys.Public.LogEd)}}
}

// line is a changed head that a member cosigns.
func (w *signedWorld) line() *Vector {
	log := w.c.Log(1, parley.Lane(w.Intn(5)), 1)
	size := uint64(w.Intn(40)) << w.Intn(48)
	m := w.c.Member(2)
	name := journal.ReceiptName(w.c.ID, 2)
	t := uint64(w.Intn(4)) << w.Intn(60)
	root := parley.Hash(journaltest.Seed("root"))
	c := &journal.Checkpoint{Origin: log.Origin(), Size: size, Root: root}
	key := m.Keys.Public.RcptEd
	if w.Intn(3) == 0 {
		key = m.Keys.Public.RcptPQ
		x, err := journal.Seal(m.Keys.RcptPQ, name, t, c.Origin, size, root)
		if err != nil {
			panic(err)
		}
		c.Lines = []journal.Line{journal.SealLine(name, key, x)}
	} else {
		c.Lines = []journal.Line{journal.CosignLine(name, key, journal.Cosign(m.Keys.Rcpt, t, c.Origin, size, root))}
	}
	b := c.Encode()
	if w.Intn(2) == 0 {
		b = w.Bytes(b)
	}
	return &Vector{Page: "receipts", Name: "a changed receipt", Input: b, Params: map[string]string{
		"op": "line", "signer": "member 2", "key": hex.EncodeToString(key)}}
}

func TestSecondSigned(t *testing.T) {
	n, seed := dose(t, 1000)
	c := journaltest.New(3, 2, nil)
	w := &signedWorld{mutate.New(seed, [][]byte{c.Charter.Encode()}), c, c.Gen(2, 7), c.Member(2).NodeKeys(5)}
	compare(t, n/4, w.next)
}

// Both programs end with the same status, on files and on wrong usage.
func TestSecondProgram(t *testing.T) {
	startSecond(t) // for its word on python3
	bin := filepath.Join(t.TempDir(), "parley-verify")
	if out, err := exec.Command("go", "build", "-o", bin, "parley/cmd/parley-verify").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	status := func(name string, args ...string) int {
		cmd := exec.Command(name, args...)
		cmd.Run()
		return cmd.ProcessState.ExitCode()
	}
	vs, err := Vectors()
	if err != nil {
		t.Fatal(err)
	}
	calls := [][]string{{}, {"nowhere"}, {"nowhere", "--channel", "12"}, {"--help"}}
	for _, v := range vs {
		if !slices.Contains([]string{"entry.txt", "entry-channel.txt", "fork.txt", "record.txt", "record-end.txt"}, path.Base(v.Name)) || v.Page != "disclosure" {
			continue
		}
		name := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(name, v.Input, 0o600); err != nil {
			t.Fatal(err)
		}
		call := []string{name, "--quiet"}
		if ch := v.Params["channel"]; ch != "" {
			call = append(call, "--channel", ch)
		}
		calls = append(calls, call)
	}
	for _, args := range calls {
		first, second := status(bin, args...), status("python3", append([]string{filepath.Join("..", "interop", "python", "parley_verify.py")}, args...)...)
		if first != second {
			t.Errorf("parley-verify %q ends with %d, the second verifier with %d", args, first, second)
		}
	}
}
