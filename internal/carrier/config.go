package carrier

import (
	"crypto/ed25519"
	"log/slog"
	"time"

	"parley"
	"parley/frame"
)

// Config says who a Carrier is, whom it lets in, and what it calls. The first
// block is required but for Listen and Peers; zero values of the limits mean
// their defaults.
type Config struct {
	Channel parley.Hash
	Me      parley.Party
	TLSKey  ed25519.PrivateKey
	Pins    func(parley.Party) [][]byte // a member's TLS keys at this moment; called from any goroutine, must not block
	Boot    [8]byte                     // random, new at each start
	Token   uint64                      // lease: max(stored+1, seconds since 1970) at start
	Listen  string                      // host:port; "" = do not listen
	Peers   map[parley.Party]string     // host:port to dial; see SetPeer

	Idle      time.Duration // a connection silent that long is closed; 90 s. Heartbeats are the caller's
	Handshake time.Duration // from the first byte to the end of HELLO, and for a dial; 20 s: two round trips of 4 s and 4 KB on 64 kbit/s must fit
	Write     time.Duration // for 16 KiB to leave; 30 s
	Probe     time.Duration // silence after a PING that counts as death; 5 s
	Patience  time.Duration // how long the higher number leaves dialing to the lower; 3 s
	RetryMin  time.Duration // first pause before dialing again, doubled each time, less up to half by chance; 0.2 s
	RetryMax  time.Duration // 15 s
	Queue     int           // bytes waiting on one connection; 8 MiB, never below two greatest frames
	Rate      int           // bytes per second read from one connection, as much again at once; 32 MiB
	Pending   int           // connections not yet let in, all together; 128, or a quarter of the descriptors that the process may open
	PendingIP int           // and from one address; 16

	Log *slog.Logger // nil = no log

	// Called from the connection's own goroutine, so at the same time for
	// different peers and kinds. For one peer and kind Up comes first, Down
	// last, and the next Up only after Down has returned.
	Up   func(p parley.Party, bulk bool, boot [8]byte, token uint64)
	Down func(p parley.Party, bulk bool, err error)
	// Frame owns the frame. While it blocks, nothing more is read from that
	// connection: that is the backpressure.
	Frame func(p parley.Party, bulk bool, frame []byte)
	// Refused reports who was not let in and why, for alarms: CodeTwice,
	// CodeKey, CodeChannel and the like. p is 0 where no key told. May be nil.
	Refused func(p parley.Party, remote string, err error)
}

// The kernel's write buffer on bulk connections. What lies in it can no longer
// be overtaken on the member's line, so it is small.
const bulkBuffer = 16 << 10

func (c *Config) defaults() {
	or := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	or(&c.Idle, 90*time.Second)
	or(&c.Handshake, 20*time.Second)
	or(&c.Write, 30*time.Second)
	or(&c.Probe, 5*time.Second)
	or(&c.Patience, 3*time.Second)
	or(&c.RetryMin, 200*time.Millisecond)
	or(&c.RetryMax, 15*time.Second)
	num := func(n *int, v int) {
		if *n <= 0 {
			*n = v
		}
	}
	num(&c.Queue, 8<<20)
	num(&c.Rate, 32<<20)
	num(&c.Pending, min(128, max(8, descriptors()/4)))
	num(&c.PendingIP, 16)
	c.Queue = max(c.Queue, 2*frame.MaxFrame)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
}
