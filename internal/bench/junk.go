package bench

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"parley"
	"parley/frame"
	"parley/journal"
	"parley/station"
)

// flow paces one connection of the flooder by PINGs among what it sends.
type flow struct {
	up   atomic.Bool
	turn chan struct{}

	mu          sync.Mutex
	sent, acked uint32
}

// Bits of the flooder's PING numbers, which the other end repeats.
const (
	floodPing = 1 << 31
	floodBulk = 1 << 30
	floodSeq  = floodBulk - 1
)

// next numbers a PING.
func (w *flow) next(bulk bool) uint32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent++
	id := floodPing | w.sent&floodSeq
	if bulk {
		id |= floodBulk
	}
	return id
}

func (w *flow) ponged(id uint32) {
	w.mu.Lock()
	w.acked = max(w.acked, id&floodSeq) // a PONG comes by both connections
	w.mu.Unlock()
}

// waiting is how many PINGs the other end has not answered.
func (w *flow) waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return int(w.sent - w.acked)
}

func (w *flow) look() {
	select {
	case w.turn <- struct{}{}:
	default:
	}
}

// mark sends a PING after what was sent on a connection.
func (f *flooder) mark(p pipe) {
	f.car.Send(p.to, p.bulk, frame.Encode(&frame.Ping{ID: f.pipes[p].next(p.bulk), Time: uint64(time.Now().Unix())}))
}

// room reports whether every connection may take more entries.
func (f *flooder) room() bool {
	for _, w := range f.pipes {
		if w.waiting() >= 2*ahead {
			return false
		}
	}
	return true
}

// drained reports whether the other ends have read everything.
func (f *flooder) drained() bool {
	for _, w := range f.pipes {
		if w.waiting() > 0 {
			return false
		}
	}
	return true
}

// flood fills one connection with junk while that is asked for.
func (f *flooder) flood(ctx context.Context, p pipe, w *flow) {
	rng := rand.New(rand.NewPCG(uint64(p.to), 1))
	for ctx.Err() == nil {
		if !f.junk.Load() || w.waiting() >= ahead {
			select {
			case <-w.turn:
			case <-ctx.Done():
			}
			continue
		}
		f.mu.Lock()
		logs, own := f.logs, append([][]byte(nil), f.own[p.to]...)
		f.mu.Unlock()
		var frames [][]byte
		for size := 0; size < chunk; {
			b := f.spoilt(rng, p.to, logs, own)
			frames, size = append(frames, b), size+len(b)
		}
		f.car.Send(p.to, p.bulk, frames...)
		f.mark(p)
	}
}

// spoilt is one frame of junk for a member. Most are well formed, since those
// cost the reader most before they come to nothing.
func (f *flooder) spoilt(rng *rand.Rand, to parley.Party, logs []station.LogStatus, own [][]byte) []byte {
	fill := func(b []byte) {
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
	}
	var sig [64]byte
	fill(sig[:])
	l := &station.LogStatus{Log: parley.LogID{Party: to}, Head: parley.Head{Party: to, Size: 1}}
	if len(logs) > 0 {
		l = &logs[rng.IntN(len(logs))]
	}
	id, size := l.Log, l.Head.Size
	switch rng.IntN(11) {
	case 0: // noise
		b := make([]byte, 20+rng.IntN(300))
		fill(b)
		b[0] = frame.Version<<5 | byte(rng.IntN(16))
		return b
	case 1, 2: // a frame of ours with a bit changed: entries, grants, heads, receipts
		if len(own) > 0 {
			b := append([]byte(nil), own[rng.IntN(len(own))]...)
			b[len(b)-1-rng.IntN(len(b)/2)] ^= 1
			return b
		}
	case 3: // a frame of ours again
		if len(own) > 0 {
			return own[rng.IntN(len(own))]
		}
	case 4:
		return frame.Encode(&frame.Blind{Author: id.Party, Lane: id.Lane, Hint: id.Hint(), Index: uint16(size), Commit: parley.Hash(sig[:32]), Sig: sig})
	case 5:
		return frame.Encode(&frame.Receipt{Lane: id.Lane, Cosigner: f.me, Hint: id.Hint(), Size: uint16(size), Time: uint32(time.Now().Unix()), Sig: sig})
	case 6:
		c := journal.Checkpoint{Origin: id.Origin(), Size: size + 1, Root: parley.Hash(sig[:32])}
		c.Lines = []journal.Line{journal.HeadLine(c.Origin, f.charter.Member(to).Keys.LogEd, sig[:])}
		return frame.Encode(&frame.Heads{Note: c.Encode()})
	case 7: // claims on logs that nobody has seen
		var have frame.Have
		for i := range 200 {
			h := parley.Head{Party: to, Gen: parley.Gen(sig[:8]), Size: parley.MaxUint}
			binary.BigEndian.PutUint32(h.Gen[4:], uint32(i))
			have.Heads = append(have.Heads, h)
		}
		return frame.Encode(&have)
	case 8: // as much as one WANT may ask for
		var want frame.Want
		for range frame.MaxWants {
			want.Items = append(want.Items, frame.WantItem{Party: id.Party, Lane: id.Lane, Gen: id.Gen, Last: parley.MaxUint, Form: uint8(rng.IntN(5)), Reason: uint8(rng.IntN(4))})
		}
		return frame.Encode(&want)
	case 9:
		o := &frame.Open{Author: id.Party, Lane: id.Lane, ChannelHint: binary.BigEndian.Uint16(id.Channel[:]), Gen: id.Gen, Index: size + 1, Sealed: sig[:]}
		return frame.Encode(o)
	case 10:
		e := &frame.Clear{Author: id.Party, Lane: id.Lane, ChannelHint: binary.BigEndian.Uint16(id.Channel[:]), Gen: id.Gen, Index: uint16(size), Entry: sig[:], Sig: sig}
		return frame.Encode(e)
	}
	return frame.Encode(&frame.Ping{ID: rng.Uint32() &^ floodPing, Time: rng.Uint64() >> 30})
}
