//go:build !unix

package witness

import (
	"os"
	"path/filepath"
)

const privateModes = false

// lockDir creates the lock file anew. Where an open file cannot be removed,
// that fails while another process serves the directory.
func lockDir(dir string) (*os.File, error) {
	path := filepath.Join(dir, "lock")
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
}

// syncDir does nothing: these systems write a rename through by themselves.
func syncDir(string) error { return nil }
