package store

import (
	"crypto/ed25519"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley"
	"parley/internal/store/storetest"
	"parley/journal"
)

var (
	logKey  = ed25519.NewKeyFromSeed(make([]byte, 32))
	rcptKey = ed25519.NewKeyFromSeed(append(make([]byte, 31), 1))
	both    = Verifiers{
		Head: func(l parley.LogID, size uint64, root parley.Hash, sig []byte) (ok, known bool) {
			return journal.VerifyHead(logKey.Public().(ed25519.PublicKey), l.Origin(), size, root, sig), true
		},
		Cosig: func(c *journal.Cosig, root parley.Hash) (ok, known bool) {
			return journal.VerifyCosign(rcptKey.Public().(ed25519.PublicKey), c.Cosignature, c.Log.Origin(), c.Size, root), true
		},
	}
)

// signed makes a record with true signatures: two logs, receipts, values.
func signed(t *testing.T, size int) string {
	t.Helper()
	s := openNew(t)
	for n := range 2 {
		l := storetest.NewLog(n)
		for i := range size {
			r := l.Next(fmt.Sprint("entry ", i))
			r.Sig = journal.SignHead(logKey, l.ID.Origin(), l.Tree.Size(), l.Tree.Root())
			b := journal.Batch{
				Rows:  []journal.Row{r},
				Heads: []journal.SignedHead{{Log: l.ID, Size: l.Tree.Size(), Root: l.Tree.Root(), Sig: r.Sig}},
				Puts:  []journal.Put{{Space: "keys", Key: fmt.Sprint(n, i%10), Value: []byte("secret"), Secret: true}, {Space: "state", Key: fmt.Sprint(i % 10), Value: []byte("plain")}},
			}
			if i%3 == 0 {
				b.Cosigs = []journal.Cosig{{Log: l.ID, Size: l.Tree.Size(), Name: "2",
					Cosignature: journal.Cosign(rcptKey, uint64(1000+i), l.ID.Origin(), l.Tree.Size(), l.Tree.Root())}}
			}
			commit(t, s, b)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return s.path
}

// check runs Check on the record at path and lists what it says, reading
// errors included.
func check(t *testing.T, path string) (all []string) {
	t.Helper()
	s, err := Open(path, Options{DataKey: testKey, ReadOnly: true})
	if err != nil {
		return []string{err.Error()}
	}
	defer s.Close()
	var last uint64
	err = Check(s, both, func(done, total uint64) {
		if done < last || done > total {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last = done
	}, func(f Finding) { all = append(all, f.String()) })
	if err != nil {
		all = append(all, err.Error())
	}
	return all
}

// Signatures that were never right, and those over more than is held.
func TestCheckVerifiesSignatures(t *testing.T) {
	path := signed(t, 10)
	s := openAt(t, path)
	l := storetest.NewLog(0)
	states, err := s.Logs()
	if err != nil {
		t.Fatal(err)
	}
	wrong := journal.Cosig{Log: l.ID, Size: 7, Name: "3", Cosignature: journal.Cosignature{Time: 5, Sig: make([]byte, 64)}}
	beyond := wrong
	beyond.Size = 11
	root := states[0].Head.Root
	commit(t, s, journal.Batch{
		Cosigs: []journal.Cosig{wrong, beyond},
		Heads:  []journal.SignedHead{{Log: l.ID, Size: 12, Root: root, Sig: make([]byte, 64)}},
	})
	s.Close()
	log := "log " + l.ID.String()
	want := []string{
		log + ", entry 6: the cosignature of 3 over size 7, of 1970-01-01 00:00:05Z, does not fit",
		log + ": the signature of the head of size 12 does not fit",
		log + ": a cosignature of 3 is over size 11; the log has 10 entries",
	}
	if got := check(t, path); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestCheckSoundRecord(t *testing.T) {
	path := signed(t, 300)
	if got := check(t, path); len(got) != 0 {
		t.Errorf("findings in a sound record: %q", got)
	}
}

// Check names every kind of damage, with its place, and goes on to the next.
func TestCheckNamesDamage(t *testing.T) {
	path := signed(t, 40)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const row = " WHERE log = 1 AND idx = 7"
	const log1 = "log 1/FLASH/00009e0000000000"
	for name, c := range map[string]struct{ change, says string }{
		"commitment":     {"UPDATE entries SET commitment = zeroblob(32)" + row, log1 + ", entry 7: the row's checksum differs, the leaf hash does not fit"},
		"leaf hash":      {"UPDATE entries SET hashes = zeroblob(128)" + row, log1 + ", entry 7: the row's checksum differs, the leaf hash does not fit"},
		"tree hash":      {"UPDATE entries SET hashes = CAST(substr(hashes, 1, 64) || zeroblob(64) AS BLOB)" + row, log1 + ", entry 7: the row's checksum differs"},
		"content":        {"UPDATE entries SET content = zeroblob(80)" + row, log1 + ", entry 7: the content does not decrypt"},
		"row signature":  {"UPDATE entries SET sig = zeroblob(64)" + row, log1 + ", entry 7: the row's checksum differs"},
		"standing":       {"UPDATE entries SET standing = 9" + row, log1 + ", entry 7: the row's checksum differs"},
		"form":           {"UPDATE entries SET commitment = x'00'" + row, log1 + ", entry 7: the row has no valid form"},
		"row lost":       {"DELETE FROM entries" + row, log1 + ", entry 7: the row is missing"},
		"size":           {"UPDATE logs SET size = 39 WHERE id = 1", log1 + ", entry 39: the log has 40 entries and should have 39"},
		"head root":      {"UPDATE logs SET head_root = zeroblob(32) WHERE id = 1", log1 + ", entry 39: the root at size 40 differs from the signed head"},
		"head signature": {"UPDATE logs SET head_sig = zeroblob(64) WHERE id = 1", log1 + ", entry 39: the signature of the head of size 40 does not fit"},
		"head beyond":    {"UPDATE logs SET head_size = 41 WHERE id = 1", log1 + ": the signature of the head of size 41 does not fit"},
		"receipt":        {"UPDATE cosigs SET first_time = 5 WHERE signer = 1 AND size = 7", log1 + `: the checksum of the cosignatures of "2" over size 7 differs`},
		"receipt's size": {"UPDATE cosigs SET size = -88 WHERE signer = 1 AND size = 40", log1 + `: the checksum of the cosignatures of "2" over size -88 differs`},
		"whose receipt":  {"UPDATE cosigs SET signer = 9 WHERE signer = 2 AND size = 40", "cosignatures of no signer that the record knows: 1"},
		"signer":         {"UPDATE signers SET name = x'33' WHERE id = 1", log1 + `: the checksum of the cosignatures of "3" over size 1 differs`},
		"newest receipt": {"UPDATE cosigs SET first_sig = zeroblob(64) WHERE signer = 1 AND size = 40", log1 + `: the checksum of the cosignatures of "2" over size 40 differs`},
		"secret":         {"UPDATE vals SET value = zeroblob(40) WHERE space = CAST('keys' AS BLOB) AND key = CAST('0 3' AS BLOB)", `the value "0 3" of "keys": the checksum differs`},
		"value":          {"UPDATE vals SET value = x'61' WHERE space = CAST('state' AS BLOB) AND key = x'33'", `the value "3" of "state": the checksum differs`},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			raw(t, path, c.change)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := check(t, path)
			if len(got) > 2 && name != "signer" { // whose name is in the sum of each
				t.Errorf("one thing is wrong, and Check says %q", got)
			}
			if !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, c.says) }) {
				t.Errorf("%q is not among %q", c.says, got)
			}
			if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
				t.Errorf("Check changed the record (%v)", err)
			}
		})
	}
}

// dump reads the whole record as a node would.
func dump(path string) (string, error) {
	s, err := Open(path, Options{DataKey: testKey, ReadOnly: true})
	if err != nil {
		return "", err
	}
	defer s.Close()
	var b strings.Builder
	states, err := s.Logs()
	if err != nil {
		return "", err
	}
	for _, st := range states {
		fmt.Fprintln(&b, st.Log.Origin(), st.Size, st.Head)
		cs, err := s.Cosigs(st.Log, 0)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(&b, cs)
		err = s.Rows(st.Log, 0, st.Size, func(r *journal.Row) error {
			content := r.Content
			r.Content = nil
			_, err := fmt.Fprintln(&b, *r, content)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	for _, space := range []string{"keys", "state"} {
		if err := s.Values(space, func(k string, v []byte) error { _, err := fmt.Fprintf(&b, "%q %q\n", k, v); return err }); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

// Wherever one bit of the file flips: either it changes nothing that can be
// read, or Check (or the reading itself) says so.
func TestFlippedBitsAreNoticed(t *testing.T) {
	path := signed(t, 60)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sound, err := dump(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(3, 4))
	noticed := 0
	for range dose(200) {
		bit := rng.IntN(8 * len(whole))
		flipped := slices.Clone(whole)
		flipped[bit/8] ^= 1 << (bit % 8)
		copied := filepath.Join(dir, "flipped.db")
		if err := os.WriteFile(copied, flipped, 0o600); err != nil {
			t.Fatal(err)
		}
		findings := check(t, copied)
		if len(findings) > 0 {
			noticed++
			continue
		}
		if got, err := dump(copied); err != nil || got != sound {
			t.Errorf("bit %d of byte %d (page %d) changes what is read (%v) and Check is silent", bit%8, bit/8, bit/8/4096+1, err)
		}
	}
	if noticed == 0 {
		t.Error("no flipped bit was noticed at all")
	}
	t.Logf("%d of %d flipped bits were noticed; the others lie in unused bytes", noticed, dose(200))
}
