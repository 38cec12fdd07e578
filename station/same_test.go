package station

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"
	"testing/cryptotest"
	"time"

	"parley"
)

// busy runs five members through posts in every lane, private entries, cuts,
// a restore, new keys, seals and two days, and writes down every batch, frame,
// receipt and alarm.
func busy(t *testing.T) []byte {
	cryptotest.SetGlobalRandom(t, 1) // HPKE reads crypto/rand
	w := newRace(t, 5, 3)
	var all bytes.Buffer
	w.log = func(p parley.Party, fx *Effects, out *Out) {
		b := fx.batch
		fmt.Fprintf(&all, "%d: %d %+v %+v %+v\n", p, len(b.Rows), b.Heads, b.Cosigs, b.Puts)
		for _, r := range b.Rows {
			c := r.Content
			r.Content = nil
			fmt.Fprintf(&all, "row %+v %+v\n", r, c)
		}
		for _, s := range out.Sends {
			fmt.Fprintf(&all, "to %d %v %x\n", s.To, s.Bulk, sha256.Sum256(s.Frame))
		}
		fmt.Fprintf(&all, "%+v %+v %d %d\n", out.Receipts, out.Alarms, len(out.Posted), len(out.Early))
	}
	w.connectAll()
	for i := range 30 {
		p := parley.Party(1 + w.rng.IntN(5))
		w.post(p, parley.Lane(w.rng.IntN(5)), []parley.Audience{parley.ToAll, parley.AudienceOf(p%5 + 1)}[i%2], fmt.Sprint("entry ", i))
		if i%3 == 0 {
			w.settle()
		}
		if i == 10 {
			w.cut(1, 2)
			w.cut(3, 4)
		}
		if i == 20 {
			w.connect(1, 2)
		}
	}
	w.settle()
	backup := copyStore(t, w.nodes[5].store)
	w.post(5, parley.Flash, parley.ToAll, "lost")
	w.settle()
	for _, p := range w.ch.Charter.Others(5) {
		w.cut(5, p)
	}
	w.boot(5, backup, false)
	w.connectAll()
	m := w.ch.Member(2)
	gen := parley.Gen{2}
	w.step(2, Renew{Reason: parley.ReasonRotation, Gen: gen, RootKeys: m.RootKeys(w.ch.ID, gen, m.NodeKeys(1).Public), Keys: w.keys(2, 1)})
	w.step(1, SealNow{})
	w.pass(70*time.Second, 2*time.Second)
	w.pass(48*time.Hour, 6*time.Hour)
	return all.Bytes()
}

// The same configuration and events give the same batches, frames, receipts
// and alarms, byte for byte and in the same order.
func TestDeterminism(t *testing.T) {
	var runs [2][]byte
	for i := range runs {
		t.Run(fmt.Sprint(i), func(t *testing.T) { runs[i] = busy(t) })
	}
	if !bytes.Equal(runs[0], runs[1]) {
		as, bs := bytes.Split(runs[0], []byte("\n")), bytes.Split(runs[1], []byte("\n"))
		for i := range min(len(as), len(bs)) {
			if !bytes.Equal(as[i], bs[i]) {
				t.Fatalf("step %d:\n%.400s\n%.400s", i, as[i], bs[i])
			}
		}
		t.Fatal("one run is longer")
	}
}
