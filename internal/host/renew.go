package host

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"parley"
	"parley/internal/node"
	"parley/internal/store"
	"parley/journal"
	"parley/seal"
	"parley/station"
)

// Renewed says what came of new node keys.
type Renewed struct {
	Generation string   `json:"generation"`
	Serial     uint64   `json:"serial"`
	Told       []string `json:"told"`      // members whose node has receipted the new keys
	Untold     []string `json:"not_told"`  // members that were away
	File       string   `json:"statement"` // what those get by hand
	Why        string   `json:"why"`
}

// ErrRenewed is what Run returns after new keys came into force: the party must
// be opened again, with them.
var ErrRenewed = errors.New("new node keys are in force")

// tellFor is how long Renew waits for the members that are connected.
const tellFor = 10 * time.Second

// Renew puts the keys that an answer of the root announces in force: in the
// record first, then in the directory. It waits until the members that are
// connected have receipted them. The caller ends the host afterwards, by
// Restart, and opens it again; also if there is a result besides an error: the
// record has the keys then, and the next start finishes what is left.
func (h *Host) Renew(ctx context.Context, a *KeyAnswer) (*Renewed, error) {
	k, err := answered(h.Dir, a)
	if err != nil {
		return nil, err
	}
	if err := h.settled(ctx); err != nil {
		return nil, err
	}
	if err := h.Node.Feed(ctx, station.Renew{Reason: reasonOf(k.why), Gen: a.Gen, RootKeys: a.RootKeys, Keys: k.node}); err != nil {
		return nil, err
	}
	if known, err := announces(h.store, h.charter, h.me, k.node); err != nil || !known {
		return nil, parley.Errorf(CodeAnswer, "the node did not take the keys")
	}
	out := &Renewed{Generation: a.Gen.String(), Serial: k.serial, Why: k.why, File: filepath.Join(h.Dir, fileNewKeys), Told: []string{}, Untold: []string{}}
	if err := finish(h.Dir, h.store, h.charter, h.me, k); err != nil {
		return out, err
	}
	told, _ := h.tell(ctx, a.Gen) // whom it does not name is told by hand
	for _, m := range h.charter.Members {
		switch {
		case m.Index == h.me:
		case told[m.Index]:
			out.Told = append(out.Told, m.Name)
		default:
			out.Untold = append(out.Untold, m.Name)
		}
	}
	return out, nil
}

// tell waits until every member that is connected has receipted the first
// entry of the generation.
func (h *Host) tell(ctx context.Context, gen parley.Gen) (told map[parley.Party]bool, err error) {
	id := parley.LogID{Channel: h.Signed.Channel(), Party: h.me, Lane: parley.Routine, Gen: gen}
	for end := h.opts.Now().Add(tellFor); ; {
		waiting := false
		told = map[parley.Party]bool{}
		if err := h.Node.Do(ctx, func(v node.View) {
			for _, l := range v.Station.Links() {
				told[l.Party] = v.Station.Received(id, l.Party) > 0
				waiting = waiting || (l.Urgent || l.Bulk) && !told[l.Party]
			}
		}); err != nil {
			return told, err
		}
		if !waiting || h.opts.Now().After(end) {
			return told, nil
		}
		select {
		case <-ctx.Done():
			return told, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Restart ends Run with ErrRenewed.
func (h *Host) Restart() { h.restart(ErrRenewed) }

func reasonOf(why string) parley.Reason {
	if why == WhyFork {
		return parley.ReasonFork
	}
	return parley.ReasonRotation
}

// finish makes keys that the record knows the directory's, with the statement
// for members that were away.
func finish(dir string, s journal.Store, c *parley.Charter, me parley.Party, k *nextKey) error {
	ss, err := statements(s, c, me, k.sign)
	if err != nil {
		return err
	}
	if err := saveStatements(dir, ss, c); err != nil {
		return err
	}
	return install(dir, k)
}

// sign makes the signature on the first head of the generation that announces
// these keys again; Ed25519 is deterministic.
func (k *nextKey) sign(origin string, root parley.Hash, rk *parley.RootKeys) []byte {
	return signFirst(k.node, origin, root, rk)
}

func signFirst(n *seal.Node, origin string, root parley.Hash, rk *parley.RootKeys) []byte {
	if !bytes.Equal(rk.Keys.LogEd, n.Log.EdPublic()) {
		return nil
	}
	return journal.SignHead(n.Log.Ed, origin, 1, root)
}

// Apply is Renew where no node runs: the record of dir gets the generation that
// the root signed, and the keys take their place. Without a record one is made
// that holds nothing else; it is rebuilt from the peers then.
func Apply(dir string, a *KeyAnswer, now time.Time) (*Renewed, error) {
	k, err := answered(dir, a)
	if err != nil {
		return nil, err
	}
	keys, err := openKeys(dir)
	if err != nil {
		return nil, err
	}
	_, charter, me, err := LoadCharter(dir)
	if err != nil {
		return nil, err
	}
	if err := unfinished(dir); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(filepath.Join(dir, fileRecord)); errors.Is(err, fs.ErrNotExist) {
		if err := markRebuilding(dir); err != nil {
			return nil, err
		}
	}
	s, err := store.Open(filepath.Join(dir, fileRecord), store.Options{DataKey: keys.Data})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := seed(dir, s, charter, uint64(max(now.UnixMilli(), 0))); err != nil {
		return nil, err
	}
	if err := appendRenewal(dir, s, charter, me, k, a, now); err != nil {
		return nil, err
	}
	if err := finish(dir, s, charter, me, k); err != nil {
		return nil, err
	}
	out := &Renewed{Generation: a.Gen.String(), Serial: k.serial, Why: k.why, File: filepath.Join(dir, fileNewKeys), Told: []string{}, Untold: []string{}}
	for _, m := range charter.Members {
		if m.Index != me {
			out.Untold = append(out.Untold, m.Name)
		}
	}
	return out, nil
}

// appendRenewal lets a station, alone and for one step, begin the generation.
// The keys that it has until then cannot sign: they are the public halves of
// those that the record knows.
func appendRenewal(dir string, s *store.SQLite, c *parley.Charter, me parley.Party, k *nextKey, a *KeyAnswer, now time.Time) error {
	if known, err := announces(s, c, me, k.node); err != nil || known {
		return err // done before a crash
	}
	doubt, err := stamped(s)
	if err != nil {
		return err
	}
	st, err := station.New(station.Config{Charter: c, Me: me, Keys: mute(s, c, me), Rand: rand.Reader, Record: s})
	if err != nil {
		return err
	}
	mark, _, err := store.OpenHighWater(filepath.Join(dir, fileMark))
	if err != nil {
		return err
	}
	defer mark.Close()
	persist := func(b *journal.Batch, m *station.Mark) error {
		if doubt || k.why == WhyLost { // still a copy, with the generation that it has now
			b.Puts = append(b.Puts, journal.Put{Space: "self", Key: keyStamp, Value: a.Gen[:]})
		}
		if err := s.Commit(b); err != nil {
			return err
		}
		if m == nil {
			return nil
		}
		return mark.Set(store.Mark(*m))
	}
	_, err = st.Step(now, station.Renew{Reason: reasonOf(k.why), Gen: a.Gen, RootKeys: a.RootKeys, Keys: k.node}).Commit(persist)
	return err
}

// mute is a key set that the record knows as this party's and that cannot sign.
func mute(s journal.Store, c *parley.Charter, me parley.Party) *seal.Node {
	newest := c.Member(me).Keys
	ss, _ := statements(s, c, me, func(string, parley.Hash, *parley.RootKeys) []byte { return make([]byte, 64) })
	for _, x := range ss {
		if p, k := x.Keys(); p == me && k.Serial > newest.Serial {
			newest = k
		}
	}
	private := slices.Concat(make([]byte, ed25519.SeedSize), newest.LogEd)
	return &seal.Node{Serial: newest.Serial, Log: seal.Signer{Ed: private}}
}

// stamped reports whether a record is a copy that was not opened since.
func stamped(s journal.Store) (bool, error) {
	var gen, stamp parley.Gen
	var found bool
	err := s.Values("self", func(k string, v []byte) error {
		switch {
		case k == "gen" && len(v) == len(gen):
			gen = parley.Gen(v)
		case k == keyStamp && len(v) == len(stamp):
			stamp, found = parley.Gen(v), true
		}
		return nil
	})
	return found && stamp == gen, err
}

// AcceptKeys takes new keys of other members from a file that came by hand. It
// returns the names of the members.
func (h *Host) AcceptKeys(ctx context.Context, b []byte) (names []string, err error) {
	ss, err := ParseStatements(b, h.charter)
	if err != nil {
		return nil, err
	}
	for _, s := range ss {
		p, keys := s.Keys()
		if p == h.me {
			continue
		}
		if err := h.Node.Feed(ctx, station.Frames{From: p, Frames: [][]byte{s.Frame()}}); err != nil {
			return names, err
		}
		known := false
		if err := h.Node.Do(ctx, func(v node.View) { known = v.Station.LogKey(s.Log) != nil }); err != nil {
			return names, err
		}
		if !known {
			return names, parley.Errorf(CodeStatement, "the node did not take keys %d of %s; it may know newer ones", keys.Serial, h.charter.Member(p).Name)
		}
		if name := h.charter.Member(p).Name; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, parley.Errorf(CodeStatement, "the file has no keys of another member")
	}
	return names, nil
}
