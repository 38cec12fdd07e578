package demo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"parley"
	"parley/internal/host"
	"parley/internal/node"
	"parley/internal/witness"
	"parley/journal"
	"parley/seal"
	"parley/station"
)

// Codes of the player.
const (
	CodeDir     parley.Code = "demo-directory"
	CodeSettle  parley.Code = "demo-stuck"
	CodeWitness parley.Code = "demo-witness"
)

var _ = parley.RegisterCodes(map[parley.Code]string{
	CodeDir:     "Name a directory that is empty or does not exist yet; the demonstration never overwrites anything.",
	CodeSettle:  "The members did not come to the same record in time. Try again on a machine that is less busy.",
	CodeWitness: "The witness of the demonstration could not be started. Check that this machine has a loopback network.",
})

// Passphrase seals the root keys of the demonstration's members. It is said in
// the open: these keys are for the exercise and nothing else.
const Passphrase = "exercise only"

// patience is how long, by the wall clock, the members may take to come to the
// same record.
const patience = 60 * time.Second

// world is the members and witnesses of a scenario, each running in this
// process with a directory, keys and connections of its own.
type world struct {
	s       *Scenario
	dir     string
	clock   *clock
	charter *parley.Charter
	signed  *parley.SignedCharter
	dirs    []string     // by member
	hosts   []*host.Host // by member
	watch   []*monitor
	desks   []*desk // consoles, if they are shown

	ctx    context.Context // of what runs
	cancel context.CancelFunc
	wg     sync.WaitGroup
	mu     sync.Mutex
	failed error // of a host that ended by itself
}

// monitor is one running witness.
type monitor struct {
	name string // as the scenario calls it
	dir  string
	key  *witness.Key
	srv  *witness.Server
	http *http.Server
	url  string
}

// newWorld makes the directories and keys and lets everybody sign the charter.
// Nothing runs yet but the witnesses.
func newWorld(s *Scenario, dir string, c *clock) (_ *world, err error) {
	w := &world{s: s, dir: dir, clock: c, cancel: func() {}}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if err := w.place(); err != nil {
		return nil, err
	}
	w.charter = &parley.Charter{Name: short(s.Title, 64), Rules: parley.DefaultRules()}
	roots, err := w.members()
	if err != nil {
		return nil, err
	}
	if err := w.witnesses(); err != nil {
		return nil, err
	}
	w.signed = &parley.SignedCharter{Charter: w.charter.Encode()}
	for i, r := range roots {
		w.signed.Add(r.SignCharter(w.signed.Channel(), parley.Party(i+1)))
	}
	for _, d := range w.dirs {
		if _, err := host.Accept(d, w.signed.Encode(), uint64(c.Now().Unix()), false); err != nil {
			return nil, err
		}
	}
	return w, w.serveWitnesses()
}

// place gives every member and witness a directory named after it.
func (w *world) place() error {
	taken := map[string]string{}
	dir := func(name string) (string, error) {
		d := slug(name)
		if other, ok := taken[d]; ok || d == "" {
			return "", parley.Errorf(CodeScenario, "no directory can be named after %q (another: %q); use letters and digits", name, other)
		}
		taken[d] = name
		return filepath.Join(w.dir, d), nil
	}
	for _, m := range w.s.Members {
		d, err := dir(m.Name)
		if err != nil {
			return err
		}
		w.dirs = append(w.dirs, d)
	}
	for _, name := range w.s.Witnesses {
		d, err := dir(name)
		if err != nil {
			return err
		}
		w.watch = append(w.watch, &monitor{name: name, dir: d})
	}
	return nil
}

// workFactor guards host.WorkFactor, which the demonstration lowers while it
// makes its keys.
var workFactor sync.Mutex

func (w *world) members() ([]*seal.Root, error) {
	workFactor.Lock()
	defer func(old int) { host.WorkFactor = old; workFactor.Unlock() }(host.WorkFactor)
	host.WorkFactor = 10
	var roots []*seal.Root
	for i, m := range w.s.Members {
		card, err := host.Init(w.dirs[i], m.Name, "", Passphrase)
		if err != nil {
			return nil, err
		}
		root, err := host.OpenRoot(filepath.Join(w.dirs[i], "root.key"), Passphrase)
		if err != nil {
			return nil, err
		}
		roots = append(roots, root)
		w.charter.Members = append(w.charter.Members, parley.Member{Index: parley.Party(i + 1), Role: m.Role, Name: m.Name,
			RootEd: card.RootEd, RootPQ: card.RootPQ, Keys: card.Keys})
	}
	return roots, nil
}

// witnesses makes their keys and writes the charter's quorum: all of them.
func (w *world) witnesses() error {
	var names []string
	for _, m := range w.watch {
		if err := os.MkdirAll(m.dir, 0o700); err != nil {
			return parley.Errorf(CodeDir, "%w", err)
		}
		var err error
		if m.key, err = witness.CreateKey(filepath.Join(m.dir, "witness.key"), slug(m.name)); err != nil {
			return err
		}
		w.charter.Witnesses = append(w.charter.Witnesses, m.key.Witness())
		names = append(names, m.key.Name)
	}
	switch {
	case len(names) == 1:
		w.charter.Rules.Quorum = "quorum " + names[0] + "\n"
	case len(names) > 1:
		w.charter.Rules.Quorum = "group all-of-them all " + strings.Join(names, " ") + "\nquorum all-of-them\n"
	}
	return nil
}

func (w *world) serveWitnesses() error {
	for _, m := range w.watch {
		var err error
		m.srv, err = witness.New(witness.Config{Dir: filepath.Join(m.dir, "state"), Key: m.key,
			Charters: []*parley.Charter{w.charter}, Now: w.clock.Now})
		if err != nil {
			return err
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return parley.Errorf(CodeWitness, "%w", err)
		}
		m.http, m.url = m.srv.HTTP(), "http://"+l.Addr().String()+"/"
		w.wg.Go(func() { m.http.Serve(l) })
	}
	return nil
}

// start runs the members. The last member listens first and the first dials
// everybody, as the lower number does on any channel.
func (w *world) start() error {
	ctx, cancel := context.WithCancel(context.Background())
	w.ctx, w.cancel = ctx, cancel
	urls := map[string]string{}
	for _, m := range w.watch {
		urls[m.key.Name] = m.url
	}
	addrs := map[string]string{}
	hosts := make([]*host.Host, len(w.dirs))
	for i := len(w.dirs) - 1; i >= 0; i-- {
		h, err := host.Open(w.dirs[i], host.Options{Listen: "127.0.0.1:0", Peers: maps.Clone(addrs), Witnesses: urls,
			Cadence: 1000 * time.Hour, Now: w.clock.Now}) // heads are submitted after each step
		if err != nil {
			return err
		}
		hosts[i] = h
		w.hosts = append(w.hosts, h)
		addrs[w.s.Members[i].Name] = h.Addr().String()
	}
	w.hosts = hosts
	for i, h := range hosts {
		name := w.s.Members[i].Name
		peers := maps.Clone(addrs)
		delete(peers, name)
		if err := host.SaveSettings(w.dirs[i], host.Settings{Listen: addrs[name], Peers: peers, Witnesses: urls}); err != nil {
			return err
		}
		w.wg.Go(func() {
			if err := h.Run(ctx); err != nil {
				w.mu.Lock()
				w.failed = errors.Join(w.failed, fmt.Errorf("%s: %w", name, err))
				w.mu.Unlock()
			}
		})
	}
	return nil
}

// close ends everything that runs and releases the files. A second call does
// nothing.
func (w *world) close() error {
	w.cancel()
	for _, m := range w.watch {
		if m.http != nil {
			m.http.Close()
		}
	}
	w.wg.Wait()
	errs := []error{w.failed}
	for _, d := range w.desks {
		errs = append(errs, d.book.Close())
	}
	for _, h := range w.hosts {
		errs = append(errs, h.Close())
	}
	for _, m := range w.watch {
		if m.srv != nil {
			errs = append(errs, m.srv.Close())
		}
	}
	w.hosts, w.watch, w.desks, w.failed = nil, nil, nil, nil
	return errors.Join(errs...)
}

// host is the running member p.
func (w *world) host(p parley.Party) *host.Host { return w.hosts[p-1] }

// tick lets every member do what the time asks for.
func (w *world) tick(ctx context.Context) error {
	for _, h := range w.hosts {
		if err := h.Node.Feed(ctx, station.Tick{}); err != nil {
			return err
		}
	}
	return nil
}

// await asks done again and again until it says yes or patience ends. done
// names what is missing, or "".
func await(ctx context.Context, done func() (missing string, err error)) error {
	end := time.Now().Add(patience)
	for {
		missing, err := done()
		if err != nil || missing == "" {
			return err
		}
		if time.Now().After(end) {
			return parley.Errorf(CodeSettle, "still missing after %s: %s", patience, missing)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(4 * time.Millisecond):
		}
	}
}

// settle waits until every member holds the same logs, has receipted all of
// them, and knows of the witnesses' cosignatures on every newest head. It
// brings heads to the witnesses once the members hold them.
func (w *world) settle(ctx context.Context) error {
	return await(ctx, func() (string, error) {
		views, err := w.logs(ctx)
		if err != nil {
			return "", err
		}
		if missing := w.unshared(views); missing != "" {
			return missing, nil
		}
		return w.unwitnessed(ctx, views), nil
	})
}

// logs is what each member knows of all logs.
func (w *world) logs(ctx context.Context) ([]map[parley.LogID]station.LogStatus, error) {
	var out []map[parley.LogID]station.LogStatus
	for i, h := range w.hosts {
		known := map[parley.LogID]station.LogStatus{}
		ready := false
		err := h.Node.Do(ctx, func(v node.View) {
			ready = v.Station.Ready()
			for _, l := range v.Station.Logs() {
				known[l.Log] = l
			}
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.s.Members[i].Name, err)
		}
		if !ready {
			clear(known)
		}
		out = append(out, known)
	}
	return out, nil
}

// unshared names a log that a member does not hold, or has not receipted, as
// far as its author's own copy goes.
func (w *world) unshared(views []map[parley.LogID]station.LogStatus) string {
	for i, own := range views {
		author := parley.Party(i + 1)
		n := 0
		for id, l := range own {
			if id.Party != author {
				continue
			}
			n++
			for j, view := range views {
				got := view[id]
				if got.Head.Size != l.Head.Size || got.Signed.Size != l.Head.Size {
					return fmt.Sprintf("%s of %s at %s", id.Lane, w.s.Members[i].Name, w.s.Members[j].Name)
				}
				for _, p := range w.charter.Others(author) {
					if got.Receipts[p] < l.Head.Size {
						return fmt.Sprintf("the receipt of %s for %s of %s at %s", w.s.Members[p-1].Name, id.Lane, w.s.Members[i].Name, w.s.Members[j].Name)
					}
				}
			}
		}
		if n < parley.Lanes {
			return "the start of " + w.s.Members[i].Name
		}
	}
	return ""
}

func (w *world) unwitnessed(ctx context.Context, views []map[parley.LogID]station.LogStatus) string {
	if len(w.watch) == 0 {
		return ""
	}
	missing := ""
	for i, own := range views {
		submitted := false
		for id, l := range own {
			if id.Party != parley.Party(i+1) || l.Head.Size == 0 {
				continue
			}
			if l.Witnessed < l.Head.Size && !submitted {
				w.hosts[i].Submit(ctx)
				submitted = true
			}
			for j, view := range views {
				if view[id].Witnessed < l.Head.Size {
					missing = fmt.Sprintf("the witness's word on %s of %s at %s", id.Lane, w.s.Members[i].Name, w.s.Members[j].Name)
				}
			}
		}
	}
	return missing
}

// received is when each member receipted the entry, by its own clock, as the
// entry's author knows it.
func (w *world) received(r parley.Ref) map[parley.Party]uint64 {
	log := r.Log(w.signed.Channel())
	out := map[parley.Party]uint64{}
	if cs, err := w.host(r.Party).Node.Store().Cosigs(log, r.Index+1); err == nil {
		for _, x := range journal.Receipts(w.charter, log, cs, r.Index) {
			out[x.By] = x.Time
		}
	}
	return out
}

// witnessed is when the charter's quorum of witnesses saw the entry's head.
func (w *world) witnessed(r parley.Ref) (uint64, bool) {
	cs, err := w.host(r.Party).Node.Store().Cosigs(r.Log(w.signed.Channel()), r.Index+1)
	if err != nil {
		return 0, false
	}
	return journal.Witnessed(w.charter, cs, r.Index)
}

// slug is a name as a directory or a key is named: lower case, letters and
// digits, the rest as single hyphens.
func slug(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9')
	}), "-")
}

// short cuts s to at most n bytes, at a character.
func short(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.TrimSpace(s[:n])
}
