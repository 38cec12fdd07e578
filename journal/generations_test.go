package journal_test

import (
	"strings"
	"testing"

	"parley"
	"parley/journal"
	"parley/journal/journaltest"
)

// scene writes logs of member 1 in three-member channels, and reads what a
// stranger is told of them.
type scene struct {
	t *testing.T
	c *journaltest.Channel
	m *journaltest.Mem
}

func newScene(t *testing.T) *scene {
	return &scene{t, journaltest.New(3, 0, nil), &journaltest.Mem{}}
}

func (s *scene) report() string {
	s.t.Helper()
	out, _, err := verify(record(s.t, &journal.Export{Charter: s.c.Signed, Store: s.m, Exporter: 3, Key: s.c.Member(3).Keys.Rcpt}), journal.Verify{})
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// generation n of member 1 in a lane, naming earlier ones; root says that its
// lane ROUTINE carries new keys of serial n.
func (s *scene) generation(lane parley.Lane, n int, root bool, last []parley.Head, prev ...int) *journaltest.Writer {
	g := &parley.Generation{Last: last}
	for _, p := range prev {
		g.Prev = append(g.Prev, s.c.Gen(1, p))
	}
	if root && lane == parley.Routine {
		g.RootKeys = s.c.Member(1).RootKeys(s.c.ID, s.c.Gen(1, n), s.c.Member(1).NodeKeys(uint64(n)).Public)
		return s.c.Writer(s.m, 1, lane, n, g)
	}
	w := s.c.Writer(s.m, 1, lane, n, nil)
	if root {
		w.Keys = s.c.Member(1).NodeKeys(uint64(n))
	}
	w.Add(&parley.Entry{Kind: parley.KindGeneration, Body: g.Encode()})
	return w
}

func text(w *journaltest.Writer, n int) {
	for range n {
		w.Add(journaltest.Text(parley.ToAll, journaltest.Time, "exercise"))
	}
}

// Entries beyond what the next generation cites are in force and flagged; if
// the root signed that generation they are revoked, but for what another
// member had receipted.
func TestStandings(t *testing.T) {
	for _, root := range []bool{false, true} {
		s := newScene(t)
		flash := s.generation(parley.Flash, 1, false, nil)
		text(flash, 2)
		cited := flash.Head()
		text(flash, 1)
		flash.Receipt(2, journaltest.Time)
		text(flash, 2)
		lane2 := s.generation(parley.Priority, 1, false, nil)
		s.generation(parley.Routine, 2, root, []parley.Head{cited}, 1)
		s.generation(parley.Flash, 2, root, []parley.Head{cited}, 1)
		out := s.report()
		if root {
			wantLines(t, out,
				"1/FLASH … entry 3: SENT BEFORE THE BREAK",
				"1/FLASH … entries 4 to 5: AFTER REVOCATION",
				"1/PRIORITY … entry 0: AFTER REVOCATION")
		} else {
			wantLines(t, out,
				"1/FLASH … entries 3 to 5: SENT BEFORE THE BREAK",
				"1/PRIORITY … entry 0: SENT BEFORE THE BREAK")
		}
		if lane2.Size() != 1 || strings.Contains(out, "entries 0 to 2: ") {
			t.Error("what the next generation cites is flagged")
		}
	}
}

// A generation under the old key that the new root-signed one does not reach
// is revoked as a whole; one that it reaches through another is not.
func TestRevokedGenerations(t *testing.T) {
	s := newScene(t)
	first := s.generation(parley.Flash, 1, false, nil)
	second := s.generation(parley.Flash, 2, false, []parley.Head{first.Head()}, 1)
	s.generation(parley.Routine, 4, true, []parley.Head{second.Head()}, 2)
	thief := s.generation(parley.Flash, 3, false, []parley.Head{first.Head()}, 1)
	text(thief, 3)
	out := s.report()
	wantLines(t, out, "1/FLASH/"+thief.Log.Gen.String()+" … entries 0 to 3: AFTER REVOCATION")
	for _, w := range []*journaltest.Writer{first, second} {
		if strings.Contains(out, w.Log.String()+": entry 0: AFTER REVOCATION") {
			t.Errorf("generation %s is reached and revoked", w.Log.Gen)
		}
	}
	// Two unsigned generations follow the first: the party ran twice.
	wantLines(t, out, "FLAGGED … member 1 runs twice")
}

// Two generations without a predecessor mean a party that runs twice, until a
// third names both.
func TestRunsTwice(t *testing.T) {
	s := newScene(t)
	a := s.generation(parley.Flash, 1, false, nil)
	b := s.generation(parley.Flash, 2, false, nil)
	wantLines(t, s.report(), "FLAGGED … member 1 runs twice")
	both := &parley.Generation{Last: []parley.Head{a.Head(), b.Head()}, Reason: parley.ReasonMerge}
	both.Prev = []parley.Gen{a.Log.Gen, b.Log.Gen}
	if string(both.Prev[0][:]) > string(both.Prev[1][:]) {
		both.Prev[0], both.Prev[1] = both.Prev[1], both.Prev[0]
		both.Last[0], both.Last[1] = both.Last[1], both.Last[0]
	}
	s.c.Writer(s.m, 1, parley.Flash, 3, both)
	if out := s.report(); strings.Contains(out, "runs twice") {
		t.Errorf("a generation names both and the party still runs twice:\n%s", out)
	}
}

// What entries say of other entries is checked: a closing is the last word, a
// NOTICE accuses only with a proof, KEYS count only with their own signature.
func TestEntriesWithConsequences(t *testing.T) {
	s := newScene(t)
	w := s.generation(parley.Routine, 1, false, nil)
	keys := s.c.KeysEntry(w)
	w.Add(keys)
	w.Add(keys) // signed for the place before
	notice := func(evidence []byte) *parley.Entry {
		return &parley.Entry{Kind: parley.KindNotice, Body: (&parley.Notice{Code: parley.NoticeFork, Evidence: evidence}).Encode()}
	}
	other := s.c.Writer(s.m, 2, parley.Routine, 1, &parley.Generation{})
	w.Add(notice(other.ForkOf(0, 1).Encode()))
	w.Add(notice([]byte("he lied")))
	w.Add(&parley.Entry{Kind: parley.KindClosing, Body: (&parley.Closing{}).Encode()})
	text(w, 1)
	out := s.report()
	wantLines(t, out,
		"FLAGGED … 1/ROUTINE … entry 2: MALFORMED: bad-signature",
		"FORK … 2/ROUTINE … pakistan (member 2) signed two histories … the proof stands in a NOTICE",
		"FLAGGED … 1/ROUTINE … entry 4: a NOTICE of a fork whose evidence proves nothing",
		"FLAGGED … 1/ROUTINE … entry 6: MALFORMED: entry 6 after CLOSING")
	if strings.Contains(out, "entry 1: MALFORMED") {
		t.Error("KEYS at their own place are called malformed")
	}
}

// The first receipt of each member that covers an entry is found, whatever
// the order, and its author's own cosignature is none.
func TestReceipts(t *testing.T) {
	c := journaltest.New(3, 0, nil)
	log := c.Log(1, parley.Flash, 1)
	cosig := func(p parley.Party, size, at uint64) journal.Cosig {
		return journal.Cosig{Log: log, Size: size, Name: journal.ReceiptName(c.ID, p), Cosignature: journal.Cosignature{Time: at}}
	}
	all := []journal.Cosig{cosig(2, 9, 90), cosig(2, 5, 50), cosig(2, 5, 70), cosig(3, 4, 10), cosig(1, 9, 1), cosig(3, 9, 0)}
	got := journal.Receipts(c.Charter, log, all, 4)
	if len(got) != 1 || got[0] != (journal.Receipt{By: 2, Time: 50}) {
		t.Errorf("receipts over entry 4: %v", got)
	}
	if got := journal.Receipts(c.Charter, log, all, 3); len(got) != 2 || got[1] != (journal.Receipt{By: 3, Time: 10}) {
		t.Errorf("receipts over entry 3: %v", got)
	}
}
