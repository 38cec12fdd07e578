package node

import (
	"time"

	"parley"
	"parley/journal"
	"parley/station"
)

// account is what one batch took and what came of it, by member: the reckoning
// behind the allowances of the inbox. It is rough: a member that gains by what
// others brought in the same batch gains little.
type account struct {
	took  time.Duration
	posts int                      // own entries asked for
	gain  [parley.MaxParty + 1]int // rows, openings and cosignatures, by author or signer; 0: of nobody in particular
}

func (a *account) event(e station.Event) {
	switch e := e.(type) {
	case station.Post:
		a.posts++
	case station.Together:
		a.posts += len(e)
	}
}

// batch counts what the batch makes durable. Own rows beyond the own posts were
// lost here and come back from others.
func (a *account) batch(n *Node, b *journal.Batch) {
	own := -a.posts
	for i := range b.Rows {
		if p := b.Rows[i].Log.Party; p == n.cfg.Me {
			own++
		} else {
			a.gain[p]++
		}
	}
	a.gain[0] += max(own, 0) + len(b.Opened)
	for i := range b.Cosigs {
		if p := n.receipts[b.Cosigs[i].Name]; p != n.cfg.Me {
			a.gain[p]++
		}
	}
}

// charge makes each member pay for its share of the batch, but for frames that
// brought something.
func (b *inbox) charge(a *account, today int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	all, pool := 0, a.gain[0]
	for _, s := range b.sources {
		if all += s.taken; s.taken == 0 {
			pool += a.gain[s.party] // handed on by another
		}
	}
	for _, s := range b.sources {
		if s.taken == 0 {
			continue
		}
		per := a.took / time.Duration(all)
		s.cost = (3*s.cost + per) / 4
		vain := float64(s.taken)
		if s.over != today {
			vain -= float64(a.gain[s.party]) + float64(pool)*float64(s.taken)/float64(all)
		}
		s.credit = max(min(s.credit-time.Duration(vain*float64(per)), allowance), -debt)
		s.poor = s.poor || s.credit <= 0
		s.taken = 0
	}
}

// beyond notes that a member has used up a quota of today.
func (b *inbox) beyond(p parley.Party, today int64) {
	if s := b.source(p); s != nil {
		b.mu.Lock()
		s.over = today
		b.mu.Unlock()
	}
}
