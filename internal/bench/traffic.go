package bench

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"parley"
)

// sender is one of the two lines that are compared: it returns when the
// receipt for the i-th message is durable at its sender.
type sender func(ctx context.Context, i int) error

// traffic measures latency, throughput and bytes, ours and the floor in turns.
func traffic(ctx context.Context, ch *channel, o *Options, r *Result) (err error) {
	u, err := startOurs(ctx, ch)
	if err != nil {
		return err
	}
	defer func() {
		if e := u.stop(); err == nil {
			err = e
		}
	}()
	if err := latency(ctx, ch, u, o, r); err != nil {
		return err
	}
	return throughput(ctx, ch, u, o, r)
}

func latency(ctx context.Context, ch *channel, u *ours, o *Options, r *Result) error {
	f, err := startFloor(ch.base, "latency", false)
	if err != nil {
		return err
	}
	defer f.stop()
	events, unwatch := u.hosts[0].Node.Watch(1 << 12)
	defer unwatch()
	var own, bare []time.Duration
	var frames, streams, wires []uint64
	const per = 25
	rounds := (o.Messages + per - 1) / per
	for round := range rounds {
		o.Progress("latency", round, rounds)
		for i := range per {
			before, start := u.stats(), time.Now()
			if err := u.sendAlone(ctx, events, parley.Flash, i); err != nil {
				return err
			}
			own = append(own, time.Since(start))
			s := u.stats()
			bytes := s.FrameBytesOut + s.FrameBytesIn - before.FrameBytesOut - before.FrameBytesIn
			frames = append(frames, bytes)
			streams = append(streams, bytes+3*(s.FramesOut+s.FramesIn-before.FramesOut-before.FramesIn))
			wires = append(wires, s.WireOut+s.WireIn-before.WireOut-before.WireIn)
		}
		for i := range per {
			start := time.Now()
			if err := f.send(ctx, i); err != nil {
				return err
			}
			bare = append(bare, time.Since(start))
		}
	}
	r.LatencyP50, r.LatencyP99 = quantile(own, 0.5), quantile(own, 0.99)
	r.FloorLatencyP50, r.FloorLatencyP99 = quantile(bare, 0.5), quantile(bare, 0.99)
	r.LatencyRatio = r.LatencyP50 / r.FloorLatencyP50
	r.FrameBytes, r.StreamBytes, r.WireBytes = median(frames), median(streams), median(wires)
	return f.err()
}

func throughput(ctx context.Context, ch *channel, u *ours, o *Options, r *Result) error {
	f, err := startFloor(ch.base, "throughput", true)
	if err != nil {
		return err
	}
	defer f.stop()
	lane := func(ctx context.Context, i int) error { return u.send(ctx, parley.Routine, i) }
	var own, bare []float64
	per := max(o.Burst/o.Rounds, 1)
	for round := range o.Rounds {
		o.Progress("throughput", round, o.Rounds)
		for _, x := range []struct {
			send sender
			to   *[]float64
		}{{lane, &own}, {f.send, &bare}} {
			took, err := burst(ctx, x.send, per, o.InFlight)
			if err != nil {
				return err
			}
			*x.to = append(*x.to, float64(per)/took.Seconds())
		}
	}
	r.Throughput, r.FloorThroughput = median(own), median(bare)
	r.ThroughputRatio = r.Throughput / r.FloorThroughput
	return f.err()
}

// burst sends n messages, so many of them under way at any moment.
func burst(ctx context.Context, send sender, n, inFlight int) (time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range inFlight {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := send(ctx, i); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(start), context.Cause(ctx)
}
