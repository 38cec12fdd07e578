package release

import (
	"fmt"
	"time"

	"parley"
)

// Operations proposes what this member's officers may post now, for the
// simulator: each element is posted together, in this order, and passes
// CheckTogether or Check. Next is a draft of another desk that may go out; it
// is wrapped in a release where a roster allows it. The same numbers from rng
// and the same desk give the same drafts.
//
// The officers' keys are made of seeds that the party's number gives, so any
// node can forge them: what is simulated is the record, not the secrecy.
func Operations(rng interface{ IntN(n int) int }, d *Desk, next parley.Draft, now time.Time) [][]parley.Draft {
	g := &generator{rng, d, now}
	var out [][]parley.Draft
	if d.current(d.me) == nil || rng.IntN(6) == 0 {
		if p := g.roster(); d.Check(p, now) == nil {
			out = append(out, []parley.Draft{p})
			if both := g.wrap(p); both != nil {
				out = append(out, both)
			}
		}
	}
	if both := g.wrap(next); both != nil {
		out = append(out, both)
	}
	return out
}

type generator struct {
	rng interface{ IntN(n int) int }
	d   *Desk
	now time.Time
}

const (
	simHost   = "console.example"
	simOrigin = "https://console.example"
	simKeys   = 6
)

func simKey(p parley.Party, i int) *Software { return NewSoftware([32]byte{1, byte(p), byte(i + 1)}) }

func simTitle(i int) string { return fmt.Sprintf("Office %d", i+1) }

// roster replaces the newest one by one of two to six offices.
func (g *generator) roster() parley.Draft {
	r := &Roster{Serial: 1, Demo: g.rng.IntN(4) == 0, RPID: simHost, Origins: []string{simOrigin}}
	if list := g.d.named[g.d.me]; len(list) > 0 {
		r.Serial = list[len(list)-1].body.Serial + 1 + uint64(g.rng.IntN(2))
	}
	first := g.rng.IntN(simKeys)
	for i := range 2 + g.rng.IntN(simKeys-1) {
		k := (first + i) % simKeys
		r.Keys = append(r.Keys, simKey(g.d.me, k).Officer(simTitle(k), MayDraft|MayRelease))
	}
	return Draft(r, parley.Routine, parley.ToAll)
}

// wrap is a release of p by two offices of the newest roster, and p.
func (g *generator) wrap(p parley.Draft) []parley.Draft {
	n := g.d.current(g.d.me)
	if n == nil || p.Body == nil || len(n.body.Keys) < 2 {
		return nil
	}
	first := g.rng.IntN(len(n.body.Keys))
	second := (first + 1 + g.rng.IntN(len(n.body.Keys)-1)) % len(n.body.Keys)
	digest := Digest(p)
	var as [2]Approval
	for i, at := range []int{first, second} {
		nonce := parley.Hash{byte(g.rng.IntN(256)), byte(g.rng.IntN(256)), byte(g.rng.IntN(256)), byte(g.rng.IntN(256))}
		for k := range simKeys {
			if simTitle(k) == n.body.Keys[at].Title {
				as[i] = simKey(g.d.me, k).Approve(simHost, simOrigin, g.d.where(), g.d.me, Step(i+1), nonce, digest)
			}
		}
	}
	words, err := g.d.Compose(p, as[0], as[1])
	if err != nil || g.d.CheckTogether(words, p, g.now) != nil {
		return nil
	}
	return []parley.Draft{words, p}
}
