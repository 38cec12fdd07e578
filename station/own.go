package station

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"parley"
	"parley/journal"
	"parley/seal"
)

// startWait is how long a starting node waits for what its peers know of it.
const startWait = 10 * time.Second

// laneOrder puts ROUTINE first: its GENERATION carries new root keys.
var laneOrder = [parley.Lanes]parley.Lane{parley.Routine, parley.Flash, parley.Immediate, parley.Priority, parley.Deferred}

// start begins the comparison of the own record with what others know.
func (st *Station) start(e Start) {
	st.phase = phaseStarting
	st.doubt = st.doubt || e.Doubt
	for _, m := range st.peers() {
		st.followKeys(m)
	}
	st.waitTil = st.now.Add(startWait)
	if len(st.members) == 1 {
		st.waitTil = st.now
	}
}

// tryFinish ends the start-up when every member has said what it has, or when
// the wait is over. The cases are tested in the order of protocol 7.8: fresh,
// (c), (b), (a), (d).
func (st *Station) tryFinish() {
	if st.phase != phaseStarting {
		return
	}
	if st.still(&st.waitTil, startWait) && !st.heardAll() || !st.ownKeysKnown() {
		return
	}
	st.phase = phaseRunning
	if st.doubt || st.stale {
		st.hush()
	}
	switch {
	case st.doubt:
		st.newGeneration(parley.ReasonRestored, parley.Gen{}, nil)
	case st.stale:
		st.newGeneration(parley.ReasonStale, parley.Gen{}, nil)
	case st.gen == parley.Gen{}:
		st.newGeneration(parley.ReasonFirst, parley.Gen{}, nil)
	}
	// A process that ended between learning of an own generation that it had not
	// started and superseding it has to do so now: while two are open, others
	// cannot tell which keys this node has.
	st.foreign = st.foreign || !st.closed
	st.signAgain()
	st.renewKeys()
	queue := st.queue
	st.queue = nil
	for _, p := range queue {
		st.post(p)
	}
	if e := st.closing; e != nil {
		st.closing = nil
		st.close(*e)
	}
}

// signAgain signs the own heads whose batch was committed and whose signature
// was not stored before the process ended. Without it the newest entries would
// lie in no export and before no witness until their lane grows. The mark is
// written first, as before every signature.
func (st *Station) signAgain() {
	for _, l := range st.order {
		if l.id.Party != st.me || l.head.Size >= l.size() || l.forked || st.logKey(l) == nil {
			continue
		}
		if st.signatureAt(l, l.size()-1) != nil {
			st.fx.moved = true
			continue
		}
		// An old record beside newer keys, and the old ones are gone.
		st.fx.alarm(AlarmUnsigned, st.me, fmt.Sprintf("%d entries of this party in %s are in its record and were never signed; their key was replaced, "+
			"and nobody takes them now who has not taken them before. Read them and send again what still matters", l.size()-l.head.Size, l.id), nil)
	}
}

// heardAll reports whether every member has said what it holds, has shown the
// heads by which it knows more of this party than this node, and how the
// generations of those heads began.
func (st *Station) heardAll() bool {
	for p, m := range st.members {
		if p != st.me && (!m.have || len(m.asked) > 0) {
			return false
		}
	}
	me := st.members[st.me]
	for _, l := range st.order {
		if l.id.Party == st.me && l.claim != nil && me.generation(l.id.Gen) == nil {
			return false
		}
	}
	return true
}

// Ready reports whether the start-up is over and own entries can be written.
func (st *Station) Ready() bool { return st.phase == phaseRunning }

// ownStale notes that somebody holds a head of an own log, validly signed,
// that this node does not know. In the current generation that calls for a new
// one. Logs of generations that a later one has superseded are only pulled
// back; a generation that is not known is judged when it is (merge).
func (st *Station) ownStale(l *log, text string) {
	if st.phase != phaseRunning {
		if !st.stale {
			st.fx.alarm(AlarmStale, st.me, text, nil)
		}
		st.stale = true
		return
	}
	if l.id.Gen == st.gen {
		st.fx.alarm(AlarmStale, st.me, text, nil)
		st.newGeneration(parley.ReasonStale, parley.Gen{}, nil)
		st.renewKeys()
	}
}

// merge supersedes, with one new generation, those that this step made known
// and this node did not start: a party has one open generation.
func (st *Station) merge() {
	if !st.foreign || st.phase != phaseRunning {
		return
	}
	st.foreign = false
	me := st.members[st.me]
	if !st.ownKeysKnown() {
		return // its root has put other keys in force: this node may not speak
	}
	for _, g := range me.gens {
		if g.replaced == nil && g.gen != st.gen {
			st.newGeneration(parley.ReasonStale, parley.Gen{}, nil)
			st.renewKeys()
			return
		}
	}
}

func (st *Station) witnessAhead(e WitnessAhead) {
	if l := st.logs[place{e.Log.Party, e.Log.Lane, e.Log.Gen}]; l != nil && e.Size > l.size() && e.Log.Gen == st.gen {
		st.ownStale(l, "a witness holds a longer "+e.Log.Lane.String()+" log of this party than this node: the store is stale")
	}
}

// renew starts a generation on the operator's word.
func (st *Station) renew(e Renew) {
	if st.members[st.me].generation(e.Gen) != nil {
		return // started already; nothing may be signed twice
	}
	if e.RootKeys != nil {
		st.keys = e.Keys
	}
	st.phase = phaseRunning
	st.newGeneration(e.Reason, e.Gen, e.RootKeys)
	st.renewKeys()
}

// newGeneration opens the five lanes of a new generation. A zero gen is drawn.
func (st *Station) newGeneration(why parley.Reason, gen parley.Gen, rk *parley.RootKeys) {
	me := st.members[st.me]
	body := parley.Generation{Reason: why}
	for _, g := range me.gens {
		if g.replaced == nil {
			body.Prev = append(body.Prev, g.gen)
		}
	}
	slices.SortFunc(body.Prev, func(a, b parley.Gen) int { return bytes.Compare(a[:], b[:]) })
	for _, l := range st.order {
		if l.id.Party == st.me && slices.Contains(body.Prev, l.id.Gen) {
			h := l.cite()
			if l.claim != nil && l.claim.Size > h.Size {
				h = *l.claim
			}
			if h.Size > 0 {
				body.Last = append(body.Last, h)
			}
		}
	}
	for gen == (parley.Gen{}) || me.generation(gen) != nil {
		st.random(gen[:])
	}
	st.gen = gen
	st.doubt, st.stale = false, false
	st.fx.put("self", "gen", gen[:], false)
	g := &generation{gen: gen, key: me.newestKeys(), prev: body.Prev, cites: body.Last, root: rk != nil}
	if rk != nil {
		g.key = rk.Keys
		me.keys = append(me.keys, rk.Keys)
	}
	me.gens = append(me.gens, g)
	me.relink()
	for _, lane := range laneOrder {
		b := body
		if lane == parley.Routine {
			b.RootKeys = rk
		}
		if _, err := st.appendOwn(lane, parley.KindGeneration, parley.ToAll, b.Encode()); err != nil {
			panic("station: GENERATION refused: " + err.Error())
		}
	}
}

// post appends entries of desks, adjacent or none of them, or keeps them until
// the start-up is over.
func (st *Station) post(ps []Post) {
	if st.phase != phaseRunning {
		st.queue = append(st.queue, ps)
		return
	}
	var refused error
	if len(ps) > 1 {
		refused = st.mayAppend(ps)
	}
	for _, p := range ps {
		ref, err := parley.Ref{}, refused
		if refused == nil {
			ref, err = st.appendOwn(p.Lane, p.Kind, p.To, p.Body)
		}
		if len(ps) > 1 && refused == nil && err != nil {
			panic("station: half of what belongs together is written: " + err.Error())
		}
		if p.Done != nil {
			p.Done(ref, err)
		}
	}
}

// mayAppend reports why one of several entries may not be appended to the one
// lane of all. The later ones are judged with the heads that the first would
// cite: they cite no others, as nothing comes in between.
func (st *Station) mayAppend(ps []Post) error {
	for _, p := range ps {
		if p.Lane != ps[0].Lane {
			return parley.Errorf(parley.CodeKindLane, "entries of lanes %s and %s do not stand together", ps[0].Lane, p.Lane)
		}
		if _, _, _, err := st.compose(p.Lane, p.Kind, p.To, p.Body); err != nil {
			return err
		}
	}
	return nil
}

// compose makes an entry of an own lane, or says why it may not stand there.
func (st *Station) compose(lane parley.Lane, kind parley.Kind, to parley.Audience, body []byte) (l *log, e *parley.Entry, enc []byte, err error) {
	if lane >= parley.Lanes {
		return nil, nil, nil, parley.Errorf(parley.CodeOutOfRange, "there is no lane %d", lane)
	}
	l = st.log(parley.LogID{Channel: st.ch, Party: st.me, Lane: lane, Gen: st.gen})
	switch {
	case l.forked || kind != parley.KindGeneration && kind != parley.KindKeys && st.forkedBefore(lane):
		return nil, nil, nil, parley.Errorf(CodeForked, "the %s lane is forked", lane)
	case l.shut || st.closed && kind != parley.KindClosing && kind != parley.KindGeneration:
		return nil, nil, nil, parley.Errorf(CodeClosed, "the %s lane is closed", lane)
	}
	if err := to.CheckIn(st.cfg.Charter, st.me); err != nil {
		return nil, nil, nil, err
	}
	e = &parley.Entry{Kind: kind, To: to, Time: st.unix(), Body: body}
	if kind != parley.KindGeneration && kind != parley.KindKeys {
		e.Seen = st.citations(lane, to)
	}
	if err := e.Check(lane); err != nil {
		return nil, nil, nil, err
	}
	if err := e.CheckBody(); err != nil {
		return nil, nil, nil, err
	}
	if kind == parley.KindOpening {
		if err := checkOpening(l.id, body); err != nil {
			return nil, nil, nil, err
		}
	}
	enc = e.Encode()
	if uint64(len(enc)) > st.cfg.Charter.Rules.MaxEntry {
		return nil, nil, nil, parley.Errorf(parley.CodeTooLarge, "the entry has %d bytes; the charter allows %d", len(enc), st.cfg.Charter.Rules.MaxEntry)
	}
	return l, e, enc, nil
}

// appendOwn appends an entry to an own lane: commitment, leaf, new root; the
// head is signed when the batch is durable.
func (st *Station) appendOwn(lane parley.Lane, kind parley.Kind, to parley.Audience, body []byte) (parley.Ref, error) {
	l, e, enc, err := st.compose(lane, kind, to, body)
	if err != nil {
		return parley.Ref{}, err
	}
	c := &journal.Content{Entry: enc}
	index := l.size()
	if kind.Clear() || to == parley.ToNobody {
		st.random(c.Salt[:])
	} else {
		c.Salt = seal.Salt(st.audienceKey(to).K, l.origin, index)
	}
	leaf := journal.Leaf{To: to, Commit: journal.Commit(l.origin, index, c.Salt, enc)}
	r := st.appendLeaf(l, leaf, c, nil, parley.InForce)
	st.cited(e.Seen)
	s := &signature{origin: l.origin, size: l.size(), root: l.tree.Root(), key: st.keys.Log.Ed}
	l.signs[index] = s
	st.fx.signs = append(st.fx.signs, s)
	st.fx.moved = true
	st.posted(l, r, e)
	return parley.Ref{Party: st.me, Lane: lane, Gen: st.gen, Index: index, Leaf: leaf.Hash()}, nil
}

// forkedBefore reports whether two histories were signed in an own lane and the
// root has not spoken since: until it has, that lane is not used again (7.8).
func (st *Station) forkedBefore(lane parley.Lane) bool {
	for _, l := range st.order {
		if l.id.Party != st.me || l.id.Lane != lane || !l.forked {
			continue
		}
		g := st.members[st.me].generation(l.id.Gen)
		for g != nil && g.replaced != nil && !g.replaced.root {
			g = g.replaced
		}
		if g == nil || g.replaced == nil {
			return true
		}
	}
	return false
}

// citations are the heads that changed since the own entry before: all of
// them in lanes 2 to 4, at most four in lanes 0 and 1, the addressees' first.
func (st *Station) citations(lane parley.Lane, to parley.Audience) []parley.Head {
	most := parley.MaxSeen
	if lane <= parley.Immediate {
		most = parley.MaxSeenFast
	}
	var hs []parley.Head
	for _, l := range st.order {
		own := l.id.Party == st.me && l.id.Lane == lane && l.id.Gen == st.gen
		if st.changed[l] && !own && !l.forked && l.size() > 0 {
			hs = append(hs, l.cite())
		}
	}
	if len(hs) <= most {
		return hs
	}
	slices.SortStableFunc(hs, func(a, b parley.Head) int {
		return st.rank(a, to) - st.rank(b, to)
	})
	hs = hs[:most]
	slices.SortFunc(hs, parley.CompareLog)
	return hs
}

func (st *Station) rank(h parley.Head, to parley.Audience) int {
	switch {
	case h.Party != st.me && to.Includes(h.Party):
		return int(h.Lane)
	case h.Party == st.me:
		return 8 + int(h.Lane)
	}
	return 16 + int(h.Lane)
}

func (st *Station) cited(hs []parley.Head) {
	for _, h := range hs {
		delete(st.changed, st.logs[place{h.Party, h.Lane, h.Gen}])
	}
}

// close appends CLOSING to every lane: the last own word in this channel.
func (st *Station) close(e Close) {
	if st.phase != phaseRunning {
		st.closing = &e
		return
	}
	if st.closed {
		return
	}
	st.closed = true
	body := (&parley.Closing{Successor: e.Successor, Finals: e.Finals}).Encode()
	for lane := range parley.Lane(parley.Lanes) {
		if _, err := st.appendOwn(lane, parley.KindClosing, parley.ToAll, body); err == nil {
			st.log(parley.LogID{Channel: st.ch, Party: st.me, Lane: lane, Gen: st.gen}).shut = true
		}
	}
}
