package console

import (
	"time"

	"parley"
	"parley/hotline"
)

// History is the last day of one member's proofs of life, drawn as a strip of
// 1440 minutes with a table beside it.
type History struct {
	Name    string
	From    time.Time
	To      time.Time
	Began   time.Time // since when this console watched; before it only entries are known
	Unseen  int       // minutes of the strip before that
	Spans   []Span    // in which proofs came in time, one after the other
	Ticks   []int     // minutes with an entry on the line
	Gaps    []Gap     // without a proof in time, newest first
	Entries int       // on the line
}

// Span is a stretch of the strip, in minutes from its begin.
type Span struct{ X, Width int }

// Gap is a time without a proof. Until is zero if it lasts.
type Gap struct{ From, Until time.Time }

// historyTicks is how many entries on a line the strip draws.
const historyTicks = 1000

// history draws the proofs of one member on a line. beats are minutes with a
// sign of the member's node; rest is the longest silence that is none.
func history(d *hotline.Desk, line uint8, p parley.Party, name string, beats []int64, began, now time.Time, rest time.Duration) History {
	to := now.UTC().Truncate(time.Minute)
	h := History{Name: name, To: to, From: to.Add(-daySpan * time.Minute), Began: began.UTC()}
	first := h.From.Unix() / 60
	for _, t := range d.Heard(line, p, uint64(max(h.From.Unix(), 0)), historyTicks) {
		if x := int(int64(t)/60 - first); x >= 0 && x <= daySpan && (len(h.Ticks) == 0 || h.Ticks[len(h.Ticks)-1] != x) {
			h.Ticks = append(h.Ticks, x)
		}
		h.Entries++
	}
	h.Unseen = min(max(int(began.Unix()/60-first), 0), daySpan)
	near := max(int64(rest/time.Minute)+1, 2)
	all := merge(beats, h.Ticks, first)
	for i, m := range all {
		if i > 0 && m-all[i-1] <= near {
			last := &h.Spans[len(h.Spans)-1]
			last.Width = int(m-first) + 1 - last.X
			continue
		}
		if i > 0 && all[i-1]-first >= int64(h.Unseen) {
			h.Gaps = append(h.Gaps, Gap{time.Unix(all[i-1]*60, 0).UTC(), time.Unix(m*60, 0).UTC()})
		}
		h.Spans = append(h.Spans, Span{int(m - first), 1})
	}
	last := max(began.Unix()/60, first)
	if len(all) > 0 {
		last = max(all[len(all)-1], last)
	}
	if to.Unix()/60-last > near {
		h.Gaps = append(h.Gaps, Gap{From: time.Unix(last*60, 0).UTC()})
	}
	for i, j := 0, len(h.Gaps)-1; i < j; i, j = i+1, j-1 {
		h.Gaps[i], h.Gaps[j] = h.Gaps[j], h.Gaps[i]
	}
	return h
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
