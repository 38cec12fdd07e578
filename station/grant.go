package station

import (
	"crypto/ed25519"
	"encoding/hex"
	"fmt"

	"parley"
	"parley/frame"
	"parley/journal"
	"parley/seal"
)

// ownKey is an audience key of this party.
type ownKey struct {
	id    seal.KeyID
	K     seal.Key
	to    parley.Audience
	from  uint64
	until uint64
	sent  map[parley.Party]int64 // when it was granted on the member's present connection
}

// maxReads bounds the keys that one member has granted and that are kept.
const maxReads = 512

// peerKey is an audience key that another member granted to this one.
type peerKey struct {
	id       seal.KeyID
	K        seal.Key
	author   parley.Party
	to       parley.Audience
	from     uint64
	until    uint64
	accepted uint64
}

// peerKem is a member's newest key for receiving grants.
type peerKem struct {
	gen   parley.Gen
	index uint64
	pub   []byte
	until uint64
}

// kem is an own key for receiving grants.
type kem struct {
	key     *seal.KEM
	created uint64
	index   uint64 // of its KEYS entry
	gen     parley.Gen
}

// epoch is the time by which windows are chosen: the later of the own clock
// and the newest verified cosignature, capped at the own clock plus a day, so
// that neither a slow own clock nor a lying other one decides.
func (st *Station) epoch() uint64 {
	now := st.unix()
	return max(now, min(st.newest, now+86400))
}

// audienceKey is the own key for an audience in the present window, made if
// there is none yet.
func (st *Station) audienceKey(to parley.Audience) *ownKey {
	t := st.epoch()
	w := st.cfg.Charter.Rules.Window
	return st.keyFor(to, t/w*w)
}

func (st *Station) keyFor(to parley.Audience, from uint64) *ownKey {
	for _, k := range st.grants {
		if k.to == to && k.from == from {
			return k
		}
	}
	k := &ownKey{to: to, from: from, until: from + st.cfg.Charter.Rules.Window, sent: map[parley.Party]int64{}}
	for k.id.Hint() == 0 {
		st.random(k.id[:])
	}
	st.random(k.K[:])
	st.grants = append(st.grants, k)
	st.fx.put("own-key", hex.EncodeToString(k.id[:]), encodeOwnKey(k), true)
	return k
}

// keyOf is the live own key under which a row was committed, nil if it is gone.
func (st *Station) keyOf(l *log, r *journal.Row) *ownKey {
	for i := len(st.grants) - 1; i >= 0; i-- {
		k := st.grants[i]
		if k.to == r.Leaf.To && seal.Salt(k.K, l.origin, r.Index) == r.Content.Salt {
			return k
		}
	}
	return nil
}

// ensureGranted sends the member a key before the first frame that needs it.
func (st *Station) ensureGranted(m *member, k *ownKey) {
	if _, sent := k.sent[m.Index]; sent || m.listed[k.id] || m.kem == nil {
		return
	}
	f := &frame.Grant{ChannelHint: st.chHint, Author: st.me, Recipient: m.Index, KeyID: k.id,
		Audience: k.to, From: k.from, Until: k.until}
	sealed, err := seal.WrapKey(m.kem.pub, f.Info(st.ch), k.K)
	if err != nil {
		return // the KEM key was checked when it came
	}
	f.Sealed = sealed
	copy(f.Sig[:], ed25519.Sign(st.keys.Log.Ed, f.Message(st.ch)))
	b := frame.Encode(f)
	// On both connections: the frames that need it travel on either.
	if m.up[0] {
		st.fx.send(m.Index, false, b)
	}
	if m.up[1] {
		st.fx.send(m.Index, true, b)
	}
	k.sent[m.Index] = st.now.Unix()
}

// regrant lets the keys that a member does not list go out again, each at most
// once in five seconds: a GRANT costs more than the frame that asks for it.
func (st *Station) regrant(m *member) {
	for _, k := range st.grants {
		if t, sent := k.sent[m.Index]; sent && !m.listed[k.id] {
			if !passed(t, st.now.Unix(), regrantEvery) {
				m.regrant = true // at the next tick that may
				continue
			}
			delete(k.sent, m.Index)
		}
	}
}

// grantLive grants a member the keys it should hold: that of the present
// window for all, the one for it alone, and, from half time, their successors.
func (st *Station) grantLive(m *member) {
	if st.phase != phaseRunning || m.kem == nil || !m.connected() {
		return
	}
	w := st.cfg.Charter.Rules.Window
	t := st.epoch()
	froms := []uint64{t / w * w}
	if t%w >= w/2 && st.cfg.Charter.Rules.Prepos > 0 {
		froms = append(froms, (t/w+1)*w)
	}
	for _, from := range froms {
		st.ensureGranted(m, st.keyFor(parley.ToAll, from))
		st.ensureGranted(m, st.keyFor(st.only(m.Index), from))
	}
	for _, k := range st.grants {
		if k.to.Includes(m.Index) {
			st.ensureGranted(m, k)
		}
	}
}

// receiveGrant accepts an audience key, once.
func (st *Station) receiveGrant(m *member, f *frame.Grant) {
	if f.Recipient != st.me || f.Author != m.Index || f.ChannelHint != st.chHint {
		return
	}
	if !f.Audience.Includes(st.me) || f.Audience.CheckIn(st.cfg.Charter, f.Author) != nil {
		return
	}
	r := &st.cfg.Charter.Rules
	now := st.epoch()
	// SPEC: a reader keeps a key at most prepos + window + grace from acceptance.
	if f.Until < f.From || f.Until-f.From > r.Window || f.From > now+r.Prepos+r.Window+86400 {
		return
	}
	live := 0
	for _, k := range m.reads {
		if k.id == f.KeyID {
			return
		}
		if k.id.Hint() == seal.KeyID(f.KeyID).Hint() {
			live++
		}
	}
	if live >= 8 || len(m.reads) >= maxReads {
		return
	}
	g := m.current()
	if g == nil || !ed25519.Verify(g.key.LogEd, f.Message(st.ch), f.Sig[:]) {
		return
	}
	for i := len(st.kems) - 1; i >= 0; i-- {
		K, err := st.kems[i].key.Unwrap(f.Info(st.ch), f.Sealed)
		if err != nil {
			continue
		}
		k := &peerKey{id: f.KeyID, K: K, author: m.Index, to: f.Audience, from: f.From, until: f.Until, accepted: st.unix()}
		m.reads = append(m.reads, k)
		m.granted++
		st.fx.put("peer-key", fmt.Sprintf("%d/%x", m.Index, k.id[:]), encodePeerKey(k), true)
		st.retryNoKey(m)
		st.sendHave(m)
		return
	}
	st.sayHave(m) // says that the key is missing: the author grants it again after new KEYS
}

// renewKeys publishes a KEM key where there is none for this generation or the
// newest is a window old.
func (st *Station) renewKeys() {
	now := st.unix()
	st.resetKems()
	if n := len(st.kems); n > 0 {
		k := st.kems[n-1]
		if k.gen == st.gen && now < k.created+st.cfg.Charter.Rules.Window {
			return
		}
	}
	var seed [32]byte
	st.random(seed[:])
	key, err := seal.NewKEM(seed)
	if err != nil {
		panic(err)
	}
	l := st.log(parley.LogID{Channel: st.ch, Party: st.me, Lane: parley.Routine, Gen: st.gen})
	k := &kem{key: key, created: now, index: l.size(), gen: st.gen}
	body := parley.KeysBody{KEM: key.Public(), Until: now + 2*st.cfg.Charter.Rules.Window}
	body.Sig = ed25519.Sign(st.keys.Log.Ed, body.Message(st.ch, st.me, st.gen, k.index))
	if _, err := st.appendOwn(parley.Routine, parley.KindKeys, parley.ToAll, body.Encode()); err != nil {
		return // a closed or forked lane: the old key stays in use
	}
	st.kems = append(st.kems, k)
	st.fx.put("kem", fmt.Sprintf("%s/%016x", st.gen, k.index), encodeKem(k), true)
}

// resetKems counts the life of own KEM keys from now where a clock that was
// wrong dated them into a future that neither the own clock nor any verified
// cosignature has reached.
func (st *Station) resetKems() {
	now := max(st.unix(), st.newest)
	for _, k := range st.kems {
		if k.created > now+maxSkew {
			k.created = now
			st.fx.put("kem", fmt.Sprintf("%s/%016x", k.gen, k.index), encodeKem(k), true)
		}
	}
}

// followKeys goes over to the KEYS of a member's current generation when the
// generation of those in use turns out to be superseded: generations become
// known in any order.
func (st *Station) followKeys(m *member) {
	g := m.current()
	if m.Index == st.me || g == nil || m.kem == nil || m.kem.gen == g.gen {
		return
	}
	if old := m.generation(m.kem.gen); old != nil && old.replaced == nil {
		return
	}
	l := st.logs[place{m.Index, parley.Routine, g.gen}]
	if l == nil {
		return
	}
	for i := l.size(); i > 0; i-- {
		r, err := st.row(l, i-1)
		if err != nil || r.Content == nil {
			continue
		}
		if e, err := parley.ParseEntry(r.Content.Entry); err == nil && e.Kind == parley.KindKeys && st.applyKeys(m, g.gen, i-1, e.Body) {
			return
		}
	}
}

// applyKeys takes a member's KEYS. Newest is the newest generation, then the
// highest index.
func (st *Station) applyKeys(m *member, gen parley.Gen, index uint64, body []byte) bool {
	g := m.generation(gen)
	kb, err := parley.ParseKeysBody(body)
	if err != nil || g == nil || !ed25519.Verify(g.key.LogEd, kb.Message(st.ch, m.Index, gen, index), kb.Sig) || seal.CheckKEM(kb.KEM) != nil {
		return false
	}
	if m.Index == st.me {
		return true
	}
	if m.kem != nil && (m.kem.gen == gen && m.kem.index >= index || m.kem.gen != gen && g.replaced != nil) {
		return true
	}
	m.kem = &peerKem{gen: gen, index: index, pub: kb.KEM, until: kb.Until}
	st.fx.put("peer-kem", fmtParty(m.Index), encodePeerKem(m.kem), false)
	for _, k := range st.grants {
		delete(k.sent, m.Index)
	}
	clear(m.listed)
	st.grantLive(m)
	return true
}

// destroyKeys removes what has outlived its window. A key goes only when the
// own clock and the newest time on a verified cosignature of another are both
// past its end: a false clock must not burn the keys.
func (st *Station) destroyKeys() {
	r := &st.cfg.Charter.Rules
	past := min(st.unix(), st.newest)
	keep := st.grants[:0]
	for _, k := range st.grants {
		if k.until+r.Grace < past {
			st.fx.put("own-key", hex.EncodeToString(k.id[:]), nil, true)
			continue
		}
		keep = append(keep, k)
	}
	clear(st.grants[len(keep):])
	st.grants = keep
	for _, m := range st.peers() {
		reads := m.reads[:0]
		for _, k := range m.reads {
			if k.until+r.Grace < past || k.accepted+r.Prepos+r.Window+r.Grace < past {
				st.fx.put("peer-key", fmt.Sprintf("%d/%x", m.Index, k.id[:]), nil, true)
				continue
			}
			reads = append(reads, k)
		}
		clear(m.reads[len(reads):])
		m.reads = reads
	}
	st.destroyKems(past)
}

// destroyKems removes own KEM keys two windows after every member has
// receipted a successor, at the latest after kemMax.
func (st *Station) destroyKems(past uint64) {
	r := &st.cfg.Charter.Rules
	for len(st.kems) > 1 {
		old, next := st.kems[0], st.kems[1]
		l := st.logs[place{st.me, parley.Routine, next.gen}]
		seen := l != nil
		for _, m := range st.peers() {
			seen = seen && l.rcpt[m.Index] > next.index
		}
		if !(seen && past > next.created+2*r.Window) && !(past > old.created+r.KemMax) {
			return
		}
		st.fx.put("kem", fmt.Sprintf("%s/%016x", old.gen, old.index), nil, true)
		st.kems = st.kems[1:]
	}
}
