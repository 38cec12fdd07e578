package node

import (
	"context"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"parley"
	"parley/docket"
	"parley/journal"
	"parley/station"
)

// Sender moves frames to a member. It reports false if they cannot go now;
// they are sent again when the member has said what it lacks.
type Sender interface {
	Send(p parley.Party, bulk bool, frames ...[]byte) bool
}

// Config is what a node is made of.
type Config struct {
	Charter *parley.Charter
	Me      parley.Party
	Keys    station.KeySet
	Store   journal.Store
	Mark    func(station.Mark) error // writes the high-water file
	Doubt   bool                     // the store may be behind what this party signed
	Rand    io.Reader
	Now     func() time.Time
	Log     *slog.Logger
}

// Node is one running party. See the package comment.
type Node struct {
	cfg    Config
	sender Sender

	urgent chan input // this party's own: posts, and what the host feeds
	bulk   chan input
	inbox  *inbox // of the other members
	asks   chan func()
	done   chan struct{}

	// Owned by Run's goroutine, the docket by fold until it is done.
	st      *station.Station
	docket  *docket.Docket
	folded  bool
	later   []*station.Out // what the desks are told when the fold is done
	waiting []input        // drafts that they are asked about then

	atStart  []journal.LogState // what the store held when the node was made
	progress func(done, total uint64)
	receipts map[string]parley.Party // names of receipt keys

	mu      sync.Mutex
	watches map[*watch]struct{}
	failed  atomic.Pointer[error]
}

// input is an event with what may refuse it, asked before its step, and what
// to do once its batch is durable or it was refused. Both may be nil.
type input struct {
	event   station.Event
	check   func() error
	after   func(refused error)
	refused error
}

// Code of a node that no longer runs.
const CodeStopped parley.Code = "node-stopped"

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeStopped: "The node has stopped. Look at its last log lines, correct the cause, and start it again; nothing acknowledged is lost.",
})

// New loads the station from the store. The desks read the entries while the
// node already runs: peers are served at once, officers' questions and drafts
// wait. progress, which may be nil, is told how many entries were read.
func New(cfg Config, progress func(done, total uint64)) (*Node, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	st, err := station.New(station.Config{Charter: cfg.Charter, Me: cfg.Me, Keys: cfg.Keys, Rand: cfg.Rand, Record: cfg.Store})
	if err != nil {
		return nil, err
	}
	n := &Node{cfg: cfg, st: st, docket: docket.New(cfg.Charter, cfg.Me),
		urgent: make(chan input, 512), bulk: make(chan input, 512), asks: make(chan func(), 64),
		done: make(chan struct{}), watches: map[*watch]struct{}{}, progress: progress, receipts: map[string]parley.Party{}}
	n.inbox = newInbox(cfg.Charter.Others(cfg.Me), n.done)
	for _, m := range cfg.Charter.Members {
		n.receipts[journal.ReceiptName(cfg.Charter.Channel(), m.Index)] = m.Index
	}
	n.atStart, err = cfg.Store.Logs()
	return n, err
}

// Pins are a member's TLS keys as the store has them. Call it before Run.
func (n *Node) Pins(p parley.Party) [][]byte { return n.st.Pins(p) }

// Run performs the station's effects until ctx ends or the store fails. An
// error of the store ends the node: what was not committed was not promised.
func (n *Node) Run(ctx context.Context, s Sender) (err error) {
	n.sender = s
	defer func() {
		if err != nil {
			n.failed.Store(&err)
		}
		close(n.done)
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	folded := make(chan error, 1)
	stop := make(chan struct{})
	go func() { folded <- n.fold(stop) }()
	defer func() { // the store outlives its last reader
		if close(stop); !n.folded {
			<-folded
		}
	}()
	var asks chan func() // nil, and never ready, until the fold is done
	ready := func(err error) error {
		if n.folded = true; err != nil {
			return err
		}
		asks = n.asks
		return n.catchUp()
	}
	if err := n.step([]input{{event: station.Start{Doubt: n.cfg.Doubt}}}); err != nil {
		return err
	}
	var ins []input
	for {
		select { // the clock is never starved, nor the wish to end
		case <-ctx.Done():
			return nil
		case <-tick.C:
			ins = append(ins, input{event: station.Tick{}})
		case err := <-folded:
			if err := ready(err); err != nil {
				return err
			}
		default:
		}
		idle, later, err := n.turn(ins)
		if err != nil {
			return err
		}
		ins = nil
		for range len(asks) { // officers' questions are not starved by traffic
			(<-asks)()
		}
		if !idle {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			ins = append(ins, input{event: station.Tick{}})
		case in := <-n.urgent:
			ins = append(ins, in)
		case in := <-n.bulk:
			ins = append(ins, in)
		case <-n.inbox.wake:
		case <-later:
		case err := <-folded:
			if err := ready(err); err != nil {
				return err
			}
		case f := <-asks:
			f()
		}
	}
}

// catchUp tells the desks what happened while they read the record, and asks
// them about the drafts that wait.
func (n *Node) catchUp() error {
	for _, out := range n.later {
		n.apply(out)
	}
	ins := n.waiting
	n.later, n.waiting = nil, nil
	if len(ins) == 0 {
		return nil
	}
	return n.step(ins)
}

// most of this party's own inputs, or of one member's frames, that one batch
// takes in; bounds how long the next urgent one waits for a commit under way.
const most = 256

// turn steps what waits: first ins, all that is urgent, and the bulk, together;
// then, alone, some frames of a member that has used up its allowance. If there
// was nothing it is idle, and if frames wait for an allowance, later is ready
// when they need no more.
func (n *Node) turn(ins []input) (idle bool, later <-chan time.Time, err error) {
	now := time.Now()
	ins = drain(ins, n.urgent)
	ins = n.inbox.take(ins, false, now)
	ins = drain(ins, n.bulk)
	ins = n.inbox.take(ins, true, now)
	for _, in := range ins {
		if _, tick := in.event.(station.Tick); !tick {
			n.inbox.used(now)
			break
		}
	}
	if len(ins) > 0 {
		if err := n.step(ins); err != nil {
			return false, nil, err
		}
	}
	poor, wait := n.inbox.takePoor(time.Now())
	if len(poor) > 0 {
		return false, nil, n.step(poor)
	}
	if len(ins) == 0 && wait > 0 {
		later = time.After(wait)
	}
	return len(ins) == 0, later, nil
}

func drain(ins []input, from <-chan input) []input {
	for range most {
		select {
		case in := <-from:
			ins = append(ins, in)
		default:
			return ins
		}
	}
	return ins
}

// step makes one batch: events in, durable, frames out.
func (n *Node) step(ins []input) error {
	begin := time.Now()
	var did account
	events := make([]station.Event, 0, len(ins))
	for i := range ins {
		in := &ins[i]
		if in.check != nil && !n.folded {
			n.waiting = append(n.waiting, *in)
			in.after = nil
			continue
		}
		if in.check != nil {
			in.refused = in.check()
		}
		if in.refused == nil {
			events = append(events, in.event)
			did.event(in.event)
		}
	}
	out, err := n.st.Step(n.cfg.Now(), events...).Commit(func(b *journal.Batch, m *station.Mark) error {
		did.batch(n, b)
		return n.persist(b, m)
	})
	if err != nil {
		n.cfg.Log.Error("the store failed; the node ends, and its next start checks the record", "err", err)
		return err
	}
	for i := 0; i < len(out.Sends); { // frames for one connection go together
		j := i + 1
		for j < len(out.Sends) && out.Sends[j].To == out.Sends[i].To && out.Sends[j].Bulk == out.Sends[i].Bulk {
			j++
		}
		frames := make([][]byte, 0, j-i)
		for _, s := range out.Sends[i:j] {
			frames = append(frames, s.Frame)
		}
		n.sender.Send(out.Sends[i].To, out.Sends[i].Bulk, frames...)
		i = j
	}
	if len(out.Sends) > 0 {
		runtime.Gosched() // the connections write now, before the desks are told
	}
	n.tell(out)
	for _, in := range ins {
		if in.after != nil {
			in.after(in.refused)
		}
	}
	did.took = time.Since(begin)
	n.inbox.charge(&did, n.today())
	return nil
}

func (n *Node) today() int64 { return n.cfg.Now().Unix() / 86400 }

func (n *Node) persist(b *journal.Batch, m *station.Mark) error {
	if err := n.cfg.Store.Commit(b); err != nil {
		return err
	}
	if m != nil && n.cfg.Mark != nil {
		return n.cfg.Mark(*m)
	}
	return nil
}

// tell brings what happened to the desks and to those who watch.
func (n *Node) tell(out *station.Out) {
	if n.folded {
		n.apply(out)
	} else if len(out.Posted)+len(out.Receipts) > 0 {
		n.later = append(n.later, &station.Out{Posted: out.Posted, Receipts: out.Receipts})
	}
	for _, p := range out.Posted {
		n.publish(Event{At: p.Stored, Posted: &p})
	}
	for _, r := range out.Receipts {
		n.publish(Event{At: r.Stored, Receipt: &r})
	}
	for _, a := range out.Alarms {
		if a.Code == station.AlarmQuota {
			n.inbox.beyond(a.Party, n.today())
		}
		n.cfg.Log.Warn(a.Text, "alarm", a.Code)
		n.publish(Event{At: n.cfg.Now(), Alarm: &a})
	}
	for _, e := range out.Early {
		n.publish(Event{At: n.cfg.Now(), Early: &e})
	}
}

// apply gives the desks what a step brought.
func (n *Node) apply(out *station.Out) {
	for _, p := range out.Posted {
		n.docket.Apply(p)
	}
	for _, r := range out.Receipts {
		n.docket.Proof(r)
	}
}

// stopped is the error of a node that no longer runs.
func (n *Node) stopped() error {
	if e := n.failed.Load(); e != nil {
		return *e
	}
	return parley.Errorf(CodeStopped, "the node has stopped")
}

// offer hands an input to the loop, waiting for room.
func (n *Node) offer(ctx context.Context, ch chan input, in input) error {
	select {
	case ch <- in:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-n.done:
		return n.stopped()
	}
}

// Feed hands an event to the station and returns once its batch is durable.
func (n *Node) Feed(ctx context.Context, e station.Event) error {
	ok := make(chan struct{})
	if err := n.offer(ctx, n.urgent, input{event: e, after: func(error) { close(ok) }}); err != nil {
		return err
	}
	select {
	case <-ok:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-n.done:
		return n.stopped()
	}
}

// View is what a question may look at, inside Do only.
type View struct {
	Station *station.Station
	Docket  *docket.Docket
	Now     time.Time
}

// Do runs f while nothing changes. f must be quick and must not call the node.
func (n *Node) Do(ctx context.Context, f func(View)) error {
	ok := make(chan struct{})
	ask := func() { f(View{n.st, n.docket, n.cfg.Now()}); close(ok) }
	select {
	case n.asks <- ask:
	case <-ctx.Done():
		return ctx.Err()
	case <-n.done:
		return n.stopped()
	}
	select {
	case <-ok:
		return nil
	case <-n.done:
		return n.stopped()
	}
}

// Store is the node's record, for reading.
func (n *Node) Store() journal.Store { return n.cfg.Store }

// Done is closed when the node has stopped.
func (n *Node) Done() <-chan struct{} { return n.done }
