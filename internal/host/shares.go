package host

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"

	"parley"
	"parley/seal"
)

// Codes of root shares.
const (
	CodeShare   parley.Code = "bad-share"
	CodeTooFew  parley.Code = "too-few-shares"
	CodeNotRoot parley.Code = "not-this-root"
)

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeShare:   "Compare this share with its paper, line by line; each line ends with four digits of its own. If it is damaged, use another share.",
	CodeTooFew:  "Fetch more shares of the same set. If too few are left for ever, the members make a new charter: docs/manual/lost-root.md.",
	CodeNotRoot: "Nothing was written. Use the shares, or the root key file, of the party whose card this is.",
})

// Share is one share of a root: enough of them rebuild it, fewer say nothing
// about it. It is text that can be printed and typed again.
type Share struct {
	Party string
	Root  string // words of the root's public keys
	Set   string // what the shares of one splitting have in common
	X     byte
	Need  int
	Of    int
	value []byte
}

const (
	shareMagic = "parley root share 1"
	shareRow   = 16 // bytes of the value in one line
)

// Encode is the share's form.
func (s *Share) Encode() []byte {
	b := fmt.Appendf(nil, "%s\nparty %s\nroot %s\nset %s\nshare %d of %d, any %d rebuild the root\n", shareMagic, s.Party, s.Root, s.Set, s.X, s.Of, s.Need)
	for i := 0; i < len(s.value); i += shareRow {
		row := s.value[i : i+shareRow]
		for j := 0; j < len(row); j += 2 {
			b = fmt.Appendf(b, "%x ", row[j:j+2])
		}
		b = fmt.Appendf(b, " %s\n", rowCheck(s, i, row))
	}
	return fmt.Appendf(b, "check %x\n", shareCheck(b))
}

// rowCheck are four digits that find a mistyped or misplaced line.
func rowCheck(s *Share, at int, row []byte) string {
	h := sha256.Sum256(fmt.Appendf(nil, "parley/share-row/1\n%s %d %d %x", s.Set, s.X, at, row))
	return hex.EncodeToString(h[:2])
}

func shareCheck(b []byte) []byte {
	h := sha256.Sum256(append([]byte("parley/share/1\n"), b...))
	return h[:8]
}

// ParseShare reads a share. Spaces at the ends of lines, empty lines and capital
// digits do no harm; name says which file it is.
func ParseShare(name string, b []byte) (*Share, error) {
	bad := func(format string, args ...any) error {
		return parley.Errorf(CodeShare, "%s: %s", name, fmt.Sprintf(format, args...))
	}
	var lines []string
	for line := range strings.Lines(string(b[:min(len(b), 64<<10)])) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	const rows = 2 * 32 / shareRow
	if len(lines) != 6+rows || lines[0] != shareMagic {
		return nil, bad("this is no share of a root, or lines of it are missing")
	}
	s := &Share{}
	var ok [3]bool
	s.Party, ok[0] = strings.CutPrefix(lines[1], "party ")
	s.Root, ok[1] = strings.CutPrefix(lines[2], "root ")
	s.Set, ok[2] = strings.CutPrefix(lines[3], "set ")
	var x int
	if _, err := fmt.Sscanf(lines[4], "share %d of %d, any %d rebuild the root", &x, &s.Of, &s.Need); err != nil || ok != [3]bool{true, true, true} {
		return nil, bad("its first lines are damaged")
	}
	s.X = byte(x)
	if x < 1 || x > s.Of || s.Need < 2 || s.Need > s.Of || s.Of > 255 {
		return nil, bad("share %d of %d, any %d: that cannot be", x, s.Of, s.Need)
	}
	for i := range rows {
		f := strings.Fields(strings.ToLower(lines[5+i]))
		row, err := hex.DecodeString(strings.Join(f[:max(len(f)-1, 0)], ""))
		if err != nil || len(row) != shareRow || f[len(f)-1] != rowCheck(s, i*shareRow, row) {
			return nil, bad("line %d of the value is wrong", i+1)
		}
		s.value = append(s.value, row...)
	}
	if whole := s.Encode(); !bytes.HasSuffix(whole, []byte("\n"+strings.ToLower(lines[5+rows])+"\n")) {
		return nil, bad("its check does not fit: one of the first lines is wrong")
	}
	return s, nil
}

// RootWords name a root for people.
func RootWords(rootEd, rootPQ []byte) string {
	id := parley.RootID(rootEd, rootPQ)
	return seal.Words(id[:])
}

// SplitRoot makes shares of the root in a root key file: of people each get one,
// and any need of them together rebuild it.
func SplitRoot(path, passphrase, party string, need, of int) ([]*Share, error) {
	if need < 2 || need > of || of > 255 {
		return nil, parley.Errorf(parley.CodeOutOfRange, "%d of %d shares: at least 2 must be needed, and not more than there are, 255 at most", need, of)
	}
	if err := parley.CheckName(party); err != nil {
		return nil, err
	}
	seeds, err := rootSeeds(path, passphrase)
	if err != nil {
		return nil, err
	}
	root, err := seal.RootFromSeeds(seeds)
	if err != nil {
		return nil, err
	}
	coefficients := make([][]byte, need-1)
	for i := range coefficients {
		coefficients[i] = make([]byte, len(seeds))
		rand.Read(coefficients[i])
	}
	set := make([]byte, 4)
	rand.Read(set)
	var out []*Share
	for x := 1; x <= of; x++ {
		out = append(out, &Share{Party: party, Root: RootWords(root.EdPublic(), root.PQPublic()), Set: hex.EncodeToString(set),
			X: byte(x), Need: need, Of: of, value: split(seeds, coefficients, byte(x))})
	}
	return out, nil
}

// TryShares proves that shares rebuild the root of a card, and writes nothing.
func TryShares(shares []*Share, card *seal.Card) error {
	_, err := rebuildRoot(shares, card)
	return err
}

// CombineRoot rebuilds a root from shares, proves that it is the card's, and
// writes it under a new passphrase to path, where nothing may be.
func CombineRoot(shares []*Share, card *seal.Card, path, passphrase string) error {
	seeds, err := rebuildRoot(shares, card)
	if err != nil {
		return err
	}
	sealed, err := sealRoot(seeds, passphrase)
	if err != nil {
		return err
	}
	if err := write(path, sealed, 0o600, false); err != nil {
		return err
	}
	_, err = OpenRoot(path, passphrase)
	return err
}

func rebuildRoot(shares []*Share, card *seal.Card) ([]byte, error) {
	seeds, err := joinShares(shares)
	if err != nil {
		return nil, err
	}
	root, err := seal.RootFromSeeds(seeds)
	if err != nil {
		return nil, err
	}
	if RootWords(root.EdPublic(), root.PQPublic()) != shares[0].Root {
		return nil, parley.Errorf(CodeShare, "what the shares give is not the root that they name: one of them was changed")
	}
	if !bytes.Equal(card.RootEd, root.EdPublic()) || !bytes.Equal(card.RootPQ, root.PQPublic()) {
		return nil, parley.Errorf(CodeNotRoot, "the shares are of another root than that of %s's card", card.Name)
	}
	return seeds, nil
}

func joinShares(shares []*Share) ([]byte, error) {
	if len(shares) == 0 {
		return nil, parley.Errorf(CodeTooFew, "no share was given")
	}
	first := shares[0]
	seen := map[byte]bool{}
	var xs []byte
	var values [][]byte
	for _, s := range shares {
		if s.Set != first.Set || s.Root != first.Root || s.Need != first.Need || s.Of != first.Of {
			return nil, parley.Errorf(CodeShare, "shares %d and %d are not of one set: %s and %s", first.X, s.X, first.Set, s.Set)
		}
		if seen[s.X] || len(xs) == first.Need {
			continue
		}
		seen[s.X] = true
		xs, values = append(xs, s.X), append(values, s.value)
	}
	if len(xs) < first.Need {
		return nil, parley.Errorf(CodeTooFew, "%d different shares were given and %d are needed", len(xs), first.Need)
	}
	return combine(xs, values), nil
}

// rootSeeds opens a root key file with its passphrase.
func rootSeeds(path, passphrase string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fileError(err)
	}
	defer f.Close()
	id, err := PassphraseIdentity(passphrase)
	if err != nil {
		return nil, err
	}
	r, err := age.Decrypt(armor.NewReader(io.LimitReader(f, 64<<10)), id)
	if errors.Is(err, age.ErrIncorrectIdentity) {
		return nil, parley.Errorf(seal.CodePassphrase, "%s does not open with this passphrase", path)
	}
	var seeds []byte
	if err == nil {
		seeds, err = io.ReadAll(io.LimitReader(r, 4096))
	}
	if err != nil {
		return nil, parley.Errorf(seal.CodeSecrets, "%s is damaged: %w", path, err)
	}
	return seeds, nil
}

// OpenRoot opens a root key file with its passphrase.
func OpenRoot(path, passphrase string) (*seal.Root, error) {
	seeds, err := rootSeeds(path, passphrase)
	if err != nil {
		return nil, err
	}
	return seal.RootFromSeeds(seeds)
}

// RootPath is where a party's root key lies if it was not moved away.
func RootPath(dir string) string { return filepath.Join(dir, fileRoot) }
