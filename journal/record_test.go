package journal_test

import (
	"bytes"
	"strings"
	"testing"

	"parley"
	"parley/journal"
	"parley/journal/journaltest"
)

func record(t testing.TB, x *journal.Export) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := journal.WriteRecord(&b, x); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func verify(b []byte, o journal.Verify) (string, *journal.Counts, error) {
	var out strings.Builder
	var n *journal.Counts
	err := journal.VerifyRecord(bytes.NewReader(b), o, func(f journal.Finding) {
		out.WriteString(f.String() + "\n")
		n = f.Counts
	})
	return out.String(), n, err
}

func TestRecord(t *testing.T) {
	s := journaltest.NewSample()
	x := s.Export(1)
	x.Forks = []*journal.Fork{s.Routine.ForkOf(1, 3)}
	b := record(t, x)
	out, n, err := verify(b, journal.Verify{Channel: &s.Channel.ID, Entries: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes\n%s", len(b), out)
	_ = n
	_ = parley.ToAll
}
