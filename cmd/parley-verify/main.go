// Parley-verify checks, without any network, a file that a member of a Parley
// channel gave away: an exported record, one disclosed entry, or the proof
// that a party signed two histories. It prints what the file proves, what it
// only claims and what it leaves out, and needs nothing but the file and the
// number of the channel.
package main

import (
	"bufio"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"

	"parley"
)

const usage = `Usage: parley-verify FILE... [--channel HEX] [--entries] [--json] [--quiet]

Checks exported records (.parley), disclosed entries and fork proofs, offline.
Of several disclosed entries it says what they show together: a message, the
RELEASE before it and the ROSTER which that names show that two keys released it.

  --channel HEX  the channel that you mean, 64 hex digits, learnt from a party
                 that you trust; without it every line says SELF-ASSERTED
  --entries      for each entry of a record what is proved and what its author
                 says, not only lines per log; keeps its text in memory
  --json         one JSON object per line
  --quiet        only the last line of each file, after its name if there are several

Exit status: 0 everything in the files fits; 1 something is broken, and the
first such thing of each file is named; 2 a file cannot be read, or wrong
usage. Of several files the greatest counts.

Example:

  parley-verify record.parley --channel 9f2c...e1
  PROVED     1/FLASH/3fa9d0c1b2a49e77: entries 0 to 4 existed by 2025-05-10 ...
`

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

type options struct {
	files                []string
	channel              *parley.Hash
	entries, json, quiet bool
}

// run is main with its surroundings given.
func run(args []string, stdout, stderr io.Writer) int {
	o, err := parseArgs(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "parley-verify: %v\n\n%s", err, usage)
		return 2
	}
	out := bufio.NewWriter(stdout)
	v := &verifier{options: o, out: out, stderr: stderr}
	exit := v.all()
	if err := out.Flush(); err != nil {
		fmt.Fprintf(stderr, "parley-verify: %v\n", err)
		return 2
	}
	return exit
}

// parseArgs takes the files before, after and between the flags.
func parseArgs(args []string) (*options, error) {
	var o options
	var channel string
	fs := flag.NewFlagSet("parley-verify", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&channel, "channel", "", "")
	fs.BoolVar(&o.entries, "entries", false, "")
	fs.BoolVar(&o.json, "json", false, "")
	fs.BoolVar(&o.quiet, "quiet", false, "")
	for len(args) > 0 {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		if args = fs.Args(); len(args) == 0 {
			break
		}
		o.files, args = append(o.files, args[0]), args[1:]
	}
	if len(o.files) == 0 {
		return nil, errors.New("no file is named")
	}
	if channel != "" {
		b, err := hex.DecodeString(channel)
		if err != nil || len(b) != 32 {
			return nil, errors.New("a channel is 64 hex digits")
		}
		o.channel = (*parley.Hash)(b)
	}
	return &o, nil
}

// parallel runs jobs on all processors.
func parallel(jobs []func()) {
	n := min(runtime.GOMAXPROCS(0), len(jobs))
	if n < 2 {
		for _, j := range jobs {
			j()
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(jobs) {
					return
				}
				jobs[i]()
			}
		})
	}
	wg.Wait()
}

// progress writes a percentage while a long file is read at a terminal.
func progress(f *os.File, stderr io.Writer) func(uint64) {
	const long = 16 << 20
	st, err := f.Stat()
	if err != nil || st.Size() < long {
		return nil
	}
	if t, ok := stderr.(*os.File); !ok || !terminal(t) {
		return nil
	}
	last := -1
	return func(read uint64) {
		if p := int(read * 100 / uint64(st.Size())); p != last {
			last = p
			fmt.Fprintf(stderr, "\r%3d %% ", p)
			if p >= 100 {
				fmt.Fprint(stderr, "\r      \r")
			}
		}
	}
}

func terminal(f *os.File) bool {
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}
