package demo

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Rules of the screen. It is written from top to bottom and never rewritten,
// so that it reads the same on a terminal, in a file and aloud. Every line fits
// the width. Colour only repeats what the words say: members have one each, in
// the order of their names, and none of them stands for right or wrong. What a
// script says stands behind a bar, so that it cannot look like a header.

// screen writes the demonstration for people.
type screen struct {
	w      io.Writer
	width  int
	color  bool
	names  []string          // of the members, longest first
	paints *strings.Replacer // names, tied, to names in their colours
	err    error             // of the first write that failed
}

// ANSI sequences (ECMA-48 section 8.3.117).
const (
	plain   = "\x1b[0m"
	bold    = "\x1b[1m"
	dim     = "\x1b[2m"
	reverse = "\x1b[7m"
)

// palette holds the members' colours: no red and no green, which people read
// as bad and good.
var palette = []string{"\x1b[36m", "\x1b[35m", "\x1b[34m", "\x1b[33m"}

const (
	minWidth = 32
	maxWidth = 100
	wide     = 60 // from here on labels have a column of their own
	margin   = 11 // of that column
)

// newScreen is a screen for members of these names, in the order of display.
func newScreen(w io.Writer, width int, color bool, names []string) *screen {
	if width == 0 {
		width = 80
	}
	s := &screen{w: w, width: min(max(width, minWidth), maxWidth), color: color, names: slices.Clone(names)}
	slices.SortStableFunc(s.names, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, n := range s.names {
		pairs = append(pairs, tied(n), s.paint(palette[slices.Index(names, n)%len(palette)], tied(n)))
	}
	s.paints = strings.NewReplacer(pairs...)
	return s
}

func (s *screen) raw(text string) {
	if s.err == nil {
		_, s.err = io.WriteString(s.w, text)
	}
}

func (s *screen) paint(style, text string) string {
	if !s.color || text == "" {
		return text
	}
	return style + text + plain
}

// colour paints the members' names in a line that fits already.
func (s *screen) colour(line string) string {
	return strings.ReplaceAll(s.paints.Replace(line), hard, " ")
}

// hard is a space at which no line breaks.
const hard = "\u00a0"

func tied(s string) string { return strings.ReplaceAll(s, " ", hard) }

// tie keeps the names in a text on one line each.
func (s *screen) tie(text string) string {
	for _, name := range s.names {
		text = strings.ReplaceAll(text, name, tied(name))
	}
	return text
}

// shown makes text harmless: what does not print is shown by number.
func shown(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r != '\n' && r != '\u00a0' && !unicode.IsPrint(r) {
			fmt.Fprintf(&b, "<%U>", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// wrap breaks text into lines of at most n characters.
func wrap(text string, n int) []string {
	var out []string
	line, used := "", 0
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\n' || r == '\t' }) {
		size := utf8.RuneCountInString(word)
		if used > 0 && used+1+size <= n {
			line, used = line+" "+word, used+1+size
			continue
		}
		if used > 0 {
			out = append(out, line)
		}
		for size > n {
			cut := len(string([]rune(word)[:n]))
			out = append(out, word[:cut])
			word, size = word[cut:], size-n
		}
		line, used = word, size
	}
	if used > 0 {
		out = append(out, line)
	}
	return out
}

var item = regexp.MustCompile(`^([0-9]+[.)]|-) `)

// paragraphs joins the lines of a text that were broken for its file: an empty
// line and an item of a list begin a new paragraph.
func paragraphs(text string) []string {
	var out []string
	fresh := true
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			fresh = true
		case fresh || item.MatchString(line):
			out, fresh = append(out, line), false
		default:
			out[len(out)-1] += " " + line
		}
	}
	return out
}

// rule draws a line across, with a banner in it if there is one.
func (s *screen) rule(banner string) {
	if banner != "" {
		banner = "── " + short(banner, s.width-5) + " "
	}
	s.raw(s.paint(dim, banner+strings.Repeat("─", s.width-utf8.RuneCountInString(banner))) + "\n")
}

// banner says of what type everything up to the next banner is.
func (s *screen) banner(text string) {
	if text != "" {
		s.raw(" " + s.paint(reverse, " "+text+" ") + "\n")
	}
}

// lead is what stands before a labelled text, and how far its other lines are
// indented. Narrow screens have no column for labels.
func (s *screen) lead(name string) (head string, indent int) {
	if s.width < wide {
		return " " + name + ":", 3
	}
	return fmt.Sprintf(" %-*s", margin-2, name), margin
}

// field writes a labelled text.
func (s *screen) field(name, text string) {
	l := s.list(name)
	for _, word := range wrap(s.tie(shown(text)), s.width-l.indent) {
		l.line(word)
	}
	l.end("")
}

// quote writes what a script says, behind a bar.
func (s *screen) quote(style, text string) {
	_, indent := s.lead("")
	for _, p := range paragraphs(text) {
		for _, line := range wrap(shown(p), s.width-indent-2) {
			s.raw(strings.Repeat(" ", indent) + s.paint(dim, "│ ") + s.paint(style, line) + "\n")
		}
	}
}

// running is a labelled text that is written piece by piece, as things happen.
type running struct {
	s      *screen
	indent int
	col    int
	n      int
}

func (s *screen) list(name string) *running {
	head, indent := s.lead(name)
	style := dim
	if name == strings.ToUpper(name) { // a precedence
		style = bold
	}
	s.raw(s.paint(style, head))
	return &running{s: s, indent: indent, col: utf8.RuneCountInString(head)}
}

// add writes one piece.
func (l *running) add(text string) {
	text = tied(shown(text))
	if l.n > 0 {
		l.s.raw(",")
		l.col++
	}
	l.n++
	for i, part := range wrap(text, l.s.width-l.indent-1) {
		if i > 0 || l.col+2+utf8.RuneCountInString(part) > l.s.width {
			l.s.raw("\n" + strings.Repeat(" ", l.indent-1))
			l.col = l.indent - 1
		}
		l.s.raw(" " + l.s.colour(part))
		l.col += 1 + utf8.RuneCountInString(part)
	}
}

// line writes a whole line.
func (l *running) line(text string) {
	if l.n++; l.n > 1 || l.col+1+utf8.RuneCountInString(text) > l.s.width {
		l.s.raw("\n" + strings.Repeat(" ", l.indent-1))
	}
	l.s.raw(" " + l.s.colour(text))
}

func (l *running) end(text string) {
	if text != "" {
		for _, part := range wrap(text, l.s.width-l.indent) {
			if l.col+1+utf8.RuneCountInString(part) > l.s.width {
				l.s.raw("\n" + strings.Repeat(" ", l.indent-1))
				l.col = l.indent - 1
			}
			l.s.raw(" " + part)
			l.col += 1 + utf8.RuneCountInString(part)
		}
	}
	l.s.raw("\n")
}

// beside writes texts in columns under their headings, or one after the other
// if the screen is narrow.
func (s *screen) beside(heads, texts []string) {
	_, indent := s.lead("")
	n := len(heads)
	size := (s.width - indent - 3*(n-1)) / n
	if s.width < wide || size < 24 {
		for i := range heads {
			s.field(heads[i], "says, as reported:")
			s.quote("", texts[i])
		}
		return
	}
	cols := make([][]string, n)
	rows := 0
	for i := range heads {
		cols[i] = []string{tied(heads[i])}
		for _, p := range paragraphs(texts[i]) {
			cols[i] = append(cols[i], wrap(shown(p), size)...)
		}
		rows = max(rows, len(cols[i]))
	}
	for r := range rows {
		line := strings.Repeat(" ", indent)
		for i := range cols {
			cell := ""
			if r < len(cols[i]) {
				cell = cols[i][r]
			}
			if i > 0 {
				line += s.paint(dim, " │ ")
			}
			pad := strings.Repeat(" ", max(size-utf8.RuneCountInString(cell), 0))
			if r == 0 {
				cell = s.colour(cell)
			}
			line += cell
			if i < len(cols)-1 {
				line += pad
			}
		}
		s.raw(strings.TrimRight(line, " ") + "\n")
	}
}
