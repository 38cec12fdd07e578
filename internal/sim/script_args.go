package sim

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"parley"
)

// args are the words of a command: plain ones in order, options with a value,
// and what stands in quotes.
type args struct {
	words  []string
	opts   map[string]string
	quoted []string
}

// valued are the words that take the next one as their value.
var valued = map[string]bool{"to": true, "line": true, "ack": true, "reply-by": true, "about": true, "as": true, "at": true, "next": true,
	"members": true, "tests": true, "grace": true, "level": true, "witnesses": true, "colluding": true, "by": true, "medium": true}

// parseArgs splits a line. Quotes are those of Go.
func parseArgs(line string) (*args, error) {
	a := &args{opts: map[string]string{}}
	key := ""
	for line = strings.TrimLeftFunc(line, unicode.IsSpace); line != ""; line = strings.TrimLeftFunc(line, unicode.IsSpace) {
		if line[0] == '"' {
			q, err := strconv.QuotedPrefix(line)
			if err != nil {
				return nil, complain("a quotation does not end")
			}
			line = line[len(q):]
			x, _ := strconv.Unquote(q)
			if key != "" {
				a.opts[key], key = x, ""
			} else {
				a.quoted = append(a.quoted, x)
			}
			continue
		}
		end := strings.IndexFunc(line, unicode.IsSpace)
		if end < 0 {
			end = len(line)
		}
		word := line[:end]
		line = line[end:]
		switch {
		case key != "":
			a.opts[key], key = word, ""
		case valued[word] && len(a.words) > 0:
			if _, twice := a.opts[word]; twice {
				return nil, complain("%s stands twice", word)
			}
			key = word
		default:
			a.words = append(a.words, word)
		}
	}
	if key != "" {
		return nil, complain("%s lacks its value", key)
	}
	return a, nil
}

func (a *args) more() bool { return len(a.words) > 0 }

// word takes the next plain word.
func (a *args) word(what string) string {
	if len(a.words) == 0 {
		panic(complain("%s is missing", what))
	}
	x := a.words[0]
	a.words = a.words[1:]
	return x
}

// flag takes a plain word if it stands anywhere.
func (a *args) flag(word string) bool {
	for i, x := range a.words {
		if x == word {
			a.words = append(a.words[:i:i], a.words[i+1:]...)
			return true
		}
	}
	return false
}

// opt takes the value of an option.
func (a *args) opt(key, otherwise string) string {
	x, ok := a.opts[key]
	delete(a.opts, key)
	if !ok {
		return otherwise
	}
	return x
}

func (a *args) number(key string, otherwise int) int {
	x := a.opt(key, strconv.Itoa(otherwise))
	n, err := strconv.Atoi(x)
	if err != nil || n < 0 {
		panic(complain("%s: %q is no number", key, x))
	}
	return n
}

// text takes what stands in quotes.
func (a *args) text() string {
	if len(a.quoted) == 0 {
		return ""
	}
	x := a.quoted[0]
	a.quoted = a.quoted[1:]
	return x
}

// end complains about what nobody took.
func (a *args) end() {
	for _, x := range a.words {
		panic(complain("%q is not understood here", x))
	}
	for k := range a.opts {
		panic(complain("%q is not understood here", k))
	}
	for _, x := range a.quoted {
		panic(complain("%q is not understood here", x))
	}
}

// node takes the name of a member, or of the second process of one: Third.2.
func (s *script) node(a *args) *node {
	x := a.word("a member")
	name, second := strings.CutSuffix(x, ".2")
	twins := s.w.byMember[s.party(name)]
	switch {
	case second && len(twins) < 2:
		panic(complain("%s runs once", name))
	case second:
		return twins[1]
	}
	return twins[0]
}

func (s *script) party(name string) parley.Party {
	for i, x := range s.names {
		if x == name {
			return parley.Party(i + 1)
		}
	}
	panic(complain("no member %q; they are %s", name, strings.Join(s.names, ", ")))
}

// set reads members: India,Oman.
func (s *script) set(x string) (set parley.Audience) {
	for name := range strings.SplitSeq(x, ",") {
		set |= parley.AudienceOf(s.party(name))
	}
	return set
}

// when reads a time: +4h, +3w, 09:15 of the same day, 2030-01-08T09:15Z.
func (s *script) when(x string) time.Time {
	if rest, ok := strings.CutPrefix(x, "+"); ok {
		return s.w.now.Add(span(rest))
	}
	if t, err := time.Parse("2006-01-02T15:04Z", x); err == nil {
		return t
	}
	t, err := time.Parse("15:04", x)
	if err != nil {
		panic(complain("%q is no time; write +4h, 09:15 or 2030-01-08T09:15Z", x))
	}
	y, m, d := s.w.now.Date()
	return time.Date(y, m, d, t.Hour(), t.Minute(), 0, 0, time.UTC)
}

// span reads a duration, of days and weeks and years too.
func span(x string) time.Duration {
	units := map[byte]time.Duration{'d': 24 * time.Hour, 'w': 7 * 24 * time.Hour, 'y': 365 * 24 * time.Hour}
	if x != "" && units[x[len(x)-1]] != 0 {
		if n, err := strconv.Atoi(x[:len(x)-1]); err == nil && n > 0 && n < 1000 {
			return time.Duration(n) * units[x[len(x)-1]]
		}
	}
	d, err := time.ParseDuration(x)
	if err != nil || d <= 0 {
		panic(complain("%q is no time that passes; write 90s, 4h, 3w", x))
	}
	return d
}

// entry is what the script called by a name: #talk.
func (s *script) entry(name string) parley.Ref {
	if r, ok := s.refs[strings.TrimPrefix(name, "#")]; ok {
		return r
	}
	panic(complain("nothing was called %q", name))
}
