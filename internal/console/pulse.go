package console

import (
	"slices"
	"sync"
	"time"

	"parley"
	"parley/internal/node"
)

// pulse remembers in which minutes of the last day each member's node gave a
// proof of life, a receipt or an entry, and in which minutes this console
// watched. The desks keep the newest proof only. Where nobody watched, the lack
// of a proof is no silence: the node may have been stopped, its machine asleep,
// or an exercise's clock put forward.
type pulse struct {
	mu      sync.Mutex
	watched map[int64]bool                  // by minutes since 1970
	minutes map[parley.Party]map[int64]bool // with a proof
}

const daySpan = 24 * 60 // minutes

func newPulse() *pulse {
	return &pulse{watched: map[int64]bool{}, minutes: map[parley.Party]map[int64]bool{}}
}

// watch notes that the node's events are followed at a time.
func (p *pulse) watch(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	set(p.watched, at.Unix()/60)
}

// heard notes a proof of life: not after it came, and not after its author
// says (SPEC F7). What arrives late by a detour proves nothing about now.
func (p *pulse) heard(by parley.Party, came time.Time, claim uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.minutes[by]
	if m == nil {
		m = map[int64]bool{}
		p.minutes[by] = m
	}
	set(m, int64(min(claim, uint64(max(came.Unix(), 0))))/60)
}

// set adds a minute and, now and then, forgets those that are older than a day
// before the newest.
func set(m map[int64]bool, at int64) {
	m[at] = true
	if len(m) <= daySpan+60 {
		return
	}
	for k := range m {
		at = max(at, k)
	}
	for k := range m {
		if k < at-daySpan {
			delete(m, k)
		}
	}
}

// since lists the minutes with a proof, and those that were watched, from a
// time on, ascending.
func (p *pulse) since(by parley.Party, from time.Time) (heard, watched []int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := func(m map[int64]bool) (out []int64) {
		for k := range m {
			if k >= from.Unix()/60 {
				out = append(out, k)
			}
		}
		slices.Sort(out)
		return out
	}
	return list(p.minutes[by]), list(p.watched)
}

// alarms keeps the newest alarms of the node for the page of the record.
type alarms struct {
	mu   sync.Mutex
	list []Alarm
}

// Alarm is something that the node raised.
type Alarm struct {
	At    time.Time
	Code  string
	Party string
	Text  string
}

func (a *alarms) add(c *parley.Charter, e node.Event) {
	x := Alarm{At: e.At.UTC(), Code: e.Alarm.Code, Text: e.Alarm.Text}
	if m := c.Member(e.Alarm.Party); m != nil {
		x.Party = m.Name
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = append(a.list, x)
	a.list = a.list[max(0, len(a.list)-100):]
}

// newest lists the alarms, newest first.
func (a *alarms) newest() []Alarm {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := slices.Clone(a.list)
	slices.Reverse(out)
	return out
}
