//go:build !unix

package store

import (
	"os"

	"parley"
)

// lockFile refuses: without a lock that dies with its process, two nodes
// could write one record.
func lockFile(path string) (*os.File, error) {
	return nil, parley.Errorf(CodeUnsafe, "records are not supported on this operating system")
}
