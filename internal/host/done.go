package host

import (
	"os"
	"path/filepath"
	"time"
)

// Done is something that a command did to a party's record, and that officers
// should know of: when the record was last checked, when last backed up.
type Done string

// What is noted: the modification time of an empty file in the directory.
const (
	DoneCheck  Done = "last-fsck"   // in full, without findings
	DoneFound  Done = "last-found"  // a check that found something wrong
	DoneBackup Done = "last-backup" // written, read back and verified
)

// Note writes down when it was done. A directory that cannot be written is
// left as it is: the note is for people, and nothing rests on it.
func (d Done) Note(dir string, at time.Time) {
	path := filepath.Join(dir, string(d))
	if f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644); err == nil && f.Close() == nil {
		os.Chtimes(path, at, at)
	}
}

// Room is how many bytes are free in the file system of the record; not known
// where the system does not say.
func (h *Host) Room() (free uint64, known bool) { return roomIn(h.Dir) }

// Last is when it was last done, zero if nobody noted it.
func (d Done) Last(dir string) time.Time {
	info, err := os.Stat(filepath.Join(dir, string(d)))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime().UTC()
}
