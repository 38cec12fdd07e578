package journal_test

import (
	"bytes"
	"strings"
	"testing"

	"parley"
	"parley/journal"
	"parley/journal/journaltest"
)

func disclosure(t testing.TB, s *journaltest.Sample, index uint64) *journal.Disclosure {
	t.Helper()
	d, err := journal.NewDisclosure(&journal.Disclose{Charter: s.Channel.Signed, Keys: announced(s), Store: s.Store,
		Log: s.Flash.Log, Index: index, Head: s.Flash.SignHead()})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func disclosed(t testing.TB, d *journal.Disclosure) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := d.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func verifyDisclosure(b []byte, o journal.Verify) (string, error) {
	var out strings.Builder
	err := journal.VerifyDisclosure(bytes.NewReader(b), o, func(f journal.Finding) { out.WriteString(f.String() + "\n") })
	return out.String(), err
}

// One entry is shown under the head with most cosignatures, and a stranger
// learns by whom it was written, who says to hold it, and by when it existed.
func TestDisclosure(t *testing.T) {
	s := journaltest.NewSample()
	out, err := verifyDisclosure(disclosed(t, disclosure(t, s, 1)), journal.Verify{Channel: &s.Channel.ID})
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, out,
		"PROVED … 1/FLASH … entry 1: TEXT to all members stands at this place under a head of 2 entries, signed by india (member 1)",
		"PROVED … it existed by 2025-05-10 09:00:25Z: a quorum",
		"PROVED … receipt key of mediator (member 3) stated that it holds and has opened it",
		"CLAIMED … written 2025-05-10 09:00:10Z by the author's clock",
		`CLAIMED … its body of 36 bytes, as it stands:`,
		`"exercise: shells reported at grid 12"`,
		"NOT PROVED … no seal",
	)
	out, err = verifyDisclosure(disclosed(t, disclosure(t, s, 2)), journal.Verify{})
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, out,
		"SELF-ASSERTED … entry 2: TEXT to pakistan (member 2) stands at this place under a head of 5 entries",
		"PROVED … sealed by its author with ML-DSA-44",
		"NOT PROVED … when it existed",
	)
	if strings.Contains(out, "mediator (member 3) stated") {
		t.Error("a receipt over another head is counted")
	}
}

// A disclosure of what is not held, or not signed, is refused.
func TestDisclosureRefuses(t *testing.T) {
	s := journaltest.NewSample()
	x := journal.Disclose{Charter: s.Channel.Signed, Store: s.Store, Log: s.Flash.Log, Index: 3, Head: s.Flash.SignHead()}
	if _, err := journal.NewDisclosure(&x); parley.CodeOf(err) != journal.CodeNotHeld {
		t.Errorf("an entry that is not opened: %v", err)
	}
	x.Index, x.Size = 2, 2
	if _, err := journal.NewDisclosure(&x); parley.CodeOf(err) != journal.CodeNotHeld {
		t.Errorf("a head that does not contain the entry: %v", err)
	}
	x.Size = 4
	d, err := journal.NewDisclosure(&x)
	if err != nil || d.Proof.Checkpoint.Size != 4 || len(d.Proof.Checkpoint.Lines) != 1 {
		t.Errorf("a chosen size: %v", err)
	}
}

// Whoever can compute the file's checksums still cannot change what it says.
func TestDisclosureNamesTheBroken(t *testing.T) {
	s := journaltest.NewSample()
	file := disclosed(t, disclosure(t, s, 1))
	for _, c := range []struct {
		name     string
		tag      byte
		old, new string
		code     parley.Code
	}{
		{"another index", 'T', "index 1\n", "index 0\n", journal.CodeLeaf},
		{"a witness named otherwise", 'T', "— south ", "— sough ", journal.CodeReceipt},
		{"a witness under another's name", 'T', "— south ", "— north ", journal.CodeWitness},
		{"the quorum lowered", 'P', "group seen-by 2 ", "group seen-by 1 ", journal.CodePolicy},
		{"a space more", 'T', "index 1\n", "index 1 \n", journal.CodeProof},
		{"a zero more", 'T', "index 1\n", "index 01\n", parley.CodeNotCanonical},
		{"the head's size", 'T', "\n2\n", "\n3\n", journal.CodeHead},
	} {
		kind, secs := journaltest.Split(file)
		done := false
		for i := range secs {
			if secs[i].Tag == c.tag && bytes.Contains(secs[i].Payload, []byte(c.old)) {
				secs[i].Payload = bytes.Replace(secs[i].Payload, []byte(c.old), []byte(c.new), 1)
				done = true
			}
		}
		if !done {
			t.Fatalf("%s: nothing to change", c.name)
		}
		if _, err := verifyDisclosure(journaltest.Join(kind, secs, s.Channel.ID, nil), journal.Verify{}); parley.CodeOf(err) != c.code {
			t.Errorf("%s: got %v, want %s", c.name, err, c.code)
		}
	}
}

func TestDisclosureFlips(t *testing.T) {
	t.Parallel()
	c := journaltest.New(2, 1, nil)
	m := &journaltest.Mem{}
	w := c.Writer(m, 1, parley.Flash, 1, &parley.Generation{})
	w.Add(journaltest.Text(parley.ToAll, journaltest.Time, "exercise"))
	w.Receipt(2, journaltest.Time+1)
	w.Witness(0, journaltest.Time+2)
	d, err := journal.NewDisclosure(&journal.Disclose{Charter: c.Signed, Store: m, Log: w.Log, Index: 1, Head: w.SignHead()})
	if err != nil {
		t.Fatal(err)
	}
	file := disclosed(t, d)
	if _, err := verifyDisclosure(file, journal.Verify{}); err != nil {
		t.Fatal(err)
	}
	bits := bitsOf(file, 29)
	codes := flips(t, file, bits, func(b []byte) error { return journal.VerifyDisclosure(bytes.NewReader(b), journal.Verify{}, nil) })
	t.Logf("%d of %d bits tried: %v", len(bits), len(file)*8, codes)
}
