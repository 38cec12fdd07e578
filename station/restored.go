package station

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley"
	"parley/frame"
	"parley/journal"
)

// A restored node may have given receipts that its store does not know. Before
// its first receipt on a log it asks the members for its own newest ones and
// for the heads that they stand on (protocol 7.8): what its author shows it
// now must not contradict what it has stated before.

// askWait is how long a restored node waits for its own receipts.
const askWait = 60 * time.Second

// hush begins the time in which receipts wait for what members know of them.
func (st *Station) hush() { st.hushed = st.now.Add(askWait) }

// mustWait reports whether a receipt on the log has to wait. The first time it
// asks every member that may know of one.
func (st *Station) mustWait(l *log) bool {
	if l.heard || !st.still(&st.hushed, askWait) {
		return false
	}
	if l.asking == nil {
		l.asking = map[parley.Party]bool{}
		for _, m := range st.peers() {
			if m.connected() && (m.Index == l.id.Party || m.theirs[l].Size > 0) {
				l.asking[m.Index] = true
				st.wantOne(m, l, 0, frame.FormHeads, frame.WantStart)
			}
		}
	}
	for _, m := range st.peers() {
		if !m.connected() {
			delete(l.asking, m.Index)
		}
	}
	// A signed head beyond ours is one that this node may have receipted.
	l.heard = len(l.asking) == 0 && (l.claimed == nil || l.claimed.Size <= l.size())
	return !l.heard
}

// sendReceipted sends a member that starts up the head of its own newest
// receipt with that receipt, if that is not the newest head.
func (st *Station) sendReceipted(m *member, l *log) {
	size := l.rcpt[m.Index]
	key := st.logKey(l)
	if size == 0 || size >= l.head.Size || key == nil {
		return
	}
	r, err := st.row(l, size-1)
	root, ok := st.rootAt(l, size)
	cs, err2 := st.cfg.Record.Cosigs(l.id, size)
	m.budget -= int64(100 * len(cs))
	bulk, up := m.link(true)
	if err != nil || err2 != nil || !ok || !up {
		return
	}
	var lines []journal.Line
	for _, c := range cs {
		if c.Size == size && c.Name == st.receiptName(m.Index) {
			if line, ok := st.line(l, c); ok {
				lines = append(lines, line)
			}
		}
	}
	note := func(sig []byte) frame.Frame {
		c := journal.Checkpoint{Origin: l.origin, Size: size, Root: root,
			Lines: append([]journal.Line{journal.HeadLine(l.origin, key, sig)}, lines...)}
		return &frame.Heads{Note: c.Encode()}
	}
	if l.id.Party == st.me {
		if s := st.signatureAt(l, size-1); s != nil {
			st.sendSigned(m, bulk, s, func(sig [64]byte) frame.Frame { return note(sig[:]) })
		}
	} else if len(r.Sig) == 64 {
		st.fx.send(m.Index, bulk, frame.Encode(note(r.Sig)))
	}
}

// lacks notes that an own entry came back without what it says; the note
// outlives the process.
func (st *Station) lacks(l *log, index uint64, to parley.Audience) {
	if l.blank == nil {
		l.blank = map[uint64]parley.Audience{}
	}
	l.blank[index] = to
	st.fx.put("blank", blankKey(l, index), parley.AppendUint(nil, uint64(to)), false)
}

// found notes that it has come back from a member.
func (st *Station) found(m *member, l *log, index uint64) {
	if _, ok := l.blank[index]; ok {
		delete(l.blank, index)
		st.came(m, l)
		st.fx.put("blank", blankKey(l, index), nil, false)
	}
}

func blankKey(l *log, index uint64) string { return fmt.Sprintf("%s/%016x", l.origin, index) }

// loadBlank reads the notes back.
func (st *Station) loadBlank(key string, d *parley.Decoder) error {
	to := parley.Audience(d.Uint(parley.MaxUint))
	i := strings.LastIndexByte(key, '/')
	if i < 0 {
		return parley.Errorf(parley.CodeOutOfRange, "it names no entry")
	}
	origin, hex := key[:i], key[i+1:]
	id, err := parley.ParseOrigin(origin)
	index, err2 := strconv.ParseUint(hex, 16, 64)
	if err != nil || err2 != nil || id.Channel != st.ch || id.Party != st.me {
		return parley.Errorf(parley.CodeOutOfRange, "%s is no own entry", key)
	}
	l := st.log(id)
	if l.blank == nil {
		l.blank = map[uint64]parley.Audience{}
	}
	l.blank[index] = to
	return nil
}

// askBlank asks the readers of own entries, of which this node got only the
// leaves back, for what they say.
func (st *Station) askBlank() {
	for _, l := range st.order {
		if len(l.blank) == 0 {
			continue
		}
		for _, m := range st.peers() {
			a := m.sought[l]
			if a == nil {
				a = &seeking{}
				m.sought[l] = a
			}
			if m.connected() && a.due(st.now.Unix(), uint64(len(l.blank))) {
				st.seek(m, l, a)
			}
		}
	}
}

// seeking is how many entries a member was asked for, and when.
type seeking struct {
	asking
	open int // of them have not come
}

// seek asks a member for as many as one WANT names.
func (st *Station) seek(m *member, l *log, a *seeking) {
	var items []frame.WantItem
	a.open = 0
	for _, i := range slices.Sorted(maps.Keys(l.blank)) {
		if !l.blank[i].Includes(m.Index) {
			continue
		}
		if n := len(items); n > 0 && items[n-1].Last+1 == i {
			items[n-1].Last = i
		} else if n < frame.MaxWants {
			items = append(items, frame.WantItem{Party: st.me, Lane: l.id.Lane, Gen: l.id.Gen,
				First: i, Last: i, Form: frame.FormOpen, Reason: frame.WantStart})
		} else {
			break
		}
		a.open++
	}
	if len(items) > 0 {
		st.want(m, items...)
	}
}

// came counts what a member was asked for; the next ones are asked for when
// all have come.
func (st *Station) came(m *member, l *log) {
	if a := m.sought[l]; a != nil && a.open > 0 {
		if a.open--; a.open == 0 && len(l.blank) > 0 {
			st.seek(m, l, a)
		}
	}
}
