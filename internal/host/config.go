package host

import (
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"parley"
)

// Settings are what changes without a new charter: where this node listens,
// where peers and witnesses are. They stand in the directory's config file, one
// per line, and flags add to them:
//
//	listen 0.0.0.0:7443
//	peer Pakistan 192.0.2.7:7443
//	witness monitor https://witness.example/
type Settings struct {
	Listen    string
	Peers     map[string]string // member's name to host:port
	Witnesses map[string]string // witness's name to URL
}

// LoadSettings reads dir's config file; without one, the settings are empty.
func LoadSettings(dir string) (Settings, error) {
	s := Settings{Peers: map[string]string{}, Witnesses: map[string]string{}}
	b, err := os.ReadFile(filepath.Join(dir, fileConfig))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fileError(err)
	}
	for i, line := range strings.Split(string(b), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		rest = strings.TrimSpace(rest)
		at := strings.LastIndexByte(rest, ' ')
		twice := func(what string) error {
			return parley.Errorf(CodeConfig, "config line %d: %s stands there twice", i+1, what)
		}
		switch {
		case word == "listen" && rest != "" && at < 0:
			if s.Listen != "" {
				return s, twice("listen")
			}
			s.Listen = rest
		case (word == "peer" || word == "witness") && at > 0:
			into, name := s.Peers, strings.TrimSpace(rest[:at])
			if word == "witness" {
				into = s.Witnesses
			}
			if into[name] != "" {
				return s, twice(word + " " + name)
			}
			into[name] = rest[at+1:]
		default:
			return s, parley.Errorf(CodeConfig, "config line %d: %q", i+1, line)
		}
	}
	return s, s.check()
}

func (s *Settings) check() error {
	at := map[string]string{}
	for _, name := range sorted(s.Peers) {
		addr := s.Peers[name]
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return parley.Errorf(CodeConfig, "the address %q of %s is not host:port", addr, name)
		}
		if at[addr] != "" {
			return parley.Errorf(CodeConfig, "%s and %s have one address, %s", at[addr], name, addr)
		}
		if at[addr] = name; addr == s.Listen && !strings.HasSuffix(addr, ":0") {
			return parley.Errorf(CodeConfig, "%s is said to be at %s, where this node listens itself", name, addr)
		}
	}
	for name, u := range s.Witnesses {
		if p, err := url.Parse(u); err != nil || p.Scheme != "http" && p.Scheme != "https" || p.Host == "" {
			return parley.Errorf(CodeConfig, "the address %q of witness %s is not a URL", u, name)
		}
	}
	if s.Listen != "" {
		if _, _, err := net.SplitHostPort(s.Listen); err != nil {
			return parley.Errorf(CodeConfig, "cannot listen on %q: not host:port", s.Listen)
		}
	}
	return nil
}

// peers maps the settings' names to the charter's members, without me.
func (s *Settings) peers(c *parley.Charter, me parley.Party) (map[parley.Party]string, error) {
	out := map[parley.Party]string{}
	for name, addr := range s.Peers {
		found := false
		for _, m := range c.Members {
			if m.Name == name && m.Index == me {
				return nil, parley.Errorf(CodeConfig, "%s is this party itself; a peer is another member", name)
			}
			if m.Name == name {
				out[m.Index], found = addr, true
			}
		}
		if !found {
			return nil, parley.Errorf(CodeConfig, "the charter has no member %q", name)
		}
	}
	return out, nil
}

// SaveSettings writes dir's config file.
func SaveSettings(dir string, s Settings) error {
	if err := s.check(); err != nil {
		return err
	}
	var b strings.Builder
	if s.Listen != "" {
		b.WriteString("listen " + s.Listen + "\n")
	}
	for _, name := range sorted(s.Peers) {
		b.WriteString("peer " + name + " " + s.Peers[name] + "\n")
	}
	for _, name := range sorted(s.Witnesses) {
		b.WriteString("witness " + name + " " + s.Witnesses[name] + "\n")
	}
	return write(filepath.Join(dir, fileConfig), []byte(b.String()), 0o644, true)
}
