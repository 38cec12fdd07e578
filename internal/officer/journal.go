package officer

import (
	"crypto/ed25519"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"parley"
	"parley/journal"
	"parley/release"
)

// entry is one line of the journal: who did what to what, and what the fold
// needs of it. Texts of drafts are never in it.
type entry struct {
	Time    time.Time // of the machine; never before that of the entry above
	Act     Act
	Actor   ID
	Session parley.Hash // zero: none
	Key     release.ID  // zero: none
	Object  string
	Data    []byte // the event, by Act
}

func (e *entry) fields(c *coder) {
	c.time(&e.Time)
	act := string(e.Act)
	c.text(&act, 32)
	e.Act = Act(act)
	c.officer(&e.Actor)
	c.hash(&e.Session)
	c.key(&e.Key)
	c.text(&e.Object, 64)
	c.bytes(&e.Data, maxRecord)
}

// event is what an act says beyond the entry. apply changes the state, after
// it has checked that the event fits; it is the same at the time and at every
// later start.
type event interface {
	record
	act() Act
	apply(s *state, e *entry) error
}

// leaf is the RFC 6962 leaf of an encoded entry.
func leaf(data []byte) parley.Hash {
	return sha256.Sum256(append([]byte{0}, data...))
}

// batch is what becomes durable as one.
type batch struct {
	by     *Session // who does it; nil: nobody is signed in, or the book itself
	now    time.Time
	events []event
	object []string
	put    map[parley.Hash][]byte // texts, plain
	drop   []parley.Hash
	ended  []parley.Hash // sessions
}

func (b *Book) batch(by *Session) *batch {
	return &batch{by: by, now: b.cfg.Now(), put: map[parley.Hash][]byte{}}
}

func (x *batch) add(object string, e event) *batch {
	x.events, x.object = append(x.events, e), append(x.object, object)
	return x
}

// keep adds a text under its hash.
func (b *Book) keep(x *batch, data []byte) (parley.Hash, error) {
	bl := blob{Data: data}
	if err := b.random(bl.Salt[:]); err != nil {
		return parley.Hash{}, err
	}
	plain := encode(&bl)
	h := parley.Hash(sha256.Sum256(plain))
	x.put[h] = plain
	return h, nil
}

func (b *Book) random(p []byte) error {
	if _, err := io.ReadFull(b.cfg.Rand, p); err != nil {
		return parley.Errorf(CodeFailed, "%w", err)
	}
	return nil
}

// row is an entry ready to be written.
type row struct {
	data, sig []byte
}

// commit makes a batch durable, and only then returns. The fold goes first, on
// the entry as a later start will read it: what it refuses was not written. If
// anything fails after the state has changed, the book ends, and the next Open
// says what is true.
func (b *Book) commit(x *batch) error {
	if b.failed != nil {
		return b.failed
	}
	rows := make([]row, 0, len(x.events))
	for i, ev := range x.events {
		e := entry{Time: x.now.UTC().Truncate(time.Millisecond), Act: ev.act(), Object: x.object[i], Data: encode(ev)}
		if e.Time.Before(b.state.last) {
			e.Time = b.state.last
		}
		if x.by != nil {
			e.Actor, e.Session, e.Key = x.by.Officer, x.by.Hash, x.by.Key
		}
		data := encode(&e)
		if err := b.state.take(data); err != nil {
			if i > 0 {
				b.failed = err
			}
			return err
		}
		b.hashes = append(b.hashes, b.tree.Append(leaf(data))...)
		rows = append(rows, row{data, journal.SignHead(b.secret.sign, b.origin, b.tree.Size(), b.tree.Root())})
	}
	if err := b.write(x, rows); err != nil {
		b.failed = err
		return err
	}
	for h, plain := range x.put {
		b.texts[h] = plain
	}
	for _, h := range x.drop {
		delete(b.texts, h)
	}
	for _, h := range x.ended {
		delete(b.live, h)
	}
	return nil
}

func (b *Book) write(x *batch, rows []row) (err error) {
	tx, err := b.conn.BeginTx(bg, nil)
	if err != nil {
		return classify(err)
	}
	defer tx.Rollback()
	first := b.tree.Size() - uint64(len(rows))
	for i, r := range rows {
		if _, err := tx.Exec(`INSERT INTO entries (idx, data, sig) VALUES (?1, ?2, ?3)`, int64(first)+int64(i), r.data, r.sig); err != nil {
			return classify(err)
		}
	}
	for h, plain := range x.put {
		sealed, err := b.secret.sealBlob(h, plain, b.cfg.Rand)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`INSERT INTO blobs (hash, sealed) VALUES (?1, ?2)`, h[:], sealed); err != nil {
			return classify(err)
		}
	}
	for _, h := range x.drop {
		if _, err := tx.Exec(`DELETE FROM blobs WHERE hash = ?1`, h[:]); err != nil {
			return classify(err)
		}
	}
	for _, h := range x.ended {
		if _, err := tx.Exec(`DELETE FROM sessions WHERE hash = ?1`, h[:]); err != nil {
			return classify(err)
		}
	}
	if err := tx.Commit(); err != nil {
		return classify(err)
	}
	return writeFile(beside(b.cfg.Path, ".head"), b.note())
}

// note is the newest head as a C2SP checkpoint signed by the book's key.
func (b *Book) note() []byte {
	size, root := b.tree.Size(), b.tree.Root()
	sig := journal.SignHead(b.secret.sign, b.origin, size, root)
	cp := journal.Checkpoint{Origin: b.origin, Size: size, Root: root, Lines: []journal.Line{journal.HeadLine(b.origin, b.public(), sig)}}
	return cp.Encode()
}

func (b *Book) public() ed25519.PublicKey { return b.secret.sign.Public().(ed25519.PublicKey) }

func originOf(p parley.Party, key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return fmt.Sprintf("parley-officers/%d/%s", p, hex.EncodeToString(sum[:8]))
}

// touch writes when a session was used, at most once in a minute; it is no
// fact of the journal.
func (b *Book) touch(h parley.Hash, at time.Time) error {
	_, err := b.conn.ExecContext(bg, `INSERT INTO sessions (hash, seen) VALUES (?1, ?2) ON CONFLICT (hash) DO UPDATE SET seen = ?2`, h[:], at.UnixMilli())
	if err != nil && !errors.Is(err, sql.ErrConnDone) {
		b.failed = classify(err)
	}
	return classify(err)
}

// read is the encoded entry at an index.
func (b *Book) read(index uint64) (data []byte, err error) {
	err = b.conn.QueryRowContext(bg, `SELECT data FROM entries WHERE idx = ?1`, int64(index)).Scan(&data)
	return data, classify(err)
}
