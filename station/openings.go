package station

import (
	"parley"
	"parley/journal"
)

func checkOpening(log parley.LogID, body []byte) error {
	o, _, err := parley.ParseOpening(body)
	if err != nil {
		return err
	}
	return journal.CheckOpening(log, o)
}

// openLater takes the content of a commitment that its author opens now, in
// row r of log l: it stands at its own place, from its own time. If another
// lane has yet to bring the commitment, where the opening stands is noted,
// also for after a restart.
func (st *Station) openLater(l *log, r *journal.Row, body []byte) {
	o, e, err := parley.ParseOpening(body)
	if err != nil {
		return
	}
	c := st.logs[place{o.Ref.Party, o.Ref.Lane, o.Ref.Gen}]
	if c == nil || o.Ref.Index >= c.size() {
		if len(st.openings) < maxHeld {
			at := parley.Ref{Party: l.id.Party, Lane: l.id.Lane, Gen: l.id.Gen, Index: r.Index, Leaf: r.Leaf.Hash()}
			st.openings[o.Ref.Leaf] = at
			st.fx.put("opening", o.Ref.Leaf.String(), parley.AppendRef(nil, at), false)
		}
		return
	}
	row, err := st.row(c, o.Ref.Index)
	if err != nil || row.Leaf.Hash() != o.Ref.Leaf {
		return
	}
	if row.Content != nil {
		return // opened before
	}
	row.Content = &journal.Content{Salt: o.Salt, Entry: o.Entry}
	st.fx.batch.Opened = append(st.fx.batch.Opened, journal.Opened{Log: c.id, Index: o.Ref.Index, Content: *row.Content, Standing: row.Standing})
	st.posted(c, row, e)
}

// opensNow opens a commitment that came after its opening.
func (st *Station) opensNow(r *journal.Row) {
	leaf := r.Leaf.Hash()
	at, ok := st.openings[leaf]
	if !ok || r.Leaf.To != parley.ToNobody {
		return
	}
	delete(st.openings, leaf)
	st.fx.put("opening", leaf.String(), nil, false)
	l := st.logs[place{at.Party, at.Lane, at.Gen}]
	if l == nil || at.Index >= l.size() {
		return
	}
	row, err := st.row(l, at.Index)
	if err != nil || row.Content == nil || row.Leaf.Hash() != at.Leaf {
		return
	}
	if e, err := parley.ParseEntry(row.Content.Entry); err == nil && e.Kind == parley.KindOpening {
		st.openLater(l, row, e.Body)
	}
}
