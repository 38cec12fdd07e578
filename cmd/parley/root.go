package main

import (
	"fmt"
	"os"
	"path/filepath"

	"parley"
	"parley/internal/host"
	"parley/seal"
)

type rootCmd struct {
	Sign    rootSign    `cmd:"" help:"Sign a request for node keys."`
	Shares  rootShares  `cmd:"" help:"Make shares of the root, of which some together rebuild it."`
	Combine rootCombine `cmd:"" help:"Rebuild the root from shares, under a new passphrase."`
}

// rootFile names the root key file.
type rootFile struct {
	dir
	secret
	Root string `type:"existingfile" placeholder:"FILE" help:"The root key file, if it is not in the directory."`
}

func (r *rootFile) path() string {
	if r.Root != "" {
		return r.Root
	}
	return host.RootPath(r.Dir)
}

type rootSign struct {
	rootFile
	Request string `arg:"" type:"existingfile" help:"The request that the node made."`
	Answer  string `arg:"" type:"path" help:"The file for the answer; it is public."`
	JSON    bool   `help:"Print JSON."`
}

func (c *rootSign) Help() string {
	return `Signs a request for node keys, on the machine where the root is; it needs nothing
else of the party. Compare the request's words with those that the node printed,
by voice or on paper, before you type the passphrase: what you sign speaks for the
party from then on.

Example:
  parley root sign india.request india.answer --root root.key`
}

func (c *rootSign) Run(e *env) error {
	b, err := os.ReadFile(c.Request)
	if err != nil {
		return parley.Errorf(host.CodeFile, "%w", err)
	}
	r, err := host.ParseKeyRequest(b)
	if err != nil {
		return inFile(c.Request, err)
	}
	fmt.Fprintf(e.err, "Request for node keys %d of %s (%s), member %d of channel %s\nIts words: %s\n", r.Keys.Serial, r.Name, r.Why, r.Member, r.Channel, r.Words())
	pass, err := c.read(e, false)
	if err != nil {
		return err
	}
	root, err := host.OpenRoot(c.path(), pass)
	if err != nil {
		return err
	}
	a, err := host.SignRequest(root, r)
	if err != nil {
		return err
	}
	if err := writeNew(c.Answer, a.Encode()); err != nil {
		return err
	}
	if c.JSON {
		return e.json(map[string]any{"party": r.Name, "serial": r.Keys.Serial, "words": r.Words(), "answer": c.Answer})
	}
	e.printf("Signed. Take %s back to the node: parley keys apply %s\n", c.Answer, filepath.Base(c.Answer))
	return nil
}

type rootShares struct {
	rootFile
	Out  string `arg:"" type:"path" help:"A directory for the shares; it must not exist."`
	Need int    `default:"3" help:"How many shares rebuild the root."`
	Of   int    `default:"5" help:"How many shares there are, one for each keeper."`
	Card string `type:"existingfile" placeholder:"FILE" help:"The party's card, if it is not in the directory."`
	JSON bool   `help:"Print JSON."`
}

func (c *rootShares) Help() string {
	return `Makes text files that people keep apart, on paper or on sticks, each with a check.
Any --need of them rebuild the root, fewer say nothing about it (Shamir's secret
sharing). Whoever can gather enough of them IS the party: choose keepers who would
not do so lightly. Shares made before stay good; a new set does not void them.

Example:
  parley root shares shares --need 3 --of 5 --root root.key --dir india`
}

func (c *rootShares) Run(e *env) error {
	card, err := cardOf(c.Dir, c.Card)
	if err != nil {
		return err
	}
	pass, err := c.read(e, false)
	if err != nil {
		return err
	}
	shares, err := host.SplitRoot(c.path(), pass, card.Name, c.Need, c.Of)
	if err != nil {
		return err
	}
	if shares[0].Root != host.RootWords(card.RootEd, card.RootPQ) {
		return parley.Errorf(host.CodeNotRoot, "%s is not the root of %s's card", c.path(), card.Name)
	}
	if err := os.Mkdir(c.Out, 0o700); os.IsExist(err) {
		return parley.Errorf(host.CodeExists, "%s exists", c.Out)
	} else if err != nil {
		return parley.Errorf(host.CodeFile, "%w", err)
	}
	var files []string
	for _, s := range shares {
		path := filepath.Join(c.Out, fmt.Sprintf("share-%d-of-%d.txt", s.X, s.Of))
		if err := writeSecret(path, s.Encode()); err != nil {
			return err
		}
		files = append(files, path)
	}
	if c.JSON {
		return e.json(map[string]any{"party": card.Name, "root_words": shares[0].Root, "set": shares[0].Set, "need": c.Need, "files": files})
	}
	e.printf("%d shares of the root of %s are in %s; any %d rebuild it. The root's words:\n\n  %s\n\n", c.Of, card.Name, c.Out, c.Need, shares[0].Root)
	e.printf("Give one to each keeper, with an inked or printed copy, and remove the directory. Try them once now:\n  parley root combine")
	for _, f := range files[:c.Need] {
		e.printf(" %s", f)
	}
	e.printf(" --try --dir %s\n", c.Dir)
	return nil
}

// writeSecret writes a file that must not exist, for its owner only.
func writeSecret(path string, b []byte) error {
	if err := writeNew(path, nil); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0o600)
	if err == nil {
		err = f.Chmod(0o600)
	}
	if err == nil {
		_, err = f.Write(b)
	}
	if err == nil {
		err = f.Sync()
	}
	if f != nil {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}
	if err != nil {
		return parley.Errorf(host.CodeFile, "%w", err)
	}
	return nil
}

// cardOf is the party's card, from a file or its directory.
func cardOf(dir, file string) (*seal.Card, error) {
	if file == "" {
		file = filepath.Join(dir, "card")
	}
	return loadCard(file)
}

type rootCombine struct {
	dir
	secret
	Shares []string `arg:"" type:"existingfile" help:"The share files."`
	Out    string   `type:"path" placeholder:"FILE" help:"The file for the root key; DIR/root.key if not given."`
	Card   string   `type:"existingfile" placeholder:"FILE" help:"The party's card, if it is not in the directory."`
	Try    bool     `help:"Only prove that these shares rebuild the root; write nothing."`
	JSON   bool     `help:"Print JSON."`
}

func (c *rootCombine) Help() string {
	return `Rebuilds a root key from enough of its shares, proves that it is the root of the
party's card, and writes it under a new passphrase. It overwrites nothing. Use it
when root.key is lost, and when its passphrase is. The root itself stays the same:
charters and node keys stay in force.

Example:
  parley root combine share-1-of-5.txt share-3-of-5.txt share-4-of-5.txt --out root.key --dir india`
}

func (c *rootCombine) Run(e *env) error {
	card, err := cardOf(c.Dir, c.Card)
	if err != nil {
		return err
	}
	var shares []*host.Share
	for _, f := range c.Shares {
		b, err := os.ReadFile(f)
		if err != nil {
			return parley.Errorf(host.CodeFile, "%w", err)
		}
		s, err := host.ParseShare(f, b)
		if err != nil {
			return err
		}
		shares = append(shares, s)
	}
	if err := host.TryShares(shares, card); err != nil {
		return err
	}
	out := c.Out
	if out == "" {
		out = host.RootPath(c.Dir)
	}
	if !c.Try {
		pass, err := c.of("the root key, a new one").read(e, true)
		if err != nil {
			return err
		}
		if err := host.CheckPassphrase(pass); err != nil {
			return err
		}
		if err := host.CombineRoot(shares, card, out, pass); err != nil {
			return err
		}
	} else {
		out = ""
	}
	if c.JSON {
		return e.json(map[string]any{"party": card.Name, "root_words": shares[0].Root, "file": out})
	}
	if c.Try {
		e.printf("These shares rebuild the root of %s: %s\nNothing was written.\n", card.Name, shares[0].Root)
		return nil
	}
	e.printf("The root of %s is in %s, under the new passphrase: %s\nMove it to another medium.\n", card.Name, out, shares[0].Root)
	return nil
}
