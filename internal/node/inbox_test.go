package node

import (
	"testing"
	"time"

	"parley"
	"parley/journal"
	"parley/station"
)

// fill puts n frames of a member, each with its number.
func fill(b *inbox, p parley.Party, bulk bool, n int) {
	for i := range n {
		b.put(p, bulk, item{frame: []byte{byte(p), byte(i)}})
	}
}

// count is how many frames of each member a batch has.
func count(ins []input) (by [parley.MaxParty + 1]int) {
	for _, in := range ins {
		if f, ok := in.event.(station.Frames); ok {
			by[f.From] += len(f.Frames)
		}
	}
	return by
}

// pass takes one batch as the loop does, and lets it take time.
func pass(b *inbox, now time.Time, took time.Duration, gain map[parley.Party]int) []input {
	ins := b.take(b.take(nil, false, now), true, now)
	a := account{took: took}
	for p, n := range gain {
		a.gain[p] = n
	}
	b.charge(&a, 1)
	return ins
}

// Who sends what brings nothing runs out of allowance: the others' frames no
// longer share a batch with its own, and it is served still, little by little.
func TestVainFramesAreRationed(t *testing.T) {
	b := newInbox([]parley.Party{2, 3}, nil)
	now := time.Now()
	fill(b, 3, false, 200)
	for !b.source(3).poor { // a tenth of a second each batch
		fill(b, 3, false, count(pass(b, now, 100*time.Millisecond, nil))[3])
	}
	fill(b, 2, true, 10)
	ins := pass(b, now, 10*time.Millisecond, map[parley.Party]int{2: 10})
	if by := count(ins); by[2] != 10 || by[3] != 0 {
		t.Fatalf("a batch has %d frames of the honest member and %d of the other", by[2], by[3])
	}
	if b.source(2).credit < allowance-time.Millisecond {
		t.Errorf("the honest member has %v left", b.source(2).credit)
	}
	b.used(now)
	ins, wait := b.takePoor(now)
	if len(ins) > 0 || wait <= 0 {
		t.Fatalf("%d inputs without an allowance, wait %v", len(ins), wait)
	}
	served, end := 0, now.Add(10*time.Second)
	for now.Before(end) {
		ins, wait := b.takePoor(now)
		n := count(ins)[3]
		if served += n; n == 0 {
			now = now.Add(wait)
		}
		b.charge(&account{took: time.Duration(n) * time.Millisecond}, 1)
		fill(b, 3, false, n)
		b.used(now)
	}
	if most := int(share*10_000) + 20; served == 0 || served > most {
		t.Errorf("%d vain milliseconds in ten seconds, want 1 to %d", served, most)
	}
	for n := 1; n > 0; { // all used up again
		ins, _ := b.takePoor(now)
		n = count(ins)[3]
		b.charge(&account{took: time.Second}, 1)
	}
	if ins, _ = b.takePoor(now.Add(2 * idleFor)); count(ins)[3] == 0 {
		t.Error("a member is rationed where nobody else needs the node")
	}
	b.charge(&account{}, 1)
	now = now.Add(time.Minute)
	if by := count(pass(b, now, 0, nil)); by[3] == 0 {
		t.Error("a member that was quiet for a minute is still rationed")
	}
}

// Frames that become durable cost nothing, unless they are beyond a quota.
func TestUsefulFramesAreFree(t *testing.T) {
	b := newInbox([]parley.Party{2, 3}, nil)
	now := time.Now()
	spend := func() {
		for range 100 {
			fill(b, 3, true, 50)
			n := count(pass(b, now, time.Second, map[parley.Party]int{3: 50}))
			if b.source(3).poor {
				return
			}
			for n[3] < 50 {
				n[3] += count(pass(b, now, 0, nil))[3]
			}
		}
	}
	if spend(); b.source(3).poor {
		t.Error("rows that became durable used up an allowance")
	}
	b.beyond(3, 1)
	if spend(); !b.source(3).poor {
		t.Error("entries beyond a quota are free")
	}
}

// A queue is bounded and waits for room; the other kind of connection and
// other members do not wait with it, and what came first leaves first.
func TestQueuesAreBounded(t *testing.T) {
	b := newInbox([]parley.Party{2, 3}, make(chan struct{}))
	fill(b, 3, true, maxWaiting)
	put := make(chan struct{})
	go func() { fill(b, 3, true, 1); close(put) }()
	fill(b, 3, false, 1)
	fill(b, 2, true, 1)
	select {
	case <-put:
		t.Fatal("a full queue took a frame")
	case <-time.After(50 * time.Millisecond):
	}
	b.put(3, true, item{event: station.Down{Peer: 3, Bulk: true}}) // never waits
	var ins []input
	for len(ins) == 0 || count(ins)[3] < maxWaiting+1 {
		ins = append(ins, pass(b, time.Now(), time.Microsecond, map[parley.Party]int{3: most})...)
	}
	<-put
	next := byte(0)
	for _, in := range ins {
		f, ok := in.event.(station.Frames)
		if !ok || f.From != 3 || len(f.Frames) == 1 {
			continue
		}
		for _, x := range f.Frames {
			if x[1] != next {
				t.Fatalf("frame %d stands where %d should", x[1], next)
			}
			next++
		}
	}
	big := newInbox([]parley.Party{2}, nil)
	big.put(2, false, item{frame: make([]byte, 2*maxBytes)}) // alone it may be greater
	if n := count(big.take(nil, false, time.Now())); n[2] != 1 {
		t.Error("a great frame is not taken")
	}
}

// What a batch makes durable is credited to its author or signer, and own rows
// that came back from others to those who sent them.
func TestAccountOfABatch(t *testing.T) {
	n := &Node{cfg: Config{Me: 1}, receipts: map[string]parley.Party{"one": 1, "two": 2}}
	var a account
	a.event(station.Post{})
	a.event(station.Frames{From: 2})
	row := func(p parley.Party) journal.Row { return journal.Row{Log: parley.LogID{Party: p}} }
	a.batch(n, &journal.Batch{Rows: []journal.Row{row(1), row(1), row(2), row(3)}, Opened: make([]journal.Opened, 1),
		Cosigs: []journal.Cosig{{Name: "one"}, {Name: "two"}, {Name: "a witness"}}})
	if a.gain[0] != 3 || a.gain[1] != 0 || a.gain[2] != 2 || a.gain[3] != 1 {
		t.Errorf("gains %v", a.gain[:4])
	}
}
