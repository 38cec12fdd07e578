package sim

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Stats are the figures of one or many worlds.
type Stats struct {
	Worlds    uint64
	Steps     uint64
	Frames    uint64 // delivered
	Bytes     uint64 // of them
	Entries   uint64 // opened, summed over all members
	LineTime  time.Duration
	lineYears float64
	Counts    map[string]uint64 // faults and operations by kind
}

func newStats() *Stats { return &Stats{Counts: map[string]uint64{}} }

func (s *Stats) add(what string, n uint64) { s.Counts[what] += n }

const year = 365.25 * 24 * float64(time.Hour)

// Add sums up.
func (s *Stats) Add(o *Stats) {
	s.Worlds += o.Worlds
	s.Steps += o.Steps
	s.Frames += o.Frames
	s.Bytes += o.Bytes
	s.Entries += o.Entries
	s.lineYears += o.LineYears()
	for k, n := range o.Counts {
		s.Counts[k] += n
	}
}

// LineYears is how long all pairs of members lived together, in years.
func (s *Stats) LineYears() float64 { return s.lineYears + float64(s.LineTime)/year }

func (s *Stats) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d worlds, %.0f line-years, %d steps, %d frames, %d entries opened\n", s.Worlds, s.LineYears(), s.Steps, s.Frames, s.Entries)
	for _, k := range slices.Sorted(maps.Keys(s.Counts)) {
		fmt.Fprintf(&b, "%12d  %s\n", s.Counts[k], k)
	}
	return b.String()
}

func sortFailures(fs []*Failure) {
	slices.SortFunc(fs, func(a, b *Failure) int { return cmp.Compare(a.Seed, b.Seed) })
}
