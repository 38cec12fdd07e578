package station

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"parley"
	"parley/frame"
	"parley/journal"
)

// split makes member 1 sign two histories of its FLASH log: members 2 and 3
// each see one of them, of toB and toC entries.
func split(t *testing.T, toB, toC int) (w *world, log parley.LogID) {
	return splitTo(t, 3, toB, toC, parley.ToAll)
}

// splitTo does so in a larger channel: member 4, if there is one, sees what
// member 3 sees, unless the entries are addressed to it, when it sees nothing.
func splitTo(t *testing.T, members, toB, toC int, to parley.Audience) (w *world, log parley.LogID) {
	w = newWorld(t, members)
	w.connectAll()
	w.post(1, parley.Flash, parley.ToAll, "common")
	w.settle()
	w.cutAll()
	backup := copyStore(t, w.nodes[1].store)
	w.connect(1, 2)
	w.settle()
	var ref parley.Ref
	for i := range toB {
		ref = w.post(1, parley.Flash, to, fmt.Sprint("to B ", i))
		w.settle()
	}
	w.cut(1, 2)
	w.boot(1, backup, false)
	w.connect(1, 3)
	if members > 3 && to == parley.ToAll {
		w.connect(1, 4)
	}
	w.settle()
	w.pass(11*time.Second, time.Second)
	for i := range toC {
		w.post(1, parley.Flash, to, fmt.Sprint("to C ", i))
		w.settle()
	}
	w.cutAll()
	return w, ref.Log(w.ch.ID)
}

// Leaves that none of the two may read are enough to prove a fork.
func TestForkOfPrivateEntries(t *testing.T) {
	for _, c := range [][2]int{{1, 3}, {4, 2}} {
		w, _ := splitTo(t, 4, c[0], c[1], parley.AudienceOf(4))
		w.connect(2, 3)
		w.settle()
		w.pass(2*time.Minute, time.Second)
		for _, p := range []parley.Party{2, 3} {
			if a := w.nodes[p].alarm(AlarmFork); a == nil || a.Party != 1 {
				t.Errorf("%v: member %d does not see the fork", c, p)
			}
		}
	}
}

// A member that shows a signed head and keeps its leaves back does not hide
// the fork from those who ask another.
func TestWithheldLeavesHideNoFork(t *testing.T) {
	w, _ := splitTo(t, 4, 1, 3, parley.ToAll)
	w.drop = func(l letter) bool {
		kind := frame.Type(l.frame[0] & 31)
		if l.from == 4 && kind == frame.TypeBlind {
			clear(l.frame[len(l.frame)-64:]) // as if it had got these entries in one run
		}
		return l.from == 3 && kind == frame.TypeBlind || l.from == 2 && kind == frame.TypeHeads
	}
	w.connect(2, 3)
	w.settle()
	if w.nodes[2].alarm(AlarmFork) != nil {
		t.Fatal("seen without the leaves")
	}
	w.pass(2*time.Minute, time.Second)
	w.connect(2, 4)
	w.settle()
	w.pass(3*time.Minute, time.Second)
	if a := w.nodes[2].alarm(AlarmFork); a == nil || a.Party != 1 {
		t.Error("member 2 does not see the fork")
	}
}

// A party that signs two histories is caught at the first contact of any two
// honest members, and the proof needs nothing but the party's own signatures.
func TestTwoHistoriesAreCaughtAtFirstContact(t *testing.T) {
	for _, c := range [][2]int{{1, 1}, {1, 3}, {4, 2}, {5, 5}} {
		t.Run(fmt.Sprintf("%d against %d", c[0], c[1]), func(t *testing.T) {
			w, id := split(t, c[0], c[1])
			w.connect(2, 3)
			w.settle()
			w.pass(20*time.Second, time.Second)
			for _, p := range []parley.Party{2, 3} {
				a := w.nodes[p].alarm(AlarmFork)
				if a == nil {
					t.Fatalf("member %d does not see the fork", p)
				}
				if a.Party != 1 {
					t.Fatalf("member %d accuses member %d", p, a.Party)
				}
				f, err := journal.ParseFork(a.Evidence)
				if err != nil {
					t.Fatal(err)
				}
				if err := f.Check(w.ch.Member(1).Keys.Public.LogEd); err != nil || f.Log != id {
					t.Errorf("the proof of member %d does not hold for %s: %v", p, f.Log, err)
				}
				if f.Check(w.ch.Member(2).Keys.Public.LogEd) == nil {
					t.Error("the proof convicts another party")
				}
				kept := 0
				w.nodes[p].store.Values("fork", func(string, []byte) error { kept++; return nil })
				if kept != 1 {
					t.Errorf("member %d keeps %d proofs", p, kept)
				}
			}
			// Only that log stops; the party's other lanes go on.
			w.connect(1, 2)
			w.connect(1, 3)
			w.settle()
			w.pass(15*time.Second, time.Second)
			var err error
			w.step(1, Post{Lane: parley.Flash, Kind: parley.KindText, Body: []byte("again"), Done: func(_ parley.Ref, e error) { err = e }})
			if parley.CodeOf(err) != CodeForked {
				t.Errorf("the forked lane is used again without the root: %v", err)
			}
			ref := w.post(1, parley.Priority, parley.ToAll, "another lane")
			w.settle()
			w.reads(2, ref, "another lane")
			w.reads(3, ref, "another lane")
			// The root opens the lane again.
			m, gen := w.ch.Member(1), parley.Gen{7}
			w.step(1, Renew{Reason: parley.ReasonFork, Gen: gen, RootKeys: m.RootKeys(w.ch.ID, gen, m.NodeKeys(1).Public), Keys: w.keys(1, 1)})
			w.settle()
			ref = w.post(1, parley.Flash, parley.ToAll, "by the root")
			w.settle()
			w.reads(2, ref, "by the root")
			w.reads(3, ref, "by the root")
			w.received(ref, 2, 3)
		})
	}
}

// Nobody is accused for a repeat, a lost receipt, or frames out of order.
func TestHonestPartiesAreNeverAccused(t *testing.T) {
	w := newWorld(t, 3)
	var frames []letter
	w.trace = func(from, to parley.Party, b []byte) { frames = append(frames, letter{from: from, to: to, frame: b}) }
	w.connectAll()
	for i := range 5 {
		w.post(1, parley.Flash, parley.ToAll, fmt.Sprint(i))
		w.post(2, parley.Routine, parley.AudienceOf(1), fmt.Sprint(i))
		w.settle()
	}
	w.trace = nil
	replay := frames
	for i := len(replay) - 1; i >= 0; i-- { // everything again, backwards
		w.mail = append(w.mail, replay[i])
	}
	w.settle()
	w.pass(70*time.Second, time.Second)
	for p, n := range w.nodes {
		if len(n.alarms) > 0 {
			t.Errorf("member %d: %v", p, n.alarms)
		}
	}
	w.agree()
}

// A frame replayed on behalf of another member, in another lane or by another
// sender says nothing.
func TestFramesDoNotFitElsewhere(t *testing.T) {
	w := newWorld(t, 3)
	var entries []letter
	w.trace = func(from, to parley.Party, b []byte) {
		if frame.Type(b[0]&31) == frame.TypeEntry {
			entries = append(entries, letter{from: from, to: to, frame: b})
		}
	}
	w.connectAll()
	w.post(1, parley.Flash, parley.ToAll, "for all")
	w.settle()
	w.trace = nil
	before := w.nodes[3].Logs()
	for _, l := range entries {
		other := []byte(string(l.frame))
		other[1] ^= 1 << 5 // lane 1 instead of 0
		w.step(3, Frames{2, [][]byte{l.frame}}, Frames{1, [][]byte{other}}, Frames{2, [][]byte{other}})
	}
	w.mail = nil
	for i, l := range w.nodes[3].Logs() {
		if l.Head != before[i].Head {
			t.Errorf("log %s changed", l.Log)
		}
	}
}

// A notice of a fork is believed for its proof, not for its sender.
func TestFalseForkIsNotBelieved(t *testing.T) {
	w := newWorld(t, 3)
	w.connectAll()
	ref := w.post(1, parley.Flash, parley.ToAll, "true")
	w.settle()
	l := w.nodes[2].log(ref.Log(w.ch.ID))
	false1 := &journal.Fork{Log: l.id, A: journal.ForkHead{Size: l.size(), Root: parley.Hash{1}, Sig: make([]byte, 64)},
		B: journal.ForkHead{Size: l.size(), Root: parley.Hash{2}, Sig: make([]byte, 64)}}
	w.step(2, Post{Lane: parley.Immediate, Kind: parley.KindNotice, Body: (&parley.Notice{Code: parley.NoticeFork, Evidence: false1.Encode()}).Encode()})
	w.settle()
	if w.nodes[3].alarm(AlarmFork) != nil || w.nodes[3].log(l.id).forked {
		t.Error("a fork without a proof was believed")
	}
}

// New keys, signed by the root, open a new generation; what the old key signs
// after it is kept as evidence and changes nothing.
func TestNewKeysRevokeTheOldOnes(t *testing.T) {
	w := newWorld(t, 3)
	w.connectAll()
	w.post(1, parley.Flash, parley.ToAll, "under the old key")
	w.settle()
	w.cut(1, 3)
	w.cut(2, 3)
	thief := copyStore(t, w.nodes[1].store)
	honest := w.nodes[1]

	m := w.ch.Member(1)
	pub := m.NodeKeys(1).Public
	gen := parley.Gen{1, 2, 3, 4, 5, 6, 7, 8}
	rk := m.RootKeys(w.ch.ID, gen, pub)
	w.step(1, Renew{Reason: parley.ReasonRotation, Gen: gen, RootKeys: rk, Keys: w.keys(1, 1)})
	w.settle()
	if w.nodes[2].alarm(AlarmNewKeys) == nil {
		t.Error("member 2 is not told of the new keys")
	}
	ref := w.post(1, parley.Flash, parley.ToAll, "under the new key")
	w.settle()
	w.reads(2, ref, "under the new key")
	if ref.Gen != gen {
		t.Errorf("written in generation %s", ref.Gen)
	}

	// The thief goes on with the old key, towards member 2.
	w.cut(1, 2)
	w.boot(1, thief, false)
	w.connect(1, 2)
	w.settle()
	w.pass(12*time.Second, time.Second)
	stolen := w.post(1, parley.Flash, parley.ToAll, "by the thief")
	w.settle()
	r, err := w.nodes[2].store.Row(stolen.Log(w.ch.ID), stolen.Index)
	if err == nil && r.Standing != parley.AfterRevocation {
		t.Errorf("what the thief wrote stands as %q", r.Standing)
	}
	for _, p := range w.nodes[2].posted {
		if p.Entry.Kind == parley.KindText && string(p.Entry.Body) == "by the thief" && p.Standing.Effective() {
			t.Error("what the thief wrote has effect")
		}
	}
	if w.nodes[2].rcptOf(stolen.Log(w.ch.ID)) > stolen.Index {
		t.Error("what the thief wrote was receipted")
	}

	// The honest node, back again, is believed by member 3 too.
	w.cut(1, 2)
	w.nodes[1] = honest
	w.connect(1, 2)
	w.connect(1, 3)
	w.connect(2, 3)
	w.settle()
	w.pass(15*time.Second, time.Second)
	w.reads(3, ref, "under the new key")
	last := w.post(1, parley.Flash, parley.ToAll, "last word")
	w.settle()
	w.reads(3, last, "last word")
}

func (n *node) rcptOf(id parley.LogID) uint64 { return n.log(id).mine }

// Keys that the root did not sign change nothing.
func TestForgedKeysAreRefused(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	forger := w.ch.Member(2)
	gen := parley.Gen{9}
	rk := forger.RootKeys(w.ch.ID, gen, w.ch.Member(1).NodeKeys(1).Public)
	w.step(1, Renew{Reason: parley.ReasonRotation, Gen: gen, RootKeys: rk, Keys: w.keys(1, 1)})
	w.settle()
	if g := w.nodes[2].members[1].current(); g == nil || g.gen == gen {
		t.Error("keys signed by another root were taken")
	}
}

// One directory started twice opens two generations over the same
// predecessors: shown to all, and nobody is accused of a fork.
func TestPartyThatRunsTwiceIsShown(t *testing.T) {
	w := newWorld(t, 3)
	w.connectAll()
	w.cutAll()
	a, b := copyStore(t, w.nodes[1].store), copyStore(t, w.nodes[1].store)
	w.boot(1, a, true)
	w.connect(1, 2)
	w.settle()
	w.pass(11*time.Second, time.Second)
	w.cut(1, 2)
	w.boot(1, b, true)
	w.connect(1, 3)
	w.settle()
	w.pass(11*time.Second, time.Second)
	w.cut(1, 3)
	w.connect(2, 3)
	w.settle()
	w.pass(70*time.Second, time.Second)
	if w.nodes[2].alarm(AlarmTwice) == nil && w.nodes[3].alarm(AlarmTwice) == nil {
		t.Error("nobody is told that member 1 runs twice")
	}
	for p, n := range w.nodes {
		if n.alarm(AlarmFork) != nil {
			t.Errorf("member %d sees a fork", p)
		}
	}
}

// A node that ends between learning of a generation of its party that it did
// not start and superseding it supersedes it when it starts again.
func TestForeignGenerationOutlivesACrash(t *testing.T) {
	w := newWorld(t, 3)
	w.connectAll()
	w.cutAll()
	gen, left := w.nodes[1].Gen(), copyStore(t, w.nodes[1].store)
	w.boot(1, copyStore(t, w.nodes[1].store), true)
	w.connect(1, 2)
	w.pass(11*time.Second, time.Second)
	w.cut(1, 2)
	foreign := w.nodes[1].Gen()

	w.boot(1, left, false)
	w.connect(1, 2)
	w.settle() // it waits for member 3 still
	if n := w.nodes[1]; n.Ready() || n.members[1].generation(foreign) == nil {
		t.Fatal("the world is not as this test needs it")
	}
	w.cut(1, 2)
	n := w.boot(1, left, false)
	w.connect(1, 2)
	w.pass(15*time.Second, time.Second)
	if n.Gen() == gen || n.Gen() == foreign {
		t.Errorf("generation %s goes on beside another of this party", n.Gen())
	}
	var open []parley.Gen
	for _, g := range w.nodes[2].members[1].gens {
		if g.replaced == nil {
			open = append(open, g.gen)
		}
	}
	if !slices.Equal(open, []parley.Gen{n.Gen()}) {
		t.Errorf("others see %v open, the node is in %s", open, n.Gen())
	}
}

// A GENERATION whose keys the root did not sign gives them no force, neither
// when it comes after another lane has opened the generation nor after the
// reader has started again.
func TestUnsignedRootKeysNeverStand(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	w.cut(1, 2)
	m, gen := w.ch.Member(1), parley.Gen{5}
	other := w.ch.Member(2).RootKeys(w.ch.ID, gen, m.NodeKeys(1).Public) // by a root that is not its own
	var frames [][]byte
	for _, lane := range []parley.Lane{parley.Flash, parley.Routine} {
		body := parley.Generation{Prev: []parley.Gen{w.nodes[1].Gen()}, Reason: parley.ReasonRotation}
		if lane == parley.Routine {
			body.RootKeys = other
		}
		e := parley.Entry{Kind: parley.KindGeneration, Body: body.Encode()}
		id := parley.LogID{Channel: w.ch.ID, Party: 1, Lane: lane, Gen: gen}
		f := frame.Clear{Author: 1, Lane: lane, ChannelHint: w.nodes[2].chHint, Gen: gen, Entry: e.Encode()}
		leaf := journal.Leaf{Commit: journal.Commit(id.Origin(), 0, f.Salt, f.Entry)}
		var tree journal.Tree
		tree.Append(leaf.Hash())
		copy(f.Sig[:], journal.SignHead(m.Keys.Log, id.Origin(), 1, tree.Root()))
		frames = append(frames, frame.Encode(&f))
	}
	w.wires[[2]parley.Party{1, 2}] = true
	w.step(2, Up{1, false}, Frames{1, frames})
	for range 2 {
		n := w.nodes[2]
		if k := n.members[1].newestKeys(); k.Serial != 0 {
			t.Errorf("keys of serial %d are in force", k.Serial)
		}
		if g := n.members[1].generation(gen); g == nil || g.root {
			t.Errorf("the generation counts as signed by the root: %+v", g)
		}
		if r, err := n.store.Row(parley.LogID{Channel: w.ch.ID, Party: 1, Lane: parley.Routine, Gen: gen}, 0); err != nil || r.Standing != parley.Malformed {
			t.Errorf("its GENERATION: %+v, %v", r, err)
		}
		w.boot(2, n.store, false)
	}
}

// A generation that its author wrote before its root replaced the keys is read
// by a member that hears of the new keys first.
func TestGenerationsUnderReplacedKeys(t *testing.T) {
	for seed := range uint64(6) {
		w := newRace(t, 3, seed)
		w.boots += int(20 * seed)
		w.connectAll()
		w.cut(1, 3)
		w.cut(2, 3)
		w.cut(1, 2)
		w.boot(1, w.nodes[1].store, true)
		w.connect(1, 2)
		w.settle()
		w.pass(12*time.Second, time.Second)
		old := w.post(1, parley.Priority, parley.ToAll, "before the new keys")
		w.settle()
		m, gen := w.ch.Member(1), parley.Gen{byte(seed), 9}
		w.step(1, Post{Lane: parley.Flash, Kind: parley.KindText, Body: []byte("in the same step")},
			Renew{Reason: parley.ReasonRotation, Gen: gen, RootKeys: m.RootKeys(w.ch.ID, gen, m.NodeKeys(1).Public), Keys: w.keys(1, 1)})
		w.settle()
		w.connect(1, 3)
		w.settle()
		w.pass(3*time.Minute, time.Second)
		w.reads(3, old, "before the new keys")
		if r, err := w.nodes[3].store.Row(old.Log(w.ch.ID), old.Index); err == nil && r.Standing != parley.InForce {
			t.Errorf("seed %d: it stands as %s", seed, r.Standing)
		}
		ref := w.post(1, parley.Flash, parley.ToAll, "after them")
		w.settle()
		w.reads(3, ref, "after them")
		w.agree()
	}
}

// What the old key signs after the root has replaced it is kept as evidence,
// has no effect, and gets no receipt, unless another member's receipt shows
// that it was there before.
func TestAfterRevocation(t *testing.T) {
	w := newWorld(t, 3)
	w.connectAll()
	w.post(1, parley.Priority, parley.ToAll, "under the old key")
	w.settle()
	old := parley.LogID{Channel: w.ch.ID, Party: 1, Lane: parley.Priority, Gen: w.nodes[1].Gen()}
	m, gen := w.ch.Member(1), parley.Gen{4}
	w.step(1, Renew{Reason: parley.ReasonRotation, Gen: gen, RootKeys: m.RootKeys(w.ch.ID, gen, m.NodeKeys(1).Public), Keys: w.keys(1, 1)})
	w.settle()
	n := w.nodes[2]
	l := n.log(old)
	size := l.size()
	f := frame.Blind{Author: 1, Lane: old.Lane, Hint: l.hint, Index: uint16(size), To: parley.AudienceOf(3), Commit: parley.Hash{8}}
	tree := l.tree
	tree.Append(journal.LeafHash(f.To, f.Commit))
	copy(f.Sig[:], journal.SignHead(m.Keys.Log, old.Origin(), size+1, tree.Root()))
	w.step(2, Frames{1, [][]byte{frame.Encode(&f)}})
	w.settle()
	r, err := n.store.Row(old, size)
	if err != nil || r.Standing != parley.AfterRevocation {
		t.Errorf("%+v, %v", r, err)
	}
	if n.rcptOf(old) > size {
		t.Error("it was receipted")
	}
}

// A receipt counts for its signature, not for who sends it.
func TestForgedReceipts(t *testing.T) {
	w := newWorld(t, 3)
	w.connectAll()
	w.cut(1, 3)
	w.cut(2, 3)
	ref := w.post(1, parley.Flash, parley.ToAll, "member 3 is away")
	w.settle()
	id := ref.Log(w.ch.ID)
	n := w.nodes[1]
	root, _ := n.rootAt(n.log(id), ref.Index+1)
	f := frame.Receipt{Lane: id.Lane, Cosigner: 3, Hint: id.Hint(), Size: uint16(ref.Index + 1), Time: uint32(w.now.Unix())}
	copy(f.Sig[:], journal.Cosign(w.ch.Member(2).Keys.Rcpt, uint64(f.Time), id.Origin(), ref.Index+1, root).Sig)
	w.step(1, Frames{2, [][]byte{frame.Encode(&f)}})
	if n.Received(id, 3) > ref.Index {
		t.Error("a receipt that member 2 made counts as member 3's")
	}
	copy(f.Sig[:], journal.Cosign(w.ch.Member(3).Keys.Rcpt, uint64(f.Time), id.Origin(), ref.Index+1, root).Sig)
	w.step(1, Frames{2, [][]byte{frame.Encode(&f)}})
	w.received(ref, 3) // one that was handed on does
}
