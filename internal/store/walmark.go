package store

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"

	"parley"
	"parley/journal"
)

// Beside the record lies its lock file. It also holds how far the write-ahead
// log had come with the last acknowledged commit: the log's salts, the number
// of frames, and the checksum of the last of them. It is written after every
// commit, before that is acknowledged, and not fsync'd: a process that is
// killed loses nothing, since the write is in the system's memory, and a power
// cut may leave an older position, which means nothing. A log that holds less
// than its position says was cut off, damaged or removed.
//
//	"parley/wal/1\n" ‖ salts (8) ‖ frames (4) ‖ checksum (8) ‖ CRC-32C of all before (4)
//
// Salts, frames and checksum are read where SQLite itself keeps them, in the
// index of the log that it shares with other processes (-shm).
const (
	markMagic = "parley/wal/1\n"
	markSize  = len(markMagic) + 8 + 4 + 8 + 4
)

type walMark struct {
	salts  [8]byte
	frames uint32
	sums   [8]byte
}

func (m walMark) encode() []byte {
	b := append(make([]byte, 0, markSize), markMagic...)
	b = append(b, m.salts[:]...)
	b = binary.BigEndian.AppendUint32(b, m.frames)
	b = append(b, m.sums[:]...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// readMark reads the position; ok is false if there is none that is sound.
func readMark(path string) (m walMark, ok bool, err error) {
	b, err := os.ReadFile(path + ".lock")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return m, false, parley.Errorf(CodeFailed, "lock file: %w", err)
	}
	if len(b) != markSize || string(b[:len(markMagic)]) != markMagic ||
		binary.BigEndian.Uint32(b[markSize-4:]) != crc32.Checksum(b[:markSize-4], castagnoli) {
		return m, false, nil
	}
	b = b[len(markMagic):]
	m.salts, m.frames, m.sums = [8]byte(b), binary.BigEndian.Uint32(b[8:]), [8]byte(b[12:])
	return m, m.frames > 0, nil
}

// noteCommit writes the position after a commit.
func (s *SQLite) noteCommit() error {
	var h [48]byte
	if s.shm == nil {
		f, err := os.Open(s.path + "-shm")
		if err != nil {
			return parley.Errorf(CodeFailed, "%w", err)
		}
		s.shm = f
	}
	if _, err := s.shm.ReadAt(h[:], 0); err != nil {
		return parley.Errorf(CodeFailed, "index of the write-ahead log: %w", err)
	}
	// The index is in the byte order of this machine: only its salts, which
	// are copied from the log, are bytes.
	m := walMark{salts: [8]byte(h[32:40]), frames: binary.NativeEndian.Uint32(h[16:])}
	binary.BigEndian.PutUint32(m.sums[:], binary.NativeEndian.Uint32(h[24:]))
	binary.BigEndian.PutUint32(m.sums[4:], binary.NativeEndian.Uint32(h[28:]))
	return s.putMark(m.encode())
}

func (s *SQLite) putMark(b []byte) error {
	if s.onMark != nil {
		if err := s.onMark("write", b); err != nil {
			return err
		}
	}
	if _, err := s.lock.WriteAt(b, 0); err != nil {
		return parley.Errorf(codeOf(err), "lock file: %w", err)
	}
	return nil
}

// forgetMark takes the position back, durably, before the log is emptied: a
// power cut in between must not leave a position in a log that is gone.
func (s *SQLite) forgetMark() error {
	if err := s.putMark(walMark{}.encode()); err != nil {
		return err
	}
	if s.onMark != nil {
		if err := s.onMark("sync", nil); err != nil {
			return err
		}
	}
	if err := s.lock.Sync(); err != nil {
		return parley.Errorf(codeOf(err), "lock file: %w", err)
	}
	return nil
}

// clearMark is forgetMark for a record that is not open.
func clearMark(path string) error {
	if err := os.WriteFile(path+".lock", walMark{}.encode(), 0o600); err != nil {
		return parley.Errorf(codeOf(err), "lock file: %w", err)
	}
	return nil
}

// checkWAL refuses a write-ahead log from which acknowledged commits are
// missing. What a power cut may have torn is the last transaction only, and it
// was not acknowledged; everything before was fsync'd.
func checkWAL(path string, w *walLog) error {
	bad := func(what string) error {
		return parley.Errorf(journal.CodeDamaged, "%s-wal: %s", path, what)
	}
	m, marked, err := readMark(path)
	if err != nil {
		return err
	}
	switch {
	case w.length >= walHeader && !w.header && !w.blank:
		return bad("the header of the write-ahead log does not fit its checksum")
	case w.later > 1 || w.later == 1 && w.tail:
		return bad("a frame of the write-ahead log is damaged and commits follow it")
	case !marked:
		return nil
	case w.length < walHeader:
		return bad("the write-ahead log is missing, and with it the newest commits")
	case m.salts == w.salts && w.commit < int(m.frames):
		return bad("the newest acknowledged commits are missing from the write-ahead log or damaged in it")
	case m.salts == w.salts && w.commit == int(m.frames) && m.sums != w.sums:
		return bad("the newest acknowledged commit differs in the write-ahead log")
	}
	return nil
}

// CheckLog looks whether the write-ahead log of a record that no process has
// open still holds all that was acknowledged. Open does it by itself.
func CheckLog(path string) error {
	w, err := readWAL(path+"-wal", false)
	if err != nil {
		return err
	}
	return checkWAL(path, w)
}
