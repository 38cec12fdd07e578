package host

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"parley"
	"parley/internal/store"
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
		name := l.Log.String()
		w["log "+name] = fmt.Sprint(l.Size) + hex.EncodeToString(headOf(l))
		err := s.Rows(l.Log, 0, l.Size, func(r *journal.Row) error {
			w["entry "+name+" "+strconv.FormatUint(r.Index, 10)] = words(r, r.Content)
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
			w[fmt.Sprint("cosig ", name, " ", c.Size, " ", c.Name, " ", c.PQ, " ", c.Time)] = string(c.Sig)
		}
	}
	for _, space := range []string{"self", "own-key", "peer-key", "kem", "peer-kem", "fork"} {
		err := s.Values(space, func(k string, v []byte) error { w["value "+space+" "+k] = string(v); return nil })
		if err != nil {
			return nil, err
		}
	}
	return w, nil
}

// words writes an entry down: what everybody who holds it agrees on, and, behind
// a bar, what is this party's own.
func words(r *journal.Row, c *journal.Content) string {
	b := fmt.Appendf(nil, "%d %x %d ", r.Leaf.To, r.Leaf.Commit, r.Standing)
	for _, h := range r.Hashes {
		b = hex.AppendEncode(b, h[:])
	}
	if c != nil {
		b = hex.AppendEncode(append(b, " text "...), append(c.Salt[:], c.Entry...))
	}
	return string(hex.AppendEncode(fmt.Appendf(b, "|%d ", r.Stored), r.Sig))
}

func headOf(l journal.LogState) []byte {
	if l.Head == nil {
		return nil
	}
	return append(fmt.Appendf(l.Head.Root[:], " %d ", l.Head.Size), l.Head.Sig...)
}

// flipper is a record on which one bit after the other is flipped.
type flipper struct {
	t      *testing.T
	dir    string
	path   string
	copies []*recordFile
	keys   [32]byte
	me     parley.Party
	sure   store.Verifiers
	sound  []byte
	want   whole
	unused []string // why, for each bit
	memo   memo

	began                                                      time.Time
	flips, named, repaired, equal, exact, said, refused, wrong int
	harmless                                                   map[string]int
}

func newFlipper(t *testing.T) *flipper {
	f := &flipper{t: t, memo: memo{}, harmless: map[string]int{}}
	var files []string
	if kept := os.Getenv("PARLEY_ROT_RECORD"); kept != "" {
		files = f.load(kept)
	} else {
		f.dir, files, _ = complete(t)
		f.path = filepath.Join(f.dir, fileRecord)
		f.compact()
	}
	t.Cleanup(func() { f.keep(files) })
	keys, err := LoadKeys(f.dir)
	if err != nil {
		t.Fatal(err)
	}
	f.keys = keys.Data
	if f.sound, err = os.ReadFile(f.path); err != nil {
		t.Fatal(err)
	}
	f.verify(files)
	f.verifiers()
	if got := f.findings(); len(got) > 0 {
		t.Fatalf("the record is not sound to begin with: %q", got)
	}
	if f.want, err = f.read(); err != nil {
		t.Fatal(err)
	}
	return f
}

// verifiers finds the keys.
func (f *flipper) verifiers() {
	_, charter, me, err := LoadCharter(f.dir)
	if err != nil {
		f.t.Fatal(err)
	}
	s, err := store.Open(f.path, store.Options{DataKey: f.keys, ReadOnly: true})
	if err != nil {
		f.t.Fatal(err)
	}
	defer s.Close()
	v, err := Verifiers(charter, s)
	if err != nil {
		f.t.Fatal(err)
	}
	f.me, f.sure = me, f.trust(v)
}

// kept are the files of a flipper's record.
var kept = []string{fileNode, fileCard, fileCharter, fileConfig, fileMark, fileRecord}

// load takes the record of an earlier run.
func (f *flipper) load(from string) (files []string) {
	f.dir = fast(f.t)
	f.path = filepath.Join(f.dir, fileRecord)
	for _, name := range kept {
		copied(f.t, filepath.Join(from, name), filepath.Join(f.dir, name))
	}
	files, err := filepath.Glob(filepath.Join(from, "copy*.parley"))
	if err != nil || len(files) == 0 {
		f.t.Fatalf("%s holds no copy*.parley (%v)", from, err)
	}
	return files
}

// keep saves the record of a run that failed, for the next.
func (f *flipper) keep(files []string) {
	if !f.t.Failed() || f.sound == nil || os.Getenv("PARLEY_ROT_RECORD") != "" {
		return
	}
	to, err := os.MkdirTemp("", "parley-rot")
	if err != nil {
		f.t.Error(err)
		return
	}
	f.put(f.sound)
	for _, name := range kept {
		copied(f.t, filepath.Join(f.dir, name), filepath.Join(to, name))
	}
	for i, name := range files {
		copied(f.t, name, filepath.Join(to, fmt.Sprintf("copy%d.parley", i)))
	}
	f.t.Logf("the same record again: PARLEY_ROT_RECORD=%s", to)
}

func copied(t *testing.T, from, to string) {
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Error(err)
	}
}

// repairing is a repair of the record before its first step.
func (f *flipper) repairing(o RepairOptions) *repair {
	o.Now, o.Progress = time.Now, func(string, uint64, uint64) {}
	r := &repair{RepairOptions: o, dir: f.dir, path: f.path, report: &RepairReport{}}
	if err := r.load(); err != nil {
		f.t.Fatal(err)
	}
	return r
}

// verify opens the copies, once for all repairs.
func (f *flipper) verify(files []string) {
	var err error
	if f.copies, err = f.repairing(RepairOptions{From: files}).openFiles(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { closeAll(f.copies) })
}

// compact writes the record anew, without the free pages of its making, and
// without what is large or many and all alike: two seals are enough, and one
// log of another's for each thing that lies in it.
func (f *flipper) compact() {
	r := f.repairing(RepairOptions{})
	var err error
	if r.saved, err = store.OpenSalvage(f.path, r.keys.Data); err != nil {
		f.t.Fatal(err)
	}
	defer r.saved.Close()
	if err = r.ownState(); err == nil {
		err = r.survey(nil)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	seals := 0
	for _, l := range r.saved.Logs {
		l.Cosigs = slices.DeleteFunc(l.Cosigs, func(c journal.Cosig) bool {
			if c.PQ {
				seals++
			}
			return c.PQ && seals > 2
		})
	}
	r.logs = slices.DeleteFunc(r.logs, func(m *mending) bool {
		return m.id.Party != r.me && m.target == 1 && m.id.Lane != parley.Flash
	})
	if err := r.build(context.Background()); err != nil {
		f.t.Fatal(err)
	}
	os.Remove(r.report.Aside)
	f.free()
}

// free leaves free pages in the record, as a value does that is destroyed.
func (f *flipper) free() {
	keys, err := LoadKeys(f.dir)
	if err != nil {
		f.t.Fatal(err)
	}
	s, err := store.Open(f.path, store.Options{DataKey: keys.Data})
	for _, v := range [][]byte{make([]byte, 3*4096), nil} {
		if err == nil {
			err = s.Commit(&journal.Batch{Puts: []journal.Put{{Space: "self", Key: "large", Value: v}}})
		}
	}
	if err == nil {
		err = s.Close()
	}
	if err != nil {
		f.t.Fatal(err)
	}
	os.Remove(f.path + ".lock")
}

// memo remembers what a signature was found to be: most of a million checks are
// of the same ones, and the record changes no keys.
type memo map[string][2]bool

func (m memo) once(key string, check func() (ok, known bool)) (ok, known bool) {
	x, done := m[key]
	if !done {
		x[0], x[1] = check()
		m[key] = x
	}
	return x[0], x[1]
}

func (f *flipper) trust(v store.Verifiers) store.Verifiers {
	return store.Verifiers{
		Head: func(l parley.LogID, size uint64, root parley.Hash, sig []byte) (bool, bool) {
			k := append(append(fmt.Appendf(nil, "%x %d %d %x %d ", l.Channel, l.Party, l.Lane, l.Gen, size), root[:]...), sig...)
			return f.memo.once(string(k), func() (bool, bool) { return v.Head(l, size, root, sig) })
		},
		Cosig: func(c *journal.Cosig, root parley.Hash) (bool, bool) {
			k := append(append(fmt.Appendf(nil, "%x %d %d %x %d %s %v %d ", c.Log.Channel, c.Log.Party, c.Log.Lane, c.Log.Gen, c.Size, c.Name, c.PQ, c.Time), root[:]...), c.Sig...)
			return f.memo.once(string(k), func() (bool, bool) { return v.Cosig(c, root) })
		},
	}
}

// findings is what fsck says, of the record alone, with the keys that the sound
// record gives. What it says with the record's own is told by each repair, which
// runs it first.
func (f *flipper) findings() (all []string) {
	s, err := store.Open(f.path, store.Options{DataKey: f.keys, ReadOnly: true, MustExist: true})
	if err != nil {
		return []string{err.Error()}
	}
	defer s.Close()
	add := func(what string) { all = append(all, what) }
	if err = uncovered(s, f.me, add); err == nil {
		err = store.Check(s, f.sure, func(uint64, uint64) {}, func(x store.Finding) { add(x.String()) })
	}
	if err != nil {
		add(err.Error())
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

// put makes the record hold b, and nothing lie beside it.
func (f *flipper) put(b []byte) {
	if err := os.WriteFile(f.path, b, 0o600); err != nil {
		f.t.Fatal(err)
	}
	os.Remove(f.path + ".lock")
}

// flip flips one bit of the sound record in the file.
func (f *flipper) flip(bit int) { f.poke(bit/8, f.sound[bit/8]^1<<(bit%8)) }

func (f *flipper) unflip(bit int) { f.poke(bit/8, f.sound[bit/8]) }

func (f *flipper) poke(at int, b byte) {
	h, err := os.OpenFile(f.path, os.O_WRONLY, 0)
	if err == nil {
		_, err = h.WriteAt([]byte{b}, int64(at))
		h.Close()
	}
	if err != nil {
		f.t.Fatal(err)
	}
}
