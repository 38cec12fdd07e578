package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"sync"

	"parley"
	"parley/internal/console"
	"parley/internal/host"
	"parley/internal/officer"
)

// officers is how a node serves its officers' console.
type officers struct {
	Console       string            `placeholder:"HOST:PORT" help:"Serve the officers' console here, such as localhost:8443; not served if not given."`
	ConsoleOrigin string            `placeholder:"URL" help:"The address that officers open, if it is not http://localhost:PORT. Passkeys are bound to its host name for good."`
	ConsoleCert   string            `type:"existingfile" placeholder:"FILE" help:"Certificate of the console (PEM), needed for an address that is not loopback."`
	ConsoleKey    string            `type:"existingfile" placeholder:"FILE" help:"Its private key."`
	Zone          map[string]string `placeholder:"NAME=ZONE" mapsep:"none" help:"A member's local time for the console, such as +05:30. Repeat."`
}

// run runs a host, its local socket and, if it is asked for, its console.
func (o *officers) run(e *env, h *host.Host) error {
	if o.Console == "" {
		return runHost(e.ctx, h, nil)
	}
	s, book, err := o.open(e, h)
	if err != nil {
		return err
	}
	defer book.Close()
	fmt.Fprintf(e.err, "The officers' console is at %s\n", s.URL())
	if book.NeedsSetup() {
		link, err := s.SetupLink()
		if err != nil {
			s.Close()
			return err
		}
		fmt.Fprintf(e.err, "The first officer opens this link, once, within 30 minutes:\n  %s\n", link)
	}
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	var wg sync.WaitGroup
	var pages error
	wg.Go(func() { defer cancel(); pages = s.Run(ctx) })
	err = runHost(ctx, h, book.Two)
	cancel()
	wg.Wait()
	return errors.Join(err, pages)
}

// open opens the book of officers and the console.
func (o *officers) open(e *env, h *host.Host) (*console.Server, *officer.Book, error) {
	origin, err := o.origin()
	if err != nil {
		return nil, nil, err
	}
	cfg := console.Config{Host: h, Addr: o.Console, Origins: []string{origin.String()}, Zones: o.Zone, Log: slog.New(slog.NewTextHandler(e.err, nil))}
	if o.ConsoleCert != "" || o.ConsoleKey != "" {
		cert, err := tls.LoadX509KeyPair(o.ConsoleCert, o.ConsoleKey)
		if err != nil {
			return nil, nil, parley.Errorf(console.CodeAddr, "the console's certificate cannot be used: %w", err)
		}
		cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert}}
	}
	cfg.Book, err = officer.Open(officer.Config{Path: filepath.Join(h.Dir, "officers.db"), Channel: h.Signed.Channel(), Party: h.Me(),
		Name: h.Charter().Member(h.Me()).Name, RPID: origin.Hostname(), Origins: cfg.Origins})
	if err != nil {
		return nil, nil, err
	}
	s, err := console.New(cfg)
	if err != nil {
		cfg.Book.Close()
		return nil, nil, err
	}
	return s, cfg.Book, nil
}

// origin is where officers open the console.
func (o *officers) origin() (*url.URL, error) {
	if o.ConsoleOrigin != "" {
		u, err := url.Parse(o.ConsoleOrigin)
		if err != nil || u.Host == "" {
			return nil, parley.Errorf(console.CodeAddr, "%q is no address such as https://console.example", o.ConsoleOrigin)
		}
		return u, nil
	}
	_, port, err := net.SplitHostPort(o.Console)
	if err != nil || port == "0" {
		return nil, parley.Errorf(console.CodeAddr, "the console's address %q is not host:port", o.Console)
	}
	// SPEC (WebAuthn): an IP address is no RP id; localhost is one, and browsers
	// trust it without TLS.
	return &url.URL{Scheme: "http", Host: "localhost:" + port}, nil
}
