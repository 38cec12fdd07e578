package witness

import (
	"bufio"
	"crypto/ed25519"
	"fmt"
	"io"
	"strings"

	"parley"
)

// LogKey is a log and a key that signs its heads. A log may have several.
type LogKey struct {
	Origin string
	Name   string // the key's name in signature lines; "" means the origin
	Key    ed25519.PublicKey
}

func (l LogKey) name() string {
	if l.Name == "" {
		return l.Origin
	}
	return l.Name
}

// VKey is the key as a C2SP verifier key.
func (l LogKey) VKey() string { return VKey(l.name(), TypeEd, l.Key) }

// Formats of WitnessConfig.
const (
	FormatList        = "list"        // one "origin vkey" a line
	FormatNetwork     = "logs/v0"     // the log list of the public witness network
	FormatOmniwitness = "omniwitness" // the YAML log list of transparency-dev's omniwitness
)

// ParseLogs reads a list of logs: either one "origin vkey" a line, or the
// public witness network's logs/v0. Empty lines and lines that begin with #
// are skipped.
func ParseLogs(r io.Reader) ([]LogKey, error) {
	var logs []LogKey
	network := false
	sc := bufio.NewScanner(r)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if line == FormatNetwork && len(logs) == 0 && !network {
			network = true
			continue
		}
		var err error
		if network {
			logs, err = networkLine(logs, line)
		} else {
			logs, err = listLine(logs, line)
		}
		if err != nil {
			return nil, parley.Errorf(CodeLogList, "line %d of the log list: %w", n, err)
		}
	}
	if err := sc.Err(); err != nil {
		return nil, parley.Errorf(CodeLogList, "the log list: %w", err)
	}
	return logs, nil
}

func listLine(logs []LogKey, line string) ([]LogKey, error) {
	i := strings.LastIndexByte(line, ' ')
	if i < 0 {
		return nil, fmt.Errorf("not “origin vkey”")
	}
	l, err := logKey(line[i+1:])
	l.Origin = strings.TrimSpace(line[:i])
	return append(logs, l), err
}

func networkLine(logs []LogKey, line string) ([]LogKey, error) {
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case word == "vkey":
		l, err := logKey(rest)
		return append(logs, l), err
	case len(logs) == 0:
		return nil, fmt.Errorf("%s before the first vkey", word)
	case word == "origin" && rest != "":
		logs[len(logs)-1].Origin = rest
		return logs, nil
	case word == "qpd" || word == "contact":
		return logs, nil
	}
	return nil, fmt.Errorf("unknown word %q", word)
}

func logKey(vkey string) (LogKey, error) {
	name, typ, key, err := ParseVKey(vkey)
	if err != nil {
		return LogKey{}, err
	}
	if typ != TypeEd {
		return LogKey{}, fmt.Errorf("the key of log %s is not an Ed25519 log key", name)
	}
	return LogKey{Origin: name, Name: name, Key: key}, nil
}

// WitnessConfig writes what a witness written by others needs to serve these
// logs, in one of the formats above. Origins contain the generation, so the
// list must be given again after a new generation.
func WitnessConfig(w io.Writer, logs []LogKey, format string) error {
	b := bufio.NewWriter(w)
	switch format {
	case FormatList:
		for _, l := range logs {
			fmt.Fprintf(b, "%s %s\n", l.Origin, l.VKey())
		}
	case FormatNetwork:
		fmt.Fprintf(b, "%s\n", FormatNetwork)
		for _, l := range logs {
			fmt.Fprintf(b, "\nvkey %s\norigin %s\nqpd 1440\ncontact a Parley node\n", l.VKey(), l.Origin)
		}
	case FormatOmniwitness:
		fmt.Fprint(b, "Logs:\n")
		for _, l := range logs {
			fmt.Fprintf(b, "  - Origin: %q\n    PublicKey: %q\n", l.Origin, l.VKey())
		}
	default:
		return parley.Errorf(CodeLogList, "no format %q; they are %s, %s, %s", format, FormatList, FormatNetwork, FormatOmniwitness)
	}
	return b.Flush()
}
