package locale

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// DTG is a date-time group, 221403ZNOV26: day, hour and minute, the zone Z,
// month and year, always in UTC and the same in every language.
func DTG(t time.Time) string {
	return strings.ToUpper(t.UTC().Format("021504Z") + t.UTC().Format("Jan06"))
}

// Zulu is the hour and minute in UTC, 14:03Z.
func Zulu(t time.Time) string { return t.UTC().Format("15:04Z") }

// Clock is the hour and minute at a place with its label: 19:33 IST.
func Clock(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("15:04 ") + zoneName(t, zone)
}

// zoneName is the zone's own label, or its offset where it has none.
func zoneName(t time.Time, zone *time.Location) string {
	name, secs := t.In(zone).Zone()
	if name == "" || name[0] == '+' || name[0] == '-' {
		sign := '+'
		if secs < 0 {
			sign, secs = '-', -secs
		}
		return fmt.Sprintf("UTC%c%02d:%02d", sign, secs/3600, secs/60%60)
	}
	return name
}

// Date is a day in UTC with the month in words: 22 November 2026.
func (l *Locale) Date(t time.Time) string {
	t = t.UTC()
	return l.T("time.date", ID(strconv.Itoa(t.Day())), plain(l.month(t)), ID(strconv.Itoa(t.Year())))
}

func (l *Locale) month(t time.Time) string {
	return l.T("month." + strings.ToLower(t.Month().String()))
}

// At is a moment in words, in UTC: 22 November 2026, 14:03Z.
func (l *Locale) At(t time.Time) string {
	return l.T("time.at", plain(l.Date(t)), ID(Zulu(t)))
}

// Lasting is a length of time, cut to what an officer needs: 45 s, 3 min,
// 2 h 05, 3 d 4 h. A negative one is written as its opposite; who writes it
// says whether it is over or to come.
func (l *Locale) Lasting(d time.Duration) string {
	d = max(d, -d)
	h, m := int(d/time.Hour), int(d/time.Minute)%60
	switch {
	case d < time.Minute:
		return l.T("time.seconds", int(d/time.Second))
	case h == 0:
		return l.T("time.minutes", m)
	case h < 48:
		return l.T("time.hours", h, ID(fmt.Sprintf("%02d", m)))
	}
	return l.T("time.days", h/24, h%24)
}

// Ago is how long ago t was at now: "3 min ago", "just now" below 5 seconds,
// "in 3 min" if it is still to come.
func (l *Locale) Ago(t, now time.Time) string {
	switch d := now.Sub(t); {
	case d < 0:
		return l.T("time.in", plain(l.Lasting(d)))
	case d < 5*time.Second:
		return l.T("time.now")
	default:
		return l.T("time.ago", plain(l.Lasting(d)))
	}
}

// plain is a text of this package, which needs no isolation inside another.
type plain string

// Number writes an integer with a narrow space between thousands from 10 000
// on, the same in every language: groups of three and groups of two, as in
// lakhs, could be misread for each other.
func Number(n int) string { return group(strconv.Itoa(n)) }

func group(s string) string {
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	if len(s) < 5 {
		return sign + s
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return sign + s
}
