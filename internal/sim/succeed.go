package sim

import (
	"time"

	"parley"
	"parley/station"
)

// succeed ends the channel in favour of a successor whose charter names the
// heads that all accept as final, and works there for a while.
func (w *World) succeed() {
	if len(w.plan.Hostile) > 0 {
		return // its members would have to agree with the hostile one
	}
	var finals []parley.Head
	for _, l := range w.nodes[0].st.Logs() {
		if l.Head.Size > 0 && len(finals) < parley.MaxHeads {
			finals = append(finals, l.Head)
		}
	}
	next := w.plan.channel(w.ch, finals)
	w.stats.add("successor charter", 1)
	w.say("the channel ends; its successor is %s", next.ID.Short())
	for _, n := range w.nodes {
		n.feed(station.Close{Successor: next.ID, Finals: finals})
	}
	w.run(time.Second)
	w.heal()
	for range 60 { // a disk may be busy with it for most of a minute
		if n, _ := w.unclosed(); n == nil {
			break
		}
		w.run(time.Second)
	}
	if n, log := w.unclosed(); n != nil {
		w.fail("%s holds %s open after the channel ended", n, log)
	}
	w.build(next)
	w.work(10 * time.Second)
	w.heal()
}

// unclosed is a log that its author could still write to, nil if all are closed.
func (w *World) unclosed() (*node, parley.LogID) {
	for _, n := range w.nodes {
		for _, l := range n.st.Logs() {
			if l.Current && !l.Closed {
				return n, l.Log
			}
		}
	}
	return nil, parley.LogID{}
}
