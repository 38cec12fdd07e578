package hotline

import (
	"slices"
	"time"

	"parley"
)

const (
	day    = 86400
	week   = 7 * day
	monday = 4 * day // 5 January 1970, the first Monday, in seconds
)

// slot is one scheduled test.
type slot struct {
	at     uint64 // seconds since 1970
	caller parley.Party
	free   bool // the date is a holiday of the joint calendar
}

// count is the number of tests at or before t, from the start of the schedule.
func (s *Schedule) count(t uint64) uint64 {
	if t < s.Start {
		return 0
	}
	if s.Every != 0 {
		return (t-s.Start)/uint64(s.Every) + 1
	}
	n := s.weekly(t)
	if s.Start > 0 {
		n -= s.weekly(s.Start - 1)
	}
	return n
}

// weekly counts the weekly times in (first Monday, t]. Times before the first
// Monday of 1970 are not counted.
func (s *Schedule) weekly(t uint64) uint64 {
	if t < monday {
		return 0
	}
	t -= monday
	days := s.weekdays()
	n := t / week * uint64(len(days)*len(s.Minutes))
	in := t % week
	for _, d := range days {
		for _, m := range s.Minutes {
			if uint64(d)*day+uint64(m)*60 <= in {
				n++
			}
		}
	}
	return n
}

func (s *Schedule) weekdays() []int {
	var ds []int
	for d := range 7 {
		if s.Days&(1<<d) != 0 {
			ds = append(ds, d)
		}
	}
	return ds
}

// time is when test n (from 0) takes place.
func (s *Schedule) time(n uint64) uint64 {
	if s.Every != 0 {
		return s.Start + n*uint64(s.Every)
	}
	if s.Start > 0 {
		n += s.weekly(s.Start - 1)
	}
	days := s.weekdays()
	per := uint64(len(days) * len(s.Minutes))
	in := n % per
	d, m := days[in/uint64(len(s.Minutes))], s.Minutes[in%uint64(len(s.Minutes))]
	return monday + n/per*week + uint64(d)*day + uint64(m)*60
}

// slot is test n of the line.
func (l *Line) slot(n uint64) slot {
	s := l.Schedule
	at := s.time(n)
	ps := l.Members.Parties()
	turn := (uint64(slices.Index(ps, s.First)) + n) % uint64(len(ps))
	_, free := slices.BinarySearch(l.Holidays, uint32(min(at/day, maxDay)))
	return slot{at, ps[turn], free}
}

// last is the newest test at or before t.
func (l *Line) last(t uint64) (slot, bool) {
	if l.Schedule == nil {
		return slot{}, false
	}
	n := l.Schedule.count(t)
	if n == 0 {
		return slot{}, false
	}
	return l.slot(n - 1), true
}

// next is the first test after t.
func (l *Line) next(t uint64) (slot, bool) {
	if l.Schedule == nil {
		return slot{}, false
	}
	return l.slot(l.Schedule.count(t)), true
}

func unix(t time.Time) uint64 { return uint64(max(t.Unix(), 0)) }

// at is the time of a claim in seconds; a claim beyond year 9999 is shown as
// that year's end, so that it prints.
func at(s uint64) time.Time { return time.Unix(int64(min(s, 253402300799)), 0).UTC() }
