package officer

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"parley"
)

const killDir = "PARLEY_TEST_OFFICER_KILL"

func killBook(path string) (*Book, error) {
	return Open(Config{Path: path, Channel: parley.Hash{7}, Party: 1, Name: "ALFA", RPID: "localhost", Origins: []string{origin}})
}

// A process that is killed while it writes leaves a book that opens, with
// everything that it said was written.
func TestKilled(t *testing.T) {
	if path := os.Getenv(killDir); path != "" {
		b, err := killBook(path)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		for {
			if err := b.Note(nil, "kill", "entry"); err != nil {
				os.Exit(1)
			}
			fmt.Println(b.tree.Size())
		}
	}
	path := filepath.Join(t.TempDir(), "officers.db")
	for round := range 5 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		cmd.Env = append(os.Environ(), killDir+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var said uint64
		lines := bufio.NewScanner(out)
		for n := 0; n < 10+7*round && lines.Scan(); n++ {
			if _, err := fmt.Sscan(lines.Text(), &said); err != nil {
				t.Fatalf("the other process says %q", lines.Text())
			}
		}
		cmd.Process.Kill()
		cmd.Wait()
		b, err := killBook(path)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if size := b.tree.Size(); said == 0 || size < said {
			t.Errorf("round %d: %d entries, and %d were said to be written", round, size, said)
		}
		b.Close()
	}
}
