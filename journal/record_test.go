package journal_test

import (
	"bytes"
	"slices"
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

// verify returns the report as text, one line per finding.
func verify(b []byte, o journal.Verify) (string, *journal.Counts, error) {
	var out strings.Builder
	var n *journal.Counts
	err := journal.VerifyRecord(bytes.NewReader(b), o, func(f journal.Finding) {
		out.WriteString(f.String() + "\n")
		n = f.Counts
	})
	return out.String(), n, err
}

func wantLines(t *testing.T, out string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !slices.ContainsFunc(strings.Split(out, "\n"), func(l string) bool {
			for _, part := range strings.Split(w, " … ") {
				if !strings.Contains(l, part) {
					return false
				}
			}
			return true
		}) {
			t.Errorf("no line of the report says %q", w)
		}
	}
	if t.Failed() {
		t.Log("\n" + out)
	}
}

// A stranger reads from a file what is proved, by whom and not after when,
// what is only claimed, and what is missing.
func TestRecord(t *testing.T) {
	s := journaltest.NewSample()
	x := s.Export(1)
	x.Forks = []*journal.Fork{s.Routine.ForkOf(1, 3)}
	b := record(t, x)
	out, n, err := verify(b, journal.Verify{Channel: &s.Channel.ID, Entries: true})
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, out,
		"PROVED … 1/FLASH … india (member 1) signed these 7 entries, in this order and no other",
		"PROVED … 1/FLASH … sealed by its author with ML-DSA-44 up to entry 4",
		"PROVED … 1/FLASH … entries 0 to 1 existed by 2025-05-10 09:00:25Z: witnesses north, south",
		"NOT PROVED … 1/FLASH … the witness quorum did not see entries 2 to 6",
		"PROVED … 1/FLASH … receipt key of pakistan (member 2) stated that it holds entries 0 to 4",
		"CLAIMED … by the clock of pakistan (member 2); they do not say that a person read",
		"MISSING … 1/FLASH … not opened in this file, addressed to mediator (member 3): entry 3",
		"PROVED … 1/FLASH … entry 4: opened later by its author, in entry 1/FLASH",
		"FLAGGED … 1/FLASH … entry 6: MALFORMED: truncated",
		"CLAIMED … entry 2: written 2025-05-10 09:00:30Z by the author's clock; received 2025-05-10 09:00:55Z by the clock of pakistan",
		"PROVED … entry 1: TEXT to all members, written by india (member 1), not after 2025-05-10 09:00:25Z",
		"FLAGGED … 2/ROUTINE … entry 2: AFTER REVOCATION",
		"PROVED … 2/ROUTINE … signed these 2 entries … log key of serial 1",
		"FORK … 1/ROUTINE … india (member 1) signed two histories",
		"PROVED … 1/ROUTINE … the entries in this file are those of the head of size 2",
		"MISSING … 1/ROUTINE … the entries of the head of size 3 are not all in this file",
		"MISSING … 1/ROUTINE … the file holds 2 entries; a fork proof names a head of 3",
		"NOT PROVED … an exporter can leave out whatever nothing in the file cites",
	)
	want := journal.Counts{Exporter: 1, Logs: 4, Entries: 14, Opened: 13, Receipts: 7, Seals: 1, Witnessed: 2,
		WitnessCosigs: 3, Malformed: 1, Forks: 1, LogsShorter: 1}
	if *n != want {
		t.Errorf("counts %+v, want %+v", *n, want)
	}
	if strings.Contains(out, "SELF-ASSERTED") {
		t.Error("a channel that the caller named is called self-asserted")
	}
}

// Without a channel every line says that the file vouches for itself; with
// another channel the file is refused.
func TestRecordChannel(t *testing.T) {
	s := journaltest.NewSample()
	b := record(t, s.Export(2))
	out, _, err := verify(b, journal.Verify{})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range strings.Split(strings.TrimSpace(out), "\n") {
		if !strings.Contains(l, "SELF-ASSERTED") {
			t.Errorf("not marked: %s", l)
		}
	}
	if _, _, err := verify(b, journal.Verify{Channel: &parley.Hash{1}}); parley.CodeOf(err) != journal.CodeChannel {
		t.Errorf("another channel: %v", err)
	}
}

// A clock that says the cosignatures lie ahead of it makes them prove nothing.
func TestRecordFutureCosignatures(t *testing.T) {
	b := record(t, journaltest.NewSample().Export(1))
	out, n, err := verify(b, journal.Verify{Now: journaltest.Time - 3600})
	if err != nil {
		t.Fatal(err)
	}
	if n.Witnessed != 0 || n.Receipts != 0 {
		t.Errorf("cosignatures from the future prove something: %+v", n)
	}
	wantLines(t, out, "FLAGGED … 1/FLASH … are more than 30 s ahead of this machine's clock")
}

// A store that no longer holds what was signed is not exported.
func TestExportRefusesADamagedStore(t *testing.T) {
	c := journaltest.New(2, 0, nil)
	for name, damage := range map[string]func(*journal.Row){
		"an opening": func(r *journal.Row) { r.Content.Entry[len(r.Content.Entry)-1] ^= 1 },
		"a leaf":     func(r *journal.Row) { r.Content = nil; r.Leaf.Commit[0] ^= 1 },
	} {
		m := &journaltest.Mem{}
		w := c.Writer(m, 1, parley.Flash, 1, &parley.Generation{})
		w.Add(journaltest.Text(parley.ToAll, journaltest.Time, "exercise"))
		x := &journal.Export{Charter: c.Signed, Store: &spoiled{m, damage}, Exporter: 2, Key: c.Member(2).Keys.Rcpt}
		if err := journal.WriteRecord(&bytes.Buffer{}, x); parley.CodeOf(err) != journal.CodeDamaged {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// spoiled is a store of which row 1 is damaged.
type spoiled struct {
	*journaltest.Mem
	damage func(*journal.Row)
}

func (s *spoiled) Rows(id parley.LogID, from, to uint64, f func(*journal.Row) error) error {
	return s.Mem.Rows(id, from, to, func(r *journal.Row) error {
		if r.Index == 1 {
			s.damage(r)
		}
		return f(r)
	})
}

// Each thing that is broken is named as what it is, also by somebody who can
// compute the file's checksums, or who is the exporter.
func TestRecordNamesTheBroken(t *testing.T) {
	s := journaltest.NewSample()
	x := s.Export(1)
	x.Forks = []*journal.Fork{s.Routine.ForkOf(1, 3)}
	file := record(t, x)
	kind, sound := journaltest.Split(file)
	inv, err := journal.ParseInventory(sound[0].Payload[4 : len(sound[0].Payload)-66])
	if err != nil {
		t.Fatal(err)
	}
	index := func(secs []journaltest.Section, tag byte, n int) int {
		for i, s := range secs {
			if s.Tag == tag {
				if n == 0 {
					return i
				}
				n--
			}
		}
		t.Fatalf("no section %c", tag)
		return 0
	}
	flip := func(tag byte, n, back int) func([]journaltest.Section) []journaltest.Section {
		return func(secs []journaltest.Section) []journaltest.Section {
			p := secs[index(secs, tag, n)].Payload
			if back < 0 {
				back += len(p)
			}
			p[back] ^= 1
			return secs
		}
	}
	drop := func(tag byte, n int) func([]journaltest.Section) []journaltest.Section {
		return func(secs []journaltest.Section) []journaltest.Section {
			i := index(secs, tag, n)
			return slices.Delete(secs, i, i+1)
		}
	}
	relist := func(edit func(*journal.Inventory)) func([]journaltest.Section) []journaltest.Section {
		return func(secs []journaltest.Section) []journaltest.Section {
			v := *inv
			v.Logs, v.Forks = slices.Clone(v.Logs), slices.Clone(v.Forks)
			edit(&v)
			secs[0] = journaltest.SignInventory(&v, x.Key)
			return secs
		}
	}
	for _, c := range []struct {
		name string
		edit func([]journaltest.Section) []journaltest.Section
		code parley.Code
		says string
	}{
		{"nothing", func(s []journaltest.Section) []journaltest.Section { return s }, "", ""},
		{"inventory's signature", flip('I', 0, -1), journal.CodeInventory, "member 1 did not sign"},
		{"charter's signature", flip('C', 0, -1), parley.CodeSignature, "section 1"},
		{"root's signature on new keys", flip('K', 0, -1), journal.CodeRootKeys, "member 2"},
		{"new keys left out", drop('K', 0), journal.CodeHead, "member 2 did not sign the head of size 2"},
		{"author's signature", flip('L', 0, -1), journal.CodeHead, "size 7 of log 1/FLASH"},
		{"a receipt", flip('S', 1, -1), journal.CodeReceipt, "receipt of member 2 over the first 2 entries of log 1/ROUTINE"},
		{"the last witness", flip('S', 0, -1), journal.CodeWitness, "witness south over the first 5 entries of log 1/FLASH"},
		{"an opened text", flip('E', 0, 200), journal.CodeLeaf, "entry 1"},
		{"a fork proof", flip('F', 0, -1), journal.CodeInventory, "is not the one that the inventory lists"},
		{"a fork left out", drop('F', 0), journal.CodeInventory, "lists 1 forks"},
		{"a log left out", func(secs []journaltest.Section) []journaltest.Section {
			i := index(secs, 'L', 1)
			return slices.Delete(secs, i, index(secs, 'L', 2))
		}, journal.CodeInventory, "where the inventory lists log 1/ROUTINE"},
		{"receipts left out", drop('S', 0), "", ""},
		{"entries left out", drop('E', 1), journal.CodeSection, "log 1/ROUTINE"},
		{"a log that the inventory does not list", relist(func(v *journal.Inventory) { v.Logs = v.Logs[1:] }), journal.CodeInventory, "1/FLASH"},
		{"an older head in the inventory", relist(func(v *journal.Inventory) { v.Logs[0].Size-- }), journal.CodeInventory, "lists another of size 6"},
		{"another root in the inventory", relist(func(v *journal.Inventory) { v.Logs[0].Root[0]++ }), journal.CodeInventory, "lists another of size 7"},
		{"another channel in the inventory", relist(func(v *journal.Inventory) { v.Channel[0]++ }), journal.CodeInventory, "of channel"},
		{"another exporter", relist(func(v *journal.Inventory) { v.Exporter = 3 }), journal.CodeInventory, "member 3 did not sign"},
		{"no end mark", drop('Z', 0), parley.CodeTruncated, "before its end mark"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, secs := journaltest.Split(file)
			_, _, err := verify(journaltest.Join(kind, c.edit(secs), s.Channel.ID, x.Key), journal.Verify{})
			if parley.CodeOf(err) != c.code || c.code != "" && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %s: … %s", err, c.code, c.says)
			}
		})
	}
	// Without the exporter's key even a change that breaks nothing is found.
	_, secs := journaltest.Split(file)
	if _, _, err := verify(journaltest.Join(kind, drop('S', 0)(secs), s.Channel.ID, nil), journal.Verify{}); parley.CodeOf(err) != journal.CodeEndMark {
		t.Errorf("receipts left out by a stranger: %v", err)
	}
	if _, _, err := verify(append(bytes.Clone(file), 0), journal.Verify{}); parley.CodeOf(err) != parley.CodeTrailing {
		t.Errorf("a byte after the end: %v", err)
	}
}

// A leaf that nobody opened is found by the root, and the cosignatures narrow
// down where it stands.
func TestRecordWrongLeaf(t *testing.T) {
	s := journaltest.NewSample()
	file := record(t, s.Export(1))
	kind, secs := journaltest.Split(file)
	i := slices.IndexFunc(secs, func(s journaltest.Section) bool { return s.Tag == 'E' })
	row, err := s.Store.Row(s.Flash.Log, 3)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(secs[i].Payload, row.Leaf.Commit[:])
	secs[i].Payload[at] ^= 1
	_, _, err = verify(journaltest.Join(kind, secs, s.Channel.ID, s.Export(1).Key), journal.Verify{})
	if parley.CodeOf(err) != journal.CodeRoot || !strings.Contains(err.Error(), "log 1/FLASH") || !strings.Contains(err.Error(), "between 2 and 4") {
		t.Errorf("a wrong leaf: %v", err)
	}
}

// What the exporter leaves out is reported when anything in the file names it.
func TestRecordMissing(t *testing.T) {
	c := journaltest.New(3, 0, nil)
	full, part := &journaltest.Mem{}, &journaltest.Mem{}
	first := &parley.Generation{}
	flash := c.Writer(full, 1, parley.Flash, 1, first)
	flash.Add(journaltest.Text(parley.ToAll, journaltest.Time, "one"))
	other := c.Writer(full, 3, parley.Routine, 1, first)

	// part holds one entry of member 1's log less, and nothing of member 3's.
	shorter := c.Writer(part, 1, parley.Flash, 1, first)
	answer := c.Writer(part, 2, parley.Flash, 1, first)
	wrong := shorter.Head()
	wrong.Root[0] ^= 1
	answer.Add(journaltest.Text(parley.ToAll, journaltest.Time+1, "seen both", flash.Head(), other.Head()))
	answer.Add(journaltest.Text(parley.ToAll, journaltest.Time+2, "seen otherwise", wrong))
	out, n, err := verify(record(t, &journal.Export{Charter: c.Signed, Store: part, Exporter: 2, Key: c.Member(2).Keys.Rcpt}), journal.Verify{})
	if err != nil {
		t.Fatal(err)
	}
	if n.LogsShorter != 1 || n.LogsAbsent != 1 {
		t.Errorf("counts %+v", n)
	}
	wantLines(t, out,
		"MISSING … 1/FLASH … the file holds 1 entries; entry 1 of log 2/FLASH … names a head of 2",
		"MISSING … 3/ROUTINE … this log is not in the file; entry 1 of log 2/FLASH",
		"FLAGGED … 2/FLASH … entry 2: DISPUTED CITATION",
	)
}
