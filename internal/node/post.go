package node

import (
	"context"

	"parley"
	"parley/station"
)

// Post lets the desks check a draft and appends it. It returns where the entry
// stands once it is durable. During the start-up it waits.
func (n *Node) Post(ctx context.Context, d parley.Draft) (parley.Ref, error) {
	refs, err := n.post(ctx, func() error { return n.docket.Check(d, n.cfg.Now()) }, d)
	if err != nil {
		return parley.Ref{}, err
	}
	return refs[0], nil
}

// PostTogether appends drafts of one lane, adjacent and in one batch, or none
// of them, and returns where they stand once they are durable. The desks check
// each, a RELEASE together with the draft behind it (docket.CheckTogether).
//
// If ctx ends first it is not known whether they stand in the record. Asking
// again does no harm where a RELEASE is among them: the desk refuses approvals
// that were used (release-used).
func (n *Node) PostTogether(ctx context.Context, drafts ...parley.Draft) ([]parley.Ref, error) {
	if len(drafts) == 0 {
		return nil, nil
	}
	return n.post(ctx, func() error { return n.docket.CheckTogether(n.cfg.Now(), drafts...) }, drafts...)
}

// posting is what becomes of drafts that are posted together. The loop fills
// it in; who posted reads it when done is closed.
type posting struct {
	left int
	refs []parley.Ref
	err  error
	done chan struct{}
}

// event is the station's event for the drafts.
func (p *posting) event(drafts []parley.Draft) station.Event {
	p.left, p.refs, p.done = len(drafts), make([]parley.Ref, len(drafts)), make(chan struct{})
	var group station.Together
	for i, d := range drafts {
		group = append(group, station.Post{Lane: d.Lane, Kind: d.Kind, To: d.To, Body: d.Body, Done: func(r parley.Ref, err error) {
			if p.refs[i] = r; err != nil {
				p.err = err
			}
			if p.left--; p.left == 0 {
				close(p.done)
			}
		}})
	}
	return group
}

// post hands drafts to the loop as one input, which check may refuse, and
// waits until they are durable.
func (n *Node) post(ctx context.Context, check func() error, drafts ...parley.Draft) ([]parley.Ref, error) {
	var p posting
	res := make(chan error, 1)
	in := input{event: p.event(drafts), check: check, after: func(refused error) {
		if refused != nil {
			res <- refused
			return
		}
		select {
		case <-p.done:
			res <- p.err
		default: // queued until the start-up is over: a later batch carries it
			go func() {
				select {
				case <-p.done:
					if n.Feed(context.Background(), station.Tick{}) == nil {
						res <- p.err
					}
				case <-n.done:
				}
			}()
		}
	}}
	ch := n.bulk
	if drafts[0].Lane.Urgent() {
		ch = n.urgent
	}
	if err := n.offer(ctx, ch, in); err != nil {
		return nil, err
	}
	select {
	case err := <-res:
		if err != nil {
			return nil, err
		}
		return p.refs, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-n.done:
		return nil, n.stopped()
	}
}
