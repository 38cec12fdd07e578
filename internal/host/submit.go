package host

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"parley"
	"parley/internal/node"
	"parley/internal/witness"
	"parley/journal"
	"parley/station"
)

// submitter brings this party's heads to the charter's witnesses: all heads
// that grew, once every cadence. A witness that does not answer blocks nothing.
type submitter struct {
	h       *Host
	mu      sync.Mutex // one round at a time
	every   time.Duration
	clients []witnessAt
	before  parley.Gen // the own generation that the record held when it was opened
}

type witnessAt struct {
	name  string
	c     *witness.Client
	sizes map[parley.LogID]uint64 // what this witness has cosigned
	state string
}

func newSubmitter(h *Host) (*submitter, error) {
	s := &submitter{h: h, every: h.opts.Cadence}
	if s.every == 0 {
		s.every = time.Duration(h.charter.Rules.Heartbeat) * time.Second
	}
	var err error
	if s.before, err = genOf(h.store); err != nil {
		return nil, err
	}
	for _, name := range sorted(h.settings.Witnesses) {
		if !slices.ContainsFunc(h.charter.Witnesses, func(w parley.Witness) bool { return w.Name == name }) {
			return nil, parley.Errorf(CodeConfig, "the charter has no witness %q", name)
		}
		s.clients = append(s.clients, witnessAt{name: name, c: &witness.Client{URL: h.settings.Witnesses[name]}, sizes: map[parley.LogID]uint64{}})
	}
	for _, w := range h.charter.Witnesses {
		if h.settings.Witnesses[w.Name] == "" {
			h.opts.Log.Warn("no address of a witness that the charter names: it cannot cosign", "witness", w.Name)
		}
	}
	return s, nil
}

func (s *submitter) run(ctx context.Context) {
	t := time.NewTicker(s.every)
	defer t.Stop()
	for {
		s.round(ctx)
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// Submit brings all own heads to the witnesses now.
func (h *Host) Submit(ctx context.Context) { h.witness.round(ctx) }

func (s *submitter) round(ctx context.Context) {
	if len(s.clients) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var logs []station.LogStatus
	if err := s.h.Node.Do(ctx, func(v node.View) { logs = v.Station.Logs() }); err != nil {
		return
	}
	var wg sync.WaitGroup // one that hangs keeps no other waiting
	for i := range s.clients {
		wg.Go(func() { s.bring(ctx, &s.clients[i], logs) })
	}
	wg.Wait()
}

// bring takes to one witness what it has not cosigned, until it cannot be
// reached.
func (s *submitter) bring(ctx context.Context, w *witnessAt, logs []station.LogStatus) {
	for _, l := range logs {
		if l.Log.Party != s.h.me || !l.Current || l.Forked || w.sizes[l.Log] >= l.Signed.Size {
			continue
		}
		if err := s.submit(ctx, w, &l.Signed); parley.CodeOf(err) == witness.CodeUnreachable {
			return
		}
	}
}

// submit brings one head to one witness.
//
// A witness that names a greater size than this node's says that the record may
// be stale. It shows nothing for it, and over plain HTTP anybody can say so. Of
// a generation that the record held when it was opened it is believed, for the
// record may have been put back: that costs a new generation, once in a start.
// Of one that this process began itself nobody can know more.
func (s *submitter) submit(ctx context.Context, w *witnessAt, head *journal.SignedHead) error {
	origin := head.Log.Origin()
	note := journal.Checkpoint{Origin: origin, Size: head.Size, Root: head.Root,
		Lines: []journal.Line{journal.HeadLine(origin, s.h.Keys.Log.EdPublic(), head.Sig)}}
	lines, _, err := w.c.Submit(ctx, w.sizes[head.Log], head.Size, note.Encode(), func(old uint64) ([]parley.Hash, error) {
		return journal.ProveConsistency(old, head.Size, s.h.store.Hashes(head.Log))
	})
	var conflict *witness.Conflict
	if errors.As(err, &conflict) && conflict.HasSize && conflict.Size > head.Size {
		if head.Log.Gen != s.before {
			s.say(w, "it names more entries than this node has written in this generation: it or somebody on the way to it lies, or this directory runs twice")
			return err
		}
		s.h.Node.Feed(ctx, station.WitnessAhead{Log: head.Log, Size: conflict.Size})
		return err
	}
	if err != nil {
		s.say(w, err.Error())
		return err
	}
	good, _ := witness.Verify(s.h.charter, lines, origin, head.Size, head.Root)
	good = slices.DeleteFunc(good, func(c journal.Cosig) bool { return c.Name != w.name })
	if len(good) == 0 {
		s.say(w, "its cosignature does not verify against the charter's key")
		return nil
	}
	w.sizes[head.Log] = head.Size
	s.say(w, "")
	return s.h.Node.Feed(ctx, station.Witnessed{Cosigs: good})
}

// say logs a change of a witness's state, once.
func (s *submitter) say(w *witnessAt, state string) {
	if state == w.state {
		return
	}
	w.state = state
	if state == "" {
		s.h.opts.Log.Info("witness cosigns", "witness", w.name)
		return
	}
	s.h.opts.Log.Warn("witness does not cosign; entries stay RECEIVED, not WITNESSED", "witness", w.name, "why", state)
}
