package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"parley"
	"parley/internal/store"
	"parley/journal"
	"parley/seal"
)

// RepairOptions say where copies of what is damaged may be found.
type RepairOptions struct {
	From       []string          // records that members exported
	Peers      map[string]string // besides the config file's; their nodes must run
	Offline    bool              // ask no peer
	AcceptLoss bool              // end a log before an entry that no copy has, instead of refusing
	Within     time.Duration     // for each peer; 0: a minute
	Now        func() time.Time
	Log        *slog.Logger
	Progress   func(what string, done, total uint64)

	exact bool                                  // correct no single bits by checksum; for tests of the other ways
	files []*recordFile                         // verified copies, besides From; for tests that repair from the same ones again and again
	trust func(store.Verifiers) store.Verifiers // what stands before the checks of signatures; for those tests, too
}

// RepairReport is what Repair did, in sentences for an officer.
type RepairReport struct {
	Sound     bool     // nothing was wrong, and nothing was done
	Done      bool     // the repaired record is in place
	Findings  []string // what was wrong
	Mended    []string // what was put right, and from where
	Lost      []string // entries that no copy has: what they were, and what follows
	Texts     []string // entries whose place stands and whose text no copy at hand gave
	Notes     []string // what else is lost, and what the node does about it by itself
	Doubt     []string // why the next start begins a new generation; empty: it does not
	Aside     string   // where the damaged record is kept
	Entries   uint64   // in the repaired record
	FromPeers int      // entries that came from a copy
}

// Code of a repair that needs a decision or another copy.
const (
	CodeNotRepaired parley.Code = "not-repaired"
	CodeCopy        parley.Code = "not-a-copy"
	CodeNothingLeft parley.Code = "nothing-left"
)

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeNotRepaired: "Nothing was changed. Reach the members named, or get a record that they exported (--from FILE), and repair again. If no copy exists any more: parley fsck --repair --accept-loss.",
	CodeNothingLeft: "Move record.db away, keep it, and rebuild the record from the peers: parley recover --dir DIR.",
	CodeCopy:        "Take a record of this channel that a member wrote with: parley export FILE. Nothing was changed.",
})

// Repair puts a damaged record right. Everything in it that proves itself by
// checksum, seal and signature is kept; what does not is taken from copies: the
// exported records and the running peers. A copy counts only if it is what the
// author signed. The repaired record is built beside the old one, checked
// whole, and then takes its place; the old one is kept under another name.
//
// The node must be stopped. A sound record is left alone.
func Repair(ctx context.Context, dir string, o RepairOptions) (*RepairReport, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Progress == nil {
		o.Progress = func(string, uint64, uint64) {}
	}
	r := &repair{RepairOptions: o, dir: dir, path: filepath.Join(dir, fileRecord), report: &RepairReport{}}
	if err := r.load(); err != nil {
		return nil, err
	}
	lock, err := store.Lock(r.path)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	if _, err := store.FinishInstall(r.path); err != nil {
		return nil, err
	}
	if err := r.look(ctx); err != nil || r.report.Sound {
		return r.report, err
	}
	err = r.run(ctx)
	if r.saved != nil {
		r.saved.Close()
	}
	return r.report, err
}

// repair is the work of one Repair.
type repair struct {
	RepairOptions
	dir, path string
	keys      *seal.Node
	signed    *parley.SignedCharter
	charter   *parley.Charter
	me        parley.Party
	settings  Settings
	report    *RepairReport

	saved   *store.Salvage
	ring    *journal.Keyring
	pins    map[parley.Party]*parley.Keys // the newest of each member
	sealed  bool                          // a peer sent texts that no key here opens
	logs    []*mending
	values  []journal.Put
	mark    *store.Mark
	gen     parley.Gen // current own generation, zero if lost
	doubt   []string   // why the own newest state is not sure
	untimed uint64     // entries of which the time of arrival is lost
}

func (r *repair) load() (err error) {
	if r.keys, err = LoadKeys(r.dir); err != nil {
		return err
	}
	card, err := LoadCard(r.dir)
	if err != nil {
		return err
	}
	if err := sameParty(r.dir, r.keys, card); err != nil {
		return err
	}
	if r.signed, r.charter, r.me, err = LoadCharter(r.dir); err != nil {
		return err
	}
	r.settings, err = LoadSettings(r.dir)
	return err
}

// look checks the record as fsck does, and whether there is anything to do.
func (r *repair) look(ctx context.Context) error {
	f := &Fsck{Dir: r.dir, Locked: true, of: r, trust: r.trust, Progress: func(done, total uint64) { r.Progress("checking", done, total) }}
	findings, err := f.Check(ctx)
	if err != nil {
		return err
	}
	r.report.Findings = findings
	r.report.Sound = len(findings) == 0
	r.report.Entries = f.Entries
	return nil
}

func (r *repair) run(ctx context.Context) (err error) {
	open := store.OpenSalvage
	if r.exact {
		open = store.OpenSalvageExact
	}
	if r.saved, err = open(r.path, r.keys.Data); err != nil {
		return err
	}
	if len(r.saved.Logs) == 0 {
		return parley.Errorf(CodeNothingLeft, "nothing of a record is left in %s", r.path)
	}
	if err := r.ownState(); err != nil {
		return err
	}
	files, err := r.openFiles()
	if err != nil {
		return err
	}
	defer closeAll(files)
	files = append(files, r.files...)
	if err := r.survey(files); err != nil {
		return err
	}
	if !r.saved.Key {
		return parley.Errorf(store.CodeKey, "the data key opens nothing in %s: the key is the wrong one, and the record is left alone", r.path)
	}
	r.repairValues()
	if len(r.saved.Lost) > 0 {
		for _, f := range files {
			for _, x := range f.forks {
				r.addFork(x.Encode())
			}
		}
	}
	for _, f := range files {
		if !r.needs() {
			break
		}
		if err := f.offer(r); err != nil {
			return err
		}
		r.settle()
	}
	if r.needs() && !r.Offline {
		if err := r.askPeers(ctx); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	r.settleLoss()
	if r.cut() && !r.AcceptLoss {
		return parley.Errorf(CodeNotRepaired, "entries are damaged that no copy at hand has")
	}
	return r.build(ctx)
}

// needs reports whether anything is still to be had from a copy.
func (r *repair) needs() bool {
	return slices.ContainsFunc(r.logs, (*mending).lacks)
}

// settle proves what the logs were given.
func (r *repair) settle() {
	for _, m := range r.logs {
		m.settle()
	}
}

// cut reports whether any log would have to end early.
func (r *repair) cut() bool {
	return slices.ContainsFunc(r.logs, func(m *mending) bool { return m.end < m.target })
}

// ownState finds the own generation and the high-water mark.
func (r *repair) ownState() error {
	r.values = r.saved.Values
	for _, v := range r.values {
		if v.Space == "self" && v.Key == "gen" && len(v.Value) == len(r.gen) {
			r.gen = parley.Gen(v.Value)
		}
	}
	if _, err := os.Stat(filepath.Join(r.dir, fileMark)); err == nil {
		h, m, err := store.OpenHighWater(filepath.Join(r.dir, fileMark))
		if err != nil {
			return err
		}
		r.mark = m
		if err := h.Close(); err != nil {
			return err
		}
	}
	return nil
}

// build writes the repaired record, checks it, and puts it in place.
func (r *repair) build(ctx context.Context) error {
	at, err := store.RepairPath(r.path)
	if err != nil {
		return err
	}
	s, err := store.Open(at, store.Options{DataKey: r.keys.Data})
	if err != nil {
		return err
	}
	err = r.write(ctx, s)
	if err = errors.Join(err, s.Close()); err != nil {
		return err
	}
	if err := r.verify(at); err != nil {
		return err
	}
	if r.report.Aside, err = store.Install(r.path); err != nil {
		return err
	}
	r.report.Done = true
	if r.untimed > 0 {
		r.note("the times of arrival of %d entries are lost; they show that of the entry before them", r.untimed)
	}
	if r.saved.Mended > 0 {
		r.report.Mended = append(r.report.Mended, fmt.Sprintf("%d places in which a single bit was wrong, by checksum and seal", r.saved.Mended))
	}
	return nil
}

func (r *repair) write(ctx context.Context, s *store.SQLite) error {
	var done, total uint64
	for _, m := range r.logs {
		total += m.end
	}
	for _, m := range r.logs {
		var tree journal.Tree
		for from := uint64(0); from < m.end; from += 256 {
			if err := ctx.Err(); err != nil {
				return err
			}
			var b journal.Batch
			for i := from; i < min(from+256, m.end); i++ {
				row, err := m.row(i, &tree)
				if err != nil {
					return err
				}
				b.Rows = append(b.Rows, *row)
			}
			if err := s.Commit(&b); err != nil {
				return err
			}
			done += uint64(len(b.Rows))
			r.Progress("writing", done, total)
		}
		b := journal.Batch{Cosigs: m.goodCosigs()}
		if m.head != nil {
			b.Heads = []journal.SignedHead{*m.head}
		}
		if err := s.Commit(&b); err != nil {
			return err
		}
	}
	r.report.Entries = total
	b := journal.Batch{Puts: r.values}
	if len(r.doubt) > 0 {
		r.report.Doubt = r.doubt
		b.Puts = append(b.Puts, journal.Put{Space: "self", Key: keyStamp, Value: r.gen[:]})
	}
	return s.Commit(&b)
}

// verify checks the repaired record whole. What it may still lack are texts:
// those are listed, and no signature rests on them.
func (r *repair) verify(at string) error {
	s, err := store.Open(at, store.Options{DataKey: r.keys.Data, ReadOnly: true})
	if err != nil {
		return err
	}
	defer s.Close()
	v, err := Verifiers(r.charter, s)
	if err != nil {
		return err
	}
	if r.trust != nil {
		v = r.trust(v)
	}
	var first *store.Finding
	err = store.Check(s, v, func(done, total uint64) { r.Progress("checking the repaired record", done, total) }, func(f store.Finding) {
		if first == nil {
			first = &f
		}
	})
	if err == nil && first != nil {
		err = parley.Errorf(CodeNotRepaired, "the repaired record is not sound, and the old one stays: %s", first)
	}
	return err
}
