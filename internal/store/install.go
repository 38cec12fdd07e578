package store

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"parley"
)

// A repaired record replaces the damaged one in steps that a crash at any
// moment leaves in one of two states: the old record, or the repaired one.
//
//  1. The repaired record is built and checked beside the old one, under a
//     name that counts for nothing (RepairPath).
//  2. It is renamed to its final waiting name. From here on it is the record:
//     whoever opens the record next finishes the steps that follow.
//  3. The old database and its write-ahead log get a name aside. The log goes
//     first: SQLite would play it into the new database.
//  4. The repaired one gets the record's name.
const (
	suffixBuilding = ".rebuilding"
	suffixRepaired = ".repaired"
	suffixAside    = ".damaged"
)

// RepairPath is where the repaired copy of the record at path is built. What a
// repair that was cut off left there is removed.
func RepairPath(path string) (string, error) {
	at := path + suffixBuilding
	return at, removeRecord(at)
}

func removeRecord(path string) error {
	for _, s := range []string{"", "-wal", "-shm", ".lock"} {
		if err := os.Remove(path + s); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return parley.Errorf(CodeFailed, "%w", err)
		}
	}
	return nil
}

// Lock holds the record at path against every node and every other repair
// until it is closed.
func Lock(path string) (io.Closer, error) {
	if err := refuseRemote(filepath.Dir(path)); err != nil {
		return nil, err
	}
	f, err := lockFile(path + ".lock")
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Install puts the copy at RepairPath, closed and checked, in the place of the
// record at path, and returns the name under which the old one is kept. The
// caller holds the lock.
func Install(path string) (aside string, err error) {
	at := path + suffixBuilding
	f, err := os.Open(at)
	if err == nil {
		err = errors.Join(f.Sync(), f.Close())
	}
	if err != nil {
		return "", parley.Errorf(CodeFailed, "%w", err)
	}
	for _, s := range []string{"-wal", "-shm", ".lock"} { // empty: the copy was closed
		os.Remove(at + s)
	}
	if err := rename(at, path+suffixRepaired); err != nil {
		return "", err
	}
	return FinishInstall(path)
}

// FinishInstall takes the steps that an installation, if one was begun, still
// lacks. The caller holds the lock.
func FinishInstall(path string) (aside string, err error) {
	if _, err := os.Lstat(path + suffixRepaired); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", parley.Errorf(CodeFailed, "%w", err)
	}
	aside = freeName(path + suffixAside)
	for _, s := range []string{"-wal", ""} {
		err := rename(path+s, aside+s)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	os.Remove(path + "-shm")
	if err := clearMark(path); err != nil {
		return "", err
	}
	return aside, rename(path+suffixRepaired, path)
}

// freeName is the first of name, name.2, name.3 ... that neither the database
// nor its write-ahead log has. A step that a crash cut off goes on under the
// name that it had begun.
func freeName(name string) string {
	for n, at := 2, name; ; n++ {
		_, err := os.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) {
			return at
		}
		at = name + "." + strconv.Itoa(n)
	}
}

// rename moves a file and makes the new name durable.
func rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return parley.Errorf(CodeFailed, "%w", err)
	}
	return syncDir(filepath.Dir(to))
}

// pending reports whether an installation was begun and not finished.
func pending(path string) bool {
	_, err := os.Lstat(path + suffixRepaired)
	return err == nil
}
