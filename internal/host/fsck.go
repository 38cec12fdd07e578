package host

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"parley"
	"parley/internal/store"
	"parley/journal"
)

// Fsck checks a party's record and changes nothing.
type Fsck struct {
	Dir      string
	Locked   bool // the caller holds the record's lock: the write-ahead log is looked at, too
	Progress func(done, total uint64)

	Entries uint64 // checked, after Check

	of    *repair                               // which has read the small files already
	trust func(store.Verifiers) store.Verifiers // see RepairOptions
}

// Check recomputes the record and lists what is wrong, each thing once. The
// error is of what keeps it from being checked at all: a wrong key, a missing
// file.
func (f *Fsck) Check(ctx context.Context) ([]string, error) {
	findings := []string{}
	add := func(s string) {
		if !slices.Contains(findings, s) {
			findings = append(findings, s)
		}
	}
	err := f.check(ctx, add)
	if e, ok := err.(*parley.Error); ok && e.Code == journal.CodeDamaged { // so much that it cannot be read on
		add(e.Msg)
		err = nil
	}
	return findings, err
}

func (f *Fsck) check(ctx context.Context, add func(string)) error {
	r := f.of
	if r == nil {
		r = &repair{}
		var err error
		if r.keys, err = LoadKeys(f.Dir); err != nil {
			return err
		}
		if r.signed, r.charter, r.me, err = LoadCharter(f.Dir); err != nil {
			return err
		}
	}
	path := filepath.Join(f.Dir, fileRecord)
	if err := f.checkLog(path); err != nil {
		add(err.(*parley.Error).Msg)
	}
	s, err := store.Open(path, store.Options{DataKey: r.keys.Data, ReadOnly: true, MustExist: true})
	if err != nil {
		return err
	}
	defer s.Close()
	v, err := Verifiers(r.charter, s)
	if err != nil {
		return err
	}
	if f.trust != nil {
		v = f.trust(v)
	}
	step := func(done, total uint64) {
		if f.Entries = total; f.Progress != nil {
			f.Progress(done, total)
		}
	}
	if err := uncovered(s, r.me, add); err != nil {
		return err
	}
	return store.Check(s, v, step, func(x store.Finding) { add(x.String()) })
}

// checkLog looks at the write-ahead log, unless a node runs that writes it.
func (f *Fsck) checkLog(path string) error {
	if !f.Locked {
		if _, err := os.Stat(path + ".lock"); err != nil {
			return nil
		}
		lock, err := store.Lock(path)
		if err != nil {
			return nil
		}
		defer lock.Close()
	}
	return store.CheckLog(path)
}

// Verifiers gives store.Check the keys of a channel: the charter's, and those
// that roots announced in the record itself.
func Verifiers(ch *parley.Charter, s *store.SQLite) (store.Verifiers, error) {
	ring := journal.NewKeyring(ch, ch.Channel())
	announced, err := journal.FindRootKeys(readable{s}, ch, ch.Channel())
	if err != nil {
		return store.Verifiers{}, err
	}
	for _, a := range announced {
		if err := ring.Announce(a); err != nil {
			return store.Verifiers{}, err
		}
	}
	logs, err := s.Logs()
	if err != nil {
		return store.Verifiers{}, err
	}
	authors := map[parley.LogID]*parley.Keys{}
	for _, l := range logs {
		if l.Head != nil {
			if k, err := ring.VerifyHead(*l.Head); err == nil {
				authors[l.Log] = k
			} else if m := ch.Member(l.Log.Party); m != nil {
				authors[l.Log] = m.Keys
			}
		}
	}
	return store.Verifiers{
		Head: func(id parley.LogID, size uint64, root parley.Hash, sig []byte) (ok, known bool) {
			k := authors[id]
			return k != nil && journal.VerifyHead(k.LogEd, id.Origin(), size, root, sig), k != nil
		},
		Cosig: func(c *journal.Cosig, root parley.Hash) (ok, known bool) {
			k := authors[c.Log]
			return k != nil && ring.VerifyCosig(c, root, k) == nil, k != nil
		},
	}, nil
}

// readable shows of a record what can be read: a damaged row in one log must
// not keep the keys of the others from being found. Check reports it.
type readable struct{ *store.SQLite }

func (r readable) Rows(id parley.LogID, from, to uint64, f func(*journal.Row) error) error {
	for from < to {
		next := from
		err := r.SQLite.Rows(id, from, to, func(row *journal.Row) error {
			next = row.Index + 1
			return f(row)
		})
		if err == nil || parley.CodeOf(err) != journal.CodeDamaged {
			return err
		}
		from = next + 1
	}
	return nil
}
