package journal

import (
	"fmt"
	"slices"

	"parley"
)

// What can be said only when the whole record was read: citations, openings
// of earlier commitments, and what the generations say of each other.

// citation is a cite with the log that it stands in.
type citation struct {
	cite
	from *logCheck
}

// cited is the greatest size of a log that anything in the file names.
type cited struct {
	size uint64
	by   string
}

// conclusions is what the whole record tells.
type conclusions struct {
	logs    map[parley.LogID]*logCheck
	greater map[parley.LogID]*cited // only logs that are absent or shorter
	twice   []string                // parties with two open generations
	forks   []*Fork                 // proved by NOTICEs and not among the file's own
	hollow  []citation              // NOTICEs "fork" that prove nothing
	beyond  int                     // citations that the file cannot answer
}

func (v *verifier) conclude() *conclusions {
	v.closeLogs()
	c := &conclusions{logs: map[parley.LogID]*logCheck{}, greater: map[parley.LogID]*cited{}}
	for _, l := range v.logs {
		c.logs[l.log] = l
		c.name(l.known, v.keys.Channel, "the inventory")
	}
	for _, f := range v.forks {
		c.name(parley.Head{Party: f.Log.Party, Lane: f.Log.Lane, Gen: f.Log.Gen, Size: f.B.Size}, f.Log.Channel, "a fork proof")
	}
	v.checkCitations(c)
	v.checkEvents(c)
	for _, m := range v.charter.Members {
		v.checkGenerations(c, m.Index)
	}
	return c
}

// closeLogs marks what follows a CLOSING as MALFORMED, and takes its effect away.
func (v *verifier) closeLogs() {
	for _, l := range v.logs {
		i := slices.IndexFunc(l.events, func(e event) bool { return e.close })
		if i < 0 || l.events[i].index+1 >= l.head.Size {
			continue
		}
		l.closed = l.events[i].index + 1
		l.events = l.events[:i+1]
		l.flags = slices.DeleteFunc(l.flags, func(f flag) bool { return f.index >= l.closed })
		l.flags = append(l.flags, flag{l.closed, parley.Malformed,
			fmt.Sprintf("%s after CLOSING, the author's last word in this lane", entries(l.closed, l.head.Size))})
	}
	v.cites = slices.DeleteFunc(v.cites, func(c citation) bool {
		return c.inBody && c.from.closed > 0 && c.by >= c.from.closed
	})
}

// name notes that somebody names a head which the file may not hold.
func (c *conclusions) name(h parley.Head, ch parley.Hash, by string) {
	log := h.Log(ch)
	if l := c.logs[log]; l != nil && l.head.Size >= h.Size {
		return
	}
	if g := c.greater[log]; g == nil || g.size < h.Size {
		c.greater[log] = &cited{h.Size, by}
	}
}

// checkCitations compares every cited head and reference with the file.
func (v *verifier) checkCitations(c *conclusions) {
	type verdict struct{ beyond, wrong bool }
	verdicts := make([]verdict, len(v.cites))
	var jobs []func()
	const part = 1024
	for from := 0; from < len(v.cites); from += part {
		jobs = append(jobs, func() {
			for i := from; i < min(from+part, len(v.cites)); i++ {
				x := &v.cites[i]
				l := c.logs[x.head.Log(v.keys.Channel)]
				switch {
				case l == nil || l.head.Size < x.head.Size:
					verdicts[i].beyond = true
				case x.isRef:
					verdicts[i].wrong = l.leafHash(x.head.Size-1) != x.head.Root
				default:
					verdicts[i].wrong = l.rootAt(x.head.Size) != x.head.Root
				}
			}
		})
	}
	v.run(jobs)
	for i, d := range verdicts {
		x := &v.cites[i]
		switch {
		case d.beyond:
			c.beyond++
			c.name(x.head, v.keys.Channel, fmt.Sprintf("entry %d of log %s", x.by, x.from.log))
		case d.wrong:
			x.from.flags = append(x.from.flags, flag{x.by, parley.DisputedCitation,
				fmt.Sprintf("it cites log %s at size %d with content that is not in this file", x.head.Log(v.keys.Channel), x.head.Size)})
		}
	}
}

// checkEvents follows openings, closings and notices.
func (v *verifier) checkEvents(c *conclusions) {
	for _, l := range v.logs {
		for _, ev := range l.events {
			switch {
			case ev.open != nil:
				r := ev.open.Ref
				at := c.logs[r.Log(v.keys.Channel)]
				if at == nil || r.Index >= at.head.Size || at.leafHash(r.Index) != r.Leaf {
					continue
				}
				if at.later == nil {
					at.later = map[uint64]parley.Ref{}
				}
				at.later[r.Index] = parley.Ref{Party: l.log.Party, Lane: l.log.Lane, Gen: l.log.Gen, Index: ev.index}
			case ev.fork != nil:
				f, err := ParseFork(ev.fork)
				if err == nil {
					err = v.keys.VerifyFork(f)
				}
				if err != nil {
					c.hollow = append(c.hollow, citation{cite{by: ev.index}, l})
					continue
				}
				same := func(o *Fork) bool { return string(o.Encode()) == string(ev.fork) }
				if !slices.ContainsFunc(v.forks, same) && !slices.ContainsFunc(c.forks, same) {
					c.forks = append(c.forks, f)
				}
			}
		}
		slices.SortStableFunc(l.flags, func(a, b flag) int {
			switch {
			case a.index < b.index:
				return -1
			case a.index > b.index:
				return 1
			}
			return 0
		})
	}
}
