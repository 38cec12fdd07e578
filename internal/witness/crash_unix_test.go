//go:build unix

package witness

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestKilled kills a witness process at each step of a write and looks at what
// the next process does: whatever was cosigned before is remembered, and the
// head whose write was cut off can be cosigned, unforked, again.
func TestKilled(t *testing.T) {
	const origin = "log.example"
	at := func(n uint64) *testLog { return newLog(origin).grow(n) }
	if dir := os.Getenv("WITNESS_KILL_DIR"); dir != "" {
		key, err := LoadKey(filepath.Join(dir, "key"))
		if err != nil {
			t.Fatal(err)
		}
		s := open(t, Config{Dir: filepath.Join(dir, "state"), Key: key, Logs: []LogKey{at(1).logKey()}})
		if _, no := s.add((&request{0, nil, at(3).note()}).append(nil)); no != nil {
			t.Fatal(no)
		}
		s.state.step = func(step string) error {
			if step == os.Getenv("WITNESS_KILL_STEP") {
				syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
			return nil
		}
		s.add((&request{3, at(5).prove(t, 3), at(5).note()}).append(nil))
		t.Fatal("still alive")
	}
	for step, size := range map[string]uint64{"open": 3, "written": 3, "renamed": 5, "durable": 5} {
		t.Run(step, func(t *testing.T) {
			dir := t.TempDir()
			key, err := CreateKey(filepath.Join(dir, "key"), "witness.example")
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
			cmd.Env = append(os.Environ(), "WITNESS_KILL_DIR="+dir, "WITNESS_KILL_STEP="+step)
			out, err := cmd.CombinedOutput()
			if st, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); err == nil || !ok || st.Signal() != syscall.SIGKILL {
				t.Fatalf("the process was not killed: %v\n%s", err, out)
			}
			s := open(t, Config{Dir: filepath.Join(dir, "state"), Key: key, Logs: []LogKey{at(1).logKey()}})
			l := s.state.log(origin)
			if l.Size != size {
				t.Fatalf("the witness remembers size %d, want %d", l.Size, size)
			}
			fork := newLog(origin)
			fork.salt = "x"
			if _, no := s.add((&request{size, nil, fork.grow(size).note()}).append(nil)); no == nil {
				t.Error("a fork is cosigned after the crash")
			}
			full := at(5)
			if size == 3 {
				_, no := s.add((&request{3, full.prove(t, 3), full.note()}).append(nil))
				if no != nil {
					t.Errorf("the interrupted head is refused: %v", no)
				}
			} else if _, no := s.add((&request{5, nil, full.note()}).append(nil)); no != nil {
				t.Errorf("the interrupted head is refused: %v", no)
			}
		})
	}
}
