package sim

import (
	"runtime"
	"sync"
)

// Soak runs the worlds of seeds [from, from+n), on all processors, each world
// in one thread. It returns their figures and the failures, least seed first,
// of which it stops looking for more after ten. progress, which may be nil, is
// told after each world how many are over, and of the failure if it failed; no
// further world begins once it returns false.
func Soak(from, n uint64, progress func(done uint64, f *Failure) bool) (*Stats, []*Failure) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	total := newStats()
	var failures []*Failure
	next, done, stop := from, uint64(0), false
	take := func() (uint64, bool) {
		mu.Lock()
		defer mu.Unlock()
		if next == from+n || stop || len(failures) >= 10 {
			return 0, false
		}
		next++
		return next - 1, true
	}
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				seed, ok := take()
				if !ok {
					return
				}
				stats, err := Run(seed, nil)
				mu.Lock()
				total.Add(stats)
				f, failed := err.(*Failure)
				if failed {
					failures = append(failures, f)
				}
				if done++; progress != nil && !progress(done, f) {
					stop = true
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	sortFailures(failures)
	return total, failures
}
