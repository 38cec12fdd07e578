package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"parley"
	"parley/internal/host"
	"parley/seal"
)

// codeNoPassphrase means that no passphrase was given; seal.CodePassphrase, that
// a wrong one was.
const codeNoPassphrase parley.Code = "no-passphrase"

var _ = parley.RegisterCodes(map[parley.Code]string{
	codeNoPassphrase: "Give the command again with the passphrase, typed, on standard input, or in a file with --passphrase-file. Nothing was done.",
})

// secret asks for a passphrase, or reads it from a file for scripts.
type secret struct {
	PassphraseFile string `type:"existingfile" placeholder:"FILE" help:"Read the passphrase from the first line of this file."`

	what string // that the passphrase opens; the root key if it is not said
}

// of says what the passphrase opens.
func (s secret) of(what string) secret {
	s.what = what
	return s
}

func (s secret) read(e *env, twice bool) (string, error) {
	if s.PassphraseFile != "" {
		b, err := os.ReadFile(s.PassphraseFile)
		if err != nil {
			return "", parley.Errorf(host.CodeFile, "%w", err)
		}
		line, _, _ := strings.Cut(string(b), "\n")
		return strings.TrimSuffix(line, "\r"), nil
	}
	if !term.IsTerminal(int(e.in.Fd())) {
		var line string
		err := e.typed(func() (err error) { line, err = bufio.NewReader(e.in).ReadString('\n'); return err })
		if errors.Is(err, errUntouched) {
			return "", err
		}
		if line == "" && err != nil {
			return "", parley.Errorf(codeNoPassphrase, "standard input has no passphrase")
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	if s.what == "" {
		s.what = "the root key"
	}
	p, err := s.ask(e, "Passphrase of "+s.what+": ")
	if err != nil || !twice {
		return p, err
	}
	q, err := s.ask(e, "The same again: ")
	if err == nil && p != q {
		err = parley.Errorf(codeNoPassphrase, "the two passphrases differ")
	}
	return p, err
}

// ask reads a passphrase from the terminal, which does not show it. An
// interrupt leaves the terminal as it was.
func (s secret) ask(e *env, prompt string) (string, error) {
	tty := int(e.in.Fd())
	before, err := term.GetState(tty)
	if err != nil {
		return "", parley.Errorf(host.CodeFile, "%w", err)
	}
	fmt.Fprint(e.err, prompt)
	var p []byte
	err = e.typed(func() (err error) { p, err = term.ReadPassword(tty); return err })
	fmt.Fprintln(e.err)
	switch {
	case errors.Is(err, errUntouched):
		term.Restore(tty, before)
		return "", err
	case errors.Is(err, io.EOF):
		return "", parley.Errorf(codeNoPassphrase, "no passphrase was typed")
	case err != nil:
		return "", parley.Errorf(host.CodeFile, "%w", err)
	}
	return string(p), nil
}

type initCmd struct {
	dir
	secret
	Name string `required:"" help:"The party's name, as the other members will see it."`
	Addr string `placeholder:"HOST:PORT" help:"Where its node can be reached, for the card."`
}

func (c *initCmd) Help() string {
	return `Makes root.key (sealed by a passphrase), node.key, and card.

root.key signs charters and new node keys, and nothing else. The node does not
need it: move it to another medium and lock it away.
node.key lets its holder speak as this node and read its record. Protect it.

Example:
  parley init --dir india --name India --addr 192.0.2.5:7443`
}

func (c *initCmd) Run(e *env) error {
	pass, err := c.read(e, true)
	if err != nil {
		return err
	}
	if err := host.CheckPassphrase(pass); err != nil {
		return err
	}
	card, err := host.Init(c.Dir, c.Name, c.Addr, pass)
	if err != nil {
		return err
	}
	e.printf("%s is ready in %s.\n\nIts card is %s. Give it to the other members, and read these words aloud:\n\n  %s\n\n",
		card.Name, c.Dir, filepath.Join(c.Dir, "card"), card.Words())
	e.printf("Move %s to another medium. The node runs without it.\n", filepath.Join(c.Dir, "root.key"))
	return nil
}

type cardCmd struct {
	dir
	File string `arg:"" optional:"" type:"existingfile" help:"A card to show; this party's own if none is given."`
	JSON bool   `help:"Print JSON."`
}

func (c *cardCmd) Help() string {
	return `Shows a card. Compare the eight words with the card's holder by voice before
you put the card into a charter.

Example:
  parley card pakistan.card`
}

func (c *cardCmd) Run(e *env) error {
	path := c.File
	if path == "" {
		path = filepath.Join(c.Dir, "card")
	}
	card, err := loadCard(path)
	if err != nil {
		return err
	}
	if c.JSON {
		return e.json(map[string]any{"name": card.Name, "addr": card.Addr, "words": card.Words(), "serial": card.Keys.Serial})
	}
	e.printf("%s\n", card.Name)
	if card.Addr != "" {
		e.printf("  address  %s\n", card.Addr)
	}
	e.printf("  words    %s\n", card.Words())
	return nil
}

func loadCard(path string) (*seal.Card, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, parley.Errorf(host.CodeNoDir, "there is no card at %s", path)
	}
	if err != nil {
		return nil, parley.Errorf(host.CodeFile, "%w", err)
	}
	card, err := seal.ParseCard(b)
	if err != nil {
		return nil, inFile(path, err)
	}
	return card, nil
}
