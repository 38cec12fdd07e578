// Package spec embeds the normative pages of the Parley protocol and the
// vectors that any implementation can run. The pages are Markdown, one per
// format; README.md says how to read a vector.
package spec

import (
	"bytes"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

//go:generate go run ./gen

//go:embed *.md all:vectors
var files embed.FS

// Pages holds the Markdown pages and the vectors folder.
func Pages() fs.FS { return files }

// Vector is one input with the one outcome it must have.
type Vector struct {
	Page    string
	Name    string
	Expect  string            // "ok" or an error code
	Rule    string            // the numbered rule of the page that it tests
	Comment string            // what is special about it
	Params  map[string]string // further header lines
	Input   []byte
}

// Positive reports whether the input must be accepted.
func (v *Vector) Positive() bool { return v.Expect == "ok" }

// ParseVector reads a vector file.
func ParseVector(name string, b []byte) (*Vector, error) {
	head, body, ok := bytes.Cut(b, []byte("\n\n"))
	if !ok {
		return nil, fmt.Errorf("%s: no empty line after the header", name)
	}
	v := &Vector{Name: name, Params: map[string]string{}}
	for _, line := range strings.Split(string(head), "\n") {
		key, val, ok := strings.Cut(line, ": ")
		if !ok {
			return nil, fmt.Errorf("%s: header line %q", name, line)
		}
		switch key {
		case "page":
			v.Page = val
		case "expect":
			v.Expect = val
		case "rule":
			v.Rule = val
		case "comment":
			v.Comment = val
		default:
			v.Params[key] = val
		}
	}
	in, err := hex.DecodeString(strings.ReplaceAll(string(body), "\n", ""))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	v.Input = in
	return v, nil
}

// Vectors lists all vectors, by page and name.
func Vectors() ([]*Vector, error) {
	var vs []*Vector
	err := fs.WalkDir(files, "vectors", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(p) != ".txt" {
			return err
		}
		b, err := files.ReadFile(p)
		if err != nil {
			return err
		}
		v, err := ParseVector(strings.TrimPrefix(p, "vectors/"), b)
		if err != nil {
			return err
		}
		vs = append(vs, v)
		return nil
	})
	return vs, err
}
