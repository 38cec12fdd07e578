package console

import (
	"sync"
	"time"

	"parley"
)

// limits are the console's own token buckets, in memory.
type limits struct {
	general *bucket // per address: any request
	strict  *bucket // per account: approve, enrol, export; fails closed
}

func newLimits() *limits {
	return &limits{
		general: &bucket{every: 10 * time.Millisecond, burst: 400, open: true},
		strict:  &bucket{every: 2 * time.Second, burst: 5},
	}
}

// bucketKeys bounds how many addresses or accounts a bucket remembers.
const bucketKeys = 4096

// bucket allows burst requests at once and one more every so often, for each
// key. When it knows too many keys, an open one lets new ones in and another
// refuses them.
type bucket struct {
	every time.Duration
	burst int
	open  bool

	mu   sync.Mutex
	full map[string]time.Time // when the key's bucket is full again
}

func (b *bucket) allow(key string, now time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.full == nil {
		b.full = map[string]time.Time{}
	}
	at, known := b.full[key]
	if !known && len(b.full) >= bucketKeys {
		for k, t := range b.full {
			if !t.After(now) {
				delete(b.full, k)
			}
		}
		if len(b.full) >= bucketKeys {
			if b.open {
				return nil
			}
			return parley.Errorf(CodeTooMany, "too many accounts act at once")
		}
	}
	if at.Before(now) {
		at = now
	}
	if at = at.Add(b.every); at.Sub(now) > time.Duration(b.burst)*b.every {
		return parley.Errorf(CodeTooMany, "too many requests in a short time")
	}
	b.full[key] = at
	return nil
}
