package station

import (
	"encoding/binary"
	"testing"
	"time"

	"parley"
	"parley/frame"
	"parley/journal"
	"parley/seal"
)

// flood gives member 2 frames of member 3 and returns what went back to it,
// in bytes, and how many commits that took.
func (w *world) flood(frames ...[]byte) (back, commits int) {
	w.log = func(p parley.Party, fx *Effects, out *Out) {
		if p != 2 {
			return
		}
		if !fx.batch.Empty() {
			commits++
		}
		for _, s := range out.Sends {
			if s.To == 3 {
				back += len(s.Frame)
			}
		}
	}
	for _, f := range frames {
		w.step(2, Frames{3, [][]byte{f}})
	}
	w.log = nil
	w.mail = nil
	return
}

func gens(n int) (gs []parley.Gen) {
	for i := range n {
		var g parley.Gen
		binary.BigEndian.PutUint32(g[:], uint32(i+1))
		gs = append(gs, g)
	}
	return
}

// What a member says of logs that nobody has seen costs it its frames, and the
// others neither memory nor answers nor commits.
func TestFloods(t *testing.T) {
	w := newWorld(t, 3)
	w.connectAll()
	ref := w.post(1, parley.Flash, parley.ToAll, "before the flood")
	w.settle()
	n, m := w.nodes[2], w.nodes[2].members[3]
	keys := w.ch.Member(3).Keys
	logs := len(n.order)
	check := func(name string, sent [][]byte, atMost, commits int) {
		t.Helper()
		back, did := w.flood(sent...)
		if back > atMost || did > commits {
			t.Errorf("%s: %d frames call forth %d bytes and %d commits, want at most %d and %d", name, len(sent), back, did, atMost, commits)
		}
		w.bounded(2)
	}

	var have frame.Have
	var claims, opens, clears, heads [][]byte
	for i, g := range gens(1000) {
		have.Heads = append(have.Heads, parley.Head{Party: 1, Gen: g, Size: parley.MaxUint})
		clears = append(clears, frame.Encode(&frame.Clear{Author: 1, Lane: 2, ChannelHint: n.chHint, Gen: g, Index: uint16(i), Entry: make([]byte, 60000)}))
		c := journal.Checkpoint{Origin: parley.LogID{Channel: w.ch.ID, Party: 1, Lane: 1, Gen: g}.Origin(), Size: 1 << 50}
		c.Lines = []journal.Line{journal.HeadLine(c.Origin, keys.Public.LogEd, make([]byte, 64))}
		heads = append(heads, frame.Encode(&frame.Heads{Note: c.Encode()}))
	}
	for range 20 {
		claims = append(claims, frame.Encode(&have))
	}
	check("invented logs in HAVE", claims, 150_000, 0)
	check("invented logs in CLEAR", clears, 200_000, 0)
	check("invented heads", heads, 10_000, 0)
	if len(n.order) > logs+maxStray {
		t.Errorf("%d logs became %d", logs, len(n.order))
	}

	h := w.nodes[3]
	h.fx = &Effects{st: h.Station}
	k := h.audienceKey(h.only(2))
	id := ref.Log(w.ch.ID)
	for i := range uint64(300) { // opened leaves far ahead of a log of member 1
		text := make([]byte, 60000)
		commit := journal.Commit(id.Origin(), ref.Index+2+i, parley.Hash{}, text)
		f := frame.Open{Author: 1, Lane: id.Lane, KeyHint: k.id.Hint(), ChannelHint: n.chHint, Gen: id.Gen, Index: ref.Index + 2 + i, Leaf: journal.LeafHash(0, commit)}
		f.Sealed = seal.Encrypt(seal.OpenKey(k.K, id.Origin(), f.Index, f.Leaf), f.Nonce, f.Header(), append(make([]byte, 32), text...))
		opens = append(opens, frame.Encode(&f))
	}
	check("entries far ahead", opens, 10_000, 0)
	if m.kept < maxKept/2 {
		t.Errorf("%d bytes are kept: the flood did not arrive", m.kept)
	}

	// One receipt, a thousand times.
	r := frame.Receipt{Lane: id.Lane, Cosigner: 3, Hint: id.Hint(), Size: uint16(ref.Index + 1), Time: uint32(w.now.Unix()) + 20}
	root, _ := n.rootAt(n.log(id), ref.Index+1)
	copy(r.Sig[:], journal.Cosign(keys.Rcpt, uint64(r.Time), id.Origin(), ref.Index+1, root).Sig)
	var again, empty, wants, unknown [][]byte
	for range 1000 {
		again = append(again, frame.Encode(&r))
		empty = append(empty, frame.Encode(&frame.Have{}))
	}
	check("a receipt again and again", again, 0, 1)
	check("empty HAVEs", empty, 20_000, 0) // that ask for all keys again

	// Greedy WANTs stay within the budget.
	want := frame.Want{}
	for range frame.MaxWants {
		want.Items = append(want.Items, frame.WantItem{Party: 1, Lane: id.Lane, Gen: id.Gen, Last: parley.MaxUint, Form: frame.FormHeads, Reason: frame.WantNoKey})
	}
	for range 2000 {
		wants = append(wants, frame.Encode(&want))
	}
	m.budget = 1 << 20
	check("greedy WANTs", wants, 2<<20, 0)

	// Frames that no key opens ask for the key once a second, not each.
	for i := range 1000 {
		o := frame.Open{Author: 3, ChannelHint: n.chHint, Index: uint64(i), Sealed: make([]byte, 60)}
		unknown = append(unknown, frame.Encode(&o))
	}
	check("unknown keys", unknown, 10_000, 0)

	// And the line goes on.
	w.pass(10*time.Second, time.Second)
	after := w.post(1, parley.Flash, parley.ToAll, "after the flood")
	w.settle()
	w.reads(2, after, "after the flood")
	w.received(after, 2, 3)
}
