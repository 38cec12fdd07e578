package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"parley"
	"parley/internal/host"
	"parley/internal/witness"
)

type witnessCmd struct {
	Dir     string   `short:"d" required:"" type:"path" placeholder:"DIR" help:"The witness's directory: its key and its memory."`
	Name    string   `help:"The witness's key name, such as witness.example; needed the first time."`
	Listen  string   `default:"127.0.0.1:7480" placeholder:"HOST:PORT" help:"Where to answer."`
	Charter []string `type:"existingfile" placeholder:"FILE" help:"Serve every log of this signed charter. Repeat."`
	Logs    []string `type:"existingfile" placeholder:"FILE" help:"Serve these logs of any kind: lines of origin and vkey. Repeat."`
	Key     bool     `help:"Only print the verifier keys, for a charter, and end."`
}

func (c *witnessCmd) Help() string {
	return `A witness cosigns the heads of logs and sees nothing else: origins, sizes, times.
It speaks C2SP tlog-witness and serves any transparency log. Its directory is its
memory: never restore it from a backup; retire the key instead.

Example:
  parley witness --dir monitor --name monitor.example --key
  parley witness --dir monitor --charter line.charter --listen 0.0.0.0:7480`
}

// Codes of the witness's command.
const (
	codeNoWitness parley.Code = "no-witness"
	codeListen    parley.Code = "cannot-listen"
)

var _ = parley.RegisterCodes(map[parley.Code]string{
	codeNoWitness: "Check the directory. To make a new witness there, give it a name with --name.",
	codeListen:    "Choose an address of this machine and a port that no other program uses; perhaps this witness runs already.",
})

// key opens the witness's key, or makes it the first time.
func (c *witnessCmd) key() (*witness.Key, error) {
	path := filepath.Join(c.Dir, "witness.key")
	key, err := witness.LoadKey(path)
	switch {
	case err == nil && c.Name != "" && c.Name != key.Name:
		return nil, parley.Errorf(host.CodeExists, "%s is the directory of the witness %s, not of %s", c.Dir, key.Name, c.Name)
	case !errors.Is(err, fs.ErrNotExist):
		return key, err
	case c.Name == "":
		return nil, parley.Errorf(codeNoWitness, "%s holds no witness", c.Dir)
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, parley.Errorf(host.CodeFile, "%w", err)
	}
	return witness.CreateKey(path, c.Name)
}

func (c *witnessCmd) Run(e *env) error {
	key, err := c.key()
	if err != nil {
		return err
	}
	if c.Key {
		for _, v := range key.VKeys() {
			e.printf("%s\n", v)
		}
		return nil
	}
	cfg := witness.Config{Dir: filepath.Join(c.Dir, "state"), Key: key, Log: slog.New(slog.NewTextHandler(e.err, nil))}
	for _, f := range c.Charter {
		s, ch, err := loadCharter(f)
		if err != nil {
			return err
		}
		if missing := s.Missing(ch); len(missing) > 0 {
			return parley.Errorf(parley.CodeUnsigned, "%s lacks signatures", f)
		}
		named := false
		for _, w := range ch.Witnesses {
			if own := key.Witness(); w.Name == own.Name && (!bytes.Equal(w.Ed, own.Ed) || w.PQ != nil && !bytes.Equal(w.PQ, own.PQ)) {
				return parley.Errorf(witness.CodeKeyFile, "the key in %s is not the one that %s names for %s", c.Dir, f, w.Name)
			}
			named = named || w.Name == key.Name
		}
		if !named {
			fmt.Fprintf(e.err, "%s does not name %s: what it cosigns there counts for nobody's quorum\n", f, key.Name)
		}
		cfg.Channels = append(cfg.Channels, witness.Channel{Charter: s})
	}
	for _, f := range c.Logs {
		logs, err := parseLogs(f)
		if err != nil {
			return err
		}
		cfg.Logs = append(cfg.Logs, logs...)
	}
	srv, err := witness.New(cfg)
	if err != nil {
		return err
	}
	defer srv.Close()
	ln, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return parley.Errorf(codeListen, "%w", err)
	}
	fmt.Fprintf(e.err, "witness %s answers on http://%s\n", key.Name, ln.Addr())
	if len(c.Charter)+len(c.Logs) == 0 {
		fmt.Fprintf(e.err, "no log is named with --charter or --logs: this witness refuses everybody\n")
	}
	return serveHTTP(e.ctx, srv.HTTP(), ln)
}

func serveHTTP(ctx context.Context, srv *http.Server, ln net.Listener) error {
	stop := context.AfterFunc(ctx, func() {
		late, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		srv.Shutdown(late)
	})
	defer stop()
	if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return parley.Errorf(host.CodeFile, "%w", err)
	}
	return nil
}

func parseLogs(path string) ([]witness.LogKey, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, parley.Errorf(host.CodeFile, "%w", err)
	}
	defer f.Close()
	return witness.ParseLogs(f)
}
