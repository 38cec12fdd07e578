package store

import (
	"os"
	"strconv"
)

// dose is how often a test repeats something random: n, times the number in
// PARLEY_STORE_DOSE.
func dose(n int) int {
	times, err := strconv.Atoi(os.Getenv("PARLEY_STORE_DOSE"))
	if err != nil || times < 1 {
		return n
	}
	return n * times
}
