package host

import "testing"

// long skips a test that computes much and adds no goroutines of its own:
// under the race detector, with -short, the others stand for it.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("long: it runs without -short")
	}
}
