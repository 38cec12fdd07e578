package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/host"
	"parley/internal/node"
	"parley/journal"
)

// FloodKinds are what a flood may consist of: entries that are valid but for
// the quota, junk of every kind of frame, and both.
var FloodKinds = []string{"entries", "junk", "all"}

// FloodOptions of a run. Zero means the value named.
type FloodOptions struct {
	Dir      string        // as Options.Dir
	Kind     string        // of FloodKinds; all
	Messages int           // with the flood, and as many without; 1000
	Rounds   int           // turns in which each of the two is measured; 10
	Pause    time.Duration // after each change, so that it takes hold; 300 ms
	Quota    uint64        // of a member and day in lanes 1 to 4 each, in bytes; 16 KiB

	Progress func(what string, done, total int)
}

func (o *FloodOptions) defaults() {
	if o.Kind == "" {
		o.Kind = "all"
	}
	if o.Messages <= 0 {
		o.Messages = 1000
	}
	if o.Rounds <= 0 {
		o.Rounds = 10
	}
	if o.Pause <= 0 {
		o.Pause = 300 * time.Millisecond
	}
	if o.Quota == 0 {
		o.Quota = 16 << 10
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
}

// FloodResult says what a flood by one member does to two others: the time of
// a FLASH message from before it is posted until its receipt is stored.
type FloodResult struct {
	Kind         string  `json:"kind"`
	QuietP50     float64 `json:"quiet_latency_ms_p50"`
	QuietP99     float64 `json:"quiet_latency_ms_p99"`
	FloodP50     float64 `json:"flood_latency_ms_p50"`
	FloodP99     float64 `json:"flood_latency_ms_p99"`
	Ratio        float64 `json:"latency_ratio"`     // of the medians; less is better
	RatioP99     float64 `json:"latency_ratio_p99"` // of the 99th percentiles
	FloodBytes   uint64  `json:"flood_frame_bytes"` // that each of the two read from the flooder
	FloodFrames  uint64  `json:"flood_frames"`
	FloodSeconds float64 `json:"flood_seconds"`
	Quota        uint64  `json:"quota_bytes"`  // of the flooder for a day, lanes 2 to 4
	TimesQuota   float64 `json:"times_quota"`  // FloodBytes by the quota of all lanes
	Stored       uint64  `json:"stored_bytes"` // of the flooder's entries in that lane of 2 to 4 that holds most, to compare with Quota
	StoredUrgent uint64  `json:"stored_urgent_bytes"`
	Dropped      int     `json:"dropped_frames"`
	RSSPeak      uint64  `json:"peak_rss_bytes"` // of the process with both
	Processors   int     `json:"processors"`
	FsyncP50     float64 `json:"fsync_ms_p50"`
}

// Flood measures, in short turns, two honest nodes with and without a third
// member that floods both. The flooder is a process of its own, a modified
// node; the two are as in Run.
func Flood(ctx context.Context, o FloodOptions) (_ *FloodResult, err error) {
	o.defaults()
	if !slices.Contains(FloodKinds, o.Kind) {
		return nil, fmt.Errorf("bench: no kind of flood %q; there are %s", o.Kind, strings.Join(FloodKinds, ", "))
	}
	dir, err := os.MkdirTemp(o.Dir, "parley-flood-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	r := &FloodResult{Kind: o.Kind}
	if r.FsyncP50, err = fsyncTime(dir); err != nil {
		return nil, err
	}
	quota := [parley.Lanes]uint64{parley.MaxUint, o.Quota, o.Quota, o.Quota, o.Quota} // the two write in lane 0
	ch, err := newChannel(dir, quota, "Avaria", "Borduria", "Carpania")
	if err != nil {
		return nil, err
	}
	v, err := startVictims(ctx, ch)
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := v.stop(); err == nil {
			err = e
		}
	}()
	if err := v.measure(ctx, &o, r); err != nil {
		return nil, err
	}
	return r, v.weigh(ctx, ch, r)
}

// victims are the two honest nodes, and the process that floods them.
type victims struct {
	hosts   [2]*host.Host
	cancel  context.CancelFunc
	running sync.WaitGroup
	errs    [2]error
	events  <-chan node.Event

	flooder *exec.Cmd
	say     io.WriteCloser
	hear    *bufio.Reader
}

func startVictims(ctx context.Context, ch *channel) (_ *victims, err error) {
	ctx, cancel := context.WithCancel(ctx)
	v := &victims{cancel: cancel}
	defer func() {
		if err != nil {
			v.stop()
		}
	}()
	if v.hosts[0], err = host.Open(ch.dirs[0], host.Options{Listen: "127.0.0.1:0"}); err != nil {
		return nil, err
	}
	if v.hosts[1], err = host.Open(ch.dirs[1], host.Options{Listen: "127.0.0.1:0", Peers: peerOf(ch, v.hosts[0])}); err != nil {
		return nil, err
	}
	v.events, _ = v.hosts[0].Node.Watch(1 << 16)
	for i, h := range v.hosts {
		v.running.Go(func() { v.errs[i] = h.Run(ctx) })
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	v.flooder = exec.CommandContext(ctx, exe)
	v.flooder.Env = append(os.Environ(), envFlood+"="+ch.dirs[2], fmt.Sprintf("%s=1 %s 2 %s", envPeers, v.hosts[0].Addr(), v.hosts[1].Addr()))
	v.flooder.Stderr = os.Stderr
	if v.say, err = v.flooder.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := v.flooder.StdoutPipe()
	if err != nil {
		return nil, err
	}
	v.hear = bufio.NewReader(out)
	if err = v.flooder.Start(); err != nil {
		return nil, err
	}
	if err = v.expect("ready"); err != nil {
		return nil, err
	}
	for range 20 { // the lines are warm
		if _, err = v.message(ctx, 0); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (v *victims) stop() error {
	v.cancel()
	if v.say != nil {
		v.say.Close()
		v.flooder.Wait()
	}
	v.running.Wait()
	for _, h := range v.hosts {
		if h != nil {
			h.Close()
		}
	}
	for _, err := range v.errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// expect waits for the flooder's word.
func (v *victims) expect(word string) error {
	line, err := v.hear.ReadString('\n')
	if strings.TrimSpace(line) != word {
		return fmt.Errorf("bench: the flooder says %q, not %q (%v); does main call bench.Main?", line, word, err)
	}
	return nil
}

// become makes the flooder flood, or be quiet and read.
func (v *victims) become(what string, pause time.Duration) error {
	if _, err := fmt.Fprintln(v.say, what); err != nil {
		return err
	}
	err := v.expect(what)
	time.Sleep(pause)
	return err
}

// message sends one FLASH message and returns how long its receipt took.
func (v *victims) message(ctx context.Context, i int) (time.Duration, error) {
	start := time.Now()
	ref, err := v.hosts[0].Node.Post(ctx, hotline.Draft(message(i), parley.Flash, parley.ToAll))
	if err != nil {
		return 0, err
	}
	timeout := time.After(patience)
	for {
		select {
		case e := <-v.events:
			if r := e.Receipt; r != nil && r.By == 2 && r.Head.Party == 1 && r.Head.Lane == parley.Flash && r.Head.Size > ref.Index {
				return time.Since(start), nil
			}
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-timeout:
			return 0, fmt.Errorf("bench: no receipt came within %v", patience)
		}
	}
}

func (v *victims) measure(ctx context.Context, o *FloodOptions, r *FloodResult) error {
	times := map[string][]time.Duration{}
	per := max(o.Messages/o.Rounds, 1)
	for round := range o.Rounds {
		o.Progress("flood", round, o.Rounds)
		for _, what := range []string{"quiet", o.Kind} {
			if err := v.become(what, o.Pause); err != nil {
				return err
			}
			start := time.Now()
			for i := range per {
				d, err := v.message(ctx, i)
				if err != nil {
					return err
				}
				times[what] = append(times[what], d)
			}
			if what != "quiet" {
				r.FloodSeconds += time.Since(start).Seconds()
			}
		}
	}
	if err := v.become("quiet", o.Pause); err != nil {
		return err
	}
	q, f := times["quiet"], times[o.Kind]
	r.QuietP50, r.QuietP99, r.FloodP50, r.FloodP99 = quantile(q, 0.5), quantile(q, 0.99), quantile(f, 0.5), quantile(f, 0.99)
	r.Ratio, r.RatioP99 = r.FloodP50/r.QuietP50, r.FloodP99/r.QuietP99
	return nil
}

// weigh counts what the flood was and what it left behind.
func (v *victims) weigh(ctx context.Context, ch *channel, r *FloodResult) error {
	r.FloodBytes = parley.MaxUint
	for _, h := range v.hosts {
		s := h.Carrier.Stats(3)
		r.FloodBytes, r.FloodFrames = min(r.FloodBytes, s.FrameBytesIn), s.FramesIn
		if err := h.Node.Do(ctx, func(v node.View) {
			for _, l := range v.Station.Links() {
				if l.Party == 3 {
					r.Dropped = max(r.Dropped, l.Dropped)
				}
			}
		}); err != nil {
			return err
		}
		var most [parley.Lanes]uint64
		logs, err := h.Node.Store().Logs()
		if err != nil {
			return err
		}
		for _, l := range logs {
			if l.Log.Party != 3 {
				continue
			}
			if err := h.Node.Store().Rows(l.Log, 0, l.Size, func(row *journal.Row) error {
				if row.Content != nil {
					most[l.Log.Lane] += uint64(len(row.Content.Entry))
				}
				return nil
			}); err != nil {
				return err
			}
		}
		r.StoredUrgent = max(r.StoredUrgent, most[parley.Immediate])
		for lane := parley.Priority; lane < parley.Lanes; lane++ {
			r.Stored = max(r.Stored, most[lane])
		}
	}
	r.Quota = ch.charter.Rules.Quota[parley.Routine]
	r.TimesQuota = float64(r.FloodBytes) / float64(4*r.Quota)
	_, r.RSSPeak = resident(os.Getpid())
	r.Processors = runtime.GOMAXPROCS(0)
	return nil
}
