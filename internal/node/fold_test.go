package node

import (
	"testing"
	"time"

	"parley"
	"parley/hotline"
	"parley/journal"
	"parley/journal/journaltest"
	"parley/seal"
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
	n, err := New(Config{Charter: ch.Charter, Me: 1, Keys: keys, Store: s, Now: func() time.Time { return time.Unix(9010, 0) }}, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, ok := n.docket.Hotline.Message(first)
	if !ok {
		t.Fatal("the message is not there")
	}
	if got := m.Addressees[0].Received.Time; got != 1005 {
		t.Errorf("received at %d, not at 1005", got)
	}
}
