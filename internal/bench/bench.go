// Package bench measures two running parties against the least that their
// promise costs. It is the engine of parley bench.
//
//	func main() {
//		bench.Main() // a child that the measurement starts ends here
//		…
//		r, err := bench.Run(ctx, bench.Options{Progress: report})
//	}
//
// Ours are two parties as parley serve runs them (package host), in one
// process: SQLite with full durability, TLS on loopback, no witness. The floor
// is a bare line that keeps the same promise and nothing else: a message is
// signed, sealed, fsync'd and sent; opened, verified, fsync'd together with a
// signed receipt; the receipt verified and fsync'd (see floor). What ours adds
// is the record: a tree, one head for each entry, checks, state, recovery.
//
// The two take turns in short rounds, so that both see the same machine. Of
// the numbers only the ratios mean something elsewhere: what an fsync takes
// decides the rest.
package bench

import (
	"context"
	"os"
	"runtime"
	"slices"
	"time"
)

// Options of a run. Zero means the value named.
type Options struct {
	Dir           string        // where a directory for the run is made, and removed; the system's for temporary files
	Messages      int           // one at a time, ours and the floor each; 1000
	Burst         int           // with InFlight under way, ours and the floor each; 20000
	InFlight      int           // 64
	Rounds        int           // turns in which each of the two is measured; 20
	VerifyEntries int           // of the record that is verified; 100000
	StartEntries  int           // of the record with which a node is started; 0: not measured
	Settle        time.Duration // before an idle node's memory is read; 3 s

	// Progress, if set, is told what is measured now and how far it is.
	Progress func(what string, done, total int)
}

func (o *Options) defaults() {
	or := func(n *int, v int) {
		if *n <= 0 {
			*n = v
		}
	}
	or(&o.Messages, 1000)
	or(&o.Burst, 20_000)
	or(&o.InFlight, 64)
	or(&o.Rounds, 20)
	or(&o.VerifyEntries, 100_000)
	if o.Settle <= 0 {
		o.Settle = 3 * time.Second
	}
	o.Rounds = min(o.Rounds, o.Burst)
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
}

// Result is what was measured. A message has 160 characters of English.
type Result struct {
	// One message at a time: from before it is posted until the sender has
	// verified and stored the receipt that covers it.
	LatencyP50      float64 `json:"latency_ms_p50"`
	LatencyP99      float64 `json:"latency_ms_p99"`
	FloorLatencyP50 float64 `json:"floor_latency_ms_p50"`
	FloorLatencyP99 float64 `json:"floor_latency_ms_p99"`
	LatencyRatio    float64 `json:"latency_ratio"` // of the medians; less is better

	// With in_flight under way: messages whose receipt is stored, per second.
	InFlight        int     `json:"in_flight"`
	Throughput      float64 `json:"throughput_per_s"`
	FloorThroughput float64 `json:"floor_throughput_per_s"`
	ThroughputRatio float64 `json:"throughput_ratio"` // more is better

	// Of one message and its receipt on a warm line, both ways together, the
	// median. Frame bytes leave out the three bytes of length before each
	// frame; stream bytes have them; wire bytes are what TCP carries, TLS
	// records included, TCP's and IP's own headers not.
	FrameBytes  float64 `json:"frame_bytes_per_message"`
	StreamBytes float64 `json:"stream_bytes_per_message"`
	WireBytes   float64 `json:"wire_bytes_per_message"`

	// Resident memory of a node in a process of its own, its line up, idle;
	// 0 where the system does not tell.
	IdleRSS uint64 `json:"idle_rss_bytes"`

	// Entries per second of verifying an exported record, all processors; and
	// with one receipt for every entry instead of one for a hundred. The floor
	// is SHA-256 over the file on one processor.
	VerifyEntries   int     `json:"verify_entries"`
	Verify          float64 `json:"verify_entries_per_s"`
	VerifyReceipted float64 `json:"verify_receipted_entries_per_s"`
	VerifyFloor     float64 `json:"verify_floor_entries_per_s"`

	// Opening a node, in a process of its own, over a record of start_entries
	// with a receipt for each, and its memory then; absent if not asked for.
	StartEntries int     `json:"start_entries,omitempty"`
	Start        float64 `json:"start_ms,omitempty"`       // until it can serve its peers
	StartDesks   float64 `json:"start_desks_ms,omitempty"` // until it answers its officers
	StartRSS     uint64  `json:"start_rss_bytes,omitempty"`
	StartPeak    uint64  `json:"start_peak_rss_bytes,omitempty"`

	FsyncP50   float64 `json:"fsync_ms_p50"` // appending 300 bytes to a file
	Processors int     `json:"processors"`
}

// Run measures. It uses the loopback interface and the directory only.
func Run(ctx context.Context, o Options) (_ *Result, err error) {
	o.defaults()
	dir, err := os.MkdirTemp(o.Dir, "parley-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	r := &Result{InFlight: o.InFlight, Processors: runtime.GOMAXPROCS(0)}
	if r.FsyncP50, err = fsyncTime(dir); err != nil {
		return nil, err
	}
	ch, err := newChannel(dir, unlimited, "Avaria", "Borduria")
	if err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context, *channel, *Options, *Result) error{traffic, idle, verification, startup} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := step(ctx, ch, &o, r); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// quantile of unsorted durations, in milliseconds.
func quantile(ds []time.Duration, q float64) float64 {
	ds = slices.Sorted(slices.Values(ds))
	return ds[int(q*float64(len(ds)-1))].Seconds() * 1000
}

func median[T float64 | uint64](xs []T) float64 {
	xs = slices.Sorted(slices.Values(xs))
	return float64(xs[len(xs)/2])
}
