package console

import (
	"strconv"
	"time"

	"parley"
)

// zone is the local time of one member.
type zone struct {
	name string
	loc  *time.Location
}

// usual are the zones of members whose name says where they are, with the
// label that their clocks carry. Neither place changes its clocks in summer.
var usual = map[string]*time.Location{
	"India":        time.FixedZone("IST", 5*3600+1800),
	"Pakistan":     time.FixedZone("PKT", 5*3600),
	"Saudi Arabia": time.FixedZone("AST", 3*3600),
}

// zonesOf finds the zones of the members: those given, then those whose name
// says it. Members of no known zone are left out; Zulu is always shown.
func zonesOf(c *parley.Charter, me parley.Party, given map[string]string) ([]zone, error) {
	for name := range given {
		known := false
		for _, m := range c.Members {
			known = known || m.Name == name
		}
		if !known {
			return nil, parley.Errorf(CodeAddr, "the charter has no member %q to have a time zone", name)
		}
	}
	var out []zone
	for _, m := range c.Members {
		if m.Index != me && m.Role != parley.RoleParty {
			continue
		}
		loc := usual[m.Name]
		if text, ok := given[m.Name]; ok {
			var err error
			if loc, err = parseZone(text); err != nil {
				return nil, err
			}
		}
		if loc != nil {
			out = append(out, zone{m.Name, loc})
		}
	}
	return out, nil
}

// parseZone reads "+05:30" or a name of the tz database.
func parseZone(s string) (*time.Location, error) {
	if t, err := time.Parse("-07:00", s); err == nil {
		_, secs := t.Zone()
		return time.FixedZone("", secs), nil
	}
	loc, err := time.LoadLocation(s)
	if err != nil || s == "" {
		return nil, parley.Errorf(CodeAddr, "%s is no time zone such as +05:30 or Asia/Karachi", strconv.Quote(s))
	}
	return loc, nil
}

// zoneTime is a local time in the strip. Offset lets the browser tick it.
type zoneTime struct {
	Name   string
	Label  string
	Offset int // seconds east of UTC, now
	Clock  string
}

func (s *Server) clocks(now time.Time) []zoneTime {
	var out []zoneTime
	for _, z := range s.zones {
		label, secs := now.In(z.loc).Zone()
		if label == "" || label[0] == '+' || label[0] == '-' {
			label = now.In(z.loc).Format("-07:00")
		}
		out = append(out, zoneTime{z.name, label, secs, now.In(z.loc).Format("15:04")})
	}
	return out
}
