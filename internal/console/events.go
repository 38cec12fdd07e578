package console

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/node"
	"parley/release"
)

// Names of what may have changed. A page lists those that concern it, and its
// script fetches the page's part again; the stream itself carries no content.
const (
	changedRecord = "record" // an entry or a receipt that is not a heartbeat
	changedStrip  = "strip"  // anything the strip shows
	changedLinks  = "links"
	changedDrafts = "drafts"
	changedPeople = "people"
)

const (
	maxStreams = 64                     // at once, of all officers
	perPerson  = 8                      // at once, of one
	usualBeat  = 5 * time.Second        // between signs of life on a stream
	gather     = 250 * time.Millisecond // changes within it are told together
	writeTime  = 10 * time.Second       // a browser that takes longer is dropped
)

// hub tells streams what changed. Names are gathered in a set, so a slow
// browser costs a few bytes, whatever happens meanwhile.
type hub struct {
	mu      sync.Mutex
	changes uint64
	streams map[*stream]struct{}
}

type stream struct {
	person string
	names  map[string]bool
	wake   chan struct{}
}

func newHub() *hub { return &hub{streams: map[*stream]struct{}{}} }

// count is how many changes there were.
func (h *hub) count() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.changes
}

func (h *hub) tell(names ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.changes++
	for st := range h.streams {
		for _, n := range names {
			st.names[n] = true
		}
		select {
		case st.wake <- struct{}{}:
		default:
		}
	}
}

func (h *hub) open(person string) (*stream, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for st := range h.streams {
		if st.person == person {
			n++
		}
	}
	if len(h.streams) >= maxStreams || n >= perPerson {
		return nil, parley.Errorf(CodeTooMany, "too many pages are open")
	}
	st := &stream{person, map[string]bool{}, make(chan struct{}, 1)}
	h.streams[st] = struct{}{}
	return st, nil
}

func (h *hub) close(st *stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.streams, st)
}

// take empties the set.
func (h *hub) take(st *stream) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	names := slices.Sorted(maps.Keys(st.names))
	clear(st.names)
	return names
}

// events is the stream of one browser: names of what changed, and a sign of
// life with the node's time. It ends with the session, and a browser that does
// not read is dropped.
func (s *Server) events(w http.ResponseWriter, q *request) error {
	st, err := s.hub.open(q.person.ID)
	if err != nil {
		return err
	}
	defer s.hub.close(st)
	rc := http.NewResponseController(w)
	rc.SetReadDeadline(time.Time{}) // the server's deadline is for requests, not for streams
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	send := func(format string, args ...any) bool {
		rc.SetWriteDeadline(time.Now().Add(writeTime))
		_, err := fmt.Fprintf(w, format, args...)
		return err == nil && rc.Flush() == nil
	}
	beats := time.NewTicker(s.beat)
	defer beats.Stop()
	alive := func() bool { return send("event: beat\ndata: %d\n\n", s.cfg.Now().UnixMilli()) }
	for ok := alive(); ok; {
		select {
		case <-q.Context().Done():
			return nil
		case <-s.cfg.Host.Node.Done():
			return nil
		case <-beats.C:
			if p, err := s.personOf(q); err != nil || p == nil {
				send("event: ended\ndata: session\n\n")
				return nil
			}
			ok = alive()
		case <-st.wake:
			select {
			case <-time.After(gather):
			case <-q.Context().Done():
				return nil
			}
			if names := s.hub.take(st); len(names) > 0 {
				ok = send("event: change\ndata: %s\n\n", strings.Join(names, " "))
			}
		}
	}
	return nil
}

// watching is how often the console notes that it listens; a minute is the
// measure of the history.
const watching = 20 * time.Second

// follow turns what happens at the node into names, and keeps the history of
// proofs.
func (s *Server) follow(ctx context.Context) {
	events, stop := s.cfg.Host.Node.Watch(1024)
	defer stop()
	again := time.NewTicker(watching)
	defer again.Stop()
	for {
		s.pulse.watch(s.cfg.Now())
		select {
		case <-ctx.Done():
			return
		case <-again.C:
		case e, ok := <-events:
			if !ok {
				return
			}
			s.happened(ctx, e)
		}
	}
}

func (s *Server) happened(ctx context.Context, e node.Event) {
	me := s.cfg.Host.Me()
	switch {
	case e.Posted != nil:
		s.pulse.heard(e.Posted.Ref.Party, e.At, e.Posted.Entry.Time)
		if e.Posted.Entry.Kind == release.KindRoster && e.Posted.Ref.Party == me {
			s.rosterChanged(ctx)
		}
		if hotline.Owns(e.Posted.Entry.Kind) || e.Posted.Entry.Kind >= 32 {
			s.hub.tell(changedRecord, changedStrip)
		} else {
			s.hub.tell(changedStrip)
		}
	case e.Receipt != nil:
		s.pulse.heard(e.Receipt.By, e.At, e.Receipt.Time)
		switch {
		case e.Receipt.Head.Party == me && e.Receipt.By != me:
			s.hub.tell(changedRecord, changedStrip)
		case e.Receipt.By != me:
			s.hub.tell(changedStrip)
		}
	case e.Link != nil:
		s.hub.tell(changedLinks, changedStrip)
	case e.Alarm != nil:
		s.alarms.add(s.cfg.Host.Charter(), e)
		s.hub.tell(changedLinks, changedStrip)
	case e.Early != nil:
		s.hub.tell(changedRecord, changedStrip)
	}
}

// rosterChanged tells the book of a roster that has just been posted.
func (s *Server) rosterChanged(ctx context.Context) {
	var err error
	if derr := s.cfg.Host.Node.Do(ctx, func(v node.View) { err = s.noteRoster(v) }); derr == nil && err != nil {
		s.cfg.Log.Error("console: the book did not take the roster", "err", err)
	}
	s.hub.tell(changedPeople, changedStrip)
}
