package node

import (
	"cmp"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"parley"
	"parley/journal"
)

// part is some rows, or some receipts, of one log as the desks take them.
type part struct {
	posts    []parley.Posted
	receipts []parley.Receipted
	rows     uint64 // those that the desks do not take included
}

// partRows is how many rows or receipts a part covers.
const partRows = 256

// fold gives the desks every entry and receipt that the store held at the
// start. Logs are read side by side, the longest first: reading, checking and
// opening a row costs more than what the desks do with it, and they take
// entries in any order that keeps each log's own. It ends early when stop is
// closed.
func (n *Node) fold(stop <-chan struct{}) error {
	logs := n.atStart
	n.atStart = nil
	slices.SortStableFunc(logs, func(a, b journal.LogState) int { return cmp.Compare(b.Size, a.Size) })
	next := make(chan *journal.LogState, len(logs))
	var done, total uint64
	for i := range logs {
		next <- &logs[i]
		total += logs[i].Size
	}
	close(next)
	parts := make(chan part, 4)
	var readers sync.WaitGroup
	errs := make(chan error, 1)
	for range min(runtime.GOMAXPROCS(0), len(logs)) {
		readers.Go(func() {
			for l := range next {
				if err := n.read(l, parts, stop); err != nil {
					select {
					case errs <- err:
					default: // the first one tells
					}
					return
				}
			}
		})
	}
	go func() { readers.Wait(); close(parts) }()
	for p := range parts {
		for _, post := range p.posts {
			n.docket.Apply(post)
		}
		for _, r := range p.receipts {
			n.docket.Proof(r)
		}
		if done += p.rows; n.progress != nil {
			n.progress(done, total)
		}
	}
	select {
	case err := <-errs:
		return err
	default:
	}
	debug.FreeOSMemory() // reading leaves as much behind as the desks keep
	return nil
}

// read sends what desks have a use for: the entries of one log, and every
// receipt on it, so that since when a member holds an entry does not change
// with a restart.
func (n *Node) read(l *journal.LogState, parts chan<- part, stop <-chan struct{}) error {
	var p part
	give := func(next part) error {
		select {
		case parts <- p:
			p = next
			return nil
		case <-stop:
			return n.stopped()
		}
	}
	err := n.cfg.Store.Rows(l.Log, 0, l.Size, func(r *journal.Row) error {
		if post, ok := posted(r); ok {
			p.posts = append(p.posts, post)
		}
		if p.rows++; p.rows == partRows {
			return give(part{posts: make([]parley.Posted, 0, partRows)})
		}
		return nil
	})
	if err != nil {
		return err
	}
	names := map[string]parley.Party{}
	for _, m := range n.cfg.Charter.Members {
		names[journal.ReceiptName(l.Log.Channel, m.Index)] = m.Index
	}
	err = n.cfg.Store.EachCosig(l.Log, func(c *journal.Cosig) error {
		by := names[c.Name]
		if by == 0 || c.PQ {
			return nil
		}
		p.receipts = append(p.receipts, parley.Receipted{By: by, Time: c.Time, Stored: time.Unix(int64(c.Time), 0).UTC(),
			Head: parley.Head{Party: l.Log.Party, Lane: l.Log.Lane, Gen: l.Log.Gen, Size: c.Size}})
		if len(p.receipts) == partRows {
			return give(part{receipts: make([]parley.Receipted, 0, partRows)})
		}
		return nil
	})
	if err != nil {
		return err
	}
	return give(part{})
}

// posted is a row as the desks take it; false if it is not opened to this
// node, or stands in the record only as evidence.
func posted(r *journal.Row) (p parley.Posted, ok bool) {
	if r.Content == nil || r.Standing == parley.Malformed {
		return p, false
	}
	e, err := parley.ParseEntry(r.Content.Entry)
	if err != nil {
		return p, false
	}
	return parley.Posted{Entry: e, Standing: r.Standing, Stored: time.UnixMilli(int64(r.Stored)).UTC(),
		Ref: parley.Ref{Party: r.Log.Party, Lane: r.Log.Lane, Gen: r.Log.Gen, Index: r.Index, Leaf: r.Leaf.Hash()}}, true
}
