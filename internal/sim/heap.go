package sim

import (
	"container/heap"
	"time"
)

// agenda is what will happen: a heap of events by time, of equal times the one
// that was planned first.
type agenda struct {
	events []planned
	seq    uint64
}

type planned struct {
	at  time.Time
	seq uint64
	do  func()
}

func (a *agenda) Len() int { return len(a.events) }
func (a *agenda) Less(i, j int) bool {
	x, y := &a.events[i], &a.events[j]
	if x.at.Equal(y.at) {
		return x.seq < y.seq
	}
	return x.at.Before(y.at)
}
func (a *agenda) Swap(i, j int) { a.events[i], a.events[j] = a.events[j], a.events[i] }
func (a *agenda) Push(x any)    { a.events = append(a.events, x.(planned)) }
func (a *agenda) Pop() any {
	n := len(a.events) - 1
	e := a.events[n]
	a.events[n] = planned{} // lets go of what it captured
	a.events = a.events[:n]
	return e
}

// plan puts an event on the agenda.
func (a *agenda) plan(at time.Time, do func()) {
	a.seq++
	heap.Push(a, planned{at, a.seq, do})
}

// next takes the next event that is due by the given time.
func (a *agenda) next(by time.Time) (planned, bool) {
	if len(a.events) == 0 || a.events[0].at.After(by) {
		return planned{}, false
	}
	return heap.Pop(a).(planned), true
}
