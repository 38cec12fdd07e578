package host

import (
	"testing"
	"time"
)

// What was done is noted with its time, and again; what was not, and what
// cannot be written, is not.
func TestDone(t *testing.T) {
	dir := t.TempDir()
	if at := DoneCheck.Last(dir); !at.IsZero() {
		t.Errorf("never checked, and last at %v", at)
	}
	for _, day := range []int{3, 9} {
		want := time.Date(2026, 5, day, 4, 0, 0, 0, time.UTC)
		DoneCheck.Note(dir, want)
		if at := DoneCheck.Last(dir); !at.Equal(want) {
			t.Errorf("noted at %v, want %v", at, want)
		}
	}
	if at := DoneBackup.Last(dir); !at.IsZero() {
		t.Errorf("never backed up, and last at %v", at)
	}
	DoneBackup.Note(dir+"/missing", time.Now())
}
