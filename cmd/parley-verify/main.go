// Parley-verify checks, without any network, a file that a member of a Parley
// channel gave away: an exported record, one disclosed entry, or the proof
// that a party signed two histories. It prints what the file proves, what it
// only claims and what it leaves out, and needs nothing but the file and the
// number of the channel.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"parley"
	"parley/journal"
)

const usage = `Usage: parley-verify FILE [--channel HEX] [--entries] [--json] [--quiet]

Checks an exported record (.parley), a disclosed entry or a fork proof, offline.

  --channel HEX  the channel that you mean, 64 hex digits, learnt from a party
                 that you trust; without it every line says SELF-ASSERTED
  --entries      one or two lines for each entry of a record, not only per log
  --json         one JSON object per line
  --quiet        only the last line

Exit status: 0 everything in the file fits; 1 something is broken, and the
first such thing is named; 2 the file cannot be read, or wrong usage.

Example:

  parley-verify record.parley --channel 9f2c...e1
  PROVED     1/FLASH/3fa9d0c1b2a49e77: entries 0 to 4 existed by 2025-05-10 ...
`

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

type options struct {
	file                 string
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
	f, err := os.Open(o.file)
	if err != nil {
		fmt.Fprintf(stderr, "parley-verify: %v\n", err)
		return 2
	}
	defer f.Close()
	out := bufio.NewWriter(stdout)
	err = verify(f, o, out, stderr)
	if ferr := out.Flush(); ferr != nil {
		fmt.Fprintf(stderr, "parley-verify: %v\n", ferr)
		return 2
	}
	return o.conclude(err, stdout, stderr)
}

// parseArgs takes the file before or after the flags.
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
		if o.file != "" {
			return nil, errors.New("more than one file is named")
		}
		o.file, args = args[0], args[1:]
	}
	if o.file == "" {
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

func verify(f *os.File, o *options, out io.Writer, stderr io.Writer) error {
	in := bufio.NewReader(f)
	first, err := in.Peek(32)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	kind, ok := journal.KindOf(first)
	if !ok {
		return parley.Errorf(journal.CodeFile, "%s does not begin as a Parley record, disclosed entry or fork proof", o.file)
	}
	v := journal.Verify{
		Channel: o.channel, Entries: o.entries && !o.quiet,
		Now: uint64(time.Now().Unix()), Run: parallel,
		Progress: progress(f, stderr),
	}
	enc := json.NewEncoder(out)
	report := func(l journal.Finding) {
		switch {
		case o.quiet && l.Status != journal.Total:
		case o.json:
			enc.Encode(l)
		default:
			fmt.Fprintln(out, l)
		}
	}
	switch kind {
	case journal.FileDisclosure:
		return journal.VerifyDisclosure(in, v, report)
	case journal.FileFork:
		return journal.VerifyFork(in, v, report)
	}
	return journal.VerifyRecord(in, v, report)
}

// conclude says how it went and chooses the exit status.
func (o *options) conclude(err error, stdout, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	code := parley.CodeOf(err)
	if code == "" {
		fmt.Fprintf(stderr, "parley-verify: %v\n", err)
		return 2
	}
	if o.json {
		json.NewEncoder(stdout).Encode(struct {
			Status string      `json:"status"`
			Code   parley.Code `json:"code"`
			Text   string      `json:"text"`
			Remedy string      `json:"remedy"`
		}{"BROKEN", code, err.Error(), code.Remedy()})
		return 1
	}
	fmt.Fprintf(stdout, "BROKEN     %v\n           %s\n", err, code.Remedy())
	return 1
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
