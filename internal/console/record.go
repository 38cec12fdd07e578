package console

import (
	"fmt"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"parley"
	"parley/internal/host"
	"parley/internal/node"
	"parley/internal/officer"
	"parley/journal"
)

// RecordPage is the health of the record: who holds it with us, who witnesses
// it, where it lies, and what was ever found to be forked.
type RecordPage struct {
	Page
	Ready      bool
	ChannelID  string
	Generation string
	Quorum     string
	Peers      []PeerRow
	Witnesses  []WitnessRow
	Logs       []LogRow
	Forks      []ForkRow
	Rosters    []RosterRow
	Alarms     []Alarm
	Entries    uint64
	Malformed  int
	Unknown    int
	Storage
	BackedUp  time.Time // last backup, zero if none is known
	CanExport bool
}

// PeerRow is the connection with one member and how much of ours it holds.
type PeerRow struct {
	Name    string
	Role    parley.Role
	Urgent  bool
	Bulk    bool
	Skew    int64
	Proof   time.Time
	Holds   uint64 // own entries that it gave receipts for
	Ours    uint64 // own entries
	Dropped int
}

// WitnessRow is one witness of the charter.
type WitnessRow struct {
	Name     string
	Cosigned uint64 // entries covered, of those that are held
}

// LogRow is one log.
type LogRow struct {
	Party     string
	Lane      parley.Lane
	Gen       string
	Size      uint64
	Witnessed uint64
	Receipts  []Count
	Current   bool
	Forked    bool
	Closed    bool
	Held      int
}

// Count is a number with whose it is.
type Count struct {
	Name string
	N    uint64
}

// ForkRow is the proof that a party signed two histories. It stays for ever.
type ForkRow struct {
	Index  int
	Party  string
	Place  string
	SizeA  uint64
	RootA  string
	SizeB  uint64
	RootB  string
	Other  string // what the second history says at the size of the first
	Origin string
}

// RosterRow is what a member says of its officers' keys.
type RosterRow struct {
	Party  string
	Ref    parley.Ref
	Time   time.Time
	Serial uint64
	Demo   bool
	Change string // first, by-officers, by-node
	Keys   []RosterKey
	Notes  []string
}

// RosterKey is one key of an office.
type RosterKey struct{ Title, May, Key string }

// Storage is how the record's files are: what the page says of them, and what
// makes every page name the record.
type Storage struct {
	Bytes     uint64
	Free      uint64 // in the file system of the record
	FreeKnown bool
	Low       bool      // little room is left
	Checked   time.Time // last fsck without findings, zero if none is known
	Found     time.Time // a later one that found something wrong, zero if none did
}

func (s *Server) storage() (x Storage) {
	h := s.cfg.Host
	for _, name := range []string{"record.db", "record.db-wal"} {
		if info, err := os.Stat(filepath.Join(h.Dir, name)); err == nil {
			x.Bytes += uint64(info.Size())
		}
	}
	x.Free, x.FreeKnown = h.Room()
	x.Low = x.FreeKnown && little(x.Free, x.Bytes)
	x.Checked = host.DoneCheck.Last(h.Dir)
	if at := host.DoneFound.Last(h.Dir); at.After(x.Checked) {
		x.Found = at
	}
	return x
}

func (s *Server) record(w http.ResponseWriter, q *request) error {
	h := s.cfg.Host
	p := RecordPage{Page: s.page(q, "record", q.loc.T("nav.record")), ChannelID: h.Signed.Channel().String(), Quorum: h.Charter().Rules.Quorum,
		CanExport: q.person.Can(officer.Export)}
	p.Refresh = true
	if err := h.Node.Do(q.Context(), func(v node.View) { s.fillRecord(v, &p) }); err != nil {
		return err
	}
	forks, err := h.Forks()
	if err != nil {
		return err
	}
	for i, f := range forks {
		p.Forks = append(p.Forks, forkRow(i, h.Charter(), f))
	}
	p.Alarms = s.alarms.newest()
	p.Storage, p.BackedUp = s.storage(), host.DoneBackup.Last(h.Dir)
	return s.render(w, q, http.StatusOK, "record", &p)
}

// leastRoom is the room that a node should have left at least.
const leastRoom = 1 << 30

// little reports that officers should make room: less than the record itself
// takes is too little for a repair, which writes it anew.
func little(free, record uint64) bool { return free < max(leastRoom, record) }

func (s *Server) fillRecord(v node.View, p *RecordPage) {
	c, me := s.cfg.Host.Charter(), s.cfg.Host.Me()
	name := func(m parley.Party) string { return c.Member(m).Name }
	p.Ready, p.Generation = v.Station.Ready(), v.Station.Gen().String()
	p.Malformed, p.Unknown = v.Docket.Hotline.Malformed(), len(v.Docket.Unknown())
	witnessed, holds, ours := map[string]uint64{}, map[parley.Party]uint64{}, uint64(0)
	for _, l := range v.Station.Logs() {
		if l.Head.Size == 0 {
			continue
		}
		r := LogRow{Party: name(l.Log.Party), Lane: l.Log.Lane, Gen: l.Log.Gen.String(), Size: l.Head.Size, Witnessed: l.Witnessed,
			Current: l.Current, Forked: l.Forked, Closed: l.Closed, Held: l.Held}
		for _, m := range c.Members {
			if n, ok := l.Receipts[m.Index]; ok && m.Index != l.Log.Party {
				r.Receipts = append(r.Receipts, Count{m.Name, n})
			}
			if l.Log.Party == me {
				holds[m.Index] += l.Receipts[m.Index]
			}
		}
		if l.Log.Party == me {
			ours += l.Head.Size
		}
		for w, n := range l.Witness {
			witnessed[w] += n
		}
		p.Entries += l.Head.Size
		p.Logs = append(p.Logs, r)
	}
	for _, l := range v.Station.Links() {
		p.Peers = append(p.Peers, PeerRow{Name: name(l.Party), Role: c.Member(l.Party).Role, Urgent: l.Urgent, Bulk: l.Bulk, Skew: l.Skew,
			Proof: moment(v.Docket.Hotline.Life(l.Party)), Holds: holds[l.Party], Ours: ours, Dropped: l.Dropped})
	}
	for _, w := range c.Witnesses {
		p.Witnesses = append(p.Witnesses, WitnessRow{w.Name, witnessed[w.Name]})
	}
	for _, m := range c.Members {
		r := v.Docket.Release.Roster(m.Index)
		if r == nil {
			continue
		}
		row := RosterRow{Party: m.Name, Ref: r.Ref, Time: moment(r.Time), Serial: r.Roster.Serial, Demo: r.Roster.Demo,
			Change: [...]string{"first", "by-officers", "by-node"}[r.Change], Notes: r.Notes}
		for _, k := range r.Roster.Keys {
			row.Keys = append(row.Keys, RosterKey{k.Title, functionWords(k.Functions), k.ID().Short()})
		}
		p.Rosters = append(p.Rosters, row)
	}
}

func forkRow(i int, c *parley.Charter, f *journal.Fork) ForkRow {
	r := ForkRow{Index: i, Party: c.Member(f.Log.Party).Name, Place: f.Log.String(), SizeA: f.A.Size, RootA: f.A.Root.String(),
		SizeB: f.B.Size, RootB: f.B.Root.String(), Origin: f.Log.Origin()}
	if f.Other != nil {
		r.Other = f.Other.String()
	}
	return r
}

// download sends something as a file: never shown, never run.
func download(w http.ResponseWriter, name string) {
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
}

// disclosure is one entry with its proofs, for a stranger.
func (s *Server) disclosure(w http.ResponseWriter, q *request) error {
	ref, err := s.refOf(q)
	if err != nil {
		return err
	}
	if err := s.cfg.Book.AllowExport(q.person.Session, "disclosure of "+ref.Long()); err != nil {
		return err
	}
	return s.file(w, q, fmt.Sprintf("%d-%s-%d%s", ref.Party, ref.Lane, ref.Index, journal.FileDisclosure.Suffix()), func(w http.ResponseWriter) error {
		return s.cfg.Host.Disclose(q.Context(), w, ref, nil)
	})
}

// exported is the whole record.
func (s *Server) exported(w http.ResponseWriter, q *request) error {
	if err := s.cfg.Book.AllowExport(q.person.Session, "the record"); err != nil {
		return err
	}
	return s.file(w, q, "record.parley", func(w http.ResponseWriter) error { return s.cfg.Host.Export(q.Context(), w) })
}

// forkProof is the proof that a party signed two histories.
func (s *Server) forkProof(w http.ResponseWriter, q *request) error {
	forks, err := s.cfg.Host.Forks()
	if err != nil {
		return err
	}
	i, err := strconv.Atoi(q.PathValue("index"))
	if err != nil || i < 0 || i >= len(forks) {
		return parley.Errorf(CodeNoPage, "there is no such proof here")
	}
	if err := s.cfg.Book.AllowExport(q.person.Session, "proof of the fork of "+forks[i].Log.String()); err != nil {
		return err
	}
	return s.file(w, q, fmt.Sprintf("fork-%d.parley", i+1), func(w http.ResponseWriter) error { return s.cfg.Host.WriteFork(w, forks[i].Log) })
}

// file streams a download. What fails before the first byte is an error page;
// what fails later breaks the connection, so that nobody takes half a file for
// a whole one.
func (s *Server) file(w http.ResponseWriter, q *request, name string, write func(http.ResponseWriter) error) error {
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(10 * time.Minute))
	f := &filing{ResponseWriter: w, name: name}
	err := write(f)
	if err != nil && f.begun {
		s.cfg.Log.Error("console: a file could not be written to its end", "file", name, "err", err)
		panic(http.ErrAbortHandler)
	}
	return err
}

// filing sets a download's headers with its first byte.
type filing struct {
	http.ResponseWriter
	name  string
	begun bool
}

func (f *filing) Write(b []byte) (int, error) {
	if !f.begun {
		f.begun = true
		download(f.ResponseWriter, f.name)
	}
	return f.ResponseWriter.Write(b)
}
