package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"parley"
	"parley/internal/host"
)

// codeNotRecovered means that recover gave up.
const codeNotRecovered parley.Code = "not-recovered"

var _ = parley.RegisterCodes(map[parley.Code]string{
	codeNotRecovered: "What has come is kept. Check the peers' addresses, then give the command again: it goes on. Or run the node: parley serve --dir DIR; the rest comes when they can be reached.",
})

type recoverCmd struct {
	dir
	network
	unlock
	Identity string        `type:"existingfile" placeholder:"FILE" help:"The identity file; its files are put into the directory first."`
	Within   time.Duration `default:"10m" help:"Give up after this time without progress."`
	JSON     bool          `help:"Print JSON."`
}

func (c *recoverCmd) Help() string {
	return `Rebuilds a lost record from the peers: what this party wrote and what was written
to it, each entry verified against its author's signature, the whole checked at
the end. The directory needs node.key, card and charter, from --identity or there
already; an old record.db must be moved away first. A new generation starts, so
that nothing is ever signed twice. Broken off, it goes on when given again.

What cannot come back is listed at the end. Exit code 0: everything that anybody
is known to hold is here. 4: the record is whole, and something on the list is
lost or a member was not reached.

Example:
  parley recover --identity india.identity --key recovery.key --dir india`
}

func (c *recoverCmd) Run(e *env) error {
	if c.Identity != "" {
		with, err := c.identity(e)
		if err != nil {
			return err
		}
		if _, err := host.OpenIdentity(c.Identity, with, c.Dir); err != nil {
			return err
		}
	}
	goesOn, err := host.BeginRebuild(c.Dir)
	if err != nil {
		return err
	}
	if goesOn && !c.JSON {
		e.printf("A rebuilding was broken off here; it goes on.\n")
	}
	r, err := c.rebuild(e)
	if err != nil {
		return err
	}
	step := bar(e)
	if step == nil {
		step = func(string, uint64, uint64) {}
	}
	if err := host.FinishRebuild(c.Dir, r, func(done, total uint64) { step("checking", done, total) }); err != nil {
		return err
	}
	if c.JSON {
		if err := e.json(r); err != nil {
			return err
		}
	} else {
		c.print(e, r)
	}
	if !r.Complete {
		return errWrong
	}
	return nil
}

// rebuild runs the node until everything is here.
func (c *recoverCmd) rebuild(e *env) (*host.Rebuilt, error) {
	o := c.options(e)
	o.Rebuild = true
	o.Log = slog.New(slog.NewTextHandler(e.err, &slog.HandlerOptions{Level: slog.LevelWarn})) // what is expected would tear the bar
	h, err := host.Open(c.Dir, o)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { defer cancel(); done <- runHost(ctx, h, nil) }()
	r, err := c.await(ctx, e, h)
	stopped := ctx.Err() != nil && e.ctx.Err() == nil
	cancel()
	if rerr := <-done; rerr != nil && (err == nil || stopped) {
		return nil, rerr
	}
	return r, err
}

// await gives up when nothing came for a while.
func (c *recoverCmd) await(ctx context.Context, e *env, h *host.Host) (*host.Rebuilt, error) {
	ctx, stalled := context.WithCancel(ctx)
	defer stalled()
	timer := time.AfterFunc(c.Within, stalled)
	defer timer.Stop()
	show, last := drawing(e), uint64(0)
	r, err := h.AwaitRebuild(ctx, func(done, total uint64) {
		if done > last {
			last = done
			timer.Reset(c.Within)
		}
		show(done, total)
	})
	switch {
	case err == nil:
		return r, nil
	case e.ctx.Err() != nil:
		return nil, parley.Errorf(codeNotRecovered, "interrupted: %d entries are here, %d are known to be missing", r.Entries, r.Missing)
	case errors.Is(err, context.Canceled):
		away := "every member is connected"
		if len(r.Unreached) > 0 {
			away = "not connected: " + strings.Join(r.Unreached, ", ")
		}
		return nil, parley.Errorf(codeNotRecovered, "nothing has come for %s: %d entries are here, %d are known to be missing; %s", c.Within, r.Entries, r.Missing, away)
	}
	return nil, err
}

// drawing draws a bar whose whole may grow.
func drawing(e *env) func(done, total uint64) {
	f, ok := e.err.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func(uint64, uint64) {}
	}
	return func(done, total uint64) {
		const width = 30
		n := 0
		if total > 0 {
			n = int(done * width / total)
		}
		fmt.Fprintf(f, "\r\x1b[K%-10s [%s%s] %d of %d", "rebuilding", strings.Repeat("#", n), strings.Repeat(" ", width-n), done, total)
	}
}

func (c *recoverCmd) print(e *env, r *host.Rebuilt) {
	e.printf("Recovered %d entries in %d logs, in %.0f seconds. This party writes in a new generation.\n", r.Entries, r.Logs, r.Seconds)
	e.printf("Verified: every leaf, hash, head and signature fits.\n")
	if len(r.Unreached) > 0 {
		e.printf("Not reached: %s. What only they hold comes when they are back.\n", strings.Join(r.Unreached, ", "))
	}
	for _, l := range r.Lacks {
		more := ""
		if int(l.Count) > len(l.Entries) {
			more = " ..."
		}
		e.printf("Lost: %d %s.\n  %s%s\n  %s\n", l.Count, l.What, strings.Join(l.Entries, " "), more, l.Remedy)
	}
	e.printf(neverText, c.Dir)
}

const neverText = `What cannot come back, because only this node had it:
  - messages that no other member had received: send them again
  - when each entry arrived here: the times shown now are those of today
  - keys of windows: new ones are made and granted by themselves
  - alarms of the past, and drafts
Now run: parley serve --dir %s
`
