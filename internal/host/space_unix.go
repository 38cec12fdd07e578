//go:build unix

package host

import "syscall"

// roomIn is how many bytes are free in the file system of a directory.
func roomIn(dir string) (free uint64, known bool) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, false
	}
	return uint64(st.Bavail) * uint64(st.Bsize), true
}
