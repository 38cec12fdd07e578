package host

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/internal/node"
	"parley/internal/store"
	"parley/journal"
)

// talk runs two parties until each holds what the other said, in every lane,
// witnessed, and returns the directories and the first one's running host.
func talk(t *testing.T, messages int) (dirs []string, a *Host, stopA, stopB func()) {
	t.Helper()
	dirs, _ = channel(t, "Avaria", "Borduria")
	a, stopA = start(t, dirs[0], Options{})
	addr := a.Addr().(*net.TCPAddr).String()
	b, stopB := start(t, dirs[1], Options{Peers: map[string]string{"Avaria": addr}})
	for i := range messages {
		lane := parley.Lane(i % parley.Lanes)
		say(t, a, lane, fmt.Sprintf("from Avaria %d %s", i, strings.Repeat("long ", i%9*40)))
		say(t, b, lane, fmt.Sprintf("from Borduria %d", i))
	}
	settled := func(h, other *Host) {
		eventually(t, h, "everything is received and witnessed", func(v node.View) bool {
			for _, l := range v.Station.Logs() {
				if l.Log.Party == h.me && (v.Station.Received(l.Log, other.me) < l.Head.Size || l.Witnessed < l.Head.Size) {
					return false
				}
			}
			return true
		})
	}
	settled(a, b)
	settled(b, a)
	return dirs, a, stopA, stopB
}

// contents is a record as a node sees it, but for the times of arrival.
func contents(t *testing.T, dir string) (rows map[string]string) {
	t.Helper()
	keys, err := LoadKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(filepath.Join(dir, fileRecord), store.Options{DataKey: keys.Data, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rows = map[string]string{}
	logs, err := s.Logs()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range logs {
		rows[l.Log.String()] = fmt.Sprint(l.Size, l.Head != nil)
		err := s.Rows(l.Log, 0, l.Size, func(r *journal.Row) error {
			rows[fmt.Sprint(l.Log, " ", r.Index)] = fmt.Sprint(r.Leaf, r.Hashes, r.Standing, r.Content)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, space := range []string{"self", "own-key", "peer-key", "kem", "peer-kem", "fork"} {
		s.Values(space, func(k string, v []byte) error { rows[space+" "+k] = fmt.Sprintf("%x", v); return nil })
	}
	return rows
}

// zeroed overwrites part of a file, as a lost sector does.
func zeroed(t *testing.T, path string, off, n int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	clear(b[off:min(off+n, len(b))])
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func exported(t *testing.T, h *Host) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "copy.parley")
	var b bytes.Buffer
	if err := h.Export(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Every sector of the record, one after the other, is lost and comes back: from
// the running peer, and from the record that it exported.
func TestRepairOfLostSectors(t *testing.T) {
	long(t)
	t.Parallel()
	dirs, a, _, stopB := talk(t, 20)
	dir := dirs[1]
	stopB()
	file := exported(t, a)
	path := filepath.Join(dir, fileRecord)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := contents(t, dir)
	addr := a.Addr().(*net.TCPAddr).String()
	sectors := len(whole) / 4096
	for n := 0; n < sectors; n += rot(9) {
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		zeroed(t, path, n*4096, 4096)
		o := RepairOptions{Offline: true, From: []string{file}}
		if n%4 == 0 {
			o = RepairOptions{Peers: map[string]string{"Avaria": addr}}
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		r, err := Repair(ctx, dir, o)
		cancel()
		if err != nil {
			t.Errorf("sector %d: %v\n%+v", n, err, r)
			continue
		}
		if r.Sound {
			continue
		}
		got := contents(t, dir)
		for k, v := range want {
			if strings.Contains(k, "/") && !strings.Contains(k, "-") && got[k] != v {
				t.Errorf("sector %d: %s is %.200q, and was %.200q", n, k, got[k], v)
			}
		}
	}
}

// liar wraps an exported record of the peer in which one entry's text was
// changed and everything recomputed but the signatures: it is refused whole.
// The same entry offered by a running peer's word is not taken, because the tree
// does not come to the signed head.
func TestRepairRefusesLies(t *testing.T) {
	long(t)
	t.Parallel()
	dirs, a, _, stopB := talk(t, 6)
	stopB()
	file := exported(t, a)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dirs[1], fileRecord)
	n := bytes.Index(b, []byte("from Borduria 1"))
	if n < 0 {
		t.Fatal("the exported record does not hold the text")
	}
	b[n] ^= 1
	forged := filepath.Join(t.TempDir(), "forged.parley")
	if err := os.WriteFile(forged, b, 0o600); err != nil {
		t.Fatal(err)
	}
	lost := lose(t, dirs[1], 1, parley.Flash, 1)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Repair(context.Background(), dirs[1], RepairOptions{Offline: true, From: []string{forged}}); parley.CodeOf(err) != CodeCopy {
		t.Errorf("a forged record: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, before) {
		t.Errorf("a refused repair changed the record (%v)", err)
	}

	// A peer's word, given to the log as frames would give it.
	r := &repair{RepairOptions: RepairOptions{Now: time.Now, Progress: func(string, uint64, uint64) {}}, dir: dirs[1], path: path, report: &RepairReport{}}
	if err := r.load(); err != nil {
		t.Fatal(err)
	}
	if r.saved, err = store.OpenSalvage(path, r.keys.Data); err != nil {
		t.Fatal(err)
	}
	defer r.saved.Close()
	if err := r.ownState(); err != nil {
		t.Fatal(err)
	}
	if err := r.survey(nil); err != nil {
		t.Fatal(err)
	}
	for _, m := range r.logs {
		if m.id != lost {
			continue
		}
		if len(m.wanted()) != 1 {
			t.Fatalf("the log wants %v", m.wanted())
		}
		lie := &journal.Content{Entry: (&parley.Entry{Kind: parley.KindList, Body: []byte{0x80}}).Encode()}
		m.give(1, journal.Leaf{Commit: journal.Commit(m.id.Origin(), 1, lie.Salt, lie.Entry)}, lie, nil, "a liar")
		r.settle()
		if m.bad[1].proven || m.end != 1 {
			t.Errorf("a lie counts: proven %v, the log reaches %d", m.bad[1].proven, m.end)
		}
		return
	}
	t.Fatal("the damaged log is not there")
}

// lose destroys one entry in the record at dir, text and place, and returns its
// log.
func lose(t *testing.T, dir string, party parley.Party, lane parley.Lane, index uint64) (id parley.LogID) {
	t.Helper()
	path := filepath.Join(dir, fileRecord)
	keys, err := LoadKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(path, store.Options{DataKey: keys.Data, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	db, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	logs, err := s.Logs()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range logs {
		if l.Log.Party != party || l.Log.Lane != lane {
			continue
		}
		row, err := s.Row(l.Log, index)
		if err != nil {
			t.Fatal(err)
		}
		at := bytes.Index(db, row.Leaf.Commit[:])
		clear(db[at : at+118+32*len(row.Hashes)+len(row.Sig)])
		if err := os.WriteFile(path, db, 0o600); err != nil {
			t.Fatal(err)
		}
		return l.Log
	}
	t.Fatal("no such log")
	return id
}

// An own entry that nobody received is damaged: the repair refuses and names
// it; on the officer's word the log ends before it, the next start begins a new
// generation, and the party goes on.
func TestRepairNamesLoss(t *testing.T) {
	long(t)
	t.Parallel()
	dirs, a, stopA, stopB := talk(t, 5)
	addr := a.Addr().(*net.TCPAddr).String()
	stopB()
	file := exported(t, a)
	stopA()
	b, stopB := start(t, dirs[1], Options{})
	say(t, b, parley.Flash, "nobody received this")
	say(t, b, parley.Flash, "nor this")
	stopB()
	lost := lose(t, dirs[1], 2, parley.Flash, 2)
	r, err := Repair(context.Background(), dirs[1], RepairOptions{Offline: true, From: []string{file}})
	if parley.CodeOf(err) != CodeNotRepaired || len(r.Lost) != 2 || !strings.Contains(r.Lost[0], "2/FLASH/"+lost.Gen.String()+"/2: lost") {
		t.Fatalf("%v, %+v", err, r)
	}
	r, err = Repair(context.Background(), dirs[1], RepairOptions{Offline: true, From: []string{file}, AcceptLoss: true})
	if err != nil || !r.Done || len(r.Lost) != 2 || len(r.Doubt) == 0 {
		t.Fatalf("%v, %+v", err, r)
	}
	a, _ = start(t, dirs[0], Options{Listen: addr})
	b, _ = start(t, dirs[1], Options{Peers: map[string]string{"Avaria": addr}})
	eventually(t, b, "it is ready in a new generation", func(v node.View) bool { return v.Station.Ready() && v.Station.Gen() != lost.Gen })
	ref := say(t, b, parley.Flash, "said again")
	eventually(t, a, "the other side has it", func(v node.View) bool { _, ok := v.Docket.Hotline.Message(ref); return ok })
}

// A single bit of the size that the record notes of an own log is put right,
// without a copy and without a new generation: its rows, its signed head and
// the high-water file agree. Where the file is older, nobody knows.
func TestRepairOfALogsSize(t *testing.T) {
	dirs, a, stopA, stopB := talk(t, 10)
	me := a.me
	stopA()
	stopB()
	want := contents(t, dirs[0])
	repaired := func(bit int) *RepairReport {
		db, err := sql.Open("sqlite", filepath.Join(dirs[0], fileRecord))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if r, err := db.Exec("UPDATE logs SET size = size + ? WHERE party = ? AND lane = ?", 1<<bit, me, parley.Immediate); err != nil {
			t.Fatal(err)
		} else if n, _ := r.RowsAffected(); n != 1 {
			t.Fatalf("%d logs changed", n)
		}
		db.Close()
		r, err := Repair(t.Context(), dirs[0], RepairOptions{Offline: true})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for bit := 4; bit < 40; bit += 7 { // the size is below 16
		r := repaired(bit)
		if !r.Done || len(r.Doubt)+len(r.Lost) > 0 || !strings.Contains(fmt.Sprint(r.Mended), "a single bit of its size") {
			t.Errorf("bit %d: %+v", bit, *r)
		}
		if got := contents(t, dirs[0]); !maps.Equal(got, want) {
			t.Errorf("bit %d: the record is another one", bit)
		}
	}
	if err := os.Remove(filepath.Join(dirs[0], fileMark)); err != nil {
		t.Fatal(err)
	}
	if r := repaired(5); len(r.Doubt) == 0 {
		t.Errorf("without the high-water file nothing is in doubt: %+v", *r)
	}
}
