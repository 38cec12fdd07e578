package node

import (
	"sync"
	"time"

	"parley"
	"parley/station"
)

// inbox holds the frames that wait for the loop, for each member and kind of
// connection apart, so that what one member sends delays the others little:
//
//   - A queue is bounded; its connection is not read on while it is full.
//   - A batch takes from every queue, urgent ones first, and from each no more
//     than about quantum is worth while others are there.
//   - Frames that bring nothing are paid for with the loop's time: each member
//     has an allowance of it, which grows by share of the time that passes. Who
//     has used it up is served when there is some again, alone and little by
//     little, or when nobody else has needed the node for a moment.
//
// A frame brings something if it makes a row or a cosignature durable; honest
// nodes that do not ask for much hardly ever spend anything. The frames of a
// member that is beyond a quota count as nothing until the day is over: the
// charter has no room for them.
type inbox struct {
	wake chan struct{} // something waits
	done <-chan struct{}

	mu      sync.Mutex
	sources []*source // of the other members, ascending
	next    int       // whose turn is first
	busy    time.Time // when there was last something of others to do
}

const (
	maxWaiting = 256     // frames in one queue
	maxBytes   = 1 << 20 // of frames in one queue, unless a single one is greater

	quantum     = 4 * time.Millisecond
	poorQuantum = time.Millisecond // the same for one that has used up its allowance
	allowance   = time.Second
	share       = 0.08
	debt        = 50 * time.Millisecond // the most that one owes: a step may take long for another's reasons
	idleFor     = 2 * time.Second       // time that nobody else has used for so long is free
)

// source is what one member sends.
type source struct {
	party  parley.Party
	queues [2]queue // urgent, bulk

	credit time.Duration // what is left of the allowance; may be negative
	poor   bool          // it was used up, and half of it is not back yet
	as     time.Time     // when the credit was reckoned
	cost   time.Duration // of one frame, lately
	over   int64         // the day, since 1970, on which it went beyond a quota
	taken  int           // frames in the batch under way
}

type queue struct {
	items []item
	bytes int
	room  chan struct{} // told when items were taken
}

// item is a frame, or the event of a connection that came or went.
type item struct {
	frame []byte
	event station.Event
}

func newInbox(others []parley.Party, done <-chan struct{}) *inbox {
	b := &inbox{wake: make(chan struct{}, 1), done: done}
	for _, p := range others {
		s := &source{party: p, credit: allowance, as: time.Now()}
		for k := range s.queues {
			s.queues[k].room = make(chan struct{}, 1)
		}
		b.sources = append(b.sources, s)
	}
	return b
}

func (b *inbox) source(p parley.Party) *source {
	for _, s := range b.sources {
		if s.party == p {
			return s
		}
	}
	return nil
}

// put appends an item, and waits for room where that is a frame. One goroutine
// at a time puts for one member and kind: its connection's.
func (b *inbox) put(p parley.Party, bulk bool, it item) {
	s := b.source(p)
	if s == nil {
		return
	}
	q := &s.queues[flag(bulk)]
	for {
		b.mu.Lock()
		if it.frame == nil || len(q.items) == 0 || len(q.items) < maxWaiting && q.bytes+len(it.frame) <= maxBytes {
			q.items = append(q.items, it)
			q.bytes += len(it.frame)
			b.mu.Unlock()
			signal(b.wake)
			return
		}
		b.mu.Unlock()
		select {
		case <-q.room:
		case <-b.done:
			return
		}
	}
}

// take appends what waits in the urgent queues, or in the bulk ones.
func (b *inbox) take(ins []input, bulk bool, now time.Time) []input {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.sources {
		s := b.sources[(b.next+i)%len(b.sources)]
		q := &s.queues[flag(bulk)]
		if len(q.items) == 0 {
			continue
		}
		if s.earn(now); s.poor {
			continue
		}
		n := most
		if len(b.sources) > 1 {
			n = s.worth(quantum)
		}
		if n -= s.taken; n > 0 {
			ins = s.give(q, min(n, len(q.items)), ins)
		}
	}
	b.turn()
	return ins
}

// takePoor takes some frames of one member that has used up its allowance, if
// it has some again; else wait says when the first of them will have.
func (b *inbox) takePoor(now time.Time) (ins []input, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.sources {
		s := b.sources[(b.next+i)%len(b.sources)]
		if !s.poor || len(s.queues[0].items)+len(s.queues[1].items) == 0 {
			continue
		}
		if s.earn(now); s.credit > 0 || now.Sub(b.busy) > idleFor {
			for k := range s.queues {
				if q := &s.queues[k]; len(q.items) > 0 && len(ins) == 0 {
					ins = s.give(q, min(s.worth(poorQuantum), len(q.items)), ins)
				}
			}
			b.turn()
			return ins, 0
		}
		w := min(time.Duration(float64(poorQuantum-s.credit)/share), idleFor+time.Millisecond-now.Sub(b.busy))
		if wait == 0 || w < wait {
			wait = w
		}
	}
	return nil, wait
}

// used notes that somebody else needs the node.
func (b *inbox) used(now time.Time) {
	b.mu.Lock()
	b.busy = now
	b.mu.Unlock()
}

func (b *inbox) turn() { b.next = (b.next + 1) % max(len(b.sources), 1) }

// earn brings the credit up to date.
func (s *source) earn(now time.Time) {
	s.credit = min(s.credit+time.Duration(share*float64(max(now.Sub(s.as), 0))), allowance)
	s.as = now
	s.poor = s.credit <= 0 || s.poor && s.credit < allowance/2
}

// worth is how many frames of a source take about d, at least one.
func (s *source) worth(d time.Duration) int {
	return int(min(max(d/max(s.cost, time.Microsecond), 1), most))
}

// give moves n items to the batch, the frames that follow each other as one
// event: the station checks a run of entries by its last signature.
func (s *source) give(q *queue, n int, ins []input) []input {
	var run [][]byte
	flush := func() {
		if len(run) > 0 {
			ins = append(ins, input{event: station.Frames{From: s.party, Frames: run}})
			run = nil
		}
	}
	for _, it := range q.items[:n] {
		if it.event != nil {
			flush()
			ins = append(ins, input{event: it.event})
			continue
		}
		run = append(run, it.frame)
		q.bytes -= len(it.frame)
		s.taken++
	}
	flush()
	rest := copy(q.items, q.items[n:])
	clear(q.items[rest:])
	q.items = q.items[:rest]
	signal(q.room)
	return ins
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
