package hotline

import "parley"

// Limits of lines.
const (
	MaxTimes    = 24  // tests a day
	MaxHolidays = 400 // dates in the joint calendar
	MinGrace    = 60
	MaxGrace    = 86400
	MinEvery    = 300
	MaxEvery    = 31 * 86400
	maxDay      = 1<<16 - 1 // days since 1970
	minutes     = 24 * 60
)

// Line proposes a line of the registry, or a change of one (kind 20). It is in
// force when every member of the line has accepted these very bytes: its
// author by writing it, the others by answering Wilco to it. Until then it
// binds nobody, its author included. A member that later answers Negative or
// Declined has withdrawn, and the line is no longer in force.
type Line struct {
	Number   uint8  // 1 to 99
	Serial   uint64 // of the proposal for this number: the greatest accepted one holds
	Name     string
	Level    string // who speaks on it, such as "military operations"
	Members  parley.Audience
	Medium   Medium
	Schedule *Schedule // nil: no tests
	Holidays []uint32  // dates as days since 1970 (UTC) on which a missed test is no sign
	Next     uint8     // line to try when this one is not answered, 0 none
	Grace    uint32    // seconds around a test's time; 0 exactly if no tests
}

// Schedule says when a line is tested. Either Every is set, or Days and
// Minutes. Members call in turn, ascending, beginning with First.
type Schedule struct {
	First   parley.Party
	Start   uint64   // seconds since 1970: no test before it
	Every   uint32   // seconds between tests, counted from Start
	Days    uint8    // bit 0 Monday to bit 6 Sunday, UTC
	Minutes []uint16 // times of the UTC day, ascending
}

// Kind is KindLine.
func (l *Line) Kind() parley.Kind { return KindLine }

// Encode is the canonical form.
func (l *Line) Encode() []byte {
	b := parley.AppendArray(nil, 10)
	b = parley.AppendUint(b, uint64(l.Number))
	b = parley.AppendUint(b, l.Serial)
	b = parley.AppendText(b, l.Name)
	b = parley.AppendText(b, l.Level)
	b = parley.AppendUint(b, uint64(l.Members))
	b = parley.AppendUint(b, uint64(l.Medium))
	b = l.Schedule.append(b)
	b = appendUints(b, l.Holidays)
	b = parley.AppendUint(b, uint64(l.Next))
	return parley.AppendUint(b, uint64(l.Grace))
}

func (s *Schedule) append(b []byte) []byte {
	if s == nil {
		return parley.AppendNull(b)
	}
	b = parley.AppendArray(b, 5)
	for _, v := range []uint64{uint64(s.First), s.Start, uint64(s.Every), uint64(s.Days)} {
		b = parley.AppendUint(b, v)
	}
	return appendUints(b, s.Minutes)
}

func appendUints[T ~uint16 | ~uint32](b []byte, vs []T) []byte {
	b = parley.AppendArray(b, len(vs))
	for _, v := range vs {
		b = parley.AppendUint(b, uint64(v))
	}
	return b
}

func decodeLine(d *parley.Decoder) *Line {
	d.Array(10, 10)
	l := &Line{
		Number: uint8(d.Uint(MaxLine)), Serial: d.Uint(parley.MaxUint),
		Name: d.Text(0, 200), Level: d.Text(0, MaxRole),
		Members: decodeSet(d), Medium: Medium(d.Uint(uint64(maxMedium))),
	}
	if !d.Null() {
		s := &Schedule{}
		d.Array(5, 5)
		s.First = d.Party()
		s.Start = d.Uint(parley.MaxUint)
		s.Every = uint32(d.Uint(MaxEvery))
		s.Days = uint8(d.Uint(127))
		for range d.Array(0, MaxTimes) {
			s.Minutes = append(s.Minutes, uint16(d.Uint(minutes-1)))
		}
		l.Schedule = s
	}
	for range d.Array(0, MaxHolidays) {
		l.Holidays = append(l.Holidays, uint32(d.Uint(maxDay)))
	}
	l.Next = uint8(d.Uint(MaxLine))
	l.Grace = uint32(d.Uint(MaxGrace))
	return l
}

// Check reports the rule that the line alone breaks.
func (l *Line) Check() error {
	if err := parley.CheckName(l.Name); err != nil {
		return err
	}
	for _, err := range []error{
		checkMax("line", l.Number, 1, MaxLine),
		checkLine("level", l.Level, MaxRole),
		checkSet(CodeLineMembers, "members", l.Members),
		checkMax("medium", l.Medium, 0, maxMedium),
		checkMax("next line", l.Next, 0, MaxLine),
		l.checkSchedule(),
	} {
		if err != nil {
			return err
		}
	}
	if len(l.Members.Parties()) < 2 {
		return parley.Errorf(CodeLineMembers, "a line of one member")
	}
	if l.Next == l.Number {
		return parley.Errorf(CodeNextLine, "line %d escalates to itself", l.Number)
	}
	if l.Serial < 1 || l.Serial > parley.MaxUint {
		return parley.Errorf(parley.CodeOutOfRange, "serial %d; the first proposal has 1", l.Serial)
	}
	if len(l.Holidays) > MaxHolidays {
		return parley.Errorf(parley.CodeLength, "%d dates in the calendar; at most %d are allowed", len(l.Holidays), MaxHolidays)
	}
	return ascending("dates of the calendar", l.Holidays, maxDay)
}

func (l *Line) checkSchedule() error {
	s := l.Schedule
	if s == nil {
		if l.Grace != 0 {
			return parley.Errorf(CodeSchedule, "a time of grace without tests")
		}
		return nil
	}
	if l.Grace < MinGrace || l.Grace > MaxGrace {
		return parley.Errorf(CodeSchedule, "a time of grace of %d s; %d to %d are allowed", l.Grace, MinGrace, MaxGrace)
	}
	if s.Start > parley.MaxUint {
		return parley.Errorf(parley.CodeOutOfRange, "start of the tests %d", s.Start)
	}
	if s.First < 1 || s.First > parley.MaxParty || !l.Members.Includes(s.First) {
		return parley.Errorf(CodeSchedule, "member %d calls first, but is not on the line", s.First)
	}
	weekly := s.Days != 0 && s.Days <= 127 && len(s.Minutes) > 0 && len(s.Minutes) <= MaxTimes
	interval := s.Every >= MinEvery && s.Every <= MaxEvery
	if interval == weekly || interval && (s.Days != 0 || len(s.Minutes) != 0) || weekly && s.Every != 0 {
		return parley.Errorf(CodeSchedule, "the schedule is neither an interval of %d s to %d s nor weekdays with times", MinEvery, MaxEvery)
	}
	return ascending("times of the day", s.Minutes, minutes-1)
}

func ascending[T ~uint16 | ~uint32](what string, vs []T, max T) error {
	for i, v := range vs {
		if v > max {
			return parley.Errorf(parley.CodeOutOfRange, "%s: %d is above %d", what, v, max)
		}
		if i > 0 && vs[i-1] >= v {
			return parley.Errorf(parley.CodeNotSorted, "%s are not ascending", what)
		}
	}
	return nil
}

// CheckIn requires that the members exist and can all read the proposal.
func (l *Line) CheckIn(c *parley.Charter, author parley.Party, _ parley.Lane, to parley.Audience) error {
	if l.Members&^everyone(c) != 0 {
		return parley.Errorf(CodeLineMembers, "the line names a member that the charter does not have")
	}
	if l.Members&^(c.Readers(author, to)|parley.AudienceOf(author)) != 0 {
		return parley.Errorf(CodeLineMembers, "the proposal is not addressed to all members of the line")
	}
	return nil
}
