package sim

import (
	"time"

	"parley"
	"parley/journal/journaltest"
	"parley/station"
)

// fate draws where in its effects the step's process ends.
func (w *World) fate(n *node) fate {
	switch {
	case w.script != nil:
		return w.script.fate(n)
	case w.healing || !n.honest():
		return lives
	case n.disk.full:
		return diskFull
	case w.pace > time.Second && w.rng.IntN(20) > 0:
		return lives // in a gap as much happens in a step, and there are many
	case w.chance(w.plan.Crash):
		return []fate{beforeCommit, afterCommit, afterMark, midSending}[w.rng.IntN(4)]
	case w.chance(w.plan.Sync):
		return failedSync
	}
	return lives
}

// slow is how long the disk is busy after a step.
func (w *World) slow(n *node) time.Duration {
	if w.healing || !w.chance(w.plan.Slow) {
		return 0
	}
	w.stats.add("slow disk", 1)
	return w.jitter(40 * time.Second)
}

// minute reports a chance that the plan gives for a minute, or in a brief world
// for ten seconds, asked every second.
func (w *World) minute(inThousand int) bool {
	if w.plan.Brief {
		inThousand *= 6
	}
	return inThousand > 0 && w.rng.IntN(60_000) < inThousand
}

// trouble is asked every second of the work for what goes wrong in the world.
func (w *World) trouble() {
	p := &w.plan
	if len(w.links) > 0 && w.chance(p.Cut) {
		w.cutLink(w.links[w.rng.IntN(len(w.links))])
	}
	if w.chance(p.Swizzle) {
		w.swizzle()
	}
	for _, n := range w.nodes {
		if !n.honest() {
			continue
		}
		switch {
		case w.minute(p.Full):
			w.stats.add("disk fills up", 1)
			n.disk.full = true
			w.after(w.jitter(3*time.Minute), func() { n.disk.full = false; n.boot() })
		case w.minute(p.Clock):
			w.clock(n)
		case w.minute(p.Restore):
			w.restore(n)
		case w.minute(p.Rotate):
			w.rotate(n)
		}
	}
	for _, x := range w.witnesses {
		if w.rng.IntN(2000) == 0 {
			x.down = !x.down
		}
	}
}

// cutLink breaks a link, or stalls it one way, for a while.
func (w *World) cutLink(l *link) {
	d := w.jitter([]time.Duration{3 * time.Second, 90 * time.Second, 10 * time.Minute}[w.rng.IntN(3)])
	if w.rng.IntN(2) == 0 {
		w.stats.add("cut", 1)
		w.say("members %d and %d are cut apart for %v", l.ends[0].me, l.ends[1].me, d)
		l.cut = true
		l.end()
		w.after(d, func() { l.cut = false; l.try() })
		return
	}
	from := w.rng.IntN(2)
	w.stats.add("one-way stall", 1)
	w.say("nothing gets from member %d to member %d for %v", l.ends[from].me, l.ends[1-from].me, d)
	l.stall(from, true)
	w.after(d, func() { l.stall(from, false) })
}

// swizzle stalls the links one by one and lets them go in another order.
func (w *World) swizzle() {
	w.stats.add("swizzle-clog", 1)
	w.say("the links stall one by one")
	step := w.jitter(4 * time.Second)
	back := w.rng.Perm(len(w.links))
	for i, j := range w.rng.Perm(len(w.links)) {
		l := w.links[j]
		w.after(time.Duration(i)*step, func() { l.stall(0, true); l.stall(1, true) })
		l = w.links[back[i]]
		w.after(time.Duration(len(w.links)+1+i)*step, func() { l.stall(0, false); l.stall(1, false) })
	}
}

// clock makes a node's clock wrong: by seconds to years, for some minutes.
func (w *World) clock(n *node) {
	by := []time.Duration{5 * time.Second, 10 * time.Minute, 26 * time.Hour, 10 * 365 * 24 * time.Hour}[w.rng.IntN(4)]
	if w.rng.IntN(2) == 0 {
		by = -by
	}
	n.since = w.now
	switch w.rng.IntN(3) {
	case 0:
		w.stats.add("clock jump", 1)
		n.skew = by
	case 1:
		w.stats.add("clock drift", 1)
		n.drift = int64(w.rng.IntN(200_000) - 100_000)
	case 2:
		w.stats.add("clock frozen", 1)
		n.frozen = n.clock()
	}
	w.say("the clock of %s is wrong: now %s", n, n.clock().Format(time.DateTime))
	w.after(w.jitter(10*time.Minute), func() { n.right() })
}

func (n *node) right() { n.skew, n.drift, n.frozen = 0, 0, time.Time{} }

// restore replaces a node's disk: by a backup of ours, by an image of before
// in place of the record alone or of the whole machine, or by nothing. At
// least one good copy of what was acknowledged stays somewhere: what only this
// disk held is noted as lost. An old record of the same two seconds in which a
// power cut took the mark is beyond what can be told, and does not happen.
func (w *World) restore(n *node) {
	if w.restores == 4 || w.now.Before(n.settle) || !w.truth.wellCopied(n) {
		return
	}
	w.restores++
	old, whole := n.disk, false
	switch k := w.rng.IntN(8); {
	case k < 2 && len(n.backups) > 0:
		w.stats.add("backup restored", 1)
		n.disk = n.backups[w.rng.IntN(len(n.backups))].image()
		n.disk.copied = true
	case k < 5 && len(n.images) > 0 && !n.unmarked: // the record alone; the high-water file tells
		w.stats.add("old record put in place", 1)
		n.disk = n.images[w.rng.IntN(len(n.images))].image()
		n.disk.mark, n.disk.synced = old.mark, old.synced
	case k < 7 && len(n.images) > 0 && w.reachable(n): // everything; only peers can tell
		w.stats.add("machine restored", 1)
		whole, n.settle = true, w.now.Add(25*time.Second)
		n.disk = n.images[w.rng.IntN(len(n.images))].image()
	default:
		w.stats.add("disk wiped", 1)
		n.disk = &disk{Mem: &journaltest.Mem{}}
	}
	w.say("%s gets another disk", n)
	n.die()
	if !whole && w.rng.IntN(2) == 0 { // nobody can tell it anything for a while
		w.isolate(n, true)
		w.after(w.jitter(time.Minute), func() { w.isolate(n, false) })
	}
	w.truth.replaced(n, old)
	n.disk.full = false
	n.boot()
	if late := w.now.Add(25 * time.Second); w.until.Before(late) {
		w.until = late // it compares for ten seconds before it speaks: let it speak
	}
}

// reachable reports whether every other member can tell a node at once that
// its machine is of yesterday. Where none can, and the high-water file is of
// yesterday too, nothing could: that is the one operation that no software
// survives, and the manual says so.
func (w *World) reachable(n *node) bool {
	p := &w.plan
	if p.Packets || p.Latency > time.Second || p.Slow+p.Cut+p.Swizzle+p.Crash+p.Sync+p.Full > 0 {
		return false
	}
	logs, _ := n.disk.Logs()
	for _, l := range logs {
		for _, o := range w.standing() {
			if l.Log.Party == n.me && size(o, l.Log) < l.Size {
				return false
			}
		}
	}
	for _, l := range w.links {
		if (l.ends[0] == n || l.ends[1] == n) && !l.up {
			return false
		}
	}
	return true
}

// rotate puts new node keys in force, as the root's holder does.
func (w *World) rotate(n *node) {
	if n.up() && n.st.Ready() && n.serial == w.serials[n.me] && w.serials[n.me] < 6 {
		w.renew(n)
	}
}

func (w *World) renew(n *node) {
	w.serials[n.me]++
	serial := w.serials[n.me]
	var gen parley.Gen
	for i := range gen {
		gen[i] = byte(w.rng.Uint32())
	}
	m := w.ch.Member(n.me)
	w.stats.add("new node keys", 1)
	w.say("the root of member %d puts new keys in force", n.me)
	n.feed(station.Renew{Reason: parley.ReasonRotation, Gen: gen,
		RootKeys: m.RootKeys(w.ch.ID, gen, w.nodeKeys(n.me, serial).Public), Keys: w.keys(n.me, serial)})
}
