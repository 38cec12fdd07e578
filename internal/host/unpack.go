package host

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"io"
	"math"
	"path/filepath"
	"time"

	"parley"
	"parley/internal/store"
	"parley/journal"
)

// keyStamp is the value of space "self" that marks a record as a copy: it holds
// the own generation at the time of the copy. As long as that is the current
// one, the record opens in doubt only (protocol 7.8, case c); the generation
// that then begins makes the stamp void in the same transaction.
const keyStamp = "copy"

// batchBytes is about how much of a record is committed at once.
const batchBytes = 1 << 20

// unpacker builds a record from a backup's sections.
type unpacker struct {
	r     *sectionReader
	s     *store.SQLite
	head  *backupHead
	ch    parley.Hash
	step  func(done, total uint64)
	got   *BackedUp
	batch journal.Batch
	bytes int

	log    *journal.LogState // that is being read
	tree   journal.Tree
	values uint64
	sig    []byte // of the node that made it
}

// unpack reads a backup's plain form into a new record at path, stamped as a
// copy, and checks it in full. accept, which may be nil, is asked whether this
// is the backup that is wanted, before anything is written.
func unpack(plain io.Reader, name, path string, key [32]byte, accept func(*backupHead, *parley.SignedCharter) error, step Step) (*BackedUp, error) {
	u := &unpacker{r: &sectionReader{bufio.NewReaderSize(plain, 64<<10), name, sha256.New()}, step: step.of("restoring")}
	charter, err := u.begin(accept)
	if err != nil {
		return nil, err
	}
	if u.s, err = store.Open(path, store.Options{DataKey: key}); err != nil {
		return nil, spaceError(err, filepath.Dir(path))
	}
	err = u.rows()
	if err == nil {
		err = u.stamp()
	}
	if err == nil {
		err = u.vouched(charter)
	}
	if err == nil {
		err = checkWhole(u.s, charter, CodeSealed, step.of("checking"))
	}
	if cerr := u.s.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, spaceError(err, filepath.Dir(path))
	}
	return u.got, nil
}

// spaceError gives the store's words for a full disk the remedy that fits a
// copy. SQLite knows a full disk under several names; that little is free tells.
func spaceError(err error, dir string) error {
	free, known := roomIn(dir)
	if c := parley.CodeOf(err); c == store.CodeFull || c == store.CodeFailed && known && free < 1<<20 {
		return parley.Errorf(CodeSpace, "no room for the record in %s", dir)
	}
	return err
}

func (u *unpacker) begin(accept func(*backupHead, *parley.SignedCharter) error) (*parley.Charter, error) {
	if err := u.r.begin(); err != nil {
		return nil, err
	}
	tag, payload, err := u.r.next()
	if err != nil {
		return nil, err
	}
	if tag != tagBackup {
		return nil, u.r.damaged(errors.New("it does not begin with its heading"))
	}
	if u.head, err = parseBackupHead(payload); err != nil {
		return nil, u.r.damaged(err)
	}
	signed, charter, err := parley.ParseSignedCharter(u.head.Charter)
	if err != nil {
		return nil, u.r.damaged(err)
	}
	if accept != nil {
		if err := accept(u.head, signed); err != nil {
			return nil, err
		}
	}
	u.ch = signed.Channel()
	u.got = &BackedUp{Name: u.head.Name, Channel: u.ch.String(), Charter: charter.Name, Logs: u.head.Logs,
		Time: time.Unix(int64(u.head.Time), 0).UTC(), roots: map[parley.LogID]rooted{}}
	return charter, nil
}

// rows reads everything after the heading.
func (u *unpacker) rows() error {
	for {
		tag, payload, err := u.r.next()
		if err != nil {
			return err
		}
		switch tag {
		case tagCopied:
			err = u.newLog(payload)
		case tagRows:
			err = u.entries(payload)
		case tagCosigs:
			err = u.cosigs(payload)
		case tagValue:
			err = u.value(payload)
		case tagEnd:
			return u.end(payload)
		default:
			err = u.r.damaged(errors.New("a section of an unknown kind"))
		}
		if err != nil {
			return err
		}
	}
}

func (u *unpacker) newLog(payload []byte) error {
	if err := u.closeLog(); err != nil {
		return err
	}
	s, err := parseState(payload, u.ch)
	if err != nil {
		return u.r.damaged(err)
	}
	if _, twice := u.got.roots[s.Log]; twice {
		return u.r.damaged(errors.New("a log occurs twice"))
	}
	u.log, u.tree = s, journal.Tree{}
	return nil
}

// closeLog ends the log that was read: it must have the size that it said.
func (u *unpacker) closeLog() error {
	if u.log == nil {
		return nil
	}
	if u.tree.Size() != u.log.Size {
		return u.r.damaged(errors.New("a log is not whole"))
	}
	if u.log.Head != nil {
		u.batch.Heads = append(u.batch.Heads, *u.log.Head)
	}
	u.got.roots[u.log.Log] = rooted{u.tree.Size(), u.tree.Root()}
	u.log = nil
	return u.commit(batchBytes)
}

func (u *unpacker) entries(payload []byte) error {
	if u.log == nil {
		return u.r.damaged(errors.New("entries of no log"))
	}
	d := parley.NewDecoder(payload, 3)
	for range d.Array(1, maxItems) {
		r := parseRow(d)
		if d.Err() != nil || u.tree.Size() >= u.log.Size {
			break
		}
		r.Log, r.Index = u.log.Log, u.tree.Size()
		r.Hashes = u.tree.Append(r.Leaf.Hash())
		u.batch.Rows = append(u.batch.Rows, r)
		u.bytes += 300
		if u.got.Entries++; r.Content != nil {
			u.bytes += len(r.Content.Entry)
		} else {
			u.got.Unopened++
		}
	}
	if err := d.End(); err != nil {
		return u.r.damaged(err)
	}
	u.step(u.got.Entries, max(u.head.Entries, u.got.Entries))
	return u.commit(batchBytes)
}

func (u *unpacker) cosigs(payload []byte) error {
	if u.log == nil {
		return u.r.damaged(errors.New("cosignatures of no log"))
	}
	d := parley.NewDecoder(payload, 2)
	for range d.Array(1, maxItems) {
		c := parseCosig(d)
		c.Log = u.log.Log
		u.batch.Cosigs = append(u.batch.Cosigs, c)
		u.got.Cosigs++
		u.bytes += 150 + len(c.Sig)
	}
	if err := d.End(); err != nil {
		return u.r.damaged(err)
	}
	return u.commit(batchBytes)
}

func (u *unpacker) value(payload []byte) error {
	d := parley.NewDecoder(payload, 1)
	d.Array(3, 3)
	p := journal.Put{Space: d.Text(1, 64), Key: d.Text(0, 4096), Value: d.Bytes(0, math.MaxInt32)}
	if err := d.End(); err != nil {
		return u.r.damaged(err)
	}
	u.values++
	u.batch.Puts = append(u.batch.Puts, p)
	u.bytes += len(p.Value)
	return u.commit(batchBytes)
}

func (u *unpacker) end(payload []byte) error {
	if err := u.closeLog(); err != nil {
		return err
	}
	d := parley.NewDecoder(payload, 1)
	d.Array(4, 4)
	var n [4]uint64
	for i := range n {
		n[i] = d.Uint(parley.MaxUint)
	}
	if err := d.End(); err != nil {
		return u.r.damaged(err)
	}
	if n != [4]uint64{uint64(len(u.got.roots)), u.got.Entries, u.got.Cosigs, u.values} || n[0] != u.head.Logs || n[1] != u.head.Entries {
		return u.r.damaged(errors.New("it does not hold what it says"))
	}
	tag, sig, err := u.r.next()
	if err != nil {
		return err
	}
	if tag != tagSigned {
		return u.r.damaged(errors.New("it is not signed"))
	}
	u.sig = sig
	return u.r.end()
}

// stamp marks the record as a copy, last of all.
func (u *unpacker) stamp() error {
	u.batch.Puts = append(u.batch.Puts, journal.Put{Space: "self", Key: keyStamp, Value: u.head.Gen[:]})
	return u.commit(0)
}

// commit makes durable what was gathered once it is more than a bound.
func (u *unpacker) commit(above int) error {
	if u.bytes < above {
		return nil
	}
	err := u.s.Commit(&u.batch)
	u.batch, u.bytes = journal.Batch{}, 0
	return err
}
