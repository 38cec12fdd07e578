package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"

	"parley"
	"parley/journal"
)

// verifier checks the files that one command names.
type verifier struct {
	*options
	out      io.Writer
	stderr   io.Writer
	channels map[parley.Hash]*together
}

// source is one of the files: a disclosed entry with the lines of its report,
// which wait until all others were checked, or one whose turn has not come.
type source struct {
	name  string
	pipe  *os.File // what cannot be opened again stays open
	in    *bufio.Reader
	kind  journal.FileKind
	entry *journal.Shown // nil if it is no disclosure that holds
	of    *together
	lines []journal.Finding
	err   error
}

// all checks the files in their order. Disclosed entries are checked before
// all others, and printed at their turn: one may say something of another.
func (v *verifier) all() (exit int) {
	v.channels = map[parley.Hash]*together{}
	sources := make([]*source, len(v.files))
	for i, name := range v.files {
		sources[i] = v.open(name)
	}
	for _, t := range v.channels {
		t.fold()
	}
	for _, x := range sources {
		if len(v.files) > 1 {
			v.print(journal.Finding{Status: "FILE", Text: strconv.Quote(x.name)})
		}
		if x.err == nil && x.entry == nil {
			x.err = v.other(x)
		}
		v.shown(x)
		exit = max(exit, v.conclude(x.err))
	}
	return exit
}

// shown prints what waited for the other files: behind the line that says what
// was signed and by whom, what it says in words, and before the last line how
// it was released.
func (v *verifier) shown(x *source) {
	said := false
	for _, l := range x.lines {
		if l.Status == journal.Total {
			v.lines(x.of.of(x.entry))
		}
		v.line(l)
		if l.Entry != nil && !said {
			said = true
			v.lines(x.words(*l.Log))
		}
	}
}

// open opens a file, and checks it if it is a disclosed entry.
func (v *verifier) open(name string) *source {
	x := &source{name: name}
	f, err := os.Open(name)
	if err != nil {
		x.err = err
		return x
	}
	x.in = bufio.NewReader(f)
	first, err := x.in.Peek(32)
	if err != nil && !errors.Is(err, io.EOF) {
		f.Close()
		x.err = err
		return x
	}
	ok := false
	if x.kind, ok = journal.KindOf(first); !ok {
		x.err = parley.Errorf(journal.CodeFile, "%q does not begin as a Parley record, disclosed entry or fork proof", name)
	} else if x.kind == journal.FileDisclosure {
		v.disclosed(x)
	} else if _, err := f.Seek(0, io.SeekCurrent); err != nil {
		x.pipe = f
		return x
	}
	f.Close() // many may be named; a record is opened again at its turn
	return x
}

func (v *verifier) disclosed(x *source) {
	c := v.check()
	c.Accepted = func(a *journal.Accepted) error {
		x.entry, x.of = a.Disclosed, v.channels[a.Channel]
		if x.of == nil {
			x.of = newTogether(a, v.channel == nil)
			v.channels[a.Channel] = x.of
		}
		x.of.add(x.entry)
		return nil
	}
	x.err = journal.VerifyDisclosure(x.in, c, func(l journal.Finding) { x.lines = append(x.lines, l) })
}

func (x *source) words(log parley.LogID) []journal.Finding {
	if l, ok := said(x.of.charter, log, &x.entry.Posted, x.of.self, x.of.typeOf); ok {
		return []journal.Finding{l}
	}
	return nil
}

func (v *verifier) check() journal.Verify {
	return journal.Verify{Channel: v.channel, Entries: v.entries && !v.quiet, Now: uint64(time.Now().Unix()), Run: parallel}
}

// other checks a file that is no disclosed entry.
func (v *verifier) other(x *source) error {
	f := x.pipe
	if f == nil {
		var err error
		if f, err = os.Open(x.name); err != nil {
			return err
		}
		x.in = bufio.NewReader(f)
	}
	defer f.Close()
	if x.kind == journal.FileFork {
		return journal.VerifyFork(x.in, v.check(), v.line)
	}
	return v.record(f, x.in, x.pipe == nil)
}

// record checks a record, and goes through it once more for what the desks say,
// if it can be read again.
func (v *verifier) record(f *os.File, in io.Reader, again bool) error {
	c := v.check()
	c.Progress = progress(f, v.stderr)
	var m *meaning
	if again && !v.quiet {
		c.Accepted = func(a *journal.Accepted) (err error) {
			m, err = read(f, a, v.options)
			return err
		}
	}
	return journal.VerifyRecord(in, c, func(l journal.Finding) {
		if m == nil {
			if l.Status == journal.Total && !again {
				v.line(journal.Finding{Status: journal.Limit, SelfAsserted: v.channel == nil,
					Text: "who released what, and what the entries say in words: this input cannot be read twice; give a file"})
			}
			v.line(l)
			return
		}
		if l.Status == journal.Total {
			v.lines(m.sum())
		}
		v.line(l)
		v.lines(m.beside(&l))
	})
}

func (v *verifier) lines(ls []journal.Finding) {
	for _, l := range ls {
		v.line(l)
	}
}

func (v *verifier) line(l journal.Finding) {
	if !v.quiet || l.Status == journal.Total {
		v.print(l)
	}
}

func (v *verifier) print(l journal.Finding) {
	if v.json {
		json.NewEncoder(v.out).Encode(l)
		return
	}
	fmt.Fprintln(v.out, l)
}

// conclude says how a file went and chooses the exit status.
func (v *verifier) conclude(err error) int {
	if err == nil {
		return 0
	}
	code := parley.CodeOf(err)
	if code == "" {
		fmt.Fprintf(v.stderr, "parley-verify: %s\n", strings.Map(printable, err.Error()))
		return 2
	}
	if v.json {
		json.NewEncoder(v.out).Encode(struct {
			Status string      `json:"status"`
			Code   parley.Code `json:"code"`
			Text   string      `json:"text"`
			Remedy string      `json:"remedy"`
		}{"BROKEN", code, err.Error(), code.Remedy()})
		return 1
	}
	fmt.Fprintf(v.out, "BROKEN     %v\n           %s\n", err, code.Remedy())
	return 1
}

// printable keeps the name of a file from looking like a line of the report.
func printable(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return '?'
}
