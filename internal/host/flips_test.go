package host

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/internal/store"
	"parley/internal/store/storetest"
	"parley/journal"
)

// whole is a record in words, entry by entry and value by value.
type whole map[string]string

func inWords(s *store.SQLite) (whole, error) {
	w := whole{}
	logs, err := s.Logs()
	if err != nil {
		return nil, err
	}
	for _, l := range logs {
		w["log "+l.Log.String()] = fmt.Sprint(l.Size, l.Head)
		err := s.Rows(l.Log, 0, l.Size, func(r *journal.Row) error {
			c := r.Content
			r.Content = nil
			w[fmt.Sprint("entry ", l.Log, " ", r.Index)] = fmt.Sprint(r.Leaf, r.Hashes, r.Standing, c, "|", r.Stored, r.Sig)
			return nil
		})
		if err != nil {
			return nil, err
		}
		cs, err := s.Cosigs(l.Log, 0)
		if err != nil {
			return nil, err
		}
		for _, c := range cs {
			w[fmt.Sprint("cosig ", l.Log, c.Size, c.Name, c.PQ, c.Time)] = fmt.Sprintf("%x", c.Sig)
		}
	}
	for _, space := range []string{"self", "own-key", "peer-key", "kem", "peer-kem", "fork"} {
		err := s.Values(space, func(k string, v []byte) error { w["value "+space+" "+k] = fmt.Sprintf("%x", v); return nil })
		if err != nil {
			return nil, err
		}
	}
	return w, nil
}

// bench is a record on which one bit after the other is flipped.
type flipper struct {
	t     *testing.T
	dir   string
	path  string
	files []string // copies
	keys  [32]byte
	sound []byte
	want  whole
	memo  store.Verifiers

	almost int // things that differ after a repair, and of which it says so
}

func newFlipper(t *testing.T) *flipper {
	dir, files, _ := complete(t)
	f := &flipper{t: t, dir: dir, files: files, path: filepath.Join(dir, fileRecord)}
	keys, err := LoadKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	f.keys = keys.Data
	f.compact()
	s, err := store.Open(f.path, store.Options{DataKey: f.keys, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, ch, _, err := LoadCharter(dir)
	if err != nil {
		t.Fatal(err)
	}
	v, err := Verifiers(ch, s)
	if err != nil {
		t.Fatal(err)
	}
	f.memo = memoized(v)
	if f.want, err = inWords(s); err != nil {
		t.Fatal(err)
	}
	if got := f.findings(); len(got) > 0 {
		t.Fatalf("the record is not sound to begin with: %q", got)
	}
	return f
}

// compact writes the record anew, without the free pages of its making.
func (f *flipper) compact() {
	r := &repair{RepairOptions: RepairOptions{Now: time.Now, Progress: func(string, uint64, uint64) {}}, dir: f.dir, path: f.path, report: &RepairReport{}}
	err := r.load()
	if err == nil {
		r.saved, err = store.OpenSalvage(f.path, f.keys)
	}
	if err == nil {
		err = r.ownState()
	}
	if err == nil {
		err = r.survey(nil)
	}
	seals := 0
	for _, l := range r.saved.Logs { // large, and all alike: two are enough
		l.Cosigs = slices.DeleteFunc(l.Cosigs, func(c journal.Cosig) bool {
			if c.PQ {
				seals++
			}
			return c.PQ && seals > 2
		})
	}
	if err == nil {
		err = r.build(context.Background())
	}
	if err != nil {
		f.t.Fatal(err)
	}
	r.saved.Close()
	os.Remove(r.report.Aside)
	os.Remove(f.path + ".lock")
	if f.sound, err = os.ReadFile(f.path); err != nil {
		f.t.Fatal(err)
	}
}

// memoized remembers what a signature was found to be: most of a million
// checks are of the same ones.
func memoized(v store.Verifiers) store.Verifiers {
	heads, cosigs := map[string][2]bool{}, map[string][2]bool{}
	return store.Verifiers{
		Head: func(l parley.LogID, size uint64, root parley.Hash, sig []byte) (bool, bool) {
			k := fmt.Sprint(l, size, root, sig)
			if _, ok := heads[k]; !ok {
				a, b := v.Head(l, size, root, sig)
				heads[k] = [2]bool{a, b}
			}
			return heads[k][0], heads[k][1]
		},
		Cosig: func(c *journal.Cosig, root parley.Hash) (bool, bool) {
			k := fmt.Sprint(c.Log, c.Size, c.Name, c.PQ, c.Time, root) + string(c.Sig)
			if _, ok := cosigs[k]; !ok {
				a, b := v.Cosig(c, root)
				cosigs[k] = [2]bool{a, b}
			}
			return cosigs[k][0], cosigs[k][1]
		},
	}
}

// findings is what fsck says.
func (f *flipper) findings() (all []string) {
	s, err := store.Open(f.path, store.Options{DataKey: f.keys, ReadOnly: true})
	if err != nil {
		return []string{err.Error()}
	}
	defer s.Close()
	err = store.Check(s, f.memo, func(uint64, uint64) {}, func(x store.Finding) { all = append(all, x.String()) })
	if err != nil {
		all = append(all, err.Error())
	}
	return all
}

// opens is what a start of the node says.
func (f *flipper) opens() error {
	s, err := store.Open(f.path, store.Options{DataKey: f.keys, MustExist: true})
	if err == nil {
		err = s.Close()
	}
	os.Remove(f.path + ".lock")
	return err
}

func (f *flipper) read() (whole, error) {
	s, err := store.Open(f.path, store.Options{DataKey: f.keys, ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return inWords(s)
}

func (f *flipper) put(b []byte) {
	if err := os.WriteFile(f.path, b, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// content is what everybody who holds an entry agrees on.
func content(entry string) string {
	c, _, _ := strings.Cut(entry, "|")
	return c
}

// flip writes the record with one bit flipped.
func (f *flipper) flip(bit int) {
	h, err := os.OpenFile(f.path, os.O_WRONLY, 0)
	if err == nil {
		_, err = h.WriteAt([]byte{f.sound[bit/8] ^ 1<<(bit%8)}, int64(bit/8))
		h.Close()
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *flipper) unflip(bit int) {
	h, err := os.OpenFile(f.path, os.O_WRONLY, 0)
	if err == nil {
		_, err = h.WriteAt(f.sound[bit/8:bit/8+1], int64(bit/8))
		h.Close()
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// repairs puts the record right and compares it with what it was. With exact,
// no bit is put right by checksum: what is damaged comes from the copy. Then,
// as after the loss of a sector, a time of arrival is lost, and keys that only
// this party had; everything that anybody signed is equal.
func (f *flipper) repairs(bit int, exact bool) *RepairReport {
	r, err := Repair(context.Background(), f.dir, RepairOptions{Offline: true, From: f.files, exact: exact})
	if err != nil {
		f.t.Errorf("bit %d of byte %d (page %d): %v: %q", bit%8, bit/8, bit/8/4096+1, err, f.findings())
		f.put(f.sound)
		return nil
	}
	got, err := f.read()
	if err != nil {
		f.t.Errorf("bit %d: after the repair: %v", bit, err)
	}
	for k, v := range f.want {
		if got[k] == v {
			continue
		}
		f.almost++
		if exact && (strings.HasPrefix(k, "value ") || strings.HasPrefix(k, "cosig ") && got[k] == "") && len(r.Notes)+len(r.Doubt) > 0 {
			continue // said, and healed by the node
		}
		if strings.HasPrefix(k, "entry ") && (content(got[k]) == content(v) && len(r.Notes) > 0 || exact && len(r.Texts) > 0) {
			continue
		}
		if strings.HasPrefix(k, "log ") && len(r.Doubt) > 0 {
			continue // the node signs its own newest head again
		}
		f.t.Errorf("bit %d of byte %d (page %d): %s is %.80q and was %.80q; %+v", bit%8, bit/8, bit/8/4096+1, k, got[k], v, *r)
		break
	}
	os.Remove(r.Aside)
	f.put(f.sound)
	os.Remove(f.path + ".lock")
	return r
}

// Whichever bit of the record flips: fsck names it and the record is repaired,
// or nothing that can be read is changed by it. Bits that no flip may go
// unnoticed in are told from the layout of the file, not from what fsck finds.
//
// The large dose, all bits of a record with every kind of row, one of a hundred
// of them also repaired:
//
//	PARLEY_ROT=1 PARLEY_ROT_REPAIR=101 go test ./internal/host -run TestEveryBitOfTheRecord -v -timeout 12h
func TestEveryBitOfTheRecord(t *testing.T) {
	long(t)
	f := newFlipper(t)
	unused := storetest.UsedBytes(f.sound)
	var flips, noticed, refused, asked, repaired, fromCopy int
	harmless := map[string]int{}
	total, step := len(f.sound)*8, rot(40009)
	began := time.Now()
	for bit := 0; bit < total && !(t.Failed() && flips > 200); bit += step {
		if unused[bit/8] != "" && bit/8%61 != 0 {
			continue // a share of them shows that they are unused
		}
		if flips++; flips%5000 == 0 {
			t.Logf("%s: %d of %d bits", time.Since(began).Round(time.Second), bit, total)
		}
		f.flip(bit)
		if len(f.findings()) == 0 {
			got, err := f.read()
			if err != nil || !maps.Equal(got, f.want) {
				t.Errorf("bit %d of byte %d (page %d) changes what is read and is not noticed (%v)", bit%8, bit/8, bit/8/4096+1, err)
			}
			reason := unused[bit/8]
			if reason == "" {
				t.Errorf("bit %d of byte %d (page %d) is in use, and its flipping is not noticed", bit%8, bit/8, bit/8/4096+1)
			}
			harmless[reason]++
			f.unflip(bit)
			continue
		}
		if noticed++; noticed%rotRepair() != 0 {
			f.unflip(bit)
			continue
		}
		if asked++; f.opens() != nil {
			refused++
		}
		for _, exact := range []bool{false, true} {
			f.put(f.sound)
			f.flip(bit)
			if r := f.repairs(bit, exact); r != nil {
				repaired++
				fromCopy += r.FromPeers
			}
		}
	}
	t.Logf("%d flips in %d bytes with %d things to read, in %s: fsck names %d; of the rest each changes nothing: %v",
		flips, len(f.sound), len(f.want), time.Since(began).Round(time.Second), noticed, harmless)
	t.Logf("of %d of those named, a start refuses %d; %d repairs, %d entries from the copy, all equal afterwards but %d things of which the report says so",
		asked, refused, repaired, fromCopy, f.almost)
	if noticed == 0 || repaired == 0 {
		t.Error("nothing was noticed, or nothing repaired; the test proves nothing")
	}
}

// rotRepair is how many flips that are noticed there are for one that is also
// repaired, twice: that takes fifty times as long. PARLEY_ROT_REPAIR changes it.
func rotRepair() int {
	if v, err := strconv.Atoi(os.Getenv("PARLEY_ROT_REPAIR")); err == nil && v > 0 {
		return v
	}
	return 4
}
