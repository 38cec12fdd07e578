package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"parley"
	"parley/journal/journaltest"
)

// Plan is what a seed makes of a world: its size and its faults. Rates are
// probabilities, in one of a thousand, of the thing that their comment names.
type Plan struct {
	Members, Witnesses int
	Segments           int  // hours of work
	Brief              bool // they and the gaps between them are short
	Packets            bool // links lose, repeat and reorder single frames

	Loss, Duplicate, Reorder int           // a frame, where links are of packets
	Latency                  time.Duration // of a frame, at most
	Cut                      int           // a second: a link breaks, or one direction stalls
	Swizzle                  int           // a second: links stall one by one and come back in another order
	Crash                    int           // a step: the process ends at some boundary of its effects
	Sync                     int           // a step: the disk refuses to make a batch durable
	Full                     int           // a minute: a disk fills up
	Slow                     int           // a step: the disk takes seconds
	Clock                    int           // a minute: a clock jumps, drifts, freezes, or is years off
	Restore                  int           // a minute: a backup, an old image or nothing takes the place of a disk
	Rotate                   int           // a minute: a root puts new keys in force
	Lone                     int           // a minute: a member is cut off for a whole gap
	Leave                    int           // in all: a member gives notice that it leaves
	Succeed                  bool          // a successor charter ends the channel, and is used
	SmallQuota               bool          // the day's quotas are soon used up
	ShortWindows             bool          // keys live for an hour
	Hostile                  []trick       // what the last member's modified nodes do
	BadWitnesses             int           // that cosign anything
}

// draw makes the plan of a seed. Each kind of fault is in few worlds, and then
// often: rare rates everywhere would seldom meet each other.
func draw(rng *rand.Rand) Plan {
	some := func(chance, most int) int {
		if rng.IntN(100) >= chance {
			return 0
		}
		return 1 + rng.IntN(most)
	}
	p := Plan{
		Members:   []int{2, 2, 2, 3, 3, 3, 3, 3, 4, 5}[rng.IntN(10)],
		Witnesses: []int{0, 1, 2, 3, 3, 4}[rng.IntN(6)],
		Segments:  []int{1, 1, 1, 1, 2, 3}[rng.IntN(6)],
		Packets:   rng.IntN(3) == 0,
		Latency:   time.Duration(1+rng.IntN(1+[]int{20, 200, 3000}[rng.IntN(3)])) * time.Millisecond,
		Cut:       some(50, 60), Swizzle: some(15, 15),
		Crash: some(50, 100), Sync: some(20, 20), Full: some(15, 300), Slow: some(15, 100),
		Clock: some(25, 400), Restore: some(30, 500), Rotate: some(25, 300), Lone: some(40, 400),
		Leave: some(5, 1), Succeed: rng.IntN(20) == 0, SmallQuota: rng.IntN(12) == 0, ShortWindows: rng.IntN(3) == 0,
	}
	if rng.IntN(4) > 0 { // most worlds are cheap, so that there can be many
		p.Brief, p.Segments, p.Members = true, 1, min(p.Members, 3)
	}
	if p.Packets {
		p.Loss, p.Duplicate, p.Reorder = some(60, 300), some(60, 200), some(60, 400)
	}
	if p.Members > 2 && rng.IntN(3) == 0 {
		for _, t := range tricks {
			if rng.IntN(3) == 0 {
				p.Hostile = append(p.Hostile, t)
			}
		}
	}
	if p.Witnesses > 0 && rng.IntN(6) == 0 {
		p.BadWitnesses = 1 + rng.IntN(p.Witnesses)
	}
	return p
}

func (p Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d members, %d witnesses (%d bad), %d segments, latency ≤ %v", p.Members, p.Witnesses, p.BadWitnesses, p.Segments, p.Latency)
	for _, f := range []struct {
		name string
		n    int
	}{{"loss", p.Loss}, {"dup", p.Duplicate}, {"reorder", p.Reorder}, {"cut", p.Cut}, {"swizzle", p.Swizzle}, {"crash", p.Crash},
		{"sync", p.Sync}, {"full", p.Full}, {"slow", p.Slow}, {"clock", p.Clock}, {"restore", p.Restore}, {"rotate", p.Rotate},
		{"lone", p.Lone}, {"leave", p.Leave}} {
		if f.n > 0 {
			fmt.Fprintf(&b, ", %s %d", f.name, f.n)
		}
	}
	for _, f := range []struct {
		name string
		on   bool
	}{{"brief", p.Brief}, {"packets", p.Packets}, {"successor", p.Succeed}, {"small quota", p.SmallQuota}, {"short windows", p.ShortWindows}} {
		if f.on {
			b.WriteString(", " + f.name)
		}
	}
	for _, t := range p.Hostile {
		b.WriteString(", hostile: " + string(t))
	}
	return b.String()
}

// channel makes the charter that the plan asks for; prev is the channel that
// it succeeds, or nil.
func (p *Plan) channel(prev *journaltest.Channel, finals []parley.Head) *journaltest.Channel {
	return journaltest.New(p.Members, p.Witnesses, func(c *parley.Charter) {
		if p.SmallQuota {
			c.Rules.Quota = [parley.Lanes]uint64{4 << 10, 4 << 10, 4 << 10, 16 << 10, 4 << 10}
		}
		if p.ShortWindows {
			c.Rules.Window, c.Rules.Prepos, c.Rules.Grace, c.Rules.KemMax = 3600, 3600, 7200, 86400
		}
		if prev != nil {
			c.Prev, c.Finals = &prev.ID, finals
		}
	})
}
