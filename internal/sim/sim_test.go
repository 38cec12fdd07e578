package sim

import (
	"os"
	"strconv"
	"testing"
)

// TestSeeds lives through many worlds, 150 by default or PARLEY_SEEDS, and
// fails with the seed of each in which a promise broke.
func TestSeeds(t *testing.T) {
	n := uint64(150)
	if x, err := strconv.ParseUint(os.Getenv("PARLEY_SEEDS"), 10, 64); err == nil {
		n = x
	}
	stats, failures := Soak(0, n, nil)
	t.Log(stats)
	for _, f := range failures {
		t.Errorf("%v\nWatch it: go run ./cmd/parley-sim --seed %d", f, f.Seed)
	}
}
