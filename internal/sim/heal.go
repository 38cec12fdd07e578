package sim

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"parley"
	"parley/docket"
	"parley/journal"
)

// patient is how long a healed world may take until every promise of liveness
// holds: generous, since what is beyond a quota is fetched one by one.
const (
	patient = 45 * time.Minute
	tired   = 3 * 24 * time.Hour // with quotas that are soon used up
)

// heal ends the faults, gives the world time, and checks what must hold then.
func (w *World) heal() {
	w.say("the faults end")
	w.healing = true
	w.setPace(time.Second)
	for _, n := range w.nodes {
		n.right()
		n.disk.full = false
	}
	for _, l := range w.links {
		l.cut = false
		l.stall(0, false)
		l.stall(1, false)
		l.try()
	}
	for _, x := range w.witnesses {
		x.down = false
	}
	for _, n := range w.nodes {
		n.boot()
	}
	limit := patient
	if w.plan.SmallQuota {
		limit = tired
	}
	from := w.now
	wrong := w.wrong()
	for step := 5 * time.Second; wrong != nil && w.now.Sub(from) < limit; wrong = w.wrong() {
		if w.run(step); w.now.Sub(from) > 2*time.Minute {
			w.askRoots()
		}
		if w.now.Sub(from) > patient {
			w.setPace(10 * time.Second)
			step = 10 * time.Minute
		}
	}
	if wrong != nil {
		w.fail("%v after the faults ended: %v", limit, wrong)
	}
	w.say("healed after %v", w.now.Sub(from))
	w.setPace(time.Second)
	w.agreeOnWitnessed()
	w.equalFolds()
	switch w.Seed % 8 { // these cost as much as the rest
	case 0:
		w.verify()
	case 1:
		w.expire()
	}
}

// askRoots lets the roots put new keys in force for nodes whose newest keys
// nobody knows any more: they were lost with the only disk that had heard of
// them. The manual has a page for it.
func (w *World) askRoots() {
	for _, n := range w.standing() {
		if !n.up() || n.st.Ready() || n.serial == 0 {
			continue
		}
		known := false
		for _, o := range w.standing() {
			as, _ := journal.FindRootKeys(o.disk, w.ch.Charter, w.ch.ID)
			for _, a := range as {
				known = known || o != n && a.Party == n.me && a.Keys.Serial == n.serial
			}
		}
		if !known {
			w.stats.add("keys that nobody knew", 1)
			w.renew(n)
		}
	}
}

// wrong is what is still missing from a healed world, nil if nothing.
func (w *World) wrong() error {
	honest := w.standing()
	most := map[parley.LogID]*node{} // who holds the most of each honest author's log
	for _, n := range honest {
		if !n.up() || !n.st.Ready() {
			return fmt.Errorf("%s has not started", n)
		}
		logs, _ := n.disk.Logs()
		for _, l := range logs {
			if m := most[l.Log]; w.honest(l.Log.Party) && (m == nil || size(m, l.Log) < l.Size) {
				most[l.Log] = n
			}
		}
	}
	for log := range w.truth.leaves {
		if m := most[log]; m == nil && !w.truth.lost[spot{log, 0}] && w.honest(log.Party) {
			return fmt.Errorf("nobody holds %s", log)
		}
	}
	for _, log := range slices.SortedFunc(maps.Keys(most), func(a, b parley.LogID) int { return strings.Compare(a.Origin(), b.Origin()) }) {
		m := most[log]
		if err := w.held(honest, log, size(m, log)); err != nil {
			return err
		}
	}
	return errors.Join(w.unproved(honest), w.unreceipted(honest))
}

// standing are the honest nodes.
func (w *World) standing() (ns []*node) {
	for _, n := range w.nodes {
		if w.honest(n.me) {
			ns = append(ns, n)
		}
	}
	return ns
}

func size(n *node, log parley.LogID) uint64 { return n.disk.Size(log) }

// held checks that all honest members hold a log of an honest author, opened
// where anybody can open it for them, and that nothing receipted is gone.
func (w *World) held(honest []*node, log parley.LogID, all uint64) error {
	for i := uint64(len(w.truth.leaves[log])); i > all; i-- {
		if !w.truth.lost[spot{log, i - 1}] {
			return fmt.Errorf("entry %d of %s is gone: nobody holds it, and it was not lost", i-1, log)
		}
	}
	for i := range all {
		opened := false
		for _, n := range honest {
			r, err := n.disk.Row(log, i)
			if err != nil && (w.stuck(honest, n, log, i) || w.unsigned(honest, log, i)) {
				continue
			}
			if err != nil {
				return fmt.Errorf("%s lacks entry %d of %s, of which %d are held", n, i, log, all)
			}
			opened = opened || r.Content != nil
		}
		for _, n := range honest {
			r, err := n.disk.Row(log, i)
			if err != nil {
				continue
			}
			if r.Content == nil && opened && (r.Leaf.To.Includes(n.me) || log.Party == n.me || r.Leaf.To == parley.ToNobody && w.openedFor(honest, n, log, i) && !w.stuckSomewhere(honest, n, log.Party)) {
				return fmt.Errorf("%s has not opened entry %d of %s", n, i, log)
			}
			if r.Content == nil && !opened && r.Leaf.To != parley.ToNobody && !w.truth.lost[spot{log, i}] {
				return fmt.Errorf("nobody can read entry %d of %s any more", i, log)
			}
		}
	}
	return nil
}

// stuck reports whether a member cannot count a log up to entry i, because one
// addressed to the member can be read by nobody any more: before it, or after it
// under the same signed head.
func (w *World) stuck(honest []*node, n *node, log parley.LogID, i uint64) bool {
	for j := range uint64(len(w.truth.leaves[log])) {
		if !w.truth.lost[spot{log, j}] || j > i && w.signedBetween(honest, log, i, j) {
			continue
		}
		for _, o := range honest {
			if r, err := o.disk.Row(log, j); err == nil && r.Leaf.To.Includes(n.me) {
				return true
			}
		}
	}
	return false
}

// signedBetween reports whether anybody holds an author-signed head over entry
// i and not over entry j.
func (w *World) signedBetween(honest []*node, log parley.LogID, i, j uint64) bool {
	for _, o := range honest {
		for k := i; k < j; k++ {
			if r, err := o.disk.Row(log, k); err == nil && len(r.Sig) == 64 {
				return true
			}
		}
	}
	return false
}

// unsigned reports whether only its author holds an entry, durable and never
// signed, and has newer keys by now: an old record came back beside them. The
// alarm never-signed says so to its officers.
func (w *World) unsigned(honest []*node, log parley.LogID, i uint64) bool {
	for _, n := range honest {
		logs, _ := n.disk.Logs()
		for _, l := range logs {
			if l.Log == log && (n.me != log.Party && l.Size > i || l.Head != nil && l.Head.Size > i) {
				return false
			}
		}
	}
	return w.serials[log.Party] > 0
}

// stuckSomewhere reports whether a member cannot count some log of an author:
// what opens a commitment may stand there.
func (w *World) stuckSomewhere(honest []*node, n *node, author parley.Party) bool {
	for log, leaves := range w.truth.leaves {
		if log.Party == author && len(leaves) > 0 && w.stuck(honest, n, log, uint64(len(leaves)-1)) {
			return true
		}
	}
	return false
}

// openedFor reports whether a commitment was opened to a member: another
// member than its author reads it.
func (w *World) openedFor(honest []*node, n *node, log parley.LogID, i uint64) bool {
	for _, o := range honest {
		if o != n && o.me != log.Party {
			if r, err := o.disk.Row(log, i); err == nil && r.Content != nil {
				return true
			}
		}
	}
	return false
}

// unproved is an equivocation that two honest members hold between them and
// that is not proved to both.
func (w *World) unproved(honest []*node) error {
	for i, a := range honest {
		logs, _ := a.disk.Logs()
		for _, l := range logs {
			if w.honest(l.Log.Party) {
				continue
			}
			for _, b := range honest[i+1:] {
				if !w.differ(a, b, l.Log, l.Size) {
					continue
				}
				for _, n := range []*node{a, b} {
					if !w.hasProof(n, l.Log) {
						return fmt.Errorf("%s and %s hold different histories of %s, and %s has no proof", a, b, l.Log, n)
					}
				}
			}
		}
	}
	return nil
}

func (w *World) differ(a, b *node, log parley.LogID, most uint64) bool {
	n := min(most, size(b, log))
	if n == 0 {
		return false
	}
	x, err := journal.RootAt(n, a.disk.Hashes(log))
	y, err2 := journal.RootAt(n, b.disk.Hashes(log))
	return err == nil && err2 == nil && x != y
}

func (w *World) hasProof(n *node, log parley.LogID) (found bool) {
	n.disk.Values("fork", func(key string, v []byte) error {
		if key == log.Origin() {
			if err := w.proof(v); err != nil {
				w.fail("%s keeps a fork proof that proves nothing: %v", n, err)
			}
			found = true
		}
		return nil
	})
	if found {
		w.stats.add("equivocation proved to a member", 1)
	}
	return found
}

// unreceipted is an honest author who has not seen an honest member's receipt
// over all of a log of its current generation.
func (w *World) unreceipted(honest []*node) error {
	for _, n := range honest {
		for _, l := range n.st.Logs() {
			if l.Log.Party != n.me || !l.Current {
				continue
			}
			for _, o := range honest {
				if o != n && n.st.Received(l.Log, o.me) < l.Head.Size {
					return fmt.Errorf("%s has not seen the receipt of %s over all %d entries of %s", n, o, l.Head.Size, l.Log)
				}
			}
		}
	}
	return nil
}

// agreeOnWitnessed: two honest members never both hold witnessed heads that
// differ, if any two quorums share an honest witness.
func (w *World) agreeOnWitnessed() {
	k, all := w.ch.Charter.Rules.Quorum, len(w.witnesses)
	if all == 0 {
		return
	}
	need := all
	if all > 2 {
		need--
	}
	_ = k
	if 2*need-all <= w.plan.BadWitnesses {
		return
	}
	honest := w.standing()
	for i, a := range honest {
		for _, l := range a.st.Logs() {
			for _, b := range honest[i+1:] {
				for _, m := range b.st.Logs() {
					if n := min(l.Witnessed, m.Witnessed); m.Log == l.Log && n > 0 && w.differ(a, b, l.Log, n) {
						w.fail("%s and %s both hold witnessed heads of %s that differ", a, b, l.Log)
					}
				}
			}
		}
	}
}

// equalFolds: what the desks show follows from the entries alone, whoever
// folds them, in whatever order they came, before and after a restart.
func (w *World) equalFolds() {
	want := ""
	var first *node
	for _, n := range w.standing() {
		again := docket.New(w.ch.Charter, n.me)
		n.fold(again, all, true)
		if a, b := dump(again), dump(n.desk); a != b {
			w.fail("%s shows after a restart what it did not show before:\n%s", n, difference(b, a))
		}
		if len(w.plan.Hostile) > 0 || w.stats.Counts["new node keys"] > 0 || w.stats.Counts["disk wiped"]+w.stats.Counts["backup restored"]+w.stats.Counts["machine restored"]+w.stats.Counts["old record put in place"] > 0 {
			continue // their standing may differ with the order in which generations became known
		}
		shared := docket.New(w.ch.Charter, 1)
		n.fold(shared, func(r *journal.Row) bool { return r.Leaf.To == parley.ToAll }, false)
		if got := dump(shared); first == nil {
			first, want = n, got
		} else if got != want {
			w.fail("%s and %s fold the same entries to different things:\n%s", first, n, difference(want, got))
		}
	}
}

// dump is what all desks show.
func dump(d *docket.Docket) string { return d.Hotline.Dump() + d.Release.Dump() }

// difference shows the first line in which two texts differ.
func difference(a, b string) string {
	x, y := bytes.Split([]byte(a), []byte("\n")), bytes.Split([]byte(b), []byte("\n"))
	for i := range max(len(x), len(y)) {
		var p, q []byte
		if i < len(x) {
			p = x[i]
		}
		if i < len(y) {
			q = y[i]
		}
		if !bytes.Equal(p, q) {
			return fmt.Sprintf("line %d\n- %s\n+ %s", i+1, p, q)
		}
	}
	return ""
}

// verify exports the record of every honest member and lets the strangers'
// verifier judge it.
func (w *World) verify() {
	for _, n := range w.standing() {
		var forks []*journal.Fork
		n.disk.Values("fork", func(_ string, v []byte) error {
			f, err := journal.ParseFork(v)
			forks = append(forks, f)
			return err
		})
		var b bytes.Buffer
		err := journal.WriteRecord(&b, &journal.Export{Charter: w.ch.Signed, Store: n.disk, Forks: forks, Exporter: n.me,
			Key: w.nodeKeys(n.me, n.serial).Rcpt, Time: uint64(w.now.Unix())})
		if err != nil {
			w.fail("%s cannot export its record: %v", n, err)
		}
		convicted := map[parley.Party]bool{}
		err = journal.VerifyRecord(&b, journal.Verify{Channel: &w.ch.ID, Now: uint64(w.now.Unix())}, func(f journal.Finding) {
			if f.Status == journal.Forked && f.Log != nil {
				convicted[f.Log.Party] = true
			}
		})
		if err != nil {
			w.fail("a stranger's verifier refuses the record of %s: %v", n, err)
		}
		for p := range convicted {
			if w.honest(p) {
				w.fail("a stranger's verifier convicts member %d by the record of %s", p, n)
			}
		}
		w.stats.add("record verified", 1)
	}
}

// expire lets the windows pass and checks that no key has outlived its time.
func (w *World) expire() {
	r := &w.ch.Charter.Rules
	life := time.Duration(r.Prepos+2*r.Window+r.Grace) * time.Second
	w.setPace(life / 8)
	w.run(life + 4*w.pace)
	slack := uint64(3*w.pace/time.Second) + r.Window // the next window is granted at half time
	now := uint64(w.now.Unix())
	for _, n := range w.standing() {
		for _, space := range []string{"own-key", "peer-key"} {
			n.disk.Values(space, func(key string, v []byte) error {
				if until := windowEnd(space, v); until+r.Grace+slack < now {
					w.fail("%s still holds the %s %s, whose window ended %d s ago", n, space, key, now-until)
				}
				return nil
			})
		}
	}
	w.setPace(time.Second)
}

// windowEnd reads the end of the window from a stored audience key.
func windowEnd(space string, v []byte) uint64 {
	d := parley.NewDecoder(v, 2)
	if space == "own-key" {
		d.Array(5, 5)
	} else {
		d.Array(7, 7)
	}
	d.Gen()
	d.Hash()
	if space == "peer-key" {
		d.Party()
	}
	d.Uint(parley.MaxUint)
	d.Uint(parley.MaxUint)
	return d.Uint(parley.MaxUint)
}
