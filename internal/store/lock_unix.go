//go:build unix

package store

import (
	"errors"
	"os"
	"syscall"

	"parley"
)

// lockFile holds the record for this process alone. The kernel drops the lock
// with the process, so no stale lock survives a crash.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, parley.Errorf(CodeFailed, "lock file: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, parley.Errorf(CodeInUse, "%s is locked by another process", path)
	}
	return nil, parley.Errorf(CodeUnsafe, "%s cannot be locked: %w", path, err)
}
