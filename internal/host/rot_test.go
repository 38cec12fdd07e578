package host

import (
	"os"
	"strconv"
)

// rot is how much of the large dose of damage a test applies: one in n. The
// number in PARLEY_ROT makes it thinner or thicker; 1 applies all.
//
//	PARLEY_ROT=1 go test ./internal/host -run Repair -v -timeout 4h
func rot(n int) int {
	if v, err := strconv.Atoi(os.Getenv("PARLEY_ROT")); err == nil && v > 0 {
		return v
	}
	return n
}
