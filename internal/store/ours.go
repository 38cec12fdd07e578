package store

import (
	"errors"
	"io/fs"
	"os"

	"parley"
)

// A commit counts only if the next start will find it. While the node runs,
// somebody may remove the write-ahead log or put another database under the
// record's name: this process would go on in files that no name leads to, and
// all that it acknowledged would be gone with it. So every commit, before it is
// acknowledged, looks whether the names still lead to the files that this
// process has open, and whether anybody else wrote the database: in between two
// of its own checkpoints nobody should.

// remember notes the files as they are after this process wrote them.
func (s *SQLite) remember() (err error) {
	for i, name := range []string{s.path, s.path + "-wal"} {
		s.files[i], err = os.Stat(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return parley.Errorf(CodeFailed, "%w", err)
		}
	}
	return nil
}

// stillOurs compares the files with what remember saw.
func (s *SQLite) stillOurs() error {
	for i, name := range []string{s.path, s.path + "-wal"} {
		now, err := os.Stat(name)
		switch before := s.files[i]; {
		case err != nil:
			return parley.Errorf(CodeSwapped, "%s is gone: %w", name, err)
		case before == nil: // the first commit made the log
			s.files[i] = now
		case !os.SameFile(before, now):
			return parley.Errorf(CodeSwapped, "another file lies at %s than this process has open", name)
		case i == 0 && (before.Size() != now.Size() || !before.ModTime().Equal(now.ModTime())):
			return parley.Errorf(CodeSwapped, "somebody else wrote %s", name)
		}
	}
	return nil
}
