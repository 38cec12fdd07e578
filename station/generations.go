package station

import (
	"cmp"
	"slices"

	"parley"
	"parley/journal"
)

// Bounds on generations. Each was signed by its member's log key.
const (
	maxGens = 512 // of one member
	maxOld  = 32  // of one member under one key that is replaced: a thief makes no more
)

// firstOf learns the generation that the first entry of a log opens, if the
// head's signature fits the key that it names or one that its author had.
// Generations become known in any order: the key may have been replaced since.
func (st *Station) firstOf(l *log, in *incoming) bool {
	if in.entry == nil || in.entry.Kind != parley.KindGeneration {
		return false
	}
	body, err := parley.ParseGeneration(in.entry.Body)
	if err != nil {
		return false
	}
	var t journal.Tree
	t.Append(in.leaf.Hash())
	return st.firstUnder(l, body, journal.SignedHead{Log: l.id, Size: 1, Root: t.Root(), Sig: in.sig})
}

// firstUnder learns the generation that body opens if the signature of a head
// that covers it fits.
func (st *Station) firstUnder(l *log, body *parley.Generation, h journal.SignedHead) bool {
	m := st.members[l.id.Party]
	if len(m.gens) >= maxGens {
		return false
	}
	key := st.firstKey(m, l, body, h)
	if key == nil {
		return false
	}
	if m.Index == st.me {
		st.fx.alarm(AlarmForeign, st.me, "a generation of this party exists that this node did not start: "+l.id.Gen.String(), nil)
	}
	st.newPeerGeneration(m, l.id.Gen, body, key)
	return true
}

// firstKey is the key under which a head of a log verifies.
func (st *Station) firstKey(m *member, l *log, body *parley.Generation, h journal.SignedHead) *parley.Keys {
	fits := func(k *parley.Keys) bool { return journal.VerifyHead(k.LogEd, l.origin, h.Size, h.Root, h.Sig) }
	if rk := body.RootKeys; rk != nil {
		// A renewal may become known after the one that followed it.
		if !m.knows(rk.Serial) && st.rootSigned(m, l.id.Gen, rk) && fits(rk.Keys) {
			return rk.Keys
		}
		return nil
	}
	for i := len(m.keys) - 1; i >= 0; i-- {
		if k := m.keys[i]; fits(k) {
			if k != m.newestKeys() && m.under(k) >= maxOld {
				return nil
			}
			return k
		}
	}
	return nil
}

// knows reports whether the member's root announced keys of that serial.
func (m *member) knows(serial uint64) bool {
	return slices.ContainsFunc(m.keys, func(k *parley.Keys) bool { return k.Serial == serial })
}

func (m *member) addKeys(k *parley.Keys) {
	m.keys = append(m.keys, k)
	slices.SortFunc(m.keys, func(a, b *parley.Keys) int { return cmp.Compare(a.Serial, b.Serial) })
}

func (m *member) under(k *parley.Keys) int {
	n := 0
	for _, g := range m.gens {
		if g.key == k {
			n++
		}
	}
	return n
}

// rootSigned reports whether a member's root put keys in force for exactly
// this generation.
func (st *Station) rootSigned(m *member, gen parley.Gen, rk *parley.RootKeys) bool {
	return rk != nil && rk.Verify(st.ch, m.Member, gen) == nil
}

// newPeerGeneration registers a generation and says what officers must know.
func (st *Station) newPeerGeneration(m *member, gen parley.Gen, body *parley.Generation, key *parley.Keys) {
	before := m.newestKeys()
	old := m.current()
	if g := st.learnGeneration(m, gen, body, key); g != nil {
		if o := m.twin(g); o != nil {
			st.twice(m, o.gen, gen)
		}
	}
	st.foreign = st.foreign || m.Index == st.me
	if m.newestKeys() != before {
		st.fx.alarm(AlarmNewKeys, m.Index, "the root of "+m.Name+" put new node keys in force; confirm by voice", nil)
	}
	if old != nil && m.current() != old {
		st.rehold(m, old)
	}
	st.followKeys(m)
	for _, l := range st.order {
		if l.id.Party == m.Index {
			st.reinstate(l, 0, l.size())
		}
	}
}

// learnGeneration registers a generation whose GENERATION entry verified under
// key. It returns nil if it was known; its ROOTKEYS may be new even then.
func (st *Station) learnGeneration(m *member, gen parley.Gen, body *parley.Generation, key *parley.Keys) *generation {
	root := st.rootSigned(m, gen, body.RootKeys) && string(body.RootKeys.Keys.LogEd) == string(key.LogEd)
	if root {
		if key = body.RootKeys.Keys; !m.knows(key.Serial) {
			m.addKeys(key)
		}
	}
	g := m.generation(gen)
	if g != nil {
		if root && !g.root {
			g.root, g.key, g.prev, g.cites = true, key, body.Prev, body.Last
			m.relink()
		}
		return nil
	}
	g = &generation{gen: gen, key: key, prev: body.Prev, cites: body.Last, root: root}
	m.gens = append(m.gens, g)
	m.relink()
	for _, l := range st.order {
		if l.id.Party == m.Index && l.id.Gen == gen && l.stray != 0 {
			st.members[l.stray].strays--
			l.stray = 0
		}
	}
	return g
}

// relink finds out what supersedes each generation: one that names it, or a
// root-signed one that replaced its key and does not lead back to it. A
// root-signed generation prevails. The result does not depend on the order in
// which they became known, unless the member runs twice.
func (m *member) relink() {
	byGen := make(map[parley.Gen]*generation, len(m.gens))
	for _, g := range m.gens {
		g.replaced = nil
		byGen[g.gen] = g
	}
	for _, g := range m.gens {
		for _, p := range g.prev {
			if old := byGen[p]; old != nil && old != g && (old.replaced == nil || g.root && !old.replaced.root) {
				old.replaced = g
			}
		}
	}
	for _, r := range m.gens {
		if !r.root {
			continue
		}
		reach := map[parley.Gen]bool{}
		r.reach(byGen, reach)
		for _, old := range m.gens {
			if old.key.Serial < r.key.Serial && !reach[old.gen] && (old.replaced == nil || !old.replaced.root) {
				old.replaced = r
			}
		}
	}
}

func (g *generation) reach(byGen map[parley.Gen]*generation, seen map[parley.Gen]bool) {
	for _, p := range g.prev {
		if !seen[p] {
			seen[p] = true
			if old := byGen[p]; old != nil {
				old.reach(byGen, seen)
			}
		}
	}
}

// twin is another generation with a predecessor of g, or like g with none,
// that no later generation supersedes together with g: the member runs twice.
func (m *member) twin(g *generation) *generation {
	prev := map[parley.Gen]bool{}
	for _, p := range g.prev {
		prev[p] = true
	}
	for _, o := range m.gens {
		if o == g || o.root || g.root || o.replaced == g || g.replaced == o || o.replaced != nil && o.replaced == g.replaced {
			continue
		}
		if len(o.prev)+len(g.prev) == 0 || slices.ContainsFunc(o.prev, func(p parley.Gen) bool { return prev[p] }) {
			return o
		}
	}
	return nil
}

func (st *Station) twice(m *member, a, b parley.Gen) {
	text := m.Name + " has two open generations, " + a.String() + " and " + b.String() + ": its node may run twice"
	st.fx.alarm(AlarmTwice, m.Index, text, nil)
	st.notices = append(st.notices, parley.Notice{Code: parley.NoticeRunsTwice, Evidence: append(append([]byte{byte(m.Index)}, a[:]...), b[:]...)})
}

// cited is the size at which the generation after g's ends the log, and
// whether there is one. Heads of other parties in its list say nothing.
func (g *generation) cited(l *log) (size uint64, over bool) {
	if g == nil || g.replaced == nil {
		return 0, false
	}
	for _, h := range g.replaced.cites {
		if h.Party == l.id.Party && h.Lane == l.id.Lane && h.Gen == l.id.Gen {
			size = h.Size
		}
	}
	return size, true
}

// rehold takes frames that were held for the generation that was current: an
// ENTRY does not say its generation, and may have overtaken the new one.
func (st *Station) rehold(m *member, old *generation) {
	for lane := range parley.Lane(parley.Lanes) {
		l := st.logs[place{m.Index, lane, old.gen}]
		if l == nil {
			continue
		}
		for i := l.size(); i < l.size()+maxHeld && len(l.held) > 0; i++ {
			if h := l.held[i]; h != nil && h.raw != nil {
				st.unhold(l, i)
				st.keepRaw(m, h.raw)
			}
		}
	}
}
