package station

import (
	"cmp"
	"encoding/hex"
	"slices"
	"strconv"

	"parley"
	"parley/journal"
	"parley/seal"
)

// The values that a station keeps in the store, besides the record:
//
//	self      gen                  the current own generation
//	own-key   <keyid>              own audience keys (secret)
//	peer-key  <member>/<keyid>     granted audience keys (secret)
//	kem       <gen>/<index>        own KEM keys (secret)
//	peer-kem  <member>             newest KEM key of a member
//	blank     <origin>/<index>     own entries that came back without their content
//	opening   <leaf>               where an OPENING stands whose commitment has not come
//	fork      <origin>             proofs of forks

func encodeOwnKey(k *ownKey) []byte {
	b := parley.AppendArray(nil, 5)
	b = parley.AppendBytes(b, k.id[:])
	b = parley.AppendBytes(b, k.K[:])
	b = parley.AppendUint(b, uint64(k.to))
	b = parley.AppendUint(b, k.from)
	return parley.AppendUint(b, k.until)
}

func encodePeerKey(k *peerKey) []byte {
	b := parley.AppendArray(nil, 7)
	b = parley.AppendBytes(b, k.id[:])
	b = parley.AppendBytes(b, k.K[:])
	b = parley.AppendUint(b, uint64(k.author))
	b = parley.AppendUint(b, uint64(k.to))
	b = parley.AppendUint(b, k.from)
	b = parley.AppendUint(b, k.until)
	return parley.AppendUint(b, k.accepted)
}

func encodeKem(k *kem) []byte {
	seed := k.key.Seed()
	b := parley.AppendArray(nil, 4)
	b = parley.AppendBytes(b, seed[:])
	b = parley.AppendUint(b, k.created)
	b = parley.AppendUint(b, k.index)
	return parley.AppendBytes(b, k.gen[:])
}

func encodePeerKem(k *peerKem) []byte {
	b := parley.AppendArray(nil, 4)
	b = parley.AppendBytes(b, k.gen[:])
	b = parley.AppendUint(b, k.index)
	b = parley.AppendBytes(b, k.pub)
	return parley.AppendUint(b, k.until)
}

func damaged(space, key string, err error) error {
	return parley.Errorf(journal.CodeDamaged, "the stored value %s %s cannot be read: %w", space, key, err)
}

// loadValues reads generations and keys back. Generations are read from the
// record itself: the first entry of every log.
func (st *Station) loadValues() error {
	if err := st.loadGenerations(); err != nil {
		return err
	}
	read := func(space string, f func(d *parley.Decoder, key string) error) error {
		return st.cfg.Record.Values(space, func(key string, v []byte) error {
			d := parley.NewDecoder(v, 2)
			err := f(d, key)
			if err == nil {
				err = d.End()
			}
			if err != nil {
				return damaged(space, key, err)
			}
			return nil
		})
	}
	err := st.cfg.Record.Values("self", func(key string, v []byte) error {
		if key == "gen" && len(v) == len(st.gen) {
			st.gen = parley.Gen(v)
		}
		return nil
	})
	err = cmp.Or(err, read("own-key", func(d *parley.Decoder, _ string) error {
		d.Array(5, 5)
		k := &ownKey{id: seal.KeyID(d.Gen()), K: seal.Key(d.Hash()), to: parley.Audience(d.Uint(parley.MaxUint)),
			from: d.Uint(parley.MaxUint), until: d.Uint(parley.MaxUint), sent: map[parley.Party]int64{}}
		st.grants = append(st.grants, k)
		return nil
	}))
	err = cmp.Or(err, read("peer-key", func(d *parley.Decoder, _ string) error {
		d.Array(7, 7)
		k := &peerKey{id: seal.KeyID(d.Gen()), K: seal.Key(d.Hash()), author: d.Party(), to: parley.Audience(d.Uint(parley.MaxUint)),
			from: d.Uint(parley.MaxUint), until: d.Uint(parley.MaxUint), accepted: d.Uint(parley.MaxUint)}
		if m := st.members[k.author]; d.Err() == nil && m != nil {
			m.reads = append(m.reads, k)
		}
		return nil
	}))
	err = cmp.Or(err, read("kem", func(d *parley.Decoder, _ string) error {
		d.Array(4, 4)
		seed := d.Hash()
		k := &kem{created: d.Uint(parley.MaxUint), index: d.Uint(parley.MaxUint), gen: d.Gen()}
		key, err := seal.NewKEM(seed)
		k.key = key
		st.kems = append(st.kems, k)
		return err
	}))
	slices.SortFunc(st.kems, func(a, b *kem) int {
		return cmp.Or(cmp.Compare(a.created, b.created), cmp.Compare(a.index, b.index))
	})
	err = cmp.Or(err, read("peer-kem", func(d *parley.Decoder, key string) error {
		d.Array(4, 4)
		k := &peerKem{gen: d.Gen(), index: d.Uint(parley.MaxUint), pub: d.Bytes(parley.SizeKEM, parley.SizeKEM), until: d.Uint(parley.MaxUint)}
		for p, m := range st.members {
			if d.Err() == nil && key == fmtParty(p) {
				m.kem = k
			}
		}
		return nil
	}))
	err = cmp.Or(err, read("opening", func(d *parley.Decoder, key string) error {
		leaf, err := hex.DecodeString(key)
		at := d.Ref()
		if err == nil && len(leaf) == len(parley.Hash{}) {
			st.openings[parley.Hash(leaf)] = at
		}
		return err
	}))
	err = cmp.Or(err, read("blank", func(d *parley.Decoder, key string) error { return st.loadBlank(key, d) }))
	err = cmp.Or(err, st.cfg.Record.Values("fork", func(key string, _ []byte) error {
		if id, err := parley.ParseOrigin(key); err == nil && id.Channel == st.ch && st.members[id.Party] != nil {
			st.log(id).forked = true
		}
		return nil
	}))
	return err
}

// loadGenerations learns the generations from the first entries of the logs.
func (st *Station) loadGenerations() error {
	type first struct {
		l    *log
		body *parley.Generation
	}
	var fs []first
	for _, l := range st.order {
		r, err := st.cfg.Record.Row(l.id, 0)
		if err != nil {
			return err
		}
		if r.Content == nil {
			continue
		}
		e, err := parley.ParseEntry(r.Content.Entry)
		if err != nil || e.Kind != parley.KindGeneration {
			continue
		}
		g, err := parley.ParseGeneration(e.Body)
		if err != nil {
			continue
		}
		fs = append(fs, first{l, g})
		m := st.members[l.id.Party]
		if rk := g.RootKeys; st.rootSigned(m, l.id.Gen, rk) && !m.knows(rk.Serial) {
			m.addKeys(rk.Keys)
		}
	}
	// A generation's predecessors come before it; the ROUTINE lane, which
	// alone carries new keys, before the others.
	slices.SortStableFunc(fs, func(a, b first) int { return -cmp.Compare(a.l.id.Lane%4, b.l.id.Lane%4) })
	for n := len(fs) + 1; len(fs) > 0 && len(fs) < n; {
		n = len(fs)
		fs = slices.DeleteFunc(fs, func(f first) bool {
			m := st.members[f.l.id.Party]
			for _, p := range f.body.Prev {
				if p != f.l.id.Gen && m.generation(p) == nil && slices.ContainsFunc(fs, func(x first) bool { return x.l.id.Party == m.Index && x.l.id.Gen == p }) {
					return false
				}
			}
			st.learnGeneration(m, f.l.id.Gen, f.body, st.storedKey(m, f.l, f.body))
			return true
		})
	}
	for _, f := range fs { // they name each other in a circle
		m := st.members[f.l.id.Party]
		st.learnGeneration(m, f.l.id.Gen, f.body, st.storedKey(m, f.l, f.body))
	}
	return st.loadClosings()
}

// storedKey is the key of a stored log: the one under which its newest signed
// head verifies. Of an own log whose head was not stored yet it is the key
// that its GENERATION names or inherits.
func (st *Station) storedKey(m *member, l *log, body *parley.Generation) *parley.Keys {
	for i := len(m.keys) - 1; i >= 0; i-- {
		if k := m.keys[i]; l.head.Size > 0 && journal.VerifyHead(k.LogEd, l.origin, l.head.Size, l.head.Root, l.head.Sig) {
			return k
		}
	}
	if st.rootSigned(m, l.id.Gen, body.RootKeys) {
		return body.RootKeys.Keys
	}
	for _, p := range body.Prev {
		if old := m.generation(p); old != nil {
			return old.key
		}
	}
	return m.newestKeys()
}

func (st *Station) loadClosings() error {
	for _, l := range st.order {
		if l.size() == 0 || st.members[l.id.Party].generation(l.id.Gen) == nil {
			continue
		}
		if r, err := st.cfg.Record.Row(l.id, l.size()-1); err == nil && r.Content != nil {
			if e, err := parley.ParseEntry(r.Content.Entry); err == nil && e.Kind == parley.KindClosing {
				l.shut = true
				st.closed = st.closed || l.id.Party == st.me
			}
		}
	}
	return nil
}

func fmtParty(p parley.Party) string { return strconv.Itoa(int(p)) }
