// Package store keeps a node's record in one SQLite file: the logs with their
// entries, heads and cosignatures, and the station's small values. It
// implements journal.Store.
//
//	s, err := store.Open(filepath.Join(dir, "record.db"), store.Options{DataKey: key})
//
// What Commit has returned is on the disk: the write-ahead log is fsync'd
// before it returns, and Open refuses every setting and every place that
// would weaken that. Any failure but a conflict ends the store, because a
// write that the disk once failed may seem to succeed when it is repeated and
// be lost all the same: the caller ends the process, and the next Open checks
// the end of every log.
//
// Entries' contents and secret values are sealed under the data key, which
// lives elsewhere. A copied file shows who wrote when, to whom and how much,
// and all signatures, but no content.
//
// A record belongs to one process on a local disk. Reading while another
// process writes is possible with Options.ReadOnly.
package store

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"parley"
	"parley/journal"
)

// Options of Open. The zero key is a key like any other.
type Options struct {
	DataKey   [32]byte // seals contents and secrets; from the node's key file
	ReadOnly  bool     // for Check and inspection, also beside a running node and of a damaged record; takes no lock, writes nothing
	MustExist bool     // refuse to make a new record (CodeMissing)

	vfs    string                          // for tests: the name of a registered SQLite VFS
	onMark func(op string, b []byte) error // for tests: what is written to the lock file
}

// SQLite is a record in one SQLite file. Its methods may be called from any
// goroutine; Commits run one after the other.
type SQLite struct {
	path     string
	readOnly bool
	box      sealer
	lock     *os.File
	shm      *os.File                        // index of the write-ahead log; closed last (see release)
	onMark   func(op string, b []byte) error // for tests
	files    [2]os.FileInfo                  // the database and its log, as this process opened them
	failed   atomic.Pointer[parley.Error]    // set once; every later call returns it

	readers *sql.DB
	read    readStmts

	// mu guards the writer and is held for the whole of a Commit.
	mu      sync.Mutex
	writer  *sql.DB
	conn    *sql.Conn // the one write connection
	write   writeStmts
	growth  int  // bytes written to the write-ahead log since the last checkpoint, estimated
	unclean bool // destroyed secrets may still lie in the write-ahead log

	// logsMu guards the committed state, read by everyone. The values of logs
	// are replaced, never changed.
	logsMu  sync.RWMutex
	signers int // rows of the table signers
	logs    map[parley.LogID]*logRow
}

// logRow is a row of the table logs.
type logRow struct {
	id      int64
	state   journal.LogState // without Newest, which signers gives
	signers []signer
	last    uint64 // where the rows ended when the row was read; equal to state.Size
}

var _ journal.Store = (*SQLite)(nil)

var bg = context.Background()

// Open opens the record at path, or makes a new one. It checks the data key,
// empties the write-ahead log, and recomputes the end of every log against
// its newest signed head; a record that differs is refused with CodeDamaged.
// It reads some hundred rows per log, whatever the log's size.
func Open(path string, o Options) (_ *SQLite, err error) {
	if path, err = filepath.Abs(path); err != nil {
		return nil, parley.Errorf(CodeFailed, "%w", err)
	}
	s := &SQLite{path: path, readOnly: o.ReadOnly, box: newSealer(o.DataKey), logs: map[parley.LogID]*logRow{}, onMark: o.onMark}
	defer func() {
		if err != nil {
			s.release()
		}
	}()
	if err := s.openFile(o); err != nil {
		return nil, err
	}
	if !o.ReadOnly {
		if err := s.openWriter(o); err != nil {
			return nil, err
		}
	}
	if err := s.openReaders(o); err != nil {
		return nil, err
	}
	logs, err := s.readLogs()
	if err != nil {
		return nil, err
	}
	bad := refuse
	if o.ReadOnly {
		bad = func(error) error { return nil } // for Check to report
	}
	if err := s.readSigners(logs, bad); err != nil {
		return nil, err
	}
	for _, r := range logs {
		s.logs[r.state.Log] = r
		s.signers += len(r.signers)
	}
	if o.ReadOnly {
		return s, nil
	}
	for _, r := range logs {
		if err := s.verifyTail(r); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// openFile takes the lock, ends a repair that was cut off, looks at the file
// as far as SQLite would not, and makes an empty one, readable by its owner
// only, where there is none.
func (s *SQLite) openFile(o Options) (err error) {
	dir := filepath.Dir(s.path)
	if err := refuseRemote(dir); err != nil {
		return err
	}
	if o.ReadOnly {
		if pending(s.path) {
			return parley.Errorf(CodeRepair, "a repair of %s was cut off before its last step", s.path)
		}
		return s.checkFile(true)
	}
	if _, err := os.Stat(s.path); o.MustExist && errors.Is(err, os.ErrNotExist) && !pending(s.path) {
		return parley.Errorf(CodeMissing, "%s is missing", s.path) // and nothing is made there
	}
	if s.lock, err = lockFile(s.path + ".lock"); err != nil {
		return err
	}
	if _, err := FinishInstall(s.path); err != nil {
		return err
	}
	if err := s.checkFile(o.MustExist); err != nil {
		return err
	}
	f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return parley.Errorf(CodeFailed, "%w", err)
	}
	f.Close()
	return syncDir(dir)
}

// checkFile looks at what SQLite passes over: the fixed fields of the header,
// and whether the write-ahead log still holds what was acknowledged.
func (s *SQLite) checkFile(must bool) error {
	info, err := os.Stat(s.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return parley.Errorf(CodeFailed, "%w", err)
	}
	if err != nil || info.Size() == 0 {
		if must {
			return parley.Errorf(CodeMissing, "%s is missing or empty", s.path)
		}
		if m, marked, _ := readMark(s.path); marked {
			return parley.Errorf(CodeMissing, "%s is missing or empty, and had %d pages of newest commits", s.path, m.frames)
		}
		return nil
	}
	if err := checkHeader(s.path); err != nil || s.readOnly {
		return err // a node that runs beside changes its log meanwhile
	}
	w, err := readWAL(s.path+"-wal", false)
	if err != nil {
		return err
	}
	return checkWAL(s.path, w)
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return parley.Errorf(CodeFailed, "%w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return parley.Errorf(CodeFailed, "directory %s: %w", dir, err)
	}
	return nil
}

func (s *SQLite) source(o Options, mode string, pragmas ...string) string {
	q := url.Values{"mode": {mode}, "_pragma": pragmas, "_error_rc": {"1"}}
	if o.vfs != "" {
		q.Set("vfs", o.vfs)
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(s.path), RawQuery: q.Encode()}).String()
}

func (s *SQLite) openWriter(o Options) (err error) {
	s.writer, err = sql.Open("sqlite", s.source(o, "rw", "busy_timeout(5000)", "synchronous(FULL)", "secure_delete(1)",
		"fullfsync(1)", "checkpoint_fullfsync(1)", "temp_store(MEMORY)", "cache_size(-8000)", "cell_size_check(1)",
		"trusted_schema(0)", "wal_autocheckpoint(0)"))
	if err != nil {
		return classify(err, "opening "+s.path)
	}
	if s.conn, err = s.writer.Conn(bg); err != nil {
		return classify(err, "opening "+s.path)
	}
	version, err := identify(s.conn, s.path)
	if err != nil {
		return err
	}
	if err := harden(s.conn); err != nil {
		return err
	}
	if err := migrate(s.conn, version, s.box); err != nil {
		return err
	}
	if err := checkKey(s.conn, s.box, s.path); err != nil {
		return err
	}
	if err := s.write.prepare(s.conn); err != nil {
		return classify(err, "opening "+s.path)
	}
	if err := s.truncateLog(); err != nil {
		return err
	}
	return s.remember()
}

func (s *SQLite) openReaders(o Options) (err error) {
	s.readers, err = sql.Open("sqlite", s.source(o, "ro", "busy_timeout(5000)", "query_only(1)", "temp_store(MEMORY)",
		"cache_size(-2000)", "cell_size_check(1)", "trusted_schema(0)"))
	if err != nil {
		return classify(err, "opening "+s.path)
	}
	s.readers.SetMaxOpenConns(8)
	s.readers.SetMaxIdleConns(4)
	if s.readOnly {
		if _, err := identify(s.readers, s.path); err != nil {
			return err
		}
		if err := checkKey(s.readers, s.box, s.path); err != nil {
			return err
		}
	}
	return classify(s.read.prepare(s.readers), "opening "+s.path)
}

// Close empties the write-ahead log into the file and ends the store. After a
// failure it only gives the lock back: a store that failed must not write.
func (s *SQLite) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.failed.CompareAndSwap(nil, parley.Errorf(CodeFailed, "the record %s is closed", s.path)) {
		if s.lock != nil {
			s.lock.Close()
		}
		return nil
	}
	var err error
	if s.lock != nil {
		err = s.forgetMark()
	}
	return errors.Join(err, s.release())
}

// release closes what is open. The last connection to close checkpoints and
// removes the write-ahead log.
func (s *SQLite) release() error {
	var errs []error
	if s.readers != nil {
		errs = append(errs, s.readers.Close())
	}
	if s.conn != nil {
		errs = append(errs, s.write.close(), s.conn.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.Close())
	}
	if s.shm != nil { // not before: closing it would take SQLite's locks on it away
		errs = append(errs, s.shm.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return classify(errors.Join(errs...), "closing "+s.path)
}

func (s *SQLite) usable() error {
	if err := s.failed.Load(); err != nil {
		return err
	}
	return nil
}

// poison ends the store after a failed Commit.
func (s *SQLite) poison(err error) error {
	e := parley.Errorf(codeOf(err), "the record %s failed and this process must end: %w", s.path, err)
	s.failed.CompareAndSwap(nil, e)
	return e
}

// classify gives an error from below its code and says what was being done.
func classify(err error, doing string) error {
	var own *parley.Error
	if err == nil || errors.As(err, &own) {
		return err
	}
	return parley.Errorf(codeOf(err), "%s: %w", doing, err)
}

func codeOf(err error) parley.Code {
	if c := parley.CodeOf(err); c != "" {
		return c
	}
	var e *sqlite.Error
	if errors.Is(err, syscall.ENOSPC) {
		return CodeFull
	}
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_FULL:
			return CodeFull
		case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_READONLY:
			return journal.CodeDamaged // our statements are right: the schema or the header is not
		}
	}
	return CodeFailed
}
