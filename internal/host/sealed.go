package host

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"filippo.io/age"

	"parley"
	"parley/seal"
)

// Backups and identity files are sealed with age (age-encryption.org/v1) to a
// recovery key: its public half lies in the party's directory and can only
// seal; its private half lies in a safe and is fetched to restore. Both are
// age's own text forms of the hybrid key (ML-KEM-768 with X25519), so that the
// age program opens such a file as well.

const fileRecovery = "recovery.pub" // seals backups; opens nothing

// Codes of sealed files.
const (
	CodeRecovery parley.Code = "no-recovery-key"
	CodeOther    parley.Code = "other-recovery-key"
	CodeSealed   parley.Code = "sealed-file-damaged"
	CodeSpace    parley.Code = "disk-full"
)

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeRecovery: "Make a recovery key with parley backup new-key FILE, or name the one that there is.",
	CodeOther:    "Fetch the recovery key, or the passphrase, that the file was sealed with. The file is unharmed.",
	CodeSealed:   "The file is cut off or was changed; nothing of it was used. Take another copy of it, or an older one.",
	CodeSpace:    "Free space on that disk, or name another place, and give the command again. Nothing half-written was left under the name.",
})

// Sealer seals a file and Opener opens it: halves of a recovery key, or a
// passphrase.
type (
	Sealer = age.Recipient
	Opener = age.Identity
)

// Recovery is the public half of a recovery key.
type Recovery struct {
	age.Recipient
	text string
}

// Words is the key's name for people: eight words to compare.
func (r *Recovery) Words() string {
	h := sha256.Sum256([]byte("parley/recovery/1\n" + r.text))
	return seal.Words(h[:])
}

// RecoveryKey is the private half of a recovery key.
type RecoveryKey struct {
	age.Identity
	public *Recovery
}

// Words name the key as its public half does.
func (k *RecoveryKey) Words() string { return k.public.Words() }

// NewRecoveryKey makes a recovery key: the private half in the file path, the
// public half beside it in path.pub. It overwrites nothing.
func NewRecoveryKey(path string) (*Recovery, error) {
	for _, p := range []string{path, path + ".pub"} {
		if _, err := os.Lstat(p); err == nil {
			return nil, parley.Errorf(CodeExists, "%s exists", p)
		}
	}
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		return nil, err
	}
	r := &Recovery{id.Recipient(), id.Recipient().String()}
	private := fmt.Sprintf("# A recovery key of Parley: opens backups and identity files. Lock it away.\n# words: %s\n%s\n", r.Words(), id)
	public := fmt.Sprintf("# The public half of a recovery key: seals backups, opens nothing.\n# words: %s\n%s\n", r.Words(), r.text)
	if err := write(path, []byte(private), 0o600, false); err != nil {
		return nil, err
	}
	return r, write(path+".pub", []byte(public), 0o644, false)
}

// LoadRecovery reads the public half of a recovery key; without a path, the
// one that lies in dir.
func LoadRecovery(dir, path string) (*Recovery, error) {
	if path == "" {
		path = filepath.Join(dir, fileRecovery)
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, parley.Errorf(CodeRecovery, "%s is not there, and no other was named with --to", path)
		}
	}
	line, err := keyLine(path)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(line, "AGE-SECRET-KEY-") {
		return nil, parley.Errorf(CodeRecovery, "%s is the private half; sealing needs the public one, %s.pub", path, filepath.Base(path))
	}
	r, err := age.ParseHybridRecipient(line)
	if err != nil {
		return nil, parley.Errorf(CodeRecovery, "%s holds no public recovery key: it must be one line that begins with age1pq1", path)
	}
	return &Recovery{r, line}, nil
}

// UseRecovery puts the public half of a recovery key into the directory of a
// party that has none yet, and reports whether it did.
func UseRecovery(dir, path string) (bool, error) {
	if _, err := LoadCard(dir); parley.CodeOf(err) == CodeNoDir {
		return false, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return false, fileError(err)
	}
	err = write(filepath.Join(dir, fileRecovery), b, 0o644, false)
	if parley.CodeOf(err) == CodeExists {
		return false, nil
	}
	return err == nil, err
}

// LoadRecoveryKey reads the private half.
func LoadRecoveryKey(path string) (*RecoveryKey, error) {
	line, err := keyLine(path)
	if err != nil {
		return nil, err
	}
	id, err := age.ParseHybridIdentity(line)
	if err != nil {
		what := "it must be one line that begins with AGE-SECRET-KEY-PQ-1"
		if strings.HasPrefix(line, "age1") {
			what = "it is the public half, which opens nothing"
		}
		return nil, parley.Errorf(CodeRecovery, "%s holds no private recovery key: %s", path, what)
	}
	return &RecoveryKey{id, &Recovery{id.Recipient(), id.Recipient().String()}}, nil
}

// keyLine is the only line of a key file that is no comment.
func keyLine(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fileError(err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return "", fileError(err)
	}
	var found []string
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			found = append(found, line)
		}
	}
	if len(found) != 1 {
		return "", parley.Errorf(CodeRecovery, "%s has %d lines that could be a key; it must have one", path, len(found))
	}
	return found[0], nil
}

// witnessed is a recipient that remembers the file key, so that the writer can
// read back what it wrote without the recovery key. The key stays in memory.
type witnessed struct {
	age.Recipient
	fileKey []byte
}

func (w *witnessed) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	w.fileKey = bytes.Clone(fileKey)
	return w.Recipient.Wrap(fileKey)
}

// sealFile writes what fill writes, sealed to a recipient, to a file of
// another name beside path, has it checked, and gives it its name only then.
// It never overwrites; what it leaves after a crash is path.part at most, which
// the next run replaces. check gets the file and an identity that opens it.
func sealFile(path string, to age.Recipient, fill func(io.Writer) error, check func(*os.File, age.Identity) error) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return parley.Errorf(CodeExists, "%s exists", path)
	}
	part := path + ".part"
	os.Remove(part)
	f, err := os.OpenFile(part, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fileError(err)
	}
	defer os.Remove(part)
	defer f.Close()
	w := &witnessed{Recipient: to}
	out, err := age.Encrypt(f, w)
	if err != nil {
		return sealError(path, err)
	}
	if err := fill(out); err != nil {
		return sealError(path, err)
	}
	if err := out.Close(); err != nil {
		return sealError(path, err)
	}
	if err := f.Sync(); err != nil {
		return sealError(path, err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fileError(err)
	}
	if err := check(f, age.NewInjectedFileKeyIdentity(w.fileKey)); err != nil {
		return err
	}
	if err := place(part, path); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return fileError(err)
	}
	return nil
}

// place gives a finished file its name without replacing another. Where the
// file system has no links, as on many sticks, it looks first.
func place(part, path string) error {
	err := os.Link(part, path)
	if err == nil {
		return nil
	}
	if _, there := os.Lstat(path); errors.Is(err, fs.ErrExist) || there == nil {
		return parley.Errorf(CodeExists, "%s exists", path)
	}
	if err := os.Rename(part, path); err != nil {
		return fileError(err)
	}
	return nil
}

// sealError gives a failed write its code; errors of what was written keep
// theirs.
func sealError(path string, err error) error {
	var own *parley.Error
	if errors.As(err, &own) {
		return own
	}
	return fileError(fmt.Errorf("%s was not written: %w", path, err))
}

// openSealed decrypts a file to its end. damaged errors keep their code; every
// other failure to read is damage.
func openSealed(name string, r io.Reader, id age.Identity) (io.Reader, error) {
	plain, err := age.Decrypt(r, id)
	var none *age.NoIdentityMatchError
	switch {
	case errors.As(err, &none):
		if _, typed := id.(*age.ScryptIdentity); typed {
			return nil, parley.Errorf(CodeOther, "%s does not open with this passphrase", name)
		}
		return nil, parley.Errorf(CodeOther, "%s is not sealed to this key", name)
	case err != nil:
		return nil, parley.Errorf(CodeSealed, "%s cannot be opened: %w", name, err)
	}
	return &sealedReader{name, plain}, nil
}

type sealedReader struct {
	name string
	r    io.Reader
}

func (s *sealedReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = parley.Errorf(CodeSealed, "%s is cut off or was changed: %w", s.name, err)
	}
	return n, err
}

// full reports whether an error says that a disk is full.
func full(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }
