package officer

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"

	"parley"
)

// The book's files: officers.db with the journal, officers.key with the secret
// that signs its heads and seals texts of drafts, officers.head with the newest
// signed head, so that a database put back from an older copy is found.
const (
	applicationID = 0x504f4646 // "POFF"
	schemaVersion = 1
	keyHeader     = "parley/officers-key/1\n"
)

const schema = `
CREATE TABLE entries (
	idx  INTEGER PRIMARY KEY,
	data BLOB NOT NULL,
	sig  BLOB NOT NULL         -- of the book's key, on the head of size idx+1
) STRICT;
CREATE TABLE blobs (           -- texts of open drafts, sealed; named by their hash
	hash   BLOB PRIMARY KEY,
	sealed BLOB NOT NULL
) WITHOUT ROWID, STRICT;
CREATE TABLE sessions (        -- when a session was last used; which sessions exist, the journal says
	hash BLOB PRIMARY KEY,
	seen INTEGER NOT NULL      -- unix milliseconds
) WITHOUT ROWID, STRICT;
PRAGMA application_id = 1347372614;
PRAGMA user_version = 1;`

// secrets are what the key file holds, taken apart.
type secrets struct {
	sign ed25519.PrivateKey
	seal cipher.AEAD
	demo [32]byte // seeds the keys of a demonstration
}

func newSecrets(root []byte) (*secrets, error) {
	part := func(name string) []byte {
		b, err := hkdf.Key(sha256.New, root, nil, "parley/officers/"+name+"/1", 32)
		if err != nil {
			panic("officer: " + err.Error()) // a fixed length is always possible
		}
		return b
	}
	block, err := aes.NewCipher(part("seal"))
	if err != nil {
		return nil, err
	}
	s := &secrets{sign: ed25519.NewKeyFromSeed(part("sign")), demo: [32]byte(part("demo"))}
	s.seal, err = cipher.NewGCM(block)
	return s, err
}

// beside is a file next to the database.
func beside(path, ext string) string { return strings.TrimSuffix(path, filepath.Ext(path)) + ext }

// openKey reads the key file, or makes it for a new book.
func openKey(path string, fresh bool, rand io.Reader) (*secrets, error) {
	name := beside(path, ".key")
	b, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) && fresh {
		root := make([]byte, 32)
		if _, err := io.ReadFull(rand, root); err != nil {
			return nil, parley.Errorf(CodeFailed, "%w", err)
		}
		b = []byte(keyHeader + hex.EncodeToString(root) + "\n")
		if err := writeFile(name, b); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, parley.Errorf(CodeBook, "the key of the book cannot be read: %w", err)
	}
	text, ok := strings.CutPrefix(string(b), keyHeader)
	root, err := hex.DecodeString(strings.TrimSuffix(text, "\n"))
	if !ok || err != nil || len(root) != 32 {
		return nil, parley.Errorf(CodeBook, "%s is not the key of a book", name)
	}
	return newSecrets(root)
}

// writeFile replaces a file as a whole, readable by its owner only.
func writeFile(name string, b []byte) error {
	f, err := os.OpenFile(name+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return parley.Errorf(CodeFailed, "%w", err)
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(name+".new", name)
	}
	if err != nil {
		return parley.Errorf(CodeFailed, "%w", err)
	}
	return nil
}

var bg = context.Background()

// openDatabase opens or makes the file for this process alone: the lock of
// SQLite's exclusive mode lasts as long as the connection.
func openDatabase(path string) (_ *sql.DB, _ *sql.Conn, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, parley.Errorf(CodeFailed, "%w", err)
	}
	f.Close()
	q := url.Values{"mode": {"rw"}, "_pragma": {"busy_timeout(200)", "locking_mode(EXCLUSIVE)", "synchronous(FULL)", "fullfsync(1)",
		"checkpoint_fullfsync(1)", "secure_delete(1)", "temp_store(MEMORY)", "cell_size_check(1)", "trusted_schema(0)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, nil, classify(err)
	}
	db.SetMaxOpenConns(1)
	var conn *sql.Conn
	defer func() {
		if err != nil {
			if conn != nil {
				conn.Close() // a connection in use would keep the lock
			}
			db.Close()
		}
	}()
	if conn, err = db.Conn(bg); err != nil {
		return nil, nil, classify(err)
	}
	var mode string
	if err = conn.QueryRowContext(bg, "PRAGMA journal_mode=WAL").Scan(&mode); err != nil {
		return nil, nil, classify(err)
	}
	if mode != "wal" {
		return nil, nil, parley.Errorf(CodeFailed, "the file system does not allow a write-ahead log (%s)", mode)
	}
	if err = prepare(conn, path); err != nil {
		return nil, nil, err
	}
	return db, conn, nil
}

// prepare makes the tables of an empty file, and refuses another's.
func prepare(conn *sql.Conn, path string) error {
	var id, version, tables int64
	for _, q := range []struct {
		text string
		to   *int64
	}{{"PRAGMA application_id", &id}, {"PRAGMA user_version", &version}, {"SELECT count(*) FROM sqlite_schema", &tables}} {
		if err := conn.QueryRowContext(bg, q.text).Scan(q.to); err != nil {
			return classify(err)
		}
	}
	switch {
	case id == 0 && version == 0 && tables == 0:
		_, err := conn.ExecContext(bg, "BEGIN EXCLUSIVE;"+schema+"COMMIT")
		return classify(err)
	case id == applicationID && version > schemaVersion:
		return parley.Errorf(CodeVersion, "%s has version %d; this program knows up to %d", path, version, schemaVersion)
	case id != applicationID || version != schemaVersion || tables != 3:
		return parley.Errorf(CodeBook, "%s is not a book of officers", path)
	}
	_, err := conn.ExecContext(bg, "BEGIN EXCLUSIVE; COMMIT") // takes the lock
	return classify(err)
}

// classify gives an error of the database its code.
func classify(err error) error {
	if err == nil {
		return nil
	}
	var e *sqlite.Error
	if errors.As(err, &e) {
		switch e.Code() & 0xff {
		case 5, 6: // SQLITE_BUSY, SQLITE_LOCKED
			return parley.Errorf(CodeInUse, "another process uses the book of officers")
		case 1, 11, 26: // SQLITE_ERROR (a table is missing), SQLITE_CORRUPT, SQLITE_NOTADB
			return parley.Errorf(CodeBook, "the database is damaged: %w", err)
		}
	}
	if parley.CodeOf(err) != "" {
		return err
	}
	return parley.Errorf(CodeFailed, "%w", err)
}

// blob is a text of a draft under its hash. The salt keeps the hash, which the
// journal shows, from telling a guessed text.
type blob struct {
	Salt parley.Hash
	Data []byte
}

func (b *blob) fields(c *coder) {
	c.hash(&b.Salt)
	c.bytes(&b.Data, maxRecord)
}

func (s *secrets) sealBlob(hash parley.Hash, plain []byte, rand io.Reader) ([]byte, error) {
	nonce := make([]byte, s.seal.NonceSize())
	if _, err := io.ReadFull(rand, nonce); err != nil {
		return nil, parley.Errorf(CodeFailed, "%w", err)
	}
	return s.seal.Seal(nonce, nonce, plain, hash[:]), nil
}

func (s *secrets) openBlob(hash parley.Hash, sealed []byte) ([]byte, error) {
	n := s.seal.NonceSize()
	if len(sealed) < n {
		return nil, parley.Errorf(CodeBook, "a text of a draft is cut short")
	}
	plain, err := s.seal.Open(nil, sealed[:n], sealed[n:], hash[:])
	sum := sha256.Sum256(plain)
	if err != nil || !bytes.Equal(sum[:], hash[:]) {
		return nil, parley.Errorf(CodeBook, "a text of a draft does not open")
	}
	return plain, nil
}
