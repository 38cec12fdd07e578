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
	"strings"
	"time"

	"parley"
	"parley/internal/store"
	"parley/journal"
	"parley/seal"
)

// New node keys are made on the node, lie in node.key.next until the record
// holds the root's signature on them, and take the place of node.key then. The
// record decides: whichever of the two files has the keys that the record
// knows as this party's newest is the one that counts. A crash between two
// steps is therefore harmless: before the record has the new keys the old ones
// go on; after it, the next start finishes what was begun.
const (
	fileNext     = "node.key.next"
	fileNextCard = "card.next" // with the new keys, from the root's answer
)

// Why node keys are replaced.
const (
	WhyRotation = "rotation" // of age; the TLS key stays, so that members that are away find the way
	WhyStolen   = "stolen"   // somebody else may have them: every key is new
	WhyLost     = "lost"     // there is no node.key any more: every key is new, the data key too
	WhyFork     = "fork"     // two histories were signed: the root speaks for the one that goes on
)

// Codes of new node keys.
const (
	CodeNoRequest parley.Code = "no-key-request"
	CodeRequest   parley.Code = "bad-key-request"
	CodeAnswer    parley.Code = "bad-key-answer"
	CodeWaiting   parley.Code = "keys-wait-for-root"
	CodeKeysLost  parley.Code = "node-key-lost"
)

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeNoRequest: "Make a request first: parley keys request FILE.",
	CodeRequest:   "Copy the request again from the node's machine, and compare its words.",
	CodeAnswer:    "Copy the answer again from the machine with the root. It must answer the newest request of this node. The old keys stay in force.",
	CodeWaiting:   "Have the root sign the request: parley keys request FILE prints it again; then parley keys apply ANSWER.",
	CodeKeysLost:  "Put node.key back from the identity file: parley identity open FILE. If it is lost for good: parley keys request FILE.",
})

const nextMagic = "parley next node key 1"

// nextKey is the content of node.key.next.
type nextKey struct {
	serial uint64
	gen    parley.Gen // for which the root signs
	why    string
	seeds  []byte
	node   *seal.Node
}

func (k *nextKey) encode() []byte {
	return fmt.Appendf(nil, "%s\nserial %d\ngen %s\nwhy %s\n%s\n", nextMagic, k.serial, k.gen, k.why, hex.EncodeToString(k.seeds))
}

func loadNext(dir string) (*nextKey, error) {
	b, err := os.ReadFile(filepath.Join(dir, fileNext))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fileError(err)
	}
	bad := parley.Errorf(seal.CodeSecrets, "%s in %s is damaged; if the root has not signed it yet, remove it and make a new request", fileNext, dir)
	k := &nextKey{}
	var gen, seeds string
	if _, err := fmt.Sscanf(string(b), nextMagic+"\nserial %d\ngen %s\nwhy %s\n%s\n", &k.serial, &gen, &k.why, &seeds); err != nil {
		return nil, bad
	}
	g, err := hex.DecodeString(gen)
	if err != nil || len(g) != len(k.gen) {
		return nil, bad
	}
	if k.seeds, err = hex.DecodeString(seeds); err != nil {
		return nil, bad
	}
	k.gen = parley.Gen(g)
	if !bytes.Equal(k.encode(), b) {
		return nil, bad
	}
	if k.node, err = seal.NodeFromSeeds(k.serial, k.seeds); err != nil {
		return nil, err
	}
	return k, nil
}

// nodeSeeds reads the secret bytes of node.key; nil without one.
func nodeSeeds(dir string) (serial uint64, seeds []byte, err error) {
	b, err := os.ReadFile(filepath.Join(dir, fileNode))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil, nil
	}
	if err != nil {
		return 0, nil, fileError(err)
	}
	n, err := parseNodeKey(b)
	if err != nil {
		return 0, nil, err
	}
	text := strings.Split(string(b), "\n")[2]
	seeds, err = hex.DecodeString(text)
	return n.Serial, seeds, err
}

// Where the seeds of a node's TLS key and data key stand (seal.NodeFromSeeds).
const (
	seedTLS  = 128
	seedData = 160
)

// setDataKey writes a new data key into the key files of dir, before a record
// sealed under it gets its place. It reports whether there is no node.key.
func setDataKey(dir string, data seal.Key) (missing bool, err error) {
	next, err := loadNext(dir)
	if err != nil {
		return false, err
	}
	serial, seeds, err := nodeSeeds(dir)
	if err != nil {
		return false, err
	}
	if next == nil && seeds == nil {
		if next, err = drawNext(dir, WhyLost, time.Now()); err != nil {
			return true, err
		}
	}
	if next != nil {
		copy(next.seeds[seedData:], data[:])
		if err := write(filepath.Join(dir, fileNext), next.encode(), 0o600, true); err != nil {
			return false, err
		}
	}
	if seeds == nil {
		return true, nil
	}
	copy(seeds[seedData:], data[:])
	return false, write(filepath.Join(dir, fileNode), encodeNodeKey(serial, seeds), 0o600, true)
}

// drawNext draws new keys that nothing announces yet.
func drawNext(dir, why string, now time.Time) (*nextKey, error) {
	_, charter, me, err := LoadCharter(dir)
	if err != nil {
		return nil, err
	}
	serial, old, err := nodeSeeds(dir)
	if err != nil {
		return nil, err
	}
	serial = max(serial, charter.Member(me).Keys.Serial)
	k := &nextKey{serial: serial + 1, why: why, seeds: make([]byte, 6*32)}
	rand.Read(k.seeds)
	rand.Read(k.gen[:])
	if why == WhyLost { // nobody here knows how many there were
		k.serial = max(k.serial, uint64(max(now.Unix(), 0)))
	}
	if old != nil {
		copy(k.seeds[seedData:], old[seedData:])
		if why == WhyRotation || why == WhyFork {
			copy(k.seeds[seedTLS:seedData], old[seedTLS:seedData])
		}
	}
	k.node, err = seal.NodeFromSeeds(k.serial, k.seeds)
	return k, err
}

// openKeys are the keys with which the record of dir opens: those of node.key,
// or without it those that wait for the root.
func openKeys(dir string) (*seal.Node, error) {
	n, err := LoadKeys(dir)
	if err == nil || parley.CodeOf(err) != CodeNoDir {
		return n, err
	}
	next, nerr := loadNext(dir)
	if nerr != nil {
		return nil, nerr
	}
	if next != nil {
		return next.node, nil
	}
	if _, cerr := LoadCard(dir); cerr == nil {
		return nil, parley.Errorf(CodeKeysLost, "%s has no %s", dir, fileNode)
	}
	return nil, err
}

// settle decides by the record which node keys are in force. It finishes an
// exchange that was broken off, and refuses keys that still wait for the root.
func settle(dir string, s journal.Store, c *parley.Charter, me parley.Party) (*seal.Node, error) {
	next, err := loadNext(dir)
	if err != nil {
		return nil, err
	}
	current, err := LoadKeys(dir)
	if parley.CodeOf(err) != CodeNoDir && err != nil {
		return nil, err
	}
	if next == nil {
		return current, err
	}
	known, err := announces(s, c, me, next.node)
	switch {
	case err != nil:
		return nil, err
	case known:
		return next.node, install(dir, next)
	case current == nil:
		return nil, parley.Errorf(CodeWaiting, "the node keys in %s were never signed by the root", dir)
	}
	return current, nil
}

// announces reports whether the record holds the root's word for these keys.
func announces(s journal.Store, c *parley.Charter, me parley.Party, n *seal.Node) (bool, error) {
	ss, err := statements(s, c, me, func(string, parley.Hash, *parley.RootKeys) []byte { return make([]byte, 64) })
	for _, st := range ss {
		if p, k := st.Keys(); p == me && bytes.Equal(k.LogEd, n.Log.EdPublic()) {
			return true, nil
		}
	}
	return false, err
}

// install makes the next keys the node's own.
func install(dir string, k *nextKey) error {
	if err := write(filepath.Join(dir, fileNode), encodeNodeKey(k.serial, k.seeds), 0o600, true); err != nil {
		return err
	}
	if b, err := os.ReadFile(filepath.Join(dir, fileNextCard)); err == nil {
		if c, err := seal.ParseCard(b); err == nil && bytes.Equal(c.Keys.LogEd, k.node.Log.EdPublic()) {
			if err := write(filepath.Join(dir, fileCard), b, 0o644, true); err != nil {
				return err
			}
		}
		os.Remove(filepath.Join(dir, fileNextCard))
	}
	if err := os.Remove(filepath.Join(dir, fileNext)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fileError(err)
	}
	if err := syncDir(dir); err != nil {
		return fileError(err)
	}
	return nil
}

// settleFiles is settle without an open record: before a new request takes the
// place of an old one.
func settleFiles(dir string, c *parley.Charter, me parley.Party) error {
	next, err := loadNext(dir)
	if err != nil || next == nil {
		return err
	}
	keys, err := openKeys(dir)
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
	if known, err := announces(s, c, me, next.node); err != nil || !known {
		return err
	}
	return install(dir, next)
}
