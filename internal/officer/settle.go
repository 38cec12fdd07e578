package officer

import (
	"maps"
	"slices"

	"parley"
)

// Posted says that the record holds a released draft, and where.
func (b *Book) Posted(id uint64, ref parley.Ref) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.settle(id, ref)
}

func (b *Book) settle(id uint64, ref parley.Ref) error {
	d := b.state.drafts[id]
	if d == nil || d.State != Releasing {
		return parley.Errorf(CodeState, "draft %d is not being released", id)
	}
	x := b.batch(nil).add(object("draft", id), &posted{Draft: id, Ref: ref})
	x.drop = d.held()
	if d.Roster {
		var c content
		if err := b.text(d.text, &c); err != nil {
			return err
		}
		x.add("roster", &rosterEvent{Ref: ref, Body: c.Message.Body})
	}
	return b.commit(x)
}

// NotPosted says that the node refused a released draft and that the record
// does not hold it. It awaits release again, with a fresh approval.
func (b *Book) NotPosted(id uint64, why string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.notPosted(id, why)
}

func (b *Book) notPosted(id uint64, why string) error {
	d := b.state.drafts[id]
	if d == nil || d.State != Releasing {
		return parley.Errorf(CodeState, "draft %d is not being released", id)
	}
	x := b.batch(nil).add(object("draft", id), &moved{name: ActNotPosted, Draft: id, Why: clip(why, 2000)})
	x.drop = []parley.Hash{d.released}
	return b.commit(x)
}

// Settle asks, of every draft that was released when the process ended, where
// the record holds it. With Two the RELEASE before it carries exactly the
// approvals of the Ready; with one person it is the own entry of this digest
// whose time is not before Since and that is not Taken. What the record does
// not hold awaits release again. Call it at start, before anything is posted.
func (b *Book) Settle(find func(*Ready) (parley.Ref, bool, error)) error {
	var open []*Ready
	b.mu.Lock()
	for _, id := range slices.Sorted(maps.Keys(b.state.drafts)) {
		if d := b.state.drafts[id]; d.State == Releasing {
			r, err := b.ready(d)
			if err != nil {
				b.mu.Unlock()
				return err
			}
			open = append(open, r)
		}
	}
	b.mu.Unlock()
	for _, r := range open {
		ref, there, err := find(r)
		if err != nil {
			return err
		}
		b.mu.Lock()
		if there {
			err = b.settle(r.Draft, ref)
		} else {
			err = b.notPosted(r.Draft, "The node stopped before it was posted.")
		}
		b.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *Book) taken(ref parley.Ref) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state.taken(ref)
}

// ready is a draft that was released, with what goes out.
func (b *Book) ready(d *draft) (*Ready, error) {
	out, err := b.draft(d)
	if err != nil {
		return nil, err
	}
	r := &Ready{Draft: d.ID, Message: out.Message, Digest: out.Digest, Since: d.releasedAt, Two: d.stated, Taken: b.taken}
	var drafted, released approval
	if err := b.text(d.released, &released); err != nil {
		return nil, err
	}
	r.Released = released.Approval
	if r.Two {
		if err := b.text(d.drafted, &drafted); err != nil {
			return nil, err
		}
		r.Drafted = drafted.Approval
	}
	return r, nil
}
