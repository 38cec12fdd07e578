package witness

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"parley"
	"parley/journal"
)

// The witness's memory is a directory with one small file for each log: its
// newest head as the log signed it and as the witness cosigned it, readable
// with any C2SP tool. A file is replaced as a whole (temporary file, fsync,
// rename, fsync of the directory), so a crash leaves the old head or the new
// one. That is enough for "one head per log, replaced atomically", needs no
// database, and lets submissions to different logs proceed side by side.
type state struct {
	dir  string
	lock *os.File
	step func(string) error // tests stop or kill the process between steps; nil otherwise

	mu   sync.Mutex
	logs map[string]*logState // by origin
	per  map[string]int       // logs held per quota bucket
	dead error                // after a failed write: what disk holds is not known
}

// logState is one log's newest head. Its mutex is held from the comparison
// with the old size to the end of the write: no update can be lost.
type logState struct {
	mu   sync.Mutex
	held bool // a head is stored
	head
	note []byte // the checkpoint with the log's lines and the witness's
}

func stateFile(origin string) string {
	h := sha256.Sum256([]byte(origin))
	return "log-" + hex.EncodeToString(h[:]) + ".txt"
}

// openState reads the directory, creating it if it is absent. It refuses a
// head that this witness's key did not cosign: a damaged root would make an
// honest log look like a liar.
func openState(dir string, key *Key) (*state, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, parley.Errorf(CodeState, "witness state: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, parley.Errorf(CodeInUse, "witness state %s is in use: %w", dir, err)
	}
	s := &state{dir: dir, lock: lock, logs: map[string]*logState{}, per: map[string]int{}}
	names, err := os.ReadDir(dir)
	if err != nil {
		lock.Close()
		return nil, parley.Errorf(CodeState, "witness state: %w", err)
	}
	for _, f := range names {
		switch name := f.Name(); {
		case strings.HasSuffix(name, ".tmp"):
			err = os.Remove(filepath.Join(dir, name))
		case strings.HasPrefix(name, "log-"):
			err = s.load(name, key)
		}
		if err != nil {
			lock.Close()
			return nil, parley.Errorf(CodeState, "witness state %s: %w", f.Name(), err)
		}
	}
	return s, nil
}

func (s *state) load(name string, key *Key) error {
	b, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		return err
	}
	h, text, err := parseHead(b)
	if err != nil {
		return err
	}
	if stateFile(h.Origin) != name {
		return errors.New("the file holds another log than its name says")
	}
	lines, err := journal.ParseLines(b[len(text)+1:])
	if err != nil {
		return err
	}
	for _, l := range lines {
		if c, ok := l.Cosignature(); ok && l.IsCosign(key.Name, key.Witness().Ed) && verifyText(key, c, text) {
			s.logs[h.Origin] = &logState{held: true, head: h, note: b}
			s.per[bucket(h.Origin)]++
			return nil
		}
	}
	return errors.New("no cosignature of this witness's key fits the head")
}

// maxLogs bounds the logs of one member of a channel that a witness keeps: a
// member draws the names of its generations itself.
const maxLogs = 2000

// bucket is what maxLogs counts by; "" is not counted.
func bucket(origin string) string {
	id, err := parley.ParseOrigin(origin)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s/%d", id.Channel, id.Party)
}

// log returns the state of a log, an empty one if it is new; nil if its
// writer has too many. Only requests with a known signature come here.
func (s *state) log(origin string) *logState {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.logs[origin]; l != nil {
		return l
	}
	b := bucket(origin)
	if b != "" && s.per[b] >= maxLogs {
		return nil
	}
	l := &logState{head: head{Origin: origin}}
	s.logs[origin] = l
	s.per[b]++
	return l
}

// fail notes that a write failed. What the disk holds is then unknown, so
// nothing more may be cosigned until a new start has read it.
func (s *state) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead == nil {
		s.dead = err
	}
}

func (s *state) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dead
}

// put makes l's next head durable. The caller holds l.mu.
func (s *state) put(l *logState, h head, note []byte) error {
	if err := s.write(stateFile(h.Origin), note); err != nil {
		s.fail(err)
		return err
	}
	l.held, l.head, l.note = true, h, note
	return nil
}

// write replaces a file of the directory durably.
func (s *state) write(name string, b []byte) error {
	path := filepath.Join(s.dir, name)
	f, err := os.OpenFile(path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	for _, do := range []struct {
		step string
		run  func() error
	}{
		{"open", func() error { return writeSync(f, b) }},
		{"written", func() error { return os.Rename(path+".tmp", path) }},
		{"renamed", func() error { return syncDir(s.dir) }},
		{"durable", func() error { return nil }},
	} {
		if s.step != nil {
			if err := s.step(do.step); err != nil {
				return err
			}
		}
		if err := do.run(); err != nil {
			return err
		}
	}
	return nil
}

// writeSync writes, syncs and closes f.
func writeSync(f *os.File, b []byte) error {
	_, err := f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

// maxEvidence bounds the evidence files of one log: its own key can sign
// contradictions without end.
const maxEvidence = 16

// evidence keeps two signed heads that do not fit together. kind "fork" is two
// roots of one size, which proves itself; kind "doubt" is a proof that does
// not hold, which may also be a fault of the sender.
func (s *state) evidence(kind string, l *logState, r *request) (string, error) {
	id := sha256.Sum256([]byte(l.Origin))
	var b bytes.Buffer
	why := "The log's key signed two different roots of one size. The two notes below prove it."
	if kind == "doubt" {
		why = "The consistency proof sent with the second note does not hold from the first. That proves nothing yet: ask the log for a proof."
	}
	fmt.Fprintf(&b, "%s\n\nHeld by this witness:\n\n%s\nSubmitted:\n\n%s", why, l.note, r.append(nil))
	sum := sha256.Sum256(b.Bytes())
	prefix := kind + "-" + hex.EncodeToString(id[:8]) + "-"
	name := prefix + hex.EncodeToString(sum[:8]) + ".txt"
	old, err := filepath.Glob(filepath.Join(s.dir, prefix+"*.txt"))
	if err != nil {
		return "", err
	}
	for _, path := range old {
		if filepath.Base(path) == name {
			return name, nil
		}
	}
	if len(old) >= maxEvidence {
		return "", nil
	}
	return name, s.write(name, b.Bytes())
}

// close gives the directory up.
func (s *state) close() error {
	s.fail(errors.New("the witness is closed"))
	return s.lock.Close()
}
