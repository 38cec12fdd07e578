package station

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"parley"
	"parley/journal"
	"parley/journal/journaltest"
	"parley/seal"
)

// world is a handful of stations in one thread, joined by queues of frames.
type world struct {
	t     *testing.T
	ch    *journaltest.Channel
	now   time.Time
	nodes map[parley.Party]*node
	wires map[[2]parley.Party]bool // cut where false
	mail  []letter
	boots int
	bytes int // of frames delivered
	trace func(from, to parley.Party, frame []byte)
	drop  func(letter) bool // lost on the way
	log   func(parley.Party, *Effects, *Out)
	die   func(parley.Party) bool // whether the process ends within this step
	rng   *rand.Rand              // if set, connections race and frames arrive in batches
}

var errDied = errors.New("the process died")

type letter struct {
	from, to parley.Party
	frame    []byte
	bulk     bool
}

type node struct {
	*Station
	store  journal.Store
	posted []parley.Posted
	rcpts  []parley.Receipted
	alarms []Alarm
	early  []Early
	down   bool
}

func newWorld(t *testing.T, members int) *world {
	w := &world{t: t, ch: journaltest.New(members, 1, nil), now: time.Unix(1_750_000_000, 0).UTC(),
		nodes: map[parley.Party]*node{}, wires: map[[2]parley.Party]bool{}}
	for _, m := range w.ch.Members {
		w.boot(m.Index, &journaltest.Mem{}, false)
	}
	return w
}

func (w *world) keys(p parley.Party, serial uint64) KeySet {
	k := w.ch.Member(p).NodeKeys(serial)
	return &seal.Node{Serial: serial, Log: seal.Signer{Ed: k.Log, PQ: k.LogPQ}, Rcpt: seal.Signer{Ed: k.Rcpt, PQ: k.RcptPQ}, TLS: k.TLS}
}

// boot starts a member's station over a store.
func (w *world) boot(p parley.Party, s journal.Store, doubt bool) *node {
	w.t.Helper()
	w.boots++
	st, err := New(Config{Charter: w.ch.Charter, Me: p, Keys: w.keys(p, 0), Record: s,
		Rand: rand.NewChaCha8([32]byte{byte(p), byte(w.boots)})})
	if err != nil {
		w.t.Fatalf("member %d: %v", p, err)
	}
	n := &node{Station: st, store: s}
	w.nodes[p] = n
	w.step(p, Start{Doubt: doubt})
	return n
}

func (w *world) step(p parley.Party, events ...Event) {
	w.t.Helper()
	n := w.nodes[p]
	if n.down {
		return
	}
	die := w.die != nil && w.die(p)
	fx := n.Step(w.now, events...)
	out, err := fx.Commit(func(b *journal.Batch, _ *Mark) error {
		if die && w.rng.IntN(2) == 0 {
			return errDied // nothing was committed
		}
		return n.store.Commit(b)
	})
	if die {
		n.down = true // at most the batch is durable; no frame has left
		return
	}
	if err != nil {
		w.t.Fatalf("member %d: %v", p, err)
	}
	if w.log != nil {
		w.log(p, fx, out)
	}
	n.posted = append(n.posted, out.Posted...)
	n.rcpts = append(n.rcpts, out.Receipts...)
	n.alarms = append(n.alarms, out.Alarms...)
	n.early = append(n.early, out.Early...)
	for _, s := range out.Sends {
		w.mail = append(w.mail, letter{p, s.To, s.Frame, s.Bulk})
	}
}

// connect joins two members on both connections.
func (w *world) connect(a, b parley.Party) {
	w.t.Helper()
	w.wires[[2]parley.Party{a, b}], w.wires[[2]parley.Party{b, a}] = true, true
	w.step(a, Up{b, false}, Up{b, true})
	w.step(b, Up{a, false}, Up{a, true})
}

func (w *world) cut(a, b parley.Party) {
	w.t.Helper()
	w.wires[[2]parley.Party{a, b}], w.wires[[2]parley.Party{b, a}] = false, false
	w.step(a, Down{b, false}, Down{b, true})
	w.step(b, Down{a, false}, Down{a, true})
}

func (w *world) cutAll() {
	w.t.Helper()
	for _, a := range w.ch.Charter.Others(0) {
		for _, b := range w.ch.Charter.Others(a) {
			if a < b {
				w.cut(a, b)
			}
		}
	}
}

func (w *world) connectAll() {
	w.t.Helper()
	for _, a := range w.ch.Charter.Others(0) {
		for _, b := range w.ch.Charter.Others(a) {
			if a < b {
				w.connect(a, b)
			}
		}
	}
	w.settle()
}

// settle delivers until nothing is under way.
func (w *world) settle() {
	w.t.Helper()
	for i := 0; len(w.mail) > 0; i++ {
		if w.rng != nil {
			w.race()
			continue
		}
		if i > 200000 {
			w.t.Fatal("the stations do not come to rest")
		}
		l := w.mail[0]
		w.mail = w.mail[1:]
		if !w.wires[[2]parley.Party{l.from, l.to}] || w.drop != nil && w.drop(l) {
			continue
		}
		w.bytes += len(l.frame)
		if w.trace != nil {
			w.trace(l.from, l.to, l.frame)
		}
		w.step(l.to, Frames{l.from, [][]byte{l.frame}})
	}
}

// pass lets time go by, a tick a second, delivering all the while.
func (w *world) pass(d time.Duration, tick time.Duration) {
	w.t.Helper()
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.now.Add(tick)
		for _, p := range w.ch.Charter.Others(0) {
			w.step(p, Tick{})
		}
		w.settle()
	}
}

// post appends a text and returns where it stands.
func (w *world) post(p parley.Party, lane parley.Lane, to parley.Audience, text string) parley.Ref {
	w.t.Helper()
	var ref parley.Ref
	w.step(p, Post{Lane: lane, Kind: parley.KindText, To: to, Body: []byte(text), Done: func(r parley.Ref, err error) {
		if err != nil {
			w.t.Fatalf("member %d: %v", p, err)
		}
		ref = r
	}})
	return ref
}

// reads fails unless member p has opened the entry at ref with that text.
func (w *world) reads(p parley.Party, ref parley.Ref, text string) {
	w.t.Helper()
	r, err := w.nodes[p].store.Row(ref.Log(w.ch.ID), ref.Index)
	if err != nil {
		w.t.Errorf("member %d does not hold %s: %v", p, ref, err)
		return
	}
	if r.Content == nil {
		w.t.Errorf("member %d has not opened %s", p, ref)
		return
	}
	e, err := parley.ParseEntry(r.Content.Entry)
	if err != nil || string(e.Body) != text {
		w.t.Errorf("member %d reads %q (%v), not %q", p, e.Body, err, text)
	}
}

// agree fails unless every member holds the same heads of every log.
func (w *world) agree() {
	w.t.Helper()
	heads := map[string]parley.Head{}
	for _, p := range w.ch.Charter.Others(0) {
		for _, l := range w.nodes[p].Logs() {
			if l.Head.Size == 0 {
				continue
			}
			k := l.Log.Origin()
			if h, ok := heads[k]; ok && h != l.Head {
				w.t.Errorf("member %d holds %s at %d %s, another at %d %s", p, l.Log, l.Head.Size, l.Head.Root.Short(), h.Size, h.Root.Short())
			}
			heads[k] = l.Head
		}
	}
	for k := range heads {
		for _, p := range w.ch.Charter.Others(0) {
			id, _ := parley.ParseOrigin(k)
			if w.nodes[p].log(id).size() != heads[k].Size {
				w.t.Errorf("member %d lacks entries of %s", p, id)
			}
		}
	}
}

func (w *world) received(ref parley.Ref, by ...parley.Party) {
	w.t.Helper()
	for _, p := range by {
		if got := w.nodes[ref.Party].Received(ref.Log(w.ch.ID), p); got <= ref.Index {
			w.t.Errorf("no receipt of member %d for %s: %d", p, ref, got)
		}
	}
}

func (n *node) alarm(code string) *Alarm {
	for i := range n.alarms {
		if n.alarms[i].Code == code {
			return &n.alarms[i]
		}
	}
	return nil
}

func (n *node) String() string { return fmt.Sprint(n.Links()) }
