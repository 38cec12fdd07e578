package station

import (
	"fmt"
	"maps"
	"slices"

	"parley"
	"parley/frame"
)

// Periods of the station's own work, in seconds.
const (
	pingEvery  = 15
	sealEvery  = 60
	quotaEvery = 10
	maxSkew    = 30
	pingKept   = 16  // PINGs whose PONGs still tell the time
	skewEvery  = 600 // between two alarms about one member's clock

	regrantEvery = 5
	budgetRate   = 1 << 20 // bytes of answers to WANT a second, per member
	budgetMax    = 8 << 20
)

// tick does what time asks for.
func (st *Station) tick() {
	now := st.now.Unix()
	st.tryFinish()
	for _, m := range st.peers() {
		m.budget = min(m.budget+budgetRate, budgetMax)
	}
	if st.phase != phaseRunning {
		return
	}
	if passed(st.lastPing, now, pingEvery) {
		st.lastPing = now
		st.pings++
		st.pinged[st.pings%pingKept] = now
		for _, m := range st.peers() {
			if m.up[0] {
				st.fx.send(m.Index, false, frame.Encode(&frame.Ping{ID: st.pings, Time: st.unix()}))
			}
			if m.up[1] {
				st.fx.send(m.Index, true, frame.Encode(&frame.Ping{ID: st.pings, Time: st.unix()}))
			}
		}
	}
	if passed(st.lastSeal, now, sealEvery) {
		st.lastSeal = now
		st.sealHeads(false)
	}
	if passed(st.lastBeat, now, int64(st.cfg.Charter.Rules.Heartbeat)) {
		st.lastBeat = now
		st.heartbeat()
	}
	if passed(st.lastQuota, now, quotaEvery) {
		st.lastQuota = now
		st.fetchOverQuota()
		st.askBlank()
	}
	for _, m := range st.peers() {
		if m.regrant && m.connected() {
			m.regrant = false
			st.regrant(m)
			st.grantLive(m)
		}
	}
	st.askForGaps()
	st.askForKeys()
	st.renewKeys()
	st.destroyKeys()
	st.storeHeads()
}

// heartbeat renews the receipt on the newest head of each author's FLASH lane,
// and says what is held: the line's proof of life.
func (st *Station) heartbeat() {
	for _, m := range st.peers() {
		if g := m.current(); g != nil {
			l := st.logs[place{m.Index, parley.Flash, g.gen}]
			if l != nil && l.size() > 0 && l.mine == l.size() && (l.beat < st.unix() || st.ahead(l.beat)) && !l.forked {
				st.receipt(l)
			}
		}
		if m.connected() {
			st.sendHave(m)
			st.grantLive(m)
			st.askForWitnesses(m)
		}
	}
}

// askForWitnesses asks an author for its newest heads where this node has not
// seen the witnesses' quorum over all that it holds: cosignatures are shown
// once, to who is there.
func (st *Station) askForWitnesses(m *member) {
	if st.quorum.None() {
		return
	}
	var items []frame.WantItem
	for _, l := range st.order {
		g := m.current()
		if l.id.Party == m.Index && g != nil && l.id.Gen == g.gen && !l.forked && l.size() > 0 && st.quorumSize(l) < l.size() {
			items = append(items, frame.WantItem{Party: m.Index, Lane: l.id.Lane, Gen: l.id.Gen,
				First: l.size() - 1, Last: l.size() - 1, Form: frame.FormHeads, Reason: frame.WantGap})
		}
	}
	if len(items) > 0 {
		st.want(m, items...)
	}
}

// askForGaps asks again, once a second, for what is missing: the author for
// what lies before leaves that are held; of an own log, or if the author is
// away, whoever holds more for what lies under a signed head.
func (st *Station) askForGaps() {
	for _, l := range st.order {
		author := st.members[l.id.Party]
		if author == nil || l.forked {
			continue
		}
		if m := author; m.connected() && m.have {
			if len(l.held) > 0 {
				st.wantGap(m, l, slices.Min(slices.Collect(maps.Keys(l.held))))
			} else if l.claimed != nil {
				st.wantMissing(m, l, l.claimed.Size)
			}
			continue
		}
		for _, m := range st.peers() {
			if l.claimed != nil && m.connected() && m.theirs[l].Size > l.size() {
				st.wantMissing(m, l, l.claimed.Size)
			}
		}
	}
}

func (st *Station) receivePing(m *member, f *frame.Ping) {
	if !f.Pong { // by every connection: the asker wants to know whether that one lives
		for i, up := range m.up {
			if up {
				st.fx.send(m.Index, i == 1, frame.Encode(&frame.Ping{Pong: true, ID: f.ID, Time: st.unix()}))
			}
		}
	}
	if skew, known := st.skewOf(m, f); known {
		st.setSkew(m, skew)
	}
}

// skewOf is by how many seconds a member's clock is certainly wrong against
// ours, as far as a PING or PONG shows it: it was written before now and, a
// PONG, after its PING. Time that a frame spent waiting is no wrong clock.
func (st *Station) skewOf(m *member, f *frame.Ping) (skew int64, known bool) {
	now := st.now.Unix()
	least := int64(f.Time) - now
	if !f.Pong {
		return least, least > 0
	}
	sent := st.pinged[f.ID%pingKept]
	if f.ID == 0 || f.ID > st.pings || st.pings-f.ID >= pingKept || now < sent {
		return 0, false
	}
	most := int64(f.Time) - sent
	return min(max(least, 0), most), true // what lies nearest to no offset
}

// setSkew notes a member's clock offset, and raises the alarm when it passes
// what is tolerated.
func (st *Station) setSkew(m *member, skew int64) {
	if now := st.now.Unix(); abs(skew) > maxSkew && abs(m.skew) <= maxSkew && passed(m.skewed, now, skewEvery) {
		m.skewed = now
		st.fx.alarm(AlarmClock, m.Index, fmt.Sprintf("the clocks of %s and of this node differ by %d s; find out which is wrong", m.Name, abs(skew)), nil)
	}
	m.skew = skew
}

func abs(n int64) int64 { return max(n, -n) }

// withinQuota counts the bytes of a pushed entry against its author's quota
// for the lane and day. Beyond it lanes 0 and 1 only raise an alarm; in lanes
// 2 to 4 pushes are dropped unread and fetched one every ten seconds.
// What no key here opens is then asked for as OPEN, which has its own turn.
func (st *Station) withinQuota(m *member, l *log, n int, open bool) bool {
	if l.id.Party != m.Index {
		return true
	}
	lane := l.id.Lane
	if day := st.now.Unix() / 86400; day != m.day {
		m.day, m.used, m.alarmed = day, [parley.Lanes]uint64{}, [parley.Lanes]bool{}
	}
	m.used[lane] += uint64(n)
	if m.used[lane] <= st.cfg.Charter.Rules.Quota[lane] {
		return true
	}
	if !m.alarmed[lane] {
		m.alarmed[lane] = true
		st.fx.alarm(AlarmQuota, m.Index, fmt.Sprintf("%s has used its %s quota for today", m.Name, lane), nil)
	}
	if lane <= parley.Immediate {
		return true
	}
	switch {
	case l.allow:
		l.allow = false
		return true
	case open && l.allowed:
		l.allowed = false
		return true
	}
	return false
}

func (st *Station) fetchOverQuota() {
	for _, m := range st.peers() {
		g := m.current()
		if g == nil || !m.connected() {
			continue
		}
		for lane := parley.Priority; lane < parley.Lanes; lane++ {
			if m.used[lane] > st.cfg.Charter.Rules.Quota[lane] {
				if l := st.logs[place{m.Index, lane, g.gen}]; l != nil {
					l.allow, l.allowed = true, true
					st.wantOne(m, l, l.size(), frame.FormFull, frame.WantGap)
				}
			}
		}
	}
}
