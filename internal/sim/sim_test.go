package sim

import (
	"os"
	"slices"
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

// Worlds in which a promise broke before what they showed was mended.
func TestWorldsThatBroke(t *testing.T) {
	for _, seed := range []uint64{1775, 3596, 5056, 15271, 15719, 26441, 33615, 35474, 37999, 38598, 40165, 41888, 55291, 67067, 16715, 28861, 34027, 2003876, 2136471, 2021847, 2098987, 2059477, 3010079, 3011038} {
		if _, err := Run(seed, nil); err != nil {
			t.Error(err)
		}
	}
}

// A product that breaks its promises is seen to break them: the simulator's
// eyes are open.
func TestMutants(t *testing.T) {
	for m, name := range map[mutant]string{hasty: "sends before it is durable", forgetful: "a disk that forgets", trusting: "never doubts a disk"} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(400) {
				if m == trusting && planOf(seed).Restore == 0 {
					continue // no disk is ever in doubt there
				}
				if _, err := run(seed, m, nil); err != nil {
					t.Log(err)
					return
				}
			}
			t.Error("400 worlds, and nothing broke")
		})
	}
}

// A seed does the same again.
func TestRepeats(t *testing.T) {
	for seed := range uint64(3) {
		var first, again []string
		Run(seed, func(line string) { first = append(first, line) })
		Run(seed, func(line string) { again = append(again, line) })
		if !slices.Equal(first, again) {
			for i := range min(len(first), len(again)) {
				if first[i] != again[i] {
					t.Errorf("seed %d, line %d:\n%s\n%s", seed, i, first[i], again[i])
					break
				}
			}
			t.Errorf("seed %d: %d lines, then %d", seed, len(first), len(again))
		}
	}
}
