package host

import (
	"bufio"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"

	"parley"
	"parley/internal/store"
	"parley/journal"
)

// Codes of backups.
const (
	CodeForeignBackup parley.Code = "other-party"
	CodeBackup        parley.Code = "backup-not-verified"
)

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeForeignBackup: "Take the file that belongs to this party and channel, or another directory. Nothing was changed.",
	CodeBackup:        "Nothing was left under that name, so that nobody relies on it. Run parley fsck; if the record is sound, try another disk.",
})

// Step tells how far long work is: what is being done, and how much of it.
type Step func(what string, done, total uint64)

func (s Step) of(what string) func(done, total uint64) {
	if s == nil {
		return func(uint64, uint64) {}
	}
	return func(done, total uint64) { s(what, done, total) }
}

// BackedUp says what a backup holds.
type BackedUp struct {
	Name     string    `json:"party"`
	Channel  string    `json:"channel"`
	Charter  string    `json:"charter"`
	Time     time.Time `json:"taken"`
	Logs     uint64    `json:"logs"`
	Entries  uint64    `json:"entries"`
	Cosigs   uint64    `json:"cosignatures"`
	Unopened uint64    `json:"entries_without_content"`
	Key      string    `json:"recovery_key"`         // its words
	KeyTried bool      `json:"opened_with_that_key"` // the private half was at hand and opened it
	Bytes    int64     `json:"bytes"`

	roots map[parley.LogID]rooted
}

type rooted struct {
	size uint64
	root parley.Hash
}

// Backup writes the record of the party in dir to one file, sealed to a
// recovery key, also while its node runs. Entries that the node adds meanwhile
// are left out. The file is read back from the disk, decrypted and restored
// into a directory for the purpose, the restored record is checked in full, and
// its heads are compared with those of the source, before the file gets its
// name. With key, which may be nil, that is done with the private half itself;
// without, whether that half opens the file is not tried, and the result says
// so.
func Backup(dir, path string, to *Recovery, key *RecoveryKey, now time.Time, step Step) (*BackedUp, error) {
	if key != nil && key.public.text != to.text {
		return nil, parley.Errorf(CodeOther, "the key to verify with, %s, is not the one sealed to, %s", key.Words(), to.Words())
	}
	src, err := openSource(dir, now)
	if err != nil {
		return nil, err
	}
	defer src.store.Close()
	var got *BackedUp
	err = sealFile(path, to, func(w io.Writer) error { return src.write(w, step.of("reading")) },
		func(f *os.File, id age.Identity) error {
			if key != nil {
				id = key
			}
			got, err = trial(f, path, id, step)
			if err != nil {
				return err
			}
			return src.compare(got)
		})
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err == nil {
		got.Bytes = info.Size()
	}
	got.Key, got.KeyTried = to.Words(), key != nil
	return got, nil
}

// CheckBackup restores a backup into a directory for the purpose, checks the
// whole record there, and removes it again.
func CheckBackup(path string, key *RecoveryKey, step Step) (*BackedUp, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fileError(err)
	}
	defer f.Close()
	got, err := trial(f, path, key, step)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil {
		got.Bytes = info.Size()
	}
	got.Key, got.KeyTried = key.Words(), true
	return got, nil
}

// source is a record that is read for a backup.
type source struct {
	store *store.SQLite
	head  backupHead
	ch    parley.Hash
	logs  []journal.LogState
	key   ed25519.PrivateKey // signs the backup
}

func openSource(dir string, now time.Time) (_ *source, err error) {
	keys, err := LoadKeys(dir)
	if err != nil {
		return nil, err
	}
	card, err := LoadCard(dir)
	if err != nil {
		return nil, err
	}
	signed, _, me, err := LoadCharter(dir)
	if err != nil {
		return nil, err
	}
	config, err := os.ReadFile(filepath.Join(dir, fileConfig))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fileError(err)
	}
	s, err := store.Open(filepath.Join(dir, fileRecord), store.Options{DataKey: keys.Data, ReadOnly: true, MustExist: true})
	if err != nil {
		return nil, err
	}
	src := &source{store: s, ch: signed.Channel(), key: keys.Rcpt.Ed, head: backupHead{Name: card.Name, Member: me, Time: uint64(max(now.Unix(), 0)),
		Charter: signed.Encode(), Card: card.Encode(), Config: config}}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	// The logs are those of the moment when the record was opened: entries,
	// once there, never change, so everything up to their sizes is one state.
	if src.head.Gen, err = genOf(s); err != nil {
		return nil, err
	}
	if src.logs, err = s.Logs(); err != nil {
		return nil, err
	}
	for _, l := range src.logs {
		if l.Log.Channel != src.ch {
			return nil, parley.Errorf(CodeChannel, "the record in %s belongs to another channel than its charter", dir)
		}
		src.head.Entries += l.Size
	}
	src.head.Logs = uint64(len(src.logs))
	return src, nil
}

// genOf is the current own generation of a record, zero before the first.
func genOf(s journal.Store) (gen parley.Gen, err error) {
	err = s.Values("self", func(k string, v []byte) error {
		if k == "gen" && len(v) == len(gen) {
			gen = parley.Gen(v)
		}
		return nil
	})
	return gen, err
}

// write writes the backup's plain form.
func (src *source) write(out io.Writer, progress func(done, total uint64)) error {
	b := bufio.NewWriterSize(out, 64<<10)
	w := &sections{b, sha256.New()}
	if _, err := b.WriteString(backupLine); err != nil {
		return err
	}
	if err := w.put(tagBackup, src.head.encode()); err != nil {
		return err
	}
	var done, cosigs, values uint64
	for i := range src.logs {
		l := &src.logs[i]
		if err := w.put(tagCopied, encodeState(l)); err != nil {
			return err
		}
		rows := &list{w: w, tag: tagRows}
		err := src.store.Rows(l.Log, 0, l.Size, func(r *journal.Row) error {
			if done++; done%512 == 0 {
				progress(done, src.head.Entries)
			}
			return rows.add(func(b []byte) []byte { return appendRow(b, r) })
		})
		if err == nil {
			err = rows.flush()
		}
		if err != nil {
			return err
		}
		cs := &list{w: w, tag: tagCosigs}
		err = src.store.EachCosig(l.Log, func(c *journal.Cosig) error {
			if c.Size > l.Size { // of entries that came since
				return nil
			}
			cosigs++
			return cs.add(func(b []byte) []byte { return appendCosig(b, c) })
		})
		if err == nil {
			err = cs.flush()
		}
		if err != nil {
			return err
		}
	}
	progress(done, src.head.Entries)
	err := src.store.Public(func(space, key string, v []byte) error {
		if space == "self" && key == keyStamp {
			return nil // of this record; the copy gets its own
		}
		if space == "self" && key == "gen" {
			v = src.head.Gen[:]
		}
		values++
		p := parley.AppendText(parley.AppendText(parley.AppendArray(nil, 3), space), key)
		return w.put(tagValue, parley.AppendBytes(p, v))
	})
	if err != nil {
		return err
	}
	end := parley.AppendArray(nil, 4)
	for _, n := range []uint64{src.head.Logs, done, cosigs, values} {
		end = parley.AppendUint(end, n)
	}
	if err := w.put(tagEnd, end); err != nil {
		return err
	}
	return errors.Join(w.put(tagSigned, ed25519.Sign(src.key, backupMessage(src.ch, w.sum))), b.Flush())
}

// compare fails unless the restored record has the heads of the source.
func (src *source) compare(got *BackedUp) error {
	if uint64(len(got.roots)) != src.head.Logs || got.Entries != src.head.Entries {
		return parley.Errorf(CodeBackup, "the trial restore has %d logs and %d entries, the record %d and %d",
			len(got.roots), got.Entries, src.head.Logs, src.head.Entries)
	}
	for _, l := range src.logs {
		root, err := journal.RootAt(l.Size, src.store.Hashes(l.Log))
		if err != nil {
			return err
		}
		if r, ok := got.roots[l.Log]; !ok || r.size != l.Size || r.root != root {
			return parley.Errorf(CodeBackup, "the trial restore differs from the record in log %s", l.Log)
		}
	}
	return nil
}

// trial restores a sealed backup into a directory of its own under a key that
// nobody keeps, checks the record there in full, and removes it.
func trial(f *os.File, name string, id age.Identity, step Step) (*BackedUp, error) {
	plain, err := openSealed(name, f, id)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "parley-trial-")
	if err != nil {
		return nil, fileError(err)
	}
	defer os.RemoveAll(dir)
	var key [32]byte
	rand.Read(key[:])
	return unpack(plain, name, filepath.Join(dir, fileRecord), key, nil, step)
}

// checkWhole checks a record in full, as fsck does.
func checkWhole(s *store.SQLite, c *parley.Charter, code parley.Code, progress func(done, total uint64)) error {
	v, err := Verifiers(c, s)
	if err != nil {
		return err
	}
	var first *store.Finding
	n := 0
	if err := store.Check(s, v, progress, func(f store.Finding) {
		if n++; first == nil {
			first = &f
		}
	}); err != nil {
		return err
	}
	if n > 0 {
		return parley.Errorf(code, "the record does not pass its check, %d findings, the first: %s", n, first)
	}
	return nil
}
