package journal_test

import (
	"bytes"
	"strings"
	"testing"

	"parley"
	"parley/journal"
	"parley/journal/journaltest"
)

// What follows a CLOSING is MALFORMED, every entry of it counts as such, and
// none has an effect: no OPENING opens, no second CLOSING is told of, and only
// the heads in seen are compared.
func TestAfterClosing(t *testing.T) {
	c, m := journaltest.New(2, 0, nil), &journaltest.Mem{}
	w := c.Writer(m, 1, parley.Flash, 1, &parley.Generation{})
	secret := journaltest.Text(parley.ToNobody, journaltest.Time, "a list")
	ref := w.Blind(secret)
	closing := &parley.Entry{Kind: parley.KindClosing, Time: journaltest.Time, Body: (&parley.Closing{Successor: parley.Hash{1}}).Encode()}
	w.Add(closing)
	w.Add(&parley.Entry{Kind: parley.KindOpening, Time: journaltest.Time, Body: (&parley.Opening{
		Ref: ref, Salt: journaltest.Salt(w.Log, ref.Index), Entry: secret.Encode()}).Encode()})
	w.Add(closing)
	far := w.Head()
	far.Size += 100
	w.Add(&parley.Entry{Kind: parley.KindClosing, Time: journaltest.Time, Body: (&parley.Closing{Finals: []parley.Head{far}}).Encode()})

	var b bytes.Buffer
	x := &journal.Export{Charter: c.Signed, Store: m, Exporter: 2, Key: c.Member(2).Keys.Rcpt, Time: journaltest.Time}
	if err := journal.WriteRecord(&b, x); err != nil {
		t.Fatal(err)
	}
	var counts *journal.Counts
	flags := 0
	err := journal.VerifyRecord(&b, journal.Verify{}, func(f journal.Finding) {
		if f.Counts != nil {
			counts = f.Counts
		}
		if f.Status == journal.Flagged && strings.Contains(f.Text, "after CLOSING") {
			flags++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if counts.Malformed != 3 || flags != 1 {
		t.Errorf("%d entries malformed in %d lines, want 3 in 1", counts.Malformed, flags)
	}
	if counts.Opened != 5 || counts.LogsShorter != 0 {
		t.Errorf("%d opened, %d logs shorter than cited; what follows CLOSING has an effect", counts.Opened, counts.LogsShorter)
	}
}
