package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"parley"
	"parley/journal"
)

// Numbers in the database file's header.
const (
	applicationID = 0x5041524c // "PARL"
	schemaVersion = 1
)

// migrations[n] takes a record from version n to n+1. They only go forward.
//
// The tree needs no table: the hashes that a leaf completes stand as one blob
// in its row, so the stored hash (level, n) lies in row (n+1)<<level - 1 at
// byte 32*level. Names and keys are blobs: any bytes, ordered as bytes.
var migrations = [schemaVersion]string{`
CREATE TABLE meta (
	name  TEXT PRIMARY KEY,
	value BLOB NOT NULL
) WITHOUT ROWID, STRICT;
CREATE TABLE logs (
	id        INTEGER PRIMARY KEY,
	channel   BLOB NOT NULL,
	party     INTEGER NOT NULL,
	lane      INTEGER NOT NULL,
	gen       BLOB NOT NULL,
	size      INTEGER NOT NULL,
	head_size INTEGER NOT NULL, -- newest head with its author's signature
	head_root BLOB,
	head_sig  BLOB,             -- NULL: no signed head
	UNIQUE (channel, party, lane, gen)
) STRICT;
CREATE TABLE entries (
	log        INTEGER NOT NULL,
	idx        INTEGER NOT NULL,
	audience   INTEGER NOT NULL,
	commitment BLOB NOT NULL,
	hashes     BLOB NOT NULL,
	sig        BLOB,
	content    BLOB,             -- sealed: salt and entry; NULL: not opened to this node
	standing   INTEGER NOT NULL,
	stored     INTEGER NOT NULL, -- unix milliseconds
	sum        INTEGER NOT NULL, -- CRC-32C of the row but for its content
	PRIMARY KEY (log, idx)
) WITHOUT ROWID, STRICT;
CREATE TABLE signers (       -- who cosigned heads of a log, with which kind of key
	id   INTEGER PRIMARY KEY,
	log  INTEGER NOT NULL,
	name BLOB NOT NULL,
	pq   INTEGER NOT NULL,
	UNIQUE (log, name, pq)
) STRICT;
CREATE TABLE cosigs (
	signer     INTEGER NOT NULL,
	size       INTEGER NOT NULL,
	first_time INTEGER NOT NULL,
	first_sig  BLOB NOT NULL,
	last_time  INTEGER NOT NULL, -- equal to first_time: only one is held
	last_sig   BLOB,
	sum        INTEGER NOT NULL, -- CRC-32C of the row with its signer
	PRIMARY KEY (signer, size)
) WITHOUT ROWID, STRICT;
CREATE TABLE vals (
	space  BLOB NOT NULL,
	key    BLOB NOT NULL,
	value  BLOB NOT NULL,        -- sealed if secret
	secret INTEGER NOT NULL,
	sum    INTEGER NOT NULL,     -- CRC-32C
	PRIMARY KEY (space, key)
) WITHOUT ROWID, STRICT;
`}

// conn is what schema steps need of a connection.
type conn interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func pragmaInt(c conn, name string) (v int64, err error) {
	err = c.QueryRowContext(bg, "PRAGMA "+name).Scan(&v)
	return
}

// identify tells whose file it is before anything is written to it, and
// returns its schema version: 0 for an empty file. A file with the tables of
// this version is a record, whatever a damaged header says.
func identify(c conn, path string) (int64, error) {
	id, err := pragmaInt(c, "application_id")
	if err != nil {
		return 0, classify(err, "reading "+path)
	}
	version, err := pragmaInt(c, "user_version")
	if err != nil {
		return 0, classify(err, "reading "+path)
	}
	tables, err := tablesOf(c)
	if err != nil {
		return 0, classify(err, "reading "+path)
	}
	ours, err := ourTables()
	if err != nil {
		return 0, err
	}
	switch {
	case id == 0 && version == 0 && tables == "":
		return 0, nil
	case tables == ours && (id != applicationID || version != schemaVersion):
		return 0, parley.Errorf(journal.CodeDamaged, "%s: the database's header is damaged: it says application %#x, version %d", path, id, version)
	case id != applicationID || version < 1:
		return 0, parley.Errorf(CodeForeign, "%s is a database of another program", path)
	case version > schemaVersion:
		return 0, parley.Errorf(CodeVersion, "%s has version %d; this program knows up to %d", path, version, schemaVersion)
	case version == schemaVersion && tables != ours:
		return 0, parley.Errorf(journal.CodeDamaged, "%s: the tables are not those of a record", path)
	}
	return version, nil
}

// tablesOf is the schema as SQLite keeps it, but for where the tables lie.
func tablesOf(c conn) (text string, err error) {
	err = c.QueryRowContext(bg, `SELECT coalesce(group_concat(concat_ws(' ', rowid, type, name, tbl_name, sql,
			typeof(type), typeof(name), typeof(tbl_name), typeof(rootpage), typeof(sql)), char(10)), '')
		FROM (SELECT rowid, * FROM sqlite_schema ORDER BY name)`).Scan(&text)
	return
}

// ourTables is the schema of this version, as SQLite writes it down.
var ourTables = sync.OnceValues(func() (string, error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return "", classify(err, "making the tables")
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, m := range migrations {
		if _, err := db.Exec(m); err != nil {
			return "", classify(err, "making the tables")
		}
	}
	text, err := tablesOf(db)
	return text, classify(err, "making the tables")
})

// harden sets what durability rests on and reads it back, since SQLite
// answers a setting that it cannot make with the old one and no error.
func harden(c conn) error {
	var mode string
	if err := c.QueryRowContext(bg, "PRAGMA journal_mode=WAL").Scan(&mode); err != nil {
		return classify(err, "choosing the write-ahead log")
	}
	if mode != "wal" {
		return parley.Errorf(CodeUnsafe, "the journal mode is %q, not the write-ahead log", mode)
	}
	for _, p := range []struct {
		name string
		want int64
	}{{"synchronous", 2}, {"secure_delete", 1}, {"fullfsync", 1}, {"checkpoint_fullfsync", 1}} {
		got, err := pragmaInt(c, p.name)
		if err != nil {
			return classify(err, "reading a setting")
		}
		if got != p.want {
			return parley.Errorf(CodeUnsafe, "the setting %s is %d and must be %d", p.name, got, p.want)
		}
	}
	return nil
}

// migrate brings the record to schemaVersion in one transaction; a new record
// also gets the check value of its data key.
func migrate(db conn, from int64, box sealer) (err error) {
	if from == schemaVersion {
		return nil
	}
	if _, err := db.ExecContext(bg, "BEGIN IMMEDIATE"); err != nil {
		return classify(err, "preparing the record")
	}
	defer func() {
		if err != nil {
			db.ExecContext(bg, "ROLLBACK")
			err = classify(err, "preparing the record")
		}
	}()
	for _, m := range migrations[from:] {
		if _, err = db.ExecContext(bg, m); err != nil {
			return err
		}
	}
	if from == 0 {
		if _, err = db.ExecContext(bg, "INSERT INTO meta VALUES ('check', ?)", box.seal([]byte(checkText), checkPlace)); err != nil {
			return err
		}
	}
	for _, mark := range []string{
		fmt.Sprintf("PRAGMA application_id = %d", applicationID),
		fmt.Sprintf("PRAGMA user_version = %d", schemaVersion),
	} {
		if _, err = db.ExecContext(bg, mark); err != nil {
			return err
		}
	}
	_, err = db.ExecContext(bg, "COMMIT")
	return err
}

// checkKey opens the record's check value.
func checkKey(c conn, box sealer, path string) error {
	var sealed []byte
	if err := c.QueryRowContext(bg, "SELECT value FROM meta WHERE name = 'check'").Scan(&sealed); err != nil {
		if errors.Is(err, sql.ErrNoRows) {
			return parley.Errorf(journal.CodeDamaged, "%s has lost the value by which its data key is known", path)
		}
		return classify(err, "reading the check value of "+path)
	}
	if plain, ok := box.open(sealed, checkPlace); !ok || string(plain) != checkText {
		if opensAny(c, box) {
			return parley.Errorf(journal.CodeDamaged, "%s: the value by which its data key is known is damaged", path)
		}
		return parley.Errorf(CodeKey, "the data key does not open %s", path)
	}
	return nil
}

// opensAny reports whether the key opens one of the first secret values: then
// it is the right one.
func opensAny(c conn, box sealer) bool {
	for i := range 8 {
		var space, key, sealed []byte
		row := c.QueryRowContext(bg, "SELECT space, key, value FROM vals WHERE secret = 1 ORDER BY space, key LIMIT 1 OFFSET ?", i)
		if row.Scan(&space, &key, &sealed) != nil {
			return false
		}
		if _, ok := box.open(sealed, valuePlace(string(space), string(key))); ok {
			return true
		}
	}
	return false
}
