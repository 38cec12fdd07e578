package host

import (
	"context"
	"io"
	"time"

	"parley"
	"parley/internal/node"
	"parley/journal"
	"parley/station"
)

// Forks lists the proofs of forks that this party keeps.
func (h *Host) Forks() ([]*journal.Fork, error) {
	var fs []*journal.Fork
	err := h.store.Values("fork", func(_ string, v []byte) error {
		f, err := journal.ParseFork(v)
		if err == nil {
			fs = append(fs, f)
		}
		return err
	})
	return fs, err
}

// Announced lists every statement of new node keys in the record.
func (h *Host) Announced() ([]*journal.Announced, error) {
	return journal.FindRootKeys(h.store, h.charter, h.Signed.Channel())
}

// settled waits until the start-up is over: before it, the newest own entries
// have no signed head to show.
func (h *Host) settled(ctx context.Context) error {
	for {
		ready := false
		if err := h.Node.Do(ctx, func(v node.View) { ready = v.Station.Ready() }); err != nil || ready {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Export seals the own heads and writes the whole record as a file that
// anybody can verify.
func (h *Host) Export(ctx context.Context, w io.Writer) error {
	if err := h.settled(ctx); err != nil {
		return err
	}
	if err := h.Node.Feed(ctx, station.SealNow{}); err != nil {
		return err
	}
	forks, err := h.Forks()
	if err != nil {
		return err
	}
	return journal.WriteRecord(w, &journal.Export{Charter: h.Signed, Store: h.store, Forks: forks, Exporter: h.me,
		Key: h.Keys.Rcpt.Ed, Time: uint64(max(h.opts.Now().Unix(), 0))})
}

// Disclose writes one entry with its proofs. members names whose receipts to
// show; nil shows all.
func (h *Host) Disclose(ctx context.Context, w io.Writer, ref parley.Ref, members []parley.Party) error {
	if err := h.settled(ctx); err != nil {
		return err
	}
	if err := h.Node.Feed(ctx, station.SealNow{}); err != nil {
		return err
	}
	id := ref.Log(h.Signed.Channel())
	var head journal.SignedHead
	if err := h.Node.Do(ctx, func(v node.View) {
		for _, l := range v.Station.Logs() {
			if l.Log == id {
				head = l.Signed
			}
		}
	}); err != nil {
		return err
	}
	keys, err := h.Announced()
	if err != nil {
		return err
	}
	d, err := journal.NewDisclosure(&journal.Disclose{Charter: h.Signed, Keys: keys, Store: h.store, Log: id, Index: ref.Index, Head: head, Members: members})
	if err != nil {
		return err
	}
	return d.Write(w)
}

// WriteFork writes the proof that the author of a log signed two histories, as
// a file that convinces a stranger.
func (h *Host) WriteFork(w io.Writer, log parley.LogID) error {
	forks, err := h.Forks()
	if err != nil {
		return err
	}
	keys, err := h.Announced()
	if err != nil {
		return err
	}
	for _, f := range forks {
		if f.Log == log {
			return journal.WriteFork(w, h.Signed, keys, f)
		}
	}
	return parley.Errorf(journal.CodeNotHeld, "there is no proof of a fork of %s here", log)
}
