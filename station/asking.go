package station

import "time"

// asking is when something was last asked for, and how long to wait before it
// is asked for again. The wait doubles, up to a minute, as long as nothing
// comes of it: what a member withholds must not fill the line for ever.
type asking struct {
	at, wait int64 // unix seconds, seconds
	got      uint64
}

const maxAskWait = 64

// passed reports whether a period is over since a time that the own clock told,
// in seconds. A clock that was set back has lost count: then it is over too.
func passed(since, now, period int64) bool { return now-since >= period || now < since }

// still reports whether a wait of a span goes on. A clock that was set back
// begins it anew: it does not know how long it has waited.
func (st *Station) still(until *time.Time, span time.Duration) bool {
	if until.Sub(st.now) > span {
		*until = st.now.Add(span)
	}
	return st.now.Before(*until)
}

// due reports whether it is time to ask, and counts that as asked. got is how
// much has come: when it grows the waiting begins anew. A clock that was set
// back does not make it wait.
func (a *asking) due(now int64, got uint64) bool {
	if a.got != got {
		*a = asking{at: a.at, got: got}
	}
	if a.at != 0 && !passed(a.at, now, max(a.wait, 1)) {
		return false
	}
	a.at, a.wait = now, min(max(2*a.wait, 1), maxAskWait)
	return true
}

// asks are the askings of one member, by log.
type asks map[*log]*asking

func (s asks) due(l *log, now int64) bool {
	a := s[l]
	if a == nil {
		a = &asking{}
		s[l] = a
	}
	if l.size() >= a.got+window/2 {
		a.at = 0 // a long log comes window by window, without a pause
	}
	return a.due(now, l.size())
}
