package main

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"

	"parley"
	"parley/internal/control"
	"parley/internal/host"
	"parley/internal/witness"
)

// save streams a file from the node to a path that must not exist; a part of a
// file never stays.
func save(e *env, dir, request, path string) error {
	r, err := control.Dial(dir).Stream(e.ctx, http.MethodGet, request, nil)
	if err != nil {
		return err
	}
	defer r.Close()
	if path == "-" {
		_, err := io.Copy(e.out, r)
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return parley.Errorf(host.CodeExists, "%s exists", path)
	}
	if err != nil {
		return parley.Errorf(host.CodeFile, "%w", err)
	}
	_, err = io.Copy(f, r)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		os.Remove(path)
		return parley.Errorf(host.CodeFile, "%s was not written: %w", path, err)
	}
	e.printf("written to %s; anybody can check it: parley-verify %s\n", path, path)
	return nil
}

type exportCmd struct {
	dir
	File string `arg:"" type:"path" help:"The file to write, such as record.parley; - for standard output."`
}

func (c *exportCmd) Help() string {
	return `The file holds everything this party holds and can open. Who gets it can read it.

Example:
  parley export record.parley`
}

func (c *exportCmd) Run(e *env) error { return save(e, c.Dir, "/v1/export", c.File) }

type disclosCmd struct {
	dir
	Ref      string   `arg:"" help:"The entry's number, such as 2/FLASH/17."`
	File     string   `arg:"" type:"path" help:"The file to write; - for standard output."`
	Receipts []string `placeholder:"NAME" sep:"none" help:"Show only these members' receipts; all if none is named."`
}

func (c *disclosCmd) Help() string {
	return `Shows one entry to a stranger: its text, its place in its author's log, who
received it, who witnessed it. Nothing else of the record can be read from it.

Example:
  parley disclose 2/FLASH/17 notice.parley-entry`
}

func (c *disclosCmd) Run(e *env) error {
	q := url.Values{"ref": {c.Ref}, "receipts": c.Receipts}
	return save(e, c.Dir, "/v1/disclose?"+q.Encode(), c.File)
}

type proofCmd struct {
	dir
	Log  string `arg:"" help:"The log's origin, as parley status --json prints it."`
	File string `arg:"" type:"path" help:"The file to write."`
}

func (c *proofCmd) Help() string {
	return `The proof that the author of a log signed two histories of it, with what a
stranger needs to check it.

Example:
  parley proof parley/6a…/2/0/1f2e3d4c5b6a7988 fork.parley`
}

func (c *proofCmd) Run(e *env) error {
	return save(e, c.Dir, "/v1/fork?"+url.Values{"log": {c.Log}}.Encode(), c.File)
}

type wconfigCmd struct {
	dir
	Format string `default:"list" enum:"list,logs/v0,omniwitness" help:"list: one origin and key a line; logs/v0: the witness network's list; omniwitness: the log list of transparency-dev's witness."`
}

func (c *wconfigCmd) Help() string {
	return `Prints the origins and keys of this party's current logs, for a witness that is
not ours. Origins change with each generation: print it again then.

Example:
  parley witness-config --format omniwitness`
}

func (c *wconfigCmd) Run(e *env) error {
	var s control.Status
	if err := control.Dial(c.Dir).Call(e.ctx, http.MethodGet, "/v1/status", nil, &s); err != nil {
		return err
	}
	var logs []witness.LogKey
	for _, l := range s.Logs {
		if l.Member == s.Member && l.Current {
			logs = append(logs, witness.LogKey{Origin: l.Origin, Key: l.Key})
		}
	}
	return witness.WitnessConfig(e.out, logs, c.Format)
}
