package host

import (
	"bytes"
	"context"
	"fmt"
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

func same(t *testing.T, got, want map[string]string) {
	t.Helper()
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s is %.200q, and was %.200q", k, got[k], v)
		}
	}
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
