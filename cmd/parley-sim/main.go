// Command parley-sim lives through many simulated nights of Parley and says
// which promises broke. See package internal/sim.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/alecthomas/kong"

	"parley/internal/sim"
)

type cli struct {
	Seeds uint64        `default:"1000" help:"How many worlds to live through."`
	From  uint64        `default:"0" help:"The first seed."`
	Seed  *uint64       `help:"Live through this one world and write down what happens."`
	For   time.Duration `help:"Begin no further world after this time, such as 10m."`
	Quiet bool          `help:"With --seed: only the verdict. Without: no progress."`
}

const description = `Lives through simulated worlds: channels of two to five members whose links,
disks, clocks and programs fail, and whose last member may be hostile. Each
world is drawn from its seed and comes out the same every time.

Examples:
  parley-sim --seeds 10000          run the first 10,000 worlds
  parley-sim --seed 4711            watch one world
  parley-sim --from 50000 --seeds 200000

An interrupt ends the run after the worlds under way, with their figures.
Exit status 0 if every promise held, 1 if one broke, 2 for a wrong call.`

func main() {
	var c cli
	kong.Parse(&c, kong.Name("parley-sim"), kong.Description(description), kong.UsageOnError(), kong.Exit(exit))
	if c.Seed != nil {
		watch(*c.Seed, c.Quiet)
		return
	}
	began := time.Now()
	var said time.Time
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt) // it ends with its figures
	defer stop()
	stats, failures := sim.Soak(c.From, c.Seeds, func(done uint64, f *sim.Failure) bool {
		now := time.Now()
		if f != nil {
			fmt.Fprintf(os.Stderr, "BROKEN: %v\n", f)
		}
		if !c.Quiet && now.Sub(said) > 2*time.Second {
			said = now
			left := time.Duration(float64(now.Sub(began)) * float64(c.Seeds-done) / float64(done))
			if c.For > 0 {
				left = min(left, c.For-now.Sub(began))
			}
			fmt.Fprintf(os.Stderr, "%d of %d worlds, about %v left\n", done, c.Seeds, left.Round(time.Second))
		}
		return ctx.Err() == nil && (c.For == 0 || now.Sub(began) < c.For)
	})
	fmt.Print(stats)
	fmt.Printf("%v\n", time.Since(began).Round(time.Second))
	for _, f := range failures {
		fmt.Printf("\nBROKEN: %v\nWatch it: parley-sim --seed %d\n", f, f.Seed)
	}
	if len(failures) > 0 {
		os.Exit(1)
	}
	fmt.Println("Every promise held.")
}

// watch runs one world with its trace.
func watch(seed uint64, quiet bool) {
	trace := func(line string) { fmt.Println(line) }
	if quiet {
		trace = nil
	}
	stats, err := sim.Run(seed, trace)
	fmt.Print(stats)
	if err != nil {
		fmt.Printf("\nBROKEN: %v\n", err)
		os.Exit(1)
	}
	fmt.Println("Every promise held.")
}

func exit(status int) {
	if status != 0 {
		status = 2
	}
	os.Exit(status)
}
