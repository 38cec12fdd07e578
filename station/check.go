package station

import (
	"fmt"

	"parley"
)

// Check reports the first of the station's own invariants that does not hold:
// its buffers are within their bounds, and what it believes of a log fits what
// it holds. A simulator asks after every step; the cost is linear in the logs.
func (st *Station) Check() error {
	kept, strays := map[parley.Party]int{}, map[parley.Party]int{}
	for _, l := range st.order {
		if err := st.checkLog(l); err != nil {
			return err
		}
		if l.stray != 0 {
			strays[l.stray]++
		}
		for _, h := range l.held {
			kept[h.by] += h.bytes()
		}
	}
	for _, m := range st.peers() {
		for _, b := range m.noKey {
			kept[m.Index] += len(b)
		}
		switch {
		case kept[m.Index] != m.kept || m.kept > maxKept:
			return fmt.Errorf("%d bytes are kept for member %d, counted %d, bound %d", kept[m.Index], m.Index, m.kept, maxKept)
		case strays[m.Index] != m.strays || m.strays > maxStray:
			return fmt.Errorf("%d unknown logs are kept for member %d, counted %d, bound %d", strays[m.Index], m.Index, m.strays, maxStray)
		case len(m.reads) > maxReads || len(m.noKey) > maxNoKey || len(m.gens) > maxGens:
			return fmt.Errorf("member %d fills %d keys, %d frames without a key, %d generations", m.Index, len(m.reads), len(m.noKey), len(m.gens))
		}
	}
	if len(st.openings) > maxHeld {
		return fmt.Errorf("%d openings wait for their commitments", len(st.openings))
	}
	return nil
}

func (st *Station) checkLog(l *log) error {
	size := l.size()
	for i := range l.held {
		if i < size || i >= size+maxHeld {
			return fmt.Errorf("leaf %d of %s is held at size %d", i, l.id, size)
		}
	}
	for p, n := range l.rcpt {
		if n > size {
			return fmt.Errorf("%s counts a receipt of member %d over %d of %d entries", l.id, p, n, size)
		}
	}
	if l.head.Size > size {
		return fmt.Errorf("%s has a signed head of size %d and %d entries", l.id, l.head.Size, size)
	}
	return nil
}
