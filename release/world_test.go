package release

import (
	"crypto/sha256"
	"fmt"
	"time"

	"parley"
	"parley/journal/journaltest"
)

const (
	india    parley.Party = 1
	pakistan parley.Party = 2
	swiss    parley.Party = 3
)

const (
	rpID   = "console.example"
	origin = "https://console.example:8443"
	start  = 1_746_849_900 // 10 May 2025, 04:05Z
)

// channel is one for all tests: its keys take time to make.
var channel = journaltest.New(3, 0, nil).Charter

func seed(s string) [32]byte { return sha256.Sum256([]byte("test " + s)) }

func key(name string) *Software { return NewSoftware(seed(name)) }

// nonce is a nonce of that name.
func nonce(name string) parley.Hash { return seed("nonce " + name) }

// roster has four offices: two that may do both, one that drafts, one that
// releases.
func roster(serial uint64) *Roster {
	return &Roster{Serial: serial, RPID: rpID, Origins: []string{origin}, Keys: []Officer{
		key("a").Officer("Duty officer 1", MayDraft|MayRelease), key("b").Officer("Duty officer 2", MayDraft|MayRelease),
		key("c").Officer("Desk officer", MayDraft), key("d").Officer("Director", MayRelease)}}
}

// approve lets the key of that name do a step of member by's draft p.
func approve(ch parley.Hash, by parley.Party, name string, step Step, p parley.Draft) Approval {
	digest := Digest(p)
	return key(name).Approve(rpID, origin, ch, by, step, nonce(fmt.Sprint(name, step, digest)), digest)
}

// text is a message; the desk does not look into it.
func text(s string) parley.Draft {
	return parley.Draft{Lane: parley.Flash, Kind: parley.KindText, To: parley.ToAll, Body: []byte(s)}
}

// book writes entries into the logs of members and keeps them all, so that
// they can be given to any number of desks in any order.
type book struct {
	ch    *parley.Charter
	chID  parley.Hash
	desk  *Desk // that of india, told at once
	size  map[place]uint64
	all   []parley.Posted
	clock uint64
	gen   parley.Gen
}

func newBook() *book {
	b := &book{ch: channel, size: map[place]uint64{}, clock: start, gen: parley.Gen{1}}
	b.chID = b.ch.Channel()
	b.desk = New(b.ch, india)
	return b
}

// add writes a draft as the next entry of its log.
func (b *book) add(by parley.Party, p parley.Draft) parley.Ref {
	return b.addAs(by, p, parley.InForce)
}

func (b *book) addAs(by parley.Party, p parley.Draft, s parley.Standing) parley.Ref {
	b.clock++
	log := place{party: by, lane: p.Lane, gen: b.gen}
	at := time.Unix(int64(b.clock), 0)
	e := p.Entry(at, nil)
	ref := parley.Ref{Party: by, Lane: p.Lane, Gen: b.gen, Index: b.size[log], Leaf: sha256.Sum256(fmt.Append(e.Encode(), b.gen, b.size[log]))}
	b.size[log]++
	posted := parley.Posted{Ref: ref, Entry: e, Standing: s, Stored: at}
	b.all = append(b.all, posted)
	b.desk.Apply(posted)
	return ref
}

// roster posts a roster of a member.
func (b *book) roster(by parley.Party, r *Roster) parley.Ref {
	return b.add(by, Draft(r, parley.Routine, parley.ToAll))
}

// speak is a RELEASE of a draft by the keys of two names, resting on a roster.
func (b *book) speak(by parley.Party, on parley.Ref, p parley.Draft, drafter, releaser string) *Release {
	return &Release{Digest: Digest(p), Roster: on, Drafted: approve(b.chID, by, drafter, StepDraft, p),
		Released: approve(b.chID, by, releaser, StepRelease, p)}
}

// release posts a RELEASE and the draft behind it, and returns the latter.
func (b *book) release(by parley.Party, on parley.Ref, p parley.Draft, drafter, releaser string) parley.Ref {
	b.add(by, Draft(b.speak(by, on, p, drafter, releaser), p.Lane, p.To))
	return b.add(by, p)
}
