package host

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"

	"parley"
	"parley/internal/store"
	"parley/seal"
)

// An identity file holds what makes a directory this party's: the node's keys,
// the card, the charter, the config, and the statements of new keys. It is a tar
// archive sealed with age, and is kept apart from backups of the record: who
// has both, opened, has everything that the node had. The root is never in it.
var identityFiles = []struct {
	name string
	mode fs.FileMode
	must bool
}{
	{fileNode, 0o600, true},
	{fileCard, 0o644, true},
	{fileCharter, 0o644, true},
	{fileConfig, 0o644, false},
	{fileNewKeys, 0o644, false},
	{fileRecovery, 0o644, false},
}

const maxIdentity = 16 << 20

// Identity says what an identity file holds.
type Identity struct {
	Name    string   `json:"party"`
	Channel string   `json:"channel"`
	Charter string   `json:"charter"`
	Member  int      `json:"member"`
	Serial  uint64   `json:"key_serial"`
	Words   string   `json:"card_words"`
	Files   []string `json:"files"`
}

// WriteIdentity writes the identity of the party in dir to a file sealed to a
// recipient, and reads it back. Statements of new keys are taken from the
// record, if it can be read.
func WriteIdentity(dir, path string, to age.Recipient, now time.Time) (*Identity, error) {
	if err := gatherStatements(dir); err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, f := range identityFiles {
		b, err := os.ReadFile(filepath.Join(dir, f.name))
		switch {
		case err == nil:
			files[f.name] = b
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fileError(err)
		}
	}
	want, err := describe(files)
	if err != nil {
		return nil, err
	}
	err = sealFile(path, to, func(w io.Writer) error { return writeTar(w, files, now) }, func(f *os.File, id age.Identity) error {
		got, err := readIdentity(path, f, id)
		if err != nil {
			return err
		}
		for name, b := range files {
			if !bytes.Equal(got[name], b) {
				return parley.Errorf(CodeBackup, "%s was read back differently", name)
			}
		}
		return nil
	})
	return want, err
}

// gatherStatements brings the file of new keys up to what the record knows.
func gatherStatements(dir string) error {
	keys, err := LoadKeys(dir)
	if err != nil {
		return err
	}
	_, c, me, err := LoadCharter(dir)
	if err != nil {
		return err
	}
	s, err := store.Open(filepath.Join(dir, fileRecord), store.Options{DataKey: keys.Data, ReadOnly: true, MustExist: true})
	if parley.CodeOf(err) == store.CodeMissing {
		return nil
	}
	if err != nil {
		return err
	}
	defer s.Close()
	ss, err := statements(s, c, me, func(origin string, root parley.Hash, rk *parley.RootKeys) []byte {
		return signFirst(keys, origin, root, rk)
	})
	if err != nil {
		return err
	}
	return saveStatements(dir, ss, c)
}

func writeTar(w io.Writer, files map[string][]byte, now time.Time) error {
	t := tar.NewWriter(w)
	for _, f := range identityFiles {
		b, there := files[f.name]
		if !there {
			continue
		}
		h := &tar.Header{Name: f.name, Mode: int64(f.mode), Size: int64(len(b)), ModTime: now.Truncate(time.Second), Format: tar.FormatUSTAR}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if _, err := t.Write(b); err != nil {
			return err
		}
	}
	return t.Close()
}

// readIdentity opens an identity file to its end.
func readIdentity(name string, r io.Reader, ids age.Identity) (map[string][]byte, error) {
	plain, err := openSealed(name, r, ids)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	t := tar.NewReader(io.LimitReader(plain, maxIdentity))
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		var b []byte
		if err == nil {
			b, err = io.ReadAll(t)
		}
		if parley.CodeOf(err) != "" {
			return nil, err
		}
		if err != nil {
			return nil, parley.Errorf(CodeSealed, "%s is no identity file: %w", name, err)
		}
		files[h.Name] = b
	}
	if _, err := io.Copy(io.Discard, plain); err != nil { // age tells at its end whether it was cut
		return nil, err
	}
	if _, err := describe(files); err != nil {
		return nil, parley.Errorf(CodeSealed, "%s is no identity file: %w", name, err)
	}
	return files, nil
}

// describe checks that the files belong together.
func describe(files map[string][]byte) (*Identity, error) {
	for _, f := range identityFiles {
		if f.must && files[f.name] == nil {
			return nil, parley.Errorf(CodeNoDir, "there is no %s", f.name)
		}
	}
	n, err := parseNodeKey(files[fileNode])
	if err != nil {
		return nil, err
	}
	card, err := seal.ParseCard(files[fileCard])
	if err != nil {
		return nil, err
	}
	if err := sameParty("the identity", n, card); err != nil {
		return nil, err
	}
	s, c, err := parley.ParseSignedCharter(files[fileCharter])
	if err != nil {
		return nil, err
	}
	if b := files[fileNewKeys]; b != nil {
		if _, err := ParseStatements(b, c); err != nil {
			return nil, err
		}
	}
	out := &Identity{Name: card.Name, Channel: s.Channel().String(), Charter: c.Name, Serial: n.Serial, Words: card.Words()}
	for _, m := range c.Members {
		if bytes.Equal(m.RootEd, card.RootEd) {
			out.Member = int(m.Index)
		}
	}
	if out.Member == 0 {
		return nil, parley.Errorf(CodeNoCharter, "%s is not a member of the charter %q", card.Name, c.Name)
	}
	for _, f := range identityFiles {
		if files[f.name] != nil {
			out.Files = append(out.Files, f.name)
		}
	}
	return out, nil
}

// CheckIdentity opens an identity file and says what it holds.
func CheckIdentity(path string, id age.Identity) (*Identity, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fileError(err)
	}
	defer f.Close()
	files, err := readIdentity(path, f, id)
	if err != nil {
		return nil, err
	}
	return describe(files)
}

// OpenIdentity puts the files of an identity file into dir. What is there
// already and is the same stays; what differs is not overwritten but for the
// config, which the directory's owner may have changed: that stays as it is.
func OpenIdentity(path string, id age.Identity, dir string) (*Identity, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fileError(err)
	}
	defer f.Close()
	files, err := readIdentity(path, f, id)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fileError(err)
	}
	var todo []string
	for _, x := range identityFiles {
		if files[x.name] == nil {
			continue
		}
		have, err := os.ReadFile(filepath.Join(dir, x.name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			todo = append(todo, x.name)
		case err != nil:
			return nil, fileError(err)
		case x.must && !bytes.Equal(have, files[x.name]):
			return nil, parley.Errorf(CodeExists, "%s already holds another %s", dir, x.name)
		}
	}
	for _, x := range identityFiles {
		for _, name := range todo {
			if name == x.name {
				if err := write(filepath.Join(dir, name), files[name], x.mode, false); err != nil {
					return nil, err
				}
			}
		}
	}
	return describe(files)
}

// PassphraseRecipient and PassphraseIdentity seal and open a file with a
// passphrase, for identity files that need no recovery key.
func PassphraseRecipient(passphrase string) (age.Recipient, error) {
	if err := CheckPassphrase(passphrase); err != nil {
		return nil, err
	}
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, parley.Errorf(seal.CodePassphrase, "passphrase: %w", err)
	}
	r.SetWorkFactor(WorkFactor)
	return r, nil
}

// PassphraseIdentity opens what PassphraseRecipient sealed.
func PassphraseIdentity(passphrase string) (age.Identity, error) {
	id, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, parley.Errorf(seal.CodePassphrase, "passphrase: %w", err)
	}
	id.SetMaxWorkFactor(22)
	return id, nil
}
