package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/carrier"
	"parley/internal/host"
	"parley/internal/node"
)

// ours is two parties with their line up; the first one writes.
type ours struct {
	hosts   [2]*host.Host
	cancel  context.CancelFunc
	running sync.WaitGroup
	events  <-chan node.Event
	unwatch func()

	mu      sync.Mutex
	stored  map[parley.Lane]uint64 // sizes under the newest receipt that the first node has stored
	waiting []waiter
	alarm   error
}

type waiter struct {
	ref  parley.Ref
	done chan error
}

// patience is how long anything may take before the run is given up.
const patience = time.Minute

func startOurs(ctx context.Context, ch *channel) (_ *ours, err error) {
	ctx, cancel := context.WithCancel(ctx)
	u := &ours{cancel: cancel, stored: map[parley.Lane]uint64{}}
	defer func() {
		if err != nil {
			u.stop()
		}
	}()
	if u.hosts[0], err = host.Open(ch.dirs[0], host.Options{Listen: "127.0.0.1:0"}); err != nil {
		return nil, err
	}
	if u.hosts[1], err = host.Open(ch.dirs[1], host.Options{Peers: peerOf(ch, u.hosts[0])}); err != nil {
		return nil, err
	}
	u.events, u.unwatch = u.hosts[0].Node.Watch(1 << 16)
	u.running.Go(u.follow)
	for _, h := range u.hosts {
		u.running.Go(func() {
			if err := h.Run(ctx); err != nil {
				u.fail(err)
			}
		})
	}
	for i := range 6 { // the line comes up and both lanes are warm
		if err := u.send(ctx, []parley.Lane{parley.Flash, parley.Routine}[i%2], i); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// peerOf tells the second party where the first one listens.
func peerOf(ch *channel, h *host.Host) map[string]string {
	return map[string]string{ch.charter.Members[0].Name: h.Addr().String()}
}

func (u *ours) stop() error {
	u.cancel()
	if u.unwatch != nil {
		u.unwatch()
	}
	u.running.Wait()
	var errs []error
	for _, h := range u.hosts {
		if h != nil {
			errs = append(errs, h.Close())
		}
	}
	return errors.Join(errs...)
}

// follow releases those whose receipt the first node has stored.
func (u *ours) follow() {
	for e := range u.events {
		switch {
		case e.Receipt != nil && e.Receipt.By == 2 && e.Receipt.Head.Party == 1:
			u.mu.Lock()
			lane, size := e.Receipt.Head.Lane, e.Receipt.Head.Size
			u.stored[lane] = max(u.stored[lane], size)
			u.waiting = slices.DeleteFunc(u.waiting, func(w waiter) bool {
				ok := w.ref.Lane == lane && w.ref.Index < size
				if ok {
					w.done <- nil
				}
				return ok
			})
			u.mu.Unlock()
		case e.Alarm != nil:
			u.fail(fmt.Errorf("bench: the node raised an alarm: %s", e.Alarm.Text))
		}
	}
}

func (u *ours) fail(err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.alarm = err
	for _, w := range u.waiting {
		w.done <- err
	}
	u.waiting = nil
}

// send posts one message and returns when the receipt that covers it is
// verified and stored.
func (u *ours) send(ctx context.Context, lane parley.Lane, i int) error {
	ref, err := u.hosts[0].Node.Post(ctx, hotline.Draft(message(i), lane, parley.ToAll))
	if err != nil {
		return err
	}
	w := waiter{ref, make(chan error, 1)}
	u.mu.Lock()
	switch {
	case u.alarm != nil:
		err = u.alarm
	case u.stored[lane] <= ref.Index:
		u.waiting = append(u.waiting, w)
	default:
		w.done <- nil
	}
	u.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(patience):
		return fmt.Errorf("bench: no receipt came within %v", patience)
	}
}

// sendAlone is send for one message at a time: the caller itself watches.
func (u *ours) sendAlone(ctx context.Context, events <-chan node.Event, lane parley.Lane, i int) error {
	ref, err := u.hosts[0].Node.Post(ctx, hotline.Draft(message(i), lane, parley.ToAll))
	if err != nil {
		return err
	}
	timeout := time.After(patience)
	for {
		select {
		case e := <-events:
			if r := e.Receipt; r != nil && r.Head.Party == 1 && r.Head.Lane == lane && r.Head.Size > ref.Index {
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		case <-timeout:
			return fmt.Errorf("bench: no receipt came within %v", patience)
		}
	}
}

// stats is what passed between the two so far.
func (u *ours) stats() carrier.Stats { return u.hosts[0].Carrier.Stats(2) }
