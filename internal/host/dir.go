package host

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"

	"parley"
	"parley/seal"
)

// The files of a party's directory. The root key is sealed by a passphrase and
// is not needed to run the node: move it to another medium after use.
const (
	fileRoot    = "root.key" // the root's seeds, sealed (age, passphrase)
	fileNode    = "node.key" // the node's daily keys; who has it can speak as the node
	fileCard    = "card"     // public
	fileCharter = "charter"  // the signed charter in force
	fileRecord  = "record.db"
	fileMark    = "highwater" // never copy, never back up
	fileConfig  = "config"
	fileSocket  = "node.sock"
)

// Codes of directories.
const (
	CodeExists    parley.Code = "already-there"
	CodeNoDir     parley.Code = "no-party"
	CodeNoCharter parley.Code = "no-charter"
	CodeConfig    parley.Code = "bad-config"
	CodeFile      parley.Code = "file"
	CodeChannel   parley.Code = "other-channel"
	CodeWeak      parley.Code = "weak-passphrase"
	CodeKeys      parley.Code = "not-this-party"
	CodeCharter   parley.Code = "charter-damaged"
)

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeExists:    "Nothing was changed. Use another directory, or remove the file yourself if you are sure.",
	CodeNoDir:     "Make the party first: parley init --dir DIR --name NAME.",
	CodeNoCharter: "Accept a charter that all members signed: parley charter accept FILE --dir DIR.",
	CodeConfig:    "Correct the line in the directory's config file; parley serve --help shows the form.",
	CodeChannel:   "Put the charter that the record was made under back, or run the new channel in a directory of its own, with copies of node.key and card.",
	CodeFile:      "Check that the path exists and that this user may read and write it.",
	CodeWeak:      "Choose a longer passphrase, such as five words drawn by lot. Nothing was made.",
	CodeCharter:   "Put the file charter back from the identity file, or move it away and accept the signed charter again: parley charter accept FILE. Any member has it.",
	CodeKeys:      "Put the node.key and the card of one party together again, from their backups. Nothing was signed.",
})

func fileError(err error) error {
	if full(err) {
		return parley.Errorf(CodeSpace, "%w", err)
	}
	return parley.Errorf(CodeFile, "%w", err)
}

// write makes a file durable under its name, or leaves the old one.
func write(path string, b []byte, mode fs.FileMode, replace bool) error {
	if !replace {
		if _, err := os.Lstat(path); err == nil {
			return parley.Errorf(CodeExists, "%s exists", path)
		}
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fileError(err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return fileError(err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// WorkFactor is the logarithm of scrypt's cost for the root's passphrase.
// Tests and the demonstration lower it.
var WorkFactor = 18

// sealRoot seals a root's seeds with a passphrase.
func sealRoot(seeds []byte, passphrase string) ([]byte, error) {
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, parley.Errorf(seal.CodePassphrase, "passphrase: %w", err)
	}
	r.SetWorkFactor(WorkFactor)
	var b bytes.Buffer
	a := armor.NewWriter(&b)
	w, err := age.Encrypt(a, r)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(seeds)
	err = errors.Join(err, w.Close(), a.Close())
	return b.Bytes(), err
}

const nodeMagic = "parley node key 1"

func encodeNodeKey(serial uint64, seeds []byte) []byte {
	return fmt.Appendf(nil, "%s\nserial %d\n%s\n", nodeMagic, serial, hex.EncodeToString(seeds))
}

func parseNodeKey(b []byte) (*seal.Node, error) {
	var serial uint64
	var text string
	lines := strings.Split(string(b), "\n")
	if len(lines) == 4 && lines[0] == nodeMagic {
		if _, err := fmt.Sscanf(lines[1], "serial %d", &serial); err == nil {
			text = lines[2]
		}
	}
	seeds, err := hex.DecodeString(text)
	if err != nil || text == "" || !bytes.Equal(encodeNodeKey(serial, seeds), b) {
		return nil, parley.Errorf(seal.CodeSecrets, "the node key file is damaged")
	}
	return seal.NodeFromSeeds(serial, seeds)
}

// minPassphrase is the least length of a passphrase, in bytes. The demonstration
// and programs that make parties by Init answer for theirs themselves.
const minPassphrase = 8

// CheckPassphrase refuses a passphrase that is too short for a root key.
func CheckPassphrase(p string) error {
	if len(p) < minPassphrase {
		return parley.Errorf(CodeWeak, "the passphrase has %d characters; it needs %d or more", len(p), minPassphrase)
	}
	return nil
}

// Init makes a new party in dir: a root sealed by the passphrase, a node's
// keys, and the public card. It never overwrites.
func Init(dir, name, addr, passphrase string) (*seal.Card, error) {
	if err := parley.CheckName(name); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fileError(err)
	}
	for _, f := range []string{fileRoot, fileNode, fileCard} {
		if _, err := os.Lstat(filepath.Join(dir, f)); err == nil {
			return nil, parley.Errorf(CodeExists, "%s already holds a party (%s)", dir, f)
		}
	}
	root, rootSeeds, err := seal.NewRoot(rand.Reader)
	if err != nil {
		return nil, err
	}
	node, nodeSeeds, err := seal.NewNode(rand.Reader, 0)
	if err != nil {
		return nil, err
	}
	card, err := seal.NewCard(name, addr, root, node)
	if err != nil {
		return nil, err
	}
	sealed, err := sealRoot(rootSeeds, passphrase)
	if err != nil {
		return nil, err
	}
	if err := write(filepath.Join(dir, fileRoot), sealed, 0o600, false); err != nil {
		return nil, err
	}
	if err := write(filepath.Join(dir, fileNode), encodeNodeKey(0, nodeSeeds), 0o600, false); err != nil {
		return nil, err
	}
	return card, write(filepath.Join(dir, fileCard), card.Encode(), 0o644, false)
}

func read(dir, name string, missing parley.Code) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, parley.Errorf(missing, "%s has no %s", dir, name)
	}
	if err != nil {
		return nil, fileError(err)
	}
	return b, nil
}

// LoadCard reads the party's own card.
func LoadCard(dir string) (*seal.Card, error) {
	b, err := read(dir, fileCard, CodeNoDir)
	if err != nil {
		return nil, err
	}
	return seal.ParseCard(b)
}

// LoadKeys reads the node's private keys.
func LoadKeys(dir string) (*seal.Node, error) {
	b, err := read(dir, fileNode, CodeNoDir)
	if err != nil {
		return nil, err
	}
	return parseNodeKey(b)
}

// sameParty refuses node keys that are not those of the card: one bit of a key
// file that a disk turned would make a node that no peer believes.
func sameParty(dir string, n *seal.Node, c *seal.Card) error {
	own := n.Public(c.RootEd, c.RootPQ)
	if c.Keys.Serial != own.Serial {
		return nil // later keys than the card's; the channel knows them
	}
	if !bytes.Equal(own.LogEd, c.Keys.LogEd) || !bytes.Equal(own.LogPQ, c.Keys.LogPQ) ||
		!bytes.Equal(own.RcptEd, c.Keys.RcptEd) || !bytes.Equal(own.RcptPQ, c.Keys.RcptPQ) ||
		!slices.ContainsFunc(c.Keys.TLS, func(k []byte) bool { return bytes.Equal(k, own.TLS[0]) }) {
		return parley.Errorf(CodeKeys, "the node.key in %s is damaged or is not %s's", dir, c.Name)
	}
	return nil
}

// LoadCharter reads the accepted charter and finds which member this party is.
func LoadCharter(dir string) (*parley.SignedCharter, *parley.Charter, parley.Party, error) {
	if _, err := os.Stat(filepath.Join(dir, fileCard)); errors.Is(err, fs.ErrNotExist) {
		return nil, nil, 0, parley.Errorf(CodeNoDir, "%s holds no party", dir)
	}
	b, err := read(dir, fileCharter, CodeNoCharter)
	if err != nil {
		return nil, nil, 0, err
	}
	s, c, err := parley.ParseSignedCharter(b)
	if err != nil {
		return nil, nil, 0, parley.Errorf(CodeCharter, "the file %s in %s is damaged: %w", fileCharter, dir, err)
	}
	me, err := memberOf(dir, c)
	return s, c, me, err
}

func memberOf(dir string, c *parley.Charter) (parley.Party, error) {
	card, err := LoadCard(dir)
	if err != nil {
		return 0, err
	}
	for _, m := range c.Members {
		if bytes.Equal(m.RootEd, card.RootEd) && bytes.Equal(m.RootPQ, card.RootPQ) {
			return m.Index, nil
		}
	}
	return 0, parley.Errorf(CodeNoCharter, "%s is not a member of the charter %q", card.Name, c.Name)
}

// Accept puts a charter in force in dir. All members must have signed it, in
// time; with late an operator vouches for signatures that came after signBy.
func Accept(dir string, b []byte, now uint64, late bool) (*parley.Charter, error) {
	s, c, err := parley.ParseSignedCharter(b)
	if err != nil {
		return nil, err
	}
	if _, err := memberOf(dir, c); err != nil {
		return nil, err
	}
	if missing := s.Missing(c); len(missing) > 0 {
		var names []string
		for _, p := range missing {
			names = append(names, c.Member(p).Name)
		}
		return nil, parley.Errorf(parley.CodeUnsigned, "the charter lacks the signatures of %s", strings.Join(names, ", "))
	}
	if c.SignBy != 0 && now > c.SignBy && !late {
		return nil, parley.Errorf(parley.CodeUnsigned, "the time to sign has passed; --late accepts it on your word that the signatures were given in time")
	}
	return c, write(filepath.Join(dir, fileCharter), s.Encode(), 0o644, false)
}
