package storetest_test

import (
	"testing"

	"parley/internal/store/storetest"
	"parley/journal"
	"parley/journal/journaltest"
)

// The suite must fit a second store, or it would only describe the first.
func TestMem(t *testing.T) {
	storetest.Run(t, func(*testing.T) journal.Store { return &journaltest.Mem{} }, nil)
}
