package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"parley/internal/store/storetest"
	"parley/journal"
)

// kept is what Salvage got out of a file, in the words of dump.
func kept(path string, exact bool) (string, *Salvage, error) {
	s, err := openSalvage(path, testKey, exact)
	if err != nil {
		return "", nil, err
	}
	defer s.Close()
	var b strings.Builder
	for _, l := range s.Logs {
		fmt.Fprintln(&b, l.ID.Origin(), l.Size, l.Head)
		fmt.Fprintln(&b, l.Cosigs)
		for i := range l.Rows {
			r, _ := l.Row(i)
			if r == nil {
				continue
			}
			content := r.Content
			r.Content = nil
			fmt.Fprintln(&b, *r, content)
		}
	}
	for _, space := range []string{"keys", "state"} {
		for _, v := range s.Values {
			if v.Space == space {
				fmt.Fprintf(&b, "%q %q\n", v.Key, v.Value)
			}
		}
	}
	return b.String(), s, nil
}

// Of a sound record everything is kept, whether its newest commits lie in the
// database or still in the write-ahead log.
func TestSalvageOfSoundRecord(t *testing.T) {
	path := signed(t, 300)
	sound, err := dump(path)
	if err != nil {
		t.Fatal(err)
	}
	got, s, err := kept(path, true)
	if err != nil || got != sound || len(s.Lost) > 0 || !s.Key {
		t.Errorf("of a sound record something is lost: %v, %q", err, s.Lost)
	}
	for _, l := range s.Logs {
		if !l.Whole || l.Rows != 300 {
			t.Errorf("log %s: %d rows, whole %v", l.ID, l.Rows, l.Whole)
		}
	}
}

// Whichever byte of the pages is lost, what lies elsewhere is kept: a page of
// zeros takes at most its own rows away.
func TestSalvageOfLostPages(t *testing.T) {
	path := signed(t, 120)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, all, err := kept(path, true)
	if err != nil {
		t.Fatal(err)
	}
	for page := range len(whole) / pageSize {
		b := slices.Clone(whole)
		clear(b[page*pageSize:][:pageSize])
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, s, err := kept(path, true)
		if err != nil {
			t.Fatal(err)
		}
		lost := len(all.Values) - len(s.Values)
		for i, l := range all.Logs {
			if len(s.Logs) != len(all.Logs) {
				t.Fatalf("without page %d a log has no name", page+1)
			}
			lost += len(l.cells) - len(s.Logs[i].cells)
		}
		if lost > 40 {
			t.Errorf("without page %d, %d rows are lost", page+1, lost)
		}
	}
}

// formed makes a record with every kind of page: signers enough for an inner page
// of their table, rows that go on in two other pages, and free pages.
func formed(t *testing.T) string {
	t.Helper()
	path := signed(t, 24)
	s := openAt(t, path)
	l := storetest.NewLog(2)
	for i := range 3 {
		r := l.Next(fmt.Sprint(i) + strings.Repeat(" long", 1100))
		b := journal.Batch{Rows: []journal.Row{r}}
		for n := range 20 {
			b.Cosigs = append(b.Cosigs, journal.Cosig{Log: l.ID, Size: l.Tree.Size(), Name: fmt.Sprint(strings.Repeat("name ", 20), n), PQ: i == n%3,
				Cosignature: journal.Cosignature{Time: uint64(n), Sig: make([]byte, 64)}})
		}
		commit(t, s, b)
	}
	for _, v := range [][]byte{make([]byte, 4*pageSize), nil} {
		commit(t, s, journal.Batch{Puts: []journal.Put{{Space: "state", Key: "large", Value: v}}})
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// structure lists the bytes of a database by which its rows are found: headers,
// lists, what stands in front of a row and names it, and where long rows and the
// list of free pages go on.
func structure(db []byte) (at []int) {
	add := func(from, n int) {
		for i := range n {
			at = append(at, from+i)
		}
	}
	add(32, 8)
	first := int(binary.BigEndian.Uint32(db[32:]))
	add((first-1)*pageSize, 8+4*freeLeaves(db[(first-1)*pageSize:]))
	for n := 2; n*pageSize <= len(db); n++ {
		page := db[(n-1)*pageSize : n*pageSize]
		starts, ok := starts(uint32(n), page)
		if kind := page[0]; !ok || kind == pageTableInner || n == first {
			continue
		}
		add((n-1)*pageSize, 8+2*len(starts))
		for b := int(binary.BigEndian.Uint16(page[1:])); b != 0; b = int(binary.BigEndian.Uint16(page[b:])) {
			add((n-1)*pageSize+b, 4)
		}
		for _, c := range starts {
			add((n-1)*pageSize+c, 20)
			x := cell{at: c}
			if size, from, local, ok := x.measure(page[0], page); ok && local < size {
				add((n-1)*pageSize+from+local, 4)
				add((int(binary.BigEndian.Uint32(page[from+local:]))-1)*pageSize, 4)
			}
		}
	}
	return at
}

// Whichever bit flips of those by which rows are found: all rows are found.
func TestSalvageOfFlippedStructure(t *testing.T) {
	path := formed(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sound, s, err := kept(path, false)
	if err != nil || s.Holes != 0 || s.Mended != 0 {
		t.Fatalf("of the sound record: %v, %d holes, %d mended", err, s.Holes, s.Mended)
	}
	kinds := map[byte]int{}
	for n := 1; n < len(whole)/pageSize; n++ {
		kinds[whole[n*pageSize]]++
	}
	if kinds[pageTableInner] == 0 || kinds[pageTableLeaf] == 0 || kinds[pageIndexInner] == 0 || kinds[pageIndexLeaf] == 0 || kinds[0] < 6 {
		t.Fatalf("a kind of page is missing: %v", kinds)
	}
	at := structure(whole)
	step := max(8*len(at)/dose(100), 1)
	for i := 0; i < 8*len(at); i += step {
		b := bytes.Clone(whole)
		b[at[i/8]] ^= 1 << (i % 8)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		got, s, err := kept(path, false)
		if err != nil {
			t.Fatal(err)
		}
		if got != sound || s.Holes > 0 || len(s.Lost) > 0 {
			t.Errorf("bit %d of byte %d (byte %d of page %d): %d holes, lost %q, equal %v", i%8, at[i/8], at[i/8]%pageSize, at[i/8]/pageSize+1, s.Holes, s.Lost, got == sound)
		}
	}
}
