package host

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"

	"parley"
	"parley/internal/node"
	"parley/journal"
)

// section is one section of a backup's plain form.
type section struct {
	tag     byte
	payload []byte
}

// forge writes a backup with other sections, as anybody can who knows the
// public half of the recovery key.
func forge(t *testing.T, path string, to *Recovery, plain []byte, change func([]section) []section) {
	t.Helper()
	r := &sectionReader{bufio.NewReader(bytes.NewReader(plain)), "good", sha256.New()}
	if err := r.begin(); err != nil {
		t.Fatal(err)
	}
	var ss []section
	for {
		tag, payload, err := r.next()
		if err != nil {
			t.Fatal(err)
		}
		ss = append(ss, section{tag, bytes.Clone(payload)})
		if tag == tagSigned {
			break
		}
	}
	err := sealFile(path, to, func(out io.Writer) error {
		b := bufio.NewWriter(out)
		b.WriteString(backupLine)
		w := &sections{b, sha256.New()}
		for _, s := range change(ss) {
			if err := w.put(s.tag, s.payload); err != nil {
				return err
			}
		}
		return b.Flush()
	}, func(*os.File, age.Identity) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
}

// value encodes a value's section.
func value(space, key string, v []byte) section {
	b := parley.AppendText(parley.AppendText(parley.AppendArray(nil, 3), space), key)
	return section{tagValue, parley.AppendBytes(b, v)}
}

// more adds to the counts in a backup's section before the last, and puts
// sections before it.
func more(ss []section, rows, values uint64, add ...section) []section {
	at := len(ss) - 2
	d := parley.NewDecoder(ss[at].payload, 1)
	d.Array(4, 4)
	n := [4]uint64{d.Uint(parley.MaxUint), d.Uint(parley.MaxUint), d.Uint(parley.MaxUint), d.Uint(parley.MaxUint)}
	n[1], n[3] = n[1]+rows, n[3]+values
	end := parley.AppendArray(nil, 4)
	for _, x := range n {
		end = parley.AppendUint(end, x)
	}
	return append(append(ss[:at:at], add...), section{tagEnd, end}, ss[at+1])
}

// To seal a file to a recovery key its public half is enough, and a record
// that passes every check can still hold what no author has signed yet. A
// backup that this party's node did not make is refused, so that nobody puts
// words into a member's mouth, accuses one, or gives it another key.
func TestForgedBackups(t *testing.T) {
	t.Parallel()
	dirs, c := channel(t, "Avaria", "Borduria")
	to, key := recovery(t)
	b, _ := start(t, dirs[1], Options{})
	a, stop := start(t, dirs[0], Options{Peers: peerAt(b)})
	ref := say(t, b, parley.Flash, "the truth")
	arrives(t, a, ref)
	eventually(t, a, "b's key for grants is known", func(v node.View) bool { return v.Station.Received(ref.Log(c.Channel()), 1) > 0 })
	stop()
	base := t.TempDir()
	path := filepath.Join(base, "good.backup")
	if _, err := Backup(dirs[0], path, to, nil, time.Now(), nil); err != nil {
		t.Fatal(err)
	}
	good := plain(t, path, key)
	id := ref.Log(c.Channel())

	restore := func(name string, change func([]section) []section) (string, error) {
		bad, dir := filepath.Join(base, name+".backup"), filepath.Join(base, name)
		forge(t, bad, to, good, change)
		keys, err := os.ReadFile(filepath.Join(dirs[0], fileNode))
		if err == nil {
			err = os.Mkdir(dir, 0o700)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, fileNode), keys, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err = Restore(dir, bad, key, nil)
		return dir, err
	}
	if _, err := restore("same", func(ss []section) []section { return ss }); err != nil {
		t.Fatalf("unchanged: %v", err)
	}

	// Another key to which this node would seal what it grants to b.
	kem := func(pub []byte) []byte {
		v := parley.AppendBytes(parley.AppendArray(nil, 4), id.Gen[:])
		v = parley.AppendBytes(parley.AppendUint(v, parley.MaxUint), pub)
		return parley.AppendUint(v, parley.MaxUint)
	}
	_, err := restore("kem", func(ss []section) []section {
		out := ss[:0:0]
		for _, s := range ss {
			if s.tag == tagValue && bytes.Contains(s.payload, []byte("peer-kem")) {
				s = value("peer-kem", "2", kem(bytes.Repeat([]byte{9}, parley.SizeKEM)))
			}
			out = append(out, s)
		}
		return out
	})
	if parley.CodeOf(err) != CodeSealed {
		t.Errorf("a forged key for grants: %v", err)
	}

	// A fork that nobody proved.
	if _, err := restore("fork", func(ss []section) []section {
		return more(ss, 0, 1, value("fork", id.Origin(), []byte("no proof")))
	}); parley.CodeOf(err) != CodeSealed {
		t.Errorf("a fork that nobody proved: %v", err)
	}

	// Another member's signature is not this party's.
	other, err := LoadKeys(dirs[1])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := restore("signer", func(ss []section) []section {
		sum := sha256.New()
		for _, s := range ss[:len(ss)-1] {
			(&sections{bufio.NewWriter(io.Discard), sum}).put(s.tag, s.payload)
		}
		sig := ed25519.Sign(other.Rcpt.Ed, backupMessage(c.Channel(), sum))
		return append(ss[:len(ss)-1:len(ss)-1], section{tagSigned, sig})
	}); parley.CodeOf(err) != CodeSealed {
		t.Errorf("signed by another member: %v", err)
	}

	// A message that b never wrote, after its last.
	_, err = restore("words", func(ss []section) []section {
		out := ss[:0:0]
		mine := false
		for _, s := range ss {
			if s.tag == tagCopied {
				st, err := parseState(s.payload, c.Channel())
				if err != nil {
					t.Fatal(err)
				}
				if mine = st.Log == id; mine {
					st.Size++
					s.payload = encodeState(st)
				}
			}
			if s.tag == tagRows && mine {
				d := parley.NewDecoder(s.payload, 4)
				var rows [][]byte
				var last journal.Row
				for range d.Array(1, maxItems) {
					last = parseRow(d)
					rows = append(rows, appendRow(nil, &last))
				}
				n := uint64(len(rows))
				text := bytes.ReplaceAll(last.Content.Entry, []byte("truth"), []byte("false"))
				forged := journal.Row{Index: n, Content: &journal.Content{Entry: text}, Stored: last.Stored}
				forged.Leaf.Commit = journal.Commit(id.Origin(), n, forged.Content.Salt, text)
				rows = append(rows, appendRow(nil, &forged))
				s.payload = append(parley.AppendArray(nil, len(rows)), bytes.Join(rows, nil)...)
				mine = false
			}
			if s.tag == tagBackup {
				h, err := parseBackupHead(s.payload)
				if err != nil {
					t.Fatal(err)
				}
				h.Entries++
				s.payload = h.encode()
			}
			out = append(out, s)
		}
		return more(out, 1, 0)
	})
	if parley.CodeOf(err) != CodeSealed {
		t.Errorf("a message that b never wrote: %v", err)
	}
}
