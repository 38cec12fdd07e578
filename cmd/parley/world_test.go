package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley"
	"parley/hotline"
	"parley/internal/control"
	"parley/internal/host"
	"parley/internal/witness"
	"parley/journal"
	"parley/seal"
)

const passphrase = "correct horse"

// party is one party: a directory, and a node that runs or not.
type party struct {
	w    *world
	name string
	dir  string
	addr string            // once it has listened
	via  map[*party]string // addresses to use for others instead of theirs
	run  []string          // what the node is run under, such as ip netns exec
	node *proc
	past []*proc
}

// world is a channel of parties in directories of their own, and a witness.
type world struct {
	t       *testing.T
	base    string
	channel parley.Hash
	parties []*party
	monitor *proc
	url     string // of the witness
}

// newWorld makes parties with one charter that all of them signed. Paths are
// short, because those of sockets must be.
func newWorld(t *testing.T, names ...string) *world {
	t.Helper()
	base, err := os.MkdirTemp("", "p")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(base) })
	w := &world{t: t, base: base}
	c := &parley.Charter{Name: "test line", Rules: parley.DefaultRules()}
	c.Rules.Heartbeat = 1
	var roots []*seal.Root
	for i, name := range names {
		p := &party{w: w, name: name, dir: filepath.Join(base, fmt.Sprint(i+1))}
		card, err := host.Init(p.dir, name, "", passphrase)
		if err != nil {
			t.Fatal(err)
		}
		root, err := host.OpenRoot(filepath.Join(p.dir, "root.key"), passphrase)
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, root)
		w.parties = append(w.parties, p)
		c.Members = append(c.Members, parley.Member{Index: parley.Party(i + 1), Name: name, RootEd: card.RootEd, RootPQ: card.RootPQ, Keys: card.Keys})
	}
	if err := os.Mkdir(filepath.Join(base, "w"), 0o700); err != nil {
		t.Fatal(err)
	}
	key, err := witness.CreateKey(filepath.Join(base, "w", "witness.key"), "monitor")
	if err != nil {
		t.Fatal(err)
	}
	c.Witnesses = []parley.Witness{key.Witness()}
	c.Rules.Quorum = "quorum monitor\n"
	s := &parley.SignedCharter{Charter: c.Encode()}
	for i, r := range roots {
		s.Add(r.SignCharter(s.Channel(), parley.Party(i+1)))
	}
	for _, p := range w.parties {
		if _, err := host.Accept(p.dir, s.Encode(), 0, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(base, "charter"), s.Encode(), 0o644); err != nil {
		t.Fatal(err)
	}
	w.channel = s.Channel()
	return w
}

// witness starts the witness, at the same address each time.
func (w *world) witness() {
	w.t.Helper()
	at := "127.0.0.1:0"
	if w.url != "" {
		at = strings.TrimPrefix(w.url, "http://")
	}
	w.monitor = spawn(w.t, w.base, "witness", "--dir", "w", "--charter", "charter", "--listen", at)
	w.url = w.monitor.said(`answers on (\S+)`)
}

// serve starts a party's node, at the same address each time, and returns once
// it listens. It knows the addresses of those that have listened before.
func (p *party) serve(more ...string) *party {
	p.w.t.Helper()
	p.launch(more...)
	p.addr = p.node.said(`listens on (\S+)\. Channel`)
	return p
}

// launch is serve without waiting.
func (p *party) launch(more ...string) {
	p.w.t.Helper()
	at := p.addr
	if at == "" {
		at = "127.0.0.1:0"
	}
	args := []string{"serve", "--dir", p.dir, "--listen", at}
	for _, o := range p.w.parties {
		if at := cmp.Or(p.via[o], o.addr); o != p && at != "" {
			args = append(args, "--peer", o.name+"="+at)
		}
	}
	if p.w.url != "" {
		args = append(args, "--witness", "monitor="+p.w.url)
	}
	p.node = spawnUnder(p.w.t, p.run, p.w.base, append(args, more...)...)
	p.past = append(p.past, p.node)
}

func (p *party) client() *control.Client { return control.Dial(p.dir) }

// get asks the running node.
func (p *party) get(path string, out any) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return p.client().Call(ctx, http.MethodGet, path, nil, out)
}

func (p *party) status() (s control.Status) {
	p.w.t.Helper()
	if err := p.get("/v1/status", &s); err != nil {
		p.w.t.Fatalf("%s: %v\n%s", p.name, err, p.node.stderr())
	}
	return s
}

func (p *party) inbox() (ms []control.Message) {
	p.w.t.Helper()
	if err := p.get("/v1/messages?limit=0", &ms); err != nil {
		p.w.t.Fatalf("%s: %v\n%s", p.name, err, p.node.stderr())
	}
	return ms
}

// ready waits until the node has finished its start.
func (p *party) ready() {
	p.w.t.Helper()
	eventually(p.w.t, p.name+" is ready", func() bool {
		if p.node.ended() {
			p.w.t.Fatalf("%s has ended:\n%s", p.name, p.node.stderr())
		}
		var s control.Status
		return p.get("/v1/status", &s) == nil && s.Ready
	})
}

// post sends a message through the socket, and returns its place once the node
// has answered.
func (p *party) post(lane parley.Lane, text string) (at control.Place, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	d := hotline.Draft(&hotline.Text{Type: hotline.Exercise, Text: text}, lane, parley.ToAll)
	err = p.client().Call(ctx, http.MethodPost, "/v1/post", control.Post{Lane: d.Lane, Kind: d.Kind, To: d.To, Body: d.Body}, &at)
	return at, err
}

// say is post that must succeed.
func (p *party) say(lane parley.Lane, text string) control.Place {
	p.w.t.Helper()
	at, err := p.post(lane, text)
	if err != nil {
		p.w.t.Fatalf("%s: %v\n%s", p.name, err, p.node.stderr())
	}
	return at
}

// has waits until the party shows a message with this text.
func (p *party) has(text string) (m control.Message) {
	p.w.t.Helper()
	eventually(p.w.t, p.name+" has "+text, func() bool {
		for _, x := range p.inbox() {
			if x.Text == text {
				m = x
				return true
			}
		}
		return false
	})
	return m
}

// received waits until a member has receipted every entry of this party's
// current logs.
func (p *party) received(by *party) {
	p.w.t.Helper()
	eventually(p.w.t, by.name+" has receipted all of "+p.name, func() bool {
		s := p.status()
		for _, l := range s.Logs {
			if l.Member == s.Member && l.Current && l.Receipts[by.name] < l.Size {
				return false
			}
		}
		return true
	})
}

// fsck checks the record on disk.
func (p *party) fsck() {
	p.w.t.Helper()
	ok(p.w.t, p.w.base, "fsck", "--dir", p.dir)
}

// export writes the record and verifies it as a stranger would. It returns the
// last line, which counts.
func (p *party) export() string {
	p.w.t.Helper()
	path := filepath.Join(p.w.base, fmt.Sprintf("%s-%d.parley", p.name, time.Now().UnixNano()))
	ok(p.w.t, p.w.base, "export", "--dir", p.dir, path)
	b, err := os.ReadFile(path)
	if err != nil {
		p.w.t.Fatal(err)
	}
	var last string
	if err := journal.VerifyRecord(bytes.NewReader(b), journal.Verify{Channel: &p.w.channel}, func(f journal.Finding) { last = fmt.Sprint(f) }); err != nil {
		p.w.t.Fatalf("%s's export: %v", p.name, err)
	}
	return last
}

// generations lists a member's generations as this party knows them.
func (p *party) generations(member int) map[string]bool {
	gens := map[string]bool{}
	for _, l := range p.status().Logs {
		if l.Member == member {
			gens[l.Origin[strings.LastIndexByte(l.Origin, '/')+1:]] = true
		}
	}
	return gens
}

// quiet fails the test if any node of the world raised an alarm that no one
// expects, or knows of a fork.
func (w *world) quiet(expected ...string) {
	w.t.Helper()
	for _, p := range w.parties {
		for i, n := range p.past {
			for line := range strings.Lines(n.stderr()) {
				_, code, found := strings.Cut(line, "alarm=")
				for _, e := range expected {
					found = found && strings.TrimSpace(code) != e
				}
				if found || strings.Contains(line, "panic") {
					w.t.Errorf("%s, run %d: %s", p.name, i, line)
				}
			}
		}
		if p.node == nil || p.node.ended() {
			continue
		}
		for _, l := range p.status().Logs {
			if l.Forked {
				w.t.Errorf("%s holds %s for forked", p.name, l.Origin)
			}
		}
	}
}

// copyDir copies a directory as a backup would; leave names what stays out.
func copyDir(t *testing.T, from, to string, leave ...string) {
	t.Helper()
	es, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
next:
	for _, e := range es {
		for _, l := range leave {
			if e.Name() == l {
				continue next
			}
		}
		if !e.Type().IsRegular() {
			continue
		}
		in, err := os.Open(filepath.Join(from, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out, err := os.OpenFile(filepath.Join(to, e.Name()), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(out, in)
		in.Close()
		if cerr := out.Close(); err != nil || cerr != nil {
			t.Fatal(err, cerr)
		}
	}
}

func parse(t *testing.T, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%v in %.300q", err, text)
	}
}
