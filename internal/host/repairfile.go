package host

import (
	"io"
	"os"

	"parley"
	"parley/journal"
)

// recordFile is a record that a member exported: verified whole before
// anything is taken from it.
type recordFile struct {
	name  string
	f     *os.File
	heads map[parley.LogID]journal.SignedHead
	keys  []*journal.Announced
	forks []*journal.Fork
}

// openFiles verifies the exported records. One that is not whole, or of
// another channel, is refused: nothing of it is used.
func (r *repair) openFiles() (files []*recordFile, err error) {
	channel := r.signed.Channel()
	for _, path := range r.From {
		f, err := os.Open(path)
		if err != nil {
			closeAll(files)
			return nil, fileError(err)
		}
		x := &recordFile{name: path, f: f, heads: map[parley.LogID]journal.SignedHead{}}
		files = append(files, x)
		var total uint64
		if info, err := f.Stat(); err == nil {
			total = uint64(info.Size())
		}
		err = journal.VerifyRecord(f, journal.Verify{Channel: &channel, Progress: func(n uint64) { r.Progress("verifying "+path, n, total) }}, func(journal.Finding) {})
		if err == nil {
			err = x.read(journal.Visit{
				Keys: func(a *journal.Announced) error { x.keys = append(x.keys, a); return nil },
				Log:  func(h journal.SignedHead) error { x.heads[h.Log] = h; return nil },
				Fork: func(f *journal.Fork) error { x.forks = append(x.forks, f); return nil },
			})
		}
		if err != nil {
			closeAll(files)
			return nil, parley.Errorf(CodeCopy, "%s cannot be used: %w", path, err)
		}
	}
	return files, nil
}

func closeAll(files []*recordFile) {
	for _, x := range files {
		x.f.Close()
	}
}

func (x *recordFile) read(v journal.Visit) error {
	if _, err := x.f.Seek(0, io.SeekStart); err != nil {
		return fileError(err)
	}
	return journal.ReadRecord(x.f, v)
}

// offer gives the logs what the file has of what they want.
func (x *recordFile) offer(r *repair) error {
	wants := map[parley.LogID]*mending{}
	for _, m := range r.logs {
		h, ok := x.heads[m.id]
		if !m.lacks() || !ok || h.Size == 0 {
			continue
		}
		wants[m.id] = m
		if h.Size <= m.target {
			m.sign(h.Size, h.Root, h.Sig)
		} else {
			m.follow(h)
		}
	}
	return x.read(journal.Visit{
		Entry: func(id parley.LogID, i uint64, leaf journal.Leaf, c *journal.Content) error {
			if m := wants[id]; m != nil {
				m.give(i, leaf, c, nil, x.name)
			}
			return nil
		},
		Cosig: func(c *journal.Cosig) error {
			if m := wants[c.Log]; m != nil && m.cosigs {
				m.offers = append(m.offers, *c)
			}
			return nil
		},
	})
}
