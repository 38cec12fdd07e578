package host

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"parley"
	"parley/internal/node"
	"parley/internal/store"
	"parley/journal"
)

// While a record is rebuilt from the peers a file in the directory says so: a
// start that finds it opens in doubt, however far the rebuilding came, and a
// rebuilding that was broken off goes on.

func markRebuilding(dir string) error {
	return write(filepath.Join(dir, fileRebuilding), []byte("The record here is being rebuilt from the peers. Parley removes this file.\n"), 0o600, true)
}

func rebuilding(dir string) bool {
	_, err := os.Lstat(filepath.Join(dir, fileRebuilding))
	return err == nil
}

// doneRebuilding removes the mark of a rebuilding.
func doneRebuilding(dir string) error {
	err := os.Remove(filepath.Join(dir, fileRebuilding))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return fileError(err)
	}
	return nil
}

// unfinished refuses a directory in which a restore was broken off.
func unfinished(dir string) error {
	_, err := os.Lstat(filepath.Join(dir, fileRestoring))
	_, record := os.Lstat(filepath.Join(dir, fileRecord))
	if err == nil && record != nil {
		return parley.Errorf(CodeUnfinished, "a restore into %s was broken off", dir)
	}
	return nil
}

// BeginRebuild makes dir ready to be rebuilt from the peers. It refuses a
// directory that holds a record, unless a rebuilding was broken off there; that
// goes on. The next Open begins a new generation.
func BeginRebuild(dir string) (goesOn bool, err error) {
	if _, _, _, err := LoadCharter(dir); err != nil {
		return false, err
	}
	if err := writable(dir); err != nil {
		return false, err
	}
	if rebuilding(dir) {
		return true, nil
	}
	if err := noRecord(dir); err != nil {
		return false, err
	}
	if err := clearLeft(dir); err != nil {
		return false, err
	}
	return false, markRebuilding(dir)
}

// Lack is something that did not come back.
type Lack struct {
	What    string   `json:"what"`
	Count   uint64   `json:"count"`
	Entries []string `json:"entries"` // the first of them
	Remedy  string   `json:"what_to_do"`
}

// Rebuilt says what came of a rebuilding.
type Rebuilt struct {
	Entries    uint64   `json:"entries"`
	Logs       int      `json:"logs"`
	Generation string   `json:"generation"`
	Missing    uint64   `json:"missing"` // that some member says to hold
	Unreached  []string `json:"not_reached"`
	Lacks      []Lack   `json:"lost"`
	Seconds    float64  `json:"seconds"`
	Verified   bool     `json:"verified"`
	Complete   bool     `json:"complete"` // nothing that anybody knows of is lacking

	all, some, ready bool // every member has said what it holds; one is connected; the start-up is over
}

// rebuiltNow is how far a rebuilding is, as the station knows it. begun gathers
// the generations that this run began: they are not counted.
func (h *Host) rebuiltNow(ctx context.Context, begun map[parley.Gen]bool) (*Rebuilt, error) {
	r := &Rebuilt{}
	err := h.Node.Do(ctx, func(v node.View) {
		begun[v.Station.Gen()] = true
		for _, l := range v.Station.Logs() {
			if l.Head.Size > 0 && (l.Log.Party != h.me || !begun[l.Log.Gen]) {
				r.Entries, r.Logs = r.Entries+l.Head.Size, r.Logs+1
			}
		}
		for _, l := range v.Station.Links() {
			if r.some = r.some || l.Urgent || l.Bulk; !l.Urgent && !l.Bulk {
				r.Unreached = append(r.Unreached, h.charter.Member(l.Party).Name)
			}
		}
		r.Missing, r.all, r.ready = v.Station.Missing(), v.Station.Compared(), v.Station.Ready()
		r.Generation = v.Station.Gen().String()
	})
	return r, err
}

// How long nothing may be missing before a rebuilding is over: while every
// member is there, and while one is away that may still come. Tests shorten it.
var (
	calmAll  = 4 * time.Second
	calmSome = 20 * time.Second
)

// AwaitRebuild waits until the record holds everything that a member said to
// hold. h must run. show is told the entries that are here and the whole. With
// an error it returns how far it came.
func (h *Host) AwaitRebuild(ctx context.Context, show func(done, total uint64)) (*Rebuilt, error) {
	begin := time.Now()
	var calm time.Time
	begun := map[parley.Gen]bool{}
	r := &Rebuilt{}
	for {
		now, err := h.rebuiltNow(ctx, begun)
		if err != nil {
			return r, err
		}
		r = now
		r.Seconds = time.Since(begin).Seconds()
		show(r.Entries, r.Entries+r.Missing)
		quiet := calmSome
		if r.all {
			quiet = calmAll
		}
		switch {
		case !r.ready || !r.some || r.Missing > 0 || r.Entries == 0:
			calm = time.Time{}
		case calm.IsZero():
			calm = time.Now()
		case time.Since(calm) >= quiet:
			return r, nil
		}
		select {
		case <-ctx.Done():
			return r, ctx.Err()
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// maxNamed is how many entries a Lack names.
const maxNamed = 20

// FinishRebuild checks a rebuilt record in full, once its node has ended,
// counts what lacks its content, and ends the rebuilding.
func FinishRebuild(dir string, r *Rebuilt, progress func(done, total uint64)) error {
	keys, err := LoadKeys(dir)
	if err != nil {
		return err
	}
	_, c, me, err := LoadCharter(dir)
	if err != nil {
		return err
	}
	s, err := store.Open(filepath.Join(dir, fileRecord), store.Options{DataKey: keys.Data, ReadOnly: true, MustExist: true})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := checkWhole(s, c, journal.CodeDamaged, progress); err != nil {
		return err
	}
	r.Verified = true
	if r.Lacks, err = lacks(s, me); err != nil {
		return err
	}
	r.Complete = len(r.Lacks) == 0 && len(r.Unreached) == 0 && r.Missing == 0
	return doneRebuilding(dir)
}

// lacks counts the entries of which only the commitment came back.
func lacks(s journal.Store, me parley.Party) ([]Lack, error) {
	commitments := Lack{What: "own commitments that nobody else could open: their salts are lost", Entries: []string{},
		Remedy: "They cannot be opened any more. Give notice, and commit again."}
	own := Lack{What: "own entries whose content no peer has handed back", Entries: []string{},
		Remedy: "Their place and time are proved; their text is with their readers. Ask those for it by parley ask."}
	theirs := Lack{What: "entries to this party whose content cannot be opened", Entries: []string{},
		Remedy: "Ask their authors to send them again."}
	logs, err := s.Logs()
	if err != nil {
		return nil, err
	}
	for _, l := range logs {
		err := s.Rows(l.Log, 0, l.Size, func(r *journal.Row) error {
			if r.Content != nil {
				return nil
			}
			at := &theirs
			switch {
			case l.Log.Party == me && r.Leaf.To == parley.ToNobody:
				at = &commitments
			case l.Log.Party == me:
				at = &own
			case !r.Leaf.To.Includes(me):
				return nil // never was this party's to read
			}
			if at.Count++; len(at.Entries) < maxNamed {
				at.Entries = append(at.Entries, parley.Ref{Party: l.Log.Party, Lane: l.Log.Lane, Gen: l.Log.Gen, Index: r.Index}.Long())
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	out := []Lack{}
	for _, l := range []Lack{commitments, own, theirs} {
		if l.Count > 0 {
			out = append(out, l)
		}
	}
	return out, nil
}

// watchRebuild ends a rebuilding that a serving node completed by itself.
func (h *Host) watchRebuild(ctx context.Context) {
	if !rebuilding(h.Dir) || h.opts.Rebuild {
		return
	}
	for calm := 0; calm < 3; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(30 * time.Second):
		}
		r, err := h.rebuiltNow(ctx, map[parley.Gen]bool{})
		if err != nil {
			return
		}
		if calm++; !r.ready || !r.some || r.Missing > 0 {
			calm = 0
		}
	}
	if err := doneRebuilding(h.Dir); err != nil {
		h.opts.Log.Warn("the mark of the rebuilding stays", "err", err)
	}
}
