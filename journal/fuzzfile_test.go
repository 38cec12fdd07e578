package journal_test

import (
	"bytes"
	"slices"
	"testing"

	"parley"
	"parley/internal/mutate"
	"parley/journal"
	"parley/journal/journaltest"
)

// Whole files, below the layer of checksums: the harness computes them anew, and
// signs the end mark of a record as the exporter. The input's first byte says
// which section is changed, the rest is what stands there instead.

// fuzzSections changes one section of a file at a time; judge says what is
// wrong with a file's passing, if anything is.
func fuzzSections(f *testing.F, file []byte, join func(journal.FileKind, []journaltest.Section) []byte,
	verify func(b []byte, report func(journal.Finding)) error, judge func(*journal.Counts) string) {
	kind, secs := journaltest.Split(file)
	var in [][]byte
	for i, s := range secs[:len(secs)-1] {
		in = append(in, append([]byte{byte(i)}, s.Payload...))
	}
	mutate.FuzzSlow(f, in, 1, func(t testing.TB, b []byte) bool {
		if len(b) == 0 {
			return false
		}
		changed := slices.Clone(secs)
		i := int(b[0]) % (len(secs) - 1)
		if bytes.Equal(changed[i].Payload, b[1:]) {
			return false
		}
		changed[i].Payload = b[1:]
		var counts *journal.Counts
		err := verify(join(kind, changed), func(l journal.Finding) {
			if l.Counts != nil {
				counts = l.Counts
			}
		})
		if err != nil {
			if parley.CodeOf(err).Remedy() == "" {
				t.Errorf("%v has no code or no remedy", err)
			}
			return false
		}
		if why := judge(counts); why != "" {
			t.Errorf("section %d (%c) is %x, and the file passes: %s", i, secs[i].Tag, b[1:], why)
		}
		return true
	})
}

// An exporter who lies can leave out what it received, and nothing else: the
// record that passes shows no entry, opening or cosignature more, and the same
// entries.
func FuzzRecord(f *testing.F) {
	s := journaltest.NewSample()
	x := s.Export(1)
	x.Forks = []*journal.Fork{s.Routine.ForkOf(1, 3)}
	file := record(f, x)
	verify := func(b []byte, report func(journal.Finding)) error {
		return journal.VerifyRecord(bytes.NewReader(b), journal.Verify{}, report)
	}
	var want *journal.Counts
	if err := verify(file, func(l journal.Finding) { want = l.Counts }); err != nil {
		f.Fatal(err)
	}
	fuzzSections(f, file,
		func(k journal.FileKind, secs []journaltest.Section) []byte {
			return journaltest.Join(k, secs, s.Channel.ID, x.Key)
		}, verify,
		func(c *journal.Counts) string {
			switch {
			case c.Entries != want.Entries || c.Logs != want.Logs || c.Forks != want.Forks:
				return "other entries, logs or forks"
			case c.Opened > want.Opened || c.Receipts > want.Receipts || c.Seals > want.Seals || c.WitnessCosigs > want.WitnessCosigs:
				return "more openings or cosignatures than were made"
			case c.Malformed > want.Malformed || c.Witnessed > want.Witnessed:
				return "more entries malformed or witnessed than are"
			}
			return ""
		})
}

func never(*journal.Counts) string { return "nothing of it may be changed" }

func FuzzDisclosure(f *testing.F) {
	s := journaltest.NewSample()
	fuzzSections(f, disclosed(f, disclosure(f, s, 1)),
		func(k journal.FileKind, secs []journaltest.Section) []byte {
			return journaltest.Join(k, secs, s.Channel.ID, nil)
		},
		func(b []byte, report func(journal.Finding)) error {
			return journal.VerifyDisclosure(bytes.NewReader(b), journal.Verify{}, report)
		},
		// Whoever shows an entry chooses which receipts to show with it.
		func(c *journal.Counts) string {
			if c.Entries != 1 || c.Receipts > 2 || c.Witnessed > 1 {
				return "it shows more than there is"
			}
			return ""
		})
}

func FuzzForkFile(f *testing.F) {
	s := journaltest.NewSample()
	var b bytes.Buffer
	if err := journal.WriteFork(&b, s.Channel.Signed, nil, s.Routine.ForkOf(1, 3)); err != nil {
		f.Fatal(err)
	}
	fuzzSections(f, b.Bytes(),
		func(k journal.FileKind, secs []journaltest.Section) []byte {
			return journaltest.Join(k, secs, s.Channel.ID, nil)
		},
		func(b []byte, report func(journal.Finding)) error {
			return journal.VerifyFork(bytes.NewReader(b), journal.Verify{}, report)
		}, never)
}
