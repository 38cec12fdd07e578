package journal

import (
	"bytes"
	"cmp"
	"slices"

	"parley"
)

// Announced is a ROOTKEYS statement with the generation it was made for. It is
// verified by the root's signatures alone, so it can be put before everything
// that the new keys sign.
type Announced struct {
	Party parley.Party
	Gen   parley.Gen
	Keys  *parley.RootKeys
}

// Encode is the statement's form in a file: [party, gen, rootkeys].
func (a *Announced) Encode() []byte {
	b := parley.AppendArray(nil, 3)
	b = parley.AppendUint(b, uint64(a.Party))
	b = parley.AppendBytes(b, a.Gen[:])
	return parley.AppendRootKeys(b, a.Keys)
}

// ParseAnnounced reads that form.
func ParseAnnounced(b []byte) (*Announced, error) {
	d := parley.NewDecoder(b, 5)
	var a Announced
	d.Array(3, 3)
	a.Party = d.Party()
	a.Gen = d.Gen()
	a.Keys = d.RootKeys()
	if err := d.End(); err != nil {
		return nil, err
	}
	return &a, nil
}

// compareAnnounced orders statements by party, serial and generation, and then
// by their bytes.
func compareAnnounced(a, b *Announced) int {
	return cmp.Or(cmp.Compare(a.Party, b.Party), cmp.Compare(a.Keys.Serial, b.Keys.Serial),
		bytes.Compare(a.Gen[:], b.Gen[:]), bytes.Compare(a.Encode(), b.Encode()))
}

func sortAnnounced(as []*Announced) []*Announced {
	as = slices.SortedFunc(slices.Values(as), compareAnnounced)
	return slices.CompactFunc(as, func(a, b *Announced) bool { return compareAnnounced(a, b) == 0 })
}

// FindRootKeys collects every ROOTKEYS that a store holds of a channel: those
// of the GENERATION of lane 3 and their repetitions, sorted. One that its root
// did not sign is no change of keys and is left out.
func FindRootKeys(s Held, c *parley.Charter, ch parley.Hash) ([]*Announced, error) {
	states, err := s.Logs()
	if err != nil {
		return nil, err
	}
	var found []*Announced
	for _, st := range states {
		m := c.Member(st.Log.Party)
		if st.Log.Channel != ch || st.Log.Lane != parley.Routine || m == nil {
			continue
		}
		err := s.Rows(st.Log, 0, st.Size, func(r *Row) error {
			if r.Content == nil {
				return nil
			}
			if rk := rootKeysIn(r.Content.Entry, r.Index); rk != nil && rk.Verify(ch, m, st.Log.Gen) == nil {
				found = append(found, &Announced{Party: st.Log.Party, Gen: st.Log.Gen, Keys: rk})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return sortAnnounced(found), nil
}

// rootKeysIn is the ROOTKEYS statement of an entry of lane 3, if it has one.
func rootKeysIn(entry []byte, index uint64) *parley.RootKeys {
	if !alwaysOpen(entry) {
		return nil
	}
	e, err := parley.ParseEntry(entry)
	if err != nil {
		return nil
	}
	switch {
	case e.Kind == parley.KindGeneration && index == 0:
		if g, err := parley.ParseGeneration(e.Body); err == nil {
			return g.RootKeys
		}
	case e.Kind == parley.KindRootKeys && index > 0:
		if rk, err := parley.ParseRootKeys(e.Body); err == nil {
			return rk
		}
	}
	return nil
}

// alwaysOpen reports, by the first bytes, whether an entry is of a kind that
// travels in the clear: an array of five whose first item is 4, 13 or 16.
func alwaysOpen(entry []byte) bool {
	return len(entry) > 1 && entry[0] == 0x85 && parley.Kind(entry[1]).Clear()
}
