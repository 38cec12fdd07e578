package main

import (
	"os"

	"golang.org/x/term"

	"parley"
	"parley/internal/demo"
	"parley/internal/host"
)

type demoCmd struct {
	Dir    string  `short:"d" type:"path" placeholder:"DIR" help:"Keep every node's directory and record.parley here; must be empty or absent."`
	Once   bool    `help:"Play without waiting, print a summary, and end."`
	Script string  `type:"existingfile" placeholder:"FILE" help:"Another scenario; --print shows the form."`
	Print  bool    `help:"Print the scenario and end."`
	Speed  float64 `default:"1" help:"Play this many times faster."`
	JSON   bool    `help:"Print the summary as JSON (with --once)."`

	Console *bool `negatable:"" help:"Open the members' consoles for a browser on this machine, and keep running until interrupted. On by default where a person watches on a terminal."`
}

func (c *demoCmd) Help() string {
	return `Starts India, Pakistan, Saudi Arabia as mediator, and a neutral monitor as
witness, each with its own directory, keys and disk, over TLS on this machine, and
plays April to June 2025 as an exercise. It is a reconstruction from press reports:
no real message is shown, every statement says which report it comes from, and the
reports contradict each other.

On a terminal, or with --console, each member's officers' console opens on this
machine; the demonstration prints the addresses, and goes on running after the last
step, so that you can release a message yourself on one console and acknowledge it
on another. Their officers sign in without a passkey, and every page says DEMO.

Example:
  parley demo
  parley demo --once --dir /tmp/crisis && parley-verify /tmp/crisis/record.parley`
}

func (c *demoCmd) Run(e *env) error {
	if c.Print {
		e.printf("%s", demo.Crisis)
		return nil
	}
	o := demo.Options{Dir: c.Dir, Once: c.Once, Speed: c.Speed, Out: e.out}
	if c.Script != "" {
		b, err := os.ReadFile(c.Script)
		if err != nil {
			return parley.Errorf(host.CodeFile, "%w", err)
		}
		o.Script = b
	}
	if c.JSON {
		o.Out = e.err
	}
	if f, ok := o.Out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		o.Color = os.Getenv("NO_COLOR") == ""
		if w, _, err := term.GetSize(int(f.Fd())); err == nil {
			o.Width = w
		}
		o.Console = !c.Once
	}
	if c.Console != nil {
		o.Console = *c.Console
	}
	s, err := demo.Run(e.ctx, o)
	if err != nil {
		return err
	}
	if c.JSON {
		return e.json(s)
	}
	return nil
}
