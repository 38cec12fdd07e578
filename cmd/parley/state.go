package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/control"
	"parley/internal/host"
)

type statusCmd struct {
	dir
	Check bool `help:"Exit with 4 if anything is overdue, down or forked, or if there was an alarm since the node's start; for monitoring."`
	JSON  bool `help:"Print JSON."`
}

func (c *statusCmd) Help() string { return "Example:\n  parley status" }

func (c *statusCmd) Run(e *env) error {
	client := control.Dial(c.Dir)
	var s control.Status
	if err := client.Call(e.ctx, http.MethodGet, "/v1/status", nil, &s); err != nil {
		return err
	}
	var ds []control.Duty
	if err := client.Call(e.ctx, http.MethodGet, "/v1/duties", nil, &ds); err != nil {
		return err
	}
	wrong := s.Overdue > 0
	for _, a := range s.Alarms {
		wrong = wrong || !a.Expected
	}
	for _, l := range s.Links {
		wrong = wrong || !l.Urgent
	}
	for _, l := range s.Logs {
		wrong = wrong || l.Forked
	}
	if c.JSON {
		if err := e.json(struct {
			control.Status
			Duties []control.Duty `json:"duties"`
		}{s, ds}); err != nil {
			return err
		}
	} else {
		printStatus(e, &s, ds)
	}
	if c.Check && wrong {
		return errWrong
	}
	return nil
}

func printStatus(e *env, s *control.Status, ds []control.Duty) {
	ready := "ready"
	if !s.Ready {
		ready = "comparing with the peers"
	}
	e.printf("%s, member %d of %q, %s at %s\n", s.Name, s.Member, s.Charter, ready, s.Time.Format("02 Jan 2006 1504Z"))
	e.printf("channel %s\n\n", s.Channel)
	for _, l := range s.Links {
		state := "down: no connection"
		switch {
		case l.Urgent && l.Bulk:
			state = "up"
		case l.Urgent || l.Bulk:
			state = "one of two connections up"
		}
		e.printf("%-20s %s\n", l.Name, state)
	}
	e.printf("\n")
	w := tabwriter.NewWriter(e.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "LOG\tENTRIES\tWITNESSED\tHELD BY\n")
	for _, l := range s.Logs {
		if !l.Current && !l.Forked {
			continue
		}
		var by []string
		for _, k := range s.Links {
			if n := l.Receipts[k.Name]; n > 0 && k.Member != l.Member {
				by = append(by, fmt.Sprintf("%s %d", k.Name, n))
			}
		}
		if n := l.Receipts[s.Name]; n > 0 {
			by = append(by, fmt.Sprintf("%s %d", s.Name, n))
		}
		state := ""
		if l.Forked {
			state = "  FORKED: proof kept"
		}
		if l.Closed {
			state += "  closed"
		}
		if l.Held > 0 {
			state += fmt.Sprintf("  %d waiting for others before them", l.Held)
		}
		witnessed := fmt.Sprint(l.Witnessed)
		if s.Quorum == "quorum none" {
			witnessed = "-"
		}
		fmt.Fprintf(w, "%d/%s\t%d\t%s\t%s%s\n", l.Member, l.Lane, l.Size, witnessed, strings.Join(by, ", "), state)
	}
	w.Flush()
	e.printf("\n")
	if len(ds) == 0 {
		e.printf("Nothing is owed.\n")
	}
	for _, d := range ds {
		late := ""
		if d.Late {
			late = "OVERDUE  "
		}
		e.printf("%sby %s  %s: %s\n", late, d.By.Format("02 1504Z"), d.Owner, d.Text)
	}
	for _, a := range s.Alarms {
		e.printf("ALARM %s  %s\n", a.At.Format("02 1504Z"), a.Text)
	}
}

type linesCmd struct {
	Show    linesShow    `cmd:"" default:"withargs" help:"Show the lines (the default)."`
	Propose linesPropose `cmd:"" help:"Propose a line, or a change of one. The others accept it with: parley answer REF wilco."`
}

type linesShow struct {
	dir
	JSON bool `help:"Print JSON."`
}

func (c *linesShow) Help() string { return "Example:\n  parley lines" }

func (c *linesShow) Run(e *env) error {
	var ls []control.Line
	if err := control.Dial(c.Dir).Call(e.ctx, http.MethodGet, "/v1/lines", nil, &ls); err != nil {
		return err
	}
	if c.JSON {
		return e.json(ls)
	}
	if len(ls) == 0 {
		e.printf("No lines. Propose one: parley lines propose --help\n")
		return nil
	}
	at := func(t time.Time) string {
		if t.IsZero() {
			return "never"
		}
		return t.Format("02 Jan 1504Z")
	}
	for _, l := range ls {
		e.printf("Line %d  %s  (%s)\n  %s: %s\n", l.Number, l.Name, l.Level, strings.ToUpper(l.State), l.Text)
		if l.Proposal != "" {
			e.printf("  proposed: %s; to be answered by %s: parley answer %s wilco\n", l.Proposal, strings.Join(l.Waiting, ", "), l.Proposal)
		}
		for _, m := range l.Members {
			e.printf("  %-20s last heard on the line %s, anywhere %s\n", m.Name, at(m.Line), at(m.Node))
		}
		if !l.NextTest.IsZero() {
			e.printf("  next test %s, %s calls\n", at(l.NextTest), l.Caller)
		}
		if l.Next > 0 {
			e.printf("  if it is not answered, try line %d\n", l.Next)
		}
	}
	return nil
}

type linesPropose struct {
	voice
	Number  uint8         `arg:"" help:"Number of the line, 1 to 99."`
	Name    string        `arg:"" help:"Its name."`
	Level   string        `required:"" help:"Who speaks on it, such as \"military operations\"."`
	Member  []string      `required:"" placeholder:"NAME" sep:"none" help:"A member of the line. Repeat."`
	Serial  uint64        `default:"1" help:"Counts the proposals for this number; the greatest accepted one holds."`
	Medium  string        `default:"channel" help:"channel, voice, fax, video or other."`
	Every   time.Duration `xor:"test" help:"A test message this often."`
	Daily   []string      `xor:"test" placeholder:"HH:MM" help:"Or at these times of the UTC day, on --days."`
	Days    string        `default:"mon,tue,wed,thu,fri,sat,sun" help:"Days of the daily tests."`
	First   string        `placeholder:"NAME" help:"Who calls first; then they take turns."`
	Grace   time.Duration `default:"15m" help:"A test counts if it comes this close to its time."`
	Holiday []string      `placeholder:"YYYY-MM-DD" help:"A day on which a missed test is no sign. Repeat."`
	Next    uint8         `help:"The line to try when this one is not answered."`
}

func (c *linesPropose) Help() string {
	return `A line is in force when every member of it has accepted the same proposal. Its
tests are messages of the type test on it: parley send --type test --line 1 TEXT.

Example:
  parley lines propose 1 "Military operations" --level "military operations" \
    --member India --member Pakistan --first India --every 168h --next 2`
}

func (c *linesPropose) Run(e *env) error {
	_, ch, _, err := host.LoadCharter(c.Dir)
	if err != nil {
		return err
	}
	l := &hotline.Line{Number: c.Number, Serial: c.Serial, Name: c.Name, Level: c.Level, Next: c.Next}
	if l.Members, err = readers(ch, c.Member); err != nil {
		return err
	}
	if l.Medium, err = hotline.ParseMedium(c.Medium); err != nil {
		return err
	}
	if l.Schedule, err = c.schedule(ch, l.Members); err != nil {
		return err
	}
	if l.Schedule != nil {
		l.Grace = uint32(min(c.Grace/time.Second, math.MaxUint32))
	}
	for _, h := range c.Holiday {
		t, err := time.Parse(time.DateOnly, h)
		if err != nil {
			return parley.Errorf(parley.CodeOutOfRange, "the holiday %q is not a date such as 2026-01-26", h)
		}
		l.Holidays = append(l.Holidays, uint32(t.Unix()/86400))
	}
	if err := l.Check(); err != nil {
		return err
	}
	return post(e, c.voice, hotline.Draft(l, parley.Routine, parley.ToAll))
}

func (c *linesPropose) schedule(ch *parley.Charter, members parley.Audience) (*hotline.Schedule, error) {
	if err := notNegative(c.Every, c.Grace); err != nil {
		return nil, err
	}
	if c.Every == 0 && len(c.Daily) == 0 {
		return nil, nil
	}
	s := &hotline.Schedule{First: members.Parties()[0], Start: uint64(time.Now().Add(c.Every).Unix()), Every: uint32(min(c.Every/time.Second, math.MaxUint32))}
	if c.First != "" {
		first, err := readers(ch, []string{c.First})
		if err != nil {
			return nil, err
		}
		s.First = first.Parties()[0]
	}
	for _, hm := range c.Daily {
		t, err := time.Parse("15:04", hm)
		if err != nil {
			return nil, parley.Errorf(parley.CodeOutOfRange, "%q is not a time of day such as 04:30", hm)
		}
		s.Minutes = append(s.Minutes, uint16(t.Hour()*60+t.Minute()))
	}
	if len(c.Daily) > 0 {
		for i, day := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
			if strings.Contains(strings.ToLower(c.Days), day) {
				s.Days |= 1 << i
			}
		}
	}
	return s, nil
}

type watchCmd struct {
	dir
	All  bool `help:"Show receipts of every log and connections, too."`
	JSON bool `help:"Print one JSON object a line."`
}

func (c *watchCmd) Help() string { return "Example:\n  parley watch" }

func (c *watchCmd) Run(e *env) error {
	r, err := control.Dial(c.Dir).Stream(e.ctx, http.MethodGet, "/v1/watch", nil)
	if err != nil {
		return err
	}
	defer r.Close()
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		if e.failed != nil {
			return nil
		}
		if c.JSON {
			e.printf("%s\n", lines.Bytes())
			continue
		}
		var ev control.Event
		if err := json.Unmarshal(lines.Bytes(), &ev); err != nil {
			return parley.Errorf(control.CodeRequest, "the node's answer cannot be read: %w", err)
		}
		e.printf("%s", eventLine(ev, c.All))
	}
	if e.ctx.Err() != nil {
		return nil
	}
	return parley.Errorf(control.CodeNotRunning, "the node has ended")
}

// indented keeps the lines of a text under the event that it belongs to.
func indented(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = inLine(lines[i])
	}
	return strings.Join(lines, "\n          ")
}

func eventLine(ev control.Event, all bool) string {
	at := ev.At.Format("15:04:05Z")
	ev.Text = indented(ev.Text)
	place := strings.TrimSpace(ev.Lane + " " + ev.Ref)
	switch ev.Kind {
	case "message", "answer", "entry":
		if ev.Standing != "" {
			place += " " + ev.Standing
		}
		return fmt.Sprintf("%s  %-14s %s\n          %s\n", at, ev.Member, place, ev.Text)
	case "early":
		return fmt.Sprintf("%s  %-14s %s %s\n          %s\n", at, ev.Member, ev.Lane, ev.Standing, ev.Text)
	case "alarm":
		return fmt.Sprintf("%s  ALARM          %s\a\n", at, ev.Text)
	case "link":
		if !all {
			return ""
		}
		return fmt.Sprintf("%s  %-14s %s\n", at, ev.Member, ev.Text)
	}
	if !all && ev.Lane != "FLASH" && ev.Lane != "IMMEDIATE" && ev.Lane != "PRIORITY" {
		return ""
	}
	return fmt.Sprintf("%s  %-14s received, up to %s\n", at, ev.Member, ev.Ref)
}
