package sim

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"parley"
	"parley/journal/journaltest"
)

// script is a world told by hand: no fault but those that its commands bring
// about, links of constant latency, and a trace of what officers and operators
// see. The commands are listed in testdata/README.md.
//
// A script is text. A line that begins with '#' is a comment, one that begins
// with four spaces is recorded trace, any other that is not empty is a command.
// The first command is world, the last is heal.
type script struct {
	w     *World
	typ   string // of the messages, unless they say otherwise
	names []string
	rules rules
	next  *journaltest.Channel // the successor, once the channel is closed

	refs   map[string]parley.Ref // what the script calls an entry
	called map[parley.Ref]string // and back
	order  []parley.Ref          // in order of writing
	gens   map[parley.Gen]string // gen-1, gen-2, in order of appearance
	told   map[string]bool       // what was said once and need not be said again
	doom   map[*node]fate        // how the next entry of a node ends its process
	armed  map[*node]fate        // at its next step

	out  strings.Builder
	date string // of the newest line of the trace
	mute bool   // while a world begins
}

// rules are what a script's world line says of the charter.
type rules struct {
	witnesses, colluding int
	short                bool
}

// unhurried is how long every command takes: receipts have come back by then.
const unhurried = 2 * time.Second

// indent marks a line of recorded trace.
const indent = "    "

// play performs a script and returns its text with the trace that it records.
// An error names the file and the line; the trace goes as far as that.
func play(file, text string) (recorded string, err error) {
	s := &script{refs: map[string]parley.Ref{}, called: map[parley.Ref]string{}, gens: map[parley.Gen]string{},
		told: map[string]bool{}, doom: map[*node]fate{}, armed: map[*node]fate{}}
	var b strings.Builder
	last := ""
	for i, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		if strings.HasPrefix(line, indent) || strings.TrimSpace(line) == "" && strings.HasSuffix(b.String(), "\n\n") {
			continue
		}
		fmt.Fprintln(&b, strings.TrimRight(line, " "))
		if line == "" || line[0] == '#' {
			continue
		}
		if last == "heal" {
			return "", fmt.Errorf("%s:%d: nothing follows heal", file, i+1)
		}
		if last, err = s.command(line); err != nil {
			return b.String() + s.out.String(), fmt.Errorf("%s:%d: %w", file, i+1, err)
		}
		b.WriteString(s.out.String())
		s.out.Reset()
	}
	if last != "heal" {
		return "", fmt.Errorf("%s: the last command is not heal", file)
	}
	return b.String(), nil
}

// command performs one line and returns the command's word.
func (s *script) command(line string) (word string, err error) {
	defer func() {
		switch x := recover().(type) {
		case nil:
		case *Failure:
			err = fmt.Errorf("broken: %s", x.What)
		case complaint:
			err = x
		default:
			err = fmt.Errorf("panic: %v\n%s", x, debug.Stack())
		}
	}()
	a, err := parseArgs(line)
	if err != nil {
		return "", err
	}
	word = a.word("a command")
	do, ok := commands[word]
	if !ok {
		return "", complain("no command %q", word)
	}
	if (s.w == nil) != (word == "world") {
		return "", complain("world comes first, and once")
	}
	do(s, a)
	a.end()
	if quiet[word] {
		return word, nil
	}
	s.w.run(unhurried)
	return word, nil
}

// complaint is what is wrong with a line.
type complaint string

func (c complaint) Error() string { return string(c) }

func complain(format string, args ...any) complaint {
	return complaint(fmt.Sprintf(format, args...))
}

// begin makes the world: members by name, and options.
func (s *script) begin(a *args) {
	start, err := time.Parse("2006-01-02T15:04Z", a.opt("at", "2030-01-07T08:00Z"))
	if err != nil {
		panic(complain("at: a time such as 2030-01-07T08:00Z"))
	}
	s.rules = rules{a.number("witnesses", 0), a.number("colluding", 0), a.flag("short-keys")}
	for _, t := range []string{"operation", "exercise", "drill", "test"} {
		if a.flag(t) {
			s.typ = t
		}
	}
	for a.more() {
		s.names = append(s.names, a.word("a member"))
	}
	if len(s.names) < 2 || len(s.names) > 6 || s.rules.witnesses > 4 {
		panic(complain("2 to 6 members and 0 to 4 witnesses"))
	}
	s.w = &World{rng: rand.New(new(fixed)), now: start, pace: time.Second, stats: newStats(), script: s}
	s.w.plan = Plan{Members: len(s.names), Witnesses: s.rules.witnesses, BadWitnesses: s.rules.colluding,
		Latency: 20 * time.Millisecond, ShortWindows: s.rules.short}
	s.settle(s.channel(nil, nil))
}

// fixed is a source without chance: every draw below 2^24 is the greatest, so
// that no trace depends on how many draws there were.
type fixed uint64

// Uint64 draws.
func (f *fixed) Uint64() uint64 { *f++; return ^uint64(0xff<<32) | uint64(*f&0xff)<<32 }

// settle builds a channel's world and lets it start unseen.
func (s *script) settle(ch *journaltest.Channel) {
	s.mute = true
	s.w.build(ch)
	s.w.run(time.Minute)
	s.mute = false
	for _, n := range s.w.nodes {
		if !n.up() || !n.st.Ready() {
			panic(complain("%s has not started", s.name(n)))
		}
		s.gen(n.st.Gen())
	}
}

// channel is the charter that the script asks for.
func (s *script) channel(prev *journaltest.Channel, finals []parley.Head) *journaltest.Channel {
	return journaltest.New(len(s.names), s.rules.witnesses, func(c *parley.Charter) {
		for i, name := range s.names {
			c.Members[i].Name = name
		}
		if s.rules.short {
			c.Rules.Window, c.Rules.Prepos, c.Rules.Grace, c.Rules.KemMax = 3600, 3600, 7200, 86400
		}
		if prev != nil {
			c.Prev, c.Finals = &prev.ID, finals
		}
	})
}

// pass lets time go by. Long waits go by in long steps, and their end in short
// ones, so that everything runs at its usual pace again.
func (s *script) pass(d time.Duration) {
	w := s.w
	if d > 2*time.Hour {
		w.pace = (d / 1000).Round(time.Second)
		w.run(d - 2*w.pace - time.Minute)
		d = 2*w.pace + time.Minute
		w.pace = time.Second
	}
	w.run(d)
}

// say records a line of the trace.
func (s *script) say(format string, args ...any) {
	if s.mute {
		return
	}
	if d := s.w.now.Format("Monday 2 January 2006"); d != s.date {
		s.date = d
		fmt.Fprintf(&s.out, "%s%s\n", indent, d)
	}
	text := s.w.now.Format("15:04:05 ") + fmt.Sprintf(format, args...)
	s.print(text)
}

// print records text as it is.
func (s *script) print(text string) {
	text = hexed.ReplaceAllStringFunc(text, s.unhex)
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		fmt.Fprintln(&s.out, strings.TrimRight(indent+line, " "))
	}
}

var hexed = regexp.MustCompile(`\b[0-9a-f]{16}\b`)

// unhex names a generation that stands in a product's text.
func (s *script) unhex(x string) string {
	var g parley.Gen
	if n, err := hex.Decode(g[:], []byte(x)); err != nil || n != len(g) {
		return x
	}
	return s.gen(g)
}

// gen is the name of a generation.
func (s *script) gen(g parley.Gen) string {
	name, ok := s.gens[g]
	if !ok {
		name = fmt.Sprintf("gen-%d", len(s.gens)+1)
		s.gens[g] = name
	}
	return name
}

// fate is where the next step of a node ends it.
func (s *script) fate(n *node) fate {
	f := s.armed[n]
	delete(s.armed, n)
	return f
}

// name is how the trace calls a node.
func (s *script) name(n *node) string {
	if twins := s.w.byMember[n.me]; len(twins) > 1 && twins[1] == n {
		return s.member(n.me) + ".2"
	}
	return s.member(n.me)
}

func (s *script) member(p parley.Party) string {
	if p < 1 || int(p) > len(s.names) {
		return fmt.Sprint(p)
	}
	return s.names[p-1]
}
