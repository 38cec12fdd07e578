package console

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/console/locale"
)

// form is what an officer entered; it is shown again as it was when it cannot
// be taken so.
type form struct{ url.Values }

// Flaw is why a form could not be taken, and what to do.
type Flaw struct {
	Code   parley.Code
	Text   string // English
	Remedy locale.Text
}

// flaw makes an error with a code into what stands above the form again; one
// without a code is not the officer's.
func flaw(q *request, err error) (Flaw, error) {
	c := parley.CodeOf(err)
	if c == "" {
		return Flaw{}, err
	}
	return Flaw{c, strings.TrimPrefix(err.Error(), string(c)+": "), q.loc.Error(string(c), c.Remedy())}, nil
}

func (f form) text(name string) string {
	return strings.TrimSpace(strings.ReplaceAll(f.Get(name), "\r\n", "\n"))
}

func (f form) number(name string, least, most uint64) (uint64, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(f.Get(name)), 10, 53)
	if err != nil || n < least || n > most {
		return 0, parley.Errorf(CodeForm, "the field %s takes a number from %d to %d", name, least, most)
	}
	return n, nil
}

// time reads a moment in Zulu time.
func (f form) time(name string) (time.Time, error) {
	t, err := time.Parse("2006-01-02T15:04", f.Get(name))
	if err != nil {
		return t, parley.Errorf(CodeForm, "the field %s takes a date and a time, in Zulu", name)
	}
	return t, nil
}

// parties reads which members are ticked.
func (f form) parties(prefix string, c *parley.Charter) (set parley.Audience) {
	for _, m := range c.Members {
		if f.Get(prefix+strconv.Itoa(int(m.Index))) != "" {
			set |= parley.AudienceOf(m.Index)
		}
	}
	return set
}

// head reads what every entry of the hotline says of itself: precedence, type
// and line.
func (f form) head() (lane parley.Lane, typ hotline.Type, line uint8, err error) {
	if lane, err = parley.ParseLane(f.Get("lane")); err != nil {
		return lane, typ, 0, parley.Errorf(CodeForm, "choose a precedence")
	}
	if typ, err = hotline.ParseType(f.Get("type")); err != nil {
		return lane, typ, 0, parley.Errorf(CodeForm, "choose a type of traffic")
	}
	n, err := f.number("line", 0, hotline.MaxLine)
	return lane, typ, uint8(n), err
}

// options are the words of an enumeration, the chosen one marked.
func (q *request) options(prefix, chosen string, values ...string) (out []Option) {
	for _, v := range values {
		out = append(out, Option{v, q.loc.Enum(prefix, v), v == chosen})
	}
	return out
}

// HeadForm is the part of a form that every entry of the hotline has.
type HeadForm struct {
	Lanes []Option
	Types []Option
	Lines []Option
}

func (s *Server) headForm(q *request, f form) HeadForm {
	return HeadForm{q.options("lane", f.Get("lane"), "FLASH", "IMMEDIATE", "PRIORITY", "ROUTINE", "DEFERRED"),
		q.options("type", f.Get("type"), "operation", "exercise", "drill", "test"), s.lineOptions(q, f.Get("line"))}
}

// members are ticks for members, those in set on.
func (s *Server) members(f form, prefix string, among []parley.Party) (out []Option) {
	for _, p := range among {
		n := strconv.Itoa(int(p))
		out = append(out, Option{n, memberName(s.cfg.Host.Charter(), p), f.Get(prefix+n) != ""})
	}
	return out
}

// speakers are all members that may speak, in the charter's order.
func speakers(c *parley.Charter) (out []parley.Party) {
	for _, m := range c.Members {
		if m.Role != parley.RoleObserver {
			out = append(out, m.Index)
		}
	}
	return out
}

// prefilled is what the address of a form says, if it was not sent yet.
func prefilled(q *request) form {
	if q.Method == http.MethodPost {
		return form{q.PostForm}
	}
	v := url.Values{}
	for _, k := range []string{"line", "number"} {
		if x := q.URL.Query().Get(k); x != "" {
			v.Set(k, x)
		}
	}
	return form{v}
}
