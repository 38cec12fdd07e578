package main

import (
	"fmt"
	"os"

	"golang.org/x/term"

	"parley/internal/bench"
)

type benchFloodCmd struct {
	Kind     string `arg:"" default:"all" enum:"all,entries,junk" help:"What is flooded: all, entries or junk."`
	Dir      string `short:"d" type:"path" placeholder:"DIR" help:"Where to make the three nodes; a temporary directory if not given."`
	Messages int    `default:"1000" help:"Messages with the flood, and as many without."`
	Rounds   int    `default:"10" help:"Turns in which each of the two is measured."`
	JSON     bool   `help:"Print JSON."`
}

func (c *benchFloodCmd) Help() string {
	return `Runs two nodes that write to each other, and a third member, a modified node in
a process of its own, that floods both as fast as they read: entries without
an end, and frames of each kind that cost much and bring nothing.
Quiet and flooded turns alternate; the ratio of the two medians is what counts.

Example:
  parley bench flood --json`
}

func (c *benchFloodCmd) Run(e *env) error {
	o := bench.FloodOptions{Dir: c.Dir, Kind: c.Kind, Messages: c.Messages, Rounds: c.Rounds}
	if f, ok := e.err.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		o.Progress = func(what string, done, total int) { fmt.Fprintf(f, "\r\x1b[K%s: %d of %d", what, done, total) }
		defer fmt.Fprint(f, "\r\x1b[K")
	}
	r, err := bench.Flood(e.ctx, o)
	if err != nil {
		return err
	}
	if c.JSON {
		return e.json(r)
	}
	e.printf("quiet      %.2f ms median, %.2f ms p99, from a FLASH message to its stored receipt\n", r.QuietP50, r.QuietP99)
	e.printf("flooded    %.2f ms median, %.2f ms p99; ratio of the medians %.2f (at most 1.2 is aimed at)\n", r.FloodP50, r.FloodP99, r.Ratio)
	e.printf("the flood  %.1f MiB in %d frames and %.0f s: %.0f times a day's quota\n", float64(r.FloodBytes)/(1<<20), r.FloodFrames, r.FloodSeconds, r.TimesQuota)
	e.printf("stored     %d bytes of entries in the fullest of lanes PRIORITY to DEFERRED; the quota is %d\n", r.Stored, r.Quota)
	return nil
}
