package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"parley"
	"parley/internal/control"
	"parley/internal/host"
)

type keysCmd struct {
	Show     keysShow     `cmd:"" default:"withargs" help:"Show the node's keys and whether a request waits (the default); write the file for members that were away."`
	Request  keysRequest  `cmd:"" help:"Make new node keys and the request for the root's word on them."`
	Apply    keysApply    `cmd:"" help:"Put the keys in force that the root's answer announces."`
	Renew    keysRenew    `cmd:"" help:"Request, root sign and apply at once, where the root key is at hand."`
	Accept   keysAccept   `cmd:"" help:"Take another member's new keys from a file, where its node cannot connect."`
	Withdraw keysWithdraw `cmd:"" help:"Drop the request that waits; an answer to it is void."`
}

// whyFlag says why keys are replaced.
type whyFlag struct {
	Reason string `default:"rotation" enum:"rotation,stolen,fork" help:"rotation: of age, the TLS key stays; stolen: somebody else may have them, all are new; fork: two histories were signed."`
}

type keysShow struct {
	dir
	Out  string `type:"path" placeholder:"FILE" help:"Write the statements of new keys to a file, for a member that was away."`
	JSON bool   `help:"Print JSON."`
}

func (c *keysShow) Help() string {
	return "Example:\n  parley keys show --out india.newkeys --dir india"
}

func (c *keysShow) Run(e *env) error {
	n, err := host.LoadKeys(c.Dir)
	if err != nil {
		return err
	}
	card, err := host.LoadCard(c.Dir)
	if err != nil {
		return err
	}
	why, waits, err := host.Waits(c.Dir)
	if err != nil {
		return err
	}
	words := host.RootWords(card.RootEd, card.RootPQ)
	if c.Out != "" {
		b, err := os.ReadFile(filepath.Join(c.Dir, "new-keys"))
		if err != nil {
			return parley.Errorf(host.CodeFile, "%s knows of no new keys: %w", c.Dir, err)
		}
		if err := writeNew(c.Out, b); err != nil {
			return err
		}
	}
	if c.JSON {
		return e.json(map[string]any{"party": card.Name, "serial": n.Serial, "root_words": words, "waiting": waits, "reason": why, "file": c.Out})
	}
	e.printf("%s, node keys %d\n  root   %s\n", card.Name, n.Serial, words)
	if waits {
		e.printf("  new keys (%s) wait for the root: parley keys request FILE prints the request again\n", why)
	}
	if c.Out != "" {
		e.printf("written to %s; the other member runs: parley keys accept %s\n", c.Out, c.Out)
	}
	return nil
}

type keysRequest struct {
	dir
	whyFlag
	File string `arg:"" type:"path" help:"The file for the request; it is public."`
	JSON bool   `help:"Print JSON."`
}

func (c *keysRequest) Help() string {
	return `Makes new node keys beside the old ones, which stay in force, and writes the request
that the root must sign, on the machine where the root is (parley root sign). The
same request is written again until its answer comes. Where node.key is lost, the
reason needs not be said.

Example:
  parley keys request india.request --reason stolen --dir india`
}

func (c *keysRequest) Run(e *env) error {
	r, err := host.Request(c.Dir, c.Reason, time.Now())
	if err != nil {
		return err
	}
	if b, err := os.ReadFile(c.File); err != nil || !bytes.Equal(b, r.Encode()) { // the same again is no harm
		if err := writeNew(c.File, r.Encode()); err != nil {
			return err
		}
	}
	if c.JSON {
		return e.json(map[string]any{"party": r.Name, "serial": r.Keys.Serial, "reason": r.Why, "generation": r.Gen.String(), "words": r.Words(), "file": c.File})
	}
	e.printf("The request for node keys %d of %s (%s) is in %s. Its words:\n\n  %s\n\n", r.Keys.Serial, r.Name, r.Why, c.File, r.Words())
	e.printf("Take it to the machine with the root, compare the words there, and sign it: parley root sign %s ANSWER\n", filepath.Base(c.File))
	if r.Why == host.WhyLost {
		e.printf("There are no other keys here: the node can start when the answer is applied.\n")
	} else {
		e.printf("The old keys stay in force until the answer is applied.\n")
	}
	return nil
}

type keysApply struct {
	dir
	Answer string `arg:"" type:"existingfile" help:"The answer of the root."`
	JSON   bool   `help:"Print JSON."`
}

func (c *keysApply) Help() string {
	return `Puts the new keys in force: a new generation begins, signed by the root, and the
node starts again with them by itself. It may run or not. A crash at any moment is
harmless; give the command again.

Example:
  parley keys apply india.answer --dir india`
}

func (c *keysApply) Run(e *env) error {
	b, err := os.ReadFile(c.Answer)
	if err != nil {
		return parley.Errorf(host.CodeFile, "%w", err)
	}
	a, err := host.ParseKeyAnswer(b)
	if err != nil {
		return inFile(c.Answer, err)
	}
	return apply(e, c.Dir, a, c.JSON)
}

// apply hands an answer to the node, or puts it into the record where none runs.
func apply(e *env, dir string, a *host.KeyAnswer, asJSON bool) error {
	var r host.Renewed
	err := control.Dial(dir).Call(e.ctx, http.MethodPost, "/v1/renew", control.Renew{Answer: a.Encode()}, &r)
	running := parley.CodeOf(err) != control.CodeNotRunning
	if !running {
		var done *host.Renewed
		if done, err = host.Apply(dir, a, time.Now()); err == nil {
			r = *done
		}
	}
	if err != nil {
		return err
	}
	if asJSON {
		return e.json(r)
	}
	e.printf("Node keys %d are in force, in generation %s.\n", r.Serial, r.Generation)
	if len(r.Told) > 0 {
		e.printf("These members' nodes have them: %s.\n", strings.Join(r.Told, ", "))
	}
	if len(r.Untold) > 0 {
		e.printf("These were away: %s. ", strings.Join(r.Untold, ", "))
		if r.Why == host.WhyRotation || r.Why == host.WhyFork {
			e.printf("They learn it when they connect.\n")
		} else {
			e.printf("They cannot connect before they know the new keys: send them the file\n  %s\nThere: parley keys accept FILE\n", r.File)
		}
	}
	if r.Why == host.WhyStolen || r.Why == host.WhyLost {
		e.printf("Tell every member by voice that you changed your keys, and why: their nodes raise the alarm new-keys.\n")
	}
	e.printf("Write a new identity file: parley identity FILE --dir %s\n", dir)
	if !running {
		e.printf("Then start the node: parley serve --dir %s\n", dir)
	}
	return nil
}

type keysRenew struct {
	dir
	secret
	whyFlag
	Root string `type:"existingfile" placeholder:"FILE" help:"The root key file, if it is not in the directory."`
	JSON bool   `help:"Print JSON."`
}

func (c *keysRenew) Help() string {
	return `New node keys in one step, where the root key is at hand: makes them, signs them
with the root's passphrase, and puts them in force. Where the root lives on a
machine of its own: parley keys request, parley root sign, parley keys apply.

Example:
  parley keys renew --reason stolen --root /media/safe/root.key --dir india`
}

func (c *keysRenew) Run(e *env) error {
	path := c.Root
	if path == "" {
		path = host.RootPath(c.Dir)
	}
	pass, err := c.read(e, false)
	if err != nil {
		return err
	}
	root, err := host.OpenRoot(path, pass)
	if err != nil {
		return err
	}
	r, err := host.Request(c.Dir, c.Reason, time.Now())
	if err != nil {
		return err
	}
	a, err := host.SignRequest(root, r)
	if err != nil {
		return err
	}
	return apply(e, c.Dir, a, c.JSON)
}

type keysAccept struct {
	dir
	File string `arg:"" type:"existingfile" help:"The file of new keys that the member sent."`
	JSON bool   `help:"Print JSON."`
}

func (c *keysAccept) Help() string {
	return `Takes new keys of another member from a file, for a node that was away when they
changed and is refused now. The root's signatures are verified. Ask the member by
voice first whether it changed its keys. The node must be running.

Example:
  parley keys accept pakistan.newkeys --dir india`
}

func (c *keysAccept) Run(e *env) error {
	b, err := os.ReadFile(c.File)
	if err != nil {
		return parley.Errorf(host.CodeFile, "%w", err)
	}
	var ok control.Accepted
	if err := control.Dial(c.Dir).Call(e.ctx, http.MethodPost, "/v1/newkeys", control.NewKeys{Statements: b}, &ok); err != nil {
		return err
	}
	if c.JSON {
		return e.json(ok)
	}
	e.printf("The newest keys of %s are known. Confirm by voice that it changed them.\n", strings.Join(ok.Names, ", "))
	return nil
}

type keysWithdraw struct{ dir }

func (c *keysWithdraw) Help() string { return "Example:\n  parley keys withdraw --dir india" }

func (c *keysWithdraw) Run(e *env) error {
	if err := host.Withdraw(c.Dir); err != nil {
		return err
	}
	e.printf("Withdrawn. The keys in force stay.\n")
	return nil
}
