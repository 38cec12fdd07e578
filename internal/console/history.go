package console

import (
	"slices"
	"time"

	"parley"
	"parley/hotline"
)

// History is the last day of one member's proofs of life, drawn as a strip of
// 1440 minutes with a table beside it. Each minute is one of three: with a
// proof in time, silent although this node watched, or not known.
type History struct {
	Name    string
	From    time.Time
	To      time.Time
	Spans   []Span // in which proofs came in time, one after the other
	Unknown []Span // in which nobody watched and the record proves nothing
	Ticks   []int  // minutes with an entry on the line
	Gaps    []Gap  // silences and what is not known, newest first
	Silent  int    // how many of the gaps are silences
	Entries int    // on the line
}

// Span is a stretch of the strip, in minutes from its begin.
type Span struct{ X, Width int }

// Gap is a time without a proof. Until is zero if it lasts.
type Gap struct {
	From, Until time.Time
	Silent      bool // this node watched, and nothing came; otherwise it is not known
}

const (
	historyTicks = 1000 // entries on a line that the strip draws
	historyGaps  = 100  // newest gaps that the table names
)

// history draws the proofs of one member on a line. beats are minutes with a
// sign of the member's node, watched those in which this console listened;
// rest is the longest silence that is none.
func history(d *hotline.Desk, line uint8, p parley.Party, name string, beats, watched []int64, now time.Time, rest time.Duration) History {
	to := now.UTC().Truncate(time.Minute)
	h := History{Name: name, To: to, From: to.Add(-daySpan * time.Minute)}
	first := h.From.Unix() / 60
	for _, t := range d.Heard(line, p, uint64(max(h.From.Unix(), 0)), historyTicks) {
		if x := int(int64(t)/60 - first); x >= 0 && x <= daySpan && (len(h.Ticks) == 0 || h.Ticks[len(h.Ticks)-1] != x) {
			h.Ticks = append(h.Ticks, x)
		}
		h.Entries++
	}
	var seen [daySpan + 1]bool
	for _, m := range watched {
		if x := m - first; x >= 0 && x <= daySpan {
			seen[x] = true
		}
	}
	near := max(int(rest/time.Minute)+1, 2)
	at := -1 // the newest proof so far
	for _, m := range merge(beats, h.Ticks, first) {
		x := int(m - first)
		if x > daySpan {
			break // claimed for a time to come
		}
		if at >= 0 && x-at <= near {
			last := &h.Spans[len(h.Spans)-1]
			last.Width = x + 1 - last.X
		} else {
			h.pause(seen[:], at+1, x, near)
			h.Spans = append(h.Spans, Span{x, 1})
		}
		at = x
	}
	if at >= 0 && daySpan-at <= near {
		last := &h.Spans[len(h.Spans)-1]
		last.Width = daySpan + 1 - last.X
	} else {
		h.pause(seen[:], at+1, daySpan+1, near)
	}
	slices.Reverse(h.Gaps)
	h.Gaps = h.Gaps[:min(len(h.Gaps), historyGaps)]
	return h
}

// pause adds the minutes from a to before b, in which no proof came. What was
// watched for longer than a proof may take is a silence; the rest is not known.
func (h *History) pause(seen []bool, a, b, near int) {
	unknown := a // since then
	end := func(x int) {
		if x > unknown {
			h.Unknown = append(h.Unknown, Span{unknown, x - unknown})
			h.gap(unknown, x, false)
		}
	}
	for x := a; x < b; {
		if !seen[x] {
			x++
			continue
		}
		begin := x
		for x < b && seen[x] {
			x++
		}
		if x-begin <= near {
			continue
		}
		end(begin)
		h.gap(begin, x, true)
		h.Silent++
		unknown = x
	}
	end(b)
}

func (h *History) gap(a, b int, silent bool) {
	g := Gap{From: h.From.Add(time.Duration(a) * time.Minute), Silent: silent}
	if b <= daySpan {
		g.Until = h.From.Add(time.Duration(b) * time.Minute)
	}
	h.Gaps = append(h.Gaps, g)
}

// merge joins minutes since 1970 with minutes of the strip, ascending, each
// once.
func merge(beats []int64, ticks []int, first int64) []int64 {
	var out []int64
	i, j := 0, 0
	for i < len(beats) || j < len(ticks) {
		var m int64
		switch {
		case j == len(ticks) || i < len(beats) && beats[i] <= int64(ticks[j])+first:
			m = beats[i]
			i++
		default:
			m = int64(ticks[j]) + first
			j++
		}
		if m >= first && (len(out) == 0 || out[len(out)-1] != m) {
			out = append(out, m)
		}
	}
	return out
}

// Hours are the marks of the strip: every third full hour, with its place.
func (h History) Hours() []Hour {
	var out []Hour
	for t := h.From.Truncate(3 * time.Hour).Add(3 * time.Hour); !t.After(h.To); t = t.Add(3 * time.Hour) {
		out = append(out, Hour{int(t.Sub(h.From) / time.Minute), t.Format("15Z")})
	}
	return out
}

// Hour is one mark.
type Hour struct {
	X     int
	Label string
}
