package demo

import (
	"sync"
	"time"
)

// clock is the exercise's clock: every member and every witness reads it, so
// that the record shows the exercise's times. It runs like any clock, is put
// forward to the time of the next step, and waits just before that time if the
// watchers are slower than the exercise. It never goes back.
type clock struct {
	mu   sync.Mutex
	base time.Time // of the exercise
	real time.Time // when base was set
	stop time.Time // it does not run beyond; zero: it does
}

func newClock(t time.Time) *clock { return &clock{base: t.UTC(), real: time.Now()} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *clock) now() time.Time {
	t := c.base.Add(time.Since(c.real))
	if !c.stop.IsZero() && t.After(c.stop) {
		return c.stop
	}
	return t
}

// forward sets the clock to t if it is not beyond, and lets it run until stop,
// which may be zero.
func (c *clock) forward(t, stop time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if t.After(now) {
		now = t
	}
	if !stop.IsZero() && stop.Before(now) {
		stop = now
	}
	c.base, c.real, c.stop = now.UTC(), time.Now(), stop
}
