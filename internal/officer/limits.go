package officer

import (
	"strconv"
	"sync"
	"time"

	"parley"
)

// limit is a bucket: one token comes back every so often, up to a burst.
type limit struct {
	every time.Duration
	burst float64
}

// What is limited, for whom (console-security 4.2).
var (
	perAddress = limit{5 * time.Second, 10}  // questions and answers of signing in, by address
	perAccount = limit{10 * time.Second, 5}  // answers of signing in, by officer
	perApprove = limit{2 * time.Second, 5}   // steps of a draft, by officer
	perEnrol   = limit{time.Minute, 4}       // enrolments, by address: a link, a question, an answer, one more try
	perExport  = limit{10 * time.Minute, 6}  // exports and proofs, by officer
	perDenied  = limit{10 * time.Second, 10} // audited refusals, by officer: more are refused without an entry
)

// limits are the buckets in use. The map is bounded; when it is full of
// buckets that are not, whoever is not in it is refused: it fails closed.
type limits struct {
	mu      sync.Mutex
	buckets map[string]*bucket
}

type bucket struct {
	left float64
	at   time.Time
	of   limit
}

const maxBuckets = 4096

func newLimits() *limits { return &limits{buckets: map[string]*bucket{}} }

// allow takes a token of the bucket of a name, or refuses.
func (l *limits) allow(of limit, what, whom string, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	name := what + " " + whom
	k := l.buckets[name]
	if k == nil {
		if len(l.buckets) >= maxBuckets && !l.sweep(now) {
			return parley.Errorf(CodeTooMany, "too many at once")
		}
		k = &bucket{left: of.burst, at: now, of: of}
		l.buckets[name] = k
	}
	k.fill(now)
	if k.left < 1 {
		return parley.Errorf(CodeTooMany, "too many attempts")
	}
	k.left--
	return nil
}

// fill gives back what time has earned; a clock that went back earns nothing.
func (k *bucket) fill(now time.Time) {
	if d := now.Sub(k.at); d > 0 {
		k.left = min(k.of.burst, k.left+float64(d)/float64(k.of.every))
	}
	k.at = now
}

// sweep forgets full buckets, and reports whether there is room.
func (l *limits) sweep(now time.Time) bool {
	for n, k := range l.buckets {
		if k.fill(now); k.left >= k.of.burst {
			delete(l.buckets, n)
		}
	}
	return len(l.buckets) < maxBuckets
}

func itoa(n uint64) string { return strconv.FormatUint(n, 10) }

func (o ID) String() string { return itoa(uint64(o)) }
