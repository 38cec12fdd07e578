package demo

import (
	"testing"

	"parley"
	"parley/internal/mutate"
)

// FuzzScenario: a scenario file ends in steps or in a mistake with its line.
func FuzzScenario(f *testing.F) {
	in := [][]byte{[]byte(Crisis), []byte(head + "at 2025-05-10T03:45Z\nfrom A\nsource E\nmessage\n| x\n")}
	mutate.Fuzz(f, in, func(t testing.TB, b []byte) bool {
		s, err := Parse(string(b))
		if err != nil {
			if parley.CodeOf(err).Remedy() == "" {
				t.Errorf("%v has no remedy", err)
			}
			return false
		}
		if len(s.Members) < 2 || len(s.Steps) == 0 {
			t.Error("an empty scenario was accepted")
		}
		return true
	})
}
