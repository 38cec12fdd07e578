package host

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"

	"parley"
	"parley/internal/node"
	"parley/internal/store"
	"parley/journal"
	"parley/station"
)

// fast is a directory for tests that write a great many small files: in memory
// where there is one.
func fast(t *testing.T) string {
	t.Helper()
	base := ""
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		base = "/dev/shm"
	}
	dir, err := os.MkdirTemp(base, "parley")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// complete makes a small record with every kind of row: three authors, all
// lanes, two generations of one of them, receipts, witnesses' cosignatures,
// seals, a private entry, one that this party may not read, a commitment opened
// later and one that is not, a proof of a fork, keys, grants. It returns the
// directory of the second party, which is stopped, the host of the first, and a
// record each that the other two exported.
func complete(t *testing.T) (dir string, files []string, a *Host) {
	t.Helper()
	dirs, _ := channel(t, "Avaria", "Borduria", "Syldavia")
	a, _ = start(t, dirs[0], Options{})
	peer := map[string]string{"Avaria": a.Addr().(*net.TCPAddr).String()}
	b, stopB := start(t, dirs[1], Options{Peers: peer})
	c, stopC := start(t, dirs[2], Options{Peers: map[string]string{"Avaria": peer["Avaria"], "Borduria": b.Addr().(*net.TCPAddr).String()}})
	post := func(h *Host, lane parley.Lane, kind parley.Kind, to parley.Audience, body []byte) (ref parley.Ref) {
		t.Helper()
		done := make(chan error, 1)
		h.Node.Feed(context.Background(), station.Post{Lane: lane, Kind: kind, To: to, Body: body, Done: func(r parley.Ref, err error) { ref = r; done <- err }})
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		return ref
	}
	list := (&parley.List{Items: []string{"one", "two"}}).Encode()
	hosts := []*Host{a, b, c}
	ready := func() {
		for _, h := range hosts {
			eventually(t, h, "all is ready, received and witnessed", func(v node.View) bool {
				done := v.Station.Ready()
				for _, l := range v.Station.Logs() {
					for _, o := range hosts {
						done = done && (o == h || l.Log.Party != h.me || v.Station.Received(l.Log, o.me) == l.Head.Size)
					}
					done = done && (l.Log.Party != h.me || l.Witnessed == l.Head.Size)
				}
				return done
			})
		}
	}
	ready()
	say(t, a, parley.Flash, "to all")
	say(t, b, parley.Immediate, "from the second, long enough to lie on another page: "+string(bytes.Repeat([]byte("word "), 1000)))
	say(t, c, parley.Deferred, "from the third")
	post(a, parley.Flash, parley.KindList, parley.AudienceOf(2), list)
	post(a, parley.Flash, parley.KindList, parley.AudienceOf(3), list)
	post(b, parley.Flash, parley.KindList, parley.AudienceOf(3), list)
	post(b, parley.Flash, parley.KindList, parley.ToNobody, list) // never opened
	opened := post(b, parley.Flash, parley.KindList, parley.ToNobody, list)
	ready()
	row, err := b.store.Row(opened.Log(b.Signed.Channel()), opened.Index)
	if err != nil {
		t.Fatal(err)
	}
	post(b, parley.Flash, parley.KindOpening, parley.ToAll, (&parley.Opening{Ref: opened, Salt: row.Content.Salt, Entry: row.Content.Entry}).Encode())
	ready()
	stopC()
	c, stopC = start(t, dirs[2], Options{Restored: true, Peers: map[string]string{"Avaria": peer["Avaria"], "Borduria": b.Addr().(*net.TCPAddr).String()}})
	hosts[2] = c
	ready()
	files = []string{exported(t, a), exported(t, c)}
	stopC()
	stopB()
	forked(t, dirs[1], c)
	dir = fast(t)
	for _, name := range []string{fileNode, fileCard, fileCharter, fileConfig, fileMark, fileRecord, fileRoot} {
		b, err := os.ReadFile(filepath.Join(dirs[1], name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, files, a
}

// forked puts the proof of a fork of another's log into a record.
func forked(t *testing.T, dir string, of *Host) {
	t.Helper()
	keys, err := LoadKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(filepath.Join(dir, fileRecord), store.Options{DataKey: keys.Data})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	id := parley.LogID{Channel: of.Signed.Channel(), Party: of.me, Lane: parley.Deferred, Gen: parley.Gen{9}}
	var heads [2]journal.SignedHead
	for i := range heads {
		root := parley.Hash{byte(i + 1)}
		heads[i] = journal.SignedHead{Log: id, Size: 3, Root: root, Sig: journal.SignHead(of.Keys.Log.Ed, id.Origin(), 3, root)}
	}
	f, err := journal.ProveFork(heads[0], heads[1], nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(&journal.Batch{Puts: []journal.Put{{Space: "fork", Key: id.Origin(), Value: f.Encode()}}}); err != nil {
		t.Fatal(err)
	}
}
