package bench

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley"
	"parley/frame"
	"parley/hotline"
	"parley/internal/carrier"
	"parley/internal/host"
	"parley/internal/store"
	"parley/journal"
	"parley/seal"
	"parley/station"
)

// envFlood names, in the environment of a child, the directory of the party
// that floods; envPeers whom it dials, as "number address" with spaces between.
const (
	envFlood = "PARLEY_BENCH_FLOOD"
	envPeers = "PARLEY_BENCH_PEERS"
)

// flooder is a modified node. While it is quiet it does what an honest one
// does. While it floods it writes entries without an end, in all lanes but the
// first, and ignores what its readers have receipted; beside them every connection
// carries junk of each kind that costs the other end something.
type flooder struct {
	me      parley.Party
	charter *parley.Charter
	store   *store.SQLite
	st      *station.Station
	car     *carrier.Carrier
	events  chan station.Event
	pipes   map[pipe]*flow
	wake    chan struct{} // a PONG came, or the flood begins

	entries, junk atomic.Bool // what is flooded now

	mu   sync.Mutex
	logs []station.LogStatus
	own  map[parley.Party][][]byte // frames that the station sent, to be spoilt
}

// pipe is one connection of the flooder.
type pipe struct {
	to   parley.Party
	bulk bool
}

// chunk is how many bytes of a flood go between two PINGs, and ahead how many
// of them may be without their PONG: enough that the other end never runs dry,
// little enough that a flood ends soon after it is told to.
const (
	chunk = 16 << 10
	ahead = 3
)

// floodChild runs a flooder until its input ends. Lines of input say what it
// does: quiet, or a kind of flood (see FloodKinds). Each is answered when it
// is so: "quiet" when the other ends have read all that was sent.
func floodChild(dir, peers string) error {
	f, err := newFlooder(dir, peers)
	if err != nil {
		return err
	}
	defer f.store.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- f.run(ctx) }()
	go f.car.Run(ctx)
	for _, p := range f.pipes {
		for !p.up.Load() {
			time.Sleep(10 * time.Millisecond)
		}
	}
	for p, w := range f.pipes {
		go f.flood(ctx, p, w)
	}
	fmt.Println("ready")
	lines := make(chan string)
	go func() {
		for in := bufio.NewScanner(os.Stdin); in.Scan(); {
			lines <- in.Text()
		}
		close(lines)
	}()
	for {
		select {
		case err := <-ended:
			return err
		case line, ok := <-lines:
			if !ok {
				return nil
			}
			f.entries.Store(line == "entries" || line == "all")
			f.junk.Store(line == "junk" || line == "all")
			f.look()
			for line == "quiet" && !f.drained() {
				time.Sleep(5 * time.Millisecond)
			}
			fmt.Println(line)
		}
	}
}

func newFlooder(dir, peers string) (*flooder, error) {
	keys, err := host.LoadKeys(dir)
	if err != nil {
		return nil, err
	}
	signed, charter, me, err := host.LoadCharter(dir)
	if err != nil {
		return nil, err
	}
	f := &flooder{me: me, charter: charter, events: make(chan station.Event, 1024), pipes: map[pipe]*flow{}, wake: make(chan struct{}, 1), own: map[parley.Party][][]byte{}}
	if f.store, err = store.Open(filepath.Join(dir, "record.db"), store.Options{DataKey: keys.Data}); err != nil {
		return nil, err
	}
	if f.st, err = station.New(station.Config{Charter: charter, Me: me, Keys: keys, Rand: rand.Reader, Record: f.store}); err != nil {
		return nil, err
	}
	at := map[parley.Party]string{}
	for rest := strings.Fields(peers); len(rest) > 1; rest = rest[2:] {
		var p parley.Party
		if _, err := fmt.Sscan(rest[0], &p); err != nil {
			return nil, err
		}
		at[p] = rest[1]
		for _, bulk := range []bool{false, true} {
			f.pipes[pipe{p, bulk}] = &flow{turn: make(chan struct{}, 1)}
		}
	}
	f.car, err = f.dial(keys, signed.Channel(), at)
	return f, err
}

func (f *flooder) dial(keys *seal.Node, ch parley.Hash, peers map[parley.Party]string) (*carrier.Carrier, error) {
	return carrier.New(carrier.Config{Channel: ch, Me: f.me, TLSKey: keys.TLS, Peers: peers,
		Token: uint64(time.Now().Unix()), Boot: [8]byte{0xf1}, Patience: time.Millisecond, Queue: 64 << 20,
		Pins: func(p parley.Party) [][]byte { return f.charter.Member(p).Keys.TLS },
		Up: func(p parley.Party, bulk bool, _ [8]byte, _ uint64) {
			f.events <- station.Up{Peer: p, Bulk: bulk}
			f.pipes[pipe{p, bulk}].up.Store(true)
		},
		Down: func(p parley.Party, bulk bool, err error) {
			f.pipes[pipe{p, bulk}].up.Store(false)
			f.events <- station.Down{Peer: p, Bulk: bulk}
		},
		Frame: func(p parley.Party, bulk bool, b []byte) {
			if x, err := frame.Decode(b); err == nil {
				if ping, ok := x.(*frame.Ping); ok && ping.Pong && ping.ID&floodPing != 0 {
					f.pipes[pipe{p, ping.ID&floodBulk != 0}].ponged(ping.ID)
					f.look()
					return
				}
			}
			f.events <- station.Frames{From: p, Frames: [][]byte{b}}
		},
	})
}

// run is the node's loop, and the writer of entries.
func (f *flooder) run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	step := func(es ...station.Event) error {
		out, err := f.st.Step(time.Now(), es...).Commit(func(b *journal.Batch, _ *station.Mark) error { return f.store.Commit(b) })
		if err != nil {
			return err
		}
		for _, s := range out.Sends {
			f.keep(s.To, s.Frame)
			f.car.Send(s.To, s.Bulk, s.Frame)
		}
		f.mu.Lock()
		f.logs = f.st.Logs()
		f.mu.Unlock()
		return nil
	}
	if err := step(station.Start{}); err != nil {
		return err
	}
	for i := 0; ; {
		var es []station.Event
		write := false
		may := f.entries.Load() && f.st.Ready() && f.room()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			es = append(es, station.Tick{})
		case e := <-f.events:
			es = append(es, e)
		case <-f.wake: // there may be room now
			continue
		case <-now(may):
			write = true
			for range 32 {
				d := hotline.Draft(message(i), parley.Lane(1+i%(parley.Lanes-1)), parley.ToAll)
				es = append(es, station.Post{Lane: d.Lane, Kind: d.Kind, To: d.To, Body: d.Body})
				i++
			}
			es = append(es, f.believed()...)
		}
		if err := step(es...); err != nil {
			return err
		}
		if write {
			for p := range f.pipes {
				f.mark(p)
			}
		}
	}
}

// look makes those who wait look again.
func (f *flooder) look() {
	for _, w := range f.pipes {
		w.look()
	}
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// now is ready if yes, and never if not.
func now(yes bool) <-chan time.Time {
	if yes {
		return time.After(0)
	}
	return nil
}

// believed makes the own station believe that its readers hold all: it sends
// on without waiting for receipts.
func (f *flooder) believed() (es []station.Event) {
	var have frame.Have
	for _, l := range f.st.Logs() {
		if l.Log.Party == f.me && l.Current {
			have.Heads = append(have.Heads, l.Head)
		}
	}
	for _, p := range f.charter.Others(f.me) {
		es = append(es, station.Frames{From: p, Frames: [][]byte{frame.Encode(&have)}})
	}
	return es
}

// keep remembers some frames of each kind that the station sends.
func (f *flooder) keep(to parley.Party, b []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if own := f.own[to]; len(own) < 64 {
		f.own[to] = append(own, b)
	} else {
		own[int(b[len(b)-1])%len(own)] = b
	}
}
