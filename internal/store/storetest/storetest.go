// Package storetest is the suite that every journal.Store must pass. It uses
// nothing but the contract.
//
//	storetest.Run(t, open, reopen)
package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"parley"
	"parley/journal"
)

// Run runs the suite. open makes a new, empty store; reopen ends a store and
// opens the same record again, and is nil for a store that lives in memory
// only. Both end their stores with the test.
func Run(t *testing.T, open func(t *testing.T) journal.Store, reopen func(t *testing.T, s journal.Store) journal.Store) {
	isDurable := reopen != nil
	if !isDurable {
		reopen = func(t *testing.T, s journal.Store) journal.Store { return s }
	}
	for _, c := range []struct {
		name string
		test func(t *testing.T, s journal.Store, reopen func(journal.Store) journal.Store)
	}{
		{"Empty", empty},
		{"Durable", durable},
		{"Conflict", conflict},
		{"ConflictInside", conflictInside},
		{"Opened", opened},
		{"NewestHead", newestHead},
		{"Cosigs", cosigs},
		{"Values", values},
		{"OddNames", oddNames},
		{"Rows", rows},
		{"Hashes", hashes},
		{"LargeBatch", largeBatch},
		{"ManyLogs", manyLogs},
		{"Readers", readers},
		{"CallsInside", callsInside},
		{"Closed", closed},
	} {
		if !isDurable && c.name == "Closed" {
			continue // ending a store in memory is nothing
		}
		t.Run(c.name, func(t *testing.T) {
			c.test(t, open(t), func(s journal.Store) journal.Store { return reopen(t, s) })
		})
	}
}

func commit(t *testing.T, s journal.Store, b journal.Batch) {
	t.Helper()
	if err := s.Commit(&b); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v\nwant %+v", got, want)
	}
}

func wantCode(t *testing.T, err error, code parley.Code) {
	t.Helper()
	if parley.CodeOf(err) != code {
		t.Fatalf("error %v, want code %s", err, code)
	}
}

// state is the committed state of one log; the zero state if there is none.
func state(t *testing.T, s journal.Store, l parley.LogID) journal.LogState {
	t.Helper()
	states, err := s.Logs()
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range states {
		if st.Log == l {
			return st
		}
	}
	return journal.LogState{}
}

func allRows(t *testing.T, s journal.Store, l parley.LogID, from, to uint64) []journal.Row {
	t.Helper()
	var rs []journal.Row
	if err := s.Rows(l, from, to, func(r *journal.Row) error { rs = append(rs, *r); return nil }); err != nil {
		t.Fatal(err)
	}
	return rs
}

func allValues(t *testing.T, s journal.Store, space string) (kv []string) {
	t.Helper()
	err := s.Values(space, func(k string, v []byte) error {
		if v == nil {
			t.Errorf("the value of %q is nil", k)
		}
		kv = append(kv, k, string(v))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return kv
}

func allCosigs(t *testing.T, s journal.Store, l parley.LogID, from uint64) []journal.Cosig {
	t.Helper()
	cs, err := s.Cosigs(l, from)
	if err != nil {
		t.Fatal(err)
	}
	if from == 0 { // one by one they are the same
		var each []journal.Cosig
		if err := s.EachCosig(l, func(c *journal.Cosig) error { each = append(each, *c); return nil }); err != nil {
			t.Fatal(err)
		}
		want(t, each, cs)
	}
	return cs
}

func empty(t *testing.T, s journal.Store, reopen func(journal.Store) journal.Store) {
	for range 2 {
		commit(t, s, journal.Batch{})
		states, err := s.Logs()
		if err != nil || len(states) != 0 {
			t.Errorf("an empty store has logs %v (%v)", states, err)
		}
		l := NewLog(0).ID
		_, err = s.Row(l, 0)
		wantCode(t, err, journal.CodeNotHeld)
		_, err = s.Hashes(l).ReadHashes([]int64{0})
		if err == nil {
			t.Error("an empty log has a hash")
		}
		wantCode(t, s.Rows(l, 0, 10, func(*journal.Row) error { return nil }), journal.CodeNotHeld)
		if len(allRows(t, s, l, 0, 0)) != 0 || len(allCosigs(t, s, l, 0)) != 0 || len(allValues(t, s, "x")) != 0 {
			t.Error("an empty store has something")
		}
		s = reopen(s)
	}
}

// durable: everything that a batch may hold comes back as it went in, before
// and after the store is opened again.
func durable(t *testing.T, s journal.Store, reopen func(journal.Store) journal.Store) {
	l := NewLog(1)
	in := []journal.Row{l.Next("first"), l.Blind("second"), l.Next("")}
	in[2].Sig = nil
	head := l.Head()
	cosig := journal.Cosig{Log: l.ID, Size: 3, Name: "w", Cosignature: journal.Cosignature{Time: 9, Sig: signature("c", 9)}}
	commit(t, s, journal.Batch{
		Rows: in, Heads: []journal.SignedHead{head}, Cosigs: []journal.Cosig{cosig},
		Puts: []journal.Put{{Space: "a", Key: "k", Value: []byte("v")}, {Space: "a", Key: "s", Value: []byte("hidden"), Secret: true}},
	})
	for range 2 {
		want(t, state(t, s, l.ID), journal.LogState{Log: l.ID, Size: 3, Head: &head, Newest: []journal.Cosig{cosig}})
		got := allRows(t, s, l.ID, 0, 3)
		if len(got) == 3 && got[2].Content != nil && len(got[2].Content.Entry) == 0 {
			got[2].Content.Entry = in[2].Content.Entry // nil and empty are one
		}
		want(t, got, in)
		one, err := s.Row(l.ID, 1)
		if err != nil {
			t.Fatal(err)
		}
		want(t, *one, in[1])
		want(t, allCosigs(t, s, l.ID, 0), []journal.Cosig{cosig})
		want(t, allValues(t, s, "a"), []string{"k", "v", "s", "hidden"})
		s = reopen(s)
	}
	commit(t, s, journal.Batch{Rows: []journal.Row{l.Next("after")}})
	want(t, state(t, s, l.ID).Size, uint64(4))
}

// conflict: a batch that does not fit changes nothing, and the store goes on.
func conflict(t *testing.T, s journal.Store, reopen func(journal.Store) journal.Store) {
	l, other := NewLog(1), NewLog(2)
	commit(t, s, journal.Batch{Rows: []journal.Row{l.Next("0"), l.Next("1")}})
	ahead := *l
	ahead.Next("2")
	for name, bad := range map[string]journal.Row{
		"again": allRows(t, s, l.ID, 1, 2)[0],
		"gap":   ahead.Next("3"),
		"new":   ahead.Next("4"), // of a log that begins in the middle
	} {
		if name == "new" {
			bad.Log = NewLog(3).ID
		}
		fresh := *other
		err := s.Commit(&journal.Batch{
			Rows:   []journal.Row{fresh.Next("x"), bad},
			Heads:  []journal.SignedHead{fresh.Head()},
			Cosigs: []journal.Cosig{{Log: l.ID, Size: 1, Name: "w", Cosignature: journal.Cosignature{Time: 1, Sig: []byte("c")}}},
			Puts:   []journal.Put{{Space: "a", Key: "k", Value: []byte("v")}},
		})
		wantCode(t, err, journal.CodeConflict)
	}
	for range 2 {
		states, err := s.Logs()
		if err != nil {
			t.Fatal(err)
		}
		want(t, states, []journal.LogState{{Log: l.ID, Size: 2}})
		if len(allCosigs(t, s, l.ID, 0)) != 0 || len(allValues(t, s, "a")) != 0 {
			t.Fatal("a refused batch left something")
		}
		s = reopen(s)
	}
	commit(t, s, journal.Batch{Rows: []journal.Row{l.Next("2")}})
}

// conflictInside: the rows of one batch must follow each other.
func conflictInside(t *testing.T, s journal.Store, _ func(journal.Store) journal.Store) {
	l := NewLog(1)
	a, b := l.Next("0"), l.Next("1")
	wantCode(t, s.Commit(&journal.Batch{Rows: []journal.Row{b, a}}), journal.CodeConflict)
	wantCode(t, s.Commit(&journal.Batch{Rows: []journal.Row{a, a}}), journal.CodeConflict)
	want(t, state(t, s, l.ID), journal.LogState{})
	commit(t, s, journal.Batch{Rows: []journal.Row{a, b}})
}

// opened: content that arrives later stands in the row; nothing else changes.
func opened(t *testing.T, s journal.Store, reopen func(journal.Store) journal.Store) {
	l := NewLog(1)
	in := []journal.Row{l.Blind("zero"), l.Blind("one")}
	commit(t, s, journal.Batch{Rows: in})
	// Also of a row of the same batch.
	in = append(in, l.Blind("two"))
	commit(t, s, journal.Batch{Rows: in[2:], Opened: []journal.Opened{l.Opened(1, "one"), l.Opened(2, "two")}})
	for i, text := range []string{"", "one", "two"} {
		if text != "" {
			o := l.Opened(uint64(i), text)
			in[i].Content, in[i].Standing = &o.Content, o.Standing
		}
	}
	for range 2 {
		want(t, allRows(t, s, l.ID, 0, 3), in)
		s = reopen(s)
	}
	commit(t, s, journal.Batch{Opened: []journal.Opened{l.Opened(1, "one")}})
	want(t, allRows(t, s, l.ID, 0, 3), in)
}

// newestHead: a smaller head does not replace a greater one.
func newestHead(t *testing.T, s journal.Store, reopen func(journal.Store) journal.Store) {
	l := NewLog(1)
	rows := []journal.Row{l.Next("0")}
	first := l.Head()
	rows = append(rows, l.Next("1"))
	second := l.Head()
	commit(t, s, journal.Batch{Rows: rows, Heads: []journal.SignedHead{second, first}})
	want(t, state(t, s, l.ID).Head, &second)
	commit(t, s, journal.Batch{Heads: []journal.SignedHead{first}})
	want(t, state(t, s, l.ID).Head, &second)
	third := journal.Batch{Rows: []journal.Row{l.Next("2")}}
	third.Heads = []journal.SignedHead{l.Head()}
	commit(t, s, third)
	s = reopen(s)
	want(t, state(t, s, l.ID).Head, &third.Heads[0])
}

// cosigs: the first and the last of each size and signer stay, whatever the
// order in which they come.
func cosigs(t *testing.T, s journal.Store, reopen func(journal.Store) journal.Store) {
	l := NewLog(1)
	commit(t, s, journal.Batch{Rows: []journal.Row{l.Next("0"), l.Next("1"), l.Next("2")}})
	make := func(size uint64, name string, pq bool, time uint64) journal.Cosig {
		return journal.Cosig{Log: l.ID, Size: size, Name: name, PQ: pq,
			Cosignature: journal.Cosignature{Time: time, Sig: fmt.Appendf(nil, "%d %s %v %d", size, name, pq, time)}}
	}
	for _, c := range []journal.Cosig{
		make(3, "b", false, 50), make(3, "b", false, 30), make(3, "b", false, 40), make(3, "b", false, 70), make(3, "b", false, 60),
		make(2, "b", false, 10), make(3, "a", false, 99), make(3, "b", true, 55), make(1, "z", false, 1),
	} {
		commit(t, s, journal.Batch{Cosigs: []journal.Cosig{c}})
	}
	// In one batch, and the same again.
	commit(t, s, journal.Batch{Cosigs: []journal.Cosig{make(1, "z", false, 3), make(1, "z", false, 2), make(1, "z", false, 1)}})
	other := make(3, "a", false, 1)
	other.Log = NewLog(2).ID
	commit(t, s, journal.Batch{Cosigs: []journal.Cosig{other}})
	for range 2 {
		all := []journal.Cosig{
			make(1, "z", false, 1), make(1, "z", false, 3), make(2, "b", false, 10), make(3, "a", false, 99),
			make(3, "b", false, 30), make(3, "b", true, 55), make(3, "b", false, 70),
		}
		want(t, allCosigs(t, s, l.ID, 0), all)
		want(t, allCosigs(t, s, l.ID, 2), all[2:])
		want(t, allCosigs(t, s, l.ID, 3), all[3:])
		want(t, state(t, s, l.ID).Newest, []journal.Cosig{all[3], all[6], all[5], all[1]})
		if got := allCosigs(t, s, l.ID, 4); len(got) != 0 {
			t.Fatalf("cosignatures beyond the last: %v", got)
		}
		s = reopen(s)
	}
}

func values(t *testing.T, s journal.Store, reopen func(journal.Store) journal.Store) {
	put := func(puts ...journal.Put) { t.Helper(); commit(t, s, journal.Batch{Puts: puts}) }
	put(journal.Put{Space: "a", Key: "2", Value: []byte("two")}, journal.Put{Space: "a", Key: "1", Value: []byte("one"), Secret: true},
		journal.Put{Space: "b", Key: "1", Value: []byte("other")})
	put(journal.Put{Space: "a", Key: "3", Value: []byte{}}, journal.Put{Space: "a", Key: "4", Value: []byte{}, Secret: true})
	want(t, allValues(t, s, "a"), []string{"1", "one", "2", "two", "3", "", "4", ""})
	// Replaced, deleted, deleted though absent; the last of one batch counts.
	put(journal.Put{Space: "a", Key: "1", Value: []byte("plain")}, journal.Put{Space: "a", Key: "2"}, journal.Put{Space: "a", Key: "9"},
		journal.Put{Space: "a", Key: "5", Value: []byte("x")}, journal.Put{Space: "a", Key: "5"}, journal.Put{Space: "a", Key: "5", Value: []byte("y"), Secret: true})
	for range 2 {
		want(t, allValues(t, s, "a"), []string{"1", "plain", "3", "", "4", "", "5", "y"})
		want(t, allValues(t, s, "b"), []string{"1", "other"})
		s = reopen(s)
	}
	stop := errors.New("stop")
	n := 0
	if err := s.Values("a", func(string, []byte) error { n++; return stop }); !errors.Is(err, stop) || n != 1 {
		t.Errorf("Values did not stop at the error: %v after %d", err, n)
	}
}

// oddNames: names and keys are any bytes and never run together.
func oddNames(t *testing.T, s journal.Store, reopen func(journal.Store) journal.Store) {
	odd := []string{"", "\x00", "\x00b", "'; DROP TABLE entries; --", "a", "a\x00", "a b", "\xff\xfe", "ключ", string(bytes.Repeat([]byte("long"), 1000))}
	var b journal.Batch
	for _, space := range odd {
		for i, key := range odd {
			b.Puts = append(b.Puts, journal.Put{Space: space, Key: key, Value: []byte(space + "|" + key), Secret: i%2 == 0})
		}
	}
	l := NewLog(1)
	for _, name := range odd {
		b.Cosigs = append(b.Cosigs, journal.Cosig{Log: l.ID, Size: 1, Name: name, Cosignature: journal.Cosignature{Time: 1, Sig: []byte("sig " + name)}})
	}
	commit(t, s, b)
	s = reopen(s)
	for _, space := range odd {
		kv := allValues(t, s, space)
		if len(kv) != 2*len(odd) {
			t.Fatalf("space %q has %d values, not %d", space, len(kv)/2, len(odd))
		}
		for i := 0; i < len(kv); i += 2 {
			want(t, kv[i+1], space+"|"+kv[i])
			if i > 0 && kv[i-2] >= kv[i] {
				t.Fatalf("space %q is not in the order of its keys", space)
			}
		}
	}
	cs := allCosigs(t, s, l.ID, 0)
	want(t, len(cs), len(odd))
	for i, c := range cs {
		want(t, string(c.Sig), "sig "+c.Name)
		if i > 0 && cs[i-1].Name >= c.Name {
			t.Fatal("cosignatures are not in the order of their names")
		}
	}
}

// rows: every range, in order, until f fails.
func rows(t *testing.T, s journal.Store, _ func(journal.Store) journal.Store) {
	const size = 600
	l := NewLog(1)
	var b journal.Batch
	for i := range size {
		b.Rows = append(b.Rows, l.Next(fmt.Sprint("entry ", i)))
	}
	commit(t, s, b)
	for _, r := range [][3]uint64{{0, size, size}, {0, 0, 0}, {5, 5, 0}, {7, 3, 0}, {0, 1, 1}, {255, 258, 3}, {599, 600, 1}, {600, 600, 0}} {
		got := allRows(t, s, l.ID, r[0], r[1])
		if uint64(len(got)) != r[2] {
			t.Fatalf("rows [%d, %d): got %d, want %d", r[0], r[1], len(got), r[2])
		}
		for i := range got {
			want(t, got[i], b.Rows[r[0]+uint64(i)])
		}
	}
	// Where the log ends too early the caller is told, after the rows there are.
	for _, r := range [][3]uint64{{590, 9999, 10}, {600, 601, 0}, {0, 1<<64 - 1, size}} {
		n := uint64(0)
		wantCode(t, s.Rows(l.ID, r[0], r[1], func(*journal.Row) error { n++; return nil }), journal.CodeNotHeld)
		want(t, n, r[2])
	}
	stop := errors.New("stop")
	var seen []uint64
	err := s.Rows(l.ID, 3, size, func(r *journal.Row) error {
		if seen = append(seen, r.Index); r.Index == 5 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) {
		t.Errorf("Rows gave %v, not the error of f", err)
	}
	want(t, seen, []uint64{3, 4, 5})
	_, err = s.Row(l.ID, size)
	wantCode(t, err, journal.CodeNotHeld)
}

// hashes: at every size the stored hashes give the tree of the leaves, and
// proofs made from them hold.
func hashes(t *testing.T, s journal.Store, _ func(journal.Store) journal.Store) {
	const size = 130
	l := NewLog(1)
	var roots []parley.Hash
	for i := range size {
		row := l.Next(fmt.Sprint(i))
		commit(t, s, journal.Batch{Rows: []journal.Row{row}})
		root, err := journal.RootAt(uint64(i)+1, s.Hashes(l.ID))
		if err != nil {
			t.Fatal(err)
		}
		want(t, root, l.Tree.Root())
		roots = append(roots, root)
	}
	h := s.Hashes(l.ID)
	for i := range uint64(size) {
		old, err := journal.RootAt(i+1, h)
		if err != nil {
			t.Fatal(err)
		}
		want(t, old, roots[i])
		p, err := journal.ProveConsistency(i+1, size, h)
		if err != nil {
			t.Fatal(err)
		}
		if err := journal.CheckConsistency(p, i+1, roots[i], size, roots[size-1]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.ReadHashes([]int64{tlog.StoredHashIndex(0, size)}); err == nil {
		t.Error("a hash beyond the log was read")
	}
	if _, err := h.ReadHashes([]int64{tlog.StoredHashIndex(2, size/4)}); err == nil {
		t.Error("a hash of an incomplete subtree was read")
	}
}

// largeBatch: 5,000 rows of two logs, and an entry of the greatest size.
func largeBatch(t *testing.T, s journal.Store, reopen func(journal.Store) journal.Store) {
	a, b := NewLog(1), NewLog(2)
	var batch journal.Batch
	for i := range 2500 {
		batch.Rows = append(batch.Rows, a.Next(fmt.Sprint("a", i)), b.Blind(fmt.Sprint("b", i)))
	}
	batch.Rows = append(batch.Rows, a.Next(string(bytes.Repeat([]byte{'x'}, parley.MaxEntry))))
	batch.Heads = []journal.SignedHead{a.Head(), b.Head()}
	commit(t, s, batch)
	s = reopen(s)
	want(t, state(t, s, a.ID).Size, uint64(2501))
	want(t, state(t, s, b.ID).Size, uint64(2500))
	for _, l := range []*Log{a, b} {
		root, err := journal.RootAt(l.Tree.Size(), s.Hashes(l.ID))
		if err != nil {
			t.Fatal(err)
		}
		want(t, root, l.Tree.Root())
	}
	last, err := s.Row(a.ID, 2500)
	if err != nil {
		t.Fatal(err)
	}
	want(t, *last, batch.Rows[5000])
}

// manyLogs: logs that differ in one field of their names only stay apart.
func manyLogs(t *testing.T, s journal.Store, reopen func(journal.Store) journal.Store) {
	base := parley.LogID{Channel: parley.Hash{1}, Party: 1, Lane: 1, Gen: parley.Gen{1}}
	ids := []parley.LogID{base, base, base, base, base}
	ids[1].Channel[31] = 1
	ids[2].Party = 2
	ids[3].Lane = 2
	ids[4].Gen[7] = 1
	for i, id := range ids {
		l := &Log{ID: id}
		var b journal.Batch
		for range i + 1 {
			b.Rows = append(b.Rows, l.Next(fmt.Sprint("of log ", i)))
		}
		commit(t, s, b)
	}
	s = reopen(s)
	for i, id := range ids {
		want(t, state(t, s, id).Size, uint64(i+1))
		got := allRows(t, s, id, 0, uint64(i+1))
		want(t, len(got), i+1)
		want(t, string(got[i].Content.Entry), fmt.Sprint("of log ", i))
	}
}

// readers: while one goroutine commits, others see whole batches only, and
// see at once what has been acknowledged.
func readers(t *testing.T, s journal.Store, _ func(journal.Store) journal.Store) {
	const batches, per = 60, 3
	l := NewLog(1)
	acked := make(chan uint64, batches)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for size := range acked {
				if got := state(t, s, l.ID).Size; got < size || got%per != 0 {
					t.Errorf("acknowledged %d, read a size of %d", size, got)
				}
				if _, err := s.Row(l.ID, size-1); err != nil {
					t.Error(err)
				}
				n := uint64(0)
				err := s.Rows(l.ID, 0, size, func(r *journal.Row) error {
					if r.Index != n {
						return fmt.Errorf("row %d in place %d", r.Index, n)
					}
					n++
					return nil
				})
				if err != nil || n != size {
					t.Errorf("read %d of %d rows: %v", n, size, err)
				}
				if _, err := journal.RootAt(size, s.Hashes(l.ID)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range batches {
		var b journal.Batch
		for range per {
			b.Rows = append(b.Rows, l.Next("x"))
		}
		b.Puts = []journal.Put{{Space: "n", Key: "n", Value: fmt.Append(nil, i), Secret: true}}
		if err := s.Commit(&b); err != nil {
			t.Error(err)
			break
		}
		acked <- l.Tree.Size()
	}
	close(acked)
	wg.Wait()
}

// callsInside: a callback may read and commit.
func callsInside(t *testing.T, s journal.Store, _ func(journal.Store) journal.Store) {
	l, other := NewLog(1), NewLog(2)
	commit(t, s, journal.Batch{Rows: []journal.Row{l.Next("0"), l.Next("1")}, Puts: []journal.Put{{Space: "a", Key: "k", Value: []byte("v"), Secret: true}}})
	err := s.Rows(l.ID, 0, 2, func(r *journal.Row) error {
		if _, err := s.Row(l.ID, r.Index); err != nil {
			return err
		}
		return s.Values("a", func(k string, v []byte) error {
			// Destroying a secret while a reader is under way.
			return s.Commit(&journal.Batch{Rows: []journal.Row{other.Next("x")}, Puts: []journal.Put{{Space: "a", Key: "k"}}})
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, state(t, s, other.ID).Size, uint64(1))
	want(t, len(allValues(t, s, "a")), 0)
}

// closed: an ended store refuses, and ending it twice is no error.
func closed(t *testing.T, s journal.Store, _ func(journal.Store) journal.Store) {
	l := NewLog(1)
	commit(t, s, journal.Batch{Rows: []journal.Row{l.Next("0")}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(&journal.Batch{Rows: []journal.Row{l.Next("1")}}); err == nil {
		t.Error("a closed store took a batch")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
