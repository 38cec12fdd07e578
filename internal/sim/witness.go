package sim

import (
	"crypto/ed25519"
	"time"

	"parley"
	"parley/journal"
	"parley/journal/journaltest"
	"parley/station"
)

// witness cosigns a head that extends the newest one it cosigned (C2SP
// tlog-witness); a bad one cosigns whatever it is shown.
type witness struct {
	w *World
	*journaltest.Witness
	bad   bool
	down  bool
	heads map[string]parley.Head
}

// submit is add-checkpoint. conflict is the size that the witness knows where
// it differs from old.
func (x *witness) submit(head journal.SignedHead, old uint64, proof []parley.Hash) (c *journal.Cosig, conflict uint64, ok bool) {
	origin := head.Log.Origin()
	if !x.w.signedBy(head) {
		return nil, 0, false
	}
	known := x.heads[origin]
	if !x.bad {
		switch {
		case known.Size != old:
			return nil, known.Size, false
		case head.Size < known.Size, head.Size == known.Size && head.Root != known.Root:
			return nil, known.Size, false
		case known.Size > 0 && known.Size < head.Size && journal.CheckConsistency(proof, known.Size, known.Root, head.Size, head.Root) != nil:
			return nil, 0, false
		}
	}
	x.heads[origin] = parley.Head{Party: head.Log.Party, Lane: head.Log.Lane, Gen: head.Log.Gen, Size: head.Size, Root: head.Root}
	t := uint64(x.w.now.Unix())
	return &journal.Cosig{Log: head.Log, Size: head.Size, Name: x.Name,
		Cosignature: journal.Cosign(x.Ed, t, origin, head.Size, head.Root)}, 0, true
}

// signedBy reports whether one of its author's keys signed the head.
func (w *World) signedBy(h journal.SignedHead) bool {
	for s := range w.serials[h.Log.Party] + 1 {
		if pub := w.nodeKeys(h.Log.Party, s).Public.LogEd; journal.VerifyHead(ed25519.PublicKey(pub), h.Log.Origin(), h.Size, h.Root, h.Sig) {
			return true
		}
	}
	return false
}

// serve brings a node's heads to the witnesses at the charter's cadence.
func (w *World) serve(n *node) {
	period := max(time.Duration(w.ch.Charter.Rules.Heartbeat)*time.Second, w.pace)
	w.after(period, func() { w.submitAll(n); w.serve(n) })
}

func (w *World) submitAll(n *node) {
	if !n.up() || !n.st.Ready() {
		return
	}
	for _, l := range n.st.Logs() {
		if l.Log.Party != n.me || !l.Current || l.Forked || l.Signed.Size == 0 {
			continue
		}
		for i, x := range w.witnesses {
			if x.down || n.witnessed[witnessKey{i, l.Log}] >= l.Signed.Size || !w.healing && w.rng.IntN(8) == 0 {
				continue
			}
			w.submit(n, i, l.Signed)
		}
	}
}

func (w *World) submit(n *node, i int, head journal.SignedHead) {
	key := witnessKey{i, head.Log}
	old := n.witnessed[key]
	for range 2 {
		var proof []parley.Hash
		if old > 0 && old < head.Size {
			var err error
			if proof, err = journal.ProveConsistency(old, head.Size, n.disk.Hashes(head.Log)); err != nil {
				return
			}
		}
		c, conflict, ok := w.witnesses[i].submit(head, old, proof)
		switch {
		case ok:
			n.witnessed[key] = head.Size
			w.later(n, station.Witnessed{Cosigs: []journal.Cosig{*c}})
			w.stats.add("witness cosignature", 1)
			return
		case conflict > head.Size:
			w.later(n, station.WitnessAhead{Log: head.Log, Size: conflict})
			return
		case conflict == 0:
			return
		}
		old = conflict
	}
}

// later feeds an event after the time of a short journey.
func (w *World) later(n *node, e station.Event) {
	life := n.life
	w.after(w.jitter(w.plan.Latency), func() {
		if n.life == life {
			n.feed(e)
		}
	})
}
