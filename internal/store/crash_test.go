package store

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"parley"
	"parley/internal/store/storetest"
	"parley/journal"
)

// resume is the log of the record at the size that it has.
func resume(s *SQLite) (*storetest.Log, error) {
	l := storetest.NewLog(1)
	r := s.log(l.ID)
	if r == nil {
		return l, nil
	}
	tree, err := journal.LoadTree(r.state.Size, s.Hashes(l.ID))
	if err != nil {
		return nil, err
	}
	l.Tree = *tree
	return l, nil
}

// step commits one more batch to the record: rows, a head, a receipt, a count
// that must fit the size, and now and then a secret that is destroyed.
func step(s *SQLite, l *storetest.Log, n int) error {
	var b journal.Batch
	for range 1 + n%3 {
		b.Rows = append(b.Rows, l.Next(fmt.Sprintf("entry %d %0*d", l.Tree.Size(), n*37%900, 7)))
	}
	b.Heads = []journal.SignedHead{l.Head()}
	b.Cosigs = []journal.Cosig{{Log: l.ID, Size: l.Tree.Size(), Name: "2", Cosignature: journal.Cosignature{Time: uint64(n), Sig: make([]byte, 64)}}}
	b.Puts = []journal.Put{{Space: "count", Key: "size", Value: fmt.Append(nil, l.Tree.Size())}}
	switch n % 8 {
	case 3:
		b.Puts = append(b.Puts, journal.Put{Space: "keys", Key: "k", Value: []byte("secret"), Secret: true})
	case 6:
		b.Puts = append(b.Puts, journal.Put{Space: "keys", Key: "k"})
	}
	return s.Commit(&b)
}

// whole checks that the record holds at least the acknowledged entries, that
// no batch is half there, and that nothing is damaged; it returns the size.
func whole(s *SQLite, acked uint64) (size uint64, err error) {
	l := storetest.NewLog(1)
	if r := s.log(l.ID); r != nil {
		size = r.state.Size
		if r.state.Head == nil || r.state.Head.Size != size {
			return 0, fmt.Errorf("size %d with the head %v", size, r.state.Head)
		}
	}
	if size < acked {
		return 0, fmt.Errorf("%d entries were acknowledged and %d are there", acked, size)
	}
	err = s.Values("count", func(_ string, v []byte) error {
		if string(v) != strconv.FormatUint(size, 10) {
			return fmt.Errorf("size %d with the count %s", size, v)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	var finding error
	err = Check(s, Verifiers{}, func(uint64, uint64) {}, func(f Finding) { finding = fmt.Errorf("finding: %s", f) })
	if err == nil {
		err = finding
	}
	return size, err
}

// child commits and acknowledges on its standard output until it is killed.
func child(dir string) error {
	s, err := Open(filepath.Join(dir, "record.db"), Options{DataKey: testKey})
	if err != nil {
		return err
	}
	hw, _, err := OpenHighWater(filepath.Join(dir, "mark"))
	if err != nil {
		return err
	}
	l, err := resume(s)
	if err != nil {
		return err
	}
	for n := int(l.Tree.Size()); ; n++ {
		if err := step(s, l, n); err != nil {
			return err
		}
		if err := hw.Set(Mark{Gen: l.ID.Gen, Sizes: [5]uint64{l.Tree.Size()}}); err != nil {
			return err
		}
		fmt.Println(l.Tree.Size())
	}
}

// A process that is killed at any moment loses nothing that it acknowledged,
// and its high-water mark is never ahead of its record.
func TestKilled(t *testing.T) {
	if dir := os.Getenv("PARLEY_TEST_CRASH"); dir != "" {
		fmt.Println(child(dir)) // not a number: the parent fails
		return
	}
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(5, uint64(time.Now().UnixNano())))
	var acked uint64
	for round := range dose(20) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		cmd.Env = append(os.Environ(), "PARLEY_TEST_CRASH="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		// The first rounds may die while they open the record.
		if round%4 > 0 && lines.Scan() {
			acked = ackedIn(t, lines.Text(), acked)
		}
		time.Sleep(time.Duration(rng.IntN(40_000)) * time.Microsecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
			acked = ackedIn(t, lines.Text(), acked)
		}
		cmd.Wait()

		s, err := Open(filepath.Join(dir, "record.db"), Options{DataKey: testKey})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		size, err := whole(s, acked)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		hw, m, err := OpenHighWater(filepath.Join(dir, "mark"))
		if err != nil {
			t.Fatal(err)
		}
		if m != nil && (m.Sizes[0] > size || m.Sizes[0] < acked) {
			t.Fatalf("round %d: mark %d, size %d, acknowledged %d", round, m.Sizes[0], size, acked)
		}
		hw.Close()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if acked < 20 {
		t.Fatalf("only %d entries were acknowledged in all", acked)
	}
	t.Logf("%d entries acknowledged in %d lives", acked, dose(20))
}

func ackedIn(t *testing.T, line string, before uint64) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(line, 10, 64)
	if err != nil || n <= before || n > parley.MaxUint {
		t.Fatalf("the child said %q after %d", line, before)
	}
	return n
}
