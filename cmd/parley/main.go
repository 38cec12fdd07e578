// Parley runs one party of a channel: its node, and the commands by which its
// officers write, read and answer.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"parley"
	"parley/internal/bench"
	"parley/internal/control"
	"parley/internal/host"
)

const description = `Parley: messages between parties that do not trust each other, on a record that both hold.

Every command takes --help, with an example.

Exit codes:
  0  done
  1  refused or failed; the reason and what to do are printed
  2  the command line is wrong
  3  the node does not run
  4  something is wrong with the record (fsck), or something is overdue (status --check)`

type cli struct {
	Init      initCmd      `cmd:"" group:"party" help:"Make a new party in a directory: root key, node keys, card."`
	Card      cardCmd      `cmd:"" group:"party" help:"Show a party's public card and the words to read aloud."`
	Charter   charterCmd   `cmd:"" group:"party" help:"Draft, show, sign, and accept the charter of a channel."`
	Serve     serveCmd     `cmd:"" group:"party" help:"Run this party's node."`
	Keys      keysCmd      `cmd:"" group:"keep" help:"Replace the node's keys by the root's word: request, apply, renew, accept."`
	Root      rootCmd      `cmd:"" group:"keep" help:"Use the root key: sign a request, make shares, rebuild it from shares."`
	Identity  idCmd        `cmd:"" group:"keep" help:"Write, check and open the identity file, from which a wiped node is rebuilt."`
	Backup    backupCmd    `cmd:"" group:"keep" help:"Write the record to one sealed file, verified; check such a file; make its key."`
	Restore   restoreCmd   `cmd:"" group:"keep" help:"Put a backup of the record back."`
	Recover   recoverCmd   `cmd:"" group:"keep" help:"Rebuild a lost record from the peers."`
	Send      sendCmd      `cmd:"" group:"hotline" help:"Send a message."`
	Inbox     inboxCmd     `cmd:"" group:"hotline" help:"List messages and how far each has come."`
	Show      showCmd      `cmd:"" group:"hotline" help:"Show one message with its receipts."`
	Ack       ackCmd       `cmd:"" group:"hotline" help:"Acknowledge: opened by the duty officer, or passed to the principal."`
	Answer    answerCmd    `cmd:"" group:"hotline" help:"Answer a message with a code, such as wilco or declined."`
	Translate translateCmd `cmd:"" name:"translate" group:"hotline" help:"Write a translation beside a message."`
	Call      callCmd      `cmd:"" group:"hotline" help:"Record an attempted or completed call on a line."`
	Ask       askCmd       `cmd:"" group:"hotline" help:"Ask: did you open this? did you send this?"`
	Lines     linesCmd     `cmd:"" group:"hotline" help:"Show the lines and whether each is alive; propose or accept one."`
	Status    statusCmd    `cmd:"" group:"hotline" help:"Show the node: links, logs, witnesses, alarms, what is overdue."`
	Watch     watchCmd     `cmd:"" group:"hotline" help:"Show what happens, live, until interrupted."`
	Export    exportCmd    `cmd:"" group:"record" help:"Write the whole record as a file that anybody can verify."`
	Disclose  disclosCmd   `cmd:"" group:"record" help:"Write one entry with its proofs, for a stranger."`
	Proof     proofCmd     `cmd:"" group:"record" help:"Write the proof that a party signed two histories."`
	Fsck      fsckCmd      `cmd:"" group:"record" help:"Recompute every leaf, hash and head of the record."`
	Witness   witnessCmd   `cmd:"" group:"witness" help:"Run an independent witness."`
	WConfig   wconfigCmd   `cmd:"" name:"witness-config" group:"witness" help:"Print what a witness written by others needs."`
	Demo      demoCmd      `cmd:"" group:"try" help:"Play the crisis of 2025 as an exercise, from press reports."`
	Bench     benchCmd     `cmd:"" group:"try" help:"Measure the nodes: latency, throughput and sizes, or a flood."`
}

// env is what commands share.
type env struct {
	ctx context.Context
	out io.Writer
	err io.Writer
	in  *os.File

	failed error // the first failure to print
}

// errUntouched means that the officer broke off before anything was begun.
var errUntouched = errors.New("interrupted")

// errWrong is the error that means exit code 4: nothing failed, and something
// is not as it should be. It has been printed already.
var errWrong = errors.New("something is wrong")

func main() {
	bench.Main() // the benchmark runs an idle node in a process of its own
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is main without the process: it returns the exit code.
func run(ctx context.Context, args []string, in *os.File, out, errw io.Writer) int {
	var c cli
	exited := -1
	k, err := kong.New(&c, kong.Name("parley"), kong.Description(description), kong.Writers(out, errw),
		kong.Exit(func(code int) { exited = code }), kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.ExplicitGroups([]kong.Group{
			{Key: "party", Title: "A party and its node"}, {Key: "keep", Title: "To lose nothing"}, {Key: "hotline", Title: "The hotline"},
			{Key: "record", Title: "The record"}, {Key: "witness", Title: "Witnesses"}, {Key: "try", Title: "To try"}}))
	if err != nil {
		panic(err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	kctx, err := k.Parse(args)
	if exited >= 0 { // --help
		return exited
	}
	if err != nil {
		fmt.Fprintf(errw, "parley: %v\n  what to do: parley --help lists the commands; parley COMMAND --help shows one.\n", err)
		return 2
	}
	e := &env{ctx: ctx, out: out, err: errw, in: in}
	if err = kctx.Run(e); err == nil && e.failed != nil {
		err = parley.Errorf(host.CodeFile, "the output is not whole: %w", e.failed)
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errWrong):
		return 4
	case errors.Is(err, errUntouched):
		fmt.Fprint(errw, "parley: interrupted\n  what to do: Nothing was done. Give the command again when you are ready.\n")
		return 1
	case errors.Is(err, context.Canceled):
		fmt.Fprint(errw, "parley: interrupted\n  what to do: If a message was on its way to the node, it may stand in the record; parley inbox shows it.\n")
		return 1
	}
	complain(errw, err)
	if parley.CodeOf(err) == control.CodeNotRunning {
		return 3
	}
	return 1
}

// complain prints an error and what to do about it.
func complain(w io.Writer, err error) {
	fmt.Fprintf(w, "parley: %v\n", err)
	if r := parley.CodeOf(err).Remedy(); r != "" {
		fmt.Fprintf(w, "  what to do: %s\n", r)
	}
}

// inFile says in which file an error was found.
func inFile(path string, err error) error {
	var e *parley.Error
	if !errors.As(err, &e) {
		return err
	}
	return parley.Errorf(e.Code, "%s: %s", path, e.Msg)
}

// notNegative refuses a span of time that runs backwards.
func notNegative(ds ...time.Duration) error {
	for _, d := range ds {
		if d < 0 {
			return parley.Errorf(parley.CodeOutOfRange, "the time span %s is negative", d)
		}
	}
	return nil
}

// typed waits for f, which reads what somebody types and cannot be told to
// stop; an interrupt ends the waiting.
func (e *env) typed(f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-e.ctx.Done():
		return errUntouched
	}
}

// json writes v as JSON.
func (e *env) json(v any) error {
	j := json.NewEncoder(e.out)
	j.SetIndent("", "  ")
	j.SetEscapeHTML(false)
	return j.Encode(v)
}

func (e *env) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(e.out, format, args...); err != nil && e.failed == nil {
		e.failed = err
	}
}

// dir is the flag that every command about a party has.
type dir struct {
	Dir string `short:"d" default:"." env:"PARLEY_DIR" type:"path" placeholder:"DIR" help:"The party's directory."`
}
