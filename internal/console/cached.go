package console

import (
	"context"
	"time"

	"parley"
	"parley/internal/node"
)

// cached keeps what was read from the desks until something happened at the
// node, at most for a second, so that many browsers cost the node what one
// does. The node does nothing else while it is read: where that takes long, as
// under a flood of entries that nobody opens, it is read less often.
type cached[T any] struct {
	lock chan struct{} // holds one token: a lock that gives up with its context
	at   time.Time
	took time.Duration
	seen uint64
	last *T
}

// share is the part of the node's time, one in so many, that each of what is
// cached may take.
const share = 20

func newCached[T any]() *cached[T] {
	c := &cached[T]{lock: make(chan struct{}, 1)}
	c.lock <- struct{}{}
	return c
}

// get returns what read found, which nobody may change, or why the node does
// not answer.
func (c *cached[T]) get(ctx context.Context, s *Server, read func(node.View) *T) (*T, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	select {
	case <-c.lock:
	case <-ctx.Done():
		return nil, parley.Errorf(CodeBusy, "the node is busy: %w", ctx.Err())
	}
	defer func() { c.lock <- struct{}{} }()
	n, old := s.hub.count(), time.Since(c.at)
	if c.last == nil || (c.seen != n || old > time.Second) && old > share*c.took {
		var fresh *T
		var took time.Duration
		if err := s.cfg.Host.Node.Do(ctx, func(v node.View) {
			begin := time.Now()
			fresh = read(v)
			took = time.Since(begin)
		}); err != nil {
			return nil, err
		}
		c.last, c.seen, c.took, c.at = fresh, n, took, time.Now()
	}
	return c.last, nil
}
