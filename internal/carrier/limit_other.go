//go:build !unix

package carrier

// descriptors is how many the process may have open.
func descriptors() int { return 1024 }
