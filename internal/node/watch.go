package node

import (
	"time"

	"parley"
	"parley/station"
)

// Event is something that an officer may watch: exactly one field besides At
// is set.
type Event struct {
	At      time.Time
	Posted  *parley.Posted
	Receipt *parley.Receipted
	Alarm   *station.Alarm
	Early   *station.Early
	Link    *Link
}

// Link tells that a connection came up or went down.
type Link struct {
	Party parley.Party
	Bulk  bool
	Up    bool
	Err   error
}

type watch struct {
	ch   chan Event
	lost int
}

// Watch returns a channel of events from now on, and a function that ends it.
// A watcher that does not keep up loses events, never the node time; it then
// looks at the record again.
func (n *Node) Watch(buffer int) (<-chan Event, func()) {
	w := &watch{ch: make(chan Event, buffer)}
	n.mu.Lock()
	n.watches[w] = struct{}{}
	n.mu.Unlock()
	return w.ch, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if _, ok := n.watches[w]; ok {
			delete(n.watches, w)
			close(w.ch)
		}
	}
}

func (n *Node) publish(e Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for w := range n.watches {
		select {
		case w.ch <- e:
		default:
			w.lost++
		}
	}
}

// Up, Down and Frame are the carrier's callbacks. Frame blocks while the loop
// is behind with that connection: that is the backpressure.
func (n *Node) Up(p parley.Party, bulk bool) {
	n.publish(Event{At: n.cfg.Now(), Link: &Link{Party: p, Bulk: bulk, Up: true}})
	n.inbox.put(p, bulk, item{event: station.Up{Peer: p, Bulk: bulk}})
}

func (n *Node) Down(p parley.Party, bulk bool, err error) {
	n.publish(Event{At: n.cfg.Now(), Link: &Link{Party: p, Bulk: bulk, Err: err}})
	n.inbox.put(p, bulk, item{event: station.Down{Peer: p, Bulk: bulk}})
}

func (n *Node) Frame(p parley.Party, bulk bool, frame []byte) {
	n.inbox.put(p, bulk, item{frame: frame})
}

// Refused is the carrier's word that somebody was not let in: it becomes an
// alarm where it concerns a member, since then a key, a charter or a second
// node of that member is the cause.
func (n *Node) Refused(p parley.Party, remote string, err error) {
	if n.cfg.Charter.Member(p) == nil {
		return
	}
	n.publish(Event{At: n.cfg.Now(), Alarm: &station.Alarm{Code: string(parley.CodeOf(err)), Party: p,
		Text: n.cfg.Charter.Member(p).Name + " was not let in from " + remote + ": " + err.Error()}})
}
