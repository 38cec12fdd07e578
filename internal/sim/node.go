package sim

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"parley"
	"parley/docket"
	"parley/journal"
	"parley/seal"
	"parley/station"
)

// node is one process of a member and the machine under it: a station, its
// desks, a disk, a clock that may be wrong, and an inbox that fills while the
// disk is busy.
type node struct {
	w      *World
	id     int
	me     parley.Party
	lies   map[trick]bool // tricks that this node plays; nil for an honest one
	rng    *rand.Rand     // of a hostile one
	disk   *disk
	serial uint64 // of the node keys in use

	st    *station.Station // nil while the process is down
	desk  *docket.Docket
	life  int // counts the starts: what was planned for an earlier one is void
	inbox []station.Event
	asked bool // a step is on the agenda
	ticks int  // counts the planned ticks: only the newest is real
	boots int

	skew     time.Duration // of its clock
	drift    int64         // of its clock, parts per million
	frozen   time.Time     // its clock stands still, if set
	since    time.Time     // when skew was set
	unmarked bool          // a power cut took the newest mark from the high-water file
	settle   time.Time     // until when nothing else befalls it: its whole machine is of yesterday

	witnessed map[witnessKey]uint64 // sizes that each witness has cosigned, as this process remembers
	backups   []*disk               // without secrets
	images    []*disk               // of the whole machine

	before *disk // of a forgetful mutant: as it was before the step

	// Of a hostile node.
	seen       [][]byte      // frames that it has sent or got
	haves      [][]byte      // the first of its HAVE frames
	forged     *journal.Tree // the forged lane
	forgedLog  parley.LogID
	forgedSent [][]byte
}

type witnessKey struct {
	witness int
	log     parley.LogID
}

func (n *node) String() string {
	if len(n.w.byMember[n.me]) > 1 {
		return fmt.Sprintf("member %d (process %d)", n.me, n.id)
	}
	return fmt.Sprintf("member %d", n.me)
}

func (n *node) honest() bool { return n.lies == nil }
func (n *node) up() bool     { return n.st != nil }

// clock is the time that the node believes.
func (n *node) clock() time.Time {
	if !n.frozen.IsZero() {
		return n.frozen
	}
	t := n.w.now.Add(n.skew)
	if n.drift != 0 {
		t = t.Add(n.w.now.Sub(n.since) / 1_000_000 * time.Duration(n.drift))
	}
	return t
}

// boot starts the process over what the disk holds. Like the product it takes
// the newest keys of which the channel knows.
func (n *node) boot() {
	if n.up() || n.disk.full {
		return
	}
	n.boots++
	n.w.stats.add("start", 1)
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], n.w.Seed)
	binary.LittleEndian.PutUint64(seed[8:], uint64(n.id)<<32|uint64(n.boots))
	cfg := station.Config{Charter: n.w.ch.Charter, Me: n.me, Rand: rand.NewChaCha8(seed), Record: n.disk}
	cfg.Keys = n.w.keys(n.me, n.keyFile())
	st, err := station.New(cfg)
	if err != nil {
		n.w.fail("%s does not start: %v", n, err)
	}
	n.st, n.desk = st, docket.New(n.w.ch.Charter, n.me)
	n.fold(n.desk, all, true)
	n.witnessed = map[witnessKey]uint64{}
	n.life++
	n.w.truth.booted(n)
	n.disk.synced = n.disk.mark // a start makes durable what it reads
	doubt := n.disk.doubt(n.w.ch.ID, n.me) && n.w.mutant != trusting
	n.w.say("%s starts, doubt %v", n, doubt)
	n.feed(station.Start{Doubt: doubt})
	n.tick()
	for _, l := range n.w.links {
		l.try()
	}
}

// keyFile is the serial of the keys that the node starts with: those that it
// had, or the ones prepared for a renewal if the record knows them.
func (n *node) keyFile() uint64 {
	if n.w.serials[n.me] == 0 {
		return 0
	}
	as, err := journal.FindRootKeys(n.disk, n.w.ch.Charter, n.w.ch.ID)
	if err != nil {
		n.w.fail("%s cannot read its record: %v", n, err)
	}
	for _, a := range as {
		if a.Party == n.me {
			n.serial = max(n.serial, a.Keys.Serial)
		}
	}
	return n.serial
}

// fold reads the record into a desk, log by log, the entries that it is asked
// for and then the receipts of each.
func (n *node) fold(d desk, only func(*journal.Row) bool, receipts bool) {
	logs, _ := n.disk.Logs()
	names := map[string]parley.Party{}
	for _, m := range n.w.ch.Members {
		names[journal.ReceiptName(n.w.ch.ID, m.Index)] = m.Index
	}
	for _, l := range logs {
		n.disk.Rows(l.Log, 0, l.Size, func(r *journal.Row) error {
			if r.Content == nil || !only(r) {
				return nil
			}
			if e, err := parley.ParseEntry(r.Content.Entry); err == nil && r.Standing != parley.Malformed {
				d.Apply(parley.Posted{Ref: parley.Ref{Party: l.Log.Party, Lane: l.Log.Lane, Gen: l.Log.Gen, Index: r.Index, Leaf: r.Leaf.Hash()},
					Entry: e, Standing: r.Standing, Stored: time.UnixMilli(int64(r.Stored)).UTC()})
			}
			return nil
		})
		if !receipts {
			continue
		}
		n.disk.EachCosig(l.Log, func(c *journal.Cosig) error {
			if by := names[c.Name]; by != 0 && !c.PQ {
				d.Proof(parley.Receipted{By: by, Time: c.Time, Stored: time.Unix(int64(c.Time), 0).UTC(),
					Head: parley.Head{Party: l.Log.Party, Lane: l.Log.Lane, Gen: l.Log.Gen, Size: c.Size}})
			}
			return nil
		})
	}
}

// desk is what the record is folded into.
type desk interface {
	Apply(parley.Posted)
	Proof(parley.Receipted)
}

func all(*journal.Row) bool { return true }

// die ends the process: what was in its memory and on its links is gone.
func (n *node) die() {
	if !n.up() {
		return
	}
	n.st, n.inbox = nil, nil
	if n.w.mutant == forgetful {
		n.disk = n.before
	}
	n.life++
	for _, l := range n.w.links {
		l.drop(n)
	}
}

// comeBack plans the next start.
func (n *node) comeBack(most time.Duration) {
	if n.w.script != nil {
		n.w.script.ended(n)
		return
	}
	n.w.after(time.Duration(1+n.w.rng.Int64N(int64(max(most, 3*n.w.pace)))), n.boot)
}

// feed hands an event to the process; it acts on all that waits as soon as it
// is not busy.
func (n *node) feed(e station.Event) {
	if !n.up() {
		return
	}
	if f, ok := e.(station.Frames); ok && len(n.inbox) > 0 {
		if g, ok := n.inbox[len(n.inbox)-1].(station.Frames); ok && g.From == f.From {
			g.Frames = append(g.Frames, f.Frames...)
			n.inbox[len(n.inbox)-1] = g
			return
		}
	}
	n.inbox = append(n.inbox, e)
	if !n.asked {
		n.wake(time.Duration(n.w.rng.IntN(2000)) * time.Microsecond)
	}
}

func (n *node) wake(d time.Duration) {
	n.asked = true
	life := n.life
	n.w.after(d, func() {
		n.asked = false
		if n.life == life && n.up() {
			n.step()
		} else if n.up() && len(n.inbox) > 0 && !n.asked {
			n.wake(0)
		}
	})
}

// tick feeds a Tick now and plans the next: every second while there is work,
// seldom in the gaps.
func (n *node) tick() {
	n.ticks++
	this := n.ticks
	n.w.after(n.w.pace, func() {
		if n.ticks == this && n.up() {
			n.feed(station.Tick{})
			n.tick()
		}
	})
}

// step lets the station act on what waits, makes it durable, and sends; at any
// boundary between these the process may end.
func (n *node) step() {
	events := n.inbox
	n.inbox = nil
	if len(events) == 0 {
		return
	}
	f := n.w.fate(n)
	if n.w.mutant == forgetful {
		n.before = n.disk.image()
	}
	n.w.stats.Steps++
	fx := n.st.Step(n.clock(), events...)
	out, err := fx.Commit(func(b *journal.Batch, m *station.Mark) error { return n.persist(b, m, f) })
	if err != nil {
		n.w.stats.add(fates[max(f, beforeCommit)], 1)
		n.w.say("%s ends: %v (%s)", n, err, fates[f])
		n.powerCutMaybe(f)
		n.die()
		n.comeBack(2 * time.Minute)
		return
	}
	for _, e := range events {
		if r, ok := e.(station.Renew); ok {
			n.serial = r.Keys.Serial // the new key file takes the place of the old one
		}
	}
	n.tell(out)
	n.send(out.Sends, f)
	if f == midSending || f == beforeCommit {
		n.w.stats.add(fates[f], 1)
		n.w.say("%s ends while it sends", n)
		n.powerCutMaybe(f)
		n.die()
		n.comeBack(2 * time.Minute)
		return
	}
	if err := n.st.Check(); err != nil {
		n.w.fail("%s: %v", n, err)
	}
	if d := n.w.slow(n); d > 0 { // the disk takes its time before the next step
		n.wake(d)
	} else if len(n.inbox) > 0 && !n.asked {
		n.wake(0)
	}
}

func (n *node) powerCutMaybe(f fate) {
	if n.w.script == nil && f != failedSync && f != diskFull && n.w.rng.IntN(2) == 0 {
		n.w.stats.add("power cut", 1)
		n.powerCut()
	}
}

// tell brings what a step allows to the desks and to those who keep the truth.
func (n *node) tell(out *station.Out) {
	for _, p := range out.Posted {
		n.desk.Apply(p)
	}
	for _, r := range out.Receipts {
		n.desk.Proof(r)
		n.w.truth.receipted(n, r)
	}
	for _, a := range out.Alarms {
		n.w.stats.add("alarm "+a.Code, 1)
		n.w.say("%s: alarm %s: %s", n, a.Code, a.Text)
		n.w.truth.alarmed(n, a)
	}
	n.w.stats.Entries += uint64(len(out.Posted))
	if n.w.script != nil {
		n.w.script.hear(n, out)
	}
}

// keys are a member's node keys of a serial, with their private halves.
func (w *World) keys(p parley.Party, serial uint64) station.KeySet {
	k := w.nodeKeys(p, serial)
	return &seal.Node{Serial: serial, Log: seal.Signer{Ed: k.Log, PQ: k.LogPQ}, Rcpt: seal.Signer{Ed: k.Rcpt, PQ: k.RcptPQ}, TLS: k.TLS}
}
