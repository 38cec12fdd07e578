package main

import (
	"context"
	"errors"
	"time"

	"parley"
	"parley/internal/host"
)

type fsckCmd struct {
	dir
	Repair     bool              `help:"Put right what is wrong, from what proves itself in the record, from running peers and from exported records. The node must be stopped."`
	From       []string          `placeholder:"FILE" type:"path" sep:"none" help:"With --repair: a record that a member exported. Repeat."`
	Peer       map[string]string `placeholder:"NAME=HOST:PORT" mapsep:"none" help:"With --repair: where a member's node is; besides the config file. Repeat."`
	Offline    bool              `help:"With --repair: ask no peer."`
	AcceptLoss bool              `help:"With --repair: end a log before an entry that no copy has any more, instead of refusing."`
	Within     time.Duration     `default:"1h" help:"With --repair: give up after this time. Nothing is changed then."`
	JSON       bool              `help:"Print JSON."`
}

func (c *fsckCmd) Help() string {
	return `Recomputes every leaf, hash and head from what is stored, checks every
signature, and names what is wrong. It changes nothing and may run beside the node.

With --repair, and the node stopped, it puts a damaged record right. Everything
that proves itself is kept. Damaged entries come back from the running peers, or
from a file that a member wrote with parley export, and count only if they are
what their author signed. The repaired record is checked whole before it takes
the place of the old one, and the old one is kept as record.db.damaged.

Exit code 4: something is wrong, or is still missing after the repair.

Example:
  parley fsck --dir india
  parley fsck --repair --dir india
  parley fsck --repair --offline --from pakistan.parley --dir india`
}

func (c *fsckCmd) Run(e *env) error {
	if !c.Repair {
		if len(c.From)+len(c.Peer) > 0 || c.Offline || c.AcceptLoss {
			return parley.Errorf(codeUsage, "--from, --peer, --offline and --accept-loss go with --repair")
		}
		return c.check(e)
	}
	ctx, cancel := context.WithTimeout(e.ctx, c.Within)
	defer cancel()
	o := host.RepairOptions{From: c.From, Peers: c.Peer, Offline: c.Offline, AcceptLoss: c.AcceptLoss}
	if show := phases(e); show != nil {
		o.Progress = show
	}
	r, err := host.Repair(ctx, c.Dir, o)
	if errors.Is(err, context.DeadlineExceeded) {
		err = parley.Errorf(host.CodeNotRepaired, "the time of %s is over", c.Within)
	}
	if r == nil {
		return err
	}
	if err == nil && verdict(r) == nil {
		host.DoneCheck.Note(c.Dir, time.Now()) // a repaired record was checked whole
	}
	if c.JSON {
		return errors.Join(c.reportJSON(e, r), err, verdict(r))
	}
	c.report(e, r)
	if err != nil {
		return err
	}
	return verdict(r)
}

// verdict is exit code 4 where anything is still missing.
func verdict(r *host.RepairReport) error {
	if len(r.Lost)+len(r.Texts) > 0 {
		return errWrong
	}
	return nil
}

// codeUsage is of flags that do not go together.
const codeUsage parley.Code = "bad-flags"

var _ = parley.RegisterCodes(map[parley.Code]string{
	codeUsage: "parley fsck --help shows which flags go together. Nothing was changed.",
})

// phases shows the progress of work with several parts, on terminals only.
func phases(e *env) func(what string, done, total uint64) {
	var now string
	var show func(done, total uint64)
	if progress(e, "") == nil {
		return nil
	}
	return func(what string, done, total uint64) {
		if what != now {
			now, show = what, progress(e, what)
		}
		show(done, total)
	}
}

// check names what is wrong.
func (c *fsckCmd) check(e *env) error {
	f := &host.Fsck{Dir: c.Dir, Progress: progress(e, "entries")}
	findings, err := f.Check(e.ctx)
	if err != nil {
		return err
	}
	if len(findings) == 0 {
		host.DoneCheck.Note(c.Dir, time.Now())
	} else {
		host.DoneFound.Note(c.Dir, time.Now())
	}
	if c.JSON {
		if err := e.json(map[string]any{"entries": f.Entries, "findings": findings}); err != nil {
			return err
		}
	} else if len(findings) == 0 {
		e.printf("%d entries: every leaf, hash, head and signature fits.\n", f.Entries)
	} else {
		for _, f := range findings {
			e.printf("%s\n", f)
		}
		e.printf("Findings: %d\n  what to do: Stop the node, then: parley fsck --repair --dir %s\n", len(findings), c.Dir)
	}
	if len(findings) > 0 {
		return errWrong
	}
	return nil
}

func lines(e *env, ls []string) {
	for _, l := range ls {
		e.printf("  %s\n", l)
	}
}

func (c *fsckCmd) reportJSON(e *env, r *host.RepairReport) error {
	list := func(ls []string) []string { return append([]string{}, ls...) } // never null
	return e.json(map[string]any{"entries": r.Entries, "sound": r.Sound, "repaired": r.Done, "findings": list(r.Findings),
		"mended": list(r.Mended), "fromCopies": r.FromPeers, "lost": list(r.Lost), "texts": list(r.Texts),
		"notes": list(r.Notes), "newGeneration": list(r.Doubt), "aside": r.Aside})
}

// report says what was done, and what is left to do.
func (c *fsckCmd) report(e *env, r *host.RepairReport) {
	if r.Sound {
		e.printf("%d entries: every leaf, hash, head and signature fits. Nothing was done.\n", r.Entries)
		return
	}
	part := func(title string, ls []string) {
		if len(ls) > 0 {
			e.printf("%s\n", title)
			lines(e, ls)
		}
	}
	part("Found:", r.Findings)
	part("Put right:", r.Mended)
	part("Left to the node:", r.Notes)
	part("Texts that are still missing:", r.Texts)
	part("Lost:", r.Lost)
	if !r.Done {
		return
	}
	e.printf("Repaired: %d entries, checked whole. The damaged record is kept: %s\n", r.Entries, r.Aside)
	if len(r.Doubt) > 0 {
		part("The next start begins a new generation, so that nothing is signed twice, because:", r.Doubt)
	}
	e.printf("Now run: parley serve --dir %s\nThen look at the disk: what rotted once rots again.\n", c.Dir)
}
