package host

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley"
	"parley/internal/carrier"
	"parley/internal/node"
	"parley/internal/store"
	"parley/journal"
	"parley/seal"
	"parley/station"
)

// Options of a running party. The zero value runs it as its directory says.
type Options struct {
	Listen    string            // instead of the config file's
	Peers     map[string]string // besides the config file's
	Witnesses map[string]string
	Restored  bool          // the operator says that the directory was restored or copied
	Rebuild   bool          // the record is rebuilt from the peers: AwaitRebuild, then FinishRebuild
	Cadence   time.Duration // between submissions to witnesses; 0: the charter's heartbeat
	Now       func() time.Time
	Log       *slog.Logger
	Progress  func(done, total uint64) // of loading the record
	Listener  net.Listener             // overrides Listen; for tests
}

// Host is one running party.
type Host struct {
	Dir     string
	Node    *node.Node
	Carrier *carrier.Carrier
	Card    *seal.Card
	Signed  *parley.SignedCharter
	Keys    *seal.Node

	opts     Options
	settings Settings
	store    *store.SQLite
	mark     *store.HighWater
	charter  *parley.Charter
	me       parley.Party
	witness  *submitter
	doubted  bool // this start began in doubt of the record
	opened   time.Time
	restart  context.CancelCauseFunc
	renewing context.Context // ends when new keys are in force
	pinned   atomic.Pointer[map[parley.Party][][]byte]
}

// Open loads the party in dir and checks its record. It neither listens nor
// dials yet.
func Open(dir string, o Options) (_ *Host, err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	h := &Host{Dir: dir, opts: o, opened: o.Now()}
	h.opts.Log = slog.New(calm{o.Log.Handler(), h})
	h.renewing, h.restart = context.WithCancelCause(context.Background())
	if h.Keys, err = openKeys(dir); err != nil {
		return nil, err
	}
	if h.Card, err = LoadCard(dir); err != nil {
		return nil, err
	}
	if err := sameParty(dir, h.Keys, h.Card); err != nil {
		return nil, err
	}
	if err := unfinished(dir); err != nil {
		return nil, err
	}
	if h.Signed, h.charter, h.me, err = LoadCharter(dir); err != nil {
		return nil, err
	}
	if h.settings, err = LoadSettings(dir); err != nil {
		return nil, err
	}
	maps.Copy(h.settings.Peers, o.Peers)
	maps.Copy(h.settings.Witnesses, o.Witnesses)
	if o.Listen != "" {
		h.settings.Listen = o.Listen
	}
	if err := h.settings.check(); err != nil {
		return nil, err
	}
	if err := writable(dir); err != nil {
		return nil, err
	}
	if !hasContent(filepath.Join(dir, fileNode)) && !hasContent(filepath.Join(dir, fileRecord)) {
		return nil, parley.Errorf(CodeWaiting, "the node keys in %s were never signed by the root", dir)
	}
	defer func() {
		if err != nil {
			h.Close()
		}
	}()
	// A node that once wrote its mark has a record: without one it is lost.
	lost := hasContent(filepath.Join(dir, fileMark)) && !o.Restored && !o.Rebuild
	if h.store, err = store.Open(filepath.Join(dir, fileRecord), store.Options{DataKey: h.Keys.Data, MustExist: lost}); err != nil {
		return nil, err
	}
	if err = h.sameChannel(); err != nil {
		return nil, err
	}
	if h.Keys, err = settle(dir, h.store, h.charter, h.me); err != nil {
		return nil, err
	}
	if err = seed(dir, h.store, h.charter, uint64(max(o.Now().UnixMilli(), 0))); err != nil {
		return nil, err
	}
	var mark *store.Mark
	hadMark := hasContent(filepath.Join(dir, fileMark))
	if h.mark, mark, err = store.OpenHighWater(filepath.Join(dir, fileMark)); err != nil {
		return nil, err
	}
	doubt, err := h.doubt(mark, hadMark)
	if err != nil {
		return nil, err
	}
	h.doubted = doubt
	h.Node, err = node.New(node.Config{Charter: h.charter, Me: h.me, Keys: h.Keys, Store: h.store,
		Mark: func(m station.Mark) error { return h.mark.Set(store.Mark(m)) }, Doubt: doubt,
		Rand: rand.Reader, Now: o.Now, Log: h.opts.Log}, o.Progress)
	if err != nil {
		return nil, err
	}
	if err := h.openCarrier(); err != nil {
		return nil, err
	}
	h.witness, err = newSubmitter(h)
	return h, err
}

// sameChannel refuses a record of another channel: a directory belongs to one
// charter, and a successor runs in a directory of its own.
func (h *Host) sameChannel() error {
	logs, err := h.store.Logs()
	if err != nil {
		return err
	}
	for _, l := range logs {
		if l.Log.Channel != h.Signed.Channel() {
			return parley.Errorf(CodeChannel, "the record in %s belongs to another channel than the charter %q", h.Dir, h.charter.Name)
		}
	}
	return nil
}

// doubt is case (c) of protocol 7.8: the store may be behind what this party
// has signed. It says why.
func (h *Host) doubt(mark *store.Mark, hadMark bool) (bool, error) {
	gen, err := genOf(h.store)
	if err != nil {
		return false, err
	}
	copied, err := stamped(h.store)
	if err != nil {
		return false, err
	}
	fresh := gen == parley.Gen{}
	because := func(why string) (bool, error) {
		h.opts.Log.Warn(why + ": a new generation will start, as it must; nothing is signed twice")
		return true, nil
	}
	switch {
	case h.opts.Restored:
		return because("this directory was restored or copied, says the operator")
	case copied:
		return because("this record was restored from a backup")
	case rebuilding(h.Dir):
		return because("this record is being rebuilt from the peers")
	case mark == nil && fresh:
		return false, nil
	case mark == nil && hadMark:
		return because("the high-water file is damaged")
	case mark == nil:
		return because("the high-water file is missing")
	case fresh, mark.Gen != gen:
		return because("the record is older than the high-water file")
	}
	logs, err := h.store.Logs()
	if err != nil {
		return false, err
	}
	for lane, size := range mark.Sizes {
		id := parley.LogID{Channel: h.Signed.Channel(), Party: h.me, Lane: parley.Lane(lane), Gen: gen}
		i := slices.IndexFunc(logs, func(l journal.LogState) bool { return l.Log == id })
		if size > 0 && (i < 0 || logs[i].Size < size) {
			return because("the record is older than the high-water file, in the lane " + parley.Lane(lane).String())
		}
	}
	return false, nil
}

// lease draws the token by which two runs of one party can be told apart: one
// more than any before, and not below the clock.
func (h *Host) lease() (uint64, error) {
	var last uint64
	err := h.store.Values("self", func(k string, v []byte) error {
		if k == "lease" && len(v) == 8 {
			last = binary.BigEndian.Uint64(v)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	token := max(last+1, uint64(max(h.opts.Now().Unix(), 0)))
	return token, h.store.Commit(&journal.Batch{Puts: []journal.Put{{Space: "self", Key: "lease", Value: binary.BigEndian.AppendUint64(nil, token)}}})
}

func (h *Host) openCarrier() error {
	peers, err := h.settings.peers(h.charter, h.me)
	if err != nil {
		return err
	}
	token, err := h.lease()
	if err != nil {
		return err
	}
	cfg := carrier.Config{Channel: h.Signed.Channel(), Me: h.me, TLSKey: h.Keys.TLS, Token: token,
		Listen: h.settings.Listen, Peers: peers, Log: h.opts.Log, Idle: 60 * time.Second,
		Pins:    h.pins(),
		Up:      func(p parley.Party, bulk bool, _ [8]byte, _ uint64) { h.Node.Up(p, bulk) },
		Down:    func(p parley.Party, bulk bool, err error) { h.Node.Down(p, bulk, err) },
		Frame:   h.Node.Frame,
		Refused: func(p parley.Party, remote string, err error) { h.Node.Refused(p, remote, err) },
	}
	if _, err := rand.Read(cfg.Boot[:]); err != nil {
		return err
	}
	h.Carrier, err = carrier.New(cfg)
	return err
}

// pins gives the TLS keys by which members may identify themselves: the newest
// that the node knows. The carrier asks often, and strangers make it ask, so
// the answer is kept ready and follows the node.
func (h *Host) pins() func(parley.Party) [][]byte {
	h.setPins(h.Node.Pins)
	return func(p parley.Party) [][]byte { return (*h.pinned.Load())[p] }
}

func (h *Host) setPins(of func(parley.Party) [][]byte) {
	m := map[parley.Party][][]byte{}
	for _, x := range h.charter.Members {
		m[x.Index] = of(x.Index)
	}
	h.pinned.Store(&m)
}

// followPins renews the pins when the node has started and whenever a root put
// new keys in force; connections under keys that no longer hold are closed.
func (h *Host) followPins(ctx context.Context) {
	events, stop := h.Node.Watch(64)
	defer stop()
	for {
		if err := h.Node.Do(ctx, func(v node.View) { h.setPins(v.Station.Pins) }); err != nil {
			return
		}
		h.Carrier.Repin()
		for renewed := false; !renewed; {
			select {
			case <-ctx.Done():
				return
			case e := <-events:
				renewed = e.Alarm != nil && e.Alarm.Code == station.AlarmNewKeys
			}
		}
	}
}

// Addr is where the node listens, nil if it does not.
func (h *Host) Addr() net.Addr { return h.Carrier.Addr() }

// Charter and Me say whose host this is.
func (h *Host) Charter() *parley.Charter { return h.charter }
func (h *Host) Me() parley.Party         { return h.me }

// Socket is the path of the local socket.
func (h *Host) Socket() string { return filepath.Join(h.Dir, fileSocket) }

// Run runs the party until ctx ends, its store fails, or new node keys are in
// force (ErrRenewed).
func (h *Host) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(h.renewing, cancel)()
	var wg sync.WaitGroup
	var nodeErr, carrierErr error
	wg.Go(func() { defer cancel(); nodeErr = h.Node.Run(ctx, h.Carrier) })
	wg.Go(func() { defer cancel(); carrierErr = h.Carrier.Run(ctx) })
	wg.Go(func() { h.witness.run(ctx) })
	wg.Go(func() { h.syncMark(ctx) })
	wg.Go(func() { h.followPins(ctx) })
	wg.Go(func() { h.watchRebuild(ctx) })
	wg.Wait()
	if errors.Is(carrierErr, context.Canceled) {
		carrierErr = nil
	}
	err := errors.Join(nodeErr, carrierErr)
	if err == nil && h.renewing.Err() != nil {
		return ErrRenewed
	}
	return err
}

// syncMark makes the high-water mark durable now and then. A mark that a power
// cut takes back is only older than the record, which is harmless.
func (h *Host) syncMark(ctx context.Context) {
	t := time.NewTicker(2 * time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := h.mark.Sync(); err != nil {
				h.opts.Log.Warn("high-water file", "err", err)
			}
		}
	}
}

// Close releases the files. Call it after Run has returned.
func (h *Host) Close() error {
	var errs []error
	for _, c := range []io.Closer{closer(h.Carrier), closer(h.mark), closer(h.store)} {
		if c == nil {
			continue
		}
		if err := c.Close(); !errors.Is(err, net.ErrClosed) { // Run may have closed it
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// hasContent reports whether a file is there and not empty.
func hasContent(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() > 0
}

// closer hides a nil pointer.
func closer[T any, P interface {
	*T
	io.Closer
}](p P) io.Closer {
	if p == nil {
		return nil
	}
	return p
}

func sorted(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
