package host

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley"
	"parley/internal/node"
	"parley/internal/store"
)

// recovery makes a recovery key and gives both halves.
func recovery(t *testing.T) (*Recovery, *RecoveryKey) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "recovery.key")
	made, err := NewRecoveryKey(path)
	if err != nil {
		t.Fatal(err)
	}
	to, err := LoadRecovery("", path+".pub")
	if err != nil {
		t.Fatal(err)
	}
	key, err := LoadRecoveryKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if to.Words() != made.Words() || key.Words() != made.Words() {
		t.Fatal("the halves have different words")
	}
	return to, key
}

// ran lets two nodes start, meet and stop.
func ran(t *testing.T, dirs []string) {
	t.Helper()
	b, stopB := start(t, dirs[1], Options{})
	a, stopA := start(t, dirs[0], Options{Peers: peerAt(b)})
	for _, h := range []*Host{a, b} {
		eventually(t, h, "ready", func(v node.View) bool { return v.Station.Ready() })
	}
	stopA()
	stopB()
}

// plain is what a sealed file holds.
func plain(t *testing.T, path string, key *RecoveryKey) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := openSealed(path, f, key)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// values are all values of a record with the key of dir, by space and key.
func values(t *testing.T, dir string, spaces ...string) map[string][]byte {
	t.Helper()
	keys, err := LoadKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(filepath.Join(dir, fileRecord), store.Options{DataKey: keys.Data, ReadOnly: true, MustExist: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out := map[string][]byte{}
	for _, space := range spaces {
		if err := s.Values(space, func(k string, v []byte) error { out[space+"/"+k] = v; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// A backup that is taken while both sides write restores to a record whose
// heads the source had, without any of its keys. Its node begins a new
// generation, brings back from the peer what came after it, and never signs
// twice; whatever is there of the old directory.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	dirs, _ := channelWith(t, unlimited, "Avaria", "Borduria")
	to, key := recovery(t)
	b, _ := start(t, dirs[1], Options{})
	a, stop := start(t, dirs[0], Options{Peers: peerAt(b)})
	early := say(t, a, parley.Flash, "early")
	arrives(t, b, early)
	writing := make(chan struct{})
	go func() { defer close(writing); exchange(t, 400, a, b) }()
	path := filepath.Join(t.TempDir(), "a.backup")
	got, err := Backup(dirs[0], path, to, nil, time.Now(), nil)
	<-writing
	if err != nil {
		t.Fatal(err)
	}
	if got.KeyTried || got.Entries < 2 || got.Logs < 5 || got.Unopened != 0 {
		t.Errorf("%+v", got)
	}
	late := say(t, a, parley.Flash, "late")
	arrives(t, b, late)
	eventually(t, a, "receipted", func(v node.View) bool { return v.Station.Received(late.Log(a.Signed.Channel()), 2) > late.Index })
	gens := a.Keys
	stop()

	// Nothing secret is in it.
	text := plain(t, path, key)
	_, seeds, err := nodeSeeds(dirs[0])
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string][]byte{"the log key": seeds[:32], "the receipt key": seeds[64:96], "the TLS key": seeds[128:160], "the data key": seeds[160:]}
	for name, v := range values(t, dirs[0], "own-key", "peer-key", "kem") {
		secrets[name] = v[12:44] // the middle of a key
	}
	if len(secrets) < 6 {
		t.Errorf("only %d secrets to look for", len(secrets))
	}
	for name, s := range secrets {
		if bytes.Contains(text, s) {
			t.Errorf("the backup holds %s", name)
		}
	}

	// In place, over what a lost record left.
	if _, err := Restore(dirs[0], path, key, nil); parley.CodeOf(err) != CodeExists {
		t.Errorf("over a record: %v", err)
	}
	os.Remove(filepath.Join(dirs[0], fileRecord))
	_, before := dataKey(t, dirs[0])
	r, err := Restore(dirs[0], path, key, nil)
	if err != nil || r.NewKeys || r.Entries != got.Entries || !r.KeyTried {
		t.Fatal(r, err)
	}
	serial, after := dataKey(t, dirs[0])
	if serial != gens.Serial || before == after {
		t.Error("the data key is not new, or more than it is")
	}
	own := values(t, dirs[0], "self", "own-key", "peer-key", "kem")
	if len(own["self/copy"]) != 8 || !bytes.Equal(own["self/copy"], own["self/gen"]) {
		t.Errorf("the copy is not stamped: %v", own)
	}
	for k := range own {
		if !strings.HasPrefix(k, "self/") {
			t.Errorf("the restored record has %s", k)
		}
	}
	a, _ = start(t, dirs[0], Options{Peers: peerAt(b)})
	arrives(t, a, early)
	arrives(t, a, late)
	if !a.doubted || !a.Expects("stale-store") || a.Expects("fork") {
		t.Error("the restored record opened without doubt")
	}
	arrives(t, b, say(t, a, parley.Flash, "after the restore"))
	for _, h := range []*Host{a, b} {
		eventually(t, h, "two generations and no fork", func(v node.View) bool {
			gens := map[parley.Gen]bool{}
			for _, l := range v.Station.Logs() {
				if l.Forked {
					t.Fatal("forked: ", l.Log)
				}
				if l.Log.Party == 1 {
					gens[l.Log.Gen] = true
				}
			}
			return len(gens) == 2
		})
	}
}

// A record that was restored stays in doubt until the generation that it begins
// is durable, and is as any other after it.
func TestStampHoldsUntilTheGeneration(t *testing.T) {
	t.Parallel()
	dirs, _ := channel(t, "Avaria", "Borduria")
	to, key := recovery(t)
	ran(t, dirs)
	path := filepath.Join(t.TempDir(), "a.backup")
	if _, err := Backup(dirs[0], path, to, key, time.Now(), nil); err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(dirs[0], fileRecord))
	if _, err := Restore(dirs[0], path, key, nil); err != nil {
		t.Fatal(err)
	}
	for range 2 { // opened and closed: nothing was begun
		h, err := Open(dirs[0], Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !h.doubted {
			t.Error("the copy is not in doubt any more")
		}
		h.Close()
	}
	b, _ := start(t, dirs[1], Options{})
	h, stop := start(t, dirs[0], Options{Peers: peerAt(b)})
	eventually(t, h, "the generation begins", func(v node.View) bool { return v.Station.Ready() })
	stop()
	h, err := Open(dirs[0], Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	if h.doubted {
		t.Error("in doubt for ever")
	}
}

// Whatever was cut off or changed is refused with one word, before anything of
// it is used; so is another's file, and another key.
func TestBadBackups(t *testing.T) {
	t.Parallel()
	dirs, _ := channel(t, "Avaria", "Borduria")
	to, key := recovery(t)
	_, otherKey := recovery(t)
	ran(t, dirs)
	base := t.TempDir()
	path := filepath.Join(base, "a.backup")
	if _, err := Backup(dirs[0], path, to, key, time.Now(), nil); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(base, "bad.backup")
	refused := func(b []byte, what string, codes ...parley.Code) {
		t.Helper()
		if err := os.WriteFile(bad, b, 0o600); err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(base, "new")
		if _, err := Restore(dir, bad, key, nil); !slices.Contains(codes, parley.CodeOf(err)) {
			t.Errorf("%s: %v", what, err)
		}
		es, _ := os.ReadDir(dir)
		for _, e := range es {
			t.Errorf("%s: %s was left", what, e.Name())
		}
	}
	for i := 0; i < len(good); i += max(1, len(good)/60) {
		refused(good[:i], fmt.Sprintf("cut off at %d", i), CodeSealed)
		flipped := bytes.Clone(good)
		flipped[i] ^= 1
		refused(flipped, fmt.Sprintf("bit %d turned", i), CodeSealed, CodeOther)
	}
	refused(append(bytes.Clone(good), 0), "a byte more", CodeSealed)
	refused([]byte("nonsense"), "nonsense", CodeSealed)
	id := filepath.Join(base, "a.identity")
	if _, err := WriteIdentity(dirs[0], id, to, time.Now()); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(id)
	if err != nil {
		t.Fatal(err)
	}
	refused(b, "an identity file", CodeSealed)
	if _, err := OpenIdentity(path, key, filepath.Join(base, "new")); parley.CodeOf(err) != CodeSealed {
		t.Errorf("a backup for an identity file: %v", err)
	}
	if _, err := Restore(filepath.Join(base, "new"), path, otherKey, nil); parley.CodeOf(err) != CodeOther {
		t.Errorf("another key: %v", err)
	}
	os.Remove(filepath.Join(dirs[1], fileRecord))
	if _, err := Restore(dirs[1], path, key, nil); parley.CodeOf(err) != CodeForeignBackup {
		t.Errorf("another party's: %v", err)
	}
	if _, err := Backup(dirs[0], path, to, nil, time.Now(), nil); parley.CodeOf(err) != CodeExists {
		t.Errorf("over a file: %v", err)
	}
	if now, _ := os.ReadFile(path); !bytes.Equal(now, good) {
		t.Error("the backup was changed")
	}
	if _, err := Backup(dirs[0], filepath.Join(base, "x"), to, otherKey, time.Now(), nil); parley.CodeOf(err) != CodeOther {
		t.Errorf("verified with another key: %v", err)
	}
	// A bit that turns in the record is found before there is a backup of it.
	spoil(t, filepath.Join(dirs[0], fileRecord))
	if _, err := Backup(dirs[0], filepath.Join(base, "y"), to, nil, time.Now(), nil); err == nil {
		t.Error("a damaged record was backed up")
	}
	left, _ := filepath.Glob(filepath.Join(base, "[xy]*"))
	if len(left) > 0 {
		t.Errorf("%v was left", left)
	}
}

// spoil changes a commitment behind the store's back.
func spoil(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE entries SET commitment = zeroblob(32) WHERE idx = 0 AND log = 1"); err != nil {
		t.Fatal(err)
	}
}

// A full disk is named, whether the sealed file or what it is made of meets it,
// and leaves nothing.
func TestFullDisk(t *testing.T) {
	to, _ := recovery(t)
	path := filepath.Join(t.TempDir(), "x")
	err := sealFile(path, to, func(w io.Writer) error {
		w.Write(make([]byte, 1<<20))
		return fmt.Errorf("write x: %w", syscall.ENOSPC)
	}, func(*os.File, Opener) error { t.Error("checked"); return nil })
	if parley.CodeOf(err) != CodeSpace {
		t.Error(err)
	}
	if es, _ := filepath.Glob(path + "*"); len(es) > 0 {
		t.Errorf("%v was left", es)
	}
	if err := spaceError(parley.Errorf(store.CodeFull, "x"), t.TempDir()); parley.CodeOf(err) != CodeSpace {
		t.Error(err)
	}
}

// A restore that was broken off at any point leaves a directory that no node
// starts in, and that the same command puts right.
func TestRestoreBrokenOff(t *testing.T) {
	t.Parallel()
	dirs, _ := channel(t, "Avaria", "Borduria")
	to, key := recovery(t)
	ran(t, dirs)
	path := filepath.Join(t.TempDir(), "a.backup")
	if _, err := Backup(dirs[0], path, to, key, time.Now(), nil); err != nil {
		t.Fatal(err)
	}
	for name, at := range map[string]func(dir string) error{
		"in the middle": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, fileRestoring), []byte("half"), 0o600)
		},
		"before the data key": func(dir string) error {
			return os.Rename(filepath.Join(dir, fileRecord), filepath.Join(dir, fileRestoring))
		},
		"after the data key": func(dir string) error {
			_, err := setDataKey(dir, [32]byte{1})
			return errors.Join(err, os.Rename(filepath.Join(dir, fileRecord), filepath.Join(dir, fileRestoring)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, f := range []string{fileNode, fileCard, fileCharter} {
				b, err := os.ReadFile(filepath.Join(dirs[0], f))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, f), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if name != "in the middle" {
				if _, err := Restore(dir, path, key, nil); err != nil {
					t.Fatal(err)
				}
			}
			if err := at(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := Open(dir, Options{}); parley.CodeOf(err) != CodeUnfinished {
				t.Errorf("a node starts: %v", err)
			}
			if _, err := Restore(dir, path, key, nil); err != nil {
				t.Fatal(err)
			}
			h, err := Open(dir, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if !h.doubted {
				t.Error("without doubt")
			}
			h.Close()
		})
	}
}

// What the age program would see: the identity is a tar archive of the files.
func TestIdentityFile(t *testing.T) {
	t.Parallel()
	dirs, _ := channel(t, "Avaria", "Borduria")
	to, key := recovery(t)
	base := t.TempDir()
	path := filepath.Join(base, "a.identity")
	id, err := WriteIdentity(dirs[0], path, to, time.Now())
	if err != nil || id.Name != "Avaria" || id.Member != 1 {
		t.Fatal(id, err)
	}
	text := plain(t, path, key)
	for _, f := range []string{fileNode, fileCard, fileCharter, fileConfig} {
		b, err := os.ReadFile(filepath.Join(dirs[0], f))
		if err != nil || !bytes.Contains(text, b) {
			t.Errorf("%s is not in it: %v", f, err)
		}
	}
	root, err := os.ReadFile(RootPath(dirs[0]))
	if err != nil || bytes.Contains(text, root) {
		t.Error("the root is in it", err)
	}
	dir := filepath.Join(base, "new")
	for range 2 { // the second time everything is there and the same
		if _, err := OpenIdentity(path, key, dir); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, fileNode)); err != nil || info.Mode().Perm() != 0o600 {
		t.Error("node.key is open to others", err)
	}
	sum := func(dir string) (out [32]byte) {
		b, err := os.ReadFile(filepath.Join(dir, fileNode))
		if err != nil {
			t.Fatal(err)
		}
		return sha256.Sum256(b)
	}
	if sum(dir) != sum(dirs[0]) {
		t.Error("another node.key came out")
	}
	if _, err := OpenIdentity(path, key, dirs[1]); parley.CodeOf(err) != CodeExists {
		t.Errorf("into another party's directory: %v", err)
	}

	pass, err := PassphraseRecipient("long enough")
	if err != nil {
		t.Fatal(err)
	}
	sealed := filepath.Join(base, "typed.identity")
	if _, err := WriteIdentity(dirs[0], sealed, pass, time.Now()); err != nil {
		t.Fatal(err)
	}
	right, _ := PassphraseIdentity("long enough")
	wrong, _ := PassphraseIdentity("not this one")
	if _, err := CheckIdentity(sealed, right); err != nil {
		t.Error(err)
	}
	if _, err := CheckIdentity(sealed, wrong); parley.CodeOf(err) != CodeOther {
		t.Errorf("a wrong passphrase: %v", err)
	}
	if _, err := PassphraseRecipient("short"); parley.CodeOf(err) != CodeWeak {
		t.Error(err)
	}
}
