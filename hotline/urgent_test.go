package hotline

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"parley"
)

// What is shown of many duties is the begin of all of them, and nothing that
// is owed is left out of the count.
func TestUrgent(t *testing.T) {
	several := 0
	for seed := range uint64(8) {
		w := history(t, seed, 250)
		for m := parley.Party(1); m <= 4; m++ {
			d := New(w.c, m)
			for _, e := range w.told(m, rand.New(rand.NewPCG(seed, 3))) {
				e.tell(d)
			}
			for _, now := range []time.Time{w.now, w.now.Add(3 * time.Hour), w.now.Add(-6 * time.Hour)} {
				var mine, others []parley.Duty
				for _, x := range d.Due(now) {
					if x.Owner == m {
						mine = append(mine, x)
					} else {
						others = append(others, x)
					}
				}
				for _, most := range []int{0, 1, 3, 7, 1000} {
					ours, theirs := d.Urgent(now, most)
					for _, c := range []struct {
						got  Owed
						want []parley.Duty
					}{{ours, mine}, {theirs, others}} {
						late := 0
						for _, x := range c.want {
							if x.Late {
								late++
							}
						}
						if c.got.All != len(c.want) || c.got.Late != late || !slices.Equal(c.got.Duties, c.want[:min(most, len(c.want))]) {
							t.Fatalf("seed %d, member %d, %d of %d: %+v\nwant the begin of %+v", seed, m, most, len(c.want), c.got, c.want)
						}
						if len(c.want) > 3 {
							several++
						}
					}
				}
			}
		}
	}
	if several < 50 {
		t.Errorf("only %d comparisons had something to leave out", several)
	}
}
