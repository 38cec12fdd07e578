package console

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/officer"
)

// TestServeClocked is no test of its own: it serves a console of a party whose
// officers have passkeys to the browser tests, which move its clock. Nothing
// else about it differs from what parley serves; above all no delay does.
//
//	PARLEY_CLOCKED=1 go test -run TestServeClocked ./internal/console
//
// It writes its address and the first officer's link, then takes lines "ahead
// 24h" from its input, each of which it repeats once its clock is there, and
// ends with its input.
func TestServeClocked(t *testing.T) {
	if os.Getenv("PARLEY_CLOCKED") == "" {
		t.Skip("serves the tests of the module browser")
	}
	a, _ := pair(t)
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	cfg := Config{Host: a.h, Addr: "localhost:0", Now: now}
	// The console chooses its port, and the book must know it: one that never
	// ran finds it out.
	first, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Addr, cfg.Origins = first.ln.Addr().String(), first.cfg.Origins
	first.Close()
	if cfg.Book, err = officer.Open(officer.Config{Path: filepath.Join(t.TempDir(), "officers.db"), Channel: a.h.Signed.Channel(), Party: a.h.Me(),
		Name: "India", RPID: "localhost", Origins: cfg.Origins, Now: now}); err != nil {
		t.Fatal(err)
	}
	defer cfg.Book.Close()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	link, err := s.SetupLink()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("clocked %s %s\n", s.URL(), link)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		by, err := time.ParseDuration(strings.TrimPrefix(in.Text(), "ahead "))
		if err != nil {
			t.Fatal(err)
		}
		ahead.Add(int64(by))
		fmt.Println(in.Text())
	}
}
