package console

import (
	"slices"
	"sync"
	"time"

	"parley"
	"parley/internal/node"
)

// pulse remembers in which minutes of the last day each member's node gave a
// proof of life: a receipt or an entry. The desks keep the newest proof only.
// It begins when this console begins, and says so: before that nobody watched,
// which is not silence.
type pulse struct {
	began time.Time

	mu      sync.Mutex
	minutes map[parley.Party]map[int64]bool // by minutes since 1970
}

const daySpan = 24 * 60 // minutes

func newPulse(now time.Time) *pulse {
	return &pulse{began: now, minutes: map[parley.Party]map[int64]bool{}}
}

func (p *pulse) heard(by parley.Party, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.minutes[by]
	if m == nil {
		m = map[int64]bool{}
		p.minutes[by] = m
	}
	now := at.Unix() / 60
	m[now] = true
	if len(m) > daySpan+60 {
		for k := range m {
			if k < now-daySpan {
				delete(m, k)
			}
		}
	}
}

// since lists the minutes with a proof from a time on, ascending.
func (p *pulse) since(by parley.Party, from time.Time) []int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []int64
	for k := range p.minutes[by] {
		if k >= from.Unix()/60 {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
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
