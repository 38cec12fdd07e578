package host

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"time"

	"parley"
	"parley/frame"
	"parley/internal/carrier"
	"parley/journal"
	"parley/seal"
)

// asking is the conversation with the running peers: this party connects as
// itself, with its own TLS key, and asks by WANT for exactly what is damaged.
// It says nothing of what it holds, so nobody sends anything else.
type asking struct {
	r      *repair
	c      *carrier.Carrier
	frames chan fromPeer
	up     map[parley.Party]bool
	reads  []readKey // audience keys of peers, from the record and from GRANTs of this conversation
	kems   []*seal.KEM
	due    struct{ entries, heads int } // answers that the last WANT still calls for
}

type fromPeer struct {
	from  parley.Party
	frame frame.Frame // nil: the connection came up
	bulk  bool
}

type readKey struct {
	author parley.Party
	id     seal.KeyID
	key    seal.Key
}

// Waiting for peers.
const (
	connectWait = 20 * time.Second
	quietWait   = 4 * time.Second // without any answer: what is missing is asked for again
	askRounds   = 5
)

// askPeers asks every member that can be reached, one after the other, until
// nothing is wanted.
func (r *repair) askPeers(ctx context.Context) error {
	a := &asking{r: r, frames: make(chan fromPeer, 4096), up: map[parley.Party]bool{}}
	if err := a.open(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- a.c.Run(ctx) }()
	defer func() { cancel(); <-done }()
	a.loadKeys()
	for _, p := range r.charter.Others(r.me) {
		if r.needs() {
			a.ask(ctx, p)
			r.settle()
		}
	}
	return nil
}

func (a *asking) open() (err error) {
	s := a.r.settings
	maps.Copy(s.Peers, a.r.Peers)
	if err := s.check(); err != nil {
		return err
	}
	peers, err := s.peers(a.r.charter, a.r.me)
	if err != nil {
		return err
	}
	cfg := carrier.Config{Channel: a.r.signed.Channel(), Me: a.r.me, TLSKey: a.r.keys.TLS, Token: a.lease(), Listen: s.Listen, Peers: peers,
		Patience: time.Millisecond, Log: a.r.Log,
		Pins:  func(p parley.Party) [][]byte { return a.r.pins[p].TLS },
		Up:    func(p parley.Party, bulk bool, _ [8]byte, _ uint64) { a.put(fromPeer{from: p, bulk: bulk}) },
		Down:  func(parley.Party, bool, error) {},
		Frame: a.frame,
	}
	if _, err := rand.Read(cfg.Boot[:]); err != nil {
		return err
	}
	if a.c, err = carrier.New(cfg); err != nil && s.Listen != "" { // in use, say: dialing may be enough
		cfg.Listen = ""
		a.c, err = carrier.New(cfg)
	}
	return err
}

// lease is the token of the connections: not below that of the node's last run.
func (a *asking) lease() uint64 {
	return uint64(max(a.r.Now().Unix(), 0))
}

func (a *asking) put(f fromPeer) {
	select {
	case a.frames <- f:
	default: // asked for again
	}
}

func (a *asking) frame(p parley.Party, bulk bool, b []byte) {
	if f, err := frame.Decode(b); err == nil {
		a.put(fromPeer{p, f, bulk})
	}
}

// loadKeys reads what opens a peer's answers: the audience keys that it has
// granted, and the keys to which it grants new ones.
func (a *asking) loadKeys() {
	for _, v := range a.r.saved.Values {
		d := parley.NewDecoder(v.Value, 2)
		switch v.Space {
		case "peer-key":
			d.Array(7, 7)
			k := readKey{id: seal.KeyID(d.Gen()), key: seal.Key(d.Hash()), author: d.Party()}
			if d.Err() == nil {
				a.reads = append(a.reads, k)
			}
		case "kem":
			d.Array(4, 4)
			seed := d.Hash()
			if k, err := seal.NewKEM(seed); err == nil && d.Err() == nil {
				a.kems = append(a.kems, k)
			}
		}
	}
}

// ask asks one peer for all that is wanted, again and again while that brings
// anything.
func (a *asking) ask(ctx context.Context, p parley.Party) {
	name := a.r.charter.Member(p).Name
	if !a.connected(ctx, p) {
		a.r.say("%s cannot be reached, and was not asked", name)
		return
	}
	var total uint64
	for round := 0; round < askRounds && ctx.Err() == nil; round++ {
		items := a.items(p, round)
		if len(items) == 0 {
			return
		}
		if total == 0 {
			total = a.missing()
		}
		before := a.missing()
		for part := range slices.Chunk(items, 4) { // an answer of each fits a connection's queue
			a.expect(part)
			a.c.Send(p, false, frame.Encode(&frame.Want{Items: part}))
			a.collect(ctx, p)
			a.r.Progress("from "+name, total-min(total, a.missing()), total)
		}
		a.r.settle()
		if a.missing() == before && round > 0 {
			return
		}
	}
}

// missing counts what is wanted and has not come.
func (a *asking) missing() (n uint64) {
	for _, m := range a.r.logs {
		for _, i := range m.wanted() {
			if b := m.bad[i]; b.leaf == nil || b.text == nil && m.readable(b) {
				n++
			}
		}
	}
	return n
}

func (a *asking) connected(ctx context.Context, p parley.Party) bool {
	a.c.Kick(p)
	t := time.NewTimer(connectWait)
	defer t.Stop()
	for !a.up[p] {
		select {
		case f := <-a.frames:
			a.take(f)
		case <-t.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// items are the WANTs: the newest signed head of every log that needs one, the
// leaves of damaged entries, and their texts.
func (a *asking) items(p parley.Party, round int) (items []frame.WantItem) {
	for _, m := range a.r.logs {
		wanted := m.wanted()
		if !m.lacks() || len(wanted) == 0 && round > 0 {
			continue
		}
		item := func(first, last uint64, form uint8) {
			items = append(items, frame.WantItem{Party: m.id.Party, Lane: m.id.Lane, Gen: m.id.Gen, First: first, Last: last, Form: form, Reason: frame.WantGap})
		}
		if round < 2 { // the second time for those whose answer was lost
			items = append(items, frame.WantItem{Party: m.id.Party, Lane: m.id.Lane, Gen: m.id.Gen, Form: frame.FormHeads, Reason: frame.WantStart})
		}
		var leaves, texts []uint64
		for _, i := range wanted {
			if b := m.bad[i]; !b.proven {
				leaves = append(leaves, i)
			}
			if b := m.bad[i]; b.text == nil {
				texts = append(texts, i)
			}
		}
		if m.beyondHead != nil && len(leaves) > 0 {
			for i := range m.beyond {
				leaves = append(leaves, m.target+uint64(i))
			}
		}
		spans(leaves, func(first, last uint64) { item(first, last, frame.FormBlind) })
		spans(texts, func(first, last uint64) { item(first, last, frame.FormOpen) })
	}
	return items
}

// spans groups ascending indexes into ranges that a peer answers at once.
func spans(idx []uint64, f func(first, last uint64)) {
	const most = 64
	for k := 0; k < len(idx); {
		n := k
		for n+1 < len(idx) && idx[n+1] == idx[n]+1 && n+1-k < most {
			n++
		}
		f(idx[k], idx[n])
		k = n + 1
	}
}

func (a *asking) expect(items []frame.WantItem) {
	a.due.entries, a.due.heads = 0, 0
	for _, i := range items {
		if i.Form == frame.FormHeads {
			a.due.heads++
		} else {
			a.due.entries += int(i.Last - i.First + 1)
		}
	}
}

// collect takes what comes until all is answered or nothing more comes.
func (a *asking) collect(ctx context.Context, p parley.Party) {
	wait := quietWait
	for a.due.entries > 0 || a.due.heads > 0 {
		t := time.NewTimer(wait)
		select {
		case f := <-a.frames:
			t.Stop()
			if a.take(f) && f.from == p {
				wait = time.Second // the rest comes close behind
				if _, heads := f.frame.(*frame.Heads); heads {
					a.due.heads--
				} else {
					a.due.entries--
				}
			}
		case <-t.C:
			return
		case <-ctx.Done():
			t.Stop()
			return
		}
	}
}

// take uses one frame; it reports whether it was an answer. What it says is
// proved later, by settle: an OPEN by its commitment, a leaf by the tree, a head
// by its author's signature.
func (a *asking) take(in fromPeer) bool {
	from := a.r.charter.Member(in.from).Name
	switch f := in.frame.(type) {
	case nil:
		a.up[in.from] = a.up[in.from] || !in.bulk
	case *frame.Grant:
		a.grant(in.from, f)
	case *frame.Heads:
		a.heads(f)
		return true
	case *frame.Blind:
		for _, m := range a.r.logs {
			if m.id.Party == f.Author && m.id.Lane == f.Lane && m.id.Hint() == f.Hint {
				a.each(m, f.Index, func(i uint64) {
					m.give(i, journal.Leaf{To: f.To, Commit: f.Commit}, nil, signed(f.Sig), from)
				})
			}
		}
		return true
	case *frame.Clear:
		if m := a.log(f.Author, f.Lane, f.Gen); m != nil {
			c := &journal.Content{Salt: f.Salt, Entry: f.Entry}
			a.each(m, f.Index, func(i uint64) {
				m.give(i, journal.Leaf{Commit: journal.Commit(m.id.Origin(), i, f.Salt, f.Entry)}, c, signed(f.Sig), from)
			})
		}
		return true
	case *frame.Open:
		a.opened(in.from, f, from)
		return true
	}
	return false
}

func signed(sig [64]byte) []byte {
	if sig == ([64]byte{}) {
		return nil
	}
	return sig[:]
}

func (a *asking) log(p parley.Party, lane parley.Lane, gen parley.Gen) *mending {
	for _, m := range a.r.logs {
		if m.id.Party == p && m.id.Lane == lane && m.id.Gen == gen {
			return m
		}
	}
	return nil
}

// each calls f with the places that a 16-bit index may mean: those that are
// damaged, and those beyond the record. A wrong one proves nothing.
func (a *asking) each(m *mending, short uint16, f func(uint64)) {
	for i := uint64(short); i < m.target+uint64(len(m.beyond)); i += 1 << 16 {
		if m.bad[i] != nil || i >= m.target {
			f(i)
		}
	}
}

// grant takes a key that the peer grants before it opens anything. Whose it is
// needs no check: what it opens must be what the author signed.
func (a *asking) grant(from parley.Party, f *frame.Grant) {
	if f.Recipient != a.r.me || f.Author != from {
		return
	}
	for _, k := range a.kems {
		if K, err := k.Unwrap(f.Info(a.r.signed.Channel()), f.Sealed); err == nil {
			a.reads = append(a.reads, readKey{from, f.KeyID, K})
			return
		}
	}
}

func (a *asking) opened(from parley.Party, f *frame.Open, name string) {
	m := a.log(f.Author, f.Lane, f.Gen)
	if m == nil || m.bad[f.Index] == nil {
		return
	}
	for _, k := range a.reads {
		if k.author != from || k.id.Hint() != f.KeyHint {
			continue
		}
		pt, err := seal.Decrypt(seal.OpenKey(k.key, m.id.Origin(), f.Index, f.Leaf), f.Nonce, f.Header(), f.Sealed)
		if err != nil || len(pt) < 33 {
			continue
		}
		c := &journal.Content{Salt: parley.Hash(pt[:32]), Entry: pt[32:]}
		leaf := journal.Leaf{Commit: journal.Commit(m.id.Origin(), f.Index, c.Salt, c.Entry)}
		if e, err := parley.ParseEntry(c.Entry); err == nil {
			leaf.To = e.To
		}
		if b := m.bad[f.Index]; leaf.Hash() != f.Leaf && b.leaf != nil && b.leaf.Commit == leaf.Commit {
			leaf = *b.leaf // an entry that breaks a rule says its audience only outside
		}
		if leaf.Hash() == f.Leaf {
			m.give(f.Index, leaf, c, nil, name)
		}
		return
	}
	a.r.sealed = true
}

// heads takes a signed head and the cosignatures on it.
func (a *asking) heads(f *frame.Heads) {
	c, err := journal.ParseCheckpoint(f.Note)
	if err != nil {
		return
	}
	id, err := parley.ParseOrigin(c.Origin)
	if err != nil || id.Channel != a.r.signed.Channel() {
		return
	}
	m := a.log(id.Party, id.Lane, id.Gen)
	if m == nil {
		return
	}
	h := journal.SignedHead{Log: id, Size: c.Size, Root: c.Root}
	var author *parley.Keys
	for _, l := range c.Lines {
		if h.Sig = l.Sig; l.Name == c.Origin && len(l.Sig) == parley.SizeEdSig {
			if author, err = a.r.ring.VerifyHead(h); err == nil {
				break
			}
		}
	}
	if author == nil {
		return
	}
	if c.Size <= m.target {
		m.sign(c.Size, c.Root, h.Sig)
	} else if m.beyondHead == nil || m.beyondHead.Size < c.Size {
		m.follow(h)
	}
	for _, l := range c.Lines {
		if x, err := a.r.ring.VerifyLine(c, l, author); err == nil {
			m.offers = append(m.offers, *x)
		}
	}
}
