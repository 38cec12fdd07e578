package journal

import (
	"cmp"
	"slices"

	"parley"
)

// The time of an entry. Its own time and the times of receipts are claims.
// What is proved is an upper bound: witnesses that the charter names, and that
// no member controls, cosigned a head that contains the entry. There is no
// lower bound; a witness may cosign an old head again at any time.

// Witnessed is the least time t such that witnesses whose cosignatures of time
// at most t, on heads that contain the entry at index, satisfy the charter's
// quorum. It is false if the quorum is not reached or the charter asks for no
// witness. Cosignatures of one log, verified before, in any order; those of
// members are passed over. One of time 0 counts for nothing (spec/receipts.md).
func Witnessed(c *parley.Charter, cosigs []Cosig, index uint64) (t uint64, ok bool) {
	q, err := c.Quorum()
	if err != nil || q.None() {
		return 0, false
	}
	first := make([]uint64, len(c.Witnesses))
	for i, w := range c.Witnesses {
		for _, x := range cosigs {
			if x.Name == w.Name && x.Size > index && x.Time != 0 && (first[i] == 0 || x.Time < first[i]) {
				first[i] = x.Time
			}
		}
	}
	t, by := quorumTime(c, q, first)
	return t, by != nil
}

// quorumTime is the least time at which the witnesses' first cosignatures
// (0: none) satisfy the quorum, and by whom; nil if they never do.
func quorumTime(c *parley.Charter, q *parley.Quorum, first []uint64) (t uint64, by []string) {
	var order []int
	for i, at := range first {
		if at != 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(first[a], first[b]) })
	for _, i := range order {
		by = append(by, c.Witnesses[i].Name)
		if q.Met(func(name string) bool { return slices.Contains(by, name) }) {
			return first[i], by
		}
	}
	return 0, nil
}

// Receipt is a member's first statement that it holds an entry, with the time
// of its own clock.
type Receipt struct {
	By   parley.Party
	Time uint64
}

// Receipts lists the members that gave a receipt over a head of the log that
// contains the entry at index, each with the least time it gave. Cosignatures
// of one log, verified before, in any order.
func Receipts(c *parley.Charter, log parley.LogID, cosigs []Cosig, index uint64) []Receipt {
	var rs []Receipt
	for _, m := range c.Members {
		if m.Index == log.Party {
			continue
		}
		name := ReceiptName(log.Channel, m.Index)
		r := Receipt{By: m.Index}
		for _, x := range cosigs {
			if x.Name == name && x.Size > index && x.Time != 0 && (r.Time == 0 || x.Time < r.Time) {
				r.Time = x.Time
			}
		}
		if r.Time != 0 {
			rs = append(rs, r)
		}
	}
	return rs
}
