package faults

import (
	"fmt"
	"os"
	"strings"
)

// Usage is what a process takes, as /proc tells it.
type Usage struct {
	RSS, Peak   uint64 // bytes resident, now and at most
	Threads     int
	Descriptors int
}

// Process measures a process; false where /proc does not tell.
func Process(pid int) (u Usage, ok bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, false
	}
	for line := range strings.Lines(string(b)) {
		var n uint64
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &n); err == nil {
			u.RSS = n << 10
		}
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &n); err == nil {
			u.Peak = n << 10
		}
		if _, err := fmt.Sscanf(line, "Threads: %d", &n); err == nil {
			u.Threads = int(n)
		}
	}
	fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	u.Descriptors = len(fds)
	return u, err == nil
}
