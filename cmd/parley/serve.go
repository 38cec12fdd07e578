package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/term"

	"parley"
	"parley/internal/control"
	"parley/internal/host"
	"parley/internal/node"
)

// network is how a node is reached and whom it reaches.
type network struct {
	Listen  string            `placeholder:"HOST:PORT" help:"Where to listen for peers; besides the config file."`
	Peer    map[string]string `placeholder:"NAME=HOST:PORT" mapsep:"none" help:"Where a member's node is. Repeat."`
	Witness map[string]string `placeholder:"NAME=URL" mapsep:"none" help:"Where a witness of the charter is. Repeat."`
}

func (n *network) options(e *env) host.Options {
	return host.Options{Listen: n.Listen, Peers: n.Peer, Witnesses: n.Witness,
		Log: slog.New(slog.NewTextHandler(e.err, nil)), Progress: progress(e, "reading the record")}
}

// progress prints how far long work is, on terminals only.
func progress(e *env, what string) func(done, total uint64) {
	f, ok := e.err.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return func(done, total uint64) {
		end := ""
		if done >= total {
			end = "\n"
		}
		fmt.Fprintf(f, "\r%s: %d of %d%s", what, done, total, end)
	}
}

type serveCmd struct {
	dir
	network
	Restored bool `help:"This directory was restored or copied: start a new generation, so that nothing is ever signed twice."`
}

func (c *serveCmd) Help() string {
	return `Runs the node in the foreground until interrupted. It needs node.key and the
accepted charter, not the root.

The directory's config file may hold the same settings, one per line:
  listen 0.0.0.0:7443
  peer Pakistan 192.0.2.7:7443
  witness monitor https://witness.example/

Example:
  parley serve --dir india --listen 0.0.0.0:7443 --peer Pakistan=192.0.2.7:7443`
}

func (c *serveCmd) Run(e *env) error {
	o := c.options(e)
	o.Restored = c.Restored
	h, err := host.Open(c.Dir, o)
	if err != nil {
		return err
	}
	defer h.Close()
	where := "does not listen"
	if a := h.Addr(); a != nil {
		where = "listens on " + a.String()
	}
	fmt.Fprintf(e.err, "%s, member %d of %q, %s. Channel %s\n", h.Charter().Member(h.Me()).Name, h.Me(), h.Charter().Name, where, h.Signed.Channel())
	return runHost(e.ctx, h)
}

// runHost runs a host and its local socket until ctx ends.
func runHost(ctx context.Context, h *host.Host) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ctl, err := control.Listen(h)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	var ctlErr error
	wg.Go(func() { defer cancel(); ctlErr = ctl.Run(ctx) })
	err = h.Run(ctx)
	cancel()
	wg.Wait()
	return errors.Join(err, ctlErr)
}

// codeNotRecovered means that recover gave up.
const codeNotRecovered parley.Code = "not-recovered"

var _ = parley.RegisterCodes(map[parley.Code]string{
	codeNotRecovered: "What has come is kept. Check the peers' addresses, then run the node: parley serve --dir DIR. The rest comes when they can be reached.",
})

type recoverCmd struct {
	dir
	network
	Within time.Duration `default:"10m" help:"Give up after this time."`
}

func (c *recoverCmd) Help() string {
	return `Rebuilds a lost record from the peers: what this party wrote and what was
written to it, each entry verified against its author's signature. The directory
needs node.key, card and charter; an old record.db must be moved away first.
A new generation starts, so that nothing is ever signed twice.

What cannot come back: entries that no peer had received, drafts, and what this
node alone knew of the times of arrival.

Example:
  parley recover --dir india --peer Pakistan=192.0.2.7:7443`
}

func (c *recoverCmd) Run(e *env) error {
	if _, err := os.Stat(filepath.Join(c.Dir, "record.db")); err == nil {
		return parley.Errorf(host.CodeExists, "%s still has a record.db", c.Dir)
	}
	o := c.options(e)
	o.Restored = true
	h, err := host.Open(c.Dir, o)
	if err != nil {
		return err
	}
	defer h.Close()
	ctx, cancel := context.WithTimeout(e.ctx, c.Within)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- runHost(ctx, h) }()
	state, err := awaitRecovery(ctx, e, h)
	cancel()
	if rerr := <-done; err == nil {
		err = rerr
	}
	if errors.Is(err, context.Canceled) {
		err = parley.Errorf(codeNotRecovered, "interrupted: %d entries are here, %d are known to be missing", state.entries, state.missing)
	}
	if err != nil {
		return err
	}
	e.printf("Recovered %d entries in %d logs. This party writes in a new generation.\n", state.entries, state.logs)
	if !state.all {
		e.printf("Not every member could be reached; what only they hold comes when they are back.\n")
	}
	e.printf("Not recovered, because it was never shared: entries that no peer had received, and drafts.\nNow run: parley serve --dir %s\n", c.Dir)
	return nil
}

type recovered struct {
	entries uint64
	logs    int
	missing uint64
	all     bool
	ready   bool
}

// awaitRecovery waits until nothing is missing that any member said to hold.
func awaitRecovery(ctx context.Context, e *env, h *host.Host) (s recovered, err error) {
	show := progress(e, "entries")
	if show == nil {
		show = func(uint64, uint64) {}
	}
	for calm := 0; ; {
		s = recovered{}
		if err := h.Node.Do(ctx, func(v node.View) {
			for _, l := range v.Station.Logs() {
				if l.Head.Size > 0 && (l.Log.Party != h.Me() || l.Log.Gen != v.Station.Gen()) { // not what this run has begun
					s.entries, s.logs = s.entries+l.Head.Size, s.logs+1
				}
			}
			s.missing, s.all, s.ready = v.Station.Missing(), v.Station.Compared(), v.Station.Ready()
		}); err != nil {
			return s, err
		}
		show(s.entries, s.entries+s.missing)
		connected := s.all || s.missing == 0 && s.entries > 0
		if s.ready && s.missing == 0 && connected {
			if calm++; calm == 8 {
				show(s.entries, s.entries)
				return s, nil
			}
		} else {
			calm = 0
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return s, parley.Errorf(codeNotRecovered, "no peer handed the record over in time: %d entries are here, %d are known to be missing", s.entries, s.missing)
			}
			return s, ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
}
