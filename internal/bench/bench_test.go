package bench

import (
	"encoding/json"
	"os"
	"runtime"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	Main()
	os.Exit(m.Run())
}

// A small run fills every field, and a message with its receipt stays within
// what it may cost on the line. Nothing is said of times.
func TestRun(t *testing.T) {
	r, err := Run(t.Context(), Options{Dir: t.TempDir(), Messages: 15, Burst: 60, InFlight: 8, Rounds: 3,
		VerifyEntries: 300, StartEntries: 200, Settle: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", b)
	var got map[string]float64
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"latency_ms_p50", "latency_ms_p99", "floor_latency_ms_p50", "latency_ratio",
		"throughput_per_s", "floor_throughput_per_s", "throughput_ratio", "frame_bytes_per_message",
		"wire_bytes_per_message", "idle_rss_bytes", "verify_entries_per_s", "start_ms"} {
		if name == "idle_rss_bytes" && runtime.GOOS != "linux" {
			continue
		}
		if !(got[name] > 0) {
			t.Errorf("%s is %v", name, got[name])
		}
	}
	if r.FrameBytes > 340 || r.WireBytes > 400 {
		t.Errorf("a message and its receipt cost %v bytes of frames and %v on the wire; at most 340 and 400 are allowed", r.FrameBytes, r.WireBytes)
	}
}

// What is measured is what is promised: messages of 160 characters.
func TestTexts(t *testing.T) {
	for _, s := range texts {
		if len(s) != 160 {
			t.Errorf("%d characters: %q", len(s), s)
		}
		if err := message(0).Check(); err != nil {
			t.Error(err)
		}
	}
}

// A small flood: it is more than ten times the quota, no more of it than the
// quota stays in the lanes that have a bound, and the others' messages pass.
// Nothing is said of times.
func TestFlood(t *testing.T) {
	r, err := Flood(t.Context(), FloodOptions{Dir: t.TempDir(), Messages: 60, Rounds: 2, Pause: 50 * time.Millisecond, Quota: 4 << 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", *r)
	if r.Stored > r.Quota || r.Stored == 0 {
		t.Errorf("%d bytes are stored in a lane with a quota of %d", r.Stored, r.Quota)
	}
	if r.TimesQuota < 10 || r.Dropped == 0 {
		t.Errorf("the flood was %.1f times the quota, %d frames were dropped: no flood", r.TimesQuota, r.Dropped)
	}
}
