package node

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"parley"
	"parley/hotline"
	"parley/journal"
	"parley/journal/journaltest"
	"parley/seal"
	"parley/station"
)

// Since when a member holds a message is the same after a restart: the first
// receipt that covers it, not the newest.
func TestRestartKeepsWhenAMessageWasReceived(t *testing.T) {
	ch := journaltest.New(2, 0, nil)
	s := &journaltest.Mem{}
	w := ch.Writer(s, 1, parley.Flash, 0, &parley.Generation{})
	text := func(t uint64, s string) *parley.Entry {
		return &parley.Entry{Kind: parley.KindText, Time: t, Body: (&hotline.Text{Type: hotline.Test, Text: s}).Encode()}
	}
	first := w.Add(text(1000, "first"))
	early := w.Receipt(2, 1005)
	w.Add(text(9000, "much later"))
	late := w.Receipt(2, 9005)
	if err := s.Commit(&journal.Batch{Heads: []journal.SignedHead{w.SignHead()}, Cosigs: []journal.Cosig{early, late}}); err != nil {
		t.Fatal(err)
	}
	k := ch.Member(1).Keys
	keys := &seal.Node{Log: seal.Signer{Ed: k.Log, PQ: k.LogPQ}, Rcpt: seal.Signer{Ed: k.Rcpt, PQ: k.RcptPQ}, TLS: k.TLS}
	n, err := New(Config{Charter: ch.Charter, Me: 1, Keys: keys, Store: s, Rand: rand.Reader, Now: func() time.Time { return time.Unix(9010, 0) }}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx, nobody{}) }()
	if err := n.Do(ctx, func(v View) {
		m, ok := v.Docket.Hotline.Message(first)
		if !ok {
			t.Error("the message is not there")
		} else if got := m.Addressees[0].Received.Time; got != 1005 {
			t.Errorf("received at %d, not at 1005", got)
		}
	}); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// nobody is a line on which nobody is connected.
type nobody struct{}

func (nobody) Send(parley.Party, bool, ...[]byte) bool { return false }

// slow is a store whose rows take until go is closed.
type slow struct {
	*journaltest.Mem
	goOn chan struct{}
}

func (s slow) Rows(l parley.LogID, from, to uint64, f func(*journal.Row) error) error {
	<-s.goOn
	return s.Mem.Rows(l, from, to, f)
}

// While the desks read a long record the node serves its peers; a draft waits
// for the desks, is checked by them, and nothing that happened meanwhile is
// missing.
func TestNodeRunsWhileTheDesksRead(t *testing.T) {
	ch := journaltest.New(2, 0, nil)
	mem := &journaltest.Mem{}
	w := ch.Writer(mem, 2, parley.Flash, 0, &parley.Generation{})
	old := w.Add(&parley.Entry{Kind: parley.KindText, Time: 1000, Body: (&hotline.Text{Type: hotline.Test, Text: "old"}).Encode()})
	if err := mem.Commit(&journal.Batch{Heads: []journal.SignedHead{w.SignHead()}}); err != nil {
		t.Fatal(err)
	}
	s := slow{mem, make(chan struct{})}
	k := ch.Member(1).Keys
	keys := &seal.Node{Log: seal.Signer{Ed: k.Log, PQ: k.LogPQ}, Rcpt: seal.Signer{Ed: k.Rcpt, PQ: k.RcptPQ}, TLS: k.TLS}
	n, err := New(Config{Charter: ch.Charter, Me: 1, Keys: keys, Store: s, Rand: rand.Reader}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx, nobody{}) }()
	// Served: the new generation is written before the desks have read a row.
	if err := n.Feed(ctx, station.Renew{Reason: parley.ReasonRestored}); err != nil {
		t.Fatal(err)
	}
	posted := make(chan error, 1)
	go func() {
		_, err := n.Post(ctx, hotline.Draft(&hotline.Answer{About: old, Code: hotline.Opened}, parley.Flash, parley.ToAll))
		posted <- err
	}()
	select {
	case err := <-posted:
		t.Fatalf("a draft was judged before the desks knew the record: %v", err)
	case <-time.After(50 * time.Millisecond): // it may only not have come yet; then the test proves less
	}
	close(s.goOn)
	if err := <-posted; err != nil {
		t.Errorf("the answer: %v", err)
	}
	if err := n.Do(ctx, func(v View) {
		if m, ok := v.Docket.Hotline.Message(old); !ok || len(m.Responses) != 1 {
			t.Errorf("the desks know %v of the old message", m)
		}
	}); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
