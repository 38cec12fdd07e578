package console

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"parley"
	"parley/hotline"
)

// Wording is the whole of a proposed line, field by field: who accepts it, or
// lets it go, has read all of what his party will be held to.
type Wording struct {
	Number   uint8
	Serial   uint64
	Name     string
	Level    string
	Members  []string
	Medium   hotline.Medium
	Schedule *hotline.Schedule // nil: no tests
	First    string
	Start    time.Time
	Every    time.Duration
	Days     []string // keys of the days of the week; empty for an interval
	Times    []string // of the UTC day
	Grace    time.Duration
	Holidays []string
	Next     uint8
}

func (s *Server) wording(l *hotline.Line) *Wording {
	c := s.cfg.Host.Charter()
	w := &Wording{Number: l.Number, Serial: l.Serial, Name: l.Name, Level: l.Level, Medium: l.Medium, Schedule: l.Schedule,
		Grace: time.Duration(l.Grace) * time.Second, Next: l.Next}
	for _, m := range l.Members.Parties() {
		w.Members = append(w.Members, memberName(c, m))
	}
	for _, d := range l.Holidays {
		w.Holidays = append(w.Holidays, time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly))
	}
	if t := l.Schedule; t != nil {
		w.First, w.Start, w.Every = memberName(c, t.First), moment(t.Start), time.Duration(t.Every)*time.Second
		for i, d := range weekdays {
			if t.Days&(1<<i) != 0 {
				w.Days = append(w.Days, d)
			}
		}
		for _, m := range t.Minutes {
			w.Times = append(w.Times, fmt.Sprintf("%02d:%02dZ", m/60, m%60))
		}
	}
	return w
}

// weekdays are the days as hotline.Schedule counts them.
var weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

// memberName is a member's name; of one that the charter does not have, its
// number.
func memberName(c *parley.Charter, p parley.Party) string {
	if m := c.Member(p); m != nil {
		return m.Name
	}
	return fmt.Sprintf("member %d", p)
}

// CallWording is a call as a draft records it.
type CallWording struct {
	Caller  string
	Called  []string
	At      time.Time
	Outcome hotline.Outcome
	Note    string
	Line    uint8
}

func (s *Server) callWording(a *hotline.Attempt) *CallWording {
	c := s.cfg.Host.Charter()
	w := &CallWording{Caller: memberName(c, a.Caller), At: moment(a.At), Outcome: a.Outcome, Note: a.Note, Line: a.Line}
	for _, p := range a.Called.Parties() {
		w.Called = append(w.Called, memberName(c, p))
	}
	return w
}

// fields splits what is written with commas or spaces between.
func fields(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\r' || r == '\t' })
}

// scheduleOf reads the tests of a proposed line from its form: an interval in
// hours, or times of the UTC day on some days, or none.
func scheduleOf(f form, first parley.Party, now time.Time) (*hotline.Schedule, error) {
	s := &hotline.Schedule{First: first, Start: uint64(now.Unix())}
	switch f.Get("tests") {
	case "none":
		return nil, nil
	case "every":
		h, err := f.number("every", 1, 24*31)
		if err != nil {
			return nil, err
		}
		s.Every = uint32(h) * 3600
	case "daily":
		for i, d := range weekdays {
			if f.Get("day-"+d) != "" {
				s.Days |= 1 << i
			}
		}
		for _, x := range fields(f.Get("times")) {
			t, err := time.Parse("15:04", strings.TrimSuffix(strings.ToUpper(x), "Z"))
			if err != nil {
				return nil, parley.Errorf(CodeForm, "%q is no time of day such as 04:30", clean(x))
			}
			s.Minutes = append(s.Minutes, uint16(t.Hour()*60+t.Minute()))
		}
		slices.Sort(s.Minutes)
		s.Minutes = slices.Compact(s.Minutes)
	default:
		return nil, parley.Errorf(CodeForm, "say when the line is tested, or that it is not")
	}
	if f.Get("start") != "" {
		t, err := f.time("start")
		if err != nil {
			return nil, err
		}
		s.Start = uint64(max(t.Unix(), 0))
	}
	return s, nil
}
