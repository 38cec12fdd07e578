//go:build unix

package carrier

import (
	"math"
	"syscall"
)

// descriptors is how many the process may have open.
func descriptors() int {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return 1024
	}
	return int(min(uint64(l.Cur), math.MaxInt32))
}
