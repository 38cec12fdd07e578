package host

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"parley"
	"parley/frame"
	"parley/internal/store"
	"parley/journal"
)

// A Statement is the first entry of a generation that a root signed: it puts
// new node keys in force and convinces by itself, however it arrives. It
// travels as a file to members that were away when the keys changed, and to
// oneself: a node that lost its record knows by it whose keys are in force.
type Statement struct {
	Log   parley.LogID // lane 3 of the generation
	Salt  parley.Hash
	Entry []byte
	Sig   [64]byte // of the new log key, on the head of size 1

	keys *parley.RootKeys
}

// fileNewKeys holds the statements that this party knows.
const fileNewKeys = "new-keys"

const newKeysLine = "parley/new-keys/1\n"

// CodeStatement means that a file of new keys does not convince.
const CodeStatement parley.Code = "not-new-keys"

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeStatement: "Ask the member for the file again (parley keys show --out FILE), and confirm by voice that it changed its keys. Nothing was changed.",
})

// EncodeStatements is the form of a file of new keys: the line and
// [* [origin, salt, entry, sig]].
func EncodeStatements(ss []*Statement) []byte {
	b := parley.AppendArray([]byte(newKeysLine), len(ss))
	for _, s := range ss {
		b = parley.AppendArray(b, 4)
		b = parley.AppendText(b, s.Log.Origin())
		b = parley.AppendBytes(b, s.Salt[:])
		b = parley.AppendBytes(b, s.Entry)
		b = parley.AppendBytes(b, s.Sig[:])
	}
	return b
}

// ParseStatements reads a file of new keys and verifies each statement against
// the charter: the root's signatures, and the new key's on the entry.
func ParseStatements(b []byte, c *parley.Charter) ([]*Statement, error) {
	if len(b) < len(newKeysLine) || string(b[:len(newKeysLine)]) != newKeysLine {
		return nil, parley.Errorf(CodeStatement, "this is no file of new keys")
	}
	d := parley.NewDecoder(b[len(newKeysLine):], 2)
	var ss []*Statement
	for range d.Array(0, 4096) {
		d.Array(4, 4)
		origin := d.Text(1, 128)
		s := &Statement{Salt: d.Hash(), Entry: d.Bytes(1, 64<<10)}
		copy(s.Sig[:], d.Bytes(64, 64))
		if d.Err() != nil {
			break
		}
		var err error
		if s.Log, err = parley.ParseOrigin(origin); err == nil {
			err = s.verify(c)
		}
		if err != nil {
			return nil, parley.Errorf(CodeStatement, "a statement of new keys does not hold: %w", err)
		}
		ss = append(ss, s)
	}
	if err := d.End(); err != nil {
		return nil, parley.Errorf(CodeStatement, "the file of new keys is damaged: %w", err)
	}
	return ss, nil
}

func (s *Statement) leaf() journal.Leaf {
	return journal.Leaf{Commit: journal.Commit(s.Log.Origin(), 0, s.Salt, s.Entry)}
}

// head is the head of size 1 that the new key signed.
func (s *Statement) head() journal.SignedHead {
	var t journal.Tree
	t.Append(s.leaf().Hash())
	return journal.SignedHead{Log: s.Log, Size: 1, Root: t.Root(), Sig: s.Sig[:]}
}

func (s *Statement) verify(c *parley.Charter) error {
	m := c.Member(s.Log.Party)
	if m == nil || s.Log.Channel != c.Channel() || s.Log.Lane != parley.Routine {
		return parley.Errorf(CodeStatement, "it is of another channel")
	}
	rk, err := rootKeysOf(s.Entry, s.Log.Gen, m, c.Channel())
	if err != nil {
		return err
	}
	if h := s.head(); !journal.VerifyHead(rk.Keys.LogEd, s.Log.Origin(), 1, h.Root, h.Sig) {
		return parley.Errorf(parley.CodeSignature, "the new log key did not sign it")
	}
	s.keys = rk
	return nil
}

// rootKeysOf is the ROOTKEYS in the first entry of a generation, verified.
func rootKeysOf(entry []byte, gen parley.Gen, m *parley.Member, ch parley.Hash) (*parley.RootKeys, error) {
	e, err := parley.ParseEntry(entry)
	if err != nil {
		return nil, err
	}
	if e.Kind != parley.KindGeneration {
		return nil, parley.Errorf(CodeStatement, "it begins no generation")
	}
	g, err := parley.ParseGeneration(e.Body)
	if err != nil {
		return nil, err
	}
	if g.RootKeys == nil {
		return nil, parley.Errorf(CodeStatement, "its generation has no new keys")
	}
	return g.RootKeys, g.RootKeys.Verify(ch, m, gen)
}

// Frame is how the statement travels between nodes.
func (s *Statement) Frame() []byte {
	return frame.Encode(&frame.Clear{Author: s.Log.Party, Lane: s.Log.Lane, ChannelHint: binary.BigEndian.Uint16(s.Log.Channel[:2]),
		Gen: s.Log.Gen, Salt: s.Salt, Entry: s.Entry, Sig: s.Sig})
}

// Keys are the node keys that the statement puts in force, and whose they are.
func (s *Statement) Keys() (parley.Party, *parley.Keys) { return s.Log.Party, s.keys.Keys }

// statements lists those of a record, in the order of its logs. Of this party's
// own only those that its present keys can sign again are there.
func statements(s journal.Store, c *parley.Charter, me parley.Party, sign func(origin string, root parley.Hash, rk *parley.RootKeys) []byte) ([]*Statement, error) {
	logs, err := s.Logs()
	if err != nil {
		return nil, err
	}
	var out []*Statement
	for _, l := range logs {
		m := c.Member(l.Log.Party)
		if m == nil || l.Log.Channel != c.Channel() || l.Log.Lane != parley.Routine || l.Size == 0 {
			continue
		}
		r, err := s.Row(l.Log, 0)
		if err != nil {
			return nil, err
		}
		if r.Content == nil {
			continue
		}
		rk, err := rootKeysOf(r.Content.Entry, l.Log.Gen, m, l.Log.Channel)
		if err != nil {
			continue // a generation like any other
		}
		st := &Statement{Log: l.Log, Salt: r.Content.Salt, Entry: r.Content.Entry, keys: rk}
		sig := r.Sig
		if l.Log.Party == me && sign != nil {
			sig = sign(l.Log.Origin(), st.head().Root, rk)
		}
		if len(sig) == 64 {
			st.Sig = [64]byte(sig)
			out = append(out, st)
		}
	}
	return out, nil
}

// seed gives a record that lacks them the statements of the directory's file,
// so that it knows its own keys in force, and whom to let in.
func seed(dir string, s *store.SQLite, c *parley.Charter, stored uint64) error {
	b, err := os.ReadFile(filepath.Join(dir, fileNewKeys))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fileError(err)
	}
	ss, err := ParseStatements(b, c)
	if err != nil {
		return err
	}
	logs, err := s.Logs()
	if err != nil {
		return err
	}
	held := map[parley.LogID]bool{}
	for _, l := range logs {
		held[l.Log] = l.Size > 0
	}
	var batch journal.Batch
	for _, st := range ss {
		if held[st.Log] {
			continue
		}
		held[st.Log] = true
		var t journal.Tree
		leaf := st.leaf()
		batch.Rows = append(batch.Rows, journal.Row{Log: st.Log, Leaf: leaf, Hashes: t.Append(leaf.Hash()), Sig: st.Sig[:],
			Content: &journal.Content{Salt: st.Salt, Entry: st.Entry}, Stored: stored})
		batch.Heads = append(batch.Heads, st.head())
	}
	if batch.Empty() {
		return nil
	}
	return s.Commit(&batch)
}

// saveStatements writes what the record knows of new keys into the directory,
// besides what the file has already.
func saveStatements(dir string, ss []*Statement, c *parley.Charter) error {
	path := filepath.Join(dir, fileNewKeys)
	if b, err := os.ReadFile(path); err == nil {
		if old, err := ParseStatements(b, c); err == nil {
			for _, o := range old {
				if !hasStatement(ss, o) {
					ss = append(ss, o)
				}
			}
		}
	}
	if len(ss) == 0 {
		return nil
	}
	return write(path, EncodeStatements(ss), 0o644, true)
}

func hasStatement(ss []*Statement, o *Statement) bool {
	for _, s := range ss {
		if s.Log == o.Log {
			return true
		}
	}
	return false
}
