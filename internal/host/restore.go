package host

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"parley"
	"parley/seal"
)

const (
	fileRestoring  = "record.restoring" // a restore under way; after a crash the next one replaces it
	fileRebuilding = "rebuilding"       // the record is being rebuilt from the peers
)

// CodeUnfinished means that a restore was broken off.
const CodeUnfinished parley.Code = "restore-unfinished"

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeUnfinished: "Give the restore command again; it begins anew. To rebuild from the peers instead, remove record.restoring first.",
})

// Restored says what Restore did.
type Restored struct {
	BackedUp
	NewKeys bool `json:"node_keys_missing"` // the root must sign new ones before the node can run
}

// Restore puts a backup into dir, which must hold no record: the card and the
// charter of the same party, or nothing. It checks the whole record before it
// gets its name, and seals it under a new data key, which is written into
// node.key. The record is stamped as a copy: the node's next start begins a new
// generation, so that nothing is ever signed twice.
//
// Where there is no node.key the restored record is sealed under that of the
// keys that the root must then sign (see Request).
func Restore(dir, path string, key *RecoveryKey, step Step) (*Restored, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fileError(err)
	}
	defer f.Close()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fileError(err)
	}
	if err := noRecord(dir); err != nil {
		return nil, err
	}
	if err := writable(dir); err != nil {
		return nil, err
	}
	plain, err := openSealed(path, f, key)
	if err != nil {
		return nil, err
	}
	var data seal.Key
	rand.Read(data[:])
	part := filepath.Join(dir, fileRestoring)
	removeRecord(part)
	var head *backupHead
	got, err := unpack(plain, path, part, data, func(h *backupHead, s *parley.SignedCharter) error {
		head = h
		return fits(dir, h, s)
	}, step)
	if err != nil {
		removeRecord(part)
		return nil, err
	}
	got.Key, got.KeyTried = key.Words(), true
	if info, err := f.Stat(); err == nil {
		got.Bytes = info.Size()
	}
	out := &Restored{BackedUp: *got}
	return out, out.put(dir, part, head, data)
}

// put gives the restored record its place. After a crash in between, nothing
// opens the directory but another restore.
func (out *Restored) put(dir, part string, head *backupHead, data seal.Key) error {
	for _, f := range []struct {
		name string
		b    []byte
	}{{fileCard, head.Card}, {fileCharter, head.Charter}, {fileConfig, head.Config}} {
		if _, err := os.Lstat(filepath.Join(dir, f.name)); errors.Is(err, fs.ErrNotExist) && len(f.b) > 0 {
			if err := write(filepath.Join(dir, f.name), f.b, 0o644, false); err != nil {
				return err
			}
		}
	}
	var err error
	if out.NewKeys, err = setDataKey(dir, data); err != nil {
		return err
	}
	if err := clearLeft(dir); err != nil {
		return err
	}
	os.Remove(part + ".lock")
	os.Remove(filepath.Join(dir, fileMark)) // of a record that is gone; the stamp says more
	os.Remove(filepath.Join(dir, fileRebuilding))
	if err := os.Rename(part, filepath.Join(dir, fileRecord)); err != nil {
		return fileError(err)
	}
	if err := syncDir(dir); err != nil {
		return fileError(err)
	}
	return nil
}

// fits refuses a backup of another party or channel than the directory's.
func fits(dir string, h *backupHead, s *parley.SignedCharter) error {
	backed, err := seal.ParseCard(h.Card)
	if err != nil {
		return parley.Errorf(CodeSealed, "the card in the backup is damaged: %w", err)
	}
	card, err := LoadCard(dir)
	if parley.CodeOf(err) == CodeNoDir {
		return nil // a new directory: card and charter come from the backup
	}
	if err != nil {
		return err
	}
	if string(backed.RootEd) != string(card.RootEd) || string(backed.RootPQ) != string(card.RootPQ) {
		return parley.Errorf(CodeForeignBackup, "the backup is of %s, and %s belongs to %s; their root keys differ", h.Name, dir, card.Name)
	}
	own, _, _, err := LoadCharter(dir)
	if parley.CodeOf(err) == CodeNoCharter {
		return nil
	}
	if err == nil && own.Channel() != s.Channel() {
		err = parley.Errorf(CodeForeignBackup, "the backup is of another channel than the charter in %s", dir)
	}
	return err
}

// noRecord refuses a directory that holds a record, or in which a node runs.
func noRecord(dir string) error {
	if c, err := net.Dial("unix", filepath.Join(dir, fileSocket)); err == nil {
		c.Close()
		return parley.Errorf(CodeExists, "a node runs in %s", dir)
	}
	if _, err := os.Lstat(filepath.Join(dir, fileRecord)); err == nil {
		return parley.Errorf(CodeExists, "%s holds a record, %s", dir, fileRecord)
	}
	return nil
}

// clearLeft removes what a record that is gone left beside it. Its write-ahead
// log, which may hold its newest entries, keeps another name: it must not be
// played into the record that takes the place.
func clearLeft(dir string) error {
	path := filepath.Join(dir, fileRecord)
	if hasContent(path + "-wal") {
		if err := os.Rename(path+"-wal", path+"-wal.left"); err != nil {
			return fileError(err)
		}
	}
	removeRecord(path)
	return nil
}

// removeRecord removes what a broken-off restore left.
func removeRecord(path string) {
	for _, end := range []string{"", "-wal", "-shm", "-journal", ".lock"} {
		os.Remove(path + end)
	}
}

// writable finds out before anything else whether files can be made in dir:
// the system's own word for it comes late and names no remedy.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".probe-*")
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	if err == nil || full(err) { // a full disk is named where it matters
		return nil
	}
	return parley.Errorf(CodeFile, "no file can be made in %s: %w", dir, err)
}
