package station

import (
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"parley"
	"parley/frame"
	"parley/journal"
	"parley/seal"
)

// hostile is a member that sends what it likes: frames of its own making under
// its own keys, and whatever it has seen, changed or not.
type hostile struct {
	*world
	rng  *rand.Rand
	me   parley.Party
	seen [][]byte
	gens []parley.Gen // invented
	sent int          // bytes
	got  int          // bytes that came back
}

func (h *hostile) st() *node               { return h.nodes[h.me] }
func (h *hostile) key() ed25519.PrivateKey { return h.ch.Member(h.me).Keys.Log }
func (h *hostile) hash() (x parley.Hash) {
	for i := range x {
		x[i] = byte(h.rng.Uint32())
	}
	return
}

// log picks a log: mostly one that exists, of anybody.
func (h *hostile) log() parley.LogID {
	if ls := h.st().order; len(ls) > 0 && h.rng.IntN(4) > 0 {
		return ls[h.rng.IntN(len(ls))].id
	}
	if len(h.gens) == 0 || h.rng.IntN(3) == 0 {
		h.gens = append(h.gens, parley.Gen(h.bytes(8)))
	}
	return parley.LogID{Channel: h.ch.ID, Party: parley.Party(1 + h.rng.IntN(3)), Lane: parley.Lane(h.rng.IntN(5)),
		Gen: h.gens[h.rng.IntN(len(h.gens))]}
}

func (h *hostile) bytes(n int) []byte { x := h.hash(); return x[:n] }

func (h *hostile) number() uint64 {
	return []uint64{0, 1, 2, 3, 5, 300, 1030, 70000, 1 << 40, parley.MaxUint}[h.rng.IntN(10)]
}

// index is mostly near the end of what the log holds.
func (h *hostile) index(id parley.LogID) uint64 {
	if h.rng.IntN(3) > 0 {
		return h.st().log(id).size() + uint64(h.rng.IntN(4)) - min(1, h.st().log(id).size())
	}
	return h.number()
}

func (h *hostile) head() parley.Head {
	l := h.log()
	x := parley.Head{Party: l.Party, Lane: l.Lane, Gen: l.Gen, Size: h.index(l), Root: h.hash()}
	return x
}

func (h *hostile) heads(n int) (hs []parley.Head) {
	seen := map[parley.LogID]bool{}
	for range n {
		if x := h.head(); !seen[x.Log(h.ch.ID)] {
			seen[x.Log(h.ch.ID)] = true
			hs = append(hs, x)
		}
	}
	sortHeads(hs)
	return hs
}

func sortHeads(hs []parley.Head) {
	for i := range hs {
		for j := i; j > 0 && parley.CompareLog(hs[j-1], hs[j]) > 0; j-- {
			hs[j-1], hs[j] = hs[j], hs[j-1]
		}
	}
}

// entry is an entry of some kind with a body that may or may not fit it.
func (h *hostile) entry() []byte {
	e := parley.Entry{Kind: []parley.Kind{1, 2, 4, 10, 11, 12, 13, 16, 18, 40}[h.rng.IntN(10)], Time: h.number(), Seen: h.heads(h.rng.IntN(5))}
	e.To = []parley.Audience{0, 0, 1, 2, 4, 6}[h.rng.IntN(6)]
	switch e.Kind {
	case parley.KindGeneration:
		g := parley.Generation{Reason: parley.Reason(h.rng.IntN(6)), Last: h.heads(h.rng.IntN(4))}
		if len(h.gens) > 0 && h.rng.IntN(2) == 0 {
			g.Prev = h.gens[:1]
		}
		e.Body = g.Encode()
	case parley.KindClosing:
		e.Body = (&parley.Closing{Successor: h.hash(), Finals: h.heads(3)}).Encode()
	case parley.KindNotice:
		l := h.log()
		f := journal.Fork{Log: l, A: journal.ForkHead{Size: 1, Sig: make([]byte, 64)}, B: journal.ForkHead{Size: 1, Root: h.hash(), Sig: make([]byte, 64)}}
		e.Body = (&parley.Notice{Code: []string{parley.NoticeFork, parley.NoticeRunsTwice, "x"}[h.rng.IntN(3)], Evidence: f.Encode()}).Encode()
	case parley.KindOpening:
		in := parley.Entry{Kind: parley.KindText, To: parley.ToNobody, Body: h.bytes(5)}
		l := h.log()
		e.Body = (&parley.Opening{Ref: parley.Ref{Party: l.Party, Lane: l.Lane, Gen: l.Gen, Index: h.number(), Leaf: h.hash()}, Entry: in.Encode()}).Encode()
	default:
		e.Body = h.bytes(h.rng.IntN(32))
	}
	b := e.Encode()
	if h.rng.IntN(8) == 0 {
		b[h.rng.IntN(len(b))] ^= 1 << h.rng.IntN(8)
	}
	return b
}

// sign signs the head that leaf at index would give the log, if it is an own
// one that this node can extend, and anything otherwise.
func (h *hostile) sign(id parley.LogID, index uint64, leaf journal.Leaf) (sig [64]byte) {
	n := h.st().Station
	l := n.logs[place{id.Party, id.Lane, id.Gen}]
	switch {
	case h.rng.IntN(6) == 0:
	case l != nil && index <= l.size():
		if t, err := journal.LoadTree(index, n.hashes(l)); err == nil {
			t.Append(leaf.Hash())
			copy(sig[:], journal.SignHead(h.key(), id.Origin(), index+1, t.Root()))
		}
	default:
		var t journal.Tree
		t.Append(leaf.Hash())
		copy(sig[:], journal.SignHead(h.key(), id.Origin(), 1, t.Root()))
	}
	return
}

// frame makes a frame for a victim.
func (h *hostile) frame(to parley.Party) []byte {
	id := h.log()
	n := h.st().Station
	n.fx = &Effects{st: n} // its own keys may be drawn here
	switch h.rng.IntN(14) {
	case 0, 1, 2:
		if len(h.seen) > 0 { // a replay, changed or not
			b := append([]byte{}, h.seen[h.rng.IntN(len(h.seen))]...)
			if h.rng.IntN(2) == 0 {
				at := []int{1, 2, 3, 4, 5, h.rng.IntN(len(b))}[h.rng.IntN(6)] % len(b)
				b[at] ^= 1 << h.rng.IntN(8)
			}
			return b
		}
		fallthrough
	case 3:
		f := frame.Have{Heads: h.heads(h.rng.IntN(60))}
		return frame.Encode(&f)
	case 4:
		f := frame.Want{}
		for range 1 + h.rng.IntN(16) {
			i := h.index(id)
			f.Items = append(f.Items, frame.WantItem{Party: id.Party, Lane: id.Lane, Gen: id.Gen, First: min(i, parley.MaxUint), Last: parley.MaxUint,
				Form: uint8(h.rng.IntN(5)), Reason: uint8(h.rng.IntN(4))})
			id = h.log()
		}
		return frame.Encode(&f)
	case 5:
		f := frame.Blind{Author: id.Party, Lane: id.Lane, Hint: id.Hint(), Index: uint16(h.index(id)), Commit: h.hash()}
		if a := parley.Audience(h.number()); a.CheckIn(h.ch.Charter, id.Party) == nil {
			f.To = a
		}
		f.Sig = h.sign(id, h.index(id), journal.Leaf{To: f.To, Commit: f.Commit})
		return frame.Encode(&f)
	case 6, 7:
		if h.rng.IntN(2) == 0 {
			id.Party = h.me
		}
		i := h.index(id)
		text := h.entry()
		f := frame.Clear{Author: id.Party, Lane: id.Lane, ChannelHint: n.chHint, Gen: id.Gen, Index: uint16(i), Salt: h.hash(), Entry: text}
		f.Sig = h.sign(id, i, journal.Leaf{Commit: journal.Commit(id.Origin(), i, f.Salt, text)})
		return frame.Encode(&f)
	case 8, 9:
		id.Party = h.me
		if g := n.members[h.me].current(); g != nil {
			id.Gen = g.gen
		}
		i := h.index(id)
		k := n.audienceKey(parley.ToAll)
		text := h.entry()
		f := frame.Entry{Lane: id.Lane, Hint: k.id.Hint(), Index: uint16(i), Compact: h.rng.IntN(4) == 0, Deflated: h.rng.IntN(4) == 0}
		f.Sealed = seal.Encrypt(seal.EntryKey(k.K, id.Origin(), i), f.Nonce, f.Header(), text)
		f.Sig = h.sign(id, i, journal.Leaf{Commit: journal.Commit(id.Origin(), i, seal.Salt(k.K, id.Origin(), i), text)})
		return frame.Encode(&f)
	case 10:
		size := h.index(id)
		root := h.hash()
		l := n.log(id)
		if size <= l.size() {
			root, _ = n.rootAt(l, size)
		}
		f := frame.Receipt{Lane: id.Lane, Cosigner: h.me, Hint: id.Hint(), Size: uint16(size), Time: uint32(n.unix()) + uint32(h.rng.IntN(100))}
		copy(f.Sig[:], journal.Cosign(h.ch.Member(h.me).Keys.Rcpt, uint64(f.Time), id.Origin(), size, root).Sig)
		if h.rng.IntN(3) == 0 {
			f.Cosigner = 3 - to
		}
		return frame.Encode(&f)
	case 11:
		if h.rng.IntN(2) == 0 {
			id.Party = h.me
		}
		size, root := min(h.index(id), parley.MaxUint), h.hash()
		c := journal.Checkpoint{Origin: id.Origin(), Size: size, Root: root}
		pub := h.key().Public().(ed25519.PublicKey)
		c.Lines = append(c.Lines, journal.HeadLine(c.Origin, pub, journal.SignHead(h.key(), c.Origin, size, root)))
		return frame.Encode(&frame.Heads{Note: c.Encode()})
	case 12:
		k := n.audienceKey(n.only(to))
		i, text := h.index(id), h.entry()
		salt := h.hash()
		commit := journal.Commit(id.Origin(), i, salt, text)
		f := frame.Open{Author: id.Party, Lane: id.Lane, KeyHint: k.id.Hint(), ChannelHint: n.chHint, Gen: id.Gen, Index: min(i, parley.MaxUint), Leaf: journal.LeafHash(parley.ToAll, commit)}
		f.Sealed = seal.Encrypt(seal.OpenKey(k.K, id.Origin(), i, f.Leaf), f.Nonce, f.Header(), append(salt[:], text...))
		return frame.Encode(&f)
	}
	if h.rng.IntN(2) == 0 || n.members[to].kem == nil {
		return frame.Encode(&frame.Ping{Pong: h.rng.IntN(2) == 0, ID: 7, Time: h.number()})
	}
	f := frame.Grant{ChannelHint: n.chHint, Author: h.me, Recipient: to, KeyID: [8]byte(h.bytes(8)), Until: n.unix() + 1000}
	f.From = f.Until - 1000
	f.KeyID[0] |= 1
	f.Sealed, _ = seal.WrapKey(n.members[to].kem.pub, f.Info(h.ch.ID), seal.Key(h.hash()))
	copy(f.Sig[:], ed25519.Sign(h.key(), f.Message(h.ch.ID)))
	return frame.Encode(&f)
}

// bounded fails if a node keeps more for a member than it may.
func (w *world) bounded(p parley.Party) {
	w.t.Helper()
	n := w.nodes[p]
	kept := map[parley.Party]int{}
	strays := map[parley.Party]int{}
	for _, l := range n.order {
		for i, h := range l.held {
			kept[h.by] += h.bytes()
			if i < l.size() || i >= l.size()+maxHeld {
				w.t.Fatalf("member %d holds leaf %d of %s, which has %d", p, i, l.id, l.size())
			}
		}
		if l.stray != 0 {
			strays[l.stray]++
			if l.size() > 0 {
				w.t.Fatalf("%s has entries and counts as a claim", l.id)
			}
		}
		if len(l.early) > 16 || len(l.fresh) > 600 {
			w.t.Fatalf("%s keeps %d receipts", l.id, len(l.early))
		}
		if l.size() != l.head.Size && l.id.Party != p {
			w.t.Fatalf("member %d holds %s at %d under a head of %d", p, l.id, l.size(), l.head.Size)
		}
	}
	for q, m := range n.members {
		for _, b := range m.noKey {
			kept[q] += len(b)
		}
		if kept[q] != m.kept || m.kept > maxKept || strays[q] != m.strays || m.strays > maxStray {
			w.t.Fatalf("member %d keeps %d bytes and %d claims for member %d and counts %d and %d", p, kept[q], strays[q], q, m.kept, m.strays)
		}
		if len(m.reads) > maxReads || len(m.noKey) > maxNoKey || len(m.gens) > maxGens {
			w.t.Fatalf("member %d keeps %d keys, %d frames, %d generations for member %d", p, len(m.reads), len(m.noKey), len(m.gens), q)
		}
	}
}

// A member that sends whatever it likes stops nobody, convicts nobody but
// itself, puts no word into another's mouth, and fills no memory.
func TestHostileMember(t *testing.T) {
	for seed := range rounds(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newRace(t, 3, uint64(seed))
			h := &hostile{world: w, rng: rand.New(rand.NewPCG(uint64(seed), 1)), me: 3}
			w.trace = func(from, to parley.Party, b []byte) {
				h.seen = append(h.seen, b)
				if to == h.me {
					h.got += len(b)
				}
			}
			w.connectAll()
			refs := map[parley.Ref]string{}
			for i := range 60 {
				p := parley.Party(1 + w.rng.IntN(2))
				text := fmt.Sprint("honest ", i)
				refs[w.post(p, parley.Lane(w.rng.IntN(5)), parley.ToAll, text)] = text
				if i%9 == 0 {
					w.step(3, Post{Lane: parley.Lane(w.rng.IntN(5)), Kind: parley.KindText, Body: []byte("its own node goes on as well")})
				}
				for range 30 {
					to := parley.Party(1 + h.rng.IntN(2))
					b := h.frame(to)
					h.sent += len(b)
					w.mail = append(w.mail, letter{from: 3, to: to, frame: b, bulk: h.rng.IntN(2) == 0})
				}
				for range 30 {
					if len(w.mail) > 0 {
						w.race()
					}
				}
				if i%7 == 0 {
					w.pass(time.Second, time.Second)
				}
				w.bounded(1)
				w.bounded(2)
			}
			w.settle()
			w.pass(3*time.Minute, time.Second)
			t.Logf("%d bytes sent, %d came back", h.sent, h.got)
			for p := parley.Party(1); p <= 2; p++ {
				for _, a := range w.nodes[p].alarms {
					if a.Party != 3 && a.Code != AlarmDisputed && a.Code != parley.NoticeRunsTwice && a.Code != parley.NoticeLeaving {
						t.Errorf("member %d: %s of member %d: %s", p, a.Code, a.Party, a.Text)
					}
				}
				for ref, text := range refs {
					w.reads(p, ref, text)
				}
				q := 3 - p
				for _, l := range w.nodes[p].Logs() {
					if l.Log.Party != q {
						continue
					}
					if own := w.nodes[q].log(l.Log); own.size() != l.Head.Size || own.tree.Root() != l.Head.Root || l.Forked {
						t.Errorf("member %d holds %s at %d, its author at %d", p, l.Log, l.Head.Size, own.size())
					}
				}
				w.boot(p, w.nodes[p].store, false) // what it stored can be read again
				w.bounded(p)
			}
		})
	}
}
