package spec

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley"
	"parley/internal/mutate"
	"parley/journal"
	"parley/journal/journaltest"
)

// world draws a record whose keys the harness has: everything in it is signed,
// so that what is wrong with it lies deep. Its members write, in several
// generations, entries that are right, at the wrong place, malformed, or about
// things that are not so.
type world struct {
	*mutate.Mutator
	c       *journaltest.Channel
	store   *journaltest.Mem
	writers []*journaltest.Writer
	secrets []secret
	forks   []*journal.Fork
	serials map[parley.Party]uint64
}

type secret struct {
	ref   parley.Ref
	entry *parley.Entry
	salt  parley.Hash
}

func newWorld(seed uint64, c *journaltest.Channel) *world {
	w := &world{Mutator: mutate.New(seed, nil), c: c, store: &journaltest.Mem{}, serials: map[parley.Party]uint64{}}
	for range 1 + w.Intn(4) {
		w.generation(parley.Party(1 + w.Intn(3)))
	}
	for range 3 + w.Intn(12) {
		w.write(w.writers[w.Intn(len(w.writers))])
	}
	if w.Intn(3) == 0 {
		x := w.writers[w.Intn(len(w.writers))]
		w.forks = append(w.forks, x.ForkOf(uint64(w.Intn(int(x.Size()))), x.Size()+uint64(w.Intn(3))))
	}
	return w
}

// some is true once in n.
func (w *world) some(n int) bool { return w.Intn(n) == 0 }

// generation starts one to three logs of a new generation.
func (w *world) generation(p parley.Party) {
	n := len(w.writers) + 1
	g := &parley.Generation{Reason: parley.ReasonFirst}
	for _, x := range w.writers {
		if x.Log.Party == p && !w.some(4) && !slices.Contains(g.Prev, x.Log.Gen) {
			g.Prev = append(g.Prev, x.Log.Gen)
		}
		if x.Log.Party == p && !w.some(3) {
			h := x.Head()
			h.Size -= uint64(w.Intn(int(min(h.Size, 3))))
			g.Last = append(g.Last, h)
		}
	}
	slices.SortFunc(g.Prev, func(a, b parley.Gen) int { return bytes.Compare(a[:], b[:]) })
	slices.SortFunc(g.Last, parley.CompareLog)
	lanes := []parley.Lane{parley.Routine, parley.Flash, parley.Priority}
	if w.some(3) {
		w.serials[p]++
		keys := w.c.Member(p).NodeKeys(w.serials[p])
		g.RootKeys = w.c.Member(p).RootKeys(w.c.ID, w.c.Gen(p, n), keys.Public)
		if w.some(6) { // of another generation: no change of keys
			g.RootKeys = w.c.Member(p).RootKeys(w.c.ID, parley.Gen{9}, keys.Public)
		}
	}
	var keys *journaltest.NodeKeys
	for _, lane := range lanes[:1+w.Intn(3)] {
		first := *g
		if lane != parley.Routine && !w.some(10) {
			first.RootKeys = nil
		}
		if w.some(12) {
			first.Prev = nil
		}
		x := w.c.Writer(w.store, p, lane, n, nil)
		if keys == nil {
			k := x.Keys
			if g.RootKeys != nil {
				k = w.c.Member(p).NodeKeys(g.RootKeys.Serial)
			}
			keys = &k
		}
		x.Keys = *keys
		x.Add(&parley.Entry{Kind: parley.KindGeneration, Time: journaltest.Time, Body: first.Encode()})
		w.writers = append(w.writers, x)
	}
}

// write appends an entry and, often, cosignatures.
func (w *world) write(x *journaltest.Writer) {
	e := w.entry(x)
	encoded := e.Encode()
	if w.some(6) {
		encoded = w.Change(encoded)
	}
	if w.some(12) {
		e.To = parley.Audience(w.Intn(40))
	}
	salt := journaltest.Salt(x.Log, x.Size())
	at := x.AddRaw(e.To, &journal.Content{Salt: salt, Entry: encoded}, !w.some(5) || e.Kind.Clear())
	if e.To == parley.ToNobody {
		w.secrets = append(w.secrets, secret{at, e, salt})
	}
	t := uint64(journaltest.Time + w.Intn(5000))
	for w.some(2) {
		t += uint64(w.Intn(3)) // a repeat now and then
		switch by := parley.Party(1 + w.Intn(3)); w.Intn(8) {
		case 0:
			x.Seal(t)
		case 1:
			x.WitnessPQ(w.Intn(2), t)
		case 2, 3, 4:
			x.Witness(w.Intn(2), t)
		default:
			if by != x.Log.Party {
				x.Receipt(by, t)
			}
		}
	}
}

// head is somebody's head, often as it is.
func (w *world) head() parley.Head {
	h := w.writers[w.Intn(len(w.writers))].Head()
	switch w.Intn(6) {
	case 0:
		h.Root[0] ^= 1
	case 1:
		h.Size += uint64(w.Intn(3))
	case 2:
		h.Lane = parley.Deferred
	}
	return h
}

func (w *world) ref() parley.Ref {
	x := w.writers[w.Intn(len(w.writers))]
	i := uint64(w.Intn(int(x.Size())))
	row, err := x.Store.Row(x.Log, i)
	r := parley.Ref{Party: x.Log.Party, Lane: x.Log.Lane, Gen: x.Log.Gen, Index: i + uint64(w.Intn(8)/7)}
	if err == nil && !w.some(6) {
		r.Leaf = row.Leaf.Hash()
	}
	return r
}

func (w *world) entry(x *journaltest.Writer) *parley.Entry {
	e := &parley.Entry{Kind: parley.KindText, Time: journaltest.Time + x.Size(), Body: []byte("text")}
	for w.some(3) && len(e.Seen) < 3 {
		e.Seen = append(e.Seen, w.head())
	}
	slices.SortFunc(e.Seen, parley.CompareLog)
	e.Seen = slices.CompactFunc(e.Seen, func(a, b parley.Head) bool { return parley.CompareLog(a, b) == 0 })
	switch w.Intn(14) {
	case 0:
		e.Kind, e.Body = parley.KindList, (&parley.List{Ref: new(w.ref()), Items: []string{"a"}}).Encode()
	case 1, 2:
		e.To = parley.ToNobody
	case 3:
		if len(w.secrets) > 0 {
			s := w.secrets[w.Intn(len(w.secrets))]
			o := &parley.Opening{Ref: s.ref, Salt: s.salt, Entry: s.entry.Encode()}
			if w.some(4) {
				o.Salt[0] ^= 1
			}
			e.Kind, e.Body = parley.KindOpening, o.Encode()
		}
	case 4:
		k := w.c.KeysEntry(x)
		e.Kind, e.Body = k.Kind, k.Body
	case 5:
		n := &parley.Notice{Code: parley.NoticeFork}
		if len(w.forks) > 0 && w.some(2) {
			n.Evidence = w.forks[w.Intn(len(w.forks))].Encode()
		} else if !w.some(3) {
			y := w.writers[w.Intn(len(w.writers))]
			n.Evidence = y.ForkOf(0, y.Size()).Encode()
		}
		e.Kind, e.Body = parley.KindNotice, n.Encode()
	case 6:
		if w.some(2) {
			c := &parley.Closing{Successor: parley.Hash{1}, Finals: []parley.Head{w.head()}}
			e.Kind, e.Body = parley.KindClosing, c.Encode()
		}
	case 7:
		m := w.c.Member(x.Log.Party)
		rk := m.RootKeys(w.c.ID, x.Log.Gen, m.NodeKeys(w.serials[m.Index]).Public)
		e.Kind, e.Body = parley.KindRootKeys, parley.AppendRootKeys(nil, rk)
	case 8:
		e.Kind, e.Body = parley.KindGeneration, (&parley.Generation{}).Encode()
	case 9:
		e.To = parley.AudienceOf(parley.Party(1+w.Intn(3)), parley.Party(1+w.Intn(4)))
	}
	return e
}

// file is an export of the world, an entry disclosed or a fork proved; sometimes
// with a section changed and all that a liar can compute and the exporter can
// sign made anew.
func (w *world) file() []byte {
	var b bytes.Buffer
	by := parley.Party(1 + w.Intn(3))
	key := w.c.Member(by).Keys.Rcpt
	x := &journal.Export{Charter: w.c.Signed, Store: w.store, Forks: w.forks, Exporter: by, Key: key, Time: journaltest.Time + 9000}
	var err error
	switch w.Intn(8) {
	case 0, 1:
		err = w.disclosed(&b)
	case 2:
		err = w.proved(&b)
	default:
		err = journal.WriteRecord(&b, x)
	}
	if err != nil || b.Len() == 0 {
		return nil
	}
	if w.some(2) {
		return b.Bytes()
	}
	return w.spoilt(b.Bytes(), key)
}

// known are the changes of keys that a writer of a small file shows, most often
// all.
func (w *world) known() []*journal.Announced {
	keys, err := journal.FindRootKeys(w.store, w.c.Charter, w.c.ID)
	if err != nil {
		panic(err)
	}
	if w.some(6) {
		keys = keys[:w.Intn(len(keys)+1)]
	}
	return keys
}

func (w *world) disclosed(b *bytes.Buffer) error {
	x := w.writers[w.Intn(len(w.writers))]
	d, err := journal.NewDisclosure(&journal.Disclose{Charter: w.c.Signed, Keys: w.known(), Store: w.store, Log: x.Log,
		Index: uint64(w.Intn(int(x.Size()))), Head: x.SignHead()})
	if err != nil {
		return err
	}
	return d.Write(b)
}

func (w *world) proved(b *bytes.Buffer) error {
	x := w.writers[w.Intn(len(w.writers))]
	return journal.WriteFork(b, w.c.Signed, w.known(), x.ForkOf(uint64(w.Intn(int(x.Size()))), x.Size()+uint64(w.Intn(3))))
}

// spoilt is a file with its sections out of order, or one of them changed.
func (w *world) spoilt(b []byte, key ed25519.PrivateKey) []byte {
	kind, secs := journaltest.Split(b)
	i := w.Intn(len(secs) - 1)
	switch w.Intn(6) {
	case 0:
		secs = slices.Delete(secs, i, i+1)
	case 1:
		secs = slices.Insert(secs, i, secs[w.Intn(len(secs)-1)])
	case 2:
		j := w.Intn(len(secs) - 1)
		secs[i], secs[j] = secs[j], secs[i]
	default:
		secs[i].Payload = w.Change(secs[i].Payload)
	}
	if i := slices.IndexFunc(secs, func(s journaltest.Section) bool { return s.Tag == 'I' }); i >= 0 && w.some(2) {
		if d := parley.NewDecoder(secs[i].Payload, 1); d.Array(2, 2) == 2 {
			if v, err := journal.ParseInventory(d.Bytes(1, 1<<20)); err == nil {
				secs[i] = journaltest.SignInventory(v, key)
			}
		}
	}
	if kind != journal.FileRecord {
		key = nil
	}
	out := journaltest.Join(kind, secs, w.c.ID, key)
	if w.some(8) {
		out = w.Bytes(out)
	}
	return out
}

// said is what this implementation says of a sound record, in the other's words.
func said(b []byte, channel parley.Hash) (counts *journal.Counts, marks []string, err error) {
	err = journal.VerifyRecord(bytes.NewReader(b), journal.Verify{Channel: &channel}, func(f journal.Finding) {
		if f.Counts != nil {
			counts = f.Counts
		}
		if f.Status != journal.Flagged {
			return
		}
		switch {
		case f.Entry != nil && strings.Contains(f.Text, "after CLOSING"):
			marks = append(marks, ranged(f.Log.Origin(), strings.TrimPrefix(f.Text, "MALFORMED: ")+": MALFORMED"))
		case f.Entry != nil && strings.HasPrefix(f.Text, "a NOTICE"):
			marks = append(marks, fmt.Sprintf("%s %d HOLLOW NOTICE", f.Log.Origin(), *f.Entry))
		case f.Entry != nil:
			name, _, _ := strings.Cut(f.Text, ":")
			marks = append(marks, fmt.Sprintf("%s %d %s", f.Log.Origin(), *f.Entry, name))
		case f.Log != nil:
			marks = append(marks, ranged(f.Log.Origin(), f.Text))
		default:
			m := regexp.MustCompile(`^(member \d+) runs twice: generations (\S+) and (\S+) `).FindStringSubmatch(f.Text)
			marks = append(marks, fmt.Sprintf("%s RUNS TWICE %s %s", m[1], m[2], m[3]))
		}
	})
	slices.Sort(marks)
	return counts, slices.Compact(marks), err
}

var rangeText = regexp.MustCompile(`^(?:entry (\d+)|entries (\d+) to (\d+)).*?: ([A-Z ]+)`)

func ranged(origin, text string) string {
	m := rangeText.FindStringSubmatch(text)
	if m == nil {
		return origin + " " + text
	}
	from, to := m[2], m[3]
	if m[1] != "" {
		from, to = m[1], m[1]
	}
	var last int
	fmt.Sscan(to, &last)
	return fmt.Sprintf("%s %s-%d %s", origin, from, last+1, strings.TrimSpace(m[4]))
}

// Records of drawn worlds: the same verdict, the same counts, the same marks.
func TestSecondRecords(t *testing.T) {
	n, seed := dose(t, 3000) // a record takes as long as twenty vectors
	n /= 20
	s := startSecond(t)
	c := journaltest.New(3, 2, nil)
	sound, differences, outcomes := 0, 0, map[string]int{}
	for i := range n {
		b := newWorld(seed<<32+uint64(i), c).file()
		if b == nil {
			continue
		}
		v := &Vector{Page: "disclosure", Name: fmt.Sprintf("world %d of seed %d", i, seed), Params: map[string]string{"op": "file", "channel": hex.EncodeToString(c.ID[:])}, Input: b}
		a, err := s.ask(v)
		if err != nil {
			t.Fatal(err)
		}
		code, err := first(v)
		var counts *journal.Counts
		var marks []string
		if kind, ok := journal.KindOf(b); ok && kind == journal.FileRecord {
			counts, marks, _ = said(b, c.ID)
		}
		outcomes[code]++
		why := ""
		if a.Code != code {
			why = fmt.Sprintf("this says %s (%v), the second verifier %s", code, err, a.Code)
		} else if code == "ok" && counts != nil {
			sound++
			why = unlike(counts, marks, a.Counts)
		}
		if why != "" {
			differences++
			t.Errorf("%s: %s\n%s", v.Name, why, kept(t, v, code, differences))
			if differences == 5 {
				t.Fatal("five differences; the rest is not tried")
			}
		}
		progress(t, i, n, differences)
	}
	t.Logf("%d records, %d of them sound, %d differences; outcomes: %v", n, sound, differences, outcomes)
	if n >= 150 && sound < n/6 {
		t.Errorf("only %d of %d records are sound; what sound ones say was hardly compared", sound, n)
	}
}

// unlike says where two reports of one sound record differ.
func unlike(counts *journal.Counts, marks []string, second map[string]any) string {
	theirs := second["counts"].(map[string]any)
	for name, n := range map[string]uint64{
		"exporter": uint64(counts.Exporter), "logs": counts.Logs, "entries": counts.Entries, "opened": counts.Opened,
		"receipts": counts.Receipts, "seals": counts.Seals, "witnessed": counts.Witnessed,
		"witness_cosignatures": counts.WitnessCosigs, "malformed": counts.Malformed, "forks": counts.Forks,
		"logs_absent": counts.LogsAbsent, "logs_shorter": counts.LogsShorter,
	} {
		if theirs[name] != float64(n) {
			return fmt.Sprintf("this counts %d %s, the second verifier %v", n, name, theirs[name])
		}
	}
	var other []string
	for _, m := range second["marks"].([]any) {
		other = append(other, m.(string))
	}
	slices.Sort(other)
	if !slices.Equal(marks, other) {
		only := func(a, b []string) []string {
			return slices.DeleteFunc(slices.Clone(a), func(x string) bool { return slices.Contains(b, x) })
		}
		return fmt.Sprintf("marks: only here %q, only there %q", only(marks, other), only(other, marks))
	}
	return ""
}
