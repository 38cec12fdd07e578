package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"golang.org/x/term"

	"parley"
	"parley/internal/control"
	"parley/internal/host"
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
	officers
	Restored bool `help:"This directory was restored or copied: start a new generation, so that nothing is ever signed twice."`
}

func (c *serveCmd) Help() string {
	return `Runs the node in the foreground until interrupted. It needs node.key and the
accepted charter, not the root.

The directory's config file may hold the same settings, one per line:
  listen 0.0.0.0:7443
  peer Pakistan 192.0.2.7:7443
  witness monitor https://witness.example/

With --console the node serves its officers' console to browsers on this
machine; the first start prints a one-time link for the first officer.

Example:
  parley serve --dir india --listen 0.0.0.0:7443 --peer Pakistan=192.0.2.7:7443 --console localhost:8443`
}

func (c *serveCmd) Run(e *env) error {
	o := c.options(e)
	o.Restored = c.Restored
	for {
		at, err := c.once(e, o)
		if !errors.Is(err, host.ErrRenewed) {
			return err
		}
		fmt.Fprintln(e.err, "New node keys are in force; the node starts again with them.")
		o.Restored, o.Listen = false, at
	}
}

// once runs the node until it ends and returns where it listened.
func (c *serveCmd) once(e *env, o host.Options) (at string, err error) {
	h, err := host.Open(c.Dir, o)
	if err != nil {
		return "", err
	}
	defer h.Close()
	where := "does not listen"
	if a := h.Addr(); a != nil {
		at = a.String()
		where = "listens on " + at
	}
	fmt.Fprintf(e.err, "%s, member %d of %q, %s. Channel %s\n", h.Charter().Member(h.Me()).Name, h.Me(), h.Charter().Name, where, h.Signed.Channel())
	return at, c.officers.run(e, h)
}

// runHost runs a host and its local socket until ctx ends; two says what takes
// two persons, nil that nothing does.
func runHost(ctx context.Context, h *host.Host, two func(line uint8, d parley.Draft) bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ctl, err := control.Listen(h)
	if err != nil {
		return err
	}
	ctl.Two = two
	var wg sync.WaitGroup
	var ctlErr error
	wg.Go(func() { defer cancel(); ctlErr = ctl.Run(ctx) })
	err = h.Run(ctx)
	cancel()
	wg.Wait()
	return errors.Join(err, ctlErr)
}
