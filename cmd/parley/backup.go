package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/term"

	"parley"
	"parley/internal/host"
)

type backupCmd struct {
	Write  backupWrite  `cmd:"" default:"withargs" help:"Write a backup of the record (the default)."`
	Check  backupCheck  `cmd:"" help:"Restore a backup for trial and check the whole record in it."`
	NewKey backupNewKey `cmd:"" name:"new-key" help:"Make a recovery key, to which backups are sealed."`
}

// bar draws how far the steps of long work are, on terminals only.
func bar(e *env) host.Step {
	f, ok := e.err.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return func(what string, done, total uint64) {
		const width = 30
		n := width
		if total > 0 {
			n = int(min(done, total) * width / total)
		}
		end := ""
		if done >= total {
			end = "\n"
		}
		fmt.Fprintf(f, "\r\x1b[K%-10s [%s%s] %d of %d%s", what, strings.Repeat("#", n), strings.Repeat(" ", width-n), done, total, end)
	}
}

type backupNewKey struct {
	dir
	File string `arg:"" type:"path" help:"The file for the private half; the public half goes to FILE.pub, and into the party's directory if it has none."`
	JSON bool   `help:"Print JSON."`
}

func (c *backupNewKey) Help() string {
	return `Makes a recovery key: age's hybrid key, safe against quantum computers as far as
ML-KEM-768 is. The public half seals backups and opens nothing; it may lie anywhere.
The private half opens them: put it on another medium, twice, and lock it away.

Example:
  parley backup new-key recovery.key --dir india`
}

func (c *backupNewKey) Run(e *env) error {
	r, err := host.NewRecoveryKey(c.File)
	if err != nil {
		return err
	}
	installed, err := host.UseRecovery(c.Dir, c.File+".pub")
	if err != nil {
		return err
	}
	if c.JSON {
		return e.json(map[string]any{"words": r.Words(), "private": c.File, "public": c.File + ".pub", "in_use": installed})
	}
	e.printf("The recovery key is %s; its words are\n\n  %s\n\n", c.File, r.Words())
	if installed {
		e.printf("Its public half lies in %s: backups are sealed to it from now on.\n", filepath.Join(c.Dir, "recovery.pub"))
	} else {
		e.printf("Its public half is %s; name it with --to.\n", c.File+".pub")
	}
	e.printf("Move %s to two other media and lock them away. Whoever has it opens every backup; without it none opens.\n", c.File)
	return nil
}

type backupWrite struct {
	dir
	File       string `arg:"" type:"path" help:"The file to write; it must not exist."`
	To         string `type:"existingfile" placeholder:"FILE" help:"The public half of the recovery key; DIR/recovery.pub if not given."`
	VerifyWith string `type:"existingfile" placeholder:"FILE" help:"The private half, if it is at hand: the trial restore then opens the file with it."`
	JSON       bool   `help:"Print JSON."`
}

func (c *backupWrite) Help() string {
	return `Writes the record, also while the node runs, to one file that only the recovery
key opens. The file is read back from the disk, restored for trial, checked in
full and compared with the record before it gets its name. It holds no keys of
the node and none of its windows; those are in the identity file (parley identity).

A backup is never copied over a record: parley restore starts a new generation.

Example:
  parley backup india-2026-11-22.backup --dir india`
}

func (c *backupWrite) Run(e *env) error {
	to, err := host.LoadRecovery(c.Dir, c.To)
	if err != nil {
		return err
	}
	var key *host.RecoveryKey
	if c.VerifyWith != "" {
		if key, err = host.LoadRecoveryKey(c.VerifyWith); err != nil {
			return err
		}
	}
	b, err := host.Backup(c.Dir, c.File, to, key, time.Now(), bar(e))
	if err != nil {
		return err
	}
	host.DoneBackup.Note(c.Dir, b.Time)
	if c.JSON {
		return e.json(b)
	}
	e.printf("Backed up: %s, %d entries in %d logs, %d cosignatures, as of %s.\n", b.Name, b.Entries, b.Logs, b.Cosigs, b.Time.Format("02 Jan 2006 1504Z"))
	e.printf("Verified: read back from the disk, restored for trial, every leaf, hash, head and signature checked, every head compared with the record.\n")
	if b.KeyTried {
		e.printf("Verified: the recovery key %s opens it.\n", b.Key)
	} else {
		e.printf("Not verified: that the recovery key %s opens it, since its private half is not here. Try it once: parley backup check %s --key KEY\n", b.Key, c.File)
	}
	e.printf("Not in it, on purpose: node.key, keys of windows, the root. Keep the identity file elsewhere.\n")
	if _, err := os.Stat(filepath.Join(c.Dir, "officers.db")); err == nil {
		e.printf("Nor is the book of officers: stop the node and copy officers.db, officers.key and officers.head together.\n")
	}
	return nil
}

type backupCheck struct {
	File string `arg:"" type:"existingfile" help:"The backup."`
	Key  string `required:"" type:"existingfile" placeholder:"FILE" help:"The private half of the recovery key."`
	JSON bool   `help:"Print JSON."`
}

func (c *backupCheck) Help() string {
	return `Opens a backup with the recovery key, restores it into a temporary directory,
checks the whole record there, and removes it. It changes nothing, and needs
neither the party's directory nor its node. Do it once a year with each key.

Example:
  parley backup check india-2026-11-22.backup --key recovery.key`
}

func (c *backupCheck) Run(e *env) error {
	key, err := host.LoadRecoveryKey(c.Key)
	if err != nil {
		return err
	}
	b, err := host.CheckBackup(c.File, key, bar(e))
	if err != nil {
		return err
	}
	if c.JSON {
		return e.json(b)
	}
	e.printf("%s is a whole backup of %s in %q, taken %s: %d entries in %d logs. Every leaf, hash, head and signature fits.\n",
		c.File, b.Name, b.Charter, b.Time.Format("02 Jan 2006 1504Z"), b.Entries, b.Logs)
	return nil
}

// unlock says how an identity file is sealed or opened: with a recovery key, or
// with a passphrase.
type unlock struct {
	secret
	Key string `type:"existingfile" placeholder:"FILE" help:"The private half of the recovery key; without it a passphrase is asked for."`
}

func (u unlock) identity(e *env) (host.Opener, error) {
	if u.Key != "" {
		return host.LoadRecoveryKey(u.Key)
	}
	pass, err := u.of("the identity file").read(e, false)
	if err != nil {
		return nil, err
	}
	return host.PassphraseIdentity(pass)
}

type idCmd struct {
	Write idWrite `cmd:"" default:"withargs" help:"Write the identity file (the default)."`
	Check idCheck `cmd:"" help:"Open an identity file and say what it holds."`
	Open  idOpen  `cmd:"" help:"Put the files of an identity file into a directory."`
}

type idWrite struct {
	dir
	secret
	File       string `arg:"" type:"path" help:"The file to write; it must not exist."`
	To         string `type:"existingfile" placeholder:"FILE" help:"The public half of the recovery key; DIR/recovery.pub if not given."`
	Passphrase bool   `help:"Seal it with a passphrase instead, which is asked for."`
	JSON       bool   `help:"Print JSON."`
}

func (c *idWrite) Help() string {
	return `Writes what makes this directory the party's: node.key, card, charter, config, and
what is known of new keys, in one sealed file. From it and the peers a wiped node
is rebuilt (parley recover). Write it again after each change of keys, charter or
config, and after each restore. The root is not in it. Keep it apart from backups.

Example:
  parley identity india.identity --dir india`
}

func (c *idWrite) Run(e *env) error {
	var to host.Sealer
	how := "a passphrase"
	if c.Passphrase || c.PassphraseFile != "" {
		pass, err := c.of("the identity file").read(e, true)
		if err != nil {
			return err
		}
		if to, err = host.PassphraseRecipient(pass); err != nil {
			return err
		}
	} else {
		r, err := host.LoadRecovery(c.Dir, c.To)
		if err != nil {
			return err
		}
		to, how = r, "the recovery key "+r.Words()
	}
	id, err := host.WriteIdentity(c.Dir, c.File, to, time.Now())
	if err != nil {
		return err
	}
	if c.JSON {
		return e.json(id)
	}
	e.printf("The identity of %s is in %s: %s.\nIt was read back, and opens with %s.\nKeep it apart from the backups: with both, a thief has all that the node had.\n",
		id.Name, c.File, strings.Join(id.Files, ", "), how)
	return nil
}

type idCheck struct {
	unlock
	File string `arg:"" type:"existingfile" help:"The identity file."`
	JSON bool   `help:"Print JSON."`
}

func (c *idCheck) Help() string {
	return `Example:
  parley identity check india.identity --key recovery.key`
}

func (c *idCheck) Run(e *env) error {
	with, err := c.identity(e)
	if err != nil {
		return err
	}
	id, err := host.CheckIdentity(c.File, with)
	if err != nil {
		return err
	}
	return showIdentity(e, id, c.JSON, fmt.Sprintf("%s is the identity of", c.File))
}

func showIdentity(e *env, id *host.Identity, asJSON bool, is string) error {
	if asJSON {
		return e.json(id)
	}
	e.printf("%s %s, member %d of %q, node keys %d: %s.\nThe words of its card: %s\n",
		is, id.Name, id.Member, id.Charter, id.Serial, strings.Join(id.Files, ", "), id.Words)
	return nil
}

type idOpen struct {
	dir
	unlock
	File string `arg:"" type:"existingfile" help:"The identity file."`
	JSON bool   `help:"Print JSON."`
}

func (c *idOpen) Help() string {
	return `Puts node.key, card, charter and config into a directory. It overwrites nothing:
what is there and the same stays, what differs is refused, but for the config.

Example:
  parley identity open india.identity --key recovery.key --dir india`
}

func (c *idOpen) Run(e *env) error {
	with, err := c.identity(e)
	if err != nil {
		return err
	}
	id, err := host.OpenIdentity(c.File, with, c.Dir)
	if err != nil {
		return err
	}
	return showIdentity(e, id, c.JSON, c.Dir+" holds the identity of")
}

type restoreCmd struct {
	dir
	File string `arg:"" type:"existingfile" help:"The backup."`
	Key  string `required:"" type:"existingfile" placeholder:"FILE" help:"The private half of the recovery key."`
	JSON bool   `help:"Print JSON."`
}

func (c *restoreCmd) Help() string {
	return `Puts a backup back into a directory that holds no record: the party's own, with its
node.key, or an empty one. It checks the whole record first and seals it under a
new data key. The node's next start begins a new generation, always, so that
nothing is ever signed twice, and asks the peers for what came after the backup.

Example:
  parley restore india-2026-11-22.backup --key recovery.key --dir india`
}

func (c *restoreCmd) Run(e *env) error {
	key, err := host.LoadRecoveryKey(c.Key)
	if err != nil {
		return err
	}
	r, err := host.Restore(c.Dir, c.File, key, bar(e))
	if parley.CodeOf(err) == host.CodeExists {
		return parley.Errorf(host.CodeExists, "%w. A restore never replaces a record: move it away first, or restore into another directory", bare(err))
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return e.json(r)
	}
	e.printf("Restored: %s in %q, %d entries in %d logs, as of %s. Every leaf, hash, head and signature fits.\n",
		r.Name, r.Charter, r.Entries, r.Logs, r.Time.Format("02 Jan 2006 1504Z"))
	if r.NewKeys {
		e.printf("There is no node.key here. Either put it back: parley identity open FILE --dir %[1]s\nor let the root sign new keys: parley keys request REQUEST --dir %[1]s\n", c.Dir)
		return nil
	}
	e.printf(restoredText, c.Dir, filepath.Join(c.Dir, "config"))
	return nil
}

const restoredText = `
What happens next:
  1. Look at %[2]s: are the addresses still right?
  2. Start the node: parley serve --dir %[1]s
  3. It begins a new generation and asks the peers for what came after the backup.
     Your own messages of that time come back too. Alarms that say that this node's
     store is stale, or that it did not start a generation, are expected in the first
     minute and say so: the copy is older than what you signed, which you know.
     Nobody is accused, the peers see nothing but the new generation, and nothing is
     ever signed twice.
  4. Write a new identity file: node.key has a new data key. The old one still
     rebuilds the node from its peers, and does not open this record.
     parley identity FILE --dir %[1]s
`

// bare is an error's text without its code.
func bare(err error) error {
	var e *parley.Error
	if errors.As(err, &e) {
		return errors.New(e.Msg)
	}
	return err
}
