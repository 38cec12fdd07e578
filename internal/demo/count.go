package demo

import (
	"cmp"
	"context"
	"slices"
	"time"

	"parley"
	"parley/hotline"
	"parley/journal"
	"parley/station"
)

// seal lets every member seal its heads with ML-DSA-44, as before any
// disclosure, and waits until the exporter has the seals.
func (w *world) seal(ctx context.Context) error {
	for _, h := range w.hosts {
		if err := h.Node.Feed(ctx, station.SealNow{}); err != nil {
			return err
		}
	}
	store := w.exporter().Node.Store()
	return await(ctx, func() (string, error) {
		logs, err := store.Logs()
		if err != nil {
			return "", err
		}
		for _, l := range logs {
			if !slices.ContainsFunc(l.Newest, func(c journal.Cosig) bool { return c.PQ && c.Name == l.Log.Origin() && c.Size == l.Size }) {
				return "the seal of " + w.s.Members[l.Log.Party-1].Name + " on " + l.Log.Lane.String(), nil
			}
		}
		return "", nil
	})
}

// count counts receipts and witnessed heads in the exporter's store.
func (w *world) count(sum *Summary) error {
	quorum, err := w.charter.Quorum()
	if err != nil {
		return err
	}
	store := w.exporter().Node.Store()
	logs, err := store.Logs()
	if err != nil {
		return err
	}
	for _, l := range logs {
		cosigs, err := store.Cosigs(l.Log, 1)
		if err != nil {
			return err
		}
		for i := range l.Size {
			sum.Receipts += len(journal.Receipts(w.charter, l.Log, cosigs, i))
		}
		by := map[uint64]map[string]bool{} // witnesses of each size
		for _, c := range cosigs {
			if by[c.Size] == nil {
				by[c.Size] = map[string]bool{}
			}
			by[c.Size][c.Name] = true
		}
		for _, names := range by {
			if !quorum.None() && quorum.Met(func(name string) bool { return names[name] }) {
				sum.WitnessedHeads++
			}
		}
	}
	return nil
}

// owed is what each member owes at a time, each as its own desk sees it.
func (p *player) owed(ctx context.Context, now time.Time) ([]parley.Duty, error) {
	var out []parley.Duty
	for _, m := range p.w.order() {
		err := p.desk(ctx, m, func(d *hotline.Desk, _ time.Time) {
			for _, x := range d.Due(now) {
				if x.Owner == m {
					out = append(out, x)
				}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// late is what was overdue when the scenario ended. It is asked at the time of
// the last step, not at that of the clock: how fast this machine is does not
// change who was late.
func (p *player) late(ctx context.Context) ([]parley.Duty, error) {
	if p.n == 0 {
		return nil, nil
	}
	all, err := p.owed(ctx, p.s.Steps[p.n-1].At)
	return slices.DeleteFunc(all, func(d parley.Duty) bool { return !d.Late }), err
}

// order lists the members by name: the order in which everything is shown.
func (w *world) order() []parley.Party {
	var ps []parley.Party
	for i := range w.s.Members {
		ps = append(ps, parley.Party(i+1))
	}
	slices.SortFunc(ps, func(a, b parley.Party) int { return cmp.Compare(w.name(a), w.name(b)) })
	return ps
}

func (w *world) name(p parley.Party) string { return w.s.Members[p-1].Name }

// sorted lists the members' names.
func (w *world) sorted() []string {
	var names []string
	for _, p := range w.order() {
		names = append(names, w.name(p))
	}
	return names
}
