package witness

import (
	"context"
	"os/exec"
	"testing"
	"time"
)

// TestInterop runs the tests of the interop module, which put a witness and a
// client written by others in the place of ours. Its dependencies are not this
// module's; where they cannot be had it is skipped, so CI runs it by itself.
func TestInterop(t *testing.T) {
	if testing.Short() {
		t.Skip("runs another module's tests")
	}
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Minute) // a network that swallows packets
	defer stop()
	run := func(args ...string) ([]byte, error) {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = "../../interop"
		return cmd.CombinedOutput()
	}
	if out, err := run("mod", "download"); err != nil {
		t.Skipf("INTEROPERABILITY NOT TESTED: the modules of interop/ cannot be downloaded: %v\n%s", err, out)
	}
	if out, err := run("test", "./..."); err != nil {
		t.Errorf("cd interop && go test ./...: %v\n%s", err, out)
	}
}
