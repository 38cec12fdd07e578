package journal

import (
	"bytes"
	"fmt"
	"slices"

	"parley"
)

// standing is what the generations say of a range of a log's entries.
type standing struct {
	from, to uint64
	is       parley.Standing
	why      string
}

// genInfo is one generation of a party as its GENERATION entries describe it.
type genInfo struct {
	gen    parley.Gen
	prev   []parley.Gen
	last   map[parley.Lane]map[parley.Gen]uint64 // sizes it cites of its predecessors
	root   bool                                  // signed by the root
	serial uint64                                // of the keys it uses
	reach  map[parley.Gen]bool                   // of a root-signed one: what it cites, directly or not
}

// checkGenerations decides, from what the file holds, which entries of a party
// stand after a break (spec/journal.md, rules of generations).
func (v *verifier) checkGenerations(c *conclusions, p parley.Party) {
	gens := v.generations(p)
	for _, l := range v.logs {
		if l.log.Party != p || l.head.Size == 0 {
			continue
		}
		l.standings = standingOf(l, gens)
	}
	c.twice = append(c.twice, runsTwice(p, gens)...)
}

func (v *verifier) generations(p parley.Party) []*genInfo {
	var gens []*genInfo
	byGen := map[parley.Gen]*genInfo{}
	for _, l := range v.logs {
		if l.log.Party != p || l.keys == nil {
			continue
		}
		g := byGen[l.log.Gen]
		if g == nil {
			g = &genInfo{gen: l.log.Gen, serial: l.keys.Serial, last: map[parley.Lane]map[parley.Gen]uint64{}}
			byGen[g.gen] = g
			gens = append(gens, g)
		}
		for _, ev := range l.events {
			if ev.gen != nil {
				g.add(p, ev.gen)
			}
		}
	}
	for _, g := range gens {
		if g.root {
			g.follow(byGen)
		}
	}
	slices.SortFunc(gens, func(a, b *genInfo) int { return bytes.Compare(a.gen[:], b.gen[:]) })
	return gens
}

func (g *genInfo) add(p parley.Party, body *parley.Generation) {
	g.root = g.root || body.RootKeys != nil
	for _, prev := range body.Prev {
		if !slices.Contains(g.prev, prev) {
			g.prev = append(g.prev, prev)
		}
	}
	for _, h := range body.Last {
		if h.Party != p {
			continue
		}
		if g.last[h.Lane] == nil {
			g.last[h.Lane] = map[parley.Gen]uint64{}
		}
		g.last[h.Lane][h.Gen] = max(g.last[h.Lane][h.Gen], h.Size)
	}
}

// standingOf applies the rules to one log.
func standingOf(l *logCheck, gens []*genInfo) []standing {
	size := l.head.Size
	if by := revoked(l, gens); by != nil {
		return []standing{{0, size, parley.AfterRevocation,
			fmt.Sprintf("the root replaced the log key and generation %s does not cite this one", by.gen)}}
	}
	var cited uint64
	superseded, root := false, false
	for _, g := range gens {
		if slices.Contains(g.prev, l.log.Gen) {
			superseded, root = true, root || g.root
			cited = max(cited, g.last[l.log.Lane][l.log.Gen])
		}
	}
	if !superseded || cited >= size {
		return nil
	}
	held := size
	if root {
		held = cited
		for _, m := range l.marks {
			if m.signer > 0 && m.signer < firstWitness {
				held = max(held, m.size)
			}
		}
	}
	var out []standing
	if held > cited {
		out = append(out, standing{cited, held, parley.BeforeBreak, "beyond the size that the author's next generation cites"})
	}
	if held < size {
		out = append(out, standing{held, size, parley.AfterRevocation, "beyond the size that the root-signed generation cites, and no member's receipt covers it"})
	}
	return out
}

// revoked is the root-signed generation that replaced the log's key and does
// not reach the log's generation through what it cites, or nil.
func revoked(l *logCheck, gens []*genInfo) *genInfo {
	for _, g := range gens {
		if g.root && g.serial > l.keys.Serial && g.gen != l.log.Gen && !g.reach[l.log.Gen] {
			return g
		}
	}
	return nil
}

// follow collects what a generation cites, and what those cite in turn.
func (g *genInfo) follow(byGen map[parley.Gen]*genInfo) {
	g.reach = map[parley.Gen]bool{}
	next := slices.Clone(g.prev)
	for len(next) > 0 {
		p := next[len(next)-1]
		next = next[:len(next)-1]
		if g.reach[p] {
			continue
		}
		g.reach[p] = true
		if x := byGen[p]; x != nil {
			next = append(next, x.prev...)
		}
	}
}

// runsTwice names pairs of generations that cite one predecessor, or both
// none, and that no third generation names together. One that the root signed
// prevails over one that it did not: that pair is a revocation, no doubt.
func runsTwice(p parley.Party, gens []*genInfo) (out []string) {
	for i, a := range gens {
		for _, b := range gens[i+1:] {
			shared := len(a.prev) == 0 && len(b.prev) == 0
			for _, x := range a.prev {
				shared = shared || slices.Contains(b.prev, x)
			}
			merged := slices.ContainsFunc(gens, func(g *genInfo) bool {
				return slices.Contains(g.prev, a.gen) && slices.Contains(g.prev, b.gen)
			})
			if shared && !merged && a.root == b.root {
				out = append(out, fmt.Sprintf("member %d runs twice: generations %s and %s follow the same predecessor and nothing names both", p, a.gen, b.gen))
			}
		}
	}
	return out
}
