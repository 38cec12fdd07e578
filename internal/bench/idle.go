package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"parley/internal/host"
	"parley/internal/node"
)

// Names in the environment of a child.
const (
	envDir  = "PARLEY_BENCH_CHILD" // the directory of the party to run
	envPeer = "PARLEY_BENCH_PEER"  // name and address of the member to dial, if any
)

// Main runs a node and ends the process if Run or Flood started this process
// for that; else it returns. Programs that call them call it first, and so do their
// tests, in TestMain: the child is the same executable.
func Main() {
	var err error
	if dir := os.Getenv(envFlood); dir != "" {
		err = floodChild(dir, os.Getenv(envPeers))
	} else if dir := os.Getenv(envDir); dir != "" {
		err = child(dir, os.Getenv(envPeer))
	} else {
		return
	}
	if err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// child runs a node until its input ends. It prints what opening took.
func child(dir, peer string) error {
	o := host.Options{Listen: "127.0.0.1:0"}
	if name, addr, ok := strings.Cut(peer, " "); ok {
		o = host.Options{Peers: map[string]string{name: addr}}
	}
	start := time.Now()
	h, err := host.Open(dir, o)
	if err != nil {
		return err
	}
	took := time.Since(start)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	events, _ := h.Node.Watch(1 << 10)
	go func() { ended <- h.Run(ctx) }()
	for up := peer == ""; !up; {
		select {
		case e := <-events:
			up = e.Link != nil && e.Link.Up
		case err := <-ended:
			return err
		}
	}
	h.Node.Do(ctx, func(node.View) {}) // answered once the desks have read the record
	fmt.Println("ready", took.Nanoseconds(), time.Since(start).Nanoseconds())
	go func() { io.Copy(io.Discard, os.Stdin); cancel() }()
	err = <-ended
	if cerr := h.Close(); err == nil {
		err = cerr
	}
	return err
}

// memory is what a child took: how long to open, and resident now and at most.
type memory struct {
	open      time.Duration // until it can serve its peers
	desks     time.Duration // until it answers its officers
	rss, peak uint64
}

// runChild starts a node in a process of its own, lets it settle and measures.
func runChild(ctx context.Context, dir, peer string, settle time.Duration) (m memory, err error) {
	exe, err := os.Executable()
	if err != nil {
		return m, err
	}
	cmd := exec.CommandContext(ctx, exe)
	cmd.Env = append(os.Environ(), envDir+"="+dir, envPeer+"="+peer)
	cmd.Stderr = os.Stderr
	stop, err := cmd.StdinPipe()
	if err != nil {
		return m, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return m, err
	}
	if err := cmd.Start(); err != nil {
		return m, err
	}
	defer func() {
		stop.Close()
		if e := cmd.Wait(); err == nil {
			err = e
		}
	}()
	line, _ := bufio.NewReader(out).ReadString('\n')
	var open, desks int64
	if _, err := fmt.Sscanf(line, "ready %d %d", &open, &desks); err != nil {
		return m, fmt.Errorf("bench: the idle node did not start (does main call bench.Main?): %q", strings.TrimSpace(line))
	}
	m.open, m.desks = time.Duration(open), time.Duration(desks)
	select {
	case <-time.After(settle):
	case <-ctx.Done():
		return m, ctx.Err()
	}
	m.rss, m.peak = resident(cmd.Process.Pid)
	return m, nil
}

// resident reads a process's memory where /proc tells it, else 0.
func resident(pid int) (now, peak uint64) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(b)) {
		var kib uint64
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kib); err == nil {
			now = kib << 10
		}
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			peak = kib << 10
		}
	}
	return now, peak
}

// idle measures the second party in a process of its own, with the record that
// the traffic left and its line to the first one up.
func idle(ctx context.Context, ch *channel, o *Options, r *Result) (err error) {
	o.Progress("idle memory", 0, 1)
	h, err := host.Open(ch.dirs[0], host.Options{Listen: "127.0.0.1:0"})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	m, err := runChild(ctx, ch.dirs[1], ch.charter.Members[0].Name+" "+h.Addr().String(), o.Settle)
	cancel()
	for _, e := range []error{<-ended, h.Close()} {
		if err == nil {
			err = e
		}
	}
	r.IdleRSS = m.rss
	return err
}

// startup measures opening a node over a long record.
func startup(ctx context.Context, ch *channel, o *Options, r *Result) error {
	if o.StartEntries <= 0 {
		return nil
	}
	dir, err := ch.copyParty(0, "long")
	if err != nil {
		return err
	}
	s, err := ch.record(ctx, dir, o.StartEntries, 1, o.Progress)
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	o.Progress("starting a node", 0, 1)
	m, err := runChild(ctx, dir, "", o.Settle)
	r.StartEntries, r.Start, r.StartDesks, r.StartRSS, r.StartPeak = o.StartEntries, m.open.Seconds()*1000, m.desks.Seconds()*1000, m.rss, m.peak
	return err
}
