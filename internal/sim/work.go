package sim

import (
	"fmt"
	"time"

	"parley"
	"parley/hotline"
	"parley/journal"
	"parley/release"
	"parley/station"
)

// work is a while of business under the plan's faults.
func (w *World) work(d time.Duration) {
	w.say("work for %v", d)
	w.setPace(time.Second)
	stop := false
	var busy func(n *node)
	busy = func(n *node) {
		w.after(w.jitter(w.idle()), func() {
			if !stop {
				w.act(n)
				busy(n)
			}
		})
	}
	for _, n := range w.nodes {
		if n.honest() || !n.lies[forge] {
			busy(n)
		}
		if !n.honest() {
			w.mischief(n, &stop)
		}
	}
	w.until = w.now.Add(d)
	for w.now.Before(w.until) {
		w.run(time.Second)
		w.trouble()
	}
	stop = true
}

// idle is how long officers wait between two acts, at most.
func (w *World) idle() time.Duration {
	if w.plan.Brief {
		return 2 * time.Second
	}
	return 6 * time.Second
}

// gap lets minutes to weeks pass with little to do. Some members may be cut
// off all the while.
func (w *World) gap() {
	day := 24 * time.Hour
	if w.plan.Brief {
		if w.rng.IntN(3) > 0 {
			w.run(10 * time.Second)
			return
		}
		day = time.Hour
	}
	d := []time.Duration{time.Minute, time.Minute, time.Hour, time.Hour, day, day, 21 * day}[w.rng.IntN(7)]
	d = d/2 + w.jitter(d)
	w.say("a gap of %v", d.Round(time.Second))
	for _, n := range w.nodes {
		if w.chance(w.plan.Lone) {
			w.stats.add("cut off for a gap", 1)
			w.say("%s is cut off", n)
			w.isolate(n, true)
		}
	}
	w.setPace(max(time.Second, d/5))
	w.run(d)
	w.setPace(time.Second)
	for _, n := range w.nodes {
		w.isolate(n, false)
	}
}

// isolate cuts a node off, or lets it be dialled again.
func (w *World) isolate(n *node, on bool) {
	for _, l := range w.links {
		if l.ends[0] == n || l.ends[1] == n {
			if l.cut = on; on {
				l.end()
			} else {
				l.try()
			}
		}
	}
}

// act lets a node's officers do one thing: what a desk proposes, or one of the
// protocol's own operations.
func (w *World) act(n *node) {
	if !n.up() {
		return
	}
	switch k := w.rng.IntN(24); {
	case k == 0:
		w.stats.add("seal", 1)
		n.feed(station.SealNow{})
	case k == 1:
		w.post(n, parley.Draft{Lane: w.lane(), Kind: parley.KindText, To: parley.ToNobody, Body: (&hotline.Text{Text: "Committed, to be opened later."}).Encode()})
	case k == 2:
		w.open(n)
	case k == 3:
		w.post(n, parley.Draft{Lane: w.lane(), Kind: parley.KindList, To: parley.ToAll,
			Body: (&parley.List{Items: []string{"point " + fmt.Sprint(w.rng.IntN(100))}}).Encode()})
	case k == 4 && w.chance(w.plan.Leave*200):
		w.stats.add("leave", 1)
		w.post(n, parley.Draft{Lane: parley.Priority, Kind: parley.KindNotice, To: parley.ToAll, Body: (&parley.Notice{Code: parley.NoticeLeaving}).Encode()})
	case k == 5:
		n.backups = append(n.backups, n.disk.backup())
		w.stats.add("backup", 1)
	case k == 6 || k >= 20:
		n.images = append(n.images, n.disk.image())
	default:
		if ds := hotline.Operations(w.rng, n.desk.Hotline, n.clock()); len(ds) > 0 {
			d := ds[w.rng.IntN(len(ds))]
			if k == 19 {
				if rs := release.Operations(w.rng, n.desk.Release, d, n.clock()); len(rs) > 0 {
					w.post(n, rs[w.rng.IntN(len(rs))]...)
					return
				}
			}
			w.post(n, d)
		}
	}
}

func (w *World) lane() parley.Lane { return parley.Lane(w.rng.IntN(parley.Lanes)) }

// post releases drafts, side by side. Their officer is told "stored" once the
// step's batch is durable.
func (w *World) post(n *node, ds ...parley.Draft) {
	var group station.Together
	for _, d := range ds {
		if !n.honest() && n.lies[forge] && d.Lane == forgeLane {
			d.Lane = parley.Routine
		}
		life := n.life
		group = append(group, station.Post{Lane: d.Lane, Kind: d.Kind, To: d.To, Body: d.Body, Done: func(ref parley.Ref, err error) {
			if err != nil {
				w.stats.add("post refused: "+string(parley.CodeOf(err)), 1)
				if c := parley.CodeOf(err); n.honest() && c != station.CodeForked && c != station.CodeClosed {
					w.fail("%s may not post what its desk allowed: %v", n, err)
				}
				return
			}
			w.stats.add("post "+d.Lane.String(), 1)
			if release.Owns(d.Kind) {
				w.stats.add(fmt.Sprintf("post kind %d", d.Kind), 1)
			}
			w.after(0, func() { // the step is over: if the process still lives, its officer was told
				if n.life == life {
					w.truth.posted(n, ref)
				}
			})
		}})
	}
	n.feed(group)
}

// open publishes an own commitment of before.
func (w *World) open(n *node) {
	logs, _ := n.disk.Logs()
	var found []parley.Draft
	for _, l := range logs {
		if l.Log.Party != n.me {
			continue
		}
		n.disk.Rows(l.Log, 0, l.Size, func(r *journal.Row) error {
			if r.Leaf.To != parley.ToNobody || r.Content == nil {
				return nil
			}
			o := parley.Opening{Ref: parley.Ref{Party: n.me, Lane: l.Log.Lane, Gen: l.Log.Gen, Index: r.Index, Leaf: r.Leaf.Hash()},
				Salt: r.Content.Salt, Entry: r.Content.Entry}
			found = append(found, parley.Draft{Lane: w.lane(), Kind: parley.KindOpening, To: parley.ToAll, Body: o.Encode()})
			return nil
		})
	}
	if len(found) > 0 {
		w.stats.add("opening", 1)
		w.post(n, found[w.rng.IntN(len(found))])
	}
}
