//go:build !unix

package host

// roomIn is how many bytes are free in the file system of a directory.
func roomIn(string) (free uint64, known bool) { return 0, false }
