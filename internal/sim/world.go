package sim

import (
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"parley"
	"parley/journal/journaltest"
)

// World is one channel and all that happens in it.
type World struct {
	Seed uint64
	plan Plan
	rng  *rand.Rand
	ch   *journaltest.Channel

	agenda
	now     time.Time
	pace    time.Duration // between two ticks of a node
	healing bool          // no more faults
	until   time.Time     // when the present work ends

	nodes     []*node
	byMember  map[parley.Party][]*node
	links     []*link
	witnesses []*witness
	serials   map[parley.Party]uint64 // newest node keys that a root made
	script    *script                 // a world told by hand; nil in a drawn one
	restores  int                     // so far: without end they would be all that happens
	careless  map[parley.Party]bool   // an image was put back where nobody could tell: not held to anything

	truth  *truth
	stats  *Stats
	mutant mutant
	trace  func(string)
}

// Failure is a broken promise: what, when, and in which world.
type Failure struct {
	Seed uint64
	Plan Plan
	At   time.Duration // of the simulated time
	What string
}

func (f *Failure) Error() string {
	return fmt.Sprintf("seed %d after %v: %s\n(%s)", f.Seed, f.At.Round(time.Millisecond), f.What, f.Plan)
}

// began is when every world begins.
var began = time.Unix(1_750_000_000, 0).UTC()

// Run lives through the world of a seed and returns its figures, and the
// *Failure if a promise was broken. trace, which may be nil, is told what
// happens, a line each.
func Run(seed uint64, trace func(string)) (*Stats, error) { return run(seed, sound, trace) }

func run(seed uint64, m mutant, trace func(string)) (stats *Stats, err error) {
	w := &World{Seed: seed, rng: dice(seed), now: began, pace: time.Second,
		stats: newStats(), mutant: m, trace: trace}
	defer func() {
		switch x := recover().(type) {
		case nil:
		case *Failure:
			stats, err = w.stats, x
		default:
			stats, err = w.stats, w.failure(fmt.Sprintf("panic: %v\n%s", x, debug.Stack()))
		}
	}()
	w.plan = draw(w.rng)
	w.say("seed %d: %s", seed, w.plan)
	w.build(w.plan.channel(nil, nil))
	for range w.plan.Segments {
		most := 30
		if w.plan.Brief {
			most = 8
		}
		w.work(time.Duration(4+w.rng.IntN(most)) * time.Second)
		w.gap()
	}
	w.heal()
	if w.plan.Succeed {
		w.succeed()
	}
	w.stats.Worlds++
	return w.stats, nil
}

func dice(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x9a71e9)) }

func planOf(seed uint64) Plan { return draw(dice(seed)) }

// build makes the nodes, links and witnesses of a channel.
func (w *World) build(ch *journaltest.Channel) {
	w.ch, w.agenda, w.healing = ch, agenda{}, false
	w.nodes, w.links, w.witnesses = nil, nil, nil
	w.byMember, w.serials, w.careless = map[parley.Party][]*node{}, map[parley.Party]uint64{}, map[parley.Party]bool{}
	w.truth = newTruth(w)
	for i, x := range ch.Witnesses {
		w.witnesses = append(w.witnesses, &witness{w: w, Witness: x, bad: i < w.plan.BadWitnesses, heads: map[string]parley.Head{}})
	}
	for _, m := range ch.Members {
		w.add(m.Index, nil)
	}
	if len(w.plan.Hostile) > 0 {
		w.turn(w.nodes[len(w.nodes)-1])
	}
	w.connect()
	for _, n := range w.nodes {
		n.boot()
		w.serve(n)
	}
}

func (w *World) add(p parley.Party, d *disk) *node {
	if d == nil {
		d = &disk{Mem: &journaltest.Mem{}}
	}
	n := &node{w: w, id: len(w.nodes), me: p, disk: d, witnessed: map[witnessKey]uint64{}, since: w.now}
	w.nodes = append(w.nodes, n)
	w.byMember[p] = append(w.byMember[p], n)
	return n
}

// connect makes the links. A member that runs twice shows each other member
// one of its processes.
func (w *World) connect() {
	for i, a := range w.nodes {
		for _, b := range w.nodes[i+1:] {
			if a.me != b.me && w.faces(a, b) && w.faces(b, a) {
				w.links = append(w.links, &link{w: w, ends: [2]*node{a, b}})
			}
		}
	}
}

// faces reports whether a's member shows process a to b.
func (w *World) faces(a, b *node) bool {
	twins := w.byMember[a.me]
	return twins[int(b.me)%len(twins)] == a
}

func (w *World) at(t time.Time, do func())        { w.schedule(t, do) }
func (w *World) after(d time.Duration, do func()) { w.schedule(w.now.Add(d), do) }
func (w *World) schedule(t time.Time, do func())  { w.agenda.plan(t, do) }
func (w *World) chance(inThousand int) bool       { return inThousand > 0 && w.rng.IntN(1000) < inThousand }
func (w *World) jitter(most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	if w.script != nil {
		return most
	}
	return time.Duration(w.rng.Int64N(int64(most) + 1))
}

// run lets everything happen that is due within d.
func (w *World) run(d time.Duration) {
	end := w.now.Add(d)
	for {
		e, ok := w.next(end)
		if !ok {
			break
		}
		w.now = e.at
		e.do()
	}
	w.now = end
	if pairs := len(w.ch.Members) * (len(w.ch.Members) - 1) / 2; pairs > 0 {
		w.stats.LineTime += d * time.Duration(pairs)
	}
}

// setPace changes how often the nodes tick, from now on.
func (w *World) setPace(d time.Duration) {
	w.pace = d
	for _, n := range w.nodes {
		n.tick()
	}
}

func (w *World) say(format string, args ...any) {
	if w.trace != nil {
		w.trace(fmt.Sprintf("%14s  ", w.now.Sub(began).Round(time.Millisecond)) + fmt.Sprintf(format, args...))
	}
}

// fail ends the world: a promise is broken.
func (w *World) fail(format string, args ...any) {
	f := w.failure(fmt.Sprintf(format, args...))
	w.say("BROKEN: %s", f.What)
	panic(f)
}

func (w *World) failure(what string) *Failure {
	return &Failure{w.Seed, w.plan, w.now.Sub(began), what}
}

// honest reports whether a member is held to the promises, and may hold others.
func (w *World) honest(p parley.Party) bool {
	if w.careless[p] {
		return false
	}
	ns := w.byMember[p]
	return len(ns) == 1 && ns[0].honest()
}

// keysOf caches node keys: making them costs more than most worlds.
var keysOf sync.Map

type keyName struct {
	p      parley.Party
	serial uint64
}

func (w *World) nodeKeys(p parley.Party, serial uint64) journaltest.NodeKeys {
	name := keyName{p, serial}
	if k, ok := keysOf.Load(name); ok {
		return k.(journaltest.NodeKeys)
	}
	k := w.ch.Member(p).NodeKeys(serial)
	keysOf.Store(name, k)
	return k
}
