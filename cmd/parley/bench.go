package main

import (
	"fmt"
	"os"

	"golang.org/x/term"

	"parley/internal/bench"
)

type benchCmd struct {
	Line  benchLineCmd  `cmd:"" default:"withargs" help:"Measure latency, throughput and sizes against a bare floor."`
	Flood benchFloodCmd `cmd:"" help:"Measure what a flood by one member does to the others."`
}

type benchLineCmd struct {
	Dir      string `short:"d" type:"path" placeholder:"DIR" help:"Where to make the two nodes; a temporary directory if not given. Its disk is what is measured."`
	Messages int    `default:"1000" help:"Messages one at a time."`
	Burst    int    `default:"20000" help:"Messages with many under way."`
	InFlight int    `default:"64" help:"How many are under way."`
	Verify   int    `default:"100000" help:"Entries of the record that is verified."`
	Start    int    `default:"0" help:"Also measure the start of a node with this many entries."`
	JSON     bool   `help:"Print JSON."`
}

func (c *benchLineCmd) Help() string {
	return `Runs two nodes with full durability over TLS on loopback and, in the same run, a
bare floor: signed, sealed, fsync'd files at both ends, one TLS connection. The
ratios say what Parley costs; the absolute numbers say how fast this machine is.

Example:
  parley bench --json`
}

func (c *benchLineCmd) Run(e *env) error {
	o := bench.Options{Dir: c.Dir, Messages: c.Messages, Burst: c.Burst, InFlight: c.InFlight, VerifyEntries: c.Verify, StartEntries: c.Start}
	if f, ok := e.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		o.Progress = func(what string, done, total int) { fmt.Fprintf(f, "\r\x1b[K%s: %d of %d", what, done, total) }
		defer fmt.Fprint(f, "\r\x1b[K")
	}
	r, err := bench.Run(e.ctx, o)
	if err != nil {
		return err
	}
	if c.JSON {
		return e.json(r)
	}
	e.printf("one message at a time   %.2f ms median, %.2f ms p99; floor %.2f ms; ratio %.2f (at most 1.6 is aimed at)\n",
		r.LatencyP50, r.LatencyP99, r.FloorLatencyP50, r.LatencyRatio)
	e.printf("%-3d under way            %.0f a second; floor %.0f; ratio %.2f (at least 0.5 is aimed at)\n",
		r.InFlight, r.Throughput, r.FloorThroughput, r.ThroughputRatio)
	e.printf("one message, its receipt %.0f bytes of frames (at most 340), %.0f with TLS (at most 400)\n", r.FrameBytes, r.WireBytes)
	e.printf("idle node               %.1f MiB resident (at most 60)\n", float64(r.IdleRSS)/(1<<20))
	e.printf("verification            %.0f entries a second (100000 are aimed at)\n", r.Verify)
	if r.StartEntries > 0 {
		e.printf("start                   %.2f s until peers are served, %.1f s until the desks answer, with %d entries; %.0f MiB resident then\n",
			r.Start/1000, r.StartDesks/1000, r.StartEntries, float64(r.StartRSS)/(1<<20))
	}
	return nil
}
