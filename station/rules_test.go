package station

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/frame"
	"parley/journal"
	"parley/seal"
)

// An entry that fits its signed head but breaks a rule is evidence: stored,
// receipted, shown as malformed, and it blocks nothing.
func TestMalformedEntryIsEvidence(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	bad := forge(w, parley.Priority, []byte{0xff, 0x00})
	w.settle()
	r, err := w.nodes[2].store.Row(bad.Log(w.ch.ID), bad.Index)
	if err != nil || r.Standing != parley.Malformed || r.Content == nil {
		t.Fatalf("%+v, %v", r, err)
	}
	if w.nodes[2].alarm(AlarmMalformed) == nil {
		t.Error("no alarm")
	}
	w.received(bad, 2)
	for _, p := range w.nodes[2].posted {
		if p.Ref == bad {
			t.Error("a malformed entry reached the desks")
		}
	}
	ref := w.post(1, parley.Priority, parley.ToAll, "after it")
	w.settle()
	w.reads(2, ref, "after it")
}

// forge makes member 1's own station append bytes that no honest one would.
func forge(w *world, lane parley.Lane, text []byte) parley.Ref {
	n := w.nodes[1]
	n.now = w.now
	n.fx = &Effects{st: n.Station}
	for _, l := range n.order {
		clear(l.fresh)
		clear(l.signs)
	}
	l := n.log(parley.LogID{Channel: w.ch.ID, Party: 1, Lane: lane, Gen: n.gen})
	index := l.size()
	c := &journal.Content{Salt: seal.Salt(n.audienceKey(parley.ToAll).K, l.origin, index), Entry: text}
	leaf := journal.Leaf{Commit: journal.Commit(l.origin, index, c.Salt, text)}
	n.appendLeaf(l, leaf, c, nil, parley.InForce)
	s := &signature{origin: l.origin, size: l.size(), root: l.tree.Root(), key: n.keys.Log.Ed}
	l.signs[index] = s
	k := n.audienceKey(parley.ToAll)
	m := n.members[2]
	f := &frame.Entry{Lane: lane, Hint: k.id.Hint(), Index: uint16(index)}
	f.Sealed = seal.Encrypt(seal.EntryKey(k.K, l.origin, index), f.Nonce, f.Header(), text)
	n.fx.signs = append(n.fx.signs, s)
	n.sendSigned(m, false, s, func(sig [64]byte) frame.Frame { f.Sig = sig; return f })
	m.cursor[l] = index + 1
	out, err := n.fx.Commit(func(b *journal.Batch, _ *Mark) error { return n.store.Commit(b) })
	if err != nil {
		w.t.Fatal(err)
	}
	for _, x := range out.Sends {
		w.mail = append(w.mail, letter{from: 1, to: x.To, frame: x.Frame})
	}
	n.fx = nil
	return parley.Ref{Party: 1, Lane: lane, Gen: n.gen, Index: index, Leaf: leaf.Hash()}
}

// A cited head that differs from ours is shown, convicts nobody, and stops
// nothing.
func TestDisputedCitation(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	ref := w.post(2, parley.Flash, parley.ToAll, "what B said")
	w.settle()
	e := parley.Entry{Kind: parley.KindText, Time: uint64(w.now.Unix()), Body: []byte("B said otherwise"),
		Seen: []parley.Head{{Party: 2, Lane: parley.Flash, Gen: ref.Gen, Size: ref.Index + 1, Root: parley.Hash{1}}}}
	lie := forge(w, parley.Priority, e.Encode())
	w.settle()
	r, err := w.nodes[2].store.Row(lie.Log(w.ch.ID), lie.Index)
	if err != nil || r.Standing != parley.DisputedCitation {
		t.Fatalf("%+v, %v", r, err)
	}
	if w.nodes[2].alarm(AlarmDisputed) == nil {
		t.Error("no alarm")
	}
	if w.nodes[2].alarm(AlarmFork) != nil || w.nodes[2].log(lie.Log(w.ch.ID)).forked {
		t.Error("a citation convicted somebody")
	}
	w.received(lie, 2)
}

// Beyond its quota a lane is throttled, urgent lanes only raise the alarm.
func TestQuota(t *testing.T) {
	w := newWorld(t, 2)
	for i := range w.ch.Charter.Rules.Quota {
		w.ch.Charter.Rules.Quota[i] = 4000 // both nodes read the same charter
	}
	w.connectAll()
	for i := range 40 {
		w.post(1, parley.Deferred, parley.ToAll, fmt.Sprint(i, strings.Repeat(" bulk", 30)))
		w.post(1, parley.Flash, parley.ToAll, fmt.Sprint(i, strings.Repeat(" fast", 30)))
		w.settle()
	}
	flash := w.nodes[2].log(parley.LogID{Channel: w.ch.ID, Party: 1, Lane: parley.Flash, Gen: w.nodes[1].gen})
	bulk := w.nodes[2].log(parley.LogID{Channel: w.ch.ID, Party: 1, Lane: parley.Deferred, Gen: w.nodes[1].gen})
	if flash.size() != 41 {
		t.Errorf("FLASH arrived up to %d; its quota only raises an alarm", flash.size())
	}
	if bulk.size() > 30 || w.nodes[2].alarm(AlarmQuota) == nil {
		t.Errorf("bulk arrived up to %d, alarms %v", bulk.size(), w.nodes[2].alarms)
	}
	at := bulk.size()
	w.pass(35*time.Second, time.Second)
	if bulk.size() <= at || bulk.size() > at+5 {
		t.Errorf("from %d to %d in 35 s; one is fetched every ten seconds", at, bulk.size())
	}

	// What no key here opens is asked for as OPEN, which has a turn of its own:
	// else the frame that does not open takes the only one each time.
	n := w.nodes[2]
	bulk.allow = true
	for i, c := range []struct{ open, want bool }{{false, true}, {false, false}, {true, true}, {true, false}} {
		if got := n.withinQuota(n.members[1], bulk, 100, c.open); got != c.want {
			t.Errorf("frame %d beyond the quota, OPEN %v: taken %v", i, c.open, got)
		}
	}
}

// CLOSING is the last word in each lane, and the record stays.
func TestClosing(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	ref := w.post(1, parley.Flash, parley.ToAll, "last message")
	w.settle()
	w.step(1, Close{Successor: parley.Hash{7}})
	w.settle()
	var err error
	w.step(1, Post{Lane: parley.Flash, Kind: parley.KindText, Body: []byte("too late"), Done: func(_ parley.Ref, e error) { err = e }})
	if parley.CodeOf(err) != CodeClosed {
		t.Errorf("after CLOSING: %v", err)
	}
	w.settle()
	w.reads(2, ref, "last message")
	for _, l := range w.nodes[2].Logs() {
		if l.Log.Party == 1 && !l.Closed {
			t.Errorf("%s is not closed for its reader", l.Log)
		}
	}
	w.agree()
	// A restart remembers it.
	n := w.boot(1, w.nodes[1].store, false)
	if !n.closed {
		t.Error("after a restart the channel is open again")
	}
	// So does one after a restore, whose new generation is only for the record.
	w.cut(1, 2)
	n = w.boot(1, w.nodes[1].store, true)
	w.connect(1, 2)
	w.settle()
	w.pass(11*time.Second, time.Second)
	w.step(1, Post{Lane: parley.Flash, Kind: parley.KindText, Body: []byte("too late"), Done: func(_ parley.Ref, e error) { err = e }})
	if !n.Ready() || parley.CodeOf(err) != CodeClosed {
		t.Errorf("after a restore of a closed channel: %v", err)
	}
}

// An urgent entry whose predecessors are missing is shown at once, marked, and
// is neither stored nor receipted before they come.
func TestUrgentOutOfOrder(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	w.post(1, parley.Flash, parley.ToAll, "lost on the way")
	w.mail = nil
	ref := w.post(1, parley.Flash, parley.ToAll, "urgent")
	l := w.mail[0]
	w.mail = nil
	w.step(2, Frames{1, [][]byte{l.frame}})
	n := w.nodes[2]
	if len(n.early) != 1 || string(n.early[0].Entry.Body) != "urgent" || n.log(ref.Log(w.ch.ID)).size() > ref.Index {
		t.Fatalf("shown early: %v", n.early)
	}
	w.settle()
	w.reads(2, ref, "urgent")
	w.received(ref, 2)
}

// The compact form is used only where the reader can fill it in, and comes out
// as the full one.
func TestCompactFormRefills(t *testing.T) {
	w := newWorld(t, 2)
	compact := 0
	w.trace = func(_, _ parley.Party, b []byte) {
		if f, err := frame.Decode(b); err == nil {
			if e, ok := f.(*frame.Entry); ok && e.Compact {
				compact++
			}
		}
	}
	w.connectAll()
	for i := range 10 {
		a := w.post(1, parley.Flash, parley.ToAll, fmt.Sprint("over ", i))
		w.settle()
		b := w.post(2, parley.Flash, parley.ToAll, fmt.Sprint("roger ", i))
		w.settle()
		w.reads(2, a, fmt.Sprint("over ", i))
		w.reads(1, b, fmt.Sprint("roger ", i))
	}
	if compact < 15 {
		t.Errorf("%d of 20 entries travelled in the compact form", compact)
	}
	w.agree()
}

// One message of 160 characters and its receipt, on a warm line.
func TestBytesOfOneMessage(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	text := "The forward posts at grid 4412 report that all movement has stopped since 1700 hours. Please confirm the same for your side and name an officer for the talk...."
	if len(text) != 160 {
		t.Fatalf("%d characters", len(text))
	}
	w.post(1, parley.Flash, parley.ToAll, text)
	w.settle()
	w.bytes = 0
	w.post(1, parley.Flash, parley.ToAll, text)
	w.settle()
	if w.bytes > 340 {
		t.Errorf("%d bytes of frames; at most 340 are promised", w.bytes)
	}
	t.Logf("%d bytes", w.bytes)
}

// Seals with ML-DSA-44 follow the heads, and members add theirs.
func TestSeals(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	ref := w.post(1, parley.Flash, parley.ToAll, "to be sealed")
	w.settle()
	w.step(1, SealNow{})
	w.settle()
	for p, n := range w.nodes {
		cs, err := n.store.Cosigs(ref.Log(w.ch.ID), ref.Index+1)
		if err != nil {
			t.Fatal(err)
		}
		var author, member bool
		for _, c := range cs {
			author = author || c.PQ && c.Name == ref.Log(w.ch.ID).Origin()
			member = member || c.PQ && c.Name == journal.ReceiptName(w.ch.ID, 2)
		}
		if !author || !member {
			t.Errorf("member %d: sealed by the author %v, by the reader %v", p, author, member)
		}
	}
}

// A commitment to nobody is held by all and read by none until it is opened.
func TestCommitNowOpenLater(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	list := (&parley.List{Items: []string{"one", "two"}}).Encode()
	var ref parley.Ref
	w.step(1, Post{Lane: parley.Routine, Kind: parley.KindList, To: parley.ToNobody, Body: list, Done: func(r parley.Ref, err error) { ref = r }})
	w.settle()
	r, err := w.nodes[2].store.Row(ref.Log(w.ch.ID), ref.Index)
	if err != nil || r.Content != nil || r.Leaf.To != parley.ToNobody {
		t.Fatalf("%+v, %v", r, err)
	}
	w.received(ref, 2)
	own, err := w.nodes[1].store.Row(ref.Log(w.ch.ID), ref.Index)
	if err != nil {
		t.Fatal(err)
	}
	o := &parley.Opening{Ref: ref, Salt: own.Content.Salt, Entry: own.Content.Entry}
	w.step(1, Post{Lane: parley.Routine, Kind: parley.KindOpening, To: parley.ToAll, Body: o.Encode()})
	w.settle()
	found := false
	for _, p := range w.nodes[2].posted {
		found = found || p.Ref == ref && p.Entry.Kind == parley.KindList && bytes.Equal(p.Entry.Body, list)
	}
	if !found {
		t.Error("the list was not opened at its own place")
	}
	o.Salt[0] ^= 1
	var err2 error
	w.step(1, Post{Lane: parley.Routine, Kind: parley.KindOpening, To: parley.ToAll, Body: o.Encode(), Done: func(_ parley.Ref, e error) { err2 = e }})
	if err2 == nil {
		t.Error("an opening that does not fit its commitment was written")
	}
	w.agree()
}

// WITNESSED means the charter's quorum, not any witness.
func TestWitnessedMeansTheQuorum(t *testing.T) {
	w := newWorld(t, 2)
	w.ch.Charter.Witnesses = []parley.Witness{{Name: "north"}, {Name: "south"}, {Name: "east"}}
	w.ch.Charter.Rules.Quorum = "group two 2 north south east\nquorum two\n"
	n := w.nodes[1]
	n.quorum, _ = w.ch.Charter.Quorum()
	w.connectAll()
	ref := w.post(1, parley.Flash, parley.ToAll, "to be witnessed")
	w.settle()
	l := n.log(ref.Log(w.ch.ID))
	l.witness["north"] = 2
	if got := n.quorumSize(l); got != 0 {
		t.Errorf("one of three witnesses, and %d entries count as witnessed", got)
	}
	l.witness["east"] = 1
	if got := n.quorumSize(l); got != 1 {
		t.Errorf("north has 2, east has 1: %d witnessed, want 1", got)
	}
}

// Whoever asks by PING means one connection, and must not take a live one for
// dead because the answer went by the other.
func TestPongs(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	n := w.nodes[1]
	out, err := n.Step(w.now, Frames{From: 2, Frames: [][]byte{frame.Encode(&frame.Ping{ID: 7, Time: uint64(w.now.Unix())})}}).
		Commit(func(b *journal.Batch, _ *Mark) error { return n.store.Commit(b) })
	if err != nil {
		t.Fatal(err)
	}
	var by [2]int
	for _, s := range out.Sends {
		if f, err := frame.Decode(s.Frame); err == nil && s.To == 2 {
			if p, ok := f.(*frame.Ping); ok && p.Pong && p.ID == 7 {
				if s.Bulk {
					by[1]++
				} else {
					by[0]++
				}
			}
		}
	}
	if by != [2]int{1, 1} {
		t.Errorf("answered %d times by the urgent and %d by the bulk connection", by[0], by[1])
	}
}

// A key that the author's log key did not sign for is not taken, and one that
// was is.
func TestForgedGrant(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	pub := w.nodes[1].members[2].kem.pub
	for _, by := range []parley.Party{2, 1} {
		f := frame.Grant{ChannelHint: w.nodes[2].chHint, Author: 1, Recipient: 2, KeyID: seal.KeyID{9, byte(by)}, From: uint64(w.now.Unix()), Until: uint64(w.now.Unix()) + 60}
		f.Sealed, _ = seal.WrapKey(pub, f.Info(w.ch.ID), seal.Key{1})
		copy(f.Sig[:], ed25519.Sign(w.ch.Member(by).Keys.Log, f.Message(w.ch.ID)))
		w.step(2, Frames{1, [][]byte{frame.Encode(&f)}})
		taken := false
		for _, k := range w.nodes[2].members[1].reads {
			taken = taken || k.id == f.KeyID
		}
		if taken != (by == 1) {
			t.Errorf("signed by member %d: taken %v", by, taken)
		}
	}
}

// So is a KEM key: whoever could change it would read everything.
func TestForgedKeys(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	l := w.nodes[2].log(parley.LogID{Channel: w.ch.ID, Party: 1, Lane: parley.Routine, Gen: w.nodes[1].Gen()})
	before := w.nodes[2].members[1].kem
	k := parley.KeysBody{KEM: w.nodes[1].members[2].kem.pub}
	k.Sig = ed25519.Sign(w.ch.Member(2).Keys.Log, k.Message(w.ch.ID, 1, l.id.Gen, l.size()))
	e := parley.Entry{Kind: parley.KindKeys, Body: k.Encode()}
	f := frame.Clear{Author: 1, Lane: parley.Routine, ChannelHint: w.nodes[2].chHint, Gen: l.id.Gen, Index: uint16(l.size()), Entry: e.Encode()}
	w.step(2, Frames{1, [][]byte{frame.Encode(&f)}})
	if w.nodes[2].members[1].kem != before {
		t.Error("a KEM key that its member did not sign was taken")
	}
}

// An opening may come before its commitment: they stand in two lanes.
func TestOpeningBeforeItsCommitment(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	list := (&parley.List{Items: []string{"one"}}).Encode()
	var ref parley.Ref
	w.step(1, Post{Lane: parley.Routine, Kind: parley.KindList, To: parley.ToNobody, Body: list, Done: func(r parley.Ref, err error) { ref = r }})
	late := w.mail
	w.mail = nil
	own, err := w.nodes[1].store.Row(ref.Log(w.ch.ID), ref.Index)
	if err != nil {
		t.Fatal(err)
	}
	o := &parley.Opening{Ref: ref, Salt: own.Content.Salt, Entry: own.Content.Entry}
	w.step(1, Post{Lane: parley.Flash, Kind: parley.KindOpening, To: parley.ToAll, Body: o.Encode()})
	w.settle()
	w.mail = late
	w.settle()
	for _, p := range w.nodes[2].posted {
		if p.Ref == ref && bytes.Equal(p.Entry.Body, list) {
			return
		}
	}
	t.Error("the list was not opened when its commitment came")
}

// A member is known by at most so many generations, however the first entry of
// one comes to be signed: by itself, or under a later head.
func TestGenerationsAreBounded(t *testing.T) {
	w := newWorld(t, 2)
	w.connectAll()
	n := w.nodes[2]
	l := n.log(parley.LogID{Channel: w.ch.ID, Party: 1, Lane: parley.Flash, Gen: w.nodes[1].gen})
	r, err := w.nodes[2].store.Row(l.id, 0)
	if err != nil {
		t.Fatal(err)
	}
	e, err := parley.ParseEntry(r.Content.Entry)
	if err != nil {
		t.Fatal(err)
	}
	body, err := parley.ParseGeneration(e.Body)
	if err != nil {
		t.Fatal(err)
	}
	m := n.members[1]
	for len(m.gens) < maxGens {
		m.gens = append(m.gens, &generation{gen: parley.Gen{byte(len(m.gens)), byte(len(m.gens) >> 8), 1}})
	}
	if n.firstUnder(l, body, l.head) || len(m.gens) > maxGens {
		t.Errorf("%d generations of one member are kept", len(m.gens))
	}
}
