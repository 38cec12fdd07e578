package host

import (
	"bytes"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"

	"parley"
	"parley/journal"
	"parley/seal"
)

func (r *repair) say(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if !slices.Contains(r.report.Mended, line) {
		r.report.Mended = append(r.report.Mended, line)
	}
}

func (r *repair) lose(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if !slices.Contains(r.report.Lost, line) {
		r.report.Lost = append(r.report.Lost, line)
	}
}

// meaning says what a lost value was, and what follows from that.
var meaning = map[string]string{
	"own-key":  "a key under which this party seals entries: the node makes a new one and grants it; what was sealed under the old one goes out again in the form for late readers",
	"peer-key": "a key that a member granted: the member grants it again when the node connects",
	"kem":      "the key to which members grant theirs: the node starts a new generation with a new one, and the members grant again",
	"peer-kem": "the key of a member for grants: put together again from the record, or from the member's next KEYS",
	"self":     "the node's note of its own state: the node starts a new generation",
	"opening":  "a note of an opening whose commitment has not come: that entry stays unopened here",
	"blank":    "a note of an own entry whose content is asked for: look for it in what is listed as unread",
	"fork":     "a proof of a fork: put together again from the notices in the record, if they hold it",
}

// repairValues puts together again what the record itself tells, says what is
// lost, and decides whether the own newest state is in doubt.
func (r *repair) repairValues() {
	lost := map[string]int{}
	for _, l := range r.saved.Lost {
		space, ok := strings.CutPrefix(l, "value ")
		if !ok {
			r.lose("%s", l)
			continue
		}
		lost[space]++
	}
	for _, space := range slices.Sorted(maps.Keys(lost)) {
		what := meaning[space]
		if what == "" {
			what = "a local note of the node"
		}
		r.note("%d of %q are lost: %s", lost[space], space, what)
	}
	any := len(lost) > 0 || r.saved.Holes > 0
	if any {
		r.rebuildPeerKEMs()
		r.rebuildForks()
	}
	r.judge(lost)
}

// note is a loss that needs no decision: the node heals it by itself.
func (r *repair) note(format string, args ...any) {
	r.report.Notes = append(r.report.Notes, fmt.Sprintf(format, args...))
}

// judge decides on doubt (protocol 7.8, case c): whatever this party may have
// signed or receipted and can no longer be shown to hold.
func (r *repair) judge(lost map[string]int) {
	doubt := func(format string, args ...any) { r.doubt = append(r.doubt, fmt.Sprintf(format, args...)) }
	switch {
	case r.gen == parley.Gen{}:
		doubt("the own generation is not known")
	case r.mark == nil:
		doubt("the high-water file is missing or damaged")
	case r.mark.Gen != r.gen:
		doubt("the high-water file is of another generation")
	}
	if r.saved.WAL {
		doubt("acknowledged commits are missing at the end of the write-ahead log")
	}
	if r.saved.Holes > 0 {
		doubt("pages of the database tell nothing any more; what stood there may be missed by nobody")
	}
	if r.saved.Loose > 0 {
		doubt("cosignatures are damaged whose signer can no longer be told; own receipts may be among them")
	}
	if lost["kem"] > 0 || lost["self"] > 0 || lost["value"] > 0 {
		doubt("the node's own state is damaged")
	}
	for _, m := range r.logs {
		if m.saved == nil {
			doubt("nothing is left of log %s but its size", m.id)
			continue
		}
		if slices.Contains(m.saved.Names, journal.ReceiptName(r.signed.Channel(), r.me)) {
			doubt("own receipts on log %s are damaged", m.id)
		}
		if m.id.Party == r.me && m.id.Gen == r.gen && (!m.saved.Whole || m.saved.Size > m.target && !r.oneBitOff(m)) {
			doubt("how far the own log %s had come is not known", m.id)
		}
	}
}

// oneBitOff reports whether only a bit of the size is wrong that the record
// notes of an own log: its rows are whole, and the author's newest signed head
// and the high-water file end where they do.
func (r *repair) oneBitOff(m *mending) bool {
	h := m.saved.Head
	if r.exact || len(m.bad) > 0 || r.saved.Holes > 0 || r.saved.WAL || h == nil || h.Size != m.target || r.mark == nil ||
		r.mark.Sizes[m.id.Lane] != m.target || bits.OnesCount64(m.saved.Size^m.target) != 1 {
		return false
	}
	if _, err := r.ring.VerifyHead(*h); err != nil {
		return false
	}
	r.say("log %s: a single bit of its size, by its rows, its signed head and the high-water file", m.id)
	return true
}

// rebuildPeerKEMs takes the members' newest keys for grants from their KEYS
// entries, where the note of them is lost.
func (r *repair) rebuildPeerKEMs() {
	for _, p := range r.charter.Others(r.me) {
		key := fmt.Sprint(int(p))
		if slices.ContainsFunc(r.values, func(v journal.Put) bool { return v.Space == "peer-kem" && v.Key == key }) {
			continue
		}
		if b := r.newestKEM(p); b != nil {
			r.values = append(r.values, journal.Put{Space: "peer-kem", Key: key, Value: b})
		}
	}
}

// newestKEM encodes a member's newest KEYS as the station keeps it: of the
// newest generation, then of the highest index.
func (r *repair) newestKEM(p parley.Party) []byte {
	replaced := map[parley.Gen]bool{}
	newest := map[parley.Gen][]byte{}
	for _, m := range r.logs {
		if m.id.Party != p || m.id.Lane != parley.Routine || m.saved == nil {
			continue
		}
		for i := range m.target {
			row, _ := m.saved.Row(i)
			if row == nil || row.Content == nil {
				continue
			}
			e, err := parley.ParseEntry(row.Content.Entry)
			if err != nil {
				continue
			}
			switch e.Kind {
			case parley.KindGeneration:
				if g, err := parley.ParseGeneration(e.Body); err == nil {
					for _, prev := range g.Prev {
						replaced[prev] = true
					}
				}
			case parley.KindKeys:
				if k, err := parley.ParseKeysBody(e.Body); err == nil && seal.CheckKEM(k.KEM) == nil {
					b := parley.AppendBytes(parley.AppendArray(nil, 4), m.id.Gen[:])
					b = parley.AppendBytes(parley.AppendUint(b, i), k.KEM)
					newest[m.id.Gen] = parley.AppendUint(b, k.Until)
				}
			}
		}
	}
	for g, b := range newest {
		if !replaced[g] {
			return b
		}
	}
	return nil
}

// rebuildForks takes proofs of forks from the notices that carry them.
func (r *repair) rebuildForks() {
	for _, m := range r.logs {
		if m.saved == nil {
			continue
		}
		for i := range m.target {
			row, _ := m.saved.Row(i)
			if row == nil || row.Content == nil {
				continue
			}
			e, err := parley.ParseEntry(row.Content.Entry)
			if err != nil || e.Kind != parley.KindNotice {
				continue
			}
			if n, err := parley.ParseNotice(e.Body); err == nil && n.Code == parley.NoticeFork {
				r.addFork(n.Evidence)
			}
		}
	}
}

func (r *repair) addFork(proof []byte) {
	f, err := journal.ParseFork(proof)
	if err != nil || r.ring.VerifyFork(f) != nil {
		return
	}
	key := f.Log.Origin()
	if !slices.ContainsFunc(r.values, func(v journal.Put) bool { return v.Space == "fork" && v.Key == key }) {
		r.values = append(r.values, journal.Put{Space: "fork", Key: key, Value: bytes.Clone(proof)})
		r.say("the proof that log %s forked, from a notice", f.Log)
	}
}

// settleLoss opens commitments again whose OPENING stands in the record, and
// says, entry by entry, what came from where and what no copy has.
func (r *repair) settleLoss() {
	r.reopen()
	ch := r.signed.Channel()
	for _, m := range r.logs {
		m.chooseHead()
		from := map[string][]uint64{}
		for _, i := range slices.Sorted(maps.Keys(m.bad)) {
			b := m.bad[i]
			if i < m.end && b.from != "" {
				from[b.from] = append(from[b.from], i)
			}
			if i < m.end && b.text == nil && m.readable(b) {
				r.report.Texts = append(r.report.Texts, r.place(m, i)+": "+r.whyNoText(m, b))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(from)) {
			r.say("log %s, %s: from %s, as its author signed", m.id, ranges(from[name]), name)
			if name != "the damaged record itself" {
				r.report.FromPeers += len(from[name])
			}
		}
		for i := m.end; i < m.target; i++ {
			r.lose("%s: %s", r.place(m, i), r.lossOf(m, i))
		}
		if m.id.Party == r.me && m.id.Gen == r.gen && m.end < m.target {
			r.doubt = append(r.doubt, fmt.Sprintf("the own log %s ends before entry %d", m.id, m.end))
		}
		if m.cosigs && m.saved != nil {
			for _, name := range slices.Compact(slices.Sorted(slices.Values(m.saved.Names))) {
				who := strings.TrimPrefix(name, "parley/"+ch.String()+"/")
				r.note("log %s: a cosignature of %s is damaged; others of it stand, and what copies have was taken", m.id, who)
			}
		}
	}
	if n := r.saved.Loose; n > 0 {
		r.note("%d cosignatures are damaged and nothing tells of which log or signer; what copies have was taken", n)
	}
	if r.sealed {
		r.note("a member sent texts that no key here opens: start the node, so that it is granted keys, stop it, and repair again")
	}
}

func (r *repair) place(m *mending, i uint64) string {
	ref := parley.Ref{Party: m.id.Party, Lane: m.id.Lane, Gen: m.id.Gen, Index: i}
	return "entry " + ref.Long()
}

func (r *repair) whyNoText(m *mending, b *badEntry) string {
	switch {
	case b.leaf.To == parley.ToNobody:
		return "a commitment whose salt is lost: it cannot be opened any more; commit again, and say so in a notice"
	case m.id.Party == r.me:
		return "its place stands, its text is lost here; a reader of it has it: reach " + r.readers(b.leaf.To)
	}
	return "its place stands, its text is not here; reach " + r.charter.Member(m.id.Party).Name + " and repair again"
}

func (r *repair) readers(to parley.Audience) string {
	var names []string
	for _, p := range r.charter.Others(r.me) {
		if to.Includes(p) {
			names = append(names, r.charter.Member(p).Name)
		}
	}
	return strings.Join(names, " or ")
}

// lossOf says what the end of a log means for one of its entries.
func (r *repair) lossOf(m *mending, i uint64) string {
	b := m.bad[i]
	own := m.id.Party == r.me
	switch {
	case own && b == nil, own && b.text != nil:
		return "undamaged, but behind a lost entry; no copy at hand has it. It stays readable in the old file; if nobody received it, send it again"
	case own:
		return "lost; no copy at hand has it. If nobody received it, send it again"
	case b == nil:
		return "undamaged, but behind a lost entry; " + r.charter.Member(m.id.Party).Name + " sends it again when the node connects"
	}
	return "damaged; " + r.charter.Member(m.id.Party).Name + " sends it again when the node connects"
}

// reopen finds the content of commitments in the OPENING entries.
func (r *repair) reopen() {
	blank := map[parley.Hash]*badEntry{}
	for _, m := range r.logs {
		for _, b := range m.bad {
			if b.leaf != nil && b.text == nil && b.leaf.To == parley.ToNobody {
				blank[b.leaf.Hash()] = b
			}
		}
	}
	if len(blank) == 0 {
		return
	}
	for _, m := range r.logs {
		for i := range m.end {
			var text *journal.Content
			if b := m.bad[i]; b != nil {
				text = b.text
			} else if row, _ := m.saved.Row(i); row != nil {
				text = row.Content
			}
			if text == nil {
				continue
			}
			e, err := parley.ParseEntry(text.Entry)
			if err != nil || e.Kind != parley.KindOpening {
				continue
			}
			o, _, err := parley.ParseOpening(e.Body)
			if err != nil {
				continue
			}
			if b := blank[o.Ref.Leaf]; b != nil && journal.CheckOpening(m.id, o) == nil {
				b.text, b.from = &journal.Content{Salt: o.Salt, Entry: o.Entry}, "its OPENING"
			}
		}
	}
}

// ranges writes ascending numbers shortly: entries 3, 7 to 9.
func ranges(idx []uint64) string {
	var b strings.Builder
	b.WriteString("entry ")
	if len(idx) > 1 {
		b.Reset()
		b.WriteString("entries ")
	}
	for k := 0; k < len(idx); {
		n := k
		for n+1 < len(idx) && idx[n+1] == idx[n]+1 {
			n++
		}
		if k > 0 {
			b.WriteString(", ")
		}
		fmt.Fprint(&b, idx[k])
		if n > k {
			fmt.Fprintf(&b, " to %d", idx[n])
		}
		k = n + 1
	}
	return b.String()
}
